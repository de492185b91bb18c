"""Metrics out of CloudWatch → ``aws_samples``, a part for each account and region and day.

Only what the database does not have is asked for, as CloudWatch is paid for by the metric. A day is read once; the next one
brings the last hours of it again, because metrics come late, and what is other or new there is kept in a part of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from dagster_project.errors import NightshiftError
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.frames import write_stream
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.aws_late import LATE, keep_late, over_earlier
from dagster_project.pipeline.aws_reading import SOURCE, Reading
from dagster_project.pipeline.aws_scopes import live_scopes
from dagster_project.pipeline.aws_wanted import Known, Measured, known_before, known_by_day, measured
from dagster_project.pipeline.ledger import Load, RejectedGroup, load_of, record, unsettled
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudwatch_metrics import batches, memory_series
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS, Dimensions
from dagster_project.sources.utilization import day_bounds

Memory = Mapping[str, tuple[str, str, Dimensions]]


def ingest_aws_samples(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Reads the metrics of the newest day, and of the days of the look-back that were never read whole, in every live account and
    region, side by side. AWS is asked in a run of the newest day only.

    Returns the lines of the load ledger, by day and source. A region that fails says so there: what it had read stays.
    """
    newest = next((day for day in days if runtime.is_newest(day)), None)
    if newest is None or not runtime.settings.aws.is_live or not runtime.lake.has(RESOURCE_INVENTORY, newest):
        return []
    return asyncio.run(_read_all(runtime, newest))


@dataclass(frozen=True, slots=True)
class _Night:
    """What the regions of a night share: the resources of each, and what the database has of each day."""

    runtime: Runtime
    newest: date
    wanted: Mapping[tuple[str, str], Sequence[Measured]]
    known: Mapping[date, Known]


async def _read_all(runtime: Runtime, newest: date) -> list[tuple[date, Load]]:
    scopes = await asyncio.to_thread(live_scopes, runtime)
    queues = [(scope, _queue(runtime, scope, newest)) for scope in scopes.live]
    known = await known_by_day(runtime, sorted({day for _, queue in queues for day in queue}))
    night = _Night(runtime, newest, measured(runtime, newest), known)
    done: list[tuple[date, Load]] = []
    for unread in scopes.unread:
        load = Load(unread.source(SOURCE), "failed", error=unread.reason)
        _record_failure(runtime, newest, load)
        done.append((newest, load))
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once, "aws-metrics") as pool:
        reading = [loop.run_in_executor(pool, _read_and_close, night, scope, queue) for scope, queue in queues]
        for number, each in enumerate(asyncio.as_completed(reading), start=1):
            done += await each
            runtime.progress.update("Reading CloudWatch", number, len(reading))
    return sorted(done, key=lambda line: (line[0], line[1].source))


def _queue(runtime: Runtime, scope: Scope, newest: date) -> list[date]:
    """The days that are read, the oldest first."""
    reach = min(runtime.settings.rightsizing.lookback_days, runtime.settings.aws.history_days)
    return unsettled(runtime.lake, scope.source(SOURCE), days_up_to(newest, reach))


def _read_and_close(night: _Night, scope: Scope, queue: Sequence[date]) -> list[tuple[date, Load]]:
    try:
        return _read_scope(night, scope, queue)
    finally:
        scope.connection.close()


def _read_scope(night: _Night, scope: Scope, queue: Sequence[date]) -> list[tuple[date, Load]]:
    """Reads the days of a region, one after the other. The first failure ends it: the others would most likely fail too."""
    runtime, done = night.runtime, []
    mine = night.wanted.get((scope.account_id, scope.region), ())
    before = replace(scope.connection.tally)
    memory: Memory | None = None
    for number, day in enumerate(queue):
        rejected: list[RejectedGroup] = []
        try:
            if memory is None:
                types = {each.wanted.name: each.wanted.instance_type for each in mine}
                memory = memory_series(scope, runtime.settings.aws.memory_namespace, types) if mine else {}
            # What was read tonight is not late yet.
            is_earlier = day - timedelta(days=1) not in queue
            load, rejected = _read_day(night, scope, day, mine, memory, reads_late=is_earlier)
        except NightshiftError as error:
            load = Load(scope.source(SOURCE), "failed", error=str(error))
        tally = scope.connection.tally
        load = replace(load, calls=tally.calls - before.calls, throttles=tally.throttles - before.throttles)
        before = replace(tally)
        # What failed before the newest day is why that one was not read either.
        if load.status == "failed":
            for each in queue[number:]:
                _record_failure(runtime, each, load)
                done.append((each, load))
                load = replace(load, calls=0, throttles=0)
            break
        record(runtime.lake, day, load, rejected)
        done.append((day, load))
    return done


def _known(night: _Night, day: date, part: str) -> Known:
    """What the database has of a day, and what of it was read before."""
    before, database = known_before(night.runtime.lake, day, part), night.known.get(day, {})
    return {**database, **{name: each | database.get(name, frozenset()) for name, each in before.items()}} if before else database


def _record_failure(runtime: Runtime, day: date, load: Load) -> None:
    """A day of which something was read keeps its line, and with it what was set aside."""
    known = load_of(runtime.lake, load.source, day)
    if known is None or known.status == "failed":
        record(runtime.lake, day, load)


def _read_day(
    night: _Night, scope: Scope, day: date, mine: Sequence[Measured], memory: Memory, *, reads_late: bool
) -> tuple[Load, list[RejectedGroup]]:
    runtime, part = night.runtime, scope.source(SOURCE)
    start, end = (moment.replace(tzinfo=None) for moment in day_bounds(day))
    # What is read again is compared with what there is; without that there is nothing to compare.
    has_before = reads_late and runtime.lake.has(AWS_SAMPLES, day - timedelta(days=1), part)
    first = start - timedelta(hours=runtime.settings.aws.late_hours) if has_before else start
    slots = int((end - first).total_seconds()) // PERIOD_SECONDS
    there = (each.wanted for each in mine if each.created_at is None or each.created_at < end)
    reading = Reading(runtime, scope, first, start, end)
    queue = batches(there, memory, _known(night, day, part), slots)

    def frames() -> Iterator[pl.DataFrame]:
        return over_earlier(runtime.lake, day, part, reading.frames(queue))

    written = write_stream(runtime.lake, AWS_SAMPLES, day, frames, part=part)
    # A day that was read again has its late part in it.
    runtime.lake.path(AWS_SAMPLES, day, part + LATE).unlink(missing_ok=True)
    if has_before:
        keep_late(runtime.lake, day - timedelta(days=1), part, reading.late)
    problem = ""
    if reading.incomplete:
        problem = (
            f"CloudWatch did not tell {len(reading.incomplete):,} series whole, such as {reading.incomplete[0]}; the day is read "
            "again in the next night."
        )
    return Load(
        part,
        "partial" if reading.incomplete else "complete",
        rows_read=reading.points,
        rows_written=written,
        rows_rejected=sum(group.rejected_rows for group in reading.rejected),
        watermark_at=reading.last_at,
        error=problem,
    ), reading.rejected
