"""Sagas and their steps. What a step is about to do is written down, past the gates, before it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from dagster_project.domain.applying.gates import No, Touch
from dagster_project.domain.applying.saga import RUNNING, UNDO, Saga

Gates = Callable[[Sequence[Touch]], list[No]]
"""Which gates are shut, given what else is touched."""

_GATES = 0x4E53_4150  # any constant: gates are asked by one run at a time
# Where a server's default were stricter, what was seen before the lock was waited for would be all that is seen after it.
_ISOLATION = "read_committed"
_LONGEST_COOLDOWN = timedelta(days=90)
_COLUMNS = (
    "execution_id", "request_id", "revision", "resource_id", "kind", "account_id", "region", "service", "environment", "state",
    "direction", "reason", "members", "begun_at", "touched_at", "turned_at", "ended_at",
)  # fmt: skip


async def begin(connection: asyncpg.Connection, saga: Saga, gates: Gates, since: datetime) -> Saga | list[No]:
    """Begins a saga where the gates let it: what they look at and the note that takes its room are one transaction, and no other
    run is between them. One that had begun before is returned as it stands. ``since`` bounds what the gates are shown."""
    async with connection.transaction(isolation=_ISOLATION):
        await connection.execute("select pg_advisory_xact_lock($1)", _GATES)
        known = await connection.fetchrow(
            "select * from nightshift.executions where request_id = $1 and revision = $2 and resource_id = $3",
            saga.request_id,
            saga.revision,
            saga.resource_id,
        )
        if known is not None:
            return _saga(known)
        shut = gates(await touches(connection, since))
        if shut:
            return shut
        await connection.execute(
            "insert into nightshift.executions (execution_id, request_id, revision, resource_id, kind, account_id, region, "
            "service, environment, value_before, value_after, state, direction, memory, members, begun_at, touched_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)",
            saga.execution_id,
            saga.request_id,
            saga.revision,
            saga.resource_id,
            saga.kind,
            saga.account_id,
            saga.region,
            saga.service,
            saga.environment,
            saga.before,
            saga.after,
            saga.state,
            saga.direction,
            json.dumps(saga.memory),
            saga.members,
            saga.begun_at,
        )
    return saga


async def pass_gates(connection: asyncpg.Connection, saga: Saga, gates: Gates, since: datetime, now: datetime) -> Saga | list[No]:
    """Takes the room for a further step that touches members, where the gates let it."""
    async with connection.transaction(isolation=_ISOLATION):
        await connection.execute("select pg_advisory_xact_lock($1)", _GATES)
        shut = gates(await touches(connection, since))
        if shut:
            return shut
        return await _touched(connection, saga, now)


async def touches(connection: asyncpg.Connection, since: datetime) -> list[Touch]:
    """Executions that are under way, or that touched anything since a moment."""
    rows = await connection.fetch(
        "select execution_id, resource_id, service, environment, state, members, begun_at, touched_at, ended_at, has_touched "
        "from nightshift.executions where state = 'running' or touched_at >= $1 order by begun_at, execution_id",
        since,
    )
    return [Touch(**row) for row in rows]


async def running(connection: asyncpg.Connection) -> list[Saga]:
    """Sagas that are under way, the oldest first."""
    rows = await connection.fetch("select * from nightshift.executions where state = 'running' order by begun_at, execution_id")
    return [_saga(row) for row in rows]


async def reload(connection: asyncpg.Connection, execution_id: str) -> Saga:
    """A saga as it stands."""
    return _saga(await connection.fetchrow("select * from nightshift.executions where execution_id = $1", execution_id))


async def of_request(connection: asyncpg.Connection, request_id: str, revision: int) -> list[Saga]:
    """The sagas of a revision of a request, by resource."""
    rows = await connection.fetch(
        "select * from nightshift.executions where request_id = $1 and revision = $2 order by resource_id", request_id, revision
    )
    return [_saga(row) for row in rows]


async def begin_step(
    connection: asyncpg.Connection, saga: Saga, step: str, remember: Mapping[str, Any], now: datetime
) -> tuple[Saga, int]:
    """Writes down a step that is about to be made, with what must be known after it; returns its number.

    It is the moment that counts: the gates' own is from before everything that they looked at, and a way back asks none.
    """
    saga = saga.remembering(**remember)
    async with connection.transaction():
        position: int = await connection.fetchval(
            "insert into nightshift.execution_steps (execution_id, position, step, begun_at) "
            "select $1, count(*) + 1, $2, $3 from nightshift.execution_steps where execution_id = $1 returning position",
            saga.execution_id,
            step,
            now,
        )
        saga = await _touched(connection, saga, now)
        if remember:
            await _remember(connection, saga)
    return saga, position


async def end_step(
    connection: asyncpg.Connection, saga: Saga, position: int, outcome: str, remember: Mapping[str, Any], now: datetime
) -> Saga:
    """Writes down how a step ended, and what it gave."""
    saga = saga.remembering(**remember)
    async with connection.transaction():
        await connection.execute(
            "update nightshift.execution_steps set ended_at = $3, outcome = $4 where execution_id = $1 and position = $2",
            saga.execution_id,
            position,
            now,
            outcome,
        )
        if remember:
            await _remember(connection, saga)
    return saga


async def steps(connection: asyncpg.Connection, execution_id: str) -> list[tuple[str, datetime, datetime | None, str | None]]:
    """The steps of a saga in order: name, when it began, when it ended, how."""
    rows = await connection.fetch(
        "select step, begun_at, ended_at, outcome from nightshift.execution_steps where execution_id = $1 order by position",
        execution_id,
    )
    return [tuple(row) for row in rows]


async def has_stepped(connection: asyncpg.Connection, execution_id: str) -> bool:
    """Whether any step of a saga was begun."""
    found: bool = await connection.fetchval(
        "select exists (select from nightshift.execution_steps where execution_id = $1)", execution_id
    )
    return found


async def own_recent(connection: asyncpg.Connection, saga: Saga, step: str, since: datetime) -> int:
    """Members that a saga's own steps of a name touched since a moment."""
    times: int = await connection.fetchval(
        "select count(*) from nightshift.execution_steps where execution_id = $1 and step = $2 and begun_at > $3",
        saga.execution_id,
        step,
        since,
    )
    return times * saga.members


