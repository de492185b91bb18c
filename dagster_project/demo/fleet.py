"""The demo fleet: which resources exist, and the series of each.

Everything follows from (seed, resource number): no clock and no shared generator, so that adding a resource changes no
other. The demo's calendar ends on 9 March 2025; another ``last_day`` moves the whole story by whole days, incidents and
month end included (a Sunday keeps its weekdays).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b

import numpy as np
import polars as pl

from dagster_project.demo import shapes, story
from dagster_project.demo.decisions import GROUP_EMERGENCY
from dagster_project.demo.incidents import OUTAGE
from dagster_project.demo.rows import LAST_INSTANT, Row, compact
from dagster_project.demo.services import ACCOUNTS, OUTAGE_LOAD, SATURATED_SERVICES, SERVICES
from dagster_project.errors import InputError

DEMO_LAST_DAY = date(2025, 3, 9)
DEMO_DAYS = 35
DEMO_SEED = 20250303

_RESOURCES_PER_FRAME = 25
_LONGEST_DAYS = 400
_LARGEST_SCALE = 100.0
_VCPU = {"medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32}
# Credits earned per hour and network baselines (Gbit/s) of the next smaller size: EC2 User Guide.
_CREDITS_PER_HOUR = {"t3.medium": 24.0, "t3.large": 36.0}
_SMALLER_NET_GBPS = {"m5.2xlarge": 1.25, "m6i.2xlarge": 1.562, "c5.4xlarge": 2.5}

_TEXT, _WHEN, _NUMBER, _COUNT = pl.String(), pl.Datetime("us"), pl.Float64(), pl.Int32()
_METRICS = (
    "cpu_avg", "cpu_max", "mem_avg", "mem_max", "net_in_bytes", "net_out_bytes",
    "disk_read_bytes", "disk_write_bytes", "disk_read_ops", "disk_write_ops", "cpu_credit_balance",
)  # fmt: skip


def _columns(names: str, **others: pl.DataType) -> dict[str, pl.DataType]:
    """Columns in order; those without a type of their own are text."""
    return {name: others.get(name, _TEXT) for name in names.split()}


_INSTANTS_OF_INCIDENT = (
    "impact_started_at", "detected_at", "acknowledged_at", "declared_at",
    "identified_at", "mitigated_at", "impact_ended_at", "resolved_at",
)  # fmt: skip
# Table: columns of the contract with the decision engine's database; jsonb is text that holds JSON.
_TABLES: dict[str, dict[str, pl.DataType]] = {
    "resources": _columns(
        "resource_id type current_config account_id service team environment tags created_at config_changed_at",
        created_at=_WHEN, config_changed_at=_WHEN,
    ),
    "decision_audit": _columns(
        "decision_id decision_time target action_type policy_id policy_version policy_name event_id event_time metrics "
        "payload outcome outcome_reason dry_run duration_ms incident_id",
        decision_time=_WHEN, policy_version=_COUNT, event_time=_WHEN, dry_run=pl.Boolean(), duration_ms=_NUMBER,
    ),
    "policies": _columns("policy_id version name definition created_at", version=_COUNT, created_at=_WHEN),
    "incidents": _columns(
        f"incident_id title severity service status kind {' '.join(_INSTANTS_OF_INCIDENT)} "
        "slack_channel commander summary",
        **dict.fromkeys(_INSTANTS_OF_INCIDENT, _WHEN),
    ),
    "incident_action_items": _columns(
        "item_id incident_id title type priority owner due_on tracker tracker_key state created_at",
        due_on=pl.Date(), created_at=_WHEN,
    ),
    "change_events": _columns("change_id occurred_at service kind actor ref summary", occurred_at=_WHEN),
    "service_dependencies": _columns("service depends_on kind"),
    "services": _columns(
        "service team tier requests_per_day value_per_request_usd",
        requests_per_day=_NUMBER, value_per_request_usd=_NUMBER,
    ),
    "slos": _columns("service name objective window_days", objective=_NUMBER, window_days=_COUNT),
    "sli_events": _columns("service name timestamp good total", timestamp=_WHEN, good=_NUMBER, total=_NUMBER),
}  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """Resources that are loaded alike: how many at scale 1, and what they are picked from in turn."""

    shape: str
    count: int
    services: tuple[str, ...]
    types: tuple[str, ...]
    role: str = ""  # Auto Scaling groups only: the last part of their name
    floor: int = 1
    scales: bool = True
    peak_pct: tuple[float, float] = (16.0, 24.0)
    group: str = ""  # of a member instance: the name of its group
    config: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    is_scaled_daily: bool = False


_CALM = ("shipping-api", "tax-api", "coupon-api", "media-api", "notification-api", "admin-console")
_GENERAL = (
    "m5.2xlarge", "m6i.xlarge", "m5.4xlarge", "c5.2xlarge", "r5.xlarge", "m6i.2xlarge", "c6i.2xlarge", "m7g.2xlarge",
)  # fmt: skip
_HIGH = (52.0, 68.0)
_LOW = ("invoice-api", "inventory-api", *_CALM[:5])
_BUSY = ("order-api", "checkout-api", "catalog-api", "recommendation-api", "cart-api")

# Append only: the position of a cohort is part of its resources' numbers, hence of their ids and series.
_COHORTS: tuple[Cohort, ...] = (
    Cohort("idle_oversized", 76, _CALM, (*_GENERAL, "m5.8xlarge", "r6i.2xlarge", "m7g.4xlarge"), floor=6),
    Cohort("diurnal", 22, _LOW, ("m5.xlarge", "c6i.2xlarge", "m6i.2xlarge", "r6i.xlarge", "m7g.xlarge")),
    Cohort("diurnal", 16, (*_BUSY, "user-preferences-api", "fraud-detection-api"), _GENERAL, peak_pct=_HIGH),
    Cohort("diurnal", 12, ("payment-api",), ("m6i.2xlarge",), floor=2, peak_pct=(22.0, 30.0)),
    Cohort("weekly_peak", 8, ("report-builder",), ("m5.2xlarge", "r5.xlarge")),
    Cohort("month_end_peak", 8, ("report-builder", "ledger-worker"), ("m5.4xlarge", "m6i.2xlarge")),
    Cohort("memory_bound", 12, ("session-cache",), ("r5.xlarge", "r6i.2xlarge", "r5.2xlarge")),
    Cohort("short_spikes", 10, ("ledger-worker",), ("c5.2xlarge", "c6i.xlarge")),
    Cohort("ramp_up", 6, ("subscription-api",), ("m6i.2xlarge", "m7g.2xlarge")),
    Cohort("resize_mid_window", 4, ("media-api", "tax-api"), ("m5.xlarge", "m5.4xlarge"), floor=2),
    Cohort("off_at_night", 8, ("dev-workbench",), ("m5.xlarge", "m6i.xlarge")),
    Cohort("batch_farm", 12, ("batch-scoring",), ("c6i.8xlarge",), floor=3),
    Cohort("brand_new", 3, ("shipping-api",), ("m7g.2xlarge",)),
    Cohort("burst_credits", 8, ("dev-workbench", "admin-console"), ("t3.large", "t3.medium")),
    Cohort("service_emergency", 3, ("search-api",), ("c6i.4xlarge",)),
    Cohort("asg_emergency", 3, ("loyalty-api",), ("m5.2xlarge",), scales=False, group="loyalty-front"),
    Cohort("busy", 20, _BUSY, ("c5.2xlarge", "m5.2xlarge", "c6i.4xlarge", "m6i.4xlarge")),
    Cohort("no_memory", 8, ("admin-console", "coupon-api"), ("m5.2xlarge", "c5.4xlarge")),
    Cohort("sparse", 4, ("tax-api",), ("m5.2xlarge",)),
    Cohort("spot", 5, ("batch-scoring",), ("c5.4xlarge", "c6i.4xlarge"), config=(("lifecycle", "spot"),)),
    Cohort("eks_managed", 6, ("notification-api",), ("m5.4xlarge",), config=(("managed_by", "eks"),)),
    Cohort("excluded", 3, ("coupon-api",), ("m5.2xlarge",), tags=(("nightshift:exclude", "true"),)),
    Cohort("network_bound", 4, ("event-collector",), tuple(_SMALLER_NET_GBPS)),
    Cohort("diurnal", 3, ("checkout-api",), ("m5.xlarge",), scales=False, peak_pct=_HIGH, group="checkout-web"),
    Cohort("busy", 2, ("order-api",), ("c5.2xlarge",), scales=False, group="order-worker"),
    Cohort("idle_oversized", 12, _CALM, ("m5.2xlarge", "c5.2xlarge", "m6i.xlarge"), role="app"),
    Cohort("diurnal", 7, ("checkout-api", "payment-api", "cart-api", "catalog-api", "recommendation-api", "order-api"),
           ("m5.xlarge", "m6i.xlarge"), role="web", peak_pct=_HIGH, is_scaled_daily=True),
    Cohort("diurnal", 7, _LOW, ("m6i.xlarge", "c6i.xlarge"), role="api-fleet"),
    Cohort("busy", 6, _BUSY, ("c5.2xlarge", "c6i.2xlarge"), role="worker", is_scaled_daily=True),
    Cohort("weekly_peak", 2, ("report-builder",), ("m5.2xlarge",), role="render"),
    Cohort("month_end_peak", 1, ("invoice-api",), ("m6i.2xlarge",), role="closing"),
    Cohort("short_spikes", 1, ("ledger-worker",), ("c5.xlarge",), role="cron"),
    Cohort("memory_bound", 1, ("session-cache",), ("r6i.xlarge",), role="ring"),
    Cohort("asg_emergency", 1, ("loyalty-api",), ("m5.2xlarge",), role="front"),
    Cohort("eks_managed", 1, ("notification-api",), ("m5.2xlarge",), role="nodes", config=(("managed_by", "eks"),)),
    Cohort("spot", 1, ("batch-scoring",), ("c6i.4xlarge",), role="pool", config=(("lifecycle", "spot"),)),
)  # fmt: skip
_NUMBERS_PER_COHORT = 100_000

# id, shape, service, class, GiB of storage
_DATABASES = (
    ("payment-db-1", "diurnal", "payment-db", "db.r5.4xlarge", 2_000),
    ("orders-db-1", "diurnal", "order-api", "db.r5.2xlarge", 1_200),
    ("users-db-1", "diurnal", "user-preferences-api", "db.m5.2xlarge", 600),
    ("reporting-db-1", "month_end_peak", "report-builder", "db.r5.xlarge", 900),
)  # fmt: skip
# service, type, GiB, IOPS, MiB/s
_VOLUMES = (
    ("payment-db", "io2", 2_000, 20_000, None), ("ledger-worker", "gp3", 500, 3_000, 125),
    ("media-api", "gp3", 4_000, 6_000, 500), ("session-cache", "gp3", 200, 3_000, 125),
    ("report-builder", "gp2", 1_000, 3_000, 250), ("dev-workbench", "gp2", 300, 900, 250),
)  # fmt: skip


@dataclass(frozen=True)
class _Loaded:
    """One resource that has a series."""

    number: int
    resource_id: str
    kind: str
    service: str
    machine: shapes.Machine


@dataclass(frozen=True, eq=False)
class Fleet:
    """The decision engine's tables and the series behind them; two fleets of the same arguments are equal."""

    tables: dict[str, pl.DataFrame]
    shape_of: dict[str, str]  # every resource that has a series: all but volumes
    _loaded: tuple[_Loaded, ...] = field(repr=False)
    _calendar: shapes.Calendar = field(repr=False)
    _seed: int
    _moved: timedelta  # from the demo's calendar to the one that was asked for

    def utilization(self) -> Iterator[pl.DataFrame]:
        """The samples, 25 resources a frame, ordered by resource and time; may be iterated again."""
        for first in range(0, len(self._loaded), _RESOURCES_PER_FRAME):
            part = self._loaded[first : first + _RESOURCES_PER_FRAME]
            yield pl.concat([self._samples(resource) for resource in part], rechunk=True)

    def _samples(self, resource: _Loaded) -> pl.DataFrame:
        rng = np.random.default_rng([self._seed, resource.number])
        series = shapes.series(self._calendar, rng, resource.machine)
        during = self._calendar.between(*OUTAGE)
        if resource.service in SATURATED_SERVICES:
            series.saturate(during, rng)
        series.weigh(during, OUTAGE_LOAD.get(resource.service, 1.0))
        kept, count = series.present, int(series.present.sum())
        in_service = series.metrics.get("in_service")
        if in_service is not None and resource.machine.members is not None:
            if resource.service in SATURATED_SERVICES:
                in_service[during] = resource.machine.members[1]
            if resource.machine.shape == "asg_emergency":
                in_service[self._calendar.between(*GROUP_EMERGENCY)] += 2
        missing = ("mem_", "net_") if resource.kind == "rds_instance" else ()
        metrics = {
            name: np.round(series.metrics[name][kept], 2 if name.startswith(("cpu", "mem")) else 0)
            if name in series.metrics and not name.startswith(missing)
            else np.full(count, np.nan)
            for name in _METRICS
        }
        return pl.DataFrame(metrics, nan_to_null=True).select(
            pl.lit(resource.resource_id).alias("resource_id"),
            pl.Series("timestamp", self._calendar.at[kept] + np.timedelta64(self._moved), dtype=_WHEN),
            *_METRICS,
            pl.lit(None, _COUNT).alias("in_service")
            if in_service is None
            else pl.Series("in_service", in_service[kept]).cast(_COUNT),
        )


