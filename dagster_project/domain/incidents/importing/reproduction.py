"""Whether a document's own times give the durations that it states, on the wall clock or on support hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise, product

from dagster_project.domain.incidents.importing.model import ImportedIncident, StatedDuration
from dagster_project.domain.incidents.importing.zones import Zone, zone_named

TOLERANCE_MINUTES = 0.6
"""How far a pair of times may be off: seconds that a document drops. A whole minute more would fit some pair by accident."""

_PAIRS: Mapping[str, tuple[str, str]] = {
    "ttd": ("impact_started", "detected"),
    "tta": ("detected", "acknowledged"),
    "ttm": ("impact_started", "mitigated"),
    "ttrep": ("detected", "impact_ended"),
    "ttres": ("declared", "resolved"),
    "ttrst": ("impact_started", "impact_ended"),
    "cid": ("impact_started", "impact_ended"),
}
_USUAL_HOURS = ((time(10), time(17)), (time(9), time(17)))
# Half hours in which a day of support may begin and end; tried only where several stated durations agree on one.
_BEGINNINGS = (time(9), time(9, 30), time(10), time(8, 30), time(8))
_ENDINGS = tuple(time(hour, minute) for hour in range(15, 19) for minute in (0, 30))
_MOST_DAYS = 120
_MOST_AGREED = 4


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A pair of times and what lies between them. ``hours`` are the support hours that were counted, None on the wall clock;
    ``start`` and ``end`` say in words what the times are."""

    start: str
    end: str
    minutes: float
    hours: str | None
    starts_at: datetime
    ends_at: datetime

    def sentence(self) -> str:
        """Such as "declared to resolved on support hours 10:00-17:00 is 5 h 9 min"."""
        clock = f"on support hours {self.hours}" if self.hours else "on the wall clock"
        return f"{self.start} to {self.end} {clock} is {spoken(self.minutes)}"


@dataclass(frozen=True, slots=True)
class _Point:
    at: datetime
    name: str


def spoken(minutes: float) -> str:
    """Minutes in words: 5 h 9 min."""
    whole = round(minutes)
    return f"{whole // 60} h {whole % 60} min" if whole >= 60 else f"{whole} min"


def reproductions(imported: ImportedIncident) -> tuple[tuple[StatedDuration, Reproduction | None, Reproduction | None], ...]:
    """Each stated duration with what reproduces it and what comes nearest: one of both is None, both where no times are known."""
    known = _phase_points(imported)
    found = [(one, _reproduced(one, imported, known)) for one in imported.stated]
    left = [one for one, hit in found if hit is None]
    by_hours = _agreed_hours(left, imported, known) if 1 < len(left) <= _MOST_AGREED else {}
    hits = [(one, hit or by_hours.get(number)) for number, (one, hit) in enumerate(found)]
    return tuple((one, hit, None if hit else _nearest(one, imported, known)) for one, hit in hits)


def _phase_points(imported: ImportedIncident) -> dict[str, _Point]:
    """The phases that the document says in words; what only follows from the order of rows reproduces nothing."""
    return {
        phase: _Point(moment.at, phase.replace("_", " "))
        for phase, moment in imported.incident.phases.items()
        if moment.method != "timeline_order" and moment.precision in ("second", "minute")
    }


def _reproduced(stated: StatedDuration, imported: ImportedIncident, known: Mapping[str, _Point]) -> Reproduction | None:
    pairs = list(_pairs(stated, imported, known))
    clocks: list[tuple[time, time] | None] = [None, *_hours_of(stated)]
    if stated.clock == "support_hours":
        clocks = [*_hours_of(stated), None]
    zone = _zone(imported)
    for hours in clocks:
        for start, end in pairs:
            found = _between(start, end, hours, zone)
            if found is not None and _fits(found, stated):
                return found
    return None


def _fits(found: Reproduction, stated: StatedDuration) -> bool:
    """Support hours that the document does not name count over nights alone: within a day a pair fits them by accident."""
    is_named = found.hours is None or found.hours == stated.hours or stated.clock == "support_hours"
    if not is_named and found.starts_at.date() == found.ends_at.date():
        return False
    return abs(found.minutes - stated.minutes) <= TOLERANCE_MINUTES


