"""CPU credits of burstable sizes (T2, T3, T3a, T4g): how low the balance would fall under a load that was measured.

The rules are those of the EC2 User Guide, "Key concepts and definitions for burstable performance instances". A credit is one
vCPU at 100 % for one minute. A running instance earns its baseline all the time, spends what it uses, and loses what it earns
beyond 24 hours of earnings. T3, T3a and T4g start without credits; the launch credits of T2 are left out.

**Debt.** What is used beyond the balance makes it negative, and later earnings pay it back. In unlimited mode, the default of
T3, T3a and T4g, these are the surplus credits; in standard mode it is the work that has to wait, because the instance runs at
its baseline until it is done.

**Start.** After a change of size the balance is zero, and zero at the first busy sample says nothing about what a size can
sustain. So the first 24 hours of samples are a warm-up: they earn, spend and run into debt like all others, but the lowest
balance is only looked for after them. Whatever was measured in a full day is thereby what the balance stands on, where a start
at half of the maximum would be a gift of twelve hours of earnings.

**Gaps.** Time without a sample neither earns nor spends. T3 and newer keep their credits for seven days while they are stopped;
T2 loses them, which is not modelled. An unknown load is full load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WARM_UP_MINUTES = 24 * 60.0
_MINUTES_PER_HOUR = 60.0
_ACCRUAL_HOURS = 24.0
# A balance is right to a millionth of a credit: sums of floats must not turn an exact zero into a debt.
_DIGITS = 6


@dataclass(frozen=True)
class CreditOutcome:
    """What a simulation found; arrays have one element per row that was simulated.

    ``lowest_balance``: credits, after the warm-up; negative is debt, and -inf where nothing was measured after the warm-up.
    ``shortfall_minutes``: how long the balance was negative after the warm-up; all of the time where nothing follows it.
    """

    lowest_balance: NDArray[np.float64]
    shortfall_minutes: NDArray[np.float64]


def credits_per_hour(vcpu: ArrayLike, baseline_pct: ArrayLike) -> NDArray[np.float64]:
    """Credits that a size earns in an hour; ``baseline_pct`` is the baseline per vCPU. t3.large: 2 vCPU · 30 % · 60 min = 36."""
    return np.asarray(vcpu, np.float64) * np.asarray(baseline_pct, np.float64) / 100 * _MINUTES_PER_HOUR


def maximum_credits(vcpu: ArrayLike, baseline_pct: ArrayLike) -> NDArray[np.float64]:
    """Credits that a size can hold: what it earns in 24 hours. t3.large: 864."""
    return credits_per_hour(vcpu, baseline_pct) * _ACCRUAL_HOURS


def simulate_credits(
    cpu_cores: ArrayLike,
    minutes: ArrayLike,
    vcpu: ArrayLike,
    baseline_pct: ArrayLike,
    starting_balance: ArrayLike = 0.0,
    maximum_balance: ArrayLike | None = None,
    warm_up_minutes: float = WARM_UP_MINUTES,
) -> CreditOutcome:
    """Follows the credit balance of a size through measured samples, oldest first.

    ``cpu_cores`` (…, samples): vCPUs in use, on average over the sample; NaN (unknown) counts as all of ``vcpu``.
    ``minutes`` (…, samples): length of each sample; 0 pads a shorter row. ``vcpu``, ``baseline_pct`` (percent per vCPU),
    ``starting_balance`` and ``maximum_balance`` (credits; by default ``maximum_credits``) are numbers or arrays (…). All shapes
    are broadcast, so that one load can be tried on many sizes at once.

    Within a sample the load counts as even: a burst inside one of five minutes can take a balance lower for a moment, by no more
    than 1.25 credits per vCPU.

    Raises ``ValueError`` for a negative or infinite load or length, and for a size without vCPUs or without a baseline.
    """
    cores, length = np.asarray(cpu_cores, np.float64), np.asarray(minutes, np.float64)
    size, baseline = np.asarray(vcpu, np.float64)[..., None], np.asarray(baseline_pct, np.float64)[..., None]
    if not ((cores >= 0) & np.isfinite(cores) | np.isnan(cores)).all() or not ((length >= 0) & np.isfinite(length)).all():
        raise ValueError("a load or the length of a sample is negative or infinite")
    if not ((size > 0) & (baseline > 0) & (baseline <= 100)).all():
        raise ValueError("a size has no vCPUs, or no baseline between 0 and 100 %")
    ceiling = maximum_credits(size, baseline) if maximum_balance is None else np.asarray(maximum_balance, np.float64)[..., None]
    start = np.minimum(np.asarray(starting_balance, np.float64)[..., None], ceiling)

    gained = (credits_per_hour(size, baseline) / _MINUTES_PER_HOUR - np.where(np.isnan(cores), size, cores)) * length
    start, ceiling, length, gained = np.broadcast_arrays(start, ceiling, length, gained)
    # balance = min(ceiling, balance + gained), sample after sample, has this closed form.
    total = np.cumsum(gained, axis=-1)
    after = np.round(total + np.minimum(start, np.minimum.accumulate(ceiling - total, axis=-1)), _DIGITS)
    before = np.concatenate([start[..., :1], after[..., :-1]], axis=-1)
    # What is lost at the ceiling is lost at the end of a sample; the way to there is straight.
    end = np.round(before + gained, _DIGITS)
    lowest, highest = np.minimum(before, end), np.maximum(before, end)
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = -lowest / (highest - lowest)
    negative_share = np.where(lowest >= 0, 0.0, np.where(highest <= 0, 1.0, crossing))

    since_start = np.cumsum(length, axis=-1)
    counts = (since_start - length >= warm_up_minutes) & (length > 0)
    any_counts = counts.any(axis=-1)
    return CreditOutcome(
        lowest_balance=np.where(any_counts, lowest.min(axis=-1, where=counts, initial=np.inf), -np.inf),
        shortfall_minutes=np.where(any_counts, (length * negative_share).sum(axis=-1, where=counts), length.sum(axis=-1)),
    )
