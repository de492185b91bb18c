"""Whether stated chances came true: of weeks for which a chance was stated, in how many the new size was exceeded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_EDGES_PCT = (1.0, 2.0, 5.0, 10.0)
_LABELS = ("under 1 %", "1 to 2 %", "2 to 5 %", "5 to 10 %", "10 % and more")
_Z = 1.959963984540054
"""Of a normal distribution: 95 % lie within so many standard deviations."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One applied change: the chance that was stated for each week (percent), the weeks that were watched since, and in how many
    of them some sample exceeded the new size."""

    stated_pct: float
    weeks: int
    exceeded: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Changes whose stated chances are alike. ``stated_pct`` is the mean of the stated chances over the weeks; the interval is
    that of the share of weeks, in percent. Without a week all three are None."""

    label: str
    changes: int
    weeks: int
    exceeded: int
    stated_pct: float | None
    low_pct: float | None
    high_pct: float | None

    @property
    def exceeded_pct(self) -> float | None:
        """The share of weeks in which something exceeded, in percent."""
        return 100 * self.exceeded / self.weeks if self.weeks else None


def calibrate(watched: Iterable[Watched]) -> tuple[Bucket, ...]:
    """The changes by stated chance, in the order of chances; a bucket without changes is left out."""
    found: dict[int, list[Watched]] = {}
    for each in watched:
        found.setdefault(sum(each.stated_pct >= edge for edge in _EDGES_PCT), []).append(each)
    return tuple(_bucket(_LABELS[place], members) for place, members in sorted(found.items()))


def _bucket(label: str, members: list[Watched]) -> Bucket:
    weeks, exceeded = sum(each.weeks for each in members), sum(each.exceeded for each in members)
    low, high = wilson(exceeded, weeks) or (None, None)
    stated = math.fsum(each.stated_pct * each.weeks for each in members) / weeks if weeks else None
    return Bucket(label, len(members), weeks, exceeded, stated, low, high)


def wilson(hits: int, trials: int) -> tuple[float, float] | None:
    """95 % interval of a share in percent (Wilson 1927), None without a trial. Unlike the textbook's interval it is right for few
    trials and small shares, and of nothing seen it promises nothing."""
    if trials == 0:
        return None
    share = hits / trials
    middle = share + _Z**2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    low, high = ((middle + side * half) / (1 + _Z**2 / trials) for side in (-1, 1))
    # At both ends the bound is exact; a sum of floats need not be.
    return (0.0 if hits == 0 else 100 * low, 100.0 if hits == trials else 100 * high)


def calibration_sentences(buckets: Iterable[Bucket]) -> tuple[str, ...]:
    """What the buckets say, a sentence for each in which weeks were watched."""
    return tuple(_sentence(bucket) for bucket in buckets if bucket.weeks)


def _sentence(bucket: Bucket) -> str:
    stated, low, high = bucket.stated_pct or 0.0, bucket.low_pct or 0.0, bucket.high_pct or 0.0
    if low > stated:
        judged = "more often than was stated"
    elif high < stated:
        judged = "less often than was stated"
    else:
        judged = "which does not contradict it"
    weeks = "1 week" if bucket.weeks == 1 else f"{bucket.weeks:,} weeks"
    return (
        f"Where a chance of {bucket.label} a week was stated ({stated:.1f} % on average), {bucket.exceeded:,} of {weeks} "
        f"had a sample that exceeded the new size (95 % interval {low:.1f} to {high:.1f} %), {judged}."
    )
