"""Makes approved changes: begins sagas past the gates, takes up those that were cut off, ends requests whose changes are over.

One resource is driven by one run at a time (an advisory lock that ends with its connection); whatever a run leaves, the next one
goes on from.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from dagster_project.actions import apply_store, approval_store, outcome_store, proposal_store
from dagster_project.domain.applying.cloud import Cloud
from dagster_project.domain.applying.gates import FLEET_WINDOW, No, Touch, fleet_allowance, refusals
from dagster_project.domain.applying.saga import (
    APPLIED,
    FORWARD,
    KINDS,
    MACHINE,
    ORIGINAL,
    RUNNING,
    STUCK,
    Act,
    End,
    Saga,
    Turn,
    Wait,
)
from dagster_project.domain.applying.sagas import KINDS as SAGAS
from dagster_project.domain.applying.sagas import next_of
from dagster_project.domain.approvals.machine import Begin, Expire, Finish, Policy, Refused
from dagster_project.domain.approvals.model import APPROVED, EXECUTED, EXECUTING, FAILED, ROLLED_BACK, SLACK, AskedChange, Request
from dagster_project.domain.outcomes.model import AppliedChange
from dagster_project.domain.proposals.model import UNOWNED
from dagster_project.errors import AccessDenied, CapacityShortage, CloudError, CloudRefused, InputError, NightshiftError
from dagster_project.pipeline.apply_facts import Newest, asked_of, limits_of, read_newest, still_newest
from dagster_project.pipeline.approval_reviews import read_reviews
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.clouds import cloud_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import Settings

_WRONG = (ORIGINAL, STUCK)
_WAITABLE = ("fleet",)
"""Gates that a saga under way waits for; at any other it goes back."""


@dataclass(slots=True)
class Applied:
    """What a run did. ``lines`` are sentences for people, ``waits`` those about what is left for a later run, ``next_at`` when
    that may be worth it."""

    lines: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    next_at: datetime | None = None
    touched: set[str] = field(default_factory=set)
    is_fine: bool = True

    def later(self, line: str, until: datetime | None) -> None:
        self.waits.append(line)
        if until is not None:
            self.next_at = min(until, self.next_at or until)


def apply_approved(runtime: Runtime, request_id: str | None = None) -> Applied:
    """Does what is approved and may be done now, of one request or of all; first it takes up what was cut off.

    Nothing is done by a dry run, nor while a kill switch is on. Raises ``NightshiftError`` where the state store or the lake
    cannot be read.
    """
    return in_state(runtime, lambda connection: _apply(runtime, connection, request_id), is_new=True)


async def _apply(runtime: Runtime, connection: asyncpg.Connection, request_id: str | None) -> Applied:
    done = Applied()
    settings, now = runtime.settings, runtime.at.now()
    if runtime.is_dry_run or settings.is_stopped:
        under_way = await apply_store.running(connection)
        done.waits = ["A kill switch is on: nothing is applied." if settings.is_stopped else "Dry run: nothing is applied."]
        done.waits += [
            f"{saga.resource_id} is under way ({saga.before} -> {saga.after}) and left as it is." for saga in under_way
        ]
        done.is_fine = not under_way
        return done
    newest = read_newest(runtime)
    deadline = now + timedelta(minutes=settings.apply.max_run_minutes)
    policy = policy_of(settings)
    unread = await read_reviews(runtime, connection)
    # Machines first: they are stopped meanwhile.
    for saga in sorted(await apply_store.running(connection), key=lambda saga: saga.kind != MACHINE):
        if request_id is None or saga.request_id == request_id:
            await _drive_alone(runtime, connection, newest, saga, deadline, done)
    for stored in await approval_store.live(connection):
        request = stored.request
        if request.state not in (APPROVED, EXECUTING) or request_id not in (None, request.request_id):
            continue
        if request.request_id in unread:
            done.later(f"{request.request_id}: its reviews could not be read, and one of them may be a no.", None)
            continue
        if request.state == APPROVED and now >= request.expires_at:
            await approval_store.advance(connection, request.request_id, Expire(), now, policy)
            done.lines.append(f"{request.request_id}: its approval expired.")
            done.touched.add(request.request_id)
            continue
        await _apply_request(runtime, connection, newest, request, deadline, done)
    return done


async def _apply_request(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, request: Request, deadline: datetime, done: Applied
) -> None:
    policy = policy_of(runtime.settings)
    begun = {saga.resource_id: saga for saga in await apply_store.of_request(connection, request.request_id, request.revision)}
    for change in request.plan.changes:
        # It may have been revised, and approved anew, since this run looked.
        now_stored = await approval_store.find(connection, request.request_id)
        if now_stored is None or (now_stored.request.revision, now_stored.request.state) != (request.revision, request.state):
            return
        # What one change of a request shows to be wrong is not tried with the next one.
        if any(saga.state in _WRONG for saga in begun.values()) or runtime.at.now() >= deadline or runtime.settings.is_stopped:
            break
        if change.resource_id in begun:
            continue
        async with _alone(connection, change.resource_id) as is_mine:
            if not is_mine:
                done.later(f"{change.resource_id}: another run is at it.", None)
                continue
            try:
                started = await _begin(runtime, connection, newest, request, change, policy)
            except NightshiftError as error:
                done.later(f"{change.resource_id}: {error}", None)
                continue
            if isinstance(started, list):
                until = max((no.until for no in started if no.until is not None), default=None)
                is_timely = all(no.until is not None for no in started)
                done.later(f"{change.resource_id}: {' '.join(no.why for no in started)}", until if is_timely else None)
                continue
            request = now_stored.request if (now_stored := await approval_store.find(connection, request.request_id)) else request
            done.touched.add(request.request_id)
            begun[change.resource_id] = await _drive(runtime, connection, newest, started, deadline, done)
    await _finish(runtime, connection, request.request_id, done)


async def _begin(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, request: Request, change: AskedChange, policy: Policy
) -> Saga | list[No]:
    """Begins the saga of a change; or what keeps it from beginning. The cloud is looked at first, the gates are asked last."""
    settings, now = runtime.settings, runtime.at.now()
    kind = KINDS.get((change.resource_type, change.attribute))
    if change.before == change.after:
        return [No("plan", f"It is to become what it is, {change.after}.")]
    if kind is None:
        raise InputError(f"{change.attribute} of a {change.resource_type} cannot be applied; change it by hand.")
    key = request.plan.key
    saga = Saga(
        execution_id=_execution_id(request, change.resource_id),
        request_id=request.request_id,
        revision=request.revision,
        resource_id=change.resource_id,
        kind=kind,
        account_id=change.account_id,
        region=change.region,
        service=key.service or "",
        environment=key.environment,
        before=change.before,
        after=change.after,
        begun_at=now,
        touched_at=now,
        members=1,
    )
    cloud = cloud_of(runtime, change.account_id, change.region)
    seen = await asyncio.to_thread(SAGAS[kind].look, cloud, change.resource_id)
    refusal = SAGAS[kind].refusal(seen, change.before)
    if refusal is not None:
        return [No("cloud", refusal)]
    stride = fleet_allowance(newest.fleet_size(key.service, key.environment) or 1, limits_of(settings))
    saga = SAGAS[kind].begin(saga, seen, stride)
    gates = await _gates(runtime, connection, newest, saga, request, now)
    shut = gates(await apply_store.touches(connection, _since(runtime, now)))
    if shut:
        return shut
    unlisted = _unlisted(settings, request)
    if unlisted:
        return [No("approval", f"{unlisted[0]} is no approver any more; reject it, so that it is asked for anew.")]
    if not await approval_store.is_proven(connection, request):
        return [No("approval", "Its events do not prove what it says; see 'nightshift proposals verify'.")]
    # Both or neither: a request is being applied from the moment on at which something of it is.
    begun: Saga | list[No] = []
    with suppress(_NotBegun):
        async with connection.transaction():
            command = Begin(request.plan.digest)
            outcome, _ = await approval_store.advance(connection, request.request_id, command, now, policy)
            if isinstance(outcome, Refused):
                return [No("approval", outcome.said)]
            begun = await apply_store.begin(connection, saga, gates, _since(runtime, now))
            if isinstance(begun, list):
                raise _NotBegun
    return begun


class _NotBegun(Exception):
    """What was noted on the way to a beginning is taken back."""


def _unlisted(settings: Settings, request: Request) -> list[str]:
    """Who approved and is not in the settings any more. Members of a Slack group were looked up when they clicked."""
    listed = {each.email.lower() for each in settings.approvals.approvers}
    has_group = settings.approvals.slack_group is not None
    return [each.email for each in request.approvals if each.email not in listed and not (has_group and each.source == SLACK)]


async def _gates(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, saga: Saga, request: Request, now: datetime
) -> Callable[[Sequence[Touch]], list[No]]:
    live = [stored.request for stored in await approval_store.live(connection)]
    answers = (await proposal_store.standing_answers(connection)).get(saga.resource_id, ())
    recent = await apply_store.own_recent(connection, saga, "set_group_size", now - FLEET_WINDOW)
    asked = await asked_of(runtime, still_newest(runtime, newest), saga, request, live, answers, recent, now)
    return lambda touches: refusals(asked, touches, limits_of(runtime.settings), now)


async def _drive_alone(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, saga: Saga, deadline: datetime, done: Applied
) -> None:
    async with _alone(connection, saga.resource_id) as is_mine:
        if not is_mine:
            done.later(f"{saga.resource_id}: another run is at it.", None)
            return
        saga = await apply_store.reload(connection, saga.execution_id)  # the other run may have ended it
        if not apply_store.is_over(saga):
            done.lines.append(f"{saga.resource_id}: taken up, {saga.before} -> {saga.after} ({saga.direction}).")
            await _drive(runtime, connection, newest, saga, deadline, done)
    done.touched.add(saga.request_id)
    await _finish(runtime, connection, saga.request_id, done)


async def _drive(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, saga: Saga, deadline: datetime, done: Applied
) -> Saga:
    """Drives a saga until it is over, or this run must leave it to a later one; returns it as it is then."""
    settings, clock = runtime.settings, runtime.at
    label = f"{saga.resource_id} {saga.before} -> {saga.after}"
    last: tuple[Any, ...] = ()
    try:
        cloud = cloud_of(runtime, saga.account_id, saga.region)
        while saga.state == RUNNING:
            if settings.is_stopped:
                done.later(f"{label}: a kill switch is on; it is left as it is, {saga.direction}.", None)
                done.is_fine = False
                return saga
            seen = await asyncio.to_thread(SAGAS[saga.kind].look, cloud, saga.resource_id)
            step = next_of(saga, seen, clock.now())
            if isinstance(step, Act):
                # A call that showed no effect is not made again at once: clouds take a moment, and must not be hammered.
                this = (seen, step.call, step.arguments)
                step, last = (Wait(f"What was asked ({step.call}) does not show yet."), ()) if this == last else (step, this)
            if isinstance(step, Act) and step.touches and saga.direction == FORWARD:
                step, saga = await _past_gates(runtime, connection, newest, saga, step)
            if isinstance(step, Act):
                step, saga = await _act(runtime, connection, cloud, saga, step)
            match step:
                case Turn(why):
                    saga = await apply_store.turn(connection, saga, why, clock.now())
                    runtime.progress.say(f"{label}: goes back. {why}")
                case End(state, why):
                    saga = await _end(runtime, connection, saga, state, why)
            if isinstance(step, Wait) and saga.state == RUNNING:
                if clock.now() >= deadline:
                    done.is_fine &= saga.direction == FORWARD  # what goes back may be out of service meanwhile
                    done.later(f"{label}: {step.why} The next run goes on.", clock.now())
                    return saga
                runtime.progress.say(f"{label}: {step.why}")
                await asyncio.to_thread(clock.sleep, settings.apply.poll_seconds)
    except (CloudError, AccessDenied) as error:
        done.later(f"{label}: {error} The next run looks again.", clock.now() + timedelta(minutes=1))
        done.is_fine = False
        return saga
    ends = {APPLIED: "applied", ORIGINAL: "back to what it was", STUCK: "STUCK, a person must look"}
    done.lines.append(f"{label}: {ends[saga.state]}. {saga.reason}")
    done.is_fine &= saga.state == APPLIED
    return saga


async def _end(runtime: Runtime, connection: asyncpg.Connection, saga: Saga, state: str, why: str) -> Saga:
    """Ends a saga. An applied change goes to the ledger first: noted twice it is one row, and a saga that is over is not looked
    at again."""
    now = runtime.at.now()
    stored = await approval_store.find(connection, saga.request_id) if state == APPLIED else None
    if stored is not None:
        change = next(each for each in stored.request.plan.changes if each.resource_id == saga.resource_id)
        await outcome_store.note_applied(connection, [_ledger_row(stored.request, change, now)])
    return await apply_store.end(connection, saga, state, why, now)


async def _past_gates(
    runtime: Runtime, connection: asyncpg.Connection, newest: Newest, saga: Saga, step: Act
) -> tuple[Act | Turn | Wait, Saga]:
    """A step that touches members, if the gates let it: else it is waited for, or the saga goes back."""
    now = runtime.at.now()
    stored = await approval_store.find(connection, saga.request_id)
    if stored is None or stored.request.revision != saga.revision:
        return Turn("The request that approved it is not there any more."), saga
    gates = await _gates(runtime, connection, newest, saga, stored.request, now)
    passed = await apply_store.pass_gates(connection, saga, gates, _since(runtime, now), now)
    if isinstance(passed, Saga):
        return step, passed
    why = " ".join(no.why for no in passed)
    if all(no.gate in _WAITABLE and no.until is not None for no in passed):
        return Wait(why), saga
    return Turn(why), saga


async def _act(
    runtime: Runtime, connection: asyncpg.Connection, cloud: Cloud, saga: Saga, step: Act
) -> tuple[Act | Turn | Wait, Saga]:
    """Makes a call, noted before and after. What the cloud refuses turns a saga that goes forward; one that goes back tries it
    again."""
    clock = runtime.at
    saga, position = await apply_store.begin_step(connection, saga, step.call, step.remember, clock.now())
    try:
        result: Any = await asyncio.to_thread(getattr(cloud, step.call), *step.arguments)
    except (CapacityShortage, CloudRefused, AccessDenied) as error:
        saga = await apply_store.end_step(connection, saga, position, f"refused: {error}", {}, clock.now())
        return (Turn(str(error)) if saga.direction == FORWARD else Wait(str(error))), saga
    except CloudError as error:
        await apply_store.end_step(connection, saga, position, f"not known: {error}", {}, clock.now())
        raise
    learned = {step.result: result} if step.result else {}
    return step, await apply_store.end_step(connection, saga, position, "done", learned, clock.now())


async def _finish(runtime: Runtime, connection: asyncpg.Connection, request_id: str, done: Applied) -> None:
    """Ends a request that is being applied, once nothing of it is under way and nothing may begin any more."""
    stored = await approval_store.find(connection, request_id)
    if stored is None or stored.request.state != EXECUTING:
        return
    request, now = stored.request, runtime.at.now()
    sagas = {saga.resource_id: saga for saga in await apply_store.of_request(connection, request_id, request.revision)}
    if any(saga.state == RUNNING for saga in sagas.values()):
        return
    is_wrong = any(saga.state in _WRONG for saga in sagas.values())
    if len(sagas) < len(request.plan.changes) and now < request.expires_at and not is_wrong:
        return
    applied = [change for change in request.plan.changes if _state(sagas, change) == APPLIED]
    back = [name for name, saga in sagas.items() if saga.state == ORIGINAL]
    stuck = [name for name, saga in sagas.items() if saga.state == STUCK]
    left = [change.resource_id for change in request.plan.changes if change.resource_id not in sagas]
    parts = [
        (f"{len(applied)} applied", applied),
        (f"back to what it was: {', '.join(back)}", back),
        (f"stuck: {', '.join(stuck)}", stuck),
        (f"never begun: {', '.join(left)}", left),
    ]
    reason = "; ".join(text for text, those in parts if those)
    state = FAILED if stuck or not (applied or back) else ROLLED_BACK if back else EXECUTED
    await approval_store.advance(connection, request_id, Finish(state, reason), now, policy_of(runtime.settings))
    done.lines.append(f"{request_id}: {state.replace('_', ' ')} ({reason}).")
    done.touched.add(request_id)


def _state(sagas: dict[str, Saga], change: AskedChange) -> str | None:
    saga = sagas.get(change.resource_id)
    return saga.state if saga else None


def _ledger_row(request: Request, change: AskedChange, now: datetime) -> AppliedChange:
    key = request.plan.key
    return AppliedChange(
        resource_id=change.resource_id,
        resource_type=change.resource_type,
        service=key.service,
        team=None if key.owner == UNOWNED else key.owner,
        environment=key.environment,
        attribute=change.attribute,
        value_before=change.before,
        value_after=change.after,
        source=f"request:{request.request_id}",
        decided_by=", ".join(sorted({each.email for each in request.approvals})),
        decided_at=max((each.at for each in request.approvals), default=request.opened_at),
        estimated_usd_month=change.savings_usd_month,
        stated_exceedance_pct=change.exceedance_pct,
        risk=change.risk,
        noted_on=now.date(),
        is_rollback=key.is_rollback,
    )


@asynccontextmanager
async def _alone(connection: asyncpg.Connection, resource_id: str) -> AsyncIterator[bool]:
    """Keeps other runs from a resource; whether this one has it. The lock ends with the connection, however that ends."""
    name = f"nightshift apply {resource_id}"
    is_mine: bool = await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name)
    try:
        yield is_mine
    finally:
        if is_mine:
            await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)


def _execution_id(request: Request, resource_id: str) -> str:
    """The same for the same approval, so that what was begun is found again."""
    text = f"{request.request_id}.{request.revision}.{resource_id}"
    return f"exe-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _since(runtime: Runtime, now: datetime) -> datetime:
    return apply_store.horizon(now, limits_of(runtime.settings).soak)
