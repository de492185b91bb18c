"""What one night, or a few, do on GitHub: opening, keeping, updating, closing, and leaving alone."""

from __future__ import annotations

import os
from typing import Any

import pytest

from dagster_project.domain.proposals.payload import from_body
from dagster_project.lake.engine import Engine
from dagster_project.statements import Statement
from tests.conftest import query
from tests.github import Fault
from tests.proposal_builders import BOT, ROOT, Machine, World, machines
from tests.proposals.conftest import NewWorld

EVERY = int(os.environ.get("NIGHTSHIFT_SOAK_SEAMS", "2"))
"""Of so many calls a night is cut off at one, another one for each way to be cut off; 1 takes them all (make soak)."""


def only(world: World, state: str = "open"):
    (pull,) = world.pulls(state)
    return pull


def test_a_night_opens_one_pull_request_for_a_group(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2", "i-3")
    (row,) = world.night()
    pull = only(world)
    assert (row["state"], row["number"], row["savings_usd_month"]) == ("open", pull.number, 420.0)
    assert pull.title == "Right-size 3 resources of payments in envs/prod ($420 a month)"
    assert (pull.user.login, pull.pull.draft, pull.pull.base) == (BOT, False, "main")
    assert world.people.labels(pull.number) == ["nightshift", "risk: low"]
    assert [user.login for user in pull.pull.requested_reviewers] == ["alice"]
    assert [team.slug for team in pull.pull.requested_teams] == ["payments"]
    payload = from_body(pull.body)
    assert payload is not None
    assert payload.key.branch == pull.pull.head
    assert payload.resource_ids == ("i-1", "i-2", "i-3")


def test_a_week_of_samples_is_read_once_for_a_group(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question reads the samples of the whole fleet, and a fleet has groups of many lines."""
    asked: list[str] = []
    rows = Engine.rows

    def counted(engine: Engine, query: Statement, *parameters: Any) -> list[dict[str, Any]]:
        asked.append(query.name)
        return rows(engine, query, *parameters)

    monkeypatch.setattr(Engine, "rows", counted)
    world = new_world("i-1", "i-2", "i-3", "i-4")
    world.night()
    body = only(world).body
    assert [name in body for name in world.machines] == [True] * 4
    assert asked.count("reports/demand_by_hour") == 1


def test_the_branch_is_one_commit_on_the_base_with_exactly_the_edited_bytes(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    base = world.people.head("main")
    before = world.people.files("main")
    world.night()
    pull = only(world)
    commit, parent = world.people.commits(pull.pull.head)[:2]
    assert parent.sha == base
    assert commit.parents == (base,) or list(commit.parents) == [base]
    after = world.people.files(pull.pull.head)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {f"{ROOT}/i-1.tf", f"{ROOT}/i-2.tf"}
    assert after[f"{ROOT}/i-1.tf"] == before[f"{ROOT}/i-1.tf"].replace(b"m5.2xlarge", b"m5.xlarge")
    assert after.keys() == before.keys()
    assert commit.message.splitlines()[0] == pull.title


def test_modes_and_odd_bytes_of_a_file_are_kept(new_world: NewWorld) -> None:
    world = new_world("i-1")
    path = f"{ROOT}/i-1.tf"
    odd = world.people.file("main", path).replace(b"# sized\n", b"# gr\xc3\xb6\xc3\x9fe\r\n").rstrip(b"\n")
    world.people.push("bob", "main", {path: odd}, modes={path: "100755"})
    world.night()
    head = only(world).pull.head
    assert world.people.file(head, path) == odd.replace(b"m5.2xlarge", b"m5.xlarge")
    assert world.people.modes(head)[path] == "100755"


def test_the_same_night_again_and_the_next_write_nothing(new_world: NewWorld, github) -> None:
    world = new_world()
    first = world.night()
    written = len(github.writes())
    assert world.night() == first
    world.tomorrow()
    assert world.night() == first
    assert len(github.writes()) == written


def test_the_same_proposal_twice_makes_one_of_everything(new_world: NewWorld, github) -> None:
    """The answers to all writes are lost, although the work was done."""
    world = new_world("i-1", github={"attempts": 3})
    paths = ("/blobs$", "/trees$", "/commits$", "/graphql", "/pulls$", "/labels$", "/requested_reviewers$", "/issues$")
    for number, path in enumerate(paths):
        github.faults.add(Fault("POST", path, ("drop_after", "bad_gateway_after")[number % 2]))
    world.night()
    assert world.problems == []
    assert len(github.faults.fired) == len(paths)
    pull = only(world, "all")
    assert [branch for branch in world.people.branches() if branch != "main"] == [pull.pull.head]
    assert world.people.labels(pull.number) == ["nightshift", "risk: low"]
    (dashboard,) = (issue for issue in world.people.issues("all"))
    assert "nightshift:dashboard" in dashboard.body
    assert world.people.comments(pull.number) == []


@pytest.mark.parametrize(("kind", "calls"), [("drop_before", 0), ("drop_after", EVERY // 2)])
def test_a_run_that_is_cut_off_at_any_call_is_finished_by_the_next(new_world: NewWorld, github, kind: str, calls: int) -> None:
    """Each night is cut off some calls later, until one ends by itself; after each, a whole one finishes the work."""
    world = new_world("i-1", "i-2", github={"attempts": 1}, rules={"max_new_per_night": 9})
    is_cut_off = True
    while is_cut_off:
        cut = f"cut-{calls}"
        world.machines[cut] = Machine(cut, team=cut)
        world.people.push("bob", "main", {f"{ROOT}/{cut}.tf": _block(cut)})
        world.write_state()
        seen = len(github.log)
        github.faults.add(Fault("*", "", kind, after_skipping=calls))
        github.faults.add(Fault("*", "", "drop_before", times=10**6, after_skipping=calls))
        world.night()
        is_cut_off = bool(world.problems)
        github.faults.clear()
        assert calls == 0 or len(github.log) > seen
        world.night()
        assert world.problems == []
        mine = [pull for pull in world.pulls("all") if (payload := from_body(pull.body)) and payload.key.owner == cut]
        assert [pull.state for pull in mine] == ["open"]
        assert world.people.labels(mine[0].number) == ["nightshift", "risk: low"]
        assert [user.login for user in mine[0].pull.requested_reviewers] == ["alice"]
        states = query(world.dsn, "select state from nightshift.pull_requests where payload->'key'->>'owner' = $1", cut)
        assert [row["state"] for row in states] == ["open"]
        world.people.close("alice", mine[0].number)
        del world.machines[cut]
        world.noon()
        world.tomorrow()
        world.night()
        calls += EVERY
    assert calls > 20
    assert len([issue for issue in world.people.issues("all") if "nightshift:dashboard" in issue.body]) == 1


def _block(name: str) -> bytes:
    return f'resource "aws_instance" "{name.replace("-", "_")}" {{\n  instance_type = "m5.2xlarge" # sized\n}}\n'.encode()


def test_a_group_of_medium_risk_is_a_draft_and_says_why(new_world: NewWorld) -> None:
    world = new_world(fleet=machines("i-1", environment="prod"))
    world.night()
    pull = only(world)
    assert pull.pull.draft
    assert world.people.labels(pull.number) == ["nightshift", "risk: medium"]
    assert "A single machine in prod stops and starts; nothing takes over meanwhile." in pull.body


def test_at_most_five_lines_and_the_rest_waits_for_its_turn(new_world: NewWorld) -> None:
    world = new_world(fleet={f"i-{n}": Machine(f"i-{n}", savings=100.0 + n) for n in range(7)})
    rows = world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    # The five that are worth most, in the order of the code.
    assert payload.resource_ids == ("i-2", "i-3", "i-4", "i-5", "i-6")
    waiting = {row["resources"]: row["detail"] for row in rows if row["state"] == "waiting"}
    assert waiting == {'["i-0", "i-1"]': "its group is full"}
    world.people.merge("alice", only(world).number)
    world.apply()
    world.tomorrow()
    for each in world.machines.values():
        each.target = None if each.live == "m5.xlarge" else "m5.xlarge"
    world.night()
    payload = from_body(only(world).body)
    assert payload is not None
    assert payload.resource_ids == ("i-0", "i-1")


def test_a_number_that_moves_writes_nothing_and_another_size_rebuilds_the_one_commit(new_world: NewWorld, github) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    number, first = only(world).number, only(world).pull.head_sha
    written = len(github.writes())
    world.machines["i-1"].demand *= 1.1
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written
    world.machines["i-1"].target = "m5.large"
    world.tomorrow()
    world.night()
    pull = only(world)
    assert pull.number == number
    assert pull.pull.head_sha != first
    commits = world.people.commits(pull.pull.head)
    assert [commit.sha for commit in commits[1:]] == [world.people.head("main")]
    assert b"m5.large" in world.people.file(pull.pull.head, f"{ROOT}/i-1.tf")
    assert "`m5.2xlarge` → `m5.large`" in pull.body


def test_other_evidence_for_the_same_size_changes_the_text_alone(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    first, written = only(world).pull.head_sha, len(github.writes())
    world.machines["i-1"].demand *= 2
    world.tomorrow()
    world.night()
    assert only(world).pull.head_sha == first
    # The dashboard says the same as before.
    assert [(each.method, each.path) for each in github.writes()[written:]] == [("PATCH", "/repos/acme/infra/pulls/1")]


def test_a_base_that_changed_elsewhere_is_no_reason_to_write_and_one_that_changed_the_file_is(
    new_world: NewWorld, github
) -> None:
    world = new_world("i-1")
    world.night()
    written = len(github.writes())
    world.people.push("bob", "main", {"README.md": b"# other\n"})
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written
    path = f"{ROOT}/i-1.tf"
    world.people.push("bob", "main", {path: b"# more\n" + world.people.file("main", path)})
    world.tomorrow()
    world.night()
    head = only(world).pull.head
    assert world.people.file(head, path) == world.people.file("main", path).replace(b"m5.2xlarge", b"m5.xlarge")
    assert world.people.commits(head)[1].sha == world.people.head("main")
    assert f"`{path}:3`" in only(world).body


def test_evidence_that_is_gone_closes_with_the_evidence_and_deletes_the_branch(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    pull = only(world)
    world.machines["i-1"].target = None
    world.tomorrow()
    (row,) = world.night()
    assert (row["state"], row["ended_on"]) == ("closed", world.day)
    assert world.people.issue(pull.number).state == "closed"
    assert world.people.branches() == ["main"]
    (comment,) = world.people.comments(pull.number)
    assert "Closed, because it is no longer what the evidence says" in comment.body
    assert "i-1: CPU m5.large; 80 % is the limit." in comment.body
    world.machines["i-1"].target = "m5.xlarge"
    world.tomorrow()
    world.night()
    assert only(world).number > pull.number, "closing it ourselves is no rejection"


def test_one_of_several_that_is_gone_leaves_the_pull_request_with_the_others(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.machines["i-2"].target, world.machines["i-2"].reason = None, "refuse_open_incident"
    world.tomorrow()
    world.night()
    pull = only(world)
    payload = from_body(pull.body)
    assert payload is not None
    assert payload.resource_ids == ("i-1",)
    assert "## No longer part of this" in pull.body
    assert "Its service has an open incident" in pull.body
    assert world.people.file(pull.pull.head, f"{ROOT}/i-2.tf") == world.people.file("main", f"{ROOT}/i-2.tf")


@pytest.mark.parametrize("reason", ["insufficient_coverage", "refuse_blast_radius", "refuse_kill_switch"])
def test_a_night_that_says_nothing_about_it_leaves_it_open(new_world: NewWorld, github, reason: str) -> None:
    world = new_world("i-1")
    world.night()
    written = len(github.writes())
    world.machines["i-1"].target, world.machines["i-1"].reason = None, reason
    world.tomorrow()
    world.night()
    assert only(world).state == "open"
    assert len(github.writes()) == written


def test_missing_evidence_closes_it_after_the_days_of_the_setting(new_world: NewWorld) -> None:
    world = new_world("i-1", rules={"stale_evidence_days": 2})
    world.night()
    world.machines["i-1"].target, world.machines["i-1"].reason = None, "insufficient_coverage"
    states = []
    for _ in range(3):
        world.tomorrow()
        world.night()
        states.append(world.people.issue(1).state)
    assert states == ["open", "open", "closed"]


def test_another_group_takes_over_only_after_the_old_one_is_closed(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    old = only(world)
    world.machines["i-1"].team = "search"
    github.faults.add(Fault("PATCH", f"/pulls/{old.number}$", "forbidden"))
    world.tomorrow()
    world.night()
    assert [pull.number for pull in world.pulls()] == [old.number]
    assert len(world.problems) == 1
    world.tomorrow()
    world.night()
    new = only(world)
    assert new.number > old.number
    assert "it belongs to another group now (envs/prod, search, low risk)" in world.people.comments(old.number)[0].body


def test_risk_that_falls_keeps_the_pull_request_and_risk_that_rises_replaces_it(new_world: NewWorld, github) -> None:
    world = new_world(fleet=machines("i-1", exceedance=7.0))
    world.night()
    number, written = only(world).number, len(github.writes())
    world.machines["i-1"].exceedance = 1.0
    world.tomorrow()
    world.night()
    assert (only(world).number, len(github.writes())) == (number, written)
    world.machines["i-1"].environment, world.machines["i-1"].exceedance = "prod", 12.0
    world.tomorrow()
    world.night()
    assert only(world).number > number
    assert world.people.labels(only(world).number) == ["nightshift", "risk: high"]


def test_limits_of_a_night_and_of_open_ones(new_world: NewWorld) -> None:
    fleet = {f"i-{n}": Machine(f"i-{n}", team=f"team-{n}", savings=100.0 + n) for n in range(6)}
    world = new_world(fleet=fleet, rules={"max_new_per_night": 2, "max_open": 3})
    opened = []
    for _ in range(3):
        rows = world.night()
        opened.append(sorted(row["owner"] for row in rows if row["state"] == "open"))
        world.tomorrow()
    assert opened == [["team-4", "team-5"], ["team-3", "team-4", "team-5"], ["team-3", "team-4", "team-5"]]
    details = {row["owner"]: row["detail"] for row in rows if row["state"] == "waiting"}
    assert details == dict.fromkeys(["team-0", "team-1", "team-2"], "as many pull requests are open as may be")
    assert "as many pull requests are open as may be" in world.people.issue(3).body + world.people.issue(4).body
