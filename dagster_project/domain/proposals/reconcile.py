"""What a night does with pull requests: compares what should be open with what is, and says what to do, in order.

Pure: it sees values and returns actions. The same night twice returns the same actions, and a night on which nothing changed
returns none that writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.grouping import by_worth, group_of
from dagster_project.domain.proposals.memory import is_material
from dagster_project.domain.proposals.model import RISKS, Group, GroupKey, Item
from dagster_project.domain.proposals.payload import Payload, from_body
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull

# Verdicts that say nothing against what is open: tonight's share is spent, or nobody may be asked.
_UNDECIDED = frozenset(("refuse_blast_radius", "refuse_dependency_tier_same_night", "refuse_kill_switch"))
# Verdicts that say nothing against it for some nights; one that proposes, without what would be changed, is no reason to close.
_SILENT = ("insufficient", "propose")

GROUP_OPEN = "its group has an open pull request"
GROUP_FULL = "its group is full"
OCCUPIED = "another pull request holds one of its resources"
OPEN_LIMIT = "as many pull requests are open as may be"
NEW_LIMIT = "tonight's new pull requests are opened"
FOREIGN_BRANCH = "its branch has commits that are not Nightshift's"


@dataclass(frozen=True, slots=True)
class Standing:
    """What tonight's evidence says of a resource: the verdict's reason code, and its sentence."""

    verdict: str
    reason_code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class OpenPull:
    """A pull request that is open, with its record (None where the record is lost: then its body is believed)."""

    seen: SeenPull
    record: PullRecord | None

    @property
    def payload(self) -> Payload | None:
        return self.record.payload if self.record else from_body(self.seen.body)

    def is_touched(self, base: str) -> bool:
        """Whether a person changed it: a commit that is not ours on its branch, or another base."""
        if self.record is None or self.seen.base != base:
            return True
        return self.seen.head_sha not in self.record.known_shas


@dataclass(frozen=True, slots=True)
class Freeze:
    """Says once that a person's commits are left alone; ``gone`` are reasons why it should not be merged any more."""

    pull: OpenPull
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Close:
    """Comments why, closes, deletes the branch."""

    pull: OpenPull
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """Replaces the one commit and the text, as far as they differ, and finishes what was cut off. ``dropped`` says why resources
    are no longer part of it."""

    pull: OpenPull
    group: Group
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirm:
    """Nothing is written; the evidence still speaks for it."""

    pull: OpenPull
    group: Group


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing is written: tonight's evidence says nothing about it."""

    pull: OpenPull


@dataclass(frozen=True, slots=True)
class Create:
    """Opens a pull request. ``record`` is there where an earlier night began to."""

    group: Group
    record: PullRecord | None = None


@dataclass(frozen=True, slots=True)
class Abandon:
    """Removes what is left of a pull request that was begun, never opened, and is no longer wanted."""

    record: PullRecord


@dataclass(frozen=True, slots=True)
class Wait:
    """Items that are not proposed tonight, and why."""

    key: GroupKey
    items: tuple[Item, ...]
    why: str


Action = Freeze | Close | Update | Confirm | Hold | Create | Abandon | Wait


@dataclass(frozen=True, slots=True)
class Limits:
    """What one repository takes."""

    max_items: int
    max_open: int
    max_new: int
    stale_days: int


@dataclass(frozen=True, slots=True)
class Tonight:
    """What a night knows of one repository.

    ``items`` are those that may be proposed, with their group. ``standings`` are the verdicts of the resources that open pull
    requests hold, ``held_back`` why a resource that would be proposed is not (rejected, edit refused, mode). ``blobs`` are the
    Git ids of the base's files. ``rebuilds`` are the pull requests that a person wants to be made anew, by number, each with
    the beginning of the id of the commit that may be replaced. About ``untouchable`` resources nothing may be decided tonight:
    they may only be reported, or their code could not be read. ``nights`` are the days that were judged, tonight's among them:
    a night that did not run says nothing. ``live`` holds the value of (resource, attribute) in the inventory.
    """

    day: date
    base: str
    items: Sequence[tuple[GroupKey, Item]]
    standings: Mapping[str, Standing]
    held_back: Mapping[str, str]
    blobs: Mapping[str, str]
    rebuilds: Mapping[int, str] = field(default_factory=dict)
    untouchable: frozenset[str] = frozenset()
    nights: Sequence[date] = ()
    live: Mapping[tuple[str, str], str | None] = field(default_factory=dict)

    def nights_since(self, day: date) -> int:
        """Nights after a day, up to this one."""
        return sum(day < night <= self.day for night in self.nights)


