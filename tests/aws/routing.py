"""Which function answers which operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.aws.wire import Asked, Json

if TYPE_CHECKING:
    from tests.aws.hub import Hub
    from tests.aws.place import Place


@dataclass
class Call:
    """One request, as a handler sees it: ``place`` is the region of the account that it is for. ``is_change`` is for the handler
    to set where it changed something."""

    hub: Hub
    place: Place
    asked: Asked
    is_change: bool = False

    @property
    def parameters(self) -> Json:
        return self.asked.parameters

    def takes(self, *names: str) -> None:
        """The parameters that the handler knows; a request with another one is a mistake of the test or of this server."""
        if unknown := sorted(set(self.parameters) - set(names)):
            raise NotImplementedError(f"{', '.join(unknown)}")

    def needs(self, *rights: str) -> None:
        """Rights that only some requests for the operation need. Raises ``Refusal`` where one is missing."""
        self.hub.accounts.check(self, rights, "User")


@dataclass(frozen=True)
class Route:
    """How an operation is answered. ``permissions`` are all the rights that it needs; where it ``is_parallel`` the handler takes
    the lock itself, for as long as it needs it."""

    handler: Callable[[Call], Json]
    permissions: tuple[str, ...]
    is_parallel: bool


Handler = Callable[[Call], Json]
ROUTES: dict[tuple[str, str], Route] = {}


def handles(service: str, operation: str, *also: str, is_parallel: bool = False) -> Callable[[Handler], Handler]:
    """Registers a handler; ``also`` are rights beyond the one of its name. The service is known from then on: any that botocore
    has a model of and that speaks EC2's or the query protocol, JSON or REST with JSON."""

    def register(handler: Handler) -> Handler:
        ROUTES[service, operation] = Route(handler, (f"{service}:{operation}", *also), is_parallel)
        return handler

    return register


def services() -> frozenset[str]:
    """The services that something is known of."""
    return frozenset(service for service, _ in ROUTES)
