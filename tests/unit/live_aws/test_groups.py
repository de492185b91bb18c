"""Auto Scaling groups as AWS documents them: every column of what is made of them, and the type of new members."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from dagster_project.connections.aws.failures import Refused
from dagster_project.sources.aws_resources import AwsResource
from tests.unit.live_aws.documented import documented, scope
from tests.unit.live_aws.documented_groups import (
    CONFIGURATION,
    CREATED,
    GROUP,
    LAUNCHED,
    NAMED,
    PLANNED,
    TEMPLATE,
    VERSION,
    listed,
    member,
    mixed,
    of_policy,
    one,
    place,
    read,
    version,
)

Json = dict[str, Any]


def test_the_documented_group() -> None:
    there = place(GROUP, planned=[PLANNED])
    assert read(there, member()) == [
        AwsResource(
            resource_type="autoscaling_group",
            native_id="my-asg",
            instance_type="t2.medium",
            platform="linux",
            tenancy="default",
            lifecycle="on-demand",
            asg_name=None,
            managed_by=None,
            units=1,
            tags={},
            config={
                "instance_type": "t2.medium",
                "region": "us-west-2",
                "availability_zones": ["us-west-2a", "us-west-2b", "us-west-2c"],
                "platform": "linux",
                "tenancy": "default",
                "lifecycle": "on-demand",
                "min_size": 0,
                "max_size": 1,
                "desired_capacity": 1,
                "scheduled_min_size": 1,
                "launch_template_id": TEMPLATE,
                "launch_template_version": "1",
            },
            created_at=CREATED,
            held_since=LAUNCHED,
        )
    ]
    assert documented(there).asked == [
        ("DescribeAutoScalingGroups", {"MaxRecords": 100}),
        ("DescribeScheduledActions", {"MaxRecords": 100}),
        ("DescribeLaunchTemplateVersions", {"LaunchTemplateId": TEMPLATE, "Versions": ["1"]}),
    ]


def test_a_group_with_a_launch_configuration_and_all_that_can_be_said_of_it() -> None:
    group = {
        **{name: value for name, value in GROUP.items() if name != "LaunchTemplate"},
        "LaunchConfigurationName": "my-launch-config",
        "MinSize": 2,
        "MaxSize": 9,
        "DesiredCapacity": 4,
        "AvailabilityZones": ["us-west-2a"],
        "Instances": [listed("i-1", "t1.micro")],
        "Tags": [
            {"Key": "elasticbeanstalk:environment-id", "Value": "e-1", "ResourceId": "my-asg", "PropagateAtLaunch": True},
            {"Key": "flag", "ResourceType": "auto-scaling-group"},
        ],
    }
    configuration = {**CONFIGURATION, "SpotPrice": "0.10", "PlacementTenancy": "dedicated"}
    there = place(group, configurations=[configuration])
    assert read(there, member("i-1", instance_type="t1.micro", platform="windows")) == [
        AwsResource(
            resource_type="autoscaling_group",
            native_id="my-asg",
            instance_type="t1.micro",
            platform="windows",
            tenancy="dedicated",
            lifecycle="spot",
            asg_name=None,
            managed_by="elasticbeanstalk",
            units=4,
            tags={"elasticbeanstalk:environment-id": "e-1", "flag": ""},
            config={
                "instance_type": "t1.micro",
                "region": "us-west-2",
                "availability_zones": ["us-west-2a"],
                "platform": "windows",
                "tenancy": "dedicated",
                "lifecycle": "spot",
                "managed_by": "elasticbeanstalk",
                "min_size": 2,
                "max_size": 9,
                "desired_capacity": 4,
                "launch_configuration": "my-launch-config",
            },
            created_at=CREATED,
            held_since=LAUNCHED,
        )
    ]
    assert documented(there).of("DescribeLaunchConfigurations") == [{"LaunchConfigurationNames": ["my-launch-config"]}]
    assert documented(there).of("DescribeLaunchTemplateVersions") == []


def test_a_group_without_members_has_a_type_of_which_nobody_knows_since_when() -> None:
    assert one(Instances=[], DesiredCapacity=0) == AwsResource(
        resource_type="autoscaling_group",
        native_id="my-asg",
        instance_type="t2.medium",
        platform="unknown",
        tenancy="default",
        lifecycle="on-demand",
        units=0,
        tags={},
        config={
            "instance_type": "t2.medium",
            "region": "us-west-2",
            "availability_zones": ["us-west-2a", "us-west-2b", "us-west-2c"],
            "platform": "unknown",
            "tenancy": "default",
            "lifecycle": "on-demand",
            "min_size": 0,
            "max_size": 1,
            "desired_capacity": 0,
            "launch_template_id": TEMPLATE,
            "launch_template_version": "1",
        },
        created_at=CREATED,
        held_since=None,
    )


def test_a_group_of_which_aws_says_no_more_than_it_must() -> None:
    bare = {"AutoScalingGroupName": "bare", "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0, "DefaultCooldown": 300,
            "AvailabilityZones": [], "HealthCheckType": "EC2", "CreatedTime": "2023-10-28T02:39:22.152Z"}  # fmt: skip
    (found,) = read(place(bare))
    assert found == AwsResource(
        resource_type="autoscaling_group",
        native_id="bare",
        instance_type=None,
        platform="unknown",
        tenancy="default",
        lifecycle="on-demand",
        units=0,
        config={
            "region": "us-west-2",
            "platform": "unknown",
            "tenancy": "default",
            "lifecycle": "on-demand",
            "min_size": 0,
            "max_size": 0,
            "desired_capacity": 0,
        },
        created_at=CREATED,
        held_since=None,
    )


def test_a_region_without_groups_is_asked_nothing_else() -> None:
    there = place()
    assert read(there) == []
    assert documented(there).asked == [("DescribeAutoScalingGroups", {"MaxRecords": 100})]


# What new members are launched with.


def test_a_template_is_asked_for_once_and_each_of_its_versions_by_itself() -> None:
    four = [
        {**GROUP, "AutoScalingGroupName": name, "LaunchTemplate": {**NAMED, "Version": number}}
        for name, number in (("a", "1"), ("b", "$Latest"), ("c", "1"), ("d", "$Latest"))
    ]
    second = {**version(InstanceType="m5.large"), "VersionNumber": 2}
    there = place(*four, versions=[{"LaunchTemplateVersions": [VERSION]}, {"LaunchTemplateVersions": [second]}])
    found = read(there)
    assert [(each.instance_type, each.config["launch_template_version"]) for each in found] == [
        ("t2.medium", "1"), ("m5.large", "2"), ("t2.medium", "1"), ("m5.large", "2"),
    ]  # fmt: skip
    assert documented(there).of("DescribeLaunchTemplateVersions") == [
        {"LaunchTemplateId": TEMPLATE, "Versions": ["1"]},
        {"LaunchTemplateId": TEMPLATE, "Versions": ["$Latest"]},
    ]


@pytest.mark.parametrize("named", [{"LaunchTemplateId": TEMPLATE}, {"LaunchTemplateId": TEMPLATE, "Version": "$Default"}])
def test_without_a_version_it_is_the_default_one(named: Json) -> None:
    there = place({**GROUP, "LaunchTemplate": named})
    assert [each.instance_type for each in read(there)] == ["t2.medium"]
    assert documented(there).of("DescribeLaunchTemplateVersions") == [{"LaunchTemplateId": TEMPLATE, "Versions": ["$Default"]}]


@pytest.mark.parametrize(
    ("data", "lifecycle", "tenancy"),
    [
        ({"InstanceMarketOptions": {"MarketType": "spot"}}, "spot", "default"),
        ({"InstanceMarketOptions": {"MarketType": "capacity-block"}}, "on-demand", "default"),
        ({"InstanceMarketOptions": {}}, "on-demand", "default"),
        ({"Placement": {"Tenancy": "host"}}, "on-demand", "host"),
        ({"Placement": {}}, "on-demand", "default"),
    ],
)
def test_what_a_template_says_of_market_and_tenancy(data: Json, lifecycle: str, tenancy: str) -> None:
    found = one(versions=[{"LaunchTemplateVersions": [version(**data)]}])
    assert (found.lifecycle, found.config["lifecycle"]) == (lifecycle, lifecycle)
    assert (found.tenancy, found.config["tenancy"]) == (tenancy, tenancy)


def test_a_template_without_a_type_gives_none() -> None:
    bare = {**VERSION, "LaunchTemplateData": {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}}}
    found = one(member(), versions=[{"LaunchTemplateVersions": [bare]}])
    assert (found.instance_type, found.held_since) == (None, None)
    assert not {"instance_type", "instance_types", "other_types"} & found.config.keys()
    assert (found.config["launch_template_id"], found.config["launch_template_version"]) == (TEMPLATE, "1")


GONE = (
    "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.Malformed",
)  # fmt: skip


@pytest.mark.parametrize("answer", [*(Refused("It is gone.", code) for code in GONE), {"LaunchTemplateVersions": []}], ids=str)
def test_a_template_that_is_gone_gives_no_type_and_stops_no_other_group(answer: Json | Exception) -> None:
    lost = {**GROUP, "AutoScalingGroupName": "lost", "LaunchTemplate": {**NAMED, "LaunchTemplateId": "lt-0"}}
    there = place(lost, GROUP, versions=[answer, {"LaunchTemplateVersions": [VERSION]}])
    first, second = read(there)
    assert (first.native_id, first.instance_type, first.config["launch_template_id"]) == ("lost", None, "lt-0")
    assert "launch_template_version" not in first.config
    assert second.instance_type == "t2.medium"


def test_a_template_that_aws_will_not_tell_for_another_reason_is_a_failure() -> None:
    with pytest.raises(Refused, match="Not now"):
        one(versions=[Refused("Not now.", "InternalThing")])


def test_a_configuration_that_is_not_there_gives_no_type() -> None:
    found = one(without="LaunchTemplate", LaunchConfigurationName="gone")
    assert (found.instance_type, found.config["launch_configuration"]) == (None, "gone")
    assert not {"launch_template_id", "instance_types"} & found.config.keys()


def test_configurations_are_asked_for_fifty_at_a_time_and_each_once() -> None:
    base = {name: value for name, value in GROUP.items() if name != "LaunchTemplate"}
    names = [f"c{number:03}" for number in range(101)]
    listed = [
        {**base, "AutoScalingGroupName": f"g{number}", "LaunchConfigurationName": name}
        for number, name in enumerate([*reversed(names), "c000"])
    ]

    def answer(chunk: Sequence[str], **more: str) -> Json:
        known = [{**CONFIGURATION, "LaunchConfigurationName": name, "InstanceType": f"m5.{name}"} for name in chunk]
        return {"LaunchConfigurations": known, **more}

    there = scope(
        "us-west-2",
        DescribeAutoScalingGroups=[
            {"AutoScalingGroups": listed[:60], "NextToken": "more"},
            {"AutoScalingGroups": listed[60:]},
        ],
        DescribeLaunchConfigurations=[
            answer(names[:20], NextToken="rest"),
            answer(names[20:50]),
            answer(names[50:100]),
            answer(names[100:]),
        ],
        DescribeScheduledActions=[{"ScheduledUpdateGroupActions": []}],
    )
    assert [each.instance_type for each in read(there)] == [f"m5.{each['LaunchConfigurationName']}" for each in listed]
    assert documented(there).of("DescribeLaunchConfigurations") == [
        {"LaunchConfigurationNames": names[:50]},
        {"LaunchConfigurationNames": names[:50], "NextToken": "rest"},
        {"LaunchConfigurationNames": names[50:100]},
        {"LaunchConfigurationNames": names[100:]},
    ]
    assert documented(there).of("DescribeAutoScalingGroups") == [{"MaxRecords": 100}, {"MaxRecords": 100, "NextToken": "more"}]


# Mixed instances.


def test_a_policy_with_one_type_has_a_size() -> None:
    found = of_policy({"InstanceType": "m5.large"}, {"InstanceType": "m5.large"})
    assert (found.instance_type, found.config["instance_type"], found.lifecycle) == ("m5.large", "m5.large", "on-demand")
    assert found.config["has_mixed_instances"] is True
    assert "instance_types" not in found.config
    assert (found.config["launch_template_id"], found.config["launch_template_version"]) == (TEMPLATE, "1")


def test_a_policy_without_overrides_has_the_type_of_its_template() -> None:
    assert of_policy(data={"Placement": {"Tenancy": "dedicated"}}).instance_type == "t2.medium"
    assert of_policy(data={"Placement": {"Tenancy": "dedicated"}}).tenancy == "dedicated"
    assert of_policy({"WeightedCapacity": "1"}).instance_type == "t2.medium"


def test_of_several_types_nobody_knows_which_the_next_members_have() -> None:
    group = mixed({"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}, {"InstanceType": "m5a.large"})
    (found,) = read(place(group), member(instance_type="m5.large"))
    assert (found.instance_type, found.held_since) == (None, None)
    assert found.config["instance_types"] == ["m5.large", "m5a.large", "m6i.large"]
    assert not {"instance_type", "other_types"} & found.config.keys()
    two = of_policy({"InstanceType": "m5.large"}, {"InstanceType": "m5.xlarge"})
    assert (two.instance_type, two.config["instance_types"]) == (None, ["m5.large", "m5.xlarge"])


@pytest.mark.parametrize(
    "override",
    [
        {"InstanceRequirements": {"VCpuCount": {"Min": 2, "Max": 4}, "MemoryMiB": {"Min": 4096}}},
        {"InstanceType": "m6g.large", "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "3"}},
    ],
)
def test_attributes_and_templates_of_their_own_stand_for_types_that_are_not_known(override: Json) -> None:
    for overrides in ([override], [{"InstanceType": "m5.large"}, override]):
        found = of_policy(*overrides)
        assert found.instance_type is None
        assert not {"instance_type", "instance_types"} & found.config.keys()


@pytest.mark.parametrize(
    ("distribution", "lifecycle"),
    [
        ({"OnDemandPercentageAboveBaseCapacity": 100}, "on-demand"),
        ({"OnDemandPercentageAboveBaseCapacity": 99}, "spot"),
        ({"OnDemandPercentageAboveBaseCapacity": 0, "OnDemandBaseCapacity": 5}, "spot"),
        ({"OnDemandBaseCapacity": 1, "SpotAllocationStrategy": "price-capacity-optimized"}, "on-demand"),
    ],
)
def test_a_policy_that_allows_for_spot_has_it(distribution: Json, lifecycle: str) -> None:
    assert of_policy({"InstanceType": "m5.large"}, distribution=distribution).lifecycle == lifecycle


def test_a_policy_on_a_template_of_spot_has_it_too() -> None:
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    assert of_policy({"InstanceType": "m5.large"}, data=spot).lifecycle == "spot"


def test_a_policy_whose_template_is_not_named_is_of_what_it_names() -> None:
    found = of_policy({"InstanceType": "m5.large"}, named={})
    assert (found.instance_type, found.config["has_mixed_instances"]) == ("m5.large", True)
    assert "launch_template_id" not in found.config
    bare = {**mixed(), "MixedInstancesPolicy": {}}
    (nothing,) = read(place(bare))
    assert (nothing.instance_type, nothing.config["has_mixed_instances"]) == (None, True)


@pytest.mark.parametrize(
    ("weight", "capacity", "units"),
    [({}, {}, 16), ({"WeightedCapacity": "1"}, {"DesiredCapacityType": "units"}, 16), ({"WeightedCapacity": "8"}, {}, None),
     ({}, {"DesiredCapacityType": "vcpu"}, None), ({}, {"DesiredCapacityType": "memory-mib"}, None)],
)  # fmt: skip
def test_a_capacity_that_is_no_number_of_members_makes_no_size(weight: Json, capacity: Json, units: int | None) -> None:
    group = {**mixed({"InstanceType": "m5.2xlarge", **weight}), "DesiredCapacity": 16, **capacity}
    group["Instances"] = [listed("i-1", "m5.2xlarge")]
    (found,) = read(place(group), member("i-1", instance_type="m5.2xlarge"))
    assert (found.units, found.config["desired_capacity"]) == (units, 16)
    expected = None if units is None else "m5.2xlarge"
    assert (found.instance_type, found.config.get("instance_type")) == (expected, expected)
    assert (found.held_since is None) == (units is None)


def test_one_override_that_weighs_more_is_enough() -> None:
    found = of_policy({"InstanceType": "m5.large"}, {"InstanceType": "m5.large", "WeightedCapacity": "2"})
    assert (found.instance_type, found.units) == (None, None)


# Members.


def test_members_of_another_type_are_named_and_leave_it_open_since_when() -> None:
    there = [listed("i-1", "m4.large"), listed("i-2")]
    found = one(member("i-1", instance_type="m4.large"), member("i-2"), Instances=there)
    assert (found.instance_type, found.config["other_types"], found.held_since) == ("t2.medium", ["m4.large"], None)


def test_the_types_of_members_are_known_from_the_group_and_from_the_list_of_instances() -> None:
    there = [listed("i-1", None), listed("i-2", "c5.large"), listed("i-3", "")]
    assert one(member("i-1", instance_type="m4.large"), Instances=there).config["other_types"] == ["c5.large", "m4.large"]


def test_a_type_holds_since_the_oldest_member_that_is_up() -> None:
    there = [listed(name) for name in ("i-1", "i-2", "i-3", "i-4")]
    old, young = datetime(2024, 2, 1), datetime(2025, 1, 1)
    members = [member("i-1", held_since=young), member("i-2", held_since=old), member("i-3", held_since=None)]
    assert one(*members, Instances=there).held_since == old
    # Members of other groups say nothing.
    assert one(*members, member("i-9", held_since=datetime(2023, 12, 1)), Instances=there).held_since == old
    assert one(member("i-3", held_since=None), Instances=there).held_since is None


@pytest.mark.parametrize(
    ("launched", "made_at", "since"),
    [
        # A group that took machines in is no older than itself, nor than what it launches from.
        (datetime(2020, 1, 1), "2017-11-20T12:52:33Z", CREATED),
        (datetime(2024, 1, 1), "2024-06-01T02:00:00+02:00", datetime(2024, 6, 1)),
        (datetime(2024, 1, 1), None, datetime(2024, 1, 1)),
    ],
)
def test_a_type_is_no_older_than_the_group_and_its_template(launched: datetime, made_at: str | None, since: datetime) -> None:
    told = {name: value for name, value in VERSION.items() if name != "CreateTime"} | ({"CreateTime": made_at} if made_at else {})
    assert one(member(held_since=launched), versions=[{"LaunchTemplateVersions": [told]}]).held_since == since


def test_a_type_is_no_older_than_its_launch_configuration() -> None:
    base = {name: value for name, value in GROUP.items() if name != "LaunchTemplate"}
    group = {**base, "LaunchConfigurationName": "my-launch-config"}
    made = {**CONFIGURATION, "InstanceType": "t2.medium", "CreatedTime": "2024-05-07T19:39:28+02:00"}
    (found,) = read(place(group, configurations=[made]), member())
    assert found.held_since == datetime(2024, 5, 7, 17, 39, 28)


@pytest.mark.parametrize(
    ("platforms", "platform"),
    [(("linux", "linux"), "linux"), (("windows", "windows"), "windows"), (("linux", "windows"), "unknown"), ((), "unknown")],
)
def test_a_group_is_of_the_platform_of_all_its_members(platforms: tuple[str, ...], platform: str) -> None:
    members = [member(f"i-{number}", platform=each) for number, each in enumerate(platforms)]
    found = one(*members, Instances=[listed(each.native_id) for each in members])
    assert (found.platform, found.config["platform"]) == (platform, platform)


def test_one_member_of_spot_makes_the_group_one_of_spot() -> None:
    there = [listed(name) for name in ("i-1", "i-2")]
    assert one(member("i-1"), member("i-2", lifecycle="spot"), Instances=there).lifecycle == "spot"
    assert one(member("i-1"), member("i-9", lifecycle="spot"), Instances=there).lifecycle == "on-demand"


# What is planned.


def test_the_highest_minimum_that_is_planned_counts_group_by_group() -> None:
    listed = [{**GROUP, "AutoScalingGroupName": name} for name in ("a", "b", "c", "d")]

    def planned(name: str, **minimum: int) -> Json:
        told = {key: value for key, value in PLANNED.items() if key != "MinSize"}
        return {**told, "AutoScalingGroupName": name, **minimum}

    there = place(
        *listed,
        planned=[planned("a", MinSize=3), planned("b"), planned("d", MinSize=0)],
        planned_later=[planned("a", MinSize=8), planned("a", MinSize=2), planned("z", MinSize=9)],
    )
    assert [each.config.get("scheduled_min_size") for each in read(there)] == [8, None, None, 0]
    assert documented(there).of("DescribeScheduledActions") == [{"MaxRecords": 100}, {"MaxRecords": 100, "NextToken": "more"}]
