"""The blast-radius gates hold under concurrent apply runs: several processes, real locks, any schedule.

What the processes noted is read by a checker of its own, which counts what was touched and knows nothing of how the gates decide.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dagster_project.actions import apply_store
from dagster_project.actions.migrations import migrate
from dagster_project.domain.applying.gates import Limits, No, Touch
from dagster_project.domain.applying.saga import Saga
from tests.properties.schedules import REQUEST_ID, START, Member, Note, Noted, Schedule, followed, read, schedule_of

SCHEDULES = int(os.environ.get("NIGHTSHIFT_SOAK_SCHEDULES", "120"))
"""How many schedules are followed; a soak follows 10,000."""

FIVE_MINUTES, DAY = timedelta(minutes=5), timedelta(hours=24)
REQUEST = (
    "insert into nightshift.approval_requests (request_id, digest, revision, state, plan, plan_digest, resource_ids, approvals, "
    f"opened_at, opened_on, expires_at, changed_at, confirmed_on) values ('{REQUEST_ID}', 'x', 1, 'executing', 'x', 'x', "
    "'{}', '[]', now(), now()::date, now(), now(), now()::date)"
)


# The checker: what was touched, when, and what more than that would have been too much.


@dataclass
class Life:
    """An execution as it was noted. ``strides`` are touches of which each takes further members."""

    begun: Note
    touches: list[datetime] = field(default_factory=list)
    strides: list[datetime] = field(default_factory=list)
    over: Note | None = None

    @property
    def out(self) -> tuple[datetime, datetime] | None:
        """From when to when members of it were out of service, as far as anybody knew; None where it touched nothing."""
        if not self.touches:
            return None
        last = self.over.at if self.over else datetime.max.replace(tzinfo=START.tzinfo)
        return min(self.touches), max(last, *self.touches)


def lives_of(notes: Sequence[Note]) -> list[Life]:
    """The executions of notes in their order."""
    lives: dict[str, Life] = {}
    for note in sorted(notes, key=lambda note: note.order):
        if note.what == "begun":
            assert note.execution_id not in lives, "begun twice"
            lives[note.execution_id] = Life(note)
        elif note.what == "touched":
            life = lives[note.execution_id]
            # No gate is asked on the way back: a clock that is behind does not make it earlier than the way there.
            life.touches.append(max(note.at, *life.touches) if note.kind == "undo" and life.touches else note.at)
            life.strides += [note.at] if note.kind == "group_size" else []
        else:
            lives[note.execution_id].over = note
    return list(lives.values())


def violations(schedule: Schedule, notes: Sequence[Note]) -> list[str]:
    """Everything that is more than may be."""
    lives = lives_of(notes)
    touched = [life for life in lives if life.touches]
    savings = [life for life in touched if not life.begun.is_rollback]
    return [
        *_fleets(schedule, touched),
        *_shares(schedule, savings),
        *_chains(schedule, savings),
        *_executions(schedule, lives),
        *_twice(lives),
    ]


def _fleets(schedule: Schedule, lives: Sequence[Life]) -> Iterator[str]:
    """In any five minutes a fifth of a fleet, rounded down, but one at least."""
    for fleet, those in _grouped(lives, lambda life: (life.begun.service.lower(), life.begun.environment)).items():
        size = sum(each.units for each in schedule.members if (each.service.lower(), each.environment) == fleet)
        allowed = max(1, size // 5)
        outs = [(life, *life.out) for life in those if life.out]
        moments = {begin for _, begin, _ in outs} | {end for *_, end in outs} | {at for life in those for at in life.touches}
        for since in sorted(moments - {datetime.max.replace(tzinfo=START.tzinfo)}):
            until = since + FIVE_MINUTES
            members = sum(
                life.begun.members * max(1, sum(since <= at < until for at in life.strides))
                for life, begin, end in outs
                if begin < until and end >= since
            )
            if members > allowed:
                yield f"{members} of {size} members of {fleet} are touched in the five minutes from {since}; {allowed} may be."


def _shares(schedule: Schedule, lives: Sequence[Life]) -> Iterator[str]:
    """Half of a service's resources in any day, but so many at least as the limits say."""
    for service, those in _grouped(lives, lambda life: life.begun.service.lower()).items():
        size = sum(each.service.lower() == service for each in schedule.members)
        allowed = max(schedule.limits.min_service_changes, size // 2)
        touches = [(at, life.begun.resource_id) for life in those for at in life.touches]
        for since, _ in touches:
            changed = {name for at, name in touches if since <= at < since + DAY}
            if len(changed) > allowed:
                yield f"{len(changed)} of {service} are changed in the day from {since}; {allowed} may be."


def _chains(schedule: Schedule, lives: Sequence[Life]) -> Iterator[str]:
    """No two services of which one stands on the other, at any distance, in any day."""
    touches = [(at, life.begun.service.lower()) for life in lives for at in life.touches]
    for service in {service for _, service in touches}:
        near = _reached(service, schedule.stands_on) - {service}
        for at, own in touches:
            for other_at, other in touches:
                if own == service and other in near and abs(at - other_at) < DAY:
                    yield f"{service} and {other} of one chain are changed at {at} and {other_at}."


def _reached(service: str, stands_on: Mapping[str, frozenset[str]]) -> set[str]:
    found = {service}
    while True:
        more = found | {below for name in found for below in stands_on.get(name, ())}
        if more == found:
            return found
        found = more


def _executions(schedule: Schedule, lives: Sequence[Life]) -> Iterator[str]:
    """So many executions in any day as the limits say: by when they were begun, and by when they first touched anything where
    all read one clock (a later step is no execution of its own, whatever the clock of the run that makes it shows)."""
    moments = {"begun": [life.begun.at for life in lives]}
    if schedule.is_one_clock:
        moments["touching"] = [min(life.touches) for life in lives if life.touches]
    for what, those in moments.items():
        for since in those:
            count = sum(since <= at < since + DAY for at in those)
            if count > schedule.limits.max_executions_per_night:
                yield f"{count} executions are {what} in the day from {since}."


def _twice(lives: Sequence[Life]) -> Iterator[str]:
    """Never two of one resource at a time, by the machine's own clock."""
    for name, those in _grouped(lives, lambda life: life.begun.resource_id).items():
        spans = sorted((life.begun.order, life.over.order if life.over else 2**63) for life in those)
        for (_, ends), (begins, _) in pairwise(spans):
            if begins < ends:
                yield f"{name} has two executions at a time."


def _grouped(lives: Sequence[Life], key: Any) -> dict[Any, list[Life]]:
    found: dict[Any, list[Life]] = defaultdict(list)
    for life in lives:
        found[key(life)].append(life)
    return found


# The schedules.


@pytest.fixture
def store(dsn: str) -> str:
    """DSN of a state store with a request that executions belong to."""

    async def prepare() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await migrate(connection)
            await connection.execute(REQUEST)
        finally:
            await connection.close()

    asyncio.run(prepare())
    return dsn


def test_the_gates_hold_whatever_runs_do_at_the_same_time(store: str, tmp_path: Path) -> None:
    shut: Counter[str] = Counter()
    done: Counter[str] = Counter()
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in followed(store, range(SCHEDULES), tmp_path)]
        for seed in range(SCHEDULES):
            noted = [read(file) for file in files]
            schedule, notes = schedule_of(seed), [note for each in noted for note in each.notes]
            assert violations(schedule, notes) == [], f"schedule {seed}"
            shut += sum((each.shut for each in noted), Counter())
            done += _counted(schedule, noted)
    report = {"done": dict(done), "shut": dict(shut)}
    # Otherwise what is said above would be said of nothing.
    assert {"lock", "executions", "attempts", "cooldown", "fleet", "share", "neighbours", "rollout"} <= shut.keys(), report
    assert done["touched"] > 4 * SCHEDULES, report
    assert done["by several processes"] > SCHEDULES / 3, report
    assert min(done["one clock"], done["own clocks"]) > SCHEDULES / 4, report


