"""Pull requests as they are seen on GitHub, and as they are remembered in the state store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from dagster_project.domain.proposals.model import Change
from dagster_project.domain.proposals.payload import Payload

# Of the record, not of GitHub: what Nightshift was about to do is written down before it is done.
OPENING = "opening"  # a branch may be there, a pull request may be
OPEN = "open"
CLOSING = "closing"  # we are closing it
CLOSED = "closed"  # by us
REJECTED = "rejected"  # by a person, unmerged
MERGED = "merged"  # not live yet
APPLIED = "applied"  # merged, and live
REVERTED = "reverted"  # merged, and taken back in the code
PENDING = (OPENING, OPEN, CLOSING)
"""States in which a pull request may be open."""


@dataclass(frozen=True, slots=True)
class SeenPull:
    """A pull request of ours as GitHub has it. ``digest`` is its group's, from the branch; ``closed_by`` is asked for only where
    it was closed unmerged."""

    number: int
    digest: str
    branch: str
    base: str
    head_sha: str
    is_open: bool
    title: str
    body: str
    url: str
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    closed_by: str | None = None
    merge_sha: str | None = None


@dataclass(frozen=True, slots=True)
class PullRecord:
    """A pull request as the state store has it.

    ``head_sha`` is the commit that we pushed, ``pending_sha`` one that we were about to push; another one on the branch is a
    person's. ``confirmed_on`` is the last day whose evidence spoke for all of it. ``rebuild`` is not None where somebody asked
    for it to be made anew: it begins the id of a commit that may be replaced. ``merge_sha`` is the commit that a merge made on
    the base, ``closed_at`` when we closed it.
    """

    id: int
    repository: str
    digest: str
    branch: str
    state: str
    payload: Payload
    opened_on: date
    confirmed_on: date
    number: int | None = None
    head_sha: str | None = None
    pending_sha: str | None = None
    url: str | None = None
    reason: str | None = None
    frozen_sha: str | None = None
    rebuild: str | None = None
    merged_at: datetime | None = None
    merge_sha: str | None = None
    closed_at: datetime | None = None
    ended_on: date | None = None

    @property
    def known_shas(self) -> frozenset[str]:
        """Commits on the branch that are ours."""
        return frozenset(sha for sha in (self.head_sha, self.pending_sha) if sha)


Merged = Mapping[tuple[str, bool], PullRecord]
"""Merged pull requests that are not live as a whole, by resource and whether they go back with it."""


def not_live(records: Iterable[PullRecord]) -> Merged:
    """The merged ones of some records, by what they hold."""
    return {
        (each.resource_id, each.evidence.is_rollback): record
        for record in records
        if record.state == MERGED
        for each in record.payload.resources
    }


def waits_for(change: Change, merged: Merged) -> PullRecord | None:
    """The merged pull request that a change waits for, until it is live. What goes back waits for no smaller size: of a merged
    one some resources may be live, and in need, while others are not."""
    back = merged.get((change.resource_id, True))
    return back if back is not None or change.is_rollback else merged.get((change.resource_id, False))
