"""All that one document is made of, read from the lake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dagster_project.domain.incidents.anomalies import Anomaly
from dagster_project.domain.incidents.completeness import Completeness, Stretch
from dagster_project.domain.incidents.mitigation import Effect
from dagster_project.domain.incidents.model import Moment
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.engine import Engine
from dagster_project.lake.incident_tables import INCIDENT_METRICS, INCIDENT_PHASES, INCIDENT_TIMELINE, POLICIES, SIMILAR_INCIDENTS
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.incident_records import evidence_of
from dagster_project.pipeline.incident_surroundings import Surroundings, surroundings_of, view_surroundings
from dagster_project.pipeline.incident_timelines import end_of
from dagster_project.pipeline.incidents import Known
from dagster_project.settings import Settings
from dagster_project.statements import statement

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Material:
    """One incident with rows of every table that tell of it; nothing is redacted yet. ``policies``: id and version → definition,
    a JSON text."""

    day: date
    known: Known
    record: Row
    phases: Sequence[Row]
    entries: Sequence[Row]
    metrics: Sequence[Row]
    similar: Sequence[Row]
    actions: Sequence[Row]
    similar_actions: Mapping[str, Sequence[Row]]
    policies: Mapping[tuple[str, int], str]
    surroundings: Surroundings
    evidence: Completeness | None
    anomalies: Sequence[Anomaly]

    @property
    def moments(self) -> dict[str, datetime]:
        """The chosen moments by phase."""
        return {row["phase"]: row["began_at"] for row in self.phases if row["is_chosen"]}


def view_material(engine: Engine, lake: Lake, day: date) -> None:
    """Makes all readable that ``material_of`` reads."""
    view_surroundings(engine, lake, day)
    for table in (INCIDENT_PHASES, INCIDENT_METRICS, ACTION_ITEMS, POLICIES):
        engine.view(table, [day])
    engine.view(SIMILAR_INCIDENTS, [each for each in lake.days(SIMILAR_INCIDENTS) if each <= day])


def hold_material(engine: Engine, incident_ids: Iterable[str]) -> None:
    """Keeps what ``material_of`` reads of some incidents in memory; those of others are then not readable any more."""
    ids = list(incident_ids)
    for table in (INCIDENT_TIMELINE, INCIDENT_PHASES, INCIDENT_METRICS, SIMILAR_INCIDENTS):
        engine.hold(table, "incident_id", ids)


def material_of(
    engine: Engine,
    day: date,
    known: Known,
    settings: Settings,
    stretches: Sequence[Stretch],
    effects: Sequence[Effect] | None = None,
) -> Material | None:
    """The material of one incident; None where the day has no record of it."""
    named = {"incident_id": known.incident.incident_id}
    records = engine.rows(statement("reports/one_incident"), named)
    if not records:
        return None
    record = records[0]
    phases = engine.rows(statement("reports/phases_of"), named)
    similar = engine.rows(statement("reports/similar_of"), named)
    items = engine.rows(statement("reports/action_items_of"), {"incident_ids": [named["incident_id"], *_ids(similar)]})
    return Material(
        day,
        known,
        record,
        phases,
        engine.rows(statement("reports/entries_of"), named),
        engine.rows(statement("reports/metrics_of"), named),
        similar,
        _items_of(items, named["incident_id"]),
        {name: _items_of(items, name) for name in _ids(similar)},
        {(row["policy_id"], row["version"]): row["definition"] for row in engine.rows(statement("reports/policy_versions"))},
        surroundings_of(engine, day, record, _moments(phases), settings.incidents, effects),
        evidence_of(known, day, stretches),
        known.anomalies(end_of(day)),
    )


def _ids(similar: Sequence[Row]) -> list[str]:
    return [row["similar_id"] for row in similar]


def _items_of(items: Sequence[Row], incident_id: str) -> list[Row]:
    return [row for row in items if row["incident_id"] == incident_id]


def _moments(phases: Sequence[Row]) -> dict[str, Moment]:
    return {
        row["phase"]: Moment(
            row["began_at"],
            row["precision"],
            row["source"],
            row["method"],
            row["confidence"],
            tuple(json.loads(row["evidence"])),
            row["zone"],
            row["reason"] or "",
        )
        for row in phases
        if row["is_chosen"]
    }
