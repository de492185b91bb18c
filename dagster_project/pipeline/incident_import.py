"""Past incidents out of files, into the state store; and what is wrong with their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.actions import incident_store
from dagster_project.domain.incidents.anomalies import Anomaly, anomalies_of, incident_anomalies
from dagster_project.domain.incidents.importing.model import ImportedIncident, Problem, to_document
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.errors import InputError
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.incidents import known_now
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state

_SUFFIXES = (".md", ".markdown", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Read:
    """What files gave: incidents, what could not be understood, and what their times look like."""

    files: int
    incidents: tuple[ImportedIncident, ...]
    problems: tuple[Problem, ...]

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Of all the incidents, in their order."""
        return tuple(anomaly for each in self.incidents for anomaly in anomalies_of(each))


def read_files(runtime: Runtime, paths: Sequence[Path], zone: str | None) -> Read:
    """Reads files, and the Markdown and JSON files of folders. Secrets are taken out before anything else is done with a text.

    Raises ``InputError`` where a path cannot be read, or two files tell of incidents with one id.
    """
    incidents: list[ImportedIncident] = []
    problems: list[Problem] = []
    files = list(_files(paths))
    for number, file in enumerate(files, start=1):
        result = read_text(secrets_removed(_text(file)), file.name, zone=zone or runtime.settings.incidents.zone)
        incidents += result.incidents
        problems += result.problems
        runtime.progress.update("Reading", number, len(files))
    _refuse_two_of_one_id(incidents)
    return Read(len(files), tuple(incidents), tuple(problems))


def store(runtime: Runtime, read: Read) -> incident_store.Imported:
    """Keeps what was read, all of it or nothing."""
    documents = [(each.incident.incident_id, each.file, to_document(each)) for each in read.incidents]
    actor = user_of_this_process()
    return in_state(
        runtime, lambda connection: incident_store.add_imported(connection, documents, actor, runtime.now), is_new=True
    )


def anomalies_on_record(runtime: Runtime) -> tuple[int, tuple[Anomaly, ...]]:
    """How many incidents are known, and the anomalies of their times."""
    _, known = known_now(runtime)
    now = runtime.now.replace(tzinfo=None)
    found: list[Anomaly] = []
    for each in known.values():
        found += anomalies_of(each.imported, now=now) if each.imported else incident_anomalies(each.incident, now=now)
    return len(known), tuple(found)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in _SUFFIXES)
            if not inside:
                raise InputError(f"The folder {path} holds no Markdown or JSON file; name the files to import.")
            yield from inside
        else:
            yield path


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
                f"{seen[name]} and {each.file} both tell of {name}; import them one after the other, or correct its id."
            )
        seen[name] = each.file
