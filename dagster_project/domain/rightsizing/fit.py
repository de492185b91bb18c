"""The search for the cheapest size that holds what is required."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing.credits import simulate_credits
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.requirements import Requirements
from dagster_project.domain.rightsizing.risk import exceedance_probability
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes

ASSUMED_INTERFACES = 2
ASSUMED_VOLUMES = 8
"""How many network interfaces and volumes a machine is taken to have where its inventory does not say."""

HOURS_PER_MONTH = 730
WEEKS_PER_MONTH = 365 / 12 / 7

NO_CANDIDATE, FITS, BLOCKED, NOT_WORTH_IT = range(4)
NOTHING_ELSE, ATTACHMENTS, CREDITS, MARGIN = range(4)


@dataclass(frozen=True)
class Fit:
    """The outcome of the search, one entry per resource.

    ``outcome`` is one of the constants above. ``size`` is the size found (FITS), else the one that came closest: the next
    smaller size of the family, or the dearest cheaper one where the family has none (-1 without any candidate).
    ``blocked_by`` is the dimension of ``size`` that is short by most, -1 where none is; ``short_of`` then says what else
    is: interfaces or volumes, burst credits, or the margin that a change of mind needs.
    """

    outcome: NDArray[np.int64]
    size: NDArray[np.int64]
    blocked_by: NDArray[np.int64]
    short_of: NDArray[np.int64]


def find(evidence: Evidence, required: Requirements, shapes: Shapes, rules: Rules) -> Fit:
    """The cheapest candidate of each resource that holds what is required and whose savings are worth their risk.

    A size holds a dimension when it has the capacity asked for, or no less than the present size has: what a change does
    not shrink it cannot starve. Resources whose present size is not in the catalog are NO_CANDIDATE.
    """
    size = len(evidence)
    fit = Fit(*(np.full(size, value, dtype=np.int64) for value in (NO_CANDIDATE, -1, -1, NOTHING_ELSE)))
    need = required.need
    for present in np.unique(evidence.present[evidence.present >= 0]):
        rows = np.flatnonzero(evidence.present == present)
        is_linux = np.array([(evidence.platform[i] or "linux").lower() == "linux" for i in rows])
        # Licences are charged by size, so that the cheapest size of another family need not be cheaper with one.
        for mine, target in ((rows[is_linux], rules.target), (rows[~is_linux], _within_family(rules.target))):
            if mine.size:
                _search(fit, mine, evidence, required, need, shapes, rules, int(present), shapes.candidates(int(present), target))
    return fit


def _within_family(target: str) -> str:
    return "family" if target == "cheapest" else target


def _search(
    fit: Fit,
    rows: NDArray[np.int64],
    evidence: Evidence,
    required: Requirements,
    need: NDArray[np.float64],
    shapes: Shapes,
    rules: Rules,
    present: int,
    candidates: NDArray[np.int64],
) -> None:
    """Fills ``fit`` for ``rows``, which share their present size."""
    if not candidates.size:
        return
    nearest = _nearest(shapes, candidates, present)
    fit.outcome[rows] = BLOCKED
    fit.size[rows] = nearest
    held = _held(shapes, present, nearest, need[rows], required.single_vcpu_peak[rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        shortage = np.where(held, -np.inf, need[rows] / shapes.capacity[nearest])
    shortage = np.where(np.isnan(shortage), np.inf, shortage)
    fit.blocked_by[rows] = np.where(held.all(axis=1), -1, shortage.argmax(axis=1))
    lasts = np.ones(rows.size, dtype=bool)
    if not np.isnan(shapes.burst_baseline_pct[nearest]):
        lasts = _credits_last(shapes, nearest, evidence, rows)
    fit.short_of[rows] = np.where(_attached(shapes, nearest, evidence, rows), np.where(lasts, MARGIN, CREDITS), ATTACHMENTS)
    left = rows
    for candidate in candidates:
        if not left.size:
            return
        fits = _held(shapes, present, candidate, need[left], required.single_vcpu_peak[left]).all(axis=1)
        fits &= _attached(shapes, candidate, evidence, left)
        if not np.isnan(shapes.burst_baseline_pct[candidate]):
            fits &= _credits_last(shapes, int(candidate), evidence, left)
        if rules.hysteresis_pct:
            fits &= _settled(shapes, present, candidate, left, evidence, required, need, rules)
        if (rules.incident_cost_usd or rules.restart_cost_usd) and fits.any():
            gain = expected_value(shapes, evidence, rules, left, np.full(left.size, candidate))
            worth = gain > 0
            fit.outcome[left[fits & ~worth]] = NOT_WORTH_IT
            fit.size[left[fits & ~worth]] = candidate
            fits &= worth
        found = left[fits]
        fit.outcome[found] = FITS
        fit.size[found] = candidate
        fit.blocked_by[found] = -1
        left = left[~fits]


def _nearest(shapes: Shapes, candidates: NDArray[np.int64], present: int) -> int:
    family = shapes.families[present]
    smaller = [i for i in candidates if shapes.families[i] == family and shapes.is_smaller(i, present)]
    return int(smaller[-1] if smaller else candidates[-1])


def _held(
    shapes: Shapes, present: int, candidate: int, need: NDArray[np.float64], single_vcpu_peak: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which dimensions a candidate holds, (rows, 5). A limit that is not known holds nothing."""
    capacity, now = shapes.capacity[candidate], shapes.capacity[present]
    held = (need <= capacity) | (capacity >= now) | (need == -np.inf)
    if capacity[CPU] < 2 and now[CPU] > capacity[CPU]:
        # A machine with one vCPU has none left for itself when a single thread is busy.
        held[:, CPU] &= single_vcpu_peak <= capacity[CPU]
    return held


