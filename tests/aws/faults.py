"""What goes wrong on purpose: answers that are lost, late or refusals, before or after the work was done."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.aws.wire import Refusal

BEFORE = frozenset(
    {
        "drop_before", "hang_before", "internal_error_before", "unavailable_before", "garbled", "throttled", "no_capacity",
        "denied", "expired",
    }
)  # fmt: skip
AFTER = frozenset({"drop_after", "hang_after", "internal_error_after", "unavailable_after"})
KINDS = BEFORE | AFTER | {"refused", "moved"}
SILENT = ("drop", "hang")
"""How kinds begin after which the client hears nothing."""


@dataclass(frozen=True)
class Fault:
    """A fault for an operation (``*`` for any): it lets ``after_skipping`` requests pass and then strikes ``times`` times.

    ``callback`` is what ``moved`` does right before the operation is worked on; it acts through ``World``, as requests of its
    own would wait. ``refused`` is any other refusal, with its ``status``, ``code`` and ``message``.
    """

    operation: str
    kind: str
    times: int = 1
    after_skipping: int = 0
    callback: Callable[[], object] | None = None
    code: str = ""
    message: str = ""
    status: int = 400

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
        assert (self.kind == "moved") == (self.callback is not None), "callback and moved belong together"
        assert (self.kind == "refused") == bool(self.code), "code and refused belong together"

    @property
    def is_after(self) -> bool:
        """Whether the work is done nevertheless."""
        return self.kind in AFTER


@dataclass(frozen=True)
class Fired:
    """A fault that struck."""

    kind: str
    operation: str


class Faults:
    """The faults that are still to come, and those that struck."""

    def __init__(self) -> None:
        self.fired: list[Fired] = []
        self._waiting: list[tuple[Fault, list[int]]] = []
        self._random: tuple[random.Random, float, list[str]] | None = None

    def add(self, *faults: Fault) -> None:
        self._waiting += [(fault, [fault.after_skipping, fault.times]) for fault in faults]

    def random(self, generator: random.Random, rate: float, kinds: Sequence[str]) -> None:
        """Strikes any request at a rate with one of some kinds."""
        assert set(kinds) <= BEFORE | AFTER, kinds
        self._random = (generator, rate, sorted(kinds))

    def clear(self) -> None:
        """Nothing goes wrong from now on; what struck stays noted."""
        self._waiting.clear()
        self._random = None

    def pick(self, operation: str) -> Fault | None:
        """The fault of a request: the first that was added and is due."""
        fault = self._due(operation)
        if fault is None and self._random:
            generator, rate, kinds = self._random
            if generator.random() < rate:
                fault = Fault("*", generator.choice(kinds))
        if fault:
            self.fired.append(Fired(fault.kind, operation))
        return fault

    def _due(self, operation: str) -> Fault | None:
        due = None
        for fault, counts in self._waiting:
            if fault.operation not in ("*", operation) or not counts[1]:
                continue
            if counts[0]:
                counts[0] -= 1
            elif due is None:
                counts[1] -= 1
                due = fault
        return due


def refusal(fault: Fault, service: str) -> Refusal:
    """What AWS says where a fault strikes. EC2 has codes of its own."""
    is_ec2 = service == "ec2"
    if fault.kind.startswith("internal_error"):
        return Refusal(500, "InternalError" if is_ec2 else "InternalFailure", "An internal error has occurred")
    if fault.kind.startswith("unavailable"):
        return Refusal(503, "Unavailable" if is_ec2 else "ServiceUnavailable", "The service is unavailable. Please try again")
    if fault.kind == "throttled":
        return (
            Refusal(503, "RequestLimitExceeded", "Request limit exceeded.")
            if is_ec2
            else Refusal(400, "Throttling", "Rate exceeded")
        )
    if fault.kind == "no_capacity":
        return no_capacity(service, "the requested")
    if fault.kind == "expired":
        if is_ec2:
            return Refusal(400, "RequestExpired", "Request has expired.")
        return Refusal(403, "ExpiredToken", "The security token included in the request is expired")
    if fault.kind == "denied":
        if is_ec2:
            return Refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation.")
        return Refusal(403, "AccessDenied", f"User is not authorized to perform: {service}:{fault.operation}")
    return Refusal(fault.status, fault.code, fault.message)


def no_capacity(service: str, size: str) -> Refusal:
    """What AWS says where it has none of a size; EC2 says so as if it had failed."""
    if service == "rds":
        return Refusal(400, "InsufficientDBInstanceCapacity", f"{size} is not available in the Availability Zones.")
    return Refusal(
        500, "InsufficientInstanceCapacity", f"We currently do not have sufficient {size} capacity in the Availability Zone."
    )
