"""With exactly the policy nothing is refused, and without any one right exactly what needs it is: an AWS that takes rights away
is asked for everything that a night and an apply ask for."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.actions.aws.cloud import AwsCloud
from dagster_project.connections.aws.connection import Connection
from dagster_project.errors import NightshiftError
from dagster_project.pipeline import iam_policy
from dagster_project.pipeline.aws_scopes import live_scopes
from dagster_project.pipeline.iam_policy import Wanted, apply_policy, read_policy
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.sources import (
    autoscaling_groups,
    aws_commitments,
    compute_optimizer,
    cost_optimization_hub,
    ebs_volumes,
    ec2_instances,
    rds_instances,
)
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudtrail import Cloudtrail
from dagster_project.sources.cloudwatch_alarms import CloudwatchAlarms
from dagster_project.sources.cloudwatch_metrics import batches, memory_series, read_batch
from dagster_project.sources.cloudwatch_series import Wanted as Metered
from dagster_project.sources.instance_types import read_offered, read_types
from dagster_project.sources.price_list import read_database_prices, read_instance_prices
from dagster_project.sources.recommendations import Found
from dagster_project.sources.scaling_activities import ScalingActivities
from tests.aws.accounts import AccountHandle
from tests.aws.fixtures import Waits, aws, waits
from tests.aws.routing import ROUTES
from tests.aws.server import AwsServer
from tests.conftest import NOW

__all__ = ["aws", "waits"]
ACCOUNT, REGION, HOME = "111111111111", "eu-west-1", "us-east-1"
SINCE, UNTIL = datetime(2025, 3, 9), datetime(2025, 3, 10)
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
Request = tuple[str, str]
"""boto3's name of a service, and an operation."""


def given(policy: dict[str, Any]) -> list[str]:
    return sorted({action for statement in policy["Statement"] for action in statement["Action"]})


READING, APPLYING = given(read_policy(Wanted())), given(apply_policy(Wanted(), with_reading=False))
ONLY_FOR_SOME = {right for each in iam_policy.changing() for right, _ in each.conditional}
"""What AWS asks for only where a template or volume has something that those of this AWS have not."""


def put_something_there(account: AccountHandle) -> None:
    """So much that every request has a reason."""
    world = account.world(REGION)
    world.instance()
    world.group("web")
    world.group("old", kind="configuration")
    world.database()
    world.history.alarm("queue-depth")
    world.history.change("queue-depth", "2025-03-09 10:00:00", "OK", "ALARM")


def _metrics(scope: Scope) -> Iterator[object]:
    wanted = [Metered("i-1", "ec2_instance", "i-1", "m5.large")]
    for batch in batches(wanted, {}, {}, 288):
        yield read_batch(scope, batch, SINCE, UNTIL)


def _advised(found: Found) -> None:
    if found.problems:
        raise NightshiftError(" ".join(map(str, found.problems)))


def reading(scope: Scope, home: Scope, runtime: Runtime) -> dict[str, Callable[[], object]]:
    """Everything that reads, each by itself. A source that is new is added here."""
    now = NOW.replace(tzinfo=None)
    return {
        "regions": lambda: _no_problem(each.reason for each in live_scopes(runtime).unread),
        "instances": lambda: list(ec2_instances.instances(scope)),
        "volumes": lambda: list(ebs_volumes.volumes(scope)),
        "groups": lambda: list(autoscaling_groups.groups(scope, {})),
        "databases": lambda: list(rds_instances.databases(scope, lambda: now)),
        "memory": lambda: memory_series(scope, "CWAgent", {}),
        "metrics": lambda: list(_metrics(scope)),
        "reservations": lambda: list(aws_commitments.reservations(scope)),
        "plans": lambda: list(aws_commitments.plans(home)),
        "compute optimizer": lambda: _advised(compute_optimizer.recommendations(scope)),
        "cost optimization hub": lambda: _advised(cost_optimization_hub.recommendations(home)),
        "types": lambda: read_types(scope.connection, REGION),
        "offered": lambda: read_offered(scope.connection, REGION),
        "prices of instances": lambda: read_instance_prices(home.connection, REGION),
        "prices of databases": lambda: read_database_prices(home.connection, REGION),
        "alarms": lambda: list(CloudwatchAlarms([scope], {}).read(SINCE, UNTIL)),
        "activities": lambda: list(ScalingActivities([scope], {}).read(SINCE, UNTIL)),
        "calls": lambda: list(Cloudtrail([scope], {}, Waits()).read(SINCE, UNTIL)),
    }


def _no_problem(problems: Iterable[str]) -> None:
    for each in problems:
        raise NightshiftError(each)


