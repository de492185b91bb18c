"""A small world for approvals: machines that no code sets the size of, a cloud that they are in, and nights over them.

The cloud is a real one for the sagas: it keeps states, takes its time where a test says so, refuses what AWS refuses, and can be
told to fail or to end the process at any call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import polars as pl

from dagster_project.domain.applying.cloud import AVAILABLE, PENDING, RUNNING, STOPPED, STOPPING, Database, Group, Refresh
from dagster_project.domain.applying.cloud import Machine as SeenMachine
from dagster_project.domain.approvals.model import COMMAND_LINE, Actor
from dagster_project.errors import CloudRefused
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import (
    APPROVAL_REQUESTS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    SERVICE_DEPENDENCIES,
    Table,
)
from dagster_project.pipeline.approvals import ask
from dagster_project.pipeline.ledger import Load, record
from dagster_project.pipeline.proposals import propose, snapshot_answers
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import ApplySettings, ApprovalSettings, ModeRule, ProposalSettings, Settings, SlackSettings
from dagster_project.settings_acting import Approver, MaintenanceWindow
from dagster_project.sources import contract_tables
from tests.proposal_builders import Clock, Machine

FIRST_DAY = date(2025, 3, 9)
ACCOUNT = "318204967715"
ANA = Approver(email="ana@example.com", slack="U0ANA", github="ana", login="ana")
BEN = Approver(email="ben@example.com", slack="U0BEN", github="ben", login="ben")
ALWAYS = MaintenanceWindow(begins=time(0), ends=time(0))


@dataclass
class FakeCloud:
    """Machines, groups and databases as a cloud has them. ``slow`` looks pass before a transition is over; ``hooks`` are called
    before and after each call with its name."""

    types: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    slow: int = 0
    hook: Callable[[str, str], None] = lambda when, call: None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    _left: dict[str, int] = field(default_factory=dict)

    def _call(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))

    def machine(self, resource_id: str) -> SeenMachine | None:
        self.hook("before", "machine")
        if resource_id not in self.types:
            return None
        state = self.states.get(resource_id, RUNNING)
        if state in (STOPPING, PENDING):
            self._left[resource_id] = self._left.get(resource_id, self.slow) - 1
            if self._left[resource_id] < 0:
                state = self.states[resource_id] = STOPPED if state == STOPPING else RUNNING
                del self._left[resource_id]
        kind = self.types[resource_id]
        is_healthy = None if state != RUNNING else (resource_id, kind) not in self.sick_pairs
        found = SeenMachine(resource_id, kind, state, is_healthy)
        self.hook("after", "machine")
        return found

    @property
    def sick_pairs(self) -> set[tuple[str, str]]:
        return {(name, self.types[name]) for name in self.types if f"{name} {self.types[name]}" in self.sick}

    def stop(self, resource_id: str) -> None:
        self.hook("before", "stop")
        self._call("stop", resource_id)
        if self.states.get(resource_id, RUNNING) in (RUNNING, PENDING):
            self.states[resource_id] = STOPPING
        self.hook("after", "stop")

    def start(self, resource_id: str) -> None:
        self.hook("before", "start")
        self._call("start", resource_id)
        if self.states.get(resource_id) == STOPPING:
            raise CloudRefused(f"{resource_id} is stopping.")
        if self.states.get(resource_id) == STOPPED:
            self.states[resource_id] = PENDING
        self.hook("after", "start")

    def set_type(self, resource_id: str, instance_type: str) -> None:
        self.hook("before", "set_type")
        self._call("set_type", resource_id, instance_type)
        if self.states.get(resource_id) != STOPPED:
            raise CloudRefused(f"{resource_id} is not stopped.")
        self.types[resource_id] = instance_type
        self.hook("after", "set_type")

    def group(self, name: str) -> Group | None:
        self.hook("before", "group")
        group = self.groups.get(name)
        if group is None:
            return None
        refresh = group.get("refresh")
        if refresh is not None and refresh["status"] in ("InProgress", "Cancelling"):
            refresh["left"] -= 1
            if refresh["left"] < 0:
                self._end_refresh(group, refresh)
        members = list(group["members"])
        self.hook("after", "group")
        return Group(
            name=name,
            min_size=group["min"],
            max_size=group["max"],
            desired=group["desired"],
            healthy=len(members) - group.get("unhealthy", 0),
            members=tuple(sorted((kind, members.count(kind)) for kind in set(members))),
            template_id=group.get("template", "lt-1"),
            template_version=str(group["version"]),
            template_type=group["versions"][group["version"] - 1],
            refresh=Refresh(refresh["id"], refresh["status"], refresh.get("reason")) if refresh else None,
        )

    def _end_refresh(self, group: dict[str, Any], refresh: dict[str, Any]) -> None:
        if refresh["status"] == "Cancelling":
            refresh["status"] = "Cancelled"
            return
        kind = group["versions"][group["version"] - 1]
        if kind in group.get("unlaunchable", ()):
            refresh.update(status="Failed", reason=f"members of {kind} did not become healthy")
            group["members"] = [kind, *group["members"][1:]]
        else:
            refresh["status"] = "Successful"
            group["members"] = [kind] * group["desired"]

    def set_group_size(self, name: str, min_size: int, desired: int) -> None:
        self.hook("before", "set_group_size")
        self._call("set_group_size", name, min_size, desired)
        group = self.groups[name]
        kind = group["versions"][group["version"] - 1]
        group.update(min=min_size, desired=desired)
        group["members"] = (group["members"] + [kind] * desired)[:desired]
        self.hook("after", "set_group_size")

    def add_template_version(self, template_id: str, source_version: str, instance_type: str, token: str) -> str:
        self.hook("before", "add_template_version")
        self._call("add_template_version", template_id, source_version, instance_type, token)
        group = next(each for each in self.groups.values() if each.get("template", "lt-1") == template_id)
        tokens = group.setdefault("tokens", {})
        if token not in tokens:
            group["versions"].append(instance_type)
            tokens[token] = len(group["versions"])
        self.hook("after", "add_template_version")
        return str(tokens[token])

    def use_template(self, name: str, template_id: str, version: str) -> None:
        self.hook("before", "use_template")
        self._call("use_template", name, version)
        self.groups[name]["version"] = int(version)
        self.hook("after", "use_template")

    def start_refresh(self, name: str, min_healthy_pct: int, warmup_seconds: int) -> None:
        self.hook("before", "start_refresh")
        self._call("start_refresh", name, min_healthy_pct)
        group = self.groups[name]
        refresh = group.get("refresh")
        if refresh is None or refresh["status"] not in ("InProgress", "Cancelling"):
            number = int(refresh["id"]) + 1 if refresh else 1
            group["refresh"] = {"id": str(number), "status": "InProgress", "left": self.slow}
        self.hook("after", "start_refresh")

    def cancel_refresh(self, name: str) -> None:
        self.hook("before", "cancel_refresh")
        self._call("cancel_refresh", name)
        refresh = self.groups[name].get("refresh")
        if refresh is not None and refresh["status"] == "InProgress":
            refresh.update(status="Cancelling", left=self.slow)
        self.hook("after", "cancel_refresh")

    def database(self, identifier: str) -> Database | None:
        self.hook("before", "database")
        if identifier not in self.databases:
            return None
        state = self.states.get(identifier, AVAILABLE)
        pending = None
        if state.startswith("modifying "):
            wanted = state.partition(" ")[2]
            self._left[identifier] = self._left.get(identifier, self.slow) - 1
            if self._left[identifier] < 0:
                self.databases[identifier] = wanted
                self.states[identifier] = state = AVAILABLE
                del self._left[identifier]
            else:
                pending, state = wanted, "modifying"
        self.hook("after", "database")
        return Database(identifier, self.databases[identifier], state, pending)

    def set_class(self, identifier: str, instance_class: str) -> None:
        self.hook("before", "set_class")
        self._call("set_class", identifier, instance_class)
        if self.states.get(identifier, AVAILABLE) != AVAILABLE:
            raise CloudRefused(f"{identifier} is not available.")
        self.states[identifier] = f"modifying {instance_class}"
        self.hook("after", "set_class")


@dataclass
class Approvals:
    """Machines without code, their cloud, and the home of a Nightshift that may change them after an approval."""

    dsn: str
    folder: Path
    clock: Clock
    machines: dict[str, Machine]
    cloud: FakeCloud = field(default_factory=FakeCloud)
    day: date = FIRST_DAY
    approvals: dict[str, Any] = field(default_factory=dict)
    apply: dict[str, Any] = field(default_factory=dict)
    slack: SlackSettings = field(default_factory=SlackSettings)
    modes: tuple[ModeRule, ...] = ()
    mode: str = "apply"
    dependencies: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        self.cloud.types |= {name: machine.live for name, machine in self.machines.items() if name not in self.cloud.types}
        asyncio.run(self._create_tables())

    async def _create_tables(self) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await contract_tables.create_tables(connection)
        finally:
            await connection.close()

    @property
    def settings(self) -> Settings:
        approvals = {"approvers": (ANA, BEN), **self.approvals}
        apply = {"windows": (ALWAYS,), "poll_seconds": 30, "max_run_minutes": 60, "cooldown_hours": 0, **self.apply}
        return Settings(
            home=self.folder / "home",
            reports=self.folder / "reports",
            dsn=self.dsn,
            proposals=ProposalSettings(mode=self.mode, modes=self.modes),
            approvals=ApprovalSettings(**approvals),
            apply=ApplySettings(**apply),
            slack=self.slack,
        )

    def runtime(self, **changes: Any) -> Runtime:
        """A run at the clock's moment."""
        found = Runtime(self.settings, now=self.clock.at, at=self.clock, clouds=lambda account_id, region: self.cloud)
        return replace(found, **changes)

    def night(self, **changes: Any) -> list[dict[str, Any]]:
        """Runs the night of the day; returns the rows of ``approval_requests``."""
        night = datetime.combine(self.day + timedelta(days=1), time(2), UTC)
        self.clock.at = max(self.clock.at, night)
        runtime = self.runtime(**changes)
        listed = [each for each in self.machines.values() if each.is_listed]
        for machine in listed:
            machine.live = self._live(machine)
        inventory = [{**each.inventory(), "account_id": ACCOUNT} for each in listed]
        verdicts = [each.verdict() for each in listed]
        pairs = [{"service": one, "depends_on": other, "kind": "hard"} for one, other in self.dependencies]
        for table, rows in ((RIGHTSIZING_VERDICTS, verdicts), (RESOURCE_INVENTORY, inventory), (SERVICE_DEPENDENCIES, pairs)):
            write_frame(runtime.lake, table, self.day, pl.DataFrame(rows, schema=schema(table)))
        for source in ("resources", "service_dependencies"):
            record(runtime.lake, self.day, Load(source, "complete"))
        snapshot_answers(runtime, self.day)
        propose(runtime, self.day)
        ask(runtime, self.day)
        return self.table(APPROVAL_REQUESTS)

    def _live(self, machine: Machine) -> str:
        group = self.cloud.groups.get(machine.name)
        if group is not None:
            return str(group["versions"][group["version"] - 1])
        return self.cloud.databases.get(machine.name) or self.cloud.types.get(machine.name, machine.live)

    def table(self, table: Table) -> list[dict[str, Any]]:
        path = self.settings.warehouse / table.name / f"day={self.day}" / "part-0.parquet"
        return pl.read_parquet(path, hive_partitioning=False).to_dicts()

    def requests(self) -> dict[str, dict[str, Any]]:
        """The requests of the night, by id."""
        return {row["request_id"]: row for row in self.table(APPROVAL_REQUESTS) if row["request_id"]}

    def tomorrow(self) -> None:
        self.day += timedelta(days=1)


def actor(approver: Approver | None = ANA, source: str = COMMAND_LINE) -> Actor:
    """Somebody who answers; None is somebody who is no approver."""
    if approver is None:
        return Actor("mallory", source, "mallory@example.com", False)
    return Actor(approver.login or approver.email, source, approver.email, True)
