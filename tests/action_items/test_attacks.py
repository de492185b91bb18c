"""Attacks: people who act while a night writes, runs that are cut off, settings that change, hostile input."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from dagster_project.actions import action_item_store as store
from dagster_project.actions import incident_store
from dagster_project.connections.github import Connection
from dagster_project.domain.incidents.importing.model import to_document
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.errors import InputError
from dagster_project.lake.action_item_tables import ACTION_ITEM_REMINDERS
from dagster_project.pipeline import action_item_answers as answers
from dagster_project.pipeline.action_item_measures import measure_action_items
from dagster_project.pipeline.action_item_reminders import SENT, Reminded, remind, remind_night
from dagster_project.pipeline.action_item_report import action_items_in_report
from dagster_project.pipeline.action_items import keep_action_items
from dagster_project.pipeline.state import in_state
from dagster_project.settings_acting import SlackSettings
from dagster_project.settings_action_items import ActionItemSettings
from tests.action_items.conftest import NewWorld
from tests.action_items.world import BOT, ELSEWHERE, OTHER, REPOSITORY, World, action
from tests.github import Fault, GitHubServer
from tests.proposal_builders import Clock
from tests.slack import Fault as SlackFault
from tests.slack import SlackServer

SECRET = "ghp_" + "a1B2" * 9
Row = dict[str, Any]


def opened(new_world: NewWorld, *rows: Row, **rules: Any) -> World:
    """A world whose items have their issues since last night."""
    world = new_world(**rules)
    world.has(*(rows or (action(),)))
    world.night()
    world.tomorrow()
    return world


def linked(new_world: NewWorld, *keys: str, **rules: Any) -> World:
    """A world with an issue that people opened, named by as many items as there are keys for it."""
    world = new_world(**rules)
    world.web.open_issue("alice", "Everything about pools")
    world.has(*(action(f"ACT-{n}", tracker="github", tracker_key=key) for n, key in enumerate(keys or (f"{OTHER}#1",), start=1)))
    world.night()
    world.tomorrow()
    return world


def states(world: World) -> dict[str, str]:
    return {name: item.state for name, item in world.items().items()}


# What is not done must not become done.


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_pull_request_is_done_when_it_is_merged_and_not_when_it_is_closed(new_world: NewWorld, is_merged: bool) -> None:
    world = new_world()
    world.web.push("alice", "topic", {"a.txt": b"x"})
    number = world.web.open_pull("alice", "topic")
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{number}"))
    world.night()
    world.tomorrow()
    if is_merged:
        world.web.merge("alice", number)
    else:
        world.web.close("alice", number)
    world.nights(2)
    assert states(world) == {"ACT-1": "done" if is_merged else "lost"}
    assert is_merged or "closed without being merged" in (world.item().state_reason or "")


def test_a_pull_request_is_never_written_to(new_world: NewWorld) -> None:
    world = new_world()
    world.web.push("alice", "topic", {"a.txt": b"x"})
    number = world.web.open_pull("alice", "topic")
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{number}"))
    world.night()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", "done without it")
    answers.say(world.runtime(), "ACT-1", {"owner": "Bob Jones"})
    world.nights(2)
    assert world.server.writes() == []
    assert (states(world), world.synced.problems) == ({"ACT-1": "done"}, [])


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_declined_stays_declined_where_github_keeps_no_reasons(new_world: NewWorld, is_cut_off: bool) -> None:
    world = opened(new_world, action("ACT-1"), action("ACT-2"))
    world.server._hub.views.knows_state_reason = False
    answers.decline(world.runtime(), "ACT-1", "the service goes away", None)
    answers.done(world.runtime(), "ACT-2", None)
    if is_cut_off:
        world.server.faults.add(Fault("PATCH", "/issues/[12]$", "drop_after", times=4))
    world.nights(3)
    assert states(world) == {"ACT-1": "declined", "ACT-2": "done"}
    assert {issue.state for issue in world.issues()} == {"closed"}


def test_closing_for_one_item_does_not_end_another_one_with_the_same_issue(new_world: NewWorld) -> None:
    world = linked(new_world, f"{OTHER}#1", f"{OTHER}#1")
    answers.done(world.runtime(), "ACT-1", None)
    world.nights(2)
    assert (states(world), world.web.issue(1).state) == ({"ACT-1": "done", "ACT-2": "open"}, "open")
    answers.done(world.runtime(), "ACT-2", None)
    world.nights(2)
    assert (states(world), world.web.issue(1).state) == ({"ACT-1": "done", "ACT-2": "done"}, "closed")


def test_two_items_do_not_stand_for_each_other(new_world: NewWorld) -> None:
    world = opened(new_world, action("ACT-1"), action("ACT-2"))
    answers.decline(world.runtime(), "ACT-1", "the same", "ACT-2")
    with pytest.raises(InputError, match="ACT-1 is a duplicate itself"):
        answers.decline(world.runtime(), "ACT-2", "the same", "ACT-1")


# People act while a night writes.


def test_what_people_do_between_our_write_and_its_end_is_news_to_the_next_night(new_world: NewWorld) -> None:
    world = opened(new_world)
    world.has(action(item_type="detect"))
    world.server.faults.add(
        Fault("DELETE", "/labels/", "moved", callback=lambda: world.ops.close("alice", 1)),
        Fault("GET", "/issues/1$", "moved", after_skipping=1, callback=lambda: world.ops.edit_title("alice", 1, "Theirs")),
    )
    world.nights(2)
    assert world.server.faults.fired
    assert (world.item().state, world.item().title) == ("done", "Theirs")


@pytest.mark.parametrize("act", ["title", "assignee", "milestone"])
def test_what_people_changed_a_moment_ago_is_not_overwritten(new_world: NewWorld, act: str) -> None:
    world = opened(new_world)
    milestone = world.ops.create_milestone("alice", "Q3", datetime(2025, 9, 30, 12, tzinfo=UTC))
    acts: dict[str, Callable[[], None]] = {
        "title": lambda: world.ops.edit_title("alice", 1, "Theirs"),
        "assignee": lambda: world.ops.assign("alice", 1, "stale[bot]"),
        "milestone": lambda: world.ops.set_milestone("alice", 1, milestone),
    }
    world.has(action(title="Ours"))
    answers.say(world.runtime(), "ACT-1", {"due_on": "2025-06-15", "owner": "Bob Jones"}, "later")
    world.server.faults.add(Fault("GET", "/issues/1$", "moved", callback=acts[act]))
    world.nights(3)

    issue, item = world.issue(), world.item()
    assert world.synced.problems == []
    is_theirs = {"title": False, "assignee": False, "milestone": False, act: True}
    assert (issue.title, item.title) == (("Theirs",) * 2 if is_theirs["title"] else ("Ours",) * 2)
    assert (item.due_on == date(2025, 9, 30)) == is_theirs["milestone"]
    assert ("stale[bot]" in {each.login for each in issue.assignees}) == is_theirs["assignee"]


def test_what_was_said_here_is_written_to_an_issue_that_moved_the_same_day(new_world: NewWorld) -> None:
    world = opened(new_world)
    answers.done(world.runtime(), "ACT-1", None)
    there = world.ops.transfer_issue("alice", 1, OTHER)
    world.nights(2)
    assert (world.item().state, world.item().tracker_key) == ("done", f"{OTHER}#{there}")
    assert world.web.issue(there).state == "closed"


def test_an_issue_of_people_that_moved_to_a_followed_repository_is_followed_there(new_world: NewWorld) -> None:
    world = linked(new_world)
    there = world.web.transfer_issue("alice", 1, REPOSITORY)
    world.nights(2)
    assert (world.item().state, world.item().tracker_key) == ("open", f"{REPOSITORY}#{there}")
    world.ops.close("alice", there)
    world.night()
    assert world.item().state == "done"
    assert world.server.writes() == []


# Which issue is an item's.


@pytest.mark.parametrize("key", [f"{OTHER}#1", "PAY-1"])
@pytest.mark.parametrize("act", ["open", "closed", "hidden"])
def test_an_issue_that_people_named_is_not_taken_back_for_ours(new_world: NewWorld, key: str, act: str) -> None:
    world = opened(new_world)
    world.web.open_issue("alice", "Theirs")
    if act == "closed":
        world.web.close("alice", 1, "not_planned")
        world.night()
        world.tomorrow()
    answers.say(world.runtime(), "ACT-1", {"tracker": "github" if "#" in key else "jira", "tracker_key": key})
    if act == "hidden":
        world.web.add_collaborator(BOT, "none")
    world.nights(2)
    assert world.item().tracker_key == key
    assert len(world.issues()) == 1


def test_an_item_whose_link_is_taken_away_gets_no_second_issue(new_world: NewWorld) -> None:
    world = opened(new_world)
    answers.say(world.runtime(), "ACT-1", {"tracker": None, "tracker_key": None})
    world.nights(2)
    assert len(world.issues()) == 1
    assert world.item().tracker_key == f"{REPOSITORY}#1"


@pytest.mark.parametrize("other", ["Acme/Web#1", "acme/web#01"])
def test_an_issue_that_is_written_in_two_ways_is_followed_for_both_items(new_world: NewWorld, other: str) -> None:
    world = linked(new_world, f"{OTHER}#1", other)
    world.web.close("alice", 1)
    world.night()
    assert states(world) == {"ACT-1": "done", "ACT-2": "done"}


def test_nobody_is_assigned_to_people_s_issues_because_the_settings_learn_a_login(new_world: NewWorld) -> None:
    world = linked(new_world, people=())
    del world.rules["people"]
    world.nights(2)
    assert world.server.writes() == []
    answers.say(world.runtime(), "ACT-1", {"owner": "Bob Jones"})
    world.night()
    assert world.web.assignees(1) == ["bob"]


# Runs that are cut off.


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("number", range(0, 22, 3))
def test_a_run_that_is_killed_before_or_after_any_write_is_made_up_for(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    world = opened(new_world, action("ACT-1"), action("ACT-2"))
    world.ops.close("alice", 1)
    answers.say(world.runtime(), "ACT-2", {"due_on": "2025-06-15"}, "later")
    world.has(action("ACT-2", title="Two " + "words " * 60), action("ACT-3"))
    left = [number]

    def passed() -> None:
        left[0] -= 1
        if left[0] == -1:
            raise Killed

    def counted(what: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(*given: Any) -> None:
            passed()
            await what(*given)
            passed()

        def written(*given: Any) -> Any:
            passed()
            made = what(*given)
            passed()
            return made

        return noted if iscoroutinefunction(what) else written

    with monkeypatch.context() as patch:
        for name in ("add_events", "note_heard", "put_links", "note_place"):
            patch.setattr(store, name, counted(getattr(store, name)))
        patch.setattr(Connection, "write", counted(Connection.write))
        with pytest.raises(Killed):
            world.night()
    world.nights(2)

    assert states(world) == {"ACT-1": "done", "ACT-2": "open", "ACT-3": "open"}
    assert len(world.issues()) == 3
    item = world.items()["ACT-2"]
    assert (item.due_on, item.slips, len(item.title)) == (date(2025, 6, 15), 1, len("Two " + "words " * 60))
    assert sum(event.field == "state" for event in world.events()) == 1


def test_what_is_said_of_an_item_whose_issue_was_being_opened_is_written_to_it(new_world: NewWorld) -> None:
    world = new_world()
    world.has(action())
    world.server.faults.add(Fault("POST", "/issues$", "drop_after"))
    world.server.faults.add(Fault("GET", "/issues$", "drop_before", times=50, after_skipping=2))
    world.night()
    world.server.faults.clear()
    assert world.item().tracker_key is None
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", "merged")
    world.nights(2)
    assert (states(world), world.issue().state) == ({"ACT-1": "done"}, "closed")


def test_our_own_milestone_is_no_news_where_the_rest_of_a_change_failed(new_world: NewWorld) -> None:
    world = opened(new_world)
    world.ops.add_collaborator("bob", "none")
    answers.say(world.runtime(), "ACT-1", {"due_on": "2025-06-15", "owner": "Bob Jones"}, "later")
    world.nights(3)
    assert (world.item().due_on, world.item().slips) == (date(2025, 6, 15), 1)
    assert any("bob cannot be assigned" in problem for problem in world.synced.problems)


def test_our_own_milestone_gives_no_date_once_the_state_store_is_lost(new_world: NewWorld) -> None:
    world = opened(new_world, action(due_on=None))
    world.forget()
    world.nights(2)
    assert (world.item().due_source or "").startswith("policy: ")
    assert len(world.issues()) == 1


_TABLES = ("action_item_events", "action_item_sources", "action_item_links", "action_item_places")


def test_a_state_store_from_an_older_backup_finds_what_was_done_since(new_world: NewWorld, execute: Callable[..., None]) -> None:
    world = opened(new_world)
    execute("create schema backup")
    for name in _TABLES:
        execute(f"create table backup.{name} as table nightshift.{name}")
    world.has(action("ACT-2"), action("ACT-3"))
    world.night()
    world.tomorrow()
    world.ops.close("alice", 1, "not_planned")
    world.ops.close("alice", 2)
    world.night()
    world.tomorrow()
    world.ops.reopen("alice", 1)
    world.night()
    world.ops.close("alice", 3)
    world.forget()
    world.events()  # brings the schema up to date
    for name in _TABLES:
        overriding = "overriding system value " if name == "action_item_events" else ""
        execute(f"insert into nightshift.{name} {overriding}select * from backup.{name}")
    execute("select setval(pg_get_serial_sequence('nightshift.action_item_events', 'position'), 1000)")
    world.tomorrow()
    world.nights(2)
    assert states(world) == {"ACT-1": "open", "ACT-2": "done", "ACT-3": "done"}
    assert len(world.issues()) == 3


# What cannot be done must not hold up the rest.


def test_a_repository_that_refuses_does_not_hold_up_the_others(new_world: NewWorld) -> None:
    world = new_world(team_repositories={"attic": ELSEWHERE}, leads={"attic": "Bob Jones"}, max_new_per_night=3)
    world.attic.add_collaborator(BOT, "read")
    world.server.faults.add(Fault("POST", "/attic/", "forbidden", times=99))
    world.has(*(action(f"A-{n}", owner="attic-team", due_on=date(2025, 3, 10)) for n in range(5)), action("Z"))
    world.nights(2)
    assert world.items()["Z"].tracker_key is not None
    assert len([problem for problem in world.synced.problems if ELSEWHERE in problem]) == 1


def test_items_that_github_refuses_wait_behind_the_others(new_world: NewWorld) -> None:
    world = new_world(max_new_per_night=2, has_milestones=False)
    world.has(*(action(f"A-{n:02}", due_on=date(2025, 3, 10)) for n in range(10)), action("Z"))
    world.server.faults.add(Fault("POST", "/issues$", "server_error", times=20))
    world.night()
    assert world.synced.problems[-1] == "After 10 failures nothing more was written to issues; the next run goes on."
    world.server.faults.clear()
    world.tomorrow()
    world.night()
    assert world.items()["Z"].tracker_key is not None


def test_owners_who_cannot_be_assigned_do_not_stop_writing(new_world: NewWorld) -> None:
    world = opened(new_world, *(action(f"ACT-{n:02}") for n in range(11)))
    world.ops.add_collaborator("bob", "none")
    for n in range(11):
        answers.say(world.runtime(), f"ACT-{n:02}", {"owner": "Bob Jones"})
    world.has(action("Z"))
    world.nights(2)
    assert world.items()["Z"].tracker_key is not None
    assert len(world.synced.problems) == 11


def test_many_repositories_that_cannot_be_read_do_not_stop_writing(new_world: NewWorld) -> None:
    world = new_world(followed=tuple(f"acme/none-{n}" for n in range(12)))
    world.has(action())
    world.night()
    assert len(world.issues()) == 1


def test_a_wrong_repository_that_is_corrected_gets_the_issues_that_waited(new_world: NewWorld) -> None:
    world = new_world(repository=ELSEWHERE)
    world.attic.add_collaborator(BOT, "read")
    world.server.faults.add(Fault("POST", "/attic/", "forbidden", times=9))
    world.has(action())
    world.night()
    world.tomorrow()
    world.rules["repository"] = REPOSITORY
    world.nights(2)
    assert [issue.user.login for issue in world.issues()] == [BOT]
    assert world.item().tracker_key == f"{REPOSITORY}#1"


def test_an_archived_repository_is_called_so(new_world: NewWorld) -> None:
    world = opened(new_world)
    world.ops.repository.is_archived = True
    world.has(action("ACT-2"))
    world.night()
    assert "acme/ops is archived" in world.synced.waiting["ACT-2"]
    assert world.item().state == "open"


def test_what_bots_closed_does_not_use_up_the_reads_of_a_night(new_world: NewWorld) -> None:
    world = opened(new_world, *(action(f"ACT-{n:02}") for n in range(12)))
    for number in range(1, 11):
        world.ops.close("stale[bot]", number)
    world.night()
    world.rules["max_reads_per_night"] = 10
    world.tomorrow()
    world.ops.close("alice", 12)
    world.night()
    assert world.items()["ACT-11"].state == "done"
    assert any("issues were not looked at; raise actions.max_reads_per_night." in problem for problem in world.synced.problems)


def test_a_repository_that_is_too_large_for_the_reads_is_said_and_never_written_to_twice(new_world: NewWorld) -> None:
    from tests.github.models import Seed

    world = new_world(max_reads_per_night=10)
    world.ops.seed_issues("alice", [Seed(f"Old {n}") for n in range(1200)])
    world.has(action())
    world.night()
    assert any("spent before it was read whole; raise actions.max_reads_per_night." in each for each in world.synced.problems)
    assert world.issues() == []
    world.rules["max_reads_per_night"] = 40
    world.tomorrow()
    world.nights(2)
    assert len(world.issues()) == 1


# Hostile and huge.


@pytest.mark.parametrize(
    "text",
    [
        "@everyone @acme/all fix #12 GH-3",
        f"<!-- nightshift:action-item {'0' * 16} -->",
        "a\nb\r\n\x1b[31mc",
        "x" * 10_000,
        "",
        " \n ",
        "\u202eabc אבג",
        "🔥" * 300,
        "\u200b",
    ],
    ids=["mention", "mark", "newline", "long", "empty", "blank", "rtl", "emoji", "invisible"],
)
def test_whatever_words_an_item_has_it_gets_one_issue_that_stays_quiet(new_world: NewWorld, text: str) -> None:
    world = opened(new_world, action(title=text, owner=text, priority=text, item_type=text), action("ACT-2"))
    assert (world.synced.problems, len(world.issues())) == ([], 2)
    assert not any(each in (world.ops.issue(1).body or "") for each in ("@everyone", "@acme", "<!-- nightshift:action-item 0000"))
    before = len(world.server.writes()), len(world.events())
    world.nights(2)
    assert (len(world.server.writes()), len(world.events())) == before


def test_dates_at_the_end_of_time_and_names_without_end_do_not_stop_a_night(new_world: NewWorld) -> None:
    generator = random.Random(7)
    endless = "".join(chr(generator.randrange(0x4E00, 0x9000)) for _ in range(10_000))
    world = opened(new_world, action("ACT-1", due_on=date(9999, 12, 31)), action(endless, owner=endless), action("ACT-2"))
    world.nights(1)
    assert (world.synced.problems, len(world.items()), len(world.issues())) == ([], 3, 3)


def test_secrets_are_taken_out_of_every_field(new_world: NewWorld) -> None:
    world = opened(new_world, action(owner=SECRET, priority=SECRET, item_type=SECRET))
    world.ops.edit_title("alice", 1, f"Rotate {SECRET}")
    answers.done(world.runtime(), "ACT-1", f"with {SECRET}", is_verified=True)
    answers.say(world.runtime(), "ACT-1", {"owner": SECRET, "priority": SECRET, "team": SECRET})
    written = len(world.server.writes())
    world.nights(2)
    told = str(world.events()) + "".join(str(entry.body) for entry in world.server.writes())
    assert "a1b2a1b2" not in told.casefold()
    assert len(world.server.writes()) == written + 1  # it is closed, and the title stays people's


def test_an_empty_owner_is_nobody(new_world: NewWorld) -> None:
    world = opened(new_world)
    answers.say(world.runtime(), "ACT-1", {"owner": " "})
    assert world.item().owner is None


# What is said of it.


def test_a_dry_run_says_what_would_be_written_and_no_more(new_world: NewWorld) -> None:
    world = new_world(max_new_per_night=2)
    world.has(*(action(f"ACT-{n}") for n in range(5)))
    synced = world.night(is_dry_run=True)
    assert synced.planned == [f"open in {REPOSITORY}: Cap the connections of ACT-{n}" for n in (0, 1)]
    assert sorted(synced.waiting) == ["ACT-2", "ACT-3", "ACT-4"]


def test_without_credentials_issues_of_teams_lie_in_the_outbox_too(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world(repository=None, followed=(), team_repositories={"payments": REPOSITORY})
    world.has(action())
    settings = world.settings
    without = settings.model_copy(update={"github": settings.github.model_copy(update={"token": None})})
    world.night(settings=without)
    assert len(list((world.folder / "home" / "outbox").glob("*/action_items/*/issue.json"))) == 1
    answers.sync_now(world.runtime(settings=without))


def test_a_day_that_is_run_again_later_gives_the_same_rows(new_world: NewWorld) -> None:
    world = new_world(max_new_per_night=1)
    world.has(action("ACT-1"), action("ACT-2", due_on=date(2025, 4, 2)))
    world.night()
    day, first = world.day, world.table()
    assert first["ACT-2"]["problem"] is not None
    world.tomorrow()
    world.nights(2)
    keep_action_items(world.runtime(), day)
    assert world.table(day) == first


def test_the_report_lists_as_many_overdue_items_as_it_counts(new_world: NewWorld) -> None:
    world = new_world()
    world.has(*(action(f"ACT-{n}", due_on=date(2025, 3, 7) + timedelta(days=n)) for n in range(4)))
    world.night()
    measure_action_items(world.runtime(), world.day)
    remind_night(world.runtime(), world.day)
    found = action_items_in_report(world.runtime(), world.day)
    assert "2 overdue" in found.sentence
    assert [line.late for line in found.lines] == [2, 1]


def test_the_report_says_which_items_could_not_be_followed(new_world: NewWorld) -> None:
    world = opened(new_world)
    world.ops.repository.has_issues = False
    world.night()
    measure_action_items(world.runtime(), world.day)
    remind_night(world.runtime(), world.day)
    found = action_items_in_report(world.runtime(), world.day)
    assert found.problems == ("ACT-1: An issue in acme/ops could not be looked at; the item is as it was.",)


def test_one_person_may_be_listed_by_one_name_twice_and_two_may_not_share_one() -> None:
    ActionItemSettings.model_validate({"people": ({"name": "alice", "also": ("Alice",), "github": "alice"},)})
    with pytest.raises(ValueError, match="two people have the same name or login"):
        ActionItemSettings.model_validate({"people": ({"name": "bob", "github": "alice"}, {"name": "Alice"})})


# Reminders.


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackServer]:
    with SlackServer(clock) as running:
        running.set_scopes(add=["im:write", "im:history"])
        yield running
    assert running.unexpected == []


@pytest.fixture
def reminding(github: GitHubServer, slack: SlackServer, clock: Clock, tmp_path: Path, dsn: str) -> World:
    """A world without issues, of Alice and of Lea, who leads."""
    alice, lea = (slack.add_user(name, f"{name}@example.com") for name in ("alice", "lea"))
    people = ({"name": "alice", "slack": alice, "team": "payments"}, {"name": "lea", "slack": lea})
    rules = {"repository": None, "followed": (), "people": people, "leads": {"payments": "lea"}, "reminders": True}
    world = World(github, clock, tmp_path, dsn, rules)
    channel = slack.add_channel("all", members=[slack.bot])
    world.slack = SlackSettings(base_url=slack.url, token=slack.bot_token, channel=channel, timeout_seconds=1, attempts=1)
    return world


def at(world: World, day: date, hour: int = 10) -> list[Reminded]:
    world.clock.at = datetime.combine(day, time(hour), UTC)
    return remind(world.runtime(now=world.clock.at, settings=world.settings))


def test_a_run_beside_another_one_that_is_sending_does_not_take_its_digest_for_lost(reminding: World, slack: SlackServer) -> None:
    reminding.has(action(due_on=date(2025, 4, 1)))
    reminding.night()
    beside: list[list[Reminded]] = []
    meanwhile = SlackFault("chat.postMessage", "callback", callback=lambda: beside.append(remind(reminding.runtime())))
    slack.faults.add(meanwhile)
    for number in (1, 2, 3):
        at(reminding, date(2025, 4, number))
    assert beside == [[]]
    assert slack.posts == 1


def test_items_of_imported_postmortems_find_the_lead_of_their_team(reminding: World, slack: SlackServer) -> None:
    text = (
        "# Payments fail\n\nSeverity: SEV-1\nService: payment-api\nDate: 2025-03-03\n\n## Action items\n\n- Limit retries to 3\n"
    )
    (found,) = read_text(text, "payments.md").incidents
    name = found.incident.incident_id
    documents = [(name, found.file, to_document(found))]
    now = datetime(2025, 3, 9, tzinfo=UTC)
    in_state(reminding.runtime(), lambda connection: incident_store.add_imported(connection, documents, "ada", now), is_new=True)
    reminding.night()
    (row,) = reminding.table().values()
    assert (row["severity"], row["team"]) == ("SEV-1", "payments")
    assert [(each.recipient, each.state) for each in at(reminding, row["due_on"])] == [("lea", SENT)]
    added = answers.add(reminding.runtime(), "Alert when the pool is full", {"incident_id": name})
    assert added.due_source == "policy: Sev-1: 15 days"


def test_a_night_that_is_run_again_keeps_what_it_sent_on_record(reminding: World, slack: SlackServer) -> None:
    reminding.has(action(due_on=FIRST_REMINDED))
    reminding.rules["hours"] = {"starts": "00:00", "ends": "23:59:59"}
    reminding.day = FIRST_REMINDED - timedelta(days=1)
    reminding.night()
    path = reminding.runtime().lake.path(ACTION_ITEM_REMINDERS, reminding.day)
    remind_night(reminding.runtime(), reminding.day)
    first = path.read_bytes()
    remind_night(reminding.runtime(), reminding.day)
    later = replace(reminding.runtime(), now=reminding.clock.at + timedelta(days=3))
    remind_night(later, reminding.day)
    assert path.read_bytes() == first
    assert slack.posts == 1


FIRST_REMINDED = date(2025, 4, 1)


@pytest.mark.parametrize("owner", ["@everyone", "<!channel>", "z" * 10_000, "אבג\u202e", "x\ny", "🔥" * 500, ":/../..", "{0.a}"])
def test_whatever_an_owner_is_called_everybody_is_reminded_and_nobody_is_pinged(
    reminding: World, slack: SlackServer, owner: str
) -> None:
    hostile: Row = {"owner": owner, "incident_id": "<!here>", "priority": "<@U0123456>", "title": f"<!here> {owner}"}
    reminding.has(action("ACT-1", due_on=FIRST_REMINDED, **hostile), action("ACT-2", due_on=FIRST_REMINDED))
    reminding.night()
    assert [each.state for each in at(reminding, FIRST_REMINDED)] == [SENT, SENT]
    (message,) = slack.messages(str(reminding.slack.channel))
    marked = [message.text, *(block["text"]["text"] for block in message.blocks if block["type"] == "section")]
    assert not any(each in text for text in marked for each in ("<!", "<@"))
