"""Random schedules of apply runs, and the processes that follow them at the same time, each with a connection of its own.

A schedule is a seed: fleets, call chains, limits, and what each process tries at which of its moments. Its processes read one
clock, which goes on while a run stands between two of its steps, or each has its own and they disagree by hours.

What a process does is what ``pipeline/applying.py`` does around the store; what it did, it notes for a checker that knows nothing
of the gates.
"""

from __future__ import annotations

import asyncio
import pickle
import time as real_time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import asyncpg

from dagster_project.actions import apply_store
from dagster_project.domain.applying.gates import FLEET_WINDOW, Asked, Limits, fleet_allowance, neighbours_of, refusals
from dagster_project.domain.applying.saga import FORWARD, GROUP_SIZE, GROUP_TYPE, MACHINE, UNDO, Saga
from dagster_project.domain.applying.windows import DAYS, Window
from tests.forking import FORKS

START = datetime(2025, 3, 10, 2, tzinfo=UTC)
PROCESSES = 4
REQUEST_ID = "apr-000000000000"
_TRIES = 12
_ALWAYS = Window(time(0), time(0), frozenset(DAYS), "UTC")
_PACES = {"seconds": (20, 60), "minutes": (200, 300), "hours": (30_000, 86_400)}
"""Seconds: the longest of the short whiles, and how long those near a limit are."""
_ENVIRONMENTS = ("dev", "staging", "prod")


@dataclass(frozen=True)
class Member:
    """A resource of a fleet with its units. ``service`` is as it is written there, in whatever case."""

    name: str
    service: str
    environment: str
    units: int


@dataclass(frozen=True)
class Schedule:
    """The world of a seed. ``stands_on`` are the dependencies of its services."""

    seed: int
    members: tuple[Member, ...]
    stands_on: dict[str, frozenset[str]]
    limits: Limits
    is_one_clock: bool
    pace: str

    def fleet_size(self, service: str, environment: str) -> int:
        fleet = (service.lower(), environment)
        return sum(each.units for each in self.members if (each.service.lower(), each.environment) == fleet)

    def service_size(self, service: str) -> int:
        return sum(each.service.lower() == service.lower() for each in self.members)


@dataclass(frozen=True)
class Note:
    """What a process did: ``begun``, ``touched`` or ``ended``. ``order`` is a moment of the machine's clock, ``at`` one of the
    schedule's."""

    what: str
    order: int
    at: datetime
    execution_id: str
    resource_id: str
    service: str
    environment: str
    kind: str
    members: int
    is_rollback: bool


@dataclass
class Noted:
    """What one process did in one schedule, and which gates were shut how often."""

    notes: list[Note] = field(default_factory=list)
    shut: Counter[str] = field(default_factory=Counter)


