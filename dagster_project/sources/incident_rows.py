"""What the decision engine's database says of the time of incidents: decisions, changes, and good and total requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from dagster_project.domain.incidents.events import Event
from dagster_project.sources.contract import Contract
from dagster_project.sources.history import aware, utc
from dagster_project.statements import statement

DECISIONS = "decision_audit"
CHANGES = "change_events"
SERVICE_LEVELS = "sli_events"
Windows = Sequence[tuple[datetime, datetime]]
"""Stretches of time (naive UTC, the end excluded) that do not overlap."""

_PREFETCH = 10_000
_OUTCOMES = {"succeeded": "succeeded", "failed": "failed", "skipped": "was blocked", "rolled_back": "was rolled back"}
_CHANGE_KINDS = {"deploy": "deployment", "release": "deployment", "feature_flag": "flag", "configuration": "config"}


async def decisions(
    connection: asyncpg.Connection, contract: Contract, windows: Windows, services: Mapping[str, str]
) -> AsyncIterator[Event]:
    """The decisions of some windows. ``services`` maps resources to their service, and services to themselves."""
    async for row in _rows(connection, contract.query(statement("extract/decisions_of_windows"), DECISIONS), windows):
        yield _decision(row, services)


async def changes(connection: asyncpg.Connection, contract: Contract, windows: Windows) -> AsyncIterator[Event]:
    """Deployments, flags and configuration that were changed in some windows."""
    async for row in _rows(connection, contract.query(statement("extract/changes_of_windows"), CHANGES), windows):
        yield _change(row)


async def service_levels(
    connection: asyncpg.Connection, contract: Contract, windows: Sequence[tuple[datetime, datetime, str | None]]
) -> AsyncIterator[dict[str, Any]]:
    """Good and total events (service, name, sampled_at, good, total) of some windows, each of one service or (None) of all."""
    query = contract.query(statement("extract/service_levels_of_windows"), SERVICE_LEVELS)
    async for row in _rows(connection, query, [window[:2] for window in windows], [window[2] for window in windows]):
        yield {**row, "sampled_at": utc(row["sampled_at"])}


async def _rows(connection: asyncpg.Connection, query: str, windows: Windows, *more: object) -> AsyncIterator[Mapping[str, Any]]:
    """The rows of a statement, a few at a time."""
    starts, ends = [aware(start) for start, _ in windows], [aware(end) for _, end in windows]
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(query, starts, ends, *more, prefetch=_PREFETCH):
            yield dict(row)


def _decision(row: Mapping[str, Any], services: Mapping[str, str]) -> Event:
    event_at = row["event_at"]
    return Event(
        source=DECISIONS,
        source_event_id=row["decision_id"],
        occurred_at=utc(row["decision_at"]),
        lane="engine",
        kind="decision",
        text=_told(row),
        service=services.get(row["target"]),
        target=row["target"],
        incident_id=row["incident_id"],
        payload={
            "action_type": row["action_type"],
            "outcome": row["outcome"],
            "outcome_reason": row["outcome_reason"],
            "policy_id": row["policy_id"],
            "policy_version": row["policy_version"],
            "policy_name": row["policy_name"],
            "event_id": row["event_id"],
            "event_at": utc(event_at).isoformat() if event_at else None,
            "metrics": json.loads(row["metrics"]) if row["metrics"] else None,
            "action": json.loads(row["payload"]) if row["payload"] else None,
            "duration_ms": row["duration_ms"],
            "is_dry_run": row["is_dry_run"],
        },
    )


def _told(row: Mapping[str, Any]) -> str:
    """Such as: scale_up of payment-api succeeded (CPU Emergency Scale-Up)."""
    outcome = _OUTCOMES.get(row["outcome"] or "", row["outcome"] or "was decided, and nothing says what came of it")
    reason = f": {row['outcome_reason']}" if row["outcome_reason"] else ""
    policy = row["policy_name"] or row["policy_id"]
    told = f"{row['action_type'] or 'A decision'} of {row['target']} {outcome}{reason}" + (f" ({policy})" if policy else "")
    return f"Dry run, nothing was done: {told}" if row["is_dry_run"] else told


def _change(row: Mapping[str, Any]) -> Event:
    kind = row["kind"] or "change"
    what = row["summary"] or " ".join(filter(None, [kind, row["ref"]]))
    return Event(
        source=CHANGES,
        source_event_id=row["change_id"],
        occurred_at=utc(row["occurred_at"]),
        lane="changes",
        kind=_CHANGE_KINDS.get(kind.lower(), kind.lower()),
        text=f"{row['service']}: {what}" if row["service"] else what,
        service=row["service"],
        target=row["service"],
        actor=row["actor"],
        payload={"ref": row["ref"], "kind": row["kind"]},
    )
