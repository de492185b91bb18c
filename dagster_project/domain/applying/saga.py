"""What every saga is made of: what it may do next, and what it remembers.

A saga is a pure function of what is seen of the cloud *now* and of a few things that were written down before they were needed.
It never counts on a call having been made: a run that was killed between a call and its note looks again, and goes on from what
it sees. Two directions: forward to the approved value, or undo back to the one before. Both end where everything is as it should
be: ``applied`` or ``original``; ``stuck`` means that a person must look, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

FORWARD, UNDO = "forward", "undo"
RUNNING, APPLIED, ORIGINAL, STUCK = "running", "applied", "original", "stuck"

MACHINE, GROUP_SIZE, GROUP_TYPE, DATABASE = "machine", "group_size", "group_type", "database"
KINDS: dict[tuple[str, str], str] = {
    ("ec2_instance", "instance_type"): MACHINE,
    ("autoscaling_group", "min_size"): GROUP_SIZE,
    ("autoscaling_group", "instance_type"): GROUP_TYPE,
    ("rds_instance", "instance_class"): DATABASE,
}
"""Resource type and attribute → the saga that changes it."""

Memory = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saga:
    """An approved change of one resource on its way. ``memory`` holds what was seen when it began and what it made since, as JSON
    values; ``members`` is how many of the fleet it touches at a time."""

    execution_id: str
    request_id: str
    revision: int
    resource_id: str
    kind: str
    account_id: str | None
    region: str | None
    service: str
    environment: str | None
    before: str
    after: str
    begun_at: datetime
    touched_at: datetime
    members: int
    state: str = RUNNING
    direction: str = FORWARD
    memory: Memory = field(default_factory=dict)
    reason: str | None = None
    turned_at: datetime | None = None
    ended_at: datetime | None = None

    def remembering(self, **facts: Any) -> Saga:
        """The same saga with more in its memory."""
        return replace(self, memory={**self.memory, **facts})


@dataclass(frozen=True, slots=True)
class Act:
    """A call of the cloud by its name in ``Cloud``. ``result`` is under which name its answer is remembered; ``remember`` is
    written down before the call. ``touches`` says that it takes members out of service: the gates are asked again before it."""

    call: str
    arguments: tuple[Any, ...]
    result: str | None = None
    remember: Memory = field(default_factory=dict)
    touches: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done but to look again. ``is_there`` says that the approved value is there already, and only its health is
    not known: going back would be another change."""

    why: str
    is_there: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """It cannot go forward: it goes back from here."""

    why: str


@dataclass(frozen=True, slots=True)
class End:
    """It is over: applied, original or stuck."""

    state: str
    why: str


Next = Act | Wait | Turn | End
