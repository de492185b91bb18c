"""``nightshift load``: Parquet exports of utilization, resources and decisions into a database in the contract's shape."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import asyncpg
import polars as pl

from dagster_project.errors import InputError
from dagster_project.pipeline import exports, ledger
from dagster_project.pipeline.ingest_records import DECISIONS, INVENTORY
from dagster_project.pipeline.ingest_samples import SOURCE as UTILIZATION
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import contract_tables

DEMO_ORIGIN = "nightshift demo fleet"
_LOADED_ORIGIN = "filled by nightshift load"

# Column of the export → column of the contract, for what is copied as it is.
_PLAIN = ("net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes")


@dataclass(frozen=True)
class Loaded:
    """What a load brought in. ``off`` rows (no vCPU: the machine was off) and ``unlisted`` ones are counted, not loaded."""

    resources: int
    samples: int
    off: int
    unlisted: int
    decisions: int
    first_day: date | None
    last_day: date | None


def load_files(runtime: Runtime, utilization: str, resources: Path, decisions: Path | None) -> Loaded:
    """Fills the database from exports, in one transaction: everything is there afterwards, or nothing changed.

    Rows that are there already for the same resources and span are replaced. Raises ``InputError`` for files that are
    missing, unreadable, lack a column or hold something else in it, before anything is written; and where the database holds
    the demo fleet or rows that no load put there.
    """
    parts = exports.samples(utilization)
    listed = exports.resources(resources)
    decided = None if decisions is None else exports.decisions(decisions)
    try:
        loaded = asyncio.run(_load(runtime, parts, listed, decided))
    except asyncpg.UniqueViolationError as error:
        raise InputError(
            f"The export holds a row of {error.table_name} twice ({error.detail}); export it again without repeats."
        ) from None
    if loaded.first_day and loaded.last_day:
        _forget(runtime, loaded.first_day, loaded.last_day)
    return loaded


async def _load(
    runtime: Runtime, parts: list[exports.Samples], resources: pl.DataFrame, decisions: pl.DataFrame | None
) -> Loaded:
    async with runtime.connect() as connection:
        origin = await contract_tables.origin(connection) or ""
        if origin.startswith(DEMO_ORIGIN):
            raise InputError("This home holds the demo fleet; set NIGHTSHIFT_HOME to another folder for data of your own.")
        if origin != _LOADED_ORIGIN and await contract_tables.hold_rows(connection):
            raise InputError(
                "The database of NIGHTSHIFT_DSN holds resources that nightshift load did not put there; load into an empty "
                "database, or unset NIGHTSHIFT_DSN for the embedded one."
            )
        with _storable():
            async with connection.transaction():
                await contract_tables.create_tables(connection)
                await contract_tables.note_origin(connection, _LOADED_ORIGIN)
                listed = await contract_tables.replace_rows(connection, "resources", "resource_id", _resource_rows(resources))
                counts = await _load_samples(runtime, connection, parts, resources)
                decided = 0
                if decisions is not None:
                    decided = await contract_tables.replace_rows(connection, "decision_audit", "decision_id", decisions)
        await connection.execute("analyze")
    return Loaded(listed, counts.samples, counts.off, counts.unlisted, decided, counts.first_day, counts.last_day)


@contextmanager
def _storable() -> Iterator[None]:
    """Values that only PostgreSQL finds out about (a NUL inside a text, say) are the files' fault, and not the database's."""
    try:
        yield
    except asyncpg.DataError as error:
        # PostgreSQL's own text goes on with the value, which no message may quote.
        at = re.search(r"^COPY (\w+), line \d+(?:, column (\w+))?", getattr(error, "context", None) or "", re.MULTILINE)
        where = ", ".join(filter(None, at.groups())) if at else "resource ids"
        raise InputError(f"The export holds a value that cannot be stored ({where}); correct it and export it again.") from None


@dataclass
class _Counts:
    samples: int = 0
    off: int = 0
    unlisted: int = 0
    first_day: date | None = None
    last_day: date | None = None


async def _load_samples(
    runtime: Runtime, connection: asyncpg.Connection, parts: list[exports.Samples], resources: pl.DataFrame
) -> _Counts:
    counts = _Counts()
    total = sum(part.rows for part in parts)
    seen = 0
    sizes = resources.select(
        "resource_id", pl.col("vcpu").alias("type_vcpu"), pl.col("mem_gib").alias("type_gib"), "memory_known"
    )
    # All spans before any row: files may share resources and interleave in time.
    for part in parts:
        await contract_tables.delete_samples(connection, part.resources, part.first, part.last)
    for part in parts:
        for batch in exports.batches(part.file):
            seen += batch.height
            on = batch.filter(pl.col("vcpu").is_null() | (pl.col("vcpu") > 0))
            known = on.join(sizes, on="resource_id")
            counts.off += batch.height - on.height
            counts.unlisted += on.height - known.height
            counts.samples += await contract_tables.append(connection, "utilization", _sample_rows(known))
            if known.height:
                days = known["ts"].dt.date()
                counts.first_day = min(filter(None, (counts.first_day, days.min())))
                counts.last_day = max(filter(None, (counts.last_day, days.max())))
            runtime.progress.update("Loading samples", seen, total)
    return counts


def _sample_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Samples in the contract's columns: percentages refer to the resource's type, not to the size in the trace.

    Where the size of the traced machine cannot be compared with the type (``memory_known`` is false), CPU is taken as it is
    and memory is unknown.
    """
    comparable = pl.col("memory_known") & pl.col("vcpu").is_not_null() & (pl.col("type_vcpu") > 0)
    cpu = pl.when(comparable).then(pl.col("vcpu") / pl.col("type_vcpu")).otherwise(1.0)
    memory = pl.when(pl.col("memory_known")).then(pl.col("mem_gib") / pl.col("type_gib"))
    return rows.select(
        "resource_id",
        pl.col("ts").alias("timestamp"),
        (pl.col("cpu_pct") * cpu).alias("cpu_avg"),
        (pl.col("cpu_max_pct") * cpu).alias("cpu_max"),
        (pl.col("mem_used_pct") * memory).alias("mem_avg"),
        (pl.col("mem_max_pct") * memory).alias("mem_max"),
        *_PLAIN,
    )


def _resource_rows(resources: pl.DataFrame) -> pl.DataFrame:
    tags = pl.col("tags")
    return resources.select(
        "resource_id",
        pl.lit("ec2_instance").alias("type"),
        pl.struct("instance_type", "region").struct.json_encode().alias("current_config"),
        tags.fill_null("{}").alias("tags"),
        tags.str.json_path_match("$.service").alias("service"),
        tags.str.json_path_match("$.team").alias("team"),
        pl.coalesce(tags.str.json_path_match("$.environment"), tags.str.json_path_match("$.env")).alias("environment"),
    )


def _forget(runtime: Runtime, first: date, last: date) -> None:
    """What was read from the earlier rows is read again by the next night that needs it."""
    ledger.forget(runtime.lake, UTILIZATION, first, last)
    for source in (DECISIONS, INVENTORY):
        ledger.forget(runtime.lake, source, date.min, date.max)
