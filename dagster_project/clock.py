"""The only module that reads the wall clock.

Everything else is a function of its partition day, so that running a day again gives the same bytes. What may
ask here: which day is the newest, whether a sample claims to come from the future, how long a step took, and how long a limit
asks to wait.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What waits and paces itself by the clock. This module is one; tests give another that passes at once."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, for durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present UTC day, which is not over yet."""
    return now().date()


def newest_complete_day() -> date:
    """The last UTC day that is over: what a nightly run works on unless told otherwise."""
    return today() - timedelta(days=1)


def monotonic() -> float:
    """Seconds from an arbitrary start, for durations."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Waits; the only place that does."""
    time.sleep(seconds)


@dataclass(frozen=True)
class MovedClock:
    """A clock that showed another moment when it was made, and goes on from there: the demo's present."""

    began_at: datetime
    made_at: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The moment in UTC that it is there."""
        return self.began_at + timedelta(seconds=time.monotonic() - self.made_at)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)
