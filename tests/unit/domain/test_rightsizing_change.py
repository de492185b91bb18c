"""What changes a fingerprint, what counts as growth, and how likely a record falls."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.fingerprint import fingerprint
from dagster_project.domain.rightsizing.growth import is_rising
from dagster_project.domain.rightsizing.risk import exceedance_probability
from tests.rightsizing_builders import HEALTHY, NAN, verdict_of

STEP = math.log(1.1)


class TestFingerprint:
    BASE = verdict_of()

    def of(self, present: str | None = "m9.4xlarge", emergencies: int = 0, events: int = 2, **changes: Any) -> str:
        return fingerprint(replace(self.BASE, **changes), present, emergencies, events)

    def test_it_is_sixteen_hexadecimal_digits_and_always_the_same(self) -> None:
        assert self.of() == fingerprint(verdict_of(), "m9.4xlarge", 0, 2)
        assert len(self.of()) == 16 and int(self.of(), 16) >= 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"present": "m9.8xlarge"},
            {"present": None},
            {"emergencies": 1},
            {"events": 3},
            {"target": "m9.2xlarge"},
            {"target": None},
            {"code": "refuse_snoozed"},
        ],
        ids=str,
    )
    def test_it_changes_with_what_was_said_and_what_happened(self, changes: dict[str, Any]) -> None:
        assert self.of(**changes) != self.of()

    @pytest.mark.parametrize("dimension", range(5))
    def test_each_dimension_of_demand_counts(self, dimension: int) -> None:
        demand = list(self.BASE.demand)
        demand[dimension] *= 1.2
        assert self.of(demand=tuple(demand)) != self.of()

    def test_a_number_that_only_moved_changes_nothing(self) -> None:
        """Demand in the middle of a step of a tenth, with 3 % of noise."""
        middle = [math.exp(STEP * round(math.log(demand) / STEP)) for demand in self.BASE.demand]
        prints = {self.of(demand=tuple(demand * noise for demand in middle)) for noise in (0.97, 0.99, 1.0, 1.01, 1.03)}
        assert len(prints) == 1

    def test_a_tenth_more_is_always_another_step(self) -> None:
        steps = [self.of(demand=(1.1**exponent,) * 5) for exponent in range(-3, 12)]
        assert len(set(steps)) == len(steps)

    def test_other_numbers_of_the_verdict_do_not_count(self) -> None:
        assert self.of(value=61.0, savings_usd_month=870.0, exceedance=0.3, closest_event="INC-7") == self.of()

    def test_another_minimum_is_another_proposal(self) -> None:
        four, six = (self.of(code="propose_lower_minimum", target=None, value=float(members), limit=10.0) for members in (4, 6))
        assert four != six

    def test_demand_that_is_not_known_nothing_or_infinite_has_a_step_too(self) -> None:
        prints = [self.of(demand=(demand,) * 5) for demand in (0.0, 1e-12, np.inf, -np.inf, NAN)]
        assert prints[0] == prints[1]
        assert len(set(prints)) == 4


class TestGrowth:
    @staticmethod
    def rising(before: list[float], recent: list[float]) -> bool:
        return bool(is_rising(np.array([before + recent]))[0])

    def test_more_than_a_tenth_above_the_weeks_before(self) -> None:
        assert self.rising([10.0] * 21, [11.1] * 7)
        assert not self.rising([10.0] * 21, [11.0] * 7)
        assert not self.rising([10.0] * 21, [9.0] * 7)

    def test_one_busy_day_is_no_growth_and_one_quiet_day_hides_none(self) -> None:
        assert not self.rising([10.0] * 21, [10.0] * 3 + [90.0] + [10.0] * 3)
        assert self.rising([10.0] * 21, [20.0] * 3 + [0.0] + [20.0] * 3)
        assert self.rising([10.0] * 20 + [90.0], [20.0] * 7)

    def test_the_three_weeks_before_are_looked_at_and_nothing_older(self) -> None:
        assert self.rising([90.0] * 30 + [10.0] * 21, [20.0] * 7)
        assert not self.rising([10.0] * 30 + [90.0] * 21, [20.0] * 7)
        assert self.rising([10.0] * 11 + [90.0] * 10, [20.0] * 7), "the median of 21 days is the eleventh"
        assert not self.rising([10.0] * 10 + [90.0] * 11, [20.0] * 7)

    def test_four_recent_days_and_seven_before_are_enough(self) -> None:
        assert self.rising([NAN] * 14 + [10.0] * 7, [NAN] * 3 + [20.0] * 4)
        assert not self.rising([NAN] * 15 + [10.0] * 6, [20.0] * 7)
        assert not self.rising([10.0] * 21, [NAN] * 4 + [20.0] * 3)

    def test_shorter_histories_are_no_error(self) -> None:
        assert not self.rising([], [20.0] * 7)
        assert self.rising([10.0] * 7, [20.0] * 7)
        assert is_rising(np.empty((0, 28))).shape == (0,)

    def test_from_nothing_to_something_is_growth_and_nothing_to_nothing_is_none(self) -> None:
        assert self.rising([0.0] * 21, [0.1] * 7)
        assert not self.rising([0.0] * 21, [0.0] * 7)

    def test_rows_are_their_own(self) -> None:
        days = np.array([[10.0] * 21 + [20.0] * 7, [10.0] * 28, [NAN] * 28])
        assert is_rising(days).tolist() == [True, False, False]


class TestExceedance:
    @staticmethod
    def chance(dimension: int, capacity: float, record: float, hours: float) -> float:
        return float(exceedance_probability(dimension, np.array([capacity]), np.array([record]), np.array([hours]))[0])

    @pytest.mark.parametrize(
        ("dimension", "expected"),
        [
            (CPU, 0.2 * 0.50 * 2**-1.25),
            (MEMORY, 0.2 * 0.32 * 2**-2.15),
            (NETWORK, 0.2 * 0.62 * 2**-0.94),
            (DISK, 0.2 * 0.72 * 2**-1.09),
            (IOPS, 0.2 * 0.72 * 2**-1.09),
        ],
    )
    def test_twice_the_record_of_four_weeks(self, dimension: int, expected: float) -> None:
        assert self.chance(dimension, 8, 4, 672) == pytest.approx(expected)

    def test_numbers(self) -> None:
        assert self.chance(CPU, 8, 4, 672) == pytest.approx(0.0420448, rel=1e-5)
        assert self.chance(CPU, 4, 4, 672) == pytest.approx(0.1), "half of the new records go beyond the old one at once"
        assert self.chance(CPU, 4, 4, 168) == pytest.approx(0.25), "one week: the next holds the higher of two"
        assert self.chance(CPU, 4, 4, 0) == pytest.approx(0.5)

    def test_what_is_too_small_already_is_exceeded(self) -> None:
        assert self.chance(CPU, 3.999, 4, 1e6) == 1

    def test_what_was_never_used_exceeds_nothing(self) -> None:
        assert self.chance(CPU, 1, 0, 672) == 0

    @pytest.mark.parametrize("dimension", range(len(DIMENSIONS)))
    def test_what_is_not_known_counts_as_the_worst(self, dimension: int) -> None:
        assert self.chance(dimension, 8, NAN, 672) == 1
        assert self.chance(dimension, 8, 4, NAN) == 1
        assert self.chance(dimension, NAN, 4, 672) == 1

    @pytest.mark.parametrize("dimension", range(len(DIMENSIONS)))
    def test_more_head_room_and_more_history_never_raise_it(self, dimension: int) -> None:
        capacity = np.linspace(1, 64, 100)
        falling = exceedance_probability(dimension, capacity, np.full(100, 8.0), np.full(100, 672.0))
        longer = exceedance_probability(dimension, np.full(100, 16.0), np.full(100, 8.0), np.linspace(0, 5000, 100))
        higher = exceedance_probability(dimension, np.full(100, 16.0), np.linspace(0.1, 20, 100), np.full(100, 672.0))
        assert (np.diff(falling) <= 0).all() and (np.diff(longer) < 0).all() and (np.diff(higher) >= 0).all()
        for chances in (falling, longer, higher):
            assert ((chances >= 0) & (chances <= 1)).all()


def test_healthy_evidence_is_the_demand_that_is_asked_for() -> None:
    assert TestFingerprint.BASE.demand[NETWORK:] == tuple(HEALTHY["peak"][d] for d in (NETWORK, DISK, IOPS))
