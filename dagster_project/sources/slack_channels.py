"""Which channel of Slack a name in an incident's record means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dagster_project.connections.slack import Slack
from dagster_project.errors import SlackError

_ID = re.compile(r"[CG][A-Z0-9]{6,}")
_ADDRESS = re.compile(r"https://[\w.-]+/(?:archives|client/T[A-Z0-9]+)/([CG][A-Z0-9]{6,})")
_PAGE = 200
_PAGES = 100


@dataclass(slots=True)
class ChannelIds:
    """Ids of channels by what people write: an id, an address, or a name with or without #. Names are listed once, if at all."""

    slack: Slack
    _ids: dict[str, str] = field(default_factory=dict)
    _is_listed: bool = False

    def of(self, channel: str) -> str:
        """The id of a channel. Raises ``SlackError`` (channel_not_found) where there is none of that name."""
        written = channel.strip()
        address = _ADDRESS.match(written)
        if address or _ID.fullmatch(written):
            return address[1] if address else written
        if not self._is_listed:
            # The newest of a name counts: an archived channel may have had it before.
            for each in self._channels():
                name = each["name"]
                if name not in self._ids or not each.get("is_archived"):
                    self._ids[name] = each["id"]
            self._is_listed = True
        name = written.removeprefix("#").lower()
        if name not in self._ids:
            missing = f"there is no channel {name} that the bot can see; invite it, or correct slack_channel."
            raise SlackError(missing, "channel_not_found")
        return self._ids[name]

    def _channels(self) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self.slack.read(
                lambda client, cursor=cursor: client.conversations_list(
                    types="public_channel,private_channel", limit=_PAGE, cursor=cursor
                )
            )
            yield from page["channels"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
