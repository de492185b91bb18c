"""Postmortem documents of a night: for incidents of which something is new, beside what people have written into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.incidents.merging import Merged, merge
from dagster_project.domain.incidents.naming import file_name
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_METRICS, INCIDENT_RECORDS, POSTMORTEMS
from dagster_project.lake.partitions import Lake, replace_file
from dagster_project.lake.table import Table
from dagster_project.lake.tables import INCIDENT_ACTION_ITEMS
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.incident_records import end_of, previous_day, worked_on
from dagster_project.pipeline.incident_surroundings import mitigation_effects
from dagster_project.pipeline.incidents import Known, known_incidents
from dagster_project.pipeline.postmortem_material import Material, hold_material, material_of, view_material
from dagster_project.pipeline.postmortem_pulls import propose_postmortems
from dagster_project.pipeline.postmortem_view import redactor_for, view_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.postmortem import document, render_markdown
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
    records, earlier = _by_id(runtime.lake, INCIDENT_RECORDS, day), _earlier(runtime.lake, day)
    due = known_incidents(runtime, day, due_incidents(runtime, day))
    rows = {name: row for name, row in earlier.items() if name in records}
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
    return len(generated)


def due_incidents(runtime: Runtime, day: date) -> list[str]:
    """Incidents whose document is to be written on a day: of the last while, those that were worked on, have none yet, or whose
    action items have changed. The newest first, and no more than the settings allow: the others come on the following nights."""
    lake, rules = runtime.lake, runtime.settings.incidents
    oldest, earlier = end_of(day) - timedelta(days=rules.document_days), _earlier(lake, day)
    changed = {*worked_on(runtime, day), *_changed_items(lake, day)}
    due = [
        row
        for name, row in _by_id(lake, INCIDENT_RECORDS, day).items()
        if row["started_at"] is not None
        and (row["ended_at"] or end_of(day)) >= oldest
        and (name in changed or _is_missing(runtime, earlier.get(name)))
    ]
    newest = sorted(due, key=lambda row: (-row["started_at"].replace(tzinfo=UTC).timestamp(), row["incident_id"]))
    return sorted(row["incident_id"] for row in newest[: rules.max_documents])


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
        hold_material(engine, due)
        for name, known in due.items():
            material = material_of(engine, day, known, runtime.settings, stretches, effects)
            if material is not None:
                yield _document(material, rules.names, rules.name_salt, _existing(runtime, name, day, earlier.get(name)))


def _document(material: Material, names: Sequence[str], salt: str, existing: str | None) -> Document:
    view = view_of(material, redactor_for(material, names, salt))
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
    return {} if before is None else _by_id(lake, POSTMORTEMS, before)


def _by_id(lake: Lake, table: Table, day: date) -> dict[str, dict[str, Any]]:
    rows = pl.read_parquet(lake.require(table, day), hive_partitioning=False).iter_rows(named=True)
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
