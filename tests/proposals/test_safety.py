"""What never happens: acting without being allowed to, going past limits, and telling secrets."""

from __future__ import annotations

import itertools
import json
import logging
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dagster_project.domain.proposals.payload import from_body
from dagster_project.errors import NightshiftError
from dagster_project.pipeline.repositories import remote_of
from dagster_project.settings import ModeRule
from tests.conftest import query
from tests.github import Fault
from tests.proposal_builders import REPOSITORY, ROOT, STATE_SECRET, TOKEN, Machine, World, machines
from tests.proposals.conftest import NewWorld


def outbox(world: World) -> dict[str, set[str]]:
    folder = world.settings.outbox / world.day.isoformat() / "pull_requests"
    return {each.name: {file.name for file in each.iterdir()} for each in folder.iterdir()}


def test_report_only_is_the_default_and_writes_nothing(new_world: NewWorld, github) -> None:
    world = new_world("i-1", rules={"mode": "report_only"})
    rows = world.night()
    assert github.writes() == []
    assert [(row["state"], row["detail"]) for row in rows] == []
    assert world.proposals()["i-1"]["mode"] == "report_only"


def test_a_mode_of_a_service_and_environment_counts_for_these_alone(new_world: NewWorld) -> None:
    rules = (
        ModeRule(service="checkout", environment="prod", mode="report_only"),
        ModeRule(service="checkout", mode="propose"),
    )
    fleet = {
        **machines("i-1", service="checkout", environment="staging"),
        **machines("i-2", service="checkout", environment="prod"),
        **machines("i-3", service="search"),
        **machines("i-4", service=None),
    }
    world = new_world(fleet=fleet, rules={"mode": "report_only", "modes": rules})
    world.night()
    assert {name: row["mode"] for name, row in world.proposals().items()} == {
        "i-1": "propose", "i-2": "report_only", "i-3": "report_only", "i-4": "report_only",
    }  # fmt: skip
    held = [from_body(pull.body).resource_ids for pull in world.pulls()]
    assert held == [("i-1",)]


def test_what_is_open_stays_as_it_is_when_its_mode_is_taken_away(new_world: NewWorld, github) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    world.rules = {"mode": "propose", "modes": (ModeRule(service="payment-api", mode="report_only"),)}
    world.machines["i-1"].target = None
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written
    assert len(world.pulls()) == 1


@pytest.mark.parametrize("switch", [{"kill_switch": True}, {"mode": "report_only"}])
def test_a_kill_switch_stops_every_write_at_once(new_world: NewWorld, github, switch: dict) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    pull = world.pulls()[0]
    world.people.comment("alice", pull.number, "/nightshift reject all no")
    world.machines["i-1"].target = None
    world.rules = switch
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written
    world.rules = {}
    world.tomorrow()
    world.night()
    assert world.pulls() == []


def test_a_dry_run_says_what_it_would_do_and_does_and_keeps_nothing(new_world: NewWorld, github) -> None:
    fleet = {**machines("i-1", team="a"), **machines("i-2", team="b"), **machines("i-3", team="c")}
    world = new_world(fleet=fleet, rules={"max_new_per_night": 2})
    world.night()
    world.machines["i-1"].target = None
    world.tomorrow()
    written, before = len(github.writes()), query(world.dsn, "select * from nightshift.pull_requests order by id")
    rows = world.night(is_dry_run=True)
    assert {(row["detail"], row["resources"]) for row in rows if row["state"] == "planned"} == {
        ("would be closed", '["i-1"]'),
        ("would stay as it is", '["i-2"]'),
        ("would be opened", '["i-3"]'),
    }
    assert len(github.writes()) == written
    assert query(world.dsn, "select * from nightshift.pull_requests order by id") == before
    assert [set(files) for files in outbox(world).values()] == [{"body.md", "change.patch", "payload.json"}]


