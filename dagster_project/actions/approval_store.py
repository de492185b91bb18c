"""Approval requests and their chain of events. ``advance`` is the one function that changes a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from dagster_project.actions import proposal_store
from dagster_project.domain.approvals.chain import FIRST, chained
from dagster_project.domain.approvals.machine import Accepted, Command, Policy, Refused, Reject, Snooze, decide, evolve, opened
from dagster_project.domain.approvals.model import (
    ENDED,
    LIVE,
    REJECTED,
    SNOOZED,
    Approval,
    Event,
    Plan,
    Request,
    canonical,
    plan_from_json,
    plan_to_json,
)
from dagster_project.domain.proposals.memory import Answer
from dagster_project.errors import StateError

_CHAIN = 0x4E53_4348  # any constant: events are appended one at a time
_ANSWERS = {REJECTED: "rejected", SNOOZED: "snoozed"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A request with what only the store knows. ``opened_on`` is the night that asked, ``confirmed_on`` the last one whose
    evidence spoke for it."""

    request: Request
    opened_on: date
    confirmed_on: date
    ended_on: date | None


async def key(connection: asyncpg.Connection) -> bytes:
    """What signs the values of buttons."""
    found: bytes = await connection.fetchval("select key from nightshift.approval_key")
    return found


async def live(connection: asyncpg.Connection) -> list[Stored]:
    """Requests that something may still become of, in the order in which they were opened."""
    rows = await connection.fetch(
        "select * from nightshift.approval_requests where state = any($1) order by opened_at, request_id", list(LIVE)
    )
    return [_stored(row) for row in rows]


async def of_day(connection: asyncpg.Connection, day: date) -> list[Stored]:
    """Requests that are live, and those that ended on or after a day."""
    rows = await connection.fetch(
        "select * from nightshift.approval_requests where state = any($1) or ended_on >= $2 order by opened_at, request_id",
        list(LIVE),
        day,
    )
    return [_stored(row) for row in rows]


async def find(connection: asyncpg.Connection, request_id: str) -> Stored | None:
    """One request; None where there is none."""
    row = await connection.fetchrow("select * from nightshift.approval_requests where request_id = $1", request_id)
    return _stored(row) if row else None


async def of_resource(connection: asyncpg.Connection, resource_id: str) -> list[Stored]:
    """Every request that a resource was ever part of, the last one first."""
    rows = await connection.fetch(
        "select * from nightshift.approval_requests where resource_ids @> array[$1] order by opened_at desc, request_id",
        resource_id,
    )
    return [_stored(row) for row in rows]


async def events_of(connection: asyncpg.Connection, request_id: str) -> list[Event]:
    """The events of a request, in order."""
    rows = await connection.fetch("select * from nightshift.approval_events where request_id = $1 order by position", request_id)
    return [_event(row) for row in rows]


async def events_after(connection: asyncpg.Connection, position: int, most: int) -> list[tuple[int, Event]]:
    """Events after a position of the chain, with their positions, in order."""
    rows = await connection.fetch(
        "select * from nightshift.approval_events where position > $1 order by position limit $2", position, most
    )
    return [(row["position"], _event(row)) for row in rows]


async def open_request(
    connection: asyncpg.Connection, request_id: str, plan: Plan, now: datetime, day: date, policy: Policy
) -> Stored | None:
    """Asks for a plan; None where its key has a live request already, or the id was given before."""
    event = opened(request_id, plan, now, policy)
    request = evolve(None, event)
    async with connection.transaction():
        row = await connection.fetchrow(
            "insert into nightshift.approval_requests (request_id, digest, revision, state, plan, plan_digest, resource_ids, "
            "service, environment, approvals, opened_at, opened_on, expires_at, changed_at, confirmed_on) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '[]', $10, $11, $12, $10, $11) on conflict do nothing returning *",
            request_id,
            plan.key.digest,
            request.revision,
            request.state,
            canonical(plan_to_json(plan)),
            plan.digest,
            list(plan.resource_ids),
            plan.key.service,
            plan.key.environment,
            now,
            day,
            request.expires_at,
        )
        if row is None:
            return None
        await _append(connection, [event])
    return _stored(row)


