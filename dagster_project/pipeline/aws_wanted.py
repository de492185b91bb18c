"""Which metrics are asked of CloudWatch: those of resources whose place is known, as far as nobody has told them yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from dagster_project.domain.metrics import METRICS
from dagster_project.errors import SourceUnavailable
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import utilization
from dagster_project.sources.cloudwatch_series import SLOTS_OF_DAY, Wanted

_ENOUGH = round(0.95 * SLOTS_OF_DAY)
"""With readings of a metric in so many five minutes, there is nothing to fill in."""
_KINDS = ("ec2_instance", "autoscaling_group", "rds_instance")
_GIB = 1024**3
Known = Mapping[str, frozenset[int]]
"""Metrics of a resource, as positions in ``METRICS``, that need not be asked for."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A resource that is measured, and when it was made (naive UTC; None: not known)."""

    wanted: Wanted
    created_at: datetime | None
    is_found: bool
    """It was there before, and nobody knew where: days that were read went by without it."""

    def is_of(self, day: date) -> bool:
        """Whether it was there before the day was over, as far as that is known."""
        return self.created_at is None or self.created_at.date() <= day


def measured(runtime: Runtime, newest: date) -> Mapping[tuple[str, str], Sequence[Measured]]:
    """The resources that are measured, by account and region, in the order of their ids."""
    lake = runtime.lake
    memory, is_silent = _sizes(runtime, newest)
    found: dict[tuple[str, str], list[Measured]] = {}
    earlier = [day for day in lake.days(RESOURCE_INVENTORY) if day < newest]
    known = {*_placed(lake, earlier[-1])["resource_id"]} if earlier else None
    for row in _placed(lake, newest).sort("resource_id").iter_rows(named=True):
        size = row["instance_type"] or ""
        is_old = row["created_at"] is None or row["created_at"].date() < newest
        wanted = Wanted(
            row["resource_id"],
            row["resource_type"],
            row["native_id"] or row["resource_id"],
            row["instance_type"],
            memory.get(size),
            size not in is_silent,
        )
        is_found = is_old and known is not None and row["resource_id"] not in known
        mine = found.setdefault((row["account_id"], row["region"]), [])
        mine.append(Measured(wanted, row["created_at"], is_found))
    return found


def _placed(lake: Lake, day: date) -> pl.DataFrame:
    """Resources that are measured, and of which an inventory says where they are."""
    inventory = pl.read_parquet(lake.path(RESOURCE_INVENTORY, day), hive_partitioning=False)
    return inventory.filter(pl.col("resource_type").is_in(_KINDS)).drop_nulls(["account_id", "region"])


def _sizes(runtime: Runtime, day: date) -> tuple[dict[str, float], frozenset[str]]:
    """Memory in bytes of each database class, and the instance types that do not report what their volumes do: those on Xen."""
    catalog = runtime.catalog(day)
    classes = pl.read_parquet(catalog.rds_classes, columns=["instance_class", "memory_gib"]).drop_nulls()
    types = pl.read_parquet(catalog.instance_types, columns=["instance_type", "hypervisor"])
    xen = types.filter(pl.col("hypervisor") == "xen")["instance_type"]
    return {name: memory * _GIB for name, memory in classes.iter_rows()}, frozenset(xen)


async def known_by_day(runtime: Runtime, days: Sequence[date]) -> dict[date, Known]:
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
    return frozenset(index for index, count in enumerate(counts) if count >= _ENOUGH)


def known_before(lake: Lake, day: date, part: str) -> Known:
    """What an earlier reading of a day told of it; that is paid for already."""
    if not lake.has(AWS_SAMPLES, day, part):
        return {}
    rows = pl.scan_parquet(lake.path(AWS_SAMPLES, day, part), hive_partitioning=False)
    counts = rows.group_by("resource_id").agg(pl.col(metric.name).count() for metric in METRICS).collect()
    return {name: _enough(each) for name, *each in counts.iter_rows()}


def not_told(lake: Lake, day: date, part: str, found: Sequence[Measured]) -> list[Measured]:
    """Those of some resources of which no reading of a day told anything."""
    if not found or not lake.has(AWS_SAMPLES, day, part):
        return [*found]
    ids = pl.scan_parquet(lake.path(AWS_SAMPLES, day, part), hive_partitioning=False).select(pl.col("resource_id").unique())
    told = {*ids.collect()["resource_id"]}
    return [each for each in found if each.wanted.resource_id not in told]
