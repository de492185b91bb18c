"""EC2 instances."""

from __future__ import annotations

from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import Grant, permissions, read, write
from dagster_project.domain.applying.cloud import Machine

_INSTANCE = "ec2:*:*:instance/*"
DESCRIBE = read("ec2", "DescribeInstances", purpose=purposes.LOOKING)
DESCRIBE_STATUS = read("ec2", "DescribeInstanceStatus", purpose=purposes.LOOKING)
STOP = write("ec2", "StopInstances", _INSTANCE, purpose=purposes.INSTANCES)
START = write(
    "ec2",
    "StartInstances",
    _INSTANCE,
    purpose=purposes.INSTANCES,
    also=(
        # Service Authorization Reference, Amazon EC2, StartInstances: license-configuration is a second type of resource, asked
        # for where an instance has one, and without tags. Nothing starts by it alone.
        Grant(
            ("ec2:StartInstances",),
            ("license-manager:*:*:license-configuration:*",),
            case="where the instance has a license configuration",
            sid="StartLicensed",
        ),
        # EBS User Guide, requirements for encryption: EC2 gives itself a grant on the key of each volume, in the name of who
        # starts the instance; the conditions are those of AWS's own AWSFaultInjectionSimulatorEC2Access. Keys need no tag: an
        # instance that was stopped and cannot start for want of a grant is worse than a grant that only EC2 can use.
        Grant(
            ("kms:CreateGrant",),
            ("kms:*:*:key/*",),
            when=(
                ("Bool", "kms:GrantIsForAWSResource", "true"),
                ("StringLike", "kms:ViaService", "ec2.*.{domain}"),
            ),
            case="where a volume is encrypted with a key of its own",
            sid="StartEncrypted",
        ),
    ),
)
# Service Authorization Reference, Amazon EC2, ModifyInstanceAttribute: ec2:Attribute is the name of what is set, one in a request
# (AWS's own AmazonRDSCustomServiceRolePolicy has the same). Without it this would also be a right to the user data, which runs as
# root at the next start, and to the security groups.
MODIFY = write(
    "ec2",
    "ModifyInstanceAttribute",
    _INSTANCE,
    purpose=purposes.INSTANCES,
    when=(("StringEquals", "ec2:Attribute", "InstanceType"),),
    sid="ChangeInstanceTypes",
)
READS, WRITES = (DESCRIBE, DESCRIBE_STATUS), (STOP, START, MODIFY)
PERMISSIONS = permissions(*READS, *WRITES)

ABSENT = "InvalidInstanceID.NotFound"
_GROUP_TAG = "aws:autoscaling:groupName"


def machine(connection: Connection, resource_id: str) -> Machine | None:
    """The instance as it is now; None where there is none."""
    found = connection.find(DESCRIBE, resource_id, ABSENT, InstanceIds=[resource_id])
    instances = [each for reservation in (found or {}).get("Reservations", []) for each in reservation["Instances"]]
    if not instances:
        return None
    (instance,) = instances
    tags = {each["Key"]: each.get("Value") for each in instance.get("Tags", [])}
    return Machine(
        resource_id=resource_id,
        instance_type=instance["InstanceType"],
        state=instance["State"]["Name"],
        is_healthy=_health(connection, resource_id),
        group=tags.get(_GROUP_TAG),
        is_spot=instance.get("InstanceLifecycle") == "spot",
    )


def _health(connection: Connection, resource_id: str) -> bool | None:
    """Whether the checks of host and instance pass, and the one of the volumes does not fail; None while that is not known."""
    found = connection.find(DESCRIBE_STATUS, resource_id, ABSENT, InstanceIds=[resource_id], IncludeAllInstances=True)
    for each in (found or {}).get("InstanceStatuses", []):
        checks = [_status(each, "SystemStatus"), _status(each, "InstanceStatus")]
        if "impaired" in (*checks, _status(each, "AttachedEbsStatus")):
            return False
        return True if checks == ["ok", "ok"] else None
    return None


def _status(checked: dict[str, Any], name: str) -> str | None:
    status: str | None = checked.get(name, {}).get("Status")
    return status


def stop(connection: Connection, resource_id: str) -> None:
    """Stops an instance in order, with time for its system to shut down; memory is not kept."""
    connection.ask(STOP, resource_id, InstanceIds=[resource_id])


def start(connection: Connection, resource_id: str) -> None:
    """Starts an instance that is stopped; one that runs or starts stays so."""
    connection.ask(START, resource_id, InstanceIds=[resource_id])


def set_type(connection: Connection, resource_id: str, instance_type: str) -> None:
    """Gives a stopped instance another type."""
    connection.ask(MODIFY, resource_id, InstanceId=resource_id, InstanceType={"Value": instance_type})
