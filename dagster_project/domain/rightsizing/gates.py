"""What forbids a smaller size whatever the demand: refusals and missing evidence, in the order in which a reader wants to
hear of them. A comparison with an unknown would let a gate pass, so every gate on a number says what happens without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing.dimensions import CPU, MEMORY
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes

SIZED = ("ec2_instance", "autoscaling_group", "rds_instance")
"""Kinds of resources that are sized."""


@dataclass(frozen=True)
class Gate:
    """One reason not to propose: where it holds, and the number and text that say why."""

    code: str
    is_hit: NDArray[np.bool_]
    value: NDArray[np.float64] | None = None
    limit: float | None = None
    text: Callable[[int], str | None] | None = None


def gates(evidence: Evidence, shapes: Shapes, rules: Rules) -> Iterator[Gate]:
    """All gates in their order."""
    yield from _standing(evidence, rules)
    yield from _catalog(evidence, shapes)
    yield from _measured(evidence, rules)
    yield from _priced(evidence, shapes)
    yield from _censored(evidence, shapes, rules)


def _standing(evidence: Evidence, rules: Rules) -> Iterator[Gate]:
    """What people and the decision engine said."""
    kind, name = evidence.kind, evidence.present_name
    yield Gate("refuse_kill_switch", _is_said(evidence.kill_switch), text=lambda i: evidence.kill_switch[i])
    yield Gate("refuse_excluded_by_tag", _is_said(evidence.excluding_tag), text=lambda i: evidence.excluding_tag[i])
    yield Gate(
        "insufficient_catalog",
        np.array([kind[i] not in SIZED for i in range(len(evidence))], dtype=bool),
        text=lambda i: f"Resources of type {kind[i]} are not sized yet.",
    )
    yield Gate("insufficient_inventory", _is_said(evidence.unread_since), text=lambda i: evidence.unread_since[i])
    yield Gate("refuse_rejected", _is_said(evidence.rejected), text=lambda i: evidence.rejected[i])
    yield Gate("refuse_snoozed", _is_said(evidence.snoozed), text=lambda i: evidence.snoozed[i])
    is_spot = np.array([(word or "").lower() == "spot" for word in evidence.lifecycle], dtype=bool)
    yield Gate("refuse_spot", is_spot, text=lambda i: evidence.lifecycle[i])
    yield Gate("refuse_managed_by_orchestrator", _is_said(evidence.managed_by), text=lambda i: evidence.managed_by[i])
    is_instance = np.array([word == "ec2_instance" for word in kind], dtype=bool)
    yield Gate("refuse_group_member", is_instance & _is_said(evidence.group_name), text=lambda i: evidence.group_name[i])
    yield Gate("refuse_open_incident", _is_said(evidence.open_incident), text=lambda i: evidence.open_incident[i])
    yield Gate(
        "refuse_recent_emergency_scaleup",
        ~(evidence.emergencies <= 0),
        evidence.emergencies,
        rules.emergency_veto_days,
        lambda i: evidence.last_emergency[i],
    )
    yield Gate(
        "refuse_open_capacity_action_item",
        _is_said(evidence.open_capacity_item),
        text=lambda i: evidence.open_capacity_item[i],
    )
    yield Gate(
        "refuse_slo_budget_low",
        evidence.slo_budget_left_pct < rules.min_slo_budget_left_pct,
        evidence.slo_budget_left_pct,
        rules.min_slo_budget_left_pct,
        lambda i: evidence.slo_name[i],
    )
    yield Gate(
        "insufficient_catalog",
        evidence.present < 0,
        text=lambda i: (
            f"The catalog has no {_kind_of_size(kind[i])} {name[i]}."
            if name[i]
            else "Its instance type on that day is not known."
        ),
    )
    yield Gate(
        "insufficient_catalog", np.isnan(evidence.units), text=lambda i: "Its configuration does not say how many members it has."
    )


def _kind_of_size(kind: str | None) -> str:
    return "instance class" if kind == "rds_instance" else "instance type"


def _catalog(evidence: Evidence, shapes: Shapes) -> Iterator[Gate]:
    """What the present size rules out."""
    known = evidence.present >= 0
    present = np.where(known, evidence.present, 0)
    disk = np.where(known, shapes.local_disk_gb[present], 0.0) if len(shapes) else np.zeros(len(evidence))
    yield Gate("refuse_instance_store", disk > 0, disk)
    accelerated = known & shapes.is_accelerated[present] if len(shapes) else known
    yield Gate(
        "insufficient_catalog",
        accelerated,
        text=lambda i: f"The sizes of {evidence.present_name[i]} differ in accelerators, whose use is not measured.",
    )


def _measured(evidence: Evidence, rules: Rules) -> Iterator[Gate]:
    """What was measured, and how much of it is there."""
    yield Gate(
        "insufficient_catalog",
        _is_said(evidence.unsized_event),
        text=lambda i: f"The size that lived through this is not known: {evidence.unsized_event[i]}.",
    )
    changed = evidence.days_since_change
    yield Gate("refuse_recently_changed", changed < rules.change_veto_days, changed, rules.change_veto_days)
    history = _or_zero(evidence.history_hours)
    yield Gate("insufficient_history", history < rules.min_history_hours, history, rules.min_history_hours)
    coverage = _or_zero(evidence.coverage_pct)
    yield Gate(
        "insufficient_coverage",
        coverage < rules.min_coverage_pct,
        coverage,
        rules.min_coverage_pct,
        lambda i: "the look-back's CPU",
    )
    recent = _or_zero(evidence.recent_coverage_pct)
    yield Gate(
        "insufficient_coverage",
        recent < rules.min_recent_coverage_pct,
        recent,
        rules.min_recent_coverage_pct,
        lambda i: "the last seven days' CPU",
    )
    yield Gate("insufficient_clean_data", ~(evidence.rejected_readings <= 0), evidence.rejected_readings, 0.0)
    # An average over members hides the worst of them; the highest member has to be known.
    yield Gate(
        "insufficient_coverage",
        evidence.is_member_hidden,
        np.zeros(len(evidence)),
        rules.min_recent_coverage_pct,
        lambda i: "the last seven days' highest-member CPU",
    )
    yield Gate(
        "insufficient_history",
        np.isnan(evidence.peak[:, CPU]) | np.isnan(evidence.cpu_p995),
        np.zeros(len(evidence)),
        rules.min_history_hours,
    )


def _priced(evidence: Evidence, shapes: Shapes) -> Iterator[Gate]:
    tenancy = np.array([(word or "default").lower() != "default" for word in evidence.tenancy], dtype=bool)
    yield Gate("insufficient_price", tenancy, text=lambda i: f"{evidence.present_name[i]} on {evidence.tenancy[i]} tenancy")
    known = evidence.present >= 0
    price = shapes.usd_per_hour[np.where(known, evidence.present, 0)] if len(shapes) else np.full(len(evidence), np.nan)
    yield Gate("insufficient_price", known & ~(price > 0), text=lambda i: f"{evidence.present_name[i]} in its region")


def _censored(evidence: Evidence, shapes: Shapes, rules: Rules) -> Iterator[Gate]:
    """A saturated machine shows what it got, not what it needed; and what it did too slowly lowers its other readings too."""
    if not len(shapes):
        return
    known = evidence.present >= 0
    capacity = shapes.capacity[np.where(known, evidence.present, 0), CPU]
    share = np.where(known, 100 * evidence.peak[:, CPU] / capacity, np.nan)
    yield Gate(
        "keep_busy_cpu",
        share >= rules.saturated_cpu_pct,
        share,
        rules.saturated_cpu_pct,
        lambda i: f"peaked at {share[i]:.0f} % of its present size, so that what it needs is not known",
    )


def lacks_memory_readings(evidence: Evidence, rules: Rules) -> NDArray[np.bool_]:
    """Resources whose memory is not measured well enough for a size with less of it."""
    covered = _or_zero(evidence.covered_pct[:, MEMORY])
    return ~evidence.is_judged[:, MEMORY] | (covered < rules.min_recent_coverage_pct) | np.isnan(evidence.peak[:, MEMORY])


def _is_said(texts: object) -> NDArray[np.bool_]:
    return np.array([text is not None for text in texts], dtype=bool)  # type: ignore[attr-defined]


def _or_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), 0.0, values)
