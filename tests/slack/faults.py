"""What goes wrong on purpose: answers that are lost, late, garbled or refusals, before or after the work was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.slack.answers import Answer, Refusal, ratelimited

SILENT = frozenset({"drop", "hang"})
"""Nothing is answered: the connection ends, or stays until the client has enough."""

REFUSALS = frozenset({"server_error", "unavailable", "ratelimited", "internal_error", "fatal_error"})
GARBLED = frozenset({"html", "truncated", "cut"})
"""A page instead of JSON, JSON that ends early, a body that is shorter than its length says."""

KINDS = SILENT | REFUSALS | GARBLED | {"callback"}
PAGE = b"<!DOCTYPE html><html><head><title>Slack</title></head><body>We'll be right back.</body></html>"


@dataclass(frozen=True)
class Fault:
    """A fault for the requests of a method: ``*`` for any, ``response_url`` for what is posted to one.

    It lets ``after_skipping`` such requests pass and then strikes ``times`` times. With ``work_done`` the request is carried out
    first, and the client does not hear of it. A ``callback`` is called right before the handler works, and the request then goes
    its way.
    """

    method: str
    kind: str
    work_done: bool = False
    times: int = 1
    after_skipping: int = 0
    retry_after: int = 30
    callback: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind
        assert (self.kind == "callback") == (self.callback is not None), "The kind callback and a callback belong together"
        assert not (self.work_done and self.kind in ("ratelimited", "callback")), f"{self.kind} comes before the work"

    def distort(self, answer: Answer) -> Answer:
        """What the client gets instead of an answer."""
        if self.kind == "html":
            return Answer(raw=PAGE, headers={"Content-Type": "text/html; charset=utf-8"})
        if self.kind == "truncated":
            body = answer.body()
            return Answer(raw=body[: len(body) // 2])
        if self.kind in ("server_error", "unavailable"):
            status = 500 if self.kind == "server_error" else 503
            return Answer(raw=PAGE, status=status, headers={"Content-Type": "text/html; charset=utf-8"})
        if self.kind == "ratelimited":
            return ratelimited(self.retry_after).answer
        return Refusal(self.kind).answer if self.kind in REFUSALS else answer


@dataclass(frozen=True)
class Fired:
    """A fault that struck."""

    kind: str
    method: str


class Faults:
    """The faults that are still to come, and those that struck."""

    def __init__(self) -> None:
        self.fired: list[Fired] = []
        self._waiting: list[tuple[Fault, list[int]]] = []

    def add(self, *faults: Fault) -> None:
        self._waiting += [(fault, [fault.after_skipping, fault.times]) for fault in faults]

    def clear(self) -> None:
        """Nothing goes wrong from now on; what struck stays noted."""
        self._waiting.clear()

    def pick(self, method: str) -> Fault | None:
        """The fault of a request: the first that was added and is due."""
        due = None
        for fault, counts in self._waiting:
            if fault.method not in ("*", method) or not counts[1]:
                continue
            if counts[0]:
                counts[0] -= 1
            elif due is None:
                counts[1] -= 1
                due = fault
        if due:
            self.fired.append(Fired(due.kind, method))
        return due