def _attached(shapes: Shapes, candidate: int, evidence: Evidence, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether what is attached can be attached to the candidate."""
    interfaces = np.where(np.isnan(evidence.interfaces[rows]), ASSUMED_INTERFACES, evidence.interfaces[rows])
    volumes = np.where(np.isnan(evidence.volumes[rows]), ASSUMED_VOLUMES, evidence.volumes[rows])
    return (interfaces <= shapes.interfaces[candidate]) & (volumes <= shapes.volumes[candidate])


def _credits_last(shapes: Shapes, candidate: int, evidence: Evidence, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a burstable size would do: the sustained demand within its baseline, or a credit balance that never ran out."""
    vcpu, baseline = float(shapes.capacity[candidate, CPU]), float(shapes.burst_baseline_pct[candidate])
    factor = evidence.factor
    lasts = evidence.cpu_p995[rows] * evidence.spread[rows] * factor[rows] <= vcpu * baseline / 100
    for place in np.flatnonzero(~lasts):
        load = evidence.cpu_load[rows[place]]
        if load is not None:
            outcome = simulate_credits(load[0] * factor[rows[place]], load[1], vcpu, baseline)
            lasts[place] = bool(outcome.lowest_balance > 0)
    return lasts


def _settled(
    shapes: Shapes,
    present: int,
    candidate: int,
    rows: NDArray[np.int64],
    evidence: Evidence,
    required: Requirements,
    need: NDArray[np.float64],
    rules: Rules,
) -> NDArray[np.bool_]:
    """Whether a candidate is last night's, or dearer, or holds the requirement with the margin that a change of mind needs.

    Where last night kept the present size, that is what a change of mind leaves; where nothing is known of last night, there
    is no mind to change.
    """
    margin = 1 + rules.hysteresis_pct / 100
    before = evidence.previous_target[rows]
    price_before = np.where(before >= 0, shapes.usd_per_hour[before], np.inf)
    with_margin = _held(shapes, present, candidate, need[rows] * margin, required.single_vcpu_peak[rows] * margin).all(axis=1)
    return with_margin | (before < 0) | (before == candidate) | (shapes.usd_per_hour[candidate] > price_before)


def expected_value(
    shapes: Shapes, evidence: Evidence, rules: Rules, rows: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Savings less what may go wrong, USD a month over the first year.

    savings − P(exceed) × ``incident_cost_usd`` − ``restart_cost_usd`` / 12; the probability is that of a week, and a month
    has 4.35 of them.
    """
    price = shapes.usd_per_hour
    units = np.where(np.isnan(evidence.units[rows]), 1, evidence.units[rows])
    savings = (price[evidence.present[rows]] - price[sizes]) * units * HOURS_PER_MONTH
    chance = chance_of_exceeding(shapes, evidence, rows, sizes)
    return savings - chance * WEEKS_PER_MONTH * rules.incident_cost_usd - rules.restart_cost_usd / 12


def chance_of_exceeding(
    shapes: Shapes, evidence: Evidence, rows: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probability that some sample of the next week exceeds the size on a dimension that it shrinks."""
    chance = np.zeros(len(rows))
    capacity, now = shapes.capacity[sizes], shapes.capacity[evidence.present[rows]]
    for dimension in range(len(DIMENSIONS)):
        shrinks = evidence.is_judged[rows, dimension] & (capacity[:, dimension] < now[:, dimension])
        peak = np.fmax(evidence.peak[rows, dimension] * evidence.spread[rows], evidence.replay[rows, dimension])
        chance += np.where(
            shrinks, exceedance_probability(dimension, capacity[:, dimension], peak, evidence.history_hours[rows]), 0
        )
    return np.minimum(chance, 1.0)
