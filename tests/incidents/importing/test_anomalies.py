"""Times that cannot be right are listed with what may be meant; legal orders are not."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.anomalies import CODES, anomalies_of, incident_anomalies
from dagster_project.domain.incidents.importing.offsets import window_offset
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.domain.incidents.model import ImpactWindow, Incident, Moment
from tests.incidents.importing.importing_builders import anomaly, at, codes, document, markdown, only


def incident(windows: tuple[ImpactWindow, ...] = (), **phases: str) -> Incident:
    """An incident of the engine's table with phases at these times."""
    return Incident("INC-1", "Slow", phases={phase: Moment(at(text)) for phase, text in phases.items()}, windows=windows)


def found(one: Incident) -> list[tuple[str, str | None, object]]:
    return [(anomaly.code, anomaly.phase, anomaly.suggestion) for anomaly in incident_anomalies(one)]


def status_page(first: str, last: str, told: str) -> Any:
    updates = [{"at": f"{first}:00Z", "status": "Investigating", "message": "We are looking."}]
    updates += [{"at": f"{last}:00Z", "status": "Resolved", "message": told.ljust(80, ".")}]
    return only(read_text(json.dumps({"id": "1", "title": "Slow", "updates": updates}), "incidents.jsonl"))


@pytest.mark.parametrize(
    "phases",
    [
        {
            "detected": "2024-05-02 10:00",
            "impact_ended": "2024-05-02 10:30",
            "declared": "2024-05-02 11:00",
            "resolved": "2024-05-02 12:00",
        },
        {"detected": "2024-05-02 10:00", "resolved": "2024-05-02 10:30", "declared": "2024-05-02 11:00"},
        {"impact_started": "2024-05-02 09:00", "impact_ended": "2024-05-02 09:30", "declared": "2024-05-02 10:00"},
        {"declared": "2024-05-02 09:58", "impact_started": "2024-05-02 10:00", "resolved": "2024-05-02 11:00"},
        {"detected": "2024-05-02 10:00", "resolved": "2024-05-16 10:00", "closed": "2024-06-16 10:00"},
        {"detected": "2024-05-02 10:00", "acknowledged": "2024-05-02 10:00", "resolved": "2024-05-02 10:00"},
    ],
)
def test_legal_orders_are_not_flagged(phases: dict[str, str]) -> None:
    assert found(incident(**phases)) == []


def test_a_resolution_before_the_detection_is_flagged_with_the_afternoon_where_that_fits() -> None:
    one = incident(detected="2024-05-02 14:05", declared="2024-05-02 14:20", resolved="2024-05-02 03:10")
    assert found(one) == [("twelve_hours_off", "resolved", at("2024-05-02 15:10"))]


@pytest.mark.parametrize(
    ("resolved", "code", "meant"),
    [
        ("2023-05-02 15:00", "year_off", "2024-05-02 15:00"),
        ("2024-06-02 14:30", "month_off", "2024-05-02 14:30"),
        ("2024-05-01 15:00", "day_off", "2024-05-02 15:00"),
    ],
)
def test_a_phase_that_a_whole_offset_puts_among_the_others(resolved: str, code: str, meant: str) -> None:
    one = incident(detected="2024-05-02 14:05", declared="2024-05-02 14:20", resolved=resolved)
    assert found(one) == [(code, "resolved", at(meant))]


def test_an_order_that_nothing_explains_is_an_order() -> None:
    one = incident(impact_started="2024-05-02 14:05", impact_ended="2024-05-02 13:40")
    assert found(one) == [("order", "impact_ended", None)]


def test_a_day_is_before_nothing_on_the_same_day() -> None:
    day = Moment(at("2024-05-02"), "day")
    one = Incident("1", "x", phases={"detected": Moment(at("2024-05-02 10:00")), "resolved": day})
    assert incident_anomalies(one) == ()


