"""What became of a change, from what was measured day by day since.

A size can only be seen to be too small at its limit: no machine uses more than it has. So a sample exceeds the size where its CPU
is as good as full (``saturated_cpu_pct``, from which on the rules do not believe a reading either), or its memory
(``FULL_MEMORY_PCT``: the last two percent are the kernel's, and a process is killed before they are used). CPU is that of
interval averages, and of a group's busiest member, as in the peak that a verdict stands on and in the chance that it states: a
spike of seconds waits and is done. Memory is the highest reading. What a change did not take away it cannot have starved.

The day of the change itself belongs to both sizes and is not measured; an emergency on it counts, from the decision on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from dagster_project.domain.outcomes.model import (
    CHECKED_AFTER_DAYS,
    EMERGENCY,
    EXCEEDED,
    FINE,
    MIN_SIZE,
    REGRET,
    REVERSED,
    UNKNOWN,
    WATCHED_DAYS,
    AppliedChange,
    Outcome,
)

FULL_MEMORY_PCT = 98.0
MEMBERS_BEFORE_DAYS = 7
"""Days before a change of a group's minimum over which its members are counted."""

_DAY_MINUTES = 1440
_WEEK = 7
_HOURS_PER_MONTH = 730


@dataclass(frozen=True, slots=True)
class Listed:
    """What the inventory of one day says of a resource. ``value`` is that of the attribute that was changed, None where it is
    not known; ``changed_at`` the last change of its configuration by the end of the day (naive UTC)."""

    value: str | None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One day of a resource. Minutes are those that samples cover; ``exceeded`` are samples that were at the limit of what the
    change took away; ``members`` is the mean in service, over ``members_samples``."""

    samples: int = 0
    cpu_minutes: int = 0
    memory_minutes: int = 0
    exceeded: int = 0
    members: float | None = None
    members_samples: int = 0


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency scale-up that speaks of a resource, at a moment in naive UTC."""

    at: datetime
    target: str


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of a resource costs an hour, USD: at the size that it had, at the one that it got, and at the present one;
    and how many units it has. None where it is not known."""

    before: float | None = None
    after: float | None = None
    now: float | None = None
    units: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the lake says of one changed resource, by day. ``incidents`` are the begins of those of its service, None where they
    are not recorded. ``has_less_memory`` says whether the change took memory away: then memory must be seen for it to be fine."""

    listed: Mapping[date, Listed]
    measured: Mapping[date, Measured] = field(default_factory=dict)
    emergencies: Sequence[Emergency] = ()
    incidents: Sequence[datetime] | None = None
    price: Price = Price()
    region: str | None = None
    has_less_memory: bool = True


def first_live_on(change: AppliedChange, listed: Mapping[date, Listed], day: date) -> date | None:
    """The first day, from the decision on, whose inventory shows a change; what is known already stays."""
    if change.applied_on is not None:
        return change.applied_on
    start = asked_from(change)
    return next((each for each in sorted(listed) if start <= each <= day and listed[each].value == change.value_after), None)


def asked_from(change: AppliedChange) -> date:
    """The first day on which a change can have become live."""
    decided_on = change.decided_at.astimezone(UTC).date() if change.decided_at else change.noted_on
    return min(decided_on, change.noted_on)


def outcome_of(
    change: AppliedChange, facts: Facts, is_no_larger: Callable[[str, str], bool], day: date, min_coverage_pct: float
) -> Outcome:
    """A change as it stands at the end of ``day``.

    ``is_no_larger`` tells of two values whether the first is known to offer no more CPU and no more memory than the second:
    another value that is larger, or of which that is not known, is a reversal; one that is not is a further step.
    ``min_coverage_pct`` is the share of the time since the change that must have been sampled for a check to say that it is fine.
    """
    applied_on = first_live_on(change, facts.listed, day)
    today = facts.listed.get(day)
    seen = Outcome(change, applied_on, region=facts.region, value_now=today.value if today else None)
    if applied_on is None:
        return seen
    ended_on, is_further = _ended(change, facts, is_no_larger, applied_on, day)
    seen = replace(
        seen,
        days_since=(day - applied_on).days,
        is_reversed=ended_on is not None and not is_further,
        reversed_on=None if is_further else ended_on,
        superseded_on=ended_on if is_further else None,
    )
    days = _watched_days(facts, applied_on, ended_on, day)
    seen = _with_samples(seen, facts, days)
    seen = _with_events(seen, change, facts, applied_on, ended_on, day)
    seen = replace(seen, realized_usd_month=_realized(change, seen, facts, applied_on, days))
    return seen if change.is_rollback else _judged(seen, facts, days, day, min_coverage_pct)


