"""Which saga a change is, and what is common to all: deadlines, and whether it may begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dagster_project.domain.applying import database, group_size, group_type, machine
from dagster_project.domain.applying.cloud import Cloud
from dagster_project.domain.applying.saga import (
    DATABASE,
    FORWARD,
    GROUP_SIZE,
    GROUP_TYPE,
    MACHINE,
    STUCK,
    Act,
    End,
    Next,
    Saga,
    Turn,
    Wait,
)

_AWAY = timedelta(minutes=10)
"""A call that is refused is tried again with every look: where it was not for so long, nobody looked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of change is seen, begun and decided. ``patience`` is how long one direction may take."""

    look: Callable[[Cloud, str], Any]
    refusal: Callable[[Any, str], str | None]
    begin: Callable[[Saga, Any, int], Saga]
    decide: Callable[[Saga, Any], Next]
    patience: timedelta


KINDS: dict[str, Kind] = {
    MACHINE: Kind(
        lambda cloud, name: cloud.machine(name),
        machine.refusal,
        lambda saga, seen, _: machine.begin(saga, seen),
        machine.decide,
        timedelta(minutes=30),
    ),
    DATABASE: Kind(
        lambda cloud, name: cloud.database(name),
        database.refusal,
        lambda saga, seen, _: database.begin(saga, seen),
        database.decide,
        timedelta(hours=2),
    ),
    GROUP_SIZE: Kind(
        lambda cloud, name: cloud.group(name), group_size.refusal, group_size.begin, group_size.decide, timedelta(hours=6)
    ),
    GROUP_TYPE: Kind(
        lambda cloud, name: cloud.group(name), group_type.refusal, group_type.begin, group_type.decide, timedelta(hours=6)
    ),
}


def next_of(saga: Saga, seen: Any, now: datetime) -> Next:
    """What a saga does next: what its kind decides, unless its direction has taken too long.

    The way back has its time from each new step on, and from each time at which somebody takes it up again: a machine must not
    stay stopped because no run came by for a while. To start one that ran is never given up.
    """
    kind = KINDS[saga.kind]
    step = kind.decide(saga, seen)
    if not isinstance(step, Wait | Act):
        return step
    why = step.why if isinstance(step, Wait) else f"it still has to {step.call.replace('_', ' ')}"
    hours = kind.patience / timedelta(hours=1)
    if saga.direction == FORWARD:
        if now - saga.begun_at < kind.patience:
            return step
        # What has arrived is not taken back for its slowness: that would be another restart, past no gate.
        is_there = isinstance(step, Wait) and step.is_there
        return (
            End(STUCK, f"It is a {saga.after}, and after {hours:g} h: {why}")
            if is_there
            else Turn(f"It took more than {hours:g} h: {why}")
        )
    since, step = _since(saga, step, now)
    if now - since >= kind.patience:
        return End(STUCK, f"{saga.reason} The way back took more than {hours:g} h: {why}")
    return step


def _since(saga: Saga, step: Wait | Act, now: datetime) -> tuple[datetime, Wait | Act]:
    """Since when a way back is at its step, and the step with what must be remembered to tell."""
    turned_at = (saga.turned_at or saga.begun_at).isoformat()
    since, tried_at = (datetime.fromisoformat(saga.memory.get(name, turned_at)) for name in ("trying_since", "tried_at"))
    if isinstance(step, Wait):
        return since, step
    if step.call == "start" or saga.memory.get("trying") != step.call or now - tried_at > _AWAY:
        since = now
    noted = {"trying": step.call, "trying_since": since.isoformat(), "tried_at": now.isoformat()}
    return since, replace(step, remember={**step.remember, **noted})
