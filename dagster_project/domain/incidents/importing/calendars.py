"""Which moment of time a written moment is: the missing day, year and zone come from what stands around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_project.domain.incidents.importing.day_orders import DayOrder
from dagster_project.domain.incidents.importing.moments import Day, Written, at, next_day
from dagster_project.domain.incidents.importing.zones import Zone, zone_named

# A time that is this much earlier than the row above belongs to the next day; less is a row out of order.
_ROLLS_OVER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Found:
    """A written moment in time. ``at``, ``until``, ``other`` (by the letter of the zone's name) and ``second`` (after the clocks
    went back) are naive UTC; ``at`` is None where no day is known. ``is_likely``: the date is impossible, and this is the day
    that may be meant."""

    at: datetime | None
    precision: str
    zone: str
    until: datetime | None = None
    other: datetime | None = None
    is_likely: bool = False
    rolled_over: bool = False
    second: datetime | None = None


class Calendar:
    """Reads moments in the order of a document: headings give the day, a time after midnight is of the next one."""

    def __init__(self, reference: date | None, zone: Zone, order: DayOrder | None = None) -> None:
        self.reference = reference
        self.zone = zone
        self._order = order or DayOrder()
        self.uses_order = False
        self._day = reference
        self._last: datetime | None = None

    def restart(self) -> None:
        """Another timeline begins: it starts on the document's day again."""
        self._day, self._last = self.reference, None

    def turn_to(self, day: Day) -> bool:
        """A heading that is a day: what follows is of it. False where there is no such day."""
        found = self._settled(day).on(self._day or self.reference)
        if found is None:
            return False
        self._day, self._last = found, None
        return True

    def find(self, written: Written, *, moves: bool = True) -> Found:
        """The moment that is meant. ``moves``: the next row follows this one."""
        zone = (zone_named(written.zone) if written.zone else None) or self.zone
        day, rolled = self._day_of(written)
        if day is None:
            return Found(None, "unknown", zone.name)
        local = at(day, written.clock)
        # A time below a later one of its day, in the hour that comes twice: it may be the second time.
        is_earlier = moves and self._last is not None and self._last.date() == day and local < self._last
        if moves and written.fault != "impossible_date":
            self._day = day
            self._last = local if written.clock is not None else self._last
        # A day is a day wherever the reader is: it is not moved by a zone.
        has_time = written.clock is not None
        return Found(
            _utc(zone, local) if has_time else local,
            written.precision,
            zone.name,
            self._until(written, local, zone),
            zone.other_reading(local) if has_time else None,
            written.day is None and written.likely is not None,
            rolled,
            zone.second_reading(local) if has_time and is_earlier else None,
        )

    def _day_of(self, written: Written) -> tuple[date | None, bool]:
        if written.day is not None or written.likely is not None:
            return self._settled(written.day or written.likely).on(self._day or self.reference), False
        if written.fault == "impossible_date" or self._day is None or written.clock is None:
            return None, False
        if self._last is not None and at(self._day, written.clock) < self._last - _ROLLS_OVER:
            return next_day(self._day), True
        return self._day, False

    def _settled(self, day: Day) -> Day:
        """A day in the document's order; ``uses_order`` is True once another order would have made another day of one."""
        self.uses_order = self.uses_order or day.is_swappable
        return self._order.settled(day)

    def _until(self, written: Written, local: datetime, zone: Zone) -> datetime | None:
        if written.until is None:
            return None
        day = self._settled(written.until_day).on(local.date()) if written.until_day else local.date()
        if day is None:
            return None
        until = at(day, written.until)
        return _utc(zone, until if until >= local or written.until_day else until + timedelta(days=1))


def _utc(zone: Zone, local: datetime) -> datetime:
    try:
        return zone.utc(local)
    except OverflowError:
        return local