async def turn(connection: asyncpg.Connection, saga: Saga, reason: str, now: datetime) -> Saga:
    """Notes that a saga goes back from here."""
    await connection.execute(
        "update nightshift.executions set direction = 'undo', reason = $2, turned_at = $3 where execution_id = $1",
        saga.execution_id,
        reason,
        now,
    )
    return replace(saga, direction=UNDO, reason=reason, turned_at=now)


async def end(connection: asyncpg.Connection, saga: Saga, state: str, reason: str, now: datetime) -> Saga:
    """Notes where a saga ended. One that ended before keeps its end."""
    has_touched = await has_stepped(connection, saga.execution_id)
    await connection.execute(
        "update nightshift.executions set state = $2, reason = $3, ended_at = $4, has_touched = $5 "
        "where execution_id = $1 and state = 'running'",
        saga.execution_id,
        state,
        reason,
        now,
        has_touched,
    )
    return await reload(connection, saga.execution_id)


def horizon(now: datetime, soak: timedelta) -> datetime:
    """How far back the gates look: a night, a week of attempts, what must have lived for a while, and the longest cooldown."""
    return now - max(_LONGEST_COOLDOWN, soak)


async def _touched(connection: asyncpg.Connection, saga: Saga, now: datetime) -> Saga:
    """Notes that a saga touches something now. It never takes a moment back: another run's clock may have been ahead."""
    at: datetime = await connection.fetchval(
        "update nightshift.executions set touched_at = greatest(touched_at, $2) where execution_id = $1 returning touched_at",
        saga.execution_id,
        now,
    )
    return replace(saga, touched_at=at)


async def _remember(connection: asyncpg.Connection, saga: Saga) -> None:
    await connection.execute(
        "update nightshift.executions set memory = $2 where execution_id = $1", saga.execution_id, json.dumps(saga.memory)
    )


def _saga(row: asyncpg.Record) -> Saga:
    known = {name: row[name] for name in _COLUMNS}
    return Saga(**known, before=row["value_before"], after=row["value_after"], memory=json.loads(row["memory"]))


def is_over(saga: Saga) -> bool:
    """Whether nothing is left to be done."""
    return saga.state != RUNNING
