"""What a size must hold for a resource, dimension by dimension, and what asks for it.

Several reasons ask for capacity: the sustained demand, the peak, the longest memory of memory, a past emergency, a forecast,
a floor under machines that never showed load. The highest of them binds, and keeps its name.

Every reason grows with demand and none is ever lowered by another, so more demand never fits a smaller size. There is one
exception: a machine that begins to work leaves its idle pool, and with it the floor, because now it shows what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, IOPS, MEMORY
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes

SUSTAINED, PEAK, EVER, REPLAY, FORECAST, IDLE_FLOOR = range(6)
ASKING = ("sustained demand", "peak", "highest memory on record", "incident replay", "forecast", "floor for idle machines")
"""What can ask for capacity, in the order of the numbers above; of equal demands the first one binds."""


@dataclass(frozen=True)
class Requirements:
    """Capacity asked for. ``asked`` (reasons, n, 5) holds NaN where a reason says nothing; a dimension that is not judged
    asks for nothing; a demand that is not known asks for infinitely much. ``single_vcpu_peak`` (n,) is the CPU peak as a
    size with one vCPU must hold it."""

    asked: NDArray[np.float64]
    single_vcpu_peak: NDArray[np.float64]

    @property
    def need(self) -> NDArray[np.float64]:
        """The highest capacity asked for, (n, 5)."""
        return np.nanmax(np.where(np.isnan(self.asked), -np.inf, self.asked), axis=0)

    @property
    def binding(self) -> NDArray[np.int64]:
        """The number of the reason that asks for most, (n, 5)."""
        return np.where(np.isnan(self.asked), -np.inf, self.asked).argmax(axis=0)


def requirements(evidence: Evidence, shapes: Shapes, rules: Rules) -> Requirements:
    """What each resource asks for.

    Rules (measured in docs/rightsizing.md):
        CPU: P99.5 within ``max_cpu_p995_pct``, the peak within ``max_cpu_peak_pct``. Memory: the peak within
        ``max_memory_peak_pct``, and the highest value that is remembered at all within 100 %, because one sample above
        memory can be a killed process. Network and disk: the peak within the baseline. Past emergencies and the forecast:
        within 100 %. A pool of idle machines keeps ``idle_floor_pct`` of everything. Of a service that has learned to keep
        headroom, all demand counts for more; a floor is no demand.
    """
    size = len(evidence)
    asked = np.full((len(ASKING), size, len(DIMENSIONS)), np.nan)
    spread = evidence.spread[:, None]
    asked[SUSTAINED, :, CPU] = _or_infinite(evidence.cpu_p995 * evidence.spread) / (rules.max_cpu_p995_pct / 100)
    asked[PEAK] = _or_infinite(evidence.peak * spread)
    asked[PEAK, :, CPU] /= rules.max_cpu_peak_pct / 100
    asked[PEAK, :, MEMORY] /= rules.max_memory_peak_pct / 100
    asked[EVER, :, MEMORY] = evidence.memory_ever * evidence.spread
    asked[REPLAY] = evidence.replay
    asked[FORECAST] = evidence.forecast * spread
    asked *= evidence.factor[:, None]
    asked[IDLE_FLOOR] = _idle_floor(evidence, shapes, rules)
    highest = np.fmax(_or_infinite(evidence.peak[:, CPU]) * evidence.spread, evidence.replay[:, CPU])
    single = highest / (rules.max_single_vcpu_peak_pct / 100) * evidence.factor
    for dimension in range(len(DIMENSIONS)):
        unknown = evidence.is_judged[:, dimension] & ~(evidence.covered_pct[:, dimension] >= rules.min_recent_coverage_pct)
        asked[PEAK, unknown, dimension] = np.inf
        silent = ~evidence.is_judged[:, dimension]
        # What the feed never records can neither be required nor be judged; memory is never shrunk unseen.
        if dimension == MEMORY:
            asked[PEAK, silent, dimension] = np.inf
        else:
            asked[:, silent, dimension] = np.nan
    asked[SUSTAINED, :, MEMORY : IOPS + 1] = np.nan
    return Requirements(asked, single)


def idle_pools(evidence: Evidence, shapes: Shapes, rules: Rules) -> NDArray[np.int64]:
    """How many idle machines of one kind each idle machine is one of; 0 for those that are in no pool.

    Identical machines that all idle are capacity held in reserve (a batch farm, a standby site): they go into use together,
    and their idleness says nothing of that day. Two signs: some members of one service under ``idle_peak_pct``, or, whatever
    the service, a few of one size under ``never_used_peak_pct``. A machine of unknown load counts as idle.
    """
    known = evidence.present >= 0
    share = np.full(len(evidence), np.inf)
    share[known] = 100 * evidence.peak[known, CPU] / shapes.capacity[evidence.present[known], CPU]
    share = np.where(np.isnan(share), 0.0, share)
    members = np.zeros(len(evidence), dtype=np.int64)
    signs = (
        (rules.idle_peak_pct, rules.idle_pool_members, evidence.pool),
        (rules.never_used_peak_pct, rules.never_used_pool_members, np.zeros(len(evidence), dtype=np.int64)),
    )
    for limit, enough, pool in signs:
        idle = np.flatnonzero(known & (share < limit) & (pool >= 0))
        if not idle.size:
            continue
        keys = np.stack([pool[idle], evidence.present[idle]], axis=1)
        _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        together = count[group.reshape(-1)]
        members[idle] = np.maximum(members[idle], np.where(together >= enough, together, 0))
    return members


def _idle_floor(evidence: Evidence, shapes: Shapes, rules: Rules) -> NDArray[np.float64]:
    floor = np.full((len(evidence), len(DIMENSIONS)), np.nan)
    pooled = idle_pools(evidence, shapes, rules) > 0
    floor[pooled] = shapes.capacity[evidence.present[pooled]] * (rules.idle_floor_pct / 100)
    floor[pooled, CPU] = np.maximum(floor[pooled, CPU], rules.idle_floor_vcpu)
    return floor


def _or_infinite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.inf, values)