def _counted(schedule: Schedule, noted: Sequence[Noted]) -> Counter[str]:
    found = Counter(note.what for each in noted for note in each.notes)
    found["one clock" if schedule.is_one_clock else "own clocks"] += 1
    users: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(noted):
        for note in each.notes:
            users[note.execution_id].add(number)
    found["by several processes"] += sum(len(numbers) > 1 for numbers in users.values())
    return found


# The checker sees what it is there for.

WORLD = Schedule(
    seed=0,
    members=(*(Member(f"r-{number}", "Web", "prod", 1) for number in range(9)), Member("db-1", "db", "prod", 15)),
    stands_on={"web": frozenset({"api"}), "api": frozenset({"db"})},
    limits=Limits(windows=(), min_service_changes=1, max_executions_per_night=5),
    is_one_clock=True,
    pace="minutes",
)


def life(name: str, at: float, end: float | None = None, *touches: float, **changes: Any) -> list[Note]:
    """An execution that begins and touches after so many minutes, and ends after so many; each noted when it happened."""
    service = "db" if name.startswith("db") else "web"
    known = {"resource_id": name, "service": service, "environment": "prod", "kind": "machine", "members": 1, **changes}
    moments = [("begun", at), *(("touched", each) for each in touches or (at,)), *([("ended", end)] if end is not None else [])]
    return [
        Note(what, int(1000 * minute), START + timedelta(minutes=minute), f"exe-{name}-{at}", is_rollback=False, **known)
        for what, minute in moments
    ]


