"""What a saga sees of a cloud and asks of it. AWS is one cloud, the demo's is another; both are behind the same protocol.

Every call that changes something may be made twice: a run that was cut off asks again for what it may have asked already. What
is seen decides, never what is remembered of calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

RUNNING, STOPPED, STOPPING, PENDING = "running", "stopped", "stopping", "pending"
"""States of a machine; any other one (terminated, shutting-down) is the end of it."""

AVAILABLE = "available"
"""The state of a database that is not being worked on."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One EC2 instance. ``is_healthy``: both status checks passed (True), one failed (False), or they are not known yet (None).
    ``group`` is its Auto Scaling group, ``is_spot`` whether its capacity may be taken away."""

    resource_id: str
    instance_type: str
    state: str
    is_healthy: bool | None
    group: str | None = None
    is_spot: bool = False


@dataclass(frozen=True, slots=True)
class Refresh:
    """An instance refresh. ``status`` as AWS names it: Pending, InProgress, Successful, Failed, Cancelling, Cancelled,
    RollbackInProgress, RollbackFailed, RollbackSuccessful, Baking."""

    refresh_id: str
    status: str
    reason: str | None = None

    @property
    def is_under_way(self) -> bool:
        return self.status in ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")


@dataclass(frozen=True, slots=True)
class Group:
    """One Auto Scaling group with its launch template. ``members`` are the instance types of its members in service, each with
    how many there are; ``healthy`` is how many members are in service and healthy. ``template_id`` is None where it has no launch
    template of its own (a launch configuration, or a mixed-instances policy); ``refresh`` is its newest one.
    ``template_follows`` is ``$Latest`` or ``$Default`` where the group follows that instead of a version."""

    name: str
    min_size: int
    max_size: int
    desired: int
    healthy: int
    members: tuple[tuple[str, int], ...]
    template_id: str | None
    template_version: str | None
    template_type: str | None
    refresh: Refresh | None = None
    template_follows: str | None = None


@dataclass(frozen=True, slots=True)
class Database:
    """One RDS instance. ``pending_class`` is a class that AWS was asked for and has not brought in yet."""

    identifier: str
    instance_class: str
    status: str
    pending_class: str | None = None


class Cloud(Protocol):
    """One account and region. Raises ``CloudError`` where it does not answer, ``CapacityShortage`` where it has none of a size
    now, ``CloudRefused`` where it will not do what was asked, and ``AccessDenied`` where a right or credentials are missing."""

    def machine(self, resource_id: str) -> Machine | None:
        """The machine as it is now; None where there is none."""
        ...

    def stop(self, resource_id: str) -> None:
        """Stops a machine; one that stops or has stopped already stays so."""
        ...

    def start(self, resource_id: str) -> None:
        """Starts a machine; one that runs or starts already stays so."""
        ...

    def set_type(self, resource_id: str, instance_type: str) -> None:
        """Gives a stopped machine another type."""
        ...

    def group(self, name: str) -> Group | None:
        """The group as it is now; None where there is none."""
        ...

    def set_group_size(self, name: str, min_size: int, desired: int) -> None:
        """Sets the minimum and the number of members that a group keeps."""
        ...

    def add_template_version(self, template_id: str, source_version: str, instance_type: str, token: str) -> str:
        """A version of a launch template like ``source_version`` with another type; returns its number. The same ``token`` gives
        the same version."""
        ...

    def use_template(self, name: str, template_id: str, version: str) -> None:
        """Lets a group launch members from a version of a launch template; those that run stay as they are."""
        ...

    def start_refresh(self, name: str, min_healthy_pct: int, warmup_seconds: int) -> None:
        """Replaces a group's members by ones of its present template, keeping a share of them in service."""
        ...

    def cancel_refresh(self, name: str) -> None:
        """Stops a refresh that is under way; where there is none, nothing is done."""
        ...

    def database(self, identifier: str) -> Database | None:
        """The database as it is now; None where there is none."""
        ...

    def set_class(self, identifier: str, instance_class: str) -> None:
        """Gives a database another class, at once."""
        ...
