"""What holds for any history and any decision."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.catalog.shapes import ec2_shapes
from dagster_project.domain.backtest.intervals import captured, group_interval, of_downsizes
from dagster_project.domain.backtest.peers import PEERS, Present, needs
from dagster_project.domain.backtest.score import cheapest_holding, mark, oracle_need, score
from dagster_project.domain.backtest.series import Future, Series
from dagster_project.domain.backtest.summary import summarize
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, MEMORY, NETWORK
from dagster_project.pipeline.backtest_traces import _seconds_each
from tests.backtest_builders import DAY, FIRST, HOUR, WEEK, demand, series, windows_of
from tests.rightsizing_builders import CATALOG

quickly = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
gaps = st.lists(st.sampled_from([1, 60, 60, 299, 300, 300, 301, HOUR, 5 * HOUR, 3 * DAY]), min_size=1, max_size=120)
seeds = st.integers(0, 2**32 - 1)
SHAPES = ec2_shapes("us-east-1")
PRESENT = Present(0, SHAPES.capacity[SHAPES.number_of("m5.2xlarge")], True, 0.384)


def made(at: np.ndarray, seed: int) -> Series:
    """Random demand with gaps, maxima, rejected readings and decisions at these times."""
    random = np.random.default_rng(seed)

    def some(values: np.ndarray, share: float) -> np.ndarray:
        return values[random.random(len(values)) < share]

    def numbers(high: float) -> np.ndarray:
        return np.where(random.random(len(at)) < 0.2, np.nan, random.uniform(0, high, len(at)))

    average = {CPU: numbers(8), MEMORY: numbers(32), NETWORK: numbers(2), DISK: numbers(900)}
    highest = {CPU: average[CPU] + 1, MEMORY: average[MEMORY] + 1} if seed % 2 else None
    times = {"rejected_at": some(at, 0.05), "scaled_up_at": some(at, 0.1), "decided_at": some(at, 0.2)}
    return series(at, average, highest, **times)


def joined(past: Series, future: Series) -> Series:
    return Series(
        resource_id="i-1",
        interval_seconds=future.interval_seconds,
        **{
            column.name: np.concatenate([getattr(past, column.name), getattr(future, column.name)])
            for column in fields(Series)
            if column.name not in ("resource_id", "interval_seconds")
        },
    )


def known(one: Series, moment: int) -> dict[str, Any]:
    """Everything that the rules get to know, as bytes."""
    history = one.before(moment)
    found = {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in vars(history).items()}
    summary = {name: np.asarray(value, dtype=np.float64).tobytes() for name, value in vars(summarize(history, 28, 28)).items()}
    asked = [None if need is None else need.tobytes() for need in needs(history, PRESENT, PEERS)]
    return {**found, **summary, "asked": asked}


@quickly
@given(past=gaps, future=gaps, seed=seeds, other=seeds)
def test_no_future_changes_what_is_known(past: list[int], future: list[int], seed: int, other: int) -> None:
    at = FIRST + np.cumsum(past)
    moment = int(at[-1]) + 1
    before = made(at, seed)
    later = made(moment + np.cumsum([0, *future]), other - other % 2 + seed % 2)
    assert known(joined(before, later), moment) == known(before, moment)


@quickly
@given(past=gaps, future=gaps)
def test_the_time_that_a_sample_sums_up_is_known_when_it_comes(past: list[int], future: list[int]) -> None:
    at = np.cumsum([0, *past, *future])
    whole, part = _seconds_each(at), _seconds_each(at[: len(past) + 1])
    assert np.array_equal(whole[: len(part)], part, equal_nan=True)
    assert np.isnan(part[0])
    assert (part[1:] >= 1).all()


@quickly
@given(past=gaps, seed=seeds)
def test_shares_are_shares(past: list[int], seed: int) -> None:
    at = FIRST + np.cumsum(past)
    one = made(at, seed)
    moment = int(at[len(at) // 2]) + 1
    found = summarize(one.before(moment), 28, 28)
    assert 0 <= found.coverage_pct <= 100
    assert 0 <= found.recent_coverage_pct <= 100
    assert ((found.covered_pct >= 0) & (found.covered_pct <= 100)).all()
    assert found.history_hours >= 0
    assert not found.peak[MEMORY] > found.memory_ever
    assert not (found.replay > np.nan_to_num(one.highest, nan=-1).max(axis=0)).any()
    assert 0 <= one.after(moment).share_on <= 1


def judged(seed: int, count: int, chosen: list[int]) -> tuple[Any, np.ndarray, Any]:
    """Windows with random weeks; foresight and the mere swap are those of the catalog."""
    random = np.random.default_rng(seed)
    sizes = [CATALOG.number_of(f"m9.{name}") for name in ("medium", "large", "xlarge", "2xlarge", "4xlarge")]
    rows = []
    for number in range(count):
        present = int(random.choice(sizes))
        capacity = CATALOG.capacity[present]
        size = int(random.integers(0, 60))
        level = random.uniform(0, 1.2)
        columns = {i: np.where(random.random(size) < 0.1, np.nan, random.uniform(0, level, size) * capacity[i]) for i in range(4)}
        week, is_known = demand(size, columns), bool(random.random() < 0.8)
        candidates = CATALOG.candidates(present, "cheapest")
        need = oracle_need(Future(week, 1.0, HOUR), is_known)
        swap = np.array([np.inf, np.inf, -np.inf, -np.inf, -np.inf])
        names = [CATALOG.names[cheapest_holding(asked, present, candidates, CATALOG)] for asked in (need, swap)]
        rows.append(
            {
                "resource_id": f"r{number % 4}",
                "group": f"g{number % 3}",
                "moment": FIRST + WEEK * (number // 4),
                "present": CATALOG.names[present],
                "oracle": names[0],
                "lateral": names[1],
                "demand": week,
                "is_memory_known": is_known,
                "share_on": float(random.choice([0.0, 0.3, 1.0])),
            }
        )
    windows = windows_of(CATALOG, *rows)
    every = [CATALOG.number_of(name) for name in CATALOG.names if CATALOG.usd_per_hour[CATALOG.number_of(name)] > 0]
    sizes_chosen = np.array([every[number % len(every)] for number in chosen[:count]], dtype=np.int64)
    return windows, sizes_chosen, mark(windows, sizes_chosen, CATALOG)


picks = st.lists(st.integers(0, 10**6), min_size=12, max_size=12)


@quickly
@given(seed=seeds, count=st.integers(1, 12), chosen=picks)
def test_nobody_captures_more_than_foresight(seed: int, count: int, chosen: list[int]) -> None:
    windows, sizes, marks = judged(seed, count, chosen)
    assert (marks.credited >= 0).all()
    assert (marks.credited <= marks.possible + 1e-9).all()
    assert (marks.credited <= marks.saved + 1e-9).all()
    assert not marks.credited[marks.is_starved | marks.is_blind | ~marks.is_down].any()
    assert (marks.saved <= marks.cost + 1e-9).all()
    assert not (marks.is_down & marks.is_up).any()
    for flag in (marks.is_starved, marks.is_memory_touched):
        assert not (flag & ~marks.is_touched).any()
    assert not (marks.is_starved & ~marks.is_hot).any()
    total = score(windows, sizes, marks)
    assert total.captured_pct is None or 0 <= total.captured_pct <= 100 + 1e-9
    assert total.starved <= total.down <= total.windows
    assert total.group_weeks <= total.down


@quickly
@given(seed=seeds, count=st.integers(1, 12))
def test_foresight_itself_captures_everything_and_starves_nothing(seed: int, count: int) -> None:
    windows, _, _ = judged(seed, count, [0] * 12)
    marks = mark(windows, windows.oracle, CATALOG)
    total = score(windows, windows.oracle, marks)
    assert not marks.is_touched.any()
    assert total.captured_pct is None or abs(total.captured_pct - 100) < 1e-6


@quickly
@given(seed=seeds, count=st.integers(1, 12), chosen=picks, order=st.permutations(range(12)))
def test_the_order_of_windows_does_not_matter(seed: int, count: int, chosen: list[int], order: list[int]) -> None:
    windows, sizes, marks = judged(seed, count, chosen)
    rows = np.array([i for i in order if i < count], dtype=np.int64)
    one, other = score(windows, sizes, marks), score(windows, sizes, marks, rows)
    assert (one.down, one.starved, one.group_weeks, one.flips_pct) == (
        other.down,
        other.starved,
        other.group_weeks,
        other.flips_pct,
    )
    np.testing.assert_allclose(
        [one.saved_usd, one.captured_pct or 0], [other.saved_usd, other.captured_pct or 0], rtol=1e-9, atol=1e-9
    )


@settings(deadline=None, max_examples=15)
@given(seed=seeds, chosen=picks)
def test_an_interval_is_one_and_the_same(seed: int, chosen: list[int]) -> None:
    windows, _, marks = judged(seed, 12, chosen)
    shares = [captured(marks), of_downsizes(marks, marks.is_starved)]
    found = group_interval(windows.group, shares, 200)
    assert found == group_interval(windows.group, shares, 200)
    for one in found:
        assert one is None or 0 <= one[0] <= one[1] <= 100 + 1e-9
