"""What a hostile reader tried: moved issues, forged bodies, races, floods, other repositories' people. Each once went wrong."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from dagster_project.domain.proposals.payload import from_body, to_comment
from dagster_project.settings import ModeRule, RepositorySettings, RootSettings
from tests.conftest import query
from tests.github import Fault
from tests.proposal_builders import BOT, REPOSITORY, ROOT, World, code_of, machines
from tests.proposals.conftest import NewWorld


def only(world: World, state: str = "open"):
    (pull,) = world.pulls(state)
    return pull


def standing(world: World) -> dict[str, str]:
    rows = query(world.dsn, "select resource_id, kind from nightshift.proposal_answers where withdrawn_at is null order by id")
    return {row["resource_id"]: row["kind"] for row in rows}


def test_an_issue_that_took_the_dashboards_number_is_not_written_over(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    precious = world.people.open_issue("bob", "Payroll is broken", "A very important text.")
    query(world.dsn, "update nightshift.repository_marks set dashboard = $1 returning repository", precious)
    world.machines["i-1"].target = "m5.large"
    world.tomorrow()
    world.night()
    assert world.people.issue(precious).body == "A very important text."
    assert world.problems == []
    assert "## Open" in world.people.issue(2).body


def test_an_expired_rejection_does_not_hide_a_snooze(new_world: NewWorld) -> None:
    world = new_world("i-1", rules={"rejection_days": 5})
    world.night()
    world.people.close("alice", only(world).number)
    world.noon()
    for _ in range(7):
        world.tomorrow()
        world.night()
    world.machines["i-1"].demand *= 3
    world.tomorrow()
    world.night()
    pull = only(world)
    world.people.comment("alice", pull.number, "/nightshift snooze 30d the sale")
    world.noon()
    for _ in range(3):
        world.tomorrow()
        world.night()
    assert world.pulls() == []


def test_two_commands_of_one_comment_both_count(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.people.comment("alice", only(world).number, "/nightshift snooze 3d later\n/nightshift reject i-2 it is a spare")
    world.noon()
    for _ in range(6):
        world.tomorrow()
        world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    assert payload.resource_ids == ("i-1",)


def test_a_merge_after_the_code_was_read_is_no_revert(new_world: NewWorld, github) -> None:
    """The head is read, then somebody merges, then the pull requests are listed."""
    world = new_world("i-1")
    world.night()
    pull = only(world)
    github.faults.add(Fault("GET", "/pulls$", "moved", callback=lambda: world.people.merge("alice", pull.number)))
    world.tomorrow()
    world.night()
    (row,) = query(world.dsn, "select state from nightshift.pull_requests")
    assert (row["state"], standing(world)) == ("merged", {})


def test_a_body_that_speaks_of_another_repository_is_not_believed(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    key = replace(payload.key, repository="acme/victim")
    forged = replace(payload, key=key)
    world.people.push("alice", key.branch, {"README.md": b"mine\n"})
    number = world.people.open_pull("alice", key.branch, title="mine", body=to_comment(forged))
    world.people.close("alice", number)
    world.noon()
    world.tomorrow()
    world.night()
    rows = query(world.dsn, "select distinct repository from nightshift.pull_requests")
    assert [row["repository"] for row in rows] == [REPOSITORY]
    assert standing(world) == {}


def test_people_of_one_repository_have_no_say_in_another(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    victim = github.create_repository("acme/victim", code_of(machines("i-2")))
    victim.add_collaborator(BOT, "write")
    victim.add_collaborator("carol", "write")
    state = world.folder / "victim.tfstate"
    state.write_text(json.dumps({"version": 4, "resources": [
        {"mode": "managed", "type": "aws_instance", "name": "i_2",
         "instances": [{"attributes": {"id": "i-2", "instance_type": "m5.2xlarge"}}]},
    ]}))  # fmt: skip
    world.machines |= machines("i-2", team="search")
    both = (
        *world.settings.repositories,
        RepositorySettings(name="acme/victim", roots=(RootSettings(path=ROOT, state=str(state)),)),
    )
    settings = world.settings.model_copy(update={"repositories": both})
    world.night(settings=settings)
    (pull,) = victim.pulls()
    victim.close("carol", pull.number)
    world.noon()
    world.tomorrow()
    world.night(settings=settings)
    assert standing(world) == {"i-2": "rejected"}
    world.people.comment("alice", 2, "/nightshift unreject i-2")
    world.people.comment("alice", 2, "/nightshift reject i-2 I say so")
    world.noon()
    world.tomorrow()
    world.night(settings=settings)
    assert [row["source"][:11] for row in query(world.dsn, "select source from nightshift.proposal_answers")] == ["acme/victim"]
    assert standing(world) == {"i-2": "rejected"}
    told = [comment.body.splitlines()[0] for comment in world.people.comments(2)[2:]]
    assert told[0].startswith("Nothing is rejected or snoozed under that name")
    assert told[1].startswith("No resource has that name")


@pytest.mark.parametrize("path", ["/git/trees", "/pulls$", "/user$"])
def test_an_answer_that_is_not_githubs_stops_one_repository_and_not_the_night(new_world: NewWorld, github, path: str) -> None:
    world = new_world("i-1")
    world.github = {"base_url": github.url.replace("/api/v3", "/elsewhere"), "attempts": 1}
    rows = world.night()
    assert [row["state"] for row in rows] == ["failed"]
    github.unexpected.clear()


def test_a_repository_that_was_renamed_is_told(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.people.repository.name = "platform"
    world.night()
    assert world.problems[0].startswith("acme/infra: acme/infra is called acme/platform now; correct its name")


def test_a_resource_is_not_opened_elsewhere_while_its_old_pull_request_cannot_let_go(new_world: NewWorld, github) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.machines["i-2"].team = "search"
    github.faults.add(
        Fault(
            "GET", "/pulls/1$", "moved", callback=lambda: world.people.push("alice", only(world).pull.head, {"README.md": b"x"})
        )
    )
    world.tomorrow()
    world.night()
    held = [name for pull in world.pulls() for name in from_body(pull.body).resource_ids]
    assert sorted(held) == ["i-1", "i-2"]


def test_writes_are_counted_over_all_repositories(new_world: NewWorld, github) -> None:
    world = new_world("i-1", github={"max_writes_per_night": 12})
    names = ("acme/b", "acme/c")
    for number, name in enumerate(names, start=2):
        fleet = machines(f"i-{number}")
        people = github.create_repository(name, code_of(fleet))
        people.add_collaborator(BOT, "write")
        world.machines |= fleet
        entry = {"attributes": {"id": f"i-{number}", "instance_type": "m5.2xlarge"}}
        resource = {"mode": "managed", "type": "aws_instance", "name": f"i_{number}", "instances": [entry]}
        (world.folder / f"{number}.tfstate").write_text(json.dumps({"version": 4, "resources": [resource]}))
    more = tuple(
        RepositorySettings(name=name, roots=(RootSettings(path=ROOT, state=str(world.folder / f"{number}.tfstate")),))
        for number, name in enumerate(names, start=2)
    )
    settings = world.settings.model_copy(update={"repositories": (*world.settings.repositories, *more)})
    world.night(settings=settings)
    at = [each.at.timestamp() for each in github.writes()]
    assert len(at) == 12
    assert min(later - earlier for earlier, later in itertools.pairwise(at)) >= 1
    assert "12 writes of a night are spent" in world.problems[0]


def test_strangers_cannot_use_up_the_night(new_world: NewWorld, github) -> None:
    world = new_world("i-1", "i-2", rules={"max_new_per_night": 1, "max_items": 1})
    world.night()
    number = only(world).number
    for each in range(60):
        world.people.add_collaborator(f"stranger-{each}", "read")
        for _ in range(3):
            world.people.comment(f"stranger-{each}", number, "/nightshift reject all because")
    world.people.comment("alice", number, "/nightshift reject all no" + " " * 60_000 + "x")
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert world.people.issue(number).state == "closed"
    assert len(world.pulls()) == 1, "the other one was opened"
    assert len(github.writes()) - written < 50


def test_a_comment_is_read_although_pages_shift(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    number = only(world).number
    first = world.people.comment("bob", number, "the first of many")
    for each in range(98):
        world.people.comment("bob", number, f"words {each}")
    world.noon()
    world.people.comment("bob", number, "the hundredth")
    world.people.comment("alice", number, "/nightshift reject all no")
    github.faults.add(
        Fault(
            "GET",
            "/issues/comments$",
            "moved",
            after_skipping=1,
            callback=lambda: world.people.edit_comment("bob", first, "edited"),
        )
    )
    world.tomorrow()
    world.night()
    assert standing(world) == {"i-1": "rejected"}


@pytest.mark.parametrize("name", ["closes", "updates"])
def test_one_that_was_merged_after_we_looked_is_left_alone(new_world: NewWorld, github, name: str) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.machines["i-1"].target = None if name == "closes" else "m5.large"
    branch = pull.pull.head
    github.faults.add(Fault("GET", f"/pulls/{pull.number}$", "moved", callback=lambda: world.people.merge("alice", pull.number)))
    world.tomorrow()
    world.night()
    assert world.people.issue(pull.number).pull.merged_at is not None
    assert [comment.body for comment in world.people.comments(pull.number)] == []
    assert world.people.head(branch) == pull.pull.head_sha
    world.tomorrow()
    world.night()
    assert [row["state"] for row in query(world.dsn, "select state from nightshift.pull_requests")] == ["merged"]


def test_a_night_without_the_resource_is_not_taken_for_its_change(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.people.merge("alice", only(world).number)
    world.machines["i-1"].is_listed = False
    world.noon()
    world.tomorrow()
    world.night()
    assert [row["state"] for row in query(world.dsn, "select state from nightshift.pull_requests")] == ["merged"]


def test_a_merge_with_another_value_is_done_when_that_is_live(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    path = f"{ROOT}/i-1.tf"
    other = world.people.file(pull.pull.head, path).replace(b"m5.xlarge", b"m5.large")
    world.people.push("alice", pull.pull.head, {path: other})
    world.people.merge("alice", pull.number)
    world.apply()
    world.machines["i-1"].target = None
    world.noon()
    world.tomorrow()
    world.night()
    assert [row["state"] for row in query(world.dsn, "select state from nightshift.pull_requests")] == ["applied"]


def test_our_own_closing_stays_ours_when_the_account_changes(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.machines["i-1"].target = None
    world.tomorrow()
    world.night()
    github.add_token("ghp_other", login="other-bot")
    world.people.add_collaborator("other-bot", "write")
    world.github = {"token": "ghp_other"}
    world.people.comment("alice", pull.number, "why?")
    world.machines["i-1"].target = "m5.xlarge"
    world.tomorrow()
    world.night()
    assert standing(world) == {}
    assert only(world).number > pull.number


def test_reviewers_that_may_not_be_asked_do_not_hold_anything_up(new_world: NewWorld, github) -> None:
    world = new_world(fleet={**machines("i-1", team="a"), **machines("i-2", team="b")})
    github.faults.add(Fault("POST", "/requested_reviewers$", "forbidden", times=9))
    rows = world.night()
    assert [row["state"] for row in rows] == ["open", "open"]
    assert world.problems == []


def test_a_failure_of_one_group_does_not_stop_another(new_world: NewWorld, github) -> None:
    world = new_world(fleet={**machines("i-1", team="a", savings=200.0), **machines("i-2", team="b")}, github={"attempts": 1})
    github.faults.add(Fault("POST", "/pulls$", "server_error"))
    rows = world.night()
    assert sorted(row["state"] for row in rows) == ["failed", "open", "opening"]


def test_nights_that_did_not_run_say_nothing_against_a_pull_request(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    world.day += timedelta(days=9)
    world.machines["i-1"].target, world.machines["i-1"].reason = None, "insufficient_coverage"
    world.night()
    assert only(world).state == "open"


def test_a_corrected_comment_is_heard(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    number = only(world).number
    comment = world.people.comment("alice", number, "/nightshift rejct all no")
    world.tomorrow()
    world.night()
    world.noon()
    world.people.edit_comment("alice", comment, "/nightshift reject all no")
    world.tomorrow()
    world.night()
    assert standing(world) == {"i-1": "rejected"}
    assert len(world.people.comments(number)) == 4  # said, told the usage, told that it is rejected, closed


def test_a_rebuild_is_made_on_the_present_base(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    world.people.push("bob", "main", {"README.md": b"new\n"})
    world.people.comment("alice", only(world).number, "/nightshift rebuild")
    world.tomorrow()
    world.night()
    assert world.people.commits(only(world).pull.head)[1].sha == world.people.head("main")


def test_a_night_that_is_run_again_opens_no_more(new_world: NewWorld) -> None:
    fleet = {name: each for n in range(6) for name, each in machines(f"i-{n}", team=f"team-{n}").items()}
    world = new_world(fleet=fleet, rules={"max_new_per_night": 2})
    for _ in range(3):
        world.night()
    assert len(world.pulls()) == 2


def test_a_mode_that_forbids_counts_for_what_may_be_meant(new_world: NewWorld) -> None:
    fleet = {
        **machines("i-1", environment="Prod"),
        **machines("i-2", environment=None),
        **machines("i-3", environment="staging"),
    }
    world = new_world(fleet=fleet, rules={"mode": "propose", "modes": (ModeRule(environment="prod", mode="report_only"),)})
    world.night()
    assert [from_body(pull.body).resource_ids for pull in world.pulls()] == [("i-3",)]


def test_a_switch_that_is_thrown_stops_a_night_that_runs(new_world: NewWorld, github) -> None:
    fleet = {name: each for n in range(3) for name, each in machines(f"i-{n}", team=f"team-{n}").items()}
    world = new_world(fleet=fleet)
    home = world.settings.home
    github.faults.add(Fault("POST", "/pulls$", "moved", callback=lambda: (home / "kill_switch").touch()))
    rows = world.night()
    assert len(world.pulls()) == 1
    assert [row["detail"] for row in rows if row["state"] == "waiting"] == ["it waits for what could not be done tonight"] * 2


def test_a_bot_that_tidies_up_gives_no_persons_no(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.people.add_collaborator("stale[bot]", "write")
    world.night()
    world.people.close("stale[bot]", only(world).number)
    world.noon()
    world.tomorrow()
    world.night()
    assert (standing(world), world.pulls()) == ({"i-1": "snoozed"}, [])


def test_a_dashboards_rejection_survives_a_lost_state_store(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2", rules={"max_items": 1})
    world.night()
    world.people.comment("alice", 2, "/nightshift reject i-2 it is a spare")
    for table in ("pull_requests", "proposal_answers", "repository_marks", "answered_comments"):
        query(world.dsn, f"truncate nightshift.{table}")
    world.tomorrow()
    world.night()
    assert standing(world) == {"i-2": "rejected"}
