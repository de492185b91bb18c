"""What share of an error budget an incident spent."""

# ruff: noqa: DTZ001 - times of incidents are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dagster_project.domain.incidents.error_budget import Objective, budget_spent, levels
from dagster_project.domain.incidents.model import ImpactWindow

START = datetime(2025, 3, 3)
AVAILABILITY = Objective("payment-api", "availability", 0.9995, 30)


def hours(bad: dict[int, float], count: int = 24, total: float = 1000.0) -> list[tuple[datetime, float, float]]:
    return [(START + timedelta(hours=hour), total - bad.get(hour, 0.0), total) for hour in range(count)]


def at(hour: int, minute: int = 0) -> datetime:
    return START + timedelta(hours=hour, minutes=minute)


def test_the_budget_of_three_and_a_half_nines_is_21_6_minutes_a_month() -> None:
    assert AVAILABILITY.budget_minutes == pytest.approx(21.6)
    assert Objective("a", "b", 0.99, 7).budget_minutes == pytest.approx(100.8)


def test_the_share_is_what_failed_in_the_impact_over_what_may_fail_in_a_window() -> None:
    spent = budget_spent(levels(hours({8: 90.0, 9: 90.0, 20: 500.0})), AVAILABILITY, [ImpactWindow(at(8, 14), at(10))])
    # 720 hours of 1,000 events may have 360 bad ones; 180 were bad in the impact. Hour 20 is none of it.
    assert (spent.bad_events, spent.budget_events) == (180.0, pytest.approx(360.0))
    assert spent.spent_share == pytest.approx(0.5)
    assert spent.spent_minutes == pytest.approx(10.8)
    assert "2 hourly intervals that the impact touches" in spent.basis
    assert "taken for usual" in spent.basis


def test_an_interval_counts_whole_when_the_impact_only_touches_it_but_not_when_it_ends_there() -> None:
    measured = levels(hours(dict.fromkeys(range(24), 10.0)))
    assert budget_spent(measured, AVAILABILITY, [ImpactWindow(at(8, 59), at(9))]).bad_events == 10.0
    assert budget_spent(measured, AVAILABILITY, [ImpactWindow(at(8, 59), at(9, 1))]).bad_events == 20.0


def test_several_windows_count_each_interval_once() -> None:
    measured = levels(hours(dict.fromkeys(range(24), 10.0)))
    windows = [ImpactWindow(at(1), at(3)), ImpactWindow(at(2), at(4)), ImpactWindow(at(10), at(11))]
    assert budget_spent(measured, AVAILABILITY, windows).bad_events == 40.0


def test_an_impact_that_lasts_reaches_to_the_end_of_the_data() -> None:
    measured = levels(hours(dict.fromkeys(range(24), 10.0)))
    assert budget_spent(measured, AVAILABILITY, [ImpactWindow(at(22), None)]).bad_events == 20.0


def test_the_events_of_a_measured_window_are_taken_where_they_are_known() -> None:
    spent = budget_spent(levels(hours({8: 90.0})), AVAILABILITY, [ImpactWindow(at(8), at(9))], window_total=1_800_000)
    assert spent.spent_share == pytest.approx(90 / 900)
    assert "a budget from the measured window" in spent.basis


def test_more_than_the_whole_budget_may_be_gone() -> None:
    spent = budget_spent(levels(hours({8: 720.0})), AVAILABILITY, [ImpactWindow(at(8), at(9))])
    assert spent.spent_share == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("samples", "windows", "why"),
    [
        ([], [ImpactWindow(at(1), at(2))], "No service level was measured around the incident"),
        (hours({}), [], "No impact window is known"),
        (hours({}), [ImpactWindow(at(40), at(41))], "No service level was measured in the impact"),
        ([(at(1), None, 10.0), (at(2), 1.0, 0.0)], [ImpactWindow(at(1), at(2))], "No service level was measured"),
    ],
)
def test_what_was_not_measured_is_unknown_and_not_nothing(samples: list, windows: list, why: str) -> None:
    spent = budget_spent(levels(samples), AVAILABILITY, windows)
    assert (spent.bad_events, spent.spent_share, spent.spent_minutes) == (None, None, None)
    assert spent.basis.startswith(why)


def test_the_grain_is_how_far_samples_usually_lie_apart() -> None:
    five = [(START + timedelta(minutes=5 * n), 9.0, 10.0) for n in range(20) if n != 7]
    measured = levels(five[::-1])
    assert measured is not None
    assert measured.grain_minutes == 5


def test_an_outage_in_which_nothing_was_counted_says_so() -> None:
    counted = [
        *hours({8: 90.0}, count=9),
        *((at(hour), 0.0, 0.0) for hour in range(9, 12)),
        *((at(hour), 1000.0, 1000.0) for hour in (12, 13)),
    ]
    spent = budget_spent(levels(counted), AVAILABILITY, [ImpactWindow(at(8), at(12))])
    assert spent.bad_events == 90.0
    assert "Only 25 % of the impact was measured: it is at least that much, and may be far more." in spent.basis
