"""The demo's present: its own day, its own cloud, and settings that let a person try what nobody would try on production first.

A home is the demo's from ``nightshift demo`` on, and every command in it lives on the demo's day: the night after the last day
that has samples. ``go_on`` makes the next day.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from dagster_project.actions import action_item_store
from dagster_project.catalog.shapes import SHIPPED
from dagster_project.clock import MovedClock
from dagster_project.demo import infrastructure
from dagster_project.demo.fleet import DEMO_LAST_DAY
from dagster_project.demo.incidents import ACTION_ITEM_HISTORY, FIRST_DUE, action_items
from dagster_project.domain.action_items.folding import created
from dagster_project.domain.action_items.model import CONTRACT, OPEN, Event
from dagster_project.domain.action_items.observing import Told
from dagster_project.domain.rightsizing.dimensions import CPU, MEMORY
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.demo_cloud import HISTORY, DemoCloud
from dagster_project.pipeline.demo_events import demo_sources
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import (
    ApplySettings,
    ApprovalSettings,
    ModeRule,
    ProposalSettings,
    RepositorySettings,
    RootSettings,
    Settings,
)
from dagster_project.settings_acting import Approver, MaintenanceWindow

_DAY = "day"
_NIGHT = time(2)
_CALM_SERVICES = ("admin-console", "notification-api")
"""Services that no code of the demo sets the size of."""


def is_demo(settings: Settings) -> bool:
    """Whether a home is the demo's."""
    return settings.dsn is None and _day_file(settings).is_file()


def demo_day(settings: Settings) -> date:
    """The last day of a demo home that has samples."""
    path = _day_file(settings)
    return date.fromisoformat(path.read_text(encoding="ascii").strip()) if path.is_file() else DEMO_LAST_DAY


def note_day(settings: Settings, day: date) -> None:
    """Makes a home the demo's, with a last day."""
    path = _day_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{day}\n", encoding="ascii")


def as_demo(runtime: Runtime) -> Runtime:
    """The same run in the demo's present, where the home is the demo's. What the settings say themselves stays."""
    settings = runtime.settings
    if not is_demo(settings):
        return runtime
    now = datetime.combine(demo_day(settings) + timedelta(days=1), _NIGHT, UTC)
    at = MovedClock(now)
    moved = replace(runtime, settings=_with_demo(settings), now=now, at=at)
    return replace(
        moved, clouds=lambda account_id, region: DemoCloud(moved.dsn(), at.now), event_sources=lambda _: demo_sources()
    )


def _with_demo(settings: Settings) -> Settings:
    changes: dict[str, Any] = {}
    if not settings.repositories:
        changes["repositories"] = (_repository(settings),)
    if settings.proposals == ProposalSettings(kill_switch=settings.proposals.kill_switch):
        modes = tuple(ModeRule(mode="apply", service=name) for name in _CALM_SERVICES)
        changes["proposals"] = settings.proposals.model_copy(update={"modes": modes})
    if settings.approvals == ApprovalSettings():
        login = user_of_this_process()
        changes["approvals"] = ApprovalSettings(approvers=(Approver(email=f"{login}@example.com", login=login),))
    if settings.apply == ApplySettings():
        changes["apply"] = ApplySettings(
            windows=(MaintenanceWindow(begins=time(1), ends=time(5)),), poll_seconds=1, soak_hours=20
        )
    return settings.model_copy(update=changes)


def _repository(settings: Settings) -> RepositorySettings:
    home = settings.home / "demo"
    states = home / infrastructure.STATES
    roots = sorted(path.relative_to(states).as_posix() for path in states.rglob("*.tfstate"))
    return RepositorySettings(
        name=infrastructure.REPOSITORY,
        base="main",
        checkout=home / infrastructure.CHECKOUT,
        roots=tuple(RootSettings(path=root.removesuffix(".tfstate"), state=str(states / root)) for root in roots),
    )


def remember(runtime: Runtime) -> None:
    """Notes what nights before the first one would have noted of action items."""
    in_state(runtime, lambda connection: _remember(connection, runtime.now), is_new=True)


