"""A night with everything that a report tells of, without a database: verdicts as they are reached, the rest as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dagster_project.lake.tables import PROPOSALS
from dagster_project.pipeline.night_numbers import number_night
from dagster_project.pipeline.report import Written, write_report
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.savings import follow_savings
from dagster_project.settings import ReportSettings, RightsizingSettings, Settings
from tests.night_builders import DAY, Machine, Row, night, put


def report_home(folder: Path, *, report: dict[str, Any] | None = None, **rules: Any) -> Runtime:
    """A home beside which its reports lie."""
    settings = Settings(
        home=folder / "home",
        reports=folder / "reports",
        rightsizing=RightsizingSettings(**rules),
        report=ReportSettings(**(report or {})),
    )
    return Runtime(settings)


def proposal(verdict: Row, **more: Any) -> Row:
    """The row of ``proposals`` that a verdict becomes."""
    same = ("resource_id", "resource_type", "service", "team", "environment", "region", "savings_usd_month")
    return {
        **{name: verdict[name] for name in same},
        "attribute": "instance_type",
        "value_before": verdict["current_type"],
        "value_after": verdict["target_type"],
        "list_savings_usd_month": verdict["list_savings_usd_month"],
        "expected_usd_month": verdict["expected_usd_month"],
        "verdict_code": verdict["reason_code"],
        "risk": "low",
        "mode": "propose",
        "route": "pull_request",
        **more,
    }


def reported(runtime: Runtime, *machines: Machine, day: date = DAY, **tables: Sequence[Row]) -> Written:
    """The report of a day. What proposes becomes proposals, unless ``tables`` has others."""
    verdicts = night(runtime, *machines, day=day, **{name: rows for name, rows in tables.items() if name in _BEFORE})
    put(runtime, "proposals", day, [proposal(row) for row in verdicts.values() if row["verdict"] == "propose"])
    for name in ("pull_requests", "approval_requests", "proposal_outcomes", *(tables.keys() - _BEFORE)):
        put(runtime, name, day, tables.get(name, []))
    return rendered(runtime, day)


def reported_again(runtime: Runtime, day: date) -> Written:
    """The report of a day whose verdicts are there, and of which nothing was proposed."""
    if not runtime.lake.has(PROPOSALS, day):
        put(runtime, "proposals", day, [])
    return rendered(runtime, day)


def rendered(runtime: Runtime, day: date = DAY) -> Written:
    """The last steps of a night, from what is in its lake."""
    follow_savings(runtime, day)
    number_night(runtime, day)
    return write_report(runtime, day)


_BEFORE = {
    "resource_inventory",
    "utilization_window",
    "emergency_scaleups",
    "protected_windows",
    "incident_demand",
    "resource_risks",
}
"""Tables that a verdict reads."""


def samples(resource_id: str, cpu_pct: float, day: date = DAY, days: int = 7) -> list[Row]:
    """Rows of ``utilization_samples``, one an hour, of the last days."""
    from datetime import datetime, time

    return [
        {"day": each, "resource_id": resource_id, "sampled_at": datetime.combine(each, time(hour)), "cpu_avg_pct": cpu_pct + hour}
        for each in (day - timedelta(days=back) for back in range(days))
        for hour in range(24)
    ]
