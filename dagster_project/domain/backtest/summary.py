"""From the history of a resource to a row of evidence: the same columns that a night takes from the lake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.backtest.series import DAY, History, Seconds
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, MEMORY

PROTECTED_SECONDS = 1800
"""So long before and after an emergency scale-up a smaller size must have held."""

_SLOT = 300


@dataclass(frozen=True)
class Summary:
    """What a history shows; the fields of ``Evidence`` of the same names. ``is_measured``: what it has at all."""

    peak: NDArray[np.float64]
    cpu_p995: float
    memory_ever: float
    replay: NDArray[np.float64]
    replay_at: int | None
    emergencies: int
    last_emergency_at: int | None
    history_hours: float
    coverage_pct: float
    recent_coverage_pct: float
    covered_pct: NDArray[np.float64]
    is_measured: NDArray[np.bool_]
    rejected_readings: int


def summarize(history: History, lookback_days: float, emergency_veto_days: float) -> Summary:
    """Evidence of one resource at one moment. Memory and replay look at all of the history, the rest at the look-back."""
    recent, lookback = history.last(7), history.last(lookback_days)
    known = ~np.isnan(lookback.highest[:, CPU])
    cpu = lookback.highest[known, CPU].astype(np.float64)
    veto = history.last(emergency_veto_days).scaled_up_at
    replay, replay_at = _replay(history)
    return Summary(
        peak=_peak(lookback),
        cpu_p995=float(np.percentile(cpu, 99.5)) if cpu.size else np.nan,
        memory_ever=float(highest(history.highest)[MEMORY]),
        replay=replay,
        replay_at=replay_at,
        emergencies=len(veto),
        last_emergency_at=int(veto[-1]) if len(veto) else None,
        history_hours=_seconds(lookback.at[known], history.interval_seconds) / 3600,
        coverage_pct=_coverage(lookback, lookback_days),
        recent_coverage_pct=_coverage(recent, 7),
        covered_pct=_covered(recent),
        is_measured=~np.isnan(history.highest).all(axis=0) if len(history.at) else np.zeros(len(DIMENSIONS), dtype=bool),
        rejected_readings=len(lookback.rejected_at),
    )


def _peak(history: History) -> NDArray[np.float64]:
    """The highest demand; of CPU the highest average of an interval, because what is short waits a moment and is done."""
    peak = highest(history.highest)
    peak[CPU] = highest(history.average)[CPU]
    return peak


def highest(demand: NDArray[np.floating]) -> NDArray[np.float64]:
    """The highest value of each column, NaN where a column has none."""
    if not len(demand):
        return np.full(len(DIMENSIONS), np.nan)
    top = np.where(np.isnan(demand), -np.inf, demand).max(axis=0).astype(np.float64)
    return np.where(top == -np.inf, np.nan, top)


def _replay(history: History) -> tuple[NDArray[np.float64], int | None]:
    """The highest demand within half an hour of any emergency scale-up of the whole history, and when CPU was highest."""
    events = history.scaled_up_at
    nothing = np.full(len(DIMENSIONS), np.nan)
    if not len(events) or not len(history.at):
        return nothing, None
    begun = np.searchsorted(events, history.at + PROTECTED_SECONDS, side="right")
    over = np.searchsorted(events, history.at - PROTECTED_SECONDS, side="left")
    inside = np.flatnonzero(begun > over)
    if not inside.size:
        return nothing, None
    demand = history.highest[inside]
    cpu = np.where(np.isnan(demand[:, CPU]), -np.inf, demand[:, CPU])
    return highest(demand), int(history.at[inside[int(cpu.argmax())]])


def _coverage(history: History, days: float) -> float:
    """Share of the readings that could be there since the first one; a stopped machine was read, and counts."""
    if not len(history.seen_at):
        return 0.0
    possible = min(days * DAY, history.moment - int(history.seen_at[0]))
    if history.interval_seconds >= _SLOT:
        there = _seconds(history.seen_at, history.interval_seconds)
    else:
        there = len(np.unique(history.seen_at // _SLOT)) * _SLOT
    return 100 * min(1.0, there / max(possible, _SLOT))


def _seconds(at: Seconds, interval: float) -> float:
    """The time that readings stand for. Many of them in little time (a feed that changed from five minutes to one) must not
    make up for those that are missing elsewhere: none stands for more than two intervals, nor for longer than to the next."""
    if not len(at):
        return 0.0
    return min(len(at) * interval, float(np.minimum(np.diff(at), 2 * interval).sum()) + interval)


def _covered(history: History) -> NDArray[np.float64]:
    if not len(history.at):
        return np.zeros(len(DIMENSIONS))
    return 100 * (~np.isnan(history.highest)).mean(axis=0)
