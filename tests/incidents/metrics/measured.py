"""Incidents as a night finds them in the lake, measured and summarized without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_METRICS, INCIDENT_PHASES, INCIDENT_RECORDS, INCIDENT_SUMMARIES
from dagster_project.lake.table import Table
from dagster_project.pipeline.incident_metrics import measure_incidents, summarize_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_incidents import IncidentSettings

DAY = date(2025, 3, 9)
Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """An incident: phase → its time, alone or with its precision; windows as pairs of times; ``record`` changes the rest."""

    phases: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    windows: tuple[tuple[str, str | None], ...] = ()
    incident_id: str = "INC-1"
    evidence: Mapping[str, list[str]] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    suspected: frozenset[str] = frozenset()

    def row(self) -> Row:
        times = [time for time, _ in map(_pair, self.phases.values())] + [start for start, _ in self.windows]
        usual = {"is_open": False, "counts_in_metrics": True, "severity": "sev1", "service": "payment"}
        started = {"started_at": min(map(moment, times), default=None), "windows": json.dumps(self.windows)}
        return {"incident_id": self.incident_id, **usual, **started, **self.record}

    def phase_rows(self) -> list[Row]:
        return [self._phase(phase, *_pair(value)) for phase, value in self.phases.items()]

    def _phase(self, phase: str, time: str, precision: str) -> Row:
        return {
            "incident_id": self.incident_id,
            "phase": phase,
            "rank": 1,
            "began_at": moment(time),
            "precision": precision,
            "source": "incidents",
            "method": "stated",
            "reason": "The incident's record says so.",
            "evidence": json.dumps(self.evidence.get(phase, [])),
            "is_chosen": phase not in self.suspected,
        }


def _pair(value: str | tuple[str, str]) -> tuple[str, str]:
    return (value, "minute") if isinstance(value, str) else value


def moment(text: str) -> datetime:
    """``03-03 08:14`` is of 2025; longer texts are as they stand."""
    return datetime.fromisoformat(text if len(text) > 11 else f"2025-{text}")


def night(home: Path, incidents: Iterable[Told], rules: IncidentSettings | None = None, day: date = DAY) -> Runtime:
    """A home whose lake holds the incidents of a day, measured."""
    runtime = Runtime(Settings(home=home, incidents=rules or IncidentSettings()), now=datetime(2025, 3, 10, 2, tzinfo=UTC))
    told = [
        Told(each.phases, _dated(each.windows), each.incident_id, each.evidence, each.record, each.suspected)
        for each in incidents
    ]
    write_frame(runtime.lake, INCIDENT_RECORDS, day, frame(INCIDENT_RECORDS, [each.row() for each in told]))
    write_frame(runtime.lake, INCIDENT_PHASES, day, frame(INCIDENT_PHASES, [row for each in told for row in each.phase_rows()]))
    measure_incidents(runtime, day)
    return runtime


def _dated(windows: tuple[tuple[str, str | None], ...]) -> tuple[tuple[str, str | None], ...]:
    return tuple((str(moment(start)), str(moment(end)) if end else None) for start, end in windows)


def frame(table: Table, rows: list[Row]) -> pl.DataFrame:
    """Rows with the table's columns; those that are not named are null."""
    columns = schema(table)
    assert {name for row in rows for name in row} <= set(columns)
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in rows], kind, strict=False) for name, kind in columns.items()])


def metric(runtime: Runtime, metric_id: str, clock: str = "wall", incident_id: str = "INC-1", day: date = DAY) -> Row:
    """One value of the night."""
    rows = pl.read_parquet(runtime.lake.path(INCIDENT_METRICS, day)).filter(
        incident_id=incident_id, metric_id=metric_id, clock=clock
    )
    return rows.row(0, named=True)


def measured(home: Path, told: Told, metric_id: str, clock: str = "wall", rules: IncidentSettings | None = None) -> Row:
    """One value of a night with this incident alone."""
    return metric(night(home, [told], rules), metric_id, clock, told.incident_id)


def summaries(runtime: Runtime, engine_only: Mapping[str, bool] | None = None, day: date = DAY) -> list[Row]:
    """The night's summaries."""
    summarize_incidents(runtime, day, engine_only)
    return pl.read_parquet(runtime.lake.path(INCIDENT_SUMMARIES, day)).to_dicts()


def summary(
    rows: Iterable[Row], metric_id: str, period: str = "latest", severity: str = "*", service: str = "*", clock: str = "wall"
) -> Row:
    """The one of them that is asked for."""
    key = (period, severity, service, metric_id, clock)
    (found,) = [row for row in rows if tuple(row[name] for name in INCIDENT_SUMMARIES.grain) == key]
    return found
