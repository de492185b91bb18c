"""What sources that keep a history share: how a stretch of it is read, and what is said where not all of it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dagster_project.domain.incidents.events import Event
from dagster_project.errors import NightshiftError

_T = TypeVar("_T")


_NEVER = datetime.max  # noqa: DTZ901 - naive UTC


class Incomplete(NightshiftError):
    """A part of a stretch was not read. From ``read_since`` (None: its begin) to ``read_until`` (naive UTC) everything was; what
    comes after is read by the next night, what lies before once the source can be read whole."""

    def __init__(self, message: str, read_until: datetime, read_since: datetime | None = None) -> None:
        super().__init__(message)
        self.read_until = read_until
        self.read_since = read_since


class NothingToRead(NightshiftError):
    """A source can be reached, and there is no place in it that it could be asked for."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A place of which all that there is between two moments (naive UTC, the second excluded) was listed: ``ids``.

    ``first_at``: when the first thing happened that the list still held, even if only its trace; None where it held nothing. What
    was captured since then and is not among the ids was deleted; what is older the source may merely keep no longer.
    """

    place: str
    since: datetime
    until: datetime
    ids: frozenset[str]
    first_at: datetime | None = None


def slices(since: datetime, until: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """A stretch in parts, the oldest first, so that what was read can be said by one moment."""
    while since < until:
        end = min(since + step, until)
        yield since, end
        since = end


def read_each(parts: Iterable[_T], read: Callable[[_T], Iterator[Event]]) -> Iterator[Event]:
    """The events of every part; one that fails does not keep the others from being read.

    Raises afterwards the first failure where every part failed, and else ``Incomplete`` with what all have to say.
    """
    failures: list[NightshiftError] = []
    cuts: list[Incomplete] = []
    count = 0
    for count, part in enumerate(parts, start=1):  # noqa: B007 - how many there are
        try:
            yield from read(part)
        except Incomplete as cut:
            cuts.append(cut)
        except NightshiftError as error:
            failures.append(error)
    if failures and len(failures) == count:
        raise failures[0]
    # Of a part that failed nothing is sure to be read; the others go on all the same.
    cuts += [Incomplete(str(error), _NEVER, _NEVER) for error in failures]
    if cuts:
        told = " ".join(dict.fromkeys(map(str, cuts)))
        begins = [cut.read_since for cut in cuts if cut.read_since is not None]
        raise Incomplete(told, min(cut.read_until for cut in cuts), max(begins, default=None))


def utc(at: datetime) -> datetime:
    """A moment with a zone as naive UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)


def aware(at: datetime) -> datetime:
    """Naive UTC as a moment with its zone."""
    return at.replace(tzinfo=UTC)
