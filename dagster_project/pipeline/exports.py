"""Parquet exports that people bring: utilization, resources, decisions and windows, read and checked.

Every problem is an ``InputError`` that names the file and the column, before anything is done with any of it.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from dagster_project.errors import InputError

_BATCH_ROWS = 262_144
MAX_UTILIZATION_PCT = 1000.0
"""CPU and memory readings above this are impossible."""

_OPTIONAL = (
    "vcpu",
    "mem_gib",
    "mem_used_pct",
    "cpu_max_pct",
    "mem_max_pct",
    "net_in_bytes",
    "net_out_bytes",
    "disk_read_bytes",
    "disk_write_bytes",
)

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
_WINDOW_COLUMNS = {"resource_id": "text", "decide_at": "a timestamp"}
_OPTIONAL_DECISION_COLUMNS = {"dry_run": "true or false", "event_id": "text"}
_CASTS = {"text": pl.String(), "a number": pl.Float64(), "true or false": pl.Boolean()}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2999
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class Samples:
    """A file of samples: its rows, whose they are, and the span from its first to its last, both included."""

    file: Path
    rows: int
    resources: list[str]
    first: datetime
    last: datetime


def files(pattern: str) -> list[Path]:
    """The files that a pattern matches, by name."""
    found = sorted(Path(name) for name in glob.glob(pattern, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not found:
        raise InputError(f"No file matches {pattern}; quote the pattern so that the shell does not expand it.")
    return found


def samples(pattern: str) -> list[Samples]:
    """The files that a pattern matches, with what is in them."""
    return [_samples(file) for file in files(pattern)]


def batches(file: Path) -> Iterator[pl.DataFrame]:
    """The samples of a file, some at a time; columns that it lacks are null, times naive UTC."""
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


def _naive(frame: pl.DataFrame) -> pl.DataFrame:
    """Times as naive UTC microseconds, whatever zone and precision the file has."""
    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None)).with_columns(
        pl.col(pl.Datetime).dt.cast_time_unit("us")
    )


def _samples(file: Path) -> Samples:
    _require(file, _UTILIZATION_COLUMNS, _OPTIONAL_COLUMNS)
    _require_values(file, "resource_id", "ts")
    first, last = _require_times(file, "ts")
    with _readable(file):
        rows = _scan(file).select(pl.len()).collect().item()
        owners = _scan(file).select(pl.col("resource_id").cast(pl.String).unique()).collect()["resource_id"].to_list()
    return Samples(file, rows, owners, first, last)


def resources(file: Path) -> pl.DataFrame:
    """The export of resources, in the types that the rest of a load works with."""
    _require(file, _RESOURCE_COLUMNS)
    _require_values(file, "resource_id")
    with _readable(file):
        rows = _scan(file).select(pl.col(name).cast(_CASTS[kind]) for name, kind in _RESOURCE_COLUMNS.items()).collect()
    if not all(_is_json_object(text) for text in rows["tags"].drop_nulls().unique()):
        raise InputError(f'Column tags of {file} has texts that are no JSON objects; export them like {{"team": "core"}}.')
    return rows


def decisions(file: Path) -> pl.DataFrame:
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


def windows(file: Path) -> pl.DataFrame:
    """The moments to decide at: resource_id and decide_at (naive UTC), each pair once, in that order."""
    _require(file, _WINDOW_COLUMNS)
    _require_values(file, *_WINDOW_COLUMNS)
    _require_times(file, "decide_at")
    with _readable(file):
        rows = _naive(_scan(file).select(pl.col("resource_id").cast(pl.String), "decide_at").collect())
    if rows.is_empty():
        raise InputError(f"{file} has no windows; leave --windows out for weekly ones.")
    if (rows["decide_at"].dt.microsecond() != 0).any():
        raise InputError(f"Column decide_at of {file} has fractions of a second; export it in whole seconds.")
    return rows.unique().sort("resource_id", "decide_at")


def events(file: Path) -> pl.DataFrame:
    """Decisions with what tells whether they happened: outcome, dry_run and event_id, null where the file has none."""
    rows = decisions(file)
    _require(file, {}, _OPTIONAL_DECISION_COLUMNS)
    with _readable(file):
        there = _scan(file).collect_schema()
        told = [pl.col(name).cast(_CASTS[kind]) for name, kind in _OPTIONAL_DECISION_COLUMNS.items() if name in there]
        extra = _scan(file).select("decision_id", *told).drop("decision_id").collect()
    silent = [pl.lit(None, _CASTS[kind]).alias(name) for name, kind in _OPTIONAL_DECISION_COLUMNS.items() if name not in there]
    return pl.concat([rows, extra], how="horizontal").with_columns(silent)


def read_samples(parts: list[Samples], wanted: list[str]) -> pl.DataFrame:
    """All samples of the wanted resources, in order of resource and time; measurements as 32-bit numbers.

    Of samples of one time the one with the most CPU comes first, so that the order in a file decides nothing. ``has_nan``
    tells a reading that is no number from one that is not known.
    """
    numbers = ("cpu_pct", *_OPTIONAL)
    frames = []
    for part in parts:
        mine = sorted(set(part.resources) & set(wanted))
        if not mine:
            continue
        with _readable(part.file):
            there = _scan(part.file).collect_schema()
            rows = (
                _scan(part.file)
                .filter(pl.col("resource_id").cast(pl.String).is_in(mine))
                .select(
                    pl.col("resource_id").cast(pl.String),
                    (pl.col("source").cast(pl.String) if "source" in there else pl.lit("")).alias("source"),
                    "ts",
                    *((pl.col(name) if name in there else pl.lit(None).alias(name)).cast(pl.Float32) for name in numbers),
                )
                .with_columns(pl.any_horizontal(pl.col(numbers).is_nan().fill_null(False)).alias("has_nan"))
                .collect()
            )
        frames.append(_naive(rows))
    if not frames:
        return pl.DataFrame()
    rows = pl.concat(frames).sort("resource_id", "ts", maintain_order=True)
    is_again = (pl.col("ts") == pl.col("ts").shift()) & (pl.col("resource_id") == pl.col("resource_id").shift())
    if not rows.select(is_again.any()).item():
        return rows
    return rows.sort(
        "resource_id", "ts", *numbers, "source", descending=[False, False, *[True] * len(numbers), False], nulls_last=True
    )


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
    if file.is_dir():
        raise InputError(f"{file} is a folder; name a file.")
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
