"""Who is to be reminded of which action items, and when: 7 days and 1 day before the due date, on the day, then every week.

It goes by items alone: that an incident is over, or its channel archived, ends no reminder. A stage that a night missed is made
up for by the newest one that has come; what was told is not told again, and a date that is moved begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dagster_project.domain.action_items.model import LOST, Item

BEFORE_DAYS = (7, 1)
WEEK = 7
ESCALATE_AFTER_DAYS = 14
REPORT_AFTER_DAYS = 30

OVERDUE, TODAY, SOON, ABANDONED, ESCALATED = "overdue", "today", "soon", "lost", "escalated"
SECTIONS: Mapping[str, str] = {
    ESCALATED: f"Overdue for {ESCALATE_AFTER_DAYS} days or more in your team",
    OVERDUE: "Overdue",
    TODAY: "Due today",
    SOON: "Due soon",
    ABANDONED: "Lost: the issue is gone, and nobody said that it is done",
}
"""Sections of a digest, in its order."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What somebody is told of an item at a time. ``name`` is the same for every run that would tell the same."""

    name: str
    section: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """One item in somebody's digest."""

    recipient: str
    item: Item
    stage: Stage


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When somebody may be written to. ``days``: Monday is 0."""

    zone: str
    starts: time
    ends: time
    days: frozenset[int]

    def local(self, now: datetime) -> datetime:
        """An aware moment on their clock."""
        return now.astimezone(ZoneInfo(self.zone))

    def contain(self, now: datetime) -> bool:
        """Whether an aware moment is one at which they may be written to."""
        local = self.local(now)
        return local.weekday() in self.days and self.starts <= local.time() < self.ends


def stage_of(item: Item, today: date) -> Stage | None:
    """The newest stage that has come for an item by a day; None where there is nothing to say yet."""
    if item.is_ended:
        return None
    if item.state == LOST:
        # Once, and then every week: nobody else looks after it.
        weeks = max((today - item.state_at.date()).days, 0) // WEEK
        return Stage(f"lost {item.state_at:%Y-%m-%d} +{weeks}w", ABANDONED)
    if item.due_on is None:
        return None
    late = (today - item.due_on).days
    if late >= WEEK:
        return Stage(f"due {item.due_on} +{late // WEEK}w", OVERDUE)
    if late >= 0:
        # On the day, and for the week after it where the night of that day did not run.
        return Stage(f"due {item.due_on}", TODAY if late == 0 else OVERDUE)
    passed = [days for days in BEFORE_DAYS if -late <= days]
    return Stage(f"due {item.due_on} -{min(passed)}d", SOON) if passed else None


def escalation_of(item: Item, today: date) -> Stage | None:
    """What the lead of its team is told of an item: that it is overdue for more than two weeks, every week anew."""
    stage = stage_of(item, today)
    if stage is None or item.due_on is None or item.state == LOST or (today - item.due_on).days < ESCALATE_AFTER_DAYS:
        return None
    return Stage(stage.name, ESCALATED)


def reminders_of(
    items: Iterable[Item],
    today_of: Callable[[str], date],
    recipient_of: Callable[[Item], str],
    lead_of: Callable[[Item], str | None],
    told: Collection[tuple[str, str, str]],
) -> dict[str, tuple[Reminder, ...]]:
    """Recipient → what to tell them, by recipient: most urgent first. ``today_of``: the day on a recipient's clock; ``told``:
    (recipient, item id, stage) of what was told already."""
    found: dict[str, list[Reminder]] = {}
    for item in items:
        recipient = recipient_of(item)
        own = stage_of(item, today_of(recipient))
        if own is not None and (recipient, item.item_id, own.name) not in told:
            found.setdefault(recipient, []).append(Reminder(recipient, item, own))
        lead = lead_of(item)
        # Who is told as the owner is not told a second time as the lead.
        raised = escalation_of(item, today_of(lead)) if lead is not None and lead != recipient else None
        if lead is not None and raised is not None and (lead, item.item_id, raised.name) not in told:
            found.setdefault(lead, []).append(Reminder(lead, item, raised))
    return {recipient: tuple(sorted(found[recipient], key=_urgency)) for recipient in sorted(found)}


def _urgency(reminder: Reminder) -> tuple[int, date, str]:
    sections = list(SECTIONS)
    return sections.index(reminder.stage.section), reminder.item.due_on or date.max, reminder.item.item_id


def days_late(item: Item, today: date) -> int:
    """Days since it was due; negative before."""
    return 0 if item.due_on is None else (today - item.due_on) // timedelta(days=1)
