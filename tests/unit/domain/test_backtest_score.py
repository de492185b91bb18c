"""What the week after a decision showed, computed by hand. Families of ``CATALOG``: m9 costs 0.10 USD an hour for each vCPU,
which comes with 4 GiB, 1 Gbit/s, 1,000 Mbit/s and 5,000 IOPS."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from dagster_project.domain.backtest.collect import Machine, judged_windows, weekly_moments
from dagster_project.domain.backtest.score import HOURS_PER_WEEK, Marks, Score, cheapest_holding, mark, oracle_need, score
from dagster_project.domain.backtest.series import Future
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.shapes import Shapes
from tests.backtest_builders import DAY, FIRST, HOUR, WEEK, demand, series, windows_of
from tests.rightsizing_builders import CATALOG, NAN, sizes_changed

INF = np.inf
BIG, HALF, QUARTER = "m9.4xlarge", "m9.2xlarge", "m9.xlarge"  # 16, 8 and 4 vCPU; 1.60, 0.80 and 0.40 USD an hour
QUIET = demand(1000, {CPU: 1.0, MEMORY: 4.0, NETWORK: 0.1, DISK: 10.0})
LOOSE = {CPU: 1.0, MEMORY: 4.0, NETWORK: 0.1, DISK: 10.0}


def weeks(samples: int, above: int, dimension: int, value: float, other: float) -> np.ndarray:
    """A quiet week in which some samples of a dimension have another value."""
    values = demand(samples, LOOSE)
    values[:, dimension] = other
    values[:above, dimension] = value
    return values


def judged(*rows: dict[str, Any], shapes: Shapes = CATALOG) -> tuple[Marks, Score]:
    """Marks and score of windows of a big machine whose oracle is a quarter of it; ``chosen`` names the rule's size."""
    full = [{"present": BIG, "oracle": QUARTER, "demand": QUIET, **row} for row in rows]
    windows = windows_of(shapes, *full)
    chosen = np.array([shapes.number_of(row["chosen"]) for row in full], dtype=np.int64)
    marks = mark(windows, chosen, shapes)
    return marks, score(windows, chosen, marks)


def test_a_downsize_that_holds() -> None:
    marks, total = judged({"chosen": HALF})
    assert (total.windows, total.down, total.up, total.blind) == (1, 1, 0, 0)
    assert total.saved_usd == pytest.approx(0.80 * 168)
    assert total.saved_pct_of_cost == pytest.approx(50.0)
    assert marks.cost[0] == pytest.approx(1.60 * 168)
    assert marks.possible[0] == pytest.approx(1.20 * 168)
    assert total.captured_pct == pytest.approx(100 * 0.80 / 1.20)
    assert (total.starved, total.starved_pct, total.touched_pct, total.memory_touched_pct, total.hot_pct) == (0, 0, 0, 0, 0)
    assert total.exceeding_minutes_per_1000_days == 0


def test_what_is_captured_is_at_most_what_the_oracle_saves() -> None:
    marks, total = judged({"chosen": QUARTER, "oracle": HALF})
    assert marks.saved[0] == pytest.approx(1.20 * 168)
    assert marks.credited[0] == marks.possible[0] == pytest.approx(0.80 * 168)
    assert total.captured_pct == pytest.approx(100)


def test_nothing_is_captured_where_foresight_would_keep() -> None:
    marks, total = judged({"chosen": HALF, "oracle": BIG})
    assert marks.saved[0] == pytest.approx(0.80 * 168)
    assert (marks.credited[0], marks.possible[0]) == (0, 0)
    assert total.captured_pct is None


def test_a_mere_swap_is_taken_off_both_sides() -> None:
    shapes = sizes_changed(CATALOG, "m9x.4xlarge", usd_per_hour=1.50)
    row = {"lateral": "m9x.4xlarge"}
    marks, total = judged({**row, "chosen": HALF}, {**row, "chosen": "m9x.4xlarge"}, {**row, "chosen": BIG}, shapes=shapes)
    assert marks.possible.tolist() == pytest.approx([(1.20 - 0.10) * 168] * 3)
    assert marks.credited.tolist() == pytest.approx([(0.80 - 0.10) * 168, 0, 0])
    assert total.captured_pct == pytest.approx(100 * 0.70 / 3.30)
    assert marks.saved.tolist() == pytest.approx([0.80 * 168, 0.10 * 168, 0])