def _pairs(stated: StatedDuration, imported: ImportedIncident, known: Mapping[str, _Point]) -> Iterator[tuple[_Point, _Point]]:
    """Pairs of times in the order in which they are believed: those of the definition, other phases, then rows where the document
    has no key times of its own. Rows count from the beginning alone: among many rows any number is the distance of some two."""
    definition = _PAIRS.get(stated.metric_id or "")
    if definition and definition[0] in known and definition[1] in known:
        yield known[definition[0]], known[definition[1]]
    points = sorted(known.values(), key=lambda one: one.at)
    yield from ((start, end) for number, start in enumerate(points) for end in points[number + 1 :])
    if any(moment.method == "stated" for moment in imported.incident.phases.values()):
        return
    rows = sorted(
        (
            _Point(one.occurred_at, f"the row at {one.occurred_at:%H:%M}")
            for one in imported.events
            if one.precision in ("second", "minute")
        ),
        key=lambda one: one.at,
    )
    starts = [known[phase] for phase in ("impact_started", "detected") if phase in known] or rows[:1]
    yield from ((start, end) for start in starts for end in rows if end.at >= start.at)


def _agreed_hours(
    left: Sequence[StatedDuration], imported: ImportedIncident, known: Mapping[str, _Point]
) -> dict[int, Reproduction]:
    """Support hours that explain all durations that nothing else does, by their place in ``imported.stated``.

    One duration fits some hours by accident; several that agree do not.
    """
    zone, places = _zone(imported), [number for number, one in enumerate(imported.stated) if one in left]
    pairs = [list(_pairs(one, imported, known)) for one in left]
    for hours in product(_BEGINNINGS, _ENDINGS):
        hits = [_first_hit(one, options, hours, zone) for one, options in zip(left, pairs, strict=True)]
        if all(hits) and all(hit.ends_at - hit.starts_at > timedelta(days=1) for hit in hits):
            return dict(zip(places, hits, strict=True))
    return {}


def _first_hit(
    stated: StatedDuration, pairs: Sequence[tuple[_Point, _Point]], hours: tuple[time, time], zone: Zone
) -> Reproduction | None:
    found = (_between(start, end, hours, zone) for start, end in pairs)
    return next((one for one in found if one and _fits(one, stated)), None)


def _nearest(stated: StatedDuration, imported: ImportedIncident, known: Mapping[str, _Point]) -> Reproduction | None:
    zone = _zone(imported)
    clocks = [None, *_hours_of(stated)] if stated.clock == "support_hours" else [None]
    found = [
        one for start, end in _pairs(stated, imported, known) for hours in clocks if (one := _between(start, end, hours, zone))
    ]
    return min(found, key=lambda one: (abs(one.minutes - stated.minutes), one.hours is not None), default=None)


def _hours_of(stated: StatedDuration) -> tuple[tuple[time, time], ...]:
    if stated.hours is None:
        return () if stated.clock == "wall" else _USUAL_HOURS
    try:
        begins, ends = (time.fromisoformat(part) for part in stated.hours.split("-"))
    except ValueError:
        return _USUAL_HOURS
    return ((begins, ends),) if begins < ends else _USUAL_HOURS


def _between(start: _Point, end: _Point, hours: tuple[time, time] | None, zone: Zone) -> Reproduction | None:
    if end.at < start.at:
        return None
    if hours is None:
        minutes = (end.at - start.at).total_seconds() / 60
        return Reproduction(start.name, end.name, minutes, None, start.at, end.at)
    if end.at - start.at > timedelta(days=_MOST_DAYS):
        return None
    minutes = _support_minutes(zone.local(start.at), zone.local(end.at), hours)
    return Reproduction(start.name, end.name, minutes, f"{hours[0]:%H:%M}-{hours[1]:%H:%M}", start.at, end.at)


def _support_minutes(start: datetime, end: datetime, hours: tuple[time, time]) -> float:
    """Minutes of Monday to Friday between two wall clock times that lie in the support hours."""
    edges = [start]
    edges += [
        datetime.combine(start.date() + timedelta(days=day), edge)
        for day in range((end.date() - start.date()).days + 1)
        for edge in hours
    ]
    edges = sorted(edge for edge in [*edges, end] if start <= edge <= end)
    parts = ((one, other) for one, other in pairwise(edges) if one.weekday() < 5 and hours[0] <= one.time() < hours[1])
    return sum((other - one).total_seconds() for one, other in parts) / 60


def _zone(imported: ImportedIncident) -> Zone:
    return zone_named(imported.zone) or zone_named("UTC")
