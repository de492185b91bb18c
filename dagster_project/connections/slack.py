"""One Slack workspace over its Web API: with a timeout, a bounded wait, and no request sent twice that may have been taken.

slack_sdk would send a message again when its connection breaks, and Slack would show it twice. Here only what reads is repeated;
what writes is repeated where Slack said itself that it did not take it (a rate limit). No error holds a token or a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagster_project import clock
from dagster_project.errors import AccessDenied, SlackError
from dagster_project.settings_acting import SlackSettings

EVENT = "nightshift"
"""Type of the metadata that our messages carry."""
SCOPES = ("chat:write", "channels:history", "groups:history", "users:read", "users:read.email", "usergroups:read")
"""What the bot token needs; groups:history only for private channels, usergroups:read only with approvals.slack_group."""
REMINDER_SCOPES = ("chat:write", "channels:history", "groups:history", "im:write", "im:history")
"""What it needs for reminders of action items; im:write and im:history where they are direct messages."""
HISTORY_SCOPES = ("channels:history", "groups:history", "channels:read", "groups:read", "pins:read", "users:read")
"""What it needs to read what was said in an incident; channels:read only where channels are given by name, groups:history and
groups:read only for private ones."""
_DENIED = ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "missing_scope", "no_permission")
_UNSURE = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
"""Errors after which a part of the work may have been done."""
_CODE = re.compile(r"[a-z0-9_]{1,60}")
_USUAL_WAIT = 30
"""Seconds, where a limit does not say how long it holds."""
_PAGE = 200
_PAGES = 10


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands in Slack."""

    channel: str
    ts: str


