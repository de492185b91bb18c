"""Sagas in a cloud that keeps its own laws and takes its own time: however it and the runs take turns, and wherever runs are cut
off, a saga ends applied, as it was, or stuck, and asks on its way for nothing but the size before and the size after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.domain.applying.cloud import Database, Group, Machine, Refresh
from dagster_project.domain.applying.saga import (
    APPLIED,
    DATABASE,
    GROUP_SIZE,
    GROUP_TYPE,
    MACHINE,
    ORIGINAL,
    STUCK,
    UNDO,
    Act,
    End,
    Saga,
    Turn,
    Wait,
)
from dagster_project.domain.applying.sagas import KINDS, next_of

BEGUN = datetime(2025, 3, 10, 2, tzinfo=UTC)
OLD, NEW = "big", "small"
MOST_LOOKS = 400


class Refused(Exception):
    """The cloud will not do it, or has no capacity for it now."""


class Lost(Exception):
    """The cloud did not answer; whether it did what it was asked is not known."""


@dataclass
class World:
    """What chance decides. A ``kind`` cloud always has room for the old size, and brings it up in good health."""

    chance: Random
    is_kind: bool
    crashes: int = 6
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def perhaps(self, share: float) -> bool:
        return self.chance.random() < share

    def may_start(self, size: str) -> bool:
        return self.perhaps(0.8) if size == NEW else self.is_kind or self.perhaps(0.9)

    def is_well(self, size: str) -> bool:
        return self.perhaps(0.7) if size == NEW else self.is_kind or self.perhaps(0.9)


@dataclass
class MachineCloud:
    """A machine stops, changes and starts; once it runs its checks say after a while whether it is well. One that is stopped may
    be started by somebody."""

    world: World
    runs: bool
    kind: str = OLD
    state: str = ""
    is_healthy: bool | None = True

    def __post_init__(self) -> None:
        self.state = "running" if self.runs else "stopped"
        self.has_run = self.runs

    def pass_time(self, is_long: bool) -> None:
        for _ in range(5 if is_long else 1):
            if not is_long and self.world.perhaps(0.4):
                return
            if self.state == "stopped" and not self.runs and self.world.perhaps(0.1):
                self.state, self.runs = "pending", True  # somebody needs it after all
            elif self.state in ("stopping", "pending"):
                self.state, self.is_healthy = {"stopping": ("stopped", None), "pending": ("running", None)}[self.state]
                self.has_run |= self.state == "running"
            elif self.state == "running" and self.is_healthy is None:
                self.is_healthy = self.world.is_well(self.kind)

    def look(self) -> Machine:
        return Machine("r-1", self.kind, self.state, self.is_healthy if self.state == "running" else None)

    def stop(self, name: str) -> None:
        self.state = {"running": "stopping", "pending": "stopping"}.get(self.state, self.state)

    def set_type(self, name: str, kind: str) -> None:
        assert kind in (OLD, NEW)
        if self.state != "stopped":
            raise Refused("It is not stopped.")
        self.kind = kind

    def start(self, name: str) -> None:
        if self.state == "stopping" or (self.state == "stopped" and not self.world.may_start(self.kind)):
            raise Refused("It cannot be started.")
        self.state = "pending" if self.state == "stopped" else self.state

    def is_as(self, size: str) -> bool:
        is_well = (self.state, self.is_healthy) == ("running", True)
        return self.kind == size and (is_well or not self.has_run)


@dataclass
class DatabaseCloud:
    """A database shows the class that it was asked for, then is modified, then has it or has broken."""

    world: World
    kind: str = OLD
    pending: str | None = None
    status: str = "available"

    def pass_time(self, is_long: bool) -> None:
        for _ in range(5 if is_long else 1):
            if not is_long and self.world.perhaps(0.4):
                return
            if self.status == "modifying":
                if self.pending == NEW and not self.world.is_kind and self.world.perhaps(0.1):
                    self.status = "incompatible-parameters"
                else:
                    self.kind, self.pending, self.status = self.pending or self.kind, None, "available"
            elif self.pending is not None:
                self.status = "modifying"

    def look(self) -> Database:
        return Database("r-1", self.kind, self.status, self.pending)

    def set_class(self, name: str, kind: str) -> None:
        assert kind in (OLD, NEW)
        if self.status != "available" or (kind == NEW and self.world.perhaps(0.1)):
            raise Refused("It is not available, or there is no capacity.")
        self.pending = kind if kind != self.kind else None

    def is_as(self, size: str) -> bool:
        return (self.kind, self.pending, self.status) == (size, None, "available")


@dataclass
class SizeCloud:
    """A group whose minimum is set. Its own scaling moves it between its bounds, and new members take a while."""

    world: World
    before: int
    after: int
    desired: int
    saga: Saga | None = None

    def __post_init__(self) -> None:
        self.minimum, self.healthy, self.at_first = self.before, self.desired, self.desired

    def pass_time(self, is_long: bool) -> None:
        if self.world.perhaps(0.15):
            self.desired = self.world.chance.randint(self.minimum, self.minimum + 20)
            self.healthy = min(self.healthy, self.desired)
        if is_long or self.world.perhaps(0.6):
            self.healthy = self.desired

    def look(self) -> Group:
        return Group("r-1", self.minimum, 99, self.desired, self.healthy, ((OLD, self.desired),), "lt-1", "1", OLD)

    def set_group_size(self, name: str, minimum: int, desired: int) -> None:
        assert minimum in (self.before, self.after)
        assert desired >= minimum
        assert self.saga is not None
        if self.saga.direction == UNDO:
            assert desired >= self.desired, "on the way back no member goes"
        else:
            assert self.desired - desired <= self.saga.members, "more members go than the gates were asked for"
        self.minimum, self.desired, self.healthy = minimum, desired, min(self.healthy, desired)

    def is_as(self, size: str) -> bool:
        if size == NEW:
            return self.minimum == self.after
        return self.minimum == self.before and self.desired >= self.at_first


@dataclass
class TypeCloud:
    """A group with a launch template whose members are replaced a few at a time by a refresh, which may fail."""

    world: World
    desired: int
    saga: Saga | None = None

    def __post_init__(self) -> None:
        self.members, self.versions, self.version = [OLD] * self.desired, [OLD], 1
        self.refresh: dict[str, Any] | None = None
        self.tokens: dict[str, int] = {}

    def pass_time(self, is_long: bool) -> None:
        for _ in range(len(self.members) + 2 if is_long else 1):
            refresh, kind = self.refresh, self.versions[self.version - 1]
            if refresh is None or (not is_long and self.world.perhaps(0.3)):
                return
            if refresh["status"] == "Cancelling":
                refresh["status"] = "Cancelled"
            elif refresh["status"] == "Pending":
                refresh["status"] = "InProgress"
            elif refresh["status"] == "InProgress":
                old = [place for place, each in enumerate(self.members) if each != kind]
                if old and not self.world.is_well(kind):
                    refresh["status"] = "Failed"
                for place in old[: refresh["at_a_time"]]:
                    self.members[place] = kind
                if not old:
                    refresh["status"] = "Successful"

    def look(self) -> Group:
        kinds = tuple(sorted((kind, self.members.count(kind)) for kind in set(self.members)))
        refresh = Refresh(str(self.refresh["id"]), self.refresh["status"]) if self.refresh else None
        kind, count = self.versions[self.version - 1], len(self.members)
        return Group("r-1", 1, 99, count, count, kinds, "lt-1", str(self.version), kind, refresh)

    def add_template_version(self, template: str, source: str, kind: str, token: str) -> str:
        assert (template, source, kind) == ("lt-1", "1", NEW)
        if token not in self.tokens:
            self.versions.append(kind)
            self.tokens[token] = len(self.versions)
        return str(self.tokens[token])

    def use_template(self, name: str, template: str, version: str) -> None:
        assert version in ("1", "2")
        self.version = int(version)

    def start_refresh(self, name: str, kept_pct: int, warmup: int) -> None:
        assert self.saga is not None
        count = len(self.members)
        at_a_time = max(1, count - -(-count * kept_pct // 100))
        assert at_a_time <= self.saga.members, "more members go than the gates were asked for"
        if self.refresh is None or self.refresh["status"] not in ("Pending", "InProgress", "Cancelling"):
            number = self.refresh["id"] + 1 if self.refresh else 1
            self.refresh = {"id": number, "status": "Pending", "at_a_time": at_a_time}

    def cancel_refresh(self, name: str) -> None:
        if self.refresh is not None and self.refresh["status"] in ("Pending", "InProgress"):
            self.refresh["status"] = "Cancelling"

    def is_as(self, size: str) -> bool:
        return set(self.members) == {size} and self.versions[self.version - 1] == size


def begun(world: World, kind: str) -> tuple[Any, Saga]:
    """A cloud and a saga in it that has just begun."""
    chance = world.chance
    before, after = OLD, NEW
    cloud: Any
    match kind:
        case "machine":
            cloud = MachineCloud(world, runs=world.perhaps(0.8))
        case "database":
            cloud = DatabaseCloud(world)
        case "group_size":
            low, high = sorted(chance.sample(range(1, 30), 2))
            first, last = (high, low) if world.perhaps(0.7) else (low, high)
            cloud = SizeCloud(world, first, last, first + chance.choice([0, 0, chance.randint(1, 9)]))
            before, after = str(first), str(last)
        case _:
            cloud = TypeCloud(world, chance.randint(1, 12))
    saga = Saga("exe-1", "apr-1", 1, "r-1", kind, None, None, "api", "prod", before, after, BEGUN, BEGUN, 1)
    seen = cloud.look()
    assert KINDS[kind].refusal(seen, before) is None
    return cloud, KINDS[kind].begin(saga, seen, chance.randint(1, 6))


def driven(world: World, kind: str) -> tuple[Any, Saga, int]:
    """A saga driven to its end, as runs drive it: what is remembered of a step is written down before it, what it gave after it,
    and a run may be cut off before the call, after it, and before its answer is noted. Returns how often it was looked at."""
    cloud, saga = begun(world, kind)
    now, pause = BEGUN, KINDS[kind].patience / 60
    for looks in range(1, MOST_LOOKS):
        step = next_of(saga, cloud.look(), now)
        is_cut_off = world.crashes > 0 and world.perhaps(0.1)
        world.crashes -= is_cut_off
        if isinstance(step, Act) and step.touches and saga.direction != UNDO:
            chance = world.chance.random()
            step = Wait("No room.") if chance < 0.1 else Turn("A gate is shut.") if chance < 0.2 else step
        if isinstance(step, Act):
            saga = saga.remembering(**step.remember)
            is_made = not is_cut_off or world.perhaps(0.5)
            step, saga = _called(world, cloud, saga, step, is_noted=not is_cut_off) if is_made else (Wait("Cut off."), saga)
        if isinstance(step, Turn) and not is_cut_off:
            saga = replace(saga, direction=UNDO, reason=step.why, turned_at=now)
        if isinstance(step, End) and not is_cut_off:
            return cloud, replace(saga, state=step.state, reason=step.why), looks
        is_away = is_cut_off and world.perhaps(0.5)  # the next run comes much later
        now += pause * world.chance.randint(20, 200) if is_away else pause if isinstance(step, Wait) else timedelta(seconds=1)
        cloud.pass_time(is_away)
    raise AssertionError(f"it is {saga.direction} after {MOST_LOOKS} looks: {world.calls[-5:]}")


def _called(world: World, cloud: Any, saga: Saga, step: Act, is_noted: bool) -> tuple[Any, Saga]:
    cloud.saga = saga
    world.calls.append((step.call, *step.arguments))
    try:
        if world.perhaps(0.05):
            raise Lost
        result = getattr(cloud, step.call)(*step.arguments)
        if world.perhaps(0.05):
            raise Lost
    except Refused as error:
        return (Wait(str(error)) if saga.direction == UNDO else Turn(str(error))) if is_noted else Wait("Cut off."), saga
    except Lost:
        return Wait("It is not known whether it was done."), saga
    return step, saga.remembering(**{step.result: result}) if step.result and is_noted else saga


@pytest.mark.parametrize("kind", [MACHINE, DATABASE, GROUP_SIZE, GROUP_TYPE])
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), is_kind=st.booleans())
def test_a_saga_ends_where_it_says_whatever_the_cloud_does_and_wherever_runs_are_cut_off(
    kind: str, seed: int, is_kind: bool
) -> None:
    world = World(Random(seed), is_kind)
    cloud, saga, looks = driven(world, kind)
    assert looks < MOST_LOOKS / 2
    assert saga.reason
    match saga.state:
        case "applied":
            assert cloud.is_as(NEW)
        case "original":
            assert cloud.is_as(OLD)
            assert saga.direction == UNDO
        case _:
            assert saga.state == STUCK
            # Where the old size always has room every change can be taken back; only one that has arrived is left as it is.
            assert not is_kind or (saga.direction != UNDO and cloud.look().instance_type == NEW)


@pytest.mark.parametrize("kind", [MACHINE, DATABASE, GROUP_SIZE, GROUP_TYPE])
def test_the_clouds_of_these_tests_let_sagas_end_in_every_way(kind: str) -> None:
    """Otherwise what is said above would be said of nothing."""
    ends = [driven(World(Random(seed), is_kind=False), kind)[1] for seed in range(200)]
    assert {saga.state for saga in ends} >= {APPLIED, ORIGINAL}
    assert {saga.direction for saga in ends} == {"forward", UNDO}
    if kind in (MACHINE, GROUP_TYPE):
        assert STUCK in {saga.state for saga in ends}
