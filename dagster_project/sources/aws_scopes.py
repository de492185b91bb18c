"""A region of an AWS account whose history is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dagster_project.connections.aws.connection import Connection
from dagster_project.domain.incidents.events import Event
from dagster_project.sources.history import read_each


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


def read_scopes(scopes: Iterable[Scope], read: Callable[[Scope], Iterator[Event]]) -> Iterator[Event]:
    """The events of every scope, as ``read_each``; what was opened for a scope is closed after it."""

    def one(scope: Scope) -> Iterator[Event]:
        try:
            yield from read(scope)
        finally:
            scope.connection.close()

    return read_each(scopes, one)


def known_of(names: Iterable[str], services: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The first of some names whose service is known, and that service; ``services`` maps resources and services to services."""
    for name in names:
        if name in services:
            return name, services[name]
    return None, None