def told(*lives: list[Note], **rules: Any) -> set[str]:
    """The kinds of violations that are found."""
    kinds = {"of web are changed": "share", "members of": "fleet", "of one chain": "chain", "executions are": "executions"}
    kinds["two executions"] = "twice"
    schedule = replace(WORLD, limits=replace(WORLD.limits, **rules))
    found = violations(schedule, [note for notes in lives for note in notes])
    return {kind for sentence in found for words, kind in kinds.items() if words in sentence}


def test_the_checker_sees_members_that_are_touched_within_five_minutes() -> None:
    assert told(life("r-1", 0, 1), life("r-2", 6, 7)) == set()
    assert told(life("r-1", 0, 1), life("r-2", 5.9, 7)) == {"fleet"}
    assert told(life("r-1", 0, 60), life("r-2", 30, 31)) == {"fleet"}
    assert told(life("r-1", 0), life("r-2", 600, 601)) == {"fleet"}, "one that never ended is under way"
    size: dict[str, Any] = {"kind": "group_size", "members": 3}
    assert told(life("db-1", 0, 60, 0, 5, 10, **size)) == set()
    assert told(life("db-1", 0, 60, 0, 4.9, **size)) == {"fleet"}, "each stride takes further members"
    assert told(life("db-1", 0, 60, 0, 4.9, members=3)) == set(), "the same members again"
    assert told(life("db-1", 0, 60, 0, members=4)) == {"fleet"}
    there = life("r-2", 10, 12)
    back = replace(there[1], order=11_000, at=START, kind="undo")
    assert told(life("r-1", 0, 1), [*there, back]) == set(), "it goes back by a clock that is behind"


def test_the_checker_sees_what_is_too_much_within_a_night() -> None:
    five = [life(f"r-{number}", 10 * number, 10 * number + 1) for number in range(5)]
    assert told(*five) == {"share"}
    assert told(*five[:4]) == set()
    assert told(*five[:4], life("r-4", 1440, 1441)) == set()
    assert told(*five, life("r-5", 1439, 1440), min_service_changes=9) == {"executions"}
    assert told(*five, life("r-5", 1440, 1441), min_service_changes=9) == set()
    assert told(life("r-1", 0, 1), life("db-1", 1439, 1440)) == {"chain"}
    assert told(life("r-1", 0, 1), life("db-1", 1440, 1441)) == set()


def test_the_checker_sees_two_executions_of_one_resource_at_a_time() -> None:
    assert told(life("r-1", 0, 10), life("r-1", 9, 20)) == {"fleet", "twice"}
    assert told(life("r-1", 0, 10), life("r-1", 15, 20)) == set()


# What schedules come upon only seldom.


def saga(name: str, at: datetime) -> Saga:
    return Saga(
        f"exe-{name}", REQUEST_ID, 1, name, "machine", None, None, "web", "prod", "m5.xlarge", "m5.large", at, at, members=1
    )


def nothing_is_near(touches: Sequence[Touch]) -> list[No]:
    return [No("fleet", f"{len(touches)} are near.")] if touches else []


async def opened(dsn: str, *sagas: Saga) -> asyncpg.Connection:
    """A connection to a store in which sagas have begun."""
    connection = await asyncpg.connect(dsn)
    for each in sagas:
        await apply_store.begin(connection, each, lambda _: [], START)
    return connection


