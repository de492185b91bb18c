"""Messages: posting, changing and linking to them."""

from __future__ import annotations

from typing import Any

from tests.slack import shapes
from tests.slack.answers import Answer, Refusal, ok
from tests.slack.arguments import flag, structure, text
from tests.slack.blocks import check_message_blocks, complete
from tests.slack.checks import length
from tests.slack.methods import Call, method
from tests.slack.models import Block, Channel, Ephemeral, Message
from tests.slack.workspace import DOMAIN

POSTED, UPDATED = 40_000, 4_000
"""Characters that a text may have when it is posted, and when it replaces another."""

METADATA = 8_000

CONTENT = {"text": text, "blocks": structure("invalid_blocks_format")}
FORMAT = {"parse": text, "link_names": flag}
LINKS = {"unfurl_links": flag, "unfurl_media": flag, "mrkdwn": flag}


@method(
    "chat.postMessage",
    scope="chat:write",
    required={"channel": text},
    optional={
        **CONTENT,
        **FORMAT,
        **LINKS,
        "thread_ts": text,
        "reply_broadcast": flag,
        "metadata": structure("invalid_metadata_format"),
    },
)
def post_message(call: Call) -> Answer:
    channel = channel_to_write(call)
    words, blocks = read_content(call, call.arguments, POSTED)
    metadata = read_metadata(call.get("metadata"))
    if "thread_ts" in call and call["thread_ts"] not in channel.messages:
        raise Refusal("thread_not_found")
    call.workspace.post_limit.take(channel.id, call.now)
    message = call.workspace.say(
        Message(
            call.workspace.new_ts(),
            channel.id,
            call.bot,
            words,
            blocks,
            call.now,
            call.app,
            metadata,
            call.get("thread_ts"),
            call.get("reply_broadcast", False),
        )
    )
    return ok(channel=channel.id, ts=message.ts, message=shapes.message(message))


@method(
    "chat.update",
    scope="chat:write",
    required={"channel": text, "ts": text},
    optional={**CONTENT, **FORMAT, "as_user": flag, "metadata": structure("invalid_metadata_format")},
)
def update(call: Call) -> Answer:
    channel = call.channel()
    message = channel.messages.get(call["ts"])
    if message is None:
        raise Refusal("message_not_found")
    if message.app is not call.app:
        raise Refusal("cant_update_message")
    if channel.is_archived:
        raise Refusal("is_inactive")
    window = call.workspace.edit_window
    if window is not None and call.now - message.at > window:
        raise Refusal("edit_window_closed")
    words, blocks = read_content(call, call.arguments, UPDATED)
    metadata = read_metadata(call.get("metadata"))
    # Without blocks the earlier ones are gone. The mark of an edit is shown only for a text.
    message.text, message.blocks = words, blocks
    if not blocks:
        message.edited = call.workspace.new_ts()
    if "metadata" in call:
        message.metadata = metadata
    message.changes += 1
    return ok(channel=channel.id, ts=message.ts, text=message.text, message=shapes.message(message))


@method(
    "chat.postEphemeral",
    scope="chat:write",
    required={"channel": text, "user": text},
    optional={**CONTENT, **FORMAT, "thread_ts": text},
)
def post_ephemeral(call: Call) -> Answer:
    channel = channel_to_write(call)
    if call["user"] not in channel.members or call.workspace.users[call["user"]].deleted:
        raise Refusal("user_not_in_channel")
    words, blocks = read_content(call, call.arguments, POSTED)
    ts = call.workspace.new_ts()
    call.workspace.ephemerals.append(Ephemeral(ts, channel.id, call["user"], words, blocks))
    return ok(message_ts=ts)


@method("chat.getPermalink", required={"channel": text, "message_ts": text})
def get_permalink(call: Call) -> Answer:
    channel = call.channel()
    message = channel.messages.get(call["message_ts"])
    if message is None:
        raise Refusal("message_not_found")
    link = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return ok(channel=channel.id, permalink=link)


def channel_to_write(call: Call) -> Channel:
    """The channel whose identifier or name is given, if the bot may write there. A user's identifier stands for the direct
    messages with him, which are opened where there were none; that he was deactivated does not matter here."""
    given = call["channel"]
    if given in call.workspace.users:
        if call.workspace.users[given].is_bot:
            raise Refusal("cannot_dm_bot")
        given = call.workspace.open_direct(call.bot, [given]).id
    channels = call.workspace.channels
    named = (each for each in channels.values() if each.name == given.removeprefix("#") and not each.is_direct)
    found = channels.get(given) or next(named, None)
    is_member = found is not None and call.bot in found.members
    if found is None or (found.is_private and not is_member):
        raise Refusal("channel_not_found")
    if found.is_im and not call.app.has_messages_tab:
        raise Refusal("messages_tab_disabled")
    if found.is_archived:
        raise Refusal("is_archived")
    if not is_member and "chat:write.public" not in call.token.scopes:
        raise Refusal("not_in_channel")
    return found


def read_content(call: Call, given: dict[str, Any], maximum: int) -> tuple[str, list[Block]]:
    """The text and the blocks of a message; one of them must be there."""
    words, blocks = given.get("text", ""), given.get("blocks", [])
    check_message_blocks(blocks)
    if not blocks and not words.strip():
        raise Refusal("no_text")
    if len(words) > maximum:
        raise Refusal("msg_too_long")
    return words, complete(blocks, call.workspace.new_block_id)


def read_metadata(given: Any) -> dict[str, Any] | None:
    """The metadata of a message. An empty object stands for none."""
    if given is None or given == {}:
        return None
    if not isinstance(given, dict) or {*given} != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    kind, payload = given["event_type"], given["event_payload"]
    if not isinstance(kind, str) or not kind.strip() or not isinstance(payload, dict):
        raise Refusal("invalid_metadata_format")
    if not all(isinstance(each, str | int | float | bool) for each in payload.values()):
        raise Refusal("invalid_metadata_format")
    if length(given) > METADATA:
        raise Refusal("metadata_too_large")
    return given
