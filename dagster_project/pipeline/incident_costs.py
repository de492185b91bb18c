"""What an incident's cost follows from, gathered from the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from dagster_project.domain.incidents.blast_radius import ServiceFacts
from dagster_project.domain.incidents.cost import AddedCapacity, CostFacts, Range
from dagster_project.domain.incidents.error_budget import BudgetSpent
from dagster_project.domain.incidents.model import ImpactWindow, Moment
from dagster_project.lake.engine import Engine
from dagster_project.statements import statement

_HOURS_A_MONTH = 730
_Row = Mapping[str, Any]


def cost_facts(
    engine: Engine,
    record: _Row,
    phases: Mapping[str, Moment],
    windows: Sequence[ImpactWindow],
    spent: Sequence[BudgetSpent],
    acts: Sequence[_Row],
    kept: Sequence[_Row],
    own: ServiceFacts,
    dependents: int,
) -> CostFacts:
    """The facts of one incident. ``spent``: what it spent of each objective; ``acts`` and ``kept`` are rows of
    ``reports/engine_acts_of`` and ``reports/kept_capacity_of``; ``own``: what is known of the incident's own service;
    ``dependents``: how many stand on it."""
    people = engine.rows(statement("reports/responders_of"), {"incident_id": record["incident_id"]})[0]["responders"]
    return CostFacts(
        response_hours=_response_hours(record, phases),
        responders=people or None,
        failed_requests=_failed_requests(record, spent),
        requests_per_day=own.requests_per_day,
        impact_minutes=impact_minutes(windows),
        failed_share=_failed_share(acts, windows),
        value_per_request_usd=own.value_per_request_usd,
        added=tuple(_added(record, kept)),
        dependents=dependents,
    )


def _response_hours(record: _Row, phases: Mapping[str, Moment]) -> float | None:
    """From when somebody knew of it until it was over."""
    began = next((phases[each].at for each in ("detected", "acknowledged", "declared") if each in phases), None)
    ended = next((phases[each].at for each in ("resolved", "closed") if each in phases), record["ended_at"])
    if began is None or ended is None or ended < began:
        return None
    return (ended - began) / timedelta(hours=1)


def _failed_requests(record: _Row, spent: Sequence[BudgetSpent]) -> float | None:
    """Failed events of an objective that counts failures; slow answers are none."""
    for each in spent:
        counts_failures = any(word in each.objective.name.lower() for word in ("availab", "error", "success"))
        if each.objective.service == record["service"] and counts_failures and each.bad_events is not None:
            return each.bad_events
    return None


def impact_minutes(windows: Sequence[ImpactWindow]) -> float | None:
    """Minutes in any window; None without one, or while one lasts."""
    if not windows or any(each.ended_at is None for each in windows):
        return None
    spans = sorted((each.started_at, each.ended_at or each.started_at) for each in windows)
    minutes, reached = 0.0, spans[0][0]
    for start, end in spans:
        minutes += max(end - max(start, reached), timedelta(0)) / timedelta(minutes=1)
        reached = max(reached, end)
    return minutes


def _failed_share(acts: Sequence[_Row], windows: Sequence[ImpactWindow]) -> Range | None:
    """The least, median and greatest share of errors that the decision engine saw in the impact."""
    seen = [
        float(act["error_rate"])
        for act in acts
        if act["error_rate"] is not None
        and 0 <= act["error_rate"] <= 1
        and any(
            each.started_at <= act["occurred_at"] and (each.ended_at is None or act["occurred_at"] <= each.ended_at)
            for each in windows
        )
    ]
    return Range(min(seen), median(seen), max(seen)) if seen else None


def _added(record: _Row, kept: Sequence[_Row]) -> Iterator[AddedCapacity]:
    """Capacity that was bought in the incident, for as long as it was there and the incident lasted."""
    for row in kept:
        ends = [at for at in (row["came_back_at"], record["ended_at"]) if at is not None]
        hours = max(min(ends) - row["bought_at"], timedelta(0)) / timedelta(hours=1) if ends else None
        each = row["usd_month_each"]
        price = None if each is None or row["amount"] is None else each / _HOURS_A_MONTH * int(row["amount"])
        yield AddedCapacity(f"{row['amount'] or 'capacity'} of {row['target']}", price, hours)
