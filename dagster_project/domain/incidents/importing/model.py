"""What was read from a file about past incidents, with the place of every fact and of everything that was not understood.

Times are naive UTC, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.model import ActionItem, ImpactWindow, Incident, Moment


@dataclass(frozen=True, slots=True)
class StatedDuration:
    """A duration that a document states, such as "Time to repair: 0h 16m".

    ``metric_id``: the definition that its name asks for (ttd, ttrep …), None where it names none. ``clock``: wall,
    support_hours or unknown; ``hours``: the support hours that the document gives with it, such as "10:00-17:00"; ``place``: file
    and line.
    """

    name: str
    metric_id: str | None
    minutes: float
    clock: str
    place: str
    text: str
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be understood, as a sentence. ``line`` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the reader saw and did not believe: it is left out, and becomes an anomaly. ``suggestion`` is what may be meant."""

    code: str
    phase: str | None
    sentence: str
    suggestion: datetime | str | None
    place: str


@dataclass(frozen=True, slots=True)
class ImportedIncident:
    """One incident as a file tells it.

    ``sections``: what people wrote, by canonical name (summary, impact, contributing_factors, lessons, resolution, went_well,
    went_wrong, lucky, action_items …), as Markdown. ``places``: where each phase was read. ``others``: further moments that the
    file gives for a phase, best first; the chosen one is in ``incident.phases``. ``zone``: the zone that its times are in.
    """

    incident: Incident
    events: tuple[Event, ...] = ()
    action_items: tuple[ActionItem, ...] = ()
    stated: tuple[StatedDuration, ...] = ()
    sections: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    file: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[Moment, ...]] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What one file gave: its incidents, and what could not be understood."""

    incidents: tuple[ImportedIncident, ...] = ()
    problems: tuple[Problem, ...] = ()


def to_document(imported: ImportedIncident) -> dict[str, Any]:
    """An imported incident as what JSON can hold: times in ISO 8601 (UTC, no suffix). ``from_document`` gives it back."""
    return _plain(asdict(imported))


def from_document(document: Mapping[str, Any]) -> ImportedIncident:
    """The imported incident that ``to_document`` wrote. Keys that this version does not know are left out."""
    values = _known(ImportedIncident, document)
    return ImportedIncident(
        **values
        | {
            "incident": _incident(document["incident"]),
            "events": tuple(_event(event) for event in document["events"]),
            "action_items": tuple(_action_item(item) for item in document["action_items"]),
            "stated": tuple(StatedDuration(**_known(StatedDuration, stated)) for stated in document["stated"]),
            "links": tuple(document["links"]),
            "others": {phase: tuple(map(_moment, moments)) for phase, moments in document.get("others", {}).items()},
            "doubts": tuple(map(_doubt, document.get("doubts", ()))),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _known(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {key: value for key, value in document.items() if key in names}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _moment(document: Mapping[str, Any]) -> Moment:
    values = _known(Moment, document)
    return Moment(**values | {"at": _time(document["at"]), "evidence": tuple(document["evidence"])})


def _window(document: Mapping[str, Any]) -> ImpactWindow:
    values = _known(ImpactWindow, document)
    return ImpactWindow(**values | {"started_at": _time(document["started_at"]), "ended_at": _time(document["ended_at"])})


def _incident(document: Mapping[str, Any]) -> Incident:
    return Incident(
        **_known(Incident, document)
        | {
            "services": tuple(document["services"]),
            "phases": {phase: _moment(moment) for phase, moment in document["phases"].items()},
            "windows": tuple(map(_window, document["windows"])),
        }
    )


def _event(document: Mapping[str, Any]) -> Event:
    times = {"occurred_at": _time(document["occurred_at"]), "recorded_at": _time(document["recorded_at"])}
    return Event(**_known(Event, document) | times)


def _action_item(document: Mapping[str, Any]) -> ActionItem:
    due = document["due_on"]
    return ActionItem(**_known(ActionItem, document) | {"due_on": None if due is None else date.fromisoformat(due)})


def _doubt(document: Mapping[str, Any]) -> Doubt:
    return Doubt(**_known(Doubt, document) | {"suggestion": _suggestion(document["suggestion"])})


def _suggestion(text: str | None) -> datetime | str | None:
    try:
        return _time(text)
    except ValueError:
        return text
