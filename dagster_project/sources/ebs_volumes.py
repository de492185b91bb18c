"""EBS volumes of a region. They are listed, not sized."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.sources.aws_resources import AwsResource, known, tags_of
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.history import utc

VOLUMES = read("ec2", "DescribeVolumes", purpose=purposes.INVENTORY, probe={"MaxResults": 5})
READS = (VOLUMES,)
PERMISSIONS = permissions(*READS)

KIND = "ebs_volume"
_PAGE = 500


def volumes(scope: Scope) -> Iterator[AwsResource]:
    """Every volume, attached or not."""
    for page in scope.connection.pages(VOLUMES, f"volumes of {scope.place}", MaxResults=_PAGE):
        for each in page["Volumes"]:
            yield _volume(scope, each)


def _volume(scope: Scope, seen: dict[str, Any]) -> AwsResource:
    attached = sorted(each["InstanceId"] for each in seen.get("Attachments", ()) if each.get("InstanceId"))
    return AwsResource(
        resource_type=KIND,
        native_id=seen["VolumeId"],
        tags=tags_of(seen.get("Tags")),
        config=known(
            {
                "region": scope.region,
                "availability_zone": seen.get("AvailabilityZone"),
                "storage_type": seen.get("VolumeType"),
                "size_gib": seen.get("Size"),
                "iops": seen.get("Iops"),
                "throughput_mibps": seen.get("Throughput"),
                "state": seen.get("State"),
                "attached_to": attached or None,
            }
        ),
        created_at=utc(seen["CreateTime"]),
    )
