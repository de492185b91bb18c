"""Nightshift's own tables: the schema ``nightshift``, brought up to date by numbered statements in ``sql/state``.

A migration that was applied is never edited; its checksum is kept, and a difference stops the run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import asyncpg

from dagster_project.bundle import bundled
from dagster_project.errors import StateError

READ_ONLY = (
    "The database of Nightshift's own tables is read-only (a replica?); set NIGHTSHIFT_STATE_DSN to one that can be written."
)
_LOCK = 0x4E53_4D49  # any constant: two runs that start at once must not migrate at once


@dataclass(frozen=True)
class Migration:
    """One numbered file of ``sql/state``."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """All migrations that this version knows, in order."""
    files = sorted((bundled("sql") / "state").glob("[0-9]*.sql"))
    return tuple(Migration(int(file.stem[:4]), file.stem, file.read_text(encoding="utf-8")) for file in files)


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """Applies what is missing, each migration in a transaction of its own; returns the names of the applied ones.

    Where everything is applied it only reads, so the right to create is needed for the first run of a version alone.
    Raises ``StateError`` where the schema is newer than this version, an applied migration was edited, or something must be
    applied to a database that is read-only.
    """
    if not _pending(await applied_versions(connection)):
        return []
    if await is_read_only(connection):
        raise StateError(READ_ONLY)
    applied = []
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute("create schema if not exists nightshift")
        await connection.execute(
            "create table if not exists nightshift.schema_migrations (version integer primary key, name text not null, "
            "checksum text not null, applied_at timestamptz not null default now())"
        )
        for migration in _pending(await applied_versions(connection)):  # another run may have applied some meanwhile
            async with connection.transaction():
                await connection.execute("set local search_path to nightshift")
                await connection.execute(migration.text)
                await connection.execute(
                    "insert into nightshift.schema_migrations (version, name, checksum) values ($1, $2, $3)",
                    migration.version,
                    migration.name,
                    migration.checksum,
                )
            applied.append(migration.name)
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)
    return applied


async def applied_versions(connection: asyncpg.Connection) -> dict[int, str]:
    """Version → checksum of what was applied; empty where there is no schema yet. Not for use inside a transaction."""
    try:
        rows = await connection.fetch("select version, checksum from nightshift.schema_migrations")
    except asyncpg.UndefinedTableError:
        return {}
    return {row["version"]: row["checksum"] for row in rows}


async def is_read_only(connection: asyncpg.Connection) -> bool:
    """Whether the server takes no writes from this connection: a replica, or a database that is set so."""
    setting: str = await connection.fetchval("show transaction_read_only")
    return setting == "on"


def _pending(done: dict[int, str]) -> list[Migration]:
    """What is to be applied to a schema that has ``done``; raises ``StateError`` where that is not this version's."""
    known = migrations()
    newer = set(done) - {migration.version for migration in known}
    if newer:
        raise StateError(f"The schema nightshift is at version {max(newer)}, newer than this installation; upgrade Nightshift.")
    for migration in known:
        if done.get(migration.version, migration.checksum) != migration.checksum:
            raise StateError(
                f"The migration {migration.name} differs from the one that was applied; install the released version."
            )
    return [migration for migration in known if migration.version not in done]
