"""What holds for histograms of any samples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.histogram import (
    TrimmedCounts,
    add_trimmed,
    filled_range,
    histograms,
    quantiles,
)
from dagster_project.domain.layouts import BINS, COUNTS, PERCENT, VOLUME, Layout

LAYOUTS = st.sampled_from([PERCENT, VOLUME, COUNTS])
PROBABILITIES = ("0.5", "0.95", "0.99", "0.995")


@st.composite
def layouts_and_days(draw: st.DrawFn) -> tuple[Layout, list[np.ndarray]]:
    """Some days of samples between nothing and ten times the ceiling, unknown ones among them."""
    layout = draw(LAYOUTS)
    values = st.one_of(
        st.floats(0, layout.floor * 2),
        st.floats(layout.floor, layout.ceiling * 10),
        st.sampled_from([0.0, layout.floor, layout.ceiling, float("nan")]),
    )
    days = draw(st.lists(st.lists(values, max_size=40), min_size=1, max_size=6))
    return layout, [np.array(day, dtype=np.float64) for day in days]


def counted(values: np.ndarray, layout: Layout) -> np.ndarray:
    return histograms(np.zeros(len(values), np.int64), values, layout, 1)


@settings(deadline=None)
@given(layouts_and_days(), st.randoms(use_true_random=False))
def test_days_that_are_added_in_any_order_are_the_histogram_of_all_their_samples(
    drawn: tuple[Layout, list[np.ndarray]], random: object
) -> None:
    layout, days = drawn
    shuffled = list(days)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    total = np.zeros((1, BINS), np.uint32)
    for day in shuffled:
        dense = counted(day, layout)
        first, length = filled_range(dense)
        stored = dense[0, int(first[0]) : int(first[0]) + int(length[0])]
        add_trimmed(total, np.array([0]), TrimmedCounts(first, length, stored))
    assert (total == counted(np.concatenate(days), layout)).all()
    assert total.sum() == sum(np.count_nonzero(~np.isnan(day)) for day in days)


@settings(deadline=None)
@given(LAYOUTS, st.data())
def test_every_quantile_is_within_the_bound_of_the_sample_that_it_stands_for(layout: Layout, data: st.DataObject) -> None:
    values = np.array(data.draw(st.lists(st.floats(0, layout.ceiling), min_size=1, max_size=300)))
    found = quantiles(counted(values, layout), layout, tuple(float(text) for text in PROBABILITIES))[0]
    ordered = np.sort(values)
    for estimate, text in zip(found, PROBABILITIES, strict=True):
        rank = -(-Fraction(text) * len(values) // 1)  # exact: floating point must not choose another sample
        true = ordered[int(rank) - 1]
        bound = layout.relative_error * true if true > layout.floor else layout.floor / 2
        assert abs(estimate - true) <= bound * (1 + 1e-6)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, BINS - 1), st.integers(1, 2**31)), max_size=5), min_size=1, max_size=8))
def test_a_histogram_is_the_same_after_it_was_stored_without_its_empty_ends(rows: list[list[tuple[int, int]]]) -> None:
    dense = np.zeros((len(rows), BINS), np.uint32)
    for row, filled in enumerate(rows):
        for position, count in filled:
            dense[row, position] = count
    first, length = filled_range(dense)
    counts = np.concatenate([row[f : f + n] for row, f, n in zip(dense, first.tolist(), length.tolist(), strict=True)])
    again = np.zeros_like(dense)
    add_trimmed(again, np.arange(len(rows)), TrimmedCounts(first, length, counts.astype(np.uint32)))
    assert (again == dense).all()
    assert all(
        n == 0 or (row[f] > 0 and row[f + n - 1] > 0) for row, f, n in zip(dense, first.tolist(), length.tolist(), strict=True)
    )


@settings(deadline=None)
@given(LAYOUTS, st.lists(st.floats(0, 1e13), min_size=1, max_size=50))
def test_a_larger_value_never_falls_into_a_lower_bin(layout: Layout, values: list[float]) -> None:
    bins = layout.bin_of(np.sort(np.array(values)))
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < BINS
