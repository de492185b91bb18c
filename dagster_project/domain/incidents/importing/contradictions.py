"""What a document says of its times that it says otherwise elsewhere: phases, rows, links, stated durations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dagster_project.domain.incidents.importing.model import Doubt, ImportedIncident, StatedDuration
from dagster_project.domain.incidents.importing.offsets import offsets
from dagster_project.domain.incidents.importing.reproduction import reproductions, spoken
from dagster_project.domain.incidents.importing.zones import zone_named
from dagster_project.domain.incidents.model import PHASES, Moment

_SLACK_LINK = re.compile(r"slack\.com/archives/\w+/p(\d{10})\d{6}\b")
_SURE = 0.7


def contradictions_of(imported: ImportedIncident) -> tuple[Doubt, ...]:
    """Two times for one phase, a row whose link to a message says another zone, a row days away from its neighbours, and stated
    durations that no times give."""
    return (*_stated_twice(imported), *_linked_zone(imported), *_rows_out_of_order(imported), *_durations(imported))


def _stated_twice(imported: ImportedIncident) -> Iterator[Doubt]:
    for phase, others in imported.others.items():
        chosen = imported.incident.phases[phase]
        for other in others:
            apart = abs(other.at - chosen.at)
            if min(chosen.confidence, other.confidence) < _SURE or apart <= timedelta(minutes=1):
                continue
            place = other.evidence[0] if other.evidence else None
            hours = apart / timedelta(hours=1)
            if other.zone != chosen.zone and hours == int(hours) and _wall(other) == _wall(chosen):
                zones = f"{other.zone} and in {chosen.zone}"
                sentence = f"{PHASES[phase]} is {_wall(other):%H:%M} in {zones}: one of them is {hours:g} h off."
                yield Doubt("zone_off", phase, sentence, chosen.at, place)
            else:
                sentence = f"{PHASES[phase]} is {_told(chosen)} in one place and {_told(other)} in another ({place})."
                yield Doubt("stated_twice", phase, sentence, other.at, place)


def _wall(moment: Moment) -> datetime:
    zone = zone_named(moment.zone)
    return zone.local(moment.at) if zone else moment.at


def _told(moment: Moment) -> str:
    return f"{_wall(moment):%Y-%m-%d %H:%M} {moment.zone}"


def _linked_zone(imported: ImportedIncident) -> Iterator[Doubt]:
    """A row that links to the message of its moment: the message's own clock tells whether the row's zone is right."""
    seen = [
        (one, _sent(one.payload.get("markdown") or one.text)) for one in imported.events if one.precision in ("second", "minute")
    ]
    apart = [(one, one.occurred_at - sent) for one, sent in seen if sent is not None]
    hours = [(one, round(gap / timedelta(hours=1)), gap) for one, gap in apart]
    off = [
        (one, count)
        for one, count, gap in hours
        if count and abs(count) <= 14 and abs(gap - timedelta(hours=count)) <= timedelta(minutes=6)
    ]
    if off and len(off) == len([one for one in hours if abs(one[2]) < timedelta(hours=15)]):
        event, count = off[0]
        sentence = (
            f"The row at {event.occurred_at:%Y-%m-%d %H:%M} ({event.zone}) links to a message that was sent {abs(count)} h "
            f"{'earlier' if count > 0 else 'later'}: its times are in another zone."
        )
        meant = event.occurred_at - timedelta(hours=count)
        yield Doubt("zone_off", None, sentence, meant, event.payload.get("place"))


def _sent(text: str) -> datetime | None:
    found = set(_SLACK_LINK.findall(text))
    return datetime.fromtimestamp(int(found.pop()), UTC).replace(tzinfo=None) if len(found) == 1 else None


def _rows_out_of_order(imported: ImportedIncident) -> Iterator[Doubt]:
    """Rows that are days away from the row above and the row below. A few minutes out of order are how people write."""
    rows = [one for one in imported.events if one.kind == "note" and one.precision in ("second", "minute")]
    for number, event in enumerate(rows[1:], start=1):
        before, after = rows[number - 1], rows[number + 1] if number + 1 < len(rows) else None
        is_back = event.occurred_at < before.occurred_at - timedelta(days=1)
        if is_back and (after is None or after.occurred_at > event.occurred_at + timedelta(days=1)):
            meant = datetime.combine(before.occurred_at.date(), event.occurred_at.time())
            sentence = f"The row at {event.occurred_at:%Y-%m-%d %H:%M} stands below one of {before.occurred_at:%Y-%m-%d %H:%M}."
            yield Doubt("order", None, sentence, meant, event.payload.get("place"))


def _durations(imported: ImportedIncident) -> Iterator[Doubt]:
    for stated, hit, nearest in reproductions(imported):
        if hit is not None:
            continue
        near = f"the nearest is {nearest.sentence()}" if nearest else "it gives no two times to compare"
        offset = _explained(stated, imported)
        if offset is not None:
            code, phase, words, meant = offset
            near += f"; it would fit if {phase.replace('_', ' ')} were {words} off, {meant:%Y-%m-%d %H:%M}"
            if code == "twelve_hours_off":
                name = stated.name.lower()
                sentence = f"{PHASES[phase]} at {meant:%Y-%m-%d %H:%M}, exactly 12 hours off, would give the stated {name}."
                yield Doubt(code, phase, sentence, meant, imported.places.get(phase, stated.place))
        sentence = f"{stated.name} is stated as {spoken(stated.minutes)}, which no pair of the document's times gives; {near}."
        ends = nearest.starts_at + timedelta(minutes=stated.minutes) if nearest and nearest.hours is None else None
        yield Doubt("stated_duration_differs", None, sentence, ends, stated.place)


def _explained(stated: StatedDuration, imported: ImportedIncident) -> tuple[str, str, str, datetime] | None:
    """(code, phase, how far, moment) where a phase that is off by twelve hours, a day, a month or a year explains a duration."""
    sure = {
        phase: one
        for phase, one in imported.incident.phases.items()
        if one.method == "stated" and one.precision in ("minute", "second")
    }
    for offset in offsets():
        for phase, moment in sure.items():
            meant = offset.apply(moment.at)
            others = [one.at for name, one in sure.items() if name != phase]
            if meant is not None and any(abs(meant - other) == timedelta(minutes=stated.minutes) for other in others):
                return offset.code, phase, offset.words, meant
    return None
