"""The requests themselves: their probes are taken by AWS and cheap, and a failure says what was asked of where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import Operation
from dagster_project.sources import autoscaling_groups, cloudwatch_metrics, ebs_volumes, ec2_instances, rds_instances
from dagster_project.sources.aws_resources import AwsResource, known, tags_of
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudwatch_metrics import Batch, memory_series, read_batch
from dagster_project.sources.cloudwatch_series import Series, Wanted
from tests.unit.live_aws.documented import check_request, documented, scope
from tests.unit.live_aws.documented_groups import CONFIGURATION, GROUP, VERSION

MODULES = (autoscaling_groups, cloudwatch_metrics, ebs_volumes, ec2_instances, rds_instances)
OPERATIONS = [operation for module in MODULES for operation in module.READS]
FEW = {"MaxRecords", "MaxResults"}
START = datetime(2025, 3, 9)  # noqa: DTZ001 - the lake's times are naive UTC


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_a_probe_is_a_request_that_aws_takes(operation: Operation) -> None:
    assert operation.probe is not None
    check_request(operation, dict(operation.probe))
    assert not operation.is_write
    assert not operation.is_account_wide


PROBES: dict[str, dict[str, Any]] = {
    "DescribeAutoScalingGroups": {"MaxRecords": 1},
    "DescribeLaunchConfigurations": {"MaxRecords": 1},
    "DescribeScheduledActions": {"MaxRecords": 1},
    # The least that these take, by their documentation.
    "DescribeLaunchTemplateVersions": {"Versions": ["$Default"], "MaxResults": 1},
    "DescribeVolumes": {"MaxResults": 5},
    "DescribeInstances": {"MaxResults": 5},
    "DescribeDBInstances": {"MaxRecords": 20},
    "DescribeEvents": {"MaxRecords": 20},
    "ListMetrics": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"},
    # AWS bills each metric that is asked for: an expression names none.
    "GetMetricData": {
        "MetricDataQueries": [{"Id": "probe", "Expression": "TIME_SERIES(0)", "Period": 3600}],
        "StartTime": datetime(2025, 1, 1, tzinfo=UTC),
        "EndTime": datetime(2025, 1, 1, 1, tzinfo=UTC),
    },
}


def test_probes_ask_for_as_little_as_there_is() -> None:
    assert {operation.name: operation.probe for operation in OPERATIONS} == PROBES


def test_what_a_night_lacks_without_a_right_is_said_by_its_purpose() -> None:
    found = {operation.action: operation.purpose for operation in OPERATIONS}
    assert {action for action, purpose in found.items() if purpose is purposes.METRICS} == {
        "cloudwatch:GetMetricData", "cloudwatch:ListMetrics",
    }  # fmt: skip
    assert {action for action, purpose in found.items() if purpose is purposes.INVENTORY} == {
        "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScheduledActions", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeVolumes", "rds:DescribeDBInstances", "rds:DescribeEvents",
    }  # fmt: skip
    rights = {right for module in MODULES for right in module.PERMISSIONS}
    assert rights == found.keys()


def _metrics(there: Scope) -> None:
    batch = Batch((Wanted("i-1", "ec2_instance", "i-1", None),), ((0, Series(0, "AWS/EC2", "x", (), "Average")),))
    read_batch(there, batch, START, START + timedelta(hours=1))


PLACE = "111111111111/us-east-2"
READERS: dict[str, tuple[Callable[[Scope], Any], set[str], dict[str, Any]]] = {
    "instances": (
        lambda there: list(ec2_instances.instances(there)),
        {f"instances of {PLACE}"},
        {"DescribeInstances": [{"Reservations": []}]},
    ),
    "volumes": (
        lambda there: list(ebs_volumes.volumes(there)),
        {f"volumes of {PLACE}"},
        {"DescribeVolumes": [{"Volumes": []}]},
    ),
    "databases": (
        lambda there: list(rds_instances.databases(there, lambda: START)),
        {f"databases of {PLACE}"},
        {"DescribeDBInstances": [{"DBInstances": []}], "DescribeEvents": [{"Events": []}]},
    ),
    "groups": (
        lambda there: list(autoscaling_groups.groups(there, {})),
        {f"groups of {PLACE}", f"the launch template lt-068f72b72934aff71 of {PLACE}"},
        {
            "DescribeAutoScalingGroups": [
                {"AutoScalingGroups": [GROUP, {**GROUP, "LaunchConfigurationName": "my-launch-config"}]}
            ],
            "DescribeLaunchConfigurations": [{"LaunchConfigurations": [CONFIGURATION]}],
            "DescribeScheduledActions": [{"ScheduledUpdateGroupActions": []}],
            "DescribeLaunchTemplateVersions": [{"LaunchTemplateVersions": [VERSION]}],
        },
    ),
    "memory": (
        lambda there: memory_series(there, "CWAgent", {}),
        {f"memory metrics of {PLACE}"},
        {"ListMetrics": [{"Metrics": []}] * 2},
    ),
    "metrics": (
        _metrics,
        {f"metrics of {PLACE}"},
        {"GetMetricData": [{"MetricDataResults": [{"Id": "q0", "StatusCode": "Complete"}]}]},
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_failure_says_what_was_asked_of_where(reader: str) -> None:
    read, things, answers = READERS[reader]
    there = scope(**answers)
    read(there)
    assert set(documented(there).things) == things
    assert {name for name, _ in documented(there).asked} == answers.keys()


# What every kind shares.


def test_tags_are_by_name_and_one_without_a_value_is_there() -> None:
    listed = [{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c", "Value": None}, {"Key": "d", "Value": ""}]
    assert tags_of(listed) == {"a": "1", "b": "", "c": "", "d": ""}
    assert tags_of(None) == {}
    assert tags_of([]) == {}


def test_what_is_not_known_is_left_out_and_nothing_is_not_unknown() -> None:
    told = {"a": None, "b": 0, "c": False, "d": "", "e": [], "f": 1}
    assert known(told) == {"b": 0, "c": False, "d": "", "e": [], "f": 1}


def test_of_a_resource_nothing_is_known_that_was_not_told() -> None:
    assert AwsResource("ec2_instance", "i-1") == AwsResource(
        resource_type="ec2_instance",
        native_id="i-1",
        instance_type=None,
        platform=None,
        tenancy=None,
        lifecycle=None,
        asg_name=None,
        managed_by=None,
        units=1,
        tags={},
        config={},
        created_at=None,
        held_since=None,
    )


def test_a_region_is_named_the_same_in_messages_and_files() -> None:
    there = scope("eu-west-1")
    assert there.place == "111111111111/eu-west-1"
    assert there.source("aws_samples") == "aws_samples.111111111111.eu-west-1"
