"""What was said in Slack: incident channels whole, and elsewhere what people marked with a reaction or pinned.

An edit is another version of a message. Slack does not tell of deletions: of each channel and thread that was listed to its end
the ids are kept, so that what was captured before and is not there any more can be told. What a workspace keeps no longer is not
there either, the oldest first: only what stands behind something that is still there was deleted by somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.connections.slack import Slack
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import AccessDenied, SlackError
from dagster_project.sources.history import Incomplete, Listed, NothingToRead, aware, read_each, utc
from dagster_project.sources.slack_channels import ChannelIds
from dagster_project.sources.slack_texts import plain

MARKS = frozenset({"timeline", "clock", "pushpin"})
"""Reactions with which people say that a message belongs to the timeline."""
LOOK_BACK_DAYS = 90
"""How far a first night goes back."""
_RE_READ = timedelta(days=3)
"""How far back reactions, pins and edits outside of incident channels are looked for."""
_PAGE = 200
_PAGES = 100
_SILENT = frozenset({"channel_join", "channel_leave", "group_join", "group_leave", "tombstone"})
"""Kinds of messages in which nobody says anything; a tombstone stands where the root of a thread was deleted."""
_NO_CHANNEL = "There is no channel to read: no incident of the night has a slack_channel, and the settings have no slack.channel."
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topic:
    """An incident, and when (naive UTC) it was talked about."""

    incident_id: str
    service: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Talk:
    """A stretch (naive UTC) of a channel (id, name or address), and what it may be about. Without ``is_whole`` only what was
    marked or pinned is evidence."""

    channel: str
    since: datetime
    until: datetime
    topics: tuple[Topic, ...] = ()
    is_whole: bool = True

    def topic_of(self, at: datetime) -> Topic | None:
        """What a message is about: in a channel of incidents the one that began last; elsewhere only where there is one."""
        found = [topic for topic in self.topics if topic.since <= at < topic.until]
        if not found or (len(found) > 1 and not self.is_whole):
            return None
        return max(found, key=lambda topic: (topic.since, topic.incident_id))


@dataclass(slots=True)
class SlackHistory:
    """The talks of incidents. ``listed`` is what the last ``read`` listed to its end."""

    slack: Slack
    talks: Sequence[Talk]
    name: str = "slack"
    keeps_days: int = LOOK_BACK_DAYS
    listed: list[Listed] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Messages of every talk up to ``until``. What a talk said before ``since`` is read again, as it may have been edited.

        Raises ``AccessDenied``, ``SlackError``, ``Incomplete`` where a channel is closed to the bot or has too many messages, or
        ``NothingToRead`` without any talk.
        """
        self.listed.clear()
        if not self.talks:
            raise NothingToRead(_NO_CHANNEL)
        ids = ChannelIds(self.slack)
        return read_each(self.talks, lambda talk: self._talk(ids, talk, since, until))

    def _talk(self, ids: ChannelIds, talk: Talk, since: datetime, until: datetime) -> Iterator[Event]:
        start = talk.since if talk.is_whole else max(talk.since, since - _RE_READ)
        end = min(talk.until, until)
        if start >= end:
            return
        try:
            yield from self._channel(ids.of(talk.channel), talk, start, end)
        except AccessDenied:
            raise
        except SlackError as error:
            if error.code is None or error.code == "ratelimited":
                raise
            # Of this channel only: it was deleted, or the bot is not in it.
            raise Incomplete(f"The channel {talk.channel} was not read: {error}", until, end) from None

    def _channel(self, channel: str, talk: Talk, start: datetime, end: datetime) -> Iterator[Event]:
        seen: set[str] = set()
        first_at: datetime | None = None
        pins = {pin["message"]["ts"]: pin for pin in self._pins(channel)}
        for message in self._history(channel, start, end):
            # They come newest first; a tombstone is a trace of what somebody deleted.
            first_at = _at(message["ts"])
            seen |= {_id(channel, message["ts"])} if message.get("subtype") != "tombstone" else set()
            yield from self._said(channel, talk, message, pins)
            if talk.is_whole and message.get("thread_ts") in (None, message["ts"]):
                yield from self._thread(channel, talk, message, pins)
        self.listed.append(Listed(channel, start, end, frozenset(seen), first_at))
        # What was pinned may be older, or a reply.
        for ts, pin in sorted(pins.items()):
            if _id(channel, ts) not in seen and start <= _at(ts) < end:
                yield from self._said(channel, talk, pin["message"], pins)

    def _thread(self, channel: str, talk: Talk, first: Json, pins: dict[str, Json]) -> Iterator[Event]:
        """The replies to a message. Where there are none any more, those that were captured are gone."""
        seen: set[str] = set()
        root = first["ts"]
        for message in self._pages("conversations_replies", "messages", channel, ts=root) if first.get("reply_count") else ():
            if message["ts"] != root:
                seen.add(_id(channel, message["ts"]))
                yield from self._said(channel, talk, message, pins)
        end = datetime.max  # noqa: DTZ901 - naive UTC
        self.listed.append(Listed(_id(channel, root), _at(root), end, frozenset(seen), _at(root)))

    def _said(self, channel: str, talk: Talk, message: Json, pins: dict[str, Json]) -> Iterator[Event]:
        if message.get("subtype") in _SILENT:
            return
        pin = pins.get(message["ts"])
        is_marked = any(each["name"] in MARKS for each in message.get("reactions", ()))
        if talk.is_whole or is_marked or pin is not None:
            yield self._event(channel, talk, message, pin)

    def _event(self, channel: str, talk: Talk, message: Json, pin: Json | None) -> Event:
        ts, root, edited = message["ts"], message.get("thread_ts"), message.get("edited")
        topic = talk.topic_of(_at(ts))
        is_reply = root is not None and root != ts
        return Event(
            source=self.name,
            source_event_id=_id(channel, ts),
            occurred_at=_at(ts),
            recorded_at=_at(edited["ts"] if edited else ts),
            lane="people",
            kind="pinned" if pin is not None else "message",
            text=plain(message, self._name_of),
            service=topic.service if topic else None,
            target=channel,
            actor=self._actor(message),
            url=self._link(channel, ts, root if is_reply else None),
            incident_id=topic.incident_id if topic else None,
            payload={
                "user": message.get("user") or message.get("bot_id"),
                "is_bot": "bot_id" in message,
                "is_pinned": pin is not None,
                "pinned_at": _of_second(pin.get("created")) if pin is not None else None,
                "reactions": {each["name"]: each["count"] for each in message.get("reactions", ())},
                # Which listing tells whether it is still there: a broadcast reply stands in its channel, too.
                "listed_in": _id(channel, root) if is_reply and message.get("subtype") != "thread_broadcast" else channel,
            },
        )

    def _link(self, channel: str, ts: str, root: str | None) -> str:
        """As chat.getPermalink makes them; asking for each would be a request for each message."""
        thread = f"?thread_ts={root}&cid={channel}" if root else ""
        return f"{self.slack.address()}archives/{channel}/p{ts.replace('.', '')}{thread}"

    # People.

    def _actor(self, message: Json) -> str | None:
        if message.get("bot_id"):
            return message.get("username") or (message.get("bot_profile") or {}).get("name") or message["bot_id"]
        user = message.get("user")
        return self._name_of(user) if user else None

    def _name_of(self, user: str) -> str:
        if user not in self._names:
            self._names[user] = self._asked_name(user)
        return self._names[user]

    def _asked_name(self, user: str) -> str:
        try:
            found = self.slack.read(lambda client: client.users_info(user=user))["user"]
        except SlackError as error:
            if error.code not in ("user_not_found", "user_not_visible"):
                raise
            return user
        profile = found.get("profile") or {}
        return found.get("real_name") or profile.get("real_name") or found.get("name") or user

    # Lists.

    def _history(self, channel: str, start: datetime, end: datetime) -> Iterator[Json]:
        bounds = {"oldest": f"{aware(start).timestamp():.6f}", "latest": f"{aware(end).timestamp():.6f}", "inclusive": True}
        for message in self._pages("conversations_history", "messages", channel, **bounds):
            if start <= _at(message["ts"]) < end:
                yield message

    def _pins(self, channel: str) -> list[Json]:
        found = self.slack.read(lambda client: client.pins_list(channel=channel))
        return [each for each in found["items"] if "message" in each]

    def _pages(self, method: str, name: str, channel: str, **asked: Any) -> Iterator[Json]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self.slack.read(
                lambda client, cursor=cursor: getattr(client, method)(channel=channel, limit=_PAGE, cursor=cursor, **asked)
            )
            yield from page[name]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        raise SlackError(f"it has more than {_PAGES * _PAGE:,} messages; the newest were read.", "too_many")


def _id(channel: str, ts: str) -> str:
    return f"{channel}/{ts}"


def _at(ts: str) -> datetime:
    """The moment of a message: seconds, and six digits that tell messages apart."""
    seconds, _, micros = ts.partition(".")
    return utc(datetime.fromtimestamp(int(seconds), UTC)) + timedelta(microseconds=int(micros.ljust(6, "0")[:6] or 0))


def _of_second(seconds: Any) -> str | None:
    return utc(datetime.fromtimestamp(int(seconds), UTC)).isoformat() if seconds else None
