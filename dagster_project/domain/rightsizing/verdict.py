"""The verdict of every resource: propose, keep, refuse or insufficient evidence, with the number that decided.

First the gates, then the fit; ``domain.rightsizing.portfolio`` looks at a night's proposals together afterwards. A group
whose type must stay may still run fewer members: ``domain.rightsizing.groups``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing import fit as search
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, IOPS, MEMORY
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.fit import HOURS_PER_MONTH
from dagster_project.domain.rightsizing.gates import Gate, gates, lacks_memory_readings
from dagster_project.domain.rightsizing.requirements import (
    ASKING,
    FORECAST,
    IDLE_FLOOR,
    PEAK,
    REPLAY,
    SUSTAINED,
    idle_pools,
    requirements,
)
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes

PROPOSE = "propose_smaller_size"

_ROUNDING = 1e-9
"""Demand that is exactly what a size has is no more than it has, whatever the last digit of the percentage says."""


@dataclass(frozen=True)
class Verdict:
    """What was decided for one resource.

    ``candidate`` is the size that the search ended at, whether or not it is proposed; ``target`` the one that is proposed.
    Money is USD a month at list price, NaN where it is not known. ``demand`` are the capacities asked for (units of
    ``DIMENSIONS``; infinite = unknown, -inf = not judged) and ``asked_by`` what asks for each.
    """

    resource_id: str
    code: str
    value: float | None
    limit: float | None
    text: str | None
    candidate: str | None
    target: str | None
    current_usd_month: float
    candidate_usd_month: float
    savings_usd_month: float
    expected_usd_month: float
    exceedance: float
    demand: tuple[float, ...]
    asked_by: tuple[str, ...]
    closest_event: str | None
    closest_event_pct: float
    idle_pool: int

    @property
    def verdict(self) -> str:
        return self.code.partition("_")[0]


def decide(evidence: Evidence, shapes: Shapes, rules: Rules) -> list[Verdict]:
    """A verdict for every row of ``evidence``, in its order. Pure: the same columns give the same verdicts in any order."""
    required = requirements(evidence, shapes, rules)
    found = search.find(evidence, required, shapes, rules)
    all_gates = list(gates(evidence, shapes, rules))
    first = _first_hit(all_gates, len(evidence))
    need, binding = required.need, required.binding
    pools = idle_pools(evidence, shapes, rules)
    money = _money(evidence, shapes, found, rules)
    no_memory = lacks_memory_readings(evidence, rules)
    verdicts = []
    for i in range(len(evidence)):
        if first[i] >= 0:
            reason = _of_gate(all_gates[first[i]], i)
        else:
            reason = _of_fit(i, evidence, shapes, rules, found, need, binding, pools, money, bool(no_memory[i]))
        code, value, limit, text = reason
        size = int(found.size[i])
        proposed = code == PROPOSE
        event, share = _closest_event(evidence, shapes, size, i)
        verdicts.append(
            Verdict(
                resource_id=evidence.resource_id[i],
                code=code,
                value=value,
                limit=limit,
                text=text,
                candidate=shapes.names[size] if size >= 0 else None,
                target=shapes.names[size] if proposed else None,
                current_usd_month=float(money.current[i]),
                candidate_usd_month=float(money.candidate[i]),
                savings_usd_month=float(money.current[i] - money.candidate[i]) if proposed else 0.0,
                expected_usd_month=float(money.expected[i]) if proposed else 0.0,
                exceedance=float(money.chance[i]),
                demand=tuple(float(x) for x in need[i]),
                asked_by=tuple(ASKING[reason] for reason in binding[i]),
                closest_event=event,
                closest_event_pct=share,
                idle_pool=int(pools[i]),
            )
        )
    return verdicts


_SHORT_OF = {
    search.ATTACHMENTS: "{size} takes fewer network interfaces or volumes than are attached.",
    search.MARGIN: "{size} would hold it, but not by the margin that a change of mind needs.",
}

Reason = tuple[str, float | None, float | None, str | None]


def _first_hit(all_gates: list[Gate], size: int) -> NDArray[np.int64]:
    first = np.full(size, -1, dtype=np.int64)
    for number, gate in enumerate(all_gates):
        first[(first < 0) & gate.is_hit] = number
    return first


def _of_gate(gate: Gate, i: int) -> Reason:
    value = float(gate.value[i]) if gate.value is not None else None
    return gate.code, value, gate.limit, gate.text(i) if gate.text else None


@dataclass(frozen=True)
class _Money:
    current: NDArray[np.float64]
    candidate: NDArray[np.float64]
    expected: NDArray[np.float64]
    chance: NDArray[np.float64]


def _money(evidence: Evidence, shapes: Shapes, found: search.Fit, rules: Rules) -> _Money:
    nothing = np.full(len(evidence), np.nan)
    money = _Money(nothing.copy(), nothing.copy(), nothing.copy(), nothing.copy())
    if not len(shapes):
        return money
    hours = np.where(np.isnan(evidence.units), np.nan, evidence.units) * HOURS_PER_MONTH
    known = np.flatnonzero(evidence.present >= 0)
    money.current[known] = shapes.usd_per_hour[evidence.present[known]] * hours[known]
    some = np.flatnonzero(found.size >= 0)
    money.candidate[some] = shapes.usd_per_hour[found.size[some]] * hours[some]
    money.expected[some] = search.expected_value(shapes, evidence, rules, some, found.size[some])
    money.chance[some] = search.chance_of_exceeding(shapes, evidence, some, found.size[some])
    return money


def _of_fit(
    i: int,
    evidence: Evidence,
    shapes: Shapes,
    rules: Rules,
    found: search.Fit,
    need: NDArray[np.float64],
    binding: NDArray[np.int64],
    pools: NDArray[np.int64],
    money: _Money,
    lacks_memory: bool,
) -> Reason:
    outcome, size = found.outcome[i], int(found.size[i])
    name = evidence.present_name[i] or shapes.names[evidence.present[i]]
    if outcome == search.NO_CANDIDATE:
        return "keep_no_cheaper_fit", None, None, f"No smaller size than {name} is on offer for less."
    if outcome == search.BLOCKED:
        return _blocked(i, evidence, shapes, rules, found, need, binding, pools, lacks_memory)
    savings = float(money.current[i] - money.candidate[i])
    if outcome == search.NOT_WORTH_IT:
        risk = float(savings - money.expected[i])
        text = f"{shapes.names[size]} would save ${savings:.2f} a month, and what may go wrong costs ${risk:.2f} on average."
        return "keep_not_enough_gain_vs_risk", savings, risk, text
    if savings < max(rules.min_savings_usd_month, 0.01):
        return "keep_savings_too_small", savings, rules.min_savings_usd_month, None
    event, lived = _closest_event(evidence, shapes, size, i)
    if lived > 100 * (1 + _ROUNDING):
        # It has no less than now, and now is too little already.
        return "refuse_incident_replay", lived, 100.0, f"{event} of {shapes.names[size]}"
    utilization = 100 * evidence.cpu_p995[i] * evidence.spread[i] / shapes.capacity[size, CPU]
    return PROPOSE, float(utilization), rules.max_cpu_p995_pct / float(evidence.factor[i]), shapes.names[size]


def _blocked(
    i: int,
    evidence: Evidence,
    shapes: Shapes,
    rules: Rules,
    found: search.Fit,
    need: NDArray[np.float64],
    binding: NDArray[np.int64],
    pools: NDArray[np.int64],
    lacks_memory: bool,
) -> Reason:
    """Why the size that came closest does not do."""
    size, dimension = int(found.size[i]), int(found.blocked_by[i])
    name = shapes.names[size]
    if dimension < 0:
        if found.short_of[i] == search.CREDITS:
            sustained = 100 * float(evidence.cpu_p995[i] * evidence.spread[i]) / float(shapes.capacity[size, CPU])
            kept = f", with {evidence.headroom_pct[i]:g} % headroom kept" if evidence.headroom_pct[i] else ""
            text = f"P99.5 would be {sustained:.0f} % of {name} and use up its CPU credits{kept}"
            return "keep_busy_cpu", sustained, float(shapes.burst_baseline_pct[size]), text
        return "keep_no_cheaper_fit", None, None, _SHORT_OF[int(found.short_of[i])].format(size=name)
    capacity = float(shapes.capacity[size, dimension])
    asked = float(need[i, dimension])
    reason = int(binding[i, dimension])
    if np.isnan(capacity):
        return (
            "insufficient_catalog",
            None,
            None,
            f"The catalog does not say how much {DIMENSIONS[dimension].label.lower()} {name} sustains.",
        )
    if asked == np.inf:
        covered = 0.0 if np.isnan(evidence.peak[i, dimension]) else float(np.nan_to_num(evidence.covered_pct[i, dimension]))
        if dimension == MEMORY and lacks_memory:
            covered = covered if evidence.is_judged[i, MEMORY] else 0.0
            return "insufficient_memory_data", covered, rules.min_recent_coverage_pct, name
        text = f"the last seven days' {DIMENSIONS[dimension].label.lower()}"
        return "insufficient_coverage", covered, rules.min_recent_coverage_pct, text
    spread = float(evidence.spread[i])
    peak, replay = float(evidence.peak[i, dimension]) * spread, float(evidence.replay[i, dimension])
    limit = 100.0
    if dimension == CPU and asked <= capacity:
        # Everything fits, but not beside what a size with one vCPU keeps for itself.
        limit = rules.max_single_vcpu_peak_pct
        reason = REPLAY if replay > peak else PEAK
    if reason == REPLAY:
        limit, kept = _limit(100 * replay / capacity, limit, evidence, i)
        text = f"{evidence.replay_event[i][dimension]}: {DIMENSIONS[dimension].label} of {name}{kept}"
        return "refuse_incident_replay", 100 * replay / capacity, limit, text
    if reason == FORECAST:
        share = 100 * float(evidence.forecast[i, dimension]) * spread / capacity
        limit, kept = _limit(share, limit, evidence, i)
        return "keep_forecast_growth", share, limit, f"{DIMENSIONS[dimension].label} of {name}{kept}"
    if reason == IDLE_FLOOR:
        text = (
            f"It is one of {pools[i]} machines of this size that all idle, as a reserve does; such machines keep "
            f"{rules.idle_floor_pct:.0f} % of their size and {rules.idle_floor_vcpu:g} vCPU, and {name} has less."
        )
        return "keep_not_enough_gain_vs_risk", float(pools[i]), rules.idle_floor_pct, text
    return _busy(i, dimension, reason, evidence, rules, capacity, name)


def _busy(i: int, dimension: int, reason: int, evidence: Evidence, rules: Rules, capacity: float, name: str) -> Reason:
    code = DIMENSIONS[dimension].busy_code
    spread, factor = float(evidence.spread[i]), float(evidence.factor[i])
    peak = float(evidence.peak[i, dimension]) * spread
    if dimension == CPU:
        sustained, share = 100 * float(evidence.cpu_p995[i]) * spread / capacity, 100 * peak / capacity
        if reason == SUSTAINED and sustained * factor > rules.max_cpu_p995_pct:
            limit, kept = _limit(sustained, rules.max_cpu_p995_pct, evidence, i)
            return code, sustained, limit, f"P99.5 would be {sustained:.0f} % of {name}{kept}"
        limit = rules.max_cpu_peak_pct if share * factor > rules.max_cpu_peak_pct else rules.max_single_vcpu_peak_pct
        limit, kept = _limit(share, limit, evidence, i)
        return code, share, limit, f"peak would be {share:.0f} % of {name}{kept}"
    if dimension == MEMORY:
        share = 100 * peak / capacity
        if share * factor > rules.max_memory_peak_pct:
            limit, kept = _limit(share, rules.max_memory_peak_pct, evidence, i)
            return code, share, limit, f"{name}{kept}"
        share = 100 * float(evidence.memory_ever[i]) * spread / capacity
        limit, kept = _limit(share, 100.0, evidence, i)
        return code, share, limit, f"{name} (highest on record){kept}"
    limit, kept = _limit(peak, capacity, evidence, i)
    unit = DIMENSIONS[dimension].unit
    return code, peak, limit, f"{unit if dimension in (IOPS,) or code == 'keep_busy_ebs' else name}{kept}"


def _limit(value: float, limit: float, evidence: Evidence, i: int) -> tuple[float, str]:
    """The limit that decided, and words where it is the headroom of the service that lowers it: demand that is too much without
    any needs no headroom to be told of."""
    if value > limit or not evidence.headroom_pct[i]:
        return limit, ""
    return limit / float(evidence.factor[i]), f" with {evidence.headroom_pct[i]:g} % headroom kept"


def _closest_event(evidence: Evidence, shapes: Shapes, size: int, i: int) -> tuple[str | None, float]:
    """The past emergency or incident that comes closest to a limit of the candidate, and its share of that limit (percent)."""
    if size < 0:
        return None, float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(evidence.is_judged[i], 100 * evidence.replay[i] / shapes.capacity[size], np.nan)
    if np.isnan(share).all():
        return None, float("nan")
    dimension = int(np.nanargmax(share))
    return f"{evidence.replay_event[i][dimension]}, {DIMENSIONS[dimension].label}", float(share[dimension])


def with_reason(verdict: Verdict, code: str, value: float | None, limit: float | None, text: str | None) -> Verdict:
    """The same verdict, decided by something that was looked at later; a proposal becomes none."""
    return replace(
        verdict, code=code, value=value, limit=limit, text=text, target=None, savings_usd_month=0.0, expected_usd_month=0.0
    )