def build_fleet(*, last_day: date = DEMO_LAST_DAY, days: int = DEMO_DAYS, seed: int = DEMO_SEED, scale: float = 1.0) -> Fleet:
    """The fleet of ``days`` days whose last sample is at 23:55 UTC of ``last_day``.

    ``scale`` multiplies the number of ordinary resources; every shape exists at least once. Raises ``InputError`` for
    arguments out of bounds.
    """
    if not 1 <= days <= _LONGEST_DAYS:
        raise InputError(f"The demo fleet cannot have {days} days; ask for 1 to {_LONGEST_DAYS}.")
    if not 0 < scale <= _LARGEST_SCALE:
        raise InputError(f"The demo fleet cannot be scaled by {scale}; ask for above 0, up to {_LARGEST_SCALE:g}.")
    roster = [*_cohort_resources(seed, scale), *_databases(seed)]
    loaded = sorted((resource for resource, _ in roster), key=lambda resource: resource.resource_id)
    idle = [r.resource_id for r, _ in roster if r.machine.shape == "idle_oversized" and r.kind == "ec2_instance"]
    moved = last_day - DEMO_LAST_DAY
    told = story.rows(seed, _groups_worked_on(loaded), idle, days)
    told["resources"] = sorted([*(row for _, row in roster), *_volumes(seed)], key=lambda row: row["resource_id"])
    return Fleet(
        tables={name: _table(name, told[name], moved) for name in _TABLES},
        shape_of={resource.resource_id: resource.machine.shape for resource in loaded},
        _loaded=tuple(loaded),
        _calendar=shapes.Calendar.ending(DEMO_LAST_DAY, days),
        _seed=seed,
        _moved=moved,
    )


