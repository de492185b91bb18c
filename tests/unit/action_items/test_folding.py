"""What events come to: the latest of each field, when it was done, how often it was reopened, how far its date slipped."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.action_items.folding import applied, changes, created, folded, items_of, text_of
from dagster_project.domain.action_items.model import COMPLETED, ENDED, FIELDS, PERSON, POLICY, STATES, Event, Item
from tests.unit.action_items.builders import BEGAN, beginning, day, event, item_of, state, texts

DUE = "2025-03-20"


def due(value: str | None, number: float, source: str = PERSON, *, is_correction: bool = False) -> Event:
    return event("due_on", value, day(number), source, is_correction=is_correction)


def test_an_item_is_what_its_first_event_says() -> None:
    first = created(
        "AI-1",
        {
            "incident_id": "INC-1", "title": "Füge Alarm hinzu", "item_type": "detect", "priority": "P1", "owner": "alice",
            "team": "ops", "due_on": DUE, "due_source": "policy: Sev-1: 15 days", "state": "open", "tracker": "github",
            "tracker_key": "acme/ops#7", "verification": None,
        },
        BEGAN, "incident_action_items", "table", "line 4",
    )  # fmt: skip
    assert folded([first]) == Item(
        "AI-1", "INC-1", "Füge Alarm hinzu", "detect", "P1", "alice", "ops", date(2025, 3, 20), "policy: Sev-1: 15 days",
        date(2025, 3, 20), "open", "line 4", "github", "acme/ops#7", None, "incident_action_items", BEGAN, BEGAN, BEGAN,
        None, True, None, 0, 0, 0,
    )  # fmt: skip
    assert first.value is not None
    assert "Füge" in first.value  # as people read it


def test_what_it_does_not_say_is_unknown_and_it_is_open() -> None:
    found = folded([created("AI-1", {"title": "Add"}, BEGAN, "import", "import")])
    assert found is not None
    assert texts(found) == {**dict.fromkeys(FIELDS), "title": "Add", "state": "open"}
    assert (found.due_source, found.first_due_on) == (None, None)
    empty = folded([created("AI-1", {"title": "Add", "state": None}, BEGAN, "import", "import")])
    assert empty is not None
    assert empty.state == "open"


def test_a_date_is_its_source_s_where_nothing_else_is_said() -> None:
    assert item_of(due_on=DUE).due_source == "incident_action_items"
    assert item_of().due_source is None
    assert item_of(due_source="policy: x").due_source is None


def test_an_item_that_begins_as_done_is_done_since_then() -> None:
    done = item_of(state="done")
    assert (done.done_at, done.ended_at, done.is_done_at_known) == (BEGAN, BEGAN, True)
    declined = item_of(state="declined")
    assert (declined.done_at, declined.ended_at) == (None, BEGAN)


def test_what_nobody_created_is_no_item() -> None:
    assert folded([]) is None
    assert folded([state("done", 1)]) is None
    assert items_of([state("done", 1)]) == {}


def test_what_came_before_an_item_began_does_not_count() -> None:
    found = folded([event("owner", "bob", day(-1)), beginning(owner="alice"), event("team", "ops", day(1))])
    assert found is not None
    assert (found.owner, found.team, found.changed_at) == ("alice", "ops", day(1))


def test_an_item_begins_once() -> None:
    again = beginning(at=day(3), title="Other", state="done")
    assert item_of(again) == item_of()


def test_notes_change_nothing() -> None:
    assert item_of(event("note", "looked at it", day(2))) == item_of()


def test_the_latest_word_on_each_field_counts() -> None:
    owners = [event("owner", "alice", day(1)), event("owner", None, day(2)), event("owner", "bob", day(3))]
    found = item_of(*owners, event("priority", "P1", day(4)))
    assert (found.owner, found.priority, found.changed_at) == ("bob", "P1", day(4))


def test_a_field_that_nobody_knows_yet_stops_nothing() -> None:
    found = item_of(event("weather", "fine", day(1)))
    assert texts(found) == texts(item_of())


def test_events_are_in_the_order_of_their_moments_and_then_of_being_noted() -> None:
    late, early = event("owner", "late", day(5)), event("owner", "early", day(2))
    assert items_of([late, early, beginning()])["AI-1"].owner == "late"
    first, second = event("owner", "first", day(2)), event("owner", "second", day(2))
    assert items_of([beginning(), first, second])["AI-1"].owner == "second"
    assert items_of([beginning(), second, first])["AI-1"].owner == "first"


def test_items_are_told_apart_and_sorted() -> None:
    found = items_of([beginning("AI-2"), beginning("AI-1"), Event("AI-2", "owner", "bob", day(1), PERSON, "anna")])
    assert list(found) == ["AI-1", "AI-2"]
    assert [each.owner for each in found.values()] == [None, "bob"]


def test_as_of_a_moment_only_what_happened_before_it_is_known() -> None:
    events = [beginning(), state("done", 4)]
    assert items_of(events, BEGAN) == {}
    assert items_of(events, day(4))["AI-1"].state == "open"
    assert items_of(events, day(4) + timedelta(microseconds=1))["AI-1"].state == "done"


# When it was done, how often it was reopened.


def test_done_is_done_since_its_event() -> None:
    found = item_of(state("in_progress", 1), state("done", 4))
    assert (found.state, found.done_at, found.ended_at, found.state_at, found.reopened) == ("done", day(4), day(4), day(4), 0)
    assert found.is_done_at_known


def test_to_verify_what_is_done_does_not_move_when_it_was_done() -> None:
    found = item_of(state("done", 4), state("verified", 9), state("done", 11))
    assert (found.done_at, found.ended_at, found.state_at, found.reopened) == (day(4), day(4), day(11), 0)


def test_what_is_reopened_is_not_done_and_is_counted() -> None:
    found = item_of(state("done", 4), state("open", 6))
    assert (found.state, found.done_at, found.ended_at, found.reopened) == ("open", None, None, 1)
    again = item_of(state("done", 4), state("open", 6), state("verified", 8), state("in_progress", 9), state("done", 12))
    assert (again.done_at, again.reopened) == (day(12), 2)


def test_only_what_was_done_is_reopened() -> None:
    assert item_of(state("declined", 4), state("open", 6)).reopened == 0
    assert item_of(state("duplicate", 4), state("open", 6)).reopened == 0
    assert item_of(state("in_progress", 4), state("open", 6)).reopened == 0
    assert item_of(state("lost", 4), state("open", 6)).reopened == 0


def test_what_is_declined_after_it_was_done_is_not_done_and_not_reopened() -> None:
    found = item_of(state("done", 4), state("declined", 6))
    assert (found.done_at, found.ended_at, found.reopened) == (None, day(4), 0)


def test_what_is_done_after_it_was_declined_is_done_since_then() -> None:
    found = item_of(state("declined", 4), state("done", 6))
    assert (found.done_at, found.ended_at) == (day(6), day(4))


def test_a_correction_reopens_nothing() -> None:
    found = item_of(state("done", 4), state("open", 6, is_correction=True))
    assert (found.state, found.done_at, found.reopened) == ("open", None, 0)


def test_a_correction_that_it_was_done_does_not_say_when() -> None:
    found = item_of(state("done", 4, is_correction=True))
    assert (found.done_at, found.is_done_at_known) == (None, False)
    assert not item_of(state("done", 4, is_correction=True), state("verified", 5)).is_done_at_known
    reopened = item_of(state("done", 4, is_correction=True), state("open", 5))
    assert (reopened.is_done_at_known, reopened.reopened) == (True, 1)
    again = item_of(state("done", 4, is_correction=True), state("open", 5), state("done", 6))
    assert (again.done_at, again.is_done_at_known) == (day(6), True)


def test_why_it_has_its_state_is_the_last_reason() -> None:
    why = Event("AI-1", "state", "declined", day(2), PERSON, "anna", "too expensive")
    assert item_of(why).state_reason == "too expensive"
    assert item_of(why, state("open", 3)).state_reason is None
    assert item_of(why, event("owner", "bob", day(3))).state_reason == "too expensive"


def test_no_state_is_open() -> None:
    found = item_of(state("done", 4), event("state", None, day(6)))
    assert (found.state, found.done_at, found.reopened) == ("open", None, 1)


# Slips.


def test_a_date_that_people_move_later_slips() -> None:
    found = item_of(due("2025-03-25", 1), due("2025-04-01", 2), due_on=DUE)
    assert (found.due_on, found.first_due_on, found.slips, found.slipped_days) == (date(2025, 4, 1), date(2025, 3, 20), 2, 12)
    assert found.due_source == PERSON


def test_a_date_that_is_moved_nearer_or_stays_does_not_slip() -> None:
    found = item_of(due("2025-03-10", 1), due("2025-03-10", 2), due("2025-03-12", 3), due_on=DUE)
    assert (found.first_due_on, found.slips, found.slipped_days) == (date(2025, 3, 20), 1, 2)


def test_the_first_date_that_an_item_gets_is_no_slip() -> None:
    found = item_of(due(DUE, 1))
    assert (found.first_due_on, found.due_on, found.slips) == (date(2025, 3, 20), date(2025, 3, 20), 0)


def test_a_date_that_the_policy_moves_is_no_slip() -> None:
    found = item_of(due("2025-04-20", 1, POLICY), due_on=DUE)
    assert (found.slips, found.slipped_days, found.first_due_on) == (0, 0, date(2025, 3, 20))


def test_a_corrected_date_was_the_first_one_all_along() -> None:
    found = item_of(due("2025-04-20", 1, is_correction=True), due_on=DUE)
    assert (found.first_due_on, found.slips) == (date(2025, 4, 20), 0)


def test_a_date_that_is_taken_away_has_no_source_and_the_first_stays() -> None:
    found = item_of(due(None, 1), due_on=DUE)
    assert (found.due_on, found.due_source, found.first_due_on, found.slips) == (None, None, date(2025, 3, 20), 0)


def test_dates_far_away_are_dates() -> None:
    found = item_of(due("9999-12-31", 1), due_on="0001-01-01")
    assert (found.slips, found.slipped_days) == (1, (date.max - date.min).days)


# Further events.


def test_further_events_come_to_the_same_as_all_of_them_at_once() -> None:
    events = [state("in_progress", 1), due("2025-04-01", 2), state("done", 3), state("open", 4)]
    for cut in range(len(events) + 1):
        assert applied(item_of(*events[:cut], due_on=DUE), events[cut:]) == item_of(*events, due_on=DUE)


def test_an_item_is_not_changed_before_it_was_changed() -> None:
    late = item_of(event("owner", "bob", day(9)))
    assert applied(late, [state("done", 2)]).changed_at == day(9)
    assert applied(late, []) == late


def test_an_item_s_own_values_are_no_change() -> None:
    found = item_of(due(DUE, 1), owner="bob", team="ops")
    assert list(changes(found, texts(found))) == []
    wanted = {"due_on": "2025-03-21", "owner": None, "team": "ops"}
    assert list(changes(found, wanted)) == [("owner", None), ("due_on", "2025-03-21")]
    assert list(changes(found, {})) == []
    assert text_of(found, "due_on") == DUE


# Any series of events.

MOMENTS = st.integers(0, 40).map(lambda number: BEGAN + timedelta(hours=12 * number))
VALUES = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(list(STATES))),
    st.tuples(st.just("due_on"), st.none() | st.dates(date(2025, 1, 1), date(2026, 1, 1)).map(date.isoformat)),
    st.tuples(st.sampled_from(["owner", "team", "priority", "verification", "note"]), st.none() | st.text(max_size=5)),
)
EVENTS = st.lists(
    st.builds(
        lambda told, at, source, is_correction: Event("AI-1", *told, at, source, "anna", None, is_correction),
        VALUES,
        MOMENTS,
        st.sampled_from([PERSON, POLICY, "github"]),
        st.booleans(),
    ),
    max_size=15,
)


@given(EVENTS, MOMENTS)
def test_as_of_a_moment_later_events_are_as_if_they_were_not(events: list[Event], at: datetime) -> None:
    known = [beginning(), *events]
    assert items_of(known, at) == items_of([each for each in known if each.happened_at < at])


@given(EVENTS)
def test_while_it_is_done_nothing_moves_when_it_was_done(events: list[Event]) -> None:
    before = item_of()
    for each in sorted(events, key=lambda each: each.happened_at):
        after = applied(before, [each])
        if before.is_completed and after.is_completed:
            assert (after.done_at, after.is_done_at_known) == (before.done_at, before.is_done_at_known)
        before = after


@given(EVENTS)
def test_what_is_told_of_an_item_agrees_with_itself(events: list[Event]) -> None:
    found = items_of([beginning(due_on=DUE), *events])["AI-1"]
    assert (found.done_at is not None) == (found.state in COMPLETED and found.is_done_at_known)
    assert (found.ended_at is not None) == (found.state in ENDED)
    assert found.created_at <= found.state_at <= found.changed_at
    assert (found.due_source is None) == (found.due_on is None)
    assert found.slips <= found.slipped_days
    assert found.due_on is None or found.first_due_on is not None or any(each.is_correction for each in events)


@given(EVENTS)
def test_reopenings_are_ends_of_being_done_that_are_no_corrections(events: list[Event]) -> None:
    expected, is_done = 0, False
    for each in sorted(events, key=lambda each: each.happened_at):
        if each.field == "state":
            expected += is_done and each.value not in ENDED and not each.is_correction
            is_done = each.value in COMPLETED
    assert items_of([beginning(), *events])["AI-1"].reopened == expected


@given(EVENTS, st.data())
def test_events_may_be_folded_in_any_two_parts(events: list[Event], data: st.DataObject) -> None:
    ordered = sorted(events, key=lambda each: each.happened_at)
    cut = data.draw(st.integers(0, len(ordered)))
    assert applied(item_of(*ordered[:cut]), ordered[cut:]) == item_of(*ordered)


@pytest.mark.parametrize("title", ["", "🔥", "\u202e right to left", "a\nb\t" * 3, "ż" * 200_000, '"}{\\'])
def test_any_title_comes_back_as_it_was(title: str) -> None:
    first = beginning(title=title)
    assert json.loads(first.value or "")["title"] == title
    assert item_of(title=title).title == title


def test_the_first_date_that_anybody_names_takes_the_place_of_the_policys_while_that_has_not_passed() -> None:
    begins = {"due_on": "2025-03-18", "due_source": "policy: Sev-1: 15 days"}
    in_time = item_of(event("due_on", "2025-04-30", day(10)), **begins)
    assert (str(in_time.first_due_on), in_time.slips) == ("2025-04-30", 0)
    too_late = item_of(event("due_on", "2025-04-30", day(20)), **begins)
    assert (str(too_late.first_due_on), too_late.slips, too_late.slipped_days) == ("2025-03-18", 1, 43)
    later = item_of(event("due_on", "2025-04-30", day(10)), event("due_on", "2025-05-07", day(11)), **begins)
    assert (str(later.first_due_on), later.slips, later.slipped_days) == ("2025-04-30", 1, 7)
