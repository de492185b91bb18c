"""Who is told of what and when, whatever nights did not run; and never the same twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.action_items.model import ENDED, STATES, Item
from dagster_project.domain.action_items.reminders import (
    ABANDONED,
    ESCALATED,
    OVERDUE,
    SECTIONS,
    SOON,
    TODAY,
    Reminder,
    Stage,
    WorkingHours,
    days_late,
    escalation_of,
    reminders_of,
    stage_of,
)
from tests.unit.action_items.builders import item

DUE = date(2025, 3, 20)
ITEM = item(due_on=DUE, owner="alice")
LOST_AT = datetime.fromisoformat("2025-02-20T23:00")
OFFICE = WorkingHours("Europe/Berlin", time(9), time(17, 30), frozenset(range(5)))


def after(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


def told_of(
    items: Iterable[Item], today: date, told: Iterable[tuple[str, str, str]] = (), lead: str | None = None
) -> dict[str, list[tuple[str, str, str]]]:
    """Recipient → (item, section, stage) of what they are told; owners are told, or "team" where there is none."""
    found = reminders_of(items, lambda _: today, lambda each: each.owner or "team", lambda _: lead, set(told))
    return {name: [(each.item.item_id, each.stage.section, each.stage.name) for each in those] for name, those in found.items()}


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (-400, None), (-8, None),
        (-7, Stage("due 2025-03-20 -7d", SOON)), (-2, Stage("due 2025-03-20 -7d", SOON)),
        (-1, Stage("due 2025-03-20 -1d", SOON)),
        (0, Stage("due 2025-03-20", TODAY)),
        (1, Stage("due 2025-03-20", OVERDUE)), (6, Stage("due 2025-03-20", OVERDUE)),
        (7, Stage("due 2025-03-20 +1w", OVERDUE)), (13, Stage("due 2025-03-20 +1w", OVERDUE)),
        (14, Stage("due 2025-03-20 +2w", OVERDUE)), (700, Stage("due 2025-03-20 +100w", OVERDUE)),
    ],
)  # fmt: skip
def test_the_stages_of_an_item_are_a_week_and_a_day_before_the_day_and_every_week(days: int, stage: Stage | None) -> None:
    assert stage_of(ITEM, after(days)) == stage


def test_an_item_without_a_date_has_no_stage() -> None:
    assert stage_of(item(due_on=None), DUE) is None
    assert escalation_of(item(due_on=None), DUE) is None
    assert days_late(item(due_on=None), DUE) == 0


def test_days_late_are_counted_from_the_due_date() -> None:
    assert [days_late(ITEM, after(days)) for days in (-3, 0, 40)] == [-3, 0, 40]


@pytest.mark.parametrize("state", sorted(STATES))
def test_what_has_ended_is_told_to_nobody(state: str) -> None:
    found = replace(ITEM, state=state)
    assert (stage_of(found, after(20)) is None) == (state in ENDED)
    assert (escalation_of(found, after(20)) is None) == (state in ENDED or state == "lost")


@pytest.mark.parametrize(("days", "name"), [(-3, "+0w"), (0, "+0w"), (6, "+0w"), (7, "+1w"), (13, "+1w"), (14, "+2w")])
def test_what_is_lost_is_told_at_once_and_every_week_whatever_its_date(days: int, name: str) -> None:
    lost_at = datetime.fromisoformat("2025-03-01T23:00")
    for due in (None, DUE, date(2030, 1, 1)):
        found = item(state="lost", state_at=lost_at, due_on=due)
        stage = stage_of(found, lost_at.date() + timedelta(days=days))
        assert stage == Stage(f"lost 2025-03-01 {name}", ABANDONED)


def test_what_is_lost_anew_is_told_anew() -> None:
    first = item(state="lost", state_at=datetime.fromisoformat("2025-03-01T09:00"))
    again = replace(first, state_at=datetime.fromisoformat("2025-03-02T09:00"))
    assert stage_of(first, DUE) != stage_of(again, DUE)


def test_a_lead_is_told_after_two_weeks() -> None:
    assert escalation_of(ITEM, after(13)) is None
    assert escalation_of(ITEM, after(14)) == Stage("due 2025-03-20 +2w", ESCALATED)
    assert escalation_of(ITEM, after(15)) == Stage("due 2025-03-20 +2w", ESCALATED)
    assert escalation_of(ITEM, after(21)) == Stage("due 2025-03-20 +3w", ESCALATED)


def test_the_owner_and_the_lead_are_told() -> None:
    assert told_of([ITEM], after(13), lead="lena") == {"alice": [("AI-1", OVERDUE, "due 2025-03-20 +1w")]}
    assert told_of([ITEM], after(14), lead="lena") == {
        "alice": [("AI-1", OVERDUE, "due 2025-03-20 +2w")],
        "lena": [("AI-1", ESCALATED, "due 2025-03-20 +2w")],
    }
    assert list(told_of([ITEM], after(14), lead="aaron")) == ["aaron", "alice"]


def test_who_is_told_as_the_owner_is_not_told_as_the_lead_too() -> None:
    assert told_of([ITEM], after(14), lead="alice") == {"alice": [("AI-1", OVERDUE, "due 2025-03-20 +2w")]}


def test_what_was_told_to_one_is_not_what_was_told_to_another() -> None:
    told = [("alice", "AI-1", "due 2025-03-20 +2w")]
    assert list(told_of([ITEM], after(14), told, "lena")) == ["lena"]
    told = [("lena", "AI-1", "due 2025-03-20 +2w")]
    assert list(told_of([ITEM], after(14), told, "lena")) == ["alice"]
    assert told_of([ITEM], after(14), [("lena", "AI-2", "due 2025-03-20 +2w")], "lena").keys() == {"alice", "lena"}


def test_nobody_is_told_of_nothing() -> None:
    assert told_of([], DUE) == {}
    assert told_of([ITEM], after(-8)) == {}


def test_a_date_that_is_moved_begins_anew() -> None:
    told = [("alice", "AI-1", "due 2025-03-20")]
    assert told_of([ITEM], DUE, told) == {}
    assert told_of([replace(ITEM, due_on=after(1))], DUE, told) == {"alice": [("AI-1", SOON, "due 2025-03-21 -1d")]}


def test_a_new_owner_is_told_what_the_old_one_was() -> None:
    told = [("alice", "AI-1", "due 2025-03-20")]
    assert list(told_of([replace(ITEM, owner="bob")], DUE, told)) == ["bob"]


def test_everybody_s_day_is_their_own() -> None:
    days = {"alice": DUE, "lena": after(-1)}
    late = replace(ITEM, due_on=after(-14))
    found = reminders_of([late], days.__getitem__, lambda _: "alice", lambda _: "lena", ())
    assert {name: [each.stage.name for each in those] for name, those in found.items()} == {"alice": ["due 2025-03-06 +2w"]}


def test_the_most_urgent_come_first() -> None:
    items = [
        item(item_id="lost", state="lost", owner="alice", due_on=None),
        item(item_id="soon", due_on=after(5), owner="alice"),
        item(item_id="today", due_on=DUE, owner="alice"),
        item(item_id="late-b", due_on=after(-9), owner="alice"),
        item(item_id="late-a", due_on=after(-9), owner="alice"),
        item(item_id="later", due_on=after(-3), owner="alice"),
        item(item_id="raised", due_on=after(-15), owner="bob"),
    ]
    found = told_of(items, DUE, lead="alice")
    assert [name for name, *_ in found["alice"]] == ["raised", "late-a", "late-b", "later", "today", "soon", "lost"]
    assert [section for _, section, _ in found["alice"]] == [ESCALATED, OVERDUE, OVERDUE, OVERDUE, TODAY, SOON, ABANDONED]
    assert list(SECTIONS) == [ESCALATED, OVERDUE, TODAY, SOON, ABANDONED]


def test_dates_far_away_are_told_when_they_come() -> None:
    assert stage_of(item(due_on=date.max), date.min) is None
    assert stage_of(item(due_on=date.min), date.max) == Stage(f"due 0001-01-01 +{(date.max - date.min).days // 7}w", OVERDUE)


# Working hours.


@pytest.mark.parametrize(
    ("moment", "may_write"),
    [
        ("2025-03-10T08:00+00:00", True), ("2025-03-10T07:59:59+00:00", False),  # Monday, 9 o'clock in Berlin
        ("2025-03-10T16:29:59+00:00", True), ("2025-03-10T16:30+00:00", False),
        ("2025-03-14T09:00+00:00", True), ("2025-03-15T09:00+00:00", False), ("2025-03-16T09:00+00:00", False),
        ("2025-03-31T07:00+00:00", True), ("2025-03-31T15:30+00:00", False),  # an hour earlier: summer time
        ("2025-03-10T10:00-08:00", False), ("2025-03-10T05:00-08:00", True),
    ],
)  # fmt: skip
def test_people_are_written_to_in_their_working_hours(moment: str, may_write: bool) -> None:
    assert OFFICE.contain(datetime.fromisoformat(moment)) == may_write


def test_a_day_is_that_of_their_clock() -> None:
    evening = datetime(2025, 3, 9, 20, 0, tzinfo=UTC)
    auckland = replace(OFFICE, zone="Pacific/Auckland")
    assert OFFICE.local(evening).date() == date(2025, 3, 9)
    assert auckland.local(evening).date() == date(2025, 3, 10)
    assert auckland.contain(evening)  # Monday, 9 o'clock
    assert not OFFICE.contain(evening)


# Any series of days.

DAYS = st.lists(st.booleans(), min_size=1, max_size=90)


def digests(found: Item, runs: list[bool], lead: str | None) -> list[tuple[int, Reminder]]:
    """(day number, reminder) of a series of days, of which those that are false did not run."""
    told: set[tuple[str, str, str]] = set()
    sent = []
    for number, is_run in enumerate(runs):
        if not is_run:
            continue
        today = date(2025, 3, 1) + timedelta(days=number)
        those = reminders_of([found], lambda _, today=today: today, lambda _: "alice", lambda _: lead, told)  # type: ignore[misc]
        for recipient, reminders in those.items():
            told |= {(recipient, each.item.item_id, each.stage.name) for each in reminders}
            sent += [(number, each) for each in reminders]
    return sent


items = st.builds(
    lambda due, state: item(due_on=date(2025, 3, 1) + timedelta(days=due), state=state, owner="alice", state_at=LOST_AT),
    st.integers(-60, 100),
    st.sampled_from(["open", "in_progress", "proposed", "lost"]),
)


@settings(max_examples=200)
@given(items, DAYS, st.sampled_from([None, "lena", "alice"]))
def test_each_stage_is_told_to_each_once_whatever_days_are_missed(found: Item, runs: list[bool], lead: str | None) -> None:
    counts = Counter((each.recipient, each.item.item_id, each.stage.name) for _, each in digests(found, runs, lead))
    assert set(counts.values()) <= {1}


@settings(max_examples=200)
@given(items, DAYS)
def test_nobody_is_told_twice_within_one_stage_s_time(found: Item, runs: list[bool]) -> None:
    sent = digests(found, runs, "lena")
    for recipient in ("alice", "lena"):
        overdue = [number for number, each in sent if each.recipient == recipient and each.stage.section != SOON]
        days = [date(2025, 3, 1) + timedelta(days=number) for number in overdue]
        since = found.state_at.date() if found.state == "lost" else found.due_on
        assert since is not None
        weeks = [(each - since).days // 7 for each in days if each >= since]
        assert len(set(weeks)) == len(weeks)


@settings(max_examples=200)
@given(items, DAYS)
def test_in_seven_days_that_run_an_overdue_item_is_told(found: Item, missed: list[bool]) -> None:
    runs = [*missed, *[True] * 40]
    told_on = {number for number, each in digests(found, runs, None) if each.recipient == "alice"}
    for first in range(len(missed), len(runs) - 6):
        if found.state != "lost" and found.is_overdue(date(2025, 3, 1) + timedelta(days=first)):
            assert told_on & set(range(first, first + 7))


@settings(max_examples=200)
@given(items, st.sets(st.integers(0, 80), max_size=60))
def test_in_every_week_of_which_a_day_ran_an_overdue_item_is_told(found: Item, missed: set[int]) -> None:
    runs = [number not in missed for number in range(81)]
    told_on = {number for number, each in digests(found, runs, None)}
    since = found.state_at.date() if found.state == "lost" else found.due_on
    assert since is not None
    begins = (since - date(2025, 3, 1)).days
    for week in range(max(begins, 0), 75):
        if (week - begins) % 7 == 0 and any(runs[week : week + 7]):
            assert told_on & set(range(week, week + 7))


@settings(max_examples=200)
@given(items, DAYS)
def test_after_days_that_were_missed_the_first_one_tells_the_newest_stage_and_no_other(found: Item, missed: list[bool]) -> None:
    number = len(missed)
    today = date(2025, 3, 1) + timedelta(days=number)
    sent = [each for on, each in digests(found, [*[False] * number, True], None) if on == number]
    assert [each.stage for each in sent] == [stage for stage in [stage_of(found, today)] if stage is not None]
