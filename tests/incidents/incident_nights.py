"""Nights of incidents without Dagster: a lake that a test fills, and the steps from records to documents."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from dagster_project.domain.incidents.events import Event
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import CAPTURED_EVENTS
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.action_items import keep_action_items
from dagster_project.pipeline.incident_metrics import measure_incidents, summarize_incidents
from dagster_project.pipeline.incident_records import Worked, build_incidents
from dagster_project.pipeline.kept_capacity import find_kept_capacity, link_incidents
from dagster_project.pipeline.postmortems import due_incidents, write_postmortems
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.similar_incidents import find_similar
from tests.incidents.capture.night import DAY, Row, on, put

START = datetime(2025, 3, 3, 8, 14)
EMPTY = (
    "captured_events", "captured_service_levels", "service_dependencies", "slos", "services", "resource_inventory",
    "decision_audit", "incidents", "incident_action_items", "policies", "protected_windows", "proposal_outcomes", "sli_daily",
    "rightsizing_verdicts",
)  # fmt: skip
"""Tables that a night reads, each with a partition."""


def record(incident_id: str = "INC-1", **more: Any) -> Row:
    """A row of the snapshot of incidents: an hour on 3 March."""
    usual = {
        "title": "Payments fail", "severity": "SEV-1", "service": "payment-api", "status": "resolved", "kind": "normal",
        "impact_started_at": START, "detected_at": START + timedelta(minutes=3), "declared_at": START + timedelta(minutes=10),
        "mitigated_at": START + timedelta(minutes=50), "impact_ended_at": START + timedelta(minutes=60),
        "resolved_at": START + timedelta(minutes=70), "summary": "The pool was full.",
    }  # fmt: skip
    return {"incident_id": incident_id, **usual, **more}


def fill_day(runtime: Runtime, day: date = DAY, **rows: list[Row]) -> None:
    """The day's partitions: ``rows`` by table, the others empty."""
    for name in EMPTY:
        if name != "captured_events" or not runtime.lake.has(CAPTURED_EVENTS, day):
            put(runtime, name, *rows.get(name, []), day=day)


def capture(runtime: Runtime, *events: Event, day: date = DAY) -> None:
    """What a night captured."""
    names = [name for name in schema(CAPTURED_EVENTS) if name != "payload"]
    rows = [{**{name: getattr(event, name) for name in names}, "payload": json.dumps(dict(event.payload))} for event in events]
    write_frame(runtime.lake, CAPTURED_EVENTS, day, pl.DataFrame(rows, schema=schema(CAPTURED_EVENTS)))


def night(runtime: Runtime, day: date = DAY) -> Worked:
    """All steps of a day, when it is the newest."""
    now = on(runtime, day)
    keep_action_items(now, day)
    worked = build_incidents(now, day)
    measure_incidents(now, day)
    summarize_incidents(now, day)
    find_kept_capacity(now, day)
    link_incidents(now, day)
    find_similar(now, day, due_incidents(now, day))
    write_postmortems(now, day)
    return worked


def rows_of(runtime: Runtime, table: str, day: date = DAY) -> list[Row]:
    """The rows of a partition."""
    return pl.read_parquet(runtime.lake.path(TABLES[table], day), hive_partitioning=False).to_dicts()


def document(runtime: Runtime, incident_id: str = "INC-1", day: date = DAY, kind: str = "md") -> str:
    """A document of a day's report folder."""
    return (runtime.settings.reports / str(day) / "postmortems" / f"{incident_id}.{kind}").read_text(encoding="utf-8")
