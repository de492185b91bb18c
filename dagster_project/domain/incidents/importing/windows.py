"""The time in which customers felt it, as the last message of a status page tells it in prose.

"On July 5, 2024, between 16:31 UTC and 18:08 UTC, …", "From 16:24-16:43 UTC, …", "Beginning at 17:30 UTC on April 11th and
lasting until 20:30 UTC on April 14th, …". A moment that only happens inside a story ("At 14:21 UTC we …") is no window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_project.domain.incidents.importing.moments import Written, at, moments_in
from dagster_project.domain.incidents.importing.zones import Zone, zone_named

_OPENS = re.compile(
    r"\b(?:between|from|beginning|starting|started)(?:\s+(?:at|on|approximately|around|roughly|about))*\s*$", re.IGNORECASE
)
_JOINS = re.compile(
    r"^[\s,()]*(?:UTC\s*)?(?:and\s+(?:lasting\s+|ending\s+)?(?:on\s+|at\s+|until\s+)*|to\s+|until\s+|through\s+"
    r"|till\s+|[-–—]+\s*|(?:and\s+)?lasting (?:until|till)\s+)"
    r"(?:approximately\s+|around\s+|about\s+)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ToldWindow:
    """A window as told, naive UTC. ``ended_at`` None: its end cannot be read or is not told; ``fault`` says what is wrong with
    it; ``text`` is the piece that tells it."""

    started_at: datetime
    ended_at: datetime | None
    text: str
    fault: str | None = None


def windows_told(text: str, near: date) -> tuple[ToldWindow, ...]:
    """The windows that a text tells, in its order; ``near`` completes days without a year, and stands where no day is told."""
    return tuple(_windows(text[:20_000], near))


def _windows(text: str, near: date) -> Iterator[ToldWindow]:
    moments = list(moments_in(text))
    day: date = near
    for number, one in enumerate(moments):
        before = text[moments[number - 1].end if number else 0 : one.start]
        told = _day_told(one, near)
        if told is not None and (one.clock is None or number == 0 or told):
            day = told
        if one.clock is None or not _opens(before, text, moments, number):
            continue
        last = _last(text, moments, number)
        if last is not None:
            yield _window(text, one, last, day, near)
        elif re.search(r"(?:starting|beginning)(?:\s+(?:at|on|around))*\s*$", before[-40:], re.IGNORECASE) or one.until:
            yield _window(text, one, None, day, near)


def _day_told(written: Written, near: date) -> date | None:
    return written.day.on(near) if written.day is not None else None


def _opens(before: str, text: str, moments: list[Written], number: int) -> bool:
    """Whether a moment begins a window: after "between" or "from", or as the first half of "16:24-16:43" after a day."""
    one = moments[number]
    if _OPENS.search(before[-60:]):
        return True
    # "Starting on June 18th from 4:59pm", "On March 11 … between at 18:44 UTC": the word may stand before the day.
    if (
        number
        and moments[number - 1].clock is None
        and _OPENS.search(text[max(0, moments[number - 1].start - 40) : moments[number - 1].start])
    ):
        return True
    return one.until is not None and bool(re.search(r"\b(?:from|between|on)\b[\s\w]*$", before[-30:], re.IGNORECASE))


def _last(text: str, moments: list[Written], number: int) -> Written | None:
    """The end of the window that begins with a moment: the range's own, or the next moment after "and", "to", "until"."""
    one = moments[number]
    if one.until is not None:
        return one
    following = moments[number + 1] if number + 1 < len(moments) else None
    if following is None or not _JOINS.match(text[one.end : following.start]):
        return None
    if following.clock is None and following.fault is None and number + 2 < len(moments):
        after = moments[number + 2]
        between = text[following.end : after.start]
        return after if len(between) < 12 and not re.search(r"[.;]", between) else following
    return following


def _window(text: str, first: Written, last: Written | None, day: date, near: date) -> ToldWindow:
    start_day = _day_told(first, near) or day
    zone = _zone(first) or (_zone(last) if last else None) or zone_named("UTC")
    started = _utc(zone, at(start_day, first.clock))
    if last is None:
        return ToldWindow(started, None, text[first.start : first.end])
    piece = text[first.start : max(last.end, first.end)]
    clock = last.until if last is first else last.clock
    if clock is None:
        return ToldWindow(started, None, piece, "impossible_time" if last.fault else "no_end")
    written_day = last.until_day if last is first else last.day
    end_day = written_day.on(start_day) if written_day is not None else start_day
    ended = _utc(zone, at(end_day or start_day, clock))
    if ended < started and written_day is None:
        ended += timedelta(days=1)
    return ToldWindow(started, ended, piece)


def _zone(written: Written) -> Zone | None:
    return zone_named(written.zone) if written.zone else None


def _utc(zone: Zone, local: datetime) -> datetime:
    try:
        return zone.utc(local)
    except OverflowError:
        return local