def test_a_saving_below_that_of_the_swap_is_not_counted_against_a_rule() -> None:
    shapes = sizes_changed(CATALOG, "m9x.4xlarge", usd_per_hour=0.60)
    marks, _ = judged({"lateral": "m9x.4xlarge", "chosen": HALF}, shapes=shapes)
    assert marks.credited[0] == 0


def test_where_the_swap_is_cheaper_than_foresight_nothing_is_possible() -> None:
    """Foresight looks at network and disk too; what is negative would raise the share of everything else."""
    shapes = sizes_changed(CATALOG, "m9x.4xlarge", usd_per_hour=0.60)
    row = {"lateral": "m9x.4xlarge", "oracle": HALF}
    marks, total = judged({**row, "chosen": BIG}, {"chosen": HALF}, shapes=shapes)
    assert marks.possible.tolist() == pytest.approx([0, 1.20 * 168])
    assert total.captured_pct == pytest.approx(100 * 0.80 / 1.20)


@pytest.mark.parametrize(("above", "is_starved"), [(0, False), (1, False), (9, False), (10, True), (1000, True)])
def test_one_sample_in_a_hundred_starves(above: int, is_starved: bool) -> None:
    marks, total = judged({"chosen": QUARTER, "demand": weeks(1000, above, CPU, 4.001, 1.0)})
    assert marks.is_starved[0] == is_starved
    assert marks.is_touched[0] == (above > 0)
    assert marks.exceeding_minutes[0] == above * 60
    assert total.captured_pct == pytest.approx(0 if is_starved else 100)
    assert total.saved_usd == pytest.approx(1.20 * 168)
    assert (total.starved, total.starved_pct) == ((1, 100) if is_starved else (0, 0))
    assert total.exceeding_minutes_per_1000_days == pytest.approx(above * 60 / 7 * 1000)


def test_samples_of_different_dimensions_add_up_but_each_counts_once() -> None:
    values = demand(1000, LOOSE)
    values[:6, CPU] = 5.0
    values[3:10, NETWORK] = 5.0
    marks, _ = judged({"chosen": QUARTER, "demand": values})
    assert marks.is_starved[0]
    assert marks.exceeding_minutes[0] == 600


def test_what_is_exactly_at_the_capacity_does_not_exceed() -> None:
    values = demand(10, {CPU: 4.0, MEMORY: 16.0, NETWORK: 4.0, DISK: 4000.0, IOPS: 20_000.0})
    marks, _ = judged({"chosen": QUARTER, "demand": values})
    assert not marks.is_touched[0]
    assert marks.is_hot[0]


@pytest.mark.parametrize(("cpu", "is_hot"), [(3.2, False), (3.2 * (1 + 1e-7), False), (3.21, True)])
def test_hot_is_above_four_fifths_for_one_sample_in_a_hundred(cpu: float, is_hot: bool) -> None:
    marks, total = judged({"chosen": QUARTER, "demand": weeks(100, 1, CPU, cpu, 1.0)})
    assert marks.is_hot[0] == is_hot
    assert total.hot_pct == (100 if is_hot else 0)


def test_memory_is_touched_by_one_sample() -> None:
    marks, total = judged(
        {"chosen": QUARTER, "demand": weeks(1000, 1, MEMORY, 16.1, 4.0)},
        {"chosen": QUARTER, "demand": weeks(1000, 1, CPU, 4.1, 1.0)},
        {"chosen": QUARTER},
        {"chosen": BIG, "demand": weeks(1000, 1, MEMORY, 16.1, 4.0)},
    )
    assert marks.is_memory_touched.tolist() == [True, False, False, False]
    assert marks.is_touched.tolist() == [True, True, False, False]
    assert total.memory_touched_pct == pytest.approx(100 / 3)
    assert total.touched_pct == pytest.approx(200 / 3)


def test_only_a_dimension_that_shrinks_can_be_exceeded() -> None:
    """c9.2xlarge has the vCPU of m9.2xlarge and half of its memory; CPU beyond either is no fault of the swap."""
    row = {"present": HALF, "oracle": HALF, "chosen": "c9.2xlarge"}
    busy, full = demand(100, {**LOOSE, CPU: 9.0}), demand(100, {**LOOSE, MEMORY: 17.0})
    marks, _ = judged({**row, "demand": busy}, {**row, "demand": full})
    assert marks.is_down.tolist() == [True, True]
    assert marks.is_starved.tolist() == [False, True]
    assert marks.is_hot.tolist() == [False, True]


