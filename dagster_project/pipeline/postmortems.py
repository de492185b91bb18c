"""Postmortem documents of a night: for incidents of which something is new, beside what people have written into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.incidents.merging import Merged, merge
from dagster_project.domain.incidents.naming import file_name
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
from dagster_project.pipeline.postmortem_pulls import propose_postmortems
from dagster_project.pipeline.postmortem_view import redactor_for, view_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.postmortem import document, redacted, render_markdown
from dagster_project.reporting.postmortem_page import render_html

FOLDER = "postmortems"


@dataclass(frozen=True)
class Document:
    """One document: what was generated, that beside what people wrote as Markdown and as a page, and what they had changed."""

    incident_id: str
    generated: str
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
    generated: dict[str, str] = {}
    for number, made in enumerate(documents(runtime, due, day, earlier), start=1):
        write(runtime, made, day)
        generated[made.incident_id] = made.generated
        rows[made.incident_id] = _row(made, day, earlier.get(made.incident_id, {}))
        runtime.progress.update("Postmortems", number, len(due))
    for name, proposed in propose_postmortems(runtime, day, generated).items():
        repository = runtime.settings.incidents.repository
        rows[name] |= {"repository": repository, "pull_request": proposed.number, "url": proposed.url}
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
    redactor = redactor_for(material, names, salt)
    view = redacted(view_of(material, redactor), redactor)
    generated = document(render_markdown(view))
    merged = merge(generated, existing)
    return Document(material.known.incident.incident_id, generated, merged.text, render_html(merged.text, view), merged)


def write(runtime: Runtime, made: Document, day: date) -> Path:
    """Puts a document into the report folder of a day; returns its Markdown file."""
    folder = runtime.settings.reports / day.isoformat() / FOLDER
    name = file_name(made.incident_id)
    replace_file(folder / f"{name}.md", made.markdown.encode())
    replace_file(folder / f"{name}.html", made.html.encode())
    return folder / f"{name}.md"


def _due(runtime: Runtime, known: Mapping[str, Known], earlier: Mapping[str, Mapping[str, Any]], day: date) -> dict[str, Known]:
    """Incidents of the last while that were worked on, have no document yet, or whose action items have changed."""
    oldest = end_of(day) - timedelta(days=runtime.settings.incidents.document_days)
    changed = {*worked_on(runtime, day), *_changed_items(runtime.lake, day)}
    return {
        name: each
        for name, each in known.items()
        if each.started_at is not None
        and (each.ended_at or end_of(day)) >= oldest
        and (name in changed or _is_missing(runtime, earlier.get(name)))
    }


def _is_missing(runtime: Runtime, earlier: Mapping[str, Any] | None) -> bool:
    """Whether there is no document yet, or none that was proposed where documents are to be."""
    settings = runtime.settings
    is_proposing = settings.incidents.repository is not None and settings.github.has_credentials
    return earlier is None or (is_proposing and earlier["pull_request"] is None)


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


def _row(made: Document, day: date, earlier: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "incident_id": made.incident_id,
        "written_on": day,
        "digest": hashlib.sha256(made.markdown.encode()).hexdigest()[:16],
        "sections_edited": len(made.merged.kept),
        **{name: earlier.get(name) for name in ("repository", "pull_request", "url")},
    }