def test_a_window_around_the_detection_is_well_although_it_was_declared_a_day_later() -> None:
    window = ImpactWindow(at("2024-05-01 14:30"), at("2024-05-01 15:10"))
    phases = {"declared": "2024-05-02 15:00", "resolved": "2024-05-02 16:00"}
    assert found(incident((window,), detected="2024-05-01 14:40", **phases)) == []
    assert [code for code, *_ in found(incident((window,), **phases))] == ["day_off"]


def test_windows_of_no_length_of_negative_length_and_written_twice() -> None:
    start, end = at("2024-05-02 10:00"), at("2024-05-02 11:00")
    windows = (ImpactWindow(start, end), ImpactWindow(start, end), ImpactWindow(start, start), ImpactWindow(end, start))
    assert [code for code, *_ in found(incident(windows))] == ["duplicate_window", "zero_duration", "negative_window"]


def test_declared_and_resolved_at_one_moment_is_an_unknown_duration() -> None:
    assert found(incident(declared="2024-05-02 10:00", resolved="2024-05-02 10:00")) == [("zero_duration", "resolved", None)]


def test_what_has_not_come_yet_is_the_future() -> None:
    one = incident(declared="2024-05-02 10:00", resolved="2024-05-09 10:00")
    assert [each.code for each in incident_anomalies(one, now=at("2024-05-03 10:00"))] == ["future"]
    assert incident_anomalies(one, now=at("2024-05-08 11:00")) == ()


@pytest.mark.parametrize(
    ("told", "code", "suggestion"),
    [
        ("On April 30, 2025, between 8:02 UTC and 9:05 UTC, x", "twelve_hours_off", "2025-04-30 20:02 to 2025-04-30 21:05"),
        ("On April 29, 2025, between 20:02 UTC and 21:05 UTC, x", "day_off", "2025-04-30 20:02 to 2025-04-30 21:05"),
        ("On March 30, 2025, between 20:02 UTC and 21:05 UTC, x", "month_off", "2025-04-30 20:02 to 2025-04-30 21:05"),
        ("On April 30, 2024, between 20:02 UTC and 21:05 UTC, x", "year_off", "2025-04-30 20:02 to 2025-04-30 21:05"),
        ("On April 30, 2025, between 23:02 UTC and 23:55 UTC, x", "zone_off", "2025-04-30 20:02 to 2025-04-30 20:55"),
    ],
)
def test_a_published_window_that_a_whole_offset_puts_onto_the_updates(told: str, code: str, suggestion: str) -> None:
    imported = status_page("2025-04-30T20:51", "2025-04-30T21:10", told)
    assert anomaly(imported, code).suggestion == suggestion
    assert codes(imported) == [code]


@pytest.mark.parametrize(
    "told",
    [
        "On April 30, 2025, between 18:02 UTC and 20:40 UTC, x",
        "On April 30, 2025, between 8:02 UTC and 20:55 UTC, x",
        "Between April 21, 2025 20:02 UTC and April 30, 2025 21:00 UTC, x",
        "On April 30, 2025, between 20:30 UTC and 23:59 UTC, x",
        "On April 30, 2025, between 17:40 UTC and 18:10 UTC, x",
        "On April 30, 2025 at 08:10 UTC we deployed a change; it failed at 20:45 UTC.",
    ],
)
def test_a_published_window_that_touches_the_incident_is_not_flagged(told: str) -> None:
    assert codes(status_page("2025-04-30T20:51", "2025-04-30T21:10", told)) == []


def test_two_windows_in_one_incident_are_flagged_and_nested_ones_are_not() -> None:
    first = "On April 30, 2025, between 20:02 UTC and 20:55 UTC, x. "
    double = status_page("2025-04-30T20:10", "2025-04-30T23:10", first + "From 21:30 UTC to 22:40 UTC, y")
    assert codes(double) == ["double_window"]
    assert [window.ended_at for window in double.incident.windows] == [at("2025-04-30 20:55"), at("2025-04-30 22:40")]
    nested = status_page("2025-04-30T20:10", "2025-04-30T23:10", first + "From 20:10 UTC to 20:20 UTC, y")
    assert codes(nested) == []


