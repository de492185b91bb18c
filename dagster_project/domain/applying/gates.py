"""The gates before every step that takes capacity out of service. All of them are here, and all of them fail closed: what is not
known is a no, with a sentence that says what is missing.

They are asked when a change begins and again before each further step that touches members, in one transaction with the note that
the step is about to be made, one run at a time: two runs cannot both be let through by the same room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_project.domain.applying.saga import APPLIED, ORIGINAL, RUNNING, STUCK
from dagster_project.domain.applying.windows import Window, next_opening, open_until
from dagster_project.domain.proposals.model import APPLY

NIGHT = timedelta(hours=24)
"""What counts as one night: any 24 hours, so that midnight lets nothing through twice."""
FLEET_WINDOW = timedelta(minutes=5)
_WEEK = timedelta(days=7)
_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be changed. ``rollout`` are environments in the order in which they are changed, those that are equal
    together; ``soak`` is how long a change must have lived in one before the next may have its own."""

    windows: tuple[Window, ...]
    max_fleet_share_pct: float = 20
    max_service_share_pct: float = 50
    min_service_changes: int = 3
    max_executions_per_night: int = 10
    max_attempts: int = 2
    cooldown: timedelta = timedelta(hours=72)
    rollout: tuple[frozenset[str], ...] = ()
    soak: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Touch:
    """An execution of the last days. ``members`` is how many of its fleet it touches at a time; ``touched_at`` is the moment of
    its last step, or of its begin; ``ended_at`` is None while it is under way: it counts from the moment at which it may begin.
    ``has_touched`` is False for one that ended before it changed anything."""

    execution_id: str
    resource_id: str
    service: str
    environment: str | None
    state: str
    members: int
    begun_at: datetime
    touched_at: datetime
    ended_at: datetime | None
    has_touched: bool = True

    def is_within(self, span: timedelta, now: datetime) -> bool:
        """Whether it is under way, or touched anything within a span. What another run's clock calls the future is within."""
        return self.ended_at is None or now - self.touched_at < span

    def out_until(self) -> datetime | None:
        """Until when its members count as out of service: five minutes beyond its end, or a night where it is stuck and nobody
        knows whether they came back; None while it is under way."""
        if self.ended_at is None:
            return None
        return max(self.touched_at, self.ended_at) + (NIGHT if self.state == STUCK else FLEET_WINDOW)


@dataclass(frozen=True, slots=True)
class Asked:
    """What asks to touch. Each of the facts may be unknown (None), which is a no.

    ``mode`` is what the settings allow there; ``fleet_size`` the members of its service in its environment; ``service_size`` the
    resources of its service; ``neighbours`` the services of its call chains; ``changed_at`` the last change of the resource by
    whomever (``is_changed_known`` tells "never" from unknown); ``evidence`` is None where the evidence of now speaks for it, else
    what speaks against it; ``earlier_open`` are requests of its service in earlier environments; ``own_recent`` members that the
    execution itself touched within five minutes.
    """

    execution_id: str
    resource_id: str
    service: str | None
    environment: str | None
    members: int
    is_stopped: bool
    mode: str | None
    fleet_size: int | None
    service_size: int | None
    neighbours: frozenset[str] | None
    changed_at: datetime | None
    is_changed_known: bool
    evidence: str | None
    earlier_open: Sequence[str] | None
    own_recent: int = 0
    is_rollback: bool = False


@dataclass(frozen=True, slots=True)
class No:
    """A gate that is shut. ``until`` is when it may be worth to ask again; None where time alone does not open it."""

    gate: str
    why: str
    until: datetime | None = None


def refusals(asked: Asked, touches: Sequence[Touch], limits: Limits, now: datetime) -> list[No]:
    """Every gate that is shut, in the order in which a person wants to hear of them; none = it may touch.

    ``touches`` are all executions that are under way or touched anything in the last days, the own one among them.
    """
    others = [touch for touch in touches if touch.execution_id != asked.execution_id]
    mine = [touch for touch in touches if touch.execution_id == asked.execution_id]
    found = [*_allowed(asked), *_timed(asked, limits, now)]
    found += [] if mine else list(_fresh(asked, others, limits, now))
    found += list(_fleet(asked, others, limits, now))
    found += [] if asked.is_rollback else list(_night(asked, others, limits, now))
    found += [] if asked.is_rollback else list(_rollout(asked, others, limits, now))
    return found


