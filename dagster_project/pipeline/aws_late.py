"""What CloudWatch told when it was asked again: nothing that it told before is lost, and what is new or other counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import polars as pl

from dagster_project.domain.metrics import METRICS
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake

LATE = ".late"
"""What the part of a region's day ends with that holds what came late."""


def keep_late(lake: Lake, day: date, part: str, frames: Sequence[pl.DataFrame]) -> None:
    """Keeps what is other or new in the last hours of a day, cell by cell, beside what was read before."""
    again = pl.concat([pl.DataFrame(schema=schema(AWS_SAMPLES)), *frames])
    if again.is_empty():
        return
    late = _read(lake, day, part + LATE).collect() if lake.has(AWS_SAMPLES, day, part + LATE) else again.clear()
    before = over(_read(lake, day, part).filter(pl.col("sampled_at") >= again["sampled_at"].min()).collect(), late)
    both = again.join(before, on=AWS_SAMPLES.grain, how="left", suffix="_before", maintain_order="left")
    names = [metric.name for metric in METRICS]
    is_new = [(pl.col(name) != pl.col(f"{name}_before")).fill_null(pl.col(name).is_not_null()) for name in names]
    fresh = both.filter(pl.any_horizontal(is_new)).select(again.columns)
    if fresh.height:
        write_frame(lake, AWS_SAMPLES, day, over(late, fresh), part=part + LATE)


def over_earlier(lake: Lake, day: date, part: str, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames of a day that is read again, in the order of resources, over what was read of it before: a series that fails
    now, and a resource that is gone by now, keep what they had."""
    if not lake.has(AWS_SAMPLES, day, part):
        yield from frames
        return
    late = _read(lake, day, part + LATE).collect() if lake.has(AWS_SAMPLES, day, part + LATE) else None

    def before(*bounds: pl.Expr) -> pl.DataFrame:
        main = _read(lake, day, part).filter(*bounds).collect()
        return main if late is None else over(main, late.filter(*bounds))

    name, done = pl.col("resource_id"), pl.lit(True)
    for frame in frames:
        last = frame["resource_id"][-1]
        yield over(before(done, name <= last), frame).sort(AWS_SAMPLES.grain)
        done = name > last
    rest = before(done)
    if rest.height:
        yield rest.sort(AWS_SAMPLES.grain)


def _read(lake: Lake, day: date, part: str) -> pl.LazyFrame:
    return pl.scan_parquet(lake.path(AWS_SAMPLES, day, part), hive_partitioning=False)


def over(lower: pl.DataFrame, upper: pl.DataFrame, how: Literal["full", "left"] = "full") -> pl.DataFrame:
    """Rows of both (or, left, of ``lower``); where both have one, each cell of ``upper`` that is known counts."""
    joined = lower.join(upper, on=AWS_SAMPLES.grain, how=how, coalesce=True, suffix="_upper")
    cells = [pl.coalesce(f"{metric.name}_upper", metric.name).alias(metric.name) for metric in METRICS]
    return joined.select(*AWS_SAMPLES.grain, *cells)
