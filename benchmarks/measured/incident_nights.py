"""Nights of incidents: a history of them with a hundred events each, the first night, an ordinary one, and one document."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measured.after_ingest_nightshift import _timed
from benchmarks.measured.history import runtime_of
from dagster_project.lake.frames import schema, write_frame, write_stream
from dagster_project.lake.incident_tables import CAPTURED_EVENTS
from dagster_project.lake.tables import INCIDENTS, TABLES
from dagster_project.pipeline.incident_metrics import measure_incidents, summarize_incidents
from dagster_project.pipeline.incident_records import build_incidents, mitigated_by_engine
from dagster_project.pipeline.incidents import known_incidents
from dagster_project.pipeline.kept_capacity import find_kept_capacity, link_incidents
from dagster_project.pipeline.postmortems import documents, due_incidents, write_postmortems
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.similar_incidents import find_similar

_DAY = date(2025, 3, 9)
_FIRST = datetime(2022, 4, 1)
_NEW = 30
_SERVICES = 200
_EMPTY = (
    "captured_service_levels", "service_dependencies", "slos", "services", "resource_inventory", "decision_audit",
    "incident_action_items", "policies", "protected_windows", "proposal_outcomes", "sli_daily", "rightsizing_verdicts",
)  # fmt: skip
_KINDS = (
    ("people", "message", "slack"), ("engine", "decision", "decision_audit"), ("alarms", "alarm", "cloudwatch_alarms"),
    ("people", "message", "slack"), ("changes", "deployment", "change_events"),
    ("scaling", "scaling_activity", "scaling_activities"),
)  # fmt: skip
_WORDS = (
    "retry", "pool", "timeout", "latency", "queue", "replica", "certificate", "deploy", "node", "memory", "disk", "dns", "cache",
)  # fmt: skip


def build(home: str, incidents: int, events: int) -> int:
    """Writes two nights' inputs: all incidents with ``events`` each, and on the next day 30 more. Returns the events."""
    runtime = runtime_of(home, _DAY)
    rng = np.random.default_rng(20250303)
    minutes = int((datetime(2025, 3, 8) - _FIRST) / timedelta(minutes=1))
    every = [_incident(rng, number, _FIRST + timedelta(minutes=number * minutes // incidents)) for number in range(incidents)]
    fresh = [_incident(rng, incidents + number, datetime(2025, 3, 9, 1 + number // 2)) for number in range(_NEW)]
    _write(runtime, _DAY, every, every, events, rng)
    _write(runtime, _DAY + timedelta(days=1), [*every, *fresh], fresh, events, rng)
    return (incidents + _NEW) * events


def first_night(home: str) -> dict[str, float]:
    """Everything is new; returns the seconds of each step."""
    return _night(home, _DAY)


def next_night(home: str) -> dict[str, float]:
    """Thirty incidents are new. What an earlier measurement left of the night is removed first."""
    runtime = runtime_of(home, _DAY + timedelta(days=1))
    for name in ("incident_records", "incident_phases", "incident_timeline", "postmortems", "similar_incidents"):
        shutil.rmtree(runtime.lake.path(TABLES[name], _DAY + timedelta(days=1)).parent, ignore_errors=True)
    return _night(home, _DAY + timedelta(days=1))


def one_document(home: str, incident_id: str) -> int:
    """One document as it is written again after a correction; returns its characters."""
    runtime = runtime_of(home, _DAY)
    known = known_incidents(runtime, _DAY, [incident_id])
    (made,) = documents(runtime, {incident_id: known[incident_id]}, _DAY, {})
    return len(made.markdown) + len(made.html)


def _night(home: str, day: date) -> dict[str, float]:
    runtime = runtime_of(home, day)
    steps = {
        "records, phases, timelines": lambda: build_incidents(runtime, day),
        "metrics": lambda: measure_incidents(runtime, day),
        "summaries": lambda: summarize_incidents(runtime, day, mitigated_by_engine(runtime, day)),
        "capacity, links": lambda: (find_kept_capacity(runtime, day), link_incidents(runtime, day)),
        "similar incidents": lambda: find_similar(runtime, day, due_incidents(runtime, day)),
        "documents": lambda: write_postmortems(runtime, day),
    }
    return _timed(steps)


def _incident(rng: np.random.Generator, number: int, at: datetime) -> dict[str, Any]:
    lasted = int(rng.lognormal(4, 1)) + 5
    service = f"service-{number % _SERVICES:03d}"
    times = dict(
        zip(
            ("impact_started_at", "detected_at", "declared_at", "mitigated_at", "impact_ended_at", "resolved_at"),
            (at + timedelta(minutes=offset) for offset in (0, 3, 6, lasted - 2, lasted, lasted + 5)),
            strict=True,
        )
    )
    words = " ".join(rng.choice(_WORDS, 6))
    return {
        "incident_id": f"INC-{number:05d}", "title": f"Trouble with {service}", "severity": f"SEV-{1 + number % 4}",
        "kind": "normal", "service": service, "status": "resolved", "summary": f"{service}: {words}.", **times,
    }  # fmt: skip


def _write(
    runtime: Runtime, day: date, every: list[dict[str, Any]], fresh: list[dict[str, Any]], events: int, rng: np.random.Generator
) -> None:
    for name in _EMPTY:
        write_frame(runtime.lake, TABLES[name], day, pl.DataFrame(schema=schema(TABLES[name])))
    write_frame(runtime.lake, INCIDENTS, day, pl.DataFrame(every, schema=schema(INCIDENTS)))
    rows = [row for incident in fresh for row in _events(rng, incident, events)]
    frame = pl.DataFrame(rows, schema=schema(CAPTURED_EVENTS), orient="row").sort(CAPTURED_EVENTS.grain)
    write_stream(runtime.lake, CAPTURED_EVENTS, day, lambda: iter([frame]))


def _events(rng: np.random.Generator, incident: dict[str, Any], count: int) -> Iterator[tuple[Any, ...]]:
    started, ended = incident["impact_started_at"], incident["resolved_at"]
    seconds = rng.integers(-600, int((ended - started).total_seconds()) + 600, count)
    for number, offset in enumerate(sorted(seconds.tolist())):
        lane, kind, source = _KINDS[number % len(_KINDS)]
        payload: dict[str, Any] = {}
        if lane == "engine":
            payload = {"action_type": "scale_up", "outcome": "succeeded" if number % 2 else "skipped", "outcome_reason": None}
        elif lane == "alarms":
            payload = {"alarm_name": f"alarm-{number % 7}"}
        at = started + timedelta(seconds=offset)
        named = incident["incident_id"] if lane in ("engine", "people") else None
        text = f"{kind} about {' '.join(rng.choice(_WORDS, 3))}"
        yield (
            source, f"{incident['incident_id']}/{number}", 1, at, at, "second", "UTC", lane, kind, incident["service"],
            incident["service"], "Ada Lovelace" if lane == "people" else None, text, None, named, False, json.dumps(payload),
        )  # fmt: skip
