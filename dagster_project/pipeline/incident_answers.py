"""Incidents on the command line: what there is, one of them with its timeline, and a person's word on a phase."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dagster_project.actions import incident_store
from dagster_project.domain.incidents.anomalies import Anomaly
from dagster_project.domain.incidents.model import PHASES, Incident, not_counted_because
from dagster_project.domain.incidents.phases import CAUSED_BY, NAMED
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.errors import InputError
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.incident_records import Timeline, timelines
from dagster_project.pipeline.incidents import Known, known_now, this_moment
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.postmortem import with_texts
from dagster_project.settings import Settings

_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d(?:[T ](?P<clock>\d\d:\d\d(?P<seconds>:\d\d(?:\.\d{1,6})?)?)(?:Z|[+-]\d\d:?\d\d)?)?")
_FURTHEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident of a list. Times are naive UTC; ``counts``: None, or why it is left out of metrics."""

    incident_id: str
    title: str
    severity: str | None
    service: str | None
    status: str | None
    kind: str
    origin: str
    started_at: datetime | None
    ended_at: datetime | None
    not_counted_because: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=str)


def listed(runtime: Runtime) -> list[Listed]:
    """Every incident that is known now, the newest first; those of which no time is known come last."""
    _, known = known_now(runtime)
    redactor = redactor_of(runtime.settings, [each.incident for each in known.values()])
    rows = [_listed(each, redactor) for each in known.values()]
    return sorted(rows, key=lambda row: (row.started_at is None, _newest(row.started_at), row.incident_id))


def _newest(at: datetime | None) -> float:
    return 0.0 if at is None else -at.replace(tzinfo=UTC).timestamp()


def _listed(known: Known, redactor: Redactor) -> Listed:
    incident = known.incident
    return Listed(
        incident.incident_id,
        redactor.text(incident.title),
        incident.severity,
        incident.service,
        incident.status,
        incident.kind,
        incident.origin,
        known.started_at,
        known.ended_at,
        not_counted_because(incident),
    )


@dataclass(frozen=True)
class Shown:
    """One incident with its phases, its timeline and the anomalies of its times; redacted."""

    incident: Incident
    timeline: Timeline
    anomalies: tuple[Anomaly, ...]

    def to_json(self) -> str:
        """One object: the incident, its phases with candidates, its timeline and anomalies."""
        found = {
            "incident": {**asdict(self.incident), "not_counted_because": not_counted_because(self.incident)},
            "phases": {choice.phase: _told(choice.candidates, choice.chosen) for choice in self.timeline.choices},
            "timeline": [asdict(entry) for entry in self.timeline.entries],
            "anomalies": [asdict(anomaly) for anomaly in self.anomalies],
        }
        return json.dumps(found, ensure_ascii=False, default=str)


def _told(candidates: Iterable[Any], chosen: Any) -> list[dict[str, Any]]:
    return [{**asdict(moment), "is_chosen": moment == chosen} for moment in candidates]


def shown(runtime: Runtime, incident_id: str) -> Shown:
    """One incident as it is known now, with picks of this moment. Raises ``InputError`` where nothing is known of it."""
    day, known = known_now(runtime)
    each = _one(known, incident_id)
    timeline = next(timelines(runtime, {incident_id: each}, day or _last_day(runtime)))
    found = each.anomalies(this_moment(runtime))
    return redacted(Shown(each.incident, timeline, found), redactor_of(runtime.settings, [each.incident], [timeline]))


def _last_day(runtime: Runtime) -> date:
    return (runtime.now - timedelta(days=1)).date()


def _one(known: Mapping[str, Known], incident_id: str) -> Known:
    if incident_id not in known:
        raise InputError(f"Nothing is known of an incident {incident_id}; 'nightshift incidents list' lists those that are.")
    return known[incident_id]


def redactor_of(settings: Settings, incidents: Sequence[Incident], found: Iterable[Timeline] = ()) -> Redactor:
    """What takes names and secrets out of anything about these incidents: it knows the people who act in them, those who imported
    action items were given to, and those whom their texts name."""
    timelines_of = tuple(found)
    names = {*settings.incidents.names, *(each.commander for each in incidents if each.commander)}
    names |= {entry.actor for timeline in timelines_of for entry in timeline.entries if entry.actor}
    names |= {owner for timeline in timelines_of for owner in _owners(timeline.known)}
    texts = [text for each in incidents for text in (each.title, each.summary) if text]
    texts += [entry.text for timeline in timelines_of for entry in timeline.entries]
    texts += [moment.reason for timeline in timelines_of for choice in timeline.choices for moment in choice.candidates]
    return Redactor(sorted(names), settings.incidents.name_salt).with_people_of(texts)


