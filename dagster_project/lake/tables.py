"""The contract of every lake table: columns, types, grain and order.

Types are DuckDB's. Times are naive UTC timestamps (other engines read them without a zone); a partition's rows are sorted
by ``grain``, which is also unique.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.domain.metrics import METRICS


@dataclass(frozen=True)
class Table:
    """One table of the lake, stored as one Parquet file a day."""

    name: str
    grain: tuple[str, ...]
    columns: dict[str, str]
    description: str


UTILIZATION_SAMPLES = Table(
    "utilization_samples",
    ("resource_id", "sampled_at"),
    {"resource_id": "VARCHAR", "sampled_at": "TIMESTAMP", **{metric.name: "FLOAT" for metric in METRICS}},
    "Raw samples of the day, one row per resource and interval. Null = not measured.",
)
RESOURCE_INVENTORY = Table(
    "resource_inventory",
    ("resource_id",),
    {
        "resource_id": "VARCHAR",
        "resource_type": "VARCHAR",
        "instance_type": "VARCHAR",
        "region": "VARCHAR",
        "platform": "VARCHAR",
        "tenancy": "VARCHAR",
        "lifecycle": "VARCHAR",
        "asg_name": "VARCHAR",
        "managed_by": "VARCHAR",
        "units": "INTEGER",
        "account_id": "VARCHAR",
        "service": "VARCHAR",
        "team": "VARCHAR",
        "environment": "VARCHAR",
        "tags": "VARCHAR",
        "config": "VARCHAR",
        "created_at": "TIMESTAMP",
        "config_changed_at": "TIMESTAMP",
    },
    "What there was, and in which configuration, as of the day. tags and config are JSON texts.",
)
DECISION_AUDIT = Table(
    "decision_audit",
    ("decision_at", "decision_id"),
    {
        "decision_id": "VARCHAR",
        "decision_at": "TIMESTAMP",
        "target": "VARCHAR",
        "action_type": "VARCHAR",
        "policy_id": "VARCHAR",
        "policy_version": "INTEGER",
        "policy_name": "VARCHAR",
        "event_id": "VARCHAR",
        "event_at": "TIMESTAMP",
        "metrics": "VARCHAR",
        "payload": "VARCHAR",
        "outcome": "VARCHAR",
        "outcome_reason": "VARCHAR",
        "is_dry_run": "BOOLEAN",
        "duration_ms": "DOUBLE",
        "incident_id": "VARCHAR",
    },
    "What the decision engine decided on the day, as it wrote it.",
)
INCIDENTS = Table(
    "incidents",
    ("incident_id",),
    {
        "incident_id": "VARCHAR",
        "title": "VARCHAR",
        "severity": "VARCHAR",
        "service": "VARCHAR",
        "status": "VARCHAR",
        "kind": "VARCHAR",
        "impact_started_at": "TIMESTAMP",
        "detected_at": "TIMESTAMP",
        "acknowledged_at": "TIMESTAMP",
        "declared_at": "TIMESTAMP",
        "identified_at": "TIMESTAMP",
        "mitigated_at": "TIMESTAMP",
        "impact_ended_at": "TIMESTAMP",
        "resolved_at": "TIMESTAMP",
        "slack_channel": "VARCHAR",
        "commander": "VARCHAR",
        "summary": "VARCHAR",
    },
    "Every incident that had begun by the end of the day, as it was then: what happened later is null, and so is its status.",
)
INCIDENT_ACTION_ITEMS = Table(
    "incident_action_items",
    ("item_id",),
    {
        "item_id": "VARCHAR",
        "incident_id": "VARCHAR",
        "title": "VARCHAR",
        "item_type": "VARCHAR",
        "priority": "VARCHAR",
        "owner": "VARCHAR",
        "due_on": "DATE",
        "tracker": "VARCHAR",
        "tracker_key": "VARCHAR",
        "state": "VARCHAR",
        "created_at": "TIMESTAMP",
    },
    "Action items of incidents that were there by the end of the day, in the state of the snapshot.",
)
SERVICE_DEPENDENCIES = Table(
    "service_dependencies",
    ("service", "depends_on"),
    {"service": "VARCHAR", "depends_on": "VARCHAR", "kind": "VARCHAR"},
    "Which service stands on which other one, as of the day; kind is hard or soft.",
)
SERVICES = Table(
    "services",
    ("service",),
    {
        "service": "VARCHAR",
        "team": "VARCHAR",
        "tier": "VARCHAR",
        "requests_per_day": "DOUBLE",
        "value_per_request_usd": "DOUBLE",
    },
    "The services that are known as of the day, with their team and tier, and what a request is worth.",
)
SLOS = Table(
    "slos",
    ("service", "name"),
    {"service": "VARCHAR", "name": "VARCHAR", "objective": "DOUBLE", "window_days": "INTEGER"},
    "What share of events shall be good (0 to 1) over how many days, for each objective of a service as of the day.",
)
SLI_DAILY = Table(
    "sli_daily",
    ("service", "name"),
    {"service": "VARCHAR", "name": "VARCHAR", "good": "DOUBLE", "total": "DOUBLE"},
    "Good and total events of the day, for each measured objective of a service.",
)
REJECTED_ROWS = Table(
    "rejected_rows",
    ("source", "reason", "resource_id", "column_name"),
    {
        "source": "VARCHAR",
        "reason": "VARCHAR",
        "resource_id": "VARCHAR",
        "column_name": "VARCHAR",
        "rejected_rows": "BIGINT",
        "first_at": "TIMESTAMP",
        "example_value": "VARCHAR",
    },
    "Rows that cannot be right, set aside: counted by source, reason, resource and column, with one example.",
)
LOAD_LEDGER = Table(
    "load_ledger",
    ("source",),
    {
        "source": "VARCHAR",
        "status": "VARCHAR",
        "rows_read": "BIGINT",
        "rows_written": "BIGINT",
        "rows_rejected": "BIGINT",
        "watermark_at": "TIMESTAMP",
        "history_from": "TIMESTAMP",
        "missing_columns": "VARCHAR",
        "error": "VARCHAR",
    },
    "What each source gave for the day: complete, late (a snapshot that was taken after its day was the newest), partial "
    "(the day was not over), empty, absent (an optional table that the database does not have) or failed. history_from is the "
    "first moment of which the source knows anything.",
)
UTILIZATION_DAILY = Table(
    "utilization_daily",
    ("resource_id", "metric"),
    {
        "resource_id": "VARCHAR",
        "metric": "VARCHAR",
        "samples": "INTEGER",
        "minimum": "DOUBLE",
        "maximum": "DOUBLE",
        "mean": "DOUBLE",
        "interval_seconds": "SMALLINT",
        "covered_slots": "SMALLINT",
        "first_bin": "USMALLINT",
        "counts": "UINTEGER[]",
    },
    "One day of one metric of one resource, with a histogram that merges into any window. Slots are five minutes.",
)
UTILIZATION_WINDOW = Table(
    "utilization_window",
    ("resource_id", "window_days", "metric"),
    {
        "resource_id": "VARCHAR",
        "window_days": "SMALLINT",
        "metric": "VARCHAR",
        "days": "SMALLINT",
        "first_on": "DATE",
        "samples": "BIGINT",
        "minimum": "DOUBLE",
        "maximum": "DOUBLE",
        "mean": "DOUBLE",
        "p50": "DOUBLE",
        "p95": "DOUBLE",
        "p99": "DOUBLE",
        "p995": "DOUBLE",
        "interval_seconds": "SMALLINT",
        "covered_minutes": "INTEGER",
    },
    "The last 7 days and the look-back as of the day, from the daily rollups; cut at the last change of configuration. "
    "Percentiles of the look-back are there for percentages only.",
)
EMERGENCY_SCALEUPS = Table(
    "emergency_scaleups",
    ("resource_id", "decision_at", "decision_id"),
    {
        "resource_id": "VARCHAR",
        "decision_at": "TIMESTAMP",
        "decision_id": "VARCHAR",
        "target": "VARCHAR",
        "matched_by": "VARCHAR",
        "action_type": "VARCHAR",
        "policy_id": "VARCHAR",
    },
    "Emergency scale-ups of the veto window, mapped to every resource that they speak of: by id, group or service.",
)
PROTECTED_WINDOWS = Table(
    "protected_windows",
    ("resource_id", "event_kind", "event_id"),
    {
        "resource_id": "VARCHAR",
        "event_kind": "VARCHAR",
        "event_id": "VARCHAR",
        "event_title": "VARCHAR",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "matched_by": "VARCHAR",
    },
    "Every moment of all known history that a smaller size must have survived, mapped to every resource that it speaks of: "
    "by id, group, service, or a service that the resource's own stands on.",
)
INCIDENT_DEMAND = Table(
    "incident_demand",
    ("resource_id", "event_kind", "event_id"),
    {
        "resource_id": "VARCHAR",
        "event_kind": "VARCHAR",
        "event_id": "VARCHAR",
        "window_from_at": "TIMESTAMP",
        "window_to_at": "TIMESTAMP",
        "samples": "INTEGER",
        "cpu_peak_pct": "DOUBLE",
        "mem_peak_pct": "DOUBLE",
        "net_peak_bytes_per_second": "DOUBLE",
        "disk_peak_bytes_per_second": "DOUBLE",
        "disk_peak_ops_per_second": "DOUBLE",
        "in_service_peak": "DOUBLE",
        "instance_type": "VARCHAR",
        "units": "INTEGER",
        "basis": "VARCHAR",
    },
    "The highest demand of each resource within each protected window, for the part of it that lies on this day; percentages are "
    "of instance_type. basis: samples, or day (the whole day's maxima, an upper bound). A window that a later day no longer "
    "lists stays: join with the protected_windows of the day that asks.",
)
RESOURCE_RISKS = Table(
    "resource_risks",
    ("resource_id",),
    {
        "resource_id": "VARCHAR",
        "open_incident_id": "VARCHAR",
        "open_incident_title": "VARCHAR",
        "open_capacity_item_id": "VARCHAR",
        "open_capacity_item_title": "VARCHAR",
        "slo_name": "VARCHAR",
        "slo_budget_left_pct": "DOUBLE",
    },
    "What speaks against touching a resource at all: an open incident of its service, open work that asks for capacity, or the "
    "objective of its service with the least error budget left (percent of it; null = nothing was measured).",
)
RIGHTSIZING_EVIDENCE = Table(
    "rightsizing_evidence",
    ("resource_id",),
    {
        "resource_id": "VARCHAR",
        "resource_type": "VARCHAR",
        "service": "VARCHAR",
        "team": "VARCHAR",
        "environment": "VARCHAR",
        "region": "VARCHAR",
        "units": "INTEGER",
        "instance_type": "VARCHAR",
        "platform": "VARCHAR",
        "tenancy": "VARCHAR",
        "lifecycle": "VARCHAR",
        "managed_by": "VARCHAR",
        "asg_name": "VARCHAR",
        "engine": "VARCHAR",
        "is_multi_az": "BOOLEAN",
        "excluding_tag": "VARCHAR",
        "days_since_change": "DOUBLE",
        "history_hours": "DOUBLE",
        "lookback_days": "SMALLINT",
        "coverage_pct": "DOUBLE",
        "recent_coverage_pct": "DOUBLE",
        "cpu_max_coverage_pct": "DOUBLE",
        "memory_coverage_pct": "DOUBLE",
        "memory_max_coverage_pct": "DOUBLE",
        "network_coverage_pct": "DOUBLE",
        "disk_coverage_pct": "DOUBLE",
        "operations_coverage_pct": "DOUBLE",
        "has_operations": "BOOLEAN",
        "rejected_readings": "BIGINT",
        "cpu_basis": "VARCHAR",
        "memory_basis": "VARCHAR",
        "cpu_mean_pct": "DOUBLE",
        "cpu_p95_pct": "DOUBLE",
        "cpu_p995_pct": "DOUBLE",
        "cpu_peak_pct": "DOUBLE",
        "cpu_average_peak_pct": "DOUBLE",
        "memory_p995_pct": "DOUBLE",
        "memory_peak_pct": "DOUBLE",
        "memory_ever_pct": "DOUBLE",
        "network_peak_gbps": "DOUBLE",
        "disk_peak_mbps": "DOUBLE",
        "disk_peak_iops": "DOUBLE",
        "replayed_events": "INTEGER",
        "replay_vcpu": "DOUBLE",
        "replay_vcpu_event": "VARCHAR",
        "replay_memory_gib": "DOUBLE",
        "replay_memory_event": "VARCHAR",
        "replay_network_gbps": "DOUBLE",
        "replay_network_event": "VARCHAR",
        "replay_disk_mbps": "DOUBLE",
        "replay_disk_event": "VARCHAR",
        "replay_disk_iops": "DOUBLE",
        "replay_iops_event": "VARCHAR",
        "emergencies": "INTEGER",
        "last_emergency_at": "TIMESTAMP",
        "last_emergency_target": "VARCHAR",
        "open_incident_id": "VARCHAR",
        "open_incident_title": "VARCHAR",
        "open_capacity_item_id": "VARCHAR",
        "open_capacity_item_title": "VARCHAR",
        "slo_name": "VARCHAR",
        "slo_budget_left_pct": "DOUBLE",
        "kill_switch_at": "TIMESTAMP",
        "minimum_size": "INTEGER",
        "scheduled_minimum": "INTEGER",
        "zones": "INTEGER",
        "in_service_peak": "DOUBLE",
        "incident_in_service": "DOUBLE",
        "unsized_event": "VARCHAR",
        "interfaces": "INTEGER",
        "volumes": "INTEGER",
    },
    "All that was known of every resource when its verdict was made: demand, coverage, standing and past emergencies. "
    "Percentages are of the present size, replay figures physical units of the size that lived through the event.",
)
RIGHTSIZING_VERDICTS = Table(
    "rightsizing_verdicts",
    ("resource_id",),
    {
        "resource_id": "VARCHAR",
        "resource_type": "VARCHAR",
        "service": "VARCHAR",
        "team": "VARCHAR",
        "environment": "VARCHAR",
        "region": "VARCHAR",
        "units": "INTEGER",
        "verdict": "VARCHAR",
        "reason_code": "VARCHAR",
        "deciding_value": "DOUBLE",
        "deciding_limit": "DOUBLE",
        "deciding_text": "VARCHAR",
        "current_type": "VARCHAR",
        "candidate_type": "VARCHAR",
        "target_type": "VARCHAR",
        "target_minimum_size": "INTEGER",
        "current_usd_month": "DOUBLE",
        "candidate_usd_month": "DOUBLE",
        "savings_usd_month": "DOUBLE",
        "stake_usd_month": "DOUBLE",
        "expected_usd_month": "DOUBLE",
        "exceedance_pct": "DOUBLE",
        "price_quality": "VARCHAR",
        "price_source": "VARCHAR",
        "price_as_of": "VARCHAR",
        "coverage_pct": "DOUBLE",
        "history_hours": "DOUBLE",
        "lookback_days": "SMALLINT",
        "cpu_basis": "VARCHAR",
        "cpu_mean_pct": "DOUBLE",
        "cpu_p95_pct": "DOUBLE",
        "cpu_p995_pct": "DOUBLE",
        "cpu_peak_pct": "DOUBLE",
        "cpu_average_peak_pct": "DOUBLE",
        "memory_basis": "VARCHAR",
        "memory_p995_pct": "DOUBLE",
        "memory_peak_pct": "DOUBLE",
        "memory_ever_pct": "DOUBLE",
        "network_peak_gbps": "DOUBLE",
        "disk_peak_mbps": "DOUBLE",
        "disk_peak_iops": "DOUBLE",
        "cpu_ratio": "DOUBLE",
        "memory_ratio": "DOUBLE",
        "required_vcpu": "DOUBLE",
        "required_memory_gib": "DOUBLE",
        "required_network_gbps": "DOUBLE",
        "required_disk_mbps": "DOUBLE",
        "required_disk_iops": "DOUBLE",
        "required_by": "VARCHAR",
        "candidate_vcpu": "DOUBLE",
        "candidate_memory_gib": "DOUBLE",
        "candidate_network_gbps": "DOUBLE",
        "candidate_disk_mbps": "DOUBLE",
        "candidate_disk_iops": "DOUBLE",
        "replayed_events": "INTEGER",
        "closest_event": "VARCHAR",
        "closest_event_pct": "DOUBLE",
        "idle_pool": "INTEGER",
        "in_service_peak": "DOUBLE",
        "emergencies": "INTEGER",
        "last_emergency_at": "TIMESTAMP",
        "last_emergency_target": "VARCHAR",
        "forecast": "VARCHAR",
        "previous_target_type": "VARCHAR",
        "is_flip": "BOOLEAN",
        "fingerprint": "VARCHAR",
    },
    "Every resource of the inventory with its verdict, the reason code, and the number that decided. required_by is a JSON "
    "object: for each dimension, what asks for the capacity.",
)

SNAPSHOTS = (INCIDENTS, INCIDENT_ACTION_ITEMS, SERVICE_DEPENDENCIES, SERVICES, SLOS)
"""Optional tables of the contract that know only the present; they are called here as they are there."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        UTILIZATION_SAMPLES,
        RESOURCE_INVENTORY,
        DECISION_AUDIT,
        INCIDENTS,
        INCIDENT_ACTION_ITEMS,
        SERVICE_DEPENDENCIES,
        SERVICES,
        SLOS,
        SLI_DAILY,
        REJECTED_ROWS,
        LOAD_LEDGER,
        UTILIZATION_DAILY,
        UTILIZATION_WINDOW,
        EMERGENCY_SCALEUPS,
        PROTECTED_WINDOWS,
        INCIDENT_DEMAND,
        RESOURCE_RISKS,
        RIGHTSIZING_EVIDENCE,
        RIGHTSIZING_VERDICTS,
    )
}