def applying(cloud: AwsCloud, account: AccountHandle) -> dict[str, Callable[[], object]]:
    """Everything that looks and changes, each of something of its own."""
    world = account.world(REGION)
    running, stopped, resized = world.instance(), world.instance(state="stopped"), world.instance(state="stopped")
    group, given_one, refreshed = world.group("a"), world.group("b"), world.group("c")
    world.start_refresh(refreshed)
    world.template_version(world.template_of(given_one), "m5.xlarge")
    database = world.database("payments")
    return {
        "machine": lambda: cloud.machine(running),
        "stop": lambda: cloud.stop(running),
        "start": lambda: cloud.start(stopped),
        "set_type": lambda: cloud.set_type(resized, "m5.xlarge"),
        "group": lambda: cloud.group(group),
        "set_group_size": lambda: cloud.set_group_size(group, 1, 3),
        "add_template_version": lambda: cloud.add_template_version(world.template_of(group), "1", "m5.xlarge", "t"),
        "use_template": lambda: cloud.use_template(given_one, world.template_of(given_one), "2"),
        "start_refresh": lambda: cloud.start_refresh(given_one, 90, 0),
        "cancel_refresh": lambda: cloud.cancel_refresh(refreshed),
        "database": lambda: cloud.database(database),
        "set_class": lambda: cloud.set_class(database, "db.r6g.2xlarge"),
    }


@pytest.fixture
def account(aws: AwsServer) -> AccountHandle:
    found = aws.account(ACCOUNT)
    put_something_there(found)
    return found


@pytest.fixture
def asks(aws: AwsServer, account: AccountHandle, waits: Waits, tmp_path: Path) -> Iterator[Callable[..., dict[str, str]]]:
    """Asks for everything of a night, or of an apply, with some rights; what failed, and why."""
    options: dict[str, Any] = {
        "account_id": ACCOUNT, "role_arn": account.role_arn, "endpoint_url": aws.url, "attempts": 1,
    }  # fmt: skip
    scopes = [Scope(ACCOUNT, region, Connection(region=region, at=waits, **options)) for region in (REGION, HOME)]
    listed = {"id": ACCOUNT, "role_arn": account.role_arn, "regions": "all"}
    settings = Settings.model_validate({"home": tmp_path, "aws": {"endpoint_url": aws.url, "accounts": [listed], "attempts": 1}})
    runtime = Runtime(settings, now=NOW, at=waits)
    cloud = AwsCloud(region=REGION, clock=waits, **options)

    def ask(rights: Iterable[str], *, apply: bool = False) -> dict[str, str]:
        what = applying(cloud, account) if apply else reading(scopes[0], scopes[1], runtime)
        account.allow([*rights])
        failed: dict[str, str] = {}
        for name, each in what.items():
            try:
                each()
            except NightshiftError as error:
                failed[name] = str(error)
        return failed

    yield ask
    cloud.close()
    for scope in scopes:
        scope.connection.close()


def sent(aws: AwsServer) -> set[Request]:
    return {(each.service, each.operation) for each in aws.log if each.service != "sts"}


def refused(aws: AwsServer) -> set[Request]:
    return {(each.service, each.operation) for each in aws.log if each.code in DENIED}


def needs(request: Request, right: str) -> bool:
    """By what the strict AWS says of its operations, and not by what is declared here."""
    is_a_template = request == ("autoscaling", "UpdateAutoScalingGroup") and right == "ec2:RunInstances"
    return right in ROUTES[request].permissions or is_a_template


def test_with_the_policy_a_night_is_refused_nothing_and_asks_for_everything_in_it(aws: AwsServer, asks: Any) -> None:
    assert asks(READING) == {}
    assert refused(aws) == set()
    assert sent(aws) == {(each.service, each.name) for each in iam_policy.reading()}
    assert {right for request in sent(aws) for right in ROUTES[request].permissions} == set(READING)
    assert aws.writes == []


def test_with_the_policy_an_apply_is_refused_nothing_and_asks_for_everything_in_it(aws: AwsServer, asks: Any) -> None:
    assert asks(APPLYING, apply=True) == {}
    assert refused(aws) == set()
    assert sent(aws) == {(each.service, each.name) for each in iam_policy.changing()}
    assert {right for right in APPLYING if any(needs(request, right) for request in sent(aws))} == {*APPLYING} - ONLY_FOR_SOME


@pytest.mark.parametrize("right", READING)
def test_without_one_right_exactly_what_needs_it_fails_and_says_so(aws: AwsServer, asks: Any, right: str) -> None:
    failed = asks({*READING} - {right})
    denied = refused(aws)
    assert denied and all(needs(request, right) for request in denied)
    assert not any(needs(request, right) for request in sent(aws) - denied)
    assert failed and all(right in told for told in failed.values()), failed
    assert len(failed) <= len(denied) + 1


@pytest.mark.parametrize("right", sorted({*APPLYING} - ONLY_FOR_SOME))
def test_without_one_right_exactly_the_change_that_needs_it_fails_and_says_so(aws: AwsServer, asks: Any, right: str) -> None:
    failed = asks({*APPLYING} - {right}, apply=True)
    denied = refused(aws)
    assert denied and all(needs(request, right) for request in denied)
    assert failed and all(right in told for told in failed.values()), failed


def test_the_policy_for_reading_changes_nothing(aws: AwsServer, asks: Any) -> None:
    failed = asks(READING, apply=True)
    assert aws.writes == []
    changes = {(each.service, each.name) for each in iam_policy.changing() if each.is_write}
    assert changes <= refused(aws) and len(failed) >= 8
