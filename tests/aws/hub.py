"""AWS without sockets: takes requests one at a time and says what becomes of each."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from tests.aws import databases, groups, history, machines, refreshes, sessions, templates
from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.faults import SILENT, Fault, Faults, refusal
from tests.aws.routing import HANDLERS, Call
from tests.aws.wire import Answer, Asked, Json, Refusal, answer, read, refuse

GARBLED = Answer(200, b"<html><body>Sign in to the network</body>", "text/html")


@dataclass(frozen=True)
class Logged:
    """A request that came. ``status`` is what the client was told (0: nothing), ``code`` AWS's word where it refused."""

    service: str
    operation: str
    parameters: Json
    status: int
    code: str
    is_change: bool
    key: str | None
    fault: str | None


@dataclass(frozen=True)
class Outcome:
    """What the client gets: an answer, or (``kind`` drop and hang) none."""

    kind: str
    answer: Answer


class Hub:
    """The state of AWS, and the one lock around it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.backend = Backend()
        self._clear()

    def _clear(self) -> None:
        self.dials, self.faults, self.sessions = Dials(), Faults(), sessions.Sessions()
        self.machines = machines.Machines(self.backend, self.dials)
        self.templates = templates.Templates(self.backend)
        self.groups = groups.Groups(self.backend, self.dials, self.templates)
        self.refreshes = refreshes.Refreshes(self.groups, self.dials)
        self.databases = databases.Databases(self.backend, self.dials)
        self.history = history.History()
        self.log: list[Logged] = []
        self.unexpected: list[str] = []

    def reset(self) -> None:
        with self.lock:
            self.backend.reset()
            self._clear()

    def handle(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        with self.lock:
            try:
                asked = read(headers, body)
            except LookupError as problem:
                self.unexpected.append(str(problem))
                return Outcome("answer", refuse("sts", Refusal(400, "InvalidAction", str(problem))))
            return self._handle(asked)

    def _handle(self, asked: Asked) -> Outcome:
        fault = self.faults.pick(asked.operation)
        call = Call(self, asked.parameters)
        code = ""
        try:
            told = self._answer(asked, call, fault)
        except Refusal as problem:
            told, code = refuse(asked.service, problem), problem.code
        except Exception:
            # A mistake of this server or of a test's callback must not look like AWS's.
            self.unexpected.append(f"{asked.operation}: {traceback.format_exc()}")
            told, code = refuse(asked.service, Refusal(400, "Unexpected", "see what was unexpected")), "Unexpected"
        kind = fault.kind.partition("_")[0] if fault and fault.kind.startswith(SILENT) else "answer"
        self.log.append(
            Logged(
                asked.service,
                asked.operation,
                asked.parameters,
                told.status if kind == "answer" else 0,
                code,
                call.is_change,
                asked.key,
                fault.kind if fault else None,
            )
        )
        return Outcome(kind, told)

    def _answer(self, asked: Asked, call: Call, fault: Fault | None) -> Answer:
        self.sessions.check(asked)
        if fault and fault.callback:
            fault.callback()
        elif fault and fault.kind == "garbled":
            return GARBLED
        elif fault and not fault.is_after:
            raise refusal(fault, asked.service)
        result = HANDLERS[asked.service, asked.operation](call)
        if fault and fault.is_after:
            raise refusal(fault, asked.service)
        return answer(asked.service, asked.operation, result)