def test_a_back_fill_asks_github_nothing(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night(now=world.clock.now() + timedelta(days=3))
    assert github.log == []
    row = world.proposals()["i-1"]
    assert (row["route"], row["edit_code"]) == ("by_hand", "root_unreadable")


def test_a_code_or_state_that_cannot_be_read_tonight_closes_nothing(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    world.night()
    world.state.write_text("{")
    written = len(github.writes())
    world.tomorrow()
    world.night()
    assert len(github.writes()) == written
    assert len(world.pulls()) == 1
    assert "is no JSON" in world.problems[0]
    assert world.proposals()["i-1"]["edit_code"] == "root_unreadable"


def test_what_no_code_manages_goes_to_approval_and_stands_on_the_dashboard(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.machines["i-9"] = Machine("i-9")
    variable = b'variable "size" {\n  default = "2xlarge"\n}\n'
    composite = b'resource "aws_instance" "i_2" {\n  instance_type = "m5.${var.size}"\n}\n' + variable
    world.people.push("bob", "main", {f"{ROOT}/i-2.tf": composite})
    world.night()
    routes = {name: (row["route"], row["edit_code"]) for name, row in world.proposals().items()}
    assert routes == {
        "i-1": ("pull_request", "literal"),
        "i-2": ("by_hand", "composite_string"),
        "i-9": ("approval", "not_in_state"),
    }
    body = world.people.issue(2).body
    assert "## Cannot be edited" in body
    assert "- `i-9` ($140 a month): No state of the repositories in the settings has it." in body
    assert "- `i-2` ($140 a month): The value is put together from several parts" in body


def test_a_literal_is_changed_for_all_of_its_resources_or_for_none(new_world: NewWorld, github) -> None:
    world = new_world("i-1", "i-2", "i-3")
    shared = b'resource "aws_instance" "web" {\n  count         = 3\n  instance_type = "m5.2xlarge"\n}\n'
    removed = {f"{ROOT}/{name}.tf": None for name in world.machines}
    world.people.push("bob", "main", {**removed, f"{ROOT}/web.tf": shared})
    instances = [
        {"index_key": number, "attributes": {"id": name, "instance_type": "m5.2xlarge"}}
        for number, name in enumerate(world.machines)
    ]
    entry = {"mode": "managed", "type": "aws_instance", "name": "web", "instances": instances}
    world.state.write_text(json.dumps({"version": 4, "resources": [entry]}))
    world.machines["i-3"].target = None
    world.night()
    assert world.pulls() == []
    assert world.proposals()["i-1"]["edit_code"] == "shared_literal"
    world.machines["i-3"].target = "m5.xlarge"
    world.tomorrow()
    world.night()
    (pull,) = world.pulls()
    payload = from_body(pull.body)
    assert payload is not None
    assert payload.resource_ids == ("i-1", "i-2", "i-3")
    assert {(each.file, each.line) for each in payload.resources} == {(f"{ROOT}/web.tf", 3)}


def test_two_thousand_proposals_stay_within_the_limits_and_say_what_waits(new_world: NewWorld, github) -> None:
    """All that may be opened: the limits of the settings are off, those of GitHub stand."""
    fleet = {f"i-{n:04}": Machine(f"i-{n:04}", team=f"team-{n % 400}", savings=100.0 + n) for n in range(2000)}
    world = new_world(fleet=fleet, rules={"max_new_per_night": 200, "max_open": 200}, github={"max_writes_per_night": 250})
    rows = world.night()
    written = github.writes()
    at = [each.at.timestamp() for each in written]
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(at))
    assert all(sum(start <= moment < start + 60 for moment in at) <= 80 for start in at[::20])
    assert all(sum(start <= moment < start + 3600 for moment in at) <= 500 for start in at[::20])
    assert not [each for each in github.log if each.status in (403, 429)]
    states: dict[str, int] = {}
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + len(json.loads(row["resources"]))
    # The last one may have been cut off between being opened and being labelled.
    assert sum(row["number"] > 0 for row in rows) == len(world.pulls())
    assert states["open"] + states["waiting"] + states.get("opening", 0) == 2000
    assert 15 <= len(world.pulls()) <= 25
    assert all(len(pull.body) <= 58_000 for pull in world.pulls())
    assert "writes of a night are spent" in world.problems[0]


def test_more_resources_of_one_literal_than_a_body_can_hold_wait(new_world: NewWorld, github) -> None:
    names = [f"i-{number:017x}" for number in range(300)]
    world = new_world(fleet=machines(*names))
    removed = {f"{ROOT}/{name}.tf": None for name in names}
    shared = b'resource "aws_instance" "web" {\n  count         = 300\n  instance_type = "m5.2xlarge"\n}\n'
    world.people.push("bob", "main", {**removed, f"{ROOT}/web.tf": shared})
    instances = [
        {"index_key": number, "attributes": {"id": name, "instance_type": "m5.2xlarge"}} for number, name in enumerate(names)
    ]
    entry = {"mode": "managed", "type": "aws_instance", "name": "web", "instances": instances}
    world.state.write_text(json.dumps({"version": 4, "resources": [entry]}))
    (row,) = world.night()
    assert (row["state"], row["detail"]) == ("waiting", "its text would be longer than GitHub takes")
    assert world.pulls() == []


def test_limits_that_github_states_are_waited_for_once_they_are_short(new_world: NewWorld, github, clock) -> None:
    world = new_world("i-1", github={"longest_wait_seconds": 120})
    github.faults.add(Fault("POST", "/git/blobs$", "secondary_limit", retry_after=37))
    github.faults.add(Fault("POST", "/pulls$", "secondary_limit"))
    github.faults.add(Fault("POST", "/issues$", "too_quickly"))
    world.night()
    assert (len(world.pulls()), world.problems) == (1, [])
    assert [seconds for seconds in clock.slept if seconds > 10] == [37, 60, 60]


def test_a_limit_that_lasts_too_long_leaves_the_rest_to_the_next_night(new_world: NewWorld, github) -> None:
    world = new_world("i-1", github={"longest_wait_seconds": 120})
    github.faults.add(Fault("POST", "/pulls$", "primary_limit", seconds=3000))
    world.night()
    assert world.pulls() == []
    assert "asks to wait 3000 s" in world.problems[0] or "asks to wait 2999 s" in world.problems[0]
    world.tomorrow()
    world.night()
    assert (len(world.pulls()), world.problems) == (1, [])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("hang_before", "GitHub did not answer"),
        ("unauthorized", "GitHub refused to sign in"),
        ("forbidden", "GitHub does not allow"),
        ("server_error", "GitHub failed with 500"),
    ],
)
def test_a_failure_is_one_sentence_and_the_night_goes_on(new_world: NewWorld, github, kind: str, told: str) -> None:
    world = new_world("i-1", github={"attempts": 1})
    github.faults.add(Fault("POST", "/pulls$", kind))
    rows = world.night()
    assert told in world.problems[0]
    assert {row["state"] for row in rows} >= {"failed", "opening"}
    world.night()
    assert (len(world.pulls()), world.problems) == (1, [])