def test_an_unknown_limit_is_never_exceeded() -> None:
    shapes = sizes_changed(CATALOG, QUARTER, capacity={DISK: NAN, IOPS: NAN})
    marks, _ = judged({"chosen": QUARTER, "demand": demand(10, {**LOOSE, DISK: 1e9})}, shapes=shapes)
    assert marks.is_down[0]
    assert not marks.is_touched[0]


def test_memory_that_nobody_measured_earns_nothing() -> None:
    same_memory = sizes_changed(CATALOG, HALF, capacity={MEMORY: 64.0})
    blind = {"is_memory_known": False, "demand": demand(10, {CPU: 1.0})}
    marks, total = judged({**blind, "chosen": HALF})
    assert (total.down, total.blind, total.saved_usd, total.captured_pct) == (1, 1, 0, 0)
    assert marks.possible[0] > 0
    marks, total = judged({**blind, "chosen": HALF}, shapes=same_memory)
    assert (total.down, total.blind) == (1, 0)
    assert total.saved_usd == pytest.approx(0.80 * 168)


def test_a_machine_that_is_off_costs_nothing() -> None:
    marks, total = judged({"chosen": HALF, "share_on": 0.25}, {"chosen": HALF, "share_on": 0.0, "demand": demand(0, {})})
    assert marks.saved.tolist() == pytest.approx([0.80 * 42, 0])
    assert marks.possible.tolist() == pytest.approx([1.20 * 42, 0])
    assert marks.cost.tolist() == pytest.approx([1.60 * 42, 0])
    assert (total.down, total.starved, total.touched_pct) == (2, 0, 0)
    assert total.captured_pct == pytest.approx(200 / 3)


def test_a_dearer_size_is_up_and_cannot_starve() -> None:
    row = {"present": HALF, "oracle": QUARTER, "demand": demand(10, {**LOOSE, CPU: 100.0})}
    marks, total = judged({**row, "chosen": BIG})
    assert (total.up, total.down) == (1, 0)
    assert (total.saved_usd, total.captured_pct) == (0, 0)
    assert (total.starved, total.starved_pct, total.touched_pct, total.hot_pct) == (0, None, None, None)
    assert marks.possible[0] == pytest.approx(0.40 * 168)
    _, kept = judged({**row, "chosen": HALF})
    assert (kept.up, kept.down) == (0, 0)


def test_a_dearer_size_with_less_of_something_is_up() -> None:
    """r9.xlarge costs 0.48 USD and has half of the vCPU that m9.2xlarge has for 0.80; here it costs 0.90."""
    shapes = sizes_changed(CATALOG, "r9.xlarge", usd_per_hour=0.90)
    _, total = judged({"present": HALF, "chosen": "r9.xlarge", "demand": demand(10, {CPU: 8.0})}, shapes=shapes)
    assert (total.up, total.down, total.starved) == (1, 0, 0)


def test_a_service_counts_once_a_week() -> None:
    bad = weeks(100, 50, CPU, 5.0, 1.0)
    rows = [
        {"group": "web", "chosen": QUARTER, "demand": bad},
        {"group": "web", "chosen": QUARTER},
        {"group": "web", "chosen": QUARTER, "demand": bad},
        {"group": "web", "chosen": QUARTER, "moment": FIRST + WEEK},
        {"group": "batch", "chosen": QUARTER},
        {"group": "idle", "chosen": BIG, "demand": bad},
    ]
    _, total = judged(*rows)
    assert (total.down, total.starved) == (5, 2)
    assert total.starved_pct == pytest.approx(40)
    assert total.group_weeks == 3
    assert total.group_weeks_starved_pct == pytest.approx(100 / 3)


def test_flips_are_counted_between_decisions_one_week_apart() -> None:
    def row(name: str, week: float, chosen: str) -> dict[str, Any]:
        return {"resource_id": name, "moment": FIRST + int(week * WEEK), "chosen": chosen}

    _, total = judged(
        row("a", 0, HALF), row("a", 1, HALF), row("a", 2, QUARTER), row("a", 4, BIG), row("b", 4.5, HALF), row("b", 5, QUARTER)
    )
    assert total.flips_pct == pytest.approx(50)  # weeks 0 to 1 and 1 to 2 of a
    assert judged(row("a", 0, HALF), row("b", 1, HALF))[1].flips_pct is None
    _, total = judged(row("b", 1, HALF), row("a", 2, BIG), row("a", 1, HALF), row("b", 2, HALF))
    assert total.flips_pct == pytest.approx(50)  # whatever the order of the rows


