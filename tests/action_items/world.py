# ruff: noqa: DTZ001 - the lake's times are naive UTC
"""A small world for action items: the decision engine's table, issues on a GitHub, and nights over both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import polars as pl

from dagster_project.actions import action_item_store as store
from dagster_project.domain.action_items.folding import items_of
from dagster_project.domain.action_items.model import Event, Item
from dagster_project.domain.action_items.trackers import Link
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.pipeline.action_item_sync import Synced
from dagster_project.pipeline.action_items import keep_action_items
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import GithubSettings, Settings
from dagster_project.settings_acting import SlackSettings
from dagster_project.settings_action_items import ActionItemSettings
from tests.github import GitHubServer, People
from tests.github.models import Issue
from tests.incidents.capture.night import put
from tests.proposal_builders import Clock

FIRST_DAY = date(2025, 3, 9)
REPOSITORY, OTHER, ELSEWHERE = "acme/ops", "acme/web", "acme/attic"
TOKEN = "ghp_" + "s3cr3t" * 6
BOT = "nightshift-bot"
PEOPLE = (
    {"name": "Alice Smith", "github": "alice", "slack": "U0ALICE", "team": "payments", "also": ("alice",)},
    {"name": "Bob Jones", "github": "bob", "slack": "U0BOB", "team": "payments"},
)
MARK = "nightshift:action-item"
Row = dict[str, Any]


def action(item_id: str = "ACT-1", **more: Any) -> Row:
    """A row of the decision engine's table."""
    usual = {
        "incident_id": "INC-1", "title": f"Cap the connections of {item_id}", "item_type": "prevent", "priority": "P1",
        "owner": "alice", "due_on": date(2025, 4, 1), "state": "open", "created_at": datetime(2025, 3, 4, 9),
    }  # fmt: skip
    return {"item_id": item_id, **usual, **more}


@dataclass
class World:
    """``rows``: the decision engine's table by id. ``rules``: settings of action items beside those of the world."""

    server: GitHubServer
    clock: Clock
    folder: Path
    dsn: str
    rules: dict[str, Any] = field(default_factory=dict)
    day: date = FIRST_DAY
    rows: dict[str, Row] = field(default_factory=dict)
    incidents: dict[str, Row] = field(default_factory=dict)
    synced: Synced = field(default_factory=Synced)
    slack: SlackSettings = field(default_factory=SlackSettings)

    def __post_init__(self) -> None:
        self.server.add_token(TOKEN, login=BOT)
        self.ops, self.web, self.attic = (self._repository(name) for name in (REPOSITORY, OTHER, ELSEWHERE))
        self.attic.add_collaborator(BOT, "none")
        self.incidents["INC-1"] = {
            "incident_id": "INC-1",
            "title": "Payments fail",
            "severity": "SEV-1",
            "service": "payment-api",
        }

    def _repository(self, name: str) -> People:
        people = self.server.create_repository(name)
        for login in (BOT, "alice", "bob", "stale[bot]", "merge[bot]"):
            people.add_collaborator(login, "write")
        return people

    @property
    def settings(self) -> Settings:
        actions = {"repository": REPOSITORY, "followed": (OTHER,), "people": PEOPLE, "closing_bots": ("merge[bot]",)}
        return Settings(
            home=self.folder / "home",
            reports=self.folder / "reports",
            dsn=self.dsn,
            github=GithubSettings(base_url=self.server.url, token=TOKEN, timeout_seconds=1, attempts=2),
            actions=ActionItemSettings(**{**actions, **self.rules}),
            slack=self.slack,
        )

    def has(self, *rows: Row) -> None:
        """The decision engine's table has rows, or has them otherwise."""
        self.rows |= {row["item_id"]: row for row in rows}

    def runtime(self, **changes: Any) -> Runtime:
        """A run in the night after the day."""
        night = datetime.combine(self.day + timedelta(days=1), time(2), UTC)
        self.clock.at = max(self.clock.at, night)
        return replace(Runtime(self.settings, now=self.clock.at, at=self.clock), **changes)

    def night(self, **changes: Any) -> Synced:
        """Runs the step of the night of the day."""
        runtime = self.runtime(**changes)
        put(runtime, "incident_action_items", *self.rows.values(), day=self.day)
        put(runtime, "incidents", *self.incidents.values(), day=self.day)
        put(runtime, "services", {"service": "payment-api", "team": "payments"}, day=self.day)
        self.synced = keep_action_items(runtime, self.day).synced
        return self.synced

    def tomorrow(self, days: int = 1) -> None:
        """People's day: from the afternoon on."""
        self.day += timedelta(days=days)
        self.clock.at = max(self.clock.at, datetime.combine(self.day, time(15), UTC))

    def nights(self, count: int) -> Synced:
        """So many nights in a row; what the last one did."""
        for _ in range(count):
            self.night()
            self.tomorrow()
        return self.synced

    # What came of it.

    def _in_state(self, work: Any) -> Any:
        return in_state(self.runtime(), work, is_new=True)

    def events(self, item_id: str | None = None) -> list[Event]:
        found: list[Event] = self._in_state(lambda connection: store.events(connection, item_id and [item_id]))
        return found

    def items(self) -> dict[str, Item]:
        return items_of(self.events())

    def item(self, item_id: str = "ACT-1") -> Item:
        return self.items()[item_id]

    def link(self, item_id: str = "ACT-1") -> Link:
        found: dict[str, Link] = self._in_state(store.links)
        return found[item_id]

    def table(self, day: date | None = None) -> dict[str, Row]:
        path = self.runtime().lake.path(ACTION_ITEMS, day or self.day)
        return {row["item_id"]: row for row in pl.read_parquet(path, hive_partitioning=False).to_dicts()}

    def issues(self, state: str = "all") -> list[Issue]:
        """Issues that we opened, of every repository."""
        return [
            issue
            for people in (self.ops, self.web, self.attic)
            for issue in people.issues(state)
            if issue.user.login == BOT and MARK in (issue.body or "")
        ]

    def issue(self) -> Issue:
        """The one that we opened."""
        (found,) = self.issues()
        return found

    def forget(self) -> None:
        """Loses the state store."""

        async def run() -> None:
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute("drop schema nightshift cascade")
            finally:
                await connection.close()

        asyncio.run(run())


def states(items: Iterable[Item]) -> dict[str, str]:
    return {item.item_id: item.state for item in items}
