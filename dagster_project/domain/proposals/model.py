"""The values that a proposal is made of: a change of one resource, an item (one literal of the code), a group of items."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

REPORT_ONLY, PROPOSE, APPLY = "report_only", "propose", "apply"
LOW, MEDIUM, HIGH = "low", "medium", "high"
RISKS = (LOW, MEDIUM, HIGH)
SHRINK, ROLLBACK = "shrink", "rollback"
KINDS = (SHRINK, ROLLBACK)
ROLLBACK_AFTER_EMERGENCY = "rollback_after_emergency"
"""Reason code of a change that goes back to what there was before, because an emergency followed."""
BRANCH_PREFIX = "nightshift/"
UNOWNED = "unowned"

_NO_SLUG = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 60


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a proposal stood on, as far as it is compared later. ``demand`` are the required capacities by dimension, in physical
    units; None where one is unknown."""

    fingerprint: str
    reason_code: str
    demand: tuple[float | None, ...]
    emergencies: int
    replayed_events: int

    @property
    def is_rollback(self) -> bool:
        """Whether it speaks for going back, not for a smaller size."""
        return self.reason_code == ROLLBACK_AFTER_EMERGENCY


@dataclass(frozen=True, slots=True)
class Change:
    """What is proposed for one resource. ``savings_usd_month`` and ``expected_usd_month`` (after risk) are USD a month, negative
    for what costs more."""

    resource_id: str
    resource_type: str
    service: str | None
    team: str | None
    environment: str | None
    region: str | None
    attribute: str
    before: str
    after: str
    savings_usd_month: float
    expected_usd_month: float
    risk: str
    risk_reasons: tuple[str, ...]
    evidence: Evidence

    @property
    def is_rollback(self) -> bool:
        """Whether it goes back to what there was before an earlier change."""
        return self.evidence.is_rollback

    @property
    def kind(self) -> str:
        return ROLLBACK if self.is_rollback else SHRINK


@dataclass(frozen=True, slots=True)
class Item:
    """One literal of the code, with every resource whose size it is. Several resources share a literal under ``count``."""

    file: str
    start_byte: int
    line: int
    before: str
    after: str
    changes: tuple[Change, ...]
    addresses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    other_plans: tuple[str, ...] = ()

    @property
    def resource_ids(self) -> tuple[str, ...]:
        return tuple(change.resource_id for change in self.changes)

    @property
    def savings_usd_month(self) -> float:
        return sum(change.savings_usd_month for change in self.changes)

    @property
    def expected_usd_month(self) -> float:
        return sum(change.expected_usd_month for change in self.changes)

    @property
    def risk(self) -> str:
        """The highest of its resources'."""
        return max((change.risk for change in self.changes), key=RISKS.index)

    @property
    def owner(self) -> str:
        """The teams of its resources."""
        return "+".join(sorted({change.team or UNOWNED for change in self.changes}))


@dataclass(frozen=True, slots=True, order=True)
class GroupKey:
    """What one pull request is about. It holds no date: the same group has the same branch for ever. What goes back and what
    shrinks are never in one group."""

    repository: str
    base: str
    root: str
    workspace: str
    owner: str
    risk: str
    kind: str = SHRINK

    @property
    def is_rollback(self) -> bool:
        return self.kind == ROLLBACK

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for the group."""
        parts = [self.repository.lower(), self.base, self.root, self.workspace, self.owner, self.risk]
        # Groups that shrink were there before there was another kind, and keep their digests.
        parts += [] if self.kind == SHRINK else [self.kind]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def branch(self) -> str:
        """The group's branch: words for people, the digest for us."""
        what = self.kind if self.is_rollback else self.risk
        words = _NO_SLUG.sub("-", f"{self.root} {self.workspace} {self.owner} {what}".lower()).strip("-")
        return f"{BRANCH_PREFIX}{words[:_LONGEST_SLUG].rstrip('-')}-{self.digest}"


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one pull request."""

    key: GroupKey
    items: tuple[Item, ...]

    @property
    def resource_ids(self) -> tuple[str, ...]:
        return tuple(sorted(name for item in self.items for name in item.resource_ids))

    @property
    def savings_usd_month(self) -> float:
        return sum(item.savings_usd_month for item in self.items)

    @property
    def expected_usd_month(self) -> float:
        return sum(item.expected_usd_month for item in self.items)


def digest_of_branch(branch: str) -> str | None:
    """The group that a branch belongs to; None where it is none of ours."""
    found = re.fullmatch(re.escape(BRANCH_PREFIX) + r"(?:[a-z0-9-]*-)?([0-9a-f]{12})", branch)
    return found.group(1) if found else None
