"""The demo's cloud: it lives in the demo's own database, and does at once what is asked of it.

What is changed shows in the inventory, as it would after a real change: the next night sees it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from dagster_project.domain.applying.cloud import AVAILABLE, RUNNING, STOPPED, Database, Group, Machine, Refresh
from dagster_project.errors import CloudError, CloudRefused

_Config = dict[str, Any]
HISTORY = "demo_history"
"""In a configuration: when its size was changed, and which size that replaced."""


@dataclass(frozen=True, slots=True)
class DemoCloud:
    """A cloud in the database of a DSN. ``now`` dates what it changes."""

    dsn: str
    now: Callable[[], datetime]

    def machine(self, resource_id: str) -> Machine | None:
        config = self._read(resource_id, "ec2_instance")
        if config is None:
            return None
        state = config.get("demo_state", RUNNING)
        is_spot = config.get("lifecycle") == "spot"
        return Machine(resource_id, config["instance_type"], state, state == RUNNING or None, config.get("asg_name"), is_spot)

    def stop(self, resource_id: str) -> None:
        self._write(resource_id, demo_state=STOPPED)

    def start(self, resource_id: str) -> None:
        self._write(resource_id, demo_state=RUNNING)

    def set_type(self, resource_id: str, instance_type: str) -> None:
        machine = self.machine(resource_id)
        if machine is None or machine.state != STOPPED:
            raise CloudRefused(f"{resource_id} must be stopped before its type is changed.")
        self._write(resource_id, instance_type=instance_type)

    def group(self, name: str) -> Group | None:
        config = self._read(name, "autoscaling_group")
        if config is None:
            return None
        versions = config.get("demo_versions", [config["instance_type"]])
        number = config.get("demo_version", 1)
        count = config["desired_capacity"]
        refresh = Refresh(str(config["demo_refresh"]), "Successful") if "demo_refresh" in config else None
        return Group(
            name=name,
            min_size=config["min_size"],
            max_size=config["max_size"],
            desired=count,
            healthy=count,
            members=((config["instance_type"], count),) if count else (),
            template_id=config.get("launch_template_id"),
            template_version=str(number),
            template_type=versions[number - 1],
            refresh=refresh,
        )

    def set_group_size(self, name: str, min_size: int, desired: int) -> None:
        self._write(name, min_size=min_size, desired_capacity=desired)

    def add_template_version(self, template_id: str, source_version: str, instance_type: str, token: str) -> str:
        name, config = self._of_template(template_id)
        tokens: dict[str, int] = config.get("demo_tokens", {})
        if token not in tokens:
            versions = [*config.get("demo_versions", [config["instance_type"]]), instance_type]
            tokens = {**tokens, token: len(versions)}
            self._write(name, demo_versions=versions, demo_tokens=tokens)
        return str(tokens[token])

    def use_template(self, name: str, template_id: str, version: str) -> None:
        self._write(name, demo_version=int(version))

    def start_refresh(self, name: str, min_healthy_pct: int, warmup_seconds: int) -> None:
        config = self._read(name, "autoscaling_group")
        group = self.group(name)
        if config is None or group is None:
            raise CloudRefused(f"There is no group {name}.")
        self._write(name, instance_type=group.template_type, demo_refresh=config.get("demo_refresh", 0) + 1)

    def cancel_refresh(self, name: str) -> None:
        return  # a refresh is over as soon as it has begun

    def database(self, identifier: str) -> Database | None:
        config = self._read(identifier, "rds_instance")
        return None if config is None else Database(identifier, config["instance_type"], AVAILABLE)

    def set_class(self, identifier: str, instance_class: str) -> None:
        self._write(identifier, instance_type=instance_class)

    def _of_template(self, template_id: str) -> tuple[str, _Config]:
        rows = self._run(
            "select resource_id, current_config from resources where current_config ->> 'launch_template_id' = $1", template_id
        )
        if not rows:
            raise CloudRefused(f"There is no launch template {template_id}.")
        return rows[0]["resource_id"], json.loads(rows[0]["current_config"])

    def _read(self, resource_id: str, kind: str) -> _Config | None:
        rows = self._run("select current_config from resources where resource_id = $1 and type = $2", resource_id, kind)
        config: _Config | None = json.loads(rows[0]["current_config"]) if rows else None
        return config

    def _write(self, resource_id: str, **changes: Any) -> None:
        is_configuration = bool(changes.keys() & {"instance_type", "min_size", "desired_capacity"})
        if "instance_type" in changes:
            rows = self._run("select current_config from resources where resource_id = $1", resource_id)
            config = json.loads(rows[0]["current_config"])
            changes[HISTORY] = [*config.get(HISTORY, []), [self.now().isoformat(), config["instance_type"]]]
        self._run(
            "update resources set current_config = current_config || $2::jsonb, "
            "config_changed_at = case when $3 then $4 else config_changed_at end where resource_id = $1",
            resource_id,
            json.dumps(changes),
            is_configuration,
            self.now(),
        )

    def _run(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        async def run() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        try:
            return asyncio.run(run())
        except (OSError, asyncpg.PostgresError) as error:
            raise CloudError(f"The demo's cloud did not answer ({type(error).__name__}).") from None
