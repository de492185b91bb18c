"""EC2 instances as AWS documents them: every column of what is made of them, and what the odd ones come to."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from dagster_project.sources.aws_resources import AwsResource
from dagster_project.sources.ec2_instances import instances
from tests.unit.live_aws.documented import documented, scope

DOCUMENTED: dict[str, Any] = {
    "AmiLaunchIndex": 0,
    "ImageId": "ami-0abcdef1234567890",
    "InstanceId": "i-1234567890abcdef0",
    "InstanceType": "t3.nano",
    "KeyName": "my-key-pair",
    "LaunchTime": "2022-11-15T10:48:59+00:00",
    "Monitoring": {"State": "disabled"},
    "Placement": {"AvailabilityZone": "us-east-2a", "GroupName": "", "Tenancy": "default"},
    "State": {"Code": 16, "Name": "running"},
    "StateTransitionReason": "",
    "Architecture": "x86_64",
    "BlockDeviceMappings": [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {
                "AttachTime": "2022-11-15T10:49:00+00:00",
                "DeleteOnTermination": True,
                "Status": "attached",
                "VolumeId": "vol-02e6ccdca7de29cf2",
            },
        }
    ],
    "EbsOptimized": True,
    "EnaSupport": True,
    "Hypervisor": "xen",
    "NetworkInterfaces": [
        {
            "Attachment": {
                "AttachTime": "2022-11-15T10:48:59+00:00",
                "AttachmentId": "eni-attach-1234567890abcdefg",
                "DeleteOnTermination": True,
                "DeviceIndex": 0,
                "Status": "attached",
                "NetworkCardIndex": 0,
            },
            "Groups": [{"GroupName": "launch-wizard-146", "GroupId": "sg-1234567890abcdefg"}],
            "NetworkInterfaceId": "eni-1234567890abcdefg",
            "OwnerId": "104024344472",
            "Status": "in-use",
        }
    ],
    "RootDeviceName": "/dev/xvda",
    "RootDeviceType": "ebs",
    "Tags": [{"Key": "Name", "Value": "my-instance"}],
    "VirtualizationType": "hvm",
    "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
    "PlatformDetails": "Linux/UNIX",
    "UsageOperation": "RunInstances",
    "UsageOperationUpdateTime": "2022-11-15T10:48:59+00:00",
}
"""The instance of ``aws ec2 describe-instances`` in AWS's documentation, without what is not read of it."""
BARE = {"InstanceId": "i-2", "InstanceType": "m5.large", "State": {"Name": "running"}}
"""What every instance has, and nothing else."""
LAUNCHED = "2022-11-15T10:48:59+00:00"
CREATED = datetime(2022, 11, 15, 10, 48, 59)


def reservation(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"Groups": [], "Instances": [*listed], "OwnerId": "111111111111", "ReservationId": "r-1234567890abcdefg"}


def read(*listed: dict[str, Any]) -> list[AwsResource]:
    return list(instances(scope(DescribeInstances=[{"Reservations": [reservation(*listed)]}])))


def one(without: tuple[str, ...] = (), **changed: Any) -> AwsResource:
    """The documented instance with other fields."""
    (found,) = read({name: value for name, value in {**DOCUMENTED, **changed}.items() if name not in without})
    return found


def test_the_documented_instance() -> None:
    assert one() == AwsResource(
        resource_type="ec2_instance",
        native_id="i-1234567890abcdef0",
        instance_type="t3.nano",
        platform="linux",
        tenancy="default",
        lifecycle="on-demand",
        asg_name=None,
        managed_by=None,
        units=1,
        tags={"Name": "my-instance"},
        config={
            "instance_type": "t3.nano",
            "region": "us-east-2",
            "availability_zone": "us-east-2a",
            "platform": "linux",
            "tenancy": "default",
            "lifecycle": "on-demand",
            "state": "running",
            "image_id": "ami-0abcdef1234567890",
            "architecture": "x86_64",
            "network_interfaces": 1,
            "volumes": 1,
            "is_ebs_optimized": True,
        },
        created_at=CREATED,
        held_since=CREATED,
    )


