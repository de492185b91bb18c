"""EBS volumes as AWS documents them."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import datetime
from typing import Any

from dagster_project.sources.aws_resources import AwsResource
from dagster_project.sources.ebs_volumes import volumes
from tests.unit.live_aws.documented import documented, scope

DOCUMENTED: dict[str, Any] = {
    "Attachments": [
        {
            "AttachTime": "2013-12-18T22:35:00.000Z",
            "DeleteOnTermination": True,
            "Device": "/dev/sda1",
            "InstanceId": "i-1234567890abcdef0",
            "State": "attached",
            "VolumeId": "vol-049df61146c4d7901",
        }
    ],
    "AvailabilityZone": "us-east-1a",
    "CreateTime": "2013-12-18T22:35:00.084Z",
    "Size": 8,
    "SnapshotId": "snap-1234567890abcdef0",
    "State": "in-use",
    "VolumeId": "vol-049df61146c4d7901",
    "VolumeType": "standard",
}
"""The volume of AWS's documentation of DescribeVolumes."""


def test_the_documented_volume() -> None:
    place = scope("us-east-1", DescribeVolumes=[{"NextToken": "", "Volumes": [DOCUMENTED]}])
    assert list(volumes(place)) == [
        AwsResource(
            resource_type="ebs_volume",
            native_id="vol-049df61146c4d7901",
            instance_type=None,
            platform=None,
            tenancy=None,
            lifecycle=None,
            asg_name=None,
            managed_by=None,
            units=1,
            tags={},
            config={
                "region": "us-east-1",
                "availability_zone": "us-east-1a",
                "storage_type": "standard",
                "size_gib": 8,
                "state": "in-use",
                "attached_to": ["i-1234567890abcdef0"],
            },
            created_at=datetime(2013, 12, 18, 22, 35, 0, 84000),
            held_since=None,
        )
    ]
    assert documented(place).asked == [("DescribeVolumes", {"MaxResults": 500})]


def test_a_volume_with_all_that_can_be_said_of_it_and_one_that_is_nobodys() -> None:
    shared = {
        **DOCUMENTED,
        "VolumeId": "vol-2",
        "CreateTime": "2025-03-09T01:00:00+02:00",
        "VolumeType": "io2",
        "Size": 500,
        "Iops": 16000,
        "Throughput": 250,
        "MultiAttachEnabled": True,
        "Attachments": [{"InstanceId": "i-9"}, {"InstanceId": "i-1"}, {"AssociatedResource": "arn:aws:ecs:task"}],
        "Tags": [{"Key": "team", "Value": "data"}, {"Key": "flag"}],
    }
    alone = {"VolumeId": "vol-3", "CreateTime": "2025-03-09T00:00:00Z", "State": "available", "Attachments": []}
    pages: list[dict[str, Any]] = [{"Volumes": [shared], "NextToken": "more"}, {"Volumes": [alone]}]
    place = scope(DescribeVolumes=pages)
    first, second = volumes(place)
    assert first == AwsResource(
        resource_type="ebs_volume",
        native_id="vol-2",
        tags={"team": "data", "flag": ""},
        config={
            "region": "us-east-2",
            "availability_zone": "us-east-1a",
            "storage_type": "io2",
            "size_gib": 500,
            "iops": 16000,
            "throughput_mibps": 250,
            "state": "in-use",
            "attached_to": ["i-1", "i-9"],
        },
        created_at=datetime(2025, 3, 8, 23),
    )
    assert second == AwsResource(
        resource_type="ebs_volume",
        native_id="vol-3",
        config={"region": "us-east-2", "state": "available"},
        created_at=datetime(2025, 3, 9),
    )
    assert documented(place).of("DescribeVolumes") == [{"MaxResults": 500}, {"MaxResults": 500, "NextToken": "more"}]
