"""What of the past was captured, by the load ledger: what the completeness of an incident's evidence is told from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from dagster_project.domain.incidents.completeness import Stretch
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.capture import SOURCES
from dagster_project.pipeline.ledger import Load, load_of


def captured_stretches(lake: Lake, day: date) -> list[Stretch]:
    """What every source was read for up to ``day``, as few stretches as there can be, and at the end what its last night said."""
    days = [each for each in lake.days(LOAD_LEDGER) if each <= day]
    return [stretch for source in SOURCES for stretch in _of(lake, source, days)]


def _of(lake: Lake, source: str, days: list[date]) -> Iterator[Stretch]:
    loads = [load for each in days if (load := load_of(lake, source, each)) is not None]
    yield from _joined(source, loads)
    if loads and loads[-1].status in ("absent", "failed"):
        yield Stretch(source, loads[-1].status, reason=loads[-1].error)


def _joined(source: str, loads: list[Load]) -> Iterator[Stretch]:
    always = datetime.min  # noqa: DTZ901 - naive UTC
    read = sorted((load.history_from or always, load.watermark_at) for load in loads if load.watermark_at is not None)
    since, until = None, None
    for first, last in read:
        if until is not None and first <= until:
            until = max(until, last)
            continue
        if until is not None:
            yield Stretch(source, "complete", since, until)
        since, until = first, last
    if until is not None:
        yield Stretch(source, "complete", since, until)
