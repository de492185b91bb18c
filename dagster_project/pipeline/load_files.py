"""``nightshift load``: Parquet exports of utilization, resources and decisions into a database in the contract's shape."""

from __future__ import annotations

import asyncio
import glob
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import polars as pl

from dagster_project.errors import InputError
from dagster_project.pipeline import ledger
from dagster_project.pipeline.ingest_records import DECISIONS, INVENTORY
from dagster_project.pipeline.ingest_samples import SOURCE as UTILIZATION
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import contract_tables

DEMO_ORIGIN = "nightshift demo fleet"
_LOADED_ORIGIN = "filled by nightshift load"
_BATCH_ROWS = 262_144

# Column of the export → column of the contract, for what is copied as it is.
_PLAIN = ("net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes")
_UTILIZATION_COLUMNS = ("resource_id", "ts", "cpu_pct")
_RESOURCE_COLUMNS = ("resource_id", "instance_type", "region", "vcpu", "mem_gib", "memory_known", "tags")
_DECISION_COLUMNS = ("decision_id", "decision_time", "target", "action_type", "policy_id", "policy_version", "outcome")


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
    missing, unreadable or lack a column, and where the database holds the demo fleet.
    """
    files = sorted(Path(name) for name in glob.glob(utilization, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not files:
        raise InputError(f"No file matches {utilization}; quote the pattern so that the shell does not expand it.")
    for file in files:
        _require(file, _UTILIZATION_COLUMNS)
    _require(resources, _RESOURCE_COLUMNS)
    if decisions is not None:
        _require(decisions, _DECISION_COLUMNS)
    try:
        loaded = asyncio.run(_load(runtime, files, pl.read_parquet(resources), decisions))
    except asyncpg.UniqueViolationError as error:
        raise InputError(
            f"The export holds a row of {error.table_name} twice ({error.detail}); export it again without repeats."
        ) from None
    if loaded.first_day and loaded.last_day:
        _forget(runtime, loaded.first_day, loaded.last_day)
    return loaded


async def _load(runtime: Runtime, files: list[Path], resources: pl.DataFrame, decisions: Path | None) -> Loaded:
    async with runtime.connect() as connection:
        if (await contract_tables.origin(connection) or "").startswith(DEMO_ORIGIN):
            raise InputError("This home holds the demo fleet; set NIGHTSHIFT_HOME to another folder for data of your own.")
        async with connection.transaction():
            await contract_tables.create_tables(connection)
            await contract_tables.note_origin(connection, _LOADED_ORIGIN)
            listed = await contract_tables.replace_rows(connection, "resources", "resource_id", _resource_rows(resources))
            counts = await _load_samples(runtime, connection, files, resources)
            decided = 0
            if decisions is not None:
                rows = _naive(pl.read_parquet(decisions, columns=list(_DECISION_COLUMNS)))
                decided = await contract_tables.replace_rows(connection, "decision_audit", "decision_id", rows)
        await connection.execute("analyze")
    return Loaded(listed, counts.samples, counts.off, counts.unlisted, decided, counts.first_day, counts.last_day)


@dataclass
class _Counts:
    samples: int = 0
    off: int = 0
    unlisted: int = 0
    first_day: date | None = None
    last_day: date | None = None


async def _load_samples(runtime: Runtime, connection: asyncpg.Connection, files: list[Path], resources: pl.DataFrame) -> _Counts:
    counts = _Counts()
    total = sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
    seen = 0
    sizes = resources.select(
        "resource_id", pl.col("vcpu").alias("type_vcpu"), pl.col("mem_gib").alias("type_gib"), "memory_known"
    )
    for file in files:
        spans = _spans(file)
        if spans.is_empty():
            continue
        await contract_tables.delete_samples(connection, spans["resource_id"].to_list(), *_bounds(spans))
        for batch in _batches(file):
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


def _batches(file: Path) -> Iterator[pl.DataFrame]:
    optional = ("vcpu", "mem_gib", "mem_used_pct", "cpu_max_pct", "mem_max_pct", *_PLAIN)
    there = pl.read_parquet_schema(file)
    source = pl.scan_parquet(file).select(
        "resource_id",
        "ts",
        pl.col("cpu_pct").cast(pl.Float64),
        *((pl.col(name) if name in there else pl.lit(None).alias(name)).cast(pl.Float64) for name in optional),
    )
    for batch in source.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        yield _naive(batch)


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
    tags = pl.col("tags").cast(pl.String)
    return resources.select(
        "resource_id",
        pl.lit("ec2_instance").alias("type"),
        pl.struct("instance_type", "region").struct.json_encode().alias("current_config"),
        tags.fill_null("{}").alias("tags"),
        tags.str.json_path_match("$.service").alias("service"),
        tags.str.json_path_match("$.team").alias("team"),
        pl.coalesce(tags.str.json_path_match("$.environment"), tags.str.json_path_match("$.env")).alias("environment"),
    )


def _naive(frame: pl.DataFrame) -> pl.DataFrame:
    """Times as naive UTC microseconds, whatever zone and precision the file has."""
    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None)).with_columns(
        pl.col(pl.Datetime).dt.cast_time_unit("us")
    )


def _spans(file: Path) -> pl.DataFrame:
    return (
        pl.scan_parquet(file)
        .group_by("resource_id")
        .agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
        .collect()
    )


def _bounds(spans: pl.DataFrame) -> tuple[datetime, datetime]:
    first, last = (
        moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (spans["first"].min(), spans["last"].max())
    )
    return first, last


def _require(file: Path, columns: tuple[str, ...]) -> None:
    try:
        there = pl.read_parquet_schema(file)
    except FileNotFoundError:
        raise InputError(f"There is no file {file}; check the path.") from None
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{file} cannot be read as Parquet; export it again.") from None
    missing = [name for name in columns if name not in there]
    if missing:
        raise InputError(f"{file} has no column {missing[0]}; it needs {', '.join(columns)}.")


def _forget(runtime: Runtime, first: date, last: date) -> None:
    """What was read from the earlier rows is read again by the next night that needs it."""
    ledger.forget(runtime.lake, UTILIZATION, first, last)
    for source in (DECISIONS, INVENTORY):
        ledger.forget(runtime.lake, source, date.min, date.max)
