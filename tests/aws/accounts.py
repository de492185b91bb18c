"""Accounts: which regions each has enabled, and what may be done in it."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.aws import refusals
from tests.aws.backend import REGION
from tests.aws.regions import WITHOUT_OPT_IN
from tests.aws.routing import Call

if TYPE_CHECKING:
    from tests.aws.hub import Hub
    from tests.aws.world import World

_NEEDS_NO_RIGHT = "sts:GetCallerIdentity"


class Accounts:
    """What a test says of accounts. One that nothing is said of has the regions that need no opt-in, and all rights."""

    def __init__(self) -> None:
        self._regions: dict[str | None, frozenset[str]] = {}
        self._allowed: dict[str | None, frozenset[str]] = {}

    def regions_of(self, account: str) -> frozenset[str]:
        """The regions that an account has enabled."""
        return self._regions.get(account, self._regions.get(None, frozenset(WITHOUT_OPT_IN)))

    def enable(self, account: str | None, regions: Collection[str]) -> None:
        """The only regions that an account has; None: that each account has of which nothing else is said."""
        self._regions[account] = frozenset(regions)

    def allow(self, account: str | None, actions: Collection[str]) -> None:
        """The only actions that may be done in an account, as IAM names them, with ``*`` and ``?``; None: as ``enable``."""
        self._allowed[account] = frozenset(actions)

    def check(self, call: Call, permissions: Collection[str], who: str) -> None:
        """Raises ``Refusal`` where a right is missing."""
        allowed = self._allowed.get(call.place.account, self._allowed.get(None))
        if allowed is None:
            return
        for action in permissions:
            if action != _NEEDS_NO_RIGHT and not any(fnmatch.fnmatchcase(action, each) for each in allowed):
                raise refusals.denied(call.asked.service, action, f"User: {who}")


@dataclass(frozen=True)
class AccountHandle:
    """An account that a test made, and the role by which it is read."""

    hub: Hub
    id: str
    role_arn: str
    external_id: str | None

    def world(self, region: str = REGION) -> World:
        """What is in a region of it."""
        from tests.aws.world import World

        return World(self.hub, self.id, region)

    def enable(self, *regions: str) -> None:
        """The only regions that the account has from now on."""
        with self.hub.lock:
            self.hub.accounts.enable(self.id, regions)

    def allow(self, actions: Collection[str]) -> None:
        """The only actions that its role may do from now on."""
        with self.hub.lock:
            self.hub.accounts.allow(self.id, actions)