WAITING: dict[str, Callable[[asyncpg.Connection], Coroutine[Any, Any, Saga | list[No]]]] = {
    "begin": lambda connection: apply_store.begin(connection, saga("r-2", START), nothing_is_near, START),
    "pass_gates": lambda connection: apply_store.pass_gates(connection, saga("r-2", START), nothing_is_near, START, START),
}


@pytest.mark.parametrize("call", WAITING)
def test_gates_see_what_another_run_began_while_they_waited_whatever_the_server_isolates(store: str, call: str) -> None:
    """A database may be set to show each transaction only what was there when it began, which is before its wait."""

    async def two_runs() -> Saga | list[No]:
        first, second, watcher = [await asyncpg.connect(store) for _ in range(3)]
        try:
            async with first.transaction(isolation="read_committed"):  # it is in the middle of what ``begin`` does
                await apply_store.begin(first, saga("r-1", START), nothing_is_near, START)
                waiting = asyncio.create_task(WAITING[call](second))
                is_waiting = "select exists (select from pg_locks where pid = $1 and not granted)"
                while not waiting.done() and not await watcher.fetchval(is_waiting, second.get_server_pid()):
                    pass
            return await waiting
        finally:
            for connection in (first, second, watcher):
                await connection.close()

    asyncio.run(_set(store, "default_transaction_isolation", "repeatable read"))
    assert asyncio.run(two_runs()) == [No("fleet", "1 are near.")]


async def _set(dsn: str, name: str, value: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        database = await connection.fetchval("select current_database()")
        await connection.execute(f"alter database {database} set {name} = '{value}'")
    finally:
        await connection.close()


def test_a_run_whose_clock_is_behind_takes_no_touch_back(store: str) -> None:
    async def taken_up() -> tuple[Touch, Saga]:
        connection = await opened(store, saga("r-1", START))
        try:
            begun, minute = saga("r-1", START), timedelta(minutes=1)
            await apply_store.pass_gates(connection, begun, lambda _: [], START, START + 5 * minute)
            passed = await apply_store.pass_gates(connection, begun, lambda _: [], START, START + 3 * minute)
            assert isinstance(passed, Saga)
            stepped, _ = await apply_store.begin_step(connection, passed, "stop", {}, START + 4 * minute)
            (touch,) = await apply_store.touches(connection, START)
            return touch, stepped
        finally:
            await connection.close()

    touch, stepped = asyncio.run(taken_up())
    assert touch.touched_at == stepped.touched_at == START + FIVE_MINUTES


def test_the_moment_of_a_step_counts_and_not_the_one_at_which_the_gates_were_asked(store: str) -> None:
    """What the gates look at may take a quarter of an hour, and a step on the way back asks no gates at all."""

    async def stepped() -> list[Touch]:
        connection = await opened(store, saga("r-1", START))
        try:
            late = START + timedelta(minutes=15)
            undone = await apply_store.turn(connection, saga("r-1", START), "It has to go back.", late)
            undone, _ = await apply_store.begin_step(connection, undone, "stop", {"was_running": True}, late)
            await apply_store.end(connection, undone, "original", "It has to go back.", late)
            assert (await apply_store.reload(connection, "exe-r-1")).memory == {"was_running": True}
            return await apply_store.touches(connection, late)
        finally:
            await connection.close()

    (touch,) = asyncio.run(stepped())
    assert (touch.touched_at, touch.state, touch.has_touched) == (START + timedelta(minutes=15), "original", True)


@pytest.mark.parametrize(("soak_days", "seen_days"), [(1, 90), (120, 120)])
def test_gates_are_shown_all_that_a_cooldown_or_a_soak_may_ask_for(store: str, soak_days: int, seen_days: int) -> None:
    async def shown(days: float) -> list[str]:
        connection = await opened(store, saga("r-1", START))
        try:
            await apply_store.end(connection, saga("r-1", START), "applied", "It is well.", START)
            since = apply_store.horizon(START + timedelta(days=days), timedelta(days=soak_days))
            return [touch.resource_id for touch in await apply_store.touches(connection, since)]
        finally:
            await connection.close()

    assert asyncio.run(shown(seen_days)) == ["r-1"]
    assert asyncio.run(shown(seen_days + 0.1)) == []
