"""GitHub without sockets: takes requests one at a time and says what becomes of each."""

from __future__ import annotations

import itertools
import json
import re
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.github import (
    credentials,
    graphql,
    handlers_apps,
    handlers_deployments,
    handlers_events,
    handlers_git,
    handlers_issues,
    handlers_labels,
    handlers_milestones,
    handlers_pulls,
    handlers_repositories,
)
from tests.github.answers import DOCUMENTATION, LIMITS_URL, Answer, Refusal, bad_credentials, not_found, secondary_limit
from tests.github.faults import AFTER, Fault, Faults
from tests.github.git_views import GitViews
from tests.github.limits import Limits
from tests.github.models import GITHUB_EMAIL, App, Numbers, Repository, Token, User
from tests.github.routing import WRITES, Actor, Call, Request, Route, check_access, find_route, read_query
from tests.github.views import etag

# Importing the handlers registers them.
HANDLERS = (
    graphql,
    handlers_apps,
    handlers_deployments,
    handlers_events,
    handlers_git,
    handlers_issues,
    handlers_labels,
    handlers_milestones,
    handlers_pulls,
    handlers_repositories,
)
START = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still but for one second at each request and at each act of a person."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> None:
        self.now += timedelta(seconds=1)


@dataclass(frozen=True)
class Logged:
    """A request that came. ``status`` is what the client was told, 0 where it heard nothing."""

    method: str
    path: str
    query: str
    status: int
    is_write: bool
    reached: bool
    at: datetime
    login: str | None
    body: Any = None
    fault: str | None = None


