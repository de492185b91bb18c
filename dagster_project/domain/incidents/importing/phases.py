"""Phases of an imported incident: the moments that its document gives for each, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.domain.incidents.importing.calendars import Found
from dagster_project.domain.incidents.importing.phase_words import tells_of_break, tells_of_notice, tells_of_recovery, words_of
from dagster_project.domain.incidents.model import PHASES, Moment

_LAST = frozenset({"impact_ended", "resolved", "closed"})
PRECISION_COST: Mapping[str, float] = {"second": 0.0, "minute": 0.0, "hour": 0.1, "day": 0.4, "unknown": 0.6}
"""How much less sure a time is that is known less exactly."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A row with its moment. ``place`` is file and line; ``written`` the moment as it stands there, ``actor`` who did it."""

    line: int
    found: Found
    text: str
    raw: str
    phase: str | None
    place: str
    is_approximate: bool = False
    written: str = ""
    actor: str | None = None


def phases_of(rows: Sequence[Dated]) -> dict[str, tuple[Moment, ...]]:
    """The moments of each phase, best first.

    What a label states comes before what a row of the timeline says in words, and that before what follows from the order of rows
    that tell of a break, a notice and a recovery. What has an impossible date is none of them.
    """
    sure = [row for row in rows if row.found.at is not None and not row.found.is_likely]
    timeline = sorted((row for row in sure if row.phase is None), key=lambda row: row.found.at)
    moments: dict[str, list[Moment]] = {phase: [] for phase in PHASES}
    for row in sure:
        if row.phase:
            moments[row.phase].append(_moment(row, "stated", 1.0, f"The document states it: {row.text[:80]}."))
    for row in timeline:
        for word in words_of(row.raw):
            moments[word.phase].append(_moment(row, word.method, word.confidence, f"The timeline says so: {row.text[:120]}"))
    for phase, row in _by_order(timeline, moments).items():
        if not any(moment.at == row.found.at for moment in moments[phase]):
            moments[phase].append(_moment(row, "timeline_order", 0.4, _ORDER_REASONS[phase] + f": {row.text[:100]}"))
    return {phase: tuple(sorted(found, key=lambda one: _rank(phase, one))) for phase, found in moments.items() if found}


_ORDER_REASONS: Mapping[str, str] = {
    "impact_started": "The first row of the timeline that tells of a break",
    "detected": "The first row of the timeline that tells that it was noticed",
    "impact_ended": "The last row of the timeline that tells that it works again",
}


def _by_order(timeline: Sequence[Dated], known: Mapping[str, Sequence[Moment]]) -> dict[str, Dated]:
    """Rows that may be a phase by their place. What broke counts only where somebody noticed it afterwards."""
    exact = [row for row in timeline if row.found.precision in ("second", "minute")]
    noticed = next((row for row in exact if tells_of_notice(row.text)), None)
    seen = min((one.at for one in known["detected"]), default=noticed.found.at if noticed else None)
    end = max((one.at for one in known["resolved"]), default=None)
    broken = next((row for row in exact if seen and row.found.at <= seen and tells_of_break(row.text)), None)
    works = [
        row
        for row in exact
        if tells_of_recovery(row.text) and (seen is None or row.found.at > seen) and (end is None or row.found.at <= end)
    ]
    found = {"impact_started": broken, "detected": noticed, "impact_ended": works[-1] if works else None}
    return {phase: row for phase, row in found.items() if row is not None}


def _moment(row: Dated, method: str, confidence: float, reason: str) -> Moment:
    sure = max(0.1, confidence - PRECISION_COST[row.found.precision] - (0.1 if row.is_approximate else 0.0))
    return Moment(row.found.at, row.found.precision, "import", method, round(sure, 2), (row.place,), row.found.zone, reason)


def _rank(phase: str, moment: Moment) -> tuple[float, float]:
    """Surer first; of equals what is stated first, the first row that tells of a beginning, and the last that tells of an end."""
    seconds = 0.0 if moment.method == "stated" else (moment.at - moment.at.min).total_seconds()
    return -moment.confidence, -seconds if phase in _LAST else seconds
