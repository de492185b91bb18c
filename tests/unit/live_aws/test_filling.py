"""The edges of filling one source of samples with another: slots to the microsecond, intervals resource by resource, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.metrics import METRICS
from dagster_project.lake.sample_filling import Filled, fill

NAN = float("nan")
RECORD = np.dtype([("code", "<u4"), ("at_us", "<i8"), ("values", "<f4", (len(METRICS),))])
INDEX = {metric.name: index for index, metric in enumerate(METRICS)}
START = 1_741_478_400_000_000  # 2025-03-09 00:00 UTC
MINUTE = 60_000_000
HOUR = 60 * MINUTE
RANK = np.arange(6)
Row = tuple[int, int, dict[str, float]]


def records(*rows: Row) -> Any:
    """Rows as (code, microseconds of the day, values by metric)."""
    made = np.zeros(len(rows), RECORD)
    made["values"] = NAN
    for place, (code, at, values) in enumerate(rows):
        made[place]["code"], made[place]["at_us"] = code, START + at
        for name, value in values.items():
            made["values"][place, INDEX[name]] = value
    return made


def told(filled: Filled, *names: str) -> list[tuple[int, int, *tuple[float | None, ...]]]:
    """Rows as (code, microseconds of the day, values), None where there is none."""
    return [
        (
            int(row["code"]),
            int(row["at_us"]) - START,
            *(None if np.isnan(row["values"][INDEX[name]]) else float(row["values"][INDEX[name]]) for name in names),
        )
        for row in filled.records
    ]


def cells(filled: Filled, name: str) -> list[tuple[int, int, float | None]]:
    return [(row[0], row[1], row[2]) for row in told(filled, name)]  # type: ignore[misc]


# Slots.


@pytest.mark.parametrize(
    ("at", "slot"),
    [(0, 0), (5 * MINUTE - 1, 0), (5 * MINUTE, 1), (10 * MINUTE - 1, 1), (24 * HOUR - 1, 287), (23 * HOUR + 55 * MINUTE, 287)],
)
def test_a_row_is_of_the_five_minutes_that_it_lies_in_to_the_microsecond(at: int, slot: int) -> None:
    other = records(*((0, each * 5 * MINUTE, {"mem_avg_pct": each}) for each in range(288)))
    filled = fill(records((0, at, {"cpu_avg_pct": 1})), other, RANK)
    assert len(filled.records) == 288
    assert [row for row in told(filled, "cpu_avg_pct", "mem_avg_pct") if row[2] is not None] == [(0, at, 1, slot)]


def test_a_slot_begins_anew_for_each_resource() -> None:
    own = records((0, 24 * HOUR - 1, {"cpu_avg_pct": 1}), (1, 0, {"cpu_avg_pct": 2}))
    other = records((1, 0, {"mem_avg_pct": 9}), (1, 24 * HOUR - 5 * MINUTE, {"mem_avg_pct": 8}))
    assert told(fill(own, other, RANK), "cpu_avg_pct", "mem_avg_pct") == [
        (0, 24 * HOUR - 1, 1, None), (1, 0, 2, 9), (1, 24 * HOUR - 5 * MINUTE, None, 8),
    ]  # fmt: skip


# Volumes.


def test_volumes_of_what_the_first_source_does_not_have_at_all_stay_whole() -> None:
    other = records((0, 0, {"net_in_bytes": 1000, "disk_read_ops": 7, "cpu_avg_pct": 5}))
    filled = fill(records((1, 0, {"cpu_avg_pct": 1})), other, RANK)
    assert told(filled, "net_in_bytes", "disk_read_ops", "cpu_avg_pct") == [(0, 0, 1000, 7, 5), (1, 0, None, None, 1)]


def test_volumes_of_a_slot_that_a_feed_of_five_minutes_lacks_stay_whole() -> None:
    own = records((0, 0, {"net_in_bytes": 100}), (0, 5 * MINUTE, {"net_in_bytes": 200}))
    other = records(*((0, 5 * MINUTE * slot, {"net_in_bytes": 1000 + slot}) for slot in range(4)))
    assert cells(fill(own, other, RANK), "net_in_bytes") == [
        (0, 0, 100), (0, 5 * MINUTE, 200), (0, 10 * MINUTE, 1002), (0, 15 * MINUTE, 1003),
    ]  # fmt: skip


def test_volumes_are_spread_by_how_many_rows_a_feed_has_in_a_slot_as_a_rule() -> None:
    # Five rows in each of three slots, of which two rows were lost: 13 in three are four and a bit, and thus four.
    minutes = [minute for minute in range(15) if minute not in (3, 7)]
    own = records(*((0, minute * MINUTE, {"cpu_avg_pct": minute}) for minute in minutes))
    other = records(*((0, 5 * MINUTE * slot, {"net_in_bytes": 1200}) for slot in range(4)))
    filled = cells(fill(own, other, RANK), "net_in_bytes")
    assert [value for _, _, value in filled] == [300] * 8 + [240] * 5 + [300]
    assert filled[-1][:2] == (0, 15 * MINUTE)


def test_each_resource_has_its_own_interval() -> None:
    own = records(
        *((0, minute * MINUTE, {"cpu_avg_pct": 1}) for minute in range(10)),
        *((1, 5 * MINUTE * slot, {"cpu_avg_pct": 1}) for slot in range(2)),
        *((2, 150_000_000 * half, {"cpu_avg_pct": 1}) for half in range(4)),
        *((4, minute * MINUTE, {"cpu_avg_pct": 1}) for minute in range(5)),
    )
    other = records(*((code, 20 * MINUTE, {"net_in_bytes": 1000}) for code in range(5)))
    filled = {row[0]: row[2] for row in cells(fill(own, other, RANK), "net_in_bytes") if row[2] is not None}
    assert filled == {0: 200, 1: 1000, 2: 500, 3: 1000, 4: 200}


def test_which_metrics_are_volumes() -> None:
    names = [metric.name for metric in METRICS]
    own = records(*((0, minute * MINUTE, {"cpu_avg_pct": 1}) for minute in range(5)))
    other = records((0, 0, dict.fromkeys(names, 60)), (0, 5 * MINUTE, dict.fromkeys(names, 60)))
    filled = fill(own, other, RANK)
    spread = {name: cells(filled, name)[-1][2] for name in names}
    assert spread == {
        "cpu_avg_pct": 60, "cpu_max_pct": 60, "mem_avg_pct": 60, "mem_max_pct": 60, "net_in_bytes": 12, "net_out_bytes": 12,
        "disk_read_bytes": 12, "disk_write_bytes": 12, "disk_read_ops": 12, "disk_write_ops": 12, "cpu_credit_balance": 60,
        "in_service": 60,
    }  # fmt: skip
    assert {name: cells(filled, name)[0][2] for name in names} == {**spread, "cpu_avg_pct": 1}


# Feeds that are coarser.


def is_left_alone(*own: Row) -> bool:
    """Whether the first resource's rows stay as they are."""
    filled = fill(records(*own), records((0, 23 * HOUR, {"mem_avg_pct": 5})), RANK)
    return len(filled.records) == len(own)


