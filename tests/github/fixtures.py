"""A GitHub and a clock as fixtures. A ``conftest`` takes them with ``clock, github = fixtures.clock, fixtures.github``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

import pytest

from tests.github.server import GitHubServer
from tests.proposal_builders import FIRST_DAY, Clock


@pytest.fixture
def clock() -> Clock:
    """Noon of the first day."""
    return Clock(datetime.combine(FIRST_DAY, time(12), UTC))


@pytest.fixture
def github(clock: Clock) -> Iterator[GitHubServer]:
    """A GitHub with nothing in it. Nothing unexpected may have come of the test."""
    with GitHubServer(clock.now) as server:
        yield server
    assert server.unexpected == []
