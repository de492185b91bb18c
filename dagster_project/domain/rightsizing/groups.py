"""Fewer members for a group whose type must stay: how low its minimum may go.

The minimum is never lower than the number of zones, than a scheduled minimum, than what was in service during any incident,
or than what the busiest moment would have needed with every member as busy as the busiest one was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, MEMORY
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict

PROPOSE_MINIMUM = "propose_lower_minimum"
_ROUNDING = 1e-9
_MAY_STILL = (
    "keep_busy_cpu",
    "keep_busy_memory",
    "keep_busy_network",
    "keep_busy_ebs",
    "keep_no_cheaper_fit",
    "keep_savings_too_small",
)


@dataclass(frozen=True)
class Minimum:
    """The lowest number of members that is safe, and what asks for it."""

    members: int
    asked_by: str


def lowest_minimum(evidence: Evidence, i: int, shapes: Shapes, rules: Rules) -> Minimum | None:
    """The safe minimum of group ``i``; None where something that decides it is not known."""
    peak, present = evidence.in_service_peak[i], int(evidence.present[i])
    decisive = (peak, evidence.minimum_size[i], evidence.zones[i], evidence.units[i])
    if present < 0 or np.isnan(decisive).any() or _is_saturated(evidence, i, shapes, rules):
        return None
    asked = []
    factor = evidence.factor[i]
    for dimension, limit_pct in enumerate((rules.max_cpu_p995_pct, rules.max_memory_peak_pct, 100.0, 100.0, 100.0)):
        if not evidence.is_judged[i, dimension] and dimension not in (CPU, MEMORY):
            continue
        # What those that go carried is carried by those that stay.
        demand = float(np.fmax(evidence.peak[i, dimension], evidence.forecast[i, dimension]) * factor)
        capacity = float(shapes.capacity[present, dimension])
        is_seen = evidence.is_judged[i, dimension] and evidence.covered_pct[i, dimension] >= rules.min_recent_coverage_pct
        if not is_seen or np.isnan(demand) or np.isnan(capacity):
            return None
        members = math.ceil(float(peak) * demand / (capacity * limit_pct / 100) - _ROUNDING)
        survived = float(evidence.replay[i, dimension] * factor)
        if not np.isnan(survived):
            # Replayed demand is that of each of the present units.
            lived = math.ceil(float(evidence.units[i]) * survived / capacity - _ROUNDING)
            asked.append((lived, f"{evidence.replay_event[i][dimension]}"))
        label = DIMENSIONS[dimension].label
        asked.append((members, f"{label if dimension == CPU else label.lower()} at the busiest moment"))
    asked += [
        (_whole(evidence.zones[i], 1), "one member in each zone"),
        (_whole(evidence.scheduled_minimum[i], 0), "a scheduled minimum"),
        (_whole(evidence.incident_in_service[i], 0), "members in service during an incident"),
        (1, "a group has a member"),
    ]
    members, by = max(asked, key=lambda pair: pair[0])
    return Minimum(members, by)


def _is_saturated(evidence: Evidence, i: int, shapes: Shapes, rules: Rules) -> bool:
    """Whether the busiest member shows what it got, not what it needed."""
    return bool(evidence.peak[i, CPU] >= shapes.capacity[evidence.present[i], CPU] * rules.saturated_cpu_pct / 100)


def with_lower_minimum(verdict: Verdict, evidence: Evidence, i: int, shapes: Shapes, rules: Rules) -> tuple[Verdict, int | None]:
    """The verdict of a group, and its new minimum where a lower one is proposed instead of a smaller type.

    Only a group that ran at its minimum saves anything: the saving is that of the members that its minimum alone kept.
    """
    if evidence.kind[i] != "autoscaling_group" or verdict.code not in _MAY_STILL:
        return verdict, None
    lowest = lowest_minimum(evidence, i, shapes, rules)
    if lowest is None or lowest.members >= evidence.minimum_size[i] or evidence.in_service_peak[i] > evidence.minimum_size[i]:
        return verdict, None
    price = verdict.current_usd_month / evidence.units[i]
    fewer = int(evidence.minimum_size[i]) - lowest.members
    savings = price * min(fewer, float(evidence.units[i]) - lowest.members)
    if not savings >= max(rules.min_savings_usd_month, 0.01):
        return verdict, None
    proposed = replace(
        verdict,
        code=PROPOSE_MINIMUM,
        value=float(lowest.members),
        limit=float(evidence.minimum_size[i]),
        text=lowest.asked_by,
        candidate=None,
        target=None,
        candidate_usd_month=verdict.current_usd_month - savings,
        savings_usd_month=savings,
        expected_usd_month=savings - rules.restart_cost_usd / 12,
    )
    return proposed, lowest.members


def _whole(value: float, otherwise: int) -> int:
    return otherwise if np.isnan(value) else math.ceil(value)
