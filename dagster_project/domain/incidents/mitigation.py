"""How well kinds of mitigation worked in the incidents of one's own: no ranking that the numbers do not bear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from dagster_project.domain.incidents.statistics import describe
from dagster_project.domain.outcomes.calibration import wilson
from dagster_project.domain.survival import Durations

SECONDARY_MINUTES = 60
"""An incident of a service nearby that begins so soon after an action may be its doing."""
MIN_MEASURED = 6
"""Of so few values even the least and the greatest hold the median between them with 97 %; of five it is 94 %."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One kind of action that was taken in one incident. ``minutes``: from its first time to the mitigation, None where the
    mitigation is unknown or came before; ``is_followed``: another incident of a service nearby began within the hour after."""

    action_type: str
    incident_id: str
    minutes: float | None
    is_followed: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What one kind of action did. ``incidents``: in how many it was taken, ``measured``: of how many the time to mitigation is
    known; the interval of the median is None below ``MIN_MEASURED``. Shares are in percent, with their 95 % Wilson interval."""

    action_type: str
    incidents: int
    measured: int
    median_minutes: float | None
    low_minutes: float | None
    high_minutes: float | None
    followed: int
    followed_pct: float
    followed_low_pct: float
    followed_high_pct: float

    @property
    def sentence(self) -> str:
        """The effect in words."""
        of = f"{self.action_type} was taken in {_counted(self.incidents, 'incident')}"
        followed = (
            f"{self.followed} of them had another incident nearby within {SECONDARY_MINUTES} minutes "
            f"(95 % interval {self.followed_low_pct:.0f} to {self.followed_high_pct:.0f} %)"
        )
        return f"{of}; {self._time}; {followed}."

    @property
    def _time(self) -> str:
        if self.median_minutes is None:
            return "how long it took to the mitigation is not known of any"
        if self.measured == 1:
            return f"the one that is measured was mitigated {self.median_minutes:.0f} minutes later"
        half = f"in half of {self.measured} it was {self.median_minutes:.0f} minutes or less to the mitigation"
        if self.low_minutes is None or self.high_minutes is None:
            return f"{half} (too few for an interval)"
        interval = f"95 % interval {self.low_minutes:.0f} to {self.high_minutes:.0f}"
        return f"{half} ({interval})"


def effects(attempts: Iterable[Attempt]) -> tuple[Effect, ...]:
    """The effect of each kind of action by name: there is no order of merit."""
    by_type: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda each: (each.action_type, each.incident_id)):
        by_type.setdefault(attempt.action_type, []).append(attempt)
    return tuple(_effect(name, members) for name, members in by_type.items())


def told_apart(found: Sequence[Effect]) -> tuple[tuple[str, str], ...]:
    """Pairs (faster, slower) whose medians may be told apart: those whose intervals do not overlap. Of all other pairs nothing
    may be said."""
    sure = [each for each in found if each.low_minutes is not None and each.high_minutes is not None]
    pairs = []
    for one, other in combinations(sure, 2):
        faster, slower = sorted((one, other), key=lambda each: each.median_minutes or 0.0)
        if (faster.high_minutes or 0.0) < (slower.low_minutes or 0.0):
            pairs.append((faster.action_type, slower.action_type))
    return tuple(pairs)


def _effect(action_type: str, attempts: Sequence[Attempt]) -> Effect:
    minutes = [each.minutes for each in attempts if each.minutes is not None]
    described = describe(Durations.of(minutes), action_type)
    is_interval = len(minutes) >= MIN_MEASURED
    followed, count = sum(each.is_followed for each in attempts), len(attempts)
    low_pct, high_pct = wilson(followed, count) or (0.0, 100.0)
    return Effect(
        action_type=action_type,
        incidents=count,
        measured=len(minutes),
        median_minutes=described.median if minutes else None,
        low_minutes=described.low if is_interval else None,
        high_minutes=described.high if is_interval else None,
        followed=followed,
        followed_pct=100 * followed / count,
        followed_low_pct=low_pct,
        followed_high_pct=high_pct,
    )


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
