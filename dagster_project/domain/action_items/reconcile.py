"""An item and its issue, brought together field by field.

Both sides are compared with what they were when they last agreed. What one side changed is taken over by the other; where both
did, the tracker wins for state, owner and title, and Nightshift for type, priority and incident. So our own writes are no news,
and nobody's change is taken back because the other side has not heard of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dagster_project.domain.action_items.folding import applied
from dagster_project.domain.action_items.model import (
    COMPLETED,
    DECLINED,
    DONE,
    DUPLICATE,
    ENDED,
    IN_PROGRESS,
    LOST,
    OPEN,
    POLICY,
    PROPOSED,
    Event,
    Item,
)
from dagster_project.domain.action_items.trackers import (
    ISSUE_ABANDONED,
    ISSUE_DECLINED,
    ISSUE_DONE,
    ISSUE_DUPLICATE,
    ISSUE_OPEN,
    Change,
    Draft,
    Gone,
    Issue,
    Link,
)

MOST_RESTORED = 3
"""How often labels of ours are put back before they are left as they are: somebody else's automation would go on for ever."""
_STANDINGS = {DECLINED: ISSUE_DECLINED, DUPLICATE: ISSUE_DUPLICATE, LOST: ISSUE_ABANDONED}
_SAID = {
    ISSUE_OPEN: "Its issue is open",
    ISSUE_DONE: "Its issue was closed as completed",
    ISSUE_DECLINED: "Its issue was closed as not planned",
    ISSUE_DUPLICATE: "Its issue was closed as a duplicate",
    ISSUE_ABANDONED: "A bot closed its issue, and nobody said that it is done",
}
_UNMERGED = "Its pull request was closed without being merged"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings say of trackers. ``name_of``: an owner's name or login → the one name that they are known by."""

    name_of: Callable[[str], str]
    in_progress_labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What follows from a look: events, the item and the link with them, what the issue is to be changed in (perhaps nothing),
    and what it should hold. The link knows of no change yet (``Link.agreed``)."""

    events: tuple[Event, ...]
    item: Item
    link: Link
    change: Change
    wanted: Draft


def standing_of(item: Item) -> str:
    """How the issue of an item should stand, as far as the item says."""
    return ISSUE_DONE if item.state in COMPLETED else _STANDINGS.get(item.state, ISSUE_OPEN)


def lost(item: Item, link: Link, gone: Gone, now: datetime) -> tuple[tuple[Event, ...], Link]:
    """An issue that is not there any more: noted once. What was done stays done: it was, and it is on record when."""
    if link.lost is not None:
        return (), link
    field, value = ("note", None) if item.is_ended else ("state", LOST)
    at = max(now, item.state_at)
    return (Event(item.item_id, field, value, at, link.tracker, link.tracker, gone.why),), replace(link, lost=gone.why)


def reconciled(item: Item, link: Link, issue: Issue, want: Callable[[Item], Draft], terms: Terms) -> Reconciled:
    """An item and its issue as it was just seen. ``want``: what an issue of ours should hold for an item."""
    events = tuple(_News(item, link, issue, want, terms).events())
    after = applied(item, events)
    wanted = want(after)
    change = _change(link, issue, wanted, {event.field for event in events})
    seen = replace(link.to(issue), base=issue, wrote=_agreed(link, issue, wanted, change))
    return Reconciled(events, after, seen, change, wanted)


@dataclass(frozen=True, slots=True)
class _News:
    """What an issue says that its item has not heard."""

    item: Item
    link: Link
    issue: Issue
    want: Callable[[Item], Draft]
    terms: Terms

    def events(self) -> Iterator[Event]:
        yield from self._state()
        yield from self._owner()
        base = self.link.base
        is_new = self.link.is_ours and base is not None and self.issue.title not in (base.title, self.item.title)
        # A run that was cut off between writing to an issue and noting that has written what is wanted, as it is written there.
        if is_new and self.issue.title != self.want(self.item).title:
            yield self._event("title", self.issue.title)
        yield from self._due()

    def _event(self, field: str, value: str | None, reason: str | None = None, *, is_correction: bool = False) -> Event:
        # Never before what is known of it already, or it would not count.
        at = max(self.issue.since, self.item.state_at if field == "state" else self.item.changed_at)
        actor = self.issue.by or self.link.tracker
        return Event(self.item.item_id, field, value, at, self.link.tracker, actor, reason, is_correction)

    def _state(self) -> Iterator[Event]:
        base, issue, item = self.link.base, self.issue, self.item
        # What stands as it stood when it was last seen says nothing new, but for one that was lost and is there again.
        is_news = base is None or base.standing != issue.standing or self._is_at_it(base) != self._is_at_it(issue)
        is_found = item.state == LOST and self.link.lost is not None
        after = self._state_of_issue()
        if not (is_news or is_found) or after == item.state or (item.is_completed and after == DONE):
            return
        # Linked by people to an issue that stood otherwise all along, or that was closed before the item was known.
        is_correction = (base is None and after not in ENDED) or (after in ENDED and issue.since < item.created_at)
        said = _UNMERGED if issue.is_pull and issue.standing == ISSUE_ABANDONED else _SAID[issue.standing]
        yield self._event("state", after, f"{said}: {issue.url}", is_correction=is_correction)

    def _state_of_issue(self) -> str:
        standing, state, base = self.issue.standing, self.item.state, self.link.base
        if standing == ISSUE_ABANDONED:
            was_over = base is not None and base.standing not in (ISSUE_OPEN, ISSUE_ABANDONED)
            # What people decided stays decided, unless somebody reopened it before the bot closed it once more.
            return state if self.item.is_ended and not was_over else LOST
        if standing != ISSUE_OPEN:
            return {ISSUE_DONE: DONE, ISSUE_DECLINED: DECLINED, ISSUE_DUPLICATE: DUPLICATE}[standing]
        if self._is_at_it(self.issue):
            return IN_PROGRESS
        if base is not None and base.standing == ISSUE_OPEN and self.item.is_ended:
            return state  # a label that was taken off takes nothing from what is done, and not closed yet
        if base is not None and self._is_at_it(base):
            return OPEN
        return state if state in (PROPOSED, OPEN, IN_PROGRESS) else OPEN

    def _is_at_it(self, issue: Issue) -> bool:
        return issue.standing == ISSUE_OPEN and any(label.casefold() in self.terms.in_progress_labels for label in issue.labels)

    def _owner(self) -> Iterator[Event]:
        base, issue, item = self.link.base, self.issue, self.item
        # Where nobody was ever assigned, that takes nothing from who is named.
        before = base.assignees if base is not None else ()
        if set(before) == set(issue.assignees):
            return
        owners = [self.terms.name_of(login) for login in issue.assignees]
        if owners and (item.owner is None or not self._is_one_of(item.owner, issue.assignees)):
            yield self._event("owner", owners[0])
        elif not owners and item.owner is not None and self._is_one_of(item.owner, before):
            yield self._event("owner", None, "Nobody is assigned to its issue any more.")

    def _is_one_of(self, owner: str, logins: Iterable[str]) -> bool:
        return self.terms.name_of(owner) in {self.terms.name_of(login) for login in logins}

    def _due(self) -> Iterator[Event]:
        base, issue, wrote = self.link.base, self.issue, self.link.wrote
        due = issue.milestone_due_on
        if (
            due is None
            or due == self.item.due_on
            or (base is not None and (base.milestone, base.milestone_due_on) == (issue.milestone, due))
        ):
            return
        written = (wrote.milestone if wrote is not None else None, self.want(self.item).milestone)
        is_of_its_month = base is None and issue.milestone == self.want(replace(self.item, due_on=due)).milestone
        if issue.milestone in written or is_of_its_month:
            return  # ours, which stands for a month
        if base is None and not (self.item.due_source or POLICY).startswith(POLICY):
            return  # a date that somebody gave counts before that of a milestone that was there already
        yield self._event("due_on", due.isoformat(), f"Milestone {issue.milestone}")


def _agreed(link: Link, issue: Issue, wanted: Draft, change: Change) -> Draft:
    """What both agree on already: all but what is to be written yet. That may fail, and one field must not hold up the others."""
    wrote = link.wrote
    if wrote is None:
        return wanted
    return replace(
        wanted,
        title=wanted.title if change.title is None else issue.title,
        standing=wanted.standing if change.standing is None else wrote.standing,
        assignee=wanted.assignee if change.assignee is None else wrote.assignee,
        owner=wanted.owner if change.assignee is None else wrote.owner,
        labels=wrote.labels if change.add or change.remove else wanted.labels,
        milestone=wanted.milestone if change.milestone is None else wrote.milestone,
        milestone_due_on=wanted.milestone_due_on if change.milestone is None else wrote.milestone_due_on,
    )


def _change(link: Link, issue: Issue, wanted: Draft, news: set[str]) -> Change:
    """What the issue is to be changed in. What is news was changed there."""
    base, wrote = link.base, link.wrote
    if base is None or wrote is None or issue.is_pull:
        return Change()
    change = Change()
    if "state" not in news and wanted.standing not in (wrote.standing, issue.standing, ISSUE_ABANDONED):
        change = replace(change, standing=wanted.standing)
    assigned = {login.casefold() for login in issue.assignees}
    # Of people's issues nobody is assigned because the settings have learned a login.
    is_said = link.is_ours or wanted.owner != wrote.owner
    is_new = wanted.assignee not in (None, wrote.assignee)
    if is_said and is_new and "owner" not in news and (wanted.assignee or "").casefold() not in assigned:
        change = replace(change, assignee=wanted.assignee)
    if not link.is_ours or ISSUE_OPEN not in (issue.standing, change.standing):
        return change
    # While an issue is closed nothing of this is written; once it is open again, it is.
    was_closed = base.standing != ISSUE_OPEN
    if "title" not in news and wanted.title != issue.title and (was_closed or wanted.title != wrote.title):
        change = replace(change, title=wanted.title)
    is_theirs = issue.milestone != base.milestone
    if "due_on" not in news and not is_theirs and wanted.milestone not in (None, wrote.milestone, issue.milestone):
        change = replace(change, milestone=wanted.milestone, milestone_due_on=wanted.milestone_due_on)
    return _with_labels(change, link, issue, wanted, wrote)


def _with_labels(change: Change, link: Link, issue: Issue, wanted: Draft, wrote: Draft) -> Change:
    """Labels of ours that are missing, and those that are no longer true; people's labels are theirs."""
    present, kept = ({label.casefold() for label in labels} for labels in (issue.labels, wanted.labels))
    missing = tuple(label for label in wanted.labels if label.casefold() not in present)
    stale = tuple(label for label in wrote.labels if label.casefold() in present - kept)
    is_restoring = set(wanted.labels) == set(wrote.labels)
    if not (missing or stale) or (is_restoring and link.restored >= MOST_RESTORED):
        return change
    return replace(change, add=missing, remove=stale)
