"""``nightshift load``: Parquet exports of utilization, resources and decisions into a database in the contract's shape."""

from __future__ import annotations

import asyncio
import glob
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
_OPTIONAL = ("vcpu", "mem_gib", "mem_used_pct", "cpu_max_pct", "mem_max_pct", *_PLAIN)

# Column → what it must hold: what an export needs, and (for utilization) what it may have besides.
_UTILIZATION_COLUMNS = {"resource_id": "text", "ts": "a timestamp", "cpu_pct": "a number"}
_OPTIONAL_COLUMNS = dict.fromkeys(_OPTIONAL, "a number")
_RESOURCE_COLUMNS = {
    "resource_id": "text",
    "instance_type": "text",
    "region": "text",
    "vcpu": "a number",
    "mem_gib": "a number",
    "memory_known": "true or false",
    "tags": "text",
}
_DECISION_COLUMNS = {
    "decision_id": "text",
    "decision_time": "a timestamp",
    "target": "text",
    "action_type": "text",
    "policy_id": "text",
    "policy_version": "a number",
    "outcome": "text",
}
_CASTS = {"text": pl.String(), "a number": pl.Float64(), "true or false": pl.Boolean()}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2999
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_LARGEST_INTEGER = 2**31 - 1


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
    files = sorted(Path(name) for name in glob.glob(utilization, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not files:
        raise InputError(f"No file matches {utilization}; quote the pattern so that the shell does not expand it.")
    parts = [_part(file) for file in files]
    listed = _listed(resources)
    decided = None if decisions is None else _decided(decisions)
    try:
        loaded = asyncio.run(_load(runtime, parts, listed, decided))
    except asyncpg.UniqueViolationError as error:
        raise InputError(
            f"The export holds a row of {error.table_name} twice ({error.detail}); export it again without repeats."
        ) from None
    if loaded.first_day and loaded.last_day:
        _forget(runtime, loaded.first_day, loaded.last_day)
    return loaded


async def _load(runtime: Runtime, parts: list[_Part], resources: pl.DataFrame, decisions: pl.DataFrame | None) -> Loaded:
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


async def _load_samples(runtime: Runtime, connection: asyncpg.Connection, parts: list[_Part], resources: pl.DataFrame) -> _Counts:
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
        for batch in _batches(part.file):
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
    with _readable(file):
        there = _scan(file).collect_schema()
        source = _scan(file).select(
            pl.col("resource_id").cast(pl.String),
            "ts",
            pl.col("cpu_pct").cast(pl.Float64),
            *((pl.col(name) if name in there else pl.lit(None).alias(name)).cast(pl.Float64) for name in _OPTIONAL),
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


def _naive(frame: pl.DataFrame) -> pl.DataFrame:
    """Times as naive UTC microseconds, whatever zone and precision the file has."""
    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None)).with_columns(
        pl.col(pl.Datetime).dt.cast_time_unit("us")
    )


@dataclass(frozen=True)
class _Part:
    """A file of samples: its rows, whose they are, and the span from its first to its last, both included."""

    file: Path
    rows: int
    resources: list[str]
    first: datetime
    last: datetime


def _part(file: Path) -> _Part:
    _require(file, _UTILIZATION_COLUMNS, _OPTIONAL_COLUMNS)
    _require_values(file, "resource_id", "ts")
    first, last = _require_times(file, "ts")
    with _readable(file):
        rows = _scan(file).select(pl.len()).collect().item()
        resources = _scan(file).select(pl.col("resource_id").cast(pl.String).unique()).collect()["resource_id"].to_list()
    return _Part(file, rows, resources, first, last)


def _listed(file: Path) -> pl.DataFrame:
    """The export of resources, in the types that the rest of a load works with."""
    _require(file, _RESOURCE_COLUMNS)
    _require_values(file, "resource_id")
    with _readable(file):
        rows = _scan(file).select(pl.col(name).cast(_CASTS[kind]) for name, kind in _RESOURCE_COLUMNS.items()).collect()
    if not all(_is_json_object(text) for text in rows["tags"].drop_nulls().unique()):
        raise InputError(f'Column tags of {file} has texts that are no JSON objects; export them like {{"team": "core"}}.')
    return rows


def _decided(file: Path) -> pl.DataFrame:
    """The export of decisions, in the contract's columns and types."""
    _require(file, _DECISION_COLUMNS)
    _require_values(file, "decision_id", "decision_time", "target")
    _require_times(file, "decision_time")
    with _readable(file):
        rows = _scan(file).select(
            pl.col(name).cast(_CASTS[kind]) if kind in _CASTS else name for name, kind in _DECISION_COLUMNS.items()
        )
        rows = _naive(rows.collect())
    version = rows["policy_version"].drop_nulls()
    # NaN counts as larger than every number.
    if not ((version == version.floor()) & (version.abs() <= _LARGEST_INTEGER)).all():
        raise InputError(f"Column policy_version of {file} has values that are no whole numbers; export it as integers.")
    return rows.with_columns(pl.col("policy_version").cast(pl.Int32))


def _is_json_object(text: str) -> bool:
    def refuse(name: str) -> None:
        raise ValueError(name)  # NaN and Infinity are Python's, not JSON's

    try:
        return isinstance(json.loads(text, parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def _scan(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False)  # a name may hold brackets


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"There is no file {file}; check the path.") from None
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{file} cannot be read as Parquet; export it again.") from None


def _require(file: Path, needed: Mapping[str, str], optional: Mapping[str, str] | None = None) -> None:
    """Raises ``InputError`` for the first column that is missing, or holds another kind of thing than it must."""
    with _readable(file):
        there = _scan(file).collect_schema()
    missing = [name for name in needed if name not in there]
    if missing:
        raise InputError(f"{file} has no column {missing[0]}; it needs {', '.join(needed)}.")
    for name, kind in {**needed, **(optional or {})}.items():
        if name in there and not _is_of_kind(there[name], kind):
            raise InputError(f"Column {name} of {file} is {there[name]}; export it as {kind}.")


def _is_of_kind(dtype: pl.DataType, kind: str) -> bool:
    if kind == "a timestamp":
        return isinstance(dtype, pl.Datetime)
    if isinstance(dtype, pl.Null):  # a column in which every value is unknown
        return True
    if kind == "a number":
        return dtype.is_numeric()
    return isinstance(dtype, pl.Boolean if kind == "true or false" else (pl.String, pl.Categorical, pl.Enum))


def _require_values(file: Path, *columns: str) -> None:
    with _readable(file):
        empty = _scan(file).select(pl.col(columns).null_count()).collect().row(0, named=True)
    for name, rows in empty.items():
        if rows:
            raise InputError(f"Column {name} of {file} is empty in {rows:,} rows; fill it in, or leave those rows out.")


def _require_times(file: Path, column: str) -> tuple[datetime, datetime]:
    """The first and the last time, in whole microseconds; raises ``InputError`` for times that no export can mean."""
    with _readable(file):
        kind = _scan(file).collect_schema()[column]
        moments = pl.col(column).to_physical()  # the number in the file, in UTC: it may be too large for a calendar
        low, high = _scan(file).select(moments.min().alias("low"), moments.max().alias("high")).collect().row(0)
    if low is None:
        return _EPOCH, _EPOCH
    unit = _PER_SECOND[kind.time_unit] if isinstance(kind, pl.Datetime) else 1
    bound = (datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) * unit
    if low < 0 or high >= bound:
        raise InputError(
            f"Column {column} of {file} has times outside of 1970 to {_LAST_YEAR}; export it in the unit that it states."
        )
    first, last = (_EPOCH + timedelta(microseconds=value * 10**6 // unit) for value in (low, high))
    return first, last


def _forget(runtime: Runtime, first: date, last: date) -> None:
    """What was read from the earlier rows is read again by the next night that needs it."""
    ledger.forget(runtime.lake, UTILIZATION, first, last)
    for source in (DECISIONS, INVENTORY):
        ledger.forget(runtime.lake, source, date.min, date.max)
