"""What sources say of action items, as events: a source is heard when it says something new, and not because it says it again.

What a source said last is kept beside the item. Only where it changed its mind since, its word is an event; so two sources that
disagree do not overrule each other night after night, and a state that somebody gave on the command line is not taken back by a
table that nobody keeps. What a source does not list any more is not done: it is noted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import SequenceMatcher
from types import MappingProxyType

from dagster_project.domain.action_items import folding
from dagster_project.domain.action_items.due_dates import DuePolicy
from dagster_project.domain.action_items.model import (
    COMPLETED,
    DOCUMENT,
    DONE,
    DUPLICATE,
    ENDED,
    IMPORT,
    LOST,
    NOTE,
    OPEN,
    POLICY,
    Event,
    Item,
    same_words,
    state_of,
    type_of,
)  # fmt: skip

_ALIKE = 0.75
"""Share of the letters that two titles of one document have in common, from which on one is taken for the other rewritten."""
_COMPARED = 200
"""Letters of a title that are looked at for that: the cost grows with their square."""
_HEARD = ("incident_id", "title", "item_type", "priority", "owner", "due_on", "tracker", "tracker_key", "state")
_NEVER_EMPTIED = ("incident_id", "title", "state", "tracker", "tracker_key")
"""Fields that a source which leaves them empty says nothing of."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one source says of one item. ``source_id`` is its name for it; ``severity`` that of the incident; ``is_rewritable``:
    the source knows items by their words, so that another title is another ``source_id``; ``is_rendered``: what it
    says was written down from the items themselves, and edited since."""

    source: str
    source_id: str
    title: str
    incident_id: str | None = None
    item_type: str | None = None
    priority: str | None = None
    owner: str | None = None
    due_on: date | None = None
    state: str | None = None
    tracker: str | None = None
    tracker_key: str | None = None
    created_at: datetime | None = None
    severity: str | None = None
    place: str | None = None
    is_rewritable: bool = False
    is_rendered: bool = False

    def values(self) -> dict[str, str | None]:
        """Its fields as events hold them."""
        return {
            "incident_id": self.incident_id or None,
            "title": self.title,
            "item_type": type_of(self.item_type),
            "priority": self.priority or None,
            "owner": (self.owner or "").strip() or None,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "state": state_of(self.state) if (self.state or "").strip() else None,
            "tracker": self.tracker or None,
            "tracker_key": self.tracker_key or None,
        }

    @property
    def said(self) -> str:
        """All of it as JSON: equal where the source says the same."""
        return json.dumps(self.values(), sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a source said of an item when it was last read. ``is_gone``: it did not list it any more."""

    source: str
    source_id: str
    item_id: str
    said: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What is to be noted: events, and what sources are known to have said from now on."""

    events: tuple[Event, ...]
    heard: tuple[Heard, ...]


class Observer:
    """Compares what sources say with what is known. ``tracked``: items whose tracker is read, and owns their state and owner."""

    def __init__(
        self,
        items: Mapping[str, Item],
        heard: Collection[Heard],
        policy: DuePolicy,
        at: datetime,
        tracked: Collection[str] = (),
        shown: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``at``: when what is new is taken to have been said; ``shown``: item id → title as documents show it."""
        self._items = dict(items)
        self._heard = {(each.source, each.source_id): each for each in heard}
        self._policy, self._at, self._tracked = policy, at, frozenset(tracked)
        self._by_key = {
            (item.tracker, item.tracker_key.casefold()): item.item_id
            for item in sorted(self._items.values(), key=lambda each: each.item_id, reverse=True)
            if item.tracker and item.tracker_key
        }
        self._spoken_for: set[tuple[str, str]] = set()
        self._left: dict[str, list[Heard]] = {}
        self._words_told: dict[str, set[str]] = {}
        self._by_words: dict[tuple[str | None, str], list[str]] | None = None
        self._shown = shown

    def _with_words(self) -> dict[tuple[str | None, str], list[str]]:
        """(incident, words) → items; made once something new is to be compared with what there is."""
        if self._by_words is None:
            self._by_words = {}
            for item in self._items.values():
                for title in sorted({same_words(item.title), same_words(self._shown.get(item.item_id, item.title))}):
                    self._by_words.setdefault((item.incident_id, title), []).append(item.item_id)
        return self._by_words

    def observe(self, told: Sequence[Told], read: Collection[str]) -> Observed:
        """``read``: sources that were read whole ("postmortem:INC-1" of one document); what is missing there is gone."""
        events: list[Event] = []
        heard: list[Heard] = []
        told = tuple(_told_apart(told))
        taken = {(one.source, one.source_id) for one in told}
        self._spoken_for = {(name[0], each.item_id) for name, each in self._heard.items() if name in taken}
        self._left, self._words_told = {}, {}
        for one in told:
            if one.is_rendered:
                self._words_told.setdefault(one.source, set()).add(same_words(one.title))
        for name, each in sorted(self._heard.items()):
            if name not in taken:
                self._left.setdefault(name[0], []).append(each)
        for one in told:
            known, said = self._heard.get((one.source, one.source_id)), one.said
            if known is not None and known.said == said and not known.is_gone:
                continue
            item_id = known.item_id if known else self._same_as(one)
            if item_id is None:
                item_id = one.source_id if one.source_id not in self._items else _longer_name(one)
                events += self._new(one, item_id)
            else:
                changes = tuple(self._changed(one, self._items[item_id], self._said_before(one, item_id)))
                self._items[item_id] = folding.applied(self._items[item_id], changes)
                events += changes
            heard.append(Heard(one.source, one.source_id, item_id, said))
        replaced = {each.item_id for each in heard}
        for each in self._gone(read):
            heard.append(Heard(each.source, each.source_id, each.item_id, each.said, is_gone=True))
            if each.item_id not in replaced:
                why = f"{_name(each.source)} does not list it any more; that does not make it done."
                events.append(Event(each.item_id, NOTE, None, self._at, _kind(each.source), _kind(each.source), why))
        return Observed(tuple(events), tuple(heard))

    def _same_as(self, told: Told) -> str | None:
        """The item that another source, or an earlier reading, knows under another name; None where it is new."""
        for name in (told.source_id, _longer_name(told)):
            if name in self._items and self._may_be(told, self._items[name]):
                return self._take(told, name)
        # Of one reading, two rows with one issue, or with the same words, are two items; each takes its own.
        tracked = self._by_key.get((told.tracker, (told.tracker_key or "").casefold())) if told.tracker_key else None
        if tracked is not None and (told.source, tracked) not in self._spoken_for:
            return self._take(told, tracked)
        same = self._with_words().get((told.incident_id, same_words(told.title)), ())
        free = [each for each in same if (told.source, each) not in self._spoken_for and not self._is_done_before(told, each)]
        if free:
            return self._take(told, min(free))
        return self._rewritten(told) if told.is_rewritable else None

    def _may_be(self, told: Told, item: Item) -> bool:
        """Whether an item of the same name may be meant: documents number their items each for itself."""
        is_same_incident = told.incident_id is None or item.incident_id in (None, told.incident_id)
        return is_same_incident and (told.source, item.item_id) not in self._spoken_for

    def _is_done_before(self, told: Told, item_id: str) -> bool:
        """Whether the same words mean other work: of no incident, they come again after they were done once."""
        return told.incident_id is None and self._items[item_id].is_ended and state_of(told.state) not in ENDED

    def _rewritten(self, told: Told) -> str | None:
        """The item whose words the document had before: the one most alike among those that it does not have any more since
        this reading. What it showed as done and what is to be done now are two."""
        is_left = state_of(told.state) not in ENDED
        alike = [
            (_alike(title, told.title), item_id)
            for title, state, item_id in self._missing_from(told)
            if (told.source, item_id) not in self._spoken_for and not (is_left and state in ENDED)
        ]
        best = max(((score, item_id) for score, item_id in alike if score >= _ALIKE), default=None)
        return self._take(told, best[1]) if best else None

    def _missing_from(self, told: Told) -> Iterator[tuple[str, str | None, str]]:
        """(title, state, item) of what a document has had and has no more: by what it said last, and of a list of ours that
        people have edited for the first time by what we had put there."""
        for each in self._left.get(told.source, ()):
            if not each.is_gone:
                said = json.loads(each.said)
                yield said["title"], said["state"], each.item_id
        if told.is_rendered and not any(name[0] == told.source for name in self._heard):
            for item in self._items.values():
                title = self._shown.get(item.item_id, item.title)
                if item.incident_id == told.incident_id and same_words(title) not in self._words_told[told.source]:
                    yield title, item.state, item.item_id

    def _take(self, told: Told, item_id: str) -> str:
        """Remembers that this reading has an item, so that no second row takes it."""
        self._spoken_for.add((told.source, item_id))
        return item_id

    def _new(self, told: Told, item_id: str) -> Iterator[Event]:
        values = told.values()
        state = values["state"] or OPEN
        started = told.created_at if told.created_at is not None and told.created_at < self._at else self._at
        # Since when it is done nobody said.
        begins = OPEN if state in ENDED else state
        fields: dict[str, str | None] = {**values, "state": begins, "due_source": None}
        if told.due_on is None and state not in ENDED:
            # Counted from when it was first read: years of old postmortems are not all overdue on the day of their import.
            due, rule = self._policy.due(max(started, self._at).date(), told.severity)
            fields |= {"due_on": due.isoformat(), "due_source": f"{POLICY}: {rule}"}
        kind = _kind(told.source)
        events = [folding.created(item_id, fields, started, kind, kind, told.place)]
        if state in ENDED:
            why = f"It was so when it was first read, on {self._at:%Y-%m-%d}."
            events.append(Event(item_id, "state", state, started, kind, kind, why, is_correction=True))
        yield from events
        item = folding.folded(events)
        if item is not None:
            self._items[item_id] = item
            self._with_words().setdefault((item.incident_id, same_words(item.title)), []).append(item_id)
            if item.tracker and item.tracker_key:
                self._by_key.setdefault((item.tracker, item.tracker_key.casefold()), item_id)
            self._take(told, item_id)

    def _changed(self, told: Told, item: Item, known: Heard | None) -> Iterator[Event]:
        """Events of what the source says otherwise than before, and otherwise than it is known."""
        values = told.values()
        before: dict[str, str | None] = json.loads(known.said) if known else {}
        if not before and told.is_rendered:
            before = {name: folding.text_of(item, name) for name in _HEARD}
        for name, value in folding.changes(item, {field: values[field] for field in _HEARD}):
            if before.get(name) == value if before else not self._fills(item, name):
                continue
            if value is None and (known is None or name in _NEVER_EMPTIED or before.get(name) != folding.text_of(item, name)):
                continue  # it says nothing of it, or takes back what it said: what somebody else said since stays
            if name == "incident_id" and known is None and item.incident_id is not None:
                continue  # one issue may be named by the postmortems of several incidents
            if name == "title" and value == self._shown.get(item.item_id):
                continue
            if name in ("state", "owner") and item.item_id in self._tracked:
                continue
            if name in ("tracker", "tracker_key") and item.tracker_key is not None and item.state != LOST:
                continue  # a link that stands is changed by people only
            if name == "state" and not self._state_counts(told, item, value or OPEN, is_first=known is None):
                continue
            kind = _kind(told.source)
            # Never before its beginning, or it would not count: somebody may have added it since the day was over.
            yield Event(item.item_id, name, value, max(self._at, item.created_at), kind, kind, told.place)

    def _said_before(self, told: Told, item_id: str) -> Heard | None:
        """What the source said last of an item, under this name or under the one that it had until it was rewritten."""
        known = self._heard.get((told.source, told.source_id))
        if known is not None and not known.is_gone:
            return known
        return next((each for each in self._left.get(told.source, ()) if each.item_id == item_id and not each.is_gone), known)

    def _fills(self, item: Item, name: str) -> bool:
        """Whether a source that is heard for the first time may say a field: what is not known yet, and that it is done."""
        if name == "due_on":
            return item.due_on is None or (item.due_source or "").startswith(POLICY)
        return name == "state" or getattr(item, name) is None

    def _state_counts(self, told: Told, item: Item, state: str, *, is_first: bool) -> bool:
        if state == DONE and item.is_completed:
            return False  # what was verified is not less than done because a source only now hears that it was done
        if _kind(told.source) not in (DOCUMENT, IMPORT) and not is_first:
            return True
        # A document shows what was so when it was written: that something was not done then is no news.
        settled = COMPLETED | {DUPLICATE} | ({LOST} if is_first else set())
        return state in ENDED and item.state not in settled

    def _gone(self, read: Collection[str]) -> Iterator[Heard]:
        for source in sorted(self._left):
            if source in read:
                yield from (each for each in self._left[source] if not each.is_gone)


