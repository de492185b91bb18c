"""Metrics out of CloudWatch → ``aws_samples``, a part for each account and region and day.

Only what the database does not have is asked for, as CloudWatch is paid for by the metric. A day is read once; the next one
brings the last hours of it again, because metrics come late, and what is other or new there is kept in a part of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import SampleRules
from dagster_project.errors import NightshiftError, SourceUnavailable
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.frames import schema, write_stream
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.aws_late import LATE, keep_late, over_earlier
from dagster_project.pipeline.aws_scopes import live_scopes
from dagster_project.pipeline.ledger import Load, RejectedGroup, load_of, record, unsettled
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.sources import utilization
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudwatch_metrics import Answered, Batch, batches, memory_series, read_batch
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS, SLOTS_OF_DAY, Dimensions, Wanted
from dagster_project.sources.utilization import day_bounds

SOURCE = "aws_samples"
ENOUGH_READINGS = round(0.95 * SLOTS_OF_DAY)
"""With so many readings of a metric in the database, CloudWatch has nothing to fill in."""
_KINDS = ("ec2_instance", "autoscaling_group", "rds_instance")
_AHEAD = 2
"""Batches that wait to be written, beyond those that are under way."""
_GIB = 1024**3
Known = Mapping[str, frozenset[int]]
"""Metrics of a resource, as positions in ``METRICS``, that the database has."""
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
    wanted: Mapping[tuple[str, str], Sequence[_Measured]]
    known: Mapping[date, Known]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A resource that is measured, and when it was made (naive UTC; None: not known)."""

    wanted: Wanted
    created_at: datetime | None


async def _read_all(runtime: Runtime, newest: date) -> list[tuple[date, Load]]:
    scopes = await asyncio.to_thread(live_scopes, runtime)
    queues = [(scope, _queue(runtime, scope, newest)) for scope in scopes.live]
    known = await _known(runtime, sorted({day for _, queue in queues for day in queue}))
    night = _Night(runtime, newest, _measured(runtime, newest), known)
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


def _measured(runtime: Runtime, newest: date) -> Mapping[tuple[str, str], Sequence[_Measured]]:
    """The resources that are measured, by account and region, in the order of their ids."""
    inventory = pl.read_parquet(runtime.lake.path(RESOURCE_INVENTORY, newest), hive_partitioning=False)
    memory, is_silent = _sizes(runtime, newest)
    found: dict[tuple[str, str], list[_Measured]] = {}
    listed = inventory.filter(pl.col("resource_type").is_in(_KINDS)).sort("resource_id")
    for row in listed.iter_rows(named=True):
        if row["account_id"] is None or row["region"] is None:
            continue  # nobody knows where to ask
        size = row["instance_type"] or ""
        wanted = Wanted(
            row["resource_id"],
            row["resource_type"],
            row["native_id"] or row["resource_id"],
            row["instance_type"],
            memory.get(size),
            size not in is_silent,
        )
        found.setdefault((row["account_id"], row["region"]), []).append(_Measured(wanted, row["created_at"]))
    return found


def _sizes(runtime: Runtime, day: date) -> tuple[dict[str, float], frozenset[str]]:
    """Memory in bytes of each database class, and the instance types that do not report what their volumes do: those on Xen."""
    catalog = runtime.catalog(day)
    classes = pl.read_parquet(catalog.rds_classes, columns=["instance_class", "memory_gib"]).drop_nulls()
    types = pl.read_parquet(catalog.instance_types, columns=["instance_type", "hypervisor"])
    xen = types.filter(pl.col("hypervisor") == "xen")["instance_type"]
    return {name: memory * _GIB for name, memory in classes.iter_rows()}, frozenset(xen)


async def _known(runtime: Runtime, days: Sequence[date]) -> dict[date, Known]:
    """What the database has of each day. One that cannot be reached has nothing, and the step that reads it says so."""
    found: dict[date, Known] = {}
    # Days have most of it in common: thirty of them would not fit into memory otherwise.
    names: dict[str, str] = {}
    metrics: dict[frozenset[int], frozenset[int]] = {}
    try:
        async with runtime.source() as (connection, contract):
            for day in days if contract.has("utilization") else ():
                counts = await utilization.readings(connection, contract, day)
                enough = ((name, _enough(each)) for name, each in counts.items())
                found[day] = {names.setdefault(name, name): metrics.setdefault(each, each) for name, each in enough if each}
    except SourceUnavailable:
        return {}
    return found


def _enough(counts: Sequence[int]) -> frozenset[int]:
    return frozenset(index for index, count in enumerate(counts) if count >= ENOUGH_READINGS)


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


def _record_failure(runtime: Runtime, day: date, load: Load) -> None:
    """A day of which something was read keeps its line, and with it what was set aside."""
    known = load_of(runtime.lake, load.source, day)
    if known is None or known.status == "failed":
        record(runtime.lake, day, load)


