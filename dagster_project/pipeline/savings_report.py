"""The report's section about money, and its first screen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from dagster_project.domain.night_numbers import COST_DAYS
from dagster_project.lake.engine import Engine
from dagster_project.lake.incident_tables import INCIDENT_RECORDS, POSTMORTEMS
from dagster_project.lake.partitions import Lake
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.pipeline.night_numbers import nights_until, numbers_of
from dagster_project.pipeline.report_place import group_page
from dagster_project.pipeline.savings import CSV, PARQUET
from dagster_project.reporting.night_charts import every_day
from dagster_project.reporting.savings_views import (
    STAGES,
    Answers,
    GroupSavings,
    IncidentCost,
    SavingsSection,
    Stage,
)
from dagster_project.reporting.words import UNKNOWN, counted, money
from dagster_project.statements import statement

TREND_DAYS = 90
_SHOWN_GROUPS = 12
"""Teams and services in the report; all of them have pages."""
_SHOWN_REASONS = 8
_LOST = {
    "proposed": "not proposed yet",
    "approved": "not approved yet",
    "applied": "not live yet",
    "realized": "unknown or not as estimated",
}
_FILES = (
    (CSV, "every change with its stage and its money, for a spreadsheet"),
    (PARQUET, "the same, for tools"),
)
Row = Mapping[str, Any]


def savings_in_report(engine: Engine, lake: Lake, day: date, numbers: Mapping[str, float | None]) -> SavingsSection:
    """The section. ``engine`` has the day's verdicts in view, ``numbers`` are those of the night."""
    for table in (SAVINGS, INCIDENT_RECORDS, POSTMORTEMS):
        engine.view(table, [day])
    found = engine.rows(statement("reports/savings_by_group"))
    teams, services = (_groups(found, kind) for kind in ("team", "service"))
    stages = engine.rows(statement("reports/savings_stages"))
    return SavingsSection(
        stages=_stages(stages, numbers),
        held=_held_back(stages),
        nights=tuple(every_day(numbers_of(lake, nights_until(lake, day, TREND_DAYS)), day, TREND_DAYS)),
        teams=teams[:_SHOWN_GROUPS],
        services=services[:_SHOWN_GROUPS],
        teams_total=len(teams),
        services_total=len(services),
        incident_cost=_incident_cost(engine, day),
        files=_FILES,
    )


def answers_of(lake: Lake, day: date) -> Answers:
    """The numbers of the night, beside those of the night before it."""
    nights = nights_until(lake, day, 2)
    found = numbers_of(lake, nights)
    before = nights[0] if len(nights) == 2 and nights[-1] == day else None
    return Answers(found.get(day, {}), found[before] if before is not None else {}, before)


def _stages(rows: Sequence[Row], numbers: Mapping[str, float | None]) -> tuple[Stage, ...]:
    changes = dict.fromkeys(STAGES, 0)
    for row in rows:
        for stage in STAGES[: STAGES.index(row["stage"]) + 1]:
            changes[stage] += row["changes"]
    if not changes[STAGES[0]]:
        return ()
    stages: list[Stage] = []
    for name in STAGES:
        known = numbers.get(f"{name}_usd_month")
        usd = known or 0.0
        lost = stages[-1].usd_month - usd if stages else 0.0
        stages.append(Stage(name, usd, changes[name], lost, _LOST.get(name, ""), is_known=known is not None))
    return tuple(stages)


def _groups(rows: Sequence[Row], kind: str) -> tuple[GroupSavings, ...]:
    return tuple(
        GroupSavings(
            name=row["name"] or f"no {kind} tag",
            page=None if row["name"] is None else group_page(kind, row["name"]),
            resources=row["resources"],
            fleet_usd_month=row["fleet_usd_month"],
            proposals=row["proposals"],
            safe_usd_month=row["safe_usd_month"],
            refused_usd_month=row["refused_usd_month"],
            waiting_usd_month=row["waiting_usd_month"],
            realized_usd_month=row["realized_usd_month"],
        )
        for row in rows
        if row["kind"] == kind
    )


def _incident_cost(engine: Engine, day: date) -> IncidentCost | None:
    since = datetime.combine(day - timedelta(days=COST_DAYS - 1), time())
    row = engine.rows(statement("reports/incident_costs"), {"since": since})[0]
    if not row["incidents"]:
        return None
    return IncidentCost(row["incidents"], row["costed"], row["low_usd"], row["high_usd"], ", ".join(row["not_included"] or ()))


def _held_back(rows: Sequence[Row]) -> tuple[str, ...]:
    """Why what was identified was not proposed, the most money first."""
    rows = [row for row in rows if row["stage"] == STAGES[0]]
    told = [
        f"{counted(row['changes'], 'change').capitalize()}, {money(row['usd_month'])} a month: "
        f"{(row['stage_note'] or UNKNOWN).removesuffix('.')}."
        for row in rows[:_SHOWN_REASONS]
    ]
    rest = rows[_SHOWN_REASONS:]
    if rest:
        usd = math.fsum(row["usd_month"] for row in rest)
        others = counted(sum(row["changes"] for row in rest), "change").capitalize()
        told.append(f"{others}, {money(usd)} a month, for other reasons.")
    return tuple(told)
