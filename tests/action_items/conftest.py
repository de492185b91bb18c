"""A world for each test of action items."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.action_items.world import World
from tests.github import GitHubServer, fixtures
from tests.proposal_builders import Clock

NewWorld = Callable[..., World]


clock, github = fixtures.clock, fixtures.github


@pytest.fixture
def new_world(github: GitHubServer, clock: Clock, tmp_path: Path, dsn: str) -> NewWorld:
    """Makes the world of a test, with settings of action items."""

    def make(**rules: Any) -> World:
        return World(github, clock, tmp_path, dsn, rules)

    return make
