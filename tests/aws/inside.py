"""A region of an account from within: what a test does there is not in the log, and no time passes."""

from __future__ import annotations

from typing import Any

from tests.aws.hub import Hub
from tests.aws.place import Place, State
from tests.aws.wire import Json

IMAGE = "ami-0123456789abcdef0"


class Inside:
    """What the parts of ``World`` share."""

    def __init__(self, hub: Hub, account: str, region: str) -> None:
        self._hub, self.account, self.region = hub, account, region

    @property
    def zone(self) -> str:
        """The availability zone that things are in of which nothing else is said."""
        return f"{self.region}a"

    def of(self, kind: type[State]) -> State:
        """What a module keeps of this region of this account."""
        with self._hub.lock:
            return self._place.of(kind)

    @property
    def _place(self) -> Place:
        return self._hub.place(self.account, self.region)

    def _call(self, service: str, operation: str, **parameters: Any) -> Json:
        with self._hub.lock:
            return self._place.backend.call(service, operation, **parameters)
