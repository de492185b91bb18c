"""Socket Mode: the websocket over which an app hears of interactions, and acknowledges them."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.slack.interactions import Interaction
from tests.slack.models import App
from tests.slack.settlement import settle
from tests.slack.workspace import Workspace

PATIENCE = 10.0
"""Seconds of this machine after which a wait is given up."""

SILENT = logging.getLogger("tests.slack.socket_mode")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


@dataclass(frozen=True)
class Ack:
    """An acknowledgement: which envelope, what came with it (None where nothing did), and over which link."""

    envelope_id: str
    payload: Any
    link: Link


class Link:
    """One connection of an app. ``number`` counts all that there ever were, from 1."""

    def __init__(self, connection: ServerConnection, app: App, number: int) -> None:
        self.app, self.number = app, number
        self._connection = connection

    def send(self, content: dict[str, Any]) -> None:
        self._connection.send(json.dumps(content))

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Says that the connection will end (or with ``warning``: in some seconds). It stays until it is closed or dropped."""
        assert reason in ("warning", "refresh_requested", "link_disabled"), reason
        self.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}})

    def close(self, code: int = 1000) -> None:
        """Closes the connection in good form."""
        self._connection.close(code)

    def drop(self) -> None:
        """Ends the connection without a word."""
        try:
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # The app was first.

    def ping(self) -> bool:
        """Whether the app answers a ping."""
        return self._connection.ping().wait(PATIENCE)


@dataclass
class _Envelope:
    interaction: Interaction
    sent_at: datetime
    attempts: int = 0


class SocketMode:
    """The socket's end at Slack. Interactions go to the youngest connection unless a test names another."""

    def __init__(self, workspace: Workspace, is_out: Callable[[], bool]) -> None:
        self.says_hello = True
        self.links: list[Link] = []
        self.acks: list[Ack] = []
        self._workspace, self._is_out = workspace, is_out
        self._changed = workspace.changed
        self._opened: list[Link] = []
        self._envelopes: dict[str, _Envelope] = {}
        self._server = serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._let_in,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_queue=None,
            logger=SILENT,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="slack-sockets")
        workspace.socket_url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link/"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.drop_all()
        self._server.shutdown()
        self._thread.join()

    def drop_all(self) -> None:
        """Ends all connections without a word."""
        with self._workspace.lock:
            links = [*self.links]
        for link in links:
            link.drop()

    @property
    def unacknowledged(self) -> list[str]:
        """The envelopes that no acknowledgement came for, in order."""
        with self._workspace.lock:
            known = {ack.envelope_id for ack in self.acks}
            return [each for each in self._envelopes if each not in known]

    def deliver(self, interaction: Interaction, *, times: int = 1, on: Link | None = None) -> str:
        """Sends an interaction, or the same envelope several times, and says the envelope's identifier."""
        envelope_id = self.lose(interaction)
        for _ in range(times):
            self._send(envelope_id, on, {})
        return envelope_id

    def lose(self, interaction: Interaction) -> str:
        """Makes an envelope that is not sent."""
        with self._workspace.lock:
            envelope_id = f"{len(self._envelopes) + 1:08x}-0000-4000-8000-000000000000"
            self._envelopes[envelope_id] = _Envelope(interaction, self._workspace.clock.now())
            return envelope_id

    def redeliver(self, envelope_id: str, *, on: Link | None = None, reason: str = "timeout") -> None:
        """Sends an envelope that was lost or not acknowledged once more, with the count of attempts."""
        assert envelope_id in self.unacknowledged, f"{envelope_id} was acknowledged"
        envelope = self._envelopes[envelope_id]
        envelope.attempts += 1
        envelope.sent_at = self._workspace.clock.now()
        self._send(envelope_id, on, {"retry_attempt": envelope.attempts, "retry_reason": reason})

    def _send(self, envelope_id: str, on: Link | None, retry: dict[str, Any]) -> None:
        with self._workspace.lock:
            assert on or self.links, "No app is connected"
            link = on or self.links[-1]
            payload = self._envelopes[envelope_id].interaction.payload
        content = {"envelope_id": envelope_id, "payload": payload, "type": "interactive", "accepts_response_payload": True}
        link.send({**content, **retry})

    def wait_for_ack(self, envelope_id: str, *, count: int = 1, timeout: float = PATIENCE) -> Ack:
        """The last of so many acknowledgements of an envelope."""
        self._wait(lambda: len(self._acks_of(envelope_id)) >= count, timeout, f"{count} acknowledgements of {envelope_id}")
        return self._acks_of(envelope_id)[count - 1]

    def wait_for_link(self, number: int = 1, *, timeout: float = PATIENCE) -> Link:
        """The connection of a number, which may still have to come: 1 is the first ever, 2 the first after it."""
        self._wait(lambda: len(self._opened) >= number, timeout, f"connection {number}")
        return self._opened[number - 1]

    def wait_until_gone(self, link: Link, *, timeout: float = PATIENCE) -> None:
        """Until a connection has ended."""
        self._wait(lambda: link not in self.links, timeout, f"the end of connection {link.number}")

    def _acks_of(self, envelope_id: str) -> list[Ack]:
        return [ack for ack in self.acks if ack.envelope_id == envelope_id]

    def _wait(self, is_so: Callable[[], bool], timeout: float, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, timeout), f"There was no {what} within {timeout:g} seconds"

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuses whoever has no ticket, or one that was used."""
        address = urlsplit(request.path)
        ticket = parse_qs(address.query).get("ticket", [""])[0]
        with self._workspace.lock:
            if self._is_out():
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "outage\n")
            app = self._workspace.tickets.pop(ticket, None)
            if app is None or address.path != "/link/":
                return connection.respond(HTTPStatus.FORBIDDEN, "invalid ticket\n")
            connection.app = app  # type: ignore[attr-defined]
        return None

    def _serve(self, connection: ServerConnection) -> None:
        with self._changed:
            link = Link(connection, connection.app, len(self._opened) + 1)  # type: ignore[attr-defined]
            self._opened.append(link)
            hello = {
                "type": "hello",
                "num_connections": len(self.links) + 1,
                "debug_info": {"host": "applink-1", "build_number": 100, "approximate_connection_time": 18060},
                "connection_info": {"app_id": link.app.id},
            }
        try:
            if self.says_hello:
                link.send(hello)
            with self._changed:
                self.links.append(link)
                self._changed.notify_all()
            for raw in connection:
                self._receive(link, raw)
        except ConnectionClosed:
            pass  # A connection may end in any way.
        finally:
            with self._changed:
                self.links = [each for each in self.links if each is not link]
                self._changed.notify_all()

    def _receive(self, link: Link, raw: str | bytes) -> None:
        try:
            content = json.loads(raw)
        except ValueError:
            content = None
        with self._changed:
            is_known = isinstance(content, dict) and content.get("envelope_id") in self._envelopes
            if not is_known or not {*content} <= {"envelope_id", "payload"}:
                self._workspace.unexpected.append(f"acknowledgement of nothing: {raw!r}")
                return
            envelope = self._envelopes[content["envelope_id"]]
            is_first = not self._acks_of(content["envelope_id"])
            self.acks.append(Ack(content["envelope_id"], content.get("payload"), link))
            if is_first:
                settle(self._workspace, envelope.interaction, content.get("payload"), envelope.sent_at)
            self._changed.notify_all()
