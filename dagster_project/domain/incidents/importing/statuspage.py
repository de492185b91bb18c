"""Incidents of a public status page: timestamped updates, and the window of impact that was published afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.importing.follow_ups import links_in
from dagster_project.domain.incidents.importing.model import Doubt, ImportedIncident, Problem
from dagster_project.domain.incidents.importing.windows import ToldWindow, windows_told
from dagster_project.domain.incidents.model import ImpactWindow, Incident, Moment

_MAINTENANCE = frozenset({"scheduled", "in progress", "in_progress", "verifying", "completed"})
_PHASES = {"identified": "identified", "monitoring": "mitigated"}
_REASONS = {
    "identified": "The status page said that the cause was identified",
    "mitigated": "The status page went over to monitoring a fix",
}


@dataclass(frozen=True, slots=True)
class _Update:
    at: datetime
    status: str
    message: str


def is_status_page(record: Mapping[str, Any]) -> bool:
    """Whether a record has the shape of a status page's incident."""
    updates = record.get("updates", record.get("incident_updates"))
    return isinstance(updates, list) and (
        "status_sequence" in record or all(isinstance(one, Mapping) and "status" in one for one in updates)
    )


def read_status_page(record: Mapping[str, Any], file: str, line: int) -> tuple[ImportedIncident | None, list[Problem]]:
    """The incident of one record. The first update is the declaration; a single update has no duration, which is not zero."""
    problems: list[Problem] = []
    incident_id = str(record.get("id") or "").strip()
    updates = _updates(record, file, line, problems)
    if not incident_id or not updates:
        missing = "an id" if not incident_id else "an update that can be read"
        return None, [*problems, Problem(file, line, f"The incident has not {missing}; it was not imported.")]
    place = f"{file}:{line}"
    told, doubts = _told(record, updates, place, file, line, problems)
    is_scheduled = record.get("impact") == "maintenance" or any(one.status in _MAINTENANCE for one in updates)
    phases = _phases(updates, [] if is_scheduled else told, place)
    incident = _incident(record, incident_id, updates, phases, told, is_scheduled)
    events = _events(updates, incident_id, incident.url, place)
    sections = {"summary": updates[-1].message} if len(updates[-1].message) > 120 else {}
    links = tuple(dict.fromkeys(link for one in updates for link in links_in(one.message)))
    imported = ImportedIncident(
        incident, events, sections=sections, links=links, file=file, places=dict.fromkeys(phases, place), doubts=tuple(doubts)
    )
    return imported, problems


def _updates(record: Mapping[str, Any], file: str, line: int, problems: list[Problem]) -> list[_Update]:
    found = []
    for number, one in enumerate(record.get("updates", record.get("incident_updates")) or (), start=1):
        values = one if isinstance(one, Mapping) else {}
        at = time_of(values.get("at") or values.get("display_at") or values.get("created_at"))
        if at is None:
            problems.append(Problem(file, line, f"Update {number} of {str(record.get('id'))[:40]} has no time that can be read."))
            continue
        message = values.get("message") or values.get("body") or ""
        found.append(_Update(at, str(values.get("status") or "update").lower(), str(message)))
    return sorted(found, key=lambda one: one.at)


def time_of(value: Any) -> datetime | None:
    """A time in ISO 8601 as naive UTC; None where it is none. What says no zone is UTC on a status page."""
    try:
        read = datetime.fromisoformat(value)
        return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (TypeError, ValueError, OverflowError):
        return None


def _told(
    record: Mapping[str, Any], updates: Sequence[_Update], place: str, file: str, line: int, problems: list[Problem]
) -> tuple[list[ToldWindow], list[Doubt]]:
    """The published windows: the record's own, and those that the last message tells outside of it."""
    told: list[ToldWindow] = []
    published = record.get("impact_window")
    if isinstance(published, Mapping):
        start, end = time_of(published.get("start_at")), time_of(published.get("end_at"))
        if start is None:
            problems.append(Problem(file, line, f"The impact window of {record.get('id')} has no start that can be read."))
        else:
            told.append(ToldWindow(start, end, "impact_window"))
    final = next((one for one in reversed(updates) if one.status in ("resolved", "postmortem") and len(one.message) > 60), None)
    for window in windows_told(final.message, updates[0].at.date()) if final else ():
        if (window.ended_at is not None and not any(_within(window, one) for one in told)) or (
            window.ended_at is None and not told
        ):
            told.append(window)
    whole = [one for one in told if one.ended_at is not None]
    return whole or told[:1], _doubts(whole or told[:1], place)


