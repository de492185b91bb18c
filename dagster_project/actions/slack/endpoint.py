"""Where Slack's clicks come in: Socket Mode, or an HTTP endpoint whose requests must carry Slack's signature.

Both hand a payload to one function, acknowledge with what it gives, and then do what it leaves to be done.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs

from slack_sdk.errors import SlackClientError

from dagster_project import clock
from dagster_project.connections.slack import Slack, quiet_logger
from dagster_project.errors import AccessDenied, NightshiftError, SlackError

PATH = "/slack/interactions"
_LONGEST_BODY = 1_000_000
_READ_SECONDS = 10
_POLL_SECONDS = 0.05
"""How often it is looked whether to stop."""
_PING_SECONDS = 1
_LONGEST_PAUSE = 60.0
"""Seconds between two attempts to connect again."""
_NUMBER = re.compile(r"[0-9]{1,15}")


class Reply(Protocol):
    """What to acknowledge with, and what is left to be done after it."""

    @property
    def response(self) -> Mapping[str, Any] | None: ...

    @property
    def after(self) -> Callable[[], None]: ...


Interact = Callable[[Mapping[str, Any]], Reply]
Note = Callable[[str], None]


class SocketListener:
    """Socket Mode: a websocket that Slack sends clicks over. Slack's own client keeps it connected."""

    def __init__(self, slack: Slack, app_token: str, interact: Interact, note: Note) -> None:
        from slack_sdk.socket_mode.builtin.client import SocketModeClient

        self._slack, self._app_token, self._interact, self._note = slack, app_token, interact, note
        self._stopping = threading.Event()
        self._attempts, self._why = 0, ""
        # A connection that ends without a word is noticed after five pings; with the SDK's own pause nobody would be heard for
        # half a minute.
        self._client: Any = SocketModeClient(
            app_token=app_token,
            web_client=slack.client,
            logger=quiet_logger(),
            ping_interval=_PING_SECONDS,
            on_message_listeners=[self._is_heard],
        )
        # The SDK's own way asks once a second while Slack is away, and sleeps through a limit whoever wants to stop it.
        self._client.issue_new_wss_url = self._address
        self._client.socket_mode_request_listeners.append(self._heard)

    def start(self) -> None:
        """Connects. Raises ``AccessDenied`` or ``SlackError`` where Slack does not let it."""
        try:
            self._client.connect()
            if not self.is_connected:  # the SDK says nothing where only the websocket is refused
                raise SlackError("Slack opens no websocket; start the listener again later.")
        except NightshiftError:
            self.stop()
            raise

    @property
    def is_connected(self) -> bool:
        """Whether the websocket is up at this moment."""
        return bool(self._client.is_connected())

    def stop(self) -> None:
        """Disconnects, after what is being worked on was acknowledged and done. What comes meanwhile is not taken."""
        client = self._client
        self._stopping.set()
        # Not while the client replaces its connection: it would keep the new one.
        with client.connect_operation_lock:
            client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
            client.closed = True
        client.enqueue_message("")  # it looks up
        if client.message_processor.is_alive():
            client.message_processor.shutdown()
        client.message_workers.shutdown()
        self._end_reading()
        for _ in range(2):
            try:
                client.close()
                return
            except (AttributeError, SlackClientError, OSError):
                continue  # two of its threads ended the connection at once; there is none any more
        self._note("The connection to Slack did not end as it should.")

    def _end_reading(self) -> None:
        """The client closes its connection only once something comes, or after three seconds; and a connection that is closed
        between being found and being read is read for ever."""
        reader = self._client.current_session_runner
        reader.event.set()  # finds none any more
        connection = getattr(self._client.current_session, "sock", None)
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        while reader.is_alive():
            self._client.current_session_state.terminated = True  # one that is begun at this moment takes it back
            reader.thread.join(_POLL_SECONDS)

    def _address(self) -> str:
        """Where to connect to. After an attempt that led to nothing the next one waits, longer each time."""
        if self._attempts == 1:
            self._note(f"The connection to Slack is lost, and tried again until it is back. {self._why}")
        if self._attempts:
            self._stopping.wait(_pause_after(self._attempts))
        if self._stopping.is_set():
            raise SlackError("The listener is being stopped.")
        self._attempts, self._why = self._attempts + 1, "Slack opened no websocket."
        try:
            return self._slack.socket_address(self._app_token)
        except AccessDenied:
            self._why = "Slack does not take the app-level token; set NIGHTSHIFT_SLACK_APP_TOKEN anew."
            raise AccessDenied(self._why) from None
        except SlackError as error:
            self._why = str(error)
            raise

    def _is_heard(self, message: str) -> None:
        if self._attempts > 1:
            self._note("The connection to Slack is back.")
        self._attempts = 0

    def _heard(self, client: Any, request: Any) -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        if request.type != "interactive":
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
            return
        try:
            reply = self._interact(request.payload)
        except Exception as error:  # not acknowledged: Slack shows the person that it did not work
            self._note(f"A click could not be worked on ({_reason(error)}); whoever clicked sees that it failed.")
            return
        try:
            payload = dict(reply.response) if reply.response is not None else None
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
        except (SlackClientError, OSError) as error:
            self._note(f"A click was taken and could not be acknowledged ({type(error).__name__}).")
        _do(reply, self._note)


