"""What the decision engine's database says at this moment, about one resource: asked right before a change is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from dagster_project.sources.contract import Contract
from dagster_project.statements import statement


async def decided_since(connection: asyncpg.Connection, contract: Contract, names: Sequence[str], since: datetime) -> str | None:
    """The first decision since a moment about one of some names that may have needed the capacity, in words; None without any."""
    query = contract.query(statement("extract/decisions_since"), "decision_audit")
    row = await connection.fetchrow(query, since, list(names))
    if row is None:
        return None
    at = row["decision_time"].astimezone(UTC)
    return f"{row['action_type'] or 'a decision'} of {row['target']} on {at:%Y-%m-%d at %H:%M} UTC"


async def open_incident(connection: asyncpg.Connection, contract: Contract, service: str, now: datetime) -> str | None:
    """An incident of a service that is open now, in words; None without any, or where the database has no incidents."""
    if not contract.has("incidents"):
        return None
    row = await connection.fetchrow(contract.query(statement("extract/open_incidents"), "incidents"), service, now)
    return f"{row['incident_id']} ({row['title'] or 'without a title'})" if row else None
