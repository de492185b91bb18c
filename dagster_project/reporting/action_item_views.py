"""Action items in the morning report: how many get done and when, what is overdue, and who was reminded."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d+)?/[\w./-]+", re.ASCII)


@dataclass(frozen=True)
class Share:
    """A figure with what it is a share of. ``note`` says what is counted; ``of`` zero: there is nothing to tell yet."""

    name: str
    count: int
    of: int
    note: str


@dataclass(frozen=True)
class Curve:
    """The share of items that is not done yet by their age: ``steps`` of (days, share 0..1), ascending; ``days``: how far the
    oldest item goes; ``median_days``: when half are done, None where that is not reached; ``items`` and ``done``: how many it is
    made of."""

    steps: tuple[tuple[int, float], ...]
    days: int
    median_days: float | None
    items: int
    done: int


@dataclass(frozen=True)
class ItemLine:
    """An item that needs somebody. ``late``: days since it was due, None where it is not; ``note``: what else there is to say."""

    item_id: str
    title: str
    incident_id: str | None
    owner: str
    team: str
    due: str
    late: int | None
    state: str
    tracker: str | None = None
    url: str | None = None
    note: str = ""

    @property
    def link(self) -> str | None:
        """The address of its issue, where it is a plain one."""
        return self.url if self.url is not None and _ADDRESS.fullmatch(self.url) else None


@dataclass(frozen=True)
class GroupLine:
    """The figures of a team or a type: counts with their denominators."""

    name: str
    items: int
    open: int
    overdue: int
    due: int
    done_of_due: int
    due_judged: int
    done_at_due: int
    done_dated: int
    on_time: int
    slips: int
    ever_done: int
    reopened: int
    observed: int
    came_back: int


@dataclass(frozen=True)
class ActionItems:
    """The section. ``more``: lines that are not shown; ``reminders``: what became of digests; ``problems``: what keeps items from
    being followed."""

    sentence: str = "No action item is known."
    shares: tuple[Share, ...] = ()
    curve: Curve | None = None
    lines: tuple[ItemLine, ...] = ()
    more: int = 0
    teams: tuple[GroupLine, ...] = ()
    types: tuple[GroupLine, ...] = ()
    reminders: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
