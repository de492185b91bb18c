"""How far to believe a share."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.domain.backtest.intervals import captured, group_interval, nothing_seen, of_downsizes
from dagster_project.domain.backtest.score import Marks, mark, score
from dagster_project.domain.rightsizing.dimensions import CPU
from tests.backtest_builders import demand, windows_of
from tests.rightsizing_builders import CATALOG

BUSY, QUIET = demand(10, {CPU: 6.0}), demand(10, {CPU: 1.0})


def windows(count: int, starving: set[int], groups: int, kept: set[int] = frozenset()) -> tuple[list[str], Marks, float, float]:
    """Downsizes from 16 to 4 vCPU, some of which starve: groups, marks, and the shares captured and starved."""
    rows = [
        {
            "present": "m9.4xlarge",
            "oracle": "m9.2xlarge" if i in starving else "m9.xlarge",
            "demand": BUSY if i in starving else QUIET,
            "group": f"g{i % groups}",
        }
        for i in range(count)
    ]
    columns = windows_of(CATALOG, *rows)
    sizes = ["m9.4xlarge" if i in kept else "m9.xlarge" for i in range(count)]
    chosen = np.array([CATALOG.number_of(size) for size in sizes])
    marks = mark(columns, chosen, CATALOG)
    total = score(columns, chosen, marks)
    return list(columns.group), marks, total.captured_pct, total.starved_pct


def intervals(groups: list[str], marks: Marks) -> list[tuple[float, float] | None]:
    return group_interval(groups, [captured(marks), of_downsizes(marks, marks.is_starved)])


def test_the_shares_are_those_of_the_score() -> None:
    _, marks, captured_pct, starved_pct = windows(40, {3, 9, 30}, 10, kept={1, 2})
    once = np.ones(40)
    assert captured(marks)(once) == pytest.approx(captured_pct)
    assert of_downsizes(marks, marks.is_starved)(once) == pytest.approx(starved_pct)
    assert starved_pct == pytest.approx(100 * 3 / 38)


def test_weights_count_windows_more_than_once() -> None:
    _, marks, _, _ = windows(4, {0}, 4)
    weight = np.array([3.0, 1.0, 0.0, 0.0])
    assert of_downsizes(marks, marks.is_starved)(weight) == pytest.approx(75)
    # Three times the oracle's 134.40 USD that a starving rule does not get, and once 201.60 USD that it gets.
    assert captured(marks)(weight) == pytest.approx(100 * 201.6 / (3 * 134.4 + 201.6))


def test_they_are_the_same_in_every_run_and_hold_the_point() -> None:
    groups, marks, captured_pct, starved_pct = windows(60, {3, 9, 30, 31, 55}, 20)
    found = intervals(groups, marks)
    assert found == intervals(groups, marks)
    for (low, high), point in zip(found, (captured_pct, starved_pct), strict=True):
        assert 0 <= low < point < high <= 100


def test_the_order_of_the_windows_does_not_matter() -> None:
    groups, marks, _, _ = windows(60, {3, 9, 30, 31, 55}, 20)
    order = np.random.default_rng(1).permutation(60)
    shuffled = Marks(**{name: values[order] for name, values in vars(marks).items()})
    assert intervals([groups[i] for i in order], shuffled) == [pytest.approx(one) for one in intervals(groups, marks)]


def test_whole_groups_are_drawn() -> None:
    """Ten groups of six machines that starve together are ten events, sixty machines of their own sixty."""
    together, marks, _, _ = windows(60, set(range(0, 60, 10)), 10)
    alone = [str(i) for i in range(60)]
    (_, wide), (_, narrow) = intervals(together, marks), intervals(alone, marks)
    assert wide is not None and narrow is not None
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])
    assert wide[0] == 0


def test_a_share_that_is_the_same_everywhere_has_no_width() -> None:
    groups, marks, _, _ = windows(10, set(), 5)
    assert intervals(groups, marks) == [(pytest.approx(100), pytest.approx(100)), (0, 0)]


def test_there_is_no_interval_where_there_is_nothing_to_share() -> None:
    groups, marks, _, _ = windows(12, set(), 6, kept=set(range(12)))
    assert intervals(groups, marks)[1] is None
    # Of two groups one has the downsizes: a quarter of the draws has none.
    groups, marks, _, _ = windows(12, {0}, 2, kept={1, 3, 5, 7, 9, 11})
    assert intervals(groups, marks)[1] is None
    # Of three of four groups 1 in 256 draws has none.
    groups, marks, _, _ = windows(12, {0}, 4, kept={3, 7, 11})
    assert intervals(groups, marks)[1] is not None


@pytest.mark.parametrize(("trials", "high"), [(1, 97.5), (2, 84.188612), (10, 30.849710), (100, 3.621669), (1000, 0.368208)])
def test_of_what_was_never_seen(trials: int, high: float) -> None:
    assert nothing_seen(trials) == (0.0, pytest.approx(high, abs=1e-5))


def test_of_what_was_never_tried() -> None:
    assert nothing_seen(0) is None
