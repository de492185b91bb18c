"""The documented pace of posting: one message a second in a channel. It is off until a test asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from tests.slack.answers import ratelimited

PACE = timedelta(seconds=1)


class PostLimit:
    """When something was last posted in each channel."""

    def __init__(self) -> None:
        self.is_on = False
        self._last: dict[str, datetime] = {}

    def take(self, channel: str, now: datetime) -> None:
        """Counts a message, or refuses it where it comes too soon."""
        if self.is_on and channel in self._last and now - self._last[channel] < PACE:
            raise ratelimited(ceil((self._last[channel] + PACE - now).total_seconds()))
        self._last[channel] = now
