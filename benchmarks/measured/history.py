"""A home in which all but the night itself has happened: samples, rollups, inventory and decisions of earlier days."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measured.synthetic import SyntheticFleet, decisions, times
from dagster_project.domain.metrics import METRICS
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.frames import schema, write_frame, write_stream
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    RESOURCE_INVENTORY,
    SLI_DAILY,
    SNAPSHOTS,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.ledger import Load, record
from dagster_project.pipeline.rollup import RECENT_DAYS, roll_up_days
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.settings import Settings

_MINUTES = np.arange(288) * 5.0
_RESOURCES_AT_A_TIME = 1000
_DECISION_DAYS = 28


def runtime_of(home: str, day: date) -> Runtime:
    """A run in ``home`` at two in the morning after ``day``."""
    now = datetime.combine(day + timedelta(days=1), time(2), UTC)
    return Runtime(Settings(home=Path(home), reports=Path(home) / "reports"), now=now)


def build(home: str, resources: int, decisions_per_day: int, day: str) -> int:
    """Seven days of samples with their rollups, 28 days of decisions, and the day's inventory; returns the samples."""
    last = date.fromisoformat(day)
    runtime, fleet = runtime_of(home, last), SyntheticFleet(resources)
    lake, samples = runtime.lake, 0
    for each in days_up_to(last, RECENT_DAYS):
        samples += write_stream(lake, UTILIZATION_SAMPLES, each, lambda each=each: _frames(fleet, each))
    _surroundings(runtime, fleet, decisions_per_day, last)
    read = {"utilization": samples // RECENT_DAYS, "resources": resources, "decision_audit": decisions_per_day}
    for source, rows in read.items():
        record(lake, last, Load(source, "complete", rows, rows))
    roll_up_days(runtime, [last])  # the days before it are rolled up as well, because their samples are new
    return samples


def _surroundings(runtime: Runtime, fleet: SyntheticFleet, decisions_per_day: int, last: date) -> None:
    """The inventory, the decisions of the look-back, and no incidents."""
    write_frame(runtime.lake, RESOURCE_INVENTORY, last, _whole(fleet.inventory(), RESOURCE_INVENTORY))
    for table in (*SNAPSHOTS, SLI_DAILY, ACTION_ITEMS):
        write_frame(runtime.lake, table, last, pl.DataFrame(schema=schema(table)))
    for each in days_up_to(last, _DECISION_DAYS):
        write_frame(runtime.lake, DECISION_AUDIT, each, _whole(decisions(each, decisions_per_day, fleet.ids), DECISION_AUDIT))


def build_rollups(home: str, resources: int, days: int, decisions_per_day: int, day: str) -> int:
    """A home with ``days`` days of rollups and no samples: one day is rolled up, the others are links to it; returns its rows."""
    last = date.fromisoformat(day)
    runtime, fleet = runtime_of(home, last), SyntheticFleet(resources)
    lake = runtime.lake
    write_stream(lake, UTILIZATION_SAMPLES, last, lambda: _frames(fleet, last))
    roll_up_days(runtime, [last])
    shutil.rmtree(lake.path(UTILIZATION_SAMPLES, last).parent)
    rolled = lake.path(UTILIZATION_DAILY, last)
    for back in range(1, days):
        file = lake.path(UTILIZATION_DAILY, last - timedelta(days=back))
        file.parent.mkdir(parents=True)
        os.link(rolled, file)
    _surroundings(runtime, fleet, decisions_per_day, last)
    return pl.scan_parquet(rolled, glob=False).select(pl.len()).collect().item()


def lengthen(home: str, target: str, days: int, day: str) -> int:
    """A second home with ``days`` days of rollups, those of the first repeated week by week; returns the days.

    The files of the first home are linked, not copied: partitions are replaced, never changed.
    """
    last = date.fromisoformat(day)
    shutil.copytree(home, target, copy_function=os.link)
    lake = Lake(runtime_of(target, last).settings.warehouse)
    for back in range(days):
        file = lake.path(UTILIZATION_DAILY, last - timedelta(days=back))
        if not file.exists():
            file.parent.mkdir(parents=True)
            shutil.copyfile(lake.path(UTILIZATION_DAILY, last - timedelta(days=back % RECENT_DAYS)), file)
    return len(lake.days(UTILIZATION_DAILY))


def _frames(fleet: SyntheticFleet, day: date) -> Iterator[pl.DataFrame]:
    ids, at = pl.Series(fleet.ids), times(day, _MINUTES)
    for first in range(0, fleet.resources, _RESOURCES_AT_A_TIME):
        part = slice(first, min(first + _RESOURCES_AT_A_TIME, fleet.resources))
        values = fleet.values(day, _MINUTES, part)
        yield pl.DataFrame(
            {
                "resource_id": ids.gather(np.arange(part.start, part.stop).repeat(len(at))),
                "sampled_at": np.tile(at, part.stop - part.start),
                **{metric.name: values[metric.name].ravel().astype(np.float32) for metric in METRICS},
            }
        ).with_columns(pl.col(pl.Float32).fill_nan(None))


def _whole(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    absent = {name: kind for name, kind in schema(table).items() if name not in frame.columns}
    return frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in absent.items())
