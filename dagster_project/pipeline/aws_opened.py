"""What a run has found out about the accounts that it reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.connections.aws.connection import Connection
from dagster_project.sources.aws_scopes import Scope


@dataclass(frozen=True, slots=True)
class Unread:
    """A region that is not read, or, without one, an account of which nobody knows which regions it has."""

    account_id: str
    region: str | None
    reason: str

    def source(self, kind: str) -> str:
        """What the load ledger calls it."""
        return f"{kind}.{self.account_id}.{self.region or 'regions'}"


@dataclass(frozen=True, slots=True)
class Scopes:
    """What is read, and what cannot be."""

    live: tuple[Scope, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(slots=True)
class Opened:
    """What a run has found out about its accounts, and by account the connection whose sign-in the others share."""

    accounts: dict[str, Connection] = field(default_factory=dict)
    scopes: Scopes | None = None