def _table(name: str, rows: list[Row], moved: timedelta) -> pl.DataFrame:
    schema = _TABLES[name]
    temporal = [column for column, dtype in schema.items() if dtype.is_temporal()]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(temporal) + moved)


def _groups_worked_on(loaded: Sequence[_Loaded]) -> dict[str, str]:
    habits = {}
    for resource in loaded:
        cohort = _COHORTS[resource.number // _NUMBERS_PER_COHORT] if resource.kind == "autoscaling_group" else None
        if cohort is not None and (cohort.is_scaled_daily or cohort.shape == "asg_emergency"):
            habits[resource.resource_id] = "routine" if cohort.is_scaled_daily else "emergency"
    return habits


def _hex_id(prefix: str, seed: int, number: int) -> str:
    """An id as AWS gives them out: 17 hexadecimal digits, the first of them 0."""
    return f"{prefix}-0{blake2b(f'{seed}/{number}'.encode(), digest_size=8).hexdigest()}"


def _cohort_resources(seed: int, scale: float) -> Iterator[tuple[_Loaded, Row]]:
    for position, cohort in enumerate(_COHORTS):
        wanted = max(cohort.floor, round(cohort.count * scale)) if cohort.scales else cohort.count
        for ordinal in range(wanted):
            yield _cohort_resource(seed, position * _NUMBERS_PER_COHORT + ordinal, cohort, ordinal)


def _cohort_resource(seed: int, number: int, cohort: Cohort, ordinal: int) -> tuple[_Loaded, Row]:
    rng = np.random.default_rng([seed, number, 1])
    service = cohort.services[ordinal % len(cohort.services)]
    instance_type = cohort.types[ordinal % len(cohort.types)]
    region = "eu-west-1" if ordinal % 7 == 3 else "us-east-1"
    config: dict[str, object] = {
        "instance_type": instance_type, "region": region, "platform": "linux", "tenancy": "default",
        "lifecycle": "on-demand", **dict(cohort.config),
    }  # fmt: skip
    members = None
    if cohort.role:
        low = int(rng.integers(2, 5))
        members = (low, low * int(rng.integers(2, 5)))
        resource_id = _group_name(cohort, service, ordinal)
        config |= {
            "availability_zones": [f"{region}{zone}" for zone in "abc"], "min_size": low, "max_size": members[1],
            "desired_capacity": low, "launch_template_id": _hex_id("lt", seed, number),
        }  # fmt: skip
    else:
        resource_id = _hex_id("i", seed, number)
        config |= {"availability_zone": f"{region}{'abc'[ordinal % 3]}"}
        if cohort.group:
            config |= {"asg_name": cohort.group}
    machine = shapes.Machine(
        shape=cohort.shape,
        ordinal=ordinal,
        vcpu=_VCPU[instance_type.partition(".")[2]],
        peak_pct=cohort.peak_pct,
        smaller_net_gbps=_SMALLER_NET_GBPS.get(instance_type, 1.25),
        credits_per_hour=_CREDITS_PER_HOUR.get(instance_type),
        members=members,
    )
    kind = "autoscaling_group" if cohort.role else "ec2_instance"
    tags = {"Name": resource_id if cohort.role else f"{service}-{ordinal + 1}", **dict(cohort.tags)}
    environment = _environment(cohort.shape, ordinal)
    row = _resource_row(rng, resource_id, kind, config, service, environment, tags)
    if cohort.shape == "brand_new":
        row["created_at"] = LAST_INSTANT - timedelta(hours=shapes.BRAND_NEW_HOURS)
    if cohort.shape == "resize_mid_window":
        last_midnight = LAST_INSTANT - timedelta(days=1 + shapes.RESIZED_DAYS_BEFORE_LAST)
        row["config_changed_at"] = last_midnight + timedelta(hours=shapes.RESIZED_HOUR)
    return _Loaded(number, resource_id, kind, service, machine), row


def _group_name(cohort: Cohort, service: str, ordinal: int) -> str:
    turn = ordinal // len(cohort.services)
    return f"{service.removesuffix('-api')}-{cohort.role}" + (f"-{turn + 1}" if turn else "")


def _environment(shape: str, ordinal: int) -> str:
    if shape == "off_at_night":
        return "dev"
    if shape == "idle_oversized":
        return ("prod", "prod", "staging", "prod", "dev")[ordinal % 5]
    return "prod"


def _resource_row(
    rng: np.random.Generator, resource_id: str, kind: str, config: dict[str, object], service: str,
    environment: str = "prod", tags: dict[str, str] | None = None,
) -> Row:  # fmt: skip
    team = SERVICES[service][0]
    created_at = LAST_INSTANT - timedelta(minutes=int(rng.integers(210 * 1440, 900 * 1440)))
    changed_at = LAST_INSTANT - timedelta(minutes=int(rng.integers(60 * 1440, 200 * 1440)))
    return {
        "resource_id": resource_id, "type": kind, "current_config": compact(config),
        "account_id": ACCOUNTS[environment], "service": service, "team": team, "environment": environment,
        "tags": compact({"Name": resource_id, "service": service, "team": team, **(tags or {})}),
        "created_at": created_at, "config_changed_at": changed_at if rng.random() < 0.15 else None,
    }  # fmt: skip


def _databases(seed: int) -> Iterator[tuple[_Loaded, Row]]:
    for ordinal, (resource_id, shape, service, db_class, gib) in enumerate(_DATABASES):
        number = 1_000 * _NUMBERS_PER_COHORT + ordinal
        config: dict[str, object] = {
            "instance_type": db_class, "engine": "postgres", "multi_az": ordinal < 2, "region": "us-east-1",
            "availability_zone": "us-east-1a", "storage_type": "gp3", "size_gib": gib, "iops": 12_000,
            "throughput_mibps": 500,
        }  # fmt: skip
        machine = shapes.Machine(shape, ordinal, _VCPU[db_class.rpartition(".")[2]], peak_pct=(34.0, 46.0))
        row = _resource_row(np.random.default_rng([seed, number, 1]), resource_id, "rds_instance", config, service)
        yield _Loaded(number, resource_id, "rds_instance", service, machine), row


def _volumes(seed: int) -> Iterator[Row]:
    for ordinal, (service, storage_type, gib, iops, throughput) in enumerate(_VOLUMES):
        number = 2_000 * _NUMBERS_PER_COHORT + ordinal
        config: dict[str, object] = {
            "region": "us-east-1", "availability_zone": "us-east-1a", "storage_type": storage_type, "size_gib": gib,
            "iops": iops, "throughput_mibps": throughput,
        }  # fmt: skip
        rng = np.random.default_rng([seed, number, 1])
        yield _resource_row(rng, _hex_id("vol", seed, number), "ebs_volume", config, service)
