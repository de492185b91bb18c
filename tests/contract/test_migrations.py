"""The schema ``nightshift`` is brought up to date once, and stops a version that does not know it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import pytest

from dagster_project.actions.migrations import applied_versions, migrate, migrations
from dagster_project.errors import StateError
from tests.conftest import query

T = TypeVar("T")
NAMES = [migration.name for migration in migrations()]


def connected(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def dsn(empty_dsn: str) -> str:
    """What is migrated here was not before."""
    return empty_dsn


def test_the_migrations_are_numbered_without_gaps() -> None:
    assert [migration.version for migration in migrations()] == list(range(1, len(NAMES) + 1))


def test_an_empty_database_gets_everything_in_order(dsn: str) -> None:
    assert connected(dsn, applied_versions) == {}
    assert connected(dsn, migrate) == NAMES
    assert connected(dsn, applied_versions) == {migration.version: migration.checksum for migration in migrations()}
    tables = query(dsn, "select table_name from information_schema.tables where table_schema = 'nightshift'")
    assert {"schema_migrations", "nightly_runs", "nightly_steps"} <= {row["table_name"] for row in tables}


def test_a_second_time_changes_nothing(dsn: str) -> None:
    connected(dsn, migrate)
    before = query(dsn, "select * from nightshift.schema_migrations order by version")
    assert connected(dsn, migrate) == []
    assert query(dsn, "select * from nightshift.schema_migrations order by version") == before


def test_nothing_is_created_outside_of_the_schema(dsn: str) -> None:
    connected(dsn, migrate)
    found = query(dsn, "select relname from pg_class where relnamespace = 'public'::regnamespace")
    assert found == []


def test_the_connection_keeps_its_search_path(dsn: str) -> None:
    async def path_after(connection: asyncpg.Connection) -> str:
        before = await connection.fetchval("show search_path")
        await migrate(connection)
        return before + "|" + await connection.fetchval("show search_path")

    before, _, after = connected(dsn, path_after).partition("|")
    assert before == after


def test_a_migration_that_was_edited_after_it_was_applied_stops_the_run(dsn: str, execute: Callable[..., None]) -> None:
    connected(dsn, migrate)
    execute("update nightshift.schema_migrations set checksum = 'another' where version = 1")
    with pytest.raises(StateError) as caught:
        connected(dsn, migrate)
    assert str(caught.value) == f"The migration {NAMES[0]} differs from the one that was applied; install the released version."


def test_a_schema_that_is_newer_than_this_version_stops_the_run(dsn: str, execute: Callable[..., None]) -> None:
    connected(dsn, migrate)
    execute("insert into nightshift.schema_migrations (version, name, checksum) values (999, '0999_later', 'x')")
    with pytest.raises(StateError) as caught:
        connected(dsn, migrate)
    assert str(caught.value) == "The schema nightshift is at version 999, newer than this installation; upgrade Nightshift."


def test_after_an_error_the_next_run_does_not_wait_for_the_lock(dsn: str, execute: Callable[..., None]) -> None:
    async def fail_then_look(connection: asyncpg.Connection) -> int:
        with pytest.raises(StateError):
            await migrate(connection)
        return await connection.fetchval("select count(*) from pg_locks where locktype = 'advisory'")

    connected(dsn, migrate)
    execute("update nightshift.schema_migrations set checksum = 'another'")
    assert connected(dsn, fail_then_look) == 0


def test_a_user_without_the_right_to_create_runs_once_everything_is_applied(
    server: str, dsn: str, execute: Callable[..., None]
) -> None:
    async def as_guest(connection: asyncpg.Connection) -> list[str]:
        await connection.execute("set role migrations_guest")
        return await migrate(connection)

    connected(dsn, migrate)
    query(server, "create role migrations_guest")
    try:
        execute("grant usage on schema nightshift to migrations_guest")
        execute("grant select on nightshift.schema_migrations to migrations_guest")
        assert connected(dsn, as_guest) == []
    finally:
        execute("drop owned by migrations_guest")
        query(server, "drop role migrations_guest")


def test_a_second_time_takes_no_lock_and_needs_no_writing(dsn: str) -> None:
    async def guarded(connection: asyncpg.Connection) -> list[str]:
        await connection.execute("set default_transaction_read_only = on")
        return await migrate(connection)

    connected(dsn, migrate)
    assert connected(dsn, guarded) == []


@pytest.mark.parametrize("applied", ["nothing", "all but the last"])
def test_what_must_be_applied_to_a_read_only_server_is_a_sentence(dsn: str, execute: Callable[..., None], applied: str) -> None:
    async def on_a_replica(connection: asyncpg.Connection) -> list[str]:
        await connection.execute("set default_transaction_read_only = on")
        return await migrate(connection)

    if applied == "all but the last":
        connected(dsn, migrate)
        execute("delete from nightshift.schema_migrations where version = $1", len(NAMES))
    with pytest.raises(StateError) as caught:
        connected(dsn, on_a_replica)
    assert str(caught.value) == (
        "The database of Nightshift's own tables is read-only (a replica?); set NIGHTSHIFT_STATE_DSN to one that can be written."
    )


def test_two_runs_that_start_at_once_apply_each_migration_once(dsn: str) -> None:
    async def both() -> list[list[str]]:
        connections = [await asyncpg.connect(dsn) for _ in range(4)]
        try:
            return await asyncio.gather(*(migrate(connection) for connection in connections))
        finally:
            for connection in connections:
                await connection.close()

    applied = asyncio.run(both())
    assert sorted(applied, key=len) == [[], [], [], NAMES]