def undated(items: Iterable[Item], severity_of: Callable[[Item], str | None], policy: DuePolicy, at: datetime) -> Iterator[Event]:
    """Dates of the policy for what is to be done and has none any more: it was reopened, or its source took the date back."""
    for item in items:
        if not item.is_ended and item.due_on is None:
            at = max(at, item.changed_at)
            due, rule = policy.due(at.date(), severity_of(item))
            yield Event(item.item_id, "due_on", due.isoformat(), at, f"{POLICY}: {rule}", POLICY)


def heard_in(kind: str, incident_id: str) -> str:
    """The source that the postmortem of an incident is: one of ours (``DOCUMENT``), or an imported one (``IMPORT``)."""
    return f"{kind}:{incident_id}"


def _told_apart(told: Sequence[Told]) -> Iterator[Told]:
    """Rows of one source, each under a name of its own: where two have one name and say different things, they are numbered."""
    first: dict[tuple[str, str], Told] = {}
    others: dict[tuple[str, str], list[str]] = {}
    for one in told:
        name = (one.source, one.source_id)
        if first.setdefault(name, one) is one:
            yield one
            continue
        said = others.setdefault(name, [first[name].said])
        if one.said not in said:
            said.append(one.said)
            yield replace(one, source_id=f"{one.source_id}#{len(said)}")


def _longer_name(told: Told) -> str:
    """A name for an item whose own one is another item's."""
    return f"{told.source}:{told.source_id}"


def _kind(source: str) -> str:
    return source.partition(":")[0]


def _name(source: str) -> str:
    kind, _, of = source.partition(":")
    return {DOCUMENT: f"The postmortem of {of}", IMPORT: f"The imported postmortem of {of}"}.get(kind, f"The table {kind}")


def _alike(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, same_words(one)[:_COMPARED], same_words(other)[:_COMPARED], autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0  # the quick one is an upper bound