def test_one_repository_that_fails_does_not_stop_another(new_world: NewWorld, github) -> None:
    world = new_world("i-1")
    settings = world.settings
    lost = settings.repositories[0].model_copy(update={"name": "acme/lost"})
    runtime = world.runtime()
    both = settings.model_copy(update={"repositories": (lost, settings.repositories[0])})
    rows = world.night(settings=both)
    assert {(row["repository"], row["state"]) for row in rows} == {("acme/lost", "failed"), (REPOSITORY, "open")}
    assert runtime.settings.repositories != both.repositories


def test_two_runs_at_once_do_not_meet(new_world: NewWorld, github, execute) -> None:
    world = new_world("i-1")
    seen: list[str] = []

    def second_run() -> None:
        lock = query(world.dsn, "select pg_try_advisory_lock(hashtextextended('nightshift acme/infra', 0)) as is_free")
        seen.append(lock[0]["is_free"])

    github.faults.add(Fault("POST", "/git/blobs$", "moved", callback=second_run))
    world.night()
    assert seen == [False]
    assert len(world.pulls()) == 1


def test_secrets_are_told_nowhere(new_world: NewWorld, github, caplog: pytest.LogCaptureFixture) -> None:
    """The token, the state's content and the address of an archive: in no file, row, log, body, message or traceback."""
    caplog.set_level(logging.DEBUG)
    world = new_world("i-1", "i-2", github={"attempts": 1})
    raised = []
    for kind in ("unauthorized", "forbidden", "bad_gateway_before"):
        for path in ("/user$", "/tarball/", "/_codeload/", "/pulls$", "/graphql"):
            github.faults.add(Fault("*", path, kind))
            world.night()
            github.faults.clear()
            try:
                github.faults.add(Fault("*", "/user$", kind))
                remote_of(world.runtime(), world.settings.repositories[0])
            except NightshiftError as error:
                raised.append("".join(traceback.format_exception(error)))
            github.faults.clear()
    world.state.write_text('{"version": 4, "resources": "' + STATE_SECRET)
    world.night()
    assert raised
    told = [*raised, *world.problems, caplog.text, repr(world.settings), world.settings.model_dump_json()]
    told += [f"{each.title}{each.body}" for each in world.people.issues("all")]
    told += [f"{commit.message}" for branch in world.people.branches() for commit in world.people.commits(branch)]
    for table in ("pull_requests", "proposal_answers", "repository_marks", "nightly_runs"):
        told += [str(tuple(row)) for row in query(world.dsn, f"select * from nightshift.{table}")]
    files = [path for path in (world.folder / "home").rglob("*") if path.is_file() and "repositories" not in path.parts]
    told += [path.read_bytes().decode("latin-1") for path in files]
    for secret in (TOKEN, STATE_SECRET, "codeload"):
        assert [text[:200] for text in told if secret in text] == [], secret


