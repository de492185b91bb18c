"""What holds for a day of samples that arrives in any order."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import Rejection
from dagster_project.lake import sample_sorter
from dagster_project.lake.sample_sorter import SampleSorter

DAY_US = 86_400_000_000
MIDNIGHT_US = 1_741_478_400_000_000

Row = tuple[str, int, tuple[float, float]]
"""Resource, microsecond of the day, and its first two metrics."""


@dataclass
class Sorted:
    frame: pl.DataFrame
    duplicates: list[Rejection]
    ids: list[str]


IDS = st.text("abz-µ𝄞", min_size=1, max_size=3)
MOMENTS = st.one_of(st.integers(0, 3), st.integers(0, DAY_US - 1), st.sampled_from([0, DAY_US - 1]))
LOADS = st.one_of(st.just(math.nan), st.sampled_from([0.0, 1.0, 2.5]), st.floats(0, 1000, width=32))


@st.composite
def days(draw: st.DrawFn) -> tuple[list[str], list[Row]]:
    """Known resources, and rows of some of them and of others; a few moments, so that keys repeat."""
    ids = draw(st.lists(IDS, min_size=1, max_size=8, unique=True))
    known = draw(st.lists(st.sampled_from(ids), unique=True))
    rows = draw(st.lists(st.tuples(st.sampled_from(ids), MOMENTS, st.tuples(LOADS, LOADS)), max_size=40))
    return sorted(known), rows


def arrange(known: list[str], rows: list[Row], buckets: int, block: int) -> Sorted:
    """Sorts ``rows`` as they arrive, in blocks; unlisted resources are numbered as they turn up.

    A file for each resource is worth it here, or a handful of them would never be spread over several.
    """
    codes = {name: code for code, name in enumerate(known)}
    unlisted: list[str] = []
    with (
        patch.object(sample_sorter, "_RESOURCES_WORTH_A_FILE", 1),
        tempfile.TemporaryDirectory() as folder,
        SampleSorter(Path(folder), known, buckets) as sorter,
    ):
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            for name, _, _ in part:
                if name not in codes:
                    codes[name] = len(codes)
                    unlisted.append(name)
            values = np.full((len(part), len(METRICS)), np.nan)
            values[:, :2] = [loads for _, _, loads in part]
            at_us = np.array([MIDNIGHT_US + moment for _, moment, _ in part], dtype=np.int64)
            sorter.add(np.array([codes[name] for name, _, _ in part], dtype=np.uint32), at_us, values)
        frames = list(sorter.frames(unlisted))
        frame = pl.concat(frames) if frames else pl.DataFrame({"resource_id": [], "sampled_at": []})
        return Sorted(frame, sorter.duplicates, known + unlisted)


@settings(max_examples=150, deadline=None)
@given(days(), st.integers(1, 9), st.integers(1, 50))
def test_samples_come_back_sorted_and_unique_and_none_is_lost(day: tuple[list[str], list[Row]], buckets: int, block: int) -> None:
    known, rows = day
    found = arrange(known, rows, buckets, block)
    keys = found.frame.select("resource_id", "sampled_at").rows()
    assert keys == sorted(set(keys))
    assert set(found.frame["resource_id"]) == {name for name, _, _ in rows}
    assert len(rows) == found.frame.height + sum(item.rows for item in found.duplicates)
    assert len(keys) == len({(name, moment) for name, moment, _ in rows})


@settings(max_examples=150, deadline=None)
@given(days(), st.randoms(use_true_random=False), st.integers(1, 9), st.integers(1, 50), st.integers(1, 50))
def test_the_order_of_arrival_leaves_no_trace(
    day: tuple[list[str], list[Row]], random: object, buckets: int, block: int, other_block: int
) -> None:
    known, rows = day
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = arrange(known, rows, buckets, block), arrange(known, shuffled, 1, other_block)
    assert one.frame.equals(other.frame)
    assert tallies(one) == tallies(other)


@settings(max_examples=100, deadline=None)
@given(days())
def test_of_rows_with_one_key_the_most_loaded_stays_and_the_others_are_counted(
    day: tuple[list[str], list[Row]],
) -> None:
    known, rows = day
    best: dict[tuple[str, int], tuple[float, float]] = {}
    repeats: dict[str, int] = {}
    for name, moment, loads in rows:
        loaded = tuple(-1.0 if math.isnan(value) else value for value in loads)
        if (name, moment) in best:
            repeats[name] = repeats.get(name, 0) + 1
        best[name, moment] = max(loaded, best.get((name, moment), (-2.0, -2.0)))
    found = arrange(known, rows, 4, 7)
    if rows:
        first_two = found.frame.select(pl.col(metric.name).fill_null(-1.0) for metric in METRICS[:2]).rows()
        assert first_two == [best[key] for key in sorted(best)]
    assert {found.ids[item.code]: item.rows for item in found.duplicates} == repeats
    assert {item.reason for item in found.duplicates} <= {"duplicate_key"}


def tallies(found: Sorted) -> list[tuple[str, int, int]]:
    return sorted((found.ids[item.code], item.rows, item.first_at_us) for item in found.duplicates)
