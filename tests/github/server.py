"""The fake GitHub over real HTTP, laid out like an enterprise server: REST below ``/api/v3``, GraphQL at ``/api/graphql``."""

from __future__ import annotations

import select
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.github.faults import Faults
from tests.github.hub import Hub, Logged
from tests.github.models import App, Repository, Token
from tests.github.people import People
from tests.github.routing import Request

PERMISSIONS = {"contents": "write", "pull_requests": "write", "issues": "write", "members": "read", "deployments": "read"}
PREFIXES = {"/api/v3/": "/", "/api/graphql": "/graphql", "/api/_codeload/": "/_codeload/"}


class GitHubServer:
    """GitHub on a port of this machine while the context lasts.

    ``now`` says the time; without it a second passes at each request and at each act of a person.
    """

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._hub = Hub(now)
        self._sockets = _Server(self._hub)
        self._thread = threading.Thread(target=self._sockets.serve_forever, args=(0.02,), name="github")
        root = f"http://127.0.0.1:{self._sockets.server_port}"
        self.url = f"{root}/api/v3"
        self._hub.views.api, self._hub.views.web = self.url, root

    def __enter__(self) -> GitHubServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._sockets.shutdown()
        self._thread.join()
        self._sockets.close_connections()
        self._sockets.server_close()

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
    def knows_state_reason(self) -> bool:
        """Whether the server says and takes why an issue was closed, which old ones do not."""
        return self._hub.views.knows_state_reason

    @knows_state_reason.setter
    def knows_state_reason(self, known: bool) -> None:
        self._hub.views.knows_state_reason = known

    def writes(self) -> list[Logged]:
        """The writes that reached a handler, whatever the client heard of it."""
        return [each for each in self.log if each.is_write and each.reached]

    def now(self) -> datetime:
        return self._hub.clock()

    def add_token(self, token: str, login: str, expires_at: datetime | None = None) -> None:
        """Makes a personal token known."""
        with self._hub.lock:
            self._hub.tokens[token] = Token(self._hub.user(login), expires_at)

    def revoke_token(self, token: str) -> None:
        with self._hub.lock:
            del self._hub.tokens[token]

    def spend(self, token: str, count: int) -> None:
        """Counts requests against the hour of a token's account, so that a test need not send thousands."""
        with self._hub.lock:
            self._hub.limits.spend(self._hub.tokens[token].account, count, self._hub.clock())

    def add_app(
        self,
        app_id: int,
        slug: str,
        public_key_pem: str,
        installation_id: int,
        *,
        owner: str = "acme",
        permissions: Mapping[str, str] | None = None,
        repositories: tuple[str, ...] | None = None,
    ) -> None:
        """Makes an app known that is installed for all repositories of an owner, or for some."""
        with self._hub.lock:
            self._hub.user(owner, "Organization")
            self._hub.user(f"{slug}[bot]", "Bot")
            granted = {"metadata": "read", **(PERMISSIONS if permissions is None else permissions)}
            self._hub.apps[app_id] = App(app_id, slug, public_key_pem, installation_id, owner, granted, repositories)

    def create_repository(
        self,
        full_name: str,
        files: Mapping[str, bytes] | None = None,
        default_branch: str = "main",
        modes: Mapping[str, str] | None = None,
        login: str = "founder",
    ) -> People:
        """Makes a repository of an organization with one commit."""
        owner, _, name = full_name.partition("/")
        with self._hub.lock:
            organization = self._hub.user(owner, "Organization")
            repository = Repository(self._hub.numbers.next(), organization, name, default_branch, self._hub.clock())
            self._hub.repositories[full_name] = repository
        people = self.people(full_name)
        people.push(login, default_branch, files or {"README.md": b"# Read me\n"}, "Initial commit", modes=modes)
        return people

    def people(self, full_name: str) -> People:
        """The people around a repository."""
        return People(self._hub, full_name)


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
    server_version, sys_version = "github.com", ""
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Nothing is printed; what came is in the server's log."""

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        prefix = next((each for each in PREFIXES if path == each or (each[-1] == "/" and path.startswith(each))), None)
        known = path if prefix is None else PREFIXES[prefix] + path[len(prefix) :]
        outcome = self.server.hub.handle(Request(self.command, known, query, self.headers, body))  # type: ignore[arg-type]
        if outcome.kind == "hang":
            # Until the client has enough, or the server closes.
            select.select([self.connection, self.server.closing], [], [])
        if outcome.kind != "answer":
            self.close_connection = True
            return
        content = outcome.answer.body()
        self.send_response(outcome.answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **outcome.answer.headers}
        if outcome.answer.status not in (204, 304):
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + content)
        self.flush_headers()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815 - the names that the base class looks for
