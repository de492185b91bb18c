"""An item and its issue: who changed what since they agreed, what is taken over, what is written, and that it comes to rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.action_items.folding import applied
from dagster_project.domain.action_items.model import ENDED, STATES, Event, Item
from dagster_project.domain.action_items.reconcile import MOST_RESTORED, Reconciled, lost, standing_of
from dagster_project.domain.action_items.trackers import (
    ISSUE_ABANDONED,
    ISSUE_DECLINED,
    ISSUE_DONE,
    ISSUE_DUPLICATE,
    ISSUE_OPEN,
    Change,
    Gone,
    Issue,
    Link,
)
from tests.unit.action_items.builders import (
    BEGAN,
    day,
    event,
    issue,
    item,
    item_of,
    link,
    meet,
    said,
    state,
    tied,
    want,
    written,
)

STANDINGS = (ISSUE_OPEN, ISSUE_DONE, ISSUE_DECLINED, ISSUE_DUPLICATE, ISSUE_ABANDONED)


def changed(base: Issue, of: Item | None = None, before: Item | None = None, **values: object) -> Reconciled:
    """An item and an issue that agreed on ``before`` and ``base``; since then it is ``of``, and the issue has ``values``."""
    known = before or of or item_of()
    return meet(of or known, tied(known, base), replace(base, **values))  # type: ignore[arg-type]


# How it stands.


@pytest.mark.parametrize(
    ("state_", "standing"),
    [
        ("proposed", ISSUE_OPEN), ("open", ISSUE_OPEN), ("in_progress", ISSUE_OPEN), ("done", ISSUE_DONE),
        ("verified", ISSUE_DONE), ("declined", ISSUE_DECLINED), ("duplicate", ISSUE_DUPLICATE), ("lost", ISSUE_ABANDONED),
    ],
)  # fmt: skip
def test_every_state_has_a_standing_of_its_issue(state_: str, standing: str) -> None:
    assert standing_of(item(state=state_)) == standing


def test_where_nothing_changed_nothing_follows() -> None:
    found = changed(issue())
    assert (found.events, found.change, found.item) == ((), Change(), item_of())
    assert found.link == tied(item_of(), issue(), url="https://git.test/7")


@pytest.mark.parametrize(
    ("standing", "state_", "reason"),
    [
        (ISSUE_DONE, "done", "Its issue was closed as completed: https://git.test/7"),
        (ISSUE_DECLINED, "declined", "Its issue was closed as not planned: https://git.test/7"),
        (ISSUE_DUPLICATE, "duplicate", "Its issue was closed as a duplicate: https://git.test/7"),
        (ISSUE_ABANDONED, "lost", "A bot closed its issue, and nobody said that it is done: https://git.test/7"),
    ],
)
def test_a_closed_issue_says_why_it_was_closed(standing: str, state_: str, reason: str) -> None:
    found = changed(issue(), standing=standing, since=day(3), by="carol")
    assert found.events == (Event("AI-1", "state", state_, day(3), "github", "carol", reason),)
    assert found.item.state == state_
    assert not found.change
    assert found.link.base is not None
    assert found.link.base.standing == standing
    assert found.link.wrote == want(found.item)


def test_who_closed_it_is_the_tracker_where_nobody_knows() -> None:
    assert changed(issue(), standing=ISSUE_DONE).events[0].actor == "github"


def test_a_reopened_issue_reopens_its_item() -> None:
    done = item_of(state("done", 3))
    found = changed(issue(standing=ISSUE_DONE, since=day(3)), done, standing=ISSUE_OPEN, since=day(5))
    assert said(found.events) == [("state", "open")]
    assert (found.item.reopened, found.item.done_at) == (1, None)
    assert found.events[0].reason == "Its issue is open: https://git.test/7"
    assert not found.events[0].is_correction


@pytest.mark.parametrize("known", sorted(STATES))
@pytest.mark.parametrize("standing", STANDINGS)
def test_an_issue_that_stands_as_it_stood_says_nothing_new(standing: str, known: str) -> None:
    of = item(state=known)
    assert meet(of, tied(of, issue(standing=standing)), issue(standing=standing)).events == ()


def test_verified_stays_verified_when_its_issue_is_closed_as_completed() -> None:
    of = item_of(state("verified", 2))
    assert changed(issue(), of, standing=ISSUE_DONE).events == ()
    assert said(changed(issue(), of, standing=ISSUE_DECLINED).events) == [("state", "declined")]


@pytest.mark.parametrize("known", sorted(ENDED))
def test_a_bot_that_closes_an_issue_undoes_no_decision(known: str) -> None:
    of = item(state=known)
    found = changed(issue(), of, item_of(), standing=ISSUE_ABANDONED)
    assert found.events == ()
    assert found.item.state == known
    assert found.change == Change(standing=standing_of(of))


def test_a_state_is_never_told_before_the_one_that_it_follows() -> None:
    of = item_of(state("in_progress", 6))
    found = changed(issue(), of, standing=ISSUE_DONE, since=day(3))
    assert found.events[0].happened_at == day(6)
    assert found.item.done_at == day(6)


def test_when_it_was_closed_does_not_wait_for_other_fields() -> None:
    of = item_of(event("priority", "P1", day(6)))
    found = changed(issue(), of, standing=ISSUE_DONE, since=day(3))
    assert (found.item.done_at, found.item.changed_at) == (day(3), day(6))


def test_other_fields_come_after_all_that_is_known() -> None:
    of = item_of(event("priority", "P1", day(6)))
    found = changed(issue(), of, title="Add two alerts", assignees=("bob-gh",), since=day(3))
    assert [(each.field, each.happened_at) for each in found.events] == [("owner", day(6)), ("title", day(6))]


def test_closed_before_the_item_was_known_it_was_done_at_an_unknown_moment() -> None:
    found = meet(item_of(), link(None, None, is_ours=False), issue(standing=ISSUE_DONE, since=BEGAN - timedelta(days=1)))
    assert found.item.state == "done"
    assert (found.item.done_at, found.item.is_done_at_known) == (None, False)
    at_once = meet(item_of(), link(None, None, is_ours=False), issue(standing=ISSUE_DONE, since=BEGAN))
    assert (at_once.item.done_at, at_once.item.is_done_at_known) == (BEGAN, True)


def test_a_link_to_an_open_issue_corrects_what_was_said_and_reopens_nothing() -> None:
    found = meet(item_of(state("done", 1)), link(None, None, is_ours=False), issue())
    assert said(found.events) == [("state", "open")]
    assert found.events[0].is_correction
    assert found.item.reopened == 0


@pytest.mark.parametrize("known", ["proposed", "open", "in_progress"])
def test_an_open_issue_leaves_how_far_it_is(known: str) -> None:
    assert meet(item(state=known), link(None, None, is_ours=False), issue()).events == ()


# Labels that say that somebody is at it.


def test_a_label_says_that_somebody_is_at_it_and_that_it_is_taken_off_that_nobody_is() -> None:
    found = changed(issue(), labels=("action-item", "Doing"))
    assert said(found.events) == [("state", "in_progress")]
    base = issue(labels=("action-item", "doing"))
    assert said(changed(base, item(state="in_progress"), labels=("action-item",)).events) == [("state", "open")]
    assert changed(base, item(state="in_progress")).events == ()


def test_a_label_of_a_closed_issue_says_nothing() -> None:
    for known in ("done", "declined"):
        found = changed(issue(standing=ISSUE_DONE), item(state=known), item(state="done"), labels=("action-item", "doing"))
        assert found.events == ()


@pytest.mark.parametrize("known", ["done", "verified", "declined", "duplicate"])
def test_a_label_that_is_taken_off_does_not_undo_what_was_decided(known: str) -> None:
    base = issue(labels=("action-item", "doing"))
    found = changed(base, item(state=known), item(state="in_progress"), labels=("action-item",))
    assert found.events == ()
    assert found.change == Change(standing=standing_of(item(state=known)))


# Lost and found.


def test_an_issue_that_is_gone_is_lost_once() -> None:
    of, gone = item_of(), Gone("acme/ops#7", "acme/ops#7 was deleted.")
    events, after = lost(of, tied(of, issue()), gone, day(9))
    assert events == (Event("AI-1", "state", "lost", day(9), "github", "github", "acme/ops#7 was deleted."),)
    assert after.lost == "acme/ops#7 was deleted."
    assert lost(applied(of, events), after, gone, day(10)) == ((), after)


@pytest.mark.parametrize("known", sorted(ENDED))
def test_what_was_decided_stays_when_its_issue_is_gone(known: str) -> None:
    of = item(state=known)
    events, after = lost(of, tied(of, issue()), Gone("acme/ops#7", "It was deleted."), day(9))
    assert [(each.field, each.value, each.reason) for each in events] == [("note", None, "It was deleted.")]
    assert after.lost == "It was deleted."
    assert applied(of, events).state == known


def test_it_is_lost_after_all_that_is_known_of_its_state() -> None:
    of = item_of(state("in_progress", 12))
    events, _ = lost(of, tied(of, issue()), Gone("acme/ops#7", "It was deleted."), day(9))
    assert events[0].happened_at == day(12)


def test_an_issue_that_is_there_again_is_found() -> None:
    of = item_of(state("lost", 4))
    found = meet(of, tied(of, issue(), lost="It was deleted."), issue(since=day(2)))
    assert said(found.events) == [("state", "open")]
    assert found.events[0].happened_at == day(4)
    assert found.link.lost is None
    assert found.item.reopened == 0


def test_what_a_bot_closed_stays_lost_until_somebody_says_something() -> None:
    of = item_of(state("lost", 4))
    base = issue(standing=ISSUE_ABANDONED)
    assert changed(base, of).events == ()
    assert said(changed(base, of, standing=ISSUE_OPEN).events) == [("state", "open")]
    assert said(changed(base, of, standing=ISSUE_DONE).events) == [("state", "done")]
    assert not changed(base, of).change  # and nothing is closed because of it
    assert changed(issue(), item(state="lost"), item_of()).change == Change()


def test_an_item_that_is_taken_up_again_opens_the_issue_that_a_bot_closed() -> None:
    found = changed(issue(standing=ISSUE_ABANDONED), item_of(), item(state="lost"))
    assert found.change == Change(standing=ISSUE_OPEN)


# Owners.


def test_who_is_assigned_owns_it_by_the_name_that_they_are_known_by() -> None:
    assert said(changed(issue(), assignees=("alice-gh",)).events) == [("owner", "alice")]
    assert said(changed(issue(), assignees=("zoe",)).events) == [("owner", "zoe")]
    assert changed(issue(), item(owner="alice"), assignees=("alice-gh",)).events == ()


def test_one_of_several_assignees_stays_the_owner() -> None:
    assert changed(issue(), item(owner="bob"), assignees=("alice-gh", "bob-gh")).events == ()
    assert said(changed(issue(), item(owner="carol"), assignees=("alice-gh", "bob-gh")).events) == [("owner", "alice")]
    base = issue(assignees=("alice-gh", "bob-gh"))
    assert changed(base, item(owner="carol"), assignees=("bob-gh", "alice-gh")).events == ()


def test_who_is_not_assigned_any_more_does_not_own_it() -> None:
    found = changed(issue(assignees=("alice-gh",)), item(owner="alice"), assignees=())
    assert said(found.events) == [("owner", None)]
    assert found.events[0].reason == "Nobody is assigned to its issue any more."
    assert not found.change


def test_that_somebody_else_is_not_assigned_any_more_takes_nothing_from_the_owner() -> None:
    found = changed(issue(assignees=("alice-gh",)), item(owner="bob"), item(owner="alice"), assignees=())
    assert found.events == ()
    assert found.change == Change(assignee="bob-gh")


def test_nobody_assigned_takes_nothing_from_who_is_named() -> None:
    found = meet(item(owner="alice"), link(None, None, is_ours=False), issue())
    assert found.events == ()
    assert not meet(found.item, found.link, issue()).change  # nor is anybody assigned because of that
    assert changed(issue(), item(owner="alice")).events == ()


def test_an_owner_who_is_set_here_is_assigned_where_they_have_a_login() -> None:
    base = issue(assignees=("alice-gh",))
    assert changed(base, item(owner="bob"), item(owner="alice")).change == Change(assignee="bob-gh")
    assert not changed(base, item(owner="nobody-knows"), item(owner="alice")).change
    assert not changed(base, item(owner=None), item(owner="alice")).change


def test_who_is_assigned_under_another_login_of_theirs_stays_assigned() -> None:
    found = changed(issue(), assignees=("alice-work",))
    assert (said(found.events), found.change) == ([("owner", "alice")], Change())
    assert not meet(found.item, found.link, issue(assignees=("alice-work",))).change


def test_logins_are_the_same_in_any_case() -> None:
    base = issue(assignees=("Bob-GH", "alice-gh"))
    assert not changed(base, item(owner="bob"), item(owner="carol")).change  # or alice would not be assigned any more


def test_where_both_changed_the_owner_the_tracker_wins() -> None:
    found = changed(issue(assignees=("alice-gh",)), item(owner="carol"), item(owner="alice"), assignees=("bob-gh",))
    assert (said(found.events), found.change) == ([("owner", "bob")], Change())


# Titles.


def test_a_title_that_people_edit_is_taken_over_where_the_issue_is_ours() -> None:
    found = changed(issue(), title="Add two alerts")
    assert (said(found.events), found.change) == ([("title", "Add two alerts")], Change())
    spaced = changed(issue(), title="Add  two alerts")
    assert (said(spaced.events), spaced.change) == ([("title", "Add  two alerts")], Change())
    assert not meet(spaced.item, spaced.link, issue(title="Add  two alerts")).change
    of = item_of()
    theirs = meet(of, tied(of, issue(is_ours=False), is_ours=False), issue(title="Add two alerts", is_ours=False))
    assert (theirs.events, theirs.change) == ((), Change())


def test_a_title_that_is_changed_here_is_written_where_the_issue_is_ours() -> None:
    base, of, before = issue(), item(title="Add two alerts"), item_of()
    assert changed(base, of, before).change == Change(title="Add two alerts")
    theirs = replace(base, is_ours=False)
    assert not meet(of, tied(before, theirs, is_ours=False), theirs).change


def test_where_both_changed_the_title_the_tracker_wins() -> None:
    found = changed(issue(), item(title="Ours"), item_of(), title="Theirs")
    assert (said(found.events), found.change) == ([("title", "Theirs")], Change())
    assert changed(issue(), item(title="Same"), item_of(), title="Same").events == ()


def test_a_title_that_was_changed_while_its_issue_was_closed_is_written_once_it_is_open() -> None:
    done = item(state="done")
    closed = issue(standing=ISSUE_DONE)
    renamed = replace(done, title="Add two alerts")
    meanwhile = meet(renamed, tied(done, closed), closed)
    assert not meanwhile.change
    again = meet(renamed, meanwhile.link, replace(closed, standing=ISSUE_OPEN, since=day(5)))
    assert again.change == Change(title="Add two alerts")
    # Where that fails, the next night tries again.
    later = meet(again.item, again.link, replace(closed, standing=ISSUE_OPEN, since=day(5)))
    assert later.change == Change(title="Add two alerts")
    # And where the item is reopened here, too.
    taken_up = meet(replace(renamed, state="open"), meanwhile.link, closed)
    assert taken_up.change == Change(standing=ISSUE_OPEN, title="Add two alerts")


# Milestones and dates.

APRIL = {"milestone": "Sprint 12", "milestone_due_on": date(2025, 4, 20)}
DUE = date(2025, 3, 20)


def with_month(of: Item) -> Issue:
    """An issue in the milestone that we put it into."""
    wanted = want(of)
    return issue(milestone=wanted.milestone, milestone_due_on=wanted.milestone_due_on)


def test_a_milestone_that_people_choose_gives_the_date_and_stays() -> None:
    of = item_of(due_on=str(DUE), due_source="policy: x")
    found = changed(with_month(of), of, **APRIL)
    assert said(found.events) == [("due_on", "2025-04-20")]
    assert found.events[0].reason == "Milestone Sprint 12"
    assert not found.change
    # The first date that people name takes the place of the policy's.
    assert (found.item.slips, found.item.first_due_on, found.item.due_source) == (0, date(2025, 4, 20), "github")
    again = meet(found.item, found.link, replace(with_month(of), **APRIL))
    assert (again.events, again.change) == ((), Change())


def test_a_milestone_of_ours_stands_for_a_month_and_moves_no_date() -> None:
    of = item_of(due_on=str(DUE))
    wanted = want(of)
    base = issue()
    of_ours = replace(base, milestone=wanted.milestone, milestone_due_on=date(2025, 3, 31))
    assert meet(of, link(base, wanted), of_ours).events == ()


def test_a_milestone_whose_date_moves_moves_the_date() -> None:
    of = item_of(due_on="2025-04-20")
    base = issue(**APRIL)
    found = meet(of, link(base, replace(want(of), milestone="2025-04")), replace(base, milestone_due_on=date(2025, 4, 27)))
    assert said(found.events) == [("due_on", "2025-04-27")]
    # In another month it is still the milestone that people chose.
    in_may = replace(base, milestone_due_on=date(2025, 5, 2))
    found = meet(of, link(base, replace(want(of), milestone="2025-04")), in_may)
    assert (said(found.events), found.change) == ([("due_on", "2025-05-02")], Change())
    assert not meet(found.item, found.link, in_may).change


def test_a_milestone_without_a_date_or_with_the_item_s_own_says_nothing() -> None:
    of = item_of(due_on=str(DUE))
    assert changed(issue(), of, milestone="Someday").events == ()
    assert changed(issue(), of, milestone="Sprint", milestone_due_on=DUE).events == ()


def test_a_milestone_that_was_there_already_counts_before_the_policy_and_after_people() -> None:
    tie = link(None, None, is_ours=False)
    assert said(meet(item_of(due_on=str(DUE), due_source="policy: x"), tie, issue(**APRIL)).events) == [("due_on", "2025-04-20")]
    assert said(meet(item_of(), tie, issue(**APRIL)).events) == [("due_on", "2025-04-20")]
    assert meet(item_of(due_on=str(DUE)), tie, issue(**APRIL)).events == ()
    assert meet(item_of(event("due_on", str(DUE), day(1)), due_on="2025-03-11"), tie, issue(**APRIL)).events == ()


def test_a_date_that_is_moved_here_moves_the_milestone() -> None:
    before, of = item(due_on=DUE), item(due_on=date(2025, 5, 2))
    found = changed(with_month(before), of, before)
    assert found.change == Change(milestone="2025-05", milestone_due_on=date(2025, 5, 2))
    assert not changed(with_month(before), item(due_on=None), before).change
    assert not changed(with_month(before), item(due_on=date(2025, 3, 28)), before).change  # the same month


def test_a_milestone_that_people_took_away_is_not_put_back() -> None:
    of = item(due_on=DUE)
    found = changed(with_month(of), of, milestone=None, milestone_due_on=None)
    assert (found.events, found.change) == ((), Change())
    assert not changed(with_month(of), item(due_on=date(2025, 5, 2)), of, milestone=None, milestone_due_on=None).change


# Labels.


def test_labels_follow_and_those_of_people_stay() -> None:
    base = issue(labels=("action-item", "priority: P2", "customer"))
    found = changed(base, item(priority="P1"), item(priority="P2"))
    assert found.change == Change(add=("priority: P1",), remove=("priority: P2",))
    assert written(base, found.change).labels == ("action-item", "customer", "priority: P1")


def test_labels_are_the_same_in_any_case() -> None:
    assert not changed(issue(labels=("Action-Item",))).change
    base = issue(labels=("ACTION-ITEM", "PRIORITY: p2"))
    assert changed(base, item(), item(priority="P2")).change == Change(remove=("priority: P2",))


def test_labels_that_are_taken_off_are_put_back_so_often_and_no_oftener() -> None:
    of, bare = item_of(), issue(labels=())
    tie, counted = tied(of, issue()), []
    for _ in range(6):
        found = meet(of, tie, bare)
        counted.append(found.change.add)
        tie = found.link.agreed(written(bare, found.change), found.wanted) if found.change else found.link
    assert counted == [("action-item",)] * 3 + [()] * 3
    assert tie.restored == MOST_RESTORED == 3


def test_a_change_that_was_not_made_does_not_count_as_putting_back() -> None:
    of, tie = item_of(), tied(item_of(), issue())
    for _ in range(10):  # dry runs, kill switches, outages
        found = meet(of, tie, issue(labels=()))
        tie = found.link
        assert found.change == Change(add=("action-item",))
    assert tie.restored == 0


def test_other_labels_are_written_although_some_were_put_back_too_often() -> None:
    base = issue(labels=("priority: P2",))
    tie = tied(item(priority="P2"), base, restored=3)
    assert not meet(item(priority="P2"), tie, base).change
    assert meet(item(priority="P1"), tie, base).change == Change(add=("action-item", "priority: P1"), remove=("priority: P2",))


def test_only_what_was_written_before_is_put_back() -> None:
    before, of, base = item_of(), item(priority="P1"), issue()
    found = changed(base, of, before)
    assert found.link.agreed(written(base, found.change), found.wanted).restored == 0


def test_nothing_but_its_standing_and_assignee_is_written_to_an_issue_that_is_closed_or_not_ours() -> None:
    before, of = item(priority="P2", due_on=DUE), item(priority="P1", due_on=date(2025, 5, 2), title="Other", owner="bob")
    for base, values in ((issue(is_ours=False), {"is_ours": False}), (issue(standing=ISSUE_DONE), {})):
        both = {"state": "done"} if base.standing == ISSUE_DONE else {}
        found = meet(replace(of, **both), tied(replace(before, **both), base, **values), base)
        assert found.change == Change(assignee="bob-gh")


def test_an_issue_that_was_opened_for_another_item_is_not_this_one_s() -> None:
    other = issue(mark="f" * 16)
    found = meet(item_of(), link(None, None, is_ours=False), other)
    assert not found.link.is_ours
    again = meet(found.item, found.link, replace(other, title="Theirs", labels=()))
    assert (again.events, again.change) == ((), Change())


# What is done here.


@pytest.mark.parametrize("known", ["done", "declined", "duplicate"])
def test_what_is_decided_here_is_written(known: str) -> None:
    assert changed(issue(), item(state=known), item_of()).change == Change(standing=standing_of(item(state=known)))


def test_what_is_reopened_here_is_reopened_there() -> None:
    assert changed(issue(standing=ISSUE_DONE), item_of(), item(state="done")).change == Change(standing=ISSUE_OPEN)


def test_where_both_changed_the_state_the_tracker_wins() -> None:
    found = changed(issue(), item(state="declined"), item_of(), standing=ISSUE_DONE)
    assert (said(found.events), found.change) == ([("state", "done")], Change())


def test_to_close_an_issue_does_not_wait_for_its_labels() -> None:
    found = changed(issue(), item(state="done", title="Other"), item_of(), labels=())
    assert found.change == Change(title="Other", standing=ISSUE_DONE, add=("action-item",))


def test_the_first_look_writes_nothing() -> None:
    found = meet(item(owner="alice", priority="P1"), link(None, None), issue(labels=()))
    assert not found.change
    assert found.link.wrote == found.wanted
    abandoned = issue(standing=ISSUE_ABANDONED)
    first = meet(item(state="done"), link(None, None), abandoned)
    assert not meet(first.item, first.link, abandoned).change


def test_one_field_that_is_refused_holds_up_no_other_one() -> None:
    # An assignee whom GitHub never takes, while people close the issue there and take the item up here.
    before, of = item(owner="alice"), item(owner="bob")
    closed = issue(assignees=("alice-gh",), standing=ISSUE_DONE, since=day(3))
    found = meet(of, tied(before, issue(assignees=("alice-gh",))), closed)
    assert (found.item.state, found.change) == ("done", Change(assignee="bob-gh"))
    refused = found.link
    again = meet(replace(found.item, state="open"), refused, closed)
    assert again.change == Change(standing=ISSUE_OPEN, assignee="bob-gh")


@pytest.mark.parametrize(
    ("of", "change"),
    [
        (item(title="Other"), Change(title="Other")),
        (item(state="done"), Change(standing=ISSUE_DONE)),
        (item(owner="bob"), Change(assignee="bob-gh")),
        (item(priority="P1"), Change(add=("priority: P1",))),
        (item(due_on=DUE), Change(milestone="2025-03", milestone_due_on=DUE)),
    ],
)
def test_what_could_not_be_written_is_tried_again(of: Item, change: Change) -> None:
    tie = tied(item_of(), issue())
    for _ in range(3):
        found = meet(of, tie, issue())
        assert found.change == change
        tie = found.link
    done = tie.agreed(written(issue(), change), found.wanted)
    assert done.base == written(issue(), change)
    assert not meet(of, done, written(issue(), change)).change


# Any item and any issue.

PEOPLE = st.sampled_from([None, "alice", "bob", "carol", "zoe"])
DATES = st.sampled_from([None, date(2025, 3, 20), date(2025, 3, 28), date(2025, 5, 2)])


@st.composite
def items(draw: st.DrawFn) -> Item:
    known = draw(st.sampled_from(list(STATES)))
    due = draw(DATES)
    return item(
        state=known,
        owner=draw(PEOPLE),
        priority=draw(st.sampled_from([None, "P1", "P2"])),
        title=draw(st.sampled_from(["Add an alert", "Add two alerts", "", "🔥"])),
        due_on=due,
        first_due_on=due,
        due_source=draw(st.sampled_from(["policy: x", "person"])) if due else None,
        state_at=day(draw(st.integers(0, 3))),
        changed_at=day(3),
        done_at=day(1) if known in ("done", "verified") else None,
        ended_at=day(1) if known in ENDED else None,
    )


@st.composite
def issues(draw: st.DrawFn) -> Issue:
    milestone = draw(
        st.sampled_from(
            [(None, None), ("2025-03", DUE), ("2025-05", date(2025, 5, 2)), ("Sprint", date(2025, 4, 4)), ("Some", None)]
        )
    )
    return issue(
        title=draw(st.sampled_from(["Add an alert", "Add two alerts", "Theirs"])),
        standing=draw(st.sampled_from(STANDINGS)),
        since=day(draw(st.integers(-3, 6))),
        assignees=tuple(draw(st.lists(st.sampled_from(["alice-gh", "Alice-GH", "bob-gh", "zoe"]), max_size=2, unique=True))),
        labels=tuple(draw(st.lists(st.sampled_from(["action-item", "doing", "priority: P1", "customer"]), unique=True))),
        milestone=milestone[0],
        milestone_due_on=milestone[1],
    )


@st.composite
def links(draw: st.DrawFn) -> Link:
    return link(
        draw(issues()),
        want(draw(items())),
        is_ours=draw(st.booleans()),
        restored=draw(st.integers(0, 3)),
        lost=draw(st.sampled_from([None, "It was deleted."])),
    )


@st.composite
def meetings(draw: st.DrawFn) -> tuple[Item, Link, Issue]:
    """An item, a link and an issue that is whose the link says."""
    tie, seen = draw(links()), draw(issues())
    return draw(items()), tie, replace(seen, is_ours=tie.is_ours)


@settings(max_examples=300)
@given(meetings())
def test_once_its_events_and_its_change_are_made_nothing_is_left(meeting: tuple[Item, Link, Issue]) -> None:
    assert_at_rest(*meeting)


@settings(max_examples=300)
@given(items(), st.booleans(), issues())
def test_after_a_first_look_too(of: Item, is_ours: bool, seen: Issue) -> None:
    seen = replace(seen, is_ours=is_ours)
    first = meet(of, link(None, None, is_ours=is_ours), seen)
    assert not first.change
    assert meet(first.item, first.link, seen).events == ()
    assert_at_rest(first.item, first.link, seen)


def assert_at_rest(of: Item, tie: Link, seen: Issue) -> None:
    """After one meeting and what follows from it, another one changes nothing."""
    found = meet(of, tie, seen)
    assert found.item == applied(of, found.events)
    after = written(seen, found.change)
    agreed = found.link.agreed(after, found.wanted) if found.change else found.link
    again = meet(found.item, agreed, after)
    assert (again.events, again.change, again.item) == ((), Change(), found.item)
    assert again.link == agreed


@settings(max_examples=300)
@given(meetings(), st.integers(1, 3))
def test_while_nothing_can_be_written_the_same_is_left_to_write(meeting: tuple[Item, Link, Issue], outages: int) -> None:
    of, tie, seen = meeting
    first = meet(of, tie, seen)
    found = first
    for _ in range(outages):
        found = meet(found.item, found.link, seen)
        assert found.events == ()
    # A title or labels may follow that news of the first night had kept from being compared.
    assert found.change.standing == first.change.standing
    assert found.change.assignee == first.change.assignee
    assert bool(found.change) == bool(first.change)


@settings(max_examples=300)
@given(meetings())
def test_nothing_is_done_but_by_an_issue_that_was_closed_as_completed(meeting: tuple[Item, Link, Issue]) -> None:
    of, tie, seen = meeting
    found = meet(of, tie, seen)
    if found.item.is_completed and not of.is_completed:
        assert seen.standing == ISSUE_DONE
    if found.item.is_completed and of.is_completed:
        assert (found.item.done_at, found.item.reopened) == (of.done_at, of.reopened)


@settings(max_examples=300)
@given(meetings())
def test_every_event_comes_after_what_it_follows_and_is_a_change(meeting: tuple[Item, Link, Issue]) -> None:
    of, tie, seen = meeting
    found = meet(of, tie, seen)
    assert len({each.field for each in found.events}) == len(found.events)
    for each in found.events:
        assert each.happened_at >= (of.state_at if each.field == "state" else of.changed_at)
        assert each.value != (of.due_on.isoformat() if each.field == "due_on" and of.due_on else getattr(of, each.field))


@settings(max_examples=300)
@given(meetings())
def test_what_people_have_in_an_issue_is_theirs(meeting: tuple[Item, Link, Issue]) -> None:
    of, tie, seen = meeting
    change = meet(of, tie, seen).change
    assert "customer" not in change.remove
    assert "doing" not in change.remove
    if not tie.is_ours:
        assert change == Change(standing=change.standing, assignee=change.assignee)
    assert change.standing != ISSUE_ABANDONED
    assert not set(change.add) & set(change.remove)


def test_a_bot_that_closes_what_was_reopened_before_anybody_looked_makes_it_lost() -> None:
    closed = issue(standing=ISSUE_DONE, since=BEGAN + timedelta(days=3))
    of = item_of(state("done", 3))
    found = meet(of, link(closed, want(of)), issue(standing=ISSUE_ABANDONED, since=BEGAN + timedelta(days=5)))
    assert said(found.events) == [("state", "lost")]
