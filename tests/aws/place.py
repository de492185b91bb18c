"""One region of one account: what is there."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.aws import databases, groups, history, machines, refreshes, templates
from tests.aws.backend import Backend
from tests.aws.dials import Dials

State = TypeVar("State")


class Kept:
    """Holds what modules keep, each as an object of a class of its own."""

    def __init__(self) -> None:
        self._kept: dict[type[Any], Any] = {}

    def of(self, kind: type[State]) -> State:
        """The object of a class that takes no arguments; it is made when it is first asked for."""
        if kind not in self._kept:
            self._kept[kind] = kind()
        found: State = self._kept[kind]
        return found


class Place(Kept):
    """A region of an account. It is made when it is first asked for."""

    def __init__(self, account: str, region: str, dials: Dials) -> None:
        super().__init__()
        self.account, self.region, self.dials = account, region, dials
        self.backend = Backend(account, region)
        self.machines = machines.Machines(self.backend, dials)
        self.templates = templates.Templates(self.backend)
        self.groups = groups.Groups(self.backend, dials, self.templates)
        self.refreshes = refreshes.Refreshes(self.groups, dials)
        self.databases = databases.Databases(self.backend, dials)
        self.history = history.History(account, region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