def test_an_instance_with_all_that_can_be_said_of_it() -> None:
    volume, interface = DOCUMENTED["BlockDeviceMappings"][0], DOCUMENTED["NetworkInterfaces"][0]
    found = one(
        InstanceId="i-9",
        InstanceType="m5.4xlarge",
        InstanceLifecycle="spot",
        Platform="windows",
        PlatformDetails="Windows with SQL Server Standard",
        Placement={"AvailabilityZone": "us-east-2c", "Tenancy": "dedicated"},
        Architecture="arm64",
        EbsOptimized=False,
        BlockDeviceMappings=[volume, volume, volume],
        NetworkInterfaces=[interface, interface],
        Tags=[
            {"Key": "aws:autoscaling:groupName", "Value": "web"},
            {"Key": "eks:nodegroup-name", "Value": "main"},
            {"Key": "flag"},
            {"Key": "empty", "Value": ""},
        ],
    )
    assert found == AwsResource(
        resource_type="ec2_instance",
        native_id="i-9",
        instance_type="m5.4xlarge",
        platform="windows",
        tenancy="dedicated",
        lifecycle="spot",
        asg_name="web",
        managed_by="eks",
        units=1,
        tags={"aws:autoscaling:groupName": "web", "eks:nodegroup-name": "main", "flag": "", "empty": ""},
        config={
            "instance_type": "m5.4xlarge",
            "region": "us-east-2",
            "availability_zone": "us-east-2c",
            "platform": "windows",
            "tenancy": "dedicated",
            "lifecycle": "spot",
            "asg_name": "web",
            "managed_by": "eks",
            "state": "running",
            "image_id": "ami-0abcdef1234567890",
            "architecture": "arm64",
            "network_interfaces": 2,
            "volumes": 3,
            "is_ebs_optimized": False,
        },
        created_at=CREATED,
        held_since=CREATED,
    )


def test_an_instance_of_which_aws_says_no_more_than_it_must() -> None:
    (found,) = read(BARE)
    assert found == AwsResource(
        resource_type="ec2_instance",
        native_id="i-2",
        instance_type="m5.large",
        platform="linux",
        tenancy="default",
        lifecycle="on-demand",
        tags={},
        config={
            "instance_type": "m5.large",
            "region": "us-east-2",
            "platform": "linux",
            "tenancy": "default",
            "lifecycle": "on-demand",
            "state": "running",
        },
        created_at=None,
        held_since=None,
    )


def test_what_is_listed_is_what_is_there_page_by_page_and_whoever_launched_it() -> None:
    pages = [
        {"Reservations": [reservation(BARE, {**BARE, "InstanceId": "i-3"}), reservation()], "NextToken": "more"},
        {"Reservations": []  , "NextToken": "still more"},
        {"Reservations": [reservation({**BARE, "InstanceId": "i-4"})]},
    ]  # fmt: skip
    place = scope(DescribeInstances=pages)
    assert [each.native_id for each in instances(place)] == ["i-2", "i-3", "i-4"]
    asked = {
        "MaxResults": 1000,
        "Filters": [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}],
    }
    assert documented(place).asked == [
        ("DescribeInstances", asked),
        ("DescribeInstances", {**asked, "NextToken": "more"}),
        ("DescribeInstances", {**asked, "NextToken": "still more"}),
    ]


def test_a_region_without_instances_has_none() -> None:
    place = scope(DescribeInstances=[{"Reservations": []}])
    assert list(instances(place)) == []
    assert len(documented(place).asked) == 1


# What AWS documents as PlatformDetails (AMI billing information fields), and how it is called here.
PLATFORMS = {
    "Linux/UNIX": "linux",
    "Red Hat BYOL Linux": "rhel",
    "Red Hat Enterprise Linux": "rhel",
    "Red Hat Enterprise Linux with HA": "rhel",
    "Red Hat Enterprise Linux with SQL Server Standard and HA": "rhel",
    "Red Hat Enterprise Linux with SQL Server Enterprise and HA": "rhel",
    "Red Hat Enterprise Linux with SQL Server Standard": "rhel",
    "Red Hat Enterprise Linux with SQL Server Web": "rhel",
    "Red Hat Enterprise Linux with SQL Server Enterprise": "rhel",
    "SUSE Linux": "suse",
    "Windows": "windows",
    "Windows BYOL": "windows",
    "Windows with SQL Server Enterprise": "windows",
    "Windows with SQL Server Standard": "windows",
    "Windows with SQL Server Web": "windows",
    # Not known here, and so never taken for Linux.
    "SQL Server Enterprise": "sql server enterprise",
    "SQL Server Standard": "sql server standard",
    "SQL Server Web": "sql server web",
    "Ubuntu Pro": "ubuntu pro",
    "macOS": "macos",
}


@pytest.mark.parametrize("details", PLATFORMS)
def test_what_an_instance_is_billed_for(details: str) -> None:
    found = one(PlatformDetails=details)
    assert (found.platform, found.config["platform"]) == (PLATFORMS[details], PLATFORMS[details])


