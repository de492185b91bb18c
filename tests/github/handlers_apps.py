"""Accounts: the user of a token, apps, and the tokens of their installations."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.github.answers import Answer, Refusal, not_found
from tests.github.checks import check_fields, list_of, mapping, number, text
from tests.github.models import App, Token
from tests.github.routing import PAGES, Call, route
from tests.github.views import moment

LEVELS = ("read", "write", "admin")


@route("GET", "/user")
def get_user(call: Call) -> Answer:
    if call.actor.app:
        raise Refusal(403, "Resource not accessible by integration")
    seen = {**_account(call, call.actor.user.login), "private_gists": 0, "two_factor_authentication": True}
    return Answer(200, seen)


@route("GET", "/users/{login}")
def get_named_user(call: Call) -> Answer:
    if call.names["login"] not in call.hub.users:
        raise not_found()
    return Answer(200, _account(call, call.names["login"]))


def _account(call: Call, login: str) -> dict[str, Any]:
    seen = call.hub.views.user(call.hub.users[login])
    assert seen
    return {**seen, "name": login, "email": None, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}


def _app(call: Call) -> App:
    assert call.actor.app
    return call.actor.app


def _installation(call: Call, app: App) -> dict[str, Any]:
    return call.hub.views.installation(app, call.hub.user(app.owner))


@route("GET", "/app", auth="app")
def get_app(call: Call) -> Answer:
    return Answer(200, {**call.hub.views.app(_app(call)), "owner": call.hub.views.user(call.hub.user(_app(call).owner))})


@route("GET", "/app/installations", auth="app", query=PAGES)
def list_installations(call: Call) -> Answer:
    return call.pages([_app(call)], lambda app: _installation(call, app))


@route("GET", "/app/installations/{id#}", auth="app")
def get_installation(call: Call) -> Answer:
    if int(call.names["id"]) != _app(call).installation_id:
        raise not_found()
    return Answer(200, _installation(call, _app(call)))


@route("GET", "/repos/{owner}/{repo}/installation", auth="app")
def get_repository_installation(call: Call) -> Answer:
    full_name = f"{call.names['owner']}/{call.names['repo']}"
    if full_name not in call.hub.repositories or not _app(call).covers(full_name):
        raise not_found()
    return Answer(200, _installation(call, _app(call)))


@route("POST", "/app/installations/{id#}/access_tokens", auth="app")
def create_installation_token(call: Call) -> Answer:
    app = _app(call)
    if int(call.names["id"]) != app.installation_id:
        raise not_found()
    optional = {"permissions": mapping, "repositories": list_of(text), "repository_ids": list_of(number)}
    given = check_fields("Installation", call.body, {}, optional)
    # Every app may read the metadata of what it is installed for.
    wanted = {"metadata": "read", **(given.get("permissions") or app.permissions)}
    for name, level in wanted.items():
        granted = app.permissions.get(name)
        if granted is None or level not in LEVELS or LEVELS.index(level) > LEVELS.index(granted):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    if "repositories" in given or "repository_ids" in given:
        raise Refusal(422, "There is at least one repository that is not accessible to the parent installation.")
    secret = f"ghs_{secrets.token_hex(18)}"
    token = Token(call.actor.user, call.now + timedelta(hours=1), app, dict(wanted))
    call.hub.tokens[secret] = token
    # The client compares with the real time, whatever the test's clock says.
    shown = max(call.now, datetime.now(UTC)) + timedelta(hours=1)
    seen = {
        "token": secret,
        "expires_at": moment(shown),
        "permissions": token.permissions,
        "repository_selection": "all" if app.repositories is None else "selected",
    }
    return Answer(201, seen)
