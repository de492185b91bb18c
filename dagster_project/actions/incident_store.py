"""What people know of incidents: picked times of phases, and imported incidents. Both only grow; the latest counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from dagster_project.domain.incidents.model import Moment

_IMPORTS = 0x4E53_494D  # any constant: two imports at once must not give one version twice


@dataclass(frozen=True, slots=True)
class Pick:
    """A person's word on when a phase began. ``at`` None takes an earlier one back; ``precision`` is of ``PRECISIONS``."""

    incident_id: str
    phase: str
    at: datetime | None
    precision: str
    reason: str
    actor: str


async def add_pick(connection: asyncpg.Connection, pick: Pick, now: datetime) -> None:
    """Notes a pick; earlier ones stay on record."""
    await connection.execute(
        "insert into nightshift.incident_picks (incident_id, phase, picked_at, precision, reason, actor, recorded_at) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        pick.incident_id,
        pick.phase,
        None if pick.at is None else pick.at.replace(tzinfo=UTC),
        pick.precision,
        pick.reason,
        pick.actor,
        now,
    )


async def picks(connection: asyncpg.Connection) -> dict[str, dict[str, Moment]]:
    """Incident → phase → the latest pick, where it was not taken back."""
    rows = await connection.fetch(
        "select distinct on (incident_id, phase) * from nightshift.incident_picks order by incident_id, phase, position desc"
    )
    found: dict[str, dict[str, Moment]] = {}
    for row in rows:
        if row["picked_at"] is not None:
            found.setdefault(row["incident_id"], {})[row["phase"]] = _moment(row)
    return found


def _moment(row: Mapping[str, Any]) -> Moment:
    at = row["picked_at"].astimezone(UTC).replace(tzinfo=None)
    reason = f"{row['actor']} set it on {row['recorded_at'].astimezone(UTC):%Y-%m-%d}: {row['reason']}"
    return Moment(at, row["precision"], "person", "picked", 1.0, (), "UTC", reason)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many documents of an import were new, replaced an earlier version, or were there already."""

    new: int
    changed: int
    unchanged: int


async def add_imported(
    connection: asyncpg.Connection, documents: Sequence[tuple[str, str, Mapping[str, Any]]], actor: str, now: datetime
) -> Imported:
    """Stores documents (incident id, file, document), all or none. The same document again is no new version."""
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _IMPORTS)
        latest = await _latest_digests(connection, [incident_id for incident_id, _, _ in documents])
        for incident_id, file, document in documents:
            text = json.dumps(document, sort_keys=True, ensure_ascii=False)
            digest = hashlib.sha256(text.encode()).hexdigest()
            version, earlier = latest.get(incident_id, (0, ""))
            counts["unchanged" if digest == earlier else "changed" if version else "new"] += 1
            if digest == earlier:
                continue
            latest[incident_id] = (version + 1, digest)
            await connection.execute(
                "insert into nightshift.imported_incidents values ($1, $2, $3, $4, $5, $6, $7)",
                incident_id,
                version + 1,
                file,
                digest,
                text,
                actor,
                now,
            )
    return Imported(**counts)


async def _latest_digests(connection: asyncpg.Connection, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    rows = await connection.fetch(
        "select distinct on (incident_id) incident_id, version, digest from nightshift.imported_incidents "
        "where incident_id = any($1) order by incident_id, version desc",
        list(ids),
    )
    return {row["incident_id"]: (row["version"], row["digest"]) for row in rows}


async def imported(connection: asyncpg.Connection, incident_ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The latest version of every imported document, by incident id; with ``incident_ids`` only of those."""
    rows = await connection.fetch(
        "select distinct on (incident_id) document from nightshift.imported_incidents "
        "where $1::text[] is null or incident_id = any($1) order by incident_id, version desc",
        incident_ids,
    )
    return [json.loads(row["document"]) for row in rows]


@dataclass(frozen=True, slots=True)
class ImportedItems:
    """The action items of an imported incident as its document has them (JSON), and when it was over (naive UTC), where that is
    known."""

    incident_id: str
    severity: str | None
    service: str | None
    ended_at: datetime | None
    items: tuple[Mapping[str, Any], ...]


async def imported_items(connection: asyncpg.Connection) -> list[ImportedItems]:
    """Action items of the latest version of every imported document, none of them too; the rest of it is not fetched."""
    rows = await connection.fetch(
        "with latest as (select distinct on (incident_id) incident_id, document::jsonb as document "
        "from nightshift.imported_incidents order by incident_id, version desc) "
        "select incident_id, document #>> '{incident,severity}' as severity, document #>> '{incident,service}' as service, "
        "coalesce(document #>> '{incident,phases,resolved,at}', document #>> '{incident,phases,impact_ended,at}', "
        "document #>> '{incident,phases,detected,at}') as ended_at, coalesce(document ->> 'action_items', '[]') as items "
        "from latest order by incident_id"
    )
    return [
        ImportedItems(
            row["incident_id"],
            row["severity"],
            row["service"],
            datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
            tuple(json.loads(row["items"])),
        )
        for row in rows
    ]
