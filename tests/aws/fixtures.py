"""Fixtures around the strict AWS: a test module takes over those that it needs by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from dagster_project.actions.aws.cloud import AwsCloud
from tests.aws.accounts import AccountHandle
from tests.aws.dials import START
from tests.aws.server import AwsServer

_RUNNING = pytest.StashKey[AwsServer]()
Ask = Callable[..., dict[str, Any]]


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
    assert server.unexpected == [], "\n".join(server.unexpected)


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


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Any]]:
    """Clients that were made, as making one takes longer than a test."""
    made: dict[str, Any] = {}
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def ask(aws: AwsServer, clients: dict[str, Any]) -> Ask:
    """Sends one operation, once, as an account does: ``ask("ec2", "StopInstances", InstanceIds=[...])``. ``key`` is what signs
    it, if not the server's own."""
    own = {"aws_access_key_id": aws.key, "aws_secret_access_key": aws.secret}

    def send(
        service: str,
        operation: str,
        *,
        key: dict[str, str] = own,
        region: str = aws.region,
        timeout: float = 20,
        **parameters: Any,
    ) -> Any:
        name = f"{service} {region} {timeout} {key}"
        if name not in clients:
            config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=timeout)
            clients[name] = boto3.client(service, region_name=region, endpoint_url=aws.url, config=config, **key)
        return getattr(clients[name], xform_name(operation))(**parameters)

    return send


def refused(action: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[int, str]:
    """What AWS says to a request that it refuses: status and code."""
    with pytest.raises(ClientError) as problem:
        action(*arguments, **options)
    answer = problem.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def signed_in(ask: Ask, account: AccountHandle) -> dict[str, str]:
    """The ``key`` of a session of an account's role."""
    trust = {"ExternalId": account.external_id} if account.external_id else {}
    given = ask("sts", "AssumeRole", RoleArn=account.role_arn, RoleSessionName="test", **trust)["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey", "aws_session_token": "SessionToken"}
    return {name: given[key] for name, key in names.items()}
