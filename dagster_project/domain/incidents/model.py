"""An incident: its phases, each with how its time is known, and the windows in which customers felt it.

Times are naive UTC. The impact windows are the customers' side and there can be several; the phases are the paperwork's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "impact_started": "Impact started",
        "detected": "Detected",
        "acknowledged": "Acknowledged",
        "declared": "Declared",
        "identified": "Identified",
        "mitigated": "Mitigated",
        "impact_ended": "Impact ended",
        "resolved": "Resolved",
        "closed": "Closed",
    }
)
"""Phases in the order in which they usually come, with their titles."""

PRECISIONS = ("second", "minute", "hour", "day", "unknown")

KINDS = ("normal", "test", "drill", "scheduled", "backfilled")

OPEN_STATUSES = frozenset({"triage", "investigating", "identified", "monitoring", "fixing", "mitigated", "open", "active"})
ENDED_STATUSES = frozenset({"resolved", "closed", "postmortem", "completed", "learning"})
VOID_STATUSES = frozenset({"merged", "declined", "canceled", "cancelled"})
"""Statuses of what turned out to be no incident of its own."""

_KIND_REASONS = {
    "test": "a test",
    "drill": "a drill",
    "scheduled": "scheduled maintenance",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a phase began, and how that is known.

    ``source``: where it was read (incidents, cloudwatch, decision_audit, sli_events, slack, import, person …); ``method``: how
    it follows from it (stated, breach_start, first_decision, picked …); ``confidence``: 0..1; ``evidence``: ids of events, or
    file and line; ``zone``: the zone in which the source wrote it; ``reason``: a sentence for people.
    """

    at: datetime
    precision: str = "second"
    source: str = "incidents"
    method: str = "stated"
    confidence: float = 1.0
    evidence: tuple[str, ...] = ()
    zone: str = "UTC"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ImpactWindow:
    """A time in which customers felt it. ``ended_at`` is None while it lasts or where nobody knows."""

    started_at: datetime
    ended_at: datetime | None
    source: str = "incidents"


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known of one incident. ``origin``: incidents (the decision engine's table), import, or decision_audit (undeclared:
    proposed, not asserted). ``phases`` holds those that are known, by the names of ``PHASES``."""

    incident_id: str
    title: str
    severity: str | None = None
    service: str | None = None
    services: tuple[str, ...] = ()
    status: str | None = None
    kind: str = "normal"
    phases: Mapping[str, Moment] = field(default_factory=dict)
    windows: tuple[ImpactWindow, ...] = ()
    summary: str | None = None
    commander: str | None = None
    slack_channel: str | None = None
    url: str | None = None
    origin: str = "incidents"

    def at(self, phase: str) -> datetime | None:
        """When a phase began, or None where that is not known."""
        moment = self.phases.get(phase)
        return None if moment is None else moment.at

    @property
    def is_open(self) -> bool:
        """Whether it goes on: nothing says that it ended, and its status is not one of ended or void ones."""
        status = (self.status or "").lower()
        if status in OPEN_STATUSES:
            return True
        # An imported record that says nothing of its state is history.
        ended = self.origin == "import" or any(phase in self.phases for phase in ("resolved", "closed", "impact_ended"))
        return not ended and status not in ENDED_STATUSES | VOID_STATUSES


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something that was to be done afterwards. ``place`` is file and line where it was imported."""

    title: str
    incident_id: str | None = None
    item_id: str | None = None
    type: str | None = None
    priority: str | None = None
    owner: str | None = None
    due_on: date | None = None
    state: str = "open"
    tracker: str | None = None
    tracker_key: str | None = None
    url: str | None = None
    place: str | None = None


def not_counted_because(incident: Incident) -> str | None:
    """Why an incident is left out of the metrics, or None where it counts.

    A real mean doubles when scheduled maintenance is counted in.
    """
    status = (incident.status or "").lower()
    if incident.kind in _KIND_REASONS:
        return _KIND_REASONS[incident.kind]
    if status in VOID_STATUSES:
        return f"its status is {status}"
    if incident.origin == "decision_audit":
        return "nobody has declared it"
    return None
