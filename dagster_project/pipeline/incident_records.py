"""Records, phases and timelines of incidents. Only those are worked on of which something is new; others stay as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from dagster_project.domain.incidents.completeness import Completeness, Stretch, completeness
from dagster_project.domain.incidents.model import not_counted_because
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame, write_stream
from dagster_project.lake.incident_tables import (
    CAPTURED_EVENTS,
    INCIDENT_PHASES,
    INCIDENT_RECORDS,
    INCIDENT_TIMELINE,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import SERVICE_DEPENDENCIES, SLOS, Table
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.incident_timelines import Timeline, end_of, spans_on, timelines
from dagster_project.pipeline.incidents import Known, known_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

_BATCH = 50_000
_LATE_DAYS = 3
"""For so long after an incident its evidence is read again: what is written late counts too."""


@dataclass(frozen=True)
class Worked:
    """What a night did: records and phases in all, incidents that were worked on, and their timeline's entries."""

    records: int
    worked_on: int
    phases: int
    entries: int


def build_incidents(runtime: Runtime, day: date) -> Worked:
    """Writes ``incident_records``, ``incident_phases`` and ``incident_timeline`` of the day."""
    lake = runtime.lake
    for table in (CAPTURED_EVENTS, SERVICE_DEPENDENCIES, SLOS):
        lake.require(table, day)
    known = known_incidents(runtime, day)
    before = previous_day(lake, INCIDENT_RECORDS, day)
    earlier = _records_of(lake, before)
    work = _work(runtime, known, earlier, day, before)
    phases: list[pl.DataFrame] = []
    runtime.progress.update("Timelines", 0, len(work))

    def frames() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(_batches(timelines(runtime, work, day)), start=1):
            phases.append(_phase_frame(batch))
            runtime.progress.update("Timelines", min(number * _BATCH, len(work)), len(work))
            yield _timeline_frame(batch)

    entries = write_stream(lake, INCIDENT_TIMELINE, day, frames)
    written = _write_phases(lake, day, before, phases, work, known)
    stretches = captured_stretches(lake, day)
    rows = [_record(each, earlier.get(name), day, stretches, is_new=name in work) for name, each in known.items()]
    write_frame(lake, INCIDENT_RECORDS, day, pl.DataFrame(rows, schema=schema(INCIDENT_RECORDS)))
    return Worked(len(known), len(work), written, entries)


def windows_to_capture(runtime: Runtime, day: date) -> list[tuple[datetime, datetime]]:
    """The times of imported and undeclared incidents that are new since the last night, or of today: the snapshot of the decision
    engine's incidents does not tell of them."""
    earlier = _records_of(runtime.lake, previous_day(runtime.lake, INCIDENT_RECORDS, day))
    recent = end_of(day) - timedelta(days=_LATE_DAYS)
    return [
        bounds
        for name, each in known_incidents(runtime, day).items()
        if each.incident.origin != "incidents" and (bounds := each.bounds(end_of(day))) is not None
        if name not in earlier or bounds[1] >= recent
    ]


def worked_on(runtime: Runtime, day: date) -> list[str]:
    """Incidents whose timeline was made on a day."""
    rows = pl.read_parquet(runtime.lake.require(INCIDENT_RECORDS, day), hive_partitioning=False)
    return rows.filter(pl.col("timeline_on") == day)["incident_id"].to_list()


def mitigated_by_engine(runtime: Runtime, day: date) -> dict[str, bool]:
    """Incident → whether the decision engine's actions alone mitigated it; those of which that is not known are left out."""
    lake = runtime.lake
    with open_engine(lake) as engine:
        engine.view(INCIDENT_RECORDS, [day])
        engine.view(INCIDENT_PHASES, [day])
        told_on = {row["timeline_on"] for row in engine.rows(statement("reports/timeline_days"))}
        engine.view(INCIDENT_TIMELINE, [each for each in lake.days(INCIDENT_TIMELINE) if each in told_on])
        rows = engine.rows(statement("reports/mitigated_by_engine"))
    return {row["incident_id"]: row["is_engine_only"] for row in rows}


def evidence_of(known: Known, day: date, stretches: Sequence[Stretch]) -> Completeness | None:
    """How much of an incident's evidence was captured; None where no time of it is known."""
    bounds = known.bounds(end_of(day))
    return None if bounds is None else completeness(*bounds, stretches, end_of(day))


