"""How long incidents last when some of them still do: the survival curve of Kaplan and Meier (1958).

An incident that is open has lasted for at least so long. To leave it out makes the rest look shorter, to count it as ended now
does so too, and that number would grow from night to night. The curve uses what is known: until now it has not ended. Without
open incidents its quantiles are those of the plain sample, the median that of every textbook.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Minutes = NDArray[np.float64]

_EXACT = 1e-9
"""Shares nearer to each other than this are equal: products of fractions are not exact."""


_NUMBERS_AT_ONCE = 1_000_000
"""Bounds memory where thousands are open."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Minutes of incidents, each ascending: those that have ended, and for how long the others have lasted so far."""

    ended: Minutes
    running: Minutes

    @classmethod
    def of(cls, ended: ArrayLike, running: ArrayLike = ()) -> Durations:
        """Durations in any order."""
        return cls(*(np.sort(np.asarray(each, dtype=np.float64)) for each in (ended, running)))

    @property
    def count(self) -> int:
        """All of them, ended or not."""
        return len(self.ended) + len(self.running)


@dataclass(frozen=True, slots=True)
class Curve:
    """``surviving[i]``: the share that lasts longer than ``minutes[i]``; ``minutes`` are those at which some ended, ascending."""

    minutes: Minutes
    surviving: Minutes

    def quantile(self, share: float) -> float | None:
        """Minutes within which ``share`` (0..1) have ended; None where the curve does not come down that far.

        Where it runs level exactly at ``share``, the middle of that stretch, as for the median of an even number.
        """
        left = 1 - share
        reached = np.flatnonzero(self.surviving <= left + _EXACT)
        passed = np.flatnonzero(self.surviving < left - _EXACT)
        if not len(reached) or not len(passed):
            return None
        return float((self.minutes[reached[0]] + self.minutes[passed[0]]) / 2)


def survival_curve(durations: Durations) -> Curve:
    """The curve; one that was open at the minute at which another ended is taken to have lasted longer."""
    minutes, ends = np.unique(durations.ended, return_counts=True)
    at_risk = durations.count - np.searchsorted(durations.ended, minutes) - np.searchsorted(durations.running, minutes)
    return Curve(minutes, np.cumprod(1 - ends / at_risk))


