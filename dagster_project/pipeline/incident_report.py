"""The report's section about incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from dagster_project.domain.file_names import file_name
from dagster_project.domain.incidents.completeness import expiring
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.incident_tables import (
    INCIDENT_METRICS,
    INCIDENT_RECORDS,
    INCIDENT_SUMMARIES,
    KEPT_CAPACITY,
    POSTMORTEMS,
)
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.incident_metrics import corrections_since
from dagster_project.pipeline.incident_records import end_of, previous_day
from dagster_project.pipeline.postmortem_view import definition
from dagster_project.pipeline.postmortems import FOLDER
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.incident_views import Durations, IncidentLine, Incidents, MetricSummary
from dagster_project.reporting.words import counted, duration
from dagster_project.statements import statement

_RECENT_DAYS = 7
_SHOWN = 20
_SHOWN_SENTENCES = 20
_DRAWN = ["ttd", "ttm", "ttrst"]
"""Metrics whose distribution is drawn: until it was detected, mitigated, and over for customers."""


def incidents_in_report(runtime: Runtime, day: date) -> Incidents:
    """The section of the day's report; empty where its night knew of no incident."""
    lake = runtime.lake
    if not lake.has(INCIDENT_RECORDS, day):
        return Incidents()
    rules = runtime.settings.incidents
    with open_engine(lake) as engine:
        for table in (INCIDENT_RECORDS, INCIDENT_METRICS, INCIDENT_SUMMARIES, KEPT_CAPACITY, POSTMORTEMS):
            engine.view(table, [day])
        records = engine.rows(statement("reports/incident_list"))
        commanders = sorted({row["commander"] for row in records if row["commander"]})
        shown = _shown(records, day)
        redactor = Redactor((*rules.names, *commanders), rules.name_salt).with_people_of(row["title"] for row in shown)
        return Incidents(
            _sentence(records),
            tuple(_line(row, day, redactor) for row in shown),
            rules.period_days,
            tuple(_metric(row) for row in engine.rows(statement("reports/latest_summaries"))),
            tuple(_durations(row) for row in engine.rows(statement("reports/incident_durations"), {"metrics": _DRAWN})),
            tuple(redactor.text(each) for each in _moved(runtime, day)),
            tuple(_warnings(runtime, records, day)),
            tuple(redactor.text(row["story"]) for row in _kept(engine)),
        )


def _sentence(records: Sequence[Mapping[str, Any]]) -> str:
    if not records:
        return "No incident is known."
    is_open = sum(row["is_open"] and row["origin"] != "decision_audit" for row in records)
    undeclared = sum(row["origin"] == "decision_audit" for row in records)
    left_out = sum(not row["counts_in_metrics"] for row in records) - undeclared
    parts = [f"{counted(len(records) - undeclared, 'incident').capitalize()} on record, {is_open:,} open"]
    parts += [f"{left_out:,} left out of metrics (drills, tests, maintenance)"] if left_out else []
    text = "; ".join(parts) + "."
    if undeclared:
        text += f" {counted(undeclared, 'cluster').capitalize()} of emergency decisions that nobody declared as an incident."
    return text


def _shown(records: Sequence[Mapping[str, Any]], day: date) -> list[Mapping[str, Any]]:
    """What is open, undeclared, recent, or has a new document; the newest first."""
    recent = end_of(day) - timedelta(days=_RECENT_DAYS)
    found = [
        row
        for row in records
        if row["started_at"] is not None
        and (row["is_open"] or row["written_on"] == day or (row["ended_at"] or row["started_at"]) >= recent)
    ]
    return found[:_SHOWN]


def _line(row: Mapping[str, Any], day: date, redactor: Redactor) -> IncidentLine:
    is_undeclared = row["origin"] == "decision_audit"
    started, ended = row["started_at"], row["ended_at"]
    notes = [f"not counted: {row['not_counted_because']}"] if row["not_counted_because"] and not is_undeclared else []
    notes += [f"{row['completeness_pct']:.0f} % of its evidence kept"] if row["completeness_pct"] is not None else []
    notes += [f"{counted(row['sections_edited'], 'section')} edited by people"] if row["sections_edited"] else []
    notes += [row["problem"].rstrip(".")] if row["problem"] else []
    return IncidentLine(
        row["incident_id"],
        redactor.text(row["title"]),
        row["severity"],
        row["service"],
        f"{started:%Y-%m-%d %H:%M}",
        "goes on" if row["is_open"] or ended is None else duration((ended - started).total_seconds() / 60),
        "undeclared" if is_undeclared else "open" if row["is_open"] else "ended",
        document_of(row, day),
        ", ".join(notes),
    )


def document_of(row: Mapping[str, Any], day: date) -> str | None:
    """Where the newest document of an incident lies, relative to the folder of the day; None where it has none."""
    if row["written_on"] is None:
        return None
    page = f"{FOLDER}/{file_name(row['incident_id'])}.html"
    return page if row["written_on"] == day else f"../{row['written_on']}/{page}"


def _metric(row: Mapping[str, Any]) -> MetricSummary:
    low, high = row["median_low_minutes"], row["median_high_minutes"]
    return MetricSummary(
        row["name"],
        definition(row),
        row["incidents"],
        row["measured"],
        duration(row["median_minutes"]),
        "unknown" if low is None else f"{duration(low)} to {duration(high) if high is not None else 'unknown'}",
        duration(row["p90_minutes"]),
        row["sentence"],
    )


def _durations(row: Mapping[str, Any]) -> Durations:
    minutes = tuple(row["minutes"])
    return Durations(row["name"], minutes, row["median_minutes"], row["median_low_minutes"], row["median_high_minutes"])


def _moved(runtime: Runtime, day: date) -> list[str]:
    before = previous_day(runtime.lake, INCIDENT_METRICS, day)
    if before is None:
        return []
    found = [sentence for each in corrections_since(runtime, before, day) for sentence in each.sentences]
    if len(found) <= _SHOWN_SENTENCES:
        return found
    return [
        *found[:_SHOWN_SENTENCES],
        f"{len(found) - _SHOWN_SENTENCES:,} more; the tables incident_phases and incident_metrics have them.",
    ]


def _warnings(runtime: Runtime, records: Sequence[Mapping[str, Any]], day: date) -> list[str]:
    """Sources that are absent or failed, and evidence that is lost soon."""
    stretches = captured_stretches(runtime.lake, day)
    end: datetime = end_of(day)
    recent = end - timedelta(days=runtime.settings.incidents.document_days)
    spans = [
        (row["incident_id"], row["started_at"], row["ended_at"] or end)
        for row in records
        if row["started_at"] is not None and row["started_at"] >= recent
    ]
    incomplete = [each for each in stretches if each.status != "complete" and each.reason]
    absent = [f"{each.source.replace('_', ' ')}: {each.reason}" for each in incomplete]
    return [*absent, *(each.sentence for each in expiring(spans, stretches, end))][:_SHOWN_SENTENCES]


def _kept(engine: Engine) -> list[dict[str, Any]]:
    return engine.rows(statement("reports/capacity_still_there"))