def test_a_time_that_does_not_exist_is_flagged_and_not_read() -> None:
    imported = status_page("2025-01-14T20:55", "2025-01-14T21:20", "On January 14, 2025, between 19:13 UTC and 21:210 UTC x")
    assert codes(imported) == ["impossible_date"]
    assert imported.incident.windows == ()
    assert "impact_ended" not in imported.incident.phases


@pytest.mark.parametrize(
    ("begins", "ends", "code", "phase", "meant"),
    [
        ("2025-04-30 20:41", "2025-05-01 09:05", "twelve_hours_off", "impact_ended", "2025-04-30 21:05"),
        ("2025-04-30 20:41", "2025-05-01 21:05", "day_off", "impact_ended", "2025-04-30 21:05"),
        ("2025-04-30 20:41", "2025-05-30 21:05", "month_off", "impact_ended", "2025-04-30 21:05"),
        ("2025-04-30 20:41", "2026-04-30 21:05", "year_off", "impact_ended", "2025-04-30 21:05"),
        ("2025-04-30 20:41", "2031-04-30 21:05", "year_off", "impact_ended", "2025-04-30 21:05"),
        ("2025-04-30 08:41", "2025-04-30 21:05", "twelve_hours_off", "impact_started", "2025-04-30 20:41"),
        ("2025-04-29 20:11", "2025-04-30 21:05", "day_off", "impact_started", "2025-04-30 20:11"),
        ("2025-03-30 20:11", "2025-04-30 21:05", "month_off", "impact_started", "2025-04-30 20:11"),
        ("2024-04-30 20:11", "2025-04-30 21:05", "year_off", "impact_started", "2025-04-30 20:11"),
    ],
)
def test_one_end_of_a_window_that_is_off_is_told_although_the_window_touches_the_incident(
    begins: str, ends: str, code: str, phase: str, meant: str
) -> None:
    one = incident((ImpactWindow(at(begins), at(ends)),), declared="2025-04-30 20:51", resolved="2025-04-30 21:10")
    assert found(one) == [(code, phase, at(meant))]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("2025-04-30 08:02", "2025-04-30 21:05"),
        ("2025-04-30 20:41", "2025-05-01 12:10"),
        ("2025-04-30 20:41", "2025-05-01 06:10"),
        ("2025-04-28 20:41", "2025-05-02 21:05"),
        ("2025-04-21 20:41", "2025-04-30 21:05"),
    ],
)
def test_a_window_that_is_long_is_not_flagged(begins: str, ends: str) -> None:
    one = incident((ImpactWindow(at(begins), at(ends)),), declared="2025-04-30 20:51", resolved="2025-04-30 21:10")
    assert found(one) == []


TABLE = {
    "impact_started": "2025-03-04 10:00", "detected": "2025-03-04 10:05", "declared": "2025-03-04 10:10",
    "mitigated": "2025-03-04 10:50", "impact_ended": "2025-03-04 10:55", "resolved": "2025-03-04 11:10",
}  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "text", "code"),
    [
        ("impact_started", "2025-03-03 22:00", "twelve_hours_off"),
        ("impact_started", "2025-03-03 10:00", "day_off"),
        ("impact_ended", "2025-03-04 22:55", "twelve_hours_off"),
        ("impact_ended", "2025-03-05 10:55", "day_off"),
        ("resolved", "2025-03-04 23:10", "twelve_hours_off"),
        ("resolved", "2025-03-05 11:10", "day_off"),
        ("resolved", "2035-03-04 11:10", "year_off"),
        ("declared", "2015-03-04 10:10", "year_off"),
        ("declared", "2028-03-04 10:10", "year_off"),
    ],
)
@pytest.mark.parametrize("has_window", [True, False])
def test_one_phase_of_a_record_that_is_away_from_all_others(phase: str, text: str, code: str, has_window: bool) -> None:
    phases = {**TABLE, phase: text}
    window = ImpactWindow(at(phases["impact_started"]), at(phases["impact_ended"]))
    assert found(incident((window,) if has_window else (), **phases)) == [(code, phase, at(TABLE[phase]))]


