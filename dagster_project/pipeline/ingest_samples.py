"""Utilization samples: PostgreSQL → one sorted Parquet partition per day."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import Rejection, SampleRules
from dagster_project.errors import EmptySource, NightshiftError
from dagster_project.lake.aws_tables import AWS_SAMPLES, SAMPLE_SOURCES
from dagster_project.lake.frames import schema, write_frame, write_stream
from dagster_project.lake.partitions import Lake
from dagster_project.lake.sample_sorter import SampleSorter
from dagster_project.lake.tables import UTILIZATION_SAMPLES
from dagster_project.pipeline.aws_late import LATE, over
from dagster_project.pipeline.ledger import Load, RejectedGroup, keeps, load_of, record, unsettled
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.sources import utilization
from dagster_project.sources.contract import Contract
from dagster_project.sources.utilization import SampleBlock

SOURCE = "utilization"


def ingest_samples(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Loads ``days``, and before them the days of the look-back that were never loaded, were not over, or have more rows now.

    Returns what was loaded, in order. Raises ``EmptySource`` where a single day was asked for and it has no samples; in a
    range, such a day is recorded as empty. A complete day is never replaced by fewer rows.
    """
    return asyncio.run(_ingest(runtime, days))


async def _ingest(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    done: list[tuple[date, Load]] = []
    try:
        async with runtime.source() as (connection, contract):
            span = await utilization.sample_span(connection, contract) if contract.has(SOURCE) else None
            filled = runtime.lake.days(AWS_SAMPLES)
            if span is None and not filled and contract.has(SOURCE):
                raise EmptySource("The table utilization holds no samples at all; load some, or correct NIGHTSHIFT_DSN.")
            if span is None and not filled:
                raise EmptySource(
                    "The database has no table utilization, and CloudWatch has told of no samples yet; 'nightshift doctor' says "
                    "what each account lets be read."
                )
            first = min([*([span[0].date()] if span else []), *filled])
            queue = await _queue(runtime, connection, contract, days, first)
            for number, day in enumerate(queue, start=1):
                load = await _ingest_day(runtime, connection, contract, day, may_be_empty=list(days) != [day])
                if load is None:
                    raise _without_samples(day, span, filled)
                done.append((day, load))
                runtime.progress.update("Reading samples", number, len(queue))
    except NightshiftError as error:
        _record_failure(runtime, days, [day for day, _ in done], error)
        raise
    return done


def _without_samples(day: date, span: tuple[datetime, datetime] | None, filled: Sequence[date]) -> EmptySource:
    """What to do about a day of which there is nothing."""
    first, last = (moment.date() for moment in span) if span else (filled[0], filled[-1])
    there = "The table utilization has" if span else "CloudWatch has told of"
    held = "it holds" if span else "there are those of"
    return EmptySource(
        f"{there} no samples on {day}; {held} {first} to {last}: choose a day in between, or find out why that day is missing."
    )


async def _queue(
    runtime: Runtime, connection: asyncpg.Connection, contract: Contract, days: Sequence[date], first_sample: date
) -> list[date]:
    lookback = [day for day in days_up_to(min(days), runtime.settings.rightsizing.lookback_days)[:-1] if day >= first_sample]
    unread = [day for day in unsettled(runtime.lake, SOURCE, lookback) if contract.has(SOURCE) or not _is_made(runtime.lake, day)]
    recent = [day for day in lookback[-runtime.settings.source.late_days :] if day not in unread]
    grown = [day for day in lookback if _is_behind(runtime.lake, day)]
    if recent and contract.has(SOURCE):
        counts = await utilization.sample_counts(connection, contract, recent[0], recent[-1])
        loads = {day: load_of(runtime.lake, SOURCE, day) for day in recent}
        grown += [day for day, load in loads.items() if load is not None and counts.get(day, 0) > load.rows_read]
    return sorted({*unread, *grown, *days})


def _is_made(lake: Lake, day: date) -> bool:
    """Whether a day was put together of what CloudWatch told alone."""
    load = load_of(lake, SOURCE, day)
    return load is not None and load.status == "absent" and lake.has(UTILIZATION_SAMPLES, day)


def _is_behind(lake: Lake, day: date) -> bool:
    """Whether CloudWatch has told more of a day since it was put together."""
    samples, told = lake.path(UTILIZATION_SAMPLES, day), lake.files(AWS_SAMPLES, [day])
    if not told:
        return False
    return not samples.is_file() or max(file.stat().st_mtime_ns for file in told) > samples.stat().st_mtime_ns


def _record_failure(runtime: Runtime, days: Sequence[date], done: Sequence[date], error: NightshiftError) -> None:
    """A day that was never loaded is marked as failed; a partition that exists stays, and so does its line."""
    for day in days:
        if day not in done and load_of(runtime.lake, SOURCE, day) is None:
            try:
                record(runtime.lake, day, Load(SOURCE, "failed", error=str(error)))
            except NightshiftError:
                return  # the warehouse itself is the problem; the first error says so


async def _ingest_day(
    runtime: Runtime,
    connection: asyncpg.Connection,
    contract: Contract,
    day: date,
    *,
    may_be_empty: bool,
) -> Load | None:
    """Loads one day; None, and nothing written, where it has no samples and that is no answer."""
    settings, lake = runtime.settings.source, runtime.lake
    rules = SampleRules(settings.max_utilization_pct, _microseconds(runtime.now))
    has_table = contract.has(SOURCE)
    parts = lake.files(AWS_SAMPLES, [day])
    told = _ids_of(parts)
    keys = await utilization.resource_keys(connection, contract, told)
    with lake.scratch() as scratch:
        codes = _ResourceCodes(keys)
        with SampleSorter(scratch, codes.known_ids, settings.spill_buckets) as sorter:
            intake = _Intake(codes, rules, sorter)
            read = await utilization.copy_samples(connection, contract, day, rules, intake.take) if has_table else 0
            _fill(sorter, codes.known_ids, parts)
            if read == 0 and not told and not may_be_empty:
                return None
            kept = keeps(lake, SOURCE, day, read) if has_table else None
            if kept is not None:
                return kept
            unlisted: list[str] = []
            if codes.unlisted:
                names = await utilization.unlisted_resources(connection, contract, day, list(codes.unlisted))
                unlisted = [names[key] for key in codes.unlisted]
            # Parquet is written by threads of its own; this event loop has nothing else to do meanwhile.
            written = write_stream(lake, UTILIZATION_SAMPLES, day, lambda: sorter.frames(unlisted))
            if sorter.sources:
                counted = pl.concat(sorter.sources).filter(pl.col("database_samples") + pl.col("cloudwatch_samples") > 0)
                write_frame(lake, SAMPLE_SOURCES, day, counted)
            groups = _groups([*intake.rejections, *sorter.duplicates], codes.known_ids + unlisted)
    _, end = utilization.day_bounds(day)
    load = Load(
        SOURCE,
        status=_status(has_table, read, is_over=end <= runtime.now),
        rows_read=read,
        rows_written=written,
        rows_rejected=sum(group.rejected_rows for group in groups),
        watermark_at=None if intake.last_us is None else _from_microseconds(intake.last_us),
        missing_columns=", ".join(contract.missing(SOURCE)) if has_table else "",
    )
    record(lake, day, load, groups)
    return load


def _status(has_table: bool, read: int, *, is_over: bool) -> str:
    if not has_table:
        return "absent"
    return "partial" if not is_over else "complete" if read else "empty"


def _ids_of(parts: Sequence[Path]) -> list[str]:
    """The resources that CloudWatch told of."""
    if not parts:
        return []
    ids = pl.scan_parquet(parts, hive_partitioning=False).select(pl.col("resource_id").unique())
    return ids.collect()["resource_id"].to_list()


def _fill(sorter: SampleSorter, known_ids: list[str], parts: Sequence[Path]) -> None:
    """Gives what CloudWatch told to the sorter, a batch at a time. What was read again later counts, cell by cell."""
    names = pl.DataFrame({"resource_id": known_ids, "code": np.arange(len(known_ids), dtype=np.uint32)})
    first = [file for file in parts if not file.stem.endswith(LATE)]
    again = [pl.read_parquet(file, hive_partitioning=False) for file in parts if file.stem.endswith(LATE)]
    late = pl.concat([pl.DataFrame(schema=schema(AWS_SAMPLES)), *again])
    is_new = late
    for file in first:
        for batch in pl.scan_parquet(file, hive_partitioning=False).collect_batches(maintain_order=True):
            _give(sorter, names, over(batch, late, how="left") if late.height else batch)
            is_new = is_new.join(batch, on=AWS_SAMPLES.grain, how="anti") if is_new.height else is_new
    _give(sorter, names, is_new)


def _give(sorter: SampleSorter, names: pl.DataFrame, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    known = rows.join(names, on="resource_id", how="inner", maintain_order="left")
    values = known.select(pl.col(metric.name).fill_null(float("nan")) for metric in METRICS).to_numpy()
    sorter.fill(known["code"].to_numpy(), known["sampled_at"].dt.epoch("us").to_numpy(), values)


class _ResourceCodes:
    """Hashes to codes: the position of a known resource's id in sorted order, then unlisted ones as they turn up."""

    def __init__(self, keys: dict[int, str]) -> None:
        self.missing_key = next(key for key, name in keys.items() if name == "")
        listed = sorted((name, key) for key, name in keys.items() if name)
        self.known_ids = [name for name, _ in listed]
        by_key = sorted((key, code) for code, (_, key) in enumerate(listed))
        self._keys = np.array([key for key, _ in by_key], dtype=np.int64)
        self._codes = np.array([code for _, code in by_key], dtype=np.uint32)
        self.unlisted: dict[int, int] = {}
        # Keys are hashes, so their low bits scatter evenly: with eight slots a key, nine in ten look-ups hit at once, which is
        # five times as fast as searching for each.
        self._mask = (1 << max(1, (8 * len(listed)).bit_length())) - 1
        self._slots = np.zeros(self._mask + 1, dtype=np.uint32)
        self._slots[self._keys & self._mask] = np.arange(len(self._keys))

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.uint32]:
        if not len(self._keys):
            return self._unlisted_codes(keys)
        position = self._slots[keys & self._mask]
        missed = np.flatnonzero(self._keys[position] != keys)
        if len(missed):
            searched = np.minimum(np.searchsorted(self._keys, keys[missed]), len(self._keys) - 1)
            position[missed] = searched
            unknown = missed[self._keys[searched] != keys[missed]]
            codes = self._codes[position]
            if len(unknown):
                codes[unknown] = self._unlisted_codes(keys[unknown])
            return codes
        return self._codes[position]

    def _unlisted_codes(self, keys: NDArray[np.int64]) -> NDArray[np.uint32]:
        distinct, inverse = np.unique(keys, return_inverse=True)
        codes = [self.unlisted.setdefault(key, len(self.known_ids) + len(self.unlisted)) for key in distinct.tolist()]
        return np.array(codes, dtype=np.uint32)[inverse]


class _Intake:
    """Takes blocks of samples as they arrive, sets aside what cannot be right, and passes the rest on to be sorted."""

    def __init__(self, codes: _ResourceCodes, rules: SampleRules, sorter: SampleSorter) -> None:
        self._codes, self._rules, self._sorter = codes, rules, sorter
        self.rejections: list[Rejection] = []
        self.last_us: int | None = None

    def take(self, block: SampleBlock) -> None:
        nameless = np.flatnonzero(block.keys == self._codes.missing_key)
        if not (len(block.suspects) or len(nameless)):
            self._pass_on(self._codes.of(block.keys), block.at_us, block.values)
            return
        if len(nameless):
            first = int(block.at_us[nameless].min())
            self.rejections.append(Rejection("missing_resource_id", -1, "", len(nameless), first, ""))
        named = ~np.isin(block.suspects, nameless)
        suspects = block.suspects[named]
        # Codes are given out to named rows only: a missing id is no resource that turned up.
        codes = np.zeros(len(block.keys), dtype=np.uint32)
        has_name = np.ones(len(codes), dtype=bool)
        has_name[nameless] = False
        codes[has_name] = self._codes.of(block.keys[has_name])
        self.rejections += self._rules.rejections(codes, block.at_us, suspects, block.suspect_values[named])
        good = has_name.copy()
        good[suspects] = False
        self._pass_on(codes[good], block.at_us[good], block.values[good])

    def _pass_on(self, codes: NDArray[np.uint32], at_us: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        if len(at_us):
            self.last_us = max(self.last_us or 0, int(at_us.max()))
        self._sorter.add(codes, at_us, values)


@dataclass
class _Tally:
    rows: int = 0
    first: Rejection | None = None


def _groups(rejections: Sequence[Rejection], ids: list[str]) -> list[RejectedGroup]:
    tallies: dict[tuple[str, int, str], _Tally] = defaultdict(_Tally)
    for item in rejections:
        tally = tallies[item.reason, item.code, item.column]
        tally.rows += item.rows
        if tally.first is None or item.first_at_us < tally.first.first_at_us:
            tally.first = item
    groups = []
    for (reason, code, column), tally in tallies.items():
        assert tally.first is not None  # noqa: S101 - a tally is created with its first rejection
        at = _from_microseconds(tally.first.first_at_us)
        name = ids[code] if code >= 0 else ""
        groups.append(RejectedGroup(SOURCE, reason, name, column, tally.rows, at, tally.first.example))
    return groups


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _from_microseconds(value: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=value)  # noqa: DTZ001 - the lake's times are naive UTC
