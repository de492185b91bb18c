"""Times that cannot be right, each with a sentence and what may be meant. They are listed, never corrected.

A repair before the declaration is legal, and so is a resolution before it: it was repaired first and declared afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dagster_project.domain.incidents.importing.contradictions import contradictions_of
from dagster_project.domain.incidents.importing.model import ImportedIncident
from dagster_project.domain.incidents.importing.moments import at as at_midnight
from dagster_project.domain.incidents.importing.moments import moments_in
from dagster_project.domain.incidents.importing.offsets import end_offset, lone_offsets, offsets, window_offset, year_offsets
from dagster_project.domain.incidents.model import PHASES, Incident, Moment

CODES: Mapping[str, str] = {
    "twelve_hours_off": "off by exactly twelve hours (AM and PM)",
    "day_off": "off by exactly one day",
    "month_off": "off by a month",
    "year_off": "off by a year",
    "zone_off": "off by whole hours, as a zone taken for another",
    "zone_ambiguous": "a zone's name that two offsets may be meant by",
    "date_ambiguous": "dates in numbers that two orders of day and month may be meant by",
    "order": "phases in an order that cannot be",
    "single_update": "a single update, so no duration",
    "double_window": "two windows of impact written as one",
    "duplicate_window": "one window of impact written twice",
    "zero_duration": "a beginning and an end at one moment",
    "negative_window": "a window that ends before it begins",
    "stated_duration_differs": "a stated duration that the times do not give",
    "stated_twice": "two times for one phase",
    "impossible_date": "a date or time that does not exist",
    "future": "a time that has not come yet",
}
"""What can be wrong, by code."""

# What cannot be: the second before the first. Declared stands in none of them with repaired or resolved: that order is legal.
_IN_ORDER = (
    ("impact_started", "impact_ended"), ("impact_started", "resolved"), ("impact_started", "mitigated"),
    ("impact_started", "closed"),
    ("detected", "acknowledged"), ("detected", "resolved"), ("detected", "closed"), ("detected", "mitigated"),
    ("detected", "impact_ended"), ("declared", "closed"), ("resolved", "closed"), ("acknowledged", "closed"),
)  # fmt: skip
_SLACK = {"second": timedelta(0), "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_SURE = 0.7
_FAR = timedelta(days=20)
# What passed by itself may be noticed afterwards.
_FOUND_LATE = timedelta(hours=6)
# How near a shifted phase must be to another one: it may be a resolution weeks later.
_LIMITS = {"month_off": timedelta(hours=12), "year_off": timedelta(days=60)}
_OF_A_TITLE = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something about an incident's times.

    ``code`` is one of ``CODES``; ``suggestion``: the moment that may be meant (naive UTC), or windows as text; ``place``: file
    and line, None where the incident comes from a table.
    """

    code: str
    incident_id: str
    phase: str | None
    sentence: str
    suggestion: datetime | str | None = None
    place: str | None = None


def anomalies_of(imported: ImportedIncident, *, now: datetime | None = None) -> tuple[Anomaly, ...]:
    """What is wrong with the times of an imported incident: its phases, its windows, its rows, and what it states of them.

    ``now`` is as for ``incident_anomalies``.
    """
    incident = imported.incident
    found = list(incident_anomalies(incident, now=now))
    found += [
        Anomaly(one.code, incident.incident_id, one.phase, one.sentence, one.suggestion, one.place)
        for one in (*imported.doubts, *contradictions_of(imported))
    ]
    placed = [one if one.place else replace(one, place=imported.places.get(one.phase or "")) for one in found]
    return tuple(dict.fromkeys(placed))


def incident_anomalies(incident: Incident, *, now: datetime | None = None) -> tuple[Anomaly, ...]:
    """What is wrong with an incident's phases and windows. ``now`` (naive UTC) is what is later than is of the future."""
    found: list[Anomaly] = []
    if incident.kind == "scheduled":
        return ()
    if incident.kind == "backfilled" and "declared" not in incident.phases and "resolved" in incident.phases:
        sentence = "A single update says that it is over: how long it took is not known, which is not zero."
        found.append(Anomaly("single_update", incident.incident_id, "resolved", sentence))
    found += _windows(incident)
    off = list(_far_off(incident))
    found += off
    alone = list(_alone(incident, {one.phase for one in found}))
    found += alone
    found += _orders(incident, {one.phase for one in (*off, *alone)})
    found += _zero(incident)
    found += _future(incident, now)
    # A window of impact is two phases as well, and what is wrong with it is said once.
    once: dict[tuple[str, str | None, object], Anomaly] = {}
    for one in found:
        once.setdefault((one.code, one.phase, one.suggestion or one.sentence), one)
    return tuple(once.values())


