"""Postmortem documents of a night: for incidents of which something is new, beside what people have written into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.file_names import file_name
from dagster_project.domain.incidents.cost import Cost
from dagster_project.domain.incidents.merging import Merged, merge
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_METRICS, INCIDENT_RECORDS, POSTMORTEMS
from dagster_project.lake.partitions import Lake, replace_file
from dagster_project.lake.table import Table
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.incident_records import end_of, previous_day, worked_on
from dagster_project.pipeline.incident_surroundings import mitigation_effects
from dagster_project.pipeline.incidents import Known, known_incidents
from dagster_project.pipeline.postmortem_material import Material, hold_material, material_of, view_material
from dagster_project.pipeline.postmortem_pulls import FAILED, OUTBOX, WAITING, propose_postmortems
from dagster_project.pipeline.postmortem_view import redactor_for, view_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.postmortem import document, render_markdown
from dagster_project.reporting.postmortem_page import render_html

FOLDER = "postmortems"
_PULL = ("repository", "pull_request", "url", "state")
_COST = ("cost_low_usd", "cost_expected_usd", "cost_high_usd", "cost_not_included")
_NOT_PROPOSED = (None, WAITING, FAILED, OUTBOX)
_UNREADABLE = "{} is not UTF-8, so it is left alone; save it as UTF-8, and the next night brings it up to date."
_LOCKED = "{} cannot be read ({}), so it is left alone; make it a file that can be read."
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """One document: what was generated, that beside what people wrote as Markdown and as a page, what they had changed, and what
    the incident cost."""

    incident_id: str
    generated: str
    markdown: str
    html: str
    merged: Merged
    cost: Cost


@dataclass(frozen=True, slots=True)
class _Existing:
    """The newest document of an incident: its text, None where there is none; ``problem``: why it could not be read."""

    text: str | None = None
    problem: str | None = None


def write_postmortems(runtime: Runtime, day: date) -> int:
    """Writes the documents that are due and ``postmortems`` of the day; returns how many were written."""
    runtime.lake.require(INCIDENT_METRICS, day)
    records, earlier = _by_id(runtime.lake, INCIDENT_RECORDS, day), _earlier(runtime.lake, day)
    # Run again, a day knows what became of its pull requests.
    stored = earlier | (_by_id(runtime.lake, POSTMORTEMS, day) if runtime.lake.has(POSTMORTEMS, day) else {})
    # Asked once: an earlier night that ends meanwhile would take documents off the list and not yet be among the rows.
    due = known_incidents(runtime, day, _due(runtime, day, earlier))
    rows = {name: row for name, row in earlier.items() if name in records}
    existing = {name: _existing(runtime, name, day, earlier.get(name)) for name in due}
    rows |= {name: _left(name, day, stored.get(name, {}), each.problem) for name, each in existing.items() if each.problem}
    texts = {name: each.text for name, each in existing.items() if each.problem is None}
    generated: dict[str, str] = {}
    for number, made in enumerate(documents(runtime, due, day, texts), start=1):
        write(runtime, made, day)
        generated[made.incident_id] = made.generated
        rows[made.incident_id] = _row(made, day, stored.get(made.incident_id, {}))
        runtime.progress.update("Postmortems", number, len(texts))
    _propose(runtime, day, generated, rows)
    ordered = [rows[name] for name in sorted(rows)]
    write_frame(runtime.lake, POSTMORTEMS, day, pl.DataFrame(ordered, schema=schema(POSTMORTEMS)))
    return len(generated)


def due_incidents(runtime: Runtime, day: date) -> list[str]:
    """Incidents whose document is to be written on a day: of the last while, those that were worked on, have none yet, whose
    action items have changed, or into whose document somebody wrote. The newest first, and no more than the settings allow: the
    others come on the following nights."""
    return _due(runtime, day, _earlier(runtime.lake, day))


def _due(runtime: Runtime, day: date, earlier: Mapping[str, Row]) -> list[str]:
    lake, rules = runtime.lake, runtime.settings.incidents
    oldest = end_of(day) - timedelta(days=rules.document_days)
    changed = {*worked_on(runtime, day), *_changed_items(lake, day)}
    due = [
        row
        for name, row in _by_id(lake, INCIDENT_RECORDS, day).items()
        if row["started_at"] is not None
        and (row["ended_at"] or end_of(day)) >= oldest
        and (name in changed or _is_missing(runtime, earlier.get(name)) or _is_edited(runtime, name, earlier[name]))
    ]
    newest = sorted(due, key=lambda row: (-row["started_at"].replace(tzinfo=UTC).timestamp(), row["incident_id"]))
    return sorted(row["incident_id"] for row in newest[: rules.max_documents])


def documented_incidents(runtime: Runtime, day: date) -> list[str]:
    """Incidents whose documents earlier nights have kept up to date of late."""
    return sorted(_kept_of_late(runtime, day))


def _kept_of_late(runtime: Runtime, day: date) -> dict[str, dict[str, Any]]:
    oldest = day - timedelta(days=runtime.settings.incidents.document_days)
    return {name: row for name, row in _earlier(runtime.lake, day).items() if row["written_on"] >= oldest}


def edited_documents(runtime: Runtime, day: date) -> Iterator[tuple[str, str]]:
    """(incident, text) of documents of earlier nights in which people have changed something since they were begun."""
    for name, row in sorted(_kept_of_late(runtime, day).items()):
        if not (row["sections_edited"] or _is_edited(runtime, name, row)):
            continue
        existing = _existing(runtime, name, day, row)
        if existing.text is not None:
            yield name, existing.text


def documents(runtime: Runtime, due: Mapping[str, Known], day: date, existing: Mapping[str, str | None]) -> Iterator[Document]:
    """The documents as of a day of those incidents of which ``existing`` tells the newest one there is (None: there is none),
    with all that people have written into it."""
    due = {name: known for name, known in due.items() if name in existing}
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
                yield _document(material, rules.names, rules.name_salt, existing[name])


def _document(material: Material, names: Sequence[str], salt: str, existing: str | None) -> Document:
    view = view_of(material, redactor_for(material, names, salt))
    generated = document(render_markdown(view))
    merged = merge(generated, existing)
    # How the file is written (a byte order mark, CRLF) is none of the page's concern.
    page = render_html(merged.text.removeprefix("\ufeff").replace("\r\n", "\n"), view)
    cost = material.surroundings.cost
    return Document(material.known.incident.incident_id, generated, merged.text, page, merged, cost)


def write(runtime: Runtime, made: Document, day: date) -> Path:
    """Puts a document into the report folder of a day; returns its Markdown file."""
    folder = runtime.settings.reports / day.isoformat() / FOLDER
    name = file_name(made.incident_id)
    replace_file(folder / f"{name}.md", made.markdown.encode())
    replace_file(folder / f"{name}.html", made.html.encode())
    return folder / f"{name}.md"


def _is_missing(runtime: Runtime, earlier: Row | None) -> bool:
    """Whether there is no document yet, or what is new of it was not proposed where documents are to be."""
    if earlier is None or not _is_proposing(runtime):
        return earlier is None
    return earlier.get("state") in _NOT_PROPOSED or earlier["repository"] != runtime.settings.incidents.repository


def _is_proposing(runtime: Runtime) -> bool:
    return runtime.settings.incidents.repository is not None and runtime.settings.github.has_credentials


def _is_edited(runtime: Runtime, incident_id: str, earlier: Row) -> bool:
    """Whether the newest document is another than the one that was written, or could not be read before."""
    if earlier.get("problem"):
        return True
    try:
        return _digest(_file(runtime, incident_id, earlier["written_on"]).read_bytes()) != earlier["digest"]
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _propose(runtime: Runtime, day: date, generated: Mapping[str, str], rows: dict[str, dict[str, Any]]) -> None:
    """Proposes what was written, and notes what became of it in ``rows``. What is not known now stays as it was known."""
    repository = runtime.settings.incidents.repository
    found = propose_postmortems(runtime, day, generated)
    for name, proposed in found.items():
        row = rows[name]
        if proposed.number is not None or row["repository"] != repository:
            row |= {"pull_request": proposed.number, "url": proposed.url}
        row |= {"repository": repository, "state": proposed.state}
    if _is_proposing(runtime) and runtime.is_newest(day):
        for name in generated.keys() - found.keys():
            rows[name]["state"] = WAITING


def _changed_items(lake: Lake, day: date) -> set[str]:
    """Incidents whose action items are not those of the night before."""
    before = previous_day(lake, ACTION_ITEMS, day)
    if before is None:
        return set()
    items = [
        pl.read_parquet(lake.path(ACTION_ITEMS, each), hive_partitioning=False).drop_nulls("incident_id")
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


def _file(runtime: Runtime, incident_id: str, day: date) -> Path:
    return runtime.settings.reports / day.isoformat() / FOLDER / f"{file_name(incident_id)}.md"


def _existing(runtime: Runtime, incident_id: str, day: date, earlier: Row | None) -> _Existing:
    """The newest document of an incident: that of the day where it is run again, else the last one before."""
    days = [day] if earlier is None else [day, earlier["written_on"]]
    found = (_read(_file(runtime, incident_id, each)) for each in days)
    return next((each for each in found if each is not None), _Existing())


def _read(file: Path) -> _Existing | None:
    """A document to the byte: line ends and a byte order mark are people's. None where there is no such file."""
    place = "/".join(file.parts[-3:])
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return _Existing(problem=_UNREADABLE.format(place))
    except OSError as error:
        return _Existing(problem=_LOCKED.format(place, error.strerror))
    # UTF-16 without its mark can look like UTF-8 with a zero beside each letter.
    return _Existing(problem=_UNREADABLE.format(place)) if "\0" in text else _Existing(text)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _row(made: Document, day: date, known: Row) -> dict[str, Any]:
    return {
        "incident_id": made.incident_id,
        "written_on": day,
        "digest": _digest(made.markdown.encode()),
        "sections_edited": len(made.merged.kept),
        **{name: known.get(name) for name in _PULL},
        "problem": None,
        **_cost(made.cost),
    }


def _cost(cost: Cost) -> dict[str, Any]:
    """What an incident cost as columns: USD of the parts that are known, and the names of the others."""
    if cost.total is None:
        return dict.fromkeys(_COST)
    total = cost.total
    return dict(zip(_COST, (total.low, total.expected, total.high, ", ".join(cost.not_included)), strict=True))


def _left(incident_id: str, day: date, known: Row, problem: str | None) -> dict[str, Any]:
    """The row of an incident whose document is left alone: what was known of it, and why."""
    nothing = dict.fromkeys(("digest", "sections_edited", *_PULL, *_COST))
    return {"incident_id": incident_id, "written_on": day, **nothing, **known, "problem": problem}
