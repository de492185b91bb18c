"""Daily rollups with histograms, and the windows that are added up from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.histogram import TrimmedCounts, add_trimmed, filled_range, histograms, quantiles
from dagster_project.domain.layouts import BINS, PERCENT
from dagster_project.domain.metrics import METRICS, Metric
from dagster_project.errors import LakeError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import write_stream
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    RESOURCE_INVENTORY,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.statements import statement

RECENT_DAYS = 7
PROBABILITIES = (0.5, 0.95, 0.99, 0.995)
_QUANTILES = ("p50", "p95", "p99", "p995")
_PERCENTILES = {
    "resource_id": pl.String(),
    **dict.fromkeys(_QUANTILES, pl.Float64()),
    "window_days": pl.Int32(),
    "metric": pl.String(),
}
_BY_NAME = tuple(sorted(METRICS, key=lambda metric: metric.name))
# Of volumes the look-back asks for the highest only, and that is exact without histograms.
_PERCENTAGES = frozenset(metric.name for metric in METRICS if metric.layout is PERCENT)
_INDEX = {metric.name: index for index, metric in enumerate(_BY_NAME)}
_RESOURCES_AT_A_TIME = 4096
_ROW_GROUP_ROWS = 16_384  # small, because windows read slices of resources


def roll_up_days(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, int]]:
    """Rolls up ``days``, and those days of the look-back whose samples are newer than their rollup; returns rows by day."""
    lake = runtime.lake
    lookback = days_up_to(min(days), runtime.settings.rightsizing.lookback_days)[:-1]
    stale = [day for day in lookback if _is_stale(lake, day)]
    done = []
    queue = sorted({*stale, *days})
    for number, day in enumerate(queue, start=1):
        done.append((day, _roll_up_day(lake, day)))
        runtime.progress.update("Rolling up days", number, len(queue))
    return done


def roll_up_windows(runtime: Runtime, day: date) -> int:
    """Writes ``utilization_window`` of the day; returns its rows."""
    lake, lookback = runtime.lake, runtime.settings.rightsizing.lookback_days
    lake.require(UTILIZATION_DAILY, day)
    days = days_up_to(day, lookback)
    # The totals of 100,000 resources take 1.6 GB; within less, DuckDB spills and takes five times as long.
    with open_engine(lake, memory_limit="2GB") as engine, lake.scratch() as scratch:
        engine.view(RESOURCE_INVENTORY, [day])
        starts = scratch / "window_starts.parquet"
        columns = {"resource_id": "VARCHAR", "changed_on": "DATE"}
        engine.write_file(starts, columns, ("resource_id",), statement("marts/window_starts"))
        percentiles = scratch / "window_percentiles.parquet"
        nothing = pl.DataFrame(schema=_PERCENTILES)
        pl.concat([nothing, *_percentiles(lake, days, starts, lookback)]).write_parquet(percentiles)
        engine.view(UTILIZATION_DAILY, days)
        engine.view_file("window_starts", starts)
        engine.view_file("window_percentiles", percentiles)
        parameters = {"day": day, "lookback_days": lookback}
        return engine.write(UTILIZATION_WINDOW, day, statement("marts/utilization_window"), parameters)


def _is_stale(lake: Lake, day: date) -> bool:
    samples, rollup = lake.path(UTILIZATION_SAMPLES, day), lake.path(UTILIZATION_DAILY, day)
    if not samples.is_file():
        return False
    return not rollup.is_file() or rollup.stat().st_mtime_ns < samples.stat().st_mtime_ns


def _roll_up_day(lake: Lake, day: date) -> int:
    samples = lake.require(UTILIZATION_SAMPLES, day)
    plain = {name: kind for name, kind in UTILIZATION_DAILY.columns.items() if name not in ("first_bin", "counts")}
    with open_engine(lake) as engine, lake.scratch() as scratch:
        engine.view(UTILIZATION_SAMPLES, [day])
        statistics = scratch / "statistics.parquet"
        engine.write_file(statistics, plain, UTILIZATION_DAILY.grain, statement("marts/utilization_daily"))
        return write_stream(lake, UTILIZATION_DAILY, day, lambda: _with_histograms(samples, statistics), _ROW_GROUP_ROWS)


def _with_histograms(samples: Path, statistics: Path) -> Iterator[pl.DataFrame]:
    """The day's statistics with their histograms, some thousand resources at a time, in order."""
    left = pl.read_parquet(statistics)
    for frame in _by_resource(samples, [metric.name for metric in _BY_NAME]):
        counted = _histogram_rows(frame)
        mine, left = left.head(counted.height), left.slice(counted.height)
        if not (mine["resource_id"].equals(counted["resource_id"]) and mine["samples"].equals(counted["samples"])):
            raise LakeError("The histograms and the statistics of a day disagree; the samples changed in between: run again.")
        yield mine.with_columns(counted["first_bin"], counted["counts"])


