"""Logarithmic bins: where a value falls, how far an estimate may be off, and how days are added."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.domain.histogram import (
    TrimmedCounts,
    add_trimmed,
    filled_range,
    histograms,
    quantiles,
)
from dagster_project.domain.layouts import BINS, COUNTS, PERCENT, VOLUME, Layout

LAYOUTS = pytest.mark.parametrize("layout", [PERCENT, VOLUME, COUNTS], ids=lambda layout: layout.name)
PROBABILITIES = (0.5, 0.95, 0.99, 0.995)


def one(values: list[float] | np.ndarray, layout: Layout) -> np.ndarray:
    """The histogram of one group, shape (1, BINS)."""
    values = np.asarray(values, dtype=np.float64)
    return histograms(np.zeros(len(values), np.int64), values, layout, 1)


def test_the_layouts_reach_as_far_as_their_meters() -> None:
    assert PERCENT.ceiling == pytest.approx(403.5, abs=0.1)  # beyond 100, because a reading may refer to a smaller size
    assert VOLUME.ceiling == pytest.approx(2.683e13, rel=0.001)
    assert COUNTS.ceiling == pytest.approx(2.683e10, rel=0.001)


@LAYOUTS
def test_zero_and_the_floor_share_the_first_bin_and_the_next_value_begins_the_second(layout: Layout) -> None:
    values = np.array([0.0, layout.floor / 2, layout.floor, layout.floor * 1.000001, layout.floor * layout.gamma])
    assert layout.bin_of(values).tolist() == [0, 0, 0, 1, 1]


@LAYOUTS
def test_the_ceiling_is_the_last_bin_and_what_is_beyond_is_counted_there(layout: Layout) -> None:
    values = np.array([layout.ceiling / layout.gamma, layout.ceiling, layout.ceiling * 1.01, layout.ceiling * 1e6])
    assert layout.bin_of(values).tolist() == [BINS - 2, BINS - 1, BINS - 1, BINS - 1]


@LAYOUTS
def test_each_edge_belongs_to_the_bin_below_it(layout: Layout) -> None:
    edges = layout.floor * layout.gamma ** np.arange(BINS)
    assert layout.bin_of(edges).tolist() == list(range(BINS))
    assert layout.bin_of(edges[:-1] * 1.0001).tolist() == list(range(1, BINS))


@LAYOUTS
def test_what_stands_for_a_bin_is_equally_far_from_both_its_edges(layout: Layout) -> None:
    upper = layout.floor * layout.gamma ** np.arange(1, BINS)
    lower = upper / layout.gamma
    middle = layout.estimates()[1:]
    assert np.allclose((upper - middle) / upper, layout.relative_error, rtol=1e-9)
    assert np.allclose((middle - lower) / lower, layout.relative_error, rtol=1e-9)


@LAYOUTS
def test_what_stands_for_the_first_bin_is_half_the_floor(layout: Layout) -> None:
    assert layout.estimates()[0] == layout.floor / 2
    assert layout.estimates().shape == (BINS,)


@LAYOUTS
@pytest.mark.parametrize("shape", ["flat", "skewed", "two humps"])
def test_a_quantile_is_off_by_no_more_than_the_relative_error(layout: Layout, shape: str) -> None:
    generator = np.random.default_rng(7)
    share = {
        "flat": generator.uniform(0, 1, 4001),
        "skewed": generator.beta(0.5, 8, 4001),
        "two humps": np.concatenate([generator.normal(0.1, 0.01, 2000), generator.normal(0.9, 0.01, 2001)]),
    }[shape]
    values = layout.floor * (layout.ceiling / layout.floor) ** share.clip(0, 1)
    found = quantiles(one(values, layout), layout, PROBABILITIES)[0]
    true = np.quantile(values, PROBABILITIES, method="inverted_cdf")
    assert (np.abs(found - true) <= layout.relative_error * true * (1 + 1e-9)).all()


@LAYOUTS
def test_at_or_below_the_floor_an_estimate_is_off_by_no_more_than_half_of_it(layout: Layout) -> None:
    values = np.linspace(0, layout.floor, 101)
    found = quantiles(one(values, layout), layout, PROBABILITIES)[0]
    true = np.quantile(values, PROBABILITIES, method="inverted_cdf")
    assert found.tolist() == [layout.floor / 2] * 4
    assert (np.abs(found - true) <= layout.floor / 2).all()


@pytest.mark.parametrize(
    ("samples", "probability", "rank"),
    [
        (1, 0.5, 1),
        (2, 0.5, 1),
        (3, 0.5, 2),
        (200, 0.995, 199),
        (201, 0.995, 200),
        (2016, 0.995, 2006),
        (20, 0.95, 19),
        (100, 0.99, 99),
    ],
)
def test_the_quantile_of_n_samples_is_the_one_of_rank_ceil_p_n(samples: int, probability: float, rank: int) -> None:
    """So a value that was seen is named, and never one between two."""
    counts = np.zeros((1, BINS), np.uint32)
    counts[0, :samples] = 1 if samples <= BINS else 0
    if samples > BINS:
        counts[0, 0], counts[0, 1], counts[0, 2] = rank - 1, 1, samples - rank
        expected = PERCENT.estimates()[1]
    else:
        expected = PERCENT.estimates()[rank - 1]
    assert quantiles(counts, PERCENT, (probability,))[0, 0] == expected


def test_the_lowest_quantile_is_the_lowest_sample() -> None:
    assert quantiles(one([5.0, 50.0], PERCENT), PERCENT, (0.0,))[0, 0] == pytest.approx(5.0, rel=0.01)


def test_no_samples_have_no_quantile() -> None:
    counts = np.zeros((2, BINS), np.uint32)
    counts[1, 7] = 3
    found = quantiles(counts, PERCENT, (0.5,))
    assert np.isnan(found[0, 0])
    assert found[1, 0] == PERCENT.estimates()[7]


def test_an_unknown_value_is_in_no_bin() -> None:
    found = histograms(np.array([0, 0, 1]), np.array([np.nan, 10.0, np.nan]), PERCENT, 3)
    assert found.sum(axis=1).tolist() == [1, 0, 0]


def test_groups_are_counted_apart_in_any_order() -> None:
    found = histograms(np.array([2, 0, 2, 2]), np.array([0.5, 100.0, 0.2, 100.0]), PERCENT, 3)
    hundred = int(PERCENT.bin_of(np.array([100.0]))[0])
    assert found.shape == (3, BINS)
    assert (found[0, hundred], found[2, 0], found[2, hundred]) == (1, 2, 1)
    assert found.sum() == 4


def test_the_filled_range_leaves_out_the_empty_ends_and_keeps_the_gaps() -> None:
    counts = np.zeros((4, BINS), np.uint32)
    counts[0, [3, 9]] = 1
    counts[1, 0] = 5
    counts[2, BINS - 1] = 5
    first, length = filled_range(counts)
    assert first.tolist() == [3, 0, BINS - 1, 0]
    assert length.tolist() == [7, 1, 1, 0]


def test_stored_histograms_are_added_to_the_rows_that_they_belong_to() -> None:
    total = np.zeros((3, BINS), np.uint32)
    total[2, 300] = 1
    stored = TrimmedCounts(np.array([299, 0], np.uint16), np.array([2, 3], np.uint32), np.array([7, 8, 1, 0, 2], np.uint32))
    add_trimmed(total, np.array([2, 0]), stored)
    assert total[2, 299:].tolist() == [7, 9]
    assert total[0, :4].tolist() == [1, 0, 2, 0]
    assert total.sum() == 19


def test_a_stored_histogram_without_samples_adds_nothing() -> None:
    total = np.zeros((2, BINS), np.uint32)
    add_trimmed(total, np.array([0, 1]), TrimmedCounts(np.array([0, 5]), np.array([0, 1]), np.array([4], np.uint32)))
    assert total[1, 5] == 4
    assert total.sum() == 4
