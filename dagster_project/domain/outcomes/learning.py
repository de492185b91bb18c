"""How much more capacity a service is given after what became of its changes: its headroom.

A regret raises it by a step, at once. A change that was fine for as long as it is watched lowers it by a smaller step, unless the
service had a regret in that time. Ten changes that one emergency spoke against taught one thing, not ten: a service changes by
one step a day, and what was learned from once counts no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dagster_project.domain.outcomes.model import (
    EMERGENCY,
    EXCEEDED,
    FINE,
    WATCHED_DAYS,
    HeadroomChange,
    Outcome,
)


@dataclass(frozen=True, slots=True)
class LearningRules:
    """Bounds and steps, in percent of the demand."""

    min_headroom_pct: float = 0
    max_headroom_pct: float = 50
    headroom_step_pct: float = 20
    headroom_release_pct: float = 5

    def within(self, headroom_pct: float) -> float:
        """A headroom within the bounds: settings may have changed since it was learned."""
        return min(max(headroom_pct, self.min_headroom_pct), self.max_headroom_pct)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a day taught: changes of headroom in the order of services, and the regrets and successes, by resource and source,
    that count no more."""

    changes: tuple[HeadroomChange, ...] = ()
    regrets: tuple[tuple[str, str], ...] = ()
    successes: tuple[tuple[str, str], ...] = ()


def learn(
    outcomes: Iterable[Outcome],
    headrooms: Mapping[str, HeadroomChange],
    counted_regrets: Iterable[tuple[str, str]],
    counted_successes: Iterable[tuple[str, str]],
    last_regrets: Mapping[str, date],
    day: date,
    rules: LearningRules,
) -> Learned:
    """What the outcomes of a day teach that was not learned before, whatever their order.

    ``headrooms`` holds the last change of each service, ``last_regrets`` the last day by which a regret of each was learned
    from. A service that has changed on the day already learns the rest tomorrow. A resource without a service teaches nothing,
    and neither does a rollback.
    """
    known = set(counted_regrets), set(counted_successes)
    by_service: dict[str, tuple[list[Outcome], list[Outcome]]] = {}
    for outcome in sorted(outcomes, key=lambda each: each.change.key):
        service = outcome.change.service
        if service is None or outcome.change.is_rollback:
            continue
        regrets, successes = by_service.setdefault(service, ([], []))
        if outcome.regret and outcome.change.key not in known[0]:
            regrets.append(outcome)
        elif outcome.check_28 == FINE and outcome.change.key not in known[1]:
            successes.append(outcome)
    learned: list[tuple[HeadroomChange | None, list[Outcome], list[Outcome]]] = []
    for service, (regrets, successes) in sorted(by_service.items()):
        last = headrooms.get(service)
        if last is None or last.changed_on < day:
            present = rules.within(last.headroom_pct if last else rules.min_headroom_pct)
            change = _changed(service, present, regrets, successes, last_regrets.get(service), day, rules)
            learned.append((change, regrets, successes))
    return Learned(
        changes=tuple(change for change, _, _ in learned if change is not None),
        regrets=tuple(each.change.key for _, regrets, _ in learned for each in regrets),
        successes=tuple(each.change.key for _, _, successes in learned for each in successes),
    )


def _changed(
    service: str,
    present: float,
    regrets: Sequence[Outcome],
    successes: Sequence[Outcome],
    last_regret: date | None,
    day: date,
    rules: LearningRules,
) -> HeadroomChange | None:
    """The change of one service; None where its headroom stays."""
    is_calm = last_regret is None or (day - last_regret).days >= WATCHED_DAYS
    if regrets:
        new, why = rules.within(present + rules.headroom_step_pct), _told(regrets, regret_sentence)
    elif successes and is_calm:
        new, why = rules.within(present - rules.headroom_release_pct), _told(successes, _success_sentence)
    else:
        return None
    return HeadroomChange(service, day, new, present, why) if new != present else None


def _told(outcomes: Sequence[Outcome], sentence: Callable[[Outcome], str]) -> str:
    more = f" (and {len(outcomes) - 1} more)" if len(outcomes) > 1 else ""
    return f"{sentence(outcomes[0])}{more}"


def regret_sentence(outcome: Outcome) -> str:
    """Why a change is regretted: "m5.xlarge of i-1 was followed by an emergency scale-up on 2025-03-11"."""
    what = f"{outcome.change.value_after} of {outcome.change.resource_id}"
    if outcome.regret_reason == EMERGENCY:
        return f"{what} was followed by an emergency scale-up on {outcome.regret_on}"
    if outcome.regret_reason == EXCEEDED:
        count = outcome.exceeded_samples or 0
        samples = "one sample" if count == 1 else f"{count:,} samples"
        return f"{what} was full in {samples}, first on {outcome.regret_on}"
    return f"{what} was taken back on {outcome.regret_on}"


def _success_sentence(outcome: Outcome) -> str:
    return f"{outcome.change.value_after} of {outcome.change.resource_id} has done for {WATCHED_DAYS} days"