class HttpListener:
    """An HTTP endpoint for Slack's clicks. Requests without Slack's signature, or with an old one, are refused unread."""

    def __init__(self, host: str, port: int, signing_secret: str, interact: Interact, note: Note, at: clock.Clock) -> None:
        from slack_sdk.signature import SignatureVerifier

        class _Now:
            def now(self) -> float:
                return at.now().timestamp()

        verifier = SignatureVerifier(signing_secret, clock=_Now())  # type: ignore[arg-type]

        class Handler(BaseHTTPRequestHandler):
            timeout = _READ_SECONDS
            server_version, sys_version = "nightshift", ""

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not _NUMBER.fullmatch(length):
                    return self._answer(413 if length.isdecimal() else 411)
                if int(length) > _LONGEST_BODY:
                    return self._answer(413)
                body = self.rfile.read(int(length))
                stamp, signature = (self.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
                if not _NUMBER.fullmatch(stamp) or not verifier.is_valid(body.decode("utf-8", "replace"), stamp, signature):
                    return self._answer(401)
                if self.path != PATH:
                    return self._answer(404)
                payload = _payload(body)
                if payload is None:
                    return self._answer(400)
                try:
                    reply = interact(payload)
                except Exception as error:
                    note(f"A click could not be worked on ({_reason(error)}); whoever clicked sees that it failed.")
                    return self._answer(500)
                try:
                    self._answer(200, reply.response)
                except OSError as error:
                    note(f"A click was taken and could not be acknowledged ({type(error).__name__}).")
                _do(reply, note)
                return None

            def _answer(self, status: int, response: Mapping[str, Any] | None = None) -> None:
                data = json.dumps(response).encode() if response is not None else b""
                self.close_connection = True
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            def log_message(self, format: str, *args: object) -> None:
                return  # requests hold names

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = False
            block_on_close = True

            def handle_error(self, request: object, client_address: object) -> None:
                return  # somebody went away in the middle, or sent what is no HTTP

        self._server = Server((host, port), Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def serve(self) -> None:
        """Answers until ``stop`` is called from another thread."""
        self._server.serve_forever(_POLL_SECONDS)

    def stop(self) -> None:
        """Stops, after what is being worked on. ``serve`` must have been called, or be about to."""
        self._server.shutdown()
        self._server.server_close()


def _pause_after(attempts: int) -> float:
    """Seconds between two attempts to connect."""
    return min(2.0 ** (attempts - 1), _LONGEST_PAUSE)


def _payload(body: bytes) -> Mapping[str, Any] | None:
    """The interaction that a form holds; None where it holds none."""
    try:
        found = json.loads(parse_qs(body.decode())["payload"][0])
    except (ValueError, KeyError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reason(error: Exception) -> str:
    """What went wrong: in words where they are ours, for other errors may quote what they stumbled over."""
    return str(error) if isinstance(error, NightshiftError) else type(error).__name__


def _do(reply: Reply, note: Note) -> None:
    try:
        reply.after()
    except Exception as error:
        note(f"What follows a click failed ({_reason(error)}); the next run brings Slack up to date.")
