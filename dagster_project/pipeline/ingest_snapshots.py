"""Optional tables that know only the present, a snapshot a day: PostgreSQL → Parquet partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import (
    POLICIES,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    INCIDENT_ACTION_ITEMS,
    INCIDENTS,
    SLOS,
    Table,
)
from dagster_project.pipeline.ledger import Load, kept_snapshot, record
from dagster_project.pipeline.record_rules import Rule, split
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import records
from dagster_project.sources.contract import Contract
from dagster_project.sources.utilization import day_bounds

STARTS = ("impact_started_at", "detected_at", "acknowledged_at", "declared_at")
ENDS = ("impact_ended_at", "mitigated_at", "resolved_at")
"""What an incident's begin and end are taken from: the first of each that is known."""

_RULES = {
    INCIDENTS.name: (Rule("ends_before_start", "impact_ended_at", pl.coalesce(ENDS) < pl.coalesce(STARTS)),),
    SLOS.name: (
        # Not of one that is within: NaN and unknown are not.
        Rule("impossible_value", "objective", ~((pl.col("objective") > 0) & (pl.col("objective") < 1)).fill_null(False)),
        Rule("impossible_value", "window_days", pl.col("window_days") < 1),
    ),
}
_TIMES = {INCIDENTS.name: "detected_at", INCIDENT_ACTION_ITEMS.name: "created_at", POLICIES.name: "created_at"}


def ingest_snapshot(runtime: Runtime, table: Table, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Takes the snapshot of one of the lake's ``SNAPSHOTS`` for ``days``; one that was taken when its day was the newest is kept.

    Of an optional table that the database does not have, the partition is empty and the ledger says so.
    """
    return asyncio.run(_ingest(runtime, table, days))


def note_absence(lake: Lake, table: Table, source: str, day: date, contract: Contract) -> Load:
    """Writes an empty partition for a day of an optional table that is not there, and its ledger line."""
    write_frame(lake, table, day, pl.DataFrame(schema=schema(table)))
    load = Load(source, "absent", missing_columns=", ".join(contract.missing(source)))
    record(lake, day, load)
    return load


async def _ingest(runtime: Runtime, table: Table, days: Sequence[date]) -> list[tuple[date, Load]]:
    lake, newest = runtime.lake, (runtime.now - timedelta(days=1)).date()
    done: list[tuple[date, Load]] = []
    async with runtime.source() as (connection, contract):
        for day in days:
            load = kept_snapshot(lake, table, table.name, day) if day < newest else None
            if load is None and not contract.has(table.name):
                load = note_absence(lake, table, table.name, day, contract)
            if load is None:
                frame = await records.snapshot(connection, contract, table.name, day_bounds(day)[1], pl.Schema(schema(table)))
                status = "complete" if day >= newest else "late"
                load = _write(lake, table, day, frame, status, ", ".join(contract.missing(table.name)))
            done.append((day, load))
    return done


def _write(lake: Lake, table: Table, day: date, frame: pl.DataFrame, status: str, missing_columns: str) -> Load:
    good, rejected = split(frame, table.grain, table.name, at=_TIMES.get(table.name), rules=_RULES.get(table.name, ()))
    written = write_frame(lake, table, day, good)
    load = Load(
        table.name,
        status,
        rows_read=frame.height,
        rows_written=written,
        rows_rejected=frame.height - written,
        missing_columns=missing_columns,
    )
    record(lake, day, load, rejected)
    return load
