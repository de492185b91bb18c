"""The chain of events: each hash covers the one before it, so that one cannot be changed, left out or slipped in by itself."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

from dagster_project.domain.approvals.model import Event, canonical

FIRST = "0" * 64
"""What the first event of a store follows."""


def payload_hash(event: Event) -> str:
    """The SHA-256 of an event's data."""
    return hashlib.sha256(canonical(event.data).encode()).hexdigest()


def chained(previous: str, position: int, event: Event) -> str:
    """The hash of an event at a position of the chain, after one with the hash ``previous``."""
    covered: dict[str, Any] = {
        "previous": previous,
        "position": position,
        "request_id": event.request_id,
        "kind": event.kind,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "source": event.source,
        "revision": event.revision,
        "plan_digest": event.plan_digest,
        "payload_hash": payload_hash(event),
    }
    return hashlib.sha256(canonical(covered).encode()).hexdigest()
