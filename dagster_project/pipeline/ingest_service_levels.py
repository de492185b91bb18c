"""Service levels: good and total events, added up by day in PostgreSQL → Parquet partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import polars as pl

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import SLI_DAILY
from dagster_project.pipeline.ingest_snapshots import note_absence
from dagster_project.pipeline.ledger import Load, RejectedGroup, keeps, load_of, record, unsettled
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.sources import records
from dagster_project.sources.contract import Contract
from dagster_project.sources.utilization import day_bounds

SOURCE = "sli_events"
LONGEST_WINDOW_DAYS = 366
"""An objective over more days than this is judged by these."""

_SUMS = pl.Schema(
    {
        "day": pl.Date(),
        **schema(SLI_DAILY),
        "reason": pl.String(),
        "events": pl.Int64(),
        "first_at": pl.Datetime("us"),
        "last_at": pl.Datetime("us"),
        "example_value": pl.String(),
    }
)
_WRONG_COLUMNS = {"missing_service": "service", "missing_name": "name", "duplicate_key": "service, name, timestamp"}


def ingest_service_levels(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Loads ``days``, those days of the longest objective's window that were never loaded, and late events of the last days.

    A complete day is never replaced by fewer events.
    """
    return asyncio.run(_ingest(runtime, days))


async def _ingest(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    lake = runtime.lake
    done: list[tuple[date, Load]] = []
    async with runtime.source() as (connection, contract):
        if not contract.has(SOURCE):
            return [(day, keeps(lake, SOURCE, day, 0) or note_absence(lake, SLI_DAILY, SOURCE, day, contract)) for day in days]
        queue = await _queue(runtime, connection, contract, days)
        span = day_bounds(queue[0])[0], day_bounds(queue[-1])[1]
        sums = await records.service_levels(connection, contract, *span, _SUMS)
        for day in queue:
            load = _write(runtime, day, sums.filter(pl.col("day") == day), is_asked=day in days)
            done += [(day, load)] if load is not None else []
    return done


async def _queue(runtime: Runtime, connection: asyncpg.Connection, contract: Contract, days: Sequence[date]) -> list[date]:
    longest = await records.longest_objective(connection, contract) if contract.has("slos") else None
    earlier = days_up_to(min(days), max(1, min(longest or 0, LONGEST_WINDOW_DAYS)))[:-1]
    late = earlier[-runtime.settings.source.late_days :] if runtime.settings.source.late_days else []
    return sorted({*unsettled(runtime.lake, SOURCE, earlier), *late, *days})


def _write(runtime: Runtime, day: date, sums: pl.DataFrame, *, is_asked: bool) -> Load | None:
    """Writes a day; None where it was read before and nothing came since."""
    lake, events = runtime.lake, int(sums["events"].sum())
    known = load_of(lake, SOURCE, day)
    kept = keeps(lake, SOURCE, day, events)
    if kept is not None or (not is_asked and known is not None and known.status == "complete" and known.rows_read == events):
        return kept if is_asked else None
    good = sums.filter(pl.col("reason").is_null())
    rejected = [_rejected(row) for row in sums.filter(pl.col("reason").is_not_null()).iter_rows(named=True)]
    load = Load(
        SOURCE,
        "complete" if day_bounds(day)[1] <= runtime.now else "partial",
        rows_read=events,
        rows_written=write_frame(lake, SLI_DAILY, day, good),
        rows_rejected=sum(group.rejected_rows for group in rejected),
        watermark_at=sums["last_at"].max(),
    )
    record(lake, day, load, rejected)
    return load


def _rejected(row: dict[str, Any]) -> RejectedGroup:
    return RejectedGroup(
        SOURCE,
        row["reason"],
        f"{row['service']}/{row['name']}",
        _WRONG_COLUMNS.get(row["reason"], "good"),
        row["events"],
        row["first_at"],
        row["example_value"] or "",
    )
