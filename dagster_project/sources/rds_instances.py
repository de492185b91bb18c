"""RDS database instances of a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.sources.aws_resources import AwsResource, known, tags_of
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.history import aware, utc

INSTANCES = read("rds", "DescribeDBInstances", purpose=purposes.INVENTORY, probe={"MaxRecords": 20})
EVENTS = read("rds", "DescribeEvents", purpose=purposes.INVENTORY, probe={"MaxRecords": 20})
"""Tell when a class was changed."""
READS = (INSTANCES, EVENTS)
PERMISSIONS = permissions(*READS)

KIND = "rds_instance"
_PAGE = 100
_REMEMBERED = timedelta(days=14) - timedelta(minutes=1)
"""How long RDS remembers events, less by a minute: the clocks may differ."""
_CONFIGURATION = "configuration change"
_UNDER_WAY = frozenset({"creating", "modifying"})


def databases(scope: Scope, clock: Callable[[], datetime]) -> Iterator[AwsResource]:
    """Database instances; ``clock`` tells the present moment in naive UTC."""
    pages = scope.connection.pages(INSTANCES, f"databases of {scope.place}", "Marker", MaxRecords=_PAGE)
    listed = [each for page in pages for each in page["DBInstances"]]
    # Afterwards, and up to now: a class that was given meanwhile must not look as old as what is remembered.
    now = clock()
    changed = _changes(scope, now)
    for each in listed:
        yield _database(scope, each, now - _REMEMBERED, changed)


def _changes(scope: Scope, now: datetime) -> Mapping[str, datetime]:
    """When the configuration of a database was last changed, of those where it was."""
    found: dict[str, datetime] = {}
    pages = scope.connection.pages(
        EVENTS,
        f"databases of {scope.place}",
        "Marker",
        SourceType="db-instance",
        EventCategories=[_CONFIGURATION],
        StartTime=aware(now - _REMEMBERED),
        EndTime=aware(now),
        MaxRecords=_PAGE,
    )
    for page in pages:
        for each in page["Events"]:
            if _CONFIGURATION not in each.get("EventCategories", ()):
                continue
            name, happened_at = each["SourceIdentifier"], utc(each["Date"])
            found[name] = max(found.get(name, happened_at), happened_at)
    return found


def _database(scope: Scope, seen: dict[str, Any], since: datetime, changed: Mapping[str, datetime]) -> AwsResource:
    name = seen["DBInstanceIdentifier"]
    created_at = utc(seen["InstanceCreateTime"]) if seen.get("InstanceCreateTime") else None
    return AwsResource(
        resource_type=KIND,
        native_id=name,
        instance_type=seen["DBInstanceClass"],
        tags=tags_of(seen.get("TagList")),
        config=known(
            {
                "instance_type": seen["DBInstanceClass"],
                "region": scope.region,
                "availability_zone": seen.get("AvailabilityZone"),
                "engine": seen.get("Engine"),
                "engine_version": seen.get("EngineVersion"),
                "multi_az": seen.get("MultiAZ"),
                "storage_type": seen.get("StorageType"),
                "size_gib": seen.get("AllocatedStorage"),
                "iops": seen.get("Iops"),
                "throughput_mibps": seen.get("StorageThroughput"),
                "cluster": seen.get("DBClusterIdentifier"),
                "replica_of": seen.get("ReadReplicaSourceDBInstanceIdentifier"),
                "license_model": seen.get("LicenseModel"),
                "state": seen.get("DBInstanceStatus"),
            }
        ),
        created_at=created_at,
        # One that is being changed may have its new class already, and tell of it only when it is done.
        held_since=None
        if seen.get("DBInstanceStatus") in _UNDER_WAY
        else max([changed.get(name, since), *([created_at] if created_at else [])]),
    )
