"""The conversations of the demo's incidents as a chat workspace would hand them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np

from dagster_project.demo.conversations import PEOPLE, ROBOT, SCRIPTS
from dagster_project.demo.incidents import incidents
from dagster_project.demo.rows import moment
from dagster_project.domain.incidents.events import Event

_WORKSPACE = "https://example.slack.com/archives"
_LATER_VERSIONS = ("edit", "delete")


@dataclass(frozen=True, slots=True)
class _Options:
    """What stands in brackets before a text."""

    alarm: str | None = None
    is_pinned: bool = False
    reactions: Mapping[str, int] = field(default_factory=dict)


def messages(seed: int) -> Iterator[Event]:
    """Every version of every message, conversation by conversation; ids are ``channel/ts``."""
    service_of = {row["incident_id"]: row["service"] for row in incidents()}
    for incident_id, day, script in SCRIPTS:
        rng = np.random.default_rng([seed, 10, *incident_id.encode(), *day.encode()])
        latest: Event | None = None
        for line in script.strip().splitlines():
            if latest is not None and line.startswith(_LATER_VERSIONS):
                latest = _later(latest, day, line)
            else:
                latest = _message(rng, incident_id, service_of[incident_id], day, line)
            yield latest


def channel_of(incident_id: str) -> str:
    """The id of an incident's channel, such as C0A1B2C3D4E."""
    return f"C0{_digits(incident_id)}"


def _message(rng: np.random.Generator, incident_id: str, service: str, day: str, line: str) -> Event:
    clock, who, rest = line.split(" ", 2)
    options, text = _options(rest)
    # Six digits after the second tell the messages of a channel apart.
    at = moment(f"{day} {clock}") + timedelta(microseconds=int(rng.integers(1_000_000)))
    channel, ts = channel_of(incident_id), f"{at.replace(tzinfo=UTC).timestamp():.6f}"
    return Event(
        "slack", f"{channel}/{ts}", at, "people", "pinned" if options.is_pinned else "message", text, recorded_at=at,
        service=service, target=channel, actor=PEOPLE.get(who, who), url=f"{_WORKSPACE}/{channel}/p{ts.replace('.', '')}",
        incident_id=incident_id, payload=_payload(who, channel, options, at),
    )  # fmt: skip


def _payload(who: str, channel: str, options: _Options, at: datetime) -> dict[str, Any]:
    is_bot = who == ROBOT
    pinned_at = (at + timedelta(seconds=40)).replace(microsecond=0)
    told = {
        "user": f"{'B' if is_bot else 'U'}0{_digits(who)}", "is_bot": is_bot, "is_pinned": options.is_pinned,
        "pinned_at": pinned_at.isoformat() if options.is_pinned else None, "reactions": dict(options.reactions),
        "listed_in": channel,
    }  # fmt: skip
    return told if options.alarm is None else {**told, "alarm_name": options.alarm}


def _options(rest: str) -> tuple[_Options, str]:
    if not rest.startswith("["):
        return _Options(), rest
    head, _, text = rest[1:].partition("] ")
    words = head.split()
    alarm = next((word.removeprefix("alarm=") for word in words if word.startswith("alarm=")), None)
    reactions = (word[1:].split(":") for word in words if word.startswith("+"))
    return _Options(alarm, "pin" in words, {emoji: int(count) for emoji, count in reactions}), text


def _later(message: Event, day: str, line: str) -> Event:
    verb, clock, *text = line.split(" ", 2)
    return replace(
        message, version=message.version + 1, recorded_at=moment(f"{day} {clock}"), text="".join(text),
        is_deleted=verb == "delete",
    )  # fmt: skip


def _digits(name: str) -> str:
    return blake2b(name.encode(), digest_size=5).hexdigest()[:9].upper()
