"""Past incidents out of files, into the state store; and what is wrong with their times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import asyncpg

from dagster_project.actions import incident_store
from dagster_project.domain.incidents.anomalies import Anomaly, anomalies_of
from dagster_project.domain.incidents.importing.identities import identities, possible
from dagster_project.domain.incidents.importing.model import ImportedIncident, Problem, to_document
from dagster_project.domain.incidents.importing.reading import MARKDOWN, read_text
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.errors import InputError
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.incidents import known_now, this_moment
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state

_SUFFIXES = (".md", ".markdown", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Read:
    """What files gave: incidents, what could not be understood, and what is wrong with the times of the incidents."""

    files: int
    incidents: tuple[ImportedIncident, ...]
    problems: tuple[Problem, ...]
    anomalies: tuple[Anomaly, ...]


def read_files(runtime: Runtime, paths: Sequence[Path], zone: str | None) -> Read:
    """Reads files, and the Markdown and JSON files of folders. Secrets are taken out before anything else is done with a text.

    Raises ``InputError`` where a path cannot be read, or two files tell of incidents with one id.
    """
    incidents: list[ImportedIncident] = []
    problems: list[Problem] = []
    files = dict(_files(paths))
    told_zone = zone or runtime.settings.incidents.zone
    for number, (file, (name, identity)) in enumerate(zip(files, _named(files.values()), strict=True), start=1):
        result = read_text(secrets_removed(_text(file)), name, zone=told_zone, identity=identity)
        incidents += result.incidents
        problems += result.problems
        runtime.progress.update("Reading", number, len(files))
    _refuse_two_of_one_id(incidents)
    now = this_moment(runtime)
    anomalies = tuple(anomaly for each in incidents for anomaly in anomalies_of(each, now=now))
    return Read(len(files), tuple(incidents), tuple(problems), anomalies)


def store(runtime: Runtime, read: Read) -> incident_store.Imported:
    """Keeps what was read, all of it or nothing.

    Raises ``InputError`` where the name of a file gives the id of another file's incident.
    """
    return in_state(runtime, lambda connection: _store(connection, read, runtime.now), is_new=True)


async def _store(connection: asyncpg.Connection, read: Read, now: datetime) -> incident_store.Imported:
    by_name = {each.incident.incident_id: each for each in read.incidents if _is_named_by_its_file(each)}
    for document in await incident_store.imported(connection, list(by_name)) if by_name else ():
        _refuse_another(by_name[document["incident"]["incident_id"]], document)
    documents = [(each.incident.incident_id, each.file, to_document(each)) for each in read.incidents]
    return await incident_store.add_imported(connection, documents, user_of_this_process(), now)


def _is_named_by_its_file(imported: ImportedIncident) -> bool:
    """Whether an id follows from the name of a file: two files may have one. An id that a text gives is its incident's own."""
    return PurePath(imported.file).suffix.lower() in MARKDOWN and imported.incident.incident_id in possible(imported.file)


def _refuse_another(imported: ImportedIncident, stored: Mapping[str, Any]) -> None:
    incident = imported.incident
    if stored["file"] != imported.file and stored["incident"]["title"] != incident.title:
        raise InputError(
            f"{imported.file} would replace {stored['file']}, whose id {incident.incident_id} it has, and tells of another "
            "incident: begin it with the lines '---', 'id: …' and '---', or keep the title if it is the same incident."
        )


def anomalies_on_record(runtime: Runtime) -> tuple[int, tuple[Anomaly, ...]]:
    """How many incidents are known, and the anomalies of their times."""
    _, known = known_now(runtime)
    now = this_moment(runtime)
    return len(known), tuple(anomaly for each in known.values() for anomaly in each.anomalies(now))


def _named(names: Iterable[str]) -> list[tuple[str, str | None]]:
    """Names of files, each with the id that a postmortem of this name has."""
    listed = list(names)
    documents = [name for name in listed if PurePath(name).suffix.lower() in MARKDOWN]
    ids = dict(zip(documents, identities(documents), strict=True))
    return [(name, ids.get(name)) for name in listed]


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Files, each with its name: the path as it was given, with the folder that it is in at least."""
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in _SUFFIXES)
            if not inside:
                raise InputError(f"The folder {path} holds no Markdown or JSON file; name the files to import.")
            yield from ((each, (_given(path) / each.relative_to(path)).as_posix()) for each in inside)
        else:
            yield path, (_given(path.parent) / path.name).as_posix()


def _given(folder: Path) -> PurePath:
    """A folder as it was given; where that says nothing or leads elsewhere, its own name: no document tells where a home is."""
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        return PurePath(folder.resolve().name)
    return PurePath(folder)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"The file {file} is not UTF-8 text; convert it, or leave it out.") from None
    except OSError as error:
        raise InputError(f"The file {file} cannot be read ({error.strerror}); correct the path.") from None


def _refuse_two_of_one_id(incidents: Sequence[ImportedIncident]) -> None:
    seen: dict[str, str] = {}
    for each in incidents:
        name = each.incident.incident_id
        if name in seen:
            raise InputError(
                f"{seen[name]} and {each.file} both tell of {name}; correct the id of one, or import the newer one by itself "
                "afterwards if it is the same incident."
            )
        seen[name] = each.file
