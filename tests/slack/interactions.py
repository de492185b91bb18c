"""What a person did, as the payload that Slack makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.slack import shapes
from tests.slack.models import App, Message, User, View
from tests.slack.workspace import DOMAIN, TEAM, Workspace

Json = dict[str, Any]
VERIFICATION_TOKEN = "verification-token"


@dataclass
class Interaction:
    """One act of a person. ``view`` is the open modal that waits for the app's answer to it.

    ``outcome`` is what the person saw of the answer: done (a click), closed, errors, update, push or clear (a submission), late,
    or failed; ``problem`` says what was wrong with it.
    """

    payload: Json
    view: View | None = None
    outcome: str | None = None
    problem: str | None = None

    @property
    def kind(self) -> str:
        return self.payload["type"]

    @property
    def trigger_id(self) -> str:
        return self.payload["trigger_id"]

    @property
    def response_url(self) -> str:
        return self.payload["response_url"]


def block_actions(workspace: Workspace, user: User, message: Message, action: Json, response_url: str) -> Interaction:
    """The payload of an action in a message. ``action`` lacks only its moment."""
    assert message.app, "An action belongs to the message of an app"
    channel = workspace.channels[message.channel]
    container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": False}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = {
        **_begin("block_actions", user, message.app),
        "container": container,
        "trigger_id": workspace.triggers.new(user.id),
        "channel": {"id": channel.id, "name": channel.name},
        "message": shapes.message(message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [{**action, "action_ts": workspace.new_ts()}],
    }
    return Interaction(payload)


def view_submission(workspace: Workspace, user: User, view: View, values: Json) -> Interaction:
    payload = {
        **_begin("view_submission", user, view.app),
        "trigger_id": workspace.triggers.new(user.id),
        "view": shapes.view(view, values),
        "response_urls": [],
    }
    return Interaction(payload, view)


def view_closed(user: User, view: View, *, is_cleared: bool) -> Interaction:
    return Interaction({**_begin("view_closed", user, view.app), "view": shapes.view(view), "is_cleared": is_cleared})


def _begin(kind: str, user: User, app: App) -> Json:
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": app.id,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }
