"""A GitHub and a clock for each test of proposals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.github import GitHubServer, fixtures
from tests.proposal_builders import Clock, World, machines

NewWorld = Callable[..., World]


clock, github = fixtures.clock, fixtures.github


@pytest.fixture
def new_world(github: GitHubServer, clock: Clock, tmp_path: Path, dsn: str) -> NewWorld:
    """Makes the world of a test: machines by name, or as they are given."""

    def make(*names: str, fleet: dict[str, Any] | None = None, **options: Any) -> World:
        return World(github, clock, tmp_path, dsn, fleet or machines(*(names or ("i-1", "i-2", "i-3"))), **options)

    return make
