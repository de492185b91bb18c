"""Trigger ids: leave to open one view before the person who acted, once and soon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.slack.answers import Refusal
from tests.slack.clock import Now

LIFE = timedelta(seconds=3)


@dataclass
class _Trigger:
    user: str
    until: datetime
    is_exchanged: bool = False


class Triggers:
    """The trigger ids that were given out."""

    def __init__(self, clock: Now) -> None:
        self._clock = clock
        self._triggers: dict[str, _Trigger] = {}

    def new(self, user: str) -> str:
        number = len(self._triggers) + 1
        trigger_id = f"{9_000_000_000 + number}.{4_700_000_000}.{number:032x}"
        self._triggers[trigger_id] = _Trigger(user, self._clock.now() + LIFE)
        return trigger_id

    def find(self, trigger_id: str) -> str:
        """Who acted, if the trigger may still be exchanged."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None or not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9a-f]+", trigger_id):
            raise Refusal("invalid_trigger_id")
        if trigger.is_exchanged:
            raise Refusal("exchanged_trigger_id")
        if self._clock.now() > trigger.until:
            raise Refusal("expired_trigger_id")
        return trigger.user

    def exchange(self, trigger_id: str) -> str:
        """Who acted; the trigger is used up."""
        user = self.find(trigger_id)
        self._triggers[trigger_id].is_exchanged = True
        return user