def fleet_allowance(fleet_size: int, limits: Limits) -> int:
    """Members of a fleet that may be touched in any five minutes: the share, rounded down, but one of however few."""
    return max(1, int(fleet_size * limits.max_fleet_share_pct / 100))


def rollout_rank(environment: str | None, limits: Limits) -> int:
    """The place of an environment in the rollout. One that is not listed, or not known, comes last."""
    name = (environment or "").lower()
    return next((rank for rank, names in enumerate(limits.rollout) if name in names), len(limits.rollout))


def _allowed(asked: Asked) -> Iterator[No]:
    if asked.is_stopped:
        yield No("kill_switch", "A kill switch is on.")
    if asked.mode != APPLY:
        yield No("mode", f"The mode of its service and environment is {asked.mode or 'not known'}, not apply.")
    if asked.evidence is not None:
        yield No("evidence", asked.evidence)
    if asked.service is None:
        yield No("service", "Its service is not known, and with it neither its fleet nor its neighbours.")


def _timed(asked: Asked, limits: Limits, now: datetime) -> Iterator[No]:
    if open_until(limits.windows, asked.service, asked.environment, now) is not None:
        return
    opening = next_opening(limits.windows, asked.service, asked.environment, now)
    where = f"{asked.service or 'an unknown service'} in {asked.environment or 'an unknown environment'}"
    if opening is None:
        yield No("window", f"The settings have no maintenance window for {where}.")
    else:
        yield No("window", f"The next maintenance window of {where} opens on {opening:%Y-%m-%d at %H:%M} UTC.", opening)


def _fresh(asked: Asked, others: Sequence[Touch], limits: Limits, now: datetime) -> Iterator[No]:
    """What is asked before the first step only: a saga under way is its own cooldown."""
    if any(touch.resource_id == asked.resource_id and touch.ended_at is None for touch in others):
        yield No("lock", "Another change of it is under way.", now + _AGAIN)
    tonight = [touch for touch in others if touch.is_within(NIGHT, now)]
    if len(tonight) >= limits.max_executions_per_night:
        yield No(
            "executions",
            f"{len(tonight)} changes were made within 24 hours; {limits.max_executions_per_night} is the limit.",
            max(min(touch.touched_at for touch in tonight) + NIGHT, now + _AGAIN) if tonight else None,
        )
    attempts = [
        touch
        for touch in others
        if touch.resource_id == asked.resource_id and touch.state in (ORIGINAL, STUCK) and touch.is_within(_WEEK, now)
    ]
    if len(attempts) >= limits.max_attempts:
        yield No("attempts", f"It was tried {len(attempts)} times within a week without success.")
    if asked.is_rollback:
        return  # what goes back after an emergency waits for nothing
    if not asked.is_changed_known:
        yield No("cooldown", "It is not known when it was changed last.")
    own = [touch.touched_at for touch in others if touch.resource_id == asked.resource_id and touch.has_touched]
    last = max([*own, *([asked.changed_at] if asked.changed_at is not None else [])], default=None)
    if last is not None and now - last < limits.cooldown:
        yield No("cooldown", f"It was changed on {last:%Y-%m-%d at %H:%M} UTC.", last + limits.cooldown)


def _fleet(asked: Asked, others: Sequence[Touch], limits: Limits, now: datetime) -> Iterator[No]:
    """Members that are out of service now, or were within five minutes, with those that would be."""
    if asked.fleet_size is None or asked.fleet_size < 1:
        yield No("fleet", "How many members its fleet has is not known.")
        return
    allowed = fleet_allowance(asked.fleet_size, limits)
    where = (asked.service or "").lower(), (asked.environment or "").lower()
    counted = [
        touch
        for touch in others
        if (touch.service.lower(), (touch.environment or "").lower()) == where
        and touch.has_touched
        and ((until := touch.out_until()) is None or now < until)
    ]
    out = sum(touch.members for touch in counted) + asked.own_recent
    if out + asked.members > allowed:
        free = max((touch.out_until() or touch.touched_at + FLEET_WINDOW for touch in counted), default=now)
        yield No(
            "fleet",
            f"{asked.members} more of {asked.fleet_size} members would be touched beside {out} within five minutes; "
            f"{allowed} is the limit.",
            max(free, now + _AGAIN) if asked.members <= allowed else None,
        )