def test_an_app_signs_in_for_its_installation_and_is_told_from_people(new_world: NewWorld, github, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    github.add_app(7, "nightshift", public.decode(), 70)
    (tmp_path / "app.pem").write_text(pem)
    world = new_world("i-1", github={"token": None, "app_id": 7, "app_key_file": tmp_path / "app.pem"})
    world.night()
    (pull,) = world.pulls()
    assert pull.user.login == "nightshift[bot]"
    github.faults.add(Fault("*", "/repos/acme/infra$", "unauthorized"))
    world.machines["i-1"].target = None
    world.tomorrow()
    world.night()
    assert world.problems == [], "a token that was refused is renewed once"
    assert world.pulls() == []
    assert query(world.dsn, "select * from nightshift.proposal_answers") == []


def test_a_repository_without_drafts_gets_a_plain_pull_request(new_world: NewWorld) -> None:
    world = new_world(fleet=machines("i-1", environment="prod"))
    world.people.repository.supports_drafts = False
    world.night()
    (pull,) = world.pulls()
    assert not pull.pull.draft
    assert world.people.labels(pull.number) == ["nightshift", "risk: medium"]


@pytest.mark.parametrize("is_archived", [True, False])
def test_a_repository_that_cannot_be_written_to_is_told_before_anything_is(new_world: NewWorld, github, is_archived) -> None:
    world = new_world("i-1")
    if is_archived:
        world.people.repository.is_archived = True
    else:
        world.people.add_collaborator("nightshift-bot", "read")
    (row,) = world.night()
    assert github.writes() == []
    told = "acme/infra is archived" if is_archived else "nightshift-bot may not write to acme/infra"
    assert (row["state"], row["detail"].startswith(told)) == ("failed", True)
