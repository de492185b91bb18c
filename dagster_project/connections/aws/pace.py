"""How fast a region of an account is asked: as fast as it is needed until AWS asks to wait, then at a rate that AWS takes."""

from __future__ import annotations

import threading

from dagster_project.clock import Clock

_SLOWER = 0.8
"""What is left of a rate that was too high."""
_SETTLES_SECONDS = 1.0
"""Refusals within so long are one: they are of requests that were under way together."""
_GAIN = 2.0
"""Requests a second by which the rate grows with every second without a refusal."""
_SLOWEST = 0.5
_SHORTEST_SECONDS = 0.1


class Pace:
    """The rate of requests to one service, shared by all threads that ask it: additive increase, multiplicative decrease."""

    def __init__(self, at: Clock) -> None:
        self._at = at
        self._guard = threading.Lock()
        self._rate: float | None = None
        self._free_at = 0.0
        self._slowed_at = float("-inf")
        self._began_at = at.monotonic()
        self._sent = 0

    @property
    def rate(self) -> float | None:
        """Requests a second; None = AWS has not asked to wait yet."""
        return self._rate

    def wait(self) -> None:
        """Waits until the next request may be sent."""
        with self._guard:
            now = self._at.monotonic()
            self._sent += 1
            if self._rate is None:
                return
            turn = max(now, self._free_at)
            self._free_at = turn + 1 / self._rate
        if turn > now:
            self._at.sleep(turn - now)

    def refused(self) -> None:
        """AWS asked to wait."""
        with self._guard:
            now = self._at.monotonic()
            if now - self._slowed_at < _SETTLES_SECONDS:
                return
            if self._rate is None:
                self._rate = self._sent / max(_SHORTEST_SECONDS, now - self._began_at)
            self._rate = max(_SLOWEST, self._rate * _SLOWER)
            self._slowed_at = now

    def answered(self) -> None:
        """AWS answered."""
        with self._guard:
            if self._rate is not None:
                # Requests come at the rate, so that this adds up to the gain in a second.
                self._rate += _GAIN / self._rate
