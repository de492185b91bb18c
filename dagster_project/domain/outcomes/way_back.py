"""Going back: a change that an emergency scale-up followed is proposed the other way round, for as long as it is there.

It is proposed for four weeks after the emergency: so long an emergency forbids a smaller size too.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date

from dagster_project.domain.outcomes.model import KEPT_DAYS, MIN_SIZE, WATCHED_DAYS, Outcome
from dagster_project.domain.proposals.model import LOW, ROLLBACK_AFTER_EMERGENCY, Change, Evidence


def is_listed(outcome: Outcome, day: date) -> bool:
    """Whether an outcome is still told of on a day."""
    since = outcome.applied_on or outcome.change.noted_on
    return (day - since).days <= KEPT_DAYS or is_to_go_back(outcome, day)


def is_to_go_back(outcome: Outcome, day: date) -> bool:
    """Whether a change is to be taken back: an emergency followed, and it is there as it was made."""
    at = outcome.last_emergency_at
    if at is None or outcome.change.is_rollback or not is_there(outcome):
        return False
    return (day - at.date()).days < WATCHED_DAYS


def is_there(outcome: Outcome) -> bool:
    """Whether the inventory shows a change still, and as the last one."""
    is_over = outcome.is_reversed is not False or outcome.superseded_on is not None
    return not is_over and outcome.value_now == outcome.change.value_after


def way_back(outcome: Outcome) -> Change:
    """The reverse of a change that an emergency followed. Its savings are what it costs more, below zero."""
    change, at = outcome.change, outcome.last_emergency_at
    since = f" ({outcome.emergencies} since the change)" if (outcome.emergencies or 0) > 1 else ""
    target = f", recorded for {outcome.last_emergency_target}" if outcome.last_emergency_target != change.resource_id else ""
    reason = (
        f"It goes back to {_named(change.attribute, change.value_before)}, because an emergency scale-up followed on "
        f"{at:%Y-%m-%d %H:%M} UTC{target}{since}; {_named(change.attribute, change.value_after)} is there since "
        f"{outcome.applied_on} ({change.source})."
    )
    return _back(outcome, reason, outcome.emergencies or 0)


def along(outcome: Outcome, back: Change) -> Change:
    """The reverse of a change that was made together with another one, whose line of code it shares."""
    reason = f"It goes back with {back.resource_id}, whose line of code it shares: one literal sets the size of both."
    return _back(outcome, reason, 0)


def is_companion(outcome: Outcome, back: Change, source: str) -> bool:
    """Whether a change was made together with one that goes back, in the same way, and is there still."""
    change = outcome.change
    same = (change.source, change.attribute, change.value_before, change.value_after)
    return same == (source, back.attribute, back.after, back.before) and not change.is_rollback and is_there(outcome)


def _back(outcome: Outcome, reason: str, emergencies: int) -> Change:
    change = outcome.change
    # How many members a group runs varies by the day; a price does not.
    is_priced = outcome.realized_usd_month is not None and change.attribute != MIN_SIZE
    saves = outcome.realized_usd_month if is_priced else change.estimated_usd_month
    costs = -(saves or 0.0)
    basis = [change.resource_id, change.source, change.attribute, change.value_after, change.value_before]
    return Change(
        resource_id=change.resource_id,
        resource_type=change.resource_type,
        service=change.service,
        team=change.team,
        environment=change.environment,
        region=outcome.region,
        attribute=change.attribute,
        before=change.value_after,
        after=change.value_before,
        savings_usd_month=costs,
        expected_usd_month=costs,
        risk=LOW,
        risk_reasons=(reason,),
        evidence=Evidence(
            fingerprint=hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:16],
            reason_code=ROLLBACK_AFTER_EMERGENCY,
            demand=(),
            emergencies=emergencies,
            replayed_events=0,
        ),
    )


def _named(attribute: str, value: str) -> str:
    return f"a minimum of {value}" if attribute == MIN_SIZE else value
