"""Direct messages: opening them with one person or several."""

from __future__ import annotations

from tests.slack import shapes
from tests.slack.answers import Answer, Refusal, ok
from tests.slack.arguments import flag, text
from tests.slack.methods import Call, method
from tests.slack.models import Channel

MOST = 8
WRITING = ("channels:write", "groups:write", "mpim:write", "im:write")


@method("conversations.open", optional={"channel": text, "users": text, "return_im": flag, "prevent_creation": flag})
def open_conversation(call: Call) -> Answer:
    """Direct messages that there are, or new ones. What ``prevent_creation`` answers where there are none is not documented:
    here it is ``channel_not_found``."""
    _need_any(call)
    if call.get("channel"):
        channel, is_open = _known(call), True
    else:
        users = _users(call)
        call.need("im:write" if len(users) == 1 else "mpim:write")
        found = call.workspace.find_direct({call.bot, *users})
        if found is None and call.get("prevent_creation", False):
            raise Refusal("channel_not_found")
        channel, is_open = found or call.workspace.open_direct(call.bot, users), found is not None
    shown = channel_shape(call, channel) if call.get("return_im", False) else {"id": channel.id}
    return ok(**({"no_op": True, "already_open": True} if is_open else {}), channel=shown)


def _need_any(call: Call) -> None:
    """Refuses a token that may open nothing at all with the scopes of every kind of channel, as Slack does."""
    if not call.token.scopes & {*WRITING, "channels:manage"}:
        raise Refusal("missing_scope", needed=",".join(WRITING), provided=",".join(sorted(call.token.scopes)))


def _known(call: Call) -> Channel:
    channel = call.channel()
    if not channel.is_direct:
        raise Refusal("method_not_supported_for_channel_type")
    call.need(f"{channel.kind}:write")
    return channel


def _users(call: Call) -> list[str]:
    """The users who are named, without the bot itself among several."""
    given = [*dict.fromkeys(each.strip() for each in call.get("users", "").split(",") if each.strip())]
    if not given:
        raise Refusal("users_list_not_supplied")
    if len(given) > MOST:
        raise Refusal("too_many_users")
    for each in given:
        user = call.workspace.users.get(each)
        if user is None:
            raise Refusal("user_not_found")
        if user.deleted:
            raise Refusal("user_disabled")
        if user.is_bot and len(given) == 1:
            raise Refusal("cannot_dm_bot")
    return [each for each in given if each != call.bot]


def channel_shape(call: Call, channel: Channel) -> shapes.Json:
    """A channel of any kind as the bot sees it."""
    if not channel.is_im:
        return shapes.channel(channel, call.bot)
    return shapes.direct(channel, call.workspace.users[next(iter(channel.members - {call.bot}))])
