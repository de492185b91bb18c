"""Approvals against a model: random clicks, replays, forged values, expired requests, people at once, plans that change, crashes.

Whatever happens: nothing is executed without valid, current and sufficient approvals, nothing is executed twice, and nothing that
was approved is lost. The model knows the rules in its own words; the history is judged by what the events say, not by what the
state machine made of them.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dagster_project.actions import approval_store as store
from dagster_project.domain.approvals.machine import Accepted, Approve, Reject, Snooze
from dagster_project.domain.approvals.model import COMMAND_LINE, GITHUB, LIVE, SLACK, Actor, Request
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approvers import policy_of
from tests.approval_builders import FIRST_DAY, Approvals, FakeCloud
from tests.conftest import query
from tests.proposal_builders import Clock, Machine

EXAMPLES = int(os.environ.get("NIGHTSHIFT_SOAK_EXAMPLES", "4"))
STEPS = int(os.environ.get("NIGHTSHIFT_SOAK_STEPS", "40"))
PEOPLE = {
    "ana": ("ana@example.com", True),
    "ben": ("ben@example.com", True),
    "mallory": ("mallory@example.com", False),
    "nobody": (None, True),
}
HIGH, CALM = "i-high", "i-calm"
FORGED = "f" * 64


class Killed(BaseException):
    """The process ended here."""


class History:
    """One high-risk and one low-risk request, and everything that may befall them, drawn by a seed."""

    def __init__(self, dsn: str, folder: Path, seed: int) -> None:
        self.dsn, self.draw = dsn, random.Random(seed)
        self._execute("drop schema if exists nightshift cascade")
        machines = {
            HIGH: Machine(HIGH, environment="prod", exceedance=20.0, service="payment-api"),
            CALM: Machine(CALM, environment="staging", service="search-api"),
        }
        clock = Clock(datetime.fromisoformat("2025-03-10T02:00:00+00:00"))
        self.world = Approvals(self.dsn, folder / str(seed), clock, machines, FakeCloud(), FIRST_DAY)
        self.world.apply = {"max_executions_per_night": 100, "soak_hours": 0, "max_attempts": 10}
        self.world.night()
        self.said: list[tuple[str, Approve | Reject | Snooze]] = []
        self.heard: Counter[str] = Counter()

    def live_through(self, steps: int) -> None:
        """Lets things befall the requests, and looks after each whether all holds."""
        happenings = (
            *[self.approve] * 9, self.say_no, *[self.say_again] * 3, *[self.two_at_once] * 2,
            self.a_late_click, *[self.time_passes] * 2,
            *[self.a_night] * 3, self.the_kill_switch, *[self.an_apply_run] * 4,
        )  # fmt: skip
        for _ in range(steps):
            self.draw.choice(happenings)()
            self.the_chain_holds()
            self.nothing_was_executed_without_enough_approvals()
            self.what_was_changed_was_approved()
        self.comes_to_rest()

    # What people do.

    def approve(self) -> None:
        name, who = self._one(HIGH, CALM), self._one("ana", "ana", "ben", "ben", "mallory", "nobody")
        source, value = self._one(SLACK, GITHUB, COMMAND_LINE), self._one("current", "current", "current", "old", "forged")
        request = self._newest(name)
        revision = request.revision - (value == "old")
        digest = FORGED if value == "forged" else request.plan.digest
        self._give(request, Approve(_actor(who, source), revision, digest))

    def say_no(self) -> None:
        request, actor = self._newest(self._one(HIGH, CALM)), _actor(self._one(*PEOPLE), COMMAND_LINE)
        is_snooze = self._one(True, False)
        until = (self.world.clock.at + timedelta(days=3)).date()
        self._give(request, Snooze(actor, until, "later") if is_snooze else Reject(actor, "no"))

    def say_again(self) -> None:
        if not self.said:
            return
        request_id, command = self._one(*self.said)
        found = self._run(lambda connection: store.find(connection, request_id))
        assert found is not None
        self._give(found.request, command)

    def two_at_once(self) -> None:
        """Ana and Ben click at the same moment, over connections of their own."""
        request = self._newest(self._one(HIGH, CALM))
        sources = self._one((SLACK, GITHUB), (SLACK, SLACK), (COMMAND_LINE, SLACK))
        pairs = zip(("ana", "ben"), sources, strict=True)
        commands = [Approve(_actor(who, source), request.revision, request.plan.digest) for who, source in pairs]

        async def both() -> list[Any]:
            return await asyncio.gather(*(self._advance(request.request_id, command) for command in commands))

        expected = self._expected(request, commands[0])
        outcomes = asyncio.run(both())
        # Whoever comes first: of a request that waits both are heard, unless one of them was enough.
        if expected and not any(each.email == "ben@example.com" for each in request.approvals):
            assert any(isinstance(outcome, Accepted) and outcome.events for outcome in outcomes)

    def a_late_click(self) -> None:
        """Somebody answers when the time to answer is over, before any night has noted that."""
        request = self._newest(self._one(HIGH, CALM))
        self.world.clock.at = max(self.world.clock.at, request.expires_at - timedelta(seconds=self._one(0, 60)))
        self._give(request, Approve(_actor(self._one("ana", "ben"), GITHUB), request.revision, request.plan.digest))

    # What the world does.

    def time_passes(self) -> None:
        self.world.clock.at += timedelta(hours=self._one(1, 1, 5, 5, 30, 80, 170))

    def a_night(self) -> None:
        name, news = self._one(HIGH, CALM), self._one("nothing", "nothing", "demand", "target", "busy", "back", "back")
        machine = self.world.machines[name]
        match news:
            case "demand":
                machine.demand *= 1.5
            case "target":
                machine.target = "m5.large" if machine.target == "m5.xlarge" else "m5.xlarge"
            case "busy":
                machine.target = None
            case "back":
                machine.target = machine.target or "m5.xlarge"
        if self.world.cloud.types[name] == machine.target:
            machine.target = None  # it has that size already
        self._night()

    def the_kill_switch(self) -> None:
        switch = self.world.settings.home / "kill_switch"
        switch.touch() if self._one(True, False, False) else switch.unlink(missing_ok=True)

    def an_apply_run(self) -> None:
        """It may be killed at any call of the cloud, before or after it was made."""
        left = [self.draw.randint(1, 40)]

        def count(when: str, call: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        self.world.cloud.hook = count
        try:
            apply_approved(self.world.runtime())
        except Killed:
            pass
        finally:
            self.world.cloud.hook = lambda when, call: None

    # What must hold.

    def the_chain_holds(self) -> None:
        _, _, problems = self._run(store.verify)
        assert problems == []

    def nothing_was_executed_without_enough_approvals(self) -> None:
        rows = query(self.dsn, "select * from nightshift.approval_events order by position")
        risks = {row["request_id"]: "high" if HIGH in row["resource_ids"] else "low" for row in self._requests()}
        given: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            name = row["request_id"]
            match row["kind"]:
                case "opened" | "revised":
                    given[name] = []
                case "approval":
                    assert row["actor"] in ("ana@example.com", "ben@example.com")
                    given[name].append((row["actor"], row["source"]))
                case "executing":
                    people = {email for email, _ in given[name]}
                    assert len(people) >= (2 if risks[name] == "high" else 1)
                    assert risks[name] == "low" or any(source != SLACK for _, source in given[name])
        begun = [(row["request_id"], row["revision"]) for row in rows if row["kind"] == "executing"]
        assert len(set(begun)) == len(begun)
        done = query(self.dsn, "select request_id, revision, resource_id from nightshift.executions")
        assert len({tuple(row) for row in done}) == len(done)
        assert {(row["request_id"], row["revision"]) for row in done} <= set(begun)

    def what_was_changed_was_approved(self) -> None:
        touched = {call[1] for call in self.world.cloud.calls}
        assert touched <= {row["resource_id"] for row in query(self.dsn, "select resource_id from nightshift.executions")}

    def comes_to_rest(self) -> None:
        """Left alone, everything comes to rest: what is approved and still true is applied, what was begun is ended."""
        (self.world.settings.home / "kill_switch").unlink(missing_ok=True)
        self._night()
        for _ in range(4):
            apply_approved(self.world.runtime())
            self.world.clock.at += timedelta(minutes=6)
        assert query(self.dsn, "select from nightshift.executions where state = 'running'") == []
        for row in self._requests():
            assert row["state"] not in ("approved", "executing"), row["reason"]
        for name in self.world.machines:
            assert self.world.cloud.states.get(name, "running") == "running"

    # The model.

    def _expected(self, request: Request, command: Approve | Reject | Snooze) -> bool:
        """Whether a command changes anything."""
        now = self.world.clock.at
        if request.state not in LIVE or not command.actor.may_approve:
            return False
        if isinstance(command, Reject | Snooze):
            is_over = isinstance(command, Snooze) and command.until <= now.date()
            return request.state != "executing" and not is_over
        known = (command.actor.email, command.actor.source)
        return (
            command.actor.email is not None
            and (command.revision, command.plan_digest) == (request.revision, request.plan.digest)
            and request.state == "pending"
            and now < request.expires_at
            and known not in {(each.email, each.source) for each in request.approvals}
        )

    def _give(self, request: Request, command: Approve | Reject | Snooze) -> None:
        expected = self._expected(request, command)
        outcome = asyncio.run(self._advance(request.request_id, command))
        assert (isinstance(outcome, Accepted) and bool(outcome.events)) == expected, (outcome, command, request)
        assert outcome.said
        self.said.append((request.request_id, command))
        self.heard[f"{type(command).__name__} {'counts' if expected else 'does not'}"] += 1

    async def _advance(self, request_id: str, command: Any) -> Any:
        connection = await asyncpg.connect(self.dsn)
        try:
            outcome, _ = await store.advance(connection, request_id, command, self.world.clock.at, policy_of(self.world.settings))
            return outcome
        finally:
            await connection.close()

    def _night(self) -> None:
        while self.world.clock.at.date() > self.world.day + timedelta(days=1):
            self.world.tomorrow()
        if self.world.clock.at < datetime.combine(
            self.world.day + timedelta(days=1), datetime.min.time(), self.world.clock.at.tzinfo
        ):
            return
        self.world.night()

    def _one(self, *choices: Any) -> Any:
        return self.draw.choice(choices)

    def _newest(self, name: str) -> Request:
        return self._run(lambda connection: store.of_resource(connection, name))[0].request

    def _requests(self) -> list[asyncpg.Record]:
        return query(self.dsn, "select * from nightshift.approval_requests")

    def _run(self, work: Callable[[asyncpg.Connection], Any]) -> Any:
        async def run() -> Any:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(run())

    def _execute(self, sql: str) -> None:
        self._run(lambda connection: connection.execute(sql))


def _actor(who: str, source: str) -> Actor:
    email, may_approve = PEOPLE[who]
    return Actor(who, source, email, may_approve)


def test_approvals_against_a_model(dsn: str, tmp_path: Path) -> None:
    heard: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        history = History(dsn, tmp_path, seed)
        try:
            history.live_through(STEPS)
        except Exception as error:
            error.add_note(f"It was the history with the seed {seed}.")
            raise
        heard += history.heard
        heard["executed"] += sum(row["state"] == "executed" for row in history._requests())
    # What is never tried is not shown.
    assert min(heard["Approve counts"], heard["Approve does not"], heard["Reject counts"], heard["executed"]) >= EXAMPLES // 4, (
        heard
    )


@pytest.mark.parametrize("damage", ["changed", "removed", "slipped in", "cut off", "row"])
def test_a_chain_that_was_tampered_with_is_told(dsn: str, execute, tmp_path: Path, damage: str) -> None:
    clock = Clock(datetime.fromisoformat("2025-03-10T02:00:00+00:00"))
    world = Approvals(dsn, tmp_path, clock, {name: Machine(name, service=name) for name in ("i-1", "i-2")})
    world.night()
    with pytest.raises(asyncpg.RaiseError, match=r"nightshift.approval_events is append-only"):
        execute("update nightshift.approval_events set actor = 'ana@example.com'")
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        execute("delete from nightshift.approval_events")
    unlocked = "alter table nightshift.approval_events disable trigger all; "
    (first, second) = [row["request_id"] for row in query(dsn, "select * from nightshift.approval_events order by position")]
    sql, told = {
        "changed": ("update nightshift.approval_events set actor = 'x' where position = 1", f"Event 1 ({first}, opened)"),
        "removed": ("delete from nightshift.approval_events where position = 1", "Events 1 to 1 are missing."),
        "slipped in": (
            "insert into nightshift.approval_events select 3, request_id, 'approved', at, 'ana@example.com', source, revision, "
            "plan_digest, data, hash, repeat('0', 64) from nightshift.approval_events where position = 2",
            f"Event 3 ({second}, approved) is not what was written.",
        ),
        "cut off": ("delete from nightshift.approval_events where position = 2", "2 requests stand where the events tell of 1."),
        "row": (
            f"update nightshift.approval_requests set state = 'approved' where request_id = '{first}'",
            f"The request {first} is not what its events made it (pending).",
        ),
    }[damage]
    execute(unlocked + sql)
    from dagster_project.pipeline.approval_answers import verify

    _, _, problems = verify(world.runtime())
    assert any(problem.startswith(told) for problem in problems), problems