def _windows(incident: Incident) -> Iterator[Anomaly]:
    span = _span(incident)
    for number, window in enumerate(incident.windows):
        told = f"The window of impact {window.started_at:%Y-%m-%d %H:%M}"
        if window.ended_at is not None:
            told += f" to {window.ended_at:%Y-%m-%d %H:%M}"
        if window.ended_at is not None and window.ended_at < window.started_at:
            yield Anomaly("negative_window", incident.incident_id, "impact_ended", f"{told} ends before it begins.")
        elif window.ended_at == window.started_at:
            yield Anomaly("zero_duration", incident.incident_id, "impact_ended", f"{told} begins and ends at one moment.")
        elif span is not None:
            yield from _window_off(incident, told, window.started_at, window.ended_at, *span)
        if window in incident.windows[:number]:
            yield Anomaly("duplicate_window", incident.incident_id, "impact_started", f"{told} is written twice.")
    start = incident.phases.get("impact_started")
    if (
        not incident.windows
        and start is not None
        and "impact_ended" not in incident.phases
        and span is not None
        and start.method == "published_window"
    ):
        yield from _window_off(incident, f"The beginning of impact {start.at:%Y-%m-%d %H:%M}", start.at, None, *span)


def _span(incident: Incident) -> tuple[datetime, datetime] | None:
    """(first, last) that people reported. Of a single update both are its time, which somebody set afterwards."""
    first = min((at for at in (incident.at("detected"), incident.at("declared")) if at is not None), default=None)
    last = incident.at("resolved") or incident.at("closed")
    if incident.kind == "backfilled" and first is None and last is not None:
        return last, last + timedelta(hours=3)
    return (first, last) if first is not None and last is not None and first <= last else None


def _window_off(
    incident: Incident, told: str, start: datetime, end: datetime | None, first: datetime, last: datetime
) -> Iterator[Anomaly]:
    offset = window_offset(start, end, first, last)
    # The time of a single update was set afterwards: it is too loose to say that one end alone is off.
    one_end = end_offset(start, end, first, last) if incident.kind != "backfilled" else None
    if offset is not None:
        one, moved, until = offset
        meant = f"{moved:%Y-%m-%d %H:%M}" + (f" to {until:%Y-%m-%d %H:%M}" if until else "")
        sentence = (
            f"{told} does not touch the incident, reported {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}; "
            f"it is off by {one.words}: {meant} fits."
        )
        yield Anomaly(one.code, incident.incident_id, "impact_started", sentence, meant if until else moved)
    elif one_end is not None:
        one, phase, moved = one_end
        which = "begins too early" if phase == "impact_started" else "ends too late"
        sentence = (
            f"{told} {which} for the incident, reported {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, by {one.words}: "
            f"{moved:%Y-%m-%d %H:%M} fits."
        )
        yield Anomaly(one.code, incident.incident_id, phase, sentence, moved)
    elif start > last:
        sentence = f"{told} begins after the incident was over ({last:%Y-%m-%d %H:%M})."
        yield Anomaly("order", incident.incident_id, "impact_started", sentence)


def _judged(incident: Incident) -> dict[str, Moment]:
    """The phases that are known well enough to judge.

    A published window is judged as a whole, and the time of a single update was set afterwards: it begins and ends nothing.
    """
    return {
        phase: moment
        for phase, moment in incident.phases.items()
        if moment.method not in ("published_window", "single_update")
        and (moment.confidence >= _SURE or moment.method in ("stated", "picked"))
        and moment.precision != "unknown"
    }


def _titled_day(incident: Incident) -> datetime | None:
    """The day that the incident's title or id names: it outweighs a time in the text."""
    for text in (incident.title[:300], incident.incident_id[:300]):
        for written in moments_in(text):
            day = written.day.on(None) if written.day is not None else None
            if day is not None:
                return at_midnight(day, None)
    return None


def _far_off(incident: Incident) -> Iterator[Anomaly]:
    """Phases that are weeks away from all others, where a month or a year puts them among those. A closing may come late."""
    judged, day = _judged(incident), _titled_day(incident)
    for phase, moment in judged.items():
        others = [one.at for name, one in judged.items() if name != phase]
        is_on_day = day is not None and abs(moment.at - day) <= _OF_A_TITLE
        if phase == "closed" or not others or is_on_day or min(abs(one - moment.at) for one in others) <= _FAR:
            continue
        nearest = min(others, key=lambda one: abs(one - moment.at))
        for one in (*offsets(), *year_offsets(moment.at, nearest)):
            at, limit = one.apply(moment.at), _LIMITS.get(one.code)
            if limit is not None and at is not None and min(abs(other - at) for other in others) <= limit:
                yield _offset(incident, phase, moment, one.code, one.words, at)
                break


