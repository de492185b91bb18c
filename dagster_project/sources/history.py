"""What sources that keep a history share: how a stretch of it is read, and what is said where not all of it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dagster_project.domain.incidents.events import Event
from dagster_project.errors import NightshiftError

_T = TypeVar("_T")


class Incomplete(NightshiftError):
    """A part of a stretch was not read. Everything before ``read_until`` (naive UTC) was."""

    def __init__(self, message: str, read_until: datetime) -> None:
        super().__init__(message)
        self.read_until = read_until


@dataclass(frozen=True, slots=True)
class Listed:
    """A place of which all that there is between two moments (naive UTC, the second excluded) was listed: ``ids``. What was
    captured of it before and is not among them is gone."""

    place: str
    since: datetime
    until: datetime
    ids: frozenset[str]


def slices(since: datetime, until: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """A stretch in parts, the oldest first, so that what was read can be said by one moment."""
    while since < until:
        end = min(since + step, until)
        yield since, end
        since = end


def read_each(parts: Iterable[_T], read: Callable[[_T], Iterator[Event]]) -> Iterator[Event]:
    """The events of every part; one that fails does not keep the others from being read.

    Raises afterwards the first failure, or ``Incomplete`` where some were merely cut.
    """
    failures: list[NightshiftError] = []
    cuts: list[Incomplete] = []
    for part in parts:
        try:
            yield from read(part)
        except Incomplete as cut:
            cuts.append(cut)
        except NightshiftError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    if cuts:
        raise Incomplete(" ".join(map(str, cuts)), min(cut.read_until for cut in cuts))


def utc(at: datetime) -> datetime:
    """A moment with a zone as naive UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)


def aware(at: datetime) -> datetime:
    """Naive UTC as a moment with its zone."""
    return at.replace(tzinfo=UTC)
