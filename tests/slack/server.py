"""The fake Slack: one workspace behind the Web API and Socket Mode, while the context lasts."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from types import TracebackType

from tests.slack.clock import Clock, Now
from tests.slack.faults import Faults
from tests.slack.http_server import HttpServer
from tests.slack.models import SCOPES, App, Ephemeral, Message, View
from tests.slack.people import People
from tests.slack.request_url import RequestUrl
from tests.slack.response_urls import Response, ResponseUrls
from tests.slack.socket_mode import PATIENCE, SocketMode
from tests.slack.web_api import WebApi
from tests.slack.workspace import TEAM, Logged, Workspace

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-nightshift", "xapp-nightshift", "8f742231b10e8888abcd99yyyzzz85a5"


class SlackServer:
    """Slack on two ports of this machine, with one app installed. ``clock`` says the time; the usual one stands still."""

    bot_token, app_token, signing_secret = BOT_TOKEN, APP_TOKEN, SIGNING_SECRET

    def __init__(self, clock: Now | None = None) -> None:
        self.clock = clock or Clock()
        self.workspace = Workspace(self.clock)
        self.faults = Faults()
        self._response_urls = ResponseUrls(self.workspace)
        self.people = People(self.workspace, self._response_urls)
        self._api = WebApi(self.workspace, self.faults, self._response_urls)
        self.socket = SocketMode(self.workspace, lambda: self._api.is_out)
        self._http = HttpServer(self._api.handle, self._complain)
        root = f"http://127.0.0.1:{self._http.server_port}"
        self.url, self._response_urls.root = f"{root}/api/", root
        self.app = self.workspace.add_app("nightshift")
        self.workspace.add_token(BOT_TOKEN, self.app, SCOPES)
        self.workspace.add_token(APP_TOKEN, self.app, {"connections:write"})

    def __enter__(self) -> SlackServer:
        self._http.start()
        self.socket.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._http.stop()
        self.socket.stop()

    def _complain(self, problem: BaseException) -> None:
        with self.workspace.lock:
            self.workspace.unexpected.append("".join(traceback.format_exception(problem)))

    @property
    def bot(self) -> str:
        """The user of the app's bot."""
        return self.app.bot_user.id

    @property
    def log(self) -> list[Logged]:
        """Every request that came, in order."""
        with self.workspace.lock:
            return [*self.workspace.log]

    @property
    def unexpected(self) -> list[str]:
        """What this server does not know, and answers to people that Slack would not understand; a test asserts that there is
        nothing."""
        return self.workspace.unexpected

    def requests(self, method: str) -> list[Logged]:
        """The requests of a method, in order."""
        return [each for each in self.log if each.method == method]

    def wait_for_requests(self, method: str, count: int = 1, *, timeout: float = PATIENCE) -> list[Logged]:
        """The requests of a method, once so many have come."""
        with self.workspace.changed:
            came = self.workspace.changed.wait_for(lambda: len(self.requests(method)) >= count, timeout)
            assert came, f"There were no {count} requests of {method} within {timeout:g} seconds"
            return self.requests(method)

    @property
    def posts(self) -> int:
        """How many messages the app's posts have made, whatever it heard of them."""
        return sum(each.reached and each.error is None for each in self.requests("chat.postMessage"))

    def messages(self, channel: str) -> list[Message]:
        """What stands in a channel, the oldest first."""
        with self.workspace.lock:
            return [*self.workspace.channels[channel].messages.values()]

    def message(self, channel: str, ts: str) -> Message:
        with self.workspace.lock:
            return self.workspace.message(channel, ts)

    def direct(self, user: str, app: App | None = None) -> str:
        """The channel of the direct messages of a person and an app's bot, which is opened where there is none: as when the
        person opens the app's Messages tab."""
        with self.workspace.lock:
            return self.workspace.open_direct((app or self.app).bot_user.id, [user]).id

    def direct_messages(self, user: str, app: App | None = None) -> list[Message]:
        """What a person and an app's bot wrote to each other, the oldest first."""
        with self.workspace.lock:
            found = self.workspace.find_direct({(app or self.app).bot_user.id, user})
            return [*found.messages.values()] if found else []

    def ephemerals(self, user: str) -> list[Ephemeral]:
        """What only one person sees, the oldest first."""
        with self.workspace.lock:
            return [each for each in self.workspace.ephemerals if each.user == user]

    @property
    def responses(self) -> list[Response]:
        """What was posted to response URLs and taken, in order."""
        with self.workspace.lock:
            return [*self._response_urls.responses]

    @property
    def views(self) -> list[View]:
        """The modals that are open, the oldest first."""
        with self.workspace.lock:
            return [*self.workspace.views.values()]

    def request_url(self, url: str, timeout: float = 10) -> RequestUrl:
        """The app's own address, for interactions over HTTP."""
        return RequestUrl(self.workspace, url, SIGNING_SECRET, timeout)

    def add_user(
        self, name: str, email: str | None = None, *, team_id: str = TEAM, real_name: str | None = None, is_bot: bool = False
    ) -> str:
        """Makes a person known, and says the identifier. Another ``team_id`` is a guest's from outside."""
        with self.workspace.lock:
            return self.workspace.add_user(name, email, team_id=team_id, real_name=real_name, is_bot=is_bot).id

    def add_channel(self, name: str, members: Iterable[str] = (), *, with_bot: bool = True, is_private: bool = False) -> str:
        """Makes a channel, and says its identifier."""
        with self.workspace.lock:
            everybody = {*members, *([self.bot] if with_bot else [])}
            return self.workspace.add_channel(name, everybody, is_private=is_private).id

    def add_group(self, handle: str, users: Iterable[str] = ()) -> str:
        """Makes a user group, and says its identifier."""
        with self.workspace.lock:
            return self.workspace.add_group(handle, users).id

    def add_app(self, name: str, bot_token: str) -> App:
        """Installs another app, which may do what the first one may."""
        with self.workspace.lock:
            app = self.workspace.add_app(name)
            self.workspace.add_token(bot_token, app, SCOPES)
            return app

    def set_scopes(self, *, add: Iterable[str] = (), remove: Iterable[str] = (), token: str = BOT_TOKEN) -> None:
        """Gives scopes to a token, and takes others away."""
        with self.workspace.lock:
            scopes = self.workspace.tokens[token].scopes
            scopes |= {*add}
            scopes -= {*remove}

    def end_token(self, error: str = "account_inactive", token: str = BOT_TOKEN) -> None:
        """Makes a token be refused from now on: with account_inactive, token_revoked or token_expired."""
        assert error in ("account_inactive", "token_revoked", "token_expired"), error
        with self.workspace.lock:
            self.workspace.tokens[token].state = error

    def limit_posts(self) -> None:
        """Allows one message a second in each channel from now on, by the workspace's clock."""
        with self.workspace.lock:
            self.workspace.post_limit.is_on = True

    def begin_outage(self) -> None:
        """Drops the connections of Socket Mode, and answers nothing until ``end_outage``."""
        with self.workspace.lock:
            self._api.is_out = True
        self.socket.drop_all()

    def end_outage(self) -> None:
        with self.workspace.lock:
            self._api.is_out = False
