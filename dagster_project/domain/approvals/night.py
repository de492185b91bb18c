"""What a night does with approval requests: what should be asked is compared with what is asked.

The same question is not asked twice, and a number that moved is no news to somebody who was asked: a request is revised only
where what would be done has changed, or its evidence has changed materially. Resources that are new join a request only while
nobody has answered it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dagster_project.domain.approvals.model import EXECUTING, PENDING, AskedChange, Plan, PlanKey, Request, plan_of
from dagster_project.domain.proposals.memory import is_material


@dataclass(frozen=True, slots=True)
class Standing:
    """A live request. ``confirmed_on`` is the last night whose evidence spoke for it."""

    request: Request
    confirmed_on: date


@dataclass(frozen=True, slots=True)
class Open:
    """A plan that is asked for."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class ReviseTo:
    """A request whose plan is another one by now, and why."""

    request: Request
    plan: Plan
    why: str


@dataclass(frozen=True, slots=True)
class Drop:
    """A request that nothing speaks for any more, and why."""

    request: Request
    why: str


@dataclass(frozen=True, slots=True)
class Keep:
    """A request that stays as it is."""

    request: Request
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Later:
    """Changes that are not asked for tonight, and why."""

    plan: Plan
    why: str


Action = Open | ReviseTo | Drop | Keep | Later


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is asked: resources in a request, requests that wait, new ones of a night; days for which a request may be without
    evidence."""

    max_changes: int
    max_open: int
    max_new: int
    stale_days: int


def reconcile(
    wanted: Mapping[PlanKey, Mapping[str, AskedChange]],
    standing: Sequence[Standing],
    against: Callable[[str], str | None],
    day: date,
    bounds: Bounds,
) -> list[Action]:
    """What a night does, requests that stand first.

    ``wanted`` are tonight's changes by key and resource; ``against`` says for a resource what speaks against it in words, or None
    where there was not enough evidence to say anything.
    """
    actions: list[Action] = []
    taken: set[str] = set()
    free = {key: dict(changes) for key, changes in wanted.items()}
    for each in sorted(standing, key=lambda each: (each.request.opened_at, each.request.request_id)):
        key = each.request.plan.key
        action = _of_standing(each, free.get(key, {}), against, day, bounds)
        actions.append(action)
        kept = action.plan if isinstance(action, ReviseTo) else each.request.plan
        if not isinstance(action, Drop):
            taken |= set(kept.resource_ids)
    waiting = sum(not isinstance(action, Drop) for action in actions)
    busy = {each.request.plan.key for each in standing}
    full = {each.request.plan.key for each in standing if len(each.request.plan.changes) >= bounds.max_changes}
    new = 0
    for key in sorted(free, key=lambda key: (-_worth(free[key]), key.digest)):
        changes = {name: change for name, change in free[key].items() if name not in taken}
        if not changes:
            continue
        chosen, rest = _split(changes, bounds.max_changes)
        at_a_time = f"{bounds.max_changes} resources are asked for at a time"
        if key in full:
            actions.append(Later(plan_of(key, changes), at_a_time))
        elif key in busy:
            actions.append(Later(plan_of(key, changes), "another request of its service, owner and risk is not over yet"))
        elif waiting >= bounds.max_open:
            actions.append(Later(plan_of(key, changes), f"{waiting} requests wait already"))
        elif new >= bounds.max_new:
            actions.append(Later(plan_of(key, changes), f"{new} requests were opened tonight already"))
        else:
            actions.append(Open(plan_of(key, chosen)))
            waiting, new = waiting + 1, new + 1
            if rest:
                actions.append(Later(plan_of(key, rest), at_a_time))
    return actions


def _of_standing(
    each: Standing,
    now: Mapping[str, AskedChange],
    against: Callable[[str], str | None],
    day: date,
    bounds: Bounds,
) -> Action:
    request = each.request
    if request.state == EXECUTING:
        return Keep(request, is_confirmed=False)
    kept: dict[str, AskedChange] = {}
    news: list[str] = []
    is_confirmed = True
    is_stale = day - each.confirmed_on > timedelta(days=bounds.stale_days)
    for change in request.plan.changes:
        current, name = now.get(change.resource_id), change.resource_id
        if current is not None:
            is_same = (current.attribute, current.before, current.after) == (change.attribute, change.before, change.after)
            if is_same and not is_material(change.evidence, current.evidence):
                kept[name] = change
            else:
                kept[name] = current
                news.append(f"the evidence of {name} changed" if is_same else f"{name} is to become {current.after} now")
            continue
        is_confirmed = False
        said = against(name)
        if said is None and not is_stale:
            kept[name] = change
        else:
            news.append(f"{name} is out: {said or 'there was not enough evidence for days'}")
    if not kept:
        return Drop(request, "; ".join(news))
    if request.state == PENDING and not request.approvals:
        room = bounds.max_changes - len(kept)
        joining, _ = _split({name: change for name, change in now.items() if name not in kept}, room)
        news += [f"{name} joins" for name in sorted(joining)]
        kept |= joining
    if news:
        return ReviseTo(request, plan_of(request.plan.key, kept), "; ".join(news))
    return Keep(request, is_confirmed)


def _split(changes: Mapping[str, AskedChange], room: int) -> tuple[dict[str, AskedChange], dict[str, AskedChange]]:
    """The changes that save most, as many as there is room for, and the others."""
    ranked = sorted(changes.values(), key=lambda change: (-change.savings_usd_month, change.resource_id))
    first = {change.resource_id: change for change in ranked[: max(0, room)]}
    return first, {name: change for name, change in changes.items() if name not in first}


def _worth(changes: Mapping[str, AskedChange]) -> float:
    return sum(change.savings_usd_month for change in changes.values())
