"""The saga of an EC2 instance: stop, change the type, start, see that it is well."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.domain.applying.cloud import PENDING, RUNNING, STOPPED, STOPPING, Machine
from dagster_project.domain.applying.saga import APPLIED, FORWARD, ORIGINAL, STUCK, Act, End, Next, Saga, Turn, Wait


def refusal(seen: Machine | None, before: str) -> str | None:
    """Why a machine cannot be changed as it is; None where it can."""
    if seen is None:
        return "There is no such machine."
    if seen.group is not None:
        return f"It is a member of {seen.group}, which would replace it at its own size."
    if seen.is_spot:
        return "It runs on spot capacity."
    if seen.state not in (RUNNING, STOPPED):
        return f"It is {seen.state}."
    if seen.instance_type != before:
        return f"It is a {seen.instance_type} by now, not a {before}."
    if seen.state == RUNNING and seen.is_healthy is not True:
        return "Its status checks do not pass, so that nobody could tell whether the change did harm."
    return None


def begin(saga: Saga, seen: Machine) -> Saga:
    """What must be known later: whether it ran."""
    return replace(saga, members=1).remembering(was_running=seen.state == RUNNING)


def decide(saga: Saga, seen: Machine | None) -> Next:
    """What to do next. What somebody else made of the machine meanwhile is left as it is."""
    if seen is None or seen.state not in (RUNNING, STOPPED, STOPPING, PENDING):
        return End(STUCK, "The machine is gone" + (f" ({seen.state})." if seen else "."))
    is_forward = saga.direction == FORWARD
    wanted, other = (saga.after, saga.before) if is_forward else (saga.before, saga.after)
    if seen.instance_type not in (wanted, other):
        return End(STUCK, f"Somebody made it a {seen.instance_type} meanwhile; it is {seen.state}.")
    if seen.state in (STOPPING, PENDING):
        return Wait(f"It is {seen.state}.")
    if seen.instance_type == other:
        if seen.state == RUNNING:
            # It runs now, whatever it did when the saga began: it must run in the end.
            return Act("stop", (saga.resource_id,), remember={"was_running": True}, touches=True)
        return Act("set_type", (saga.resource_id, wanted))
    if seen.state == STOPPED and saga.memory["was_running"]:
        return Act("start", (saga.resource_id,))
    return _arrived(seen, is_forward, str(saga.reason))


def _arrived(seen: Machine, is_forward: bool, reason: str) -> Next:
    is_bad = seen.state == RUNNING and seen.is_healthy is False
    if seen.state == RUNNING and seen.is_healthy is None:
        return Wait("Its status checks are not known yet.", is_there=is_forward)
    if is_forward:
        return Turn(f"A status check fails as {seen.instance_type}.") if is_bad else End(APPLIED, "It is well.")
    if is_bad:
        return End(STUCK, f"{reason} It is a {seen.instance_type} again, and a status check still fails.")
    return End(ORIGINAL, reason)
