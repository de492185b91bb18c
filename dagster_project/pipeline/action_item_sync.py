"""Action items and their issues: looked at, brought together, opened. What is about to be done is written down before.

A repository that cannot be read whole changes nothing: that an issue is not seen there says nothing about it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from types import MappingProxyType

import asyncpg

from dagster_project.actions import action_item_store as store
from dagster_project.actions.github.issue_tracker import GithubIssues, mark_text
from dagster_project.actions.outbox import Parcel, write_outbox
from dagster_project.connections.github import Connection
from dagster_project.domain.action_items.folding import applied
from dagster_project.domain.action_items.model import GITHUB, PROPOSED, Event, Item, same_words
from dagster_project.domain.action_items.reconcile import Reconciled, Terms, lost, reconciled, standing_of
from dagster_project.domain.action_items.trackers import ISSUE_ABANDONED, ISSUE_OPEN, Draft, Link, Look, Tracker
from dagster_project.errors import AccessDenied, GithubLimit, InputError, NightshiftError, told
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_sources import IncidentFacts, naive
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.action_items import issue_body, issue_title, labels_of, milestone_of
from dagster_project.settings_action_items import ActionItemSettings

OUTBOX_KIND = "action_items"
_OURSELVES = "nightshift"
_DOING = "its action items were followed"
_MOST_PROBLEMS = 10
"""Failures in a run after which nothing more is written."""
_FAILING = f"After {_MOST_PROBLEMS} failures nothing more was written to issues; the next run goes on."
_STOPPED = "A kill switch is on; nothing more was written to issues."


@dataclass(slots=True)
class Synced:
    """What a run did.

    ``reads``: requests that it read with; ``opened``, ``changed`` and ``found``: keys of issues; ``planned``: what was to be
    written to them; ``waiting``: items that have no issue yet, with why; ``unread``: those whose issue could not be looked at,
    with a sentence; ``problems``: sentences; ``noted``: events.
    """

    looked: int = 0
    reads: int = 0
    opened: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    noted: list[Event] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many changes were taken over from issues."""
        return sum(event.actor != _OURSELVES for event in self.noted)


@dataclass(frozen=True, slots=True)
class Known:
    """What items are made into issues with."""

    people: People
    incidents: Mapping[str, IncidentFacts]

    def facts(self, item: Item) -> IncidentFacts:
        """Of the incident that an item is of."""
        return self.incidents.get(item.incident_id or "", IncidentFacts())

    def team(self, item: Item) -> str | None:
        """The team that answers for an item."""
        return self.people.team_of(item, self.facts(item).team)


def mark_of(item_id: str) -> str:
    """What tells the issue of an item from every other one."""
    return hashlib.sha256(item_id.encode()).hexdigest()[:16]


def may_look(runtime: Runtime, day: date) -> bool:
    """Whether trackers may be read: for the newest day, with credentials and a repository."""
    settings = runtime.settings
    return runtime.is_newest(day) and settings.github.has_credentials and bool(settings.actions.repositories)


def tracked_items(runtime: Runtime, day: date, items: Iterable[Item], links: Mapping[str, Link]) -> set[str]:
    """Items whose issue is read, so that it says how they stand and who owns them."""
    if not may_look(runtime, day):
        return {item_id for item_id, link in links.items() if link.base is not None and link.lost is None}
    places = {place.casefold() for place in runtime.settings.actions.repositories}
    keyed = (item for item in items if item.tracker == GITHUB and item.tracker_key)
    return {item.item_id for item in keyed if (item.tracker_key or "").rpartition("#")[0].casefold() in places}


async def sync(
    runtime: Runtime,
    connection: asyncpg.Connection,
    day: date,
    items: dict[str, Item],
    links: dict[str, Link],
    known: Known,
) -> Synced:
    """Brings ``items`` and their issues together; ``items`` and ``links`` are brought up to date. It never raises: what fails is
    told."""
    synced = Synced()
    if not may_look(runtime, day):
        _into_outbox(runtime, day, items, links, known, synced)
        return synced
    since = await store.looked_until(connection, GITHUB)
    tracker = GithubIssues(
        runtime.settings.actions.repositories,
        lambda place: Connection(runtime.settings.github, place, pace_of(runtime)),
        since,
        runtime.settings.actions.max_reads_per_night,
        closing_bots=frozenset(each.casefold() for each in runtime.settings.actions.closing_bots),
        stale_labels=frozenset(each.casefold() for each in runtime.settings.actions.stale_labels),
    )
    await follow(runtime, connection, tracker, items, links, known, synced)
    synced.reads = tracker.reads
    return synced


