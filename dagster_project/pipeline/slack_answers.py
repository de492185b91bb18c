"""What a click in Slack does. However it comes in, it goes through the same state machine as any other answer.

A click is decided before it is acknowledged, so that of what was not decided Slack shows the person that it failed. Who clicked
may have to be looked up for that, and Slack waits three seconds: where that is not enough, the click is acknowledged, decided
after it, and answered all the same. A click that comes twice counts once. Every click that is refused gets an answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from dagster_project.actions import approval_store
from dagster_project.connections.slack import Slack
from dagster_project.domain.approvals.machine import Approve, Reject, Snooze
from dagster_project.domain.approvals.model import SLACK, Actor, Request
from dagster_project.domain.approvals.token import read
from dagster_project.errors import NightshiftError, SlackError
from dagster_project.pipeline.approval_answers import answer
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.slack_messages import deliver_with
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.slack import answer_view, escape

APPROVE, REJECT, SNOOZE = "nightshift_approve", "nightshift_reject", "nightshift_snooze"
_DECIDED_WITHIN = 2.0
"""Seconds after which a click is acknowledged, decided or not: Slack waits three."""
_LOOKUP = {"timeout_seconds": 2, "attempts": 2, "longest_wait_seconds": 1}
"""Settings of requests that somebody waits for."""
_LONGEST_ERROR = 500
_FORGED = "This button is not one of ours, or is out of date; use the newest message of the request."
_BROKEN = "It was not noted: something went wrong here. Click again; if that does not help, see the log of the listener."


@dataclass(frozen=True, slots=True)
class Answered:
    """What to acknowledge with (None = nothing but that it came), and what is left to be done after it."""

    response: Mapping[str, Any] | None
    after: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Decided:
    """What became of a click: whether it was followed, and what to tell whoever clicked (None = they see it)."""

    is_followed: bool
    said: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for. ``value`` is what their button carried, ``channel`` where they clicked."""

    runtime: Runtime
    slack: Slack
    work: Callable[[_Asked, asyncpg.Connection], Awaitable[_Decided]]
    user: Mapping[str, Any]
    channel: str
    value: str
    kind: str
    trigger_id: str = ""
    reason: str = ""
    days: str = ""
    is_dialog: bool = False

    def decide(self) -> _Decided:
        try:
            return in_state(self.runtime, lambda connection: self.work(self, connection))
        except NightshiftError as error:
            return _Decided(False, f"It was not noted; click again. {error}")


def interact(runtime: Runtime, payload: Mapping[str, Any]) -> Answered:
    """Does what an interaction asks for, as far as it may."""
    read_payload = {"block_actions": _clicked, "view_submission": _submitted}.get(str(payload.get("type")))
    asked = read_payload(runtime, payload) if read_payload is not None else None
    if asked is None:
        return Answered(None, lambda: None)
    pool = ThreadPoolExecutor(max_workers=1)
    job = pool.submit(asked.decide)
    pool.shutdown(wait=False)
    wait([job], _DECIDED_WITHIN)
    if not job.done():
        return Answered(None, lambda: _follow_up(asked, job.result))
    decided = job.result()
    if asked.is_dialog and not decided.is_followed:
        errors = {"reason": (decided.said or _BROKEN)[:_LONGEST_ERROR]}
        return Answered({"response_action": "errors", "errors": errors}, lambda: None)
    return Answered(None, lambda: _follow_up(asked, lambda: decided))


def _clicked(runtime: Runtime, payload: Mapping[str, Any]) -> _Asked | None:
    """A click on a button of a message."""
    action = next(iter(payload.get("actions") or ()), {})
    kind = action.get("action_id")
    if kind not in (APPROVE, REJECT, SNOOZE):
        return None
    return _Asked(
        runtime,
        _slack_of(runtime),
        _approve if kind == APPROVE else _open,
        payload["user"],
        channel=str((payload.get("channel") or {}).get("id", "")),
        value=str(action.get("value") or ""),
        kind=kind,
        trigger_id=str(payload.get("trigger_id", "")),
    )


def _submitted(runtime: Runtime, payload: Mapping[str, Any]) -> _Asked | None:
    """A dialog that was filled in."""
    view = payload["view"]
    kind = str(view.get("callback_id", ""))
    if kind not in (REJECT, SNOOZE):
        return None
    values, metadata = view["state"]["values"], _metadata(view.get("private_metadata"))
    chosen = ((values.get("days") or {}).get("days") or {}).get("selected_option") or {}
    return _Asked(
        runtime,
        _slack_of(runtime),
        _say_no,
        payload["user"],
        channel=metadata["channel"],
        value=metadata["token"],
        kind=kind,
        reason=str(values["reason"]["reason"].get("value") or ""),
        days=str(chosen.get("value") or ""),
        is_dialog=True,
    )


def _slack_of(runtime: Runtime) -> Slack:
    return Slack(runtime.settings.slack.model_copy(update=_LOOKUP), runtime.at)