def reconcile(tonight: Tonight, open_pulls: Sequence[OpenPull], records: Sequence[PullRecord], limits: Limits) -> list[Action]:
    """The night's actions: what is closed comes before what is changed, and that before what is opened."""
    in_order = sorted(open_pulls, key=lambda pull: pull.seen.number)
    # Of two that hold one resource the first one that goes on with it keeps it; what a person holds is held as well.
    frozen = {pull.seen.number: pull.payload.resource_ids for pull in in_order if pull.payload and _is_frozen(tonight, pull)}
    decided: list[Action] = []
    for pull in in_order:
        mine = set(pull.payload.resource_ids) if pull.payload else set()
        later = {name for number, names in frozen.items() if number > pull.seen.number for name in names}
        elsewhere = {name for action in decided for name in _held_by(action)} | (later - mine)
        decided.append(_of_open(tonight, pull, frozenset(elsewhere), limits))
    occupied = {name for action in decided for name in _held_by(action)}
    taken = {action.pull.seen.digest for action in decided if not isinstance(action, Close | Create | Abandon | Wait)}
    begun = {each.digest: each for each in records if each.state == pulls.OPENING and each.number is None}
    waits: list[Action] = []
    free: dict[GroupKey, list[Item]] = {}
    for key, item in tonight.items:
        if occupied & set(item.resource_ids):
            if not set(item.resource_ids) <= occupied:
                waits.append(Wait(key, (item,), OCCUPIED))
        elif key.digest in taken:
            waits.append(Wait(key, (item,), GROUP_OPEN))
        else:
            free.setdefault(key, []).append(item)
    groups = []
    for key, items in sorted(free.items()):
        group, rest = group_of(key, items, limits.max_items)
        groups.append(group)
        if rest:
            waits.append(Wait(key, rest, GROUP_FULL))
    # What was too small already cannot wait for what is worth more.
    groups.sort(key=lambda group: (not group.key.is_rollback, -group.expected_usd_month, group.key))
    still_open = sum(not isinstance(action, Close) for action in decided)
    new = 0
    creates: list[Action] = []
    for group in groups:
        if still_open + len(creates) >= limits.max_open:
            waits.append(Wait(group.key, group.items, OPEN_LIMIT))
        # What was begun on an earlier night was counted then.
        elif new >= limits.max_new and group.key.digest not in begun:
            waits.append(Wait(group.key, group.items, NEW_LIMIT))
        else:
            new += group.key.digest not in begun
            creates.append(Create(group, begun.get(group.key.digest)))
    wanted = {group.key.digest for group in groups}
    leftovers: list[Action] = [
        Abandon(record)
        for digest, record in sorted(begun.items())
        if digest not in wanted and not set(record.payload.resource_ids) <= tonight.untouchable
    ]
    return sorted([*decided, *leftovers], key=_order) + creates + waits


def _order(action: Action) -> int:
    return next(place for place, kind in enumerate((Close, Abandon, Freeze, Update, Confirm, Hold)) if isinstance(action, kind))


def _held_by(action: Action) -> tuple[str, ...]:
    """Resources that an open pull request keeps for itself."""
    if isinstance(action, Update | Confirm):
        return action.group.resource_ids
    if isinstance(action, Freeze | Hold):
        payload = action.pull.payload
        return payload.resource_ids if payload else ()
    return ()


def _of_open(tonight: Tonight, pull: OpenPull, held_elsewhere: frozenset[str], limits: Limits) -> Action:
    payload = pull.payload
    if payload is None:
        return Freeze(pull)
    if set(payload.resource_ids) <= tonight.untouchable:
        return Hold(pull)
    is_frozen = _is_frozen(tonight, pull)
    # Of a frozen one only the evidence counts: it is not shared out any more.
    others = frozenset() if is_frozen else held_elsewhere
    kept, undecided, gone = _sorted_out(tonight, payload, pull.record, others, limits.stale_days)
    is_asked = pull.seen.number in tonight.rebuilds
    if is_frozen:
        return Freeze(pull, tuple(gone))
    if pull.record is not None and pull.record.state == pulls.CLOSING:
        return Close(pull, (pull.record.reason or "It is no longer proposed.",))
    if not kept:
        return Close(pull, tuple(gone)) if gone else Hold(pull)
    group = Group(payload.key, tuple(sorted(kept, key=lambda item: (item.file, item.start_byte))))
    # What was cut off is done again; what of it is there already is found.
    was_cut_off = pull.record is not None and (pull.record.state == pulls.OPENING or pull.record.pending_sha is not None)
    if gone or is_asked or was_cut_off or _is_changed(tonight, payload, group, undecided):
        dropped = [*gone, *(f"{name}: tonight's evidence says nothing about it." for name in undecided)]
        return Update(pull, group, tuple(dropped))
    return Hold(pull) if undecided else Confirm(pull, group)


