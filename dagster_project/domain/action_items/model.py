"""An action item, and what happens to it: one event a fact, never changed and never deleted.

Days are UTC, times naive UTC. An item is what its events come to (``folding``); nothing else is stored of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

PROPOSED, OPEN, IN_PROGRESS, DONE, VERIFIED, DECLINED, DUPLICATE, LOST = (
    "proposed", "open", "in_progress", "done", "verified", "declined", "duplicate", "lost",
)  # fmt: skip
STATES: Mapping[str, str] = MappingProxyType(
    {
        PROPOSED: "somebody suggested it, nobody took it on",
        OPEN: "it is to be done",
        IN_PROGRESS: "somebody is at it",
        DONE: "it was done",
        VERIFIED: "it was done, and somebody looked whether it works",
        DECLINED: "people decided against it",
        DUPLICATE: "another item stands for it",
        LOST: "its issue was deleted or moved, or a bot closed it: nobody looks after it, and nobody said that it is done",
    }
)
COMPLETED = frozenset((DONE, VERIFIED))
ENDED = COMPLETED | {DECLINED, DUPLICATE}
"""States in which nothing is left to do. A lost item is not ended: nobody decided anything."""

TYPES = ("prevent", "detect", "mitigate", "process", "investigate")

CREATED, NOTE = "created", "note"
"""Fields of events that set no single field: the first one, which holds all of them, and a remark without effect."""
FIELDS = (
    "incident_id", "title", "item_type", "priority", "owner", "team", "due_on", "state", "tracker", "tracker_key", "verification",
)  # fmt: skip
"""What an event may set."""

CONTRACT, DOCUMENT, IMPORT, PERSON, POLICY = "incident_action_items", "postmortem", "import", "person", "policy"
"""Sources of events beside trackers, which are called by their names: the decision engine's table, a postmortem of ours that
people edited, an imported one, somebody on the command line, and the due-date policy."""
GITHUB = "github"

_ASCII_SIGNS = re.compile(r"[^a-z0-9_]+")
_WORDS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about an item. ``field`` is one of ``FIELDS``, ``created`` (``value``: all fields as JSON) or ``note``.

    ``happened_at`` is when it became so, as far as that is known; ``is_correction``: something turned out to have been otherwise
    from the start, so that nothing was reopened and no date slipped.
    """

    item_id: str
    field: str
    value: str | None
    happened_at: datetime
    source: str
    actor: str
    reason: str | None = None
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An action item as of a moment.

    ``due_source``: who gave the date (policy, a source's name); ``first_due_on``: the first date it had; ``slips`` and
    ``slipped_days``: how often people moved it later, and by how much in all. ``done_at``: when it was done, once for each time
    that it was reopened; None where nobody knows that, and then ``is_done_at_known`` is false.
    ``state_reason``: why it has its state since ``state_at``, where somebody said.
    """

    item_id: str
    incident_id: str | None
    title: str
    item_type: str | None
    priority: str | None
    owner: str | None
    team: str | None
    due_on: date | None
    due_source: str | None
    first_due_on: date | None
    state: str
    state_reason: str | None
    tracker: str | None
    tracker_key: str | None
    verification: str | None
    origin: str
    created_at: datetime
    changed_at: datetime
    state_at: datetime
    done_at: datetime | None = None
    is_done_at_known: bool = True
    ended_at: datetime | None = None
    reopened: int = 0
    slips: int = 0
    slipped_days: int = 0

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED

    @property
    def is_completed(self) -> bool:
        """Whether it was done."""
        return self.state in COMPLETED

    def is_overdue(self, day: date) -> bool:
        """Whether it should have been done before a day."""
        return not self.is_ended and self.due_on is not None and self.due_on < day


def same_words(title: str) -> str:
    """A title without what does not matter for telling two apart: case, punctuation, spaces, how letters are encoded.

    A title of signs alone stays as it is, or all such titles would be the same.
    """
    if title.isascii():
        text = title.lower()
        words = _ASCII_SIGNS.sub(" ", text).split()
    else:
        text = unicodedata.normalize("NFKC", title).casefold()
        words = "".join(letter if _is_of_a_word(letter) else " " for letter in text).split()
    return " ".join(words or text.split())


def _is_of_a_word(letter: str) -> bool:
    # Vowel signs of Hindi or Thai are marks, not letters, and tell words apart.
    return letter.isalnum() or letter == "_" or unicodedata.category(letter).startswith("M")


def state_of(word: str | None) -> str:
    """The state that a source means. A word that nobody knows is taken for open: work that is left rather than forgotten."""
    return _STATES.get(_WORDS.sub("_", (word or "").strip().casefold()).strip("_"), OPEN)


def type_of(word: str | None) -> str | None:
    """A type in lower case; those of ``TYPES`` by their beginnings, for sources write Prevention, detection, mitigated."""
    told = (word or "").strip().casefold()
    beginnings = {
        "prevent": "prevent",
        "detect": "detect",
        "mitigat": "mitigate",
        "process": "process",
        "investigat": "investigate",
    }
    return next((known for begin, known in beginnings.items() if told.startswith(begin)), told or None)


_STATES = {
    "proposed": PROPOSED, "suggested": PROPOSED, "draft": PROPOSED, "triage": PROPOSED,
    "in_progress": IN_PROGRESS, "started": IN_PROGRESS, "doing": IN_PROGRESS, "wip": IN_PROGRESS, "ongoing": IN_PROGRESS,
    "in_review": IN_PROGRESS,
    "done": DONE, "closed": DONE, "completed": DONE, "complete": DONE, "resolved": DONE, "fixed": DONE, "merged": DONE,
    "finished": DONE,
    "verified": VERIFIED,
    "declined": DECLINED, "rejected": DECLINED, "cancelled": DECLINED, "canceled": DECLINED, "wontfix": DECLINED,
    "won_t_fix": DECLINED, "wont_fix": DECLINED, "won_t_do": DECLINED, "not_planned": DECLINED, "abandoned": DECLINED,
    "duplicate": DUPLICATE,
    "lost": LOST,
}  # fmt: skip
