"""The state store for functions that are not asynchronous: one connection for one piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from dagster_project.actions.migrations import migrate
from dagster_project.pipeline.runtime import Runtime

_T = TypeVar("_T")


def in_state(runtime: Runtime, work: Callable[[asyncpg.Connection], Awaitable[_T]], *, is_new: bool = False) -> _T:
    """Does a piece of work in the state store; with ``is_new`` the schema is brought up to date first."""

    async def run() -> _T:
        async with runtime.state() as connection:
            if is_new:
                await migrate(connection)
            return await work(connection)

    return asyncio.run(run())
