"""The points of CloudWatch's metrics, as arrays or as functions of time, and what statistics come to over a period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Moments = NDArray[np.int64]
Values = Floats | Callable[[Moments], Floats]
"""Values of the points of a series, or a function that gives them for moments in seconds since 1970. NaN = there is no point."""
STATISTICS = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")
ENDLESS = 2**40


@dataclass(frozen=True)
class Series:
    """Points of a metric at regular distances: ``count`` of them from ``start``, in seconds since 1970, every ``period`` seconds.

    ``values`` are averages; ``minimum`` and ``maximum`` are the same where nothing else is said. Each point is of ``samples``
    samples. It is there for requests after the first ``visible_after``.
    """

    start: int
    period: int
    count: int
    values: Values
    minimum: Values | None
    maximum: Values | None
    samples: float
    unit: str
    visible_after: int

    @property
    def last(self) -> int:
        """The moment of the last point, gap or not."""
        return self.start + (self.count - 1) * self.period

    def part(self, begin: int, end: int, stat: str) -> tuple[Moments, Floats, Floats]:
        """Moments, values and samples of the points from ``begin`` until right before ``end``."""
        first = max(0, -((self.start - begin) // self.period))
        after = min(self.count, -((self.start - end) // self.period))
        moments = self.start + self.period * np.arange(first, max(first, after), dtype=np.int64)
        source = {"Minimum": self.minimum, "Maximum": self.maximum}.get(stat)
        chosen = self.values if source is None else source
        values = chosen(moments) if callable(chosen) else chosen[first : max(first, after)]
        there = ~np.isnan(values)
        if not there.all():
            moments, values = moments[there], values[there]
        return moments, np.asarray(values, dtype=np.float64), np.full(len(moments), float(self.samples))


def points(series: Sequence[Series], begin: int, end: int, period: int, stat: str) -> tuple[Moments, Floats]:
    """The points of a statistic over a period, in order of time."""
    parts = [each.part(begin, end, stat) for each in series]
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    moments, values, samples = (np.concatenate(each) for each in zip(*parts, strict=True))
    bins = moments - moments % period
    if len(parts) > 1:
        order = np.argsort(bins, kind="stable")
        bins, values, samples = bins[order], values[order], samples[order]
    if stat in ("Average", "Sum"):
        values = values * samples
    firsts = np.flatnonzero(np.diff(bins, prepend=-1))
    if len(firsts) == len(bins):
        return bins, values / samples if stat == "Average" else samples if stat == "SampleCount" else values
    if stat in ("Minimum", "Maximum"):
        return bins[firsts], (np.minimum if stat == "Minimum" else np.maximum).reduceat(values, firsts)
    counts = np.add.reduceat(samples, firsts)
    if stat == "SampleCount":
        return bins[firsts], counts
    sums = np.add.reduceat(values, firsts)
    return bins[firsts], sums / counts if stat == "Average" else sums
