"""Response URLs: where an app may answer an interaction, five times within half an hour."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.slack.answers import Answer, Refusal, invalid_arguments
from tests.slack.blocks import check_message_blocks, complete
from tests.slack.models import Block, Ephemeral, Message
from tests.slack.workspace import TEAM, Workspace

LIFE, USES = timedelta(minutes=30), 5
PATH = "/actions/"
KNOWN = frozenset({"text", "blocks", "response_type", "replace_original", "delete_original", "thread_ts"})


@dataclass(frozen=True)
class Response:
    """What an app posted to a response URL that belongs to a person's act on a message."""

    user: str
    channel: str
    message_ts: str
    body: dict[str, Any]


@dataclass
class _Place:
    message: Message
    user: str
    since: datetime
    responses: list[Response] = field(default_factory=list)


class ResponseUrls:
    """The response URLs that were given out, and what came of them."""

    def __init__(self, workspace: Workspace) -> None:
        self.root = ""
        self.responses: list[Response] = []
        self._workspace = workspace
        self._places: dict[str, _Place] = {}
        self._numbers = itertools.count(1)

    def new(self, message: Message, user: str) -> str:
        path = f"{PATH}{TEAM}/{next(self._numbers):013d}/{'r' * 24}"
        self._places[path] = _Place(message, user, self._workspace.clock.now())
        return self.root + path

    def take(self, path: str, body: dict[str, Any]) -> Answer:
        """Carries out a response, or refuses it."""
        place = self._places.get(path)
        if place is None:
            raise Refusal("invalid_url", status=404)
        if self._workspace.clock.now() - place.since > LIFE:
            raise Refusal("expired_url", status=404)
        if len(place.responses) == USES:
            raise Refusal("used_url", status=404)
        self._carry_out(place, body)
        place.responses.append(Response(place.user, place.message.channel, place.message.ts, body))
        self.responses.append(place.responses[-1])
        return Answer(raw=b"ok", headers={"Content-Type": "text/html"})

    def _carry_out(self, place: _Place, body: dict[str, Any]) -> None:
        unknown = sorted({*body} - KNOWN)
        if unknown or body.get("response_type", "ephemeral") not in ("ephemeral", "in_channel"):
            self._workspace.unexpected.append(f"response_url: {unknown or body['response_type']}")
            raise invalid_arguments(*(f"invalid additional property: {name}" for name in unknown))
        message, workspace = place.message, self._workspace
        if body.get("delete_original"):
            del workspace.channels[message.channel].messages[message.ts]
            return
        words, blocks = self._content(body)
        if body.get("replace_original"):
            message.text, message.blocks, message.changes = words, blocks, message.changes + 1
            return
        ts = workspace.new_ts()
        if body.get("response_type") == "in_channel":
            assert message.app
            now = workspace.clock.now()
            bot = message.app.bot_user.id
            workspace.say(Message(ts, message.channel, bot, words, blocks, now, message.app, None, body.get("thread_ts")))
        else:
            workspace.ephemerals.append(Ephemeral(ts, message.channel, place.user, words, blocks))

    def _content(self, body: dict[str, Any]) -> tuple[str, list[Block]]:
        words, blocks = body.get("text", ""), body.get("blocks", [])
        check_message_blocks(blocks)
        if not words and not blocks:
            raise Refusal("no_text")
        return words, complete(blocks, self._workspace.new_block_id)
