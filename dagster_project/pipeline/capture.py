"""Captures the evidence of incidents, before it perishes: an event once, and each change of it as another version.

Nothing that was captured is ever changed or removed. A day that is run again keeps what it has and adds what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.errors import NightshiftError, told
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import ROW_GROUP_ROWS, write_stream
from dagster_project.lake.incident_tables import CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS
from dagster_project.lake.partitions import Lake
from dagster_project.lake.table import Table
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.capture_coverage import CHANGES, DECISIONS, SERVICE_LEVELS, first_gap
from dagster_project.pipeline.capture_sources import OUTSIDE, Absent, EventSource, event_sources, known_services
from dagster_project.pipeline.capture_staging import Clean, Staging
from dagster_project.pipeline.capture_windows import TRAIL, Window, merged, merged_by_service, spans
from dagster_project.pipeline.ledger import Load, load_of, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import incident_rows, postgres
from dagster_project.sources.contract import Contract
from dagster_project.sources.history import Incomplete, NothingToRead
from dagster_project.sources.utilization import day_bounds
from dagster_project.statements import statement

LEVELS_BEFORE, LEVELS_AFTER = timedelta(days=3), timedelta(hours=6)
"""Around an incident, as far as the longest burn-rate window reaches back."""
OVERLAP = timedelta(hours=6)
"""What is read again of the night before: CloudTrail tells late, and activities end."""
_TABLES = {DECISIONS: incident_rows.DECISIONS, CHANGES: incident_rows.CHANGES, SERVICE_LEVELS: incident_rows.SERVICE_LEVELS}
_NOT_NEWEST = "Nobody outside is asked for a day that is not the newest."
_READ = ("complete", "partial")


def capture_events(
    runtime: Runtime, day: date, extra_windows: Sequence[Window] = (), clean: Clean | None = None
) -> list[tuple[date, Load]]:
    """Captures what is known of incidents that are new, have changed, are open or ended lately, and what sources outside have
    recorded since they were read last. The outside is asked for the newest day only.

    ``extra_windows`` (naive UTC) are those of undeclared and imported incidents; ``clean`` takes secrets out of a text. Returns
    the lines of the load ledger: a source that fails or is absent says so there, and the night goes on.
    """
    with runtime.lake.scratch() as folder:
        staging = Staging(folder, clean or _secrets_removed())
        night = _Night(runtime, day, day_bounds(day)[1].replace(tzinfo=None), staging)
        loads = [*asyncio.run(night.database(extra_windows)), *night.outside()]
        written = _write(runtime.lake, day, staging, folder)
    done = [replace(load, rows_written=written.get(_TABLES.get(load.source, load.source), 0)) for load in loads]
    # After the partitions: a run that is killed in between reads the same again.
    for load in done:
        record(runtime.lake, day, load)
    return [(day, load) for load in done]


@dataclass(frozen=True, slots=True)
class _Night:
    runtime: Runtime
    day: date
    end: datetime
    staging: Staging

    # The decision engine's database.

    async def database(self, extra: Sequence[Window]) -> list[Load]:
        try:
            async with self.runtime.source() as (connection, contract):
                decided, changed = self._windows(DECISIONS, extra), self._windows(CHANGES, extra)
                levels = self._level_windows(extra)
                services = known_services(self.runtime.lake, self.day)
                reads: tuple[tuple[str, Callable[[Any], None], Callable[[], AsyncIterator[Any]]], ...] = (
                    (DECISIONS, self.staging.add, lambda: incident_rows.decisions(connection, contract, decided, services)),
                    (CHANGES, self.staging.add, lambda: incident_rows.changes(connection, contract, changed)),
                    (SERVICE_LEVELS, self.staging.levels.add, lambda: incident_rows.service_levels(connection, contract, levels)),
                )
                return [await self._rows(contract, name, take, read) for name, take, read in reads]
        except NightshiftError as error:
            return [self._not_read(Load(name, "failed", error=str(error))) for name in (DECISIONS, CHANGES, SERVICE_LEVELS)]

    async def _rows(
        self, contract: Contract, name: str, take: Callable[[Any], None], read: Callable[[], AsyncIterator[Any]]
    ) -> Load:
        """Takes in all that ``read`` gives."""
        missing = ", ".join(contract.missing(_TABLES[name]))
        if not contract.has(_TABLES[name]):
            reason = f"The database has no table {_TABLES[name]}."
            return self._not_read(Load(name, "absent", missing_columns=missing, error=reason))
        load = Load(name, "complete", watermark_at=self.end, missing_columns=missing)
        count = 0
        try:
            with postgres.explained(self.runtime.dsn(), "NIGHTSHIFT_DSN"):
                async for row in read():
                    take(row)
                    count += 1
        except NightshiftError as error:
            load = self._not_read(Load(name, "failed", missing_columns=missing, error=str(error)))
        return replace(load, rows_read=max(count, load.rows_read))

    def _windows(self, name: str, extra: Sequence[Window]) -> list[Window]:
        lead = timedelta(minutes=self.runtime.settings.incidents.lead_minutes)
        due = (span for span in spans(self.runtime.lake, self.day, name, self.end) if span.is_due)
        own = (window for span in due for window in span.windows(lead, TRAIL, self.end))
        return merged([*own, *self._around(extra, lead, TRAIL)])

    def _level_windows(self, extra: Sequence[Window]) -> list[tuple[datetime, datetime, str | None]]:
        due = (span for span in spans(self.runtime.lake, self.day, SERVICE_LEVELS, self.end) if span.is_due)
        own = [(span.service, window) for span in due for window in span.windows(LEVELS_BEFORE, LEVELS_AFTER, self.end)]
        return merged_by_service([*own, *((None, window) for window in self._around(extra, LEVELS_BEFORE, LEVELS_AFTER))])

    def _around(self, windows: Sequence[Window], before: timedelta, after: timedelta) -> Iterator[Window]:
        for start, end in windows:
            if start - before < self.end:
                yield start - before, min(end + after, self.end)

    # Outside.

    def outside(self) -> list[Load]:
        """What became of every source outside."""
        if not self.runtime.is_newest(self.day):
            return [self._not_read(Load(name, "absent", error=_NOT_NEWEST)) for name in OUTSIDE]
        found = event_sources(self.runtime)
        silent = [Absent(name, "Nothing of this run reads it.") for name in OUTSIDE if name not in {each.name for each in found}]
        return [self._source(source) for source in (*found, *silent)]

    def _source(self, source: EventSource | Absent) -> Load:
        if isinstance(source, Absent):
            return self._not_read(Load(source.name, "absent", error=source.reason))
        since = self._since(source)
        load = Load(source.name, "complete", history_from=since, watermark_at=self.end)
        count, before = 0, _asked(source)
        try:
            for event in source.read(since, self.end):
                self.staging.add(event)
                count += 1
        except Incomplete as cut:
            load = self._cut(load, since, cut)
        except NothingToRead as error:
            load = self._not_read(Load(source.name, "absent", error=str(error)))
        except Exception as error:
            load = self._not_read(Load(source.name, "failed", error=told(error, f"{source.name} was read")))
        for listed in getattr(source, "listed", ()):
            if listed.first_at is not None:
                self.staging.note(source.name, replace(listed, since=max(listed.since, listed.first_at)))
        # Sources of one account share its connections: each counts what it asked itself.
        asked = {name: now - before[name] for name, now in _asked(source).items()}
        return replace(load, rows_read=max(count, load.rows_read), **asked)

    def _cut(self, load: Load, since: datetime, cut: Incomplete) -> Load:
        """The line of a source that was not read whole. What an earlier run of the day read whole stays so."""
        known = load_of(self.runtime.lake, load.source, self.day)
        if known is not None and known.status == "complete":
            return known
        until = min(cut.read_until, self.end)
        # One that says only that something is missing, and not when, covers nothing.
        is_vague = until == self.end and cut.read_since is None
        start = until if is_vague else min(max(cut.read_since or since, since), until)
        return replace(load, status="partial", history_from=start, watermark_at=until, error=str(cut))

    def _since(self, source: EventSource) -> datetime:
        """Where the last read ended, or where earlier ones left a hole, as far as the source still has it."""
        first = self.end - timedelta(days=source.keeps_days)
        lake = self.runtime.lake
        days = [each for each in lake.days(LOAD_LEDGER) if first.date() <= each < self.day]
        found = {each: load for each in days if (load := load_of(lake, source.name, each)) is not None and load.watermark_at}
        if not found:
            return first
        on = max(found)
        ended_at = found[on].watermark_at or first
        if found[on].status == "partial" and ended_at < day_bounds(on)[1].replace(tzinfo=None):
            # The night was cut, and nothing after it was read yet.
            return max(first, ended_at)
        # A hole is read once the source can be read whole again; until then it would be the same hole every night.
        if found[on].status == "complete" and any(load.status == "partial" for load in found.values()):
            ended_at = min(ended_at, first_gap(found.values(), first))
        return max(first, ended_at - OVERLAP)

    def _not_read(self, load: Load) -> Load:
        """The line of a source that was not read. What an earlier run of the day captured of it stays, and so does its line."""
        known = load_of(self.runtime.lake, load.source, self.day)
        return known if known is not None and known.status in _READ else load


def _asked(source: EventSource) -> dict[str, int]:
    """Requests that a source sent to AWS, and how many of them it refused for now; nothing of a source that is not AWS's."""
    tallies = [scope.connection.tally for scope in getattr(source, "scopes", ())]
    if not tallies:
        return {}
    return {"calls": sum(each.calls for each in tallies), "throttles": sum(each.throttles for each in tallies)}


