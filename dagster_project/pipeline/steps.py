"""The run log, step by step: however a night is started, each step notes itself when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from dagster_project import clock
from dagster_project.actions import run_log
from dagster_project.errors import NightshiftError
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state


@dataclass
class Note:
    """What a step says of itself: the rows that it wrote."""

    rows: int | None = None


@contextmanager
def step(runtime: Runtime, run_id: str, day: date, name: str, *, is_last: bool = False) -> Iterator[Note]:
    """Times a step of the run and writes it to the run log, also when it fails; the last one ends the run."""
    note = Note()
    started = clock.monotonic()
    try:
        in_state(runtime, lambda connection: run_log.start(connection, run_id, day, clock.now()), is_new=True)
    except NightshiftError as error:
        runtime.failures.append(error)
        raise
    try:
        yield note
    except Exception as error:
        runtime.failures.append(error)
        seconds = clock.monotonic() - started
        entry = run_log.Step(name, seconds, note.rows, is_ok=False)
        in_state(runtime, lambda connection: run_log.add_step(connection, run_id, entry))
        mark_failed(runtime, run_id, str(error))
        raise
    entry = run_log.Step(name, clock.monotonic() - started, note.rows)
    in_state(runtime, lambda connection: run_log.add_step(connection, run_id, entry))
    if is_last:
        in_state(runtime, lambda connection: run_log.finish(connection, run_id, clock.now()))


def steps_of(runtime: Runtime, run_id: str) -> list[run_log.Step]:
    """The steps of a run, in order."""
    return in_state(runtime, lambda connection: run_log.steps(connection, run_id))


def mark_failed(runtime: Runtime, run_id: str, message: str) -> None:
    """Notes why a run failed; the first reason stays, and a run that ended is left alone."""
    in_state(runtime, lambda connection: run_log.finish(connection, run_id, clock.now(), message))
