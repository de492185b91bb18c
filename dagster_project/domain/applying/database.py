"""The saga of an RDS instance: ask for the class, wait until it is there."""

from __future__ import annotations

from dagster_project.domain.applying.cloud import AVAILABLE, Database
from dagster_project.domain.applying.saga import APPLIED, FORWARD, ORIGINAL, STUCK, Act, End, Next, Saga, Turn, Wait

_BROKEN = ("failed", "incompatible", "inaccessible", "restore-error", "storage-full", "insufficient-capacity")
"""Beginnings of states out of which no database comes by itself."""


def refusal(seen: Database | None, before: str) -> str | None:
    """Why a database cannot be changed as it is; None where it can."""
    if seen is None:
        return "There is no such database."
    if seen.status != AVAILABLE:
        return f"It is {seen.status}."
    if seen.instance_class != before:
        return f"It is a {seen.instance_class} by now, not a {before}."
    if seen.pending_class is not None:
        return f"It is to become a {seen.pending_class} already."
    return None


def begin(saga: Saga, seen: Database) -> Saga:
    """Nothing must be remembered: its class and its status say all."""
    return saga


def decide(saga: Saga, seen: Database | None) -> Next:
    """What to do next. While AWS works on a database nothing is asked of it."""
    if seen is None:
        return End(STUCK, "The database is gone.")
    is_forward = saga.direction == FORWARD
    wanted, other = (saga.after, saga.before) if is_forward else (saga.before, saga.after)
    if seen.status.startswith(_BROKEN):
        return Turn(f"It is {seen.status}.") if is_forward else End(STUCK, f"{saga.reason} It is {seen.status}.")
    if seen.status != AVAILABLE:
        is_there = is_forward and seen.instance_class == wanted and seen.pending_class is None
        return Wait(f"It is {seen.status}.", is_there=is_there)
    if seen.instance_class not in (wanted, other) or (seen.pending_class or wanted) not in (wanted, other):
        return End(STUCK, f"Somebody made it a {seen.pending_class or seen.instance_class} meanwhile.")
    if (seen.pending_class or seen.instance_class) != wanted:
        return Act("set_class", (saga.resource_id, wanted), touches=True)
    if seen.pending_class is not None:
        return Wait(f"It is about to become a {wanted}.")
    return End(APPLIED, "It is available.") if is_forward else End(ORIGINAL, str(saga.reason))
