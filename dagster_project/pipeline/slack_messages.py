"""Brings Slack up to date: one message for each request, changed in place whenever the request is, and one digest an owner a day
on which there is something new to tell.

Without a token the same messages lie in the outbox. What could not be sent is sent by the next run; what may have been sent is
looked for first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import asyncpg

from dagster_project.actions import approval_store, slack_store
from dagster_project.actions.outbox import Parcel, folder_of, message_parcel, write_outbox
from dagster_project.connections.slack import Posted, Slack
from dagster_project.domain.approvals.machine import missing
from dagster_project.domain.approvals.model import APPROVED, EXECUTING, PENDING, Request
from dagster_project.domain.approvals.token import signed
from dagster_project.errors import AccessDenied, NightshiftError, SlackError
from dagster_project.lake.tables import APPROVAL_REQUESTS
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.report_place import proposal_url, report_url
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.slack import Message, digest_line, digest_message, request_message

_CLOCKS_DIFFER = timedelta(minutes=5)
_LAST_CALL = (timedelta(hours=12), timedelta(hours=36))
"""A request that nobody answered is told of once more by the night that comes so long before its end."""
_CATCH_UP = timedelta(days=14)
"""How long a request has been over that a digest still tells of, where the ones before it could not be sent."""
_ROUNDS = 5
"""How often a message is brought up to date in a row, where its request changes meanwhile."""
_GIVE_UP = 2
"""Messages in a row for which Slack did not answer, asked to wait or refused the token, after which the rest is left to the next
run: each of them may have to wait for as long as a request may take."""
_LOST = ("message_not_found", "edit_window_closed", "cant_update_message")
"""Refusals of a change after which only another message can tell how a request stands."""


def deliver(runtime: Runtime, day: date | None = None) -> list[str]:
    """Sends what is not told yet; with the day of a night its digests too. Returns sentences about what could not be sent.

    Nothing is sent by a dry run, nor while a kill switch is on.
    """
    return in_state(runtime, lambda connection: deliver_with(runtime, connection, day), is_new=True)


async def deliver_with(runtime: Runtime, connection: asyncpg.Connection, day: date | None = None) -> list[str]:
    """The same over a connection."""
    if runtime.is_dry_run or runtime.settings.is_stopped:
        return []
    if runtime.settings.slack.token is None:
        return await _into_outbox(runtime, connection, day)
    delivery = _Delivery(runtime, connection, Slack(runtime.settings.slack, runtime.at))
    await delivery.tell_requests()
    if day is not None:
        await delivery.tell_digests(day)
    return delivery.told_problems()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a message should say. ``state`` is the last change of a request that it tells of; ``is_over`` says that it will not
    change any more."""

    subject: str
    request_id: str | None
    channel: str
    message: Message
    state: datetime | None
    is_over: bool


@dataclass(slots=True)
class _Delivery:
    """One run's messages, and what went wrong with them."""

    runtime: Runtime
    connection: asyncpg.Connection
    slack: Slack
    problems: list[str] = field(default_factory=list)
    failed_in_a_row: int = 0
    left: int = 0

    async def tell_requests(self) -> None:
        """Brings the message of every request up to date that does not tell how it stands."""
        for request_id in await slack_store.due(self.connection):
            for _ in range(_ROUNDS):
                # Who changes it meanwhile finds its message taken, and leaves it to whoever has it.
                if not await self._tell_request(request_id) or request_id not in await slack_store.due(self.connection):
                    break

    async def tell_digests(self, day: date) -> None:
        """Sends the digests of a day that are not there yet."""
        for owner, (message, state) in (await _digests(self.runtime, self.connection, day)).items():
            subject, channel = f"digest:{owner}:{day}", self.runtime.settings.slack.channel_of(owner)
            if channel is None:
                self.problems.append(f"The digest of {owner}: no channel is set; set slack.channel or slack.channels.")
                continue
            async with slack_store.alone(self.connection, subject) as is_mine:
                sent = await slack_store.get(self.connection, subject)
                # A digest is of one moment: once it is there it stays.
                if is_mine and (sent is None or sent.sent is None):
                    await self._send(_Wanted(subject, None, channel, message, state, is_over=True))

    def told_problems(self) -> list[str]:
        """What went wrong, as sentences."""
        waiting = f"{self.left} more {'message waits' if self.left == 1 else 'messages wait'} for the next run."
        return [*self.problems, waiting] if self.left else self.problems

    async def _tell_request(self, request_id: str) -> bool:
        """Brings the message of a request up to date; whether it is. What it tells is read once nobody else is at it."""
        subject = f"request:{request_id}"
        async with slack_store.alone(self.connection, subject) as is_mine:
            stored = await approval_store.find(self.connection, request_id) if is_mine else None
            if stored is None:
                return False
            request = stored.request
            channel = self.runtime.settings.slack.channel_of(request.plan.key.owner)
            if channel is None:
                owner = request.plan.key.owner
                self.problems.append(f"{request_id}: no channel is set for {owner}; set slack.channel or slack.channels.")
                return False
            message = await _message_of(self.runtime, self.connection, request)
            wanted = _Wanted(subject, request_id, channel, message, request.changed_at, not request.is_live)
            return await self._send(wanted)

    async def _send(self, wanted: _Wanted) -> bool:
        if self.failed_in_a_row >= _GIVE_UP:
            self.left += 1
            return False
        try:
            await self._place(wanted)
        except NightshiftError as error:
            await slack_store.failed(self.connection, wanted.subject, str(error))
            self.problems.append(f"{wanted.subject.removeprefix('request:')}: {error}")
            is_of_this_message = isinstance(error, SlackError) and error.code not in (None, "ratelimited")
            self.failed_in_a_row = 0 if is_of_this_message else self.failed_in_a_row + 1
            return False
        self.failed_in_a_row = 0
        return True

    async def _place(self, wanted: _Wanted) -> None:
        """Puts a message where it belongs: in place of the one that is there, or of one that may be."""
        known = await slack_store.get(self.connection, wanted.subject)
        posted = await self._found(known)
        if posted is not None and (known is None or known.ts is None or known.sent != wanted.message.digest):
            posted = await self._changed(posted, wanted)
        if posted is None:
            await self._post(wanted)
        await slack_store.holds(self.connection, wanted.subject, wanted.message.digest, wanted.state)

    async def _found(self, known: slack_store.Sent | None) -> Posted | None:
        """The message that is there, as far as it is known or Slack has it."""
        if known is not None and known.ts is not None:
            return Posted(known.posted_in or known.channel, known.ts)
        if known is None or known.begun_at is None:
            return None
        found = await asyncio.to_thread(self.slack.find, known.channel, known.subject, known.begun_at - _CLOCKS_DIFFER)
        if found is not None:
            await slack_store.posted(self.connection, known.subject, found.channel, found.ts)
        return found

    async def _changed(self, posted: Posted, wanted: _Wanted) -> Posted | None:
        """The message with its new content; None where another one must be sent in its place."""
        try:
            await asyncio.to_thread(self.slack.update, posted, wanted.message.text, wanted.message.blocks)
        except SlackError as error:
            if error.code in (None, "ratelimited"):
                raise
            is_deleted = error.code == "message_not_found"
            if error.code in _LOST and not (wanted.is_over and is_deleted):
                await slack_store.lost(self.connection, wanted.subject)
                return None
            # Nobody is asked by a message that is over: where it cannot be changed it is left, and said once.
            if wanted.is_over:
                await slack_store.holds(self.connection, wanted.subject, wanted.message.digest, wanted.state)
            if not is_deleted:
                raise
        return posted

    async def _post(self, wanted: _Wanted) -> None:
        now = self.runtime.at.now()
        await slack_store.begin(self.connection, wanted.subject, wanted.request_id, wanted.channel, now)
        try:
            posted = await asyncio.to_thread(
                self.slack.post, wanted.channel, wanted.message.text, wanted.message.blocks, wanted.subject
            )
        except (SlackError, AccessDenied) as error:
            if isinstance(error, AccessDenied) or error.code is not None:
                await slack_store.not_taken(self.connection, wanted.subject, now)
            raise
        await slack_store.posted(self.connection, wanted.subject, posted.channel, posted.ts)


