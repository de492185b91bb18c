"""The workspace as a fixture. A test module takes it with ``slack = fixtures.slack``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slack.server import SlackServer


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """A workspace with the app installed and nobody in it. Nothing unexpected may have come of the test."""
    with SlackServer() as running:
        yield running
    assert running.unexpected == []
