"""How far to believe a share: intervals by resampling whole groups of machines, which rise and fall together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.backtest.score import Marks

RESAMPLES = 1000
_SEED = 20_250_309


def group_interval(
    groups: Sequence[str], shares: Sequence[Callable[[NDArray[np.float64]], float | None]], count: int = RESAMPLES
) -> list[tuple[float, float] | None]:
    """95 % intervals of some shares. Groups are drawn with replacement, as many as there are; a share is computed from the
    weight of each window, (n,). None where some draw leaves nothing to have a share of in more than a tenth of the draws.

    Percentile bootstrap over clusters (Cameron, Gelbach, Miller 2008). The draws are the same in every run.
    """
    names = sorted(set(groups))
    number = {name: place for place, name in enumerate(names)}
    of_window = np.array([number[name] for name in groups], dtype=np.int64)
    random = np.random.default_rng(_SEED)
    found: list[list[float]] = [[] for _ in shares]
    for _ in range(count):
        drawn = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        weight = drawn[of_window].astype(np.float64)
        for place, share in enumerate(shares):
            value = share(weight)
            if value is not None:
                found[place].append(value)
    return [_middle(values) if len(values) >= 0.9 * count else None for values in found]


def nothing_seen(trials: int) -> tuple[float, float] | None:
    """95 % interval of a share (percent) of which nothing was seen in so many independent trials.

    Resampling nothing gives nothing, which would be a promise; the exact bound (Clopper, Pearson 1934) is none.
    """
    return (0.0, 100 * (1 - 0.025 ** (1 / trials))) if trials else None


def captured(marks: Marks) -> Callable[[NDArray[np.float64]], float | None]:
    """Captured savings (percent) under weights."""

    def share(weight: NDArray[np.float64]) -> float | None:
        possible = float(weight @ marks.possible)
        return 100 * float(weight @ marks.credited) / possible if possible > 0 else None

    return share


def of_downsizes(marks: Marks, flag: NDArray[np.bool_]) -> Callable[[NDArray[np.float64]], float | None]:
    """The share of downsizes (percent) that a flag marks, under weights."""
    downs, hits = marks.is_down.astype(np.float64), (marks.is_down & flag).astype(np.float64)

    def share(weight: NDArray[np.float64]) -> float | None:
        total = float(weight @ downs)
        return 100 * float(weight @ hits) / total if total > 0 else None

    return share


def _middle(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
