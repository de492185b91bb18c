"""What people do with pull requests: push, close, reopen, merge, revert, and say in comments."""

from __future__ import annotations

import pytest

from dagster_project.domain.proposals.payload import from_body
from tests.conftest import query
from tests.github import Fault
from tests.proposal_builders import ROOT, World, machines
from tests.proposals.conftest import NewWorld


def only(world: World, state: str = "open"):
    (pull,) = world.pulls(state)
    return pull


def alice_pushes_before_our_write(world: World, github, branch: str) -> list[str]:
    """Between the night's look at the branch and its next write to it; the list gets the commit's id when that happens."""
    pushed: list[str] = []
    github.faults.add(
        Fault(
            "POST",
            "/graphql",
            "moved",
            callback=lambda: pushed.append(world.people.push("alice", branch, {"README.md": b"just now\n"})),
        )
    )
    return pushed


def test_a_persons_commit_freezes_the_branch_and_is_said_once(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    sha = world.people.push("alice", pull.pull.head, {"README.md": b"mine\n"})
    world.machines["i-1"].target = "m5.large"
    world.tomorrow()
    (row,) = world.night()
    assert row["state"] == "frozen"
    assert world.people.head(pull.pull.head) == sha
    (comment,) = world.people.comments(pull.number)
    assert f"/nightshift rebuild {sha[:12]}" in comment.body
    assert "## Left alone" in world.people.issue(2).body
    written = len(github.writes())
    world.machines["i-1"].demand *= 3
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written


def test_a_frozen_one_whose_evidence_is_gone_says_so_in_the_same_comment(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.people.push("alice", pull.pull.head, {"README.md": b"mine\n"})
    world.tomorrow()
    world.night()
    world.machines["i-1"].target, world.machines["i-1"].reason = None, "refuse_open_incident"
    world.tomorrow()
    world.night()
    (comment,) = world.people.comments(pull.number)
    assert "do not merge it as it is" in comment.body
    assert "i-1: Its service has an open incident" in comment.body
    assert only(world).state == "open"
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written


def test_a_push_between_our_look_and_our_write_is_not_written_over(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    pushed = alice_pushes_before_our_write(world, github, pull.pull.head)
    world.machines["i-1"].target = "m5.large"
    world.tomorrow()
    world.night()
    assert world.people.head(pull.pull.head) == pushed[0]
    assert "was moved by somebody else; it is left alone" in world.problems[0]
    world.tomorrow()
    (row,) = world.night()
    assert (row["state"], world.problems) == ("frozen", [])


def test_a_push_between_our_look_and_our_deletion_keeps_the_branch(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    pushed = alice_pushes_before_our_write(world, github, pull.pull.head)
    world.machines["i-1"].target = None
    world.tomorrow()
    world.night()
    assert world.people.issue(pull.number).state == "closed"
    assert world.people.head(pull.pull.head) == pushed[0]


def test_a_branch_of_other_people_is_not_taken(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    branch = only(world).pull.head
    world.people.close("alice", only(world).number)
    world.people.delete_branch("alice", branch)
    sha = world.people.push("alice", branch, {"README.md": b"mine\n"})
    query(world.dsn, "delete from nightshift.proposal_answers returning id")
    query(world.dsn, "update nightshift.pull_requests set state = 'closed', closed_at = '2025-04-01' returning id")
    world.noon()
    world.tomorrow()
    rows = world.night()
    assert world.people.head(branch) == sha
    assert [(row["state"], row["detail"]) for row in rows if row["state"] == "waiting"] == [
        ("waiting", "its branch has commits that are not Nightshift's")
    ]


def test_a_rebuild_that_names_the_commit_replaces_it_and_one_that_names_another_does_not(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    first = world.people.push("alice", pull.pull.head, {"README.md": b"mine\n"})
    world.people.comment("alice", pull.number, f"/nightshift rebuild {first[:8]}")
    second = world.people.push("alice", pull.pull.head, {"README.md": b"more of mine\n"})
    world.tomorrow()
    world.night()
    assert world.people.head(pull.pull.head) == second
    world.noon()
    world.people.comment("bob", pull.number, f"/nightshift rebuild {second[:8]}")
    world.tomorrow()
    world.night()
    assert [commit.sha for commit in world.people.commits(pull.pull.head)][1:] == [world.people.head("main")]
    assert only(world).number == pull.number


def test_closing_is_a_rejection_of_each_resource_whatever_the_group(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    first = only(world)
    world.people.close("alice", first.number)
    world.noon()
    # Another team and another risk are another group; the resources are the same.
    for each in world.machines.values():
        each.team, each.environment = "search", "prod"
    for _ in range(3):
        world.tomorrow()
        world.night()
    assert world.pulls() == []
    body = world.people.issue(2).body
    assert "## Rejected or snoozed" in body
    assert "- `i-1`: rejected by alice on 2025-03-10: pull request \\#\N{ZERO WIDTH SPACE}1 was closed unmerged" in body
    assert world.proposals()["i-1"]["held_back"] == (
        "It was rejected by alice on 2025-03-10: pull request #1 was closed unmerged."
    )


def test_a_rejection_outlives_its_days_as_long_as_the_evidence_is_the_same(new_world: NewWorld) -> None:
    world = new_world("i-1", rules={"rejection_days": 10})
    world.night()
    world.people.close("alice", only(world).number)
    world.noon()
    for _ in range(12):
        world.tomorrow()
        world.night()
    assert world.pulls() == []
    world.machines["i-1"].demand *= 2
    world.tomorrow()
    world.night()
    assert only(world).number > 1


def test_a_reopened_one_goes_on_and_closing_it_again_counts_again(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    for state in ("closed", "open", "closed"):
        (world.people.close if state == "closed" else world.people.reopen)("alice", pull.number)
        world.noon()
        world.tomorrow()
        world.night()
        assert [row["state"] for row in query(world.dsn, "select state from nightshift.pull_requests")] == [
            "rejected" if state == "closed" else "open"
        ]
    assert len(world.pulls("all")) == 1
    held = query(world.dsn, "select count(*) filter (where withdrawn_at is null) as held from nightshift.proposal_answers")
    assert held[0]["held"] == 1


def test_a_merge_is_followed_until_it_is_live(new_world: NewWorld) -> None:
    world = new_world("i-1", rules={"not_applied_days": 2})
    world.night()
    pull = only(world)
    world.people.merge("alice", pull.number)
    world.noon()
    states = []
    for _ in range(4):
        world.tomorrow()
        rows = world.night()
        states.append([row["state"] for row in rows])
    assert states == [["merged"]] * 4
    assert world.pulls() == [], "what is merged is not proposed again"
    assert "## Merged, not applied" in world.people.issue(2).body
    world.apply()
    world.machines["i-1"].target = None
    world.tomorrow()
    (row,) = world.night()
    assert (row["state"], row["ended_on"]) == ("applied", world.day)
    assert "Merged, not applied" not in world.people.issue(2).body


def test_a_merge_that_is_reverted_is_a_rejection(new_world: NewWorld) -> None:
    world = new_world("i-1")
    path = f"{ROOT}/i-1.tf"
    old = world.people.file("main", path)
    world.night()
    world.people.merge("alice", only(world).number)
    world.people.push("bob", "main", {path: old}, "Revert")
    world.noon()
    for _ in range(2):
        world.tomorrow()
        world.night()
    assert world.pulls() == []
    (row,) = query(world.dsn, "select state from nightshift.pull_requests")
    assert row["state"] == "reverted"
    assert "was merged and taken back" in world.people.issue(2).body


def test_a_snooze_closes_and_comes_back_on_its_day(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.people.comment("alice", pull.number, "Not before the sale.\n\n/nightshift snooze 3d the sale")
    world.noon()
    open_on = []
    for _ in range(5):
        world.tomorrow()
        world.night()
        open_on.append((world.day.day, len(world.pulls())))
    # Said on the 10th: until the 13th.
    assert open_on == [(10, 0), (11, 0), (12, 0), (13, 1), (14, 1)]
    answer, closing = world.people.comments(pull.number)[1:]
    assert answer.body.startswith("Snoozed until 2025-03-13: 1 resource.")
    assert "snoozed by alice on 2025-03-10 until 2025-03-13: the sale" in closing.body


def test_a_command_may_name_one_resource_and_be_taken_back(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    pull = only(world)
    world.people.comment("alice", pull.number, "/nightshift reject i-2 it is a spare")
    world.tomorrow()
    world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    assert (only(world).number, payload.resource_ids) == (pull.number, ("i-1",))
    world.noon()
    world.people.comment("bob", 2, "/nightshift unreject i-2")
    world.people.close("alice", pull.number)
    world.noon()
    world.tomorrow()
    world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    assert payload.resource_ids == ("i-2",)
    assert world.people.comments(2)[-1].body.startswith("It may be proposed again; before, it was rejected by alice.")


@pytest.mark.parametrize(
    ("login", "text", "told"),
    [
        ("mallory", "/nightshift reject all I say so", "Only people who may write"),
        ("alice", "/nightshift reject all", "Give a reason"),
        ("alice", "/nightshift snooze", "Say for how long"),
        ("alice", "/nightshift destroy everything", "That is none of"),
        ("alice", "/nightshift reject i-9 because", "This pull request has no such resource"),
    ],
)
def test_everybody_who_asks_is_answered_once_and_nothing_else_happens(new_world: NewWorld, github, login, text, told) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.people.comment(login, pull.number, text)
    for _ in range(2):
        world.tomorrow()
        world.night()
    said, answer = world.people.comments(pull.number)
    assert said.body == text
    assert answer.body.startswith(told)
    assert only(world).number == pull.number
    assert query(world.dsn, "select * from nightshift.proposal_answers") == []


def test_quotes_code_and_our_own_words_are_no_commands(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.people.comment(
        "alice", pull.number, "> /nightshift reject all no\n\n```\n/nightshift reject all no\n```\nsee /nightshift reject"
    )
    world.tomorrow()
    world.night()
    assert len(world.people.comments(pull.number)) == 1
    assert only(world).state == "open"


def test_an_answer_whose_sending_fails_is_given_by_the_next_night_and_counts_at_once(new_world: NewWorld, github) -> None:
    world = new_world("i-1", github={"attempts": 1})
    world.night()
    pull = only(world)
    world.people.comment("alice", pull.number, "/nightshift reject all no")
    github.faults.add(Fault("POST", "/comments$", "drop_before", times=10))
    world.tomorrow()
    world.night()
    assert len(world.people.comments(pull.number)) == 1
    assert [row["kind"] for row in query(world.dsn, "select kind from nightshift.proposal_answers")] == ["rejected"]
    github.faults.clear()
    world.tomorrow()
    world.night()
    bodies = [comment.body for comment in world.people.comments(pull.number)]
    assert sum(body.startswith("Rejected: 1 resource.") for body in bodies) == 1
    assert world.people.issue(pull.number).state == "closed"


def test_a_dashboard_that_somebody_closed_is_left_alone(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    world.people.close("alice", 2)
    body = world.people.issue(2).body
    world.machines["i-1"].target = None
    world.tomorrow()
    world.night()
    assert (world.people.issue(2).state, world.people.issue(2).body) == ("closed", body)
    assert len([issue for issue in world.people.issues("all") if issue.pull is None]) == 1


def test_a_lost_state_store_is_built_again_from_github(new_world: NewWorld, github) -> None:
    fleet = {**machines("i-1", team="a"), **machines("i-2", team="b"), **machines("i-3", team="c"), **machines("i-4", team="d")}
    world = new_world(fleet=fleet, rules={"max_new_per_night": 9})
    world.night()
    by_owner = {from_body(pull.body).key.owner: pull for pull in world.pulls()}
    world.people.close("alice", by_owner["b"].number)
    world.people.merge("alice", by_owner["c"].number)
    world.people.push("alice", by_owner["d"].pull.head, {"README.md": b"mine\n"})
    world.noon()
    for table in ("pull_requests", "proposal_answers", "repository_marks", "answered_comments"):
        query(world.dsn, f"truncate nightshift.{table}")
    world.tomorrow()
    rows = world.night()
    assert {row["owner"]: row["state"] for row in rows} == {"a": "open", "b": "rejected", "c": "merged", "d": "frozen"}
    assert len(world.pulls("all")) == 4
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert (len(world.pulls("all")), len(github.writes())) == (4, written)


def test_a_name_on_the_dashboard_must_be_one_of_the_inventory(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.people.comment("alice", 2, "/nightshift reject i-22 a slip of the pen")
    world.people.comment("alice", 2, "/nightshift snooze i-2 5d the sale")
    world.tomorrow()
    world.night()
    answers = [comment.body.splitlines()[0] for comment in world.people.comments(2)[2:]]
    assert answers == ["No resource has that name; write it as the dashboard does.", "Snoozed until 2025-03-15: 1 resource."]
    assert [row["resource_id"] for row in query(world.dsn, "select resource_id from nightshift.proposal_answers")] == ["i-2"]