async def follow(
    runtime: Runtime,
    connection: asyncpg.Connection,
    tracker: Tracker,
    items: dict[str, Item],
    links: dict[str, Link],
    known: Known,
    synced: Synced,
) -> None:
    """The same with any tracker; what became of it is noted in ``synced``."""
    try:
        await _Night(runtime, connection, items, known, tracker, links, synced).work()
    except Exception as error:
        synced.problems.append(told(error, _DOING))


@dataclass(slots=True)
class _Night:
    """One run over all items. Nothing is written outside of it while it has no right to."""

    runtime: Runtime
    connection: asyncpg.Connection
    items: dict[str, Item]
    known: Known
    tracker: Tracker
    links: dict[str, Link]
    synced: Synced
    terms: Terms = field(init=False)
    failures: int = 0

    def __post_init__(self) -> None:
        people, rules = self.known.people, self.runtime.settings.actions
        labels = frozenset(label.casefold() for label in rules.in_progress_labels)
        self.terms = Terms(people.name, labels)

    async def work(self) -> None:
        await self._link()
        followed = [link for link in self.links.values() if link.key is not None and self.tracker.follows(link.key)]
        # Of two items with one issue, the one that knows less of it.
        known = {link.key or "": link.base for link in sorted(followed, key=lambda link: link.base is None)}
        look = self.tracker.look(known, {link.key or "" for link in followed if self._is_to_be_seen(link)})
        self.synced.problems += look.problems
        self.synced.looked = len(look.seen)
        self.synced.unread = {
            link.item_id: f"An issue in {link.place} could not be looked at; the item is as it was."
            for link in followed
            if link.key in look.not_looked
        }
        await self._adopt(look)
        changes = self._apart(await self._reconcile(look))
        # What was closed until now has been taken over, and is not read again.
        for place in look.places:
            await store.note_place(self.connection, self.tracker.name, place, self.runtime.now)
        self.synced.planned = [f"{found.link.key}: {_words(found)}" for found in changes]
        if self.runtime.is_dry_run:
            self.synced.planned += [f"open in {place}: {item.title}" for item, place in self._openable(look)]
            return
        await self._change(changes)
        await self._open(look)

    def _is_to_be_seen(self, link: Link) -> bool:
        """Whether an issue matters that is in no list: it was open, or there is something to be written to it."""
        item = self.items.get(link.item_id)
        if item is None or link.lost is not None:
            return False
        is_open = link.base is None or link.base.standing in (ISSUE_OPEN, ISSUE_ABANDONED)
        return is_open or link.wrote != self._want(item)

    async def _link(self) -> None:
        """Ties items to the issues that people named."""
        name, place_of = self.tracker.name, self.tracker.place_of
        new = [
            Link(item.item_id, name, place_of(item.tracker_key), item.tracker_key, mark_of(item.item_id), is_ours=False)
            for item in self.items.values()
            if item.tracker == name
            and item.tracker_key is not None
            and self._is_unlinked(item)
            and self.tracker.follows(item.tracker_key)
        ]
        self.links.update({link.item_id: link for link in new})
        await store.put_links(self.connection, new)

    def _is_unlinked(self, item: Item) -> bool:
        """Whether nobody follows the issue that an item names: it is new, or stands for one that was lost."""
        link = self.links.get(item.item_id)
        return link is None or (link.lost is not None and (link.key or "").casefold() != (item.tracker_key or "").casefold())

    async def _adopt(self, look: Look) -> None:
        """Finds issues of ours again that were being opened when a run was cut off, that were lost and are back, or that were
        opened before the state store was."""
        by_mark = {mark_of(item_id): item_id for item_id in self.items}
        found = []
        for mark, issue in sorted(look.marked.items()):
            item_id = by_mark.get(mark)
            if item_id is None:
                continue
            link, item = self.links.get(item_id), self.items[item_id]
            if link is None and item.tracker_key is not None:
                continue  # people have named another issue since, or one elsewhere
            # There is one issue for a mark: seen in another place, it was moved there.
            if link is not None and link.key is not None and (not link.is_ours or link.key == issue.key or link.key in look.seen):
                continue
            place = self.tracker.place_of(issue.key)
            link = link or Link(item_id, self.tracker.name, place, None, mark, is_ours=True)
            if link.key is None and link.begun_at is not None:
                # Opened by a run that was cut off: whatever was said here since is to be written to it.
                wrote = replace(self._want(item), standing=ISSUE_OPEN)
                link = replace(link, base=replace(issue, standing=ISSUE_OPEN), wrote=wrote)
            # That it was lost, and how it stands, is told by what follows from seeing it again.
            found.append(replace(link.to(issue), place=place, lost=link.lost))
            self.synced.found.append(issue.key)
        again = {link.item_id for link in found}
        for link in self.links.values():
            gone = look.gone.get(link.key or "")
            if gone is not None and gone.moved_to is not None and link.item_id in self.items and link.item_id not in again:
                found.append(replace(link, key=gone.moved_to, place=self.tracker.place_of(gone.moved_to)))
                self.synced.found.append(gone.moved_to)
        await self._keyed(found)

    async def _keyed(self, links: Sequence[Link]) -> None:
        """Items have an issue of ours from now on."""
        events = []
        for link in links:
            self.links[link.item_id] = link
            item = self.items[link.item_id]
            at = max(naive(self.runtime.now), item.changed_at)
            values = {"tracker": link.tracker, "tracker_key": link.key}
            changed = ((name, value) for name, value in values.items() if getattr(item, name) != value)
            events += [Event(item.item_id, name, value, at, link.tracker, _OURSELVES) for name, value in changed]
        await self._note(events, links)

    async def _note(self, events: Sequence[Event], links: Sequence[Link]) -> None:
        async with self.connection.transaction():
            await store.add_events(self.connection, events, self.runtime.now)
            await store.put_links(self.connection, links)
        self.synced.noted += events
        for event in events:
            self.items[event.item_id] = applied(self.items[event.item_id], [event])

    def _want(self, item: Item) -> Draft:
        """What the issue of an item should hold, but for its text, which is people's once it is there."""
        rules = self.runtime.settings.actions
        milestone = milestone_of(item.due_on) if item.due_on is not None and rules.has_milestones else (None, None)
        return Draft(
            title=issue_title(item),
            labels=labels_of(item, rules.labels),
            assignee=self.known.people.login_of(item.owner),
            milestone=milestone[0],
            milestone_due_on=milestone[1],
            standing=standing_of(item),
            owner=item.owner,
        )

    async def _reconcile(self, look: Look) -> list[Reconciled]:
        """Takes over what issues say; returns what is to be written to them."""
        events: list[Event] = []
        links: list[Link] = []
        changes: list[Reconciled] = []
        now = naive(self.runtime.now)
        for item_id, link in sorted(self.links.items()):
            item, key = self.items.get(item_id), link.key
            if item is None or key is None:
                continue
            issue = look.seen.get(key)
            if issue is None and (marked := look.marked.get(link.mark)) is not None and marked.key == key:
                # Just found. Who closed one that is closed is asked by the next run.
                issue = marked if marked.standing == ISSUE_OPEN else None
                if issue is None:
                    continue
            if key in look.gone and issue is None:
                news, after = lost(item, link, look.gone[key], now)
                self.synced.lost += [key] if news else []
            elif issue is not None:
                found = reconciled(item, link, issue, self._want, self.terms)
                news, after = found.events, found.link
                if found.change:
                    changes.append(found)
            else:
                continue
            events += news
            links += [after] if after != link else []
            self.links[item_id] = after
        await self._note(events, links)
        return changes

    def _apart(self, changes: Sequence[Reconciled]) -> list[Reconciled]:
        """Without the closing of issues that stand for another item, too, which is not over."""
        unfinished: dict[str, set[str]] = {}
        for link in self.links.values():
            if link.key is not None and link.item_id in self.items and not self.items[link.item_id].is_ended:
                unfinished.setdefault(link.key.casefold(), set()).add(link.item_id)
        apart = []
        for found in changes:
            others = unfinished.get((found.link.key or "").casefold(), set()) - {found.item.item_id}
            wrote = found.link.wrote
            if others and wrote is not None and found.change.standing not in (None, ISSUE_OPEN):
                wanted, change = replace(found.wanted, standing=wrote.standing), replace(found.change, standing=None)
                found = replace(found, wanted=wanted, change=change)
            apart += [found] if found.change else []
        return apart

    async def _change(self, changes: Sequence[Reconciled]) -> None:
        refused: set[str] = set()
        for number, found in enumerate(changes, start=1):
            issue = found.link.base
            if issue is None or not self._goes_on():
                return
            if found.link.place in refused:
                continue
            try:
                after = self.tracker.change(issue, found.change)
            except GithubLimit as limit:
                self.synced.problems.append(f"{limit} {len(changes) - number + 1} issues wait to be changed.")
                return
            except AccessDenied as error:
                refused.add(found.link.place)
                self._failed(f"{found.link.place}: {error}")
                continue
            except InputError as error:
                # Somebody must act, and until then it is so every night: that must not keep other issues from being changed.
                self.synced.problems.append(f"{issue.key}: {error}")
                continue
            except NightshiftError as error:
                self._failed(f"{issue.key}: {error}")
                continue
            link = found.link.agreed(after, found.wanted)
            self.links[link.item_id] = link
            await store.put_links(self.connection, [link])
            self.synced.changed.append(issue.key)
            self.runtime.progress.update("Issues", number, len(changes))

    def _goes_on(self) -> bool:
        if self.runtime.settings.is_stopped:
            self.synced.problems += [_STOPPED] if _STOPPED not in self.synced.problems else []
            return False
        if self.failures < _MOST_PROBLEMS:
            return True
        if _FAILING not in self.synced.problems:
            self.synced.problems.append(_FAILING)
        return False

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.synced.problems.append(why)

    async def _open(self, look: Look) -> None:
        """Opens issues, so many a run; what had been begun before is looked for first."""
        refused: dict[str, str] = {}
        for item, place in self._openable(look, refused):
            if not self._goes_on():
                return
            try:
                await self._open_one(item, place)
            except GithubLimit as limit:
                self.synced.problems.append(str(limit))
                return
            except AccessDenied as error:
                # Of every other item it would be the same, and those of other places wait for their turn.
                refused[place.casefold()] = str(error)
                self._failed(f"{place}: {error}")
                self.synced.waiting[item.item_id] = str(error)
            except NightshiftError as error:
                self._failed(f"{item.item_id}: {error}")

    def _openable(self, look: Look, refused: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[Item, str]]:
        """Items of which this run opens issues, with their places; of all others it is noted why they wait."""
        left, read = self.runtime.settings.actions.max_new_per_night, {place.casefold() for place in look.places}
        taken = _words_taken(self.items, self.links)
        for item, place in _to_open(self.items, self.links, self.known, self.runtime.settings.actions):
            link = self.links.get(item.item_id)
            places = {place, link.place} if link is not None and self._is_place(link.place) else {place}
            why = refused.get(place.casefold()) or _not_now(item, sorted(places), read, taken, left)
            if why is not None:
                self.synced.waiting[item.item_id] = why
                continue
            yield item, place
            link = self.links.get(item.item_id)
            if self.runtime.is_dry_run or (link is not None and link.key is not None):
                # What could not be opened takes nobody's turn.
                left -= 1
                taken.setdefault((item.incident_id, same_words(item.title)), item.item_id)

    def _is_place(self, place: str) -> bool:
        return place.casefold() in {each.casefold() for each in self.runtime.settings.actions.repositories}

    async def _open_one(self, item: Item, place: str) -> None:
        known = self.links.get(item.item_id)
        mark, begun_at = mark_of(item.item_id), self.runtime.at.now()
        link = known or Link(item.item_id, self.tracker.name, place, None, mark, is_ours=True, begun_at=begun_at)
        wanted = self._want(item)
        issue = None
        if known is not None and known.begun_at is not None and self._is_place(known.place):
            issue = self.tracker.find(known.place, known.mark, known.begun_at)
        if issue is None:
            link = replace(link, place=place)  # the settings may name another one since it was begun
            await store.put_links(self.connection, [link])
            self.links[item.item_id] = link
            body = issue_body(item, self.known.facts(item).severity)
            issue = self.tracker.create(link.place, replace(wanted, body=body), link.mark)
            self.synced.opened.append(issue.key)
        else:
            self.synced.found.append(issue.key)
        await self._keyed([link.agreed(issue, wanted)])


