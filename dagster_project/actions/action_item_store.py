"""Action items in PostgreSQL: their events, which only grow; what sources said last; issues; and what was reminded of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from dagster_project.domain.action_items.model import Event
from dagster_project.domain.action_items.observing import Heard
from dagster_project.domain.action_items.trackers import Draft, Issue, Link
from dagster_project.errors import StateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ALONE = "nightshift action items"


@asynccontextmanager
async def alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Keeps other processes from changing items meanwhile; waits for one that does."""
    await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", _ALONE)
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", _ALONE)


# Events.


async def events(connection: asyncpg.Connection, item_ids: Collection[str] | None = None) -> list[Event]:
    """The events of all items, or of some, in the order in which they were noted."""
    rows = await connection.fetch(
        "select item_id, field, value, happened_at, source, actor, reason, is_correction from nightshift.action_item_events "
        "where $1::text[] is null or item_id = any($1) order by position",
        None if item_ids is None else list(item_ids),
    )
    return [Event(row[0], row[1], row[2], _naive(row[3]), *row[4:]) for row in rows]


async def add_events(connection: asyncpg.Connection, added: Sequence[Event], now: datetime) -> None:
    """Notes events, all or none. Raises ``StateError`` where an item begins that has begun already."""
    try:
        await connection.copy_records_to_table(
            "action_item_events",
            schema_name="nightshift",
            columns=[
                "item_id", "field", "value", "happened_at", "source", "actor", "reason", "is_correction", "recorded_at",
            ],
            records=[
                (
                    each.item_id, each.field, each.value, each.happened_at.replace(tzinfo=UTC), each.source, each.actor,
                    each.reason, each.is_correction, now,
                )
                for each in added
            ],
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise StateError("Another run has just noted the same action item; run again.") from None


# Sources.


async def heard(connection: asyncpg.Connection) -> list[Heard]:
    """What every source said last."""
    rows = await connection.fetch("select source, source_id, item_id, said, is_gone from nightshift.action_item_sources")
    return [Heard(*row) for row in rows]


async def note_heard(connection: asyncpg.Connection, told: Iterable[Heard]) -> None:
    """Notes what sources said."""
    await connection.executemany(
        "insert into nightshift.action_item_sources (source, source_id, item_id, said, is_gone) values ($1, $2, $3, $4, $5) "
        "on conflict (source, source_id) do update set said = excluded.said, is_gone = excluded.is_gone",
        [(each.source, each.source_id, each.item_id, each.said, each.is_gone) for each in told],
    )


async def documents_read(connection: asyncpg.Connection, repository: str) -> dict[str, str]:
    """Incident → the file of its postmortem in a repository whose action items were read last."""
    rows = await connection.fetch(
        "select incident_id, sha from nightshift.action_item_documents where repository = $1", repository.lower()
    )
    return {row["incident_id"]: row["sha"] for row in rows}


async def note_documents(connection: asyncpg.Connection, repository: str, read: Mapping[str, str]) -> None:
    """Notes which files were read."""
    await connection.executemany(
        "insert into nightshift.action_item_documents (repository, incident_id, sha) values ($1, $2, $3) "
        "on conflict (repository, incident_id) do update set sha = excluded.sha",
        [(repository.lower(), incident_id, sha) for incident_id, sha in sorted(read.items())],
    )


# Issues.


async def links(connection: asyncpg.Connection, item_id: str | None = None) -> dict[str, Link]:
    """Item id → the link to its issue."""
    rows = await connection.fetch(
        "select * from nightshift.action_item_links where $1::text is null or item_id = $1 order by item_id", item_id
    )
    return {row["item_id"]: _link(row) for row in rows}


async def put_links(connection: asyncpg.Connection, changed: Iterable[Link]) -> None:
    """Stores links as they are now."""
    await connection.executemany(
        "insert into nightshift.action_item_links (item_id, tracker, place, key, mark, is_ours, url, begun_at, base, wrote, "
        "restored, lost) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        "on conflict (item_id) do update set tracker = excluded.tracker, place = excluded.place, key = excluded.key, "
        "mark = excluded.mark, is_ours = excluded.is_ours, url = excluded.url, begun_at = excluded.begun_at, "
        "base = excluded.base, wrote = excluded.wrote, restored = excluded.restored, lost = excluded.lost",
        [
            (
                each.item_id, each.tracker, each.place, each.key, each.mark, each.is_ours, each.url, each.begun_at,
                _json(each.base), _json(each.wrote), each.restored, each.lost,
            )
            for each in changed
        ],
    )  # fmt: skip


async def drop_link(connection: asyncpg.Connection, item_id: str) -> None:
    """Forgets the issue of an item; the issue stays."""
    await connection.execute("delete from nightshift.action_item_links where item_id = $1", item_id)


async def looked_until(connection: asyncpg.Connection, tracker: str) -> dict[str, datetime]:
    """Place → until when issues that were closed there have been seen."""
    rows = await connection.fetch("select place, looked_until from nightshift.action_item_places where tracker = $1", tracker)
    return {row["place"]: row["looked_until"] for row in rows}


async def note_place(connection: asyncpg.Connection, tracker: str, place: str, looked_until: datetime) -> None:
    """Notes until when a place has been looked at."""
    await connection.execute(
        "insert into nightshift.action_item_places (tracker, place, looked_until) values ($1, $2, $3) "
        "on conflict (tracker, place) do update set looked_until = excluded.looked_until",
        tracker,
        place,
        looked_until,
    )


# Reminders.


async def begin_digest(
    connection: asyncpg.Connection, subject: str, recipient: str, stages: Iterable[tuple[str, str]], told_on: date
) -> None:
    """Notes which stages of which items a digest is about to tell."""
    await connection.executemany(
        "insert into nightshift.action_item_reminders (recipient, item_id, stage, subject, told_on) values ($1, $2, $3, $4, $5)",
        [(recipient, item_id, stage, subject, told_on) for item_id, stage in stages],
    )


async def forget_digest(connection: asyncpg.Connection, subject: str) -> None:
    """A digest was not sent after all: what it would have told is to be told yet."""
    await connection.execute("delete from nightshift.action_item_reminders where subject = $1", subject)


async def told(connection: asyncpg.Connection, item_ids: Sequence[str]) -> set[tuple[str, str, str]]:
    """(recipient, item id, stage) of what digests tell of some items, sent or begun."""
    rows = await connection.fetch(
        "select recipient, item_id, stage from nightshift.action_item_reminders where item_id = any($1)", item_ids
    )
    return {(row["recipient"], row["item_id"], row["stage"]) for row in rows}


async def unsettled(connection: asyncpg.Connection) -> list[str]:
    """Digests that were begun, and of which it is not known whether they were sent."""
    rows = await connection.fetch(
        "select distinct reminder.subject from nightshift.action_item_reminders as reminder "
        "left join nightshift.slack_messages as message using (subject) where message.ts is null order by reminder.subject"
    )
    return [row["subject"] for row in rows]


def _link(row: Mapping[str, Any]) -> Link:
    values = {name: row[name] for name in row.keys() if name not in ("base", "wrote")}  # noqa: SIM118 - a record is no dict
    return Link(**values, base=_issue(row["base"]), wrote=_draft(row["wrote"]))


def _json(value: Issue | Draft | None) -> str | None:
    return None if value is None else json.dumps(asdict(value), default=str, ensure_ascii=False)


def _issue(text: str | None) -> Issue | None:
    if text is None:
        return None
    values = json.loads(text)
    return Issue(
        **values
        | {
            "since": datetime.fromisoformat(values["since"]),
            "assignees": tuple(values["assignees"]),
            "labels": tuple(values["labels"]),
            "milestone_due_on": _day(values["milestone_due_on"]),
        }
    )


def _draft(text: str | None) -> Draft | None:
    if text is None:
        return None
    values = json.loads(text)
    return Draft(**values | {"labels": tuple(values["labels"]), "milestone_due_on": _day(values["milestone_due_on"])})


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