@pytest.mark.parametrize(
    "more",
    [
        {"resolved": "2025-03-04 23:40"},
        {"resolved": "2025-03-05 09:00"},
        {"impact_started": "2025-03-03 21:30"},
        {"impact_started": "2025-03-03 10:00", "detected": "2025-03-03 10:05"},
        {"mitigated": "2025-03-05 10:50", "impact_ended": "2025-03-05 10:55", "resolved": "2025-03-05 11:10"},
        {"impact_ended": "2025-03-05 10:55", "resolved": "2025-03-05 11:10"},
    ],
)
def test_an_incident_that_is_long_is_not_flagged(more: dict[str, str]) -> None:
    assert found(incident(**TABLE | more)) == []


def test_two_wrong_windows_are_two_anomalies() -> None:
    windows = (
        ImpactWindow(at("2024-05-02 10:00"), at("2024-05-02 09:00")),
        ImpactWindow(at("2024-05-02 10:00"), at("2024-05-02 08:00")),
    )
    assert [code for code, *_ in found(incident(windows))] == ["negative_window"] * 2


WINDOWS = st.tuples(st.integers(-180, 300), st.integers(1, 600), st.integers(5, 600))


@given(WINDOWS)
def test_a_window_that_touches_its_incident_is_never_moved(shape: tuple[int, int, int]) -> None:
    lead, length, lasts = shape
    first = at("2024-05-02 10:00")
    last, start = first + timedelta(minutes=lasts), first - timedelta(minutes=lead)
    end = start + timedelta(minutes=length)
    if start <= last and end >= first - timedelta(hours=3):
        assert window_offset(start, end, first, last) is None


@given(st.integers(0, 60), st.integers(10, 120), st.sampled_from([timedelta(hours=12), timedelta(hours=-12)]))
def test_a_window_moved_by_half_a_day_is_moved_back(lead: int, lasts: int, step: timedelta) -> None:
    first = at("2024-05-02 10:00")
    start, end = first - timedelta(minutes=lead), first + timedelta(minutes=lasts)
    offset, moved, until = window_offset(start + step, end + step, first, end)
    assert (offset.code, moved, until) == ("twelve_hours_off", start, end)


def key_events(*lines: str) -> str:
    return "# Incident on 2024-07-01\n\n- **Key events**\n" + "".join(f"  - {line}\n" for line in lines)


def test_a_stated_duration_that_the_times_give_is_no_anomaly() -> None:
    body = key_events("First detected 2024-07-01 10:14", "Incident declared 2024-07-01 10:20", "Resolved 2024-07-01 11:36")
    assert codes(markdown(body + "\n- **Time to repair**: 1h 16m\n- **Time to resolve**: 1h 22m\n")) == []


def test_support_hours_count_where_the_document_names_them_and_over_nights() -> None:
    body = key_events("Fault occurs 2024-07-01 07:15", "Incident declared 2024-07-01 14:39", "Resolved 2024-07-01 15:09")
    assert codes(markdown(body + "\n- **Time to resolve**: 5h 09m (during support hours 10:00-17:00)\n")) == []
    assert codes(markdown(body + "\n- **Time to resolve**: 5h 09m\n")) == ["stated_duration_differs"]
    night = key_events("First detected 2024-07-01 12:15", "Resolved 2024-07-02 10:00")
    assert codes(markdown(night + "\n- **Time to resolve**: 4h 45m\n")) == []


def test_a_weekend_is_no_support_time() -> None:
    body = key_events("First detected 2024-07-05 16:00", "Resolved 2024-07-08 11:00")
    assert codes(markdown(body + "\n- **Time to resolve**: 2h (support hours 10:00-17:00)\n")) == []


def test_a_stated_duration_that_nothing_gives_says_what_comes_nearest() -> None:
    body = key_events("Incident declared 2024-08-05 11:04", "Resolved 2024-08-05 16:16") + "\n- **Time to repair**: 5h 8m\n"
    said = anomaly(markdown(body), "stated_duration_differs")
    assert "declared to resolved on the wall clock is 5 h 12 min" in said.sentence
    assert (said.suggestion, said.place) == (at("2024-08-05 16:12"), "2024-05-02-queue.md:7")