@dataclass(slots=True)
class Slack:
    """A workspace, reached with a bot token. ``at`` waits between attempts."""

    settings: SlackSettings
    at: clock.Clock = clock
    _client: Any = field(default=None, repr=False)
    _known: Mapping[str, Any] | None = field(default=None, repr=False)

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]], subject: str) -> Posted:
        """Posts a message that carries its subject. Raises ``SlackError``; with ``code`` None it is not known whether it was
        taken."""
        metadata = {"event_type": EVENT, "event_payload": {"subject": subject}}
        found = self._write(
            lambda client: client.chat_postMessage(
                channel=channel, text=text, blocks=blocks, metadata=metadata, unfurl_links=False, unfurl_media=False
            )
        )
        return Posted(found["channel"], found["ts"])

    def update(self, posted: Posted, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Puts another content into a message; the same content again does no harm."""
        self.read(lambda client: client.chat_update(channel=posted.channel, ts=posted.ts, text=text, blocks=blocks))

    def find(self, channel: str, subject: str, since: datetime) -> Posted | None:
        """A message of ours with a subject, posted since a moment; None where there is none."""
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self.read(
                lambda client, cursor=cursor: client.conversations_history(
                    channel=channel, oldest=f"{since.timestamp():.6f}", limit=_PAGE, include_all_metadata=True, cursor=cursor
                )
            )
            for message in page["messages"]:
                metadata = message.get("metadata") or {}
                is_meant = metadata.get("event_type") == EVENT and metadata.get("event_payload", {}).get("subject") == subject
                # Another app may write the same metadata: its message could not be changed.
                if is_meant and message.get("bot_id") == self._self()["bot_id"]:
                    return Posted(channel, message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        raise SlackError(f"{channel} has too many messages since {since:%Y-%m-%d %H:%M} UTC to find one of ours.", "too_many")

    def direct_channel(self, user: str) -> str:
        """The channel of the direct messages with somebody, opened where there is none yet; asking twice does no harm."""
        found = self.read(lambda client: client.conversations_open(users=user))
        channel: str = found["channel"]["id"]
        return channel

    def tell(self, channel: str, user: str, text: str) -> None:
        """Says something that only one person sees; rather twice than not at all."""
        self.read(lambda client: client.chat_postEphemeral(channel=channel, user=user, text=text))

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Opens a dialog for somebody who has just clicked."""
        self._write(lambda client: client.views_open(trigger_id=trigger_id, view=view))

    def email_of(self, user: str) -> str | None:
        """The e-mail address in a person's profile; None where it has none or it is not confirmed, where they are no person or
        gone, and for people of other workspaces: their addresses are what others wrote."""
        found = self.read(lambda client: client.users_info(user=user))["user"]
        if found.get("is_bot") or found.get("deleted") or found.get("is_email_confirmed") is False or self._is_stranger(found):
            return None
        email: str | None = found.get("profile", {}).get("email")
        return email

    def _is_stranger(self, user: Mapping[str, Any]) -> bool:
        ours, grid = self._self(), (user.get("enterprise_user") or {}).get("enterprise_id")
        is_colleague = user.get("team_id") == ours.get("team_id") or (grid is not None and grid == ours.get("enterprise_id"))
        return bool(user.get("is_stranger")) or not is_colleague

    def members_of(self, group: str) -> frozenset[str]:
        """Ids of the users of a user group."""
        return frozenset(self.read(lambda client: client.usergroups_users_list(usergroup=group))["users"])

    def who(self) -> str:
        """The workspace and the bot that the token is for, in words."""
        found = self._self()
        return f"{found.get('user')} in {found.get('team')}"

    def address(self) -> str:
        """Where people read the workspace, with a slash at its end."""
        return str(self._self()["url"])

    def socket_address(self, app_token: str) -> str:
        """Where a websocket of Socket Mode may be opened, once. Asked once: whoever wants a connection tries again later."""
        _, found = self._ask(lambda client: client.apps_connections_open(app_token=app_token))
        if isinstance(found, Exception):
            raise found
        address: str = found["url"]
        return address

    def _self(self) -> Mapping[str, Any]:
        """Who the token is for."""
        if self._known is None:
            self._known = self.read(lambda client: client.auth_test())
        return self._known

    @property
    def client(self) -> Any:
        """The SDK's client. It repeats nothing by itself."""
        if self._client is None:
            from slack_sdk import WebClient

            token = self.settings.token.get_secret_value() if self.settings.token is not None else None
            self._client = WebClient(
                token=token,
                base_url=self.settings.base_url,
                timeout=self.settings.timeout_seconds,
                retry_handlers=[],
                logger=quiet_logger(),
            )
        return self._client

    def read(self, call: Callable[[Any], Any]) -> Any:
        """What may be asked again: it changes nothing, or nothing more."""
        for left in range(self.settings.attempts - 1, -1, -1):
            try:
                return self._write(call)
            except SlackError as error:
                if left == 0 or error.code is not None:
                    raise
        raise AssertionError("attempts are at least one")

    def _write(self, call: Callable[[Any], Any]) -> Any:
        """What is asked once, but for rate limits: what they refuse was not taken."""
        for left in range(self.settings.attempts - 1, -1, -1):
            wait, failure = self._ask(call)
            if not isinstance(failure, Exception):
                return failure
            if wait is None or left == 0 or wait > self.settings.longest_wait_seconds:
                # Not inside of the handler: the SDK's error holds the answer, and that may hold anything.
                raise failure
            self.at.sleep(wait)
        raise AssertionError("attempts are at least one")

    def _ask(self, call: Callable[[Any], Any]) -> tuple[float | None, Any]:
        """The answer, or the error to raise; with it the seconds to wait, where Slack asks to."""
        from http.client import HTTPException

        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            found = call(self.client).data
        except SlackApiError as error:
            return refusal_of(error.response)
        # The SDK stumbles with an AttributeError over JSON that is no object.
        except (SlackClientError, HTTPException, OSError, ValueError, AttributeError) as error:
            return None, SlackError(f"Slack did not answer ({type(error).__name__}); whether it took the request is not known.")
        if not isinstance(found, dict):
            return None, SlackError("Slack did not answer in JSON; whether it took the request is not known.")
        return None, found


def refusal_of(response: Any) -> tuple[float | None, Exception]:
    """What an answer that is no success means, and the seconds that it asks to wait.

    What is no word of Slack's own (a page of somebody in between, an answer cut short) says nothing about whether the request was
    taken, and is not repeated in a message.
    """
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    code = str(data.get("error") or "")
    if response.status_code == 429 or code in ("ratelimited", "rate_limited"):
        asked = {name.lower(): str(value) for name, value in response.headers.items()}.get("retry-after", "")
        wait = int(asked) if re.fullmatch("[0-9]{1,6}", asked) else _USUAL_WAIT
        return wait, SlackError(f"Slack asks to wait {wait} seconds; the next run goes on.", "ratelimited")
    if response.status_code >= 500 or _CODE.fullmatch(code) is None or code in _UNSURE:
        return None, SlackError(f"Slack answered {response.status_code}, and whether it took the request is not known.")
    if code == "missing_scope":
        return None, AccessDenied(f"Slack asks for the scope {data.get('needed')}; add it to the app and install it again.")
    if code in _DENIED:
        return None, AccessDenied(f"Slack does not take the token ({code}); set NIGHTSHIFT_SLACK_TOKEN anew.")
    hint = "; invite the bot into the channel" if code in ("not_in_channel", "channel_not_found") else ""
    return None, SlackError(f"Slack refused ({code}){hint}.", code)


def quiet_logger() -> Any:
    """A logger that says nothing: what the SDK would log holds requests and answers."""
    import logging

    found = logging.getLogger("nightshift.slack")
    found.disabled = True
    return found