def every(gap: int, count: int, code: int = 0) -> list[Row]:
    return [(code, gap * number, {"cpu_avg_pct": 1}) for number in range(count)]


@pytest.mark.parametrize(
    ("gap", "count", "is_coarse"),
    [
        # Seven and a half minutes are coarser than five, whose clock may drift by less.
        (450_000_000, 96, True),
        (449_999_999, 97, False),
        (450_000_000, 95, False),
        # Half a day of an hourly feed, and not less of it.
        (HOUR, 12, True),
        (HOUR, 11, False),
        (HOUR - 1, 12, False),
        (HOUR - 1, 13, True),
        (6 * HOUR, 2, True),
        (6 * HOUR - 1, 2, False),
        (12 * HOUR, 2, True),
        (5 * MINUTE, 200, False),
    ],
)
def test_a_feed_is_coarser_where_its_rows_are_never_closer_and_cover_half_a_day(gap: int, count: int, is_coarse: bool) -> None:
    assert is_left_alone(*every(gap, count)) is is_coarse


def test_two_rows_that_are_once_as_close_as_five_minutes_make_a_feed_no_coarser() -> None:
    assert is_left_alone(*every(HOUR, 20))
    assert not is_left_alone(*every(HOUR, 20), (0, 19 * HOUR + 5 * MINUTE, {"cpu_avg_pct": 1}))


