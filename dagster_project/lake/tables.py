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
    "What each source gave for the day: complete, late (an inventory that was taken after its day was the newest), partial "
    "(the day was not over), empty or failed. history_from is the first moment of which the source knows anything.",
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
    "The last 7 days and the look-back as of the day, from the daily rollups; cut at the last change of configuration.",
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
        "current_usd_month": "DOUBLE",
        "candidate_usd_month": "DOUBLE",
        "savings_usd_month": "DOUBLE",
        "stake_usd_month": "DOUBLE",
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
        "cpu_limit_pct": "DOUBLE",
        "memory_basis": "VARCHAR",
        "memory_p995_pct": "DOUBLE",
        "memory_peak_pct": "DOUBLE",
        "cpu_ratio": "DOUBLE",
        "memory_ratio": "DOUBLE",
        "emergencies": "INTEGER",
        "last_emergency_at": "TIMESTAMP",
        "last_emergency_target": "VARCHAR",
    },
    "Every resource of the inventory with its verdict, the reason code, and the number that decided.",
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        UTILIZATION_SAMPLES,
        RESOURCE_INVENTORY,
        DECISION_AUDIT,
        REJECTED_ROWS,
        LOAD_LEDGER,
        UTILIZATION_DAILY,
        UTILIZATION_WINDOW,
        EMERGENCY_SCALEUPS,
        RIGHTSIZING_VERDICTS,
    )
}
