"""What goes wrong on purpose: answers that are lost, late or refusals, before or after the work was done."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BEFORE = frozenset(
    {
        "bad_gateway_before", "drop_before", "hang_before", "secondary_limit", "primary_limit", "too_quickly",
        "unauthorized", "forbidden", "server_error",
    }
)  # fmt: skip
AFTER = frozenset({"bad_gateway_after", "drop_after", "hang_after"})
KINDS = BEFORE | AFTER | {"moved"}


@dataclass(frozen=True)
class Fault:
    """A fault for the requests of a method (``*`` for any) whose path the pattern is found in.

    The path is the one of the log: without the prefix of the API, without the query. The fault lets ``after_skipping``
    such requests pass and then strikes ``times`` times. ``seconds`` is when a ``primary_limit`` ends. ``callback`` is
    what a ``moved`` does right before the handler works; it acts through ``People``, as requests of its own would wait.
    """

    method: str
    path_regex: str
    kind: str
    times: int = 1
    after_skipping: int = 0
    retry_after: int | None = None
    seconds: int = 60
    callback: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
        assert (self.kind == "moved") == (self.callback is not None), "callback and moved belong together"

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.search(self.path_regex, path) is not None


@dataclass(frozen=True)
class Fired:
    """A fault that struck."""

    kind: str
    method: str
    path: str


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
        assert set(kinds) <= KINDS - {"moved"}, kinds
        self._random = (generator, rate, sorted(kinds))

    def clear(self) -> None:
        """Nothing goes wrong from now on; what struck stays noted."""
        self._waiting.clear()
        self._random = None

    def pick(self, method: str, path: str) -> Fault | None:
        """The fault of a request: the first that was added and is due."""
        fault = self._due(method, path)
        if fault is None and self._random:
            generator, rate, kinds = self._random
            if generator.random() < rate:
                fault = Fault("*", "", generator.choice(kinds))
        if fault:
            self.fired.append(Fired(fault.kind, method, path))
        return fault

    def _due(self, method: str, path: str) -> Fault | None:
        due = None
        for fault, counts in self._waiting:
            if not fault.matches(method, path) or not counts[1]:
                continue
            if counts[0]:
                counts[0] -= 1
            elif due is None:
                counts[1] -= 1
                due = fault
        return due