async def advance(
    connection: asyncpg.Connection, request_id: str, command: Command, now: datetime, policy: Policy
) -> tuple[Accepted | Refused, Request]:
    """Does what a command asks of a request, as far as it may: the request's row is locked, so that of two who ask at once one
    comes after the other.

    A rejection or a snooze is noted for each of its resources in the same transaction. Raises ``StateError`` where there is no
    such request.
    """
    async with connection.transaction():
        row = await connection.fetchrow("select * from nightshift.approval_requests where request_id = $1 for update", request_id)
        if row is None:
            raise StateError(f"There is no request {request_id}; 'nightshift proposals list' has those that wait.")
        request = _stored(row).request
        outcome = decide(request, command, now, policy)
        if isinstance(outcome, Accepted) and outcome.events:
            for event in outcome.events:
                request = evolve(request, event)
            await _append(connection, outcome.events)
            await _write(connection, request)
            await proposal_store.note_answers(connection, _answers(request, outcome.events[-1]))
    return outcome, request


async def is_proven(connection: asyncpg.Connection, request: Request) -> bool:
    """Whether a request is what its own events made it, and each of them is what was written: asked before anything is done on
    its account, so that a row alone approves nothing."""
    rows = await connection.fetch(
        "select * from nightshift.approval_events where request_id = $1 order by position", request.request_id
    )
    folded: Request | None = None
    for row in rows:
        event = _event(row)
        if row["hash"] != chained(row["previous"], row["position"], event):
            return False
        try:
            folded = evolve(folded, event)
        except (ValueError, KeyError, TypeError):
            return False
    return folded == request


async def confirm(connection: asyncpg.Connection, request_ids: Iterable[str], day: date) -> None:
    """Notes that a night's evidence spoke for requests."""
    await connection.execute(
        "update nightshift.approval_requests set confirmed_on = greatest(confirmed_on, $2) where request_id = any($1)",
        list(request_ids),
        day,
    )


async def verify(connection: asyncpg.Connection) -> tuple[int, str, list[str]]:
    """Walks the chain from its first event: how many there are, the hash of the last one, and what does not hold, as sentences.

    Shown are changed, missing, slipped-in and re-ordered events, events that cannot follow each other, and requests that are not
    what their events made them. What is cut off at the end shows in the requests. Memory grows with the live requests only.
    """
    problems: list[str] = []
    requests: dict[str, Request] = {}
    ended: list[Request] = []
    position, previous = 0, FIRST
    seen: set[str] = set()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for row in connection.cursor("select * from nightshift.approval_events order by position"):
            event, name = _event(row), row["request_id"]
            if row["position"] != position + 1:
                problems.append(f"Events {position + 1} to {row['position'] - 1} are missing.")
            if row["previous"] != previous or row["hash"] != chained(row["previous"], row["position"], event):
                problems.append(f"Event {row['position']} ({name}, {row['kind']}) is not what was written.")
            position, previous = row["position"], row["hash"]
            try:
                requests[name] = evolve(requests.pop(name, None), event)
            except (ValueError, KeyError, TypeError) as error:
                problems.append(f"Event {row['position']} ({name}, {row['kind']}) cannot follow: {error}.")
                continue
            if not requests[name].is_live:
                ended.append(requests.pop(name))
            if len(ended) >= _CHUNK:
                seen |= await _compare(connection, ended, problems)
                ended = []
        seen |= await _compare(connection, [*ended, *requests.values()], problems)
        total = await connection.fetchval("select count(*) from nightshift.approval_requests")
        if total != len(seen):
            problems.append(f"{total} requests stand where the events tell of {len(seen)}.")
    return position, previous, problems


_CHUNK = 500


