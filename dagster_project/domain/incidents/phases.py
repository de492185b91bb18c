"""When each phase began: candidates from the record and from evidence, ranked with reasons. A person's pick comes first.

What is only likely (a word in a message, a deployment shortly before) is listed and never chosen: an unknown phase stays
unknown, because metrics are made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.model import PHASES, Incident, Moment

CAUSED_BY = "caused_by_change"
"""The change that an incident came from; no phase of ``PHASES``, but found and picked in the same way."""
NAMED = (*PHASES, CAUSED_BY)

LEAST_CONFIDENCE = 0.7
"""From here on evidence is chosen for a phase that no record states."""

_DOUBT = 0.3
_UNSURE = 0.6
_ENDS = ("impact_ended", "resolved", "closed")
_CAUSE_WITHIN = timedelta(hours=1)
_DECLARED = r"\b(declar(?:ed|ing)|opened) (?:this |it )?(?:as )?(?:an? )?(?:incident|outage|sev|p[0-4])|incident declared"
_MITIGATED = r"\b(mitigated|recovering|recovery begins|partial recovery|errors? (?:are |is )?(?:dropping|going down))\b"
_SAID = {
    "declared": (re.compile(_DECLARED, re.IGNORECASE), 0.6),
    "identified": (re.compile(r"\b(root cause|culprit|identified|found (?:it|the cause))\b", re.IGNORECASE), 0.5),
    "mitigated": (re.compile(_MITIGATED, re.IGNORECASE), 0.5),
    "resolved": (re.compile(r"\b(resolved|all clear|full(?:y)? recover(?:y|ed)|back to normal)\b", re.IGNORECASE), 0.55),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A phase with its candidates, best first. ``chosen`` is the first of them, or None where none is sure enough."""

    phase: str
    candidates: tuple[Moment, ...]
    chosen: Moment | None


def choose_phases(
    incident: Incident, picks: Mapping[str, Moment], events: Sequence[Event], measured: Iterable[tuple[str, Moment]] = ()
) -> tuple[Choice, ...]:
    """Every phase that has a candidate, in the order of ``PHASES``.

    ``events`` are the incident's, by time; ``measured`` are candidates that others computed, from service levels or utilization.
    """
    found: dict[str, list[Moment]] = {phase: [] for phase in NAMED}
    for phase, moment in _stated(incident):
        found[phase].append(moment)
    for phase, moment in (*measured, *_seen(incident, events)):
        # While an incident goes on, evidence alone does not end it: what went back may come again.
        is_early = phase in _ENDS and incident.is_open
        found[phase].append(replace(moment, confidence=min(moment.confidence, _UNSURE)) if is_early else moment)
    return tuple(
        _choice(phase, picks.get(phase), candidates) for phase, candidates in found.items() if candidates or phase in picks
    )


def _choice(phase: str, pick: Moment | None, candidates: list[Moment]) -> Choice:
    ranked = sorted(candidates, key=lambda each: (-each.confidence, each.at, each.source, each.evidence))
    ordered = tuple(dict.fromkeys([*([pick] if pick is not None else []), *_distinct(ranked)]))
    is_sure = bool(ordered) and (pick is not None or ordered[0].confidence >= LEAST_CONFIDENCE)
    return Choice(phase, ordered, ordered[0] if is_sure else None)


def _distinct(ranked: Iterable[Moment]) -> Iterator[Moment]:
    """The best candidate of each source and method: a hundred messages are not a hundred opinions."""
    seen: set[tuple[str, str]] = set()
    for moment in ranked:
        key = (moment.source, moment.method)
        if key not in seen:
            seen.add(key)
            yield moment


def _stated(incident: Incident) -> Iterator[tuple[str, Moment]]:
    yield from incident.phases.items()
    starts = [window.started_at for window in incident.windows]
    if starts and "impact_started" not in incident.phases:
        yield "impact_started", _of_windows(incident, min(starts))
    ends = [window.ended_at for window in incident.windows]
    if ends and None not in ends and "impact_ended" not in incident.phases:
        yield "impact_ended", _of_windows(incident, max(end for end in ends if end is not None))


def _of_windows(incident: Incident, at: datetime) -> Moment:
    source = incident.windows[0].source
    return Moment(at, "minute", source, "impact_window", 0.95, reason="The published impact window says so.")


def _seen(incident: Incident, events: Sequence[Event]) -> Iterator[tuple[str, Moment]]:
    standing = [event for event in events if not event.is_deleted]
    yield from _of_alarms(incident, standing)
    yield from _of_engine(incident, standing)
    yield from _of_people(incident, standing)
    yield from _of_changes(incident, standing)


def _of_alarms(incident: Incident, events: Sequence[Event]) -> Iterator[tuple[str, Moment]]:
    alarms = [event for event in events if event.lane == "alarms"]
    raised = [event for event in alarms if event.kind == "alarm"]
    if not raised:
        return
    during = [event for event in raised if _is_during(incident, event, alarms)]
    # What was over before it began, or came when it was over, is told and not believed.
    first, doubt = (during[0], 0.0) if during else (raised[0], _DOUBT)
    yield "detected", _moment(first, "first_alarm", 0.85 - doubt, f"The first alarm went off: {_short(first)}")
    begun = [(breach, event) for event in during or raised if (breach := breach_of(event)) is not None]
    if begun:
        at, event = min(begun, key=lambda pair: (pair[0], pair[1].source_event_id))
        reason = "The breach that raised the alarm began then, by its own data."
        yield "impact_started", _moment(event, "breach_start", 0.8 - doubt, reason, at=at)
    # An alarm that came back was not over.
    quiet = [event for event in alarms if event.kind == "alarm_ok" and event.occurred_at >= raised[-1].occurred_at]
    if quiet:
        last = quiet[-1]
        yield "impact_ended", _moment(last, "last_alarm_ok", 0.65, f"The last alarm went back to normal: {_short(last)}")


