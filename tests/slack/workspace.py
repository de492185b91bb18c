"""The state of a workspace, with the one lock around it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.slack.clock import Now
from tests.slack.limits import PostLimit
from tests.slack.models import App, Channel, Ephemeral, Group, Message, Token, User, View
from tests.slack.triggers import Triggers

TEAM, DOMAIN = "T0NIGHT001", "acme"
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Logged:
    """A request that came, without its token. ``status`` is what the client was told, 0 where it heard nothing; ``error`` is
    what went wrong with the work, and ``reached`` whether there was any."""

    method: str
    params: dict[str, Any]
    status: int
    error: str | None
    reached: bool
    at: datetime
    fault: str | None = None


class Workspace:
    """All that is in a workspace. Whoever looks at it or changes it holds ``lock``."""

    def __init__(self, clock: Now) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.clock = clock
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}
        self.ephemerals: list[Ephemeral] = []
        self.views: dict[str, View] = {}
        self.triggers = Triggers(clock)
        self.post_limit = PostLimit()
        self.edit_window: timedelta | None = None
        self.tickets: dict[str, App] = {}
        self.socket_url = ""
        self.log: list[Logged] = []
        self.unexpected: list[str] = []
        self._numbers = itertools.count(1)
        self._last_ts = EPOCH

    def new_id(self, prefix: str) -> str:
        """An identifier that was never given before."""
        return f"{prefix}0NIGHT{next(self._numbers):05d}"

    def new_block_id(self) -> str:
        return f"b{next(self._numbers):04x}"

    def new_ts(self) -> str:
        """The present moment as a ts, a little later than the one before."""
        self._last_ts = max(self.clock.now(), self._last_ts + MICROSECOND)
        micros = (self._last_ts - EPOCH) // MICROSECOND
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def add_user(
        self, name: str, email: str | None, *, team_id: str = TEAM, real_name: str | None = None, is_bot: bool = False
    ) -> User:
        user = User(self.new_id("U"), name, email, team_id, real_name or name.capitalize(), is_bot)
        self.users[user.id] = user
        return user

    def add_app(self, name: str) -> App:
        app = App(self.new_id("A"), name, self.new_id("B"), self.add_user(name, None, is_bot=True))
        self.apps[app.id] = app
        return app

    def add_token(self, value: str, app: App, scopes: Iterable[str]) -> Token:
        assert value.startswith(("xoxb-", "xapp-")), "A token begins with xoxb- or xapp-"
        self.tokens[value] = Token(value, app, {*scopes})
        return self.tokens[value]

    def add_channel(self, name: str, members: Iterable[str], *, is_private: bool = False) -> Channel:
        assert name not in {each.name for each in self.channels.values()}, f"There is a channel {name}"
        channel = Channel(self.new_id("C"), name, self.clock.now(), {*members}, is_private)
        assert channel.members <= {*self.users}, channel.members - {*self.users}
        self.channels[channel.id] = channel
        return channel

    def find_direct(self, members: set[str]) -> Channel | None:
        """The direct messages of exactly these people and bots, if there were any yet."""
        return next((each for each in self.channels.values() if each.is_direct and each.members == members), None)

    def open_direct(self, bot: str, users: Iterable[str]) -> Channel:
        """The direct messages of a bot and some people: those that there are, or new ones."""
        members = {bot, *users}
        found = self.find_direct(members)
        if found is None:
            is_im = len(members) == 2
            names = "--".join(self.users[each].name for each in (bot, *users))
            name = "directmessage" if is_im else f"mpdm-{names}-1"
            found = Channel(self.new_id("D" if is_im else "C"), name, self.clock.now(), members, True, is_direct=True)
            self.channels[found.id] = found
        return found

    def add_group(self, handle: str, users: Iterable[str]) -> Group:
        group = Group(self.new_id("S"), handle, [*users])
        assert {*group.users} <= {*self.users}, group.users
        self.groups[group.id] = group
        return group

    def say(self, message: Message) -> Message:
        """Puts a message into its channel."""
        self.channels[message.channel].messages[message.ts] = message
        return message

    def message(self, channel: str, ts: str) -> Message:
        """A message that is there."""
        found = self.channels[channel].messages.get(ts)
        assert found, f"There is no message {ts} in {channel}"
        return found

    def view(self, view_id: str) -> View:
        """A view that is open."""
        assert view_id in self.views, f"The view {view_id} is not open"
        return self.views[view_id]

    def close_views(self, root_id: str) -> None:
        """Closes a modal with all that were opened over it."""
        self.views = {key: view for key, view in self.views.items() if view.root_id != root_id}