def _ended(
    change: AppliedChange, facts: Facts, is_no_larger: Callable[[str, str], bool], applied_on: date, day: date
) -> tuple[date | None, bool]:
    """The first day on which the inventory shows another value again, and whether that is a further step and no reversal."""
    for each in sorted(facts.listed):
        value = facts.listed[each].value
        if applied_on < each <= day and value is not None and value != change.value_after:
            return each, value != change.value_before and is_no_larger(value, change.value_after)
    return None, False


def _watched_days(facts: Facts, applied_on: date, ended_on: date | None, day: date) -> list[date]:
    """The whole days on which the new size was there, for as long as it is watched."""
    last = min(day, applied_on + timedelta(days=WATCHED_DAYS))
    if ended_on is not None:
        changed_at = facts.listed[ended_on].changed_at
        # Nights that did not run see a change late; the inventory may know better.
        is_known = changed_at is not None and applied_on < changed_at.date() <= ended_on
        last = min(last, (changed_at.date() if is_known and changed_at else ended_on) - timedelta(days=1))
    return [applied_on + timedelta(days=number) for number in range(1, (last - applied_on).days + 1)]


def _with_samples(seen: Outcome, facts: Facts, days: Sequence[date]) -> Outcome:
    """How often the size was exceeded, over all and by whole weeks."""
    measured = [(each, facts.measured.get(each, Measured())) for each in days]
    samples = sum(each.samples for _, each in measured)
    exceeded = [(each, one.exceeded) for each, one in measured if one.exceeded]
    minutes = sum(one.cpu_minutes for _, one in measured)
    return replace(
        seen,
        samples=samples,
        coverage_pct=100 * minutes / (_DAY_MINUTES * len(days)) if days else None,
        exceeded_samples=sum(count for _, count in exceeded) if samples or exceeded else None,
        first_exceeded_on=exceeded[0][0] if exceeded else None,
    )


def _with_events(
    seen: Outcome, change: AppliedChange, facts: Facts, applied_on: date, ended_on: date | None, day: date
) -> Outcome:
    """Emergencies and incidents while the new size was there."""
    begins = _begins(change, applied_on)
    ends = _end_of(min(day, applied_on + timedelta(days=WATCHED_DAYS), ended_on or day))
    changed_at = facts.listed[ended_on].changed_at if ended_on is not None else None
    if changed_at is not None and changed_at > begins:
        # What comes after the size is gone says nothing about it; what made it go does.
        ends = min(ends, changed_at)
    emergencies = sorted((each.at, each.target) for each in facts.emergencies if begins <= each.at <= ends)
    return replace(
        seen,
        emergencies=len(emergencies),
        first_emergency_at=emergencies[0][0] if emergencies else None,
        last_emergency_at=emergencies[-1][0] if emergencies else None,
        last_emergency_target=emergencies[-1][1] if emergencies else None,
        incidents=None if facts.incidents is None else sum(begins <= at <= ends for at in facts.incidents),
    )


def _begins(change: AppliedChange, applied_on: date) -> datetime:
    """The moment from which on an emergency speaks against the new size. One between the decision and the change does too: then
    even the larger size was too small."""
    first = datetime.combine(applied_on, time())
    return max(change.decided_at.astimezone(UTC).replace(tzinfo=None), first) if change.decided_at else first


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max)


