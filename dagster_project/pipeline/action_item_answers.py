"""Action items on the command line: what there is, one of them with its history, and what people say of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import asyncpg

from dagster_project.actions import action_item_store as store
from dagster_project.actions.github.issue_tracker import KEY
from dagster_project.domain.action_items import folding
from dagster_project.domain.action_items.folding import folded, items_of
from dagster_project.domain.action_items.model import (
    COMPLETED,
    DECLINED,
    DONE,
    DUPLICATE,
    GITHUB,
    IN_PROGRESS,
    OPEN,
    PERSON,
    POLICY,
    VERIFIED,
    Event,
    Item,
    type_of,
)
from dagster_project.domain.action_items.trackers import Link
from dagster_project.domain.incidents.importing.follow_ups import tracker_of as read_key
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.errors import InputError
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_sources import IncidentFacts, incident_facts, naive, policy_of, read_sources
from dagster_project.pipeline.action_item_sync import Known, Synced, may_look
from dagster_project.pipeline.action_items import bring_up_to_date
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.incidents import known_now
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.action_items import hints_of

_LONGEST = 500
_ORDER = ("lost", "in_progress", "open", "proposed", "done", "verified", "declined", "duplicate")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is of. ``is_all``: ended ones too."""

    is_all: bool = False
    is_overdue: bool = False
    owner: str | None = None
    team: str | None = None
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of a list, with its team and the address of its issue."""

    item: Item
    team: str | None
    url: str | None

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self.item) | {"team": self.team, "url": self.url}, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Shown:
    """One item with its history, the latest event last."""

    listed: Listed
    events: tuple[Event, ...]
    hints: tuple[str, ...]
    problem: str | None

    def to_json(self) -> str:
        """One JSON object."""
        found = json.loads(self.listed.to_json())
        history = [asdict(event) for event in self.events]
        return json.dumps(
            found | {"hints": self.hints, "problem": self.problem, "history": history}, ensure_ascii=False, default=str, indent=2
        )


def today_of(runtime: Runtime) -> date:
    """The day on which something is overdue or not."""
    return naive(runtime.now).date()


def listed(runtime: Runtime, filters: Filters) -> list[Listed]:
    """Items, the most urgent first."""
    today = today_of(runtime)

    async def found(connection: asyncpg.Connection) -> list[Listed]:
        known = await _known(runtime, connection)
        items, links = items_of(await store.events(connection)), await store.links(connection)
        rows = [_listed(item, links, known) for item in items.values()]
        return sorted((row for row in rows if _matches(row, filters, known.people, today)), key=_urgency)

    return in_state(runtime, found, is_new=True)


def shown(runtime: Runtime, item_id: str) -> Shown:
    """One item. Raises ``InputError`` for one that nobody knows."""

    async def found(connection: asyncpg.Connection) -> Shown:
        known = await _known(runtime, connection)
        events = await store.events(connection, [item_id])
        item = _there(events, item_id)
        links = await store.links(connection, item_id)
        link = links.get(item_id)
        return Shown(_listed(item, links, known), tuple(events), hints_of(item), link.lost if link is not None else None)

    return in_state(runtime, found, is_new=True)


def add(runtime: Runtime, title: str, values: Mapping[str, str | None]) -> Item:
    """Adds an item; without a date it gets that of the policy. Raises ``InputError`` where it is there already."""
    clean = _title(title)
    incident_id, now, actor = values.get("incident_id"), naive(runtime.at.now()), user_of_this_process()
    known = in_state(runtime, lambda connection: _known(runtime, connection), is_new=True)
    # One that is undeclared, or was only just imported, is in the list alone.
    is_known = not known.incidents or incident_id is None or incident_id in known.incidents
    if not is_known and incident_id not in known_now(runtime)[1]:
        raise InputError(f"No incident {incident_id} is known; 'nightshift incidents list' has them.")
    given = {name: _checked(name, value) for name, value in values.items()}
    fields: dict[str, str | None] = {**given, "title": clean, "state": OPEN}
    if not fields.get("due_on"):
        severity = known.incidents.get(incident_id or "", IncidentFacts()).severity
        due, rule = policy_of(runtime.settings).due(now.date(), severity)
        fields |= {"due_on": due.isoformat(), "due_source": f"{POLICY}: {rule}"}
    digest = hashlib.blake2b(f"{incident_id}|{clean}|{now:%Y-%m-%d}".encode(), digest_size=5).hexdigest()
    item_id = f"{incident_id or 'ACTION'}:{digest}"

    async def added(connection: asyncpg.Connection) -> Item:
        async with store.alone(connection):
            if await store.events(connection, [item_id]):
                raise InputError(f"{item_id} is there already, with the same words.")
            event = folding.created(item_id, fields, now, PERSON, actor)
            await store.add_events(connection, [event], runtime.now)
        return _there([event], item_id)

    return in_state(runtime, added, is_new=True)


def say(runtime: Runtime, item_id: str, values: Mapping[str, str | None], reason: str | None = None) -> tuple[Item, Item]:
    """A person's word on fields of an item; (before, after). What it is already is no event. An issue is told by the next sync.

    Raises ``InputError`` where the item is not known, or a value cannot be.
    """
    actor, now = user_of_this_process(), naive(runtime.at.now())
    wanted = {name: _checked(name, value) for name, value in values.items()}

    async def said(connection: asyncpg.Connection) -> tuple[Item, Item]:
        async with store.alone(connection):
            before = _there(await store.events(connection, [item_id]), item_id)
            told = secrets_removed(reason) if reason else None
            at = max(now, before.changed_at)
            events = [Event(item_id, name, value, at, PERSON, actor, told) for name, value in folding.changes(before, wanted)]
            async with connection.transaction():
                await store.add_events(connection, events, runtime.now)
                if any(event.field == "tracker_key" for event in events):
                    await store.drop_link(connection, item_id)
            return before, folding.applied(before, events)

    return in_state(runtime, said, is_new=True)


def done(runtime: Runtime, item_id: str, note: str | None, *, is_verified: bool = False) -> tuple[Item, Item]:
    """It was done; with ``is_verified`` somebody looked whether it works."""
    values: dict[str, str | None] = {"state": VERIFIED if is_verified else DONE}
    if is_verified:
        values["verification"] = note or "looked at"
    current = shown(runtime, item_id).listed.item
    if not is_verified and current.state in COMPLETED:
        return current, current
    return say(runtime, item_id, values, note)


def decline(runtime: Runtime, item_id: str, reason: str, duplicate_of: str | None) -> tuple[Item, Item]:
    """It is not to be done, or another item stands for it. Raises ``InputError`` where that one is not known."""
    if duplicate_of is None:
        return say(runtime, item_id, {"state": DECLINED}, reason)
    if duplicate_of == item_id:
        raise InputError(f"{item_id} cannot be a duplicate of itself; name the other one.")
    if shown(runtime, duplicate_of).listed.item.state == DUPLICATE:
        # Two that stand for each other would both be counted nowhere.
        raise InputError(f"{duplicate_of} is a duplicate itself; name the item that stands for it.")
    return say(runtime, item_id, {"state": DUPLICATE}, f"{duplicate_of} stands for it. {reason}".strip())


def reopen(runtime: Runtime, item_id: str, reason: str, *, is_begun: bool = False) -> tuple[Item, Item]:
    """It is to be done after all; with ``is_begun`` somebody is at it."""
    return say(runtime, item_id, {"state": IN_PROGRESS if is_begun else OPEN}, reason)


def sync_now(runtime: Runtime) -> Synced:
    """What the night does with action items, at once: hears sources, and brings items and issues together.

    Raises ``InputError`` where there is no tracker to follow.
    """
    day = newest_night(runtime)
    rules = runtime.settings.actions
    if not may_look(runtime, day) and not (rules.repository or rules.team_repositories):
        raise InputError("There is no tracker to follow: set actions.repository, and give credentials for GitHub.")

    async def synced(connection: asyncpg.Connection) -> Synced:
        async with store.alone(connection):
            sources = await read_sources(runtime, connection, day)
            known = Known(People(runtime.settings, sources.teams), sources.incidents)
            return (await bring_up_to_date(runtime, connection, day, sources, known)).synced

    return in_state(runtime, synced, is_new=True)


def newest_night(runtime: Runtime) -> date:
    """The last day that is over."""
    return today_of(runtime) - timedelta(days=1)


async def _known(runtime: Runtime, connection: asyncpg.Connection) -> Known:
    facts, teams = await incident_facts(runtime, connection, next(reversed(runtime.lake.days(ACTION_ITEMS)), None))
    return Known(People(runtime.settings, teams), facts)


def _there(events: Sequence[Event], item_id: str) -> Item:
    item = folded(sorted(events, key=lambda event: event.happened_at))
    if item is None:
        raise InputError(f"No action item {item_id} is known; 'nightshift actions list --all' has them.")
    return item


def _listed(item: Item, links: Mapping[str, Link], known: Known) -> Listed:
    link = links.get(item.item_id)
    return Listed(item, known.team(item), link.url if link is not None and link.lost is None else None)


def _matches(row: Listed, filters: Filters, people: People, today: date) -> bool:
    item = row.item
    return (
        (filters.is_all or not item.is_ended)
        and (not filters.is_overdue or item.is_overdue(today))
        and (filters.owner is None or people.name(item.owner or "").casefold() == people.name(filters.owner).casefold())
        and (filters.team is None or (row.team or "").casefold() == filters.team.casefold())
        and (filters.incident_id is None or item.incident_id == filters.incident_id)
    )


def _urgency(row: Listed) -> tuple[bool, date, int, str]:
    item = row.item
    return item.is_ended, item.due_on or date.max, _ORDER.index(item.state), item.item_id


def _title(text: str) -> str:
    clean = " ".join(secrets_removed(text).split())
    if not clean or len(clean) > _LONGEST:
        raise InputError(f"Say what is to be done in 1 to {_LONGEST} characters.")
    return clean


def _checked(name: str, value: str | None) -> str | None:
    if name == "title":
        return _title(value or "")
    if name == "item_type":
        value = type_of(value)
    value = (value or "").strip()
    if not value:
        return None  # an owner or a team that is empty is none
    if len(value) > _LONGEST:
        raise InputError(f"The {name.replace('_', ' ')} may have at most {_LONGEST} characters.")
    return secrets_removed(value)


def tracker_of(key: str) -> tuple[str, str]:
    """(tracker, key) of what somebody gives as an issue: ``owner/name#12``, its address, or a Jira key.

    Raises ``InputError`` for anything else.
    """
    tracker, found, _ = read_key(key)
    if tracker is None or found is None or (tracker == GITHUB and KEY.fullmatch(found) is None):
        raise InputError(f"{key} is no issue; write it as owner/name#12, as its address, or as a Jira key such as OPS-12.")
    return tracker, found
