"""Auto Scaling groups of AWS's documentation, with what they launch from, and variations of them."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dagster_project.sources.autoscaling_groups import groups
from dagster_project.sources.aws_resources import AwsResource
from dagster_project.sources.aws_scopes import Scope
from tests.unit.live_aws.documented import scope

Json = dict[str, Any]
TEMPLATE = "lt-068f72b72934aff71"
NAMED = {"LaunchTemplateName": "Webservers", "Version": "1", "LaunchTemplateId": TEMPLATE}
GROUP: Json = {
    "AutoScalingGroupName": "my-asg",
    "AutoScalingGroupARN": "arn:aws:autoscaling:us-west-2:123456789012:autoScalingGroup:930d:autoScalingGroupName/my-asg",
    "LaunchTemplate": NAMED,
    "MinSize": 0,
    "MaxSize": 1,
    "DesiredCapacity": 1,
    "DefaultCooldown": 300,
    "AvailabilityZones": ["us-west-2c", "us-west-2a", "us-west-2b"],
    "LoadBalancerNames": [],
    "TargetGroupARNs": [],
    "HealthCheckType": "EC2",
    "HealthCheckGracePeriod": 0,
    "Instances": [
        {
            "InstanceId": "i-06905f55584de02da",
            "InstanceType": "t2.medium",
            "AvailabilityZone": "us-west-2a",
            "HealthStatus": "Healthy",
            "LifecycleState": "InService",
            "ProtectedFromScaleIn": False,
            "LaunchTemplate": NAMED,
        }
    ],
    "CreatedTime": "2023-10-28T02:39:22.152Z",
    "SuspendedProcesses": [],
    "VPCZoneIdentifier": "subnet-5ea0c127,subnet-6194ea3b,subnet-c934b782",
    "EnabledMetrics": [],
    "Tags": [],
    "TerminationPolicies": ["Default"],
    "NewInstancesProtectedFromScaleIn": False,
    "TrafficSources": [],
}
"""The group of ``aws autoscaling describe-auto-scaling-groups`` in AWS's documentation; its template is the documented one."""
VERSION: Json = {
    "CreateTime": "2017-11-20T12:52:33.000Z",
    "CreatedBy": "arn:aws:iam::123456789102:root",
    "DefaultVersion": True,
    "LaunchTemplateData": {"ImageId": "ami-aabbcc11", "InstanceType": "t2.medium", "KeyName": "kp-us-east", "UserData": ""},
    "LaunchTemplateId": TEMPLATE,
    "LaunchTemplateName": "Webservers",
    "VersionNumber": 1,
}
"""The version of DescribeLaunchTemplateVersions in AWS's documentation."""
CONFIGURATION: Json = {
    "AssociatePublicIpAddress": True,
    "BlockDeviceMappings": [],
    "CreatedTime": "2014-05-07T17:39:28.599Z",
    "EbsOptimized": False,
    "ImageId": "ami-043a5034",
    "InstanceMonitoring": {"Enabled": True},
    "InstanceType": "t1.micro",
    "LaunchConfigurationName": "my-launch-config",
    "SecurityGroups": ["sg-67ef0308"],
}
"""The one of DescribeLaunchConfigurations in AWS's documentation."""
PLANNED: Json = {
    "AutoScalingGroupName": "my-asg",
    "ScheduledActionName": "my-recurring-action",
    "Recurrence": "30 0 1 1,6,12 *",
    "StartTime": "2023-12-01T04:00:00Z",
    "Time": "2023-12-01T04:00:00Z",
    "MinSize": 1,
    "MaxSize": 6,
    "DesiredCapacity": 4,
    "TimeZone": "America/New_York",
}
"""The one of ``aws autoscaling describe-scheduled-actions``."""
CREATED = datetime(2023, 10, 28, 2, 39, 22, 152000)
LAUNCHED = datetime(2024, 1, 2, 3)


def listed(name: str, instance_type: str | None = "t2.medium") -> Json:
    """A member, as a group lists it."""
    told = {**GROUP["Instances"][0], "InstanceId": name, "InstanceType": instance_type}
    return {key: value for key, value in told.items() if value is not None}


def member(name: str = "i-06905f55584de02da", **changed: Any) -> AwsResource:
    """An instance of the group, as it was listed before."""
    usual = {"instance_type": "t2.medium", "platform": "linux", "lifecycle": "on-demand", "held_since": LAUNCHED}
    return AwsResource("ec2_instance", name, **{**usual, **changed})


def version(**data: Any) -> Json:
    """The documented version with other data."""
    return {**VERSION, "LaunchTemplateData": {**VERSION["LaunchTemplateData"], **data}}


def place(
    *listed: Json,
    versions: Sequence[Json | Exception] | None = None,
    configurations: Sequence[Json] = (),
    planned: Sequence[Json] = (),
    planned_later: Sequence[Json] | None = None,
) -> Scope:
    """A region with groups; ``versions`` are the answers about templates, in order."""
    answers = [{"LaunchTemplateVersions": [VERSION]}] if versions is None else versions
    pages: list[Json] = [{"ScheduledUpdateGroupActions": [*planned]}]
    if planned_later is not None:
        pages = [{**pages[0], "NextToken": "more"}, {"ScheduledUpdateGroupActions": [*planned_later]}]
    return scope(
        "us-west-2",
        DescribeAutoScalingGroups=[{"AutoScalingGroups": [*listed]}],
        DescribeLaunchConfigurations=[{"LaunchConfigurations": [*configurations]}],
        DescribeScheduledActions=pages,
        DescribeLaunchTemplateVersions=answers,
    )


def read(there: Scope, *members: AwsResource) -> list[AwsResource]:
    return list(groups(there, {each.native_id: each for each in members}))


def one(
    *members: AwsResource, versions: Sequence[Json | Exception] | None = None, without: str = "", **changed: Any
) -> AwsResource:
    """The documented group with other fields."""
    listed = {name: value for name, value in {**GROUP, **changed}.items() if name != without}
    (found,) = read(place(listed, versions=versions), *members)
    return found


def mixed(*overrides: Json, distribution: Json | None = None, named: Json | None = None) -> Json:
    """A group with a mixed instances policy."""
    template = {"LaunchTemplateSpecification": NAMED if named is None else named, "Overrides": [*overrides]}
    policy = {"LaunchTemplate": template, **({"InstancesDistribution": distribution} if distribution else {})}
    return {**{name: value for name, value in GROUP.items() if name != "LaunchTemplate"}, "MixedInstancesPolicy": policy}


def of_policy(*overrides: Json, data: Json | None = None, members: tuple[AwsResource, ...] = (), **more: Any) -> AwsResource:
    group = {**mixed(*overrides, **more), "Instances": []}
    (found,) = read(place(group, versions=[{"LaunchTemplateVersions": [version(**(data or {}))]}]), *members)
    return found
