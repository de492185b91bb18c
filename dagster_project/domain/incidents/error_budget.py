"""Error budget: what share of it an incident spent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.incidents.model import ImpactWindow

MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Objective:
    """A share of events (0 to 1) that shall be good over ``window_days``."""

    service: str
    name: str
    objective: float
    window_days: int = 30

    @property
    def allowed(self) -> float:
        """The share of events that may be bad. Rounded: 1 - 0.9995 is not 0.0005 in floats."""
        return round(1.0 - self.objective, 12)

    @property
    def budget_minutes(self) -> float:
        """The budget as minutes of a full outage at even traffic."""
        return self.allowed * self.window_days * MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class Levels:
    """Good and total events by interval, in the order of time. ``starts`` and ``grain`` are in microseconds since 1970; a sample
    stands for the interval that begins with it and is as long as samples usually lie apart."""

    starts: NDArray[np.int64]
    bad: NDArray[np.float64]
    total: NDArray[np.float64]
    grain: int

    @property
    def ends(self) -> NDArray[np.int64]:
        """When each interval is over; before that nobody could know of it."""
        return self.starts + self.grain

    @property
    def grain_minutes(self) -> float:
        """Minutes between samples."""
        return self.grain / 60_000_000


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """What the impact windows cost of an objective's budget. Shares are 0 to 1 and may exceed 1; None is unknown. ``basis`` says
    how it was counted."""

    objective: Objective
    budget_minutes: float
    bad_events: float | None
    budget_events: float | None
    spent_share: float | None
    spent_minutes: float | None
    basis: str


_MEASURED_WHOLE = 0.9


def levels(samples: Iterable[tuple[datetime, float | None, float | None]]) -> Levels | None:
    """Samples (sampled_at, good, total) as arrays; None where fewer than two can be used: one alone does not say how long its
    interval is. Samples without a count, or without events, are left out."""
    known = sorted((at, good, total) for at, good, total in samples if good is not None and total is not None and total > 0)
    if len(known) < 2:
        return None
    starts = np.array([at for at, _, _ in known], dtype="datetime64[us]").astype(np.int64)
    good = np.array([good for _, good, _ in known], dtype=np.float64)
    total = np.array([total for _, _, total in known], dtype=np.float64)
    gaps = np.diff(starts)
    gaps = gaps[gaps > 0]
    if len(gaps) == 0:
        return None
    return Levels(starts, np.clip(total - good, 0.0, None), total, int(np.median(gaps)))


def budget_spent(
    measured: Levels | None, objective: Objective, windows: Sequence[ImpactWindow], window_total: float | None = None
) -> BudgetSpent:
    """The share of the budget that was spent in the impact windows.

    ``window_total``: the events of a whole window of the objective where they are known; else the measured traffic is taken for
    usual. Intervals that an impact touches count whole: hourly data do not say in which minute of the hour requests failed.
    """
    if measured is None or not windows:
        why = "No impact window is known" if measured is not None else "No service level was measured around the incident"
        return BudgetSpent(objective, objective.budget_minutes, None, None, None, None, f"{why}; what was spent is unknown.")
    touched = touched_by(measured, windows)
    if not touched.any():
        why = "No service level was measured in the impact; what was spent is unknown."
        return BudgetSpent(objective, objective.budget_minutes, None, None, None, None, why)
    in_window = window_total if window_total is not None else _usual_total(measured, objective.window_days)
    budget_events, bad = in_window * objective.allowed, float(measured.bad[touched].sum())
    share = bad / budget_events if budget_events > 0 else None
    minutes = None if share is None else share * objective.budget_minutes
    basis = _basis(measured, touched, window_total) + _unmeasured(measured, touched, windows)
    return BudgetSpent(objective, objective.budget_minutes, bad, budget_events, share, minutes, basis)


def _unmeasured(measured: Levels, touched: NDArray[np.bool_], windows: Sequence[ImpactWindow]) -> str:
    """What is said where the impact was not measured whole: an outage in which nothing was counted spends what nobody sees."""
    impact = sum(microseconds(window.ended_at) - microseconds(window.started_at) for window in windows if window.ended_at)
    share = touched.sum() * measured.grain / impact if impact > 0 else 1.0
    if share >= _MEASURED_WHOLE:
        return ""
    return f" Only {100 * share:.0f} % of the impact was measured: it is at least that much, and may be far more."


def touched_by(measured: Levels, windows: Sequence[ImpactWindow]) -> NDArray[np.bool_]:
    """Which intervals an impact window touches; one that has not ended touches all that follow."""
    found = np.zeros(len(measured.starts), dtype=np.bool_)
    for window in windows:
        ended = microseconds(window.ended_at) if window.ended_at is not None else measured.ends[-1]
        found |= (measured.ends > microseconds(window.started_at)) & (measured.starts < ended)
    return found


def microseconds(at: datetime) -> int:
    """A naive UTC time as microseconds since 1970."""
    return int(np.datetime64(at, "us").astype(np.int64))


def moment(at: int) -> datetime:
    """The naive UTC time of microseconds since 1970."""
    return datetime(1970, 1, 1) + timedelta(microseconds=int(at))  # noqa: DTZ001 - times of incidents are naive UTC


def grain_words(measured: Levels) -> str:
    """How fine the data are, as an adjective: hourly, daily, 5-minute."""
    named = {1.0: "one-minute", 60.0: "hourly", 1440.0: "daily"}
    return named.get(measured.grain_minutes, f"{measured.grain_minutes:g}-minute")


def _usual_total(measured: Levels, window_days: int) -> float:
    """The events of a window that is like what was measured all through."""
    return float(measured.total.mean()) * window_days * MINUTES_A_DAY / measured.grain_minutes


def _basis(measured: Levels, touched: NDArray[np.bool_], window_total: float | None) -> str:
    source = "the measured traffic around the incident, taken for usual" if window_total is None else "the measured window"
    count = int(touched.sum())
    return (
        f"Failed events of the {count:,} {grain_words(measured)} {'interval' if count == 1 else 'intervals'} that the impact "
        f"touches, against a budget from {source}."
    )
