"""What the days after a decision showed: saved, starved, touched, captured, flips.

Definitions:
    A *downsize* names a cheaper size. A sample *exceeds* a target on a dimension only where the target is smaller than the
    present size. A downsize *starved* when at least 1 % of the following week's samples exceed it on some dimension, was
    *touched* when one does, and *memory touched* when one exceeds its memory (one is enough for a killed process).
    *Saved* is (price now − price then) × 168 h × the share of the week that the machine was on. The *oracle* is the
    cheapest allowed size that holds the following week itself. *Captured* is what downsizes saved that did not starve and
    did not shrink memory that nobody measured, at most the oracle's saving in each window, less what a mere swap to an
    equally large cheaper size gives, as a share of the oracle's (less the same): a rule cannot gain by starving.
    *Group-weeks* count a service once a week however many of its machines starve. *Flips* are decisions for one resource,
    a week apart, that name another target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.backtest.series import WEEK, Future
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.shapes import Shapes

HOURS_PER_WEEK = 168
STARVED_SHARE = 0.01
_ORACLE_CPU_P995, _ORACLE_MEMORY = 0.80, 0.90
_HOT = 0.80
# Samples are 32-bit numbers: what is exactly at a limit must not lie above it.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Windows:
    """The windows that a rule is judged on, in order of resource and time: columns, one entry per window.

    ``present`` numbers the present size, ``is_memory_known`` says whether anybody measured memory, ``oracle`` is the
    size that perfect foresight would have chosen and ``lateral`` the cheapest of the present capacity (present where none).
    """

    resource_id: Sequence[str]
    source: Sequence[str]
    group: Sequence[str]
    moment: NDArray[np.int64]
    present: NDArray[np.int64]
    is_memory_known: NDArray[np.bool_]
    futures: Sequence[Future]
    oracle: NDArray[np.int64]
    lateral: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.resource_id)


@dataclass(frozen=True)
class Marks:
    """What became of each window under one rule: booleans and money (USD of that week), one entry per window."""

    is_down: NDArray[np.bool_]
    is_up: NDArray[np.bool_]
    is_blind: NDArray[np.bool_]
    is_starved: NDArray[np.bool_]
    is_touched: NDArray[np.bool_]
    is_memory_touched: NDArray[np.bool_]
    is_hot: NDArray[np.bool_]
    exceeding_minutes: NDArray[np.float64]
    saved: NDArray[np.float64]
    credited: NDArray[np.float64]
    possible: NDArray[np.float64]
    cost: NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One rule on some windows. Shares are percent; None where nothing was there to have a share of."""

    windows: int
    down: int
    up: int
    blind: int
    saved_usd: float
    saved_pct_of_cost: float | None
    captured_pct: float | None
    starved: int
    starved_pct: float | None
    group_weeks: int
    group_weeks_starved_pct: float | None
    touched_pct: float | None
    memory_touched_pct: float | None
    hot_pct: float | None
    exceeding_minutes_per_1000_days: float | None
    flips_pct: float | None


def oracle_need(future: Future, is_memory_known: bool) -> NDArray[np.float64]:
    """What the week needed, (5,): CPU P99.5 within 80 %, all else within 100 %, memory within 90 %."""
    need = np.full(len(DIMENSIONS), -np.inf)
    demand = future.demand
    if not len(demand):
        return np.full(len(DIMENSIONS), np.inf)
    for dimension in (NETWORK, DISK, IOPS):
        need[dimension] = _highest(demand[:, dimension])
    cpu = demand[:, CPU][~np.isnan(demand[:, CPU])]
    need[CPU] = max(np.percentile(cpu, 99.5) / _ORACLE_CPU_P995, cpu.max()) if cpu.size else np.inf
    memory = _highest(demand[:, MEMORY])
    need[MEMORY] = memory / _ORACLE_MEMORY if is_memory_known and memory > -np.inf else np.inf
    return need


