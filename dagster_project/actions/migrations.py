"""Nightshift's own tables: the schema ``nightshift``, brought up to date by numbered statements in ``sql/state``.

A migration that was applied is never edited; its checksum is kept, and a difference stops the run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import asyncpg

from dagster_project.bundle import bundled
from dagster_project.errors import StateError

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

    Raises ``StateError`` where the schema is newer than this version, or an applied migration was edited.
    """
    applied = []
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute("create schema if not exists nightshift")
        await connection.execute(
            "create table if not exists nightshift.schema_migrations (version integer primary key, name text not null, "
            "checksum text not null, applied_at timestamptz not null default now())"
        )
        done = await applied_versions(connection)
        for migration in migrations():
            if migration.version in done:
                if done[migration.version] != migration.checksum:
                    raise StateError(
                        f"The migration {migration.name} differs from the one that was applied; install the released version."
                    )
                continue
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
        newer = set(done) - {migration.version for migration in migrations()}
        if newer:
            raise StateError(
                f"The schema nightshift is at version {max(newer)}, newer than this installation; upgrade Nightshift."
            )
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)
    return applied


async def applied_versions(connection: asyncpg.Connection) -> dict[int, str]:
    """Version → checksum of what was applied; empty where there is no schema yet."""
    if await connection.fetchval("select to_regclass('nightshift.schema_migrations')") is None:
        return {}
    rows = await connection.fetch("select version, checksum from nightshift.schema_migrations")
    return {row["version"]: row["checksum"] for row in rows}
