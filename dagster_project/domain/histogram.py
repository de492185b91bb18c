"""Mergeable histograms with a relative error, in the manner of DDSketch (Masson, Rim, Lee, VLDB 2019).

A day of a metric is kept as counts in logarithmic bins, so that the percentiles of any window are found by adding days:
raw samples are never read again. Merging is integer addition, hence exact and independent of order.

Error bound. With ``q`` the true quantile (the sample of rank ``ceil(p * n)``), the estimate is within
``relative_error * q`` for every ``q`` between the layout's floor and its ceiling; at or below the floor it is within
half the floor. Estimates never leave [minimum, maximum] of the window, which are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.layouts import BINS, Layout


def histograms(groups: NDArray[np.integer], values: NDArray[np.floating], layout: Layout, size: int) -> NDArray[np.uint32]:
    """Counts of ``values`` (NaN = unknown, skipped) by group and bin, shape (size, BINS).

    ``groups`` holds for every value the number of its group, 0 ≤ group < size.
    """
    known = ~np.isnan(values)
    cells = groups[known].astype(np.int64) * BINS + layout.bin_of(values[known])
    return np.bincount(cells, minlength=size * BINS).reshape(size, BINS).astype(np.uint32)


@dataclass(frozen=True)
class TrimmedCounts:
    """Histograms without their empty ends, as they are stored: one row per group.

    ``first_bin`` (n,) is the bin of the first count, ``lengths`` (n,) how many counts follow, ``counts`` all of them in
    one run. A group without samples has length 0.
    """

    first_bin: NDArray[np.integer]
    lengths: NDArray[np.integer]
    counts: NDArray[np.uint32]


def filled_range(dense: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """First filled bin of every row of ``dense`` (n, BINS), and the number of bins from there to the last filled one."""
    filled = dense > 0
    any_filled = filled.any(axis=1)
    first = np.where(any_filled, filled.argmax(axis=1), 0)
    last = np.where(any_filled, BINS - 1 - filled[:, ::-1].argmax(axis=1), -1)
    return first.astype(np.uint16), (last - first + 1).clip(min=0).astype(np.uint32)


def add_trimmed(total: NDArray[np.uint32], rows: NDArray[np.integer], trimmed: TrimmedCounts) -> None:
    """Adds stored histograms to ``total`` (n, BINS) in place; ``rows`` names the row of each, without repeats."""
    lengths = trimmed.lengths.astype(np.int64)
    starts = rows.astype(np.int64) * BINS + trimmed.first_bin
    offsets = np.cumsum(lengths) - lengths
    cells = np.repeat(starts - offsets, lengths)
    cells += np.arange(len(cells))
    total.reshape(-1)[cells] += trimmed.counts


def quantiles(total: NDArray[np.uint32], layout: Layout, probabilities: tuple[float, ...]) -> NDArray[np.float64]:
    """Quantiles of every row of ``total`` (n, BINS), shape (n, len(probabilities)); NaN for a row without samples."""
    cumulative = np.cumsum(total, axis=1, dtype=np.int64)
    samples = cumulative[:, -1]
    estimates = layout.estimates()
    result = np.full((len(total), len(probabilities)), np.nan)
    for column, probability in enumerate(probabilities):
        rank = np.maximum(np.ceil(probability * samples - 1e-9), 1)
        bins = (cumulative >= rank[:, None]).argmax(axis=1)
        result[:, column] = np.where(samples > 0, estimates[bins], np.nan)
    return result
