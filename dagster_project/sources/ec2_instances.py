"""EC2 instances of a region."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.inventory import GROUP_TAG, managed_by
from dagster_project.sources.aws_resources import AwsResource, known, tags_of
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.history import utc

INSTANCES = read("ec2", "DescribeInstances", purpose=purposes.INVENTORY, probe={"MaxResults": 5})
READS = (INSTANCES,)
PERMISSIONS = permissions(*READS)

KIND = "ec2_instance"
_PAGE = 1000
_THERE = ["pending", "running", "stopping", "stopped"]
_UP = frozenset({"pending", "running", "stopping"})
_PLATFORMS = (("windows", "windows"), ("red hat", "rhel"), ("suse", "suse"), ("linux", "linux"))
"""Words of ``PlatformDetails`` and what they are called here, in the order in which they decide."""


def instances(scope: Scope) -> Iterator[AwsResource]:
    """Instances that are there, running or not."""
    filters = [{"Name": "instance-state-name", "Values": _THERE}]
    for page in scope.connection.pages(INSTANCES, f"instances of {scope.place}", MaxResults=_PAGE, Filters=filters):
        for reservation in page["Reservations"]:
            for each in reservation["Instances"]:
                yield _instance(scope, each)


def platform_of(details: str) -> str:
    """What an instance is billed for; AWS's own words where they are not known here, as nothing said would count as Linux."""
    words = details.lower()
    return next((name for word, name in _PLATFORMS if word in words), words)


def _instance(scope: Scope, seen: dict[str, Any]) -> AwsResource:
    tags = tags_of(seen.get("Tags"))
    launched_at = utc(seen["LaunchTime"]) if seen.get("LaunchTime") else None
    placement, state = seen.get("Placement", {}), seen["State"]["Name"]
    told: dict[str, Any] = {
        "instance_type": seen["InstanceType"],
        "platform": platform_of(seen.get("PlatformDetails") or seen.get("Platform") or "linux"),
        "tenancy": placement.get("Tenancy") or "default",
        # AWS leaves the field out where an instance is on demand.
        "lifecycle": seen.get("InstanceLifecycle") or "on-demand",
        "asg_name": tags.get(GROUP_TAG),
        "managed_by": managed_by(tags),
    }
    config = {
        "region": scope.region,
        "availability_zone": placement.get("AvailabilityZone"),
        "state": state,
        "image_id": seen.get("ImageId"),
        "architecture": seen.get("Architecture"),
        "network_interfaces": len(seen.get("NetworkInterfaces", [])) or None,
        "volumes": len(seen.get("BlockDeviceMappings", [])) or None,
        "is_ebs_optimized": seen.get("EbsOptimized"),
    }
    return AwsResource(
        resource_type=KIND,
        native_id=seen["InstanceId"],
        **told,
        tags=tags,
        config=known({**told, **config}),
        created_at=_created_at(seen, launched_at),
        # A type changes only while an instance is stopped: while it is up, it has had the present one since the last start.
        held_since=launched_at if state in _UP else None,
    )


def _created_at(seen: dict[str, Any], launched_at: datetime | None) -> datetime | None:
    """AWS tells the last start only; what was attached first was so at the first one."""
    volumes = (each.get("Ebs", {}).get("AttachTime") for each in seen.get("BlockDeviceMappings", ()))
    interfaces = (each.get("Attachment", {}).get("AttachTime") for each in seen.get("NetworkInterfaces", ()))
    known = [utc(at) for at in (*volumes, *interfaces) if at is not None]
    return min([launched_at, *known] if launched_at is not None else known, default=None)
