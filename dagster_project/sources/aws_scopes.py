"""A region of an AWS account whose history is read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster_project.connections.aws.connection import Connection
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import CloudError
from dagster_project.sources.history import Incomplete, read_each, slices

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """One region of one account, and the connection to it."""

    account_id: str
    region: str
    connection: Connection

    @property
    def place(self) -> str:
        """As it is named in ids and messages."""
        return f"{self.account_id}/{self.region}"

    def source(self, kind: str) -> str:
        """What the load ledger calls a reading of it, which names files too."""
        return f"{kind}.{self.account_id}.{self.region}"


@contextmanager
def understood(thing: str) -> Iterator[None]:
    """Raises ``CloudError`` where an answer about ``thing`` is not as AWS describes it: it must not stop what else is read."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CloudError(f"AWS's answer about {thing} is not as it describes it ({type(error).__name__}).") from None


def read_scopes(scopes: Iterable[Scope], read: Callable[[Scope], Iterator[Event]]) -> Iterator[Event]:
    """The events of every scope, as ``read_each``; what was opened for a scope is closed after it."""

    def one(scope: Scope) -> Iterator[Event]:
        try:
            yield from read(scope)
        finally:
            scope.connection.close()

    return read_each(scopes, one)


def read_pages(
    stretch: tuple[datetime, datetime],
    step: timedelta,
    pages: Callable[[datetime, datetime], Iterator[Json]],
    most: int,
    unread: str,
) -> Iterator[tuple[Json, datetime, datetime]]:
    """The pages of a stretch of naive UTC and the part of it that each is of, the oldest part first, as AWS lists the newest
    first. A part ends with a page without ``NextToken``.

    Raises ``Incomplete`` after ``most`` pages; ``unread`` is its sentence, up to since when not all is read.
    """
    for start, end in slices(*stretch, step):
        more = True
        for page in itertools.islice(pages(start, end), most):
            most -= 1
            yield page, start, end
            more = bool(page.get("NextToken"))
        if more:
            raise Incomplete(f"{unread} since {start:%Y-%m-%d %H:%M} UTC are read yet.", start)


def known_of(names: Iterable[str], services: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The first of some names whose service is known, and that service; ``services`` maps resources and services to services."""
    for name in names:
        if name in services:
            return name, services[name]
    return None, None
