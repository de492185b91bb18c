"""Which handler answers a request, and what it may be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

from tests.github.acts import Acts
from tests.github.answers import Answer, Refusal, gone, invalid, issues_disabled, moved, not_found
from tests.github.checks import Check, whole
from tests.github.models import App, Issue, Repository, Token, User

if TYPE_CHECKING:
    from tests.github.hub import Hub

WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
PAGES: dict[str, Check] = {"page": whole(1), "per_page": whole(1)}


@dataclass(frozen=True)
class Request:
    """A request without its connection. ``path`` lacks the prefix of the API."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Actor:
    """Who asks: a user with a token, or an app for itself (then ``token`` is None)."""

    account: str
    user: User
    token: Token | None
    app: App | None = None


@dataclass(frozen=True)
class Call:
    """What a handler needs to know of a request."""

    hub: Hub
    now: datetime
    actor: Actor
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    given_repository: Repository | None

    @property
    def repository(self) -> Repository:
        assert self.given_repository
        return self.given_repository

    @cached_property
    def acts(self) -> Acts:
        return Acts(self.repository, self.actor.user, self.now, self.hub.numbers, self.actor.app)

    @property
    def may_push(self) -> bool:
        """Whether the actor has push access, which an app has where it may do what is asked."""
        return self.actor.app is not None or self.repository.allows(self.actor.user.login, "write")

    def forbid(self) -> Refusal:
        kind = "integration" if self.actor.app else "personal access token"
        return Refusal(403, f"Resource not accessible by {kind}")

    def issue(self, *, is_followed: bool = True) -> Issue:
        """The issue or pull whose number stands in the path.

        Of an issue that was transferred GitHub tells where it and its labels are (``is_followed``). What else was below it is
        just not there.
        """
        number = int(self.names["number"])
        found = self.repository.issues.get(number)
        if not self.repository.has_issues and (found is None or not found.pull):
            raise issues_disabled()
        if found is None:
            raise self._absence(number, is_followed)
        return found

    def _absence(self, number: int, is_followed: bool) -> Refusal:
        if number not in self.repository.gone:
            return not_found()
        place = self.repository.gone[number]
        if place is None:
            return gone("This issue was deleted")
        target = next(each for each in self.hub.repositories.values() if each.id == place.repository_id)
        if not is_followed or not can_read(self.actor, target):
            return not_found()
        below = self.path.split(f"/issues/{number}", 1)[1]
        return moved(f"{self.hub.views.api}/repositories/{target.id}/issues/{place.number}{below}")

    def pull(self) -> Issue:
        found = self.repository.issues.get(int(self.names["number"]))
        if found is None or found.pull is None:
            raise not_found()
        return found

    def page(self, items: list[Any], per_page: int = 30) -> tuple[list[Any], dict[str, str]]:
        """The page that is asked for, and the header with the way to the others."""
        size = min(int(self.query.get("per_page", per_page)), 100)
        number, last = int(self.query.get("page", 1)), max(-(-len(items) // size), 1)
        targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = [*(["prev", "first"] if number > 1 else []), *(["next", "last"] if number < last else [])]
        links = []
        for relation in wanted:
            query = urlencode({**self.query, "page": targets[relation]})
            links.append(f'<{self.hub.views.api}{self._numbered_path()}?{query}>; rel="{relation}"')
        return items[(number - 1) * size : number * size], {"Link": ", ".join(links)} if links else {}

    def _numbered_path(self) -> str:
        # GitHub's own links name a repository by its number.
        if self.given_repository is None:
            return self.path
        return self.path.replace(f"/repos/{self.repository.full_name}", f"/repositories/{self.repository.id}", 1)

    def pages(self, items: list[Any], render: Callable[[Any], Any]) -> Answer:
        found, headers = self.page(items)
        return Answer(200, [render(each) for each in found], headers)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A way in. ``needs`` are the permissions of an app of which one must be granted, ``role`` is what a person must be at least;
    ``auth`` is who may come."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    needs: tuple[str, ...]
    query: Mapping[str, Check] = field(default_factory=dict)
    auth: str = "token"
    takes_body: bool = False
    is_write: bool = False
    role: str = "read"


ROUTES: list[Route] = []


def route(
    method: str,
    path: str,
    *needs: str,
    query: Mapping[str, Check] | None = None,
    auth: str = "token",
    takes_body: bool | None = None,
    is_write: bool | None = None,
    role: str | None = None,
) -> Callable[[Handler], Handler]:
    """Registers a handler. In the path, ``{name}`` is one part, ``{name*}`` what is left, ``{name#}`` a number."""
    parts = {"": "[^/]+", "*": ".*", "#": "[0-9]+"}
    pattern = re.sub(r"\{(\w+)([*#]?)\}", lambda found: f"(?P<{found[1]}>{parts[found[2]]})", path)
    writes = method in WRITES if is_write is None else is_write

    def register(handler: Handler) -> Handler:
        ROUTES.append(
            Route(
                method,
                re.compile(pattern),
                handler,
                needs or ("metadata",),
                query or {},
                auth,
                method in WRITES - {"DELETE"} if takes_body is None else takes_body,
                writes,
                role or ("write" if writes else "read"),
            )
        )
        return handler

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for each in ROUTES:
        found = each.pattern.fullmatch(path) if each.method == method else None
        if found:
            return each, {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
    return None


def read_query(query: str, known: Mapping[str, Check]) -> dict[str, str]:
    """The parameters of a query, all of them known, each once and well formed."""
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    errors = [
        {"resource": "Query", "code": "invalid", "field": name, "message": f"{name} {wrong}"}
        for name, value in values.items()
        if (wrong := known[name](value) if name in known else "is not a known parameter")
    ]
    if len(values) != len(pairs):
        errors.append({"resource": "Query", "code": "invalid", "field": "query", "message": "query repeats a parameter"})
    if errors:
        raise invalid(*errors)
    return values


def can_read(actor: Actor, repository: Repository) -> bool:
    if actor.app is not None:
        return actor.app.covers(repository.full_name)
    return repository.allows(actor.user.login, "read")


def check_access(found: Route, actor: Actor, repository: Repository) -> None:
    """Refuses a repository that the actor cannot see with 404, and one that he cannot change with 403."""
    assert actor.token
    by_app = actor.app is not None
    if by_app:
        granted = [actor.token.permissions.get(need) for need in found.needs]
        can_use = "write" in granted if found.is_write else any(granted)
    else:
        can_use = repository.allows(actor.user.login, found.role)
    if not can_read(actor, repository):
        raise not_found()
    if not can_use:
        kind = "integration" if by_app else "personal access token"
        raise Refusal(403, f"Resource not accessible by {kind}")
    if found.is_write and repository.is_archived:
        raise Refusal(403, "Repository was archived so is read-only.")
