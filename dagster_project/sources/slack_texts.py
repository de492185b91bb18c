"""What a Slack message says, as plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

_REFERENCE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def plain(message: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    """The text of a message, with people by name and links written out. Robots often write in attachments only."""
    words = message.get("text") or "\n".join(filter(None, map(_attached, message.get("attachments") or ())))
    files = [str(each.get("name") or each.get("title") or "a file") for each in message.get("files") or ()]
    told = html.unescape(_REFERENCE.sub(lambda found: _reference(found[1], found[2], name_of), words)).strip()
    return "\n".join(filter(None, [told, *(f"[{name}]" for name in files)]))


def _reference(target: str, label: str | None, name_of: Callable[[str], str]) -> str:
    """What Slack writes between < and >: a person, a channel, a group, everybody, or a link."""
    if target.startswith("@"):
        return f"@{name_of(target[1:])}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return f"{label} ({target})" if label and label not in target else target


def _attached(attachment: Mapping[str, Any]) -> str:
    parts = (attachment.get("pretext"), attachment.get("title"), attachment.get("text"))
    return "\n".join(filter(None, parts)) or str(attachment.get("fallback") or "")
