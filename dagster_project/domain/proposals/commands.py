"""What people tell Nightshift in comments: lines that begin with ``/nightshift``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt

SNOOZE, REJECT, UNREJECT, REBUILD = "snooze", "reject", "unreject", "rebuild"
ALL = "all"
USAGE = (
    "`/nightshift snooze 30d reason`, `/nightshift reject RESOURCE reason` (or `reject all reason`), "
    "`/nightshift unreject RESOURCE` or `/nightshift rebuild`"
)
_NAME = "/nightshift"
_MARKDOWN = MarkdownIt("commonmark").disable(["heading", "lheading"])
_DURATION = re.compile(r"(\d{1,4})([dw])", re.IGNORECASE)
_SHA = re.compile(r"[0-9a-f]{7,40}", re.IGNORECASE)
_LONGEST_DAYS = 730


@dataclass(frozen=True, slots=True)
class Command:
    """One understood command. ``resource_ids`` is empty where it is about everything that it was said under; ``sha`` begins the
    id of a commit that may be replaced."""

    name: str
    resource_ids: tuple[str, ...] = ()
    days: int | None = None
    reason: str = ""
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """A line that begins like a command; ``why`` is a sentence for its author."""

    why: str


def parse(text: str, resource_ids: Sequence[str]) -> list[Command | Misunderstood]:
    """The commands of a comment: lines of its paragraphs. Quotes, lists and code are no commands. ``resource_ids`` are what the
    comment's place is about: a command names one of them, or where there are none (a dashboard) any resource."""
    paragraphs = [token.content for token in _MARKDOWN.parse(text) if token.type == "inline" and token.level == 1]
    lines = (line.split() for words in paragraphs for line in words.splitlines())
    return [_command(words[1:], resource_ids) for words in lines if words and words[0] == _NAME]


def _command(words: list[str], resource_ids: Sequence[str]) -> Command | Misunderstood:
    name, *rest = [words[0].lower(), *words[1:]] if words else [""]
    if name == SNOOZE:
        return _snooze(rest, resource_ids)
    if name == REJECT:
        return _reject(rest, resource_ids)
    if name == UNREJECT:
        return (
            Command(UNREJECT, (rest[0],))
            if len(rest) == 1
            else Misunderstood("Name one resource: `/nightshift unreject RESOURCE`.")
        )
    if name == REBUILD:
        return _rebuild(rest, resource_ids)
    return Misunderstood(f"That is none of {USAGE}.")


def _rebuild(words: list[str], resource_ids: Sequence[str]) -> Command | Misunderstood:
    if not resource_ids:
        return Misunderstood("`rebuild` is said on a pull request.")
    if words and not (len(words) == 1 and _SHA.fullmatch(words[0])):
        return Misunderstood("`rebuild` takes nothing, or the id of the commit that may be replaced.")
    return Command(REBUILD, sha=words[0].lower() if words else "")


def _snooze(words: list[str], resource_ids: Sequence[str]) -> Command | Misunderstood:
    named: tuple[str, ...] = ()
    if words and not _DURATION.fullmatch(words[0]):
        named, words = (words[0],), words[1:]
    if named and resource_ids and named[0] not in resource_ids:
        return Misunderstood(
            "Name a number of days or weeks, or a resource of this pull request: `/nightshift snooze 30d reason`."
        )
    if not named and not resource_ids:
        return Misunderstood("Name a resource: `/nightshift snooze RESOURCE 30d reason`.")
    found = _DURATION.fullmatch(words[0]) if words else None
    days = int(found.group(1)) * (7 if found.group(2).lower() == "w" else 1) if found else 0
    if not 1 <= days <= _LONGEST_DAYS:
        return Misunderstood(f"Say for how long, 1d to {_LONGEST_DAYS}d: `/nightshift snooze 30d reason`.")
    return Command(SNOOZE, named, days, " ".join(words[1:]))


def _reject(words: list[str], resource_ids: Sequence[str]) -> Command | Misunderstood:
    if not words:
        return Misunderstood("Name a resource and a reason: `/nightshift reject RESOURCE reason`.")
    named, reason = words[0], " ".join(words[1:])
    if not reason:
        return Misunderstood("Give a reason, so that nobody has to ask again: `/nightshift reject RESOURCE reason`.")
    if named.lower() == ALL:
        if not resource_ids:
            return Misunderstood("Name one resource: `/nightshift reject RESOURCE reason`.")
        return Command(REJECT, (), None, reason)
    if resource_ids and named not in resource_ids:
        return Misunderstood("This pull request has no such resource; name one of its own, or `all`.")
    return Command(REJECT, (named,), None, reason)
