"""The load ledger: what each source gave for each day, and which days are therefore still to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import polars as pl

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER, REJECTED_ROWS, Table

SETTLED = ("complete",)
"""What need not be read again. An empty day is asked for again while it matters: feeds come late."""


@dataclass(frozen=True)
class Load:
    """One line of the ledger.

    ``status``: complete, late (a snapshot taken after its day was the newest), partial (the day was not over yet), empty, absent
    (an optional table that is not there) or failed. ``history_from``: the first moment of which the source knows anything.
    ``calls``: requests to AWS, ``throttles`` those of them that it refused for now; None where it was not asked.
    """

    source: str
    status: str
    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    watermark_at: datetime | None = None
    history_from: datetime | None = None
    missing_columns: str = ""
    error: str = ""
    calls: int | None = None
    throttles: int | None = None


@dataclass(frozen=True)
class RejectedGroup:
    """Rows of one resource that one source set aside for one reason."""

    source: str
    reason: str
    resource_id: str
    column_name: str
    rejected_rows: int
    first_at: datetime | None
    example_value: str


def record(lake: Lake, day: date, load: Load, rejected: Sequence[RejectedGroup] = ()) -> None:
    """Writes the ledger line and the rejected rows of a source and day, in place of earlier ones."""
    rows = pl.DataFrame([asdict(group) for group in rejected], schema=schema(REJECTED_ROWS))
    write_frame(lake, REJECTED_ROWS, day, rows, part=load.source)
    write_frame(lake, LOAD_LEDGER, day, pl.DataFrame([asdict(load)], schema=schema(LOAD_LEDGER)), part=load.source)


def load_of(lake: Lake, source: str, day: date) -> Load | None:
    """The ledger line of a source and day, or None where it was never read."""
    path = lake.path(LOAD_LEDGER, day, source)
    if not path.is_file():
        return None
    return Load(**pl.read_parquet(path).row(0, named=True))


def rejected_of(lake: Lake, source: str, day: date) -> list[RejectedGroup]:
    """What a source and day set aside."""
    path = lake.path(REJECTED_ROWS, day, source)
    return [RejectedGroup(**row) for row in pl.read_parquet(path).iter_rows(named=True)] if path.is_file() else []


def keeps(lake: Lake, source: str, day: date, rows: int) -> Load | None:
    """The ledger line of a complete day that had more rows than are there now, or None.

    A source forgets (retention, clean-ups); evidence that was read whole is not replaced by less of it.
    """
    load = load_of(lake, source, day)
    return load if load is not None and load.status == "complete" and load.rows_read > rows else None


def kept_snapshot(lake: Lake, table: Table, source: str, day: date) -> Load | None:
    """The ledger line of a snapshot that was taken when its day was the newest, or None where there is none.

    A source that knows only the present cannot say a second time what the day looked like.
    """
    load = load_of(lake, source, day)
    return load if load is not None and load.status == "complete" and lake.has(table, day) else None


def unsettled(lake: Lake, source: str, days: Iterable[date]) -> list[date]:
    """Those of ``days`` that were never read, were read before they were over, or failed."""
    loads = {day: load_of(lake, source, day) for day in days}
    return [day for day, load in loads.items() if load is None or load.status not in SETTLED]


def forget(lake: Lake, source: str, first: date, last: date) -> None:
    """Removes the ledger lines of a source from ``first`` to ``last``, so that those days count as never read."""
    for day in lake.days(LOAD_LEDGER):
        if first <= day <= last:
            lake.path(LOAD_LEDGER, day, source).unlink(missing_ok=True)
