"""Events of an incident on 3 March 2025, written as ``at("08:14")``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.model import Incident, Moment


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2025-03-03 {clock}")


def incident(**changes: Any) -> Incident:
    known = {"incident_id": "INC-1", "title": "Payments fail", "service": "payment-api", "services": ("payment-api",)}
    return Incident(**{**known, **changes})


def phases(**times: str) -> dict[str, Moment]:
    return {phase: Moment(at(clock), "minute", confidence=0.95) for phase, clock in times.items()}


_numbers = iter(range(1, 10**9))


def event(clock: str, lane: str, kind: str, text: str = "", **changes: Any) -> Event:
    source = changes.pop("source", {"engine": "decision_audit", "alarms": "cloudwatch_alarms", "people": "slack"}.get(lane, lane))
    name = changes.pop("source_event_id", f"e{next(_numbers):06d}")
    return Event(source, name, at(clock), lane, kind, text or kind, **changes)


def decision(
    clock: str, action: str = "scale_up", outcome: str = "succeeded", reason: str | None = None, **changes: Any
) -> Event:
    payload = {"action_type": action, "outcome": outcome, "outcome_reason": reason, **changes.pop("payload", {})}
    target = changes.pop("target", "payment-api")
    text = f"{action} of {target} {outcome}" + (f": {reason}" if reason else "")
    return event(clock, "engine", "decision", text, target=target, service=target, payload=payload, **changes)


def alarm(
    clock: str, name: str = "payment-errors", *, ok: bool = False, source_event_id: str | None = None, **payload: Any
) -> Event:
    text = f"Alarm {name} went to {'OK' if ok else 'ALARM'}"
    kind = "alarm_ok" if ok else "alarm"
    named = {} if source_event_id is None else {"source_event_id": source_event_id}
    return event(clock, "alarms", kind, text, service="payment-api", payload={"alarm_name": name, **payload}, **named)


def said(clock: str, text: str, actor: str | None = "Ada Lovelace", **payload: Any) -> Event:
    return event(clock, "people", "message", text, actor=actor, payload=payload, incident_id="INC-1")
