"""What the events of an item come to: the latest of each field counts, and history is counted on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from dagster_project.domain.action_items.model import COMPLETED, CREATED, ENDED, FIELDS, NOTE, OPEN, POLICY, Event, Item


def created(
    item_id: str, values: dict[str, str | None], at: datetime, source: str, actor: str, reason: str | None = None
) -> Event:
    """The first event of an item. ``values``: those of ``FIELDS`` by name, and ``due_source``."""
    return Event(item_id, CREATED, json.dumps(values, sort_keys=True, ensure_ascii=False), at, source, actor, reason)


def items_of(events: Iterable[Event], before: datetime | None = None) -> dict[str, Item]:
    """Item id → item as of a moment (of all events without one), by id. ``events`` are in the order in which they were noted."""
    known = [each for each in events if before is None or each.happened_at < before]
    known.sort(key=attrgetter("item_id", "happened_at"))  # stable: what was noted later counts later
    found = {item_id: folded(list(those)) for item_id, those in groupby(known, key=attrgetter("item_id"))}
    return {item_id: item for item_id, item in found.items() if item is not None}


def folded(events: Sequence[Event]) -> Item | None:
    """The item of its events, ascending; None where none of them creates it."""
    now = _Now()
    for event in events:
        now.add(event)
    return now.item()


def applied(item: Item, events: Iterable[Event]) -> Item:
    """An item with further events, which come after all that it knows."""
    now = _Now({name: text_of(item, name) for name in FIELDS}, {name: getattr(item, name) for name in _FACTS})
    for event in events:
        now.add(event)
    return now.item() or item


_FACTS = tuple(field.name for field in fields(Item) if field.name not in FIELDS)


class _Now:
    """An item while its events are added."""

    def __init__(self, values: dict[str, str | None] | None = None, facts: dict[str, Any] | None = None) -> None:
        self.values = values
        self.facts: dict[str, Any] = facts or {}

    def add(self, event: Event) -> None:
        """One event more. What came before the item did is of no item."""
        if self.values is None:
            if event.field == CREATED:
                self._create(event)
            return
        if event.field in (NOTE, CREATED):
            return
        self.facts["changed_at"] = max(event.happened_at, self.facts["changed_at"])
        if event.field == "state":
            self._state(event)
        elif event.field == "due_on":
            self._due(event)
        self.values[event.field] = (event.value or OPEN) if event.field == "state" else event.value

    def item(self) -> Item | None:
        """The item as it is now."""
        if self.values is None:
            return None
        values: dict[str, Any] = {name: self.values.get(name) for name in FIELDS}
        return Item(**values | {"due_on": _day(self.values.get("due_on"))}, **self.facts)

    def _create(self, event: Event) -> None:
        told: dict[str, Any] = json.loads(event.value or "{}")
        due_source = told.pop("due_source", None)
        told["state"] = told.get("state") or OPEN
        self.values = told
        due, is_ended = _day(told.get("due_on")), told["state"] in ENDED
        self.facts = {
            "item_id": event.item_id,
            "origin": event.source,
            "created_at": event.happened_at,
            "changed_at": event.happened_at,
            "state_at": event.happened_at,
            "due_source": (due_source or event.source) if due else None,
            "first_due_on": due,
            "state_reason": event.reason,
            "done_at": event.happened_at if told["state"] in COMPLETED else None,
            "is_done_at_known": True,
            "ended_at": event.happened_at if is_ended else None,
            "reopened": 0,
            "slips": 0,
            "slipped_days": 0,
        }

    def _state(self, event: Event) -> None:
        before, after = (self.values or {}).get("state") or OPEN, event.value or OPEN
        self.facts |= {"state_reason": event.reason, "state_at": event.happened_at}
        if after in COMPLETED and before not in COMPLETED:
            # Whatever is changed of an item that is done, this stays: it was done then.
            # What was so before anybody looked has been so since nobody knows when.
            is_known = not event.is_correction
            self.facts |= {"done_at": event.happened_at if is_known else None, "is_done_at_known": is_known}
        elif after not in COMPLETED:
            self.facts |= {"done_at": None, "is_done_at_known": True}
        if after in ENDED and before not in ENDED:
            self.facts["ended_at"] = event.happened_at
        elif after not in ENDED:
            self.facts["ended_at"] = None
            self.facts["reopened"] += before in COMPLETED and not event.is_correction

    def _due(self, event: Event) -> None:
        before, after = _day((self.values or {}).get("due_on")), _day(event.value)
        was_policy = str(self.facts["due_source"] or "").startswith(POLICY)
        is_policy = event.source.startswith(POLICY)
        self.facts["due_source"] = event.source if after else None
        if after is None:
            return
        # The first date that anybody names is the first one, as long as that of the policy has not passed.
        is_named_in_time = was_policy and not is_policy and before is not None and event.happened_at.date() <= before
        if self.facts["first_due_on"] is None or event.is_correction or (is_named_in_time and not self.facts["slips"]):
            self.facts["first_due_on"] = after
        elif before is not None and after > before and not is_policy:
            self.facts["slips"] += 1
            self.facts["slipped_days"] += (after - before).days


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def changes(item: Item, values: dict[str, str | None]) -> Iterator[tuple[str, str | None]]:
    """(field, value) of those ``values`` that differ from the item's."""
    for name in FIELDS:
        if name in values and values[name] != text_of(item, name):
            yield name, values[name]


def text_of(item: Item, name: str) -> str | None:
    """A field of an item as events hold it."""
    value = getattr(item, name)
    return value.isoformat() if isinstance(value, date) else value
