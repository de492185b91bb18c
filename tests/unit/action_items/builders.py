"""Items, events, rows of sources and issues, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from dagster_project.domain.action_items.due_dates import DuePolicy
from dagster_project.domain.action_items.folding import created, folded, items_of, text_of
from dagster_project.domain.action_items.model import CONTRACT, FIELDS, GITHUB, PERSON, Event, Item
from dagster_project.domain.action_items.observing import Heard, Observed, Observer, Told
from dagster_project.domain.action_items.reconcile import Reconciled, Terms, reconciled, standing_of
from dagster_project.domain.action_items.trackers import ISSUE_OPEN, Change, Draft, Issue, Link

BEGAN = datetime.fromisoformat("2025-03-03T09:00")
TODAY = date(2025, 3, 9)
_MONDAY = datetime.fromisoformat("2025-03-03")
_POLICY = DuePolicy()
MARK = "0123456789abcdef"
_NAMES = {"alice-gh": "alice", "alice-work": "alice", "bob-gh": "bob"}
TERMS = Terms(lambda name: _NAMES.get(name.casefold(), name), frozenset(("doing",)))


def day(number: float) -> datetime:
    """So many days after the item began."""
    return BEGAN + timedelta(days=number)


def beginning(item_id: str = "AI-1", at: datetime = BEGAN, source: str = CONTRACT, **values: str | None) -> Event:
    """The event with which an item begins."""
    return created(item_id, {"title": "Add an alert", "state": "open", **values}, at, source, source)


def event(name: str, value: str | None, at: datetime, source: str = PERSON, *, is_correction: bool = False) -> Event:
    """An event of AI-1."""
    return Event("AI-1", name, value, at, source, "anna", None, is_correction)


def state(value: str, number: float, *, is_correction: bool = False) -> Event:
    """AI-1 has a state since so many days after it began."""
    return event("state", value, day(number), is_correction=is_correction)


def item_of(*events: Event, **values: str | None) -> Item:
    """AI-1 after some events."""
    found = folded([beginning(**values), *events])
    assert found is not None
    return found


def item(**values: object) -> Item:
    """An item with fields as they are given."""
    return replace(item_of(), **values)  # type: ignore[arg-type]


# Sources.


def told(source_id: str = "AI-1", title: str = "Add an alert", **values: object) -> Told:
    """A row of the decision engine's table."""
    return Told(**{"source": CONTRACT, "source_id": source_id, "title": title, "incident_id": "INC-1", **values})  # type: ignore[arg-type]


@dataclass
class Nights:
    """The store's part of a series of nights: events that grow, and what sources said last."""

    events: list[Event] = field(default_factory=list)
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)
    number: int = 0
    policy: DuePolicy = _POLICY

    @property
    def items(self) -> dict[str, Item]:
        """Items as they are now."""
        return items_of(self.events)

    def at(self) -> datetime:
        """The last moment of the day of the newest night."""
        return _MONDAY + timedelta(days=self.number, microseconds=-1)

    def hear(
        self,
        *rows: Told,
        read: Collection[str] | None = None,
        tracked: Collection[str] = (),
        shown: Mapping[str, str] | None = None,
    ) -> Observed:
        """One more night, in which sources say ``rows``; sources that say something were read whole, if nothing else is said."""
        self.number += 1
        whole = {row.source for row in rows} if read is None else read
        observer = Observer(self.items, list(self.heard.values()), self.policy, self.at(), tracked, shown or {})
        observed = observer.observe(rows, whole)
        self.events += observed.events
        for each in observed.heard:
            known = self.heard.get((each.source, each.source_id))
            # As the table does: the item of a name is the first one.
            self.heard[each.source, each.source_id] = each if known is None else replace(each, item_id=known.item_id)
        return observed

    def say(self, item_id: str, name: str, value: str | None, at: datetime | None = None) -> None:
        """Somebody says something on the command line, some minutes after the night."""
        when = at or self.at() + timedelta(minutes=10)
        self.events.append(Event(item_id, name, value, max(when, self.items[item_id].changed_at), PERSON, "anna"))


def said(events: Iterable[Event]) -> list[tuple[str, str | None]]:
    """(field, value) of events."""
    return [(each.field, each.value) for each in events]


# Trackers.


def issue(**values: object) -> Issue:
    """An open issue of ours."""
    plain = Issue("acme/ops#7", "https://git.test/7", "Add an alert", ISSUE_OPEN, day(1), labels=("action-item",))
    return replace(plain, **{"is_ours": True, "mark": MARK, **values})  # type: ignore[arg-type]


def link(base: Issue | None, wrote: Draft | None, **values: object) -> Link:
    """The link of AI-1 to its issue."""
    plain = Link("AI-1", GITHUB, "acme/ops", "acme/ops#7", MARK, is_ours=True, base=base, wrote=wrote)
    return replace(plain, **values)  # type: ignore[arg-type]


LOGINS = {"alice": "alice-gh", "bob": "bob-gh"}


def want(of: Item) -> Draft:
    """What an issue of an item should hold."""
    month = f"{of.due_on:%Y-%m}" if of.due_on else None
    return Draft(
        title=" ".join(of.title.split()),
        labels=("action-item", *((f"priority: {of.priority}",) if of.priority else ())),
        assignee=LOGINS.get(of.owner or ""),
        milestone=month,
        milestone_due_on=of.due_on,
        standing=standing_of(of),
        owner=of.owner,
    )


def tied(of: Item, seen: Issue, **values: object) -> Link:
    """The link of an item and an issue that agree."""
    return link(seen, want(of), **values)


def meet(of: Item, tie: Link, seen: Issue) -> Reconciled:
    """An item and its issue, brought together."""
    return reconciled(of, tie, seen, want, TERMS)


def written(seen: Issue, change: Change) -> Issue:
    """An issue after a change was made, as GitHub would have it."""
    removed = {label.casefold() for label in change.remove}
    present = {label.casefold() for label in seen.labels}
    labels = [label for label in seen.labels if label.casefold() not in removed]
    labels += [label for label in change.add if label.casefold() not in present]
    return replace(
        seen,
        title=change.title or seen.title,
        standing=change.standing or seen.standing,
        assignees=(change.assignee,) if change.assignee else seen.assignees,
        labels=tuple(labels),
        milestone=change.milestone or seen.milestone,
        milestone_due_on=change.milestone_due_on if change.milestone else seen.milestone_due_on,
    )


def texts(of: Item) -> dict[str, str | None]:
    """All fields that events may set, as texts."""
    return {name: text_of(of, name) for name in FIELDS}
