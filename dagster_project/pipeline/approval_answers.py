"""Answers to approval requests, wherever they come from: all of them go through the one function that changes a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date

import asyncpg

from dagster_project.actions import apply_store
from dagster_project.actions import approval_store as store
from dagster_project.domain.approvals.machine import Approve, Command, Refused, Reject, Snooze, missing
from dagster_project.domain.approvals.model import EXECUTING, PENDING, Actor, Request
from dagster_project.domain.proposals.model import APPLY
from dagster_project.errors import InputError
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.proposals import mode_of_service
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state

REQUEST_PREFIX = "apr-"
_SHOWN = 3
"""Requests of a resource that are told of."""


async def answer(
    runtime: Runtime, connection: asyncpg.Connection, request_id: str, command: Command
) -> tuple[bool, str, Request]:
    """Gives a command to a request; whether it was followed, a sentence for whoever gave it, and the request as it is then.

    Nothing is approved while a kill switch is on, or where the mode is not ``apply`` any more; saying no is always possible.
    """
    settings = runtime.settings
    if isinstance(command, Approve):
        stored = await store.find(connection, request_id)
        if stored is not None:
            key = stored.request.plan.key
            if settings.is_stopped:
                return False, "A kill switch is on: nothing is approved meanwhile.", stored.request
            if mode_of_service(key.service, key.environment, settings.proposals) != APPLY:
                return False, "The mode of its service and environment is not apply any more.", stored.request
    outcome, request = await store.advance(connection, request_id, command, runtime.at.now(), policy_of(runtime.settings))
    if request.state == EXECUTING and isinstance(command, Reject | Snooze) and command.actor.may_approve:
        # What has begun is finished or undone by its saga. What has not asks for the answers to its resource before it begins.
        await store.note_no(connection, request, command, runtime.at.now())
        return True, "It is being applied: what has begun goes on, and what has not will not begin.", request
    return not isinstance(outcome, Refused), outcome.said, request


def approve(runtime: Runtime, target: str, actor: Actor) -> tuple[str, Request]:
    """Approves what is asked for a resource, or a request by its id, as it stands; returns what to say, and the request.

    Raises ``InputError`` where nothing is asked, or the answer is refused.
    """

    async def work(connection: asyncpg.Connection) -> tuple[bool, str, Request]:
        name, _, revision = target.partition(".") if target.startswith(REQUEST_PREFIX) else (target, "", "")
        request = await _live(connection, name)
        if revision not in ("", str(request.revision)) or (request.revision > 1 and not revision):
            raise InputError(
                f"{request.request_id} was revised: look at it with 'nightshift proposals show {request.plan.resource_ids[0]}', "
                f"and approve {request.request_id}.{request.revision}."
            )
        command = Approve(actor, request.revision, request.plan.digest)
        return await answer(runtime, connection, request.request_id, command)

    is_followed, said, request = in_state(runtime, work, is_new=True)
    if not is_followed:
        raise InputError(said)
    return said, request


async def say_no(
    runtime: Runtime, connection: asyncpg.Connection, target: str, actor: Actor, reason: str, until: date | None
) -> str | None:
    """Rejects or snoozes the request that a resource is part of, or that has an id; what to say, or None where nothing is asked.

    Whoever can write the state store can say no: it is only ever the safe answer. Raises ``InputError`` where it is refused.
    """
    try:
        request = await _live(connection, target)
    except InputError:
        return None
    able = replace(actor, email=None, may_approve=True)
    command = Snooze(able, until, reason) if until else Reject(able, reason)
    is_followed, said, _ = await answer(runtime, connection, request.request_id, command)
    if not is_followed:
        raise InputError(said)
    return f"{request.request_id} ({', '.join(request.plan.resource_ids)}): {said}"


async def _live(connection: asyncpg.Connection, target: str) -> Request:
    """The live request of a resource, or with an id."""
    if target.startswith(REQUEST_PREFIX):
        found = await store.find(connection, target)
        if found is None:
            raise InputError(f"There is no request {target}; 'nightshift proposals list' has those that wait.")
        return found.request
    stored = next((each for each in await store.of_resource(connection, target) if each.request.is_live), None)
    if stored is None:
        raise InputError(f"Nothing is asked for {target}; 'nightshift proposals show {target}' says what is known of it.")
    return stored.request


async def requests_by_resource(connection: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """The live request of each resource, with its state."""
    return {
        name: {"request_id": stored.request.request_id, "request_state": stored.request.state}
        for stored in await store.live(connection)
        for name in stored.request.plan.resource_ids
    }


async def told_of(runtime: Runtime, connection: asyncpg.Connection, resource_id: str) -> list[tuple[str, str]]:
    """What is known of the requests that a resource was part of, as labels and values: the last one first, with the events of the
    one that is live, and the steps of what was done."""
    lines: list[tuple[str, str]] = []
    for stored in (await store.of_resource(connection, resource_id))[:_SHOWN]:
        request = stored.request
        lacking = missing(request, policy_of(runtime.settings)) if request.state == PENDING else None
        because = f": {lacking or request.reason}" if lacking or request.reason else ""
        lines.append(("Request", f"{request.request_id} revision {request.revision}, {request.state}{because}"))
        for event in await store.events_of(connection, request.request_id):
            lines.append(("", f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC  {event.kind} by {event.actor} ({event.source})"))
        for saga in await apply_store.of_request(connection, request.request_id, request.revision):
            if saga.resource_id == resource_id:
                for step, begun_at, _, outcome in await apply_store.steps(connection, saga.execution_id):
                    lines.append(("", f"{begun_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  {step}: {outcome or 'not known'}"))
                lines.append(("", f"{saga.state}: {saga.reason or saga.direction}"))
    return lines


def verify(runtime: Runtime) -> tuple[int, str, list[str]]:
    """Walks the chain of events; how many there are, the hash of the last one, and what does not hold."""
    return in_state(runtime, store.verify, is_new=True)