@dataclass
class Progress:
    """What is known of a request while it is worked on."""

    body: Any = None
    is_write: bool = False
    reached: bool = False
    actor: Actor | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What the client gets: an answer, or (``kind`` drop and hang) none."""

    kind: str
    answer: Answer


class Hub:
    """The state of GitHub, and the one lock around it."""

    def __init__(self, now: Callable[[], datetime] | None) -> None:
        self.lock = threading.RLock()
        self.clock = now or Clock()
        self.numbers = Numbers()
        self.limits, self.faults = Limits(), Faults()
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.repositories: dict[str, Repository] = {}
        self.downloads: dict[str, tuple[str, str]] = {}
        self.log: list[Logged] = []
        self.unexpected: list[str] = []
        self.views = GitViews("", "", self.user_of_email)
        self._requests = itertools.count(1)

    def tick(self) -> datetime:
        if isinstance(self.clock, Clock):
            self.clock.tick()
        now = self.clock()
        assert now.tzinfo is not None, "now must be aware"
        return now

    def user(self, login: str, kind: str | None = None) -> User:
        """The user of a login, who is made at first sight; a login that ends in ``[bot]`` is a bot's."""
        if login not in self.users:
            kind = kind or ("Bot" if login.endswith("[bot]") else "User")
            self.users[login] = User(self.numbers.next(), login, kind)
        return self.users[login]

    def touch(self) -> None:
        """Something may have changed in any repository."""
        for each in self.repositories.values():
            each.touch()

    def user_of_email(self, email: str) -> User | None:
        found = re.fullmatch(rf"[0-9]+\+(.+)@{re.escape(GITHUB_EMAIL)}", email)
        return self.users.get(found[1]) if found else None

    def handle(self, request: Request) -> Outcome:
        with self.lock:
            return self._handle(request, self.tick())

    def _handle(self, request: Request, now: datetime) -> Outcome:
        request = self._with_full_names(request)
        progress = Progress()
        fault = self.faults.pick(request.method, request.path)
        try:
            answer = self._answer(request, now, progress, fault)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception:
            # A mistake of this server or of a test's callback must not look like GitHub's.
            self.unexpected.append(traceback.format_exc())
            answer = Refusal(500, "Server Error").answer
        if progress.is_write:
            self.touch()
        kind = "answer"
        if fault and fault.kind.startswith(("drop", "hang")):
            kind = fault.kind.partition("_")[0]
        elif fault and fault.kind == "bad_gateway_after":
            answer = _bad_gateway().answer
        request_id = f"{next(self._requests):04X}:1A2B:3C4D5E:6F7081:67CE4A80"
        answer = Answer(
            answer.status,
            answer.content,
            {"x-github-request-id": request_id, **progress.headers, **answer.headers},
            answer.raw,
        )
        self.log.append(
            Logged(
                request.method,
                request.path,
                "" if request.path.startswith("/_codeload/") else request.query,
                answer.status if kind == "answer" else 0,
                progress.is_write,
                progress.reached,
                now,
                progress.actor.user.login if progress.actor else None,
                progress.body if progress.is_write else None,
                fault.kind if fault else None,
            )
        )
        return Outcome(kind, answer)

    def _with_full_names(self, request: Request) -> Request:
        """The request with the repository's name where it has its number."""
        found = re.match(r"/repositories/([0-9]+)(?=/|$)", request.path)
        for each in self.repositories.values() if found else ():
            if found and each.id == int(found[1]):
                path = f"/repos/{each.full_name}{request.path[found.end() :]}"
                return Request(request.method, path, request.query, request.headers, request.body)
        return request

    def _answer(self, request: Request, now: datetime, progress: Progress, fault: Fault | None) -> Answer:
        found = find_route(request.method, request.path)
        if request.body:
            try:
                progress.body = json.loads(request.body)
            except ValueError:
                raise Refusal(400, "Problems parsing JSON") from None
        progress.is_write = request.method in WRITES and (request.path != "/graphql" or graphql.is_mutation(progress.body))
        # A fault strikes whatever is asked; who asks matters to the log.
        actor = credentials.identify(self, request, found[0].auth if found else "token", now)
        progress.actor = actor
        if fault and fault.kind not in AFTER | {"moved"}:
            raise self._refusal(fault, now, progress)
        if found is None:
            self.unexpected.append(f"{request.method} {request.path}")
            raise not_found()
        if not request.headers.get("User-Agent"):
            raise Refusal(403, "Missing or invalid User Agent string. Please make sure your request has a User-Agent header.")
        if actor is None and found[0].auth != "none":
            credentials.authenticate(self, request, found[0].auth, now)  # Raises what is wrong with them.
        if actor is None:  # What needs no account has no limits.
            progress.reached = True
            return found[0].handler(self._call(request, found, Actor("", User(0, ""), None), now, progress.body))
        return self._answer_known(request, found, actor, now, progress, fault)

    def _answer_known(
        self,
        request: Request,
        found: tuple[Route, dict[str, str]],
        actor: Actor,
        now: datetime,
        progress: Progress,
        fault: Fault | None,
    ) -> Answer:
        bucket = self.limits.bucket(actor.account, "graphql" if request.path == "/graphql" else "core", now)
        if bucket.is_empty:
            progress.headers |= bucket.headers()
            raise primary_limit(actor)
        bucket.used += 1
        progress.headers |= bucket.headers()
        if actor.token and not actor.app:
            progress.headers |= _token_headers(actor.token)
        call = self._call(request, found, actor, now, progress.body)
        if progress.is_write and not self.limits.take_write(actor.account, now):
            raise secondary_limit()
        if fault and fault.callback:
            fault.callback()
            call = self._call(request, found, actor, self.clock(), progress.body)
        progress.reached = True
        if progress.is_write:
            self.touch()
        answer = found[0].handler(call)
        if request.method == "GET" and answer.status == 200:
            tag = etag(answer.body())
            is_known = request.headers.get("If-None-Match") == tag
            if is_known:
                bucket.used -= 1
                progress.headers |= bucket.headers()
            answer = Answer(304 if is_known else 200, answer.content, {"ETag": tag, **answer.headers}, answer.raw)
        return answer

    def _call(self, request: Request, found: tuple[Route, dict[str, str]], actor: Actor, now: datetime, body: Any) -> Call:
        route, names = found
        repository = None
        if "repo" in names and route.auth == "token":
            repository = self.repositories.get(f"{names['owner']}/{names['repo']}")
            if repository is None:
                raise not_found()
            check_access(route, actor, repository)
        if body is not None and not route.takes_body:
            raise Refusal(400, "This request takes no body")
        if body is None and route.takes_body and request.method != "DELETE":
            body = {}
        return Call(self, now, actor, request.path, names, read_query(request.query, route.query), body, repository)

    def _refusal(self, fault: Fault, now: datetime, progress: Progress) -> Refusal:
        if fault.kind == "primary_limit":
            reset = str(int((now + timedelta(seconds=fault.seconds)).timestamp()))
            progress.headers |= {
                "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000",
                "x-ratelimit-reset": reset, "x-ratelimit-resource": "core",
            }  # fmt: skip
            return primary_limit(progress.actor)
        if fault.kind == "secondary_limit":
            return secondary_limit(fault.retry_after)
        too_quickly = {
            "resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "was submitted too quickly",
        }  # fmt: skip
        return {
            "too_quickly": Refusal(422, "Validation Failed", [too_quickly]),
            "unauthorized": bad_credentials(),
            "forbidden": Refusal(403, "Resource not accessible by integration"),
            "server_error": Refusal(500, "Server Error", url=DOCUMENTATION),
        }.get(fault.kind, _bad_gateway())


def primary_limit(actor: Actor | None) -> Refusal:
    return Refusal(403, f"API rate limit exceeded for {actor.account if actor else 'user ID 0'}.", url=LIMITS_URL)


def _token_headers(token: Token) -> dict[str, str]:
    """What GitHub says of a personal token with every answer."""
    expiry = token.expires_at and token.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {"x-oauth-scopes": "repo", **({"github-authentication-token-expiration": expiry} if expiry else {})}


def _bad_gateway() -> Refusal:
    return Refusal(502, "Server Error")
