"""Summaries of incident metrics: what a group of incidents says in a period, and whether it says anything about a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from dagster_project.domain.incidents.statistics import Change, Described, change, describe, detectable_cut_pct
from dagster_project.domain.incidents.summary_sentences import summary_sentence
from dagster_project.domain.survival import Durations

LATEST, PREVIOUS, ALL = "latest", "previous", "all"
MIN_MEASURED = 5
"""With fewer ended incidents nothing is said: the interval would not even be one of 95 %."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric by one clock of a group's incidents that started in a period; '*' stands for every severity or service.

    ``incidents`` = ended + running + ``missing`` + ``invalid`` + ``excluded``; ``counting``: how many of them are incidents that
    count at all. ``ended`` and ``running``: minutes. ``impact_minutes``: of all their impact windows, None where none is known.
    ``engine_only`` of ``engine_known``: the decision engine mitigated them without people.
    """

    period: str
    severity: str
    service: str
    metric_id: str
    clock: str
    version: int
    from_on: date | None
    to_on: date
    incidents: int
    counting: int
    missing: int
    invalid: int
    excluded: int
    ended: Sequence[float]
    running: Sequence[float]
    impact_minutes: float | None
    engine_only: int
    engine_known: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A row of the lake's ``incident_summaries``; None is unknown."""

    period: str
    severity: str
    service: str
    metric_id: str
    clock: str
    version: int
    from_on: date | None
    to_on: date
    incidents: int
    measured: int
    censored: int
    missing: int
    invalid: int
    excluded: int
    per_week: float | None
    median_minutes: float | None
    median_low_minutes: float | None
    median_high_minutes: float | None
    geometric_mean_minutes: float | None
    p75_minutes: float | None
    p90_minutes: float | None
    impact_minutes: float | None
    engine_only_pct: float | None
    previous_measured: int | None
    previous_median_minutes: float | None
    change_pct: float | None
    change_low_pct: float | None
    change_high_pct: float | None
    detectable_cut_pct: float | None
    sentence: str


def summarize(cells: Iterable[Cell]) -> Iterator[Summary]:
    """A summary for each cell. Cells of one group, metric and clock come together; only they are held at a time."""
    for _, members in groupby(cells, key=lambda cell: (cell.severity, cell.service, cell.metric_id, cell.clock)):
        by_period = {cell.period: cell for cell in members}
        described = {period: _describe(cell) for period, cell in by_period.items()}
        for period, cell in by_period.items():
            before = PREVIOUS if period == LATEST and PREVIOUS in by_period else None
            yield _summary(cell, described[period], by_period.get(before or ""), described.get(before or ""))


def _describe(cell: Cell) -> Described | None:
    if len(cell.ended) < MIN_MEASURED:
        return None
    seed = "/".join((cell.period, cell.severity, cell.service, cell.metric_id, cell.clock))
    return describe(Durations.of(cell.ended, cell.running), seed)


def _summary(cell: Cell, now: Described | None, previous: Cell | None, before: Described | None) -> Summary:
    changed = change(now, before) if now is not None and before is not None else None
    cut = detectable_cut_pct(now, before) if now is not None else None
    return Summary(
        cell.period,
        cell.severity,
        cell.service,
        cell.metric_id,
        cell.clock,
        cell.version,
        cell.from_on,
        cell.to_on,
        cell.incidents,
        len(cell.ended),
        len(cell.running),
        cell.missing,
        cell.invalid,
        cell.excluded,
        _per_week(cell),
        *_figures(now),
        cell.impact_minutes,
        100 * cell.engine_only / cell.engine_known if cell.engine_known else None,
        len(previous.ended) if previous is not None else None,
        before.median if before is not None else None,
        *_changes(changed),
        cut,
        summary_sentence(_sizes(cell), now, _sizes(previous), before, changed, cut),
    )


def _figures(now: Described | None) -> tuple[float | None, ...]:
    return (None,) * 6 if now is None else (now.median, now.low, now.high, now.geometric_mean, now.p75, now.p90)


def _changes(changed: Change | None) -> tuple[float | None, ...]:
    return (None,) * 3 if changed is None else (changed.pct, changed.low_pct, changed.high_pct)


def _sizes(cell: Cell | None) -> tuple[int, int] | None:
    return None if cell is None else (len(cell.ended), len(cell.running))


def _per_week(cell: Cell) -> float | None:
    """Incidents that count, a week; those of less than a week are not blown up to one."""
    if cell.from_on is None:
        return None
    return cell.counting / max(((cell.to_on - cell.from_on).days + 1) / 7, 1)
