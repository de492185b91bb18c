"""What of the past was captured, by the load ledger: what the completeness of an incident's evidence is told from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from dagster_project.domain.incidents.completeness import Stretch
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.capture import SOURCES

_NOT_READ = ("absent", "failed")
Row = dict[str, Any]


def captured_stretches(lake: Lake, day: date, since: date | None = None) -> list[Stretch]:
    """What every source was read for in the nights up to ``day``, as few stretches as there can be, and at the end of each
    source's what its last night said, where it was not read. ``since``, the day of the earliest incident that matters, leaves out
    the nights before it."""
    days = [each for each in lake.days(LOAD_LEDGER) if each <= day and (since is None or since <= each)]
    return [stretch for source in SOURCES for stretch in _stretches(source, _lines(lake, source, days))]


def _lines(lake: Lake, source: str, days: Sequence[date]) -> list[Row]:
    """The ledger's lines of a source, by day."""
    files = [path for each in days if (path := lake.path(LOAD_LEDGER, each, source)).is_file()]
    return pl.read_parquet(files, hive_partitioning=False).to_dicts() if files else []


def _stretches(source: str, lines: Sequence[Row]) -> Iterator[Stretch]:
    always = datetime.min  # noqa: DTZ901 - naive UTC
    read = sorted((row["history_from"] or always, row["watermark_at"]) for row in lines if row["watermark_at"] is not None)
    since, until = read[0] if read else (always, always)
    for first, last in read:
        if first > until:
            yield Stretch(source, "complete", since, until)
            since = first
        until = max(until, last)
    if read:
        yield Stretch(source, "complete", since, until)
    if lines and lines[-1]["status"] in _NOT_READ:
        yield Stretch(source, lines[-1]["status"], reason=lines[-1]["error"])
