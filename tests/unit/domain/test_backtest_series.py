"""What a rule may see of a series, and what a judge sees of it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from dagster_project.domain.backtest.series import History, Series, interval_of
from dagster_project.domain.rightsizing.dimensions import CPU, MEMORY
from tests.backtest_builders import DAY, FIRST, HOUR, WEEK, series

MOMENT = FIRST + 2 * DAY


def three_days(**columns: object) -> Series:
    at = FIRST + HOUR * np.arange(72)
    times = {name: [FIRST + HOUR, MOMENT - 1, MOMENT, MOMENT + 1] for name in ("rejected_at", "scaled_up_at", "decided_at")}
    return series(at, {CPU: np.arange(72), MEMORY: 1.0}, **{**times, **columns})


def arrays(history: History) -> dict[str, np.ndarray]:
    found = {column.name: getattr(history, column.name) for column in fields(history)}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def test_what_is_known_at_a_moment() -> None:
    history = three_days(highest={CPU: 100.0}).before(MOMENT)
    assert (history.resource_id, history.moment, history.interval_seconds) == ("i-1", MOMENT, HOUR)
    assert history.at[-1] == history.seen_at[-1] == MOMENT - HOUR
    assert len(history.at) == len(history.average) == len(history.highest) == len(history.seen_at) == 48
    assert history.average[-1, CPU] == 47
    assert history.highest[-1, CPU] == 100
    for times in (history.rejected_at, history.scaled_up_at, history.decided_at):
        assert times.tolist() == [FIRST + HOUR, MOMENT - 1]


@pytest.mark.parametrize("highest", [None, {CPU: 100.0}])
def test_a_history_owns_its_arrays(highest: dict[int, float] | None) -> None:
    whole = three_days(highest=highest)
    history = whole.before(MOMENT)
    owned = arrays(history)
    assert set(owned) == {"at", "average", "highest", "seen_at", "rejected_at", "scaled_up_at", "decided_at"}
    for name, values in owned.items():
        assert values.base is None, name
        assert not any(np.shares_memory(values, other) for other in vars(whole).values() if isinstance(other, np.ndarray)), name


def test_nothing_of_a_history_leads_back_to_the_series() -> None:
    whole = three_days()
    history = whole.before(MOMENT)
    assert {column.name for column in fields(history)} == set(vars(history))
    for value in vars(history).values():
        assert isinstance(value, str | int | float | np.ndarray)
        assert value is not whole


def test_what_happens_to_the_series_afterwards_does_not_reach_the_history() -> None:
    whole = three_days(highest={CPU: 100.0})
    history = whole.before(MOMENT)
    before = {name: values.copy() for name, values in arrays(history).items()}
    for value in vars(whole).values():
        if isinstance(value, np.ndarray):
            value[:] = 10**6
    for name, values in arrays(history).items():
        assert np.array_equal(values, before[name], equal_nan=True), name


def test_without_maxima_the_averages_are_not_kept_twice() -> None:
    history = three_days().before(MOMENT)
    assert history.highest is history.average
    last = history.last(1)
    assert last.highest is last.average


def test_the_last_days_of_a_history() -> None:
    last = three_days().before(MOMENT).last(1)
    assert last.at.tolist() == [MOMENT - DAY + HOUR * hour for hour in range(24)]
    assert last.average[0, CPU] == 24
    assert last.decided_at.tolist() == [MOMENT - 1]
    assert last.moment == MOMENT
    assert len(three_days().before(MOMENT).last(90).at) == 48


def test_before_anything_was_recorded() -> None:
    history = three_days().before(FIRST)
    assert len(history.at) == len(history.seen_at) == len(history.decided_at) == 0
    assert history.average.shape == (0, 5)
    assert history.interval_seconds == 300


def test_the_interval_is_that_of_the_past() -> None:
    at = np.concatenate([FIRST + HOUR * np.arange(48), MOMENT + np.arange(10_000)])
    whole = series(at, {CPU: 1.0}, interval_seconds=1.0)
    assert whole.before(MOMENT).interval_seconds == HOUR
    assert whole.before(MOMENT).last(1).interval_seconds == HOUR
    assert whole.before(MOMENT + 10_000).interval_seconds == 1


@pytest.mark.parametrize(
    ("seconds", "interval"),
    [
        ([], 300),
        ([7], 300),
        ([0, 300, 600, 3600], 300),
        ([0, 298, 601], 300),
        ([0, 55, 121], 60),
        ([0, 1, 2, 3], 1),
        ([0, 4, 8], 4),
    ],
)
def test_the_time_between_readings(seconds: list[int], interval: float) -> None:
    assert interval_of(np.array(seconds, dtype=np.int64)) == interval


def test_a_judge_sees_the_week_from_the_moment_on() -> None:
    at = FIRST + HOUR * np.arange(21 * 24)
    whole = series(at, {CPU: np.arange(len(at))})
    future = whole.after(FIRST + WEEK)
    assert future.demand[:, CPU].tolist() == list(range(168, 336))
    assert (future.share_on, future.interval_seconds) == (1.0, HOUR)
    assert future.demand.dtype == np.float64


def test_the_share_of_a_week_that_a_machine_was_on() -> None:
    seen = FIRST + HOUR * np.arange(168)
    assert series(seen[:42], {CPU: 1.0}, seen_at=seen).after(FIRST).share_on == 0.25
    assert series([], seen_at=seen).after(FIRST).share_on == 0.0
    assert series([]).after(FIRST).share_on == 0.0
