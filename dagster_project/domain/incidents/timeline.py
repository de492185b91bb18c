"""One timeline out of many sources: records of one fact become one entry that keeps all of them, rapid repeats collapse with a
count, and silent stretches between detection and mitigation are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from dagster_project.domain.incidents.events import LANES, Event
from dagster_project.domain.incidents.model import PHASES, Moment

SILENCE = "silence"
NON_ACTIONS = ("skipped",)
_ONE_FACT = timedelta(seconds=120)
"""Two sources that tell of one fact do so within this time: clocks differ, and hooks are delivered late."""
_REPEAT = timedelta(minutes=5)
_FLAPPING = 3
_HOURS_FROM = 120
"""Minutes from which on a silence is told in hours."""
_PHASE_REACH = timedelta(seconds=60)
_ORDER = {lane: place for place, lane in enumerate(LANES)}
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry was read."""

    source: str
    source_event_id: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. ``until``: its last repeat, or the end of a silence; ``times``: how often; ``outcome`` is a decision's;
    ``is_non_action``: a policy matched and something kept the engine from acting."""

    at: datetime
    lane: str
    kind: str
    text: str
    until: datetime | None = None
    precision: str = "second"
    actor: str | None = None
    service: str | None = None
    target: str | None = None
    phase: str | None = None
    outcome: str | None = None
    is_non_action: bool = False
    times: int = 1
    sources: tuple[Source, ...] = ()
    url: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


def fuse(
    events: Iterable[Event], phases: Mapping[str, Moment], *, silence_minutes: int, ends_at: datetime | None = None
) -> tuple[Entry, ...]:
    """The timeline of one incident, by time. ``phases`` are the chosen ones; each marks the entry that it was read from, or gets
    an entry of its own. ``ends_at``: until when silence counts where nothing was mitigated yet."""
    entries = [_entry(event) for event in sorted(events, key=_when)]
    marked = _with_phases(_collapsed(_fused(entries)), phases)
    return tuple(_with_silence(marked, phases, timedelta(minutes=silence_minutes), ends_at))


def _when(event: Event) -> tuple[datetime, int, str, str]:
    return (event.occurred_at, _ORDER.get(event.lane, len(_ORDER)), event.source, event.source_event_id)


def _entry(event: Event) -> Entry:
    outcome = event.payload.get("outcome") if event.lane == "engine" else None
    return Entry(
        event.occurred_at,
        event.lane,
        event.kind,
        "(this message was deleted)" if event.is_deleted else event.text,
        None,
        event.precision,
        event.actor,
        event.service,
        event.target,
        None,
        outcome,
        outcome in NON_ACTIONS,
        1,
        (Source(event.source, event.source_event_id, event.version),),
        event.url,
        event.payload,
    )


def _fused(entries: Sequence[Entry]) -> list[Entry]:
    """Records of one fact made one. The first of a lane's order tells it; the others are its sources."""
    kept: list[Entry] = []
    recent: dict[tuple[str, ...], int] = {}
    for entry in entries:
        place = next(
            (found for key in _facts(entry) if (found := recent.get(key)) is not None and _is_same(kept[found], entry)), None
        )
        if place is None:
            place = len(kept)
            kept.append(entry)
        else:
            kept[place] = _joined(kept[place], entry)
        for key in _facts(entry):
            recent[key] = place
    return kept


def _is_same(first: Entry, second: Entry) -> bool:
    if second.at - first.at > _ONE_FACT:
        return False
    # A source tells a fact once: its second record is a second fact, unless it is the same telemetry event.
    sources = {source.source for source in first.sources}
    return second.sources[0].source not in sources or _event_id(first) == _event_id(second) is not None


def _event_id(entry: Entry) -> Any:
    return entry.payload.get("event_id") if entry.lane == "engine" else None


def _facts(entry: Entry) -> Iterator[tuple[str, ...]]:
    """Names under which the same fact may be told by another source."""
    payload = entry.payload
    if entry.lane == "engine":
        if payload.get("event_id"):
            yield ("event", str(payload["event_id"]), str(payload.get("action_type")), str(entry.target), str(entry.outcome))
        if payload.get("action_type") in ("scale_up", "scale_down") and entry.outcome == "succeeded":
            yield from _scalings(entry)
    elif entry.lane == "scaling":
        yield from _scalings(entry)
    elif entry.lane == "changes":
        if payload.get("ref") and entry.service:
            yield ("change", entry.service, str(payload["ref"]))
        if entry.kind in ("deployment", "rollback") and entry.service:
            # One source knows a tag and another a commit: nobody deploys a service twice within two minutes.
            yield (entry.kind, entry.service)
        if payload.get("api_call") and entry.target:
            yield ("call", str(payload["api_call"]), entry.target)
    if payload.get("alarm_name"):
        # A robot repeats the alarm in the channel.
        yield ("alarm", str(payload["alarm_name"]), "ok" if entry.kind == "alarm_ok" else "alarm")


def _scalings(entry: Entry) -> Iterator[tuple[str, ...]]:
    for name in dict.fromkeys(each for each in (entry.target, entry.service) if each):
        yield ("scaling", name)


