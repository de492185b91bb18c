"""Auto Scaling groups."""

from __future__ import annotations

from collections import Counter

from dagster_project.actions.aws import refreshes, templates
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import permissions, read, write
from dagster_project.domain.applying.cloud import Group

DESCRIBE = read("autoscaling", "DescribeAutoScalingGroups")
UPDATE = write("autoscaling", "UpdateAutoScalingGroup")
# Who gives a group a template must be allowed to launch what it describes.
UPDATE_TEMPLATE = write(
    "autoscaling",
    "UpdateAutoScalingGroup",
    "ec2:RunInstances",
    conditional=(
        ("iam:PassRole", "where the template has an instance profile"),
        ("ec2:CreateTags", "where the template has tags"),
        ("ssm:GetParameters", "where the template has its image from a parameter"),
    ),
)
READS, WRITES = (DESCRIBE,), (UPDATE, UPDATE_TEMPLATE)
PERMISSIONS = permissions(*READS, *WRITES)


def group(connection: Connection, name: str) -> Group | None:
    """The group as it is now; None where there is none."""
    found = connection.ask(DESCRIBE, f"the group {name}", AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found:
        return None
    (seen,) = found
    in_service = [each for each in seen.get("Instances", []) if each["LifecycleState"] == "InService"]
    # A group with a mixed-instances policy has its template inside of it.
    template = seen.get("LaunchTemplate", {})
    template_id = template.get("LaunchTemplateId")
    version = templates.version(connection, template_id, template.get("Version") or templates.DEFAULT) if template_id else None
    return Group(
        name=name,
        min_size=seen["MinSize"],
        max_size=seen["MaxSize"],
        desired=seen["DesiredCapacity"],
        healthy=sum(each["HealthStatus"].lower() == "healthy" for each in in_service),
        members=tuple(sorted(Counter(each["InstanceType"] for each in in_service).items())),
        template_id=template_id,
        template_version=version.number if version else None,
        template_type=version.instance_type if version else None,
        refresh=refreshes.newest(connection, name),
        template_follows=_followed(template.get("Version")) if template_id else None,
    )


def _followed(version: str | None) -> str | None:
    """What a group follows instead of one version; without a version AWS takes the default one."""
    return version if version in ("$Latest", "$Default") else None if version else "$Default"


def set_size(connection: Connection, name: str, min_size: int, desired: int) -> None:
    """Sets the minimum and the number of members that a group keeps; its maximum stays."""
    connection.ask(UPDATE, f"the group {name}", AutoScalingGroupName=name, MinSize=min_size, DesiredCapacity=desired)


def use_template(connection: Connection, name: str, template_id: str, version: str) -> None:
    """Lets a group launch members from a version of a template."""
    template = {"LaunchTemplateId": template_id, "Version": version}
    connection.ask(UPDATE_TEMPLATE, f"the group {name}", AutoScalingGroupName=name, LaunchTemplate=template)