async def _compare(connection: asyncpg.Connection, requests: Sequence[Request], problems: list[str]) -> set[str]:
    rows = await connection.fetch(
        "select * from nightshift.approval_requests where request_id = any($1)", [each.request_id for each in requests]
    )
    stored = {row["request_id"]: row for row in rows}
    for request in requests:
        row = stored.get(request.request_id)
        try:
            is_same = row is not None and _stored(row).request == request
        except StateError:
            is_same = False
        if not is_same:
            problems.append(f"The request {request.request_id} is not what its events made it ({request.state}).")
    return set(stored)


async def _append(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    await connection.execute("select pg_advisory_xact_lock($1)", _CHAIN)
    last = await connection.fetchrow("select position, hash from nightshift.approval_events order by position desc limit 1")
    position, previous = (last["position"], last["hash"]) if last else (0, FIRST)
    for event in events:
        position += 1
        digest = chained(previous, position, event)
        await connection.execute(
            "insert into nightshift.approval_events (position, request_id, kind, at, actor, source, revision, plan_digest, data, "
            "previous, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            position,
            event.request_id,
            event.kind,
            event.at,
            event.actor,
            event.source,
            event.revision,
            event.plan_digest,
            canonical(event.data),
            previous,
            digest,
        )
        previous = digest


async def _write(connection: asyncpg.Connection, request: Request) -> None:
    moment = request.changed_at or request.opened_at
    await connection.execute(
        "update nightshift.approval_requests set revision = $2, state = $3, plan = $4, plan_digest = $5, resource_ids = $6, "
        "approvals = $7, reason = $8, expires_at = $9, changed_at = $10, ended_on = $11 where request_id = $1",
        request.request_id,
        request.revision,
        request.state,
        canonical(plan_to_json(request.plan)),
        request.plan.digest,
        list(request.plan.resource_ids),
        canonical([[each.email, each.source, each.at.astimezone(UTC).isoformat()] for each in request.approvals]),
        request.reason,
        request.expires_at,
        moment,
        moment.astimezone(UTC).date() if request.state in ENDED else None,
    )


async def note_no(connection: asyncpg.Connection, request: Request, command: Reject | Snooze, now: datetime) -> None:
    """Notes a no to each resource of a request that is being applied: what has not begun will not begin."""
    until = command.until if isinstance(command, Snooze) else None
    kind = "rejected" if until is None else "snoozed"
    actor, source = command.actor.said.lower(), command.actor.source
    await proposal_store.note_answers(connection, _no(request, kind, actor, source, command.reason, now, until))


def _answers(request: Request, event: Event) -> list[Answer]:
    """What the last event says of each resource, where it is a no."""
    if event.kind not in _ANSWERS:
        return []
    until = event.data.get("until")
    last = date.fromisoformat(until) if until else None
    return _no(request, _ANSWERS[event.kind], event.actor, event.source, event.data["reason"], event.at, last)


def _no(request: Request, kind: str, actor: str, source: str, reason: str, at: datetime, until: date | None) -> list[Answer]:
    return [
        Answer(
            resource_id=change.resource_id,
            kind=kind,
            actor=actor,
            reason=reason,
            source=f"{source} {request.request_id}.{request.revision}",
            answered_at=at,
            until=until,
            after=change.after,
            evidence=change.evidence,
        )
        for change in request.plan.changes
    ]


def _stored(row: asyncpg.Record) -> Stored:
    try:
        plan = plan_from_json(json.loads(row["plan"]))
        approvals = tuple(
            Approval(email, source, datetime.fromisoformat(at)) for email, source, at in json.loads(row["approvals"])
        )
    except (ValueError, KeyError, TypeError):
        raise StateError(
            f"The request {row['request_id']} holds no plan of this version; upgrade Nightshift, or see "
            "'nightshift proposals verify'."
        ) from None
    names = ("request_id", "revision", "state", "opened_at", "expires_at", "reason", "changed_at")
    request = Request(plan=plan, approvals=approvals, **{name: row[name] for name in names})
    return Stored(request, row["opened_on"], row["confirmed_on"], row["ended_on"])


def _event(row: asyncpg.Record) -> Event:
    names = ("request_id", "kind", "at", "actor", "source", "revision", "plan_digest")
    data: Any = json.loads(row["data"])
    return Event(**{name: row[name] for name in names}, data=data)