def _is_during(incident: Incident, event: Event, alarms: Sequence[Event]) -> bool:
    """Whether an alarm was on while the incident lasted, as far as that is on record."""
    if event.incident_id == incident.incident_id:
        return True
    name, began = event.payload.get("alarm_name"), _began(incident)
    cleared = next(
        (
            each.occurred_at
            for each in alarms
            if each.kind == "alarm_ok" and each.occurred_at >= event.occurred_at and each.payload.get("alarm_name") == name
        ),
        None,
    )
    over = min(
        (at for phase in ("mitigated", "impact_ended", "resolved") if (at := incident.at(phase)) is not None), default=None
    )
    is_before = began is not None and cleared is not None and cleared < began
    return not is_before and (over is None or event.occurred_at <= over)


def breach_of(event: Event) -> datetime | None:
    """When the breach of an alarm began by its state reason data; None where it does not say."""
    text = event.payload.get("breach_started_at")
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def _of_engine(incident: Incident, events: Sequence[Event]) -> Iterator[tuple[str, Moment]]:
    decided = [event for event in events if event.lane == "engine" and not event.payload.get("is_dry_run")]
    tagged = [event for event in decided if event.incident_id == incident.incident_id] or decided
    if tagged:
        first = tagged[0]
        seen = first.payload.get("event_at")
        if seen:
            at = datetime.fromisoformat(str(seen)).replace(tzinfo=None)
            yield (
                "impact_started",
                _moment(first, "first_condition", 0.6, f"The decision engine saw the condition: {_short(first)}", at=at),
            )
        yield "detected", _moment(first, "first_decision", 0.75, f"The decision engine evaluated it: {_short(first)}")
    helped = [
        event
        for event in tagged
        if event.payload.get("outcome") == "succeeded" and event.payload.get("action_type") not in ("notify", "no_action")
    ]
    if helped:
        yield (
            "mitigated",
            _moment(helped[-1], "last_action", 0.5, f"The engine's last action that succeeded: {_short(helped[-1])}"),
        )


def _of_people(incident: Incident, events: Sequence[Event]) -> Iterator[tuple[str, Moment]]:
    said = [event for event in events if event.lane == "people"]
    people = [event for event in said if event.actor and event.payload.get("is_bot") is not True]
    if people:
        first = people[0]
        yield "acknowledged", _moment(first, "first_message", 0.6, "The first message of a person in the incident's channel.")
    for phase, (pattern, confidence) in _SAID.items():
        # What ends is said last, what begins is said first.
        ordered = reversed(said) if phase in ("resolved",) else iter(said)
        spoken = next((event for event in ordered if pattern.search(event.text)), None)
        if spoken is not None:
            bonus = 0.1 if spoken.payload.get("is_pinned") else 0.0
            yield phase, _moment(spoken, "said", confidence + bonus, f"Somebody wrote: {_short(spoken)}")


def _of_changes(incident: Incident, events: Sequence[Event]) -> Iterator[tuple[str, Moment]]:
    """The last change of the incident's own service before it began; surer where that change was taken back."""
    began = _began(incident)
    if began is None:
        return
    changes = [event for event in events if event.lane == "changes" and event.kind != "rollback" and _is_own(incident, event)]
    before = [event for event in changes if began - _CAUSE_WITHIN <= event.occurred_at <= began]
    if not before:
        return
    last = before[-1]
    undone = [event for event in events if _undoes(event, last)]
    minutes = round((began - last.occurred_at).total_seconds() / 60)
    if undone:
        reason = f"It came {minutes} min before, and was taken back: {_short(undone[0])}"
        yield CAUSED_BY, _moment(last, "rolled_back", 0.75, reason)
    else:
        yield CAUSED_BY, _moment(last, "preceded", 0.4, f"It came {minutes} min before; nothing shows that it was the cause.")


def _undoes(event: Event, change: Event) -> bool:
    is_rollback = event.kind == "rollback" or event.payload.get("action_type") == "rollback"
    worked = event.payload.get("outcome") in (None, "succeeded")
    return is_rollback and worked and event.occurred_at > change.occurred_at and event.service == change.service


def _is_own(incident: Incident, event: Event) -> bool:
    return event.service is not None and event.service in {incident.service, *incident.services}


def _began(incident: Incident) -> datetime | None:
    return next((at for phase in PHASES if (at := incident.at(phase)) is not None), None)


def _moment(event: Event, method: str, confidence: float, reason: str, *, at: datetime | None = None) -> Moment:
    evidence = (f"{event.source}:{event.source_event_id}",)
    return Moment(at or event.occurred_at, event.precision, event.source, method, confidence, evidence, event.zone, reason)


def _short(event: Event) -> str:
    text = " ".join(event.text.split())
    return text if len(text) <= 120 else text[:119] + "…"