def _write(lake: Lake, day: date, staging: Staging, folder: Path) -> dict[str, int]:
    """Merges what was read into the day's partitions; rows of the day by source of events, and of service levels."""
    with open_engine(lake) as engine:
        # Later nights are not looked at: a day that is run again must be what it was when it was the newest.
        engine.view(CAPTURED_EVENTS, [each for each in lake.days(CAPTURED_EVENTS) if each <= day])
        engine.view_file("fresh_events", *staging.events.files())
        engine.view_frame("fresh_places", staging.places())
        engine.view_frame("fresh_ids", staging.ids())
        _replace(engine, lake, CAPTURED_EVENTS, day, folder)
        engine.view(CAPTURED_SERVICE_LEVELS, [each for each in lake.days(CAPTURED_SERVICE_LEVELS) if each <= day])
        engine.view_file("fresh_service_levels", *staging.levels.files())
        levels = _replace(engine, lake, CAPTURED_SERVICE_LEVELS, day, folder)
    events = pl.scan_parquet(lake.path(CAPTURED_EVENTS, day), hive_partitioning=False)
    counts = events.group_by("source").agg(pl.len().alias("rows")).collect()
    return {**dict(counts.iter_rows()), incident_rows.SERVICE_LEVELS: levels}


def _replace(engine: Engine, lake: Lake, table: Table, day: date, folder: Path) -> int:
    """Writes a merged partition. DuckDB cuts pages by where rows came from, so that the same rows would have other bytes when
    they are merged again; they are written anew, in pieces of one size."""
    merged_file = folder / f"{table.name}-merged.parquet"
    rows = engine.write_file(merged_file, table.columns, table.grain, statement(f"marts/{table.name}"), {"day": day})
    pieces = pl.scan_parquet(merged_file, hive_partitioning=False)
    return write_stream(
        lake, table, day, lambda: (pieces.slice(first, ROW_GROUP_ROWS).collect() for first in range(0, rows, ROW_GROUP_ROWS))
    )


def _secrets_removed() -> Clean:
    # What it looks words up in is read only where something is captured.
    from dagster_project.domain.incidents.redaction import secrets_removed

    return secrets_removed
