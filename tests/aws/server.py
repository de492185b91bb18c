"""The strict AWS over real HTTP."""

from __future__ import annotations

import select
import socket
import sys
import threading
import traceback
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.aws.accounts import AccountHandle
from tests.aws.backend import REGION
from tests.aws.dials import Dials
from tests.aws.faults import Faults
from tests.aws.history import History
from tests.aws.hub import Hub, Logged
from tests.aws.metrics import Metrics
from tests.aws.place import State
from tests.aws.sessions import ACCOUNT, KEY, SECRET
from tests.aws.wire import Json, Request
from tests.aws.world import World


class AwsServer:
    """AWS on a port of this machine while the context lasts. ``world`` is a region of the account of the key; there are as many
    more accounts and regions as a test asks for."""

    region, key, secret = REGION, KEY, SECRET

    def __init__(self) -> None:
        self._hub = Hub()
        self._sockets = _Server(self._hub)
        self._thread = threading.Thread(target=self._sockets.serve_forever, args=(0.02,), name="aws")
        self.url = f"http://127.0.0.1:{self._sockets.server_port}"
        self.world = World(self._hub, ACCOUNT, REGION)

    def __enter__(self) -> AwsServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._sockets.shutdown()
        self._thread.join()
        self._sockets.close_connections()
        self._sockets.server_close()

    def reset(self) -> None:
        """Empties all accounts, forgets faults and the log, and sets the dials back."""
        self._hub.reset()

    def account(self, number: str, role: str = "nightshift", external_id: str | None = None) -> AccountHandle:
        """An account with a role that the key may assume."""
        world = World(self._hub, number, REGION)
        return AccountHandle(self._hub, number, world.role(role, external_id), external_id)

    def in_account(self, account: str, region: str = REGION) -> World:
        """A region of an account, from within."""
        return World(self._hub, account, region)

    def enable(self, *regions: str) -> None:
        """The only regions that accounts have from now on, but for those of which something else is said."""
        with self._hub.lock:
            self._hub.accounts.enable(None, regions)

    def allow(self, actions: Collection[str]) -> None:
        """The only actions that may be done from now on, as IAM names them, but for accounts of which something else is said."""
        with self._hub.lock:
            self._hub.accounts.allow(None, actions)

    def of(self, kind: type[State]) -> State:
        """What a module keeps that is the same for all accounts."""
        return self._hub.kept.of(kind)

    @property
    def dials(self) -> Dials:
        """How long changes take, and what does not work."""
        return self._hub.dials

    @property
    def history(self) -> History:
        """What AWS remembers of alarms, scaling activities and calls in ``world``."""
        return self._hub.place(ACCOUNT, REGION).history

    @property
    def metrics(self) -> Metrics:
        """CloudWatch's metrics in ``world``."""
        return self.world.metrics

    @property
    def faults(self) -> Faults:
        return self._hub.faults

    @property
    def log(self) -> list[Logged]:
        """Every request that came, in order."""
        with self._hub.lock:
            return [*self._hub.log]

    @property
    def unexpected(self) -> list[str]:
        """Requests that this server does not know; a test asserts that there were none."""
        return self._hub.unexpected

    @property
    def writes(self) -> list[str]:
        """The operations that changed something, in order, whatever the client heard of them."""
        return [each.operation for each in self.log if each.is_change]

    @property
    def secrets(self) -> set[str]:
        """All that must not be told: secrets and tokens that were given to anybody."""
        return {*self._hub.sessions.secrets, *self._hub.sessions.principals}

    def asked(self, operation: str) -> list[Json]:
        """The parameters of each request for an operation."""
        return [each.parameters for each in self.log if each.operation == operation]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.closing, self._wake = socket.socketpair()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Ends what is still open, so that no thread waits for a client."""
        self._wake.close()
        with self._guard:
            for each in self._connections:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # The client was first.

    def server_close(self) -> None:
        super().server_close()
        self.closing.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error; anything else is said in ``unexpected``."""
        if not isinstance(sys.exception(), ConnectionError):
            with self.hub.lock:
                self.hub.unexpected.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "AmazonEC2", ""
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Nothing is printed; what came is in the server's log."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        outcome = self.server.hub.handle(Request(self.headers, body, self.command, self.path))  # type: ignore[arg-type]
        if outcome.kind == "hang":
            # Until the client has enough, or the server closes.
            select.select([self.connection, self.server.closing], [], [])
        if outcome.kind != "answer":
            self.close_connection = True
            return
        self.send_response(outcome.answer.status)
        self.send_header("Content-Type", outcome.answer.content_type)
        for name, value in outcome.answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(outcome.answer.body)))
        self._headers_buffer.append(b"\r\n" + outcome.answer.body)
        self.flush_headers()

    do_POST = do_GET = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for
