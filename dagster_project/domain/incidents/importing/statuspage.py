"""Incidents of a public status page: timestamped updates, and the window of impact that was published afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.importing.follow_ups import links_in
from dagster_project.domain.incidents.importing.iso_times import utc_of
from dagster_project.domain.incidents.importing.model import Doubt, ImportedIncident, Problem
from dagster_project.domain.incidents.importing.windows import ToldWindow, windows_told
from dagster_project.domain.incidents.importing.zones import Zone, zone_named
from dagster_project.domain.incidents.model import ENDED_STATUSES, OPEN_STATUSES, ImpactWindow, Incident, Moment

_MAINTENANCE = frozenset({"scheduled", "in progress", "in_progress", "verifying", "completed"})
_UTC: Zone = zone_named("UTC")
# What says that customers feel it still, or again.
_AGAIN = OPEN_STATUSES - {"monitoring", "mitigated"}
_OVER = frozenset({"resolved", "completed"})
_SAID = OPEN_STATUSES | ENDED_STATUSES
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
    """A time in ISO 8601 as naive UTC, known to the minute; None where it is none. What says no zone is UTC on a status page."""
    try:
        at, precision = utc_of(value, _UTC)
        return at if precision in ("second", "minute") else None
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
        if end is None and published.get("end_at") is not None:
            problems.append(Problem(file, line, f"The impact window of {record.get('id')} has no end that can be read."))
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
    if not _is_afterwards(updates):
        phases["declared"] = _moment(updates[0].at, 1.0, place, "The first update of the status page")
    known, over = next((one for one in updates[1:] if one.status == "identified"), None), _over(updates)
    for phase, one in (("identified", known), ("mitigated", _monitored(updates))):
        if one is not None:
            phases[phase] = _moment(one.at, 0.7, place, _REASONS[phase])
    if _status(updates) in OPEN_STATUSES:
        phases.pop("impact_ended", None)
    if over is not None:
        # The time of a single update was set afterwards: it is when somebody says that it was, and begins nothing.
        sure, method = (1.0, "stated") if len(updates) > 1 else (0.5, "single_update")
        phases["resolved"] = _moment(over.at, sure, place, "The status page said that it was over", method)
    return phases


def _is_afterwards(updates: Sequence[_Update]) -> bool:
    """Whether all that was published is one update that says that it is over: nobody was told while it went on."""
    return len(updates) == 1 and updates[0].status in ENDED_STATUSES


def _status(updates: Sequence[_Update]) -> str:
    """The last status that says whether it goes on; a mere update says nothing of it."""
    return next((one.status for one in reversed(updates) if one.status in _SAID), updates[-1].status)


def _monitored(updates: Sequence[_Update]) -> _Update | None:
    """The update that went over to monitoring a fix, after the last one that says that customers feel it still, or again."""
    return next((one for one in _after(updates, _AGAIN) if one.status == "monitoring"), None)


def _over(updates: Sequence[_Update]) -> _Update | None:
    """The last update that says that it is over, None where it went on afterwards."""
    rest = updates if len(updates) == 1 else _after(updates, OPEN_STATUSES)
    return next((one for one in reversed(rest) if one.status in _OVER), None)


def _after(updates: Sequence[_Update], statuses: frozenset[str]) -> Sequence[_Update]:
    """The updates after the first one and after the last one of some statuses."""
    return updates[max((number for number, one in enumerate(updates) if one.status in statuses), default=0) + 1 :]


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
    kind = "scheduled" if is_scheduled else "backfilled" if _is_afterwards(updates) else "normal"
    windows = () if is_scheduled else tuple(ImpactWindow(one.started_at, one.ended_at, "import") for one in told if one.ended_at)
    return Incident(
        incident_id,
        str(record.get("title") or record.get("name") or incident_id),
        record.get("impact"),
        names[0] if names else None,
        names,
        _status(updates),
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