def test_nothing_to_have_a_share_of() -> None:
    _, total = judged({"chosen": BIG, "oracle": BIG})
    assert (total.captured_pct, total.starved_pct, total.touched_pct, total.group_weeks_starved_pct) == (None,) * 4
    assert (total.exceeding_minutes_per_1000_days, total.flips_pct, total.hot_pct) == (None,) * 3
    assert total.saved_pct_of_cost == 0


def test_some_of_the_windows() -> None:
    shapes = CATALOG
    windows = windows_of(
        shapes, {"present": BIG, "oracle": HALF, "demand": QUIET}, {"present": HALF, "oracle": QUARTER, "demand": QUIET}
    )
    chosen = np.array([shapes.number_of(HALF), shapes.number_of(HALF)])
    marks = mark(windows, chosen, shapes)
    first, second = (score(windows, chosen, marks, np.array([i])) for i in (0, 1))
    assert (first.windows, first.down, first.captured_pct) == (1, 1, pytest.approx(100))
    assert (second.windows, second.down, second.captured_pct) == (1, 0, 0)
    assert score(windows, chosen, marks, np.array([0, 0, 1])).captured_pct == pytest.approx(100 * 1.6 / 2.0)
    none = score(windows, chosen, marks, np.empty(0, dtype=np.int64))
    assert (none.windows, none.captured_pct, none.saved_pct_of_cost) == (0, None, None)


def test_marks_have_an_entry_for_every_window() -> None:
    marks, _ = judged({"chosen": HALF}, {"chosen": BIG})
    assert all(len(getattr(marks, column.name)) == 2 for column in fields(Marks))
    assert HOURS_PER_WEEK == 168


# What perfect foresight needs.


def needed(columns: dict[int, Any], size: int = 1000, is_memory_known: bool = True) -> list[float]:
    return oracle_need(Future(demand(size, columns), 1.0, HOUR), is_memory_known).tolist()


def test_foresight_keeps_head_room_on_sustained_cpu_and_on_memory() -> None:
    cpu = np.full(1000, 2.0)
    cpu[:10] = 3.0  # P99.5 is among them
    need = needed({CPU: cpu, MEMORY: np.linspace(1, 9, 1000), NETWORK: 0.5, DISK: np.linspace(0, 80, 1000), IOPS: 7.0})
    assert need == pytest.approx([3.75, 10.0, 0.5, 80.0, 7.0])


def test_foresight_holds_every_sample_of_cpu() -> None:
    cpu = np.full(1000, 2.0)
    cpu[0] = 3.0
    assert needed({CPU: cpu})[CPU] == pytest.approx(3.0)  # P99.5 alone would need 2.5
    cpu[0] = 2.1
    assert needed({CPU: cpu})[CPU] == pytest.approx(2.5)


def test_foresight_without_a_measurement() -> None:
    assert needed({CPU: 1.0}) == [1.25, INF, -INF, -INF, -INF]
    assert needed({CPU: 1.0, MEMORY: 2.0}, is_memory_known=False)[MEMORY] == INF
    assert needed({MEMORY: 1.8})[:2] == [INF, pytest.approx(2.0)]
    assert needed({}, size=0) == [INF] * 5


def test_foresight_skips_gaps() -> None:
    cpu = np.full(1000, NAN)
    cpu[500:503] = [1.0, 2.0, 1.5]
    assert needed({CPU: cpu, NETWORK: np.where(np.arange(1000) == 7, 0.3, NAN)})[CPU] == pytest.approx(1.995 / 0.8)
    assert needed({NETWORK: np.where(np.arange(1000) == 7, 0.3, NAN)})[NETWORK] == pytest.approx(0.3)


def test_the_cheapest_size_that_holds() -> None:
    number = CATALOG.number_of
    sizes = CATALOG.candidates(number(BIG), "family")
    assert [CATALOG.names[i] for i in sizes] == ["m9.medium", "m9.large", QUARTER, HALF]

    def found(*need: float) -> str:
        return CATALOG.names[cheapest_holding(np.array(need), number(BIG), sizes, CATALOG)]

    nothing = (-INF,) * 4
    assert found(4.0, *nothing) == QUARTER
    assert found(4.001, *nothing) == HALF
    assert found(1.0, 16.5, -INF, -INF, -INF) == HALF
    assert found(1.0, 1.0, 3.0, 1.0, 1.0) == QUARTER
    assert found(1.0, 1.0, 1.0, 1.0, 5001.0) == "m9.large"
    assert found(INF, *nothing) == BIG
    assert found(8.5, *nothing) == BIG
    assert CATALOG.names[cheapest_holding(np.full(5, -INF), number(BIG), np.empty(0, dtype=np.int64), CATALOG)] == BIG


