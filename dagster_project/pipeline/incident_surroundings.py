"""What surrounds one incident, computed for its document: blast radius, error budget, cost, mitigation, ties to right-sizing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dagster_project.domain.incidents.blast_radius import BlastRadius, ServiceFacts, blast_radius
from dagster_project.domain.incidents.burn_rate import Replay, replay
from dagster_project.domain.incidents.cost import Cost, incident_cost
from dagster_project.domain.incidents.error_budget import BudgetSpent, Objective, budget_spent, levels
from dagster_project.domain.incidents.experiments import Experiment, Learned, Refusal, experiments
from dagster_project.domain.incidents.mitigation import SECONDARY_MINUTES, Attempt, Effect, effects, told_apart
from dagster_project.domain.incidents.model import ImpactWindow, Moment
from dagster_project.lake.engine import Engine
from dagster_project.lake.incident_tables import (
    CAPTURED_SERVICE_LEVELS,
    INCIDENT_LINKS,
    INCIDENT_PHASES,
    KEPT_CAPACITY,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    RIGHTSIZING_VERDICTS,
    SERVICE_DEPENDENCIES,
    SERVICES,
    SLI_DAILY,
    SLOS,
)
from dagster_project.pipeline.incident_costs import cost_facts
from dagster_project.pipeline.ingest_service_levels import LONGEST_WINDOW_DAYS
from dagster_project.pipeline.runtime import days_up_to
from dagster_project.pipeline.similar_incidents import view_incidents
from dagster_project.settings_incidents import IncidentSettings
from dagster_project.statements import statement

_LEVELS_BEFORE, _LEVELS_AFTER = timedelta(days=3, hours=6), timedelta(hours=6)
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectiveSpent:
    """One objective of the incident's services: its budget, and the alerts that it would have given."""

    spent: BudgetSpent
    replays: tuple[Replay, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A tie to right-sizing. ``kind``: caused, suspect or vetoes."""

    kind: str
    resource_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of it, computed. ``effects`` are of the kinds of action that this incident saw, over all incidents; ``told_apart``:
    pairs (faster, slower) of them that may be told apart. ``kept``: stories of capacity that is still there."""

    incident_id: str
    blast: BlastRadius
    objectives: tuple[ObjectiveSpent, ...]
    cost: Cost
    effects: tuple[Effect, ...]
    told_apart: tuple[tuple[str, str], ...]
    experiments: tuple[Experiment, ...]
    kept: tuple[str, ...]
    links: tuple[Link, ...]


def view_surroundings(engine: Engine, lake: Lake, day: date) -> None:
    """Makes all readable that ``surroundings_of`` reads, as of a day."""
    view_incidents(engine, lake, day)
    for table in (INCIDENT_PHASES, SERVICE_DEPENDENCIES, SERVICES, SLOS, KEPT_CAPACITY, INCIDENT_LINKS, RIGHTSIZING_VERDICTS):
        engine.view(table, [day])
    engine.view(SLI_DAILY, days_up_to(day, LONGEST_WINDOW_DAYS))
    engine.view(CAPTURED_SERVICE_LEVELS, [each for each in lake.days(CAPTURED_SERVICE_LEVELS) if each <= day])


def mitigation_effects(engine: Engine) -> tuple[Effect, ...]:
    """How well each kind of action of the decision engine worked over all incidents; read once for many documents."""
    rows = engine.rows(statement("reports/mitigation_attempts"), {"minutes": SECONDARY_MINUTES})
    return effects(Attempt(**row) for row in rows)


def surroundings_of(
    engine: Engine,
    day: date,
    record: _Row,
    phases: Mapping[str, Moment],
    settings: IncidentSettings,
    known_effects: Sequence[Effect] | None = None,
) -> Surroundings:
    """What surrounds one incident. ``record`` is its row of ``incident_records``, ``phases`` its chosen moments; the engine shows
    what ``view_surroundings`` makes readable. ``known_effects`` spares reading them again."""
    incident_id, services = record["incident_id"], _services(record)
    windows = impact_windows(record, phases)
    acts = engine.rows(statement("reports/engine_acts_of"), {"incident_id": incident_id})
    kept = engine.rows(statement("reports/kept_capacity_of"), {"incident_id": incident_id})
    edges = [(row["service"], row["depends_on"], row["kind"]) for row in engine.rows(statement("reports/dependencies"))]
    facts = {row.pop("service"): ServiceFacts(**row) for row in engine.rows(statement("reports/service_values"))}
    objectives = tuple(_objectives(engine, day, services, windows))
    seen = {act["action_type"] for act in acts}
    found = mitigation_effects(engine) if known_effects is None else known_effects
    shown = tuple(each for each in found if each.action_type in seen)
    links = engine.rows(statement("reports/incident_links_of"), {"incident_id": incident_id})
    own = facts.get(record["service"] or "", ServiceFacts())
    blast = blast_radius(services, edges, facts)
    spent = [each.spent for each in objectives]
    known = cost_facts(engine, record, phases, windows, spent, acts, kept, own, len(blast.reaches))
    return Surroundings(
        incident_id=incident_id,
        blast=blast,
        objectives=objectives,
        cost=incident_cost(known, settings.cost),
        effects=shown,
        told_apart=told_apart(shown),
        experiments=experiments(_learned(engine, record, services, edges, acts)),
        kept=tuple(row["story"] for row in kept if row["came_back_at"] is None),
        links=tuple(Link(**row) for row in links),
    )


def impact_windows(record: _Row, phases: Mapping[str, Moment]) -> tuple[ImpactWindow, ...]:
    """The windows of the record; without any, the one from where the impact began, if that is known. An end that nobody knows is
    that of the incident; while it is open there is none."""
    stated = [
        (datetime.fromisoformat(start), end and datetime.fromisoformat(end))
        for start, end in json.loads(record["windows"] or "[]")
    ]
    if not stated and "impact_started" in phases:
        ended = phases.get("impact_ended")
        stated = [(phases["impact_started"].at, ended and ended.at)]
    return tuple(ImpactWindow(start, end or record["ended_at"]) for start, end in stated)


def _services(record: _Row) -> tuple[str, ...]:
    named = [record["service"], *json.loads(record["services"] or "[]")]
    return tuple(dict.fromkeys(each for each in named if each))


def _objectives(engine: Engine, day: date, services: Sequence[str], windows: Sequence[ImpactWindow]) -> Iterator[ObjectiveSpent]:
    for row in engine.rows(statement("reports/objectives_of"), {"day": day, "services": list(services)}):
        window_total = row.pop("window_total")
        objective = Objective(**row)
        measured = levels(_samples(engine, objective, windows)) if windows else None
        spent = budget_spent(measured, objective, windows, window_total)
        yield ObjectiveSpent(spent, replay(measured, objective, windows))


def _samples(
    engine: Engine, objective: Objective, windows: Sequence[ImpactWindow]
) -> list[tuple[datetime, float | None, float | None]]:
    ends = [each.ended_at for each in windows if each.ended_at is not None]
    parameters = {
        "service": objective.service,
        "name": objective.name,
        "starts_at": min(each.started_at for each in windows) - _LEVELS_BEFORE,
        "ends_at": max(ends) + _LEVELS_AFTER if len(ends) == len(windows) else None,
    }
    rows = engine.rows(statement("reports/service_levels_of"), parameters)
    return [(row["sampled_at"], row["good"], row["total"]) for row in rows]


def _learned(
    engine: Engine, record: _Row, services: Sequence[str], edges: Sequence[tuple[str, str, str | None]], acts: Sequence[_Row]
) -> Learned:
    rows = engine.rows(statement("reports/incident_signals"), {"incident_id": record["incident_id"]})
    signals = json.loads(rows[0]["signals"]) if rows else []
    return Learned(
        service=record["service"] or (services[0] if services else "the service"),
        dependencies=[(one, other) for one, other, kind in edges if one in services and (kind or "hard") == "hard"],
        refusals=[
            Refusal(act["target"], act["action_type"], act["outcome_reason"])
            for act in acts
            if act["outcome"] in ("failed", "skipped") and act["target"] and act["action_type"] and act["outcome_reason"]
        ],
        actions=[
            (act["target"], act["action_type"])
            for act in acts
            if act["outcome"] == "succeeded" and act["target"] and act["action_type"]
        ],
        signatures=[signal.partition(":")[2] for signal in signals if signal.startswith("error:")],
    )
