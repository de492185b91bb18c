"""Typing errors of a time that a whole offset undoes: twelve hours, a day, a month, a year, a zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_HALF_DAY = timedelta(hours=12)
_NEAR = timedelta(hours=3)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Offset:
    """A shift that was tried. ``code`` is the anomaly's; ``words`` say how far the time is off."""

    code: str
    words: str
    apply: Callable[[datetime], datetime | None]


def offsets() -> Iterator[Offset]:
    """The shifts in the order in which they are believed: the exact ones first, whole hours of a zone last."""
    for sign in (1, -1):
        yield Offset("twelve_hours_off", "exactly 12 hours", _by(_HALF_DAY * sign))
    for sign in (1, -1):
        yield Offset("day_off", "exactly one day", _by(timedelta(days=sign)))
    for months in (1, -1, 2, -2):
        yield Offset("month_off", "one month" if abs(months) == 1 else "two months", _by_months(months))
    for years in (1, -1):
        yield Offset("year_off", "exactly one year", _by_months(12 * years))


def hour_offsets() -> Iterator[Offset]:
    """Shifts by whole hours, as a zone that was mistaken for another gives them."""
    for hours in range(1, 12):
        for sign in (1, -1):
            yield Offset("zone_off", f"{hours} hour{'s' if hours > 1 else ''}", _by(_HOUR * hours * sign))


def window_offset(
    start: datetime, end: datetime | None, first: datetime, last: datetime
) -> tuple[Offset, datetime, datetime | None] | None:
    """(offset, start, end) that puts a window of impact where an incident from ``first`` to ``last`` needs it, else None.

    A window is well when it touches the incident, or ends up to three hours before the first report. A shifted one must begin by
    half an hour after the first report, end after the hour before it, and by three hours after the last; one that begins within
    half an hour of the first report may end whenever it likes.
    """
    if start <= last and (end or start) >= first - (_NEAR if end else timedelta(days=3)):
        return None
    best = next((found for one in offsets() if (found := _fitted(one, start, end, first, last))), None)
    if best is not None:
        return best
    if start <= last:
        return None
    by_hours = [found for one in hour_offsets() if (found := _fitted(one, start, end, first, last))]
    # Impact begins before the first report in nine of ten incidents.
    return max(by_hours, key=lambda found: (found[1] <= first, _overlap(found[1], found[2], first, last)), default=None)


def _fitted(
    one: Offset, start: datetime, end: datetime | None, first: datetime, last: datetime
) -> tuple[Offset, datetime, datetime | None] | None:
    moved, until = one.apply(start), one.apply(end) if end else None
    if moved is None or (end is not None and until is None):
        return None
    finish = until or moved
    begins = first - timedelta(days=1) <= moved <= first + _HOUR / 2
    is_exact = abs(moved - first) <= _HOUR / 2
    ends = first - _HOUR <= finish and (finish <= last + _NEAR or is_exact) if until else moved >= first - _HALF_DAY
    return (one, moved, until) if begins and ends else None


def _overlap(start: datetime, end: datetime | None, first: datetime, last: datetime) -> timedelta:
    return min(end or last, last) - max(start, first)


def _by(step: timedelta) -> Callable[[datetime], datetime | None]:
    def moved(at: datetime) -> datetime | None:
        try:
            return at + step
        except OverflowError:
            return None

    return moved


def _by_months(months: int) -> Callable[[datetime], datetime | None]:
    def moved(at: datetime) -> datetime | None:
        number = at.year * 12 + at.month - 1 + months
        try:
            return at.replace(year=number // 12, month=number % 12 + 1)
        except ValueError:
            return None

    return moved
