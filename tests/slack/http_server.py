"""HTTP on a port of this machine, which ends at once when a test does."""

from __future__ import annotations

import select
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.slack.web_api import Outcome, Request

PATIENCE = 30.0
"""Seconds after which even a client that waits for ever is let go."""


class HttpServer(ThreadingHTTPServer):
    """Serves what a function says becomes of each request."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, handle: Callable[[Request], Outcome], complain: Callable[[BaseException], None]) -> None:
        self.handle, self._complain = handle, complain
        self.closing, self._wake = socket.socketpair()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="slack")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends what is still open, so that no thread waits for a client."""
        self.shutdown()
        self._thread.join()
        self._wake.close()
        with self._guard:
            for each in self._connections:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # The client was first.
        self.server_close()
        self.closing.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error."""
        problem = sys.exception()
        if problem is not None and not isinstance(problem, ConnectionError):
            self._complain(problem)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Apache", ""
    disable_nagle_algorithm = True
    server: HttpServer

    def log_message(self, *_: object) -> None:
        """Nothing is printed; what came is in the workspace's log."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        outcome = self.server.handle(Request(path, self.headers, body))  # type: ignore[arg-type]
        if outcome.kind == "hang":
            # Until the client has enough, or the server closes.
            select.select([self.connection, self.server.closing], [], [], PATIENCE)
        if outcome.kind in ("drop", "hang"):
            self.close_connection = True
            return
        content = outcome.answer.body()
        self.send_response(outcome.answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **outcome.answer.headers}
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        if outcome.kind == "cut":
            self.close_connection = True
            content = content[: len(content) // 2]
        self._headers_buffer.append(b"\r\n" + content)
        self.flush_headers()
