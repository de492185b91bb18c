"""``nightshift actions``, with a database of the test's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.errors import InputError
from tests.action_items.conftest import NewWorld
from tests.action_items.world import World, action

Run = Callable[..., Result]


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """Two items: one long overdue, one due in the far future, as a night of March 2025 read them."""
    found = new_world(repository=None, followed=())
    found.has(
        action("ACT-1", title="Cap the pool", due_on=date(2025, 2, 1), tracker="jira", tracker_key="PAY-7"),
        action("ACT-2", title="Improve monitoring", due_on=date(2999, 1, 1), owner="bob"),
    )
    found.night()
    return found


@pytest.fixture
def run(world: World, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(world.folder / "home"))
    monkeypatch.setenv("NIGHTSHIFT_REPORTS", str(world.folder / "reports"))
    monkeypatch.setenv("NIGHTSHIFT_DSN", dsn)

    def command(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["actions", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return command


def test_the_list_has_what_is_due_first_at_its_top_and_counts_what_is_overdue(run: Run) -> None:
    lines = run("list").output.splitlines()
    assert lines[0].split() == ["Item", "state", "due", "owner", "team", "tracker", "title"]
    assert [line.split()[0] for line in lines[1:-1]] == ["ACT-1", "ACT-2"]
    assert re.search(r"^2 items, 1 overdue on \d{4}-\d\d-\d\d\.$", lines[-1])
    assert "d late" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--overdue",), ["ACT-1"]),
        (("--owner", "BOB"), ["ACT-2"]),
        (("--team", "payments"), ["ACT-1", "ACT-2"]),
        (("--incident", "INC-9"), []),
        ((), ["ACT-1", "ACT-2"]),
    ],
)
def test_the_list_can_be_narrowed(run: Run, arguments: tuple[str, ...], names: list[str]) -> None:
    found = [json.loads(line)["item_id"] for line in run("list", "--json", *arguments).output.splitlines()]
    assert found == names


def test_what_is_done_is_listed_only_when_it_is_asked_for(run: Run) -> None:
    assert "ACT-1  state: open → done" in run("done", "ACT-1", "--note", "merged in #12").output
    assert [json.loads(line)["item_id"] for line in run("list", "--json").output.splitlines()] == ["ACT-2"]
    both = [json.loads(line) for line in run("list", "--json", "--all").output.splitlines()]
    assert {each["item_id"]: each["state"] for each in both} == {"ACT-1": "done", "ACT-2": "open"}


def test_show_tells_hints_and_everything_that_happened(run: Run) -> None:
    run("set", "ACT-2", "--due", "2999-06-01", "--reason", "waits for the vendor")
    run("start", "ACT-2")
    text = run("show", "ACT-2").output
    assert "Due       2999-06-01 (person)" in text
    assert "Moved     1×, 151 days later in all; first 2999-01-01" in text
    assert "'Improve' can go on for ever" in text or "'improve' can go on for ever" in text
    assert re.search(r"due on → 2999-06-01 by \S+ \(person\): waits for the vendor", text)
    found = json.loads(run("show", "ACT-2", "--json").output)
    assert [event["field"] for event in found["history"]] == ["created", "due_on", "state"]


def test_a_later_date_needs_a_reason(run: Run) -> None:
    with pytest.raises(InputError, match=r"ACT-2 would slip from 2999-01-01 to 2999-02-01; say why with --reason\."):
        run("set", "ACT-2", "--due", "2999-02-01")
    run("set", "ACT-2", "--due", "2998-01-01")


def test_an_item_that_is_added_gets_a_date_by_the_severity_of_its_incident(run: Run, world: World) -> None:
    text = run(
        "add", "Alert when the pool is 90 % full", "--incident", "INC-1", "--type", "detect", "--owner", "Alice Smith"
    ).output
    found = re.fullmatch(r"(INC-1:\w{10}) is to be done by (\S+) \(policy: Sev-1: 15 days\)\.\n", text)
    assert found is not None, text
    shown = json.loads(run("show", found[1], "--json").output)
    assert (shown["item_type"], shown["owner"], shown["state"], shown["due_on"]) == ("detect", "Alice Smith", "open", found[2])
    with pytest.raises(InputError, match="is there already, with the same words"):
        run("add", "Alert when the pool is 90 % full", "--incident", "INC-1")


def test_an_item_that_is_added_is_told_what_it_lacks(run: Run) -> None:
    lines = run("add", "Better monitoring").output.splitlines()
    assert lines[1:] == [
        "Hint: It starts with 'better'; start with what is to be done, such as Add, Limit or Alert.",
        "Hint: 'better' has no finish line; say by what anybody sees that it is done.",
        "Hint: It has no owner; name one.",
    ]


def test_declined_is_not_done_and_a_duplicate_names_the_other_one(run: Run) -> None:
    run("decline", "ACT-1", "--reason", "the service goes away")
    run("decline", "ACT-2", "--reason", "same thing", "--duplicate-of", "ACT-1")
    found = {each["item_id"]: each for each in map(json.loads, run("list", "--json", "--all").output.splitlines())}
    assert (found["ACT-1"]["state"], found["ACT-1"]["done_at"]) == ("declined", None)
    assert (found["ACT-2"]["state"], found["ACT-2"]["state_reason"]) == ("duplicate", "ACT-1 stands for it. same thing")
    with pytest.raises(InputError, match="cannot be a duplicate of itself"):
        run("decline", "ACT-1", "--reason", "x", "--duplicate-of", "ACT-1")
    with pytest.raises(InputError, match="No action item ACT-9 is known"):
        run("decline", "ACT-1", "--reason", "x", "--duplicate-of", "ACT-9")


def test_done_twice_is_done_once_and_verified_is_more(run: Run) -> None:
    run("done", "ACT-1")
    first = json.loads(run("show", "ACT-1", "--json").output)
    assert "It was so already." in run("done", "ACT-1").output
    run("done", "ACT-1", "--verified", "--note", "held in the drill")
    later = json.loads(run("show", "ACT-1", "--json").output)
    assert (later["state"], later["verification"], later["done_at"]) == ("verified", "held in the drill", first["done_at"])
    assert "state: verified → open" in run("reopen", "ACT-1", "--reason", "it broke again").output


@pytest.mark.parametrize(
    ("given", "tracker", "key"),
    [
        ("acme/ops#12", "github", "acme/ops#12"),
        ("https://github.com/acme/ops/issues/12", "github", "acme/ops#12"),
        ("PAY-12", "jira", "PAY-12"),
        ("none", None, None),
    ],
)
def test_a_tracker_is_named_by_key_or_address(run: Run, given: str, tracker: str | None, key: str | None) -> None:
    run("set", "ACT-1", "--tracker", given)
    found = json.loads(run("show", "ACT-1", "--json").output)
    assert (found["tracker"], found["tracker_key"]) == (tracker, key)


@pytest.mark.parametrize("given", ["12", "#12", "ops#12", "somewhere"])
def test_what_is_no_issue_is_refused(run: Run, given: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"{given} is no issue; write it as owner/name#12")):
        run("set", "ACT-1", "--tracker", given)


def test_what_is_not_known_is_said(run: Run) -> None:
    for arguments in (
        ("show", "ACT-9"),
        ("done", "ACT-9"),
        ("reopen", "ACT-9", "--reason", "x"),
        ("set", "ACT-9", "--owner", "x"),
    ):
        with pytest.raises(InputError, match=r"No action item ACT-9 is known; 'nightshift actions list --all' has them\."):
            run(*arguments)
    with pytest.raises(InputError, match="No incident INC-404 is known"):
        run("add", "Cap it", "--incident", "INC-404")
    with pytest.raises(InputError, match="Say what to correct"):
        run("set", "ACT-1")
    with pytest.raises(InputError, match="There is no tracker to follow"):
        run("sync")


def test_reminders_lie_in_the_outbox_and_say_so(run: Run, world: World) -> None:
    text = run("remind").output
    assert "Alice Smith: 1 item, outbox. There is no Slack token; it lies in the outbox." in text or "outbox" in text
    assert list((world.folder / "home" / "outbox").glob("*/action_reminders/*/message.json"))


def test_secrets_that_people_type_are_not_kept(run: Run) -> None:
    secret = "ghp_" + "a1B2" * 9
    run("set", "ACT-1", "--title", f"Rotate {secret}", "--reason", f"it was {secret}")
    assert secret not in run("show", "ACT-1", "--json").output


def test_the_log_cannot_be_rewritten(run: Run, world: World, execute: Callable[..., None]) -> None:
    import asyncpg

    for statement in (
        "update nightshift.action_item_events set value = 'done'",
        "delete from nightshift.action_item_events",
        "truncate nightshift.action_item_events",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            execute(statement)


def test_help_of_every_command_teaches(run: Run) -> None:
    for name in ("list", "show", "add", "set", "start", "done", "decline", "reopen", "sync", "remind"):
        assert len(run(name, "--help").output.splitlines()) > 6
