"""The saga of an Auto Scaling group's type: a new version of its launch template, then an instance refresh."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.domain.applying.cloud import Group
from dagster_project.domain.applying.saga import APPLIED, FORWARD, ORIGINAL, STUCK, Act, End, Next, Saga, Turn, Wait

WARMUP_SECONDS = 300
"""What a new member is given before the next ones are replaced: the five minutes of the fleet's limit."""
_NONE = "none"


def refusal(seen: Group | None, before: str) -> str | None:
    """Why a group's type cannot be changed as it is; None where it can."""
    if seen is None:
        return "There is no such group."
    if seen.template_id is None or seen.template_version is None:
        return "It has no launch template of its own (a mixed-instances policy, or a launch configuration)."
    if seen.template_follows is not None:
        return f"It follows {seen.template_follows} of its launch template; it would be pinned to one version from then on."
    if seen.template_type != before:
        return f"Its launch template says {seen.template_type} by now, not {before}."
    if seen.refresh is not None and seen.refresh.is_under_way:
        return "An instance refresh is under way."
    if any(kind != before for kind, _ in seen.members):
        return "Not all of its members are what its launch template says."
    if seen.healthy < seen.desired:
        return f"{seen.healthy} of {seen.desired} members are healthy."
    return None


def begin(saga: Saga, seen: Group, stride: int) -> Saga:
    """What must be known later: the version of the template, and the newest refresh, that were there before."""
    return replace(saga, members=max(1, min(stride, seen.desired))).remembering(
        template_id=seen.template_id,
        version_before=seen.template_version,
        refresh_before=_newest(seen),
        desired_before=seen.desired,
    )


def decide(saga: Saga, seen: Group | None) -> Next:
    """What to do next."""
    if seen is None:
        return End(STUCK, "The group is gone.")
    return _forward(saga, seen) if saga.direction == FORWARD else _back(saga, seen)


def _forward(saga: Saga, seen: Group) -> Next:
    memory = saga.memory
    made = memory.get("version_made")
    if seen.template_id != memory["template_id"] or seen.template_version not in (memory["version_before"], made):
        return End(STUCK, f"Somebody gave it version {seen.template_version} of {seen.template_id} meanwhile.")
    if made is None:
        source, token = memory["version_before"], saga.execution_id
        return Act("add_template_version", (memory["template_id"], source, saga.after, token), result="version_made")
    if seen.template_version != made:
        return Act("use_template", (saga.resource_id, memory["template_id"], made))
    if seen.refresh is not None and seen.refresh.is_under_way:
        return Wait(f"Its members are being replaced ({seen.refresh.status}).")
    if _newest(seen) != memory["refresh_before"] and seen.refresh is not None and seen.refresh.status != "Successful":
        return Turn(f"Its instance refresh is {seen.refresh.status} ({seen.refresh.reason or 'no reason given'}).")
    if any(kind != saga.after for kind, _ in seen.members):
        if _newest(seen) != memory["refresh_before"]:
            return Turn("Its instance refresh is over, and some members are what they were.")
        return Act("start_refresh", (saga.resource_id, _kept_pct(saga, seen), WARMUP_SECONDS), touches=True)
    if seen.healthy < seen.desired:
        return Wait(f"{seen.healthy} of {seen.desired} members are healthy.")
    return End(APPLIED, f"Its {seen.desired} members are {saga.after}.")


def _back(saga: Saga, seen: Group) -> Next:
    memory = saga.memory
    if seen.template_id != memory["template_id"] or seen.template_version not in (
        memory["version_before"],
        memory.get("version_made"),
    ):
        return End(STUCK, f"{saga.reason} Somebody gave it version {seen.template_version} of {seen.template_id} meanwhile.")
    if seen.template_version != memory["version_before"]:
        return Act("use_template", (saga.resource_id, memory["template_id"], memory["version_before"]))
    going_back_since = memory.get("refresh_at_undo")
    if seen.refresh is not None and seen.refresh.is_under_way:
        # The one that brought the new type in is stopped; the one that brings the old type back is waited for.
        if going_back_since is None and seen.refresh.status in ("Pending", "InProgress"):
            return Act("cancel_refresh", (saga.resource_id,))
        return Wait(f"Its instance refresh is {seen.refresh.status}.")
    if any(kind != saga.before for kind, _ in seen.members):
        if going_back_since is not None and _newest(seen) != going_back_since:
            return End(STUCK, f"{saga.reason} The way back did not bring {saga.before} to all of its members.")
        return Act(
            "start_refresh",
            (saga.resource_id, _kept_pct(saga, seen), WARMUP_SECONDS),
            remember={"refresh_at_undo": _newest(seen)},
        )
    if seen.healthy < seen.desired:
        return Wait(f"{seen.healthy} of {seen.desired} members are healthy.")
    return End(ORIGINAL, str(saga.reason))


def _kept_pct(saga: Saga, seen: Group) -> int:
    """The share of members that stays in service, in percent. AWS rounds it up to members, and replaces at least one: at 100 %
    one at a time."""
    return max(0, 100 - 100 * saga.members // max(seen.desired, 1))


def _newest(seen: Group) -> str:
    return seen.refresh.refresh_id if seen.refresh is not None else _NONE