def _night(asked: Asked, others: Sequence[Touch], limits: Limits, now: datetime) -> Iterator[No]:
    """A service's share of a night, and its neighbours' peace."""
    tonight = [touch for touch in others if touch.has_touched and touch.is_within(NIGHT, now)]
    service = (asked.service or "").lower()
    own = [touch for touch in tonight if touch.service.lower() == service and touch.resource_id != asked.resource_id]
    changed = {touch.resource_id for touch in own}
    if asked.service_size is None:
        yield No("share", "How many resources its service has is not known.")
    else:
        allowed = max(limits.min_service_changes, int(asked.service_size * limits.max_service_share_pct / 100))
        if len(changed) >= allowed:
            until = max(min(touch.touched_at for touch in own) + NIGHT, now + _AGAIN)
            yield No("share", f"{len(changed)} of its service were changed within 24 hours; {allowed} is the limit.", until)
    if asked.neighbours is None:
        yield No("neighbours", "Which services stand on its own, and on which it stands, is not known.")
        return
    neighbours = {name.lower() for name in asked.neighbours} - {service}
    near = sorted((touch for touch in tonight if touch.service.lower() in neighbours), key=lambda touch: touch.service)
    if near:
        until = max(*(touch.touched_at + NIGHT for touch in near), now + _AGAIN)
        yield No("neighbours", f"{near[0].service}, a neighbour in its call chain, was changed within 24 hours.", until)


def _rollout(asked: Asked, others: Sequence[Touch], limits: Limits, now: datetime) -> Iterator[No]:
    """Earlier environments of a service go first, and their changes must have lived a while."""
    rank = rollout_rank(asked.environment, limits)
    if rank == 0:
        return
    if asked.earlier_open is None:
        yield No("rollout", "Whether its service waits in earlier environments is not known.")
        return
    if asked.earlier_open:
        yield No("rollout", f"{asked.earlier_open[0]} of its service in an earlier environment comes first.")
    service = (asked.service or "").lower()
    earlier = [touch for touch in others if touch.service.lower() == service and rollout_rank(touch.environment, limits) < rank]
    for touch in earlier:
        lives_since = max(touch.touched_at, touch.ended_at or touch.touched_at)
        if touch.state in (ORIGINAL, STUCK) and touch.has_touched and touch.is_within(max(_WEEK, limits.soak), now):
            yield No("rollout", f"{touch.resource_id} in {touch.environment} had to be taken back, or is stuck.")
            return
        if touch.state == RUNNING or (touch.state == APPLIED and now - lives_since < limits.soak):
            yield No(
                "rollout",
                f"{touch.resource_id} in {touch.environment} was changed on {lives_since:%Y-%m-%d at %H:%M} UTC, "
                f"less than {limits.soak / timedelta(hours=1):g} hours ago.",
                max(lives_since + limits.soak, now + _AGAIN),
            )
            return


def neighbours_of(service: str, dependencies: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The services that stand on one, or on which it stands, at any distance: the call chain through it."""
    found: set[str] = set()
    for direction in (dependencies, _turned(dependencies)):
        waiting = [service]
        reached = {service}
        while waiting:
            for name in direction.get(waiting.pop(), frozenset()):
                if name not in reached:
                    reached.add(name)
                    waiting.append(name)
        found |= reached
    return frozenset(found - {service})


def _turned(dependencies: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for service, stands_on in dependencies.items():
        for name in stands_on:
            found.setdefault(name, set()).add(service)
    return {name: frozenset(services) for name, services in found.items()}
