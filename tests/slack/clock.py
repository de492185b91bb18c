"""The workspace's time, which passes only when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

START = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)


class Now(Protocol):
    """What the workspace asks for the time."""

    def now(self) -> datetime: ...


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._at = start

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
