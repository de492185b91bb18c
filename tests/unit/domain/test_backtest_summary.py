"""From a history to a row of evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dagster_project.domain.backtest.summary import Summary, summarize
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from tests.backtest_builders import DAY, FIRST, HOUR, series

MINUTE = 60
END = FIRST + 40 * DAY


def every(seconds: int, days: float, until: int = END) -> np.ndarray:
    """Times up to ``until``, the last one an interval before it."""
    size = int(days * DAY) // seconds
    return until - seconds * np.arange(size, 0, -1)


def summary(at: Any, average: Any = None, highest: Any = None, days: float = 28, veto: float = 28, **times: Any) -> Summary:
    return summarize(series(at, {CPU: 1.0} if average is None else average, highest, **times).before(END), days, veto)


def coverage(at: Any, **times: Any) -> tuple[float, float]:
    found = summary(at, **times)
    return pytest.approx(found.coverage_pct), pytest.approx(found.recent_coverage_pct)


@pytest.mark.parametrize("seconds", [MINUTE, 5 * MINUTE, HOUR])
def test_a_complete_history(seconds: int) -> None:
    found = summary(every(seconds, 35))
    assert (found.coverage_pct, found.recent_coverage_pct) == (100, 100)
    assert found.history_hours == pytest.approx(28 * 24)


@pytest.mark.parametrize("seconds", [MINUTE, 5 * MINUTE, HOUR])
def test_coverage_counts_from_the_first_reading(seconds: int) -> None:
    found = summary(every(seconds, 3))
    assert (found.coverage_pct, found.recent_coverage_pct) == (100, 100)
    assert found.history_hours == pytest.approx(72)


@pytest.mark.parametrize("seconds", [MINUTE, 5 * MINUTE, HOUR])
def test_gaps_lower_the_coverage_and_the_hours(seconds: int) -> None:
    at = every(seconds, 28)
    at = at[(at < END - 6 * DAY) | (at >= END - 4 * DAY)]
    found = summary(at)
    assert found.coverage_pct == pytest.approx(100 * 26 / 28)
    assert found.recent_coverage_pct == pytest.approx(100 * 5 / 7)
    assert found.history_hours == pytest.approx(26 * 24)


def test_readings_that_stopped_lower_the_coverage() -> None:
    assert coverage(every(300, 20, until=END - 5 * DAY)) == (80, pytest.approx(100 * 2 / 7))


def test_a_stopped_machine_was_read() -> None:
    seen = every(300, 28)
    on = seen[seen < END - 14 * DAY]
    found = summary(on, seen_at=seen)
    assert (found.coverage_pct, found.recent_coverage_pct) == (100, 100)
    assert found.history_hours == pytest.approx(14 * 24)
    assert found.covered_pct.tolist() == [0] * 5  # of the last week, in which it was off


def test_some_minutes_of_a_feed_of_minutes_may_be_missing() -> None:
    at = every(MINUTE, 28)
    some = at[at // 60 % 5 != 0]
    assert coverage(some) == (100, 100)
    assert coverage(at[at // 300 % 2 == 0]) == (pytest.approx(50), pytest.approx(50, abs=0.1))


def test_a_feed_that_changed_from_five_minutes_to_one() -> None:
    whole = np.concatenate([every(300, 20, until=END - 8 * DAY), every(MINUTE, 8)])
    assert coverage(whole) == (100, 100)


def test_a_feed_that_changed_from_one_minute_to_five() -> None:
    mostly_five = np.concatenate([every(MINUTE, 2, until=END - 26 * DAY), every(300, 26)])
    found = summary(mostly_five)
    assert (found.coverage_pct, found.recent_coverage_pct) == (100, 100)
    assert found.history_hours == pytest.approx(28 * 24, rel=0.01)


def test_a_day_of_minutes_does_not_make_up_for_missing_days() -> None:
    """The last week: a day in minutes, two in five minutes, nothing of four. 1,440 + 576 readings are as many as a week has."""
    at = np.concatenate([every(300, 33, until=END - 7 * DAY), every(MINUTE, 1, until=END - 6 * DAY), every(300, 2)])
    found = summary(at)
    assert found.recent_coverage_pct == pytest.approx(100 * 3 / 7, abs=0.2)
    assert found.history_hours == pytest.approx(24 * 24, rel=0.01)


def test_jitter_costs_nothing() -> None:
    random = np.random.default_rng(3)
    at = every(300, 28) + random.integers(0, 20, 28 * 288)
    assert coverage(np.sort(at)) == (100, 100)


def test_what_a_dimension_covers_of_the_last_week() -> None:
    at = every(HOUR, 28)
    memory = np.where(at >= END - 3.5 * DAY, 4.0, np.nan)
    network = np.where(at < END - 7 * DAY, 1.0, np.nan)
    found = summary(at, {CPU: 1.0, MEMORY: memory, NETWORK: network})
    assert found.covered_pct.tolist() == [100, 50, 0, 0, 0]
    assert found.is_measured.tolist() == [True, True, True, False, False]


def test_maxima_count_as_measured() -> None:
    found = summary(every(HOUR, 28), {CPU: np.nan}, {CPU: 2.0})
    assert found.covered_pct[CPU] == 100
    assert found.is_measured[CPU]
    assert found.cpu_p995 == 2
    assert np.isnan(found.peak[CPU])


def test_averages_tell_the_cpu_peak_and_maxima_the_rest() -> None:
    at = every(HOUR, 28)
    inside = np.full(len(at), 3.0)
    inside[:10] = 8.0
    average = {CPU: np.linspace(1, 2, len(at)), MEMORY: 4.0, NETWORK: 0.5, DISK: 100.0}
    found = summary(at, average, {CPU: inside, MEMORY: np.linspace(4, 6, len(at)), NETWORK: 0.7})
    assert found.peak[CPU] == 2
    assert found.cpu_p995 == pytest.approx(8)
    assert found.peak[MEMORY] == found.memory_ever == 6
    assert found.peak[[NETWORK, DISK]].tolist() == [pytest.approx(0.7), 100]
    assert np.isnan(found.peak[IOPS])


def test_the_percentile_of_the_look_back() -> None:
    at = every(HOUR, 28)
    found = summary(at, {CPU: np.arange(len(at))})
    assert found.cpu_p995 == pytest.approx(0.995 * 671)


def test_memory_is_remembered_for_longer_than_the_look_back() -> None:
    at = every(HOUR, 35)
    memory = np.where(at == at[0], 20.0, np.where(at == at[-24 * 10], 9.0, 4.0))
    found = summary(at, {CPU: np.where(at == at[0], 7.0, 1.0), MEMORY: memory})
    assert (found.peak[MEMORY], found.memory_ever) == (9, 20)
    assert (found.peak[CPU], found.cpu_p995) == (1, 1)
    short = summary(at, {CPU: 1.0, MEMORY: memory}, days=7)
    assert (short.peak[MEMORY], short.memory_ever) == (4, 20)
    assert short.history_hours == pytest.approx(168)


def test_the_first_sample_of_the_look_back() -> None:
    at = every(HOUR, 35)
    edge = END - 28 * DAY
    for busy, peak in ((edge - HOUR, 1), (edge, 5)):
        assert summary(at, {CPU: np.where(at == busy, 5.0, 1.0)}).peak[CPU] == peak


@pytest.mark.parametrize(
    ("away", "is_replayed"), [(-1801, False), (-1800, True), (-1, True), (0, True), (1800, True), (1801, False)]
)
def test_half_an_hour_on_both_sides_of_an_emergency(away: int, is_replayed: bool) -> None:
    event = END - 20 * DAY
    at = np.sort(np.append(every(300, 30, until=END - 19 * DAY)[: -1 * DAY // 300 - 100], event + away))
    found = summary(at, {CPU: 2.0, MEMORY: 4.0}, scaled_up_at=[event])
    assert found.replay_at == (event + away if is_replayed else None)
    assert (found.replay[CPU] == 2) == is_replayed
    assert np.isnan(found.replay[DISK])


def test_replay_looks_at_maxima_of_the_whole_history() -> None:
    at = every(300, 39)
    events = [END - 38 * DAY, END - 3 * DAY]
    cpu = np.where(np.abs(at - events[0]) <= 1800, 4.0, 1.0)
    found = summary(at, {CPU: 1.0, MEMORY: 3.0}, {CPU: cpu}, scaled_up_at=events)
    assert found.replay[[CPU, MEMORY]].tolist() == [4, 3]
    assert found.replay_at == events[0] - 1800
    assert np.isnan(found.replay[[NETWORK, DISK, IOPS]]).all()


def test_replay_without_cpu_still_has_memory() -> None:
    event = END - 3 * DAY
    found = summary(every(300, 10), {MEMORY: 3.0}, scaled_up_at=[event])
    assert np.isnan(found.replay[CPU])
    assert found.replay[MEMORY] == 3


def test_emergencies_of_the_veto_s_days() -> None:
    events = [END - 29 * DAY, END - 28 * DAY - 1, END - 28 * DAY, END - 5 * DAY, END - 1, END]
    found = summary(every(300, 30), scaled_up_at=events)
    assert (found.emergencies, found.last_emergency_at) == (3, END - 1)
    found = summary(every(300, 30), scaled_up_at=events, veto=1)
    assert (found.emergencies, found.last_emergency_at) == (1, END - 1)
    assert summary(every(300, 30), scaled_up_at=events[:1]).last_emergency_at is None


def test_decisions_that_are_no_emergencies_say_nothing() -> None:
    found = summary(every(300, 30), decided_at=[END - DAY])
    assert (found.emergencies, found.replay_at) == (0, None)


def test_readings_that_were_set_aside_within_the_look_back() -> None:
    rejected = [END - 28 * DAY - 1, END - 28 * DAY, END - 1, END]
    assert summary(every(300, 30), rejected_at=rejected).rejected_readings == 2
    assert summary(every(300, 30), rejected_at=rejected, days=7).rejected_readings == 1


def test_an_empty_history() -> None:
    for found in (summary([], {}), summary(every(300, 5), {CPU: np.nan}), summary([], seen_at=every(300, 5))):
        assert np.isnan(found.peak).all()
        assert np.isnan(found.replay).all()
        assert np.isnan([found.cpu_p995, found.memory_ever]).all()
        assert found.history_hours == 0
        assert not found.is_measured.any()
        assert found.covered_pct.tolist() == [0] * 5
    assert summary([], {}).coverage_pct == summary([], {}).recent_coverage_pct == 0
    assert summary([], seen_at=every(300, 5)).coverage_pct == 100


def test_one_reading() -> None:
    found = summary([END - 300], {CPU: 1.0})
    assert (found.coverage_pct, found.recent_coverage_pct) == (100, 100)
    assert found.history_hours == pytest.approx(300 / 3600)
    found = summary([END - HOUR], {CPU: 1.0})
    assert found.coverage_pct == pytest.approx(100 * 300 / 3600)
