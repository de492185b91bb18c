"""Moments as people write them: which day, which time, how exactly, and what is wrong with it.

"2022-03-10 11.50", "~19:30", "10:45~", "14:??", "09:00 - 11:00", "May 12, 5:02 PM UTC", "17:30 UTC on April 11th", "24/07/25".
A placeholder is never a time: it says that the writer did not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from dagster_project.domain.incidents.importing.zones import ZONE_PATTERN

YEARS = range(1970, 2200)
"""The years that a time of an incident can be of; another one is a mistake, and no arithmetic survives the calendar's ends."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = r"(?:\(?(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\)?\b[,.]?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?![\d:])"
_YEAR = r"(?:,?\s+(?:of\s+)?(?P<year>(?:19|20)\d{2,3}|2\d{4})(?![\d:]))?"
_DATES = (
    re.compile(r"(?P<year>\d{4,6})(?P<mark>[-/.])(?P<month>\d{1,2}|\?\?|MM)(?P=mark)(?P<day>\d{1,2}|\?\?|DD)(?!\d)"),
    re.compile(r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})(?![\d:])"),
    re.compile(rf"{_WEEKDAY}(?:the\s+)?{_DAY}[\s-]+(?:of\s+)?{_MONTH}{_YEAR}", re.IGNORECASE),
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}", re.IGNORECASE),
    # "Thursday 13th, 2025": the month follows from what stands around it.
    re.compile(
        r"(?:mon|tues|wednes|thurs|fri|satur|sun)day\s+(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th),?\s+(?P<year>20\d{2})(?![\d:])",
        re.IGNORECASE,
    ),
)
_AM_PM = r"(?:\s?(?P<half>[ap])\.?m\b\.?)?"
_CLOCKS = (
    re.compile(rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}})(?:[.,]\d+)?)?(?!\d){_AM_PM}", re.IGNORECASE),
    re.compile(r"(?P<hour>\d{1,2})(?P<half>)\s?[:.]\s?(?:\?{1,2}|xx|mm|--|__)(?![\w?])", re.IGNORECASE),
    re.compile(rf"(?P<hour>\d{{1,2}})(?P<dot>[.h])(?P<minute>\d{{2}})(?![\d.%]){_AM_PM}(?!\s?(?:GB|MB|ms|s\b|%))", re.IGNORECASE),
    re.compile(r"(?P<hour>\d{1,2})\s?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE),
    re.compile(r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?=\s?(?:hrs?\b|UTC|GMT|Z\b))"),
)
_WRONG_CLOCK = re.compile(r"\d{1,3}:\d{3,}|\d{3,}:\d{2}(?!\d)")
_PLACEHOLDER = re.compile(
    r"\(?(?:time\s+)?(?:HH:mm(?::ss)?|[-–?_xX#]{2}:[-–?_xX#]{2}|TB[CDA]\b|unknown\b|\?{2,})\)?", re.IGNORECASE
)
_BEFORE = re.compile(
    r"(?:[\s>*_`\[(~≈|\"'“+-]|\b(?:on|at|around|approx(?:imately)?|about|circa|c|ca|from|by|between|since|starting|beginning|the)\b\.?)*",
    re.IGNORECASE,
)
_AFTER_DATE = re.compile(
    r"(?:[\s,~≈*_`(|]|T(?=\d)|[-–—:](?=\s*[~≈(]?\d{1,2}(?:[:.h]\d|\s?[ap]m))|\bat\b|\baround\b|\bapprox\b\.?)*", re.IGNORECASE
)
_ZONE = re.compile(rf"\s?\(?(?P<zone>Z(?![A-Za-z])|{ZONE_PATTERN})\)?")
_RANGE = re.compile(r"[\s~]*(?:-|–|—|->|→|\bto\b|\buntil\b|\btill\b)[\s~]*", re.IGNORECASE)
_ON_DATE = re.compile(r"(?:\s*,?\s*(?:on|of)?\s+|\s*\()(?=\S)", re.IGNORECASE)
_AND = re.compile(r"\s*and\s+", re.IGNORECASE)
_ABOUT = re.compile(r"[~≈]|around|appro|about|circa", re.IGNORECASE)
_AFTER = re.compile(r"[\s~*_`\])|\"'”]*")