async def _remember(connection: asyncpg.Connection, now: datetime) -> None:
    past = {item for item, *_ in ACTION_ITEM_HISTORY}
    events = []
    for row in action_items():
        if row["item_id"] not in past:
            continue
        told = Told(
            CONTRACT, row["item_id"], row["title"], row["incident_id"], row["type"], row["priority"], row["owner"], row["due_on"],
            tracker=row["tracker"], tracker_key=row["tracker_key"],
        )  # fmt: skip
        values = told.values() | {"state": OPEN, "due_on": FIRST_DUE.get(row["item_id"]) or row["due_on"].isoformat()}
        events.append(created(row["item_id"], values, row["created_at"].replace(tzinfo=None), CONTRACT, CONTRACT))
    events += [Event(item, field, value, at, CONTRACT, CONTRACT) for item, at, field, value in ACTION_ITEM_HISTORY]
    await action_item_store.add_events(connection, events, now)


def go_on(runtime: Runtime) -> date:
    """Makes the demo's next day: each resource does what it did a week before, on the size that it has now. Returns the day."""
    day = demo_day(runtime.settings) + timedelta(days=1)
    asyncio.run(_go_on(runtime, day))
    note_day(runtime.settings, day)
    return day


def was_changed(runtime: Runtime) -> bool:
    """Whether anything was applied in the demo's cloud since its last night."""
    begins = datetime.combine(demo_day(runtime.settings) + timedelta(days=1), time(), UTC)

    async def ask() -> bool:
        async with runtime.connect() as connection:
            found: bool = await connection.fetchval("select exists (select from resources where config_changed_at >= $1)", begins)
            return found

    return asyncio.run(ask())


async def _go_on(runtime: Runtime, day: date) -> None:
    begins = datetime.combine(day, time(), UTC)
    week_ago = begins - timedelta(days=7)
    span = (week_ago, week_ago + timedelta(days=1))
    async with runtime.connect() as connection, connection.transaction():
        await connection.execute(
            "insert into utilization select resource_id, timestamp + interval '7 days', cpu_avg, cpu_max, mem_avg, mem_max, "
            "net_in_bytes, net_out_bytes, disk_read_bytes, disk_write_bytes, disk_read_ops, disk_write_ops, cpu_credit_balance, "
            "in_service from utilization where timestamp >= $1 and timestamp < $2 on conflict do nothing",
            *span,
        )
        await connection.execute(
            "insert into sli_events select service, name, timestamp + interval '7 days', good, total from sli_events "
            "where timestamp >= $1 and timestamp < $2 on conflict do nothing",
            *span,
        )
        await _resize(connection, begins)


async def _resize(connection: asyncpg.Connection, begins: datetime) -> None:
    """Of what was changed within the week, the percentages that were taken over are of another size."""
    week_ago = begins - timedelta(days=7)
    rows = await connection.fetch(
        "select resource_id, type, current_config from resources where config_changed_at >= $1", week_ago
    )
    for row in rows:
        config = json.loads(row["current_config"])
        was = _size_at(config, week_ago)
        capacity = [_capacity(row["type"], config, name) for name in (was, config["instance_type"])]
        cpu, memory = (capacity[0][place] / capacity[1][place] for place in (0, 1))
        await connection.execute(
            "update utilization set cpu_avg = cpu_avg * $3, cpu_max = cpu_max * $3, mem_avg = mem_avg * $4, "
            "mem_max = mem_max * $4 where resource_id = $1 and timestamp >= $2 and timestamp < $5",
            row["resource_id"],
            begins,
            cpu,
            memory,
            begins + timedelta(days=1),
        )


def _size_at(config: dict[str, Any], at: datetime) -> str:
    """The size that a resource had at a moment: of later changes, what the first one replaced."""
    later = [before for changed_at, before in config.get(HISTORY, []) if datetime.fromisoformat(changed_at) > at]
    return str(later[0] if later else config["instance_type"])


def _capacity(kind: str, config: dict[str, Any], name: str) -> tuple[float, float]:
    shapes = SHIPPED.rds_shapes(None, None) if kind == "rds_instance" else SHIPPED.ec2_shapes(None)
    place = shapes.names.index(name)
    return float(shapes.capacity[place, CPU]), float(shapes.capacity[place, MEMORY])


def _day_file(settings: Settings) -> Path:
    return settings.home / "demo" / _DAY
