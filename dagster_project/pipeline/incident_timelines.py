"""Timelines of incidents out of what was captured: events by incident, candidates from measurements, phases, entries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.model import Moment
from dagster_project.domain.incidents.phases import CAUSED_BY, Choice, choose_phases
from dagster_project.domain.incidents.timeline import Entry, fuse
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.incident_tables import (
    CAPTURED_EVENTS,
    CAPTURED_SERVICE_LEVELS,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import RESOURCE_INVENTORY, SERVICE_DEPENDENCIES, SLOS, UTILIZATION_SAMPLES, Table
from dagster_project.pipeline.incidents import Known, imported_events, spans_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

_SLICE = 50_000
_PAGING_BURN_RATE = 14.4
"""Of the fastest multi-window alert: what burns slower pages later and says less about when it began."""
_EVENT_COLUMNS = {
    "incident_id": "VARCHAR",
    **{name: kind for name, kind in CAPTURED_EVENTS.columns.items() if name != "incident_id"},
    "is_tagged": "BOOLEAN",
}
_ORDER = ("incident_id", "occurred_at", "source", "source_event_id")


@dataclass(frozen=True)
class Timeline:
    """One incident with what was made of it."""

    known: Known
    choices: tuple[Choice, ...]
    entries: tuple[Entry, ...]

    @property
    def phases(self) -> dict[str, Moment]:
        """The chosen moments."""
        return {choice.phase: choice.chosen for choice in self.choices if choice.chosen is not None}


def spans_on(runtime: Runtime, known: Sequence[Known], day: date) -> pl.DataFrame:
    return spans_of(known, end_of(day), runtime.settings.incidents.lead_minutes)


def end_of(day: date) -> datetime:
    """The first moment after a day."""
    return datetime.combine(day + timedelta(days=1), time())


def timelines(runtime: Runtime, work: Mapping[str, Known], day: date) -> Iterator[Timeline]:
    """The timeline of each incident of ``work``, by id, from what was captured up to ``day``; a few are held at a time."""
    lake = runtime.lake
    ordered = dict(sorted(work.items()))
    if not ordered:
        return
    with open_engine(lake) as engine, lake.scratch() as scratch:
        for table in (CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS):
            engine.view(table, [each for each in lake.days(table) if each <= day])
        for table in (SERVICE_DEPENDENCIES, SLOS, RESOURCE_INVENTORY):
            engine.view(table, [day])
        spans = spans_on(runtime, list(ordered.values()), day)
        engine.view_frame("incident_work", spans)
        engine.view(UTILIZATION_SAMPLES, _days_of(lake, UTILIZATION_SAMPLES, spans, day))
        measured = _measured(runtime, engine)
        assigned = scratch / "events.parquet"
        engine.write_file(assigned, _EVENT_COLUMNS, _ORDER, statement("reports/incident_events"))
        captured = _grouped(assigned)
        ready = next(captured, None)
        for name, known in ordered.items():
            mine: list[Event] = []
            if ready is not None and ready[0] == name:
                mine = ready[1]
                ready = next(captured, None)
            yield _timeline(runtime, known, mine, measured.get(name, []), day)


def _days_of(lake: Lake, table: Table, spans: pl.DataFrame, day: date) -> list[date]:
    """Days of a table that any of the spans touches."""
    wanted: set[date] = set()
    for started, ended in spans.select("from_at", "to_at").iter_rows():
        count = min((ended.date() - started.date()).days, 14)
        wanted |= {started.date() + timedelta(days=each) for each in range(count + 1)}
    return [each for each in lake.days(table) if each in wanted and each <= day]


def _timeline(
    runtime: Runtime, known: Known, captured: Sequence[Event], measured: Sequence[tuple[str, Moment]], day: date
) -> Timeline:
    events = sorted((*captured, *imported_events(known)), key=lambda event: event.occurred_at)
    choices = choose_phases(known.incident, known.picks, events, measured)
    chosen = {choice.phase: choice.chosen for choice in choices if choice.chosen is not None and choice.phase != CAUSED_BY}
    ends_at = end_of(day) if known.incident.is_open else None
    entries = fuse(events, chosen, silence_minutes=runtime.settings.incidents.silence_minutes, ends_at=ends_at)
    return Timeline(known, choices, entries)


def _measured(runtime: Runtime, engine: Engine) -> dict[str, list[tuple[str, Moment]]]:
    """Candidates that service levels and utilization give: incident → (phase, moment)."""
    parameters = {
        "burn_rate": _PAGING_BURN_RATE,
        "saturated_cpu_pct": runtime.settings.rightsizing.saturated_cpu_pct,
    }
    found: dict[str, list[tuple[str, Moment]]] = {}
    for row in engine.rows(statement("reports/incident_breaches"), parameters):
        found.setdefault(row["incident_id"], []).append(_candidate(row))
    return found


def _candidate(row: Mapping[str, Any]) -> tuple[str, Moment]:
    minutes = row["step_seconds"] / 60
    precision = "minute" if minutes <= 5 else "hour"
    # What is counted by the hour cannot say when in the hour it began.
    confidence = 0.8 if minutes <= 5 else 0.7 if minutes <= 15 else 0.45
    evidence = (row["said"],)
    if row["kind"] == "saturated":
        reason = f"{row['said']} was saturated from then on."
        return "impact_started", Moment(row["began_at"], "minute", "utilization", "saturated", 0.5, evidence, reason=reason)
    started = row["kind"] == "level_started"
    verb = "began to burn" if started else "no longer burned"
    reason = f"{row['said']} {verb} its error budget at a rate that pages (measured every {minutes:g} min)."
    method = "burn_started" if started else "burn_ended"
    phase = "impact_started" if started else "impact_ended"
    return phase, Moment(row["began_at"], precision, "sli_events", method, confidence, evidence, reason=reason)


def _grouped(file: Path) -> Iterator[tuple[str, list[Event]]]:
    """Events by incident, read a slice at a time."""
    for name, rows in groupby(_rows(file), key=lambda row: row["incident_id"]):
        yield name, [event_of(row) for row in rows]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    total = pl.scan_parquet(file).select(pl.len()).collect().item()
    for offset in range(0, total, _SLICE):
        yield from pl.scan_parquet(file).slice(offset, _SLICE).collect().iter_rows(named=True)


def event_of(row: Mapping[str, Any]) -> Event:
    """An event out of a row of ``captured_events`` that was assigned to an incident."""
    return Event(
        row["source"],
        row["source_event_id"],
        row["occurred_at"],
        row["lane"],
        row["kind"],
        row["text"],
        row["version"],
        row["recorded_at"],
        row["precision"],
        row["zone"],
        row["service"],
        row["target"],
        row["actor"],
        row["url"],
        row["incident_id"] if row["is_tagged"] else None,
        row["is_deleted"],
        json.loads(row["payload"]) if row["payload"] else {},
    )
