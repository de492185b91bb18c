"""``kill -9`` at every step of every saga: the next run ends in the applied or in the original state, and says which.

The process that applies is a real one, and it is killed by the kernel: before and after each call of the cloud, and before and
after each note in the state store. Its cloud is in a file, so that what it did outlives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.applying.cloud import AVAILABLE, RUNNING
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve, verify
from tests.approval_builders import ANA, BEN, Approvals, actor
from tests.approvals.conftest import NewWorld
from tests.approvals.killing import applied_until_killed, load, save
from tests.conftest import query

EVERY = int(os.environ.get("NIGHTSHIFT_SOAK_SEAMS", "15"))
"""Of so many places to be killed at one is taken, another one in each test; 1 takes them all (make soak)."""


def machine(world: Approvals) -> None:
    world.cloud.slow = 1


def sick_machine(world: Approvals) -> None:
    world.cloud.slow = 1
    world.cloud.sick = {"r-1 m5.xlarge"}


def _group(world: Approvals, **facts: Any) -> None:
    each = world.machines["r-1"]
    each.kind, each.units = "autoscaling_group", 10
    world.cloud.groups["r-1"] = {
        "min": 10, "max": 20, "desired": 10, "members": ["m5.2xlarge"] * 10, "versions": ["m5.2xlarge"], "version": 1, **facts
    }  # fmt: skip


def group_type(world: Approvals) -> None:
    _group(world)
    world.cloud.slow = 1


def sick_group_type(world: Approvals) -> None:
    _group(world, unlaunchable=["m5.xlarge"])
    world.cloud.slow = 1


def group_size(world: Approvals) -> None:
    _group(world)
    world.machines["r-1"].minimum = (10, 5)


def database(world: Approvals) -> None:
    each = world.machines["r-1"]
    each.kind, each.live, each.target, each.environment = "rds_instance", "db.r5.2xlarge", "db.r5.xlarge", "staging"
    world.cloud.databases["r-1"] = "db.r5.2xlarge"
    world.cloud.slow = 1


SAGAS: dict[str, tuple[Callable[[Approvals], None], str]] = {
    "machine": (machine, "applied"),
    "machine that is sick": (sick_machine, "original"),
    "group type": (group_type, "applied"),
    "group type that is sick": (sick_group_type, "original"),
    "group size": (group_size, "applied"),
    "database": (database, "applied"),
}


def is_whole(world: Approvals, name: str, state: str) -> None:
    """The cloud is as the ended saga says, and nothing is half-way."""
    cloud = world.cloud
    is_new = state == "applied"
    match name.removesuffix(" that is sick"):
        case "machine":
            assert (cloud.types["r-1"], cloud.states.get("r-1", RUNNING)) == ("m5.xlarge" if is_new else "m5.2xlarge", RUNNING)
        case "group type":
            group = cloud.groups["r-1"]
            kind = "m5.xlarge" if is_new else "m5.2xlarge"
            assert (group["members"], group["versions"][group["version"] - 1]) == ([kind] * 10, kind)
            assert len(group["versions"]) <= 2
        case "group size":
            assert (cloud.groups["r-1"]["min"], len(cloud.groups["r-1"]["members"])) == ((5, 5) if is_new else (10, 10))
        case "database":
            assert cloud.databases["r-1"] == ("db.r5.xlarge" if is_new else "db.r5.2xlarge")
            assert cloud.states.get("r-1", AVAILABLE) == AVAILABLE


@pytest.mark.parametrize("name", SAGAS)
def test_the_next_run_ends_it_and_says_how(new_world: NewWorld, execute, tmp_path: Path, name: str) -> None:
    prepare, expected = SAGAS[name]
    world = new_world("r-1", apply={"poll_seconds": 200})
    prepare(world)
    path = tmp_path / "cloud"
    save(world.cloud, path)
    fresh = path.read_bytes()
    fatal, kills = 1 + len(name) % EVERY, 0
    while True:
        path.write_bytes(fresh)
        world.cloud = load(path)
        world.night()
        for approver in (ANA, BEN):
            approve(world.runtime(), "r-1", actor(approver))
        was_killed = applied_until_killed(world, path, fatal)
        kills += was_killed
        told = []
        for _ in range(12):
            told += apply_approved(world.runtime()).lines
            if not query(world.dsn, "select from nightshift.executions where state = 'running'"):
                break
            world.clock.sleep(300)
        told += apply_approved(world.runtime()).lines
        (row,) = query(world.dsn, "select state, reason from nightshift.executions")
        assert row["state"] in ("applied", "original"), (fatal, row["reason"])
        if not was_killed:
            assert row["state"] == expected
        is_whole(world, name, row["state"])
        (request,) = query(world.dsn, "select state, reason from nightshift.approval_requests")
        assert request["state"] == ("executed" if row["state"] == "applied" else "rolled_back"), (fatal, request["reason"])
        ledger = query(world.dsn, "select resource_id from nightshift.applied_changes")
        assert len(ledger) == (row["state"] == "applied")
        assert verify(world.runtime())[2] == []
        if not was_killed:
            break
        execute(
            "alter table nightshift.approval_events disable trigger all; "
            "truncate nightshift.execution_steps, nightshift.executions, nightshift.approval_events, nightshift.slack_messages, "
            "nightshift.approval_requests, nightshift.applied_changes cascade; "
            "alter table nightshift.approval_events enable trigger all"
        )
        fatal += EVERY
    assert kills >= 2