def _within(one: ToldWindow, other: ToldWindow) -> bool:
    return other.ended_at is not None and other.started_at <= one.started_at and one.ended_at <= other.ended_at


def _doubts(told: Sequence[ToldWindow], place: str) -> list[Doubt]:
    doubts = [
        Doubt(
            "impossible_date",
            "impact_ended",
            f"The published window ends at a time that does not exist: {one.text!r}.",
            None,
            place,
        )
        for one in told
        if one.fault == "impossible_time"
    ]
    windows = sorted((one for one in told if one.ended_at and one.ended_at >= one.started_at), key=lambda one: one.started_at)
    end = windows[0].ended_at if windows else None
    for one in windows[1:]:
        if one.started_at > end:
            pairs = "; ".join(f"{part.started_at:%Y-%m-%d %H:%M} to {part.ended_at:%Y-%m-%d %H:%M}" for part in windows)
            sentence = f"One incident tells of {len(windows)} windows of impact with a gap between them: {pairs}."
            return [*doubts, Doubt("double_window", "impact_ended", sentence, pairs, place)]
        end = max(end, one.ended_at)
    return doubts


def _phases(updates: Sequence[_Update], told: Sequence[ToldWindow], place: str) -> dict[str, Moment]:
    phases: dict[str, Moment] = {}
    if told:
        sure = 0.95 if told[0].text == "impact_window" else 0.85
        start = min(one.started_at for one in told)
        phases["impact_started"] = _moment(start, sure, place, "The published window of impact begins", "published_window")
        ends = [one.ended_at for one in told]
        if all(ends):
            phases["impact_ended"] = _moment(max(ends), sure, place, "The published window of impact ends", "published_window")
    if len(updates) > 1:
        phases["declared"] = _moment(updates[0].at, 1.0, place, "The first update of the status page")
    for one in updates[1:-1]:
        phase = _PHASES.get(one.status)
        if phase and phase not in phases:
            phases[phase] = _moment(one.at, 0.7, place, _REASONS[phase])
    over = next((one for one in reversed(updates) if one.status in ("resolved", "completed")), None)
    if over is not None:
        # The time of a single update was set afterwards: it is when somebody says that it was, and begins nothing.
        sure, method = (1.0, "stated") if len(updates) > 1 else (0.5, "single_update")
        phases["resolved"] = _moment(over.at, sure, place, "The status page said that it was over", method)
    return phases


def _moment(at: datetime, sure: float, place: str, reason: str, method: str = "stated") -> Moment:
    return Moment(at, "minute", "import", method, sure, (place,), "UTC", f"{reason}.")


def _incident(
    record: Mapping[str, Any],
    incident_id: str,
    updates: Sequence[_Update],
    phases: dict[str, Moment],
    told: Sequence[ToldWindow],
    is_scheduled: bool,
) -> Incident:
    parts = record.get("components") or ()
    names = tuple(str(one.get("name", "")) if isinstance(one, Mapping) else str(one) for one in parts if one)
    kind = "scheduled" if is_scheduled else "backfilled" if len(updates) == 1 else "normal"
    windows = () if is_scheduled else tuple(ImpactWindow(one.started_at, one.ended_at, "import") for one in told if one.ended_at)
    return Incident(
        incident_id,
        str(record.get("title") or record.get("name") or incident_id),
        record.get("impact"),
        names[0] if names else None,
        names,
        updates[-1].status,
        kind,
        phases,
        windows,
        updates[-1].message or None,
        url=record.get("url") or record.get("shortlink"),
        origin="import",
    )


def _events(updates: Sequence[_Update], incident_id: str, url: str | None, place: str) -> tuple[Event, ...]:
    return tuple(
        Event(
            "import",
            f"{incident_id}:update:{number}",
            one.at,
            "people",
            "status_update",
            one.message or one.status.capitalize(),
            precision="minute",
            url=url,
            incident_id=incident_id,
            payload={"status": one.status, "place": place},
        )
        for number, one in enumerate(updates, start=1)
    )
