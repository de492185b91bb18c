"""A world for each test of action items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.action_items.world import FIRST_DAY, World
from tests.github import GitHubServer
from tests.proposal_builders import Clock

NewWorld = Callable[..., World]


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.combine(FIRST_DAY, time(12), UTC))


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHubServer]:
    with GitHubServer(clock.now) as server:
        yield server
    assert server.unexpected == []


@pytest.fixture
def new_world(github: GitHubServer, clock: Clock, tmp_path: Path, dsn: str) -> NewWorld:
    """Makes the world of a test, with settings of action items."""

    def make(**rules: Any) -> World:
        return World(github, clock, tmp_path, dsn, rules)

    return make