def _owners(known: Known) -> Iterator[str]:
    for item in known.imported.action_items if known.imported is not None else ():
        if item.owner:
            yield item.owner


def redacted(found: Shown, redactor: Redactor) -> Shown:
    """Without names and secrets: people by their roles, and the redactor over every text that is shown, ids and links as well.
    Times, codes and names of phases are no texts that it changes."""
    commander = found.incident.commander
    incident = replace(found.incident, commander=redactor.person(commander, "commander") if commander else None)
    entries = tuple(
        replace(entry, actor=redactor.person(entry.actor) if entry.actor else None, payload={})
        for entry in found.timeline.entries
    )
    clean = redactor.text
    timeline = Timeline(found.timeline.known, with_texts(found.timeline.choices, clean), with_texts(entries, clean))
    return Shown(with_texts(incident, clean), timeline, with_texts(found.anomalies, clean))


@dataclass(frozen=True, slots=True)
class Picked:
    """What a pick changed: the phase before and after; None = unknown."""

    phase: str
    before: datetime | None
    after: datetime | None


def pick(runtime: Runtime, incident_id: str, phase: str, text: str | None, reason: str, zone: str | None) -> Picked:
    """Notes when a phase really began, or with ``text`` None takes an earlier pick back. Raises ``InputError`` for a phase that
    does not exist, a time that cannot be read, one far from the incident or in the future, or an empty reason."""
    name = phase.lower().replace("-", "_").removesuffix("_at")
    if name not in NAMED:
        raise InputError(f"{phase} is no phase; the phases are {', '.join((*PHASES, CAUSED_BY))}.")
    if not reason.strip():
        raise InputError("A reason is needed, so that others know in a year why this time is right: --reason TEXT.")
    known = _one(known_now(runtime)[1], incident_id)
    before = _chosen(runtime, incident_id, name)
    at, precision = (None, "unknown") if text is None else _read(text, known, zone or runtime.settings.incidents.zone)
    if at is not None:
        _check(at, known, runtime.now.replace(tzinfo=None))
    word = incident_store.Pick(incident_id, name, at, precision, reason.strip(), user_of_this_process())
    in_state(runtime, lambda connection: incident_store.add_pick(connection, word, runtime.now), is_new=True)
    return Picked(name, before, _chosen(runtime, incident_id, name))


def _chosen(runtime: Runtime, incident_id: str, phase: str) -> datetime | None:
    moment = shown(runtime, incident_id).timeline.phases.get(phase)
    return None if moment is None else moment.at


def _read(text: str, known: Known, zone: str) -> tuple[datetime, str]:
    """A time as somebody types it: ISO 8601, or hours and minutes of the day on which the incident began in ``zone``."""
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(f"{zone} is no time zone that this machine knows; write it like Europe/London.") from None
    words = text.strip()
    if _CLOCK.fullmatch(words):
        if known.started_at is None:
            raise InputError(f"No day of {known.incident.incident_id} is known; give the day too: 2025-03-03 {words}.")
        words = f"{known.started_at.replace(tzinfo=UTC).astimezone(local):%Y-%m-%d} {words.zfill(5)}"
    found = _WRITTEN.fullmatch(words)
    try:
        at = datetime.fromisoformat(words) if found else None
    except ValueError:
        at = None
    if at is None or found is None:
        raise InputError(f"{text} is no time; write it like 2025-03-03 08:14, 2025-03-03T08:14:05+01:00 or 08:14.")
    if at.tzinfo is None:
        at = at.replace(tzinfo=local)
        if at.astimezone(UTC).astimezone(local).replace(tzinfo=None) != at.replace(tzinfo=None):
            raise InputError(f"{text} does not exist in {zone}, where the clocks were put forward; correct the time.")
    precision = "day" if found["clock"] is None else "second" if found["seconds"] else "minute"
    return at.astimezone(UTC).replace(tzinfo=None), precision


def _check(at: datetime, known: Known, now: datetime) -> None:
    if at > now:
        raise InputError(f"{at:%Y-%m-%d %H:%M} UTC has not come yet; correct the time or its zone.")
    started = known.started_at
    if started is not None and abs(at - started) > _FURTHEST and (known.ended_at is None or abs(at - known.ended_at) > _FURTHEST):
        raise InputError(
            f"{at:%Y-%m-%d %H:%M} UTC is more than {_FURTHEST.days} days from {known.incident.incident_id}, "
            f"which began on {started:%Y-%m-%d %H:%M}; correct the date."
        )