def _highest(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else -np.inf


def cheapest_holding(need: NDArray[np.float64], present: int, candidates: NDArray[np.int64], shapes: Shapes) -> int:
    """The first of ``candidates`` (cheapest first) that has the capacity, or no less than now; else ``present``."""
    capacity = shapes.capacity[candidates]
    holds = ((need <= capacity) | (capacity >= shapes.capacity[present]) | (need == -np.inf)).all(axis=1)
    found = np.flatnonzero(holds)
    return int(candidates[found[0]]) if found.size else present


def mark(windows: Windows, chosen: NDArray[np.int64], shapes: Shapes) -> Marks:
    """Judges the sizes that a rule chose (the present one = keep)."""
    size = len(windows)
    now, then = shapes.capacity[windows.present], shapes.capacity[chosen]
    # An unknown limit judges nothing: no demand can be held against it.
    is_smaller = then < now
    price = np.nan_to_num(shapes.usd_per_hour)
    is_down = price[chosen] < price[windows.present]
    flags = {name: np.zeros(size, dtype=bool) for name in ("starved", "touched", "memory", "hot")}
    minutes = np.zeros(size)
    for i in np.flatnonzero(is_down):
        demand = windows.futures[i].demand
        if not len(demand):
            continue
        exceeds = (demand > then[i]) & is_smaller[i]
        some = exceeds.any(axis=1)
        flags["starved"][i] = some.mean() >= STARVED_SHARE
        flags["touched"][i] = some.any()
        flags["memory"][i] = exceeds[:, MEMORY].any()
        hot = (demand > _HOT * (1 + _ROUNDING) * then[i]) & is_smaller[i]
        flags["hot"][i] = hot.any(axis=1).mean() >= STARVED_SHARE
        minutes[i] = some.sum() * windows.futures[i].interval_seconds / 60
    hours = HOURS_PER_WEEK * np.array([future.share_on for future in windows.futures])
    saved = (price[windows.present] - price[chosen]) * hours
    possible = (price[windows.present] - price[windows.oracle]) * hours
    lateral = (price[windows.present] - price[windows.lateral]) * hours
    is_blind = is_down & ~windows.is_memory_known & is_smaller[:, MEMORY]
    counts = is_down & ~flags["starved"] & ~is_blind
    credited = np.where(counts, np.minimum(saved, possible), 0.0)
    credited -= np.where(counts, np.minimum(lateral, credited), 0.0)
    return Marks(
        is_down=is_down,
        is_up=(price[chosen] > price[windows.present]) & (chosen != windows.present),
        is_blind=is_blind,
        is_starved=flags["starved"],
        is_touched=flags["touched"],
        is_memory_touched=flags["memory"],
        is_hot=flags["hot"],
        exceeding_minutes=minutes,
        saved=np.where(is_down & ~is_blind, saved, 0.0),
        credited=credited,
        # A swap may be cheaper than the oracle, which also looks at network and disk: nothing is possible then, not less.
        possible=possible - np.minimum(lateral, possible),
        cost=price[windows.present] * hours,
    )


def score(windows: Windows, chosen: NDArray[np.int64], marks: Marks, rows: NDArray[np.int64] | None = None) -> Score:
    """Adds up the marks of ``rows`` (default: all; a row may be there more than once, as when resampling)."""
    rows = np.arange(len(windows)) if rows is None else rows
    down = marks.is_down[rows]
    downs = int(down.sum())

    def share(flag: NDArray[np.bool_]) -> float | None:
        return 100 * float((flag[rows] & down).sum()) / downs if downs else None

    weeks = _group_weeks(windows, marks, rows)
    possible, cost = float(marks.possible[rows].sum()), float(marks.cost[rows].sum())
    return Score(
        windows=len(rows),
        down=downs,
        up=int(marks.is_up[rows].sum()),
        blind=int(marks.is_blind[rows].sum()),
        saved_usd=float(marks.saved[rows].sum()),
        saved_pct_of_cost=100 * float(marks.saved[rows].sum()) / cost if cost else None,
        captured_pct=100 * float(marks.credited[rows].sum()) / possible if possible > 0 else None,
        starved=int(marks.is_starved[rows].sum()),
        starved_pct=share(marks.is_starved),
        group_weeks=len(weeks),
        group_weeks_starved_pct=100 * sum(weeks.values()) / len(weeks) if weeks else None,
        touched_pct=share(marks.is_touched),
        memory_touched_pct=share(marks.is_memory_touched),
        hot_pct=share(marks.is_hot),
        exceeding_minutes_per_1000_days=float(marks.exceeding_minutes[rows].sum()) / (downs * 7) * 1000 if downs else None,
        flips_pct=_flips(windows, chosen, rows),
    )


def _group_weeks(windows: Windows, marks: Marks, rows: NDArray[np.int64]) -> dict[tuple[str, int], bool]:
    """Services in weeks with a downsize, and whether one of its machines starved."""
    weeks: dict[tuple[str, int], bool] = {}
    for i in rows[marks.is_down[rows]]:
        key = (windows.group[i], int(windows.moment[i]))
        weeks[key] = weeks.get(key, False) or bool(marks.is_starved[i])
    return weeks


def _flips(windows: Windows, chosen: NDArray[np.int64], rows: NDArray[np.int64]) -> float | None:
    last: dict[str, tuple[int, int]] = {}
    pairs = flips = 0
    for i in sorted(set(rows.tolist()), key=lambda row: (windows.resource_id[row], windows.moment[row])):
        before = last.get(windows.resource_id[i])
        if before is not None and windows.moment[i] - before[0] == WEEK:
            pairs += 1
            flips += before[1] != chosen[i]
        last[windows.resource_id[i]] = (int(windows.moment[i]), int(chosen[i]))
    return 100 * flips / pairs if pairs else None
