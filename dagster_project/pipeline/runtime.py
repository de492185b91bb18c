"""What every step of a night works with: settings, lake, connections, the present moment, and who is told of progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from dagster_project import clock
from dagster_project.demo.postgres import embedded_dsn
from dagster_project.domain.applying.cloud import Cloud
from dagster_project.errors import SourceUnavailable
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.aws_opened import Opened
from dagster_project.progress import Progress, Silent
from dagster_project.settings import Settings
from dagster_project.sources import postgres
from dagster_project.sources.contract import BESIDE_AWS, OPTIONAL_TABLES, Contract, check_contract

if TYPE_CHECKING:
    from dagster_project.catalog.shapes import Catalog


@dataclass(frozen=True)
class Runtime:
    """The surroundings of a run. ``now`` is fixed when it starts, so that a run has one present
    moment; ``failures`` gathers what its steps raised, because Dagster passes on texts only. ``at`` is what waits between
    requests, ``remotes`` the repositories that were reached: what they count is counted for the run. ``clouds`` gives the cloud
    of an account and region; without it AWS is asked. ``event_sources`` gives where the evidence of incidents comes from
    (``capture_sources``); without it Slack, GitHub and AWS are asked. ``aws`` is what was found out of the accounts."""

    settings: Settings
    progress: Progress = field(default_factory=Silent)
    now: datetime = field(default_factory=clock.now)
    failures: list[Exception] = field(default_factory=list)
    is_dry_run: bool = False
    at: clock.Clock = clock
    remotes: dict[str, Any] = field(default_factory=dict)
    clouds: Callable[[str, str], Cloud] | None = None
    event_sources: Callable[[Runtime], Sequence[Any]] | None = None
    opened_clouds: dict[tuple[str, str], Cloud] = field(default_factory=dict)
    aws: Opened = field(default_factory=Opened)
    _unreachable: dict[str, SourceUnavailable] = field(default_factory=dict)

    @property
    def lake(self) -> Lake:
        """The Parquet partitions of this home."""
        return Lake(self.settings.warehouse)

    def catalog(self, day: date) -> Catalog:
        """The sizes and prices that a day is judged by."""
        from dagster_project.catalog.store import catalog_of  # numbers are not loaded where nothing is sized

        return catalog_of(self.settings.home, day)

    def is_newest(self, day: date) -> bool:
        """Whether a day is the last one that was over when the run began: only that one may act."""
        return day == self.now.astimezone(UTC).date() - timedelta(days=1)

    def dsn(self) -> str:
        """The decision engine's database, started first where it is the embedded one."""
        if self.settings.dsn is not None:
            return self.settings.dsn.get_secret_value()
        return embedded_dsn(self.settings.embedded_postgres)

    def state_dsn(self) -> str:
        """The database of Nightshift's own tables."""
        if self.settings.state_dsn is not None:
            return self.settings.state_dsn.get_secret_value()
        return self.dsn()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the decision engine's database."""
        async with self._connect(self.dsn(), "NIGHTSHIFT_DSN") as connection:
            yield connection

    @asynccontextmanager
    async def source(self) -> AsyncIterator[tuple[asyncpg.Connection, Contract]]:
        """A connection to the decision engine's database, with its contract checked."""
        async with self.connect() as connection:
            optional = OPTIONAL_TABLES | BESIDE_AWS if self.settings.aws.is_live else OPTIONAL_TABLES
            yield connection, await check_contract(connection, self.settings.source, optional)

    @asynccontextmanager
    async def state(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the database of Nightshift's own tables."""
        variable = "NIGHTSHIFT_STATE_DSN" if self.settings.state_dsn is not None else "NIGHTSHIFT_DSN"
        async with self._connect(self.state_dsn(), variable) as connection:
            yield connection

    @asynccontextmanager
    async def _connect(self, dsn: str, variable: str) -> AsyncIterator[asyncpg.Connection]:
        unreachable = self._unreachable.get(variable)
        if unreachable is not None:
            raise unreachable  # it was waited for once; the other steps of this run need not wait again
        source = self.settings.source
        try:
            connection = await postgres.open_connection(
                dsn,
                timeout_seconds=source.connect_timeout_seconds,
                attempts=source.connect_attempts,
                statement_timeout_seconds=source.statement_timeout_seconds,
                variable=variable,
            )
        except SourceUnavailable as error:
            self._unreachable[variable] = error
            raise
        try:
            with postgres.explained(dsn, variable):
                yield connection
        finally:
            await connection.close(timeout=source.connect_timeout_seconds)


def runtime_of(settings: Settings, progress: Progress | None = None) -> Runtime:
    """The surroundings of a run: in the demo's home they are the demo's."""
    found = Runtime(settings, progress=progress or Silent())
    if not (settings.home / "demo").is_dir():
        return found  # the demo's modules are not loaded for nothing
    from dagster_project.pipeline.demo_world import as_demo

    return as_demo(found)


def days_up_to(day: date, count: int) -> list[date]:
    """The ``count`` days that end with ``day``, ascending."""
    return [day - timedelta(days=back) for back in range(count - 1, -1, -1)]
