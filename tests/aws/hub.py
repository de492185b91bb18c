"""AWS without sockets: takes requests and says what becomes of each."""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass

from tests.aws import conform, documents, handlers, regions
from tests.aws.accounts import Accounts
from tests.aws.backend import begin_anew
from tests.aws.dials import Dials
from tests.aws.faults import SILENT, Fault, Faults, Where, refusal
from tests.aws.place import Kept, Place
from tests.aws.refusals import invalid, stranger
from tests.aws.routing import ROUTES, Call, Route, services
from tests.aws.sessions import Principal, Sessions
from tests.aws.wire import Answer, Asked, Json, Refusal, Request, answer, operation_model, protocol, read, refuse

GARBLED = Answer(200, b"<html><body>Sign in to the network</body>", "text/html")


@dataclass(frozen=True)
class Logged:
    """A request that came. ``status`` is what the client was told (0: nothing), ``code`` AWS's word where it refused; ``account``
    is empty where nobody who is known signed it."""

    service: str
    operation: str
    parameters: Json
    status: int
    code: str
    is_change: bool
    key: str | None
    fault: str | None
    account: str
    region: str


@dataclass(frozen=True)
class Outcome:
    """What the client gets: an answer, or (``kind`` drop and hang) none."""

    kind: str
    answer: Answer


class Hub:
    """The state of AWS, and the one lock around it."""

    def __init__(self) -> None:
        handlers.load()
        self.lock = threading.RLock()
        self._places: dict[tuple[str, str], Place] = {}
        self._services = services()
        self._clear()

    def _clear(self) -> None:
        self.dials, self.faults, self.sessions, self.accounts, self.kept = Dials(), Faults(), Sessions(), Accounts(), Kept()
        self.log: list[Logged] = []
        self.unexpected: list[str] = []

    def reset(self) -> None:
        with self.lock:
            for each in self._places.values():
                each.backend.forget()
            self._places.clear()
            begin_anew()
            self._clear()

    def place(self, account: str, region: str) -> Place:
        """A region of an account."""
        with self.lock:
            if (account, region) not in self._places:
                self._places[account, region] = Place(account, region, self.dials)
            return self._places[account, region]

    def handle(self, request: Request) -> Outcome:
        try:
            asked = read(request, self._services)
        except LookupError as problem:
            with self.lock:
                self.unexpected.append(str(problem))
            return Outcome("answer", refuse("sts", Refusal(400, "InvalidAction", str(problem))))
        if delay := self.dials.delay_seconds.get(asked.region):
            time.sleep(delay)
        route = ROUTES.get((asked.service, asked.operation))
        if route and route.is_parallel:
            return self._work(asked, route)
        with self.lock:
            return self._work(asked, route)

    def _work(self, asked: Asked, route: Route | None) -> Outcome:
        with self.lock:
            who = self.sessions.who(asked)
            account = who.account if who else ""
            fault = self.faults.pick(Where(asked.service, asked.operation, account, asked.region))
            call = Call(self, self.place(account, asked.region), asked)
        code = ""
        try:
            told = self._answer(call, who, route, fault)
        except Refusal as problem:
            told, code = refuse(asked.service, problem), problem.code
        except Exception:
            # A mistake of this server or of a test's callback must not look like AWS's.
            with self.lock:
                self.unexpected.append(f"{asked.operation}: {traceback.format_exc()}")
            told, code = refuse(asked.service, Refusal(400, "Unexpected", "see what was unexpected")), "Unexpected"
        kind = fault.kind.partition("_")[0] if fault and fault.kind.startswith(SILENT) else "answer"
        status, struck = told.status if kind == "answer" else 0, fault.kind if fault else None
        seen = (asked.service, asked.operation, asked.parameters, status, code, call.is_change, asked.key, struck)
        with self.lock:
            self.log.append(Logged(*seen, account, asked.region))
        return Outcome(kind, told)

    def _answer(self, call: Call, who: Principal | None, route: Route | None, fault: Fault | None) -> Answer:
        asked = call.asked
        where = Where(asked.service, asked.operation, call.place.account, asked.region)
        with self.lock:
            if who is None:
                raise stranger(asked.service)
            regions.check(call)
            if fault and fault.callback:
                fault.callback()
            elif fault and fault.kind == "garbled":
                return GARBLED
            elif fault and not fault.is_after:
                raise refusal(fault, where)
            if route is None:
                raise NotImplementedError(f"{asked.service} {asked.operation}")
            self.accounts.check(call, route.permissions, who.arn)
        model = operation_model(asked.service, asked.operation)
        if protocol(asked.service) in documents.PROTOCOLS and (
            problems := [*conform.beyond(asked.parameters, model.input_shape, "")]
        ):
            raise invalid(asked.service, problems)
        result = route.handler(call)
        if fault and fault.is_after:
            raise refusal(fault, where)
        conform.check(result, model.output_shape, asked.operation)
        return answer(asked.service, asked.operation, result)
