"""Raw events of an incident's timeline: what one source says of one moment. They are never changed; an edit is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LANES = ("engine", "alarms", "people", "changes", "scaling", "record")
"""engine: what the decision engine did and did not do; alarms: alarm state changes; people: chat and status updates; changes:
deployments, pull requests, configuration; scaling: activities of Auto Scaling groups; record: what the incident's record or an
imported postmortem says."""


@dataclass(frozen=True, slots=True)
class Event:
    """One version of one event. (``source``, ``source_event_id``, ``version``) is unique.

    ``occurred_at`` and ``recorded_at`` (when the source wrote it down; None where it does not say) are naive UTC; ``zone`` is
    the zone that the source wrote in. ``kind``: message, pinned, status_update, alarm, alarm_ok, decision, deployment,
    pull_request, rollback, config, flag, scaling_activity, api_call, note …; of a decision ``payload`` holds the audit row's
    action_type, outcome, outcome_reason, policy_id, policy_version, policy_name, metrics, event_at (when the condition was seen),
    duration_ms. Of an alarm ``payload['breach_started_at']`` is when the breach began by its state reason data (ISO, UTC).
    ``actor`` is as the source names it: names become roles only where something is shown.
    """

    source: str
    source_event_id: str
    occurred_at: datetime
    lane: str
    kind: str
    text: str
    version: int = 1
    recorded_at: datetime | None = None
    precision: str = "second"
    zone: str = "UTC"
    service: str | None = None
    target: str | None = None
    actor: str | None = None
    url: str | None = None
    incident_id: str | None = None
    is_deleted: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)