def previous_day(lake: Lake, table: Table, day: date) -> date | None:
    """The last day before ``day`` that has a partition of ``table``."""
    return max((each for each in lake.days(table) if each < day), default=None)


def _records_of(lake: Lake, day: date | None) -> dict[str, dict[str, Any]]:
    if day is None:
        return {}
    rows = pl.read_parquet(lake.path(INCIDENT_RECORDS, day), hive_partitioning=False).iter_rows(named=True)
    return {row["incident_id"]: row for row in rows}


def _work(
    runtime: Runtime, known: Mapping[str, Known], earlier: Mapping[str, Mapping[str, Any]], day: date, before: date | None
) -> dict[str, Known]:
    """Incidents that are new, have changed, or of whose time something was captured since."""
    held = set(runtime.lake.days(INCIDENT_TIMELINE))
    changed = {
        name
        for name, each in known.items()
        if name not in earlier or earlier[name]["digest"] != each.digest or earlier[name]["timeline_on"] not in held
    }
    rest = [each for name, each in known.items() if name not in changed]
    if rest and before is not None:
        with open_engine(runtime.lake) as engine:
            engine.view(CAPTURED_EVENTS, [each for each in runtime.lake.days(CAPTURED_EVENTS) if before < each <= day])
            engine.view(SERVICE_DEPENDENCIES, [day])
            engine.view_frame("incident_work", spans_on(runtime, rest, day))
            changed |= {row["incident_id"] for row in engine.rows(statement("reports/touched_incidents"))}
    return {name: each for name, each in known.items() if name in changed}


def _batches(found: Iterator[Timeline]) -> Iterator[list[Timeline]]:
    batch: list[Timeline] = []
    size = 0
    for each in found:
        batch.append(each)
        size += len(each.entries)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    yield batch


def _timeline_frame(batch: Sequence[Timeline]) -> pl.DataFrame:
    rows = [
        (
            each.known.incident.incident_id, position, entry.at, entry.until, entry.precision, entry.lane, entry.kind, entry.text,
            entry.actor, entry.service, entry.target, entry.phase, entry.outcome, entry.is_non_action, entry.times,
            _json([[source.source, source.source_event_id, source.version] for source in entry.sources]), entry.url,
            _json(dict(entry.payload)),
        )
        for each in batch
        for position, entry in enumerate(each.entries, start=1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema(INCIDENT_TIMELINE), orient="row")


def _phase_frame(batch: Sequence[Timeline]) -> pl.DataFrame:
    rows = [
        (
            each.known.incident.incident_id, choice.phase, rank, moment.at, moment.precision, moment.source, moment.method,
            moment.confidence, _json(list(moment.evidence)), moment.zone, moment.reason, rank == 1 and choice.chosen is not None,
        )
        for each in batch
        for choice in each.choices
        for rank, moment in enumerate(choice.candidates, start=1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema(INCIDENT_PHASES), orient="row")


def _write_phases(
    lake: Lake, day: date, before: date | None, worked: list[pl.DataFrame], work: Mapping[str, Known], known: Mapping[str, Known]
) -> int:
    frames = list(worked)
    if before is not None:
        stored = pl.read_parquet(lake.path(INCIDENT_PHASES, before), hive_partitioning=False)
        kept = [name for name in known if name not in work]
        frames.append(stored.filter(pl.col("incident_id").is_in(kept)))
    return write_frame(lake, INCIDENT_PHASES, day, pl.concat(frames))


def _record(
    known: Known, earlier: Mapping[str, Any] | None, day: date, stretches: Sequence[Stretch], *, is_new: bool
) -> dict[str, Any]:
    if is_new or earlier is None:
        evidence = evidence_of(known, day, stretches)
        completeness_pct = None if evidence is None else evidence.score
    else:
        completeness_pct = earlier["completeness_pct"]
    incident = known.incident
    excluded = not_counted_because(incident)
    return {
        **{name: getattr(incident, name) for name in _COPIED},
        "services": _json(list(known.services)),
        "is_open": incident.is_open,
        "counts_in_metrics": excluded is None,
        "not_counted_because": excluded,
        "started_at": known.started_at,
        "ended_at": known.ended_at,
        "windows": _json([[window.started_at, window.ended_at] for window in known.windows]),
        "digest": known.digest,
        "timeline_on": day if is_new or earlier is None else earlier["timeline_on"],
        "completeness_pct": completeness_pct,
    }


_COPIED = (
    "incident_id", "origin", "title", "severity", "service", "status", "kind", "commander", "slack_channel", "url", "summary",
)  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
