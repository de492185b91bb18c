"""Emergency scale-ups and verdicts: the statements of ``sql/marts`` over the day's tables and the catalog."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dagster_project.catalog import HOURS_PER_MONTH, INSTANCE_PRICES, INSTANCE_TYPES
from dagster_project.domain.reasons import VERDICTS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    EMERGENCY_SCALEUPS,
    REJECTED_ROWS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.statements import statement

_THRESHOLDS = (
    "lookback_days", "min_history_hours", "min_coverage_pct", "max_cpu_p995_pct", "max_cpu_peak_pct", "max_memory_peak_pct",
    "emergency_veto_days", "change_veto_days", "min_savings_usd_month",
)  # fmt: skip


def find_emergencies(runtime: Runtime, day: date) -> int:
    """Writes ``emergency_scaleups`` of the day; returns its rows."""
    veto_days = runtime.settings.rightsizing.emergency_veto_days
    runtime.lake.require(RESOURCE_INVENTORY, day)
    runtime.lake.require(DECISION_AUDIT, day)
    with open_engine(runtime.lake) as engine:
        engine.view(RESOURCE_INVENTORY, [day])
        engine.view(DECISION_AUDIT, days_up_to(day, veto_days))
        parameters = {"day_end": _end_of(day), "veto_days": veto_days}
        return engine.write(EMERGENCY_SCALEUPS, day, statement("marts/emergency_scaleups"), parameters)


def judge(runtime: Runtime, day: date) -> int:
    """Writes ``rightsizing_verdicts`` of the day, one row for every resource of its inventory; returns its rows."""
    rules = runtime.settings.rightsizing
    for table in (RESOURCE_INVENTORY, UTILIZATION_WINDOW, EMERGENCY_SCALEUPS):
        runtime.lake.require(table, day)
    with open_engine(runtime.lake) as engine:
        for table in (RESOURCE_INVENTORY, UTILIZATION_WINDOW, EMERGENCY_SCALEUPS):
            engine.view(table, [day])
        engine.view(REJECTED_ROWS, days_up_to(day, rules.lookback_days))
        engine.view_file("instance_types", INSTANCE_TYPES)
        engine.view_file("instance_prices", INSTANCE_PRICES)
        parameters = {
            "day_end": _end_of(day),
            "excluded_tags": list(rules.excluded_tags),
            "hours_per_month": HOURS_PER_MONTH,
            **{name: getattr(rules, name) for name in _THRESHOLDS},
        }
        return engine.write(RIGHTSIZING_VERDICTS, day, statement("marts/rightsizing_verdicts"), parameters)


def summary(runtime: Runtime, day: date) -> dict[str, float]:
    """Resources by verdict and the savings (USD a month) of a day."""
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        counts = {row["verdict"]: row["resources"] for row in engine.rows(statement("reports/verdict_counts"))}
        savings = engine.rows(statement("reports/fleet"))[0]["savings_usd_month"]
    return {**{verdict: counts.get(verdict, 0) for verdict in VERDICTS}, "savings_usd_month": round(savings, 2)}


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())
