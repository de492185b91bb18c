"""Which samples cannot be right, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import MAX_VOLUME, Rejection, SampleRules

NOW_US = 1_000_000
RULES = SampleRules(max_utilization_pct=1000, now_us=NOW_US)
COLUMN = {metric.name: index for index, metric in enumerate(METRICS)}


def row(**known: float) -> list[float]:
    """One sample; what is not named is unknown."""
    values = [np.inf] * len(METRICS)
    for name, value in known.items():
        values[COLUMN[name]] = value
    return values


def reject(*rows: list[float], codes: list[int] | None = None, at_us: list[int] | None = None) -> list[Rejection]:
    count = len(rows)
    return list(
        RULES.rejections(
            np.array(codes or [0] * count),
            np.array(at_us or range(count), dtype=np.int64),
            np.arange(count),
            np.array(rows),
        )
    )


def test_percentages_are_bounded_by_the_setting_and_other_readings_by_what_a_machine_can_do() -> None:
    bounds = dict(zip(COLUMN, RULES.upper_bounds().tolist(), strict=True))
    assert {name for name, bound in bounds.items() if bound == 1000} == {
        "cpu_avg_pct",
        "cpu_max_pct",
        "mem_avg_pct",
        "mem_max_pct",
    }
    assert {bound for name, bound in bounds.items() if not name.endswith("_pct")} == {MAX_VOLUME}


@pytest.mark.parametrize(
    ("values", "reason", "column", "example"),
    [
        (row(cpu_avg_pct=np.nan), "nan", "cpu_avg_pct", "nan"),
        (row(cpu_avg_pct=20, mem_max_pct=-0.5), "negative", "mem_max_pct", "-0.5"),
        (row(cpu_avg_pct=-np.inf), "negative", "cpu_avg_pct", "-inf"),
        (row(cpu_avg_pct=1000.1), "impossible_value", "cpu_avg_pct", "1000.1"),
        (row(net_in_bytes=2e14), "impossible_value", "net_in_bytes", "2e+14"),
    ],
)
def test_each_reason_names_its_column_and_an_example(values: list[float], reason: str, column: str, example: str) -> None:
    assert reject(values) == [Rejection(reason, 0, column, 1, 0, example)]


def test_a_value_at_its_bound_is_possible() -> None:
    assert reject(row(cpu_avg_pct=1000, net_in_bytes=MAX_VOLUME, disk_read_ops=0)) == []


def test_an_unknown_value_is_neither_impossible_nor_negative() -> None:
    assert reject(row()) == []


def test_a_row_with_three_faults_is_counted_once_for_the_first_of_them() -> None:
    wrong = row(cpu_avg_pct=-1, mem_avg_pct=np.nan, net_in_bytes=1e15)
    assert reject(wrong) == [Rejection("nan", 0, "mem_avg_pct", 1, 0, "nan")]


def test_a_sample_of_this_moment_is_not_from_the_future_and_the_next_microsecond_is() -> None:
    found = reject(row(cpu_avg_pct=1), row(cpu_avg_pct=1), at_us=[NOW_US, NOW_US + 1])
    assert found == [Rejection("future_timestamp", 0, "", 1, NOW_US + 1, "")]


def test_a_wrong_value_from_the_future_is_a_wrong_value() -> None:
    assert [item.reason for item in reject(row(cpu_avg_pct=-1), at_us=[NOW_US + 1])] == ["negative"]


def test_rows_are_counted_by_resource_with_the_earliest_as_the_example() -> None:
    found = reject(
        row(cpu_avg_pct=-3),
        row(cpu_avg_pct=-1),
        row(cpu_avg_pct=-2),
        row(cpu_avg_pct=-9),
        codes=[5, 5, 5, 8],
        at_us=[30, 10, 20, 40],
    )
    assert found == [
        Rejection("negative", 5, "cpu_avg_pct", 3, 10, "-1"),
        Rejection("negative", 8, "cpu_avg_pct", 1, 40, "-9"),
    ]


def test_the_suspects_are_positions_in_the_block() -> None:
    codes, at_us = np.array([1, 2, 3]), np.array([10, 20, 30], dtype=np.int64)
    found = list(RULES.rejections(codes, at_us, np.array([2]), np.array([row(cpu_avg_pct=-4)])))
    assert found == [Rejection("negative", 3, "cpu_avg_pct", 1, 30, "-4")]
