"""Nights without a database: a lake with the partitions that a verdict reads, and the verdicts that come of them.

A machine speaks for half of its size unless a test says otherwise: an m5.xlarge that an m5.large would hold.
"""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, TABLES
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.verdicts import gather_evidence, judge
from dagster_project.settings import RightsizingSettings, Settings

DAY = date(2025, 3, 9)
Row = dict[str, Any]
VOLUMES = ("net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes")
OPERATIONS = ("disk_read_ops", "disk_write_ops")

# m5.xlarge holds this in its half, m5.large: 2 vCPU, 8 GiB, 0.75 Gbit/s, 650 Mbit/s, 3,600 IOPS.
READINGS: dict[str, Row] = {
    "cpu_avg_pct": {"mean": 12.5, "p95": 20, "p995": 30, "maximum": 40},
    "cpu_max_pct": {"p95": 25, "p995": 35, "maximum": 45},
    "mem_avg_pct": {"p995": 28, "maximum": 30},
    "mem_max_pct": {"p995": 28, "maximum": 30},
    **{metric: {"maximum": 1.5e9} for metric in VOLUMES},
    **{metric: {"maximum": 30_000} for metric in OPERATIONS},
}
IDLE = {
    "cpu_avg_pct": {"p95": 1, "p995": 2, "maximum": 3},
    "cpu_max_pct": {"p95": 1, "p995": 3, "maximum": 4},
    "mem_avg_pct": {"maximum": 5},
    "mem_max_pct": {"maximum": 5},
    **{metric: {"maximum": 1e5} for metric in VOLUMES},
    **{metric: {"maximum": 30} for metric in OPERATIONS},
}
GROUP = {"resource_type": "autoscaling_group", "instance_type": "m5.large", "units": 10}
DATABASE = {"resource_type": "rds_instance", "instance_type": "db.m5.xlarge", "config": {"engine": "postgres"}}
THREE_ZONES = {"min_size": 10, "availability_zones": ["a", "b", "c"]}
NO_COSTS = {"incident_cost_usd": 0, "restart_cost_usd": 0}


@dataclass(frozen=True)
class Machine:
    """A resource and what is known of its demand; ``readings`` change or, with None, drop metrics of ``READINGS``."""

    resource: Row
    readings: Mapping[str, Row | None]

    def windows(self, day: date, lookback_days: int = 28) -> list[Row]:
        read = {name: {**READINGS.get(name, {}), **(change or {})} for name, change in {**READINGS, **self.readings}.items()}
        return [
            {
                "resource_id": self.resource["resource_id"],
                "window_days": days,
                "metric": metric,
                "days": days,
                "first_on": day - timedelta(days=days - 1),
                "interval_seconds": 300,
                "covered_minutes": days * 1440,
                **{name: value[days] if isinstance(value, dict) else value for name, value in values.items()},
            }
            for metric, values in read.items()
            if self.readings.get(metric, {}) is not None
            for days in (7, lookback_days)
        ]


def machine(resource_id: str = "i-1", readings: Mapping[str, Row | None] | None = None, **resource: Any) -> Machine:
    usual = {
        "resource_type": "ec2_instance", "instance_type": "m5.xlarge", "region": "us-east-1", "units": 1, "service": "checkout",
        "lifecycle": "on-demand", "tenancy": "default", "platform": "linux", "tags": "{}",
    }  # fmt: skip
    row = {"resource_id": resource_id, **usual, **resource}
    return Machine({**row, "config": json.dumps(row.get("config", {}))}, readings or {})


def put(runtime: Runtime, table: str, day: date, rows: Sequence[Row]) -> None:
    """Replaces the partition of ``day``, and those of the other days that ``rows`` name."""
    for each in {day, *(row.get("day", day) for row in rows)}:
        mine = [{name: value for name, value in row.items() if name != "day"} for row in rows if row.get("day", day) == each]
        write_frame(runtime.lake, TABLES[table], each, pl.DataFrame(mine, schema=schema(TABLES[table])))


def night(runtime: Runtime, *machines: Machine, day: date = DAY, **tables: Sequence[Row]) -> dict[str, Row]:
    """The verdicts of a day by resource; ``tables`` holds what else there is in the lake."""
    given: dict[str, Sequence[Row]] = {
        "resource_inventory": [each.resource for each in machines],
        "utilization_window": [row for each in machines for row in each.windows(day)],
        "emergency_scaleups": [],
        "protected_windows": [],
        "resource_risks": [],
        **tables,
    }
    for name, rows in given.items():
        put(runtime, name, day, rows)
    assert gather_evidence(runtime, day) == judge(runtime, day) == len(machines)
    found = pl.read_parquet(runtime.lake.path(RIGHTSIZING_VERDICTS, day), hive_partitioning=False)
    return {row["resource_id"]: row for row in found.to_dicts()}


def verdict(runtime: Runtime, one: Machine, day: date = DAY, **tables: Sequence[Row]) -> Row:
    """The verdict of a machine that is alone."""
    return night(runtime, one, day=day, **tables)[one.resource["resource_id"]]


def home(folder: Path, **rules: Any) -> Runtime:
    return Runtime(Settings(home=folder, rightsizing=RightsizingSettings(**rules)))


def outage(**demand: Any) -> dict[str, list[Row]]:
    """An incident of last autumn, and what was needed in it."""
    key = {"resource_id": "i-1", "event_kind": "incident", "event_id": "INC-7"}
    at = {"started_at": datetime(2024, 11, 30, 4), "ended_at": datetime(2024, 11, 30, 9)}
    return {
        "protected_windows": [{**key, **at, "event_title": "Payments stopped", "matched_by": "service"}],
        "incident_demand": [{**key, "day": date(2024, 11, 30), "samples": 60, "instance_type": "m5.xlarge", **demand}],
    }


def risk(**what: Any) -> dict[str, list[Row]]:
    return {"resource_risks": [{"resource_id": "i-1", **what}]}


def scale_up(**what: Any) -> Row:
    at = datetime(2025, 3, 1, 9, 30)
    return {"resource_id": "i-1", "decision_at": at, "decision_id": "d-1", "target": "checkout", "matched_by": "service", **what}
