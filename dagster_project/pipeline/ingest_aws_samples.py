"""Metrics out of CloudWatch → ``aws_samples``, a part for each account and region and day.

Only what the database does not have is asked for, as CloudWatch is paid for by the metric. A day is read once; the next one
brings the last hours of it again, because metrics come late, and what is other or new there is kept in a part of its own. Days
that were not read whole are asked for what they lack, and all days of the look-back for resources that nobody could list before.
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
from dagster_project.pipeline.aws_wanted import Known, Measured, known_before, known_by_day, measured, not_told
from dagster_project.pipeline.ledger import Load, RejectedGroup, load_of, record, rejected_of, unsettled
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
    """What the regions of a night share: ``known`` is what the database has of each day."""

    runtime: Runtime
    known: Mapping[date, Known]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is read of a region: the resources of each day, the oldest day first. Of ``unread`` days that is all there are."""

    scope: Scope
    mine: Sequence[Measured]
    days: Mapping[date, Sequence[Measured]]
    unread: frozenset[date]


async def _read_all(runtime: Runtime, newest: date) -> list[tuple[date, Load]]:
    scopes = await asyncio.to_thread(live_scopes, runtime)
    wanted = measured(runtime, newest)
    plans = [_plan(runtime, scope, newest, wanted.get((scope.account_id, scope.region), ())) for scope in scopes.live]
    night = _Night(runtime, await known_by_day(runtime, sorted({day for plan in plans for day in plan.days})))
    done: list[tuple[date, Load]] = []
    for unread in scopes.unread:
        load = Load(unread.source(SOURCE), "failed", error=unread.reason)
        _record_failure(runtime, newest, load, is_read=True)
        done.append((newest, load))
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once, "aws-metrics") as pool:
        reading = [loop.run_in_executor(pool, _read_and_close, night, plan) for plan in plans]
        for number, each in enumerate(asyncio.as_completed(reading), start=1):
            done += await each
            runtime.progress.update("Reading CloudWatch", number, len(reading))
    return sorted(done, key=lambda line: (line[0], line[1].source))


def _plan(runtime: Runtime, scope: Scope, newest: date, mine: Sequence[Measured]) -> _Plan:
    """Days that were never read whole, and of the others the resources that were found since."""
    lake, part = runtime.lake, scope.source(SOURCE)
    reach = min(runtime.settings.rightsizing.lookback_days, runtime.settings.aws.history_days)
    unread = frozenset(unsettled(lake, part, days_up_to(newest, reach)))
    found = [each for each in mine if each.is_found]
    days: dict[date, Sequence[Measured]] = {}
    for day in days_up_to(newest, reach):
        if day in unread:
            days[day] = [each for each in mine if each.is_of(day)]
        elif missing := not_told(lake, day, part, [each for each in found if each.is_of(day)]):
            days[day] = missing
    return _Plan(scope, mine, days, unread)


def _read_and_close(night: _Night, plan: _Plan) -> list[tuple[date, Load]]:
    try:
        return _read_scope(night, plan)
    finally:
        plan.scope.connection.close()


def _read_scope(night: _Night, plan: _Plan) -> list[tuple[date, Load]]:
    """Reads the days of a region, one after the other. The first failure ends it: the others would most likely fail too."""
    runtime, scope, done = night.runtime, plan.scope, []
    before = replace(scope.connection.tally)
    memory: Memory | None = None
    for number, day in enumerate(plan.days):
        rejected: list[RejectedGroup] = []
        try:
            if memory is None:
                types = {each.wanted.name: each.wanted.instance_type for each in plan.mine}
                memory = memory_series(scope, runtime.settings.aws.memory_namespace, types) if plan.mine else {}
            load, rejected = _read_day(night, plan, day, memory)
        except NightshiftError as error:
            load = Load(scope.source(SOURCE), "failed", error=str(error))
        tally = scope.connection.tally
        load = replace(load, calls=tally.calls - before.calls, throttles=tally.throttles - before.throttles)
        before = replace(tally)
        # What failed before the newest day is why that one was not read either.
        if load.status == "failed":
            for each in [*plan.days][number:]:
                _record_failure(runtime, each, load, is_read=False)
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


def _record_failure(runtime: Runtime, day: date, load: Load, *, is_read: bool) -> None:
    """A day of which something was read keeps its line, and with it what was set aside. Where it lacks something it is no longer
    whole (``is_read``: it does not)."""
    known = load_of(runtime.lake, load.source, day)
    if known is None or known.status == "failed":
        record(runtime.lake, day, load)
    elif not is_read:
        partial = replace(known, status="partial", error=load.error)
        record(runtime.lake, day, partial, rejected_of(runtime.lake, load.source, day))


def _read_day(night: _Night, plan: _Plan, day: date, memory: Memory) -> tuple[Load, list[RejectedGroup]]:
    runtime, scope, part = night.runtime, plan.scope, plan.scope.source(SOURCE)
    start, end = (moment.replace(tzinfo=None) for moment in day_bounds(day))
    yesterday = day - timedelta(days=1)
    # What was read tonight is not late yet; what is read again is compared with what there is.
    has_before = day in plan.unread and yesterday not in plan.unread and runtime.lake.has(AWS_SAMPLES, yesterday, part)
    first = start - timedelta(hours=runtime.settings.aws.late_hours) if has_before else start
    slots = int((end - first).total_seconds()) // PERIOD_SECONDS
    reading = Reading(runtime, scope, first, start, end)
    queue = batches((each.wanted for each in plan.days[day]), memory, _known(night, day, part), slots)

    def frames() -> Iterator[pl.DataFrame]:
        return over_earlier(runtime.lake, day, part, reading.frames(queue))

    written = write_stream(runtime.lake, AWS_SAMPLES, day, frames, part=part)
    # A day that was read again has its late part in it.
    runtime.lake.path(AWS_SAMPLES, day, part + LATE).unlink(missing_ok=True)
    if has_before:
        keep_late(runtime.lake, yesterday, part, reading.late)
    problem = ""
    if reading.incomplete:
        problem = (
            f"CloudWatch did not tell {len(reading.incomplete):,} series whole, such as {reading.incomplete[0]}; the day is read "
            "again in the next night."
        )
    rejected = _with_earlier(reading.rejected, rejected_of(runtime.lake, part, day))
    return Load(
        part,
        "partial" if reading.incomplete else "complete",
        rows_read=reading.points,
        rows_written=written,
        rows_rejected=sum(group.rejected_rows for group in rejected),
        watermark_at=reading.last_at,
        error=problem,
    ), rejected


def _with_earlier(rejected: Sequence[RejectedGroup], earlier: Sequence[RejectedGroup]) -> list[RejectedGroup]:
    """What was set aside before stays so: not all is asked for again."""
    now = {(each.resource_id, each.reason, each.column_name) for each in rejected}
    return [*rejected, *(each for each in earlier if (each.resource_id, each.reason, each.column_name) not in now)]
