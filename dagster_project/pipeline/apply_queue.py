"""What the sensors ask: which approved work may be worth a run now, what was decided since, and whose time is over."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from dagster_project.actions import apply_store
from dagster_project.actions import approval_store as store
from dagster_project.domain.applying.windows import open_until
from dagster_project.domain.approvals.machine import Expire
from dagster_project.domain.approvals.model import APPROVED, EXECUTING, NIGHT
from dagster_project.pipeline.apply_facts import limits_of
from dagster_project.pipeline.approval_reviews import keep_reviews
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.slack_messages import deliver_with
from dagster_project.pipeline.state import in_state

_MOST = 100
_ATTEMPT_MINUTES = 5
"""How often a request that waits is tried again: the fleet's limit is one of five minutes."""


@dataclass(frozen=True, slots=True)
class Work:
    """A request that may be worth a run. ``run_key`` is the same for the same revision and attempt."""

    request_id: str
    run_key: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that was decided about a request, in words."""

    request_id: str
    told: str


def to_apply(runtime: Runtime) -> list[Work]:
    """Approved requests whose maintenance window is open, and those of which something is under way, whatever the hour.

    An attempt is one of every five minutes: of what had to wait the next one may have room.
    """
    if runtime.settings.is_stopped:
        return []
    now = runtime.at.now()
    attempt = int(now.timestamp() // (60 * _ATTEMPT_MINUTES))

    async def work(connection: asyncpg.Connection) -> list[Work]:
        under_way = {saga.request_id for saga in await apply_store.running(connection)}
        windows = limits_of(runtime.settings).windows
        found = []
        for stored in await store.live(connection):
            request, key = stored.request, stored.request.plan.key
            is_open = open_until(windows, key.service, key.environment, now) is not None
            is_late = request.state == EXECUTING and now >= request.expires_at
            if request.request_id in under_way or is_late or (request.state in (APPROVED, EXECUTING) and is_open):
                found.append(Work(request.request_id, f"{request.request_id}.{request.revision}.{attempt}"))
        return found

    return in_state(runtime, work, is_new=True)


def expire(runtime: Runtime) -> list[str]:
    """Ends requests whose time is over, reads reviews, and brings Slack up to date; returns sentences about what failed."""

    async def work(connection: asyncpg.Connection) -> list[str]:
        for stored in await store.live(connection):
            await store.advance(connection, stored.request.request_id, Expire(), runtime.at.now(), policy_of(runtime.settings))
        return [*await keep_reviews(runtime, connection), *await deliver_with(runtime, connection)]

    return in_state(runtime, work, is_new=True)


def decided_since(runtime: Runtime, cursor: str | None) -> tuple[str, list[Decision]]:
    """What people and time decided after a position of the chain, at most a hundred of it, and the position to go on from."""
    position = int(cursor) if cursor and cursor.isdecimal() else 0

    async def work(connection: asyncpg.Connection) -> tuple[str, list[Decision]]:
        events = await store.events_after(connection, position, _MOST)
        told = [
            Decision(event.request_id, f"{event.kind} by {event.actor}" + (f" ({event.source})" if event.source != NIGHT else ""))
            for _, event in events
        ]
        return str(events[-1][0] if events else position), told

    return in_state(runtime, work, is_new=True)
