"""Digests in Slack: the cadence, working hours, one a day, and nothing twice whatever is cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.pipeline import action_item_answers as answers
from dagster_project.pipeline.action_item_reminders import FAILED, OUTBOX, SENT, WAITING, Reminded, remind
from dagster_project.settings_acting import SlackSettings
from tests.action_items.world import FIRST_DAY, World, action
from tests.github import GitHubServer
from tests.proposal_builders import Clock
from tests.slack import Fault, SlackServer

Day = Callable[[World, date], list[Reminded]]


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackServer]:
    with SlackServer(clock) as running:
        running.set_scopes(add=["im:write", "im:history"])
        yield running
    assert running.unexpected == []


@pytest.fixture
def world(github: GitHubServer, slack: SlackServer, clock: Clock, tmp_path: Path, dsn: str) -> World:
    alice, bob, lea = (slack.add_user(name, f"{name}@example.com") for name in ("alice", "bob", "lea"))
    channel = slack.add_channel("payments", members=[slack.bot, alice])
    people = (
        {"name": "Alice Smith", "slack": alice, "team": "payments", "also": ("alice",)},
        {"name": "Bob Jones", "slack": bob, "team": "payments", "zone": "Asia/Tokyo"},
        {"name": "Lea Lead", "slack": lea, "team": "payments"},
    )
    rules = {"repository": None, "followed": (), "people": people, "leads": {"payments": "Lea Lead"}, "reminders": True}
    found = World(github, clock, tmp_path, dsn, rules)
    found.slack = SlackSettings(base_url=slack.url, token=slack.bot_token, channel=channel, timeout_seconds=1, attempts=1)
    found.users = {"alice": alice, "bob": bob, "lea": lea}  # type: ignore[attr-defined]
    return found


def at(world: World, day: date, hour: int = 10, minute: int = 0) -> list[Reminded]:
    """Reminds at an hour of a day (UTC)."""
    world.clock.at = datetime.combine(day, time(hour, minute), UTC)
    world.day = day - timedelta(days=1)
    return remind(world.runtime(now=world.clock.at))


def told(slack: SlackServer, world: World, name: str) -> list[tuple[date, str]]:
    """What somebody was told in direct messages: the day, and all text of it."""
    messages = slack.direct_messages(world.users[name])  # type: ignore[attr-defined]
    return [(message.at.date(), json.dumps(message.blocks, ensure_ascii=False)) for message in messages]


def days(found: list[tuple[date, str]]) -> list[str]:
    return [f"{on:%m-%d}" for on, _ in found]


def noted(world: World, *rows: dict[str, Any]) -> None:
    world.has(*rows)
    world.night()


def test_the_cadence_goes_on_after_the_incident_is_closed(world: World, slack: SlackServer) -> None:
    # The best-known open-source tool reminds only while an incident is active.
    world.incidents["INC-1"] |= {"status": "closed", "resolved_at": datetime(2025, 3, 5, 9)}  # noqa: DTZ001 - the lake's
    noted(world, action(due_on=date(2025, 4, 1)))

    for number in range(60):
        at(world, FIRST_DAY + timedelta(days=1 + number))

    # 7 days and 1 day before (a Tuesday and a Monday), on the day, then every week.
    assert days(told(slack, world, "alice")) == ["03-25", "03-31", "04-01", "04-08", "04-15", "04-22", "04-29", "05-06"]
    # The lead hears of it once it is overdue for two weeks.
    assert days(told(slack, world, "lea")) == ["04-15", "04-22", "04-29", "05-06"]
    assert "owner: alice" in told(slack, world, "lea")[0][1]
    assert "14 days overdue, since 2025-04-01" in told(slack, world, "lea")[0][1]


def test_nobody_is_written_to_out_of_hours_and_everybody_by_their_own_clock(world: World, slack: SlackServer) -> None:
    monday = date(2025, 3, 31)
    noted(world, action("ACT-1", owner="Alice Smith"), action("ACT-2", owner="Bob Jones"))

    # Two in the morning in UTC is eleven in Tokyo.
    assert [(each.recipient, each.state) for each in at(world, monday, 2)] == [("Alice Smith", WAITING), ("Bob Jones", SENT)]
    assert [(each.recipient, each.state) for each in at(world, monday, 8, 59)] == [("Alice Smith", WAITING)]
    assert [(each.recipient, each.state) for each in at(world, monday, 9)] == [("Alice Smith", SENT)]
    assert at(world, monday, 14) == []


def test_weekends_wait_for_monday(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 3, 15)))  # a Saturday
    for number in range(12):
        at(world, date(2025, 3, 10) + timedelta(days=number))
    assert days(told(slack, world, "alice")) == ["03-10", "03-14", "03-17"]
    assert "2 days overdue, since 2025-03-15" in told(slack, world, "alice")[2][1]


def test_all_of_one_owner_is_one_digest_with_the_most_urgent_first(world: World, slack: SlackServer) -> None:
    noted(
        world,
        action("ACT-1", due_on=date(2025, 3, 31)),
        action("ACT-2", due_on=date(2025, 3, 20)),
        action("ACT-3", due_on=date(2025, 4, 1)),
        action("ACT-4", due_on=date(2025, 6, 1)),
    )
    (done,) = at(world, date(2025, 3, 31))

    assert (done.recipient, done.items, done.state) == ("Alice Smith", 3, SENT)
    ((_, text),) = told(slack, world, "alice")
    order = [text.index(word) for word in ("*Overdue*", "ACT-2", "*Due today*", "ACT-1", "*Due soon*", "ACT-3")]
    assert order == sorted(order)
    assert "ACT-4" not in text


def test_running_again_tells_nothing_twice(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 3, 31)))
    for hour in range(9, 17):
        at(world, date(2025, 3, 31), hour)
    assert len(told(slack, world, "alice")) == 1


def test_a_second_digest_of_a_day_waits_for_tomorrow(world: World, slack: SlackServer) -> None:
    noted(world, action("ACT-1", due_on=date(2025, 4, 1)))
    at(world, date(2025, 4, 1), 9)
    answers.add(world.runtime(), "Raise the alarm", {"owner": "Alice Smith", "due_on": "2025-04-02"})
    (waits,) = at(world, date(2025, 4, 1), 11)
    assert (waits.state, waits.detail) == (WAITING, "They have had today's digest; it waits for tomorrow's.")
    at(world, date(2025, 4, 2), 9)
    assert days(told(slack, world, "alice")) == ["04-01", "04-02"]


def test_an_answer_that_was_lost_is_looked_for_and_not_sent_again(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    slack.faults.add(Fault("chat.postMessage", "server_error", work_done=True))
    (failed,) = at(world, date(2025, 4, 1), 9)
    assert failed.state == FAILED
    assert at(world, date(2025, 4, 1), 10) == []
    assert at(world, date(2025, 4, 2), 10) == []
    assert days(told(slack, world, "alice")) == ["04-01"]


def test_a_digest_that_was_begun_and_not_sent_is_sent_by_the_next_run(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    slack.faults.add(Fault("chat.postMessage", "server_error"))
    assert [each.state for each in at(world, date(2025, 4, 1), 9)] == [FAILED]
    assert [each.state for each in at(world, date(2025, 4, 1), 10)] == [SENT]
    assert days(told(slack, world, "alice")) == ["04-01"]


def test_while_slack_cannot_be_asked_nothing_is_told_again(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    slack.faults.add(Fault("chat.postMessage", "server_error", work_done=True))
    slack.faults.add(Fault("conversations.history", "server_error", times=3))
    at(world, date(2025, 4, 1), 9)
    for hour in (10, 11, 12, 13):
        assert at(world, date(2025, 4, 1), hour) == []
    assert len(told(slack, world, "alice")) == 1


def test_what_slack_refuses_is_told_once_it_does_not(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    slack.app.has_messages_tab = False
    (failed,) = at(world, date(2025, 4, 1), 9)
    assert failed.state == FAILED
    assert "messages_tab_disabled" in (failed.detail or "")
    slack.app.has_messages_tab = True
    assert [each.state for each in at(world, date(2025, 4, 1), 12)] == [SENT]


def test_after_two_without_an_answer_the_rest_waits(world: World, slack: SlackServer) -> None:
    world.rules["hours"] = {"days": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "starts": "00:00", "ends": "23:59"}
    noted(world, *(action(f"ACT-{n}", owner=f"team-{n}", due_on=date(2025, 4, 1)) for n in range(5)))
    slack.faults.add(Fault("chat.postMessage", "server_error", times=100))
    done = at(world, date(2025, 4, 1))
    assert [each.state for each in done] == [FAILED] * 5
    assert len([entry for entry in slack.log if entry.method == "chat.postMessage"]) == 2


def test_what_is_done_or_declined_is_not_reminded_of(world: World, slack: SlackServer) -> None:
    noted(world, action("ACT-1", due_on=date(2025, 4, 1)), action("ACT-2", due_on=date(2025, 4, 1)))
    answers.done(world.runtime(), "ACT-1", None)
    answers.decline(world.runtime(), "ACT-2", "no", None)
    assert at(world, date(2025, 4, 1)) == []


def test_a_date_that_is_moved_begins_anew(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    at(world, date(2025, 4, 1))
    answers.say(world.runtime(), "ACT-1", {"due_on": "2025-04-15"}, "later")
    for number in range(2, 17):
        at(world, date(2025, 4, number))
    assert days(told(slack, world, "alice")) == ["04-01", "04-08", "04-14", "04-15"]


def test_items_of_nobody_are_told_to_the_lead_and_of_a_team_to_its_channel(world: World, slack: SlackServer) -> None:
    noted(
        world, action("ACT-1", owner=None, due_on=date(2025, 4, 1)), action("ACT-2", owner="search-team", due_on=date(2025, 4, 1))
    )
    done = at(world, date(2025, 4, 1))
    assert [(each.recipient, each.state) for each in done] == [("Lea Lead", SENT), ("search-team", SENT)]
    assert "owner: nobody" in told(slack, world, "lea")[0][1]


def test_whoever_leads_and_owns_is_told_once(world: World, slack: SlackServer) -> None:
    noted(world, action(owner="Lea Lead", due_on=date(2025, 3, 10)))
    (done,) = at(world, date(2025, 4, 1))
    assert (done.recipient, done.items) == ("Lea Lead", 1)


def test_without_a_channel_it_is_said_who_cannot_be_reached(world: World) -> None:
    world.slack = world.slack.model_copy(update={"channel": None})
    noted(world, action(owner="Somebody Else", due_on=date(2025, 4, 1)))
    (failed,) = at(world, date(2025, 4, 1))
    assert failed.state == FAILED
    assert "Nobody knows where to write to Somebody Else" in (failed.detail or "")


@pytest.mark.parametrize("without", ["token", "consent"])
def test_without_a_token_or_consent_digests_lie_in_the_outbox_and_nothing_is_told(
    world: World, slack: SlackServer, without: str
) -> None:
    if without == "token":
        world.slack = world.slack.model_copy(update={"token": None})
    else:
        world.rules["reminders"] = False
    noted(world, action(due_on=date(2025, 4, 1)))
    for hour in (2, 10):
        (done,) = at(world, date(2025, 4, 1), hour)
        assert done.state == OUTBOX

    file = world.folder / "home" / "outbox" / "2025-03-31" / "action_reminders" / "_"
    (found,) = file.parent.glob("*/message.json")
    message = json.loads(found.read_text(encoding="utf-8"))
    assert message["channel"] == world.users["alice"]  # type: ignore[attr-defined]
    assert "Cap the connections of ACT-1" in json.dumps(message["blocks"])
    assert [entry.method for entry in slack.log] == []


def test_a_dry_run_and_a_kill_switch_send_nothing(world: World, slack: SlackServer) -> None:
    noted(world, action(due_on=date(2025, 4, 1)))
    world.clock.at = datetime(2025, 4, 1, 10, tzinfo=UTC)
    world.day = date(2025, 3, 31)
    assert [each.state for each in remind(world.runtime(is_dry_run=True))] == [WAITING]
    (world.folder / "home" / "kill_switch").touch()
    assert [each.state for each in remind(world.runtime())] == [WAITING]
    assert slack.log == []


def test_markup_in_titles_is_text(world: World, slack: SlackServer) -> None:
    noted(world, action(title="<!channel> *Fix* `rm -rf` & <https://evil.example|this>", due_on=date(2025, 4, 1)))
    at(world, date(2025, 4, 1))
    ((_, text),) = told(slack, world, "alice")
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text
    assert "<https://evil.example" not in text
