"""The windows of a backtest: for each resource and moment what a rule saw, what followed, and what foresight would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.backtest.score import Windows, cheapest_holding, oracle_need
from dagster_project.domain.backtest.series import DAY, WEEK, Series
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, MEMORY
from dagster_project.domain.rightsizing.shapes import Shapes


@dataclass(frozen=True)
class Machine:
    """A resource as the inventory lists it. ``present`` is its size's number, ``group`` its service."""

    resource_id: str
    source: str
    group: str
    present: int
    is_memory_known: bool


def weekly_moments(series: Series) -> list[int]:
    """Every week from the first day with seven days of history of which some of the following week was recorded: one clock
    that is years ahead is no reason to decide in all the weeks between."""
    if not len(series.seen_at):
        return []
    first = -(-int(series.seen_at[0]) // DAY) * DAY + WEEK
    moments = np.arange(first, int(series.seen_at[-1]) + 1, WEEK)
    begun, over = (np.searchsorted(series.seen_at, moments + seconds, side="left") for seconds in (0, WEEK))
    return [int(moment) for moment in moments[over > begun]]


def judged_windows(
    machines: Sequence[Machine], series: Sequence[Series], moments: Sequence[int], shapes: Shapes, target: str
) -> Windows:
    """What is needed for judging; entry i is ``machines[i]`` at ``moments[i]``."""
    present = np.array([machine.present for machine in machines], dtype=np.int64)
    futures = [one.after(moment) for one, moment in zip(series, moments, strict=True)]
    cache: dict[int, NDArray[np.int64]] = {}

    def candidates(size: int) -> NDArray[np.int64]:
        if size not in cache:
            cache[size] = shapes.candidates(size, target)
        return cache[size]

    oracle = np.array(
        [
            cheapest_holding(oracle_need(future, machine.is_memory_known), size, candidates(size), shapes)
            for future, machine, size in zip(futures, machines, present, strict=True)
        ],
        dtype=np.int64,
    )
    as_large = np.full(len(DIMENSIONS), -np.inf)
    as_large[[CPU, MEMORY]] = np.inf
    lateral = np.array([cheapest_holding(as_large, size, candidates(size), shapes) for size in present], dtype=np.int64)
    return Windows(
        resource_id=[machine.resource_id for machine in machines],
        source=[machine.source for machine in machines],
        group=[machine.group for machine in machines],
        moment=np.array(moments, dtype=np.int64),
        present=present,
        is_memory_known=np.array([machine.is_memory_known for machine in machines], dtype=bool),
        futures=futures,
        oracle=oracle,
        lateral=lateral,
    )
