"""Which incidents are captured in a night, and the stretches of time around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from dagster_project.domain.incidents.model import PHASES, Incident, Moment
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import INCIDENTS, LOAD_LEDGER
from dagster_project.pipeline.ledger import load_of

Window = tuple[datetime, datetime]
"""A stretch of time in naive UTC, the end excluded."""

TRAIL = timedelta(minutes=60)
"""What is captured after an incident ended."""
RECENT = timedelta(days=3)
"""So long after its end an incident is captured again each night: feeds come late, and people still edit."""
LONGEST = timedelta(days=31)
"""Of an incident that took longer, by its times, only its begin and its end are captured: one of them is probably wrong."""
_TIMES = [f"{phase}_at" for phase in PHASES if f"{phase}_at" in INCIDENTS.columns]


@dataclass(frozen=True, slots=True)
class Span:
    """An incident's time (naive UTC); ``ended_at`` is None while it is open. ``is_due``: it is captured this night;
    ``is_changed``: it is new, or says something else than in the last night that captured it."""

    incident_id: str
    service: str | None
    channel: str | None
    started_at: datetime
    ended_at: datetime | None
    is_due: bool
    is_changed: bool

    def windows(self, before: timedelta, after: timedelta, day_end: datetime) -> list[Window]:
        """The stretches to capture, up to ``day_end``. Of an incident that goes on, what is old was captured before."""
        end = min((self.ended_at or day_end) + after, day_end)
        start = self.started_at - before
        if self.ended_at is None and not self.is_changed:
            start = max(start, day_end - RECENT - timedelta(days=1))
        parts = [(start, end)] if end - start <= LONGEST else [(start, start + LONGEST), (end - LONGEST, end)]
        return [(first, last) for first, last in parts if first < last]


def spans(lake: Lake, day: date, source: str, day_end: datetime) -> list[Span]:
    """The incidents of a day whose time is known, and which of them a source captures: those that are new or changed since its
    last complete night, are open, or ended lately. Raises ``MissingPartition`` where nobody knows of the day's incidents."""
    lake.require(INCIDENTS, day)
    rows = _snapshot(lake, day)
    last = last_night(lake, source, day)
    changed = rows if last is None or not lake.has(INCIDENTS, last) else _differing(rows, _snapshot(lake, last))
    ids = set(changed["incident_id"])
    found = (_span(row, day_end, is_changed=row["incident_id"] in ids) for row in rows.iter_rows(named=True))
    return [span for span in found if span is not None]


def last_night(lake: Lake, source: str, day: date) -> date | None:
    """The last day before ``day`` for which a source was captured completely."""
    for each in reversed(lake.days(LOAD_LEDGER)):
        if each < day and (load := load_of(lake, source, each)) is not None and load.status == "complete":
            return each
    return None


def merged(windows: Iterable[Window]) -> list[Window]:
    """Windows that overlap or touch as one, in order."""
    found: list[Window] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def merged_by_service(windows: Sequence[tuple[str | None, Window]]) -> list[tuple[datetime, datetime, str | None]]:
    """Windows of the same service as one, in order."""
    services = sorted({service for service, _ in windows}, key=lambda service: (service is not None, service or ""))
    return [
        (start, end, service)
        for service in services
        for start, end in merged(window for whose, window in windows if whose == service)
    ]


def _snapshot(lake: Lake, day: date) -> pl.DataFrame:
    return pl.read_parquet(lake.path(INCIDENTS, day), hive_partitioning=False)


def _differing(rows: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    return rows.join(earlier, on=rows.columns, how="anti", nulls_equal=True)


def _span(row: dict[str, Any], day_end: datetime, *, is_changed: bool) -> Span | None:
    times = [row[name] for name in _TIMES if row[name] is not None]
    if not times:
        return None
    phases = {name.removesuffix("_at"): Moment(row[name]) for name in _TIMES if row[name] is not None}
    is_open = Incident(row["incident_id"], row["title"], status=row["status"], phases=phases).is_open
    ended_at = None if is_open else max(times)
    is_due = is_changed or ended_at is None or ended_at >= day_end - RECENT
    return Span(row["incident_id"], row["service"], row["slack_channel"], min(times), ended_at, is_due, is_changed)
