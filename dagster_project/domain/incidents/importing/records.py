"""Nightshift's own JSON lines: the columns of the contract's incidents table, with a timeline, windows and action items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from dagster_project.domain.incidents.events import LANES, Event
from dagster_project.domain.incidents.importing.iso_times import utc_of
from dagster_project.domain.incidents.importing.model import ImportedIncident, Problem
from dagster_project.domain.incidents.importing.moments import YEARS
from dagster_project.domain.incidents.importing.phases import PRECISION_COST
from dagster_project.domain.incidents.importing.zones import Zone
from dagster_project.domain.incidents.model import KINDS, PHASES, PRECISIONS, ActionItem, ImpactWindow, Incident, Moment

_TEXTS = ("severity", "service", "status", "slack_channel", "commander", "summary", "url")
_KEYS = frozenset(
    {
        "incident_id",
        "title",
        "kind",
        "services",
        "timeline",
        "impact_windows",
        "action_items",
        *_TEXTS,
        *(f"{phase}_at" for phase in PHASES),
    }
)
_EVENT_KEYS = frozenset({"at", "text", "kind", "lane", "actor", "service", "target", "url", "precision"})
_ITEM_TEXTS = ("item_id", "type", "priority", "owner", "tracker", "tracker_key", "state", "url")
_ITEM_KEYS = frozenset({"title", "incident_id", "due_on", "created_at", *_ITEM_TEXTS})

Note = Callable[[str], None]


def is_record(record: Mapping[str, Any]) -> bool:
    """Whether a record has the shape of Nightshift's own."""
    return "incident_id" in record


def read_record(record: Mapping[str, Any], file: str, line: int, zone: Zone) -> tuple[ImportedIncident | None, list[Problem]]:
    """The incident of one record. ``zone`` is that of times that say none. A bad value is left out and listed."""
    problems: list[Problem] = []

    def note(sentence: str) -> None:
        problems.append(Problem(file, line, sentence))

    incident_id, title = _text(record, "incident_id", note), _text(record, "title", note)
    if not incident_id or not title:
        note(f"{'incident_id' if not incident_id else 'title'} is missing; the incident was not imported.")
        return None, problems
    _unknown(record, _KEYS, "the incident", note)
    place = f"{file}:{line}"
    phases = _phases(record, zone, place, note)
    windows = _windows(record, zone, note)
    texts = {key: _text(record, key, note) for key in _TEXTS}
    services = tuple(str(one) for one in _list(record, "services", note)) or ((texts["service"],) if texts["service"] else ())
    incident = Incident(
        incident_id, title, services=services, kind=_kind(record, note), phases=phases, windows=windows, origin="import", **texts
    )
    events = _events(record, incident_id, zone, place, note)
    items = _items(record, incident_id, place, note)
    sections = {"summary": texts["summary"]} if texts["summary"] else {}
    imported = ImportedIncident(
        incident, events, items, sections=sections, file=file, places=dict.fromkeys(phases, place), zone=zone.name
    )
    return imported, problems


def _text(record: Mapping[str, Any], key: str, note: Note) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value or None
    note(f"{key} must be a text; {str(value)[:60]!r} was left out.")
    return None


def _list(record: Mapping[str, Any], key: str, note: Note) -> list[Any]:
    value = record.get(key)
    if value is None or isinstance(value, list):
        return value or []
    note(f"{key} must be a list; it was left out.")
    return []


def _unknown(record: Mapping[str, Any], known: frozenset[str], of: str, note: Note) -> None:
    names = sorted(str(key) for key in record if key not in known)
    if names:
        note(f"Unknown keys of {of} were left out: {', '.join(names)[:200]}.")


def _kind(record: Mapping[str, Any], note: Note) -> str:
    kind = record.get("kind") or "normal"
    if kind in KINDS:
        return kind
    note(f"kind {str(kind)[:40]!r} is none of {', '.join(KINDS)}; normal was taken.")
    return "normal"


