"""The action items of a night: what sources say is noted, trackers are followed, and the day's table shows what all of it comes
to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import polars as pl

from dagster_project.actions import action_item_store as store
from dagster_project.domain.action_items.folding import items_of
from dagster_project.domain.action_items.model import Event, Item
from dagster_project.domain.action_items.observing import Observer, Told, undated
from dagster_project.domain.action_items.trackers import Link
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_sources import Sources, policy_of, read_sources
from dagster_project.pipeline.action_item_sync import Known, Synced, sync, tracked_items
from dagster_project.pipeline.incident_timelines import end_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.action_items import hints_of

_LAST_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Kept:
    """What a night made of action items."""

    rows: int
    synced: Synced


def keep_action_items(runtime: Runtime, day: date) -> Kept:
    """Writes ``action_items`` of the day. Of the newest day, what sources say that is new is noted before, and issues are
    followed; of an earlier one nothing is, and items are as they were then."""
    items, links, known, synced = in_state(runtime, lambda connection: _kept(runtime, connection, day), is_new=True)
    rows = [_row(item, links.get(item.item_id), known, synced) for _, item in sorted(items.items())]
    if not runtime.is_newest(day) and runtime.lake.has(ACTION_ITEMS, day):
        rows = _as_told(rows, pl.read_parquet(runtime.lake.require(ACTION_ITEMS, day), hive_partitioning=False))
    written = write_frame(runtime.lake, ACTION_ITEMS, day, pl.DataFrame(rows, schema=schema(ACTION_ITEMS), orient="row"))
    return Kept(written, synced)


async def _kept(
    runtime: Runtime, connection: asyncpg.Connection, day: date
) -> tuple[dict[str, Item], dict[str, Link], Known, Synced]:
    sources = await read_sources(runtime, connection, day)
    known = Known(People(runtime.settings, sources.teams), sources.incidents)
    if not runtime.is_newest(day):
        items = items_of(await store.events(connection), end_of(day))
        return _with_untold(runtime, day, items, sources), await store.links(connection), known, Synced()
    async with store.alone(connection):
        now = await bring_up_to_date(runtime, connection, day, sources, known)
    return _as_of(now, day), now.links, known, now.synced


@dataclass(frozen=True)
class UpToDate:
    """Action items as they are after everything was heard: all of their events, what these come to, and their issues."""

    events: list[Event]
    items: dict[str, Item]
    links: dict[str, Link]
    synced: Synced


async def bring_up_to_date(
    runtime: Runtime, connection: asyncpg.Connection, day: date, sources: Sources, known: Known
) -> UpToDate:
    """Notes what sources and issues say that is new, and writes to issues what is new here. Nobody else may be at it."""
    events, links = await store.events(connection), await store.links(connection)
    items, at = items_of(events), end_of(day) - _LAST_MOMENT
    observer = Observer(
        items,
        await store.heard(connection),
        policy_of(runtime.settings),
        at,
        tracked_items(runtime, day, items.values(), links),
        _shown(runtime, items, sources.told),
    )
    observed = observer.observe(sources.told, sources.read)
    async with connection.transaction():
        await store.add_events(connection, observed.events, runtime.now)
        await store.note_heard(connection, observed.heard)
        if runtime.settings.incidents.repository is not None:
            await store.note_documents(connection, runtime.settings.incidents.repository, sources.documents)
    events += observed.events
    items |= _folded_anew(events, observed.events)
    dated = tuple(undated(items.values(), lambda item: known.facts(item).severity, policy_of(runtime.settings), at))
    await store.add_events(connection, dated, runtime.now)
    events += dated
    items |= _folded_anew(events, dated)
    synced = await sync(runtime, connection, day, items, links, known)
    synced.problems[:0] = sources.problems
    return UpToDate([*events, *synced.noted], items, links, synced)


def _folded_anew(events: Iterable[Event], new: Iterable[Event], before: datetime | None = None) -> dict[str, Item]:
    """The items of some events, with all that is known of them."""
    changed = {event.item_id for event in new}
    return items_of((event for event in events if event.item_id in changed), before) if changed else {}


def _as_of(now: UpToDate, day: date) -> dict[str, Item]:
    """The items at the end of a day: issues and people say what has happened since, too."""
    end = end_of(day)
    later = [event for event in now.events if event.happened_at >= end]
    changed = {event.item_id for event in later}
    then = _folded_anew(now.events, later, end)
    return {name: item for name, item in {**now.items, **then}.items() if name in then or name not in changed}


def _shown(runtime: Runtime, items: Mapping[str, Item], told: Iterable[Told]) -> dict[str, str]:
    """Item → title as our documents show it, of incidents whose documents people have changed."""
    edited = {each.incident_id for each in told if each.is_rendered}
    redactor = Redactor(runtime.settings.incidents.names, runtime.settings.incidents.name_salt)
    return {item.item_id: redactor.text(item.title) for item in items.values() if item.incident_id in edited}


def _with_untold(runtime: Runtime, day: date, items: dict[str, Item], sources: Sources) -> dict[str, Item]:
    """Items of a day of which nothing was noted, as its sources have them: no night ran then, or none knew of action items."""
    observer = Observer(items, (), policy_of(runtime.settings), end_of(day) - _LAST_MOMENT)
    new = items_of(observer.observe(sources.told, ()).events)
    return {**new, **items}


def _as_told(rows: list[dict[str, Any]], before: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a day that is run again: of links only what they are now is known, and its own night has said what they were."""
    told = {row["item_id"]: row for row in before.select("item_id", "url", "problem").to_dicts()}
    return [row | told.get(row["item_id"], {}) for row in rows]


def _row(item: Item, link: Link | None, known: Known, synced: Synced) -> dict[str, Any]:
    facts = known.facts(item)
    fields = {name: getattr(item, name) for name in ACTION_ITEMS.columns if hasattr(item, name)}
    return fields | {
        "service": facts.service,
        "severity": facts.severity,
        "team": known.team(item),
        "url": link.url if link is not None else None,
        "hints": json.dumps(hints_of(item), ensure_ascii=False),
        "problem": (link.lost if link is not None else None)
        or synced.waiting.get(item.item_id)
        or synced.unread.get(item.item_id),
    }
