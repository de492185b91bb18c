"""What a pull request remembers of itself: the proposal as base64 JSON inside an HTML comment of its body.

Base64 cannot end the comment, whatever the names in it are. What cannot be read is None: the body is open to everybody who may
edit it, and a damaged payload must not stop a night.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from dagster_project.domain.proposals.model import KINDS, RISKS, SHRINK, Change, Evidence, Group, GroupKey, Item

_VERSION = 1
_ZERO = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A zero as JSON writes it: behind an even number of backslashes."""
_MARK = re.compile(r"<!-- nightshift:proposal ([A-Za-z0-9+/=]+) -->")


@dataclass(frozen=True, slots=True)
class Remembered:
    """One resource of a pull request, as it was proposed."""

    resource_id: str
    attribute: str
    before: str
    after: str
    savings_usd_month: float
    file: str
    line: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Payload:
    """A pull request's proposal. ``base_blobs`` are the Git ids of the edited files as they were on the base."""

    key: GroupKey
    base_sha: str
    base_blobs: tuple[tuple[str, str], ...]
    resources: tuple[Remembered, ...]

    @property
    def resource_ids(self) -> tuple[str, ...]:
        return tuple(each.resource_id for each in self.resources)

    @property
    def savings_usd_month(self) -> float:
        return sum(each.savings_usd_month for each in self.resources)


@dataclass(frozen=True, slots=True)
class _Stored(Payload):
    """A payload with the version of its form."""

    version: Literal[1]
    __pydantic_config__ = ConfigDict(extra="forbid")


_STORED = TypeAdapter(_Stored)


def payload_of(group: Group, base_sha: str, base_blobs: dict[str, str]) -> Payload:
    """The payload of a group whose files have these Git ids on the base."""
    resources = (_remembered(item, change) for item in group.items for change in item.changes)
    return Payload(group.key, base_sha, tuple(sorted(base_blobs.items())), tuple(resources))


def _remembered(item: Item, change: Change) -> Remembered:
    return Remembered(
        change.resource_id,
        change.attribute,
        change.before,
        change.after,
        round(change.savings_usd_month, 2),
        item.file,
        item.line,
        change.evidence,
    )


def to_json(payload: Payload) -> str:
    """The payload as text, the same for the same payload."""
    stored = {"version": _VERSION, **asdict(payload)}
    if payload.key.kind == SHRINK:
        # As it was written before there was another kind: what is open need not be written anew.
        del stored["key"]["kind"]
    return json.dumps(stored, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Payload | None:
    """The payload of a text; None where it is none of this version, or has a value of another type or that cannot be stored."""
    try:
        found = _STORED.validate_json(text, strict=True)
    except (ValidationError, ValueError):
        return None
    return (
        Payload(found.key, found.base_sha, found.base_blobs, found.resources)
        if found.key.risk in RISKS and found.key.kind in KINDS and _can_be_stored(found)
        else None
    )


def _can_be_stored(payload: _Stored) -> bool:
    """PostgreSQL takes no zero and no half of a character."""
    text = json.dumps(asdict(payload), ensure_ascii=False)
    return not _ZERO.search(text) and not any("\ud800" <= character <= "\udfff" for character in text)


def to_comment(payload: Payload) -> str:
    """The HTML comment that holds the payload."""
    return f"<!-- nightshift:proposal {base64.b64encode(to_json(payload).encode()).decode()} -->"


def from_body(body: str | None) -> Payload | None:
    """The payload of a body: the last one, because names come before it."""
    found = _MARK.findall(body or "")
    if not found:
        return None
    try:
        return from_json(base64.b64decode(found[-1], validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None
