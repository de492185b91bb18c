"""The values of an approval: the plan that is asked about, the request, and the events that made it what it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dagster_project.domain.proposals.model import RISKS, UNOWNED, Change, Evidence

PENDING, APPROVED, EXECUTING = "pending", "approved", "executing"
REJECTED, SNOOZED, EXPIRED, WITHDRAWN = "rejected", "snoozed", "expired", "withdrawn"
EXECUTED, FAILED, ROLLED_BACK = "executed", "failed", "rolled_back"
LIVE = (PENDING, APPROVED, EXECUTING)
ENDED = (REJECTED, SNOOZED, EXPIRED, WITHDRAWN, EXECUTED, FAILED, ROLLED_BACK)
"""States that never change again."""

SLACK, GITHUB, COMMAND_LINE, NIGHT = "slack", "github", "command line", "night"
"""Where an event comes from."""


@dataclass(frozen=True, slots=True)
class AskedChange:
    """One change that is asked for. ``account_id`` and ``region`` say which cloud it is made in; ``note`` is what an
    approver must know beside the numbers."""

    resource_id: str
    resource_type: str
    account_id: str | None
    region: str | None
    attribute: str
    before: str
    after: str
    savings_usd_month: float
    exceedance_pct: float | None
    risk: str
    risk_reasons: tuple[str, ...]
    why: str
    evidence: Evidence
    note: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class PlanKey:
    """What a request is about. It holds no date: a night finds the request of the same key, and revises it."""

    service: str | None
    environment: str | None
    owner: str
    risk: str
    is_rollback: bool = False

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for the key."""
        return _sha256([self.service, self.environment, self.owner, self.risk, self.is_rollback])[:12]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, all of it or nothing: an approval counts for exactly this."""

    key: PlanKey
    changes: tuple[AskedChange, ...]

    @property
    def resource_ids(self) -> tuple[str, ...]:
        return tuple(change.resource_id for change in self.changes)

    @property
    def savings_usd_month(self) -> float:
        return sum(change.savings_usd_month for change in self.changes)

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that is asked, the numbers that an approver is shown among it."""
        return _sha256(plan_to_json(self))


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who answers. ``email`` is who they are wherever they answer from (None where that is not known), ``name`` what
    they are called there; ``may_approve`` is whether they are an approver at this moment."""

    name: str
    source: str
    email: str | None
    may_approve: bool

    @property
    def said(self) -> str:
        return self.email or self.name


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of the present revision."""

    email: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One approval request as it stands: the fold of its events."""

    request_id: str
    plan: Plan
    revision: int
    state: str
    opened_at: datetime
    expires_at: datetime
    approvals: tuple[Approval, ...] = ()
    reason: str | None = None
    changed_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a request. ``plan_digest`` is the plan that it was about, ``data`` what its kind needs."""

    request_id: str
    kind: str
    at: datetime
    actor: str
    source: str
    revision: int
    plan_digest: str
    data: Mapping[str, Any]


def plan_of(key: PlanKey, changes: Mapping[str, AskedChange]) -> Plan:
    """The plan of changes by resource, in the order of their names."""
    return Plan(key, tuple(changes[name] for name in sorted(changes)))


def key_of(change: Change) -> PlanKey:
    """The key of the request that a change belongs to."""
    return PlanKey(change.service, change.environment, change.team or UNOWNED, change.risk, change.is_rollback)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """A plan as JSON values."""
    return {"key": asdict(plan.key), "changes": [asdict(change) for change in plan.changes]}


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """The plan that ``plan_to_json`` wrote; raises ``KeyError``, ``TypeError`` or ``ValueError`` where it did not."""
    changes = []
    for each in data["changes"]:
        if each["risk"] not in RISKS:
            raise ValueError(each["risk"])
        evidence = {**each["evidence"], "demand": tuple(each["evidence"]["demand"])}
        changes.append(AskedChange(**{**each, "risk_reasons": tuple(each["risk_reasons"]), "evidence": Evidence(**evidence)}))
    return Plan(PlanKey(**data["key"]), tuple(changes))


def canonical(value: Any) -> str:
    """JSON in the one form that is hashed: sorted names, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()
