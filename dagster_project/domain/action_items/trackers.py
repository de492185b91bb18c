"""What a tracker is to action items: issues that are looked at, opened and changed. GitHub implements it; another one can.

An issue is found by its key and by a hidden mark in its text, never by its title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

ISSUE_OPEN, ISSUE_DONE, ISSUE_DECLINED, ISSUE_DUPLICATE, ISSUE_ABANDONED = (
    "open", "done", "declined", "duplicate", "abandoned",
)  # fmt: skip
"""How an issue stands: open; closed as completed, as not planned, as a duplicate; closed by a bot that nobody asked."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it was seen. ``key``: its name in the tracker; ``standing``: one of the five above; ``since``: when it was
    closed, or changed last while it is open; ``by``: who closed it, where that is known; ``is_ours``: we opened it;
    ``milestone``: its name, with the day it is due on; ``is_pull``: it is a pull request, which is read and never written to."""

    key: str
    url: str
    title: str
    standing: str
    since: datetime
    assignees: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    milestone: str | None = None
    milestone_due_on: date | None = None
    by: str | None = None
    mark: str | None = None
    is_ours: bool = False
    is_pull: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """An issue that is not where it was. ``why`` is a sentence; ``moved_to``: its key now, where that is followed."""

    key: str
    why: str
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue to be opened, or what one should hold. ``owner``: whom ``assignee`` is the login of."""

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    milestone: str | None = None
    milestone_due_on: date | None = None
    standing: str = ISSUE_OPEN
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of an issue; None is left as it is. ``add`` and ``remove`` are labels; those of people stay."""

    title: str | None = None
    standing: str | None = None
    assignee: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    milestone: str | None = None
    milestone_due_on: date | None = None

    def __bool__(self) -> bool:
        return self != Change()


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a tracker showed.

    ``seen``: issues by key; ``gone``: by key; ``marked``: our issues by their mark, of which it is not known who closed them;
    ``not_looked``: keys for which there was no time; ``places``: those that were read whole. Of any other one ``problems`` tell,
    and nothing of it is in the others.
    """

    seen: Mapping[str, Issue] = field(default_factory=dict)
    gone: Mapping[str, Gone] = field(default_factory=dict)
    marked: Mapping[str, Issue] = field(default_factory=dict)
    not_looked: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Tracker(Protocol):
    """A tracker. Its methods raise ``NightshiftError`` where it cannot be reached or refuses."""

    name: str

    def follows(self, key: str) -> bool:
        """Whether issues with such keys are read here. What is not followed is a link and no more."""
        ...

    def place_of(self, key: str) -> str:
        """The place that an issue is in, as the settings write it."""
        ...

    def look(self, known: Mapping[str, Issue | None], to_see: Collection[str]) -> Look:
        """Looks at issues. ``known``: key → the issue as it was seen last, None where it never was; ``to_see``: those that must
        be told of, or that they are gone; of the others only what has changed since the last look, and what is open."""
        ...

    def create(self, place: str, draft: Draft, mark: str) -> Issue:
        """Opens an issue in ``place``, or finds ours that holds ``mark``: never two for one mark."""
        ...

    def find(self, place: str, mark: str, since: datetime) -> Issue | None:
        """Our issue with a mark that was opened since an aware moment; None where there is none."""
        ...

    def change(self, issue: Issue, change: Change) -> Issue:
        """Changes an issue, and gives it as it was, with the change: what others have changed meanwhile is news to the next look.
        Raises ``NightshiftError`` where it was closed, reopened or moved since it was looked at, or the same was changed."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """The tie between an item and its issue, and what both sides were when they last agreed: what differs from that has been
    changed since, and by whom is plain.

    ``place``: where its issue is, or is to be opened; ``key``: None while the issue is being opened; ``base``: the issue as it
    was seen last; ``wrote``: what we had it hold last. ``restored``: how often labels were put back; ``lost``: why nobody finds
    it any more.
    """

    item_id: str
    tracker: str
    place: str
    key: str | None
    mark: str
    is_ours: bool
    url: str | None = None
    begun_at: datetime | None = None
    base: Issue | None = None
    wrote: Draft | None = None
    restored: int = 0
    lost: str | None = None

    def to(self, issue: Issue) -> Link:
        """The link to an issue that was opened, or found again. One that was opened for another item is not this one's."""
        is_ours = issue.is_ours and issue.mark == self.mark
        return replace(self, key=issue.key, url=issue.url, is_ours=is_ours, lost=None)

    def agreed(self, issue: Issue, wanted: Draft) -> Link:
        """The link after an issue was opened or changed to hold what it should. Only now labels count as put back: a change that
        was planned may not have been made."""
        return replace(self.to(issue), base=issue, wrote=wanted, restored=self.restored + self._is_restored(issue))

    def _is_restored(self, issue: Issue) -> bool:
        if self.base is None or self.wrote is None:
            return False
        before, after = ({label.casefold() for label in labels} for labels in (self.base.labels, issue.labels))
        return any(label.casefold() in after - before for label in self.wrote.labels)