def schedule_of(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = Random(seed)
    services = [f"service-{number}" for number in range(chance.randint(1, 4))]
    members = []
    for service in services:
        for environment in chance.sample(_ENVIRONMENTS, chance.randint(1, 2)):
            left = chance.randint(1, 30)
            while left > 0:
                units = min(left, chance.choice([1, 1, 1, chance.randint(2, 15)]))
                spelled = chance.choice([service, service, service.upper(), service.title()])
                members.append(Member(f"{service}-{environment}-{left}", spelled, environment, units))
                left -= units
    stands_on = {
        service: frozenset(chance.sample(services, chance.randint(0, min(2, len(services)))))
        for service in services
        if chance.random() < 0.5
    }
    is_wide = chance.random() < 0.5  # where the night has room for all, the five minutes are what is left to be kept
    limits = Limits(
        windows=(_ALWAYS,),
        min_service_changes=100 if is_wide else chance.randint(1, 3),
        max_executions_per_night=100 if is_wide else chance.randint(2, 8),
        max_attempts=chance.choice([1, 2, 100]),
        cooldown=timedelta(hours=chance.choice([0, 0, 1])),
        rollout=chance.choice([(), (), (frozenset({"dev"}), frozenset({"staging"}))]),
    )
    pace = chance.choice(["seconds", "minutes", "hours"])
    return Schedule(seed, tuple(members), {} if is_wide else stands_on, limits, chance.random() < 0.5, pace)


class _Clock:
    """The clock that all processes read, or one's own; it is never read twice at the same moment."""

    def __init__(self, shared: Any, schedule: Schedule, chance: Random) -> None:
        self._shared = shared if schedule.is_one_clock else None
        self._own = 0.0 if schedule.is_one_clock else chance.choice([0, 0, chance.uniform(0, 300), chance.uniform(0, 90_000)])
        self._chance, self._pace = chance, schedule.pace

    def pass_time(self) -> None:
        """Nothing, a while, or about as long as one of the limits is."""
        longest, near = _PACES[self._pace]
        self._add(self._chance.choice([0, 0, self._chance.uniform(0, longest), self._chance.uniform(0.9 * near, 1.1 * near)]))

    def now(self) -> datetime:
        return START + timedelta(seconds=round(self._add(0.001), 3))

    def _add(self, seconds: float) -> float:
        if self._shared is None:
            self._own += seconds
            return self._own
        with self._shared.get_lock():
            self._shared.value += seconds
            return float(self._shared.value)


@dataclass
class Run:
    """A process in a schedule."""

    connection: asyncpg.Connection
    schedule: Schedule
    clock: _Clock
    chance: Random
    noted: Noted = field(default_factory=Noted)

    async def follow(self) -> None:
        for _ in range(_TRIES):
            self.clock.pass_time()
            if self.chance.random() < 0.5:
                await self._begin(self.chance.choice(self.schedule.members))
                continue
            under_way = await apply_store.running(self.connection)
            if under_way:
                await self._go_on(self.chance.choice(under_way))

    async def _begin(self, member: Member) -> None:
        async with self._alone(member.name) as is_mine:
            if not is_mine:
                return
            now = self.clock.now()
            fleet_size = self.schedule.fleet_size(member.service, member.environment)
            stride = fleet_allowance(fleet_size, self.schedule.limits)
            kind = MACHINE if member.units == 1 else self.chance.choice([GROUP_SIZE, GROUP_TYPE])
            goes = self.chance.randint(1, member.units)
            members = max(1, min(stride, goes if kind == GROUP_SIZE else member.units))
            strides = -(-goes // members) if kind == GROUP_SIZE else 1
            is_rollback = self.chance.random() < 0.1
            revision = self.chance.randint(1, 6)  # two runs may be about to begin the same
            saga = Saga(
                execution_id=f"exe-{member.name}-{revision}",
                request_id=REQUEST_ID,
                revision=revision,
                resource_id=member.name,
                kind=kind,
                account_id=None,
                region=None,
                service=member.service,
                environment=member.environment,
                before="before",
                after="after",
                begun_at=now,
                touched_at=now,
                members=members,
                memory={"is_rollback": is_rollback, "strides": strides, "has_touched": False},
            )
            gates, since = await self._gates(saga, now), self._since(now)
            if self.chance.random() < 0.5 and self._shut(gates(await apply_store.touches(self.connection, since))):
                return
            self.clock.pass_time()  # until the request is noted as being applied
            begun = await apply_store.begin(self.connection, saga, gates, since)
            if isinstance(begun, list):
                self._shut(begun)
                return
            if begun is saga:
                self._note("begun", saga, now)
            if not apply_store.is_over(begun) and self.chance.random() < 0.8:
                await self._step(begun)

    async def _go_on(self, saga: Saga) -> None:
        async with self._alone(saga.resource_id) as is_mine:
            if not is_mine:
                return
            saga = await apply_store.reload(self.connection, saga.execution_id)
            if apply_store.is_over(saga):
                return
            self.clock.pass_time()
            fate = self.chance.random()
            if fate < 0.4:
                await self._step(saga)
            elif fate < 0.5 and saga.direction == FORWARD:
                await apply_store.turn(self.connection, saga, "It has to go back.", self.clock.now())
            else:
                good = "applied" if saga.direction == FORWARD else "original"
                await self._end(saga, self.chance.choice([good, good, good, "stuck"]))

    async def _step(self, saga: Saga) -> None:
        """A step that touches members: forward past the gates, on the way back without asking them."""
        if saga.direction == FORWARD:
            if saga.memory["strides"] < 1:
                await self._end(saga, "applied")
                return
            now = self.clock.now()
            gates = await self._gates(saga, now)
            self.clock.pass_time()  # what they look at takes its time
            passed = await apply_store.pass_gates(self.connection, saga, gates, self._since(now), now)
            if isinstance(passed, list):
                self._shut(passed)
                if any(no.gate != "fleet" for no in passed):
                    await self._end(saga, "original")
                return
            saga = passed
        elif not saga.memory["has_touched"]:
            await self._end(saga, "original")  # there is nothing to be taken back
            return
        at = self.clock.now()
        remember = {"strides": saga.memory["strides"] - (saga.kind == GROUP_SIZE), "has_touched": True}
        step = "set_group_size" if saga.kind == GROUP_SIZE and saga.direction == FORWARD else "touch"
        saga, position = await apply_store.begin_step(self.connection, saga, step, remember, at)
        self._note("touched", saga, at)
        await apply_store.end_step(self.connection, saga, position, "done", {}, self.clock.now())

    async def _end(self, saga: Saga, state: str) -> None:
        order, at = real_time.monotonic_ns(), self.clock.now()
        await apply_store.end(self.connection, saga, state, "It is over.", at)
        self._note("ended", saga, at, order)

    async def _gates(self, saga: Saga, now: datetime) -> apply_store.Gates:
        schedule = self.schedule
        recent = await apply_store.own_recent(self.connection, saga, "set_group_size", now - FLEET_WINDOW)
        service, environment = saga.service, saga.environment or ""
        asked = Asked(
            execution_id=saga.execution_id,
            resource_id=saga.resource_id,
            service=service,
            environment=environment,
            members=saga.members,
            is_stopped=False,
            mode="apply",
            fleet_size=schedule.fleet_size(service, environment),
            service_size=schedule.service_size(service),
            neighbours=neighbours_of(service.lower(), schedule.stands_on),
            changed_at=None,
            is_changed_known=True,
            evidence=None,
            earlier_open=(),
            own_recent=recent,
            is_rollback=saga.memory["is_rollback"],
        )
        return lambda touches: refusals(asked, touches, schedule.limits, now)

    def _since(self, now: datetime) -> datetime:
        return apply_store.horizon(now, self.schedule.limits.soak)

    def _shut(self, found: Sequence[Any]) -> bool:
        self.noted.shut.update({no.gate for no in found})
        return bool(found)

    def _note(self, what: str, saga: Saga, at: datetime, order: int | None = None) -> None:
        kind = "undo" if saga.direction == UNDO else saga.kind
        whose = saga.execution_id, saga.resource_id, saga.service, saga.environment or "", kind, saga.members
        self.noted.notes.append(Note(what, order or real_time.monotonic_ns(), at, *whose, saga.memory["is_rollback"]))

    @asynccontextmanager
    async def _alone(self, resource_id: str) -> AsyncIterator[bool]:
        is_mine: bool = await self.connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", resource_id)
        try:
            yield is_mine
        finally:
            if is_mine:
                await self.connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", resource_id)


def followed(dsn: str, seeds: Sequence[int], folder: Path) -> list[Path]:
    """Follows schedules with several processes at a time; the files that they left, from which ``read`` reads."""
    barrier, shared = FORKS.Barrier(PROCESSES), FORKS.Value("d", 0.0)
    files = [folder / f"process-{number}" for number in range(PROCESSES)]
    children = [
        FORKS.Process(target=_work, args=(dsn, number, list(seeds), files[number], barrier, shared))
        for number in range(PROCESSES)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * PROCESSES
    return files


def read(file: BinaryIO) -> Noted:
    """What a process did in its next schedule."""
    found: Noted = pickle.load(file)  # noqa: S301 - written below
    return found


def _work(dsn: str, number: int, seeds: list[int], path: Path, barrier: Any, shared: Any) -> None:
    try:
        asyncio.run(_follow_all(dsn, number, seeds, path, barrier, shared))
    except BaseException:
        barrier.abort()  # the others must not wait for ever
        raise


async def _follow_all(dsn: str, number: int, seeds: list[int], path: Path, barrier: Any, shared: Any) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"synchronous_commit": "off"})
    try:
        with path.open("wb") as file:
            for seed in seeds:
                schedule, chance = schedule_of(seed), Random(f"{seed} {number}")
                if number == 0:
                    await connection.execute("delete from nightshift.execution_steps; delete from nightshift.executions")
                    shared.value = 0.0
                barrier.wait(60)
                run = Run(connection, schedule, _Clock(shared, schedule, chance), chance)
                await run.follow()
                pickle.dump(run.noted, file)
                barrier.wait(60)
    finally:
        await connection.close()