def _alone(incident: Incident, known: set[str | None]) -> Iterator[Anomaly]:
    """One end of an incident that is half a day or a day away from all its other times."""
    exact = {phase: one.at for phase, one in _judged(incident).items() if one.precision in ("second", "minute")}
    for one, phase, moved in lone_offsets(exact):
        if phase not in known:
            yield _offset(incident, phase, incident.phases[phase], one.code, one.words, moved)


def _offset(incident: Incident, phase: str, moment: Moment, code: str, words: str, at: datetime) -> Anomaly:
    sentence = f"{PHASES[phase]} is {moment.at:%Y-%m-%d %H:%M}; {words} off: {at:%Y-%m-%d %H:%M} fits the other times."
    return Anomaly(code, incident.incident_id, phase, sentence, at)


def _orders(incident: Incident, explained: set[str | None]) -> Iterator[Anomaly]:
    """Pairs in an order that cannot be: with the phase that twelve hours or a day put right, else as they are."""
    moments = {phase: moment for phase, moment in _judged(incident).items() if phase not in explained}
    while fitting := _fitting(moments):
        _, _, phase, code, words, at = min(fitting)
        yield _offset(incident, phase, moments[phase], code, words, at)
        moments[phase] = replace(moments[phase], at=at)
    for first, second in _IN_ORDER:
        if _reversed(moments, first, second):
            one, other = moments[first], moments[second]
            sentence = (
                f"{PHASES[second]} ({other.at:%Y-%m-%d %H:%M}) is before {PHASES[first].lower()} ({one.at:%Y-%m-%d %H:%M})."
            )
            yield Anomaly("order", incident.incident_id, second, sentence)


def _fitting(moments: Mapping[str, Moment]) -> list[tuple[int, timedelta, str, str, str, datetime]]:
    """(minus the pairs put right, distance to the other times, phase, code, words, moment) of each shift of one phase that leaves
    it in order, and nearer to the phase that it was before than it is now."""
    found = []
    for phase, moment in moments.items():
        wrong = _partners(moments, phase)
        for one in offsets() if wrong else ():
            at = one.apply(moment.at) if one.code in ("twelve_hours_off", "day_off") else None
            if at is None or _partners({**moments, phase: replace(moment, at=at)}, phase):
                continue
            others = [other.at for name, other in moments.items() if name != phase]
            if min(abs(moments[name].at - at) for name in wrong) < max(abs(moments[name].at - moment.at) for name in wrong):
                distance = sum((abs(other - at) for other in others), timedelta())
                found.append((-len(wrong), distance, phase, one.code, one.words, at))
    return found


def _partners(moments: Mapping[str, Moment], phase: str) -> list[str]:
    """The phases that stand in an impossible order with one."""
    return [
        first if second == phase else second
        for first, second in _IN_ORDER
        if phase in (first, second) and _reversed(moments, first, second)
    ]


def _reversed(moments: Mapping[str, Moment], first: str, second: str) -> bool:
    one, other = moments.get(first), moments.get(second)
    if one is None or other is None:
        return False
    slack = max(_SLACK.get(one.precision, timedelta(days=1)), _SLACK.get(other.precision, timedelta(days=1)))
    if (first, second) == ("detected", "impact_ended"):
        slack = max(slack, _FOUND_LATE)
    return other.at < one.at - slack


def _zero(incident: Incident) -> Iterator[Anomaly]:
    first, last = incident.phases.get("declared"), incident.phases.get("resolved")
    if (
        first is None
        or last is None
        or first.at != last.at
        or first.precision == "day"
        or incident.at("detected") not in (None, last.at)
    ):
        return
    sentence = f"Declared and resolved are both {first.at:%Y-%m-%d %H:%M}: how long it took is not known, which is not zero."
    yield Anomaly("zero_duration", incident.incident_id, "resolved", sentence)


def _future(incident: Incident, now: datetime | None) -> Iterator[Anomaly]:
    for phase, moment in incident.phases.items():
        if now is not None and moment.at > now + timedelta(days=1):
            sentence = f"{PHASES[phase]} is {moment.at:%Y-%m-%d %H:%M}, which has not come yet."
            yield Anomaly("future", incident.incident_id, phase, sentence)
