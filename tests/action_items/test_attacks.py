"""Attacks."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
import polars as pl
import pytest

from dagster_project.pipeline import action_item_answers as answers
from dagster_project.pipeline.action_items import keep_action_items
from tests.action_items.conftest import NewWorld
from tests.action_items.world import BOT, ELSEWHERE, OTHER, REPOSITORY, World, action
from tests.github import Fault


def opened(new_world: NewWorld, *rows: dict[str, Any], **rules: Any) -> World:
    world = new_world(**rules)
    world.has(*(rows or (action(),)))
    world.night()
    world.tomorrow()
    return world


def pull_of(world: World) -> int:
    world.web.push("alice", "topic", {"a.txt": b"x"})
    return world.web.open_pull("alice", "Fix", head="topic")


def test_pull_closed_unmerged(new_world):
    world = new_world()
    number = pull_of(world)
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{number}"))
    world.night()
    world.tomorrow()
    world.web.close("alice", number)
    world.night()
    assert world.item().state == "lost"


def test_pull_never_written(new_world):
    world = new_world()
    number = pull_of(world)
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{number}"))
    world.night()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", None)
    world.night()
    assert world.server.writes() == []
    assert world.item().state == "done"


def test_closing_between_our_write_and_reread(new_world):
    world = opened(new_world)
    world.has(action(item_type="detect"))
    world.server.faults.add(Fault("GET", "/issues/1$", "moved", after_skipping=1, callback=lambda: world.ops.close("alice", 1)))
    world.night()
    world.tomorrow()
    assert world.server.faults.fired
    world.night()
    assert world.item().state == "done"


def test_title_edited_just_before_our_write(new_world):
    world = opened(new_world)
    world.has(action(title="Ours"))
    world.server.faults.add(Fault("GET", "/issues/1$", "moved", callback=lambda: world.ops.edit_title("alice", 1, "Theirs")))
    world.night()
    world.tomorrow()
    world.night()
    assert world.server.faults.fired
    assert world.issue().title == "Theirs"
    assert world.item().title == "Theirs"


def test_ghes_declined_stays(new_world):
    world = opened(new_world)
    world.server._hub.views.knows_state_reason = False
    answers.decline(world.runtime(), "ACT-1", "no", None)
    world.night()
    world.tomorrow()
    world.nights(2)
    assert world.item().state == "declined"


@pytest.mark.parametrize("given", [("github", f"{OTHER}#1"), ("jira", "PAY-1"), (None, None)])
@pytest.mark.parametrize("closed", [False, True])
def test_persons_other_tracker_is_kept(new_world, given, closed):
    world = opened(new_world)
    n = world.web.open_issue("alice", "theirs")
    if closed:
        world.web.close("alice", n)
        world.night()
        world.tomorrow()
    answers.say(world.runtime(), "ACT-1", {"tracker": given[0], "tracker_key": given[1]})
    world.nights(3)
    assert (world.item().tracker, world.item().tracker_key) == given


def test_persons_tracker_unreadable_place(new_world):
    world = opened(new_world)
    n = world.web.open_issue("alice", "theirs")
    answers.say(world.runtime(), "ACT-1", {"tracker": "github", "tracker_key": f"{OTHER}#{n}"})
    world.web.add_collaborator(BOT, "none")
    world.nights(2)
    assert world.item().tracker_key == f"{OTHER}#1"


@pytest.mark.parametrize("keys", [("acme/web#1", "Acme/Web#1"), ("acme/web#1", "acme/web#01")])
def test_two_spellings(new_world, keys):
    world = new_world()
    n = world.web.open_issue("alice", "theirs")
    world.has(*(action(f"ACT-{i}", tracker="github", tracker_key=key) for i, key in enumerate(keys)))
    world.night()
    world.tomorrow()
    world.web.close("alice", n)
    world.nights(2)
    assert {i.state for i in world.items().values()} == {"done"}


def test_people_issue_moved_followed(new_world):
    world = new_world()
    n = world.web.open_issue("alice", "theirs")
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{n}"))
    world.night()
    world.tomorrow()
    there = world.web.transfer_issue("alice", n, REPOSITORY)
    world.nights(2)
    assert (world.item().state, world.item().tracker_key) == ("open", f"{REPOSITORY}#{there}")


def test_poison_head_of_queue(new_world):
    world = new_world(team_repositories={"attic": ELSEWHERE}, max_new_per_night=5)
    world.attic.add_collaborator(BOT, "read")
    world.has(*(action(f"A-{n:02}", owner="attic-team", due_on=date(2025, 3, 10)) for n in range(25)), action("Z"))
    world.attic.repository.archived = True
    world.server.faults.add(Fault("POST", "/attic/issues$", "forbidden", times=10_000))
    world.rules["leads"] = {"attic": "x"}
    world.nights(3)
    print(world.synced.problems)
    assert world.items()["Z"].tracker_key is not None


def test_many_unreadable_block_writes(new_world):
    world = new_world(followed=tuple(f"acme/none{n}" for n in range(12)))
    world.has(action())
    world.night()
    print(world.synced.problems)
    assert len(world.issues()) == 1


def test_wrong_repository_corrected(new_world):
    world = new_world(repository=ELSEWHERE)
    world.attic.add_collaborator(BOT, "read")
    world.server.faults.add(Fault("POST", "/attic/issues$", "forbidden", times=10_000))
    world.has(action())
    world.night()
    world.tomorrow()
    world.rules["repository"] = REPOSITORY
    world.nights(2)
    print(world.synced)
    assert len(world.issues()) == 1


def test_due_sentinel(new_world):
    world = new_world()
    world.has(action("ACT-1", due_on=date(9999, 12, 31)), action("ACT-2"))
    world.night()
    print(world.synced.problems)
    assert world.items()["ACT-2"].tracker_key is not None


def test_milestone_echo_after_failed_assign(new_world):
    world = opened(new_world)
    world.ops.add_collaborator("bob", "none")
    answers.say(world.runtime(), "ACT-1", {"due_on": "2025-06-15", "owner": "Bob Jones"}, "later")
    world.nights(3)
    item = world.item()
    assert (item.due_on, item.slips) == (date(2025, 6, 15), 1)


def test_milestone_echo_after_state_loss(new_world):
    world = opened(new_world, action(due_on=None))
    world.forget()
    world.nights(2)
    assert world.item().due_source.startswith("policy"), world.item()


def test_done_after_crash_in_post(new_world):
    world = new_world()
    world.has(action())
    world.server.faults.add(Fault("POST", "/issues$", "drop_after"))
    world.server.faults.add(Fault("GET", "/issues$", "drop_before", times=50, after_skipping=4))
    world.night()
    world.server.faults.clear()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", "merged")
    world.nights(3)
    assert world.item().state == "done"
    assert world.issue().state == "closed"


def test_shared_issue_done_one(new_world):
    world = new_world()
    epic = world.web.open_issue("alice", "Everything about pools")
    world.has(*(action(name, tracker="github", tracker_key=f"{OTHER}#{epic}") for name in ("ACT-1", "ACT-2")))
    world.night()
    world.tomorrow()
    answers.done(world.runtime(), "ACT-1", None)
    world.nights(3)
    assert (world.items()["ACT-1"].state, world.items()["ACT-2"].state) == ("done", "open")
    assert world.web.issue(epic).state == "open"
    answers.done(world.runtime(), "ACT-2", None)
    world.nights(2)
    assert world.web.issue(epic).state == "closed"


def test_settings_people_do_not_assign_theirs(new_world):
    world = new_world(people=())
    n = world.web.open_issue("alice", "theirs")
    world.has(action(tracker="github", tracker_key=f"{OTHER}#{n}"))
    world.nights(2)
    del world.rules["people"]
    world.nights(2)
    assert world.server.writes() == []


def test_secret_in_github_title(new_world):
    world = opened(new_world)
    secret = "ghp_" + "a1B2" * 9
    world.ops.edit_title("alice", 1, f"Rotate {secret}")
    world.nights(2)
    assert secret not in str(world.events())


def test_secret_elsewhere(new_world):
    world = new_world()
    secret = "ghp_" + "a1B2" * 9
    world.has(action(owner=secret, priority=secret[:36], item_type=secret))
    world.night()
    sent = "".join(str(entry.body) for entry in world.server.writes())
    assert "a1B2a1B2" not in sent.lower() and "a1b2a1b2" not in sent.lower(), sent
    answers.done(world.runtime(), "ACT-1", f"with {secret}", is_verified=True)
    answers.say(world.runtime(), "ACT-1", {"owner": secret, "priority": secret, "team": secret})
    assert "a1b2a1b2" not in str(world.events()).lower()


@pytest.mark.parametrize("name", ["mention", "mark", "newline", "long", "empty", "rtl", "emoji", "zwj", "blank"])
def test_hostile_titles(new_world, name):
    text = {
        "mention": "@everyone @acme/all fix #12 and GH-3",
        "mark": f"<!-- nightshift:action-item {'0' * 16} -->",
        "newline": "a\nb\r\n\x1b[31mc",
        "long": "x" * 10_000,
        "empty": "",
        "rtl": "\u202eabc אבג",
        "emoji": "🔥" * 300,
        "zwj": "\u200b",
        "blank": " \n ",
    }[name]
    world = new_world()
    world.has(action(title=text, owner=text, priority=text, item_type=text), action("ACT-2"))
    world.nights(4)
    print(world.synced.problems, world.synced.waiting)
    assert world.synced.problems == []
    assert len(world.issues()) == 2
    writes = len(world.server.writes())
    body = world.ops.issue(1).body
    assert "@everyone" not in body, body
    events = len(world.events())
    world.nights(2)
    assert len(world.server.writes()) == writes
    assert len(world.events()) == events


def test_long_ids(new_world):
    import random

    rng = random.Random(1)
    name = "".join(rng.choice("abcdefghijklmnopqrstuvwxyzäöü0123456789") for _ in range(10_000))
    world = new_world()
    world.has(action(name), action("ACT-2"))
    world.night()
    assert world.items()["ACT-2"].tracker_key


def test_starvation_of_reads(new_world):
    world = opened(new_world, *(action(f"ACT-{n:02}") for n in range(12)))
    for n in range(1, 11):
        world.ops.close("stale[bot]", n)
    world.nights(1)
    assert sum(i.state == "lost" for i in world.items().values()) == 10
    world.rules["max_reads_per_night"] = 14
    for n in range(13, 13):
        pass
    world.ops.close("alice", 12)
    world.nights(3)
    print(world.synced)
    assert world.items()["ACT-11"].state == "done"


def test_rerun_same_bytes(new_world):
    world = new_world(max_new_per_night=1)
    world.has(action("ACT-1"), action("ACT-2", due_on=date(2025, 4, 2)))
    world.night()
    day = world.day
    first = world.table(day)
    world.tomorrow()
    world.night()
    world.tomorrow()
    keep_action_items(world.runtime(), day)
    assert world.table(day) == first


def test_unfollowed_moved(new_world):
    world = opened(new_world)
    world.ops.add_collaborator("alice", "write")
    world.attic.add_collaborator(BOT, "write")
    there = world.ops.transfer_issue("alice", 1, ELSEWHERE)
    answers.done(world.runtime(), "ACT-1", None)
    world.nights(3)
    assert world.attic.issue(there).state == "open"
    assert world.item().state == "done"


def test_imported_incident_add(new_world):
    pass


def test_dry_run_says_what_would_be(new_world):
    world = new_world(max_new_per_night=2)
    world.has(*(action(f"ACT-{n}") for n in range(5)))
    synced = world.night(is_dry_run=True)
    assert len(synced.planned) == 2


def test_outbox_for_teams_alone(new_world):
    world = new_world(repository=None, followed=(), team_repositories={"payments": REPOSITORY})
    world.has(action())
    world.server_token = None
    runtime = world.runtime()
    runtime = replace(
        runtime,
        settings=runtime.settings.model_copy(update={"github": runtime.settings.github.model_copy(update={"token": None})}),
    )
    from tests.incidents.capture.night import put

    put(runtime, "incident_action_items", *world.rows.values(), day=world.day)
    put(runtime, "incidents", day=world.day)
    put(runtime, "services", day=world.day)
    keep_action_items(runtime, world.day)
    assert list((world.folder / "home" / "outbox").glob("*/action_items/*/issue.json"))


def test_same_person_twice():
    from dagster_project.settings_action_items import ActionItemSettings

    ActionItemSettings(people=({"name": "alice", "also": ("Alice",), "github": "alice"},))
    with pytest.raises(ValueError):
        ActionItemSettings(people=({"name": "bob", "github": "alice"}, {"name": "Alice"}))


def test_crash_after_title_patch(new_world):
    world = opened(new_world)
    world.has(action(title="A  long\n" + "x" * 400))
    world.server.faults.add(Fault("GET", "/issues/1$", "drop_before", times=2, after_skipping=1))
    world.night()
    world.tomorrow()
    assert world.server.faults.fired
    world.nights(2)
    assert world.item().title == "A  long\n" + "x" * 400