async def _approve(asked: _Asked, connection: asyncpg.Connection) -> _Decided:
    token = read(await approval_store.key(connection), asked.value)
    if token is None or await approval_store.find(connection, token[0]) is None:
        return _Decided(False, _FORGED)
    request_id, revision, plan_digest = token
    command = Approve(await _actor(asked), revision, plan_digest)
    is_followed, said, _ = await answer(asked.runtime, connection, request_id, command)
    return _Decided(is_followed, said)


async def _open(asked: _Asked, connection: asyncpg.Connection) -> _Decided:
    """Opens the dialog that asks why."""
    request, refusal = await _request(asked, connection)
    if request is None:
        return _Decided(False, refusal)
    actor = await _actor(asked)
    if not actor.may_approve:
        return _Decided(False, f"{actor.said} is no approver; the settings name who is.")
    metadata = json.dumps({"token": asked.value, "channel": asked.channel})
    view = answer_view(asked.kind.removeprefix("nightshift_"), request, metadata)
    try:
        await asyncio.to_thread(asked.slack.open_view, asked.trigger_id, view)
    except SlackError as error:
        if error.code == "expired_trigger_id":
            return _Decided(False, "Slack opens a dialog only within three seconds, and they are over; click again.")
        if error.code != "exchanged_trigger_id":  # the same click came twice, and its dialog is open
            raise
    return _Decided(True)


async def _say_no(asked: _Asked, connection: asyncpg.Connection) -> _Decided:
    request, refusal = await _request(asked, connection)
    if request is None:
        return _Decided(False, refusal)
    actor = await _actor(asked)
    if asked.kind == REJECT:
        is_followed, said, _ = await answer(asked.runtime, connection, request.request_id, Reject(actor, asked.reason))
        return _Decided(is_followed, said)
    if not asked.days.isdecimal():
        return _Decided(False, "Choose for how long.")
    until = (asked.runtime.at.now() + timedelta(days=int(asked.days))).date()
    is_followed, said, _ = await answer(asked.runtime, connection, request.request_id, Snooze(actor, until, asked.reason))
    return _Decided(is_followed, said)


async def _request(asked: _Asked, connection: asyncpg.Connection) -> tuple[Request | None, str]:
    """The request that a value of ours stands for, or what to say instead: a no is remembered for each resource, and counts only
    for those that whoever says it was shown."""
    token = read(await approval_store.key(connection), asked.value)
    stored = await approval_store.find(connection, token[0]) if token is not None else None
    if token is None or stored is None:
        return None, _FORGED
    request = stored.request
    if (request.revision, request.plan.digest) != token[1:]:
        return None, f"The plan has changed since (revision {request.revision} now); look at it and answer anew."
    if not request.is_live and not asked.is_dialog:
        because = f" ({request.reason})" if request.reason else ""
        return None, f"It is {request.state.replace('_', ' ')}{because}."
    return request, ""


async def _actor(asked: _Asked) -> Actor:
    """Who clicked, as they are known at this moment: by their Slack id, by the address in their profile, or as a member of the
    user group. Who cannot be looked up is no approver."""
    rules, user_id = asked.runtime.settings.approvals, str(asked.user["id"])
    name = str(asked.user.get("username") or asked.user.get("name") or user_id)
    listed = next((each for each in rules.approvers if each.slack == user_id), None)
    if listed is not None:
        return Actor(name, SLACK, listed.email.lower(), True)
    email = await asyncio.to_thread(asked.slack.email_of, user_id)
    if email is None:
        return Actor(name, SLACK, None, False)
    # Somebody with another Slack id in the settings is not who that address belongs to here.
    by_address = any(each.email.lower() == email.lower() and each.slack is None for each in rules.approvers)
    if by_address:
        return Actor(name, SLACK, email.lower(), True)
    group = rules.slack_group
    is_member = group is not None and user_id in await asyncio.to_thread(asked.slack.members_of, group)
    return Actor(name, SLACK, email.lower(), is_member)


def _follow_up(asked: _Asked, result: Callable[[], _Decided]) -> None:
    """Tells whoever clicked, and brings the message up to date."""
    try:
        decided = result()
    except Exception:
        _tell(asked, _BROKEN)
        raise
    if decided.said:
        _tell(asked, decided.said)
        for problem in in_state(asked.runtime, lambda connection: deliver_with(asked.runtime, connection)):
            asked.runtime.progress.say(f"Slack: {problem}")


def _tell(asked: _Asked, said: str) -> None:
    try:
        slack = Slack(asked.runtime.settings.slack, asked.runtime.at)
        slack.tell(asked.channel, str(asked.user["id"]), escape(said))
    except NightshiftError as error:
        # What was decided stands, and shows in the request's message; only the words for this person did not arrive.
        asked.runtime.progress.say(f"Slack: {asked.user['id']} could not be told ({error})")


def _metadata(text: Any) -> dict[str, str]:
    try:
        found = json.loads(text or "")
    except ValueError:
        found = {}
    return {name: str(found.get(name, "")) if isinstance(found, dict) else "" for name in ("token", "channel")}