async def _message_of(runtime: Runtime, connection: asyncpg.Connection, request: Request) -> Message:
    token = signed(await approval_store.key(connection), request.request_id, request.revision, request.plan.digest)
    lacking = missing(request, policy_of(runtime.settings))
    return request_message(request, lacking, token, proposal_url(runtime.settings, request.request_id))


async def _digests(runtime: Runtime, connection: asyncpg.Connection, day: date) -> dict[str, tuple[Message, datetime]]:
    """What each owner is told of a night, with the last change of a request among it; nothing for those of whom there is nothing
    new to tell: every request stands as the last digest said, and none is about to expire."""
    recent = await approval_store.of_day(connection, day - _CATCH_UP)
    found = {}
    for owner in sorted({stored.request.plan.key.owner for stored in recent}):
        until = await slack_store.told_until(connection, owner)
        mine = [stored for stored in recent if stored.request.plan.key.owner == owner]
        if until is None:
            news = [stored.request for stored in mine if stored.ended_on is None or stored.ended_on >= day]
        else:
            news = [stored.request for stored in mine if _changed_at(stored.request) > until]
        waiting = [stored.request for stored in mine if stored.request.state == PENDING]
        last, first = (runtime.now + left for left in _LAST_CALL)
        if news or any(last < request.expires_at <= first for request in waiting):
            kinds = [
                ("Waiting for an answer", waiting),
                ("Approved, not applied yet", [each.request for each in mine if each.request.state in (APPROVED, EXECUTING)]),
                ("Over", [request for request in news if not request.is_live]),
            ]
            sections = [(heading, [digest_line(each) for each in those]) for heading, those in kinds if those]
            message = digest_message(owner, day, sections, report_url(runtime.settings, day))
            found[owner] = (message, max(_changed_at(request) for request in [*news, *waiting]))
    return found


def _changed_at(request: Request) -> datetime:
    return request.changed_at or request.opened_at


async def _into_outbox(runtime: Runtime, connection: asyncpg.Connection, day: date | None) -> list[str]:
    """The messages that would stand in Slack, as files that chat.postMessage takes."""
    chosen = day or next(reversed(runtime.lake.days(APPROVAL_REQUESTS)), None)
    if chosen is None:
        return []
    parcels = []
    for stored in await approval_store.of_day(connection, chosen):
        message = await _message_of(runtime, connection, stored.request)
        parcels.append(_parcel(runtime, stored.request.request_id, stored.request.plan.key.owner, message))
    for owner, (message, _) in (await _digests(runtime, connection, chosen)).items():
        parcels.append(_parcel(runtime, f"digest-{folder_of(owner)}", owner, message))
    try:
        write_outbox(runtime.settings.outbox, chosen, parcels, "slack")
    except AccessDenied as error:
        return [str(error)]
    return []


def _parcel(runtime: Runtime, name: str, owner: str, message: Message) -> Parcel:
    return message_parcel(name, runtime.settings.slack.channel_of(owner), message.text, message.blocks)
