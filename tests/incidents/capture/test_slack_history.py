"""What was said in Slack, over HTTP against the strict workspace: threads, edits, deletions, marks, limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from dagster_project.connections.slack import HISTORY_SCOPES, Slack
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import AccessDenied, SlackError
from dagster_project.settings_acting import SlackSettings
from dagster_project.sources import slack_channels, slack_history
from dagster_project.sources.history import Incomplete, NothingToRead
from dagster_project.sources.slack_history import SlackHistory, Talk, Topic
from dagster_project.sources.slack_texts import plain
from tests.aws.fixtures import Waits
from tests.slack.clock import Clock
from tests.slack.faults import Fault
from tests.slack.server import SlackServer

NOW = datetime(2025, 3, 9, 10, 0, tzinfo=UTC)
SINCE, UNTIL = (at.replace(tzinfo=None) for at in (NOW - timedelta(hours=10), NOW + timedelta(hours=14)))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackServer]:
    with SlackServer(clock) as server:
        server.set_scopes(add=["pins:read"])
        yield server
        assert server.unexpected == []


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def connection(slack: SlackServer, waits: Waits) -> Slack:
    return Slack(SlackSettings(base_url=slack.url, token=SecretStr(slack.bot_token)), waits)


@pytest.fixture
def mary(slack: SlackServer) -> str:
    return slack.add_user("mary", real_name="Mary Jones")


@pytest.fixture
def channel(slack: SlackServer, mary: str) -> str:
    return slack.add_channel("inc-123", [mary])


def talk(channel: str, is_whole: bool = True) -> Talk:
    return Talk(channel, SINCE, UNTIL, (Topic("INC-1", "payment", SINCE, UNTIL),), is_whole)


def said(source: SlackHistory) -> dict[str, Event]:
    return {event.source_event_id: event for event in source.read(SINCE, UNTIL)}


def history(connection: Slack, *talks: Talk) -> SlackHistory:
    return SlackHistory(connection, talks)


def test_a_message_is_told_with_its_author_its_time_and_a_link(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    ts = slack.people.say(mary, channel, f"<@{mary}> sees 5xx &amp; timeouts in <https://grafana/d/1|the dashboard> <!here>")
    (event,) = said(history(connection, talk(channel))).values()
    assert event.text == "@Mary Jones sees 5xx & timeouts in the dashboard (https://grafana/d/1) @here"
    assert (event.actor, event.lane, event.kind) == ("Mary Jones", "people", "message")
    assert (event.occurred_at, event.recorded_at) == (NOW.replace(tzinfo=None), NOW.replace(tzinfo=None))
    assert event.source_event_id == f"{channel}/{ts}"
    assert event.url == f"https://acme.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    assert (event.incident_id, event.service, event.payload["is_bot"]) == ("INC-1", "payment", False)


def test_replies_are_read_with_their_thread(slack: SlackServer, connection: Slack, channel: str, mary: str) -> None:
    root = slack.people.say(mary, channel, "rolling back")
    reply = slack.people.say(mary, channel, "done", thread_ts=root)
    found = said(history(connection, talk(channel)))
    assert [event.text for event in found.values()] == ["rolling back", "done"]
    assert found[f"{channel}/{reply}"].url.endswith(f"?thread_ts={root}&cid={channel}")
    assert found[f"{channel}/{reply}"].payload["listed_in"] == f"{channel}/{root}"


def test_an_edit_says_when_it_was_made_and_what_is_gone_is_not_listed(
    slack: SlackServer, connection: Slack, channel: str, mary: str, clock: Clock
) -> None:
    first, second = (slack.people.say(mary, channel, text) for text in ("payment is down", "wrong channel"))
    clock.advance(300)
    slack.people.edit(channel, first, "payment is slow")
    slack.people.delete(channel, second)
    source = history(connection, talk(channel))
    (event,) = said(source).values()
    assert (event.text, event.recorded_at) == ("payment is slow", (NOW + timedelta(minutes=5)).replace(tzinfo=None))
    places = {each.place: each for each in source.listed}
    assert places[channel].ids == {f"{channel}/{first}"}
    assert (places[channel].since, places[channel].until) == (SINCE, UNTIL)
    # Its thread, too: a reply that was captured and stands there no more would be gone.
    assert places[f"{channel}/{first}"].ids == frozenset()


def test_below_a_root_that_was_deleted_the_replies_are_still_read(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    root = slack.people.say(mary, channel, "the password is hunter2")
    reply = slack.people.say(mary, channel, "please delete that", thread_ts=root)
    slack.people.delete(channel, root)
    source = history(connection, talk(channel))
    assert [*said(source)] == [f"{channel}/{reply}"]
    assert {each.place: each.ids for each in source.listed} == {
        channel: frozenset(),
        f"{channel}/{root}": frozenset({f"{channel}/{reply}"}),
    }


def test_elsewhere_only_what_people_marked_or_pinned_is_evidence(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    marked, pinned, other, liked = (slack.people.say(mary, channel, text) for text in "abcd")
    slack.people.react(mary, channel, marked, "timeline")
    slack.people.react(mary, channel, liked, "tada")
    slack.people.pin(mary, channel, pinned)
    source = history(connection, talk(channel, is_whole=False))
    found = said(source)
    assert {event.text: event.kind for event in found.values()} == {"a": "message", "b": "pinned"}
    assert found[f"{channel}/{marked}"].payload["reactions"] == {"timeline": 1}
    assert found[f"{channel}/{pinned}"].payload["pinned_at"] == "2025-03-09T10:00:00"
    # What is not marked any more is not gone.
    assert source.listed[0].ids == {f"{channel}/{ts}" for ts in (marked, pinned, other, liked)}


def test_a_pinned_reply_belongs_to_it_as_well(slack: SlackServer, connection: Slack, channel: str, mary: str) -> None:
    root = slack.people.say(mary, channel, "question")
    slack.people.pin(mary, channel, slack.people.say(mary, channel, "root cause found", thread_ts=root))
    assert [event.text for event in said(history(connection, talk(channel, is_whole=False))).values()] == ["root cause found"]


def test_a_robot_is_named_and_its_attachments_are_read() -> None:
    message = {
        "text": "",
        "attachments": [{"title": "ALARM shop-cpu", "text": "97 %"}, {"fallback": "a graph"}],
        "files": [{"name": "heap.txt"}],
    }
    assert plain(message, str) == "ALARM shop-cpu\n97 %\na graph\n[heap.txt]"
    assert plain({"text": "see <#C1|ops> <!subteam^S1|@oncall> <https://a.b/c>"}, str) == "see #ops @oncall https://a.b/c"


def test_who_joined_says_nothing_and_a_person_who_is_gone_keeps_an_id(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    slack.people.say(mary, channel, "I asked <@U0GONE0001>")
    (event,) = said(history(connection, talk(channel))).values()
    assert event.text == "I asked @U0GONE0001"


def test_hundreds_of_messages_are_read_page_by_page_and_each_person_is_looked_up_once(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    for number in range(450):
        slack.people.say(mary, channel, f"line {number}")
    assert len(said(history(connection, talk(channel)))) == 450
    asked = {method: len(slack.requests(method)) for method in ("conversations.history", "users.info", "auth.test", "pins.list")}
    assert asked == {"conversations.history": 3, "users.info": 1, "auth.test": 1, "pins.list": 1}


@pytest.mark.parametrize("written", ["#inc-123", "inc-123", "{id}", "https://acme.slack.com/archives/{id}/p1741"])
def test_a_channel_is_found_by_what_people_write(
    slack: SlackServer, connection: Slack, channel: str, mary: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_channels, "_PAGE", 2)
    slack.set_scopes(add=["groups:read"])
    for number in range(5):
        slack.add_channel(f"team-{number}")
    slack.people.say(mary, channel, "here")
    assert len(said(history(connection, talk(written.format(id=channel))))) == 1
    assert len(slack.requests("conversations.list")) == (3 if "{id}" not in written else 0)


def test_a_channel_that_cannot_be_read_is_named_and_the_others_are_read(
    slack: SlackServer, connection: Slack, channel: str, mary: str
) -> None:
    slack.set_scopes(add=["groups:read"])
    closed = slack.add_channel("closed", [mary], with_bot=False)
    slack.people.say(mary, channel, "here")
    events = history(connection, talk(closed), talk("#nowhere"), talk(channel)).read(SINCE, UNTIL)
    assert next(events).text == "here"
    with pytest.raises(Incomplete, match="nowhere") as cut:
        next(events)
    assert str(cut.value).startswith(f"The channel {closed} was not read: Slack refused (not_in_channel); invite the bot")
    assert "there is no channel nowhere" in str(cut.value)
    # Of the time that the closed channels are about nothing is sure to be read.
    assert (cut.value.read_since, cut.value.read_until) == (UNTIL, UNTIL)


def test_what_is_not_kept_any_more_is_not_taken_for_deleted(
    slack: SlackServer, connection: Slack, channel: str, mary: str, clock: Clock
) -> None:
    clock.advance(60)
    root = slack.people.say(mary, channel, "rolling back")
    source = history(connection, talk(channel))
    said(source)
    places = {each.place: each.first_at for each in source.listed}
    at = (NOW + timedelta(minutes=1)).replace(tzinfo=None)
    assert places == {channel: at, f"{channel}/{root}": at}
    slack.people.delete(channel, root)
    said(source)
    assert [(each.place, each.first_at) for each in source.listed] == [(channel, None)]


def test_without_channels_slack_is_not_asked(slack: SlackServer, connection: Slack) -> None:
    with pytest.raises(NothingToRead, match="There is no channel to read"):
        history(connection).read(SINCE, UNTIL)
    assert slack.log == []


def test_a_channel_with_too_many_messages_judges_no_deletions(
    slack: SlackServer, connection: Slack, channel: str, mary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_history, "_PAGE", 2)
    monkeypatch.setattr(slack_history, "_PAGES", 2)
    for number in range(5):
        slack.people.say(mary, channel, str(number))
    source = history(connection, talk(channel))
    events = source.read(SINCE, UNTIL)
    assert [next(events).text for _ in range(4)] == ["4", "3", "2", "1"]
    with pytest.raises(Incomplete, match="it has more than 4 messages"):
        next(events)
    assert channel not in {each.place for each in source.listed}


def test_a_rate_limit_is_waited_for(slack: SlackServer, connection: Slack, channel: str, mary: str, waits: Waits) -> None:
    slack.people.say(mary, channel, "here")
    slack.faults.add(Fault("conversations.history", "ratelimited", retry_after=7))
    assert len(said(history(connection, talk(channel)))) == 1
    assert waits.slept == [7.0]


def test_no_answer_in_the_middle_fails_and_judges_nothing(
    slack: SlackServer, connection: Slack, channel: str, mary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_history, "_PAGE", 2)
    for number in range(5):
        slack.people.say(mary, channel, str(number))
    slack.faults.add(Fault("conversations.history", "drop", times=9, after_skipping=1))
    source = history(connection, talk(channel))
    events = source.read(SINCE, UNTIL)
    assert [next(events).text for _ in range(2)] == ["4", "3"]
    with pytest.raises(SlackError, match="Slack did not answer"):
        next(events)
    assert channel not in {each.place for each in source.listed}


@pytest.mark.parametrize("scope", ["channels:history", "pins:read", "users:read"])
def test_a_scope_that_is_missing_is_named(slack: SlackServer, connection: Slack, channel: str, mary: str, scope: str) -> None:
    assert scope in HISTORY_SCOPES
    slack.people.say(mary, channel, "here")
    slack.set_scopes(remove=[scope])
    with pytest.raises(AccessDenied, match=f"Slack asks for the scope {scope}"):
        said(history(connection, talk(channel)))


def test_in_a_shared_channel_a_message_is_about_the_incident_that_began_last() -> None:
    first = Topic("INC-1", "payment", SINCE, UNTIL)
    second = Topic("INC-2", "search", SINCE + timedelta(hours=1), UNTIL)
    whole = Talk("C1", SINCE, UNTIL, (first, second))
    assert whole.topic_of(SINCE) == first
    assert whole.topic_of(SINCE + timedelta(hours=2)) == second
    assert whole.topic_of(UNTIL) is None
    # Elsewhere it may be about either.
    assert Talk("C1", SINCE, UNTIL, (first, second), is_whole=False).topic_of(SINCE + timedelta(hours=2)) is None
