"""Instance refreshes of Auto Scaling groups."""

from __future__ import annotations

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import permissions, read, write
from dagster_project.domain.applying.cloud import Refresh

_GROUP = "autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*"
DESCRIBE = read("autoscaling", "DescribeInstanceRefreshes", purpose=purposes.LOOKING)
START = write("autoscaling", "StartInstanceRefresh", _GROUP, purpose=purposes.GROUPS)
CANCEL = write("autoscaling", "CancelInstanceRefresh", _GROUP, purpose=purposes.GROUPS)
READS, WRITES = (DESCRIBE,), (START, CANCEL)
PERMISSIONS = permissions(*READS, *WRITES)


def newest(connection: Connection, name: str) -> Refresh | None:
    """The refresh of a group that was asked for last; AWS lists them from the newest on, and forgets them after six weeks."""
    found = connection.ask(DESCRIBE, f"the group {name}", AutoScalingGroupName=name, MaxRecords=1)
    for each in found.get("InstanceRefreshes", []):
        return Refresh(each["InstanceRefreshId"], each["Status"], each.get("StatusReason"))
    return None


def start(connection: Connection, name: str, min_healthy_pct: int, warmup_seconds: int) -> None:
    """Replaces the members that do not match the group's template; one that is under way stays so."""
    preferences = {"MinHealthyPercentage": min_healthy_pct, "InstanceWarmup": warmup_seconds, "SkipMatching": True}
    connection.find(
        START,
        f"the group {name}",
        "InstanceRefreshInProgress",
        AutoScalingGroupName=name,
        Strategy="Rolling",
        Preferences=preferences,
    )


def cancel(connection: Connection, name: str) -> None:
    """Ends a refresh that is under way. Members that it replaced stay replaced."""
    connection.find(CANCEL, f"the group {name}", "ActiveInstanceRefreshNotFound", AutoScalingGroupName=name)
