"""Medians, intervals, means and changes against computations that are written differently."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.incidents.statistics import Described, change, describe, detectable_cut_pct
from dagster_project.domain.survival import Durations

QUARTER = [12, 19, 23, 31, 38, 44, 52, 61, 68, 75, 83, 97, 110, 140, 171, 220, 305, 480, 700, 1500]

samples = st.lists(st.floats(1, 3000).map(lambda value: round(value, 1)), min_size=5, max_size=40)


def of(ended: list[float], running: tuple[float, ...] = (), seed: str = "latest") -> Described:
    return describe(Durations.of(ended, running), seed)


def loop_interval(values: list[float], draws: int = 10_000) -> tuple[float, float]:
    """The percentile bootstrap in a plain loop."""
    rng = random.Random(1)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(draws))
    return medians[round(0.025 * draws)], medians[round(0.975 * draws) - 1]


def test_a_quarter_in_numbers() -> None:
    found = of(QUARTER)
    assert (found.count, found.median, found.p75, found.p90) == (20, 79, 195.5, 590)
    assert found.geometric_mean == pytest.approx(statistics.geometric_mean(QUARTER))


def test_the_interval_is_that_of_a_plain_bootstrap() -> None:
    """Its ends are halves of sums of two neighbours; two draws of 2,000 differ by at most the next of them."""
    low, high = loop_interval(QUARTER)
    found = of(QUARTER)
    assert (found.low, found.high) == (pytest.approx(low, rel=0.1), pytest.approx(high, rel=0.15))


def test_the_interval_holds_the_true_median_in_95_of_100_cases() -> None:
    """Durations like the real ones: a median of 60 minutes and a standard deviation of the logarithm of 1.08."""
    rng = np.random.default_rng(11)
    held = sum(
        found.low <= 60 <= found.high for n in range(400) for found in [of(list(60 * rng.lognormal(0, 1.08, 30)), seed=str(n))]
    )
    assert held / 400 == pytest.approx(0.95, abs=0.03)


def test_the_same_group_has_the_same_interval_in_every_process() -> None:
    assert (of(QUARTER).low, of(QUARTER).high) == (48, 155.5)
    assert of(QUARTER).medians.tolist() != of(QUARTER, seed="previous").medians.tolist()


@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_incidents_does_not_matter(values: list[float], shuffle: random.Random) -> None:
    first = of(values)
    shuffle.shuffle(values)
    again = of(values)
    assert (first.median, first.low, first.high, first.geometric_mean, first.p90) == (
        again.median,
        again.low,
        again.high,
        again.geometric_mean,
        again.p90,
    )


@settings(max_examples=50)
@given(samples, st.floats(0.1, 50), st.lists(st.floats(1, 3000), max_size=4))
def test_other_units_scale_every_number(values: list[float], factor: float, running: list[float]) -> None:
    plain = of(values, tuple(running))
    scaled = of([factor * value for value in values], tuple(factor * value for value in running))
    for name in ("median", "low", "high", "geometric_mean", "p75", "p90"):
        value = getattr(plain, name)
        assert getattr(scaled, name) == (None if value is None else pytest.approx(factor * value))


def test_an_open_incident_widens_the_interval_upwards() -> None:
    plain, wider = of(QUARTER), of(QUARTER, (2000, 2500, 3000))
    assert wider.median > plain.median
    assert wider.high > plain.high


def test_an_interval_without_an_upper_end_says_so() -> None:
    found = of([10, 20, 30, 40, 50, 60], (15, 25, 35, 45, 55))
    assert found.median == 50
    assert found.low is not None
    assert found.high is None


def test_open_incidents_share_their_weight_among_those_that_lasted_longer() -> None:
    """Of 10, 20 (open), 40 and 80: the two that lasted longer than 20 minutes weigh 3/8 each."""
    found = of([10, 40, 80], (20,))
    assert found.geometric_mean == pytest.approx(math.exp(math.log(10) / 4 + 3 / 8 * (math.log(40) + math.log(80))))


def test_a_geometric_mean_is_unknown_while_the_longest_is_open_and_where_one_took_no_time() -> None:
    assert of([10, 40, 80], (100,)).geometric_mean is None
    assert of([0, 10, 40, 80]).geometric_mean is None


def test_a_change_is_the_ratio_of_the_medians() -> None:
    found = change(of([value / 4 for value in QUARTER]), of(QUARTER, seed="previous"))
    assert found.pct == -75
    assert found.low_pct == pytest.approx(-90, abs=3)
    assert found.high_pct == pytest.approx(-40, abs=10)
    assert (found.is_shorter, found.is_longer) == (True, False)


def test_a_change_the_other_way() -> None:
    found = change(of([4 * value for value in QUARTER]), of(QUARTER, seed="previous"))
    assert found.pct == 300
    assert (found.is_shorter, found.is_longer) == (False, True)


def test_a_third_less_of_twenty_is_no_change_that_is_shown() -> None:
    found = change(of([value * 0.67 for value in QUARTER]), of(QUARTER, seed="previous"))
    assert found.pct == pytest.approx(-33)
    assert found.low_pct < 0 < found.high_pct
    assert not found.is_shorter


def test_from_no_time_at_all_there_is_no_percentage() -> None:
    found = change(of(QUARTER), of([0] * 8))
    assert (found.pct, found.high_pct) == (None, None)
    assert found.is_longer
    assert change(of([0] * 8), of([0] * 8)).is_longer is False


def test_medians_that_open_incidents_leave_unknown_are_no_change() -> None:
    half_open = of([10, 20, 30, 40, 50], (60, 60, 60, 60, 60, 60))
    found = change(half_open, of(QUARTER))
    assert (found.pct, found.high_pct, found.is_shorter, found.is_longer) == (None, None, False, False)


@pytest.mark.parametrize(("count", "cut_pct"), [(20, 71), (50, 52), (100, 40)])
def test_the_smallest_detectable_cut_of_durations_like_real_ones(count: int, cut_pct: float) -> None:
    """By the theory of the median: its logarithm has a standard error of 1.2533 sigma / sqrt(n)."""
    theory = 100 * (1 - math.exp(-(1.95996 + 0.84162) * 1.2533 * 1.08 * math.sqrt(2 / count)))
    rng = np.random.default_rng(count)
    cuts = [
        detectable_cut_pct(of(list(rng.lognormal(4, 1.08, count)), seed=str(n)), of(list(rng.lognormal(4, 1.08, count))))
        for n in range(60)
    ]
    assert theory == pytest.approx(cut_pct, abs=2.5)
    assert statistics.median(cuts) == pytest.approx(theory, abs=4)


def test_without_a_period_before_one_like_this_is_assumed() -> None:
    assert detectable_cut_pct(of(QUARTER)) == pytest.approx(detectable_cut_pct(of(QUARTER), of(QUARTER, seed="other")), abs=3)


def test_where_the_interval_has_no_end_no_cut_can_be_named() -> None:
    assert detectable_cut_pct(of([10, 20, 30, 40, 50, 60], (15, 25, 35, 45, 55))) is None
    assert detectable_cut_pct(of([0] * 8)) is None
