"""Reminders of action items: one digest for each person a day, in their working hours, and nothing told twice.

What a digest tells is written down before it is sent. Where it is not known whether it was sent, Slack is asked before anything
is told again; where it was not, the next digest tells it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg
import polars as pl

from dagster_project.actions import action_item_store as store
from dagster_project.actions import slack_store
from dagster_project.actions.outbox import folder_of, message_parcel, write_outbox
from dagster_project.connections.slack import Slack
from dagster_project.domain.action_items.folding import items_of
from dagster_project.domain.action_items.model import Item
from dagster_project.domain.action_items.reminders import Reminder, reminders_of
from dagster_project.errors import AccessDenied, NightshiftError, SlackError
from dagster_project.lake.action_item_tables import ACTION_ITEM_REMINDERS, ACTION_ITEMS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_sources import incident_facts
from dagster_project.pipeline.action_item_sync import Known
from dagster_project.pipeline.report_place import report_url
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.action_items import reminder_message
from dagster_project.reporting.slack import Message

SENT, OUTBOX, WAITING, FAILED = "sent", "outbox", "waiting", "failed"
OUTBOX_KIND = "action_reminders"
_CLOCKS_DIFFER = timedelta(minutes=5)
_GIVE_UP = 2
"""Digests in a row for which Slack did not answer, after which the rest waits for the next run."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """What became of one digest. ``state``: sent, outbox, waiting (for working hours) or failed; ``detail`` a sentence."""

    recipient: str
    items: int
    state: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class _Digest:
    recipient: str
    day: date
    reminders: tuple[Reminder, ...]
    message: Message

    @property
    def subject(self) -> str:
        return f"actions:{self.recipient}:{self.day}"


def remind(runtime: Runtime) -> list[Reminded]:
    """Sends the digests that are due at this moment, and says what became of each. Without a token, or where reminders are off,
    they lie in the outbox. A dry run and a kill switch leave everything as it is."""
    return in_state(runtime, lambda connection: _remind(runtime, connection), is_new=True)


def remind_night(runtime: Runtime, day: date) -> list[Reminded]:
    """The same as a step of a night, which notes it as ``action_item_reminders`` of the day. Only the newest day reminds."""
    done = remind(runtime) if runtime.is_newest(day) else []
    rows = {each.recipient: (each.recipient, each.items, each.state, each.detail) for each in done}
    if runtime.lake.has(ACTION_ITEM_REMINDERS, day):
        # A day that is run again sends nothing again; what it sent stays on record.
        before = pl.read_parquet(runtime.lake.require(ACTION_ITEM_REMINDERS, day), hive_partitioning=False)
        for row in before.select("recipient", "items", "state", "detail").rows():
            rows = rows | {row[0]: row} if row[0] not in rows or row[2] == SENT else rows
    frame = pl.DataFrame([rows[name] for name in sorted(rows)], schema=schema(ACTION_ITEM_REMINDERS), orient="row")
    write_frame(runtime.lake, ACTION_ITEM_REMINDERS, day, frame)
    return done


async def _remind(runtime: Runtime, connection: asyncpg.Connection) -> list[Reminded]:
    # As of the newest night; without any, what the settings and imports know.
    facts, teams = await incident_facts(runtime, connection, next(reversed(runtime.lake.days(ACTION_ITEMS)), None))
    known = Known(People(runtime.settings, teams), facts)
    items = {name: item for name, item in items_of(await store.events(connection)).items() if not item.is_ended}
    links = await store.links(connection)
    urls = {item_id: link.url for item_id, link in links.items() if link.url and link.lost is None}
    is_sending = runtime.settings.actions.reminders and runtime.settings.slack.token is not None
    sender = _Sender(runtime, connection, known.people, Slack(runtime.settings.slack, runtime.at)) if is_sending else None
    if sender is not None and not runtime.is_dry_run and not runtime.settings.is_stopped:
        await sender.settle()
    told = await store.told(connection, list(items))
    due = _due(runtime, known, items, told)
    digests = [_digest(runtime, recipient, those, urls) for recipient, those in due.items()]
    if runtime.is_dry_run or runtime.settings.is_stopped:
        return [Reminded(each.recipient, len(each.reminders), WAITING, "Nothing is sent by this run.") for each in digests]
    if sender is None:
        return _into_outbox(runtime, known.people, digests)
    return [await sender.send(each) for each in digests]


def _due(
    runtime: Runtime, known: Known, items: Mapping[str, Item], told: Collection[tuple[str, str, str]]
) -> dict[str, tuple[Reminder, ...]]:
    people, now = known.people, runtime.at.now()
    return reminders_of(
        items.values(),
        lambda recipient: people.hours_of(recipient).local(now).date(),
        lambda item: people.recipient_of(item, known.team(item)),
        lambda item: people.lead_of(known.team(item)),
        told,
    )


def _digest(runtime: Runtime, recipient: str, reminders: tuple[Reminder, ...], urls: Mapping[str, str]) -> _Digest:
    newest = next(reversed(runtime.lake.days(ACTION_ITEMS)), None)
    report = report_url(runtime.settings, newest) if newest is not None else None
    day = People(runtime.settings).hours_of(recipient).local(runtime.at.now()).date()
    return _Digest(recipient, day, reminders, reminder_message(recipient, day, reminders, urls.get, report))


@dataclass(slots=True)
class _Sender:
    """One run's digests in Slack."""

    runtime: Runtime
    connection: asyncpg.Connection
    people: People
    slack: Slack
    failed_in_a_row: int = 0

    async def settle(self) -> None:
        """Finds out about digests that were begun and of which nobody knows whether they were sent."""
        for subject in await store.unsettled(self.connection):
            async with slack_store.alone(self.connection, subject) as is_mine:
                # Another process may be sending it at this moment: that it is not there yet says nothing.
                known = await slack_store.get(self.connection, subject) if is_mine else None
                if is_mine and (known is None or known.ts is None):
                    await self._settle(subject, known)

    async def _settle(self, subject: str, known: slack_store.Sent | None) -> None:
        if known is None or known.begun_at is None:
            await store.forget_digest(self.connection, subject)
            return
        try:
            posted = await asyncio.to_thread(self.slack.find, known.channel, subject, known.begun_at - _CLOCKS_DIFFER)
        except NightshiftError:
            return  # not known yet: what it tells is not told again
        if posted is None:
            await slack_store.lost(self.connection, subject)
            await store.forget_digest(self.connection, subject)
        else:
            await slack_store.posted(self.connection, subject, posted.channel, posted.ts)

    async def send(self, digest: _Digest) -> Reminded:
        """Sends one digest, where its reader is at work and has had none today."""
        count = len(digest.reminders)
        hours = self.people.hours_of(digest.recipient)
        if not hours.contain(self.runtime.at.now()):
            return Reminded(digest.recipient, count, WAITING, f"It waits for working hours in {hours.zone}.")
        if self.failed_in_a_row >= _GIVE_UP:
            return Reminded(digest.recipient, count, FAILED, "Slack did not answer before; it waits for the next run.")
        async with slack_store.alone(self.connection, digest.subject) as is_mine:
            known = await slack_store.get(self.connection, digest.subject) if is_mine else None
            if not is_mine or (known is not None and (known.ts is not None or known.begun_at is not None)):
                return Reminded(digest.recipient, count, WAITING, "They have had today's digest; it waits for tomorrow's.")
            try:
                await self._post(digest)
            except NightshiftError as error:
                is_of_this = isinstance(error, SlackError) and error.code not in (None, "ratelimited")
                self.failed_in_a_row = 0 if is_of_this else self.failed_in_a_row + 1
                return Reminded(digest.recipient, count, FAILED, str(error))
        self.failed_in_a_row = 0
        return Reminded(digest.recipient, count, SENT)

    async def _post(self, digest: _Digest) -> None:
        channel, now = await self._channel(digest.recipient), self.runtime.at.now()
        stages = [(each.item.item_id, each.stage.name) for each in digest.reminders]
        async with self.connection.transaction():
            await slack_store.begin(self.connection, digest.subject, None, channel, now)
            await store.begin_digest(self.connection, digest.subject, digest.recipient, stages, digest.day)
        message = digest.message
        try:
            posted = await asyncio.to_thread(self.slack.post, channel, message.text, message.blocks, digest.subject)
        except (SlackError, AccessDenied) as error:
            if isinstance(error, AccessDenied) or error.code is not None:
                # It was not taken: what it would have told is told by the next one.
                await slack_store.not_taken(self.connection, digest.subject, now)
                await store.forget_digest(self.connection, digest.subject)
            raise
        await slack_store.posted(self.connection, digest.subject, posted.channel, posted.ts)
        await slack_store.holds(self.connection, digest.subject, message.digest, None)

    async def _channel(self, recipient: str) -> str:
        """Where they are written to. Raises ``AccessDenied`` or ``SlackError``."""
        user, channel = self.people.channel_of(recipient)
        if user is not None:
            return await asyncio.to_thread(self.slack.direct_channel, user)
        if channel is None:
            raise SlackError(
                f"Nobody knows where to write to {recipient}; give them in actions.people, or set slack.channel.", "no_channel"
            )
        return channel


def _into_outbox(runtime: Runtime, people: People, digests: Sequence[_Digest]) -> list[Reminded]:
    """The digests as files that chat.postMessage takes. Nothing counts as told."""
    parcels, done = [], []
    off = runtime.settings.slack.token is not None
    why = "actions.reminders is off; it lies in the outbox." if off else "There is no Slack token; it lies in the outbox."
    for digest in digests:
        user, channel = people.channel_of(digest.recipient)
        message = digest.message
        parcels.append(message_parcel(folder_of(digest.recipient), user or channel, message.text, message.blocks))
        done.append(Reminded(digest.recipient, len(digest.reminders), OUTBOX, why))
    newest: date = (runtime.now - timedelta(days=1)).date()
    try:
        write_outbox(runtime.settings.outbox, newest, parcels, OUTBOX_KIND)
    except AccessDenied as error:
        return [Reminded(each.recipient, each.items, FAILED, str(error)) for each in done]
    return done
