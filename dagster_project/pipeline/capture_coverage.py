"""What of the past was captured, by the load ledger: what the completeness of an incident's evidence is told from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from dagster_project.domain.incidents.completeness import Stretch
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.capture_sources import OUTSIDE
from dagster_project.pipeline.ledger import Load

DECISIONS, CHANGES, SERVICE_LEVELS = "captured_decisions", "captured_changes", "captured_service_levels"
SOURCES = (DECISIONS, CHANGES, SERVICE_LEVELS, *OUTSIDE)
"""Lines of the load ledger that tell what was captured. What lies between ``history_from`` and ``watermark_at`` was read whole;
of a partial night that may be nothing, and ``watermark_at`` still is where the next one goes on."""
Row = dict[str, Any]


def captured_stretches(lake: Lake, day: date, since: date | None = None) -> list[Stretch]:
    """What every source was read for in the nights up to ``day``, as few stretches as there can be, and at the end of each
    source's what its last night said, where it was not read whole. ``since``, the day of the earliest incident that matters,
    leaves out the nights before it."""
    days = [each for each in lake.days(LOAD_LEDGER) if each <= day and (since is None or since <= each)]
    return [stretch for source in SOURCES for stretch in _stretches(source, _lines(lake, source, days))]


def first_gap(loads: Iterable[Load], since: datetime) -> datetime:
    """The first moment from ``since`` on of which a source's lines of the ledger do not tell that it was read."""
    reached = since
    for first, last in sorted((load.history_from or since, load.watermark_at or since) for load in loads):
        if first <= reached:
            reached = max(reached, last)
    return reached


def _lines(lake: Lake, source: str, days: Sequence[date]) -> list[Row]:
    """The ledger's lines of a source, by day."""
    files = [path for each in days if (path := lake.path(LOAD_LEDGER, each, source)).is_file()]
    # Later versions of the ledger have more columns.
    told = pl.scan_parquet(files, hive_partitioning=False, extra_columns="ignore") if files else None
    return told.select("status", "history_from", "watermark_at", "error").collect().to_dicts() if told is not None else []


def _stretches(source: str, lines: Sequence[Row]) -> Iterator[Stretch]:
    always = datetime.min  # noqa: DTZ901 - naive UTC
    bounds = ((row["history_from"] or always, row["watermark_at"]) for row in lines if row["watermark_at"] is not None)
    read = sorted((first, last) for first, last in bounds if first < last)
    since, until = read[0] if read else (always, always)
    for first, last in read:
        if first > until:
            yield Stretch(source, "complete", since, until)
            since = first
        until = max(until, last)
    if read:
        yield Stretch(source, "complete", since, until)
    if lines and lines[-1]["status"] != "complete":
        yield Stretch(source, lines[-1]["status"], reason=lines[-1]["error"])
