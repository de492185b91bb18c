"""The Web API without sockets: takes requests one at a time and says what becomes of each."""

from __future__ import annotations

import itertools
import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.slack import handlers_apps, handlers_chat, handlers_direct, handlers_reads, handlers_views
from tests.slack.answers import Answer, Refusal, invalid_arguments
from tests.slack.arguments import UnknownArguments, read
from tests.slack.faults import SILENT, Fault, Faults
from tests.slack.methods import METHODS, Call
from tests.slack.models import Token
from tests.slack.response_urls import ResponseUrls
from tests.slack.workspace import Logged, Workspace

# Importing the handlers registers them.
HANDLERS = (handlers_apps, handlers_chat, handlers_direct, handlers_reads, handlers_views)
API = "/api/"


@dataclass(frozen=True)
class Request:
    """A request without its connection."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What the client gets: an answer, half of it (``kind`` cut), or (drop and hang) none."""

    kind: str
    answer: Answer


@dataclass
class _Progress:
    params: dict[str, Any] = field(default_factory=dict)
    token: Token | None = None
    error: str | None = None
    reached: bool = False


class WebApi:
    """What is behind the address of the Web API, and behind response URLs."""

    def __init__(self, workspace: Workspace, faults: Faults, response_urls: ResponseUrls) -> None:
        self.is_out = False
        self._workspace, self._faults, self._response_urls = workspace, faults, response_urls
        self._requests = itertools.count(1)

    def handle(self, request: Request) -> Outcome:
        is_method = request.path.startswith(API)
        method = request.path.removeprefix(API) if is_method else "response_url"
        progress = _Progress()
        with self._workspace.lock:
            if self.is_out:
                return self._finish(method, progress, Outcome("drop", Answer()), "outage")
            fault = self._faults.pick(method)
        if fault and fault.callback:
            fault.callback()  # Without the lock, so that it may send requests of its own.
        with self._workspace.lock:
            outcome = self._outcome(method if is_method else None, request, progress, fault)
            return self._finish(method, progress, outcome, fault.kind if fault else None)

    def _finish(self, method: str, progress: _Progress, outcome: Outcome, fault: str | None) -> Outcome:
        status = 0 if outcome.kind in SILENT else outcome.answer.status
        at = self._workspace.clock.now()
        self._workspace.log.append(Logged(method, progress.params, status, progress.error, progress.reached, at, fault))
        self._workspace.changed.notify_all()
        return outcome

    def _outcome(self, method: str | None, request: Request, progress: _Progress, fault: Fault | None) -> Outcome:
        answer = Answer({"ok": False})
        is_carried_out = fault is None or fault.work_done or fault.callback is not None
        try:
            progress.params = _read_body(request)
            if is_carried_out and method is None:
                progress.reached = True
                answer = self._response_urls.take(request.path, progress.params)
            elif is_carried_out:
                answer = self._answer(method or "", request, progress)
        except Refusal as refusal:
            progress.error, answer = refusal.error, refusal.answer
        except UnknownArguments as unknown:
            self._workspace.unexpected.append(f"{method}: unknown arguments {unknown}")
            progress.error, answer = "invalid_arguments", invalid_arguments(f"unknown arguments: {unknown}").answer
        except Exception:
            # A mistake of this server must not look like Slack's.
            self._workspace.unexpected.append(traceback.format_exc())
            progress.error, answer = "internal_error", Refusal("internal_error").answer
        progress.params.pop("token", None)
        if fault:
            answer = fault.distort(answer)
        headers = {"x-slack-req-id": f"{next(self._requests):032x}", **answer.headers}
        if progress.token:
            headers["x-oauth-scopes"] = ",".join(sorted(progress.token.scopes))
        kind = fault.kind if fault and fault.kind in SILENT | {"cut"} else "answer"
        return Outcome(kind, Answer(answer.content, answer.status, headers, answer.raw))

    def _answer(self, name: str, request: Request, progress: _Progress) -> Answer:
        method = METHODS.get(name)
        if method is None:
            self._workspace.unexpected.append(f"unknown method {name}")
            raise Refusal("unknown_method")
        progress.token = token = self._authenticate(request, progress.params)
        if method.holder not in ("any", token.kind):
            raise Refusal("not_allowed_token_type")
        given = {key: value for key, value in progress.params.items() if key != "token"}
        call = Call(self._workspace, token, read(given, method.required, method.optional), self._workspace.clock.now())
        if method.scope:
            call.need(method.scope)
        progress.reached = True
        return method.handler(call)

    def _authenticate(self, request: Request, params: Mapping[str, Any]) -> Token:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        value = value if scheme == "Bearer" else params.get("token", "")
        if not value:
            raise Refusal("not_authed")
        token = self._workspace.tokens.get(value)
        if token is None:
            raise Refusal("invalid_auth")
        if token.state != "active":
            raise Refusal(token.state)
        return token


def _read_body(request: Request) -> dict[str, Any]:
    """The arguments of a form, or of an object of JSON."""
    if not request.body:
        return {}
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if kind != "application/json":
        raise Refusal("invalid_post_type")
    try:
        found = json.loads(request.body)
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(found, dict):
        raise Refusal("json_not_object")
    return found
