"""Nights of many action items whose issues are on a GitHub in another process: what Nightshift itself spends on them."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import asyncio
import resource
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import polars as pl

from benchmarks.measured.issue_server import OPENED, REPOSITORY, TOKEN, name_of
from dagster_project.actions import action_item_store as store
from dagster_project.actions.migrations import migrate
from dagster_project.domain.action_items.folding import items_of
from dagster_project.domain.action_items.model import GITHUB, Item
from dagster_project.domain.action_items.reconcile import standing_of
from dagster_project.domain.action_items.trackers import Draft, Issue, Link
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.action_item_measures import measure_action_items
from dagster_project.pipeline.action_item_sync import mark_of
from dagster_project.pipeline.action_items import keep_action_items
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.action_items import milestone_of
from dagster_project.settings import GithubSettings, Settings
from dagster_project.settings_action_items import ActionItemSettings

_FIRST = date(2025, 3, 9)


def database(server: str, name: str) -> None:
    """Makes an empty database."""

    async def make() -> None:
        connection = await asyncpg.connect(server)
        try:
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()

    asyncio.run(make())


def build(home: str, dsn: str, url: str, count: int, still_open: int) -> int:
    """The history: every item is known and has its issue, seen as it stands. Returns the items."""
    runtime = _runtime(home, dsn, url, _FIRST, is_following=False)
    _put(runtime, _FIRST, count, still_open)
    rows = keep_action_items(runtime, _FIRST).rows

    async def link() -> None:
        async with runtime.state() as connection:
            await migrate(connection)
            items = items_of(await store.events(connection))
            links = [_link(number, still_open, url, items[name_of(number)]) for number in range(1, count + 1)]
            await store.put_links(connection, links)
            await store.note_place(connection, GITHUB, REPOSITORY, runtime.now)

    asyncio.run(link())
    return rows


def night(home: str, dsn: str, url: str, number: int, count: int, still_open: int) -> dict[str, float]:
    """The night of the ``number``-th day after the first: seconds of processor time of this process, and requests."""
    day = _FIRST + timedelta(days=number)
    runtime = _runtime(home, dsn, url, day, is_following=True)
    _put(runtime, day, count, still_open)
    before = _processor_seconds()
    kept = keep_action_items(runtime, day)
    measure_action_items(runtime, day)
    if kept.synced.problems:
        raise RuntimeError("; ".join(kept.synced.problems))
    spent = _processor_seconds() - before
    return {"own": spent, "looked": kept.synced.looked, "events": kept.synced.events, "requests": kept.synced.reads}


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _runtime(home: str, dsn: str, url: str, day: date, *, is_following: bool) -> Runtime:
    actions = ActionItemSettings(repository=REPOSITORY) if is_following else ActionItemSettings()
    github = GithubSettings(base_url=url, token=TOKEN)  # type: ignore[arg-type] - validated
    settings = Settings(home=Path(home), reports=Path(home) / "reports", dsn=dsn, actions=actions, github=github)  # type: ignore[arg-type]
    return Runtime(settings, now=datetime.combine(day + timedelta(days=1), time(2), UTC))


def _put(runtime: Runtime, day: date, count: int, still_open: int) -> None:
    rows = [_row(number, still_open) for number in range(1, count + 1)]
    write_frame(
        runtime.lake, TABLES["incident_action_items"], day, pl.DataFrame(rows, schema=schema(TABLES["incident_action_items"]))
    )
    for name in ("incidents", "services"):
        write_frame(runtime.lake, TABLES[name], day, pl.DataFrame(schema=schema(TABLES[name])))


def _row(number: int, still_open: int) -> dict[str, Any]:
    name = name_of(number)
    return {
        "item_id": name, "incident_id": f"INC-{number // 5}", "title": f"Cap the connections of {name}", "item_type": "prevent",
        "owner": f"team-{number % 40}", "due_on": date(2025, 3, 1) + timedelta(days=number % 90),
        "state": "open" if number <= still_open else "done", "created_at": datetime(2025, 1, 1),
        "tracker": "github", "tracker_key": f"{REPOSITORY}#{number}",
    }  # fmt: skip


def _link(number: int, still_open: int, url: str, item: Item) -> Link:
    name, key = name_of(number), f"{REPOSITORY}#{number}"
    page = f"{url}/{key.replace('#', '/issues/')}"
    since = OPENED.replace(tzinfo=None)
    standing = "open" if number <= still_open else "done"
    labels = ("action-item", "type: prevent")
    issue = Issue(key, page, f"Cap the connections of {name}", standing, since, labels=labels, mark=mark_of(name), is_ours=True)
    milestone, last = milestone_of(item.due_on) if item.due_on else (None, None)
    wrote = Draft(issue.title, "", labels, None, milestone, last, standing_of(item), item.owner)
    return Link(name, GITHUB, REPOSITORY, key, mark_of(name), is_ours=True, url=page, base=issue, wrote=wrote)
