"""What durations of incidents say: medians and quantiles with bootstrap intervals, and changes between two periods.

Durations of incidents are skewed: of 476 real ones the arithmetic mean is nearly twice the median and a single one moves it. No
mean of them is given here but the geometric one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from dagster_project.domain.survival import Curve, Durations, Minutes, resampled_medians, survival_curve

DRAWS = 2000
"""Bootstrap samples: their 2.5 % and 97.5 % are the 50th from either end."""

_Z = 1.959963984540054
"""Of a normal distribution: 95 % lie within so many standard deviations."""
_Z_POWER = 0.8416212335729143
"""80 % lie below so many standard deviations."""


@dataclass(frozen=True, slots=True)
class Described:
    """Minutes. ``medians`` are those of the bootstrap samples, infinite where open incidents leave them unknown; None is
    unknown: ``high`` where the interval has no upper end."""

    count: int
    median: float | None
    low: float | None
    high: float | None
    geometric_mean: float | None
    p75: float | None
    p90: float | None
    medians: Minutes


@dataclass(frozen=True, slots=True)
class Change:
    """How the median changed, in percent (-40 = 40 % shorter; None where that is unknown) with its 95 % interval: ``high_pct``
    is None where it has no upper end. ``is_shorter`` and ``is_longer``: the interval leaves "no change" out."""

    pct: float | None
    low_pct: float
    high_pct: float | None
    is_shorter: bool
    is_longer: bool


def describe(durations: Durations, seed: str) -> Described:
    """The durations in numbers; the interval is the percentile bootstrap's (Efron 1979). Same ``seed``, same interval."""
    medians = resampled_medians(durations, DRAWS, _generator(seed))
    curve = survival_curve(durations)
    low, high = _interval(medians)
    return Described(
        durations.count,
        curve.quantile(0.5),
        _known(low),
        _known(high),
        _geometric_mean(durations, curve),
        curve.quantile(0.75),
        curve.quantile(0.9),
        medians,
    )


def _geometric_mean(durations: Durations, curve: Curve) -> float | None:
    """Minutes; None where one took no time at all, or where the longest is open: how far it reaches is then not known.

    What an open incident stands for is shared by those that lasted longer: the steps of the survival curve are the weights.
    """
    if not len(durations.ended) or durations.ended[0] <= 0:
        return None
    if len(durations.running) and durations.running[-1] >= durations.ended[-1]:
        return None
    weights = -np.diff(curve.surviving, prepend=1.0)
    return float(np.exp(np.sum(weights * np.log(curve.minutes))))


def change(now: Described, before: Described) -> Change:
    """The ratio of the two medians, with the interval of the ratio of the two bootstraps."""
    low, high = _interval(*_log_ratios(now, before))
    pct = 100 * (now.median / before.median - 1) if now.median is not None and before.median else None
    return Change(pct, _percent(low), _percent(high), is_shorter=high < 0, is_longer=low > 0)


def detectable_cut_pct(now: Described, before: Described | None = None) -> float | None:
    """The smallest cut of the median, in percent, that ``change`` would show four times in five; None where that is unknown.

    The logarithm of the ratio of two medians is nearly normal. Half the width of its 95 % interval is 1.96 standard errors; a
    cut is shown when its logarithm lies beyond that half width, and in 80 % of the cases when it lies beyond by another 0.84
    standard errors. So the cut is 1 - exp(-2.80 standard errors): from the bootstrap of the very comparison that is made, not
    of another, stronger test. Without a period before, one of the same size that varies as much is assumed.
    """
    low, high = _interval(*_log_ratios(now, before)) if before is not None else np.log(_interval_above_zero(now.medians))
    half = (high - low) / 2 * (1 if before is not None else np.sqrt(2))
    return float(100 * -np.expm1(-half * (1 + _Z_POWER / _Z))) if np.isfinite(half) else None


def _interval_above_zero(medians: Minutes) -> tuple[float, float]:
    low, high = _interval(medians)
    return (low, high) if low > 0 else (1.0, np.inf)


def _log_ratios(now: Described, before: Described) -> tuple[Minutes, Minutes]:
    """Of each pair of bootstrap samples the least and the greatest that the logarithm of the ratio can be."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(now.medians) - np.log(before.medians)
    unknown = np.isnan(ratios)  # both are infinite, or both are zero
    return np.where(unknown, -np.inf, ratios), np.where(unknown, np.inf, ratios)


def _interval(least: Minutes, greatest: Minutes | None = None) -> tuple[float, float]:
    """The 2.5 % and 97.5 % of draws: values that were drawn, for between a number and infinity there is no middle."""
    greatest = least if greatest is None else greatest
    place = round(0.025 * len(least))
    return float(np.partition(least, place)[place]), float(np.partition(greatest, -place - 1)[-place - 1])


def _percent(logarithm: float) -> float | None:
    """Nothing falls by more than 100 %, however little is known; how far it may rise has no such end."""
    return float(100 * np.expm1(logarithm)) if logarithm < np.inf else None


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _generator(seed: str) -> np.random.Generator:
    """Not ``hash()``: that differs from process to process."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