@dataclass(frozen=True, slots=True)
class Day:
    """A day as written; ``year`` or ``month`` are None where they are not said.

    ``is_swappable``: day and month could be the other way round.
    """

    year: int | None
    month: int | None
    day: int
    is_swappable: bool = False

    def on(self, near: date | None) -> date | None:
        """The calendar's day: what is missing is what comes closest to ``near``. None where there is no such day."""
        if near is None and (self.year is None or self.month is None):
            return None
        years = [self.year] if self.year is not None else [near.year - 1, near.year, near.year + 1] if near else []
        orders = [(month, self.day) for month in ([self.month] if self.month else range(1, 13))]
        orders += [(self.day, self.month)] if self.is_swappable else []
        days = [found for year in years for month, day in orders if (found := _calendar(year, month, day))]
        return min(days, key=lambda one: abs((one - near).days), default=None) if near else next(iter(days), None)


@dataclass(frozen=True, slots=True)
class Written:
    """A moment in a text, from ``start`` to ``end``.

    ``fault``: impossible_date, impossible_time or placeholder; what is at fault is None, and ``likely`` is the day that may be
    meant. ``until`` and ``until_day`` are the end of a range. ``precision`` is one of ``PRECISIONS``.
    """

    start: int
    end: int
    text: str
    day: Day | None = None
    clock: time | None = None
    precision: str = "unknown"
    zone: str | None = None
    until: time | None = None
    until_day: Day | None = None
    fault: str | None = None
    likely: Day | None = None
    is_approximate: bool = False


def leading(text: str, start: int = 0) -> Written | None:
    """The moment that a text begins with, after marks and words such as "on" or "~"; None where it begins with none."""
    first = _BEFORE.match(text, start)
    place = first.end() if first else start
    written = _moment(text, place)
    if written is None:
        return None
    written = _until_and(text, written) if "between" in text[start:place].lower() else written
    is_about = bool(_ABOUT.search(text[start : written.end + 1]))
    end = _AFTER.match(text, written.end)
    return replace(written, end=end.end() if end else written.end, is_approximate=is_about)


def _until_and(text: str, written: Written) -> Written:
    """After "between" the end follows the word "and"."""
    joined = _AND.match(text, written.end)
    last = _moment(text, joined.end()) if joined else None
    if last is None or last.clock is None or written.clock is None:
        return written
    return replace(written, end=last.end, until=last.clock, until_day=last.day, zone=written.zone or last.zone)


_CANDIDATE = re.compile(rf"(?<![\w:.]){_WEEKDAY}(?:\d|{_MONTH}\s)|\b(?:HH:mm|TB[CD])\b|[-?]{{2}}:[-?]{{2}}", re.IGNORECASE)


def moments_in(text: str) -> Iterator[Written]:
    """Every moment in a text, from left to right."""
    place = 0
    while found := _CANDIDATE.search(text, place):
        written = _moment(text, found.start())
        if written is not None:
            yield written
        place = written.end if written is not None and written.end > found.start() else found.start() + 1


def at(day: date, clock: time | None) -> datetime:
    """The wall clock's time of a day; midnight where the time is not known."""
    return datetime.combine(day, clock or time())


def _moment(text: str, place: int) -> Written | None:
    dated = _date(text, place)
    if dated is None:
        return _clock_first(text, place)
    end, day, likely, fault = dated
    gap = _AFTER_DATE.match(text, end)
    clock = _clock(text, gap.end() if gap else end, follows_date=True)
    if clock is None:
        return Written(place, end, text[place:end], day, None, "unknown" if fault else "day", fault=fault, likely=likely)
    return _with_range(text, place, day, clock, fault or clock.fault, likely)


def _clock_first(text: str, place: int) -> Written | None:
    clock = _clock(text, place, follows_date=False)
    if clock is None:
        return None
    written = _with_range(text, place, None, clock, clock.fault, None)
    gap = _ON_DATE.match(text, written.end)
    dated = _date(text, gap.end()) if gap and written.day is None else None
    if dated is None or (gap and not gap[0].strip(" ,") and dated[1] and dated[1].year is None):
        return written
    end, day, likely, fault = dated
    return replace(written, end=end, text=text[place:end], day=day, likely=likely, fault=fault or clock.fault)


def _with_range(text: str, place: int, day: Day | None, clock: _Clock, fault: str | None, likely: Day | None) -> Written:
    zone_end, zone = _zone_after(text, clock.end)
    end, until, until_day = zone_end, None, None
    dash = _RANGE.match(text, zone_end)
    if dash and clock.value is not None:
        other = _date(text, dash.end())
        gap = _AFTER_DATE.match(text, other[0]) if other else None
        last = _clock(text, gap.end() if gap else dash.end(), follows_date=True)
        if last is not None and last.value is not None:
            end, last_zone = _zone_after(text, last.end)
            until, until_day, zone = last.value, other[1] if other else None, zone or last_zone
    value = None if fault == "impossible_date" and likely is None else clock.value
    precision = "unknown" if fault == "impossible_date" else "day" if day and clock.value is None else clock.precision
    return Written(place, end, text[place:end], day, value, precision, zone, until, until_day, fault, likely)


