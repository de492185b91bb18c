"""The metrics of incidents, and what they say by severity, service and period."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from dagster_project.domain.incidents.corrections import Correction, Night, moved
from dagster_project.domain.incidents.summaries import Cell, summarize
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_METRICS, INCIDENT_PHASES, INCIDENT_RECORDS, INCIDENT_SUMMARIES
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_incidents import SupportHours
from dagster_project.statements import statement


def measure_incidents(runtime: Runtime, day: date) -> int:
    """Writes ``incident_metrics`` of the day; returns its rows: each incident has each metric by each clock."""
    lake = runtime.lake
    for table in (INCIDENT_RECORDS, INCIDENT_PHASES):
        lake.require(table, day)
    query = statement("marts/incident_metrics")
    parameters = {
        "day_end": datetime.combine(day + timedelta(days=1), time()),
        "sql_hash": metrics_hash(),
        **_support(runtime.settings.incidents.support_hours),
    }
    with open_engine(lake) as engine:
        for table in (INCIDENT_RECORDS, INCIDENT_PHASES):
            engine.view(table, [day])
        return engine.write(INCIDENT_METRICS, day, query, parameters)


def metrics_hash() -> str:
    """SHA-256 of the definitions' and the mart's text: two values with the same hash were computed in the same way."""
    texts = (statement(name).text for name in ("views/metric_definitions", "marts/incident_metrics"))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _support(hours: SupportHours) -> dict[str, Any]:
    week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {
        "zone": hours.zone,
        "weekdays": [week.index(day) + 1 for day in hours.days],
        "opens_second": _second(hours.starts),
        "closes_second": _second(hours.ends),
    }


def _second(at: time) -> int:
    return (at.hour * 60 + at.minute) * 60 + at.second


def summarize_incidents(runtime: Runtime, day: date, engine_only: Mapping[str, bool | None] | None = None) -> int:
    """Writes ``incident_summaries`` of the day; returns its rows.

    ``engine_only``: incident id → whether the decision engine mitigated it without people, None where that is unknown,
    as it is for those that are not in it.
    """
    lake = runtime.lake
    for table in (INCIDENT_RECORDS, INCIDENT_METRICS):
        lake.require(table, day)
    told = (engine_only or {}).items()
    parameters = {
        "day": day,
        "period_days": runtime.settings.incidents.period_days,
        "engine_only": sorted(incident_id for incident_id, is_alone in told if is_alone),
        "people_too": sorted(incident_id for incident_id, is_alone in told if is_alone is False),
    }
    with open_engine(lake) as engine:
        for table in (INCIDENT_RECORDS, INCIDENT_METRICS):
            engine.view(table, [day])
        rows = engine.rows(statement("reports/incident_groups"), parameters)
    summaries = [asdict(summary) for summary in summarize(Cell(**row) for row in rows)]
    return write_frame(lake, INCIDENT_SUMMARIES, day, pl.DataFrame(summaries, schema=schema(INCIDENT_SUMMARIES)))


def corrections_since(runtime: Runtime, before: date, day: date) -> tuple[Correction, ...]:
    """What was corrected in the times of incidents between two nights, and what that moved. Both must have been measured."""
    for table in (INCIDENT_RECORDS, INCIDENT_PHASES, INCIDENT_METRICS):
        for night in (before, day):
            runtime.lake.require(table, night)
    with open_engine(runtime.lake) as engine:
        engine.view(INCIDENT_PHASES, [before, day])
        times = engine.rows(statement("reports/chosen_times"))
        changed = sorted({row["incident_id"] for row in times})
        nights = []
        for night in (before, day):
            for table in (INCIDENT_RECORDS, INCIDENT_METRICS):
                engine.view(table, [night])
            parameters = {"day": night, "period_days": runtime.settings.incidents.period_days, "incident_ids": changed}
            metrics = engine.rows(statement("reports/period_metrics"), parameters)
            nights.append(Night([row for row in times if row["day"] == night], metrics))
    return moved(*nights)