def resampled_medians(durations: Durations, draws: int, rng: np.random.Generator) -> Minutes:
    """Medians of ``draws`` bootstrap samples (incidents drawn with replacement), infinite where a curve does not reach one.

    No sample is ever built, so that the cost does not grow with the number of incidents. Between two open incidents the curve
    falls by the same step at each end; so it is enough to draw how many incidents of each such stretch are in the sample, to
    find the stretch and the step at which half is reached, and then which incident that is: an order statistic of uniform
    draws, which has a Beta distribution.
    """
    if not len(durations.ended):
        return np.full(draws, np.inf)
    if not len(durations.running):
        return _medians_of_ended(durations.ended, draws, rng)
    at_once = max(1, _NUMBERS_AT_ONCE // len(durations.running))
    parts = [_medians_between_open(durations, min(at_once, draws - done), rng) for done in range(0, draws, at_once)]
    return np.concatenate(parts)


def _medians_between_open(durations: Durations, draws: int, rng: np.random.Generator) -> Minutes:
    stretches = _Stretches.of(durations, draws, rng)
    place, step, is_level = stretches.half()
    medians = np.full(draws, np.inf)
    rows = np.flatnonzero(place < stretches.ends.shape[1])
    medians[rows] = stretches.minutes(rows, place[rows], step[rows], is_level[rows], rng)
    return medians


def _medians_of_ended(ended: Minutes, draws: int, rng: np.random.Generator) -> Minutes:
    """The same where none is open: the middle of each sample, for an even number that of the middle two."""
    count = len(ended)
    step = (count + 1) // 2
    uniform = rng.beta(step, count + 1 - step, draws)
    lower = ended[_place(uniform, count)]
    if count % 2:
        return lower
    above = uniform + (1 - uniform) * rng.beta(1, count - step, draws)
    return (lower + ended[_place(above, count)]) / 2


def _place(uniform: Minutes, size: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Which of ``size`` incidents a uniform draw stands for; a sum that is rounded up to one stands for the last."""
    return np.minimum((uniform * size).astype(np.int64), np.maximum(size - 1, 0))


@dataclass(frozen=True, slots=True)
class _Stretches:
    """``draws`` samples, stretch by stretch between open incidents. ``first`` and ``size`` say which of ``ended`` each holds;
    ``ends[i, j]``: how many sample i has of stretch j; ``at_risk``: how many last at least as long as it."""

    ended: Minutes
    first: NDArray[np.int64]
    size: NDArray[np.int64]
    ends: NDArray[np.int64]
    at_risk: NDArray[np.int64]

    @classmethod
    def of(cls, durations: Durations, draws: int, rng: np.random.Generator) -> _Stretches:
        ended = durations.ended
        cuts, opened = np.unique(np.searchsorted(ended, durations.running, side="right"), return_counts=True)
        first = np.concatenate(([0], cuts))
        size = np.diff(np.concatenate((first, [len(ended)])))
        sizes = np.empty(2 * len(cuts) + 1, dtype=np.int64)
        sizes[::2], sizes[1::2] = size, opened
        counts = rng.multinomial(durations.count, sizes / durations.count, size=draws)
        at_risk = durations.count - np.cumsum(counts, axis=1) + counts
        return cls(ended, first, size, counts[:, ::2], at_risk[:, ::2])

    def half(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Of each sample the stretch in which half have ended (their number where none), the step there (from 1), and whether
        the curve then runs level at exactly a half."""
        after = np.cumprod(1 - self.ends / np.maximum(self.at_risk, 1), axis=1)
        is_below = after <= 0.5 + _EXACT
        place = np.where(is_below.any(axis=1), is_below.argmax(axis=1), is_below.shape[1])
        rows, column = np.arange(len(place)), np.minimum(place, is_below.shape[1] - 1)
        before = np.where(column > 0, after[rows, np.maximum(column, 1) - 1], 1.0)
        exact = self.at_risk[rows, column] * (1 - 0.5 / np.maximum(before, 0.5))
        step = np.maximum(np.ceil(exact - _EXACT), 1).astype(np.int64)
        return place, step, np.abs(exact - step) < _EXACT * np.maximum(exact, 1)

    def minutes(
        self,
        rows: NDArray[np.int64],
        place: NDArray[np.int64],
        step: NDArray[np.int64],
        is_level: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Minutes:
        """The medians of those samples that reach one."""
        drawn = self.ends[rows, place]
        uniform = rng.beta(step, drawn + 1 - step)
        lower = self._value(place, uniform)
        upper = lower.copy()
        inside = is_level & (step < drawn)
        above = uniform[inside] + (1 - uniform[inside]) * rng.beta(1, (drawn - step)[inside])
        upper[inside] = self._value(place[inside], above)
        beyond = is_level & (step == drawn)
        upper[beyond] = self._next(rows[beyond], place[beyond], rng)
        return (lower + upper) / 2

    def _next(self, rows: NDArray[np.int64], place: NDArray[np.int64], rng: np.random.Generator) -> Minutes:
        """The first end after the stretch, infinite where all that is left is open."""
        is_later = (np.arange(self.ends.shape[1]) > place[:, None]) & (self.ends[rows] > 0)
        following = is_later.argmax(axis=1)
        uniform = rng.beta(1, np.maximum(self.ends[rows, following], 1))
        return np.where(is_later.any(axis=1), self._value(following, uniform), np.inf)

    def _value(self, place: NDArray[np.int64], uniform: Minutes) -> Minutes:
        return self.ended[np.minimum(self.first[place] + _place(uniform, self.size[place]), len(self.ended) - 1)]
