"""Which function answers which operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.aws.wire import Json

if TYPE_CHECKING:
    from tests.aws.hub import Hub


@dataclass
class Call:
    """One request, as a handler sees it. ``is_change`` is for it to set where it changed something."""

    hub: Hub
    parameters: Json
    is_change: bool = False

    def takes(self, *names: str) -> None:
        """The parameters that the handler knows; a request with another one is a mistake of the test or of this server."""
        if unknown := sorted(set(self.parameters) - set(names)):
            raise NotImplementedError(f"{', '.join(unknown)}")


Handler = Callable[[Call], Json]
HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(service: str, operation: str) -> Callable[[Handler], Handler]:
    """Registers a handler."""

    def register(handler: Handler) -> Handler:
        HANDLERS[service, operation] = handler
        return handler

    return register
