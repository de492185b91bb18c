"""What goes wrong on purpose: answers that are lost, late or refusals, before or after the work was done."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tests.aws import refusals
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
class Where:
    """What a request is: ``account`` is empty where nobody who is known signed it."""

    service: str
    operation: str
    account: str
    region: str


@dataclass(frozen=True)
class Fault:
    """A fault for an operation (``*`` for any): it lets ``after_skipping`` requests pass and then strikes ``times`` times.

    ``callback`` is what ``moved`` does right before the operation is worked on; it acts through ``World``, as requests of its
    own would wait. ``refused`` is any other refusal, with its ``status``, ``code`` and ``message``. With an ``account``, a
    ``region`` or a ``service`` it is for requests to that one only.
    """

    operation: str
    kind: str
    times: int = 1
    after_skipping: int = 0
    callback: Callable[[], object] | None = None
    code: str = ""
    message: str = ""
    status: int = 400
    account: str | None = None
    region: str | None = None
    service: str | None = None

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
        assert (self.kind == "moved") == (self.callback is not None), "callback and moved belong together"
        assert (self.kind == "refused") == bool(self.code), "code and refused belong together"

    @property
    def is_after(self) -> bool:
        """Whether the work is done nevertheless."""
        return self.kind in AFTER

    def is_for(self, where: Where) -> bool:
        """Whether it may strike such a request."""
        wanted = ((self.account, where.account), (self.region, where.region), (self.service, where.service))
        return self.operation in ("*", where.operation) and all(each in (None, there) for each, there in wanted)


@dataclass(frozen=True)
class Fired:
    """A fault that struck."""

    kind: str
    operation: str
    account: str = ""
    region: str = ""


class Faults:
    """The faults that are still to come, and those that struck."""

    def __init__(self) -> None:
        self.fired: list[Fired] = []
        self._waiting: list[tuple[Fault, list[int]]] = []
        self._random: tuple[random.Random, float, list[str], frozenset[str] | None] | None = None

    def add(self, *faults: Fault) -> None:
        self._waiting += [(fault, [fault.after_skipping, fault.times]) for fault in faults]

    def random(
        self, generator: random.Random, rate: float, kinds: Sequence[str], operations: Collection[str] | None = None
    ) -> None:
        """Strikes any request, or any for some ``operations``, at a rate with one of some kinds."""
        assert set(kinds) <= BEFORE | AFTER, kinds
        self._random = (generator, rate, sorted(kinds), None if operations is None else frozenset(operations))

    def clear(self) -> None:
        """Nothing goes wrong from now on; what struck stays noted."""
        self._waiting.clear()
        self._random = None

    def pick(self, where: Where) -> Fault | None:
        """The fault of a request: the first that was added and is due."""
        fault = self._due(where)
        if fault is None and self._random:
            generator, rate, kinds, operations = self._random
            if (operations is None or where.operation in operations) and generator.random() < rate:
                fault = Fault("*", generator.choice(kinds))
        if fault:
            self.fired.append(Fired(fault.kind, where.operation, where.account, where.region))
        return fault

    def _due(self, where: Where) -> Fault | None:
        due = None
        for fault, counts in self._waiting:
            if not counts[1] or not fault.is_for(where):
                continue
            if counts[0]:
                counts[0] -= 1
            elif due is None:
                counts[1] -= 1
                due = fault
        return due


def refusal(fault: Fault, where: Where) -> Refusal:
    """What AWS says where a fault strikes."""
    service = where.service
    if fault.kind == "no_capacity":
        return refusals.no_capacity(service, "the requested")
    if fault.kind == "denied":
        return refusals.denied(service, f"{service}:{where.operation}")
    named = {
        "throttled": refusals.throttled,
        "expired": refusals.expired,
        "internal_error": refusals.failed,
        "unavailable": refusals.unavailable,
    }
    told = named.get(fault.kind.removesuffix("_before").removesuffix("_after"))
    return told(service) if told else Refusal(fault.status, fault.code, fault.message)
