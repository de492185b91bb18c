"""What a machine's and a database's saga do next, whatever is seen of them; and how long a saga may take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.domain.applying import database, machine
from dagster_project.domain.applying.cloud import Database, Machine
from dagster_project.domain.applying.saga import (
    APPLIED,
    DATABASE,
    FORWARD,
    GROUP_SIZE,
    GROUP_TYPE,
    KINDS,
    MACHINE,
    ORIGINAL,
    STUCK,
    UNDO,
    Act,
    End,
    Next,
    Saga,
    Turn,
    Wait,
)
from dagster_project.domain.applying.sagas import KINDS as SAGAS
from dagster_project.domain.applying.sagas import next_of

BEGUN = datetime(2025, 3, 10, 2, tzinfo=UTC)
WHY = "A status check fails as m5.large."
MINUTES = timedelta(minutes=1)


def saga(kind: str, direction: str = FORWARD, **memory: Any) -> Saga:
    """A change from the old to the new size, which goes back because of a status check where it goes back."""
    before, after = ("db.r5.xlarge", "db.r5.large") if kind == DATABASE else ("m5.xlarge", "m5.large")
    begun = Saga(
        execution_id="exe-1",
        request_id="apr-1",
        revision=1,
        resource_id="r-1",
        kind=kind,
        account_id="318204967715",
        region="us-east-1",
        service="api",
        environment="prod",
        before=before,
        after=after,
        begun_at=BEGUN,
        touched_at=BEGUN,
        members=1,
        memory=memory,
    )
    return begun if direction == FORWARD else replace(begun, direction=UNDO, reason=WHY, turned_at=BEGUN)


# Machines: what is seen is a state, a type (old, new, or another one) and whether the status checks pass.

OLD, NEW, OTHER = "m5.xlarge", "m5.large", "c5.large"
STOP = Act("stop", ("r-1",), remember={"was_running": True}, touches=True)
TO_NEW, TO_OLD, START = Act("set_type", ("r-1", NEW)), Act("set_type", ("r-1", OLD)), Act("start", ("r-1",))
UNKNOWN, UNKNOWN_AS_NEW = (Wait("Its status checks are not known yet.", is_there=is_there) for is_there in (False, True))


def seen(state: str, kind: str, is_healthy: bool | None = None, **more: Any) -> Machine:
    return Machine("r-1", kind, state, is_healthy, **more)


@pytest.mark.parametrize(
    ("direction", "now", "step"),
    [
        (FORWARD, seen("running", OLD, True), STOP),
        (FORWARD, seen("running", OLD, False), STOP),
        (FORWARD, seen("running", OLD, None), STOP),
        (FORWARD, seen("stopping", OLD), Wait("It is stopping.")),
        (FORWARD, seen("stopped", OLD), TO_NEW),
        (FORWARD, seen("pending", OLD), Wait("It is pending.")),
        (FORWARD, seen("stopping", NEW), Wait("It is stopping.")),
        (FORWARD, seen("stopped", NEW), START),
        (FORWARD, seen("pending", NEW), Wait("It is pending.")),
        (FORWARD, seen("running", NEW, None), UNKNOWN_AS_NEW),
        (FORWARD, seen("running", NEW, True), End(APPLIED, "It is well.")),
        (FORWARD, seen("running", NEW, False), Turn(WHY)),
        (UNDO, seen("running", NEW, True), STOP),
        (UNDO, seen("running", NEW, False), STOP),
        (UNDO, seen("running", NEW, None), STOP),
        (UNDO, seen("stopping", NEW), Wait("It is stopping.")),
        (UNDO, seen("stopped", NEW), TO_OLD),
        (UNDO, seen("pending", NEW), Wait("It is pending.")),
        (UNDO, seen("stopping", OLD), Wait("It is stopping.")),
        (UNDO, seen("stopped", OLD), START),
        (UNDO, seen("pending", OLD), Wait("It is pending.")),
        (UNDO, seen("running", OLD, None), UNKNOWN),
        (UNDO, seen("running", OLD, True), End(ORIGINAL, WHY)),
        (UNDO, seen("running", OLD, False), End(STUCK, f"{WHY} It is a {OLD} again, and a status check still fails.")),
    ],
)
def test_a_machine_that_ran_is_stopped_changed_started_and_looked_at(direction: str, now: Machine, step: Next) -> None:
    assert machine.decide(saga(MACHINE, direction, was_running=True), now) == step


@pytest.mark.parametrize(
    ("direction", "now", "step"),
    [
        (FORWARD, seen("stopped", OLD), TO_NEW),
        (FORWARD, seen("stopped", NEW), End(APPLIED, "It is well.")),
        (FORWARD, seen("running", NEW, None), UNKNOWN_AS_NEW),
        (FORWARD, seen("running", OLD, True), STOP),
        (UNDO, seen("stopped", NEW), TO_OLD),
        (UNDO, seen("stopped", OLD), End(ORIGINAL, WHY)),
        (UNDO, seen("running", NEW, True), STOP),
    ],
)
def test_a_machine_that_was_stopped_stays_stopped_unless_it_was_seen_running(direction: str, now: Machine, step: Next) -> None:
    assert machine.decide(saga(MACHINE, direction, was_running=False), now) == step


@pytest.mark.parametrize("direction", [FORWARD, UNDO])
@pytest.mark.parametrize(
    ("now", "why"),
    [
        (None, "The machine is gone."),
        (seen("terminated", OLD), "The machine is gone (terminated)."),
        (seen("shutting-down", NEW), "The machine is gone (shutting-down)."),
        (seen("running", OTHER, True), "Somebody made it a c5.large meanwhile; it is running."),
        (seen("stopped", OTHER), "Somebody made it a c5.large meanwhile; it is stopped."),
    ],
)
def test_what_somebody_else_made_of_a_machine_is_left_to_a_person(direction: str, now: Machine | None, why: str) -> None:
    assert machine.decide(saga(MACHINE, direction, was_running=True), now) == End(STUCK, why)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (seen("running", OLD, True), None),
        (seen("stopped", OLD), None),
        (None, "There is no such machine."),
        (seen("running", OLD, True, group="workers"), "It is a member of workers, which would replace it at its own size."),
        (seen("running", OLD, True, is_spot=True), "It runs on spot capacity."),
        (seen("pending", OLD), "It is pending."),
        (seen("stopping", OLD), "It is stopping."),
        (seen("terminated", OLD), "It is terminated."),
        (seen("running", NEW, True), "It is a m5.large by now, not a m5.xlarge."),
        (seen("running", OLD, False), "Its status checks do not pass, so that nobody could tell whether the change did harm."),
        (seen("running", OLD, None), "Its status checks do not pass, so that nobody could tell whether the change did harm."),
    ],
)
def test_a_machine_is_changed_only_as_it_was_approved_and_while_it_is_well(now: Machine | None, why: str | None) -> None:
    assert machine.refusal(now, OLD) == why


@pytest.mark.parametrize(("state", "was_running"), [("running", True), ("stopped", False)])
def test_a_machine_is_one_member_and_whether_it_ran_is_remembered(state: str, was_running: bool) -> None:
    begun = SAGAS[MACHINE].begin(replace(saga(MACHINE), members=7), seen(state, OLD, True), 5)
    assert (begun.members, begun.memory) == (1, {"was_running": was_running})


# Databases: a class, a status, and a class that is to be brought in.

BIG, SMALL, ODD = "db.r5.xlarge", "db.r5.large", "db.m6g.large"
TO_SMALL, TO_BIG = (Act("set_class", ("r-1", kind), touches=True) for kind in (SMALL, BIG))


def rds(status: str, kind: str, pending: str | None = None) -> Database:
    return Database("r-1", kind, status, pending)


@pytest.mark.parametrize(
    ("direction", "now", "step"),
    [
        (FORWARD, rds("available", BIG), TO_SMALL),
        (FORWARD, rds("available", BIG, SMALL), Wait("It is about to become a db.r5.large.")),
        (FORWARD, rds("available", BIG, BIG), TO_SMALL),
        (FORWARD, rds("modifying", BIG, SMALL), Wait("It is modifying.")),
        (FORWARD, rds("backing-up", BIG), Wait("It is backing-up.")),
        (FORWARD, rds("available", SMALL), End(APPLIED, "It is available.")),
        (FORWARD, rds("modifying", SMALL), Wait("It is modifying.", is_there=True)),
        (FORWARD, rds("modifying", SMALL, BIG), Wait("It is modifying.")),
        (FORWARD, rds("available", SMALL, BIG), TO_SMALL),
        (FORWARD, rds("storage-full", BIG), Turn("It is storage-full.")),
        (FORWARD, rds("incompatible-network", SMALL), Turn("It is incompatible-network.")),
        (UNDO, rds("available", SMALL), TO_BIG),
        (UNDO, rds("available", BIG, SMALL), TO_BIG),
        (UNDO, rds("available", SMALL, BIG), Wait("It is about to become a db.r5.xlarge.")),
        (UNDO, rds("modifying", SMALL, BIG), Wait("It is modifying.")),
        (UNDO, rds("backing-up", BIG), Wait("It is backing-up.")),
        (UNDO, rds("available", BIG), End(ORIGINAL, WHY)),
        (UNDO, rds("failed", SMALL), End(STUCK, f"{WHY} It is failed.")),
    ],
)
def test_a_database_is_asked_for_its_class_and_waited_for(direction: str, now: Database, step: Next) -> None:
    assert database.decide(saga(DATABASE, direction), now) == step


@pytest.mark.parametrize("direction", [FORWARD, UNDO])
@pytest.mark.parametrize(
    ("now", "why"),
    [
        (None, "The database is gone."),
        (rds("available", ODD), "Somebody made it a db.m6g.large meanwhile."),
        (rds("available", BIG, ODD), "Somebody made it a db.m6g.large meanwhile."),
    ],
)
def test_what_somebody_else_made_of_a_database_is_left_to_a_person(direction: str, now: Database | None, why: str) -> None:
    assert database.decide(saga(DATABASE, direction), now) == End(STUCK, why)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (rds("available", BIG), None),
        (None, "There is no such database."),
        (rds("modifying", BIG), "It is modifying."),
        (rds("available", SMALL), "It is a db.r5.large by now, not a db.r5.xlarge."),
        (rds("available", BIG, SMALL), "It is to become a db.r5.large already."),
    ],
)
def test_a_database_is_changed_only_as_approved_and_while_nobody_works_on_it(now: Database | None, why: str | None) -> None:
    assert database.refusal(now, BIG) == why


def test_a_database_is_one_member_and_needs_no_memory() -> None:
    assert SAGAS[DATABASE].begin(saga(DATABASE), rds("available", BIG), 5) == saga(DATABASE)


# How long a saga may take.

PATIENCE = {MACHINE: 30 * MINUTES, DATABASE: 120 * MINUTES, GROUP_SIZE: 360 * MINUTES, GROUP_TYPE: 360 * MINUTES}


def test_every_change_that_can_be_approved_has_a_saga_with_its_patience() -> None:
    assert {kind: each.patience for kind, each in SAGAS.items()} == PATIENCE
    assert set(KINDS.values()) == set(SAGAS)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (seen("stopping", OLD), "It took more than 0.5 h: It is stopping."),
        (seen("stopped", OLD), "It took more than 0.5 h: it still has to set type"),
        (seen("pending", NEW), "It took more than 0.5 h: It is pending."),
    ],
)
def test_a_saga_that_takes_too_long_goes_back(now: Machine, why: str) -> None:
    forward = saga(MACHINE, was_running=True)
    assert next_of(forward, now, BEGUN + 30 * MINUTES) == Turn(why)
    in_time = next_of(forward, now, BEGUN + 29.9 * MINUTES)
    assert in_time == machine.decide(forward, now)


@pytest.mark.parametrize(
    ("direction", "now"),
    [(FORWARD, seen("running", NEW, True)), (FORWARD, seen("running", NEW, False)), (UNDO, seen("running", OLD, True))],
)
def test_one_that_is_over_is_over_however_long_it_took(direction: str, now: Machine) -> None:
    late = saga(MACHINE, direction, was_running=True)
    assert next_of(late, now, BEGUN + timedelta(days=2)) == machine.decide(late, now)


@pytest.mark.parametrize(
    ("forward", "now", "hours", "why"),
    [
        (
            saga(MACHINE, was_running=True),
            seen("running", NEW, None),
            0.5,
            "It is a m5.large, and after 0.5 h: Its status checks are not known yet.",
        ),
        (saga(DATABASE), rds("backing-up", SMALL), 2, "It is a db.r5.large, and after 2 h: It is backing-up."),
    ],
)
def test_what_has_arrived_is_not_taken_back_for_its_slowness(
    forward: Saga, now: Machine | Database, hours: float, why: str
) -> None:
    assert next_of(forward, now, BEGUN + timedelta(hours=hours)) == End(STUCK, why)
    assert isinstance(next_of(forward, now, BEGUN + timedelta(hours=hours) - MINUTES), Wait)


def back_at(*tries: datetime, call: str = "stop") -> Saga:
    """A machine on its way back, for which a call was tried at some moments."""
    tried = {"trying": call, "trying_since": tries[0].isoformat(), "tried_at": tries[-1].isoformat()} if tries else {}
    return saga(MACHINE, UNDO, was_running=True, **tried)


def test_a_way_back_has_the_same_time_from_its_turn() -> None:
    back = replace(back_at(), turned_at=BEGUN + 20 * MINUTES)
    pending = seen("pending", OLD)
    assert next_of(back, pending, BEGUN + 49 * MINUTES) == Wait("It is pending.")
    assert next_of(back, pending, BEGUN + 50 * MINUTES) == End(STUCK, f"{WHY} The way back took more than 0.5 h: It is pending.")


def test_a_way_back_that_is_refused_all_the_time_is_stuck() -> None:
    back, stopped = back_at(), seen("stopped", NEW)
    for minute in range(30):
        step = next_of(back, stopped, BEGUN + minute * MINUTES)
        assert isinstance(step, Act)
        assert step.call == "set_type"
        back = back.remembering(**step.remember)
    assert next_of(back, stopped, BEGUN + 30 * MINUTES) == End(
        STUCK, f"{WHY} The way back took more than 0.5 h: it still has to set type"
    )


def test_to_start_a_machine_that_ran_is_never_given_up() -> None:
    back = back_at()
    for minute in range(240):
        step = next_of(back, seen("stopped", OLD), BEGUN + minute * MINUTES)
        assert isinstance(step, Act)
        assert step.call == "start"
        back = back.remembering(**step.remember)
    assert isinstance(next_of(back, seen("pending", OLD), BEGUN + 240 * MINUTES), Wait), "it has its time from its last start on"
    assert isinstance(next_of(back, seen("pending", OLD), BEGUN + 269 * MINUTES), End)


def test_a_way_back_has_its_time_again_for_each_further_step() -> None:
    """It took 29 minutes to get it stopped; that leaves more than one for the change and the start."""
    back, late = back_at(BEGUN), BEGUN + 29 * MINUTES
    step = next_of(back, seen("stopped", NEW), late)
    assert isinstance(step, Act)
    assert step.remember == {"trying": "set_type", "trying_since": late.isoformat(), "tried_at": late.isoformat()}
    assert isinstance(next_of(back.remembering(**step.remember), seen("pending", OLD), late + 29 * MINUTES), Wait)
    assert isinstance(next_of(back.remembering(**step.remember), seen("pending", OLD), late + 30 * MINUTES), End)


@pytest.mark.parametrize("tries", [(), (BEGUN,), (BEGUN, BEGUN + 25 * MINUTES)])
def test_a_way_back_that_nobody_was_on_goes_on_when_it_is_taken_up(tries: tuple[datetime, ...]) -> None:
    """Its run was cut off before the change or at it, and the next one came two hours later: it must not stay stopped."""
    late = BEGUN + 120 * MINUTES
    step = next_of(back_at(*tries, call="set_type"), seen("stopped", NEW), late)
    assert isinstance(step, Act)
    assert (step.call, step.remember["trying_since"]) == ("set_type", late.isoformat())


def test_a_way_back_that_was_left_for_ten_minutes_was_not_refused_meanwhile() -> None:
    back = back_at(BEGUN, BEGUN + 20 * MINUTES, call="set_type")
    assert isinstance(next_of(back, seen("stopped", NEW), BEGUN + 30 * MINUTES), End)
    assert isinstance(next_of(back, seen("stopped", NEW), BEGUN + 30.1 * MINUTES), Act)


def test_a_way_back_remembers_what_its_step_does_beside_when_it_was_tried() -> None:
    at = BEGUN + MINUTES
    step = next_of(saga(MACHINE, UNDO, was_running=False), seen("running", NEW, True), at)
    assert isinstance(step, Act)
    moments = {"trying": "stop", "trying_since": at.isoformat(), "tried_at": at.isoformat()}
    assert step.remember == {"was_running": True, **moments}
