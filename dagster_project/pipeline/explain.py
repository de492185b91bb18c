"""The story of one verdict: what was decided for a resource, and every number behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.domain.metrics import METRICS
from dagster_project.errors import InputError, NightshiftError
from dagster_project.lake.aws_tables import SAMPLE_SOURCES
from dagster_project.lake.engine import open_engine
from dagster_project.lake.incident_tables import KEPT_CAPACITY
from dagster_project.lake.tables import EMERGENCY_SCALEUPS, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.billing_report import billed_on
from dagster_project.pipeline.cash_report import cash_told
from dagster_project.pipeline.proposal_views import evidence_lines, said
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion_report import second_opinion_on
from dagster_project.reporting.views import EvidenceLine
from dagster_project.reporting.words import counted
from dagster_project.statements import statement

_SHOWN_EMERGENCIES = 5


@dataclass(frozen=True)
class Story:
    """One verdict, ready to be printed."""

    resource_id: str
    kind: str
    owner: str
    day: date
    verdict: str
    reason_code: str
    sentence: str
    money: tuple[tuple[str, str], ...]
    evidence: tuple[EvidenceLine, ...]
    emergencies: tuple[str, ...]
    left_by_incidents: tuple[str, ...] = ()
    second_opinion: tuple[str, ...] = ()
    out_of_cloudwatch: tuple[str, ...] = ()


def explain(runtime: Runtime, resource_id: str, day: date | None) -> Story:
    """The verdict of a resource on a day, by default the newest that has verdicts.

    Raises ``InputError`` where that day's inventory does not list the resource, ``MissingPartition`` where the day never ran.
    """
    days = runtime.lake.days(RIGHTSIZING_VERDICTS)
    if day is None:
        if not days:
            raise NightshiftError("No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first.")
        day = days[-1]
    runtime.lake.require(RIGHTSIZING_VERDICTS, day)
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        engine.view(EMERGENCY_SCALEUPS, [day])
        engine.view(KEPT_CAPACITY, [day])
        engine.view(SAMPLE_SOURCES, [day])
        found = engine.rows(statement("reports/one_verdict"), {"resource_id": resource_id})
        if not found:
            raise InputError(f"The inventory of {day} does not list {resource_id}; check the id, or choose another --day.")
        emergencies = engine.rows(statement("reports/emergencies_of"), {"resource_id": resource_id, "top": _SHOWN_EMERGENCIES})
        second_opinion = second_opinion_on(engine, runtime.catalog(day), day, resource_id)
        filled = engine.rows(statement("reports/sample_sources_of"), {"resource_id": resource_id})
        left = engine.rows(statement("reports/capacity_left_at"), {"resource_id": resource_id, "service": found[0]["service"]})
    verdict = found[0]
    owner = " · ".join(str(verdict[name]) for name in ("service", "team", "environment", "region") if verdict[name])
    return Story(
        resource_id=resource_id,
        kind=verdict["resource_type"],
        owner=owner,
        day=day,
        verdict=verdict["verdict"],
        reason_code=verdict["reason_code"],
        sentence=said(verdict),
        money=(*money_told(verdict), *_billed(runtime, day, resource_id)),
        evidence=evidence_lines(verdict, runtime.settings.rightsizing),
        emergencies=tuple(map(emergency_told, emergencies)),
        left_by_incidents=tuple(row["story"] for row in left),
        second_opinion=second_opinion,
        out_of_cloudwatch=tuple(map(_filled, filled)),
    )


def _billed(runtime: Runtime, day: date, resource_id: str) -> tuple[tuple[str, str], ...]:
    said_by_bill = billed_on(runtime, day, resource_id)
    return () if said_by_bill is None else (("Billed", said_by_bill),)


def _filled(row: Mapping[str, Any]) -> str:
    """How many readings of a metric are not the database's."""
    whole = row["database_samples"] + row["cloudwatch_samples"]
    label = next(metric.label for metric in METRICS if metric.name == row["metric"])
    return f"{label}: {row['cloudwatch_samples']:,} of {counted(whole, 'reading')}"


def emergency_told(row: Mapping[str, Any]) -> str:
    """One emergency scale-up in a line."""
    matched = f"{row['target']} ({row['matched_by']})"
    return f"{row['decision_at']:%Y-%m-%d %H:%M} UTC  {matched}, policy {row['policy_id'] or 'unknown'}"


def money_told(verdict: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a verdict says of money, and what else is told of it, as pairs of a label and its words."""

    def price(kind: str | None, amount: float | None) -> str:
        if kind is None:
            return "none"
        units = f" × {verdict['units']}" if verdict["units"] and verdict["units"] > 1 else ""
        return f"{kind}{units}, " + ("no price known" if amount is None else f"${amount:,.2f} a month")

    lines = [
        ("Present size", price(verdict["current_type"], verdict["current_usd_month"])),
        ("Candidate", price(verdict["candidate_type"], verdict["candidate_usd_month"])),
        ("Savings proposed", f"${verdict['savings_usd_month']:,.2f} a month"),
    ]
    if verdict["discount_pct"]:
        at_list = f"${verdict['list_savings_usd_month']:,.2f} a month; {verdict['discount_pct']:g} % less is paid"
        lines.append(("At list prices", at_list))
    if verdict["cash_basis"] is not None:
        lines.append(("Cash now", cash_told(verdict)))
    if verdict["target_minimum_size"] is not None:
        lines.append(("New minimum", f"{verdict['target_minimum_size']} members"))
    if verdict["verdict"] == "propose":
        lines.append(("Worth after risk", f"${verdict['expected_usd_month']:,.2f} a month"))
    if verdict["exceedance_pct"] is not None:
        lines.append(("Risk", f"in {verdict['exceedance_pct']:.0f} of 100 weeks some sample would exceed the candidate"))
    if verdict["price_source"]:
        lines.append(("Price from", f"{verdict['price_source']}, {verdict['price_as_of']} ({verdict['price_quality']})"))
    if verdict["idle_pool"]:
        lines.append(("Idle pool", f"one of {verdict['idle_pool']} machines of this size that all idle"))
    lines.append(("Last verdict", _last_verdict(verdict)))
    lines.append(("Evidence fingerprint", verdict["fingerprint"]))
    return tuple(lines)


def _last_verdict(verdict: Mapping[str, Any]) -> str:
    if verdict["is_flip"] is None:
        return "none for this size"
    before = f"proposed {verdict['previous_target_type']}" if verdict["previous_target_type"] else "proposed no other size"
    return before + ("; this one is new" if verdict["is_flip"] else ", as now")