def _to_open(
    items: Mapping[str, Item], links: Mapping[str, Link], known: Known, rules: ActionItemSettings
) -> list[tuple[Item, str]]:
    """Items that should have an issue and have none, with its place; those due first before the others, and what was begun before
    and did not come to an issue after all of them: it must not hold them up every night."""
    waiting = []
    for item in items.values():
        link = links.get(item.item_id)
        if item.is_ended or item.state == PROPOSED or item.tracker_key is not None or (link is not None and link.key is not None):
            continue
        place = rules.place_of(known.team(item))
        if place is not None:
            waiting.append((link is not None, item.due_on or date.max, item.item_id, place))
    return [(items[item_id], place) for *_, item_id, place in sorted(waiting)]


def _words_taken(items: Mapping[str, Item], links: Mapping[str, Link]) -> dict[tuple[str | None, str], str]:
    """(incident, title without what does not matter) → an unfinished item that has an issue."""
    return {
        (item.incident_id, same_words(item.title)): item.item_id
        for item in items.values()
        if not item.is_ended and item.item_id in links and links[item.item_id].key is not None
    }


def _not_now(
    item: Item, places: Iterable[str], read: set[str], taken: Mapping[tuple[str | None, str], str], left: int
) -> str | None:
    """Why no issue is opened for an item by this run."""
    unread = next((place for place in places if place.casefold() not in read), None)
    if unread is not None:
        return f"{unread} could not be read whole, so an issue that is there might be opened a second time."
    other = taken.get((item.incident_id, same_words(item.title)))
    if other is not None:
        # Whatever gave it another id would do so again tomorrow.
        return (
            f"{other} has the same words and an issue; if it is the same, decline this one with --duplicate-of {other}, else "
            "give it another title."
        )
    return "It waits for one of the next nights: so many issues are opened a night." if left <= 0 else None


