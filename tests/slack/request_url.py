"""The app's own address: where Slack posts what people did, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.slack.interactions import Interaction
from tests.slack.settlement import settle
from tests.slack.workspace import Workspace


@dataclass(frozen=True)
class AppAnswer:
    """What the app answered; status 0 where it did not."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class RequestUrl:
    """Delivers interactions to an address. ``timeout`` is in seconds of this machine."""

    def __init__(self, workspace: Workspace, url: str, secret: str, timeout: float = 10) -> None:
        self._workspace, self._url, self._secret, self._timeout = workspace, urlsplit(url), secret, timeout
        self._last: tuple[bytes, dict[str, str]] | None = None

    def send(
        self,
        interaction: Interaction,
        *,
        secret: str | None = None,
        age: float = 0,
        tampered: bool = False,
        unsigned: bool = False,
    ) -> AppAnswer:
        """Posts an interaction as Slack would; or signed with another secret, dated ``age`` seconds back, with a body that was
        changed after it was signed, or not signed at all."""
        body = urlencode({"payload": json.dumps(interaction.payload)}).encode()
        timestamp = str(int(self._workspace.clock.now().timestamp() - age))
        signature = sign(self._secret if secret is None else secret, timestamp, body)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
        }
        if not unsigned:
            headers |= {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        if tampered:
            changed = {**interaction.payload, "token": "tampered"}
            body = urlencode({"payload": json.dumps(changed)}).encode()
        self._last = body, headers
        since = self._workspace.clock.now()
        answer = self._post(body, headers)
        with self._workspace.lock:
            if answer.status != 200:
                interaction.outcome = "failed"
            else:
                settle(self._workspace, interaction, _read(answer.body), since)
        return answer

    def repeat(self) -> AppAnswer:
        """Posts the same bytes with the same headers once more, as somebody who listened in would."""
        assert self._last, "Nothing was sent yet"
        return self._post(*self._last)

    def _post(self, body: bytes, headers: dict[str, str]) -> AppAnswer:
        assert self._url.hostname
        connection = HTTPConnection(self._url.hostname, self._url.port, timeout=self._timeout)
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            response = connection.getresponse()
            return AppAnswer(response.status, response.read().decode(), dict(response.getheaders()))
        except (OSError, HTTPException):
            return AppAnswer(0)
        finally:
            connection.close()


def _read(body: str) -> Any:
    """The answer of a body: none, or JSON. What is no JSON is given back, to be refused."""
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        return body
