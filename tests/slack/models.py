"""What a workspace keeps: people, channels, groups, apps and what was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Block = dict[str, Any]

SCOPES = frozenset(
    {"chat:write", "channels:history", "channels:read", "users:read", "users:read.email", "usergroups:read"}
)  # fmt: skip
"""What the token of a bot may do unless a test takes something away."""


@dataclass
class User:
    """A person or the user of a bot. ``team_id`` is another workspace's for a guest from outside."""

    id: str
    name: str
    email: str | None
    team_id: str
    real_name: str
    is_bot: bool = False
    is_restricted: bool = False
    deleted: bool = False


@dataclass
class App:
    """An app with its bot. Without a Messages tab (a setting of the app) it cannot write to anybody directly."""

    id: str
    name: str
    bot_id: str
    bot_user: User
    has_messages_tab: bool = True


@dataclass
class Token:
    """A token of an app: for its bot (``xoxb-``) or for itself (``xapp-``). ``state`` is active or the error that it gives."""

    value: str
    app: App
    scopes: set[str]
    state: str = "active"

    @property
    def kind(self) -> str:
        return "app" if self.value.startswith("xapp-") else "bot"


@dataclass
class Message:
    """A message of a channel, by a person or (``app``) by an app. ``edited`` is when it was last changed, as a ts."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Block]
    at: datetime
    app: App | None = None
    metadata: dict[str, Any] | None = None
    thread_ts: str | None = None
    is_broadcast: bool = False
    edited: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Emoji → who reacted with it."""
    pinned: tuple[str, int] | None = None
    """Who pinned it, and when, in seconds since 1970."""
    is_tombstone: bool = False
    """Whether it was deleted and stands only for the thread below it."""
    changes: int = 0
    """How often it was updated, with the same content or another."""

    @property
    def action_ids(self) -> list[str]:
        """The actions that a person can take on it, in order."""
        return [element["action_id"] for _, element in actions_of(self.blocks)]


@dataclass(frozen=True)
class Ephemeral:
    """A message that only one person sees."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Block]


@dataclass
class Channel:
    """A channel, public or private, or (``is_direct``) the direct messages of its members, with what was said in it by ts."""

    id: str
    name: str
    created: datetime
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_archived: bool = False
    is_direct: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the scopes for it begin with: im between two, mpim among several."""
        if self.is_direct:
            return "im" if self.is_im else "mpim"
        return "groups" if self.is_private else "channels"

    @property
    def is_im(self) -> bool:
        return self.is_direct and len(self.members) == 2

    def replies(self, ts: str) -> list[Message]:
        """What was said in the thread below a message, the oldest first."""
        return [each for each in self.messages.values() if each.thread_ts == ts]


@dataclass
class Group:
    """A user group."""

    id: str
    handle: str
    users: list[str]
    is_disabled: bool = False


@dataclass
class View:
    """A modal that is open before a person. ``errors`` is what it shows beneath its inputs, by block_id."""

    id: str
    user: str
    app: App
    content: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Block]:
        """The input blocks by block_id."""
        return {block["block_id"]: block for block in self.content["blocks"] if block["type"] == "input"}


def actions_of(blocks: list[Block]) -> list[tuple[Block, dict[str, Any]]]:
    """The elements that a person can act on, each with the block that it is in."""
    found = []
    for block in blocks:
        elements = [*block.get("elements", ()), *(block[name] for name in ("accessory", "element") if name in block)]
        found += [(block, element) for element in elements if "action_id" in element]
    return found