@pytest.mark.parametrize(
    ("changed", "platform"),
    [
        ({"Platform": "windows"}, "windows"),
        ({"Platform": "Windows", "PlatformDetails": ""}, "windows"),
        # Where both are there, what is billed counts.
        ({"Platform": "windows", "PlatformDetails": "Ubuntu Pro"}, "ubuntu pro"),
        ({}, "linux"),
    ],
)
def test_without_billing_details_windows_says_so_and_nothing_else_does(changed: dict[str, str], platform: str) -> None:
    assert one(without=() if "PlatformDetails" in changed else ("PlatformDetails",), **changed).platform == platform


@pytest.mark.parametrize(
    ("placement", "tenancy", "zone"),
    [
        ({"AvailabilityZone": "us-east-2b"}, "default", "us-east-2b"),
        ({"Tenancy": "host"}, "host", None),
        ({}, "default", None),
    ],
)
def test_where_it_runs_and_with_whom(placement: dict[str, str], tenancy: str, zone: str | None) -> None:
    found = one(Placement=placement)
    assert (found.tenancy, found.config["tenancy"], found.config.get("availability_zone")) == (tenancy, tenancy, zone)


@pytest.mark.parametrize("lifecycle", ["spot", "scheduled", "capacity-block"])
def test_only_what_says_nothing_is_on_demand(lifecycle: str) -> None:
    found = one(InstanceLifecycle=lifecycle)
    assert (found.lifecycle, found.config["lifecycle"]) == (lifecycle, lifecycle)


def test_without_tags_it_has_none() -> None:
    assert one(without=("Tags",)).tags == {}
    assert one(Tags=[]).tags == {}


# Since when.


@pytest.mark.parametrize(
    ("state", "held_since"),
    [("pending", CREATED), ("running", CREATED), ("stopping", CREATED), ("stopped", None), ("shutting-down", None)],
)
def test_a_type_changes_only_while_an_instance_is_stopped(state: str, held_since: datetime | None) -> None:
    found = one(State={"Name": state})
    assert (found.held_since, found.created_at, found.config["state"]) == (held_since, CREATED, state)


def test_moments_are_utc_whatever_zone_they_are_told_in() -> None:
    launched = datetime(2025, 3, 9, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    found = one(without=("BlockDeviceMappings", "NetworkInterfaces"), LaunchTime=launched)
    assert (found.held_since, found.created_at) == (datetime(2025, 3, 8, 19, 45), datetime(2025, 3, 8, 19, 45))


def attached(*times: str | None) -> list[dict[str, Any]]:
    return [{"DeviceName": "/dev/sda1", "Ebs": {"AttachTime": at} if at else {}} for at in times]


def plugged(*times: str | None) -> list[dict[str, Any]]:
    return [{"NetworkInterfaceId": "eni-1", "Attachment": {"AttachTime": at} if at else {}} for at in times]


@pytest.mark.parametrize(
    ("volumes", "interfaces", "launched", "created_at"),
    [
        # A machine that was started again tells its first start by what was attached to it then.
        (attached("2021-01-02T03:04:05Z"), plugged("2021-06-01T00:00:00Z"), LAUNCHED, datetime(2021, 1, 2, 3, 4, 5)),
        (attached("2021-06-01T00:00:00Z"), plugged("2021-01-02T03:04:05Z"), LAUNCHED, datetime(2021, 1, 2, 3, 4, 5)),
        (attached(None, "2021-06-01T02:00:00+02:00"), plugged(None), LAUNCHED, datetime(2021, 6, 1)),
        # Volumes that came later say nothing.
        (attached("2023-01-01T00:00:00Z"), plugged("2023-02-01T00:00:00Z"), LAUNCHED, CREATED),
        ([], [], LAUNCHED, CREATED),
        (attached("2023-01-01T00:00:00Z"), plugged("2022-01-01T00:00:00Z"), None, datetime(2022, 1, 1)),
        ([{"DeviceName": "/dev/sda1"}], [{"NetworkInterfaceId": "eni-1"}], None, None),
    ],
)  # fmt: skip
def test_an_instance_is_as_old_as_what_was_attached_first(
    volumes: list[dict[str, Any]], interfaces: list[dict[str, Any]], launched: str | None, created_at: datetime | None
) -> None:
    changed = {"BlockDeviceMappings": volumes, "NetworkInterfaces": interfaces, **({"LaunchTime": launched} if launched else {})}
    assert one(without=() if launched else ("LaunchTime",), **changed).created_at == created_at
