"""The state machine of approvals: what an event makes of a request, and which events a command may cause.

    pending ──approve──▶ approved ──begin──▶ executing ──▶ executed | failed | rolled_back
       │  ▲                 │
       │  └─── revise ──────┤ (a changed plan voids approvals)
       └──▶ rejected | snoozed | expired | withdrawn ◀──┘

``decide`` is pure: a request, a command and a moment give the events that follow, or a refusal with a sentence for whoever asked.
``evolve`` folds one event. What is stored is nothing but the fold of the events, so that a chain of them proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dagster_project.domain.approvals.model import (
    APPROVED,
    ENDED,
    EXECUTED,
    EXECUTING,
    EXPIRED,
    FAILED,
    NIGHT,
    PENDING,
    REJECTED,
    ROLLED_BACK,
    SLACK,
    SNOOZED,
    WITHDRAWN,
    Actor,
    Approval,
    Event,
    Plan,
    Request,
    plan_from_json,
    plan_to_json,
)
from dagster_project.domain.proposals.model import HIGH

OPENED, REVISED, APPROVAL, COMPLETE, BEGUN = "opened", "revised", "approval", "approved", "executing"
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Policy:
    """How many people must approve, and how long a question and an answer hold. Hours; people by risk.

    With ``high_risk_beyond_slack`` one approval of high risk must come from elsewhere than Slack, whose sessions outlive a second
    factor.
    """

    approvals: Mapping[str, int]
    answer_hours: float = 72
    valid_hours: float = 168
    high_risk_beyond_slack: bool = True

    def needed(self, risk: str) -> int:
        """People who must approve: two where the settings say nothing of a risk."""
        return self.approvals.get(risk, 2)


@dataclass(frozen=True, slots=True)
class Approve:
    """Somebody approves. ``revision`` and ``plan_digest`` are what they were shown."""

    actor: Actor
    revision: int
    plan_digest: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Somebody says no; one is enough."""

    actor: Actor
    reason: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """Somebody puts it off until a day."""

    actor: Actor
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class Revise:
    """The plan is another one by now."""

    plan: Plan
    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """The time to answer, or to apply what was answered, may be over."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What spoke for the plan is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Applying is about to begin. ``plan_digest`` is the plan that would be applied."""

    plan_digest: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Applying is over: ``state`` is executed, failed or rolled_back."""

    state: str
    reason: str


Command = Approve | Reject | Snooze | Revise | Expire | Withdraw | Begin | Finish


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events that a command caused; none where it had been done before. ``said`` is a sentence for whoever asked."""

    events: tuple[Event, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command is not followed: a sentence for whoever asked."""

    said: str


def opened(request_id: str, plan: Plan, now: datetime, policy: Policy) -> Event:
    """The first event of a request."""
    data = {"plan": plan_to_json(plan), "expires_at": _stamp(now + timedelta(hours=policy.answer_hours))}
    return Event(request_id, OPENED, now, "nightshift", NIGHT, 1, plan.digest, data)


def decide(request: Request, command: Command, now: datetime, policy: Policy) -> Accepted | Refused:
    """What a command does to a request at a moment."""
    match command:
        case Approve():
            return _approve(request, command, now, policy)
        case Reject(actor, reason):
            return _answer_no(request, REJECTED, actor, {"reason": reason[:_LONGEST_REASON]}, now)
        case Snooze(actor, until, reason):
            return _answer_no(request, SNOOZED, actor, {"reason": reason[:_LONGEST_REASON], "until": until.isoformat()}, now)
        case Revise(plan, reason):
            return _revise(request, plan, reason, now, policy)
        case Expire():
            return _expire(request, now)
        case Withdraw(reason):
            if request.state == EXECUTING:
                return Refused("It is being applied.")
            return _night(request, WITHDRAWN, {"reason": reason}, now)
        case Begin(plan_digest):
            return _begin(request, plan_digest, now, policy)
        case Finish(state, reason):
            if state not in (EXECUTED, FAILED, ROLLED_BACK):
                raise ValueError(state)
            if request.state != EXECUTING:
                return Refused(f"It is {request.state}, not being applied.")
            return Accepted((_event(request, state, now, "nightshift", NIGHT, {"reason": reason}),), reason)


def evolve(request: Request | None, event: Event) -> Request:
    """A request after an event. Raises ``ValueError`` for one that cannot follow: its chain was tampered with."""
    if event.kind == OPENED:
        if request is not None:
            raise ValueError("opened twice")
        plan = plan_from_json(event.data["plan"])
        _same(plan.digest, event)
        return Request(event.request_id, plan, 1, PENDING, event.at, _moment(event.data["expires_at"]), changed_at=event.at)
    if request is None or request.request_id != event.request_id:
        raise ValueError("not opened")
    if request.state in ENDED:
        raise ValueError(f"{event.kind} after its end")
    if event.kind == REVISED:
        if request.state == EXECUTING or event.revision != request.revision + 1:
            raise ValueError("revised out of turn")
        plan = plan_from_json(event.data["plan"])
        _same(plan.digest, event)
        return replace(
            request,
            plan=plan,
            revision=event.revision,
            state=PENDING,
            approvals=(),
            expires_at=_moment(event.data["expires_at"]),
            reason=event.data["reason"],
            changed_at=event.at,
        )
    if event.revision != request.revision:
        raise ValueError("of another revision")
    _same(request.plan.digest, event)
    if event.kind == APPROVAL:
        if request.state != PENDING:
            raise ValueError(f"an approval while {request.state}")
        if any((each.email, each.source) == (event.actor, event.source) for each in request.approvals):
            raise ValueError("approved twice by the same person")
        approval = Approval(event.actor, event.source, event.at)
        return replace(request, approvals=(*request.approvals, approval), changed_at=event.at)
    came_from = {
        COMPLETE: (PENDING,),
        BEGUN: (APPROVED,),
        EXECUTED: (EXECUTING,),
        FAILED: (EXECUTING,),
        ROLLED_BACK: (EXECUTING,),
        REJECTED: (PENDING, APPROVED),
        SNOOZED: (PENDING, APPROVED),
        EXPIRED: (PENDING, APPROVED),
        WITHDRAWN: (PENDING, APPROVED),
    }
    if request.state not in came_from.get(event.kind, ()):
        raise ValueError(f"{event.kind} while {request.state}")
    expires_at = _moment(event.data["expires_at"]) if event.kind == COMPLETE else request.expires_at
    return replace(request, state=event.kind, reason=event.data.get("reason"), expires_at=expires_at, changed_at=event.at)


def missing(request: Request, policy: Policy) -> str | None:
    """What the approvals of a request lack, in words; None where they suffice."""
    risk = request.plan.key.risk
    needed = policy.needed(risk)
    lacking = needed - len({each.email for each in request.approvals})
    if lacking > 0:
        return f"{lacking} more {'person' if lacking == 1 else 'people'} must approve ({needed} for {risk} risk)"
    if risk == HIGH and policy.high_risk_beyond_slack and all(each.source == SLACK for each in request.approvals):
        return "one approval of high risk must come from GitHub or the command line"
    return None


def _approve(request: Request, command: Approve, now: datetime, policy: Policy) -> Accepted | Refused:
    actor = command.actor
    if request.state in ENDED:
        return Refused(_over(request))
    if not actor.may_approve:
        return Refused(f"{actor.said} is no approver; the settings name who is.")
    if actor.email is None:
        return Refused(f"The e-mail address of {actor.name} is not known, so it cannot be told from another approver.")
    if (command.revision, command.plan_digest) != (request.revision, request.plan.digest):
        return Refused(f"The plan has changed since (revision {request.revision} now); look at it and approve it anew.")
    if request.state in (APPROVED, EXECUTING):
        return Accepted((), f"It is {request.state} already.")
    if now >= request.expires_at:
        return Refused(f"It expired on {request.expires_at:%Y-%m-%d %H:%M} UTC.")
    email = actor.email.lower()
    if any((each.email, each.source) == (email, actor.source) for each in request.approvals):
        return Accepted((), f"{email} has approved it already; {missing(request, policy) or 'nothing is missing'}.")
    event = _event(request, APPROVAL, now, email, actor.source, {"name": actor.name})
    after = evolve(request, event)
    lacking = missing(after, policy)
    if lacking is not None:
        return Accepted((event,), f"Approved by {email}; {lacking}.")
    until = now + timedelta(hours=policy.valid_hours)
    done = _event(after, COMPLETE, now, email, actor.source, {"expires_at": _stamp(until)})
    return Accepted((event, done), f"Approved by {email}; it may be applied until {until:%Y-%m-%d %H:%M} UTC.")


def _answer_no(request: Request, kind: str, actor: Actor, data: Mapping[str, Any], now: datetime) -> Accepted | Refused:
    if request.state == kind:
        return Accepted((), f"It is {kind} already.")
    if request.state in ENDED:
        return Refused(_over(request))
    if request.state == EXECUTING:
        return Refused("It is being applied; the kill switch stops that.")
    # Only an approver may have the last word, also against: otherwise anybody in a channel could stop a saving for ever.
    if not actor.may_approve:
        return Refused(f"{actor.said} is no approver; the settings name who is.")
    if not data["reason"].strip():
        return Refused("Say why, so that nobody has to ask again.")
    if kind == SNOOZED and data["until"] <= now.date().isoformat():
        return Refused(f"{data['until']} is over; name a day to come.")
    until = f" until {data['until']}" if kind == SNOOZED else ""
    return Accepted((_event(request, kind, now, actor.said.lower(), actor.source, data),), f"{kind} by {actor.said}{until}.")


def _revise(request: Request, plan: Plan, reason: str, now: datetime, policy: Policy) -> Accepted | Refused:
    if request.state in ENDED:
        return Refused(_over(request))
    if request.state == EXECUTING:
        return Refused("It is being applied.")
    if plan.key != request.plan.key:
        raise ValueError("a request keeps its key")
    if plan.digest == request.plan.digest:
        return Accepted((), "Nothing has changed.")
    data = {"plan": plan_to_json(plan), "reason": reason, "expires_at": _stamp(now + timedelta(hours=policy.answer_hours))}
    event = Event(request.request_id, REVISED, now, "nightshift", NIGHT, request.revision + 1, plan.digest, data)
    return Accepted((event,), reason)


def _expire(request: Request, now: datetime) -> Accepted | Refused:
    if request.state in (PENDING, APPROVED) and now >= request.expires_at:
        reason = "nobody answered in time" if request.state == PENDING else "it could not be applied in time"
        return _night(request, EXPIRED, {"reason": reason}, now)
    return Accepted((), "It is not due.")


def _night(request: Request, kind: str, data: Mapping[str, Any], now: datetime) -> Accepted | Refused:
    if request.state in ENDED:
        return Accepted((), f"It is {request.state} already.")
    return Accepted((_event(request, kind, now, "nightshift", NIGHT, data),), f"{kind}: {data['reason']}")


def _begin(request: Request, plan_digest: str, now: datetime, policy: Policy) -> Accepted | Refused:
    if request.state not in (APPROVED, EXECUTING):
        return Refused(f"It is {request.state}, not approved.")
    if plan_digest != request.plan.digest:
        return Refused("The plan has changed since it was approved.")
    if now >= request.expires_at:
        return Refused(f"Its approval expired on {request.expires_at:%Y-%m-%d %H:%M} UTC.")
    # The policy may have become stricter since: what counts is the one of now.
    lacking = missing(request, policy)
    if lacking is not None:
        return Refused(f"By the settings of now {lacking}.")
    if request.state == EXECUTING:
        return Accepted((), "It is being applied already.")
    return Accepted((_event(request, BEGUN, now, "nightshift", NIGHT, {}),), "It is being applied.")


def _event(request: Request, kind: str, now: datetime, actor: str, source: str, data: Mapping[str, Any]) -> Event:
    return Event(request.request_id, kind, now, actor, source, request.revision, request.plan.digest, data)


def _over(request: Request) -> str:
    return f"It is {request.state}" + (f" ({request.reason})." if request.reason else ".")


def _same(digest: str, event: Event) -> None:
    if digest != event.plan_digest:
        raise ValueError("about another plan")


def _stamp(at: datetime) -> str:
    return at.isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
