"""The timeline as a gantt chart in Mermaid's language, which GitHub draws.

Its grammar has no escapes: ``:`` begins a task's data, ``;`` and ``#`` and ``%%`` end or comment a line, some first words are
commands. What is printed is therefore reduced to characters that mean nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from dagster_project.reporting.postmortem_views import Postmortem, TimelineEntry
from dagster_project.reporting.words import clean

LANE_TITLES = {
    "alarms": "Alarms",
    "engine": "Decision engine",
    "people": "People",
    "changes": "Changes",
    "scaling": "Scaling",
    "record": "Record",
}
"""Lanes in the order in which charts show them, with their titles."""

_FORMAT = "%Y-%m-%d %H:%M:%S"
_LONGEST_LABEL = 48
# More bars than this are no longer read, and GitHub draws nothing beyond 50,000 characters.
_SHOWN_PER_LANE = 8
_SHOWN_WINDOWS = 12
_MEANT = re.compile(r"[^\w\s.,+()/%×→'&=–-]|%(?=%)|_(?=_)")
_COMMANDS = re.compile(
    r"(?:section|title|click|call|href|acctitle|accdescr|dateformat|axisformat|tickinterval|excludes|includes|todaymarker|weekday|"
    r"weekend|inclusiveenddates|topaxis|gantt|vert|end)\b",
    re.IGNORECASE,
)


def gantt(view: Postmortem) -> str:
    """The chart's source without its fence; empty where no time is known."""
    times = _times(view)
    if not times:
        return ""
    span = max(times) - min(times)
    lines = [
        "gantt",
        f"    title {plain(view.header.incident_id)} (UTC)",
        "    dateFormat YYYY-MM-DD HH:mm:ss",
        f"    axisFormat {'%H:%M' if span <= timedelta(days=1) else '%d %b %H:%M' if span <= timedelta(days=7) else '%d %b'}",
        *_windows(view, max(times)),
        *_phases(view),
    ]
    for lane, title in LANE_TITLES.items():
        # Phases have a section of their own.
        mine = (entry for entry in view.timeline if entry.lane == lane)
        lines += _lane(title, [entry for entry in mine if lane != "record" or entry.phase is None])
    return "\n".join(lines)


def plain(text: str, longest: int = _LONGEST_LABEL) -> str:
    """``text`` as a label that the grammar cannot take for anything else; never empty."""
    found = " ".join(_MEANT.sub(" ", clean(text)).split())
    found = found if len(found) <= longest else f"{found[: longest - 1].rstrip()}…"
    return f"– {found}" if not found or _COMMANDS.match(found) else found


def _times(view: Postmortem) -> list[datetime]:
    windows = [at for window in view.impact.windows for at in (window.started_at, window.ended_at) if at is not None]
    return [*windows, *(p.at for p in view.phases if p.at is not None), *(entry.at for entry in view.timeline)]


def _windows(view: Postmortem, last: datetime) -> Iterator[str]:
    windows = view.impact.windows[:_SHOWN_WINDOWS]
    if windows:
        yield "    section Impact"
    for window in windows:
        lasts = "" if window.ended_at else ", end unknown"
        yield _bar(f"Customers felt it{lasts}", window.started_at, window.ended_at or last, "crit, ")


def _phases(view: Postmortem) -> Iterator[str]:
    known = [(phase.at, phase.title) for phase in view.phases if phase.at is not None]
    if known:
        yield "    section Phases"
    for at, title in known:
        yield f"    {plain(title)} :milestone, {at:{_FORMAT}}, 0s"


def _lane(title: str, entries: Sequence[TimelineEntry]) -> Iterator[str]:
    if entries:
        yield f"    section {title}"
    for group in _grouped(entries):
        first = group[0]
        count = sum(entry.count for entry in group)
        until = max(entry.until or entry.at for entry in group)
        repeated = f" ×{count}" if count > 1 and len(group) == 1 else f" and {len(group) - 1} more" if len(group) > 1 else ""
        label = plain(first.label or first.text, _LONGEST_LABEL - len(repeated)) + repeated
        yield _bar(label, first.at, max(until, first.at + timedelta(minutes=1)), "active, " if first.effect == "acted" else "")


def _grouped(entries: Sequence[TimelineEntry]) -> list[Sequence[TimelineEntry]]:
    """At most ``_SHOWN_PER_LANE`` groups of neighbours, split at the longest pauses."""
    pauses = sorted(range(1, len(entries)), key=lambda place: (entries[place - 1].at - entries[place].at, place))
    cuts = [0, *sorted(pauses[: _SHOWN_PER_LANE - 1]), len(entries)]
    return [entries[a:b] for a, b in pairwise(cuts) if a < b]


def _bar(label: str, start: datetime, end: datetime, tags: str) -> str:
    return f"    {label} :{tags}{start:{_FORMAT}}, {end:{_FORMAT}}"