def test_how_close_rows_are_is_told_resource_by_resource() -> None:
    # The last row of one and the first of the next are close by chance.
    own = [*every(HOUR, 20, 0), (1, 19 * HOUR + 1, {"cpu_avg_pct": 1}), *every(HOUR, 20, 2), *every(5 * MINUTE, 20, 3)]
    other = records(*((code, 23 * HOUR, {"mem_avg_pct": 5}) for code in range(5)))
    filled = fill(records(*own), other, RANK)
    assert [code for code, _, value in cells(filled, "mem_avg_pct") if value is not None] == [1, 3, 4]
    assert filled.codes.tolist() == [0, 1, 2, 3, 4]
    assert filled.filled[:, INDEX["mem_avg_pct"]].tolist() == [0, 1, 0, 1, 1]
    assert filled.own[:, INDEX["cpu_avg_pct"]].tolist() == [20, 1, 20, 20, 0]
    assert filled.filled[:, INDEX["cpu_avg_pct"]].tolist() == [0, 0, 0, 0, 0]


# Order and care.


def test_what_is_given_stays_as_it_is() -> None:
    own, other = records((0, 0, {"cpu_avg_pct": 1})), records((0, 0, {"net_in_bytes": 5}), (0, 5 * MINUTE, {"net_in_bytes": 5}))
    before = own.tobytes(), other.tobytes()
    fill(own, other, RANK)
    assert (own.tobytes(), other.tobytes()) == before


def test_rows_are_sorted_by_resource_and_time_whatever_the_numbers_of_the_codes() -> None:
    rank = np.array([5, 3, 4, 1, 2, 0])  # code 5 is first, then 3, 4, 1, 2 and 0
    own = records((3, 10 * MINUTE, {"cpu_avg_pct": 1}), (0, 0, {"cpu_avg_pct": 1}))
    other = records((5, 5 * MINUTE, {"cpu_avg_pct": 2}), (3, 0, {"cpu_avg_pct": 2}), (1, 0, {"cpu_avg_pct": 2}))
    filled = fill(own, other, rank)
    assert [row[:2] for row in cells(filled, "cpu_avg_pct")] == [
        (5, 5 * MINUTE), (3, 0), (3, 10 * MINUTE), (1, 0), (0, 0),
    ]  # fmt: skip
    assert filled.codes.tolist() == [5, 3, 1, 0]
    assert filled.own[:, INDEX["cpu_avg_pct"]].tolist() == [0, 1, 0, 1]
    assert filled.filled[:, INDEX["cpu_avg_pct"]].tolist() == [1, 1, 1, 0]


def slow(own: list[tuple[int, int]], other: list[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """What minutes of a feed without volumes become, told one by one: network in of each (code, minute)."""
    rows: dict[int, dict[int, list[int]]] = {}
    for code, minute in own:
        rows.setdefault(code, {}).setdefault(minute // 5, []).append(minute)
    found: dict[tuple[int, int], float] = {}
    for code, slot in other:
        mine = rows.get(code, {})
        count = sum(map(len, mine.values()))
        usual = max(1, round(count / len(mine))) if mine else 1
        for minute in mine.get(slot, []):
            found[code, minute] = 1000 / len(mine[slot])
        if slot not in mine:
            found[code, 5 * slot] = 1000 / usual
    return found


MINUTES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 29)), unique=True, max_size=60).map(sorted)
SLOTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), unique=True, max_size=25).map(sorted)


@given(MINUTES, SLOTS)
def test_volumes_go_where_they_would_one_by_one(own: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    filled = fill(
        records(*((code, minute * MINUTE, {"cpu_avg_pct": 1}) for code, minute in own)),
        records(*((code, 5 * slot * MINUTE, {"net_in_bytes": 1000}) for code, slot in other)),
        RANK,
    )
    told_ = {(code, at // MINUTE): value for code, at, value in cells(filled, "net_in_bytes") if value is not None}
    assert told_ == pytest.approx(slow(own, other), rel=1e-6)