@dataclass(frozen=True, slots=True)
class _Clock:
    end: int
    value: time | None
    precision: str
    fault: str | None = None


def _clock(text: str, place: int, *, follows_date: bool) -> _Clock | None:
    for number, pattern in enumerate(_CLOCKS):
        found = pattern.match(text, place)
        if found and (number != 2 or follows_date or _stands_alone(text, found)):
            return _read_clock(found)
    wrong = _WRONG_CLOCK.match(text, place)
    if wrong:
        return _Clock(wrong.end(), None, "unknown", "impossible_time")
    holder = _PLACEHOLDER.match(text, place)
    return _Clock(holder.end(), None, "day" if follows_date else "unknown", "placeholder") if holder else None


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Without a date before it "11.50" is a time only where a separator follows; "1.24 released" is a version."""
    return (
        found["dot"].lower() == "h"
        or found["half"] is not None
        or bool(re.match(r"\s*[-–—:|]\s", text[found.end() : found.end() + 4]))
    )


def _read_clock(found: re.Match[str]) -> _Clock:
    parts = found.groupdict()
    hour, half = int(parts["hour"]), (parts.get("half") or "").lower()
    minute, second = parts.get("minute"), parts.get("second")
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        value = time(hour, int(minute or 0), int(second or 0))
    except ValueError:
        return _Clock(found.end(), None, "unknown", "impossible_time")
    return _Clock(found.end(), value, "second" if second else "minute" if minute else "hour")


def _zone_after(text: str, place: int) -> tuple[int, str | None]:
    found = _ZONE.match(text, place)
    return (found.end(), found["zone"]) if found else (place, None)


def _date(text: str, place: int) -> tuple[int, Day | None, Day | None, str | None] | None:
    """(end, day, the day that may be meant, what is wrong) of the date that stands at ``place``."""
    for pattern in _DATES:
        found = pattern.match(text, place)
        if found:
            day, likely, fault = _read_date(found.groupdict())
            return found.end(), day, likely, fault
    return None


def _read_date(parts: dict[str, str]) -> tuple[Day | None, Day | None, str | None]:
    if parts.get("first"):
        return _numeric(parts)
    if "month" not in parts:
        return Day(int(parts["year"]), None, int(parts["day"])), None, None
    month = parts["month"].lower()
    number = _MONTHS.index(month[:3]) + 1 if month[:3] in _MONTHS else int(month) if month.isdigit() else None
    if number is None or not parts["day"].isdigit():
        return None, None, "placeholder"
    year, day = parts.get("year"), int(parts["day"])
    if year is not None and (len(year) > 4 or int(year) not in YEARS):
        likely = _likely_year(year)
        return None, Day(likely, number, day) if likely and _calendar(likely, number, day) else None, "impossible_date"
    if _calendar(int(year) if year else 2024, number, day) is None:
        return None, None, "impossible_date"
    return Day(int(year) if year else None, number, day), None, None


def _numeric(parts: dict[str, str]) -> tuple[Day | None, Day | None, str | None]:
    """Day and month in numbers: day first unless that is no month, which is how the rest of the world reads it."""
    first, second, year = int(parts["first"]), int(parts["second"]), int(parts["year"])
    year += 2000 if year < 100 else 0
    orders = [(month, day) for month, day in ((second, first), (first, second)) if year in YEARS and _calendar(year, month, day)]
    if not orders:
        return None, None, "impossible_date"
    return Day(year, *orders[0], is_swappable=len(orders) == 2 and first != second), None, None


def _likely_year(year: str) -> int | None:
    """The year with one digit fewer that looks like ours: a digit twice ("22025"), else one too many at the end ("20202")."""
    if len(year) != 5:
        return None
    doubled = [year[:place] + year[place + 1 :] for place in range(1, len(year)) if year[place] == year[place - 1]]
    shorter = [*doubled, year[:4], *(year[:place] + year[place + 1 :] for place in range(4))]
    return next((int(one) for one in shorter if 1990 <= int(one) <= 2099), None)


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def next_day(day: date) -> date:
    """The day after, where the calendar has one."""
    return day if day == date.max else day + timedelta(days=1)
