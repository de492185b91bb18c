"""One item and its issue: opened once, followed, changed by either side, and never taken for done when it is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dagster_project.pipeline import action_item_answers as answers
from tests.action_items.conftest import NewWorld
from tests.action_items.world import BOT, OTHER, REPOSITORY, World, action
from tests.github import Fault


def world_with_issue(new_world: NewWorld, **rules: Any) -> World:
    world = new_world(**rules)
    world.has(action())
    world.night()
    world.tomorrow()
    assert world.synced.problems == []
    return world


def number(world: World) -> int:
    return world.issue().number


def test_an_item_gets_one_issue_with_labels_assignee_milestone_and_a_hidden_mark(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    issue = world.issue()

    assert issue.title == "Cap the connections of ACT-1"
    assert sorted(each.name for each in issue.labels) == ["action-item", "priority: P1", "type: prevent"]
    assert [each.login for each in issue.assignees] == ["alice"]
    assert issue.milestone is not None
    assert (issue.milestone.title, str(issue.milestone.due_on)[:10]) == ("Action items due 2025-04", "2025-04-30")
    assert (issue.body or "").count("<!-- nightshift:action-item ") == 1
    assert world.item().tracker_key == f"{REPOSITORY}#1"
    assert world.item().state == "open"
    assert world.synced.events == 0, "what we did ourselves was not taken over from anybody"


def test_a_quiet_night_reads_three_lists_and_writes_nothing(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    before, log = len(world.server.writes()), len(world.server.log)

    world.night()

    assert len(world.server.writes()) == before
    asked = [entry.path for entry in world.server.log[log:]]
    # For each repository: who we are, the repository, what was closed since, what is open.
    assert len(asked) == 8, asked


def test_closed_as_completed_by_a_person_is_done_since_then(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world), "completed")
    closed = world.ops.issue(1).closed_at
    assert closed is not None
    world.night()

    item = world.item()
    assert (item.state, item.is_done_at_known) == ("done", True)
    assert item.done_at == closed.replace(tzinfo=None, microsecond=0)
    assert [event.actor for event in world.events() if event.field == "state"] == ["alice"]


@pytest.mark.parametrize(("reason", "state"), [("not_planned", "declined"), ("duplicate", "duplicate")])
def test_closed_for_another_reason_is_not_done(new_world: NewWorld, reason: str, state: str) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world), reason)
    world.night()

    assert world.item().state == state
    assert world.item().done_at is None


def test_a_bot_that_closes_what_nobody_answers_does_not_make_it_done(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.add_label("stale[bot]", number(world), "stale")
    world.ops.close("stale[bot]", number(world), "completed")
    world.night()

    assert world.item().state == "lost"
    assert "bot closed" in (world.item().state_reason or "")
    # People look, and say what it is: open after all.
    world.tomorrow()
    answers.reopen(world.runtime(), "ACT-1", "still needed")
    world.night()
    assert world.ops.issue(1).state == "open"
    assert world.item().state == "open"


@pytest.mark.parametrize("how", ["commit", "trusted"])
def test_a_bot_that_closes_with_a_merge_makes_it_done(new_world: NewWorld, how: str) -> None:
    world = world_with_issue(new_world)
    if how == "commit":
        world.ops.close("dependabot[bot]", number(world), commit_sha="a" * 40)
    else:
        world.ops.close("merge[bot]", number(world), "completed")
    world.night()
    assert world.item().state == "done"


def test_a_person_who_closes_what_is_stale_is_not_believed_without_a_commit(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.add_label("alice", number(world), "stale")
    world.ops.close("machine-user", number(world), "completed")
    world.night()
    assert world.item().state == "lost"


def test_reopened_issues_reopen_their_items_and_are_counted(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world))
    world.night()
    world.tomorrow()
    world.ops.reopen("bob", number(world))
    world.night()

    item = world.item()
    assert (item.state, item.reopened, item.done_at) == ("open", 1, None)


def test_reopened_and_closed_between_two_nights_is_one_more_closing_at_most(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world))
    world.night()
    first = world.item().done_at
    world.tomorrow()
    world.ops.reopen("bob", number(world))
    world.ops.close("bob", number(world))
    world.night()

    assert (world.item().state, world.item().done_at) == ("done", first)


@pytest.mark.parametrize("act", ["deleted", "moved out of sight", "hidden"])
def test_an_issue_that_is_gone_is_lost_and_not_done(new_world: NewWorld, act: str) -> None:
    world = world_with_issue(new_world)
    if act == "deleted":
        world.ops.delete_issue("alice", number(world))
    elif act == "moved out of sight":
        world.ops.transfer_issue("alice", number(world), "acme/attic")
    else:
        world.ops.add_collaborator(BOT, "none")
    world.night()

    if act == "hidden":
        # A repository that cannot be read says nothing about its issues.
        assert world.item().state == "open"
        assert any("acme/ops" in problem for problem in world.synced.problems)
        world.ops.add_collaborator(BOT, "write")
    else:
        assert world.item().state == "lost"
        assert world.table()["ACT-1"]["problem"] is not None
    # No second issue is opened for it, ever.
    world.tomorrow()
    before = len(world.issues())
    world.nights(3)
    assert len(world.issues()) == before


def test_an_issue_that_moved_to_a_followed_repository_is_followed_there(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    there = world.ops.transfer_issue("alice", number(world), OTHER)
    world.night()

    assert (world.item().state, world.item().tracker_key) == ("open", f"{OTHER}#{there}")
    world.tomorrow()
    world.web.close("alice", there)
    world.night()
    assert world.item().state == "done"
    assert len(world.issues()) == 1


def test_what_was_done_stays_done_when_its_issue_is_deleted(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world))
    world.night()
    done_at = world.item().done_at
    world.tomorrow()
    world.ops.delete_issue("alice", 1)
    world.nights(2)

    assert (world.item().state, world.item().done_at) == ("done", done_at)


def test_an_issue_of_which_nobody_knows_any_more_is_found_by_its_mark(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.edit_title("alice", number(world), "Something else altogether")
    world.forget()
    world.night()

    assert len(world.issues()) == 1
    assert world.item().tracker_key == f"{REPOSITORY}#1"
    assert world.synced.found == [f"{REPOSITORY}#1"]


def test_a_copy_of_our_text_by_somebody_else_is_not_our_issue(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    copy = world.ops.open_issue("mallory", "Copied", world.issue().body)
    world.ops.close("mallory", copy, "completed")
    world.forget()
    world.nights(2)

    assert world.item().state == "open"
    assert world.item().tracker_key == f"{REPOSITORY}#1"


def test_a_copy_does_not_stand_in_for_our_issue_that_was_deleted(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    copy = world.ops.open_issue("mallory", "Copied", world.issue().body)
    world.ops.delete_issue("alice", number(world))
    before = len(world.server.writes())
    world.nights(3)

    assert (world.item().state, world.item().tracker_key) == ("lost", f"{REPOSITORY}#1")
    assert (len(world.server.writes()), world.ops.issue(copy).title) == (before, "Copied")


def test_a_title_that_people_edit_is_taken_over_and_not_written_back(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.edit_title("alice", number(world), "Cap the pool at 40 connections")
    before = len(world.server.writes())
    world.nights(2)

    assert world.item().title == "Cap the pool at 40 connections"
    assert len(world.server.writes()) == before


def test_a_title_that_the_table_changes_is_written_to_our_issue(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.has(action(title="Cap the connections at 40"))
    world.night()
    assert world.issue().title == "Cap the connections at 40"


def test_whoever_is_assigned_owns_it(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.unassign("alice", number(world), "alice")
    world.ops.assign("alice", number(world), "bob")
    world.night()
    assert world.item().owner == "Bob Jones"

    # The table still says alice; that is no news, and nobody is assigned anew.
    world.tomorrow()
    before = len(world.server.writes())
    world.nights(2)
    assert world.item().owner == "Bob Jones"
    assert len(world.server.writes()) == before


def test_an_owner_that_is_set_here_is_assigned(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    answers.say(world.runtime(), "ACT-1", {"owner": "Bob Jones"})
    world.night()
    assert [each.login for each in world.issue().assignees] == ["bob"]


def test_nobody_assigned_any_more_is_no_owner(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.unassign("alice", number(world), "alice")
    world.night()
    assert world.item().owner is None


def test_labels_of_ours_are_put_back_three_times_and_then_left(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    for _ in range(6):
        world.ops.remove_label("labeler[bot]", number(world), "type: prevent") if "type: prevent" in world.ops.labels(1) else None
        world.night()
        world.tomorrow()

    posts = [entry for entry in world.server.writes() if entry.path.endswith("/labels")]
    assert len(posts) == 3
    assert "type: prevent" not in world.ops.labels(1)


def test_labels_of_people_stay(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.add_label("alice", number(world), "needs-design")
    world.has(action(item_type="mitigate"))
    world.night()
    assert sorted(world.ops.labels(1)) == ["action-item", "needs-design", "priority: P1", "type: mitigate"]


def test_a_label_says_that_somebody_is_at_it(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.add_label("alice", number(world), "In Progress")
    world.night()
    assert world.item().state == "in_progress"
    world.tomorrow()
    world.ops.remove_label("alice", number(world), "In Progress")
    world.night()
    assert world.item().state == "open"


def test_a_milestone_that_people_choose_moves_the_date_and_is_a_slip(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    milestone = world.ops.create_milestone("alice", "Q3", datetime(2025, 9, 30, 12, tzinfo=UTC))
    world.ops.set_milestone("alice", number(world), milestone)
    before = len(world.server.writes())
    world.nights(2)

    item = world.item()
    assert (item.due_on, item.first_due_on, item.slips) == (date(2025, 9, 30), date(2025, 4, 1), 1)
    assert len(world.server.writes()) == before
    assert world.issue().milestone is not None
    assert world.issue().milestone.title == "Q3"


def test_a_date_that_is_moved_here_moves_the_milestone(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    answers.say(world.runtime(), "ACT-1", {"due_on": "2025-06-15"}, "waits for the vendor")
    world.night()
    assert world.issue().milestone is not None
    assert world.issue().milestone.title == "Action items due 2025-06"


def test_done_on_the_command_line_closes_the_issue_and_declined_as_not_planned(new_world: NewWorld) -> None:
    world = new_world()
    world.has(action("ACT-1"), action("ACT-2"))
    world.night()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", "merged in #99")
    answers.decline(world.runtime(), "ACT-2", "the service goes away", None)
    world.night()

    found = {issue.title: (issue.state, issue.state_reason) for issue in world.issues()}
    assert found == {
        "Cap the connections of ACT-1": ("closed", "completed"),
        "Cap the connections of ACT-2": ("closed", "not_planned"),
    }
    # Our own closing is no news.
    count = len(world.events())
    world.tomorrow()
    world.night()
    assert len(world.events()) == count


def test_verified_stays_verified_while_its_issue_is_closed(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world))
    world.night()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", "pool held in the drill", is_verified=True)
    world.nights(2)
    assert (world.item().state, world.item().verification) == ("verified", "pool held in the drill")


def test_where_both_sides_changed_the_tracker_says_how_it_stands(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    answers.done(world.runtime(), "ACT-1", None)
    world.ops.close("bob", number(world), "not_planned")
    world.night()
    assert world.item().state == "declined"
    assert world.ops.issue(1).state_reason == "not_planned"


def test_an_issue_that_people_named_is_read_and_its_text_is_theirs(new_world: NewWorld) -> None:
    world = new_world()
    theirs = world.web.open_issue("alice", "Page people earlier", "as discussed")
    world.web.assign("alice", theirs, "bob")
    world.has(action(tracker="github", tracker_key=f"web#{theirs}", owner=None))
    before = len(world.server.writes())
    world.nights(2)

    item = world.item()
    assert (item.tracker_key, item.owner, item.title) == (f"{OTHER}#{theirs}", "Bob Jones", "Cap the connections of ACT-1")
    assert len(world.server.writes()) == before
    world.web.close("bob", theirs)
    world.night()
    assert world.item().state == "done"


def test_an_item_that_says_done_with_an_open_issue_is_not_done(new_world: NewWorld) -> None:
    world = new_world()
    theirs = world.web.open_issue("alice", "Page people earlier")
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{theirs}", state="done"))
    world.night()

    item = world.item()
    assert (item.state, item.reopened) == ("open", 0)


def test_keys_of_jira_and_of_other_repositories_are_links_and_no_more(new_world: NewWorld) -> None:
    world = new_world()
    world.has(
        action("ACT-1", tracker="jira", tracker_key="OPS-12"), action("ACT-2", tracker="github", tracker_key="acme/secret#3")
    )
    world.nights(2)

    assert world.issues() == []
    assert {item.tracker_key for item in world.items().values()} == {"OPS-12", "acme/secret#3"}
    assert not any("secret" in entry.path for entry in world.server.log)


def test_two_items_may_have_one_issue(new_world: NewWorld) -> None:
    world = new_world()
    epic = world.web.open_issue("alice", "Everything about pools")
    world.has(*(action(name, tracker="github", tracker_key=f"{OTHER}#{epic}") for name in ("ACT-1", "ACT-2")))
    world.night()
    world.web.close("alice", epic)
    world.tomorrow()
    world.night()
    assert {item.state for item in world.items().values()} == {"done"}
    assert len(world.items()) == 2


def test_an_issue_opened_by_a_run_that_was_cut_off_is_found(new_world: NewWorld) -> None:
    world = new_world()
    world.has(action())
    world.server.faults.add(Fault("POST", "/issues$", "drop_after"))
    world.server.faults.add(Fault("GET", "/issues$", "drop_before", times=50, after_skipping=4))
    world.night()
    world.server.faults.clear()
    assert len(world.issues()) == 1
    world.tomorrow()
    world.nights(2)

    assert len(world.issues()) == 1
    assert world.item().tracker_key == f"{REPOSITORY}#1"


def test_so_many_issues_are_opened_a_night_and_those_due_first(new_world: NewWorld) -> None:
    world = new_world(max_new_per_night=3)
    world.has(*(action(f"ACT-{n}", due_on=date(2025, 4, 20) - timedelta(days=n)) for n in range(8)))
    opened = []
    for _ in range(4):
        world.night()
        opened.append([key.rpartition("#")[2] for key in world.synced.opened])
        world.tomorrow()

    assert [len(each) for each in opened] == [3, 3, 2, 0]
    titles = [issue.title for issue in sorted(world.issues(), key=lambda each: each.number)]
    assert titles == [f"Cap the connections of ACT-{n}" for n in (7, 6, 5, 4, 3, 2, 1, 0)]


def test_an_assignee_whom_github_does_not_take_leaves_the_issue_unassigned(new_world: NewWorld) -> None:
    world = new_world()
    world.ops.add_collaborator("alice", "none")
    world.has(action())
    world.nights(2)
    assert world.issue().assignees == []
    assert world.item().owner == "alice"


def test_nothing_is_written_by_a_dry_run_or_with_a_kill_switch(new_world: NewWorld) -> None:
    world = new_world()
    world.has(action())
    synced = world.night(is_dry_run=True)
    assert synced.planned == [f"open in {REPOSITORY}: Cap the connections of ACT-1"]
    (world.folder / "home" / "kill_switch").touch()
    world.night()
    assert world.server.writes() == []
    (world.folder / "home" / "kill_switch").unlink()
    world.night()
    assert len(world.issues()) == 1


def test_a_backfill_asks_nobody_and_notes_nothing(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.close("alice", number(world))
    count, asked = len(world.events()), len(world.server.log)
    runtime = world.runtime()
    world.day -= timedelta(days=1)  # the day before the newest
    world.rows["ACT-9"] = action("ACT-9")
    from tests.action_items import world as builders

    builders.put(runtime, "incident_action_items", *world.rows.values(), day=world.day)
    builders.keep_action_items(runtime, world.day)

    assert (len(world.events()), len(world.server.log)) == (count, asked)
    assert sorted(world.table(world.day)) == ["ACT-1", "ACT-9"]


def test_a_closed_milestone_is_left_closed(new_world: NewWorld) -> None:
    world = new_world()
    world.ops.close_milestone("alice", world.ops.create_milestone("alice", "Action items due 2025-04"))
    world.has(action())
    world.night()
    assert world.issue().milestone is None


def test_issues_that_are_switched_off_are_a_problem_and_lose_nothing(new_world: NewWorld) -> None:
    world = world_with_issue(new_world)
    world.ops.repository.has_issues = False
    world.night()
    assert world.item().state == "open"
    assert any("switched off" in problem for problem in world.synced.problems)


def test_secrets_in_titles_reach_no_issue(new_world: NewWorld) -> None:
    world = new_world()
    world.has(action(title="Rotate AKIAIOSFODNN7EXAMPLE and " + "ghp_" + "a1B2" * 9))
    world.night()
    sent = "".join(str(entry.body) for entry in world.server.writes())
    assert "AKIAIOSFODNN7EXAMPLE" not in sent
    assert "a1B2a1B2" not in sent


def test_the_same_words_in_one_incident_get_one_issue_and_it_is_said_why(new_world: NewWorld) -> None:
    # Whatever gives one thing two ids would do so every night.
    world = new_world()
    world.has(
        action("ACT-1", title="Cap the pool"), action("ACT-2", title="cap the pool!"), action("ACT-3", title="Cap the queue")
    )
    world.nights(3)

    assert sorted(issue.title for issue in world.issues()) == ["Cap the pool", "Cap the queue"]
    assert list(world.synced.waiting) == ["ACT-2"]
    assert "decline this one with --duplicate-of ACT-1" in world.synced.waiting["ACT-2"]


def test_a_repository_that_refuses_is_asked_once_a_night(new_world: NewWorld) -> None:
    world = new_world()
    world.has(*(action(f"ACT-{number}") for number in range(4)))
    world.night()
    world.tomorrow()
    for number in range(4):
        answers.done(world.runtime(), f"ACT-{number}", None)
    world.ops.repository.is_archived = True
    before = len(world.server.writes())
    world.night()

    assert len([problem for problem in world.synced.problems if problem.startswith(REPOSITORY)]) == 1
    assert len(world.server.writes()) <= before + 1