def _joined(first: Entry, second: Entry) -> Entry:
    leading, other = (second, first) if _precedes(second, first) else (first, second)
    sources = tuple(dict.fromkeys((*first.sources, *second.sources)))
    return replace(
        leading,
        at=min(first.at, second.at),
        sources=sources,
        url=leading.url or other.url,
        actor=leading.actor or other.actor,
        service=leading.service or other.service,
        target=leading.target or other.target,
        payload={**other.payload, **leading.payload},
    )


def _precedes(second: Entry, first: Entry) -> bool:
    """Whether the second record tells more: the lane that did it before the lane that heard of it, then the longer text."""
    if first.lane != second.lane:
        return _ORDER.get(second.lane, 9) < _ORDER.get(first.lane, 9)
    return len(second.text) > len(first.text)


def _collapsed(entries: Sequence[Entry]) -> list[Entry]:
    """The same again within five minutes is one entry with a count; what people write is never collapsed."""
    kept: list[Entry] = []
    recent: dict[tuple[str, ...], int] = {}
    for entry in entries:
        key = _sameness(entry)
        place = recent.get(key) if key else None
        if place is not None and entry.at - (kept[place].until or kept[place].at) <= _REPEAT:
            earlier = kept[place]
            is_alike = earlier.kind == entry.kind
            kept[place] = replace(
                earlier,
                until=entry.until or entry.at,
                times=earlier.times + entry.times,
                sources=(*earlier.sources, *entry.sources),
                kind=earlier.kind if is_alike else "flapping",
                text=earlier.text if is_alike else _flapping(earlier, earlier.times + entry.times),
            )
            continue
        if key:
            recent[key] = len(kept)
        kept.append(entry)
    return kept


def _sameness(entry: Entry) -> tuple[str, ...] | None:
    payload = entry.payload
    if entry.lane == "engine":
        parts = (payload.get("action_type"), entry.target, entry.outcome, payload.get("outcome_reason"))
        return ("engine", *(str(part) for part in parts))
    if entry.lane == "alarms":
        return ("alarm", str(payload.get("alarm_name") or entry.text))
    if entry.lane in ("scaling", "changes"):
        return (entry.lane, entry.kind, str(entry.target or entry.service), _NUMBERS.sub("#", entry.text))
    return None


def _flapping(entry: Entry, times: int) -> str:
    if times < _FLAPPING:
        return f"Alarm {entry.payload.get('alarm_name') or entry.text} went off and back to normal"
    return f"Alarm {entry.payload.get('alarm_name') or entry.text} went off and back to normal repeatedly"


def _with_phases(entries: list[Entry], phases: Mapping[str, Moment]) -> list[Entry]:
    marked = list(entries)
    for phase in PHASES:
        moment = phases.get(phase)
        if moment is None:
            continue
        place = _place_of(marked, moment)
        if place is not None:
            marked[place] = replace(marked[place], phase=phase)
            continue
        source = Source(moment.source, phase)
        text = moment.reason or "As it is on record."
        marked.append(Entry(moment.at, "record", "phase", text, precision=moment.precision, phase=phase, sources=(source,)))
    return sorted(marked, key=lambda entry: (entry.at, _ORDER.get(entry.lane, len(_ORDER)), _place(entry.phase), entry.text))


def _place(phase: str | None) -> int:
    return list(PHASES).index(phase) if phase else -1


def _place_of(entries: Sequence[Entry], moment: Moment) -> int | None:
    """The entry that a phase was read from: only where it lies at that moment, for a breach lies before its alarm."""
    for place, entry in enumerate(entries):
        is_near = entry.phase is None and abs(entry.at - moment.at) <= _PHASE_REACH
        if is_near and not _names(entry).isdisjoint(moment.evidence):
            return place
    return None


def _names(entry: Entry) -> set[str]:
    """What evidence calls an entry by: its sources, and the file and line of an imported one."""
    return {*(f"{source.source}:{source.source_event_id}" for source in entry.sources), str(entry.payload.get("place"))}


def _with_silence(
    entries: Sequence[Entry], phases: Mapping[str, Moment], least: timedelta, ends_at: datetime | None
) -> Iterator[Entry]:
    start = _first(phases, "detected", "acknowledged", "declared")
    end = _first(phases, "mitigated", "impact_ended", "resolved") or ends_at
    last: datetime | None = None
    for entry in entries:
        if start is not None and end is not None and last is not None:
            begun, over = max(last, start), min(entry.at, end)
            if over - begun > least:
                yield _silence(begun, over)
        yield entry
        last = max(last or entry.at, entry.until or entry.at)
    if start is not None and end is not None and last is not None and end - max(last, start) > least:
        yield _silence(max(last, start), end)


def _silence(begun: datetime, over: datetime) -> Entry:
    minutes = round((over - begun).total_seconds() / 60)
    length = f"{minutes} minutes" if minutes < _HOURS_FROM else f"{minutes // 60} h {minutes % 60:02d} min"
    return Entry(begun, "record", SILENCE, f"Nothing was recorded for {length}.", until=over)


def _first(phases: Mapping[str, Moment], *names: str) -> datetime | None:
    return next((phases[name].at for name in names if name in phases), None)
