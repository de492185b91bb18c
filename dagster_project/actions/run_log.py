"""The run log in PostgreSQL: which nights ran, and how each of their steps went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg


@dataclass(frozen=True)
class Step:
    """One step of a night: seconds that it took, and rows that it wrote where it writes any."""

    name: str
    seconds: float
    rows: int | None
    is_ok: bool = True


@dataclass(frozen=True)
class NightlyRun:
    """The last run of a day. ``status``: running, succeeded or failed."""

    run_id: str
    day: date
    started_at: datetime
    finished_at: datetime | None
    status: str
    error: str | None


async def start(connection: asyncpg.Connection, run_id: str, day: date, started_at: datetime) -> None:
    """Notes that a run began; every step may say so, the first one counts."""
    await connection.execute(
        "insert into nightshift.nightly_runs (run_id, day, started_at, status) values ($1, $2, $3, 'running') "
        "on conflict (run_id) do nothing",
        run_id,
        day,
        started_at,
    )


async def add_step(connection: asyncpg.Connection, run_id: str, step: Step) -> None:
    """Notes how a step ended; a step that is repeated replaces what was noted before."""
    await connection.execute(
        "insert into nightshift.nightly_steps (run_id, step, position, seconds, rows, status) "
        "select $1, $2, count(*), $3, $4, $5 from nightshift.nightly_steps where run_id = $1 "
        "on conflict (run_id, step) do update set seconds = excluded.seconds, rows = excluded.rows, status = excluded.status",
        run_id,
        step.name,
        step.seconds,
        step.rows,
        "succeeded" if step.is_ok else "failed",
    )


async def finish(connection: asyncpg.Connection, run_id: str, finished_at: datetime, error: str | None = None) -> None:
    """Notes how a run ended; of several failures the first stays."""
    await connection.execute(
        "update nightshift.nightly_runs set finished_at = $2, status = $3, error = $4 where run_id = $1 and status = 'running'",
        run_id,
        finished_at,
        "failed" if error else "succeeded",
        error,
    )


async def steps(connection: asyncpg.Connection, run_id: str) -> list[Step]:
    """The steps of a run, in the order in which they ended."""
    rows = await connection.fetch(
        "select step, seconds, rows, status from nightshift.nightly_steps where run_id = $1 order by position", run_id
    )
    return [Step(row["step"], row["seconds"], row["rows"], row["status"] == "succeeded") for row in rows]


async def last_run(connection: asyncpg.Connection) -> NightlyRun | None:
    """The run that began last, or None before the first."""
    row = await connection.fetchrow(
        "select run_id, day, started_at, finished_at, status, error from nightshift.nightly_runs order by started_at desc limit 1"
    )
    return NightlyRun(**row) if row else None
