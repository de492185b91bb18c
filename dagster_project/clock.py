"""The only module that reads the wall clock.

Everything else is a function of its partition day, so that running a day again gives the same bytes. What may
ask here: which day is the newest, whether a sample claims to come from the future, and how long a step took.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta


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