def test_foresight_may_take_what_is_no_smaller_than_now() -> None:
    """m9z.xlarge is m9.xlarge by another name: demand above either is no reason to stay."""
    shapes = sizes_changed(CATALOG, "m9z.xlarge", usd_per_hour=0.38)
    need = np.array([99.0, 99.0, 99.0, 99.0, 99.0])
    chosen = cheapest_holding(need, shapes.number_of(QUARTER), np.array([shapes.number_of("m9z.xlarge")]), shapes)
    assert shapes.names[chosen] == "m9z.xlarge"


def test_windows_know_the_size_of_foresight_and_the_mere_swap() -> None:
    shapes = sizes_changed(CATALOG, "m9z.xlarge", usd_per_hour=0.38)
    at = FIRST + HOUR * np.arange(3 * 168)
    quiet = series(at, {CPU: np.where(at < FIRST + 2 * WEEK, 1.5, 0.7), MEMORY: 1.8, DISK: 1.0}, seen_at=at)
    machines = [Machine("i-1", "lab", "web", shapes.number_of(QUARTER), known) for known in (True, True, False)]
    moments = [FIRST + WEEK, FIRST + 2 * WEEK, FIRST + 2 * WEEK]
    windows = judged_windows(machines, [quiet] * 3, moments, shapes, "cheapest")
    assert [shapes.names[i] for i in windows.oracle] == ["c9.large", "c9.medium", "r9.large"]
    # As much CPU and memory for less; what it sustains of disk is not known, and foresight does not take it.
    assert [shapes.names[i] for i in windows.lateral] == ["c9u.2xlarge"] * 3
    assert windows.group == ["web"] * 3
    assert windows.source == ["lab"] * 3
    assert windows.moment.tolist() == moments
    assert windows.is_memory_known.tolist() == [True, True, False]
    family = judged_windows(machines, [quiet] * 3, moments, shapes, "family")
    assert [shapes.names[i] for i in family.oracle] == ["m9.large", "m9.medium", QUARTER]
    assert [shapes.names[i] for i in family.lateral] == [QUARTER] * 3


def test_a_week_in_which_nothing_was_recorded_keeps_its_size() -> None:
    machine = Machine("i-1", "", "", CATALOG.number_of(BIG), True)
    windows = judged_windows([machine], [series([FIRST], {CPU: 1.0})], [FIRST + WEEK], CATALOG, "family")
    assert windows.oracle.tolist() == windows.present.tolist()
    assert windows.futures[0].share_on == 0


# When a backtest decides, where nobody says when.


def test_weekly_from_the_first_day_with_seven_days_of_history() -> None:
    at = FIRST + HOUR * np.arange(30 * 24)
    assert weekly_moments(series(at)) == [FIRST + WEEK * week for week in (1, 2, 3, 4)]
    late = FIRST + 5 * HOUR + HOUR * np.arange(30 * 24)
    assert weekly_moments(series(late)) == [FIRST + DAY + WEEK * week for week in (1, 2, 3, 4)]


def test_there_is_no_window_without_something_after_it() -> None:
    hours = HOUR * np.arange(168)
    assert weekly_moments(series(FIRST + hours)) == []
    assert weekly_moments(series(np.append(FIRST + hours, FIRST + WEEK))) == [FIRST + WEEK]
    assert weekly_moments(series([])) == []


def test_a_clock_that_is_years_ahead_makes_one_window_and_not_hundreds() -> None:
    at = np.append(FIRST + HOUR * np.arange(15 * 24), FIRST + 400 * WEEK + DAY)
    assert weekly_moments(series(at)) == [FIRST + WEEK, FIRST + 2 * WEEK, FIRST + 400 * WEEK]


def test_a_machine_that_is_off_is_decided_about_too() -> None:
    seen = FIRST + HOUR * np.arange(15 * 24)
    assert weekly_moments(series(seen[:24], seen_at=seen)) == [FIRST + WEEK, FIRST + 2 * WEEK]
