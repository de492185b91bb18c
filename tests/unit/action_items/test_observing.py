"""What sources say: heard when it is new, matched to what is known, and never taken for more than was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.action_items.due_dates import DuePolicy
from dagster_project.domain.action_items.folding import created
from dagster_project.domain.action_items.model import (
    COMPLETED,
    CONTRACT,
    DOCUMENT,
    ENDED,
    IMPORT,
    PERSON,
    STATES,
    Event,
)
from dagster_project.domain.action_items.observing import Told, heard_in, undated
from tests.unit.action_items.builders import Nights, item_of, said, state, told

IMPORTED = heard_in(IMPORT, "INC-1")
OURS = heard_in(DOCUMENT, "INC-1")


def imported(title: str, **values: object) -> Told:
    """A line of an imported postmortem, whose name follows from its words."""
    return told(f"INC-1:{title}", title, **{"source": IMPORTED, "is_rewritable": True, **values})


def edited(title: str, **values: object) -> Told:
    """A line of a postmortem of ours that somebody edited."""
    return told(f"{OURS}:{title}", title, **{"source": OURS, "is_rewritable": True, "is_rendered": True, **values})


# What is new.


def test_a_new_row_is_an_item_with_all_that_is_said() -> None:
    nights = Nights()
    observed = nights.hear(
        told(
            item_type="Prevention", priority="P1", owner=" alice ", due_on=date(2025, 4, 1), state="In progress",
            tracker="github", tracker_key="acme/ops#7", created_at=datetime.fromisoformat("2025-03-01T10:00"), place="line 4",
        )
    )  # fmt: skip
    assert [each.field for each in observed.events] == ["created"]
    item = nights.items["AI-1"]
    assert (item.title, item.incident_id, item.item_type, item.priority, item.owner) == (
        "Add an alert", "INC-1", "prevent", "P1", "alice",
    )  # fmt: skip
    assert (item.state, item.tracker, item.tracker_key, item.due_on) == ("in_progress", "github", "acme/ops#7", date(2025, 4, 1))
    assert (item.due_source, item.origin, item.state_reason) == (CONTRACT, CONTRACT, "line 4")
    assert (item.created_at, item.reopened) == (datetime.fromisoformat("2025-03-01T10:00"), 0)
    assert observed.events[0].actor == CONTRACT


def test_empty_texts_say_nothing() -> None:
    nights = Nights()
    nights.hear(told(incident_id="", item_type=" ", priority="", owner="  ", tracker="", tracker_key=""))
    item = nights.items["AI-1"]
    assert [item.incident_id, item.item_type, item.priority, item.owner, item.tracker, item.tracker_key] == [None] * 6


def test_a_row_without_a_moment_began_when_it_was_read_and_one_of_the_future_too() -> None:
    nights = Nights()
    nights.hear(told("AI-1"), told("AI-2", "Other", created_at=datetime.fromisoformat("2031-01-01T00:00")))
    assert [each.created_at for each in nights.items.values()] == [nights.at(), nights.at()]
    assert nights.at() == datetime.fromisoformat("2025-03-03T23:59:59.999999")


def test_without_a_date_the_policy_gives_one_from_the_day_on_which_it_was_read() -> None:
    nights = Nights(policy=DuePolicy(sev1_days=10))
    nights.hear(told(severity="SEV1", created_at=datetime.fromisoformat("2019-01-01T00:00")))
    item = nights.items["AI-1"]
    assert (item.due_on, item.due_source) == (date(2025, 3, 13), "policy: Sev-1: 10 days")


def test_a_date_that_is_given_counts_before_the_policy() -> None:
    nights = Nights()
    nights.hear(told(severity="SEV1", due_on=date(2019, 1, 1)))
    assert (nights.items["AI-1"].due_on, nights.items["AI-1"].due_source) == (date(2019, 1, 1), CONTRACT)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_when_it_is_first_read_ended_at_an_unknown_moment(state: str) -> None:
    nights = Nights()
    observed = nights.hear(told(state=state, created_at=datetime.fromisoformat("2025-03-01T10:00")))
    assert said(observed.events)[1:] == [("state", state)]
    item = nights.items["AI-1"]
    assert (item.state, item.due_on, item.reopened) == (state, None, 0)
    # Since nobody knows when: an earlier day shows it as it was found.
    assert (item.done_at, item.ended_at) == (None, datetime.fromisoformat("2025-03-01T10:00"))
    assert item.is_done_at_known == (state not in COMPLETED)
    assert item.state_reason == f"It was so when it was first read, on {nights.at():%Y-%m-%d}."


def test_what_is_done_keeps_the_date_that_it_had() -> None:
    nights = Nights()
    nights.hear(told(state="done", due_on=date(2025, 3, 1)))
    assert nights.items["AI-1"].first_due_on == date(2025, 3, 1)


def test_the_same_said_again_is_not_heard() -> None:
    nights = Nights()
    nights.hear(told(owner="alice"))
    again = nights.hear(told(owner="alice"))
    assert (again.events, again.heard) == ((), ())


def test_only_what_is_said_otherwise_is_an_event() -> None:
    nights = Nights()
    nights.hear(told(owner="alice", priority="P2"))
    observed = nights.hear(told(owner="bob", priority="P2", state="wip", place="line 9"))
    assert said(observed.events) == [("owner", "bob"), ("state", "in_progress")]
    assert {each.happened_at for each in observed.events} == {nights.at()}
    assert {(each.source, each.actor, each.reason) for each in observed.events} == {(CONTRACT, CONTRACT, "line 9")}
    assert nights.hear(told(owner="bob", priority="P2", state="wip", place="line 10")).events == ()


def test_other_words_for_the_same_state_are_no_news() -> None:
    nights = Nights()
    nights.hear(told(state="closed"))
    assert nights.hear(told(state="Resolved")).events == ()


def test_what_people_said_is_not_taken_back_by_a_table_that_nobody_keeps() -> None:
    nights = Nights()
    nights.hear(told(owner="alice"))
    nights.say("AI-1", "state", "done")
    nights.say("AI-1", "owner", "bob")
    for priority in ("P1", "P2"):
        observed = nights.hear(told(owner="alice", priority=priority))
        assert said(observed.events) == [("priority", priority)]
    assert (nights.items["AI-1"].state, nights.items["AI-1"].owner) == ("done", "bob")


def test_a_table_that_changes_its_mind_counts() -> None:
    nights = Nights()
    nights.hear(told(state="open"))
    nights.hear(told(state="done"))
    assert nights.items["AI-1"].done_at == nights.at()
    assert nights.items["AI-1"].is_done_at_known
    nights.hear(told(state="open"))
    assert (nights.items["AI-1"].state, nights.items["AI-1"].reopened) == ("open", 1)


def test_a_table_that_takes_back_its_word_takes_back_only_that() -> None:
    nights = Nights()
    nights.hear(told(owner="alice", due_on=date(2025, 4, 1), priority="P1"))
    nights.say("AI-1", "owner", "bob")
    nights.say("AI-1", "due_on", "2025-05-01")
    observed = nights.hear(told())
    assert said(observed.events) == [("priority", None)]
    assert (nights.items["AI-1"].owner, nights.items["AI-1"].due_on) == ("bob", date(2025, 5, 1))


def test_a_link_title_and_incident_that_are_left_empty_stay() -> None:
    nights = Nights()
    nights.hear(told(tracker="jira", tracker_key="OPS-1"))
    assert nights.hear(told(incident_id=None)).events == ()
    item = nights.items["AI-1"]
    assert (item.tracker, item.tracker_key, item.incident_id) == ("jira", "OPS-1", "INC-1")


def test_an_incident_that_the_table_names_later_is_known() -> None:
    nights = Nights()
    nights.hear(told(incident_id=None))
    observed = nights.hear(told(incident_id="INC-7"))
    assert said(observed.events) == [("incident_id", "INC-7")]
    assert nights.items["AI-1"].incident_id == "INC-7"


def test_a_link_is_taken_where_there_is_none_and_then_changed_by_people_only() -> None:
    nights = Nights()
    nights.hear(told())
    observed = nights.hear(told(tracker="github", tracker_key="acme/ops#7"))
    assert said(observed.events) == [("tracker", "github"), ("tracker_key", "acme/ops#7")]
    assert nights.hear(told(tracker="jira", tracker_key="OPS-1")).events == ()
    assert nights.items["AI-1"].tracker_key == "acme/ops#7"


def test_state_and_owner_of_a_tracked_item_are_its_tracker_s() -> None:
    nights = Nights()
    nights.hear(told(owner="alice"))
    observed = nights.hear(told(owner="bob", state="done", priority="P1", title="Add alerts"), tracked=["AI-1"])
    assert said(observed.events) == [("title", "Add alerts"), ("priority", "P1")]


def test_a_table_that_only_now_hears_that_it_was_done_takes_no_verification_away() -> None:
    nights = Nights()
    nights.hear(told())
    nights.say("AI-1", "state", "done")
    nights.say("AI-1", "state", "verified")
    assert nights.hear(told(state="done")).events == ()
    assert nights.items["AI-1"].state == "verified"


def test_an_event_never_comes_before_the_item_began() -> None:
    nights = Nights(number=1)
    this_morning = nights.at() + timedelta(days=1, hours=8)
    nights.events.append(created("ACTION:1", {"title": "Add an alert", "incident_id": "INC-1"}, this_morning, PERSON, "anna"))
    # The night of yesterday runs afterwards, and the table has the same item.
    nights.hear(told(owner="alice", state="done"))
    assert list(nights.items) == ["ACTION:1"]
    item = nights.items["ACTION:1"]
    assert (item.owner, item.state, item.done_at) == ("alice", "done", this_morning)


def test_sources_that_disagree_do_not_overrule_each_other_night_after_night() -> None:
    nights = Nights()
    rows = [
        told(owner="alice", priority="P1", due_on=date(2025, 4, 1), state="open"),
        imported("Add an alert", owner="bob", priority="P2", due_on=date(2025, 5, 1), state="wip"),
        edited("add an alert", owner="carol", priority="P3", due_on=date(2025, 6, 1), state="open"),
    ]
    nights.hear(*rows[:1])
    nights.hear(*rows[:2])
    assert len(nights.events) == 1  # what the table said stands
    nights.hear(*rows)
    seen = nights.items
    assert seen["AI-1"].owner == "carol"  # somebody wrote it into our document after that
    for _ in range(5):
        assert nights.hear(*rows).events == ()
    # Only who says something else is heard.
    assert said(nights.hear(replace(rows[0], owner="dora"), *rows[1:]).events) == [("owner", "dora")]
    assert nights.hear(replace(rows[0], owner="dora"), *rows[1:]).events == ()


# Which item is meant.


def test_one_item_of_two_sources_is_known_by_its_words() -> None:
    nights = Nights()
    nights.hear(told(owner="alice"))
    observed = nights.hear(told(owner="alice"), imported("Add an ALERT!", owner="bob", priority="P1"))
    assert said(observed.events) == [("priority", "P1")]  # what was not known yet
    assert [each.item_id for each in observed.heard] == ["AI-1"]
    assert list(nights.items) == ["AI-1"]


def test_two_sources_of_one_night_are_brought_together_too() -> None:
    nights = Nights()
    nights.hear(told(state="done"), imported("Add an alert", state="declined"))
    assert list(nights.items) == ["AI-1"]
    assert nights.items["AI-1"].state == "done"


def test_the_same_words_of_another_incident_are_another_item() -> None:
    nights = Nights()
    nights.hear(told("AI-1"), told("AI-2", incident_id="INC-2"), told("AI-3", incident_id=None))
    assert list(nights.items) == ["AI-1", "AI-2", "AI-3"]


def test_one_issue_is_one_item_whatever_its_words() -> None:
    nights = Nights()
    nights.hear(told(tracker="github", tracker_key="Acme/Ops#7"))
    nights.hear(imported("Alarm on the pool", tracker="github", tracker_key="acme/ops#7", incident_id="INC-2"), read=())
    assert list(nights.items) == ["AI-1"]
    assert nights.items["AI-1"].incident_id == "INC-1"


def test_an_item_is_not_moved_to_another_incident_whose_postmortem_names_its_issue() -> None:
    nights = Nights()
    nights.hear(told(tracker="github", tracker_key="acme/ops#7"))
    other = edited("Add an alert", incident_id="INC-2", tracker="github", tracker_key="acme/ops#7", priority="P1")
    assert said(nights.hear(other, read=()).events) == [("priority", "P1")]


def test_an_item_of_no_incident_gets_that_of_a_postmortem_that_names_its_issue() -> None:
    nights = Nights()
    nights.hear(told(incident_id=None, tracker="github", tracker_key="acme/ops#7"))
    nights.hear(imported("Alarm", tracker="github", tracker_key="acme/ops#7"), read=())
    assert nights.items["AI-1"].incident_id == "INC-1"


def test_what_two_sources_say_in_one_night_is_one_event() -> None:
    nights = Nights()
    rows = told(owner="alice"), imported("Add an alert", owner="alice")
    nights.hear(*rows)
    observed = nights.hear(*(replace(each, owner="bob") for each in rows))
    assert said(observed.events) == [("owner", "bob")]


def test_an_issue_of_another_tracker_is_another_one() -> None:
    nights = Nights()
    nights.hear(told(tracker="github", tracker_key="OPS-7"))
    nights.hear(told("AI-2", "Other", tracker="jira", tracker_key="OPS-7"), read=())
    nights.hear(told("AI-3", "Third", tracker_key="OPS-7"), read=())
    assert list(nights.items) == ["AI-1", "AI-2", "AI-3"]


def test_an_issue_of_several_items_is_the_first_one_s() -> None:
    nights = Nights()
    key = {"tracker": "github", "tracker_key": "acme/ops#7"}
    nights.hear(told("AI-1", "One", **key), told("AI-2", "Two", **key))
    assert nights.hear(imported("Three", **key), read=()).heard[0].item_id == "AI-1"


def test_rows_of_one_reading_with_the_same_words_or_issue_are_two_items() -> None:
    nights = Nights()
    key = {"tracker": "github", "tracker_key": "acme/ops#7"}
    nights.hear(told("AI-1", **key), told("AI-2", **key), told("AI-3"))
    assert list(nights.items) == ["AI-1", "AI-2", "AI-3"]
    # And another source's three are the same three.
    observed = nights.hear(*(told(f"x{number}", source=IMPORTED) for number in range(3)), read=())
    assert sorted(each.item_id for each in observed.heard) == ["AI-1", "AI-2", "AI-3"]
    assert len(nights.items) == 3


@pytest.mark.parametrize(("one", "other"), [("🔥", "🚀"), ("-->", "<--"), ("कि", "का")])
def test_signs_that_are_no_letters_tell_items_apart(one: str, other: str) -> None:
    nights = Nights()
    nights.hear(told("AI-1", one))
    nights.hear(imported(other), read=())
    assert len(nights.items) == 2


def test_two_empty_titles_are_the_same_and_stop_nothing() -> None:
    nights = Nights()
    nights.hear(told("AI-1", ""), imported(""), edited(" "))
    assert list(nights.items) == ["AI-1"]


def test_items_that_two_documents_number_alike_are_two() -> None:
    nights = Nights()
    first = told("1", "Add an alert", source=IMPORTED)
    second = told("1", "Rotate the keys", source=heard_in(IMPORT, "INC-2"), incident_id="INC-2")
    nights.hear(first, second)
    assert {name: each.title for name, each in nights.items.items()} == {
        "1": "Add an alert",
        "import:INC-2:1": "Rotate the keys",
    }
    assert nights.hear(first, second).events == ()
    assert said(nights.hear(first, replace(second, owner="bob")).events) == [("owner", "bob")]
    assert nights.items["import:INC-2:1"].owner == "bob"


def test_an_item_is_found_by_its_name_where_nobody_remembers_what_was_said() -> None:
    nights = Nights()
    nights.hear(told("1", "One", source=IMPORTED), told("1", "Two", source=heard_in(IMPORT, "INC-2"), incident_id="INC-2"))
    nights.heard.clear()
    nights.hear(told("1", "Uno", source=IMPORTED), told("1", "Dos", source=heard_in(IMPORT, "INC-2"), incident_id="INC-2"))
    assert list(nights.items) == ["1", "import:INC-2:1"]


def test_one_item_is_not_taken_by_two_rows_of_which_one_has_its_words_and_one_its_name() -> None:
    nights = Nights()
    nights.hear(told("AI-1"))
    nights.heard.clear()
    nights.hear(told("AI-9"), told("AI-1", "Rotate the keys"))
    assert {name: each.title for name, each in nights.items.items()} == {
        "AI-1": "Add an alert",
        "incident_action_items:AI-1": "Rotate the keys",
    }


def test_two_rows_with_one_name_are_two_items_and_do_not_flip() -> None:
    nights = Nights()
    rows = told("AI-1", "Add an alert", owner="alice"), told("AI-1", "Rotate the keys", owner="bob")
    nights.hear(*rows)
    assert {name: (each.title, each.owner) for name, each in nights.items.items()} == {
        "AI-1": ("Add an alert", "alice"),
        "AI-1#2": ("Rotate the keys", "bob"),
    }
    assert nights.hear(*rows).events == nights.hear(*rows).events == ()


def test_a_row_that_is_listed_twice_is_one_item() -> None:
    nights = Nights()
    nights.hear(told(), told())
    assert list(nights.items) == ["AI-1"]


def test_work_of_no_incident_that_comes_again_after_it_was_done_is_new() -> None:
    nights = Nights()
    nights.hear(told("Q1", "Rotate the keys", incident_id=None))
    nights.hear(told("Q1", "Rotate the keys", incident_id=None, state="done"))
    nights.hear(told("Q2", "Rotate the keys", incident_id=None))
    assert {name: each.state for name, each in nights.items.items()} == {"Q1": "done", "Q2": "open"}
    # One that says that it was done may be the one that was done.
    again = told("Q1-again", "Rotate the keys", incident_id=None, state="done", source="import")
    assert [each.item_id for each in nights.hear(again, read=()).heard] == ["Q1"]


# Documents.


def test_what_a_document_shows_as_open_reopens_nothing() -> None:
    nights = Nights()
    nights.hear(told())
    nights.say("AI-1", "state", "done")
    assert nights.hear(imported("Add an alert", state="open"), read=()).events == ()
    assert nights.hear(imported("Add an alert", state="in progress"), read=()).events == ()
    assert nights.items["AI-1"].state == "done"


@pytest.mark.parametrize(
    ("known", "counts"),
    [
        ("open", True), ("proposed", True), ("in_progress", True), ("declined", True),
        ("done", False), ("verified", False), ("duplicate", False), ("lost", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", [imported, edited])
def test_a_document_that_says_done_counts_where_nobody_decided_otherwise(row: type, known: str, counts: bool) -> None:
    nights = Nights()
    nights.hear(told())
    if known != "open":
        nights.say("AI-1", "state", known)
    assert said(nights.hear(row("Add an alert", state="done"), read=()).events) == ([("state", "done")] if counts else [])


def test_a_table_that_is_heard_for_the_first_time_shows_what_is_done_and_no_more() -> None:
    for word, expected in (("done", [("state", "done")]), ("in progress", []), ("open", [])):
        nights = Nights()
        nights.hear(imported("Add an alert", state="wip" if word == "open" else "open"))
        assert said(nights.hear(told(state=word), read=()).events) == expected


def test_a_document_that_changes_its_mind_finishes_items_and_begins_none() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert"))
    assert nights.hear(imported("Add an alert", state="wip")).events == ()
    assert said(nights.hear(imported("Add an alert", state="done")).events) == [("state", "done")]
    assert nights.hear(imported("Add an alert")).events == ()


def test_dates_of_documents_count_before_those_of_the_policy_and_after_those_of_people() -> None:
    nights = Nights()
    nights.hear(told("AI-1", "One"), told("AI-2", "Two", due_on=date(2025, 4, 1)))
    dated = {"due_on": date(2025, 3, 15)}
    observed = nights.hear(imported("One", **dated), imported("Two", **dated), read=())
    assert [(each.item_id, each.field, each.value) for each in observed.events] == [("AI-1", "due_on", "2025-03-15")]
    nights.say("AI-2", "due_on", None)
    observed = nights.hear(told("x", "Two", source="other", due_on=date(2025, 5, 1)), read=())
    assert said(observed.events) == [("due_on", "2025-05-01")]


def test_a_document_of_ours_that_people_edited_is_heard_in_what_they_changed() -> None:
    nights = Nights()
    nights.hear(told(owner="alice", due_on=date(2025, 4, 1), priority="P1"))
    observed = nights.hear(edited("Add an alert", owner="bob", due_on=date(2025, 4, 1)), read=())
    assert said(observed.events) == [("owner", "bob")]  # an empty cell takes nothing away
    assert (observed.events[0].source, observed.events[0].actor) == (DOCUMENT, DOCUMENT)


def test_a_title_is_not_changed_into_what_documents_show_of_it() -> None:
    nights = Nights()
    nights.hear(told(title="Call +49 30 123 about the pool"))
    shown = {"AI-1": "Call [phone] about the pool"}
    observed = nights.hear(edited("Call [phone] about the pool", owner="bob"), read=(), shown=shown)
    assert said(observed.events) == [("owner", "bob")]
    assert nights.items["AI-1"].title == "Call +49 30 123 about the pool"


@pytest.mark.parametrize("row", [imported, edited])
def test_a_line_that_is_rewritten_is_the_same_item(row: type) -> None:
    nights = Nights()
    nights.hear(row("Add an alert on the pool", owner="alice"))
    name = next(iter(nights.items))
    observed = nights.hear(row("Add an alert on the connection pool", owner="bob", state="done"))
    assert said(observed.events) == [
        ("title", "Add an alert on the connection pool"), ("owner", "bob"), ("state", "done"),
    ]  # fmt: skip
    assert list(nights.items) == [name]
    assert nights.hear(row("Add an alert on the connection pool", owner="bob", state="done")).events == ()


@pytest.mark.parametrize("row", [imported, edited])
def test_a_line_that_is_written_as_it_was_before_is_heard(row: type) -> None:
    nights = Nights()
    for title in ("Add an alert on the pool", "Add an alarm on the pool", "Add an alert on the pool"):
        nights.hear(row(title))
    assert [each.title for each in nights.items.values()] == ["Add an alert on the pool"]
    assert not [each for each in nights.events if each.field == "note"]


def test_what_somebody_else_said_meanwhile_is_not_undone_by_rewriting_a_line() -> None:
    nights = Nights()
    nights.hear(edited("Add an alert on the pool", owner="alice"))
    name = next(iter(nights.items))
    nights.say(name, "owner", "bob")
    assert said(nights.hear(edited("Add an alarm on the pool", owner="alice")).events) == [("title", "Add an alarm on the pool")]


def test_the_line_that_is_most_alike_was_rewritten() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool of payments"), imported("Add an alert on the pool of orders"))
    nights.hear(imported("Add an alert on the pools of orders"), imported("Add an alert on the pools of payments"))
    assert {name.removeprefix("INC-1:"): each.title for name, each in nights.items.items()} == {
        "Add an alert on the pool of orders": "Add an alert on the pools of orders",
        "Add an alert on the pool of payments": "Add an alert on the pools of payments",
    }


def test_a_line_that_is_still_there_was_not_rewritten() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool of payments"))
    nights.hear(imported("Add an alert on the pool of payments"), imported("Add an alert on the pool of payment"))
    assert len(nights.items) == 2


def test_two_new_lines_are_not_both_one_that_is_gone() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool"))
    nights.hear(imported("Add an alert on the pool A"), imported("Add an alert on the pool B"))
    assert sorted(each.title for each in nights.items.values()) == ["Add an alert on the pool A", "Add an alert on the pool B"]


def test_other_words_are_another_item_and_the_old_one_is_not_done() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool"))
    observed = nights.hear(imported("Rotate the keys of the registry"))
    assert said(observed.events)[1:] == [("note", None)]
    assert [each.state for each in nights.items.values()] == ["open", "open"]


def test_three_letters_of_four_are_alike_and_fewer_are_not() -> None:
    for title, other, count in (("abcdefgh", "abcdefXY", 1), ("abcdefghijk", "abcdefghXYZ", 2), ("abcdefgh", "abcdeXYZ", 2)):
        nights = Nights()
        nights.hear(imported(title))
        nights.hear(imported(other))
        assert len(nights.items) == count


def test_rows_of_a_table_are_known_by_their_names_and_never_taken_for_rewritten() -> None:
    nights = Nights()
    nights.hear(told("AI-1", "Add an alert on the pool"))
    nights.hear(told("AI-2", "Add an alert on the pools"))
    assert len(nights.items) == 2


def test_new_work_is_not_taken_for_done_work_in_other_words() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool of payments", state="done"))
    nights.hear(imported("Add an alert on the pool of orders"))
    assert sorted(each.state for each in nights.items.values()) == ["done", "open"]
    # But done work that is reworded is the same.
    nights = Nights()
    nights.hear(imported("Add an alert on the pool of payments", state="done"))
    nights.hear(imported("Add an alert on the pools of payments", state="done"))
    assert len(nights.items) == 1


def test_new_work_is_not_taken_for_a_line_that_was_removed_long_ago() -> None:
    nights = Nights()
    nights.hear(imported("Add an alert on the pool of payments"))
    nights.hear(read=[IMPORTED])
    nights.say("INC-1:Add an alert on the pool of payments", "state", "done")
    nights.hear(imported("Add an alert on the pool of orders"))
    assert sorted(each.state for each in nights.items.values()) == ["done", "open"]


def test_titles_as_long_as_books_are_compared() -> None:
    nights = Nights()
    book = "the pool is full and so is the disk of the node " * 4_000
    nights.hear(imported(book))
    nights.hear(imported(f"{book} again"))
    assert len(nights.items) == 1


# What is not listed any more.


def test_a_row_that_is_gone_is_noted_once_and_not_done() -> None:
    nights = Nights()
    nights.hear(told("AI-1"), told("AI-2", "Other"))
    observed = nights.hear(told("AI-2", "Other"))
    assert observed.events == (
        Event(
            "AI-1", "note", None, nights.at(), CONTRACT, CONTRACT,
            "The table incident_action_items does not list it any more; that does not make it done.",
        ),
    )  # fmt: skip
    assert [(each.source_id, each.is_gone) for each in observed.heard] == [("AI-1", True)]
    assert nights.hear(told("AI-2", "Other")).heard == ()
    assert nights.items["AI-1"].state == "open"


@pytest.mark.parametrize(
    ("source", "name"),
    [(OURS, "The postmortem of INC-1"), (IMPORTED, "The imported postmortem of INC-1"), ("wiki", "The table wiki")],
)
def test_who_does_not_list_it_any_more_is_said(source: str, name: str) -> None:
    nights = Nights()
    nights.hear(told(source=source))
    (note,) = nights.hear(read=[source]).events
    assert note.reason == f"{name} does not list it any more; that does not make it done."
    assert note.source == source.partition(":")[0]


def test_a_source_that_was_not_read_lacks_nothing() -> None:
    nights = Nights()
    nights.hear(told(), imported("Other"))
    assert nights.hear(read=[CONTRACT]).heard[0].source == CONTRACT
    assert nights.hear(read=[]).heard == ()


def test_a_row_that_comes_back_is_heard_in_what_is_new() -> None:
    nights = Nights()
    nights.hear(told(owner="alice"))
    nights.hear(read=[CONTRACT])
    observed = nights.hear(told(owner="alice"))
    assert observed.events == ()
    assert [each.is_gone for each in observed.heard] == [False]
    nights.hear(read=[CONTRACT])
    assert said(nights.hear(told(owner="bob")).events) == [("owner", "bob")]


def test_a_row_that_another_one_stands_for_is_not_noted_as_gone() -> None:
    nights = Nights()
    nights.hear(told("AI-1"))
    observed = nights.hear(told("AI-9"))  # another name for the same words
    assert observed.events == ()
    assert {(each.source_id, each.item_id, each.is_gone) for each in observed.heard} == {
        ("AI-9", "AI-1", False), ("AI-1", "AI-1", True),
    }  # fmt: skip


# Any series of nights.

TITLES = ["Add an alert on the pool", "Add an alarm on the pool", "Rotate keys", "", "🔥", "ADD AN ALERT ON THE POOL"]


@st.composite
def rows(draw: st.DrawFn) -> Told:
    source, incident = draw(
        st.sampled_from([(CONTRACT, "INC-1"), (CONTRACT, None), (IMPORTED, "INC-1"), (OURS, "INC-1"), ("import:INC-2", "INC-2")])
    )
    title = draw(st.sampled_from(TITLES))
    is_document = source != CONTRACT
    name = f"{source}:{title}" if is_document else draw(st.sampled_from(["AI-1", "AI-2", "AI-3"]))
    key = draw(st.sampled_from([None, None, "acme/ops#1"]))
    return Told(
        source,
        name,
        title,
        incident,
        owner=draw(st.sampled_from([None, "alice", "bob"])),
        due_on=draw(st.sampled_from([None, date(2025, 4, 1), date(2025, 5, 1)])),
        state=draw(st.sampled_from([None, "open", "wip", "done", "declined"])),
        tracker="github" if key else None,
        tracker_key=key,
        is_rewritable=is_document,
        is_rendered=source == OURS,
    )


SOURCES = [CONTRACT, IMPORTED, OURS, "import:INC-2"]
NIGHTS = st.lists(st.tuples(st.lists(rows(), max_size=5), st.sets(st.sampled_from(SOURCES))), min_size=1, max_size=5)


@settings(max_examples=150)
@given(NIGHTS, st.sets(st.sampled_from(SOURCES)))
def test_the_same_sources_say_nothing_the_second_time(past: list[tuple[list[Told], set[str]]], further: set[str]) -> None:
    nights = Nights()
    for told_then, read in past:
        nights.hear(*told_then, read=read)
    last, read = past[-1][0], past[-1][1] | further
    nights.hear(*last, read=read)
    for _ in range(2):
        again = nights.hear(*last, read=read)
        assert again.events == ()
        assert again.heard == ()


@settings(max_examples=150)
@given(NIGHTS)
def test_nothing_is_done_that_no_source_said_is_done(past: list[tuple[list[Told], set[str]]]) -> None:
    nights = Nights()
    for told_then, read in past:
        nights.hear(*(replace(each, state="open" if each.state == "done" else each.state) for each in told_then), read=read)
    assert not [each for each in nights.items.values() if each.is_completed]


@settings(max_examples=150)
@given(NIGHTS, st.sets(st.sampled_from(SOURCES)))
def test_what_vanishes_changes_nothing_of_any_item(past: list[tuple[list[Told], set[str]]], gone: set[str]) -> None:
    nights = Nights()
    for told_then, read in past:
        nights.hear(*told_then, read=read)
    before = nights.items
    observed = nights.hear(read=gone)
    assert {each.field for each in observed.events} <= {"note"}
    assert nights.items == before


@settings(max_examples=150)
@given(NIGHTS)
def test_every_event_counts_and_every_item_begins_once(past: list[tuple[list[Told], set[str]]]) -> None:
    nights = Nights()
    for told_then, read in past:
        nights.hear(*told_then, read=read)
    begun = Counter(each.item_id for each in nights.events if each.field == "created")
    assert set(begun.values()) <= {1}
    assert set(begun) == {each.item_id for each in nights.events} == set(nights.items)
    assert {each.item_id for each in nights.heard.values()} <= set(nights.items)
    assert all(each.happened_at >= nights.items[each.item_id].created_at for each in nights.events)


@settings(max_examples=150)
@given(st.lists(rows(), min_size=1, max_size=5), st.sampled_from(list(STATES)), st.sampled_from([None, "carol"]))
def test_sources_that_say_the_same_never_overrule_people(told_then: list[Told], state: str, owner: str | None) -> None:
    nights = Nights()
    nights.hear(*told_then, read=())
    for name in list(nights.items):
        nights.say(name, "state", state)
        nights.say(name, "owner", owner)
    before = nights.items
    for _ in range(3):
        nights.hear(*told_then, read=())
    assert nights.items == before


def test_a_state_that_a_source_leaves_empty_says_nothing() -> None:
    nights = Nights()
    nights.hear(told(state="done"))
    nights.hear(told(state=None))
    nights.hear(told(state=" "))
    assert (nights.items["AI-1"].state, nights.items["AI-1"].reopened) == ("done", 0)


def test_a_row_of_our_list_that_is_reworded_at_the_first_edit_is_the_item_that_it_was() -> None:
    nights = Nights()
    table = (told(title="Limit retries to three"), told("AI-2", "Page the owner"))
    nights.hear(*table)
    nights.hear(*table, *map(edited, ("Limit all retries to three", "Page the owner", "Drill the failover every month")))
    titles = {item_id: item.title for item_id, item in nights.items.items()}
    assert (titles.pop("AI-1"), titles.pop("AI-2")) == ("Limit all retries to three", "Page the owner")
    assert list(titles.values()) == ["Drill the failover every month"]


def test_what_people_add_elsewhere_takes_no_item_of_the_list() -> None:
    nights = Nights()
    nights.hear(told(title="Alert on pool A"))
    nights.hear(told(title="Alert on pool A"), edited("Alert on pool B", is_rendered=False))
    assert {item.title for item in nights.items.values()} == {"Alert on pool A", "Alert on pool B"}


def test_what_is_to_be_done_and_has_no_date_any_more_gets_that_of_the_policy() -> None:
    at = datetime.fromisoformat("2025-03-10T23:59")
    reopened, ended, dated = item_of(state("open", 5)), item_of(state("declined", 5)), item_of(due_on="2025-04-01")
    events = list(undated([reopened, ended, dated], lambda item: "SEV-1", DuePolicy(), at))
    assert [(event.item_id, event.field, event.value, event.source) for event in events] == [
        ("AI-1", "due_on", "2025-03-25", "policy: Sev-1: 15 days")
    ]