def _realized(change: AppliedChange, seen: Outcome, facts: Facts, applied_on: date, days: Sequence[date]) -> float | None:
    """What the change saves on the day, USD a month: the price of what was there less that of what is there now."""
    price = facts.price
    if change.attribute == MIN_SIZE:
        if seen.is_reversed:
            return 0.0 if seen.value_now == change.value_before else None
        before = _members(facts, [applied_on - timedelta(days=number) for number in range(MEMBERS_BEFORE_DAYS, 0, -1)])
        since = _members(facts, days)
        if before is None or since is None or price.now is None:
            return None
        return (before - since) * price.now * _HOURS_PER_MONTH
    # What a further step saves is told of that step.
    now = price.after if seen.superseded_on is not None else price.now
    if price.before is None or now is None or price.units is None:
        return None
    return (price.before - now) * price.units * _HOURS_PER_MONTH


def _members(facts: Facts, days: Sequence[date]) -> float | None:
    """Members in service on average of some days, None where they were not counted."""
    counted = [one for each in days if (one := facts.measured.get(each)) is not None and one.members is not None]
    samples = sum(one.members_samples for one in counted)
    return math.fsum((one.members or 0.0) * one.members_samples for one in counted) / samples if samples else None


def _judged(seen: Outcome, facts: Facts, days: Sequence[date], day: date, min_coverage_pct: float) -> Outcome:
    """The outcome with its checks, and whether it is regretted."""
    found = [
        (seen.first_emergency_at.date() if seen.first_emergency_at else None, EMERGENCY),
        (seen.first_exceeded_on, EXCEEDED),
        (seen.reversed_on, REVERSED),
    ]
    applied_on = seen.applied_on or day
    last = applied_on + timedelta(days=WATCHED_DAYS)
    reasons = [(at, why) for at, why in found if at is not None and at <= last]
    # ``min`` takes the first of equals: what happened on one day is told in this order.
    on, reason = min(reasons, key=lambda each: each[0]) if reasons else (None, None)
    checks = {number: _check(number, applied_on, on, days, facts, day, min_coverage_pct) for number in CHECKED_AFTER_DAYS}
    weeks = [_week(days[start : start + _WEEK], facts, min_coverage_pct) for start in range(0, WATCHED_DAYS, _WEEK)]
    return replace(
        seen,
        regret=True if on is not None else False if checks[WATCHED_DAYS] == FINE else None,
        regret_reason=reason,
        regret_on=on,
        check_1=checks[1],
        check_7=checks[7],
        check_28=checks[28],
        weeks_observed=sum(each is not None for each in weeks),
        weeks_exceeded=sum(each is True for each in weeks),
    )


def _check(
    number: int, applied_on: date, regret_on: date | None, days: Sequence[date], facts: Facts, day: date, min_coverage_pct: float
) -> str | None:
    """What a check after some days says; None where it is not due."""
    due = applied_on + timedelta(days=number)
    if day < due:
        return None
    if regret_on is not None and regret_on <= due:
        return REGRET
    mine = [each for each in days if each <= due]
    return FINE if len(mine) == number and _is_seen(mine, facts, min_coverage_pct) else UNKNOWN


def _week(days: Sequence[date], facts: Facts, min_coverage_pct: float) -> bool | None:
    """Whether a week exceeded the size; None where it was not watched. A week that is not whole counts where something exceeded:
    more of it could not change that, and a change that is taken back early must not leave its weeks out."""
    if any(facts.measured.get(each, Measured()).exceeded for each in days):
        return True
    return False if len(days) == _WEEK and _is_seen(days, facts, min_coverage_pct) else None


def _is_seen(days: Sequence[date], facts: Facts, min_coverage_pct: float) -> bool:
    """Whether enough of some days was measured, of everything that was taken away."""
    enough = min_coverage_pct / 100 * _DAY_MINUTES * len(days)
    measured = [facts.measured.get(each, Measured()) for each in days]
    has_memory = not facts.has_less_memory or sum(each.memory_minutes for each in measured) >= enough
    return has_memory and sum(each.cpu_minutes for each in measured) >= enough
