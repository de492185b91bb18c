"""How complete the evidence of an incident is, what is missing of it, and what will be lost soon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of evidence. ``weight`` is its part of the score; any of ``sources`` (as the load ledger names them) gives it;
    ``keeps_days``: after so many days the source has lost it, None where it keeps it."""

    name: str
    weight: int
    sources: tuple[str, ...]
    keeps_days: int | None = None


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("decisions", 25, ("captured_decisions",)),
            Kind("alarms", 20, ("cloudwatch_alarms",), 14),
            Kind("messages", 15, ("slack",)),
            Kind("changes", 15, ("captured_changes", "github")),
            Kind("API calls", 10, ("cloudtrail",), 90),
            Kind("scaling", 10, ("scaling_activities",), 42),
            Kind("service levels", 5, ("captured_service_levels",)),
        )
    }
)
"""Kinds of evidence with their weights, which add up to 100: what tells most about what happened when weighs most."""
WARNING_DAYS = 3
"""Days before evidence is lost from which on it is warned of."""
_WORDS = {
    "decisions": "What the decision engine decided",
    "alarms": "The alarms",
    "messages": "What was said in Slack",
    "changes": "What was deployed and changed",
    "API calls": "The calls that changed AWS",
    "scaling": "The scaling activities",
    "service levels": "The good and failed requests",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one night read of one source, a line of the load ledger.

    ``status``: complete, partial, absent or failed; ``since`` is None where the source keeps everything; ``until`` is None where
    nothing was read; ``reason`` says why not all was. All naive UTC.
    """

    source: str
    status: str
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Completeness:
    """``score``: 0..100; ``sentences``: what is missing, the heaviest first; ``shares``: kind → 0..1 of the time covered."""

    score: float
    sentences: tuple[str, ...]
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Expiring:
    """Evidence of an incident that is not captured and is lost at ``expires_at`` (naive UTC)."""

    incident_id: str
    kind: str
    expires_at: datetime
    sentence: str


def completeness(started_at: datetime, ended_at: datetime, stretches: Sequence[Stretch], at: datetime) -> Completeness:
    """How much of an incident's time (naive UTC) was captured, by kind of evidence, as of ``at``.

    A stretch that was read counts whether or not something was in it: that nothing happened is known then.
    """
    shares = {kind.name: _share(kind, started_at, ended_at, stretches) for kind in KINDS.values()}
    score = sum(kind.weight * shares[kind.name] for kind in KINDS.values())
    missing = sorted((kind for kind in KINDS.values() if shares[kind.name] < 1), key=lambda kind: -kind.weight)
    told = (_told(kind, shares[kind.name], started_at, stretches, at) for kind in missing)
    return Completeness(round(score, 1), tuple(told), MappingProxyType(shares))


def expiring(incidents: Iterable[tuple[str, datetime, datetime]], stretches: Sequence[Stretch], at: datetime) -> list[Expiring]:
    """Evidence of incidents (id, start, end) that is not captured whole, is there at ``at``, and is lost within three days."""
    return [
        warning
        for incident_id, started_at, ended_at in incidents
        for kind in KINDS.values()
        if (warning := _expiring(kind, incident_id, started_at, ended_at, stretches, at)) is not None
    ]


def _expiring(
    kind: Kind, incident_id: str, started_at: datetime, ended_at: datetime, stretches: Sequence[Stretch], at: datetime
) -> Expiring | None:
    if kind.keeps_days is None:
        return None
    expires_at = _first_gap(kind, started_at, stretches) + timedelta(days=kind.keeps_days)
    is_near = at < expires_at <= at + timedelta(days=WARNING_DAYS)
    if not is_near or _share(kind, started_at, ended_at, stretches) >= 1:
        return None
    sentence = (
        f"{_WORDS[kind.name]} of {incident_id} are not captured, and AWS forgets them from {expires_at:%Y-%m-%d %H:%M} UTC on"
        f"{_because(kind, stretches)}."
    )
    return Expiring(incident_id, kind.name, expires_at, sentence)


def _share(kind: Kind, started_at: datetime, ended_at: datetime, stretches: Sequence[Stretch]) -> float:
    """The part of the time that one of the kind's sources covers; of an incident that took no time, whether its moment is."""
    return max(_covered(source, started_at, ended_at, stretches) for source in kind.sources)


def _covered(source: str, started_at: datetime, ended_at: datetime, stretches: Sequence[Stretch]) -> float:
    parts = _read(source, stretches)
    if ended_at <= started_at:
        return float(any(since <= started_at < until for since, until in parts))
    covered, reached = timedelta(), started_at
    for since, until in parts:
        first, last = max(since, reached), min(until, ended_at)
        if first < last:
            covered, reached = covered + (last - first), last
    return covered / (ended_at - started_at)


def _read(source: str, stretches: Sequence[Stretch]) -> list[tuple[datetime, datetime]]:
    always = datetime.min  # noqa: DTZ901 - naive UTC
    return sorted((each.since or always, each.until) for each in stretches if each.source == source and each.until is not None)


def _first_gap(kind: Kind, started_at: datetime, stretches: Sequence[Stretch]) -> datetime:
    """The first moment of an incident's time that no source of the kind covers."""
    gaps = []
    for source in kind.sources:
        reached = started_at
        for since, until in _read(source, stretches):
            if since <= reached:
                reached = max(reached, until)
        gaps.append(reached)
    return max(gaps)


def _told(kind: Kind, share: float, started_at: datetime, stretches: Sequence[Stretch], at: datetime) -> str:
    what = _WORDS[kind.name]
    is_lost = kind.keeps_days is not None and _first_gap(kind, started_at, stretches) + timedelta(days=kind.keeps_days) <= at
    if share > 0:
        end = "the rest is lost" if is_lost else "the rest is not captured yet"
        return f"{what} {_are(kind)} known for {100 * share:.0f} % of the time; {end}{_because(kind, stretches)}."
    if is_lost:
        return f"{what} {_are(kind)} not known and lost: AWS keeps them for {kind.keeps_days} days{_because(kind, stretches)}."
    return f"{what} {_are(kind)} not known{_because(kind, stretches)}."


def _are(kind: Kind) -> str:
    return "is" if _WORDS[kind.name].startswith("What") else "are"


def _because(kind: Kind, stretches: Sequence[Stretch]) -> str:
    """What the last night said of the kind's first source that was not read whole, if it said anything."""
    for source in kind.sources:
        last = next((each for each in reversed(stretches) if each.source == source), None)
        if last is not None and last.status != "complete" and last.reason:
            return f" ({last.reason.rstrip('.')})"
    return ""
