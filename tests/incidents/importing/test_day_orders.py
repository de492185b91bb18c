"""Day and month in numbers: one order for the whole document; and the hour that comes twice."""

from __future__ import annotations

import pytest

from tests.incidents.importing.importing_builders import anomaly, at, codes, markdown, times


def timeline(*rows: str, zone: str = "UTC") -> str:
    return f"# Queue\n\n## Timeline\n\n| Time ({zone}) | Event |\n|---|---|\n" + "".join(f"| {row} |\n" for row in rows)


ACROSS_MIDNIGHT = ("03/04/2024 23:50 | Outage begins", "03/05/2024 00:10 | Incident declared")


def test_dates_that_lie_together_in_one_order_are_read_in_it_and_doubted() -> None:
    imported = markdown(timeline(*ACROSS_MIDNIGHT), name="queue.md")
    assert times(imported) == {"impact_started": at("2024-03-04 23:50"), "declared": at("2024-03-05 00:10")}
    said = anomaly(imported, "date_ambiguous")
    assert said.sentence.startswith("03/04/2024 and the other dates in numbers are read with the month first")
    assert said.place == "queue.md:7"


@pytest.mark.parametrize(("last", "day"), [("03/13/2024 02:00", "2024-03-04 23:50"), ("13/04/2024 02:00", "2024-04-03 23:50")])
def test_a_date_that_allows_one_order_settles_all_others(last: str, day: str) -> None:
    imported = markdown(timeline(*ACROSS_MIDNIGHT, f"{last} | Looked again"), name="queue.md")
    assert times(imported)["impact_started"] == at(day)
    assert "date_ambiguous" not in codes(imported)


@pytest.mark.parametrize(("name", "day"), [("2024-03-04-queue.md", "2024-03-04"), ("2024-04-03-queue.md", "2024-04-03")])
def test_the_documents_own_day_settles_the_order(name: str, day: str) -> None:
    imported = markdown(timeline("03/04/2024 10:00 | Incident declared"), name=name)
    assert times(imported)["declared"] == at(f"{day} 10:00")
    assert codes(imported) == []


def test_the_days_of_action_items_have_the_same_order() -> None:
    body = timeline("03/13/2024 10:00 | Incident declared") + "\n## Action items\n\n- Alert on it, due 04/05/2024\n"
    (item,) = markdown(body, name="queue.md").action_items
    assert item.due_on == at("2024-04-05").date()


def test_numbers_that_are_no_dates_settle_nothing() -> None:
    body = timeline("03/04/2024 10:00 | Incident declared, 1.24.10 on 10.0.12.24 and 1/2/3/4") + "\nSee a/13/14/2024.\n"
    assert codes(markdown(body, name="queue.md")) == ["date_ambiguous"]


def test_a_date_that_dates_no_row_is_no_doubt() -> None:
    body = timeline("2024-06-20 10:00 | Incident declared") + "\nThe last one was on 03/04/2024.\n"
    assert codes(markdown(body, name="queue.md")) == []


def test_an_earlier_time_below_a_later_one_in_the_hour_that_comes_twice_is_a_doubt() -> None:
    rows = ("00:50 | Outage begins", "01:40 | Rolled back", "01:05 | Incident declared", "02:30 | Incident resolved")
    imported = markdown(timeline(*(f"2024-11-03 {row}" for row in rows), zone="America/New_York"))
    said = anomaly(imported, "zone_ambiguous")
    assert said.suggestion == at("2024-11-03 06:05")
    assert times(imported)["declared"] == at("2024-11-03 05:05")
    ordinary = markdown(timeline(*(f"2024-11-04 {row}" for row in rows), zone="America/New_York"))
    assert "zone_ambiguous" not in codes(ordinary)
