"""A GitHub and a clock for the nights that open pull requests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.github import GitHubServer, fixtures
from tests.outcome_builders import WatchedWorld
from tests.proposal_builders import Clock, machines

NewWorld = Callable[..., WatchedWorld]


clock, github = fixtures.clock, fixtures.github


@pytest.fixture
def new_world(github: GitHubServer, clock: Clock, tmp_path: Path, dsn: str) -> NewWorld:
    """Makes the world of a test: machines by name, or as they are given."""

    def make(*names: str, fleet: dict[str, Any] | None = None, **options: Any) -> WatchedWorld:
        return WatchedWorld(github, clock, tmp_path, dsn, fleet or machines(*(names or ("i-1",))), **options)

    return make