def _histogram_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """A row for every resource and metric that has samples, in the order of the grain."""
    groups = frame["resource_id"].rle_id().to_numpy()
    resources = frame["resource_id"].unique(maintain_order=True)
    dense = np.empty((len(resources), len(_BY_NAME), BINS), np.uint32)
    for index, metric in enumerate(_BY_NAME):
        values = frame[metric.name].fill_null(float("nan")).to_numpy()
        dense[:, index] = histograms(groups, values, metric.layout, len(resources))
    flat = dense.reshape(-1, BINS)
    first, length = filled_range(flat)
    return (
        pl.DataFrame({"first_bin": first, "length": length, "counts": flat, "samples": flat.sum(axis=1, dtype=np.int32)})
        .with_columns(resources.gather(np.arange(len(resources)).repeat(len(_BY_NAME))).alias("resource_id"))
        .filter(pl.col("length") > 0)
        .with_columns(pl.col("counts").arr.to_list().list.slice("first_bin", "length"))
    )


def _by_resource(samples: Path, columns: list[str]) -> Iterator[pl.DataFrame]:
    """The samples in frames that hold whole resources; the file is sorted by resource."""
    rest: pl.DataFrame | None = None
    source = pl.scan_parquet(samples, glob=False).select("resource_id", *columns)
    for batch in source.collect_batches(maintain_order=True):
        frame = batch if rest is None else pl.concat([rest, batch])
        if frame.is_empty():
            continue
        is_last = frame["resource_id"] == frame["resource_id"][-1]
        rest = frame.filter(is_last)
        if rest.height < frame.height:
            yield frame.filter(~is_last)
    if rest is not None and rest.height:
        yield rest


def _percentiles(lake: Lake, days: list[date], starts: Path, lookback: int) -> Iterator[pl.DataFrame]:
    """Quantiles of every resource and metric over the last seven days, of percentages over the look-back too."""
    files = [(day, lake.path(UTILIZATION_DAILY, day)) for day in days if lake.has(UTILIZATION_DAILY, day)]
    owners = {day: pl.read_parquet(file, columns=["resource_id"]).to_series() for day, file in files}
    ids = pl.concat([pl.Series("resource_id", [], pl.String), *(owner.unique() for owner in owners.values())]).unique().sort()
    changed = pl.read_parquet(starts)
    recent_from = days[-min(RECENT_DAYS, len(days))]
    for start in range(0, len(ids), _RESOURCES_AT_A_TIME):
        mine = ids.slice(start, _RESOURCES_AT_A_TIME)
        recent = np.zeros((len(_BY_NAME), len(mine), BINS), np.uint32)
        earlier = np.zeros_like(recent)
        for day, file in files:
            # The file is sorted by resource: these resources are one slice of its rows.
            first, end = (int(owners[day].search_sorted(name, side)) for name, side in ((mine[0], "left"), (mine[-1], "right")))
            rows = (
                pl.scan_parquet(file, glob=False)
                .select("resource_id", "metric", "first_bin", "counts")
                .slice(first, end - first)
                .collect()
            )
            if day < recent_from:
                rows = rows.filter(pl.col("metric").is_in(_PERCENTAGES))
            settled = changed.filter(pl.col("changed_on") >= day)["resource_id"]
            if settled.len():
                rows = rows.filter(~pl.col("resource_id").is_in(settled.implode()))
            _add_day(earlier if day < recent_from else recent, mine, rows)
        yield from _quantile_rows(mine, RECENT_DAYS, recent, _BY_NAME)
        if lookback > RECENT_DAYS:
            whole = [index for index, metric in enumerate(_BY_NAME) if metric.name in _PERCENTAGES]
            yield from _quantile_rows(mine, lookback, recent[whole] + earlier[whole], [_BY_NAME[index] for index in whole])


def _add_day(total: NDArray[np.uint32], resources: pl.Series, day: pl.DataFrame) -> None:
    """Adds a day's histograms to ``total`` (metrics, resources, BINS)."""
    metrics = day["metric"].replace_strict(_INDEX, return_dtype=pl.Int64).to_numpy()
    rows = metrics * len(resources) + resources.search_sorted(day["resource_id"]).to_numpy().astype(np.int64)
    trimmed = TrimmedCounts(
        day["first_bin"].to_numpy(), day["counts"].list.len().to_numpy(), day["counts"].explode(empty_as_null=False).to_numpy()
    )
    add_trimmed(total.reshape(-1, BINS), rows, trimmed)


def _quantile_rows(
    ids: pl.Series, window_days: int, total: NDArray[np.uint32], metrics: Sequence[Metric]
) -> Iterator[pl.DataFrame]:
    for metric, counts in zip(metrics, total, strict=True):
        values = quantiles(counts, metric.layout, PROBABILITIES)
        yield (
            pl.DataFrame({"resource_id": ids, **dict(zip(_QUANTILES, values.T, strict=True))})
            .with_columns(pl.lit(window_days, pl.Int32).alias("window_days"), pl.lit(metric.name).alias("metric"))
            .filter(pl.col("p50").is_not_nan())
        )
