"""Postmortem documents of a night: for incidents of which something is new, beside what people have written into them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.incidents.merging import Merged, merge
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_METRICS, POSTMORTEMS
from dagster_project.lake.partitions import Lake, replace_file
from dagster_project.lake.tables import INCIDENT_ACTION_ITEMS
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.incident_records import end_of, previous_day, worked_on
from dagster_project.pipeline.incident_surroundings import mitigation_effects
from dagster_project.pipeline.incidents import Known, known_incidents
from dagster_project.pipeline.postmortem_material import Material, material_of, view_material
from dagster_project.pipeline.postmortem_view import redactor_for, view_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.postmortem import document, render_markdown
from dagster_project.reporting.postmortem_page import render_html

FOLDER = "postmortems"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Document:
    """One document: the merged Markdown, its page, and what people had changed in it."""

    incident_id: str
    markdown: str
    html: str
    merged: Merged


def write_postmortems(runtime: Runtime, day: date) -> int:
    """Writes the documents that are due and ``postmortems`` of the day; returns how many were written."""
    runtime.lake.require(INCIDENT_METRICS, day)
    known = known_incidents(runtime, day)
    earlier = _earlier(runtime.lake, day)
    due = _due(runtime, known, earlier, day)
    rows = {name: row for name, row in earlier.items() if name in known}
    for number, made in enumerate(documents(runtime, due, day, earlier), start=1):
        write(runtime, made, day)
        rows[made.incident_id] = _row(made, day)
        runtime.progress.update("Postmortems", number, len(due))
    ordered = [rows[name] for name in sorted(rows)]
    write_frame(runtime.lake, POSTMORTEMS, day, pl.DataFrame(ordered, schema=schema(POSTMORTEMS)))
    return sum(row["written_on"] == day for row in ordered)


def documents(
    runtime: Runtime, due: Mapping[str, Known], day: date, earlier: Mapping[str, Mapping[str, Any]]
) -> Iterator[Document]:
    """The documents of some incidents as of a day, with all that people have written into the newest ones there are."""
    if not due:
        return
    rules = runtime.settings.incidents
    with open_engine(runtime.lake) as engine:
        view_material(engine, runtime.lake, day)
        stretches = captured_stretches(runtime.lake, day)
        effects = mitigation_effects(engine)
        for name, known in due.items():
            material = material_of(engine, day, known, runtime.settings, stretches, effects)
            if material is not None:
                yield _document(material, rules.names, rules.name_salt, _existing(runtime, name, day, earlier.get(name)))


def _document(material: Material, names: Sequence[str], salt: str, existing: str | None) -> Document:
    view = view_of(material, redactor_for(material, names, salt))
    merged = merge(document(render_markdown(view)), existing)
    return Document(material.known.incident.incident_id, merged.text, render_html(merged.text, view), merged)


def write(runtime: Runtime, made: Document, day: date) -> Path:
    """Puts a document into the report folder of a day; returns its Markdown file."""
    folder = runtime.settings.reports / day.isoformat() / FOLDER
    name = file_name(made.incident_id)
    replace_file(folder / f"{name}.md", made.markdown.encode())
    replace_file(folder / f"{name}.html", made.html.encode())
    return folder / f"{name}.md"


def file_name(incident_id: str) -> str:
    """An incident's id as the name of a file. What could lead elsewhere becomes dashes and a digest, so that no two meet."""
    if _PLAIN.fullmatch(incident_id):
        return incident_id
    digest = hashlib.sha256(incident_id.encode()).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', incident_id).strip('-')[:60]}-{digest}"


def _due(runtime: Runtime, known: Mapping[str, Known], earlier: Mapping[str, Mapping[str, Any]], day: date) -> dict[str, Known]:
    """Incidents of the last while that were worked on, have no document yet, or whose action items have changed."""
    oldest = end_of(day) - timedelta(days=runtime.settings.incidents.document_days)
    changed = {*worked_on(runtime, day), *_changed_items(runtime.lake, day)}
    return {
        name: each
        for name, each in known.items()
        if each.started_at is not None and (each.ended_at or end_of(day)) >= oldest and (name in changed or name not in earlier)
    }


def _changed_items(lake: Lake, day: date) -> set[str]:
    """Incidents whose action items are not those of the night before."""
    before = previous_day(lake, INCIDENT_ACTION_ITEMS, day)
    if before is None:
        return set()
    items = [
        pl.read_parquet(lake.path(INCIDENT_ACTION_ITEMS, each), hive_partitioning=False).drop_nulls("incident_id")
        for each in (before, day)
    ]
    differing = [items[a].join(items[b], on=items[0].columns, how="anti", nulls_equal=True) for a, b in ((0, 1), (1, 0))]
    return {name for frame in differing for name in frame["incident_id"]}


def _earlier(lake: Lake, day: date) -> dict[str, dict[str, Any]]:
    before = previous_day(lake, POSTMORTEMS, day)
    if before is None:
        return {}
    rows = pl.read_parquet(lake.path(POSTMORTEMS, before), hive_partitioning=False).iter_rows(named=True)
    return {row["incident_id"]: row for row in rows}


def _existing(runtime: Runtime, incident_id: str, day: date, earlier: Mapping[str, Any] | None) -> str | None:
    """The newest document of an incident: that of the day where it is run again, else the last one before."""
    days = [day] if earlier is None else [day, earlier["written_on"]]
    for each in days:
        file = runtime.settings.reports / each.isoformat() / FOLDER / f"{file_name(incident_id)}.md"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None


def _row(made: Document, day: date) -> dict[str, Any]:
    return {
        "incident_id": made.incident_id,
        "written_on": day,
        "digest": hashlib.sha256(made.markdown.encode()).hexdigest()[:16],
        "sections_edited": len(made.merged.kept),
        "repository": None,
        "pull_request": None,
        "url": None,
    }