def _read_day(
    night: _Night, scope: Scope, day: date, mine: Sequence[_Measured], memory: Memory, *, reads_late: bool
) -> tuple[Load, list[RejectedGroup]]:
    runtime, part = night.runtime, scope.source(SOURCE)
    start, end = (moment.replace(tzinfo=None) for moment in day_bounds(day))
    # What is read again is compared with what there is; without that there is nothing to compare.
    has_before = reads_late and runtime.lake.has(AWS_SAMPLES, day - timedelta(days=1), part)
    first = start - timedelta(hours=runtime.settings.aws.late_hours) if has_before else start
    slots = int((end - first).total_seconds()) // PERIOD_SECONDS
    there = (each.wanted for each in mine if each.created_at is None or each.created_at < end)
    reading = _Reading(runtime, scope, first, start, end)
    queue = batches(there, memory, night.known.get(day, {}), slots)

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


class _Reading:
    """The metrics of a region and day as they come, in the order of the resources, some batches at a time."""

    def __init__(self, runtime: Runtime, scope: Scope, first: datetime, start: datetime, end: datetime) -> None:
        self._scope, self._first, self._start, self._end = scope, first, start, end
        self._at_once = runtime.settings.aws.requests_at_once
        self._bounds = SampleRules(runtime.settings.source.max_utilization_pct, 0).upper_bounds().astype(np.float32)
        self.points = 0
        self.incomplete: list[str] = []
        self.rejected: list[RejectedGroup] = []
        self.last_at: datetime | None = None
        self.late: list[pl.DataFrame] = []

    def frames(self, queue: Iterator[Batch]) -> Iterator[pl.DataFrame]:
        """Rows of the day; what was read again of the day before goes to ``late``."""
        early = int((self._start - self._first).total_seconds()) // PERIOD_SECONDS
        for batch, answered in self._answers(queue):
            self.points += answered.points
            self.incomplete += answered.incomplete
            self._set_aside(batch, answered.values)
            if early:
                self.late.append(self._rows(batch, answered.values[:, :early], self._first))
            frame = self._rows(batch, answered.values[:, early:], self._start)
            if frame.height:
                self.last_at = max(self.last_at or self._start, frame["sampled_at"].max())  # type: ignore[type-var]
                yield frame

    def _answers(self, queue: Iterator[Batch]) -> Iterator[tuple[Batch, Answered]]:
        with ThreadPoolExecutor(self._at_once, "cloudwatch") as pool:
            waiting: deque[tuple[Batch, Future[Answered]]] = deque()
            try:
                for batch in queue:
                    waiting.append((batch, pool.submit(read_batch, self._scope, batch, self._first, self._end)))
                    if len(waiting) >= self._at_once + _AHEAD:
                        asked, answer = waiting.popleft()
                        yield asked, answer.result()
                while waiting:
                    asked, answer = waiting.popleft()
                    yield asked, answer.result()
            finally:
                # After a failure the rest is not asked for.
                for _, answer in waiting:
                    answer.cancel()

    def _set_aside(self, batch: Batch, values: NDArray[np.float32]) -> None:
        """Readings that cannot be right become unknown, and are counted: any of them may have been the peak."""
        with np.errstate(invalid="ignore"):
            wrong = (values < 0) | (values > self._bounds)
        if not wrong.any():
            return
        for place, metric in zip(*(axis.tolist() for axis in np.nonzero(wrong.any(axis=1))), strict=True):
            slots = np.flatnonzero(wrong[place, :, metric])
            worst = float(values[place, slots[0], metric])
            reason = "negative" if worst < 0 else "impossible_value"
            at = self._first + timedelta(seconds=int(slots[0]) * PERIOD_SECONDS)
            name = batch.resources[place].resource_id
            source = self._scope.source(SOURCE)
            self.rejected.append(RejectedGroup(source, reason, name, METRICS[metric].name, len(slots), at, f"{worst:g}"))
        values[wrong] = np.nan

    def _rows(self, batch: Batch, values: NDArray[np.float32], start: datetime) -> pl.DataFrame:
        there = np.isfinite(values).any(axis=2)
        places, slots = np.nonzero(there)
        ids = pl.Series([each.resource_id for each in batch.resources], dtype=pl.String).gather(pl.Series(places))
        at = np.datetime64(start, "us") + slots * np.timedelta64(PERIOD_SECONDS, "s")
        cells = values[there]
        columns: dict[str, Any] = {"resource_id": ids, "sampled_at": pl.Series(at).cast(pl.Datetime("us"))}
        for index, metric in enumerate(METRICS):
            columns[metric.name] = pl.Series(np.ascontiguousarray(cells[:, index])).fill_nan(None)
        return pl.DataFrame(columns, schema=schema(AWS_SAMPLES))
