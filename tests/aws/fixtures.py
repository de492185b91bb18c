"""Fixtures around the strict AWS: a test module takes over those that it needs by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.actions.aws.cloud import AwsCloud
from tests.aws.server import AwsServer

_RUNNING = pytest.StashKey[AwsServer]()
START = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)


class Waits:
    """A clock on which waiting takes no time; ``slept`` is what it was asked to wait."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    """An empty AWS, with credentials for it where boto3 looks for them. One server runs for all tests of a process."""
    if _RUNNING not in request.config.stash:
        server = request.config.stash[_RUNNING] = AwsServer().__enter__()
        request.config.add_cleanup(lambda: server.__exit__(None, None, None))
    server = request.config.stash[_RUNNING]
    server.reset()
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield server
    assert server.unexpected == []


@pytest.fixture
def waits() -> Waits:
    """The clock of ``connect``."""
    return Waits()


@pytest.fixture
def connect(aws: AwsServer, waits: Waits) -> Iterator[Callable[..., AwsCloud]]:
    """Clouds at that server, on a clock on which waiting takes no time."""
    made: list[AwsCloud] = []

    def make(**options: Any) -> AwsCloud:
        made.append(AwsCloud(**{"region": aws.region, "endpoint_url": aws.url, "clock": waits, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def cloud(connect: Callable[..., AwsCloud]) -> AwsCloud:
    """The cloud that most tests need."""
    return connect()
