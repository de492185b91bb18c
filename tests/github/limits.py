"""GitHub's limits on how much one account may ask, counted by the clock that the test gives."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

PRIMARY = 5000
PRIMARY_WINDOW = timedelta(hours=1)
SECONDARY = ((timedelta(minutes=1), 80), (timedelta(hours=1), 500))


@dataclass
class Bucket:
    """The requests of an account since its hour began."""

    resource: str
    reset_at: datetime
    used: int = 0

    @property
    def is_empty(self) -> bool:
        return self.used >= PRIMARY

    def headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(PRIMARY),
            "x-ratelimit-remaining": str(max(PRIMARY - self.used, 0)),
            "x-ratelimit-reset": str(int(self.reset_at.timestamp())),
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-resource": self.resource,
        }


class Limits:
    """The counts of every account."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._writes: dict[str, deque[datetime]] = {}

    def bucket(self, account: str, resource: str, now: datetime) -> Bucket:
        bucket = self._buckets.get((account, resource))
        if bucket is None or now >= bucket.reset_at:
            bucket = self._buckets[account, resource] = Bucket(resource, now + PRIMARY_WINDOW)
        return bucket

    def spend(self, account: str, count: int, now: datetime, resource: str = "core") -> None:
        """Counts requests that nobody sent."""
        self.bucket(account, resource, now).used += count

    def take_write(self, account: str, now: datetime) -> bool:
        """Counts a write, unless there were too many lately."""
        writes = self._writes.setdefault(account, deque())
        while writes and writes[0] <= now - SECONDARY[-1][0]:
            writes.popleft()
        if any(sum(at > now - window for at in writes) >= most for window, most in SECONDARY):
            return False
        writes.append(now)
        return True
