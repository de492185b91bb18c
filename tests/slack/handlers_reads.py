"""What can be read: channels with what was said in them, users and user groups."""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal

from tests.slack import shapes
from tests.slack.answers import Answer, Refusal, invalid_arguments, ok
from tests.slack.arguments import flag, text, whole
from tests.slack.handlers_direct import channel_shape
from tests.slack.methods import Call, method

PAGE, LARGEST_PAGE = 100, 999
KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


@method(
    "conversations.history",
    required={"channel": text},
    optional={
        "cursor": text,
        "inclusive": flag,
        "include_all_metadata": flag,
        "latest": text,
        "limit": whole,
        "oldest": text,
    },
)
def history(call: Call) -> Answer:
    """Newest first; replies in threads are not among them."""
    channel = call.channel("history")
    if call.bot not in channel.members:
        raise Refusal("not_in_channel")
    size = call.get("limit", PAGE)
    if not 1 <= size <= LARGEST_PAGE:
        raise invalid_arguments("must be a number from 1 to 999 [json-pointer:/limit]")
    oldest, latest = _moment(call, "oldest"), _moment(call, "latest")
    edges = {oldest, latest} if call.get("inclusive", False) else set()
    first = _read_cursor(call["cursor"]) if call.get("cursor") else None
    found = []
    for each in reversed(channel.messages.values()):
        at = Decimal(each.ts)
        is_after = oldest is None or at > oldest or at in edges
        is_before = latest is None or at < latest or at in edges
        if is_after and is_before and (first is None or at <= first) and (not each.thread_ts or each.is_broadcast):
            found.append(each)
    page, rest = found[:size], found[size:]
    answer = {
        "messages": [
            shapes.message(each, with_metadata=call.get("include_all_metadata", False), replies=len(channel.replies(each.ts)))
            for each in page
        ],
        "has_more": bool(rest),
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if rest:
        answer["response_metadata"] = {"next_cursor": base64.b64encode(f"next_ts:{rest[0].ts}".encode()).decode()}
    return ok(**answer)


@method(
    "conversations.replies",
    required={"channel": text, "ts": text},
    optional={"cursor": text, "inclusive": flag, "include_all_metadata": flag, "latest": text, "limit": whole, "oldest": text},
)
def replies(call: Call) -> Answer:
    """The root of a thread and its replies, the oldest first."""
    channel = call.channel("history")
    if call.bot not in channel.members:
        raise Refusal("not_in_channel")
    root = channel.messages.get(call["ts"])
    if root is None:
        raise Refusal("thread_not_found")
    below = channel.replies(root.ts)
    first = int(_read_cursor(call["cursor"])) if call.get("cursor") else 0
    size = call.get("limit", PAGE)
    page, is_more = below[first : first + size], first + size < len(below)
    shown = [shapes.message(root, with_metadata=False, replies=len(below)), *(shapes.message(each) for each in page)]
    answer = {"messages": shown, "has_more": is_more}
    if is_more:
        following = base64.b64encode(f"next_ts:{first + size}.000000".encode()).decode()
        answer["response_metadata"] = {"next_cursor": following}
    return ok(**answer)


@method("conversations.list", optional={"cursor": text, "exclude_archived": flag, "limit": whole, "types": text})
def channels(call: Call) -> Answer:
    """Public channels, and private ones and direct messages that the bot is in."""
    kinds = call.get("types", "public_channel").split(",")
    if not {*kinds} <= {*KINDS}:
        raise Refusal("invalid_types")
    for kind in kinds:
        call.need(f"{KINDS[kind]}:read")
    wanted = {KINDS[kind] for kind in kinds}
    found = [
        each
        for each in call.workspace.channels.values()
        if each.kind in wanted and (not each.is_private or call.bot in each.members)
    ]
    first = int(_read_cursor(call["cursor"])) if call.get("cursor") else 0
    size = call.get("limit", PAGE)
    answer = {"channels": [channel_shape(call, each) for each in found[first : first + size]]}
    if first + size < len(found):
        following = base64.b64encode(f"next_ts:{first + size}.000000".encode()).decode()
        answer["response_metadata"] = {"next_cursor": following}
    return ok(**answer)


@method("pins.list", scope="pins:read", required={"channel": text})
def pins(call: Call) -> Answer:
    channel = call.channel()
    if call.bot not in channel.members:
        raise Refusal("not_in_channel")
    found = [each for each in channel.messages.values() if each.pinned]
    return ok(
        items=[
            {
                "type": "message",
                "channel": channel.id,
                "created": each.pinned[1],
                "created_by": each.pinned[0],
                "message": {**shapes.message(each), "permalink": ""},
            }
            for each in found
            if each.pinned
        ]
    )


def _moment(call: Call, name: str) -> Decimal | None:
    given = call.get(name)
    if given in (None, ""):
        return None
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
        raise Refusal(f"invalid_ts_{name}")
    return Decimal(given)


def _read_cursor(cursor: str) -> Decimal:
    try:
        found = re.fullmatch(r"next_ts:([0-9]+\.[0-9]{6})", base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        found = None
    if found is None:
        raise Refusal("invalid_cursor")
    return Decimal(found[1])


@method("conversations.info", required={"channel": text}, optional={"include_locale": flag, "include_num_members": flag})
def channel_info(call: Call) -> Answer:
    channel = call.channel("read")
    shape = channel_shape(call, channel)
    if call.get("include_num_members", False):
        shape["num_members"] = len(channel.members)
    return ok(channel=shape)


@method("users.info", scope="users:read", required={"user": text}, optional={"include_locale": flag})
def user_info(call: Call) -> Answer:
    """A user, who may have been deactivated; with the e-mail only where the token may see it."""
    found = call.workspace.users.get(call["user"])
    if found is None:
        raise Refusal("user_not_found")
    return ok(user=shapes.user(found, with_email="users:read.email" in call.token.scopes))


@method("users.lookupByEmail", scope="users:read.email", required={"email": text})
def user_of_email(call: Call) -> Answer:
    for each in call.workspace.users.values():
        if each.email and each.email.lower() == call["email"].lower() and not each.deleted:
            return ok(user=shapes.user(each, with_email=True))
    raise Refusal("users_not_found")


@method("usergroups.users.list", scope="usergroups:read", required={"usergroup": text}, optional={"include_disabled": flag})
def users_of_group(call: Call) -> Answer:
    found = call.workspace.groups.get(call["usergroup"])
    if found is None or (found.is_disabled and not call.get("include_disabled", False)):
        raise Refusal("no_such_subteam")
    return ok(users=[*found.users])
