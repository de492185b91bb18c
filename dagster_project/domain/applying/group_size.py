"""The saga of an Auto Scaling group's minimum: lower it, and let members go a few at a time."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.domain.applying.cloud import Group
from dagster_project.domain.applying.saga import APPLIED, FORWARD, ORIGINAL, STUCK, Act, End, Next, Saga, Wait


def refusal(seen: Group | None, before: str) -> str | None:
    """Why a group's minimum cannot be changed as it is; None where it can."""
    if seen is None:
        return "There is no such group."
    if str(seen.min_size) != before:
        return f"Its minimum is {seen.min_size} by now, not {before}."
    if seen.refresh is not None and seen.refresh.is_under_way:
        return "An instance refresh is under way."
    if seen.healthy < seen.desired:
        return f"{seen.healthy} of {seen.desired} members are healthy."
    return None


def begin(saga: Saga, seen: Group, stride: int) -> Saga:
    """What must be known later: how many members it had. ``stride`` is how many of the fleet may go at a time.

    Members follow the minimum only where nothing but the minimum held them: a group that runs above it is its own scaling's.
    """
    after = int(saga.after)
    goal = after if seen.desired == seen.min_size else seen.desired
    members = max(1, min(stride, abs(seen.desired - goal)))
    return replace(saga, members=members).remembering(
        desired_before=seen.desired, goal=goal, left=seen.desired, reached=seen.desired
    )


def decide(saga: Saga, seen: Group | None) -> Next:
    """What to do next. Where the group's own scaling asks for more members meanwhile, it gets them."""
    if seen is None:
        return End(STUCK, "The group is gone.")
    if saga.direction != FORWARD:
        return _back(saga, seen)
    before, after, goal = int(saga.before), int(saga.after), int(saga.memory["goal"])
    if seen.min_size not in (before, after):
        return End(STUCK, f"Somebody set its minimum to {seen.min_size} meanwhile.")
    left, reached = int(saga.memory["left"]), int(saga.memory["reached"])
    # What was written down before a call that may not have been made is where it still stands.
    if seen.min_size == after and seen.desired > reached and seen.desired != left:
        return End(APPLIED, f"Its minimum is {after}; its own scaling asks for {seen.desired} members.")
    if seen.healthy < seen.desired:
        return Wait(f"{seen.healthy} of {seen.desired} members are healthy.")
    lower = min(seen.desired, max(goal, seen.desired - saga.members, after))  # its own scaling may have asked for fewer
    target = lower if after < before else max(goal, seen.desired, after)
    if seen.min_size == before or seen.desired > target:
        touches = target < seen.desired
        return Act(
            "set_group_size",
            (saga.resource_id, after, target),
            remember={"left": seen.desired, "reached": target},
            touches=touches,
        )
    return End(APPLIED, f"Its minimum is {after}, with {seen.desired} members.")


def _back(saga: Saga, seen: Group) -> Next:
    before, desired_before = int(saga.before), int(saga.memory["desired_before"])
    if seen.min_size not in (before, int(saga.after)):
        return End(STUCK, f"{saga.reason} Somebody set its minimum to {seen.min_size} meanwhile.")
    if seen.min_size != before or seen.desired < desired_before:
        return Act("set_group_size", (saga.resource_id, before, max(seen.desired, desired_before)))
    if seen.healthy < desired_before:
        return Wait(f"{seen.healthy} of {desired_before} members are healthy.")
    return End(ORIGINAL, str(saga.reason))
