"""What the Dagster UI shows of a day: a few numbers, a small table and a chart of the partition that was just written.

Belongs here: which rows of which table. Not here: what Dagster makes of them, which is ``defs/metadata``. All of it is read from
the day's own partitions and takes milliseconds; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dagster_project.domain.reasons import VERDICTS
from dagster_project.lake.action_item_tables import ACTION_ITEM_METRICS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.incident_tables import INCIDENT_SUMMARIES
from dagster_project.lake.table import Table
from dagster_project.lake.tables import (
    PROPOSAL_OUTCOMES,
    PROPOSALS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import steps_of
from dagster_project.reporting.inline_chart import ACCENT, Bar, bars, columns
from dagster_project.statements import statement

SHOWN = 20
"""Rows of a table at the most: it is looked at, not worked with."""
_TOP = 10
_METRICS = ["cpu_avg_pct", "cpu_max_pct", "mem_avg_pct", "mem_max_pct", "net_in_bytes", "net_out_bytes", "disk_read_bytes",
            "disk_write_bytes"]  # fmt: skip
_NUMBERED = {"cpu_avg_pct": ["cpu_coverage_pct"], "mem_avg_pct": ["memory_coverage_pct"]}
_COLOURS = {"propose": ACCENT, "refuse": "#33383e", "insufficient": "#8b9198", "keep": "#c3c6c0"}


@dataclass(frozen=True)
class ShownTable:
    """Rows under columns with their types: string, int, float or bool. A value may be None."""

    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """By the name that the UI shows: numbers (also sentences), tables, and charts in Markdown."""

    numbers: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, ShownTable] = field(default_factory=dict)
    charts: Mapping[str, str | None] = field(default_factory=dict)


def sample_facts(runtime: Runtime, day: date) -> Facts:
    """At which hours of the day there are samples: a gap in a feed is a gap in the chart."""
    rows = _rows(runtime, day, "samples_by_hour", UTILIZATION_SAMPLES)
    return Facts(
        {"hours_without_samples": sum(not row["samples"] for row in rows)},
        charts={"samples_by_hour": columns("Samples of each hour, UTC", [row["samples"] for row in rows], "00:00", "23:00 UTC")},
    )


def daily_facts(runtime: Runtime, day: date) -> Facts:
    """Of how many resources each metric was measured, and over what part of the day."""
    rows = _rows(runtime, day, "daily_coverage", UTILIZATION_DAILY)
    kinds = {"metric": "string", "resources": "int", "samples": "int", "covered_pct": "float"}
    return Facts({"metrics": len(rows)}, {"coverage": _table(kinds, rows)})


def window_facts(runtime: Runtime, day: date) -> Facts:
    """How much of the last seven days each metric covers, over the resources that should have it."""
    rows = _rows(runtime, day, "metric_coverage", RESOURCE_INVENTORY, UTILIZATION_WINDOW, metrics=_METRICS)
    rows = sorted(rows, key=lambda row: _METRICS.index(row["metric"]))
    kinds = {"metric": "string", "resources_measured": "int", "resources": "int", "mean_coverage_pct": "float"}
    drawn = [Bar(row["metric"], row["mean_coverage_pct"], f"{row['mean_coverage_pct']:.0f} %") for row in rows]
    return Facts(
        {name: round(row["mean_coverage_pct"], 1) for row in rows for name in _NUMBERED.get(row["metric"], ())},
        {"coverage": _table(kinds, rows)},
        {"coverage_of_7_days": bars("Mean coverage of the last seven days", drawn)},
    )


def verdict_facts(runtime: Runtime, day: date) -> Facts:
    """Resources and money by verdict, and the reasons that most money waits behind."""
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        counted = {row["verdict"]: row for row in engine.rows(statement("reports/verdict_counts"))}
        reasons = engine.rows(statement("reports/reason_counts"))
        fleet = engine.rows(statement("reports/fleet"))[0]
    rows = [counted.get(verdict, {"verdict": verdict, "resources": 0, "usd_month": 0.0}) for verdict in VERDICTS]
    numbers = {row["verdict"]: row["resources"] for row in rows}
    by_verdict = {"verdict": "string", "resources": "int", "usd_month": "float"}
    by_reason = {"verdict": "string", "reason_code": "string", "resources": "int", "usd_month_at_stake": "float"}
    many = [Bar(row["verdict"], row["resources"], f"{row['resources']:,}", _COLOURS[row["verdict"]]) for row in rows]
    money = [Bar(row["verdict"], row["usd_month"], _money(row["usd_month"]), _COLOURS[row["verdict"]]) for row in rows]
    return Facts(
        {**numbers, "savings_usd_month": round(fleet["savings_usd_month"], 2)},
        {"verdicts": _table(by_verdict, rows), "reasons": _table(by_reason, reasons[:_TOP])},
        {
            "resources_by_verdict": bars("Resources by verdict", many),
            "money_by_verdict": bars("What smaller sizes would save a month, by verdict", money),
        },
    )


def proposal_facts(runtime: Runtime, day: date) -> Facts:
    """The ten proposals that save most, and which ways proposals go."""
    with open_engine(runtime.lake) as engine:
        engine.view(PROPOSALS, [day])
        top = engine.rows(statement("reports/highest_savings"), {"top": _TOP})
        routes = engine.rows(statement("reports/proposal_routes"))
    kinds = {
        "resource_id": "string", "service": "string", "environment": "string", "value_before": "string", "value_after": "string",
        "savings_usd_month": "float", "risk": "string", "route": "string",
    }  # fmt: skip
    drawn = [
        Bar(row["route"], row["savings_usd_month"], f"{_money(row['savings_usd_month'])} ({row['proposals']:,})")
        for row in routes
    ]
    return Facts(
        {"savings_usd_month": round(sum(row["savings_usd_month"] for row in routes), 2)},
        {"top_proposals": _table(kinds, top)},
        {"savings_by_route": bars("Savings a month by the way proposals go", drawn)},
    )


def outcome_facts(runtime: Runtime, day: date) -> Facts:
    """Applied changes: what they were to save, what they save, and whether they were too small."""
    rows = _rows(runtime, day, "outcomes_of_day", PROPOSAL_OUTCOMES)
    kinds = {
        "resource_id": "string", "service": "string", "value_before": "string", "value_after": "string", "applied_on": "string",
        "estimated_usd_month": "float", "realized_usd_month": "float", "regret": "bool", "check_1": "string", "check_7": "string",
        "check_28": "string",
    }  # fmt: skip
    return Facts(
        {
            "live": sum(row["applied_on"] is not None for row in rows),
            "regretted": sum(row["regret"] is True for row in rows),
            "realized_usd_month": round(sum(row["realized_usd_month"] or 0 for row in rows), 2),
        },
        {"outcomes": _table(kinds, rows)},
    )


def incident_facts(runtime: Runtime, day: date) -> Facts:
    """Medians of the latest period, over all severities and services."""
    rows = _rows(runtime, day, "latest_summaries", INCIDENT_SUMMARIES)
    kinds = {
        "name": "string", "measured": "int", "incidents": "int", "median_minutes": "float", "median_low_minutes": "float",
        "median_high_minutes": "float", "p90_minutes": "float",
    }  # fmt: skip
    known = [row for row in rows if row["median_minutes"] is not None]
    drawn = [Bar(row["name"], row["median_minutes"], f"{row['median_minutes']:,.0f} min") for row in known]
    return Facts(
        {f"{row['name'].lower().replace(' ', '_')}_median_minutes": round(row["median_minutes"], 1) for row in known},
        {"medians": _table(kinds, rows)},
        {"median_minutes": bars("Median minutes of the latest period", drawn)},
    )


def action_item_facts(runtime: Runtime, day: date) -> Facts:
    """How action items fare: all of them first, then the largest groups."""
    rows = _rows(runtime, day, "action_item_groups", ACTION_ITEM_METRICS, top=SHOWN)
    kinds = {
        "scope": "string", "group_name": "string", "items": "int", "open": "int", "in_progress": "int", "done": "int",
        "overdue": "int", "due": "int", "done_of_due": "int", "median_days": "float",
    }  # fmt: skip
    whole = [(state, row[state]) for row in rows if row["scope"] == "all" for state in ("open", "in_progress", "done", "overdue")]
    drawn = [Bar(state.replace("_", " "), items, f"{items:,}") for state, items in whole]
    return Facts(
        {f"{state}_items": items for state, items in whole},
        {"groups": _table(kinds, rows)},
        {"states": bars("Action items", drawn)},
    )


def night_facts(runtime: Runtime, run_id: str) -> Facts:
    """Where the time of a run went: its longest steps."""
    steps = steps_of(runtime, run_id)
    longest = sorted(steps, key=lambda step: -step.seconds)[:_TOP]
    drawn = [Bar(step.name, step.seconds, f"{step.seconds:.1f} s") for step in longest]
    return Facts(
        {"seconds": round(sum(step.seconds for step in steps), 1)}, charts={"longest_steps": bars("Longest steps", drawn)}
    )


def _rows(runtime: Runtime, day: date, name: str, *tables: Table, **parameters: Any) -> list[dict[str, Any]]:
    with open_engine(runtime.lake) as engine:
        for table in tables:
            engine.view(table, [day])
        return engine.rows(statement(f"reports/{name}"), parameters)


def _table(kinds: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> ShownTable:
    """The first rows, with their numbers rounded and their days as text."""
    return ShownTable(kinds, [{name: _plain(row[name]) for name in kinds} for row in list(rows)[:SHOWN]])


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    return value.isoformat() if isinstance(value, date) else value


def _money(usd: float) -> str:
    return f"${usd:,.0f}"