def _into_outbox(
    runtime: Runtime, day: date, items: Mapping[str, Item], links: Mapping[str, Link], known: Known, synced: Synced
) -> None:
    """Issues that would be opened, as what GitHub's API takes."""
    rules = runtime.settings.actions
    is_asked = bool(rules.repository or rules.team_repositories)
    if not is_asked or not runtime.is_newest(day) or runtime.is_dry_run or runtime.settings.is_stopped:
        return
    night = _to_open(items, links, known, rules)[: rules.max_new_per_night]
    parcels = []
    for item, place in night:
        mark = mark_of(item.item_id)
        body = f"{issue_body(item, known.facts(item).severity)}\n\n{mark_text(mark)}"
        payload = {"repository": place, "title": issue_title(item), "body": body, "labels": labels_of(item, rules.labels)}
        text = json.dumps(payload, indent=2, ensure_ascii=False) + "\n"
        parcels.append(Parcel(mark, {"issue.json": text.encode()}))
        synced.waiting[item.item_id] = f"There are no credentials for {place}; the issue lies in the outbox."
    try:
        write_outbox(runtime.settings.outbox, day, parcels, OUTBOX_KIND)
    except NightshiftError as error:
        synced.problems.append(str(error))


def _words(found: Reconciled) -> str:
    """A change in words, for people who look before it is made."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(found.change).items() if value)
