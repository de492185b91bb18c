"""One source of samples filled by another: whose reading counts, what a finer feed gets, what a coarser one is spared."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.metrics import METRICS
from dagster_project.lake.sample_filling import SLOT_US, Filled, fill

NAN = float("nan")
RECORD = np.dtype([("code", "<u4"), ("at_us", "<i8"), ("values", "<f4", (len(METRICS),))])
INDEX = {metric.name: index for index, metric in enumerate(METRICS)}
START = 1_741_478_400_000_000  # 2025-03-09 00:00 UTC
RANK = np.arange(4)
Row = tuple[int, float, dict[str, float]]


def records(*rows: Row) -> np.ndarray:
    """Rows as (code, minute of the day, values by metric)."""
    made = np.zeros(len(rows), RECORD)
    made["values"] = NAN
    for place, (code, minute, values) in enumerate(rows):
        made[place]["code"], made[place]["at_us"] = code, START + int(minute * 60_000_000)
        for name, value in values.items():
            made["values"][place, INDEX[name]] = value
    return made


def told(filled: Filled, *names: str) -> list[tuple[int, float, *tuple[float | None, ...]]]:
    rows = []
    for row in filled.records:
        cells = [float(row["values"][INDEX[name]]) for name in names]
        known = [None if np.isnan(cell) else round(cell, 4) for cell in cells]
        rows.append((int(row["code"]), (int(row["at_us"]) - START) / 60_000_000, *known))
    return rows


def counted(filled: Filled, code: int, name: str) -> tuple[int, int]:
    place = filled.codes.tolist().index(code)
    return int(filled.own[place, INDEX[name]]), int(filled.filled[place, INDEX[name]])


def test_what_the_first_source_knows_counts_and_the_second_fills_in_the_rest() -> None:
    own = records((0, 0, {"cpu_avg_pct": 10}), (0, 5, {"mem_avg_pct": 50}))
    other = records((0, 0, {"cpu_avg_pct": 99, "mem_avg_pct": 40}), (0, 5, {"cpu_avg_pct": 20}), (0, 10, {"cpu_avg_pct": 30}))
    filled = fill(own, other, RANK)
    assert told(filled, "cpu_avg_pct", "mem_avg_pct") == [(0, 0, 10, 40), (0, 5, 20, 50), (0, 10, 30, None)]
    assert counted(filled, 0, "cpu_avg_pct") == (1, 2)
    assert counted(filled, 0, "mem_avg_pct") == (1, 1)


def test_a_row_that_is_off_its_slot_by_a_drifting_clock_is_the_row_of_that_slot() -> None:
    own = records((0, 0.5, {"cpu_avg_pct": 10}), (0, 5.6, {"cpu_avg_pct": 11}))
    filled = fill(own, records((0, 0, {"cpu_avg_pct": 90, "in_service": 3}), (0, 5, {"in_service": 4})), RANK)
    assert told(filled, "cpu_avg_pct", "in_service") == [(0, 0.5, 10, 3), (0, 5.6, 11, 4)]


def test_volumes_are_spread_over_the_rows_of_a_finer_feed_and_readings_are_not() -> None:
    own = records(*((0, minute, {"cpu_avg_pct": 10 + minute}) for minute in range(5)))
    other = records((0, 0, {"net_in_bytes": 1000, "mem_max_pct": 70}), (0, 5, {"net_in_bytes": 500, "mem_max_pct": 71}))
    filled = fill(own, other, RANK)
    assert told(filled, "net_in_bytes", "mem_max_pct") == [(0, minute, 200, 70) for minute in range(5)] + [(0, 5, 100, 71)]


def test_a_coarser_feed_stays_as_it_is() -> None:
    own = records(*((0, 60 * hour, {"net_in_bytes": 12_000}) for hour in range(12)))
    other = records(*((0, 5 * slot, {"net_in_bytes": 1000, "cpu_avg_pct": 5}) for slot in range(12)))
    filled = fill(own, other, RANK)
    assert told(filled, "net_in_bytes", "cpu_avg_pct") == [(0, 60 * hour, 12_000, None) for hour in range(12)]
    assert counted(filled, 0, "cpu_avg_pct") == (0, 0)


def test_a_few_rows_far_apart_are_what_is_left_of_a_finer_feed() -> None:
    own = records(*((0, 60 * hour, {"cpu_avg_pct": 50}) for hour in range(11)))
    filled = fill(own, records((0, 0, {"cpu_avg_pct": 5}), (0, 5, {"cpu_avg_pct": 6})), RANK)
    assert told(filled, "cpu_avg_pct")[:3] == [(0, 0, 50), (0, 5, 6), (0, 60, 50)]


def test_one_row_alone_says_nothing_of_its_interval_and_is_filled_up() -> None:
    filled = fill(records((0, 10, {"cpu_avg_pct": 7})), records((0, 5, {"cpu_avg_pct": 5}), (0, 10, {"cpu_avg_pct": 6})), RANK)
    assert told(filled, "cpu_avg_pct") == [(0, 5, 5), (0, 10, 7)]


def test_resources_come_in_the_order_of_their_rank_and_never_take_from_each_other() -> None:
    own = records((2, 0, {"cpu_avg_pct": 2}), (0, 0, {"cpu_avg_pct": 0}))
    other = records((2, 0, {"mem_avg_pct": 22}), (1, 0, {"mem_avg_pct": 11}))
    rank = np.array([2, 1, 0, 3])
    filled = fill(own, other, rank)
    assert told(filled, "cpu_avg_pct", "mem_avg_pct") == [(2, 0, 2, 22), (1, 0, None, 11), (0, 0, 0, None)]
    assert filled.codes.tolist() == [2, 1, 0]


def test_either_source_may_be_empty() -> None:
    rows = records((0, 0, {"cpu_avg_pct": 1}), (1, 5, {"cpu_avg_pct": 2}))
    for own, other in ((rows, records()), (records(), rows)):
        assert told(fill(own, other, RANK), "cpu_avg_pct") == [(0, 0, 1), (1, 5, 2)]
    assert told(fill(records(), records(), RANK), "cpu_avg_pct") == []


SOURCES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 11), st.integers(0, 3)), unique_by=lambda row: row[:2], max_size=40
)


@given(SOURCES, SOURCES)
def test_no_reading_of_the_first_source_is_lost_or_changed_and_no_slot_comes_twice(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]
) -> None:
    names = ("cpu_avg_pct", "net_in_bytes")

    def made(rows: list[tuple[int, int, int]], base: float) -> np.ndarray:
        return records(
            *(
                (code, 5 * slot, {name: base + slot for bit, name in enumerate(names) if which >> bit & 1})
                for code, slot, which in sorted(rows)
            )
        )

    own, other = made(first, 100), made(second, 500)
    filled = fill(own, other, RANK)
    there = {(row[0], row[1]): row[2:] for row in told(filled, *names)}
    assert len(there) == len(filled.records)
    for row in told(fill(own, records(), RANK), *names):
        cells = there[row[0], row[1]]
        assert all(mine is None or mine == cell for mine, cell in zip(row[2:], cells, strict=True))
    slots = {(int(row["code"]), int(row["at_us"]) // SLOT_US) for row in filled.records}
    assert len(slots) == len(filled.records)
    for name in names:
        known = sum(cells[names.index(name)] is not None for cells in there.values())
        assert known == int(filled.own[:, INDEX[name]].sum() + filled.filled[:, INDEX[name]].sum())
