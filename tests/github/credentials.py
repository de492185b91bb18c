"""Who sends a request: the user of a personal token, an installation of an app, or an app for itself."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import jwt

from tests.github.answers import Refusal, bad_credentials
from tests.github.routing import Actor, Request

if TYPE_CHECKING:
    from tests.github.hub import Hub

LONGEST_JWT = 600


def identify(hub: Hub, request: Request, auth: str, now: datetime) -> Actor | None:
    """Who asks, or None where that cannot be told or does not matter."""
    if auth == "none":
        return None
    try:
        return authenticate(hub, request, auth, now)
    except Refusal:
        return None


def authenticate(hub: Hub, request: Request, auth: str, now: datetime) -> Actor:
    """Who asks; ``auth`` says whether a token or an app's own JWT is wanted."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if not secret:
        raise Refusal(401, "Requires authentication")
    if kind.lower() not in ("token", "bearer"):
        raise bad_credentials()
    return _of_app(hub, secret) if auth == "app" else _of_token(hub, secret, now)


def _of_token(hub: Hub, secret: str, now: datetime) -> Actor:
    token = hub.tokens.get(secret)
    if token is None or (token.expires_at and token.expires_at <= now):
        raise bad_credentials()
    return Actor(token.account, token.user, token, token.app)


def _of_app(hub: Hub, secret: str) -> Actor:
    try:
        issuer = jwt.decode(secret, options={"verify_signature": False})["iss"]
        app = next((each for each in hub.apps.values() if issuer in (str(each.app_id), each.client_id)), None)
        if app is None:
            raise Refusal(404, "Integration not found")
        # The client signs with the real time, whatever the test's clock says.
        required = {"require": ["exp", "iat", "iss"]}
        claims = jwt.decode(secret, app.public_key_pem, algorithms=["RS256"], options=required)
    except jwt.ExpiredSignatureError:
        raise Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing a future time") from None
    except (jwt.PyJWTError, KeyError, ValueError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    if claims["exp"] > time.time() + LONGEST_JWT:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return Actor(f"app ID {app.app_id}", hub.user(f"{app.slug}[bot]", "Bot"), None, app)
