"""Figures of action items, by hand and against a curve of Kaplan and Meier in plain fractions."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.action_items.measures import (
    Grouped,
    Measures,
    came_back_on,
    curve_of,
    groups_of,
    measures_of,
    steps_of,
)
from dagster_project.domain.action_items.model import COMPLETED, ENDED, STATES, Item
from tests.unit.action_items.builders import BEGAN, day, item

TODAY = date(2025, 3, 31)


def on(number: int) -> date:
    """So many days after the item began."""
    return day(number).date()


def done(number: float, *, is_known: bool = True, **values: object) -> Item:
    """An item that was done so many days after it began."""
    done_at = day(number) if is_known else None
    return item(state="done", done_at=done_at, ended_at=day(number), is_done_at_known=is_known, **values)


def declined(number: float, **values: object) -> Item:
    """An item that was declined so many days after it began."""
    return item(state="declined", ended_at=day(number), **values)


def measured(*items: Item, today: date = TODAY) -> Measures:
    """The measures of items without anything that came back."""
    return measures_of([Grouped(each, None) for each in items], today)


def test_of_nothing_there_are_no_figures() -> None:
    found = asdict(measured())
    assert {name for name, value in found.items() if value is None} == {
        "median_days", "open_age_median_days", "open_age_oldest_days",
    }  # fmt: skip
    assert set(found.values()) == {None, 0}


def test_items_are_counted_by_how_they_stand() -> None:
    states = {"proposed": 1, "open": 2, "in_progress": 3, "lost": 4, "verified": 5, "declined": 6}
    found = measured(*(item(state=state) for state, count in states.items() for _ in range(count)), done(1))
    assert (found.items, found.open, found.in_progress, found.lost, found.done, found.verified, found.declined) == (
        22, 10, 3, 4, 6, 5, 6,
    )  # fmt: skip


def test_completion_by_the_first_due_date_and_now() -> None:
    found = measured(
        done(5, first_due_on=on(5)),  # on the day
        done(6, first_due_on=on(5)),  # a day late
        done(6, first_due_on=on(5), due_on=on(9), slips=1, slipped_days=4),  # a date that was moved does not help
        item(first_due_on=on(5)),
        item(first_due_on=on(5), due_on=None),
        declined(2, first_due_on=on(5)),
        done(5, first_due_on=TODAY + timedelta(days=1)),  # not due yet, and done
        done(5),
        item(),
    )
    assert (found.due, found.done_of_due, found.due_judged, found.done_at_due) == (6, 3, 6, 1)
    assert (found.done_dated, found.on_time) == (4, 2)
    assert (found.items, found.done) == (9, 5)


def test_what_is_due_today_is_due() -> None:
    found = measured(item(first_due_on=TODAY, due_on=TODAY), item(first_due_on=TODAY + timedelta(days=1)))
    assert (found.due, found.overdue) == (1, 0)


def test_where_nobody_knows_when_it_was_done_it_is_not_judged() -> None:
    unknown = done(5, is_known=False, first_due_on=on(5))
    found = measured(unknown, done(5, first_due_on=on(5)))
    assert (found.due, found.done_of_due, found.due_judged, found.done_at_due) == (2, 2, 1, 1)
    assert (found.done_dated, found.on_time) == (1, 1)


def test_overdue_goes_by_the_date_that_an_item_has_now() -> None:
    def due(days: int, **values: object) -> Item:
        return item(due_on=TODAY - timedelta(days=days), first_due_on=date(2025, 1, 1), **values)

    found = measured(due(0), due(1), due(30), due(31), due(31, state="lost"), due(31, state="done"), due(-5))
    assert (found.overdue, found.overdue_30_days) == (4, 2)


def test_what_unfinished_items_lack() -> None:
    full = {"owner": "alice", "due_on": TODAY, "tracker_key": "acme/ops#7"}
    found = measured(item(**full), item(**full | {"owner": None}), item(**full | {"due_on": None}), item(), item(state="done"))
    assert (found.without_owner, found.without_due, found.without_tracker) == (2, 2, 1)


def test_ages_of_what_is_not_finished() -> None:
    ages = [item(created_at=datetime(2025, 3, number, 23, 59)) for number in (1, 21, 30, 31)]  # noqa: DTZ001 - naive UTC
    found = measured(*ages, done(1, created_at=datetime.fromisoformat("2020-01-01T00:00")))
    assert (found.open_age_median_days, found.open_age_oldest_days) == (5.5, 30)


def test_slips_and_reopenings_are_counted_by_item_and_in_all() -> None:
    found = measured(
        item(slips=2, slipped_days=9),
        done(3, slips=1, slipped_days=1, reopened=2),
        item(reopened=1),
        done(3),
        declined(3),
    )
    assert (found.slipped, found.slips) == (2, 3)
    assert (found.ever_done, found.reopened) == (3, 2)


# The curve.


def test_the_median_by_hand() -> None:
    # Three of four are done after 2, 4 and 6 days; the fourth is 28.6 days old.
    items = [done(2), done(4), done(6), item()]
    assert measured(*items).median_days == 5.0
    assert steps_of(curve_of(items, TODAY)) == [(2, 0.75), (4, 0.5), (6, 0.25)]


def test_what_is_not_reached_has_no_median() -> None:
    assert measured(done(2), item()).median_days is None
    assert measured(item()).median_days is None


def test_declined_items_count_until_they_were_declined() -> None:
    items = [done(2), declined(3), done(4), item()]
    assert steps_of(curve_of(items, TODAY)) == [(2, 0.75), (4, 0.375)]
    assert measured(*items).median_days == 4.0


def test_lost_items_are_not_done_for_as_long_as_they_are_lost() -> None:
    assert steps_of(curve_of([done(2), item(state="lost")], TODAY)) == [(2, 0.5)]


def test_an_item_is_open_until_the_end_of_the_day() -> None:
    # Done on the last day, at a later age than the other has had at its beginning.
    late = done(28, created_at=BEGAN - timedelta(hours=8))
    assert steps_of(curve_of([late, item()], TODAY)) == [(28, 0.5)]
    assert steps_of(curve_of([late, item(created_at=day(1))], TODAY)) == [(28, 0.0)]


def test_what_was_done_at_an_unknown_moment_is_not_in_the_curve() -> None:
    assert measured(done(2), done(90, is_known=False)).median_days == 2.0
    assert steps_of(curve_of([done(2, is_known=False)], TODAY)) == []


def test_an_age_is_never_negative() -> None:
    assert steps_of(curve_of([done(2, created_at=day(9))], TODAY)) == [(0, 0.0)]


def test_a_day_s_step_is_what_is_left_at_its_end() -> None:
    assert steps_of(curve_of([done(2.0), done(2.5), done(2.999), done(3)], TODAY)) == [(2, 0.25), (3, 0.0)]


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from(["done", "verified", "declined", "open", "lost"])), max_size=25)
)
def test_the_curve_is_that_of_kaplan_and_meier(known: list[tuple[int, str]]) -> None:
    end = datetime(2025, 4, 1)  # noqa: DTZ001 - naive UTC
    items = [_aged(minutes, state, end) for minutes, state in known]
    expected: dict[int, Fraction] = {}
    share = Fraction(1)
    for minutes in sorted({minutes for minutes, state in known if state in COMPLETED}):
        at_risk = sum(1 for other, _ in known if other >= minutes)
        share *= 1 - Fraction(sum(1 for other, state in known if other == minutes and state in COMPLETED), at_risk)
        expected[minutes // 1440] = share
    found = steps_of(curve_of(items, TODAY))
    assert [number for number, _ in found] == list(expected)
    assert [left for _, left in found] == pytest.approx([float(left) for left in expected.values()])


def _aged(minutes: int, state: str, end: datetime) -> Item:
    """An item that came to its state after so many minutes, or has had it for so many until the end."""
    lasted = timedelta(minutes=minutes)
    if state in ENDED:
        return item(
            state=state, created_at=BEGAN, ended_at=BEGAN + lasted, done_at=BEGAN + lasted if state in COMPLETED else None
        )
    return item(state=state, created_at=end - lasted)


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=20), st.integers(0, 40_000))
def test_another_item_that_is_not_done_makes_no_median_shorter(minutes: list[int], further: int) -> None:
    items = [done(each / 1440) for each in minutes]
    alone = measured(*items).median_days
    with_it = measured(*items, _aged(further, "open", datetime(2025, 4, 1))).median_days  # noqa: DTZ001 - naive UTC
    assert alone is not None
    assert with_it is None or with_it >= alone


# What came back.

BACK = {"INC-1": [on(300), on(2), on(95), on(60), on(5)]}


def test_what_came_back_first_within_ninety_days_of_being_done() -> None:
    assert came_back_on(done(5, incident_id="INC-1"), BACK) == on(60)
    assert came_back_on(done(60, incident_id="INC-1"), BACK) == on(95)
    assert came_back_on(done(4.9, incident_id="INC-1"), BACK) == on(60)  # the same day may have been before it
    assert came_back_on(done(95, incident_id="INC-1"), BACK) is None
    assert came_back_on(done(210, incident_id="INC-1"), BACK) == on(300)
    assert came_back_on(done(209, incident_id="INC-1"), BACK) is None


def test_what_is_not_done_or_of_no_incident_or_not_dated_does_not_come_back() -> None:
    assert came_back_on(item(incident_id="INC-1", done_at=day(5)), BACK) is None
    assert came_back_on(done(5), BACK) is None
    assert came_back_on(done(5, incident_id="INC-2"), BACK) is None
    assert came_back_on(done(5, incident_id="INC-1", is_known=False), BACK) is None
    assert came_back_on(done(5, incident_id="INC-1"), {}) is None


def test_items_are_observed_for_ninety_days_whether_they_come_back_or_not() -> None:
    of_an_incident = done(5, incident_id="INC-1")
    last = on(5) + timedelta(days=90)
    for today, back, observed, came_back in (
        (last - timedelta(days=1), None, 0, 0),
        (last, None, 1, 0),
        (last, on(60), 1, 1),
        (on(60), on(60), 0, 0),
    ):
        found = measures_of([Grouped(of_an_incident, None, back)], today)
        assert (found.observed, found.came_back) == (observed, came_back)
    for other in (done(5), replace(of_an_incident, is_done_at_known=False), replace(of_an_incident, state="open")):
        assert measures_of([Grouped(other, None, on(60))], date(2026, 1, 1)).observed == 0
    assert measures_of([Grouped(replace(of_an_incident, state="verified"), None)], last).observed == 1


# Groups.


def test_items_are_counted_all_together_and_by_team_and_by_type() -> None:
    one, two, three = item(item_id="1", item_type="prevent"), item(item_id="2"), item(item_id="3", item_type="prevent")
    twice = item(item_id="4", state="duplicate", item_type="detect")
    found = groups_of([Grouped(one, "ops"), Grouped(two, None), Grouped(three, "ops"), Grouped(twice, "web")])
    assert {key: [each.item.item_id for each in those] for key, those in found.items()} == {
        ("all", "*"): ["1", "2", "3"],
        ("team", "(none)"): ["2"],
        ("team", "ops"): ["1", "3"],
        ("type", "(none)"): ["2"],
        ("type", "prevent"): ["1", "3"],
    }
    assert list(found) == sorted(found)


def test_without_items_there_is_one_group_and_it_is_empty() -> None:
    assert groups_of([]) == {("all", "*"): []}
    assert groups_of([Grouped(item(state="duplicate"), "ops")]) == {("all", "*"): []}


# Any items.


@st.composite
def known_items(draw: st.DrawFn) -> Item:
    state = draw(st.sampled_from(sorted(STATES)))
    number = draw(st.integers(0, 28))
    is_known = draw(st.booleans()) or state not in COMPLETED
    due = draw(st.none() | st.integers(-20, 60).map(on))
    return item(
        state=state,
        due_on=due,
        first_due_on=due and draw(st.sampled_from([due, due - timedelta(days=3)])),
        done_at=day(number) if state in COMPLETED and is_known else None,
        is_done_at_known=is_known,
        ended_at=day(number) if state in ENDED else None,
        incident_id=draw(st.sampled_from([None, "INC-1"])),
        item_type=draw(st.sampled_from([None, "prevent", "detect"])),
        slips=draw(st.integers(0, 2)),
        reopened=draw(st.integers(0, 2)),
        owner=draw(st.sampled_from([None, "alice"])),
    )


GROUPED = st.lists(
    st.builds(Grouped, known_items(), st.sampled_from([None, "ops"]), st.sampled_from([None, on(60)])), max_size=15
)


@given(GROUPED)
def test_every_numerator_is_within_its_denominator(known: list[Grouped]) -> None:
    found = measures_of(groups_of(known)["all", "*"], TODAY)
    assert found.open + found.done + found.declined == found.items
    assert found.in_progress + found.lost <= found.open
    assert found.verified <= found.done
    assert found.overdue_30_days <= found.overdue <= found.open
    assert found.done_at_due <= found.done_of_due <= found.due <= found.items
    assert found.done_at_due <= found.due_judged <= found.due
    assert found.on_time <= found.done_dated <= found.done
    assert found.reopened <= found.ever_done
    assert found.slipped <= found.slips
    assert found.came_back <= found.observed <= found.done
    assert max(found.without_owner, found.without_due, found.without_tracker) <= found.open


@given(GROUPED, st.randoms(use_true_random=False))
def test_teams_and_types_add_up_and_the_order_does_not_matter(known: list[Grouped], shuffle: random.Random) -> None:
    def of(those: list[Grouped]) -> dict[tuple[str, str], Measures]:
        return {key: measures_of(each, TODAY) for key, each in groups_of(those).items()}

    found = of(known)
    for scope in ("team", "type"):
        parts = [each for key, each in found.items() if key[0] == scope]
        for name in ("items", "open", "done", "due", "done_at_due", "overdue", "slips", "ever_done", "observed", "came_back"):
            assert sum(getattr(each, name) for each in parts) == getattr(found["all", "*"], name)
    shuffled = list(known)
    shuffle.shuffle(shuffled)
    assert of(shuffled) == found
