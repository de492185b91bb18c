"""What people answered, and how long it holds; what is a material change of evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_project.domain.proposals.model import Change, Evidence

REJECTED, SNOOZED = "rejected", "snoozed"
_TOLERANCE = math.log(1.15)
"""Demands that differ by less are the same: a number that moved is no news to somebody who has decided."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said about one resource. ``source`` tells one answer from every other, so that it is noted once. ``after``
    and ``evidence`` are what was proposed then; ``until`` is the first day on which a snooze is over."""

    resource_id: str
    kind: str
    actor: str
    reason: str
    source: str
    answered_at: datetime
    until: date | None = None
    after: str | None = None
    evidence: Evidence | None = None


def is_material(before: Evidence, now: Evidence) -> bool:
    """Whether evidence is news: another reason, more or fewer events, or a demand that moved by more than fifteen percent."""
    same = (before.reason_code, before.emergencies, before.replayed_events)
    if same != (now.reason_code, now.emergencies, now.replayed_events) or len(before.demand) != len(now.demand):
        return True
    return any(_differs(was, will) for was, will in zip(before.demand, now.demand, strict=True))


def _differs(was: float | None, will: float | None) -> bool:
    if was is None or will is None:
        return (was is None) != (will is None)
    if was <= 0 or will <= 0:
        return (was <= 0) != (will <= 0)
    return abs(math.log(will) - math.log(was)) > _TOLERANCE


def is_about(answer: Answer, change: Change) -> bool:
    """Whether an answer speaks of a change at all. Who does not want a smaller size has nothing against going back. Who does not
    want to take one change back has said nothing about another one, nor about the next smaller size."""
    if change.is_rollback:
        return answer.evidence is not None and answer.evidence.fingerprint == change.evidence.fingerprint
    return not is_about_rollback(answer)


def is_about_rollback(answer: Answer) -> bool:
    """Whether an answer was given to a change that goes back."""
    return answer.evidence is not None and answer.evidence.is_rollback


def holds(answer: Answer, day: date, rejection_days: int) -> bool:
    """Whether an answer stands on a day whatever is proposed."""
    if answer.kind == SNOOZED:
        return answer.until is None or day < answer.until
    return day < answer.answered_at.date() + timedelta(days=rejection_days)


def forbids(answer: Answer, change: Change, day: date, rejection_days: int) -> bool:
    """Whether an answer speaks against a change: while it holds, and a rejection also afterwards until there is news. Of what
    goes back another emergency is news at once."""
    if not is_about(answer, change):
        return False
    if change.is_rollback and answer.kind == REJECTED and answer.evidence is not None:
        return not is_material(answer.evidence, change.evidence)
    if holds(answer, day, rejection_days):
        return True
    if answer.kind == SNOOZED or answer.evidence is None:
        return False
    return answer.after == change.after and not is_material(answer.evidence, change.evidence)


def first_holding(answers: Sequence[Answer], day: date, rejection_days: int) -> Answer | None:
    """The answer to a resource that stands on a day, whatever is proposed: of several the first that does."""
    return next((answer for answer in answers if holds(answer, day, rejection_days)), None)


def first_forbidding(answers: Sequence[Answer], change: Change, day: date, rejection_days: int) -> Answer | None:
    """The answer that speaks against a change: of several the first that does."""
    return next((answer for answer in answers if forbids(answer, change, day, rejection_days)), None)


def told(answer: Answer) -> str:
    """The answer in a few words."""
    reason = f": {answer.reason}" if answer.reason else ""
    until = f" until {answer.until}" if answer.until else ""
    return f"{answer.kind} by {answer.actor} on {answer.answered_at:%Y-%m-%d}{until}{reason}"