def _time(value: Any, zone: Zone, key: str, note: Note) -> tuple[datetime, str] | None:
    """(naive UTC, precision) of a value, which its form tells: "2024-05-01" is a day and no midnight."""
    if value is None:
        return None
    try:
        return utc_of(value, zone)
    except (TypeError, ValueError, OverflowError):
        years = f"of the years {YEARS.start} to {YEARS.stop - 1}"
        note(f"{key} must be a time like 2024-05-01T12:07:00Z, {years}; {str(value)[:60]!r} was left out.")
        return None


def _phases(record: Mapping[str, Any], zone: Zone, place: str, note: Note) -> dict[str, Moment]:
    times = {phase: _time(record.get(f"{phase}_at"), zone, f"{phase}_at", note) for phase in PHASES}
    return {phase: _moment(*time, place, zone) for phase, time in times.items() if time is not None}


def _moment(at: datetime, precision: str, place: str, zone: Zone) -> Moment:
    sure = 1.0 - PRECISION_COST[precision]
    return Moment(at, precision, "import", "stated", sure, (place,), zone.name, "The record states it.")


def _windows(record: Mapping[str, Any], zone: Zone, note: Note) -> tuple[ImpactWindow, ...]:
    windows = []
    for one in _list(record, "impact_windows", note):
        pair = (one.get("started_at"), one.get("ended_at")) if isinstance(one, Mapping) else one
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            note("An impact window must have started_at and ended_at; it was left out.")
            continue
        start, end = (_exact(value, zone, note) for value in pair)
        if start is not None and (end is not None or pair[1] is None):
            windows.append(ImpactWindow(start, end, "import"))
        elif start is None and pair[0] is None:
            note("An impact window has no start; it was left out.")
    return tuple(windows)


def _exact(value: Any, zone: Zone, note: Note) -> datetime | None:
    """An end of a window: minutes are counted from it, so that a day or an hour alone gives none."""
    found = _time(value, zone, "impact_windows", note)
    if found is None or found[1] in ("second", "minute"):
        return found[0] if found else None
    note(f"impact_windows must be known to the minute; the one with {str(value)[:60]!r} was left out.")
    return None


def _events(record: Mapping[str, Any], incident_id: str, zone: Zone, place: str, note: Note) -> tuple[Event, ...]:
    events = []
    for number, one in enumerate(_list(record, "timeline", note), start=1):
        row = one if isinstance(one, Mapping) else {}
        time, text = _time(row.get("at"), zone, "timeline.at", note), _text(row, "text", note)
        if time is None or text is None:
            note(f"Row {number} of the timeline needs at and text; it was left out.")
            continue
        _unknown(row, _EVENT_KEYS, f"row {number} of the timeline", note)
        lane = row.get("lane") if row.get("lane") in LANES else "record"
        fields = {key: _text(row, key, note) for key in ("actor", "service", "target", "url")}
        events.append(
            Event(
                "import",
                f"{incident_id}:timeline:{number}",
                time[0],
                lane,
                _text(row, "kind", note) or "note",
                text,
                zone=zone.name,
                incident_id=incident_id,
                payload={"place": place},
                precision=row["precision"] if row.get("precision") in PRECISIONS else time[1],
                **fields,
            )
        )
    return tuple(events)


def _items(record: Mapping[str, Any], incident_id: str, place: str, note: Note) -> tuple[ActionItem, ...]:
    items = []
    for number, one in enumerate(_list(record, "action_items", note), start=1):
        row = one if isinstance(one, Mapping) else {}
        title = _text(row, "title", note)
        if title is None:
            note(f"Action item {number} has no title; it was left out.")
            continue
        _unknown(row, _ITEM_KEYS, f"action item {number}", note)
        texts = {key: _text(row, key, note) for key in _ITEM_TEXTS}
        texts["item_id"] = texts["item_id"] or f"{incident_id}:item:{number}"
        texts["state"] = texts["state"] or "open"
        items.append(ActionItem(title, incident_id, due_on=_date(row.get("due_on"), note), place=place, **texts))
    return tuple(items)


def _date(value: Any, note: Note) -> date | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        day = None
    if day is None or day.year not in YEARS:
        note(f"due_on must be a day like 2024-05-01; {str(value)[:40]!r} was left out.")
        return None
    return day
