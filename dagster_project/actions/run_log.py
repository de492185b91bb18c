"""The run log in PostgreSQL: which nights ran, and how each of their steps went."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Notes that a run began. A run that is already there is begun again (a retry of the same run)."""
    await connection.execute(
        "insert into nightshift.nightly_runs (run_id, day, started_at, status) values ($1, $2, $3, 'running') "
        "on conflict (run_id) do update set started_at = excluded.started_at, finished_at = null, status = 'running', error = null",
        run_id,
        day,
        started_at,
    )


async def finish(
    connection: asyncpg.Connection, run_id: str, finished_at: datetime, steps: Sequence[Step], error: str | None
) -> None:
    """Notes how a run ended, with its steps in order."""
    async with connection.transaction():
        await connection.execute(
            "update nightshift.nightly_runs set finished_at = $2, status = $3, error = $4 where run_id = $1",
            run_id,
            finished_at,
            "failed" if error else "succeeded",
            error,
        )
        await connection.execute("delete from nightshift.nightly_steps where run_id = $1", run_id)
        await connection.executemany(
            "insert into nightshift.nightly_steps (run_id, step, position, seconds, rows, status) values ($1, $2, $3, $4, $5, $6)",
            [
                (run_id, step.name, position, step.seconds, step.rows, "succeeded" if step.is_ok else "failed")
                for position, step in enumerate(steps)
            ],
        )


async def last_run(connection: asyncpg.Connection) -> NightlyRun | None:
    """The run that began last, or None before the first."""
    row = await connection.fetchrow(
        "select run_id, day, started_at, finished_at, status, error from nightshift.nightly_runs order by started_at desc limit 1"
    )
    return NightlyRun(**row) if row else None
