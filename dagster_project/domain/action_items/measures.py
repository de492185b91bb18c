"""How action items fare, counted: every share with its numerator and denominator.

Due dates are the first ones that items had: a date that is moved does not make what is late punctual. Declined items stay in the
denominators: what was decided against was not done. Duplicates are counted nowhere, the item that stands for them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from dagster_project.domain.action_items.model import DECLINED, DUPLICATE, LOST, Item
from dagster_project.domain.survival import Curve, Durations, survival_curve

RECURRENCE_DAYS = 90
EVERYTHING = "*"
NONE = "(none)"
"""The group of items that have no team, or no type."""
_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a group of items as of the end of a day.

    ``due``: items whose first due date has come, ``done_of_due`` of them are done now; ``due_judged``: those of them of which it
    is known whether they were done by that date, ``done_at_due`` were.
    ``done_dated``: done ones of which both dates are known, ``on_time`` of them by the date. ``median_days``: days until half
    were done (Kaplan-Meier: open ones count for as long as they are open, declined ones until they were declined); None where the
    curve does not come down to a half. ``observed``: items done at least 90 days ago; ``came_back`` of them had a similar
    incident within these 90 days.
    """

    items: int
    open: int
    in_progress: int
    lost: int
    done: int
    verified: int
    declined: int
    overdue: int
    overdue_30_days: int
    due: int
    done_of_due: int
    due_judged: int
    done_at_due: int
    done_dated: int
    on_time: int
    median_days: float | None
    open_age_median_days: float | None
    open_age_oldest_days: int | None
    slipped: int
    slips: int
    ever_done: int
    reopened: int
    without_owner: int
    without_due: int
    without_tracker: int
    observed: int
    came_back: int


@dataclass(frozen=True, slots=True)
class Grouped:
    """An item with what it is counted by; ``came_back_on``: the first similar incident within 90 days of its being done."""

    item: Item
    team: str | None
    came_back_on: date | None = None


def groups_of(items: Iterable[Grouped]) -> dict[tuple[str, str], list[Grouped]]:
    """(scope, group) → items, sorted: all together, by team and by type."""
    found: dict[tuple[str, str], list[Grouped]] = {("all", EVERYTHING): []}
    for each in items:
        if each.item.state == DUPLICATE:
            continue
        keys = (("all", EVERYTHING), ("team", each.team or NONE), ("type", each.item.item_type or NONE))
        for key in keys:
            found.setdefault(key, []).append(each)
    return dict(sorted(found.items()))


def measures_of(grouped: Sequence[Grouped], day: date) -> Measures:
    """The measures of a group, which holds no duplicates, as of the end of a day."""
    items = [each.item for each in grouped]
    unfinished = [item for item in items if not item.is_ended]
    due = [item for item in items if item.first_due_on is not None and item.first_due_on <= day]
    dated = [item for item in items if item.is_completed and item.is_done_at_known and item.first_due_on is not None]
    ages = [(day - item.created_at.date()).days for item in unfinished]
    half = curve_of(items, day).quantile(0.5)
    observed = [each for each in grouped if _is_observed(each, day)]
    return Measures(
        items=len(items),
        open=len(unfinished),
        in_progress=sum(item.state == "in_progress" for item in items),
        lost=sum(item.state == LOST for item in items),
        done=sum(item.is_completed for item in items),
        verified=sum(item.state == "verified" for item in items),
        declined=sum(item.state == DECLINED for item in items),
        overdue=sum(item.is_overdue(day) for item in items),
        overdue_30_days=sum(item.is_overdue(day - timedelta(days=30)) for item in items),
        due=len(due),
        done_of_due=sum(item.is_completed for item in due),
        due_judged=sum(_is_judged(item) for item in due),
        done_at_due=sum(_is_done_by(item, item.first_due_on) for item in due),
        done_dated=len(dated),
        on_time=sum(_is_done_by(item, item.first_due_on) for item in dated),
        median_days=None if half is None else half / _MINUTES_A_DAY,
        open_age_median_days=median(ages) if ages else None,
        open_age_oldest_days=max(ages) if ages else None,
        slipped=sum(item.slips > 0 for item in items),
        slips=sum(item.slips for item in items),
        ever_done=sum(item.is_completed or item.reopened > 0 for item in items),
        reopened=sum(item.reopened > 0 for item in items),
        without_owner=sum(item.owner is None for item in unfinished),
        without_due=sum(item.due_on is None for item in unfinished),
        without_tracker=sum(item.tracker_key is None for item in unfinished),
        observed=len(observed),
        came_back=sum(each.came_back_on is not None for each in observed),
    )


def curve_of(items: Iterable[Item], day: date) -> Curve:
    """The share of items that are not done yet by their age in minutes (Kaplan and Meier). Those of which nobody knows when they
    were done are left out."""
    end = datetime.combine(day + timedelta(days=1), time())
    ended, running = [], []
    for item in items:
        if item.is_completed and not item.is_done_at_known:
            continue
        until = item.done_at if item.is_completed else item.ended_at
        minutes = max(((until or end) - item.created_at).total_seconds() / 60, 0)
        (ended if item.is_completed else running).append(minutes)
    return survival_curve(Durations.of(ended, running))


def steps_of(curve: Curve) -> list[tuple[int, float]]:
    """(age in whole days, share that is not done yet at its end): one step for each day on which something was done."""
    by_day: dict[int, float] = {}
    for minutes, share in zip(curve.minutes, curve.surviving, strict=True):
        by_day[int(minutes // _MINUTES_A_DAY)] = float(share)
    return sorted(by_day.items())


def came_back_on(item: Item, similar: Mapping[str, Sequence[date]]) -> date | None:
    """The first day, within 90 of its being done, on which an incident began that is similar to the item's own. ``similar``:
    incident → days on which such ones began."""
    if item.done_at is None or not item.is_completed or not item.is_done_at_known or item.incident_id is None:
        return None
    done_on = item.done_at.date()
    later = (on for on in similar.get(item.incident_id, ()) if done_on < on <= done_on + timedelta(days=RECURRENCE_DAYS))
    return min(later, default=None)


def _is_observed(each: Grouped, day: date) -> bool:
    item = each.item
    if item.done_at is None or not item.is_completed or not item.is_done_at_known or item.incident_id is None:
        return False
    # Those that came back sooner wait as well, or they would be all that is counted in the first 90 days.
    return item.done_at.date() + timedelta(days=RECURRENCE_DAYS) <= day


def _is_done_by(item: Item, day: date | None) -> bool:
    return item.is_completed and item.done_at is not None and day is not None and item.done_at.date() <= day


def _is_judged(item: Item) -> bool:
    return not item.is_completed or item.is_done_at_known
