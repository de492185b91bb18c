"""Burn-rate alerts, replayed: would they have paged, and how long after the impact began.

An alert has two windows, and the budget must burn faster than its rate in both: the long one says that it matters, the short one
that it still goes on. The rates are those of a 30-day budget: 2 % of it in an hour, 5 % in six, 10 % in one day and in three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.incidents.error_budget import Levels, Objective, grain_words, microseconds, moment
from dagster_project.domain.incidents.model import ImpactWindow

MIN_EVENTS = 100
"""Events that a window must hold: of five requests one that fails is no trend."""
_RATE_DAYS = 30
_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class BurnRateAlert:
    """Budget that burns ``rate`` times as fast as it may, for a window of 30 days."""

    rate: float
    long_minutes: int
    short_minutes: int

    def rate_for(self, window_days: int) -> float:
        """The rate at which the same share of a budget of other length is gone in the long window."""
        return self.rate * window_days / _RATE_DAYS


ALERTS = (
    BurnRateAlert(14.4, 60, 5),
    BurnRateAlert(6.0, 360, 30),
    BurnRateAlert(3.0, 1440, 120),
    BurnRateAlert(1.0, 4320, 360),
)


@dataclass(frozen=True, slots=True)
class Replay:
    """What one alert would have done. ``status``: fired, already (it was on when the impact began), quiet, unreachable (no share
    of errors is large enough), coarse (the data do not show its short window), short (the data do not reach back far enough),
    few (too few events) or unmeasured. ``rate`` is scaled to the objective's window."""

    alert: BurnRateAlert
    rate: float
    status: str
    fired_at: datetime | None
    after_minutes: float | None
    sentence: str


def replay(
    measured: Levels | None,
    objective: Objective,
    windows: Sequence[ImpactWindow],
    alerts: Sequence[BurnRateAlert] = ALERTS,
    min_events: float = MIN_EVENTS,
) -> tuple[Replay, ...]:
    """Each alert over the data, from the first impact's begin to the last one's end; an alert is looked at whenever an interval
    is over. Windows that reach back before the first sample do not count: nobody knows what was in them."""
    return tuple(_replayed(measured, objective, windows, alert, min_events) for alert in alerts)


def _replayed(
    measured: Levels | None, objective: Objective, windows: Sequence[ImpactWindow], alert: BurnRateAlert, min_events: float
) -> Replay:
    rate = alert.rate_for(objective.window_days)
    if objective.allowed * rate >= 1:
        return _told(alert, rate, "unreachable", f"it would need {objective.allowed * rate:.0%} of the requests to fail")
    if measured is None or not windows:
        return _told(alert, rate, "unmeasured", "no service level was measured or no impact is known")
    if measured.grain_minutes > alert.short_minutes:
        return _told(alert, rate, "coarse", f"this cannot be told with {grain_words(measured)} data")
    began, ended = min(microseconds(each.started_at) for each in windows), _last(measured, windows)
    before, within = measured.ends <= began, (measured.ends > began) & (measured.starts < ended)
    complete = measured.ends - alert.long_minutes * _MINUTE >= measured.starts[0]
    if not (within & complete).any():
        return _told(alert, rate, "short", f"the data do not reach back {_span(alert.long_minutes)} from the impact")
    over, enough = _over(measured, objective, alert, rate, min_events)
    if not (within & complete & enough).any():
        return _told(alert, rate, "few", f"its windows hold fewer than {min_events:g} events")
    firing = over & enough & complete
    return _judged(measured, alert, rate, began, firing, before, within)


def _judged(
    measured: Levels,
    alert: BurnRateAlert,
    rate: float,
    began: int,
    firing: NDArray[np.bool_],
    before: NDArray[np.bool_],
    within: NDArray[np.bool_],
) -> Replay:
    if before.any() and firing[before][-1]:
        return _told(alert, rate, "already", "it was on when the impact began")
    hits = np.flatnonzero(firing & within)
    if len(hits) == 0:
        return _told(alert, rate, "quiet", "it would not have paged")
    at = int(measured.ends[hits[0]])
    after = (at - began) / _MINUTE
    unit = "minute" if round(after) == 1 else "minutes"
    words = f"it would have paged at {moment(at):%H:%M} UTC on {moment(at):%Y-%m-%d}, {after:,.0f} {unit} after the impact began"
    return _told(alert, rate, "fired", words, moment(at), after)


def _over(
    measured: Levels, objective: Objective, alert: BurnRateAlert, rate: float, min_events: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """At the end of each interval: whether both windows burn faster than the rate, and whether both hold enough events."""
    over = np.ones(len(measured.starts), dtype=np.bool_)
    enough = np.ones(len(measured.starts), dtype=np.bool_)
    for minutes in (alert.long_minutes, alert.short_minutes):
        bad, total = _sums(measured, minutes)
        over &= bad > rate * objective.allowed * total
        enough &= total >= min_events
    return over, enough


def _sums(measured: Levels, minutes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bad and total events in the window that ends with each interval."""
    first = np.searchsorted(measured.ends, measured.ends - minutes * _MINUTE, side="right")
    last = np.arange(1, len(measured.ends) + 1)
    bad, total = (np.concatenate(([0.0], np.cumsum(values))) for values in (measured.bad, measured.total))
    return bad[last] - bad[first], total[last] - total[first]


def _last(measured: Levels, windows: Sequence[ImpactWindow]) -> int:
    if any(each.ended_at is None for each in windows):
        return int(measured.ends[-1])
    return max(microseconds(each.ended_at) for each in windows if each.ended_at is not None)


def _told(
    alert: BurnRateAlert, rate: float, status: str, words: str, at: datetime | None = None, after: float | None = None
) -> Replay:
    named = f"Alert on {rate:g} times the allowed burn ({_span(alert.long_minutes)} and {_span(alert.short_minutes)})"
    return Replay(alert, rate, status, at, after, f"{named}: {words}.")


def _span(minutes: int) -> str:
    if minutes >= 1440 and minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
