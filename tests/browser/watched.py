"""Pages whose every complaint and request is noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Request, Route, WebSocketRoute

LOCAL = ("file", "data", "blob", "about")


@dataclass
class Watch:
    """What went wrong in a browser context; ``origins`` are the servers that may be asked, such as http://127.0.0.1:3000."""

    origins: tuple[str, ...] = ()
    console: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """From now on, notes what pages of ``context`` do, and keeps them from asking anybody but ``origins``."""
        context.on("console", lambda message: self.console.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self.raised.append(str(error.error)))
        context.on("requestfailed", self._failed)
        context.route(self._is_outside, self._refuse)
        context.route_web_socket(self._is_outside, self._refuse_socket)

    def assert_quiet(self) -> None:
        """Nothing on the console, nothing raised, every request answered, and none to the outside."""
        found = {
            "asked the outside": self.outside,
            "raised": self.raised,
            "wrote errors to the console": self.console,
            "asked in vain": self.failed,
        }
        told = [f"{what}: {'; '.join(dict.fromkeys(entries))}" for what, entries in found.items() if entries]
        assert not told, "A page " + "\nand ".join(told)

    def _is_outside(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in LOCAL and f"{parts.scheme}://{parts.netloc}" not in self._allowed()

    def _allowed(self) -> set[str]:
        """The origins, and their web sockets."""
        return {*self.origins, *(origin.replace("http", "ws", 1) for origin in self.origins)}

    def _refuse(self, route: Route) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def _refuse_socket(self, socket: WebSocketRoute) -> None:
        self.outside.append(socket.url)
        socket.close()

    def _failed(self, request: Request) -> None:
        # A page that is left, or a search that is typed on, gives up what it had asked for.
        if request.failure != "net::ERR_ABORTED" and not self._is_outside(request.url):
            self.failed.append(f"{request.url} ({request.failure})")
