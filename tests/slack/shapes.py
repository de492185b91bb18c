"""Users, channels, messages and views as Slack writes them."""

from __future__ import annotations

import copy
from typing import Any

from tests.slack.models import App, Channel, Message, User, View
from tests.slack.workspace import TEAM

Json = dict[str, Any]
IMAGES = tuple(f"image_{size}" for size in (24, 32, 48, 72, 192, 512))
UPDATED = 1_741_572_000


def user(each: User, *, with_email: bool) -> Json:
    """A user; of one who was deactivated little is told."""
    profile: Json = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": each.real_name,
        "real_name_normalized": each.real_name,
        "display_name": each.name,
        "display_name_normalized": each.name,
        "fields": None,
        "status_text": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": "g0000000000",
        "first_name": each.real_name.partition(" ")[0],
        "last_name": each.real_name.partition(" ")[2],
        **{name: f"https://secure.gravatar.com/avatar/{each.id}-{name}.png" for name in IMAGES},
        "status_text_canonical": "",
        "team": each.team_id,
    }
    if with_email and each.email:
        profile["email"] = each.email
    if each.is_bot:
        profile |= {"api_app_id": "", "always_active": True}
    found: Json = {
        "id": each.id,
        "team_id": each.team_id,
        "name": each.name,
        "deleted": each.deleted,
        "profile": profile,
        "is_bot": each.is_bot,
        "is_app_user": False,
        "updated": UPDATED,
    }
    if each.deleted:
        return found
    return {
        **found,
        "color": "9f69e7",
        "real_name": each.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": each.is_restricted,
        "is_ultra_restricted": False,
        "is_email_confirmed": not each.is_bot,
        "who_can_share_contact_card": "EVERYONE",
    }


def channel(each: Channel, member: str) -> Json:
    """A channel as a member, or one who is not, sees it."""
    nothing = {"value": "", "creator": "", "last_set": 0}
    return {
        "id": each.id,
        "name": each.name,
        "is_channel": not each.is_private,
        "is_group": each.is_private,
        "is_im": False,
        "is_mpim": each.kind == "mpim",
        "is_private": each.is_private,
        "created": int(each.created.timestamp()),
        "is_archived": each.is_archived,
        "is_general": False,
        "unlinked": 0,
        "name_normalized": each.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": TEAM,
        "updated": int(each.created.timestamp() * 1000),
        "creator": "USLACKBOT",
        "is_ext_shared": False,
        "shared_team_ids": [TEAM],
        "pending_connected_team_ids": [],
        "is_member": member in each.members,
        "topic": nothing,
        "purpose": nothing,
        "previous_names": [],
    }


def direct(each: Channel, other: User) -> Json:
    """The direct messages with a person."""
    latest = next(reversed(each.messages.values()), None)
    return {
        "id": each.id,
        "created": int(each.created.timestamp()),
        "is_archived": each.is_archived,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": TEAM,
        "user": other.id,
        "is_user_deleted": other.deleted,
        "last_read": "0000000000.000000",
        "latest": message(latest) if latest else None,
        "unread_count": 0,
        "unread_count_display": 0,
        "is_open": True,
        "priority": 0,
    }


def message(each: Message, *, with_metadata: bool = True, replies: int = 0) -> Json:
    """A message; ``replies`` is how many there are below it."""
    if each.is_tombstone:
        told = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT", "hidden": True}
        return {"type": "message", **told, "ts": each.ts, "thread_ts": each.ts, "reply_count": replies}
    found: Json = {"user": each.user, "type": "message", "ts": each.ts}
    if each.app:
        found |= {"bot_id": each.app.bot_id, "app_id": each.app.id, "bot_profile": bot_profile(each.app)}
    else:
        found |= {"client_msg_id": f"00000000-0000-4000-8000-{each.ts.replace('.', '')[-12:]}"}
    found |= {"text": each.text, "team": TEAM}
    if each.blocks:
        found["blocks"] = copy.deepcopy(each.blocks)
    if each.thread_ts:
        found["thread_ts"] = each.thread_ts
    elif replies:
        found |= {"thread_ts": each.ts, "reply_count": replies}
    if each.reactions:
        found["reactions"] = [{"name": name, "users": [*users], "count": len(users)} for name, users in each.reactions.items()]
    if each.pinned:
        found["pinned_to"] = [each.channel]
    if each.is_broadcast:
        found["subtype"] = "thread_broadcast"
    if each.edited:
        found["edited"] = {"user": each.user, "ts": each.edited}
    if with_metadata and each.metadata:
        found["metadata"] = copy.deepcopy(each.metadata)
    return found


def bot_profile(app: App) -> Json:
    icons = {name: f"https://a.slack-edge.com/80588/img/plugins/app/{name}.png" for name in ("image_36", "image_48", "image_72")}
    return {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.bot_user.id,
        "name": app.name,
        "icons": icons,
        "deleted": False,
        "updated": UPDATED,
        "team_id": TEAM,
    }


def view(each: View, values: Json | None = None) -> Json:
    """A view, with what a person put into it."""
    return {
        "id": each.id,
        "team_id": TEAM,
        **copy.deepcopy(each.content),
        "state": {"values": values or {}},
        "hash": each.hash,
        "previous_view_id": each.previous_id,
        "root_view_id": each.root_id,
        "app_id": each.app.id,
        "app_installed_team_id": TEAM,
        "bot_id": each.app.bot_id,
    }