def _is_frozen(tonight: Tonight, pull: OpenPull) -> bool:
    """Whether a person's changes of a pull request are to be left alone."""
    return pull.is_touched(tonight.base) and not _may_replace(tonight, pull)


def _may_replace(tonight: Tonight, pull: OpenPull) -> bool:
    """Whether a person asked to replace exactly the commit that is the branch's last one now."""
    sha = tonight.rebuilds.get(pull.seen.number)
    if not sha or pull.record is None:
        return False
    return pull.seen.base == tonight.base and pull.seen.head_sha.startswith(sha)


def _sorted_out(
    tonight: Tonight, payload: Payload, record: PullRecord | None, held_elsewhere: frozenset[str], stale_days: int
) -> tuple[list[Item], list[str], list[str]]:
    """Items that stay, resources about which tonight says nothing, and a sentence for each resource that goes."""
    mine = {name: (key, item) for key, item in tonight.items if _is_at_home(key, payload.key) for name in item.resource_ids}
    elsewhere = {name: key for key, item in tonight.items for name in item.resource_ids}
    kept: dict[tuple[str, int], Item] = {}
    undecided: list[str] = []
    gone: list[str] = []
    counted_nights = "1 night" if stale_days == 1 else f"{stale_days} nights"
    for each in payload.resources:
        name = each.resource_id
        if name in mine:
            item = mine[name][1]
            if held_elsewhere & set(item.resource_ids):
                gone.append(f"{name}: {OCCUPIED}.")
            else:
                kept[item.file, item.start_byte] = item
        elif name in elsewhere:
            other = elsewhere[name]
            gone.append(f"{name}: {_whereabouts(other, payload.key)}.")
        elif name in tonight.untouchable:
            undecided.append(name)
        elif name in tonight.held_back:
            gone.append(f"{name}: {tonight.held_back[name]}")
        else:
            standing = tonight.standings.get(name)
            since = tonight.nights_since(record.confirmed_on) if record else 0
            is_stale = since > stale_days
            if payload.key.is_rollback and standing is not None:
                # A verdict speaks of a smaller size, and says nothing about the way back, unless it forbids whatever there is.
                value = tonight.live.get((name, each.attribute))
                if standing.reason_code == "refuse_excluded_by_tag":
                    gone.append(f"{name}: {standing.sentence}")
                elif standing.reason_code == "refuse_kill_switch" or (value is None and not is_stale):
                    undecided.append(name)
                else:
                    gone.append(f"{name}: {_no_way_back(value, each.before)}.")
            elif standing is None and is_stale:
                gone.append(f"{name}: the inventory has not listed it for more than {counted_nights}.")
            elif standing is None or standing.reason_code in _UNDECIDED or (standing.verdict in _SILENT and not is_stale):
                undecided.append(name)
            else:
                gone.append(f"{name}: {standing.sentence}")
    return sorted(kept.values(), key=by_worth), undecided, gone


def _whereabouts(now: GroupKey, then: GroupKey) -> str:
    """Why an item is not in its group any more."""
    if now.is_rollback and not then.is_rollback:
        return "an emergency followed its last change, and it is to go back"
    return f"it belongs to another group now ({now.root}, {now.owner}, {now.risk} risk)"


def _no_way_back(value: str | None, before: str) -> str:
    """Why nobody needs to go back any more from ``before``, where ``value`` is live."""
    if value is None:
        return "its present size is not known any more"
    if value != before:
        return f"it has {value} by now, and {before} no more"
    return "the emergency that spoke for going back is long past"


def _is_at_home(now: GroupKey, then: GroupKey) -> bool:
    """Whether an item may stay in its pull request: of the same group or of one of lower risk. A number at a threshold then does
    not move it back and forth."""
    same = replace(now, risk=then.risk).digest == then.digest
    return same and RISKS.index(now.risk) <= RISKS.index(then.risk)


def _is_changed(tonight: Tonight, payload: Payload, group: Group, undecided: Sequence[str]) -> bool:
    """Whether a reviewer would have to look again at what tonight's evidence speaks of."""
    before = {each.resource_id: each for each in payload.resources if each.resource_id not in undecided}
    now = {change.resource_id: (item, change) for item in group.items for change in item.changes}
    if before.keys() != now.keys():
        return True
    for name, (item, change) in now.items():
        was = before[name]
        same = (was.before, was.after, was.file) == (change.before, change.after, item.file)
        if not same or is_material(was.evidence, change.evidence):
            return True
    return any(tonight.blobs.get(path) != blob for path, blob in payload.base_blobs)
