"""Documents that the tests of importing read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_project.domain.incidents.anomalies import Anomaly, anomalies_of
from dagster_project.domain.incidents.importing.model import ImportedIncident, ImportResult
from dagster_project.domain.incidents.importing.reading import read_text

DOCUMENTS = Path(__file__).parent / "documents"
SHARED = Path(__file__).parents[4] / "shared" / "data" / "incidents"


def at(text: str) -> datetime:
    """A moment in naive UTC, as everywhere in the domain."""
    return datetime.fromisoformat(text)


def document(name: str, zone: str = "UTC") -> ImportResult:
    """What the reader makes of one of the documents beside the tests."""
    path = DOCUMENTS / name
    return read_text(path.read_text(encoding="utf-8"), path.name, zone=zone)


def status_record() -> dict[str, Any]:
    """An ordinary incident of a status page."""
    updates = [{"at": "2024-05-02T10:00:00Z", "status": "Investigating", "message": "We are looking."}]
    updates += [{"at": "2024-05-02T11:00:00Z", "status": "Resolved", "message": "Done."}]
    return {"id": "1", "title": "Slow", "updates": updates}


def only(result: ImportResult) -> ImportedIncident:
    """The one incident of a file."""
    (imported,) = result.incidents
    return imported


def markdown(body: str, name: str = "2024-05-02-queue.md", zone: str = "UTC") -> ImportedIncident:
    """The incident of a document with this text."""
    return only(read_text(body, name, zone=zone))


def times(imported: ImportedIncident) -> dict[str, datetime]:
    """Phases and when they began."""
    return {phase: moment.at for phase, moment in imported.incident.phases.items()}


def codes(imported: ImportedIncident) -> list[str]:
    """The codes of an incident's anomalies, in their order."""
    return [anomaly.code for anomaly in anomalies_of(imported)]


def anomaly(imported: ImportedIncident, code: str) -> Anomaly:
    """The one anomaly of a code."""
    (found,) = [one for one in anomalies_of(imported) if one.code == code]
    return found
