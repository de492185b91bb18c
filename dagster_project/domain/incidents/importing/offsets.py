"""Typing errors of a time that a whole offset undoes: twelve hours, a day, a month, a year, a zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_HALF_DAY = timedelta(hours=12)
_NEAR = timedelta(hours=3)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
# How long before, and after, the last report a window ends, and before and after the first one begins. Of half a day and a day
# that is narrower than what occurs, so that what is right is not taken for wrong; nothing outlasts its incident by months.
_ENDS = {
    "twelve_hours_off": (_HOUR, 15 * _MINUTE),
    "day_off": (_HOUR, 15 * _MINUTE),
    "month_off": (24 * _HOUR, _NEAR),
    "year_off": (24 * _HOUR, _NEAR),
}
_BEGINNINGS = {
    "twelve_hours_off": (15 * _MINUTE, 5 * _MINUTE),
    "day_off": (_HOUR, 5 * _MINUTE),
    "month_off": (12 * _HOUR, _HOUR / 2),
    "year_off": (24 * _HOUR, _HOUR / 2),
}


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


def end_offset(start: datetime, end: datetime | None, first: datetime, last: datetime) -> tuple[Offset, str, datetime] | None:
    """(offset, phase, moment) where one end of a window that touches its incident is off alone, else None.

    Real windows outlast their incident by hours and days, and the impact of a night begins half a day before somebody reports it:
    an end is off only where the shift puts it next to the report, nearer than chance does (``_ENDS`` and ``_BEGINNINGS``).
    """
    if end is None or end <= start:
        return None
    for one in (*offsets(), *year_offsets(start, first), *year_offsets(end, last)):
        until, moved = one.apply(end), one.apply(start)
        if until is not None and start < until < end and start <= last and _is_next_to(until, last, _ENDS[one.code]):
            return one, "impact_ended", until
        if (
            moved is not None
            and start < moved < end
            and end >= first - _NEAR
            and _is_next_to(moved, first, _BEGINNINGS[one.code])
        ):
            return one, "impact_started", moved
    return None


def year_offsets(at: datetime, near: datetime) -> Iterator[Offset]:
    """The shift by whole years that puts a moment next to another one, where that is more than the one year of ``offsets``."""
    years = round((near - at) / timedelta(days=365.2425))
    if abs(years) > 1:
        yield Offset("year_off", f"exactly {abs(years)} years", _by_months(12 * years))


def lone_offsets(times: Mapping[str, datetime]) -> Iterator[tuple[Offset, str, datetime]]:
    """(offset, phase, moment) of each end of an incident that is half a day or a day away from where all its other times lie.

    ``times`` are the phases that are known to the minute. There must be three others at least, within two hours: an incident that
    is really long has times in between.
    """
    for phase in ("impact_started", "impact_ended", "resolved"):
        others = {name: other for name, other in times.items() if name not in (phase, "closed")}
        if phase not in times or len(others) < 3 or max(others.values()) - min(others.values()) > 2 * _HOUR:
            continue
        for one in offsets():
            moved = one.apply(times[phase]) if one.code in ("twelve_hours_off", "day_off") else None
            if moved is not None and _belongs(phase, times[phase], moved, others):
                yield one, phase, moved
                break


def _belongs(phase: str, at: datetime, moved: datetime, others: Mapping[str, datetime]) -> bool:
    """Whether a moved end is where that end is.

    A beginning is right before the others, an end of impact before the resolution, which it outlasted, and a resolution right
    after the end of impact: nobody waits for it a day to the minute.
    """
    if phase == "impact_started":
        return at < moved and -15 * _MINUTE <= moved - min(others.values()) <= 5 * _MINUTE
    if phase == "impact_ended":
        return "resolved" in others and min(others.values()) < moved < at and moved <= others["resolved"] + 15 * _MINUTE
    ended = max((others[name] for name in ("impact_ended", "mitigated") if name in others), default=at)
    return "impact_ended" in others and moved < at and -5 * _MINUTE <= moved - ended <= 15 * _MINUTE


def _is_next_to(at: datetime, report: datetime, within: tuple[timedelta, timedelta]) -> bool:
    return report - within[0] <= at <= report + within[1]


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
