"""Which handler answers a method, and what it may be asked by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.slack.answers import Answer, Refusal
from tests.slack.arguments import Reader
from tests.slack.models import App, Channel, Token
from tests.slack.workspace import Workspace


@dataclass(frozen=True)
class Call:
    """What a handler needs to know of a request."""

    workspace: Workspace
    token: Token
    arguments: dict[str, Any]
    now: datetime

    @property
    def app(self) -> App:
        return self.token.app

    @property
    def bot(self) -> str:
        """The user of the bot that asks."""
        return self.app.bot_user.id

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    def need(self, scope: str) -> None:
        """Refuses a token without a scope."""
        if scope not in self.token.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(self.token.scopes)))

    def channel(self, scope: str = "") -> Channel:
        """The channel whose identifier is given; ``scope`` is read or history where it needs one of its kind."""
        found = self.workspace.channels.get(self["channel"])
        if scope:
            self.need(f"{found.kind if found else 'channels'}:{scope}")
        if found is None or (found.is_private and self.bot not in found.members):
            raise Refusal("channel_not_found")
        return found


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Method:
    """A method. ``holder`` is whose token it takes: a bot's, an app's or any."""

    handler: Handler
    scope: str | None
    holder: str
    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    scope: str | None = None,
    holder: str = "bot",
    required: Mapping[str, Reader] | None = None,
    optional: Mapping[str, Reader] | None = None,
) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(handler, scope, holder, required or {}, optional or {})
        return handler

    return register
