"""A resource's recorded demand, and what a rule may see of it.

A rule is handed a ``History``: copies of the rows before its moment, with nothing behind them. Later rows are not hidden
from it but absent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
WEEK = 7 * DAY
Floats = NDArray[np.floating]
Seconds = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """All that was recorded of one resource. Times are seconds since 1970, ascending and unique.

    ``at`` (n,) are the samples while it was on, ``average`` (n, 5) their demand in the units of ``DIMENSIONS``, ``highest``
    the highest demand inside the interval (the same array where the feed has averages only), NaN where not measured.
    ``seen_at`` are all readings, those of a stopped machine too; ``rejected_at`` those that cannot be right. ``scaled_up_at``
    are the emergency scale-ups of the resource, its group or its service, ``decided_at`` all decisions about it.
    ``interval_seconds`` is the time between readings. Whatever is said of a row must come from it and the rows before it.
    """

    resource_id: str
    at: Seconds
    average: Floats
    highest: Floats
    seen_at: Seconds
    rejected_at: Seconds
    scaled_up_at: Seconds
    decided_at: Seconds
    interval_seconds: float

    def before(self, moment: int) -> History:
        """What was known at ``moment``: the rows with an earlier time, copied."""
        cut = int(np.searchsorted(self.at, moment, side="left"))
        average = self.average[:cut].copy()
        seen_at = _earlier(self.seen_at, moment)
        highest = average if self.highest is self.average else self.highest[:cut].copy()
        return History(
            resource_id=self.resource_id,
            moment=moment,
            at=self.at[:cut].copy(),
            average=average,
            highest=highest,
            seen_at=seen_at,
            rejected_at=_earlier(self.rejected_at, moment),
            scaled_up_at=_earlier(self.scaled_up_at, moment),
            decided_at=_earlier(self.decided_at, moment),
            interval_seconds=interval_of(seen_at),
        )

    def after(self, moment: int, seconds: int = WEEK) -> Future:
        """What the time after ``moment`` showed: for judges, never for rules."""
        first, end = np.searchsorted(self.at, [moment, moment + seconds], side="left")
        seen = np.searchsorted(self.seen_at, [moment, moment + seconds], side="left")
        readings = int(seen[1] - seen[0])
        return Future(
            demand=np.asarray(self.average[first:end], dtype=np.float64),
            share_on=float((end - first) / readings) if readings else 0.0,
            interval_seconds=self.interval_seconds,
        )


@dataclass(frozen=True)
class History:
    """The rows of a ``Series`` before ``moment``; the same fields, owned by the rule that looks at them. The interval is that
    of these rows: a feed that changes later must not change what was known."""

    resource_id: str
    moment: int
    at: Seconds
    average: Floats
    highest: Floats
    seen_at: Seconds
    rejected_at: Seconds
    scaled_up_at: Seconds
    decided_at: Seconds
    interval_seconds: float

    def last(self, days: float) -> History:
        """The last ``days`` of it."""
        since = self.moment - int(days * DAY)
        start = int(np.searchsorted(self.at, since, side="left"))
        average = self.average[start:]
        return History(
            resource_id=self.resource_id,
            moment=self.moment,
            at=self.at[start:],
            average=average,
            highest=average if self.highest is self.average else self.highest[start:],
            seen_at=_since(self.seen_at, since),
            rejected_at=_since(self.rejected_at, since),
            scaled_up_at=_since(self.scaled_up_at, since),
            decided_at=_since(self.decided_at, since),
            interval_seconds=self.interval_seconds,
        )


@dataclass(frozen=True)
class Future:
    """What a week showed: ``demand`` (n, 5) of its samples, and the share of its readings with the machine on."""

    demand: NDArray[np.float64]
    share_on: float
    interval_seconds: float


def interval_of(seconds: Seconds) -> float:
    """The time between readings: the median, in whole ten seconds where it is longer than that."""
    if len(seconds) < 2:
        return 300.0
    median = float(np.median(np.diff(seconds)))
    return max(1.0, round(median / 10) * 10 if median >= 10 else median)


def _earlier(times: Seconds, moment: int) -> Seconds:
    return times[: int(np.searchsorted(times, moment, side="left"))].copy()


def _since(times: Seconds, moment: int) -> Seconds:
    return times[int(np.searchsorted(times, moment, side="left")) :]
