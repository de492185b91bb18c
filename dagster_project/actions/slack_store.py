"""Which messages stand in Slack: a row is written before a message is sent, so that one that may have been sent is looked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as far as it is known. ``begun_at`` is since when it may have been sent, ``ts`` its id once it is there, ``sent``
    the digest of the content that it has, ``sent_state`` the last ``changed_at`` of a request that this content tells of."""

    subject: str
    request_id: str | None
    channel: str
    posted_in: str | None
    ts: str | None
    begun_at: datetime | None
    sent: str | None
    sent_state: datetime | None
    failure: str | None


async def due(connection: asyncpg.Connection) -> list[str]:
    """Requests whose message does not tell how they stand: live ones, and those whose message is or may be out. By their age."""
    rows = await connection.fetch(
        "select request.request_id from nightshift.approval_requests as request "
        "left join nightshift.slack_messages as message using (request_id) "
        "where message.sent_state is distinct from request.changed_at "
        "and (request.state in ('pending', 'approved', 'executing') or message.ts is not null or message.begun_at is not null) "
        "order by request.opened_at, request.request_id"
    )
    return [row["request_id"] for row in rows]


async def get(connection: asyncpg.Connection, subject: str) -> Sent | None:
    """What is known of a message; None before it was thought of."""
    row = await connection.fetchrow("select * from nightshift.slack_messages where subject = $1", subject)
    return Sent(**row) if row else None


async def begin(connection: asyncpg.Connection, subject: str, request_id: str | None, channel: str, now: datetime) -> None:
    """Writes down that a message is about to be sent. What was begun before keeps its moment."""
    await connection.execute(
        "insert into nightshift.slack_messages (subject, request_id, channel, begun_at) values ($1, $2, $3, $4) "
        "on conflict (subject) do update set channel = excluded.channel, "
        "begun_at = coalesce(slack_messages.begun_at, excluded.begun_at)",
        subject,
        request_id,
        channel,
        now,
    )


async def posted(connection: asyncpg.Connection, subject: str, channel: str, ts: str) -> None:
    """Writes down where a message is."""
    await connection.execute(
        "update nightshift.slack_messages set posted_in = $2, ts = $3, failure = null where subject = $1", subject, channel, ts
    )


async def holds(connection: asyncpg.Connection, subject: str, digest: str, state: datetime | None) -> None:
    """Writes down what a message says now, and the last change of a request that it tells of."""
    await connection.execute(
        "update nightshift.slack_messages set sent = $2, sent_state = $3, failure = null where subject = $1",
        subject,
        digest,
        state,
    )


async def failed(connection: asyncpg.Connection, subject: str, why: str) -> None:
    """Writes down why a message could not be sent or changed."""
    await connection.execute("update nightshift.slack_messages set failure = $2 where subject = $1", subject, why)


async def not_taken(connection: asyncpg.Connection, subject: str, begun_at: datetime) -> None:
    """Writes down that Slack refused what was begun at a moment, so that it need not be looked for. What was begun before that,
    and may have been taken, stays."""
    await connection.execute(
        "update nightshift.slack_messages set begun_at = null where subject = $1 and begun_at = $2", subject, begun_at
    )


async def lost(connection: asyncpg.Connection, subject: str) -> None:
    """Writes down that a message is gone, or cannot be changed any more."""
    await connection.execute(
        "update nightshift.slack_messages set posted_in = null, ts = null, begun_at = null, sent = null, sent_state = null "
        "where subject = $1",
        subject,
    )


async def told_until(connection: asyncpg.Connection, owner: str) -> datetime | None:
    """The last change of a request that a digest of an owner told of; None where there was none yet."""
    found: datetime | None = await connection.fetchval(
        "select max(sent_state) from nightshift.slack_messages where starts_with(subject, 'digest:') and left(subject, -11) = $1",
        f"digest:{owner}",
    )
    return found


@asynccontextmanager
async def alone(connection: asyncpg.Connection, subject: str) -> AsyncIterator[bool]:
    """Keeps other processes from a message meanwhile; whether this one has it."""
    name = f"nightshift slack {subject}"
    is_mine: bool = await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name)
    try:
        yield is_mine
    finally:
        if is_mine:
            await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)
