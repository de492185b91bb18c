"""The run log, step by step: however a night is started, each step notes itself when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from dagster_project import clock
from dagster_project.actions import run_log
from dagster_project.actions.migrations import migrate
from dagster_project.errors import NightshiftError
from dagster_project.pipeline.runtime import Runtime

_T = TypeVar("_T")


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
        _with_state(runtime, lambda connection: _begin(connection, run_id, day))
    except NightshiftError as error:
        runtime.failures.append(error)
        raise
    try:
        yield note
    except Exception as error:
        runtime.failures.append(error)
        seconds = clock.monotonic() - started
        entry = run_log.Step(name, seconds, note.rows, is_ok=False)
        _with_state(runtime, lambda connection: run_log.add_step(connection, run_id, entry))
        mark_failed(runtime, run_id, str(error))
        raise
    entry = run_log.Step(name, clock.monotonic() - started, note.rows)
    _with_state(runtime, lambda connection: run_log.add_step(connection, run_id, entry))
    if is_last:
        _with_state(runtime, lambda connection: run_log.finish(connection, run_id, clock.now()))


def steps_of(runtime: Runtime, run_id: str) -> list[run_log.Step]:
    """The steps of a run, in order."""
    return _with_state(runtime, lambda connection: run_log.steps(connection, run_id))


def mark_failed(runtime: Runtime, run_id: str, message: str) -> None:
    """Notes why a run failed; the first reason stays, and a run that ended is left alone."""
    _with_state(runtime, lambda connection: run_log.finish(connection, run_id, clock.now(), message))


async def _begin(connection: Any, run_id: str, day: date) -> None:
    await migrate(connection)
    await run_log.start(connection, run_id, day, clock.now())


def _with_state(runtime: Runtime, work: Callable[[Any], Coroutine[Any, Any, _T]]) -> _T:
    async def run() -> _T:
        async with runtime.state() as connection:
            return await work(connection)

    return asyncio.run(run())