def test_a_morning_that_should_be_an_afternoon_is_found_by_the_stated_duration() -> None:
    imported = only(document("swapped-key-events.md"))
    assert anomaly(imported, "twelve_hours_off").suggestion == at("2024-07-01 14:05")
    assert anomaly(imported, "year_off").suggestion == at("2024-07-01 15:00")
    assert codes(imported).count("stated_duration_differs") == 2


def test_among_rows_a_duration_counts_from_the_beginning_alone() -> None:
    rows = "".join(f"| 2024-05-02 08:{minute} | row {minute} |\n" for minute in (40, 51, 59)) + "| 2024-05-02 09:09 | row |\n"
    body = f"## Timeline\n\n| Time (UTC) | Event |\n|---|---|\n{rows}\n## Stats\n\n- Time to detection: 10 minutes\n"
    assert codes(markdown(body)) == ["stated_duration_differs"]


def test_british_summer_time_written_as_utc_is_found_by_the_second_mention() -> None:
    body = key_events("Resolved 2024-07-01 15:09") + "\n- **Status**: Resolved at 2024-07-01 15:09 UTC\n"
    said = anomaly(markdown(body, zone="Europe/London"), "zone_off")
    assert (said.phase, said.suggestion) == ("resolved", at("2024-07-01 14:09"))
    assert codes(markdown(body)) == []


def test_a_link_to_a_message_tells_that_the_zone_is_wrong() -> None:
    sent = int((at("2024-07-01 14:21:29") - datetime.fromisoformat("1970-01-01")).total_seconds())
    body = f"## Timeline\n\n- 2024-07-01 15:21: Incident declared. https://acme.slack.com/archives/C5/p{sent}869672\n"
    said = anomaly(markdown(body), "zone_off")
    assert said.suggestion == at("2024-07-01 14:21")
    assert codes(markdown(body, zone="Europe/London")) == []


def test_a_zone_that_may_mean_two_offsets_is_said_once() -> None:
    rows = "- 2024-07-01 15:21: a\n- 2024-07-01 15:22: b\n"
    said = anomaly(markdown(f"## Timeline\n\nAll times in CET.\n\n{rows}"), "zone_ambiguous")
    assert said.suggestion == at("2024-07-01 14:21")
    assert codes(markdown("## Timeline\n\nAll times in CET.\n\n- 2024-01-01 15:21: a\n")) == []


def test_two_times_for_one_phase_are_said() -> None:
    body = key_events("Resolved 2024-07-01 11:21") + "\n- **Context**:\n  - 2024-07-01 13:11 - Incident resolved\n"
    said = anomaly(markdown(body), "stated_twice")
    assert (said.phase, said.suggestion) == ("resolved", at("2024-07-01 13:11"))


def test_two_rows_of_a_timeline_for_one_phase_are_said_unless_they_are_of_one_time() -> None:
    rows = "- 2024-07-01 11:21 Mitigated by a restart\n- 2024-07-01 11:50 Mitigation applied\n"
    said = anomaly(markdown(f"## Timeline\n\n{rows}"), "stated_twice")
    assert (said.phase, said.suggestion) == ("mitigated", at("2024-07-01 11:50"))
    assert codes(markdown(f"## Timeline\n\n{rows.replace('11:50', '11:21')}")) == []


def test_a_row_days_away_from_its_neighbours_is_said() -> None:
    body = "## Timeline\n\n- 2024-07-25 16:18: repaired\n- 2024-07-05 16:18: checked\n- 2024-07-25 16:30: done\n"
    said = anomaly(markdown(body), "order")
    assert (said.suggestion, said.place) == (at("2024-07-25 16:18"), "2024-05-02-queue.md:4")


def test_every_code_that_is_used_has_its_words() -> None:
    names = ("swapped-key-events.md", "sre-table.md", "prose-bullets.md")
    assert {each.code for name in names for each in anomalies_of(only(document(name)))} <= set(CODES)
