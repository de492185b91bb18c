"""What CloudWatch told of the end of a day when it was asked again: kept beside what it had told before."""

from __future__ import annotations

from collections.abc import Sequence
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


def _read(lake: Lake, day: date, part: str) -> pl.LazyFrame:
    return pl.scan_parquet(lake.path(AWS_SAMPLES, day, part), hive_partitioning=False)


def over(lower: pl.DataFrame, upper: pl.DataFrame, how: Literal["full", "left"] = "full") -> pl.DataFrame:
    """Rows of both (or, left, of ``lower``); where both have one, each cell of ``upper`` that is known counts."""
    joined = lower.join(upper, on=AWS_SAMPLES.grain, how=how, coalesce=True, suffix="_upper")
    cells = [pl.coalesce(f"{metric.name}_upper", metric.name).alias(metric.name) for metric in METRICS]
    return joined.select(*AWS_SAMPLES.grain, *cells)
