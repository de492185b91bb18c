"""Incidents that still last: Kaplan and Meier's curve against a textbook, and against samples that are built one by one."""

from __future__ import annotations

import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.survival import Durations, resampled_medians, survival_curve

# Weeks of remission of 21 children on 6-MP (Freireich 1963), the example of Cox 1972 and of every textbook since.
REMISSION = Durations.of([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
PLACEBO = Durations.of([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])

minutes = st.floats(0.5, 5000).map(lambda value: round(value, 1))


def test_the_curve_of_the_textbook() -> None:
    curve = survival_curve(REMISSION)
    assert curve.minutes.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.surviving.tolist() == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=0.0005)
    assert curve.quantile(0.5) == 23


def test_the_median_of_those_without_treatment() -> None:
    assert survival_curve(PLACEBO).quantile(0.5) == 8


def test_what_the_curve_does_not_reach_is_unknown() -> None:
    assert survival_curve(REMISSION).quantile(0.75) is None
    assert survival_curve(Durations.of([], [5, 6])).quantile(0.5) is None
    assert survival_curve(Durations.of([])).quantile(0.5) is None
    # Half have ended and the others have not: the median lies anywhere above.
    assert survival_curve(Durations.of([10], [100])).quantile(0.5) is None


def test_to_leave_open_incidents_out_or_to_end_them_now_makes_incidents_look_shorter() -> None:
    ended, running = [20, 30, 40, 50], [45, 60, 90]
    assert statistics.median(ended) == 35
    assert statistics.median([*ended, *running]) == 45
    assert survival_curve(Durations.of(ended, running)).quantile(0.5) == 50


@given(st.lists(minutes, min_size=1, max_size=30))
def test_without_open_ones_the_median_is_that_of_the_sample(ended: list[float]) -> None:
    assert survival_curve(Durations.of(ended)).quantile(0.5) == pytest.approx(statistics.median(ended))


@given(st.lists(minutes, min_size=1, max_size=30), st.sampled_from([0.25, 0.75, 0.9]))
def test_quantiles_without_open_ones_are_averaged_where_two_qualify(ended: list[float], share: float) -> None:
    expected = np.quantile(ended, share, method="averaged_inverted_cdf")
    assert survival_curve(Durations.of(ended)).quantile(share) == pytest.approx(expected)


@given(st.lists(minutes, min_size=1, max_size=20), st.lists(minutes, max_size=20), minutes)
def test_another_open_incident_never_lowers_the_median(ended: list[float], running: list[float], further: float) -> None:
    before = survival_curve(Durations.of(ended, running)).quantile(0.5)
    after = survival_curve(Durations.of(ended, [*running, further])).quantile(0.5)
    assert after is None or (before is not None and after >= before)


@given(st.lists(minutes, min_size=1, max_size=20), st.lists(minutes, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_incidents_does_not_matter(ended: list[float], running: list[float], shuffle: random.Random) -> None:
    first = resampled_medians(Durations.of(ended, running), 50, np.random.default_rng(1))
    shuffle.shuffle(ended)
    shuffle.shuffle(running)
    again = resampled_medians(Durations.of(ended, running), 50, np.random.default_rng(1))
    assert first.tolist() == again.tolist()


def one_by_one(ended: list[float], running: list[float], draws: int) -> list[float]:
    """Medians of samples that are really drawn, by a curve in plain fractions, with another generator."""
    rng = random.Random(20250309)
    incidents = [(value, True) for value in ended] + [(value, False) for value in running]
    return [_median(rng.choices(incidents, k=len(incidents))) for _ in range(draws)]


def _median(sample: list[tuple[float, bool]]) -> float:
    surviving, at_risk, reached = 1.0, len(sample), None
    for value in sorted({value for value, _ in sample}):
        if reached is not None and (value, True) in sample:
            return (reached + value) / 2
        surviving *= 1 - sample.count((value, True)) / at_risk
        at_risk -= sample.count((value, True)) + sample.count((value, False))
        if surviving < 0.5 - 1e-9:
            return value
        if reached is None and surviving < 0.5 + 1e-9:
            reached = value
    return float("inf")


@pytest.mark.parametrize(
    ("ended", "running"),
    [
        ([3, 8, 9, 14, 14, 20, 35, 61], []),
        ([3, 8, 9, 14, 20, 35, 61], []),
        ([3, 8, 9, 14, 20, 35, 61, 90], [5, 9, 40]),
        ([3, 8, 9, 14, 20], [1, 8, 10, 15, 30]),
        ([4, 4, 4, 50, 50, 51], [4, 50]),
    ],
    ids=["even", "odd", "some open", "half of them open", "ties"],
)
def test_the_shortcut_draws_what_samples_would_give(ended: list[float], running: list[float]) -> None:
    """The two distributions differ by no more than chance: of 4,000 and 20,000 draws, 0.03 is exceeded once in a thousand."""
    slow = np.array(one_by_one(ended, running, 4000))
    fast = resampled_medians(Durations.of(ended, running), 20_000, np.random.default_rng(7))
    for value in (*ended, np.inf):
        assert np.mean(fast <= value) == pytest.approx(np.mean(slow <= value), abs=0.03)
        assert np.mean(fast < value) == pytest.approx(np.mean(slow < value), abs=0.03)


@settings(max_examples=30)
@given(st.lists(minutes, max_size=12), st.lists(minutes, max_size=12))
def test_every_drawn_median_lies_among_the_incidents(ended: list[float], running: list[float]) -> None:
    medians = resampled_medians(Durations.of(ended, running), 200, np.random.default_rng(3))
    reached = medians[np.isfinite(medians)]
    assert len(medians) == 200
    assert all(min(ended) <= value <= max(ended) for value in reached)


def test_thousands_of_open_incidents_are_drawn_in_parts() -> None:
    rng = np.random.default_rng(5)
    durations = Durations.of(rng.lognormal(4, 1, 3000), rng.lognormal(4, 1, 3000))
    medians = resampled_medians(durations, 1000, np.random.default_rng(9))
    assert np.median(medians) == pytest.approx(survival_curve(durations).quantile(0.5), rel=0.02)
