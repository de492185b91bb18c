"""A night's verdicts with the shipped catalog: from the tables of the lake through the evidence to what is written down."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.catalog import HOURS_PER_MONTH, INSTANCE_TYPES
from dagster_project.catalog.prices import load_prices, load_rds_prices
from dagster_project.domain.reasons import REASONS, sentence
from dagster_project.forecasting import structural
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


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return home(tmp_path)


@cache
def usd_month(size: str, region: str = "us-east-1", engine: str | None = None) -> float:
    """What a size costs in a month, straight from the shipped price list."""
    if engine is None:
        listed = load_prices().prices.filter(pl.col("instance_type") == size, pl.col("region") == region)
    else:
        wanted = (pl.col("instance_class") == size, pl.col("region") == region, pl.col("engine") == engine)
        listed = load_rds_prices().prices.filter(*wanted)
    return listed["usd_per_hour"].item() * HOURS_PER_MONTH


def catalog(size: str, column: str) -> float:
    return pl.read_parquet(INSTANCE_TYPES).filter(pl.col("instance_type") == size)[column].item()


def samples(load: Callable[[int], float], days: int = 3, resource_id: str = "i-1") -> list[Row]:
    """Five-minute samples up to the day, with the CPU that ``load`` gives for each minute of a day."""
    starts = [datetime(2025, 3, 9) - timedelta(days=back) for back in range(days)]
    return [
        {"day": start.date(), "resource_id": resource_id, "sampled_at": start + timedelta(minutes=at), "cpu_avg_pct": load(at)}
        for start in starts
        for at in range(0, 1440, 5)
    ]


def peaks(series: Sequence[float], metric: str = "cpu_avg_pct") -> list[Row]:
    """Daily rollups of a resource that end with the day."""
    return [
        {"day": DAY - timedelta(days=back), "resource_id": "i-1", "metric": metric, "maximum": float(peak)}
        for back, peak in enumerate(reversed(series))
    ]


RISING = [2 + 0.8 * day + 0.5 * math.sin(day) for day in range(59)]
"""Sixty days of which the highest is 49 % of an m5.xlarge: 98 % of its half, and more in a week."""


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


def set_aside(reason: str) -> dict[str, list[Row]]:
    row = {"source": "utilization", "reason": reason, "resource_id": "i-1", "column_name": "cpu_avg", "rejected_rows": 3}
    return {"rejected_rows": [row]}


def switched_off(target: str) -> dict[str, list[Row]]:
    at = datetime(2025, 3, 9, 11)
    return {"decision_audit": [{"decision_id": "d-1", "decision_at": at, "target": target, "action_type": "kill_switch"}]}


def memory(pct: float, days_ago: int) -> dict[str, list[Row]]:
    row = {"day": DAY - timedelta(days=days_ago), "resource_id": "i-1", "metric": "mem_max_pct", "maximum": pct}
    return {"utilization_daily": [row]}


def stands_on(kind: str) -> dict[str, list[Row]]:
    return {"service_dependencies": [{"service": "checkout", "depends_on": "payment", "kind": kind}]}


def covered(share: float, *metrics: str) -> dict[str, Row | None]:
    """The share of the last seven days in which metrics were there; the look-back is complete."""
    return {metric: {"covered_minutes": {7: int(share * 10_080), 28: 40_320}} for metric in metrics}


@dataclass(frozen=True)
class Case:
    """What there is, and what is said of the first machine."""

    name: str
    code: str
    value: float | Callable[[], float] | None = None
    limit: float | None = None
    text: str | None = None
    machines: Sequence[Machine] = field(default_factory=lambda: [machine()])
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


PROPOSED = {"code": "propose_smaller_size", "value": 70.0, "limit": 80.0, "text": "m5.large"}

CASES = [
    Case("half of it holds", **PROPOSED),
    Case(
        "a value at its limit still fits",
        "propose_smaller_size", 80.0, 80.0, "m5.large",
        [machine(readings={"cpu_max_pct": {"p995": 40}, "cpu_avg_pct": {"maximum": 50}, "mem_max_pct": {"maximum": 45},
                           "net_in_bytes": {"maximum": 14_062_500_000.0}, "net_out_bytes": {"maximum": 14_062_500_000.0}})],
        rules=NO_COSTS,
    ),
    Case("the kill switch of the settings", "refuse_kill_switch", text="The setting kill_switch is on.",
         rules={"kill_switch": True}),
    Case("the kill switch of the decision engine", "refuse_kill_switch",
         text="The decision engine's kill switch was used at 2025-03-09 11:00 UTC.", tables=switched_off("checkout")),
    Case("a kill switch of another service", tables=switched_off("search"), **PROPOSED),
    Case("an excluding tag", "refuse_excluded_by_tag", text="nightshift:exclude",
         machines=[machine(tags='{"nightshift:exclude": "yes"}')]),
    Case("an excluding tag that says false", machines=[machine(tags='{"nightshift:exclude": "false"}')], **PROPOSED),
    Case("a kind that is not sized", "insufficient_catalog", text="Resources of type ebs_volume are not sized yet.",
         machines=[machine(resource_type="ebs_volume", instance_type=None)]),
    Case("spot capacity", "refuse_spot", text="Spot", machines=[machine(lifecycle="Spot")]),
    Case("an orchestrator's node", "refuse_managed_by_orchestrator", text="eks", machines=[machine(managed_by="eks")]),
    Case("a member of a group", "refuse_group_member", text="checkout-asg", machines=[machine(asg_name="checkout-asg")]),
    Case("an open incident", "refuse_open_incident", text="INC-9 (Stock lags)",
         tables=risk(open_incident_id="INC-9", open_incident_title="Stock lags")),
    Case(
        "two emergencies, of which the last is named",
        "refuse_recent_emergency_scaleup", 2.0, 28.0, "on 2025-03-05 22:01 UTC (recorded for i-1)",
        tables={"emergency_scaleups": [
            scale_up(), scale_up(decision_id="d-2", decision_at=datetime(2025, 3, 5, 22, 1, 59), target="i-1"),
        ]},
    ),
    Case("another resource's emergency", tables={"emergency_scaleups": [scale_up(resource_id="i-2")]}, **PROPOSED),
    Case(
        "of two gates the first one decides",
        "refuse_recent_emergency_scaleup", 1.0, 28.0, "on 2025-03-01 09:30 UTC (recorded for checkout)",
        [machine(readings={"cpu_max_pct": {"p995": 99}})], {"emergency_scaleups": [scale_up()]},
    ),
    Case("an open item that asks for capacity", "refuse_open_capacity_action_item", text="ACT-3 (More room)",
         tables=risk(open_capacity_item_id="ACT-3", open_capacity_item_title="More room")),
    Case("an item without a title", "refuse_open_capacity_action_item", text="ACT-3", tables=risk(open_capacity_item_id="ACT-3")),
    Case("a spent error budget", "refuse_slo_budget_low", 4.5, 10.0, "availability",
         tables=risk(slo_name="availability", slo_budget_left_pct=4.5)),
    Case("an error budget that nobody measured", tables=risk(slo_name="availability"), **PROPOSED),
    Case("a type that the catalog lacks", "insufficient_catalog", text="The catalog has no instance type m99.huge.",
         machines=[machine(instance_type="m99.huge")]),
    Case("a class that the catalog lacks", "insufficient_catalog", text="The catalog has no instance class db.m99.huge.",
         machines=[machine(**{**DATABASE, "instance_type": "db.m99.huge"})]),
    Case("a type that is not known", "insufficient_catalog", text="Its instance type on that day is not known.",
         machines=[machine(instance_type=None)]),
    Case("a group of nobody knows how many", "insufficient_catalog",
         text="Its configuration does not say how many members it has.",
         machines=[machine(resource_type="autoscaling_group", units=None)]),
    Case("local disk", "refuse_instance_store", 150.0, machines=[machine(instance_type="m5d.xlarge")]),
    Case("accelerators", "insufficient_catalog",
         text="The sizes of g5g.2xlarge differ in accelerators, whose use is not measured.",
         machines=[machine(instance_type="g5g.2xlarge")]),
    Case("a disk limit that the catalog lacks", "insufficient_catalog",
         text="The catalog does not say how much disk t2.large sustains.",
         machines=[machine(instance_type="t2.xlarge", readings=IDLE)]),
    Case("a change two and a half days ago", "refuse_recently_changed", 2.5, 7.0,
         machines=[machine(config_changed_at=datetime(2025, 3, 7, 12))]),
    Case("a change exactly seven days ago", machines=[machine(config_changed_at=datetime(2025, 3, 3))], **PROPOSED),
    Case("twenty hours of samples", "insufficient_history", 20.0, 30.0,
         machines=[machine(readings={"cpu_avg_pct": {"covered_minutes": 1200}})]),
    Case("no samples at all", "insufficient_history", 0.0, 30.0, machines=[machine(readings=dict.fromkeys(READINGS))]),
    Case("a hole in the look-back", "insufficient_coverage", 87.5, 90.0, "the look-back's CPU",
         [machine(readings={"cpu_avg_pct": {"covered_minutes": {7: 10_080, 28: 35_280}}})]),
    Case("half of the last week", "insufficient_coverage", 50.0, 75.0, "the last seven days' CPU",
         [machine(readings=covered(0.5, "cpu_avg_pct"))]),
    Case("four fifths of the last week", machines=[machine(readings=covered(0.8, "cpu_avg_pct"))], **PROPOSED),
    Case("readings that were set aside", "insufficient_clean_data", 3.0, 0.0, tables=set_aside("nan")),
    Case("repeated rows", tables=set_aside("duplicate_key"), **PROPOSED),
    Case("a group of which only averages are known", "insufficient_coverage", 0.0, 75.0,
         "the last seven days' highest-member CPU",
         [machine(resource_type="autoscaling_group", units=4, readings={"cpu_max_pct": None})]),
    Case("a host of one's own", "insufficient_price", text="m5.xlarge on host tenancy", machines=[machine(tenancy="host")]),
    Case("a region that is not known", "insufficient_price", text="m5.xlarge in its region", machines=[machine(region=None)]),
    Case("a region without prices", "insufficient_price", text="m5.xlarge in its region", machines=[machine(region="mars-1")]),
    Case("a database whose engine is not known", "insufficient_price", text="db.m5.xlarge in its region",
         machines=[machine(**{**DATABASE, "config": {}})]),
    Case("a database whose edition is not known", "insufficient_price", text="db.m5.xlarge in its region",
         machines=[machine(**{**DATABASE, "config": {"engine": "Oracle"}})]),
    Case("bare metal", "keep_no_cheaper_fit", text="No smaller size than m5.metal is on offer for less.",
         machines=[machine(instance_type="m5.metal")]),
    Case("the smallest size", "keep_no_cheaper_fit", text="No smaller size than m5.large is on offer for less.",
         machines=[machine(instance_type="m5.large")]),
    Case("more interfaces than the smaller size takes", "keep_no_cheaper_fit",
         text="m5.large takes fewer network interfaces or volumes than are attached.",
         machines=[machine(config={"network_interfaces": 4})]),
    Case("sustained CPU", "keep_busy_cpu", 82.0, 80.0, "P99.5 would be 82 % of m5.large",
         [machine(readings={"cpu_max_pct": {"p995": 41}})]),
    Case("the busier of averages and maxima", "keep_busy_cpu", 84.0, 80.0, "P99.5 would be 84 % of m5.large",
         [machine(readings={"cpu_avg_pct": {"p995": 42}})]),
    Case("one peak", "keep_busy_cpu", 102.0, 100.0, "peak would be 102 % of m5.large",
         [machine(readings={"cpu_avg_pct": {"maximum": {7: 40, 28: 51}}})]),
    Case("a spike inside an interval", machines=[machine(readings={"cpu_max_pct": {"maximum": 100}})], **PROPOSED),
    Case("a spike of a group's busiest member", "keep_busy_cpu", 102.0, 100.0, "peak would be 102 % of m5.large",
         [machine(resource_type="autoscaling_group", readings={"cpu_max_pct": {"maximum": 51}})]),
    Case("a single vCPU that would be busy", "keep_busy_cpu", 92.0, 90.0, "peak would be 92 % of m7g.medium",
         [machine(instance_type="m7g.large", readings={"cpu_avg_pct": {"maximum": 46}})]),
    Case("memory", "keep_busy_memory", 92.0, 90.0, "m5.large", [machine(readings={"mem_max_pct": {"maximum": {7: 30, 28: 46}}})]),
    Case("memory before the look-back", "keep_busy_memory", 102.0, 100.0, "m5.large (highest on record)", tables=memory(51, 89)),
    Case("memory that is forgotten", tables=memory(51, 90), **PROPOSED),
    Case("memory that is not measured", "insufficient_memory_data", 0.0, 75.0, "m5.large",
         [machine(readings={"mem_avg_pct": None, "mem_max_pct": None})]),
    Case("memory of half a week", "insufficient_memory_data", 50.0, 75.0, "m5.large",
         [machine(readings=covered(0.5, "mem_avg_pct", "mem_max_pct"))]),
    Case("a group of which only average memory is known", "insufficient_memory_data", 0.0, 75.0, "m5.large",
         [machine(resource_type="autoscaling_group", readings={"mem_max_pct": None})]),
    Case("network", "keep_busy_network", 0.76, 0.75, "m5.large",
         [machine(readings={"net_in_bytes": {"maximum": 20e9}, "net_out_bytes": {"maximum": 8.5e9}})]),
    Case("network that is not measured", "insufficient_coverage", 0.0, 75.0, "the last seven days' network",
         [machine(readings={"net_in_bytes": None})]),
    Case("disk throughput", "keep_busy_ebs", 680.0, 650.0, "Mbit/s", [machine(readings={"disk_read_bytes": {"maximum": 24e9}})]),
    Case("disk throughput of half a week", "insufficient_coverage", 50.0, 75.0, "the last seven days' disk",
         [machine(readings=covered(0.5, "disk_write_bytes"))]),
    Case("disk operations", "keep_busy_ebs", 4100.0, 3600.0, "IOPS", [machine(readings={"disk_write_ops": {"maximum": 1.2e6}})]),
    Case("disk operations that others report", "insufficient_coverage", 0.0, 75.0, "the last seven days' disk operations",
         [machine(readings={"disk_read_ops": None}), machine("i-2", service=None)]),
    Case("disk operations that nobody reports", machines=[machine(readings=dict.fromkeys(OPERATIONS))], **PROPOSED),
    Case("demand of a past incident", "refuse_incident_replay", 110.0, 100.0, "Payments stopped, 2024-11-30: CPU of m5.large",
         tables=outage(cpu_peak_pct=55)),
    Case("demand of a past incident in bytes", "refuse_incident_replay", 100 * 0.8 / 0.75, 100.0,
         "Payments stopped, 2024-11-30: Network of m5.large", tables=outage(net_peak_bytes_per_second=1e8)),
    Case("a past incident that it would have held", tables=outage(cpu_peak_pct=50, mem_peak_pct=50), rules=NO_COSTS, **PROPOSED),
    Case("a credit balance that lasts", "propose_smaller_size", 35.0, 80.0, "t3.medium",
         [machine(instance_type="t3.large")], {"utilization_samples": samples(lambda at: 60 if at < 60 else 5)}),
    Case("a credit balance that runs out", "keep_busy_cpu", 35.0, 20.0,
         "P99.5 would be 35 % of t3.medium and use up its CPU credits",
         [machine(instance_type="t3.large")], {"utilization_samples": samples(lambda at: 25)}),
    Case("credits of which nothing was measured", "keep_busy_cpu", 35.0, 20.0,
         "P99.5 would be 35 % of t3.medium and use up its CPU credits", [machine(instance_type="t3.large")]),
    Case("burst within the baseline", "propose_smaller_size", 20.0, 80.0, "t3.medium",
         [machine(instance_type="t3.large", readings={"cpu_max_pct": {"p995": 20}, "cpu_avg_pct": {"p995": 15}})]),
    Case("demand that rises", "keep_forecast_growth", lambda: 2 * (structural.upper_bound(np.array(RISING)) or 0.0), 100.0,
         "CPU of m5.large", [machine(readings={"cpu_avg_pct": {"maximum": 49}})], {"utilization_daily": peaks(RISING)}),
    Case("savings too small", "keep_savings_too_small", usd_month("t3.micro") - usd_month("t3.nano"), 5.0,
         machines=[machine(instance_type="t3.micro", readings=IDLE)], rules=NO_COSTS),
    Case("a group of nobody", "keep_savings_too_small", 0.0, 0.0,
         machines=[machine(resource_type="autoscaling_group", units=0)], rules={**NO_COSTS, "min_savings_usd_month": 0}),
    Case("three idle machines of one size", "keep_not_enough_gain_vs_risk", 3.0, 50.0,
         "It is one of 3 machines of this size that all idle, as a reserve does; c5.4xlarge is less than 50 % of it, which such "
         "machines keep.",
         [machine(f"i-{number}", IDLE, instance_type="c5.9xlarge", service=f"service-{number}") for number in range(3)]),
    Case("two idle machines of one size", "propose_smaller_size", 100 * 0.03 * 36 / 16, 80.0, "c5.4xlarge",
         [machine(f"i-{number}", IDLE, instance_type="c5.9xlarge") for number in range(2)]),
    Case("fewer members", "propose_lower_minimum", 6.0, 10.0, "CPU at the busiest moment",
         [machine(readings={"in_service": {"maximum": 10}}, config=THREE_ZONES, **GROUP)]),
    Case("as many members as an incident had", "propose_lower_minimum", 8.0, 10.0, "members in service during an incident",
         [machine(readings={"in_service": {"maximum": 10}}, config=THREE_ZONES, **GROUP)], outage(in_service_peak=8)),
    Case("a group that was above its minimum", "keep_no_cheaper_fit", text="No smaller size than m5.large is on offer for less.",
         machines=[machine(readings={"in_service": {"maximum": 11}}, config=THREE_ZONES, **GROUP)]),
    Case("the fourth of its service in one night", "refuse_blast_radius", 3.0, 3.0, "checkout",
         [machine(f"i-{number}") for number in (9, 1, 2, 3)]),
    Case("the fifth of the eight of its service", "refuse_blast_radius", 4.0, 4.0, "checkout",
         [machine(f"i-{number}") for number in (9, *range(1, 8))], rules={"min_service_changes": 1}),
    Case("the fourth of no service", machines=[machine(f"i-{number}", service=None) for number in (9, 1, 2, 3)], **PROPOSED),
    Case("a neighbour that changes tonight", "refuse_dependency_tier_same_night", 1.0, None, "payment",
         [machine(), machine("i-2", service="payment", instance_type="m5.2xlarge")], stands_on("hard")),
    Case("a neighbour that it could do without",
         machines=[machine(), machine("i-2", service="payment", instance_type="m5.2xlarge")], tables=stands_on("soft"), **PROPOSED),
    Case("a neighbour that stays",
         machines=[machine(), machine("i-2", service="payment", lifecycle="spot")], tables=stands_on("hard"), **PROPOSED),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_night_says(case: Case, tmp_path: Path) -> None:
    first = case.machines[0].resource["resource_id"]
    found = night(home(tmp_path, **case.rules), *case.machines, **case.tables)[first]
    value = case.value() if callable(case.value) else case.value
    assert (found["reason_code"], found["deciding_text"]) == (case.code, case.text)
    assert (found["deciding_value"], found["deciding_limit"]) == (pytest.approx(value), pytest.approx(case.limit))
    assert found["verdict"] == REASONS[case.code].verdict
    assert sentence(case.code, found["deciding_value"], found["deciding_limit"], found["deciding_text"])
    is_proposed = found["verdict"] == "propose"
    assert (found["savings_usd_month"] > 0, found["expected_usd_month"] > 0) == (is_proposed, is_proposed)
    assert (found["target_type"] or found["target_minimum_size"]) is not None if is_proposed else found["target_type"] is None


def test_every_reason_that_a_night_can_give_is_shown() -> None:
    # Nobody can reject or put off a proposal yet.
    assert {case.code for case in CASES} == set(REASONS) - {"refuse_rejected", "refuse_snoozed"}
    assert len({case.name for case in CASES}) == len(CASES)
