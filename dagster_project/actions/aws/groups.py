"""Auto Scaling groups."""

from __future__ import annotations

from collections import Counter

from dagster_project.actions.aws import refreshes, templates
from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import Grant, permissions, read, write
from dagster_project.domain.applying.cloud import Group

_GROUP = "autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*"
_TEMPLATE = "ec2:*:*:launch-template/*"
_LAUNCHED = ("instance", "network-interface", "volume")
# What a template may name, and what is made of it. Images and snapshots have no account in their ARNs.
_NAMED = ("capacity-reservation", "key-pair", "placement-group", "security-group", "subnet")
DESCRIBE = read("autoscaling", "DescribeAutoScalingGroups", purpose=purposes.LOOKING)
UPDATE = write("autoscaling", "UpdateAutoScalingGroup", _GROUP, purpose=purposes.GROUPS)
# EC2 Auto Scaling User Guide, launch template usage in groups: who gives a group a template must be allowed to launch what it
# describes. EC2 checks that as if it was launched, though nothing is.
UPDATE_TEMPLATE = write(
    "autoscaling",
    "UpdateAutoScalingGroup",
    _GROUP,
    purpose=purposes.GROUPS,
    also=(
        Grant(("ec2:RunInstances",), (_TEMPLATE,), is_tagged=True, sid="LaunchFromTemplates"),
        # Service Authorization Reference, Amazon EC2, RunInstances: a launch template is no required resource, so that without
        # this condition anything could be launched without one. ec2:IsLaunchTemplateResource (nothing but what the template says)
        # cannot be asked for: subnets are the group's own.
        Grant(
            ("ec2:RunInstances",),
            (*(f"ec2:*:*:{each}/*" for each in (*_LAUNCHED, *_NAMED)), "ec2:*::image/*", "ec2:*::snapshot/*"),
            when=(("ArnLike", "ec2:LaunchTemplate", f"arn:{{partition}}:{_TEMPLATE}"),),
            sid="LaunchWhatTemplatesName",
        ),
        # IAM User Guide, passing a role: tags of roles are no reliable condition of iam:PassRole. Who may pass any role to EC2
        # can act as each that trusts it, so that the roles have to be named.
        Grant(
            ("iam:PassRole",),
            (),
            when=(("StringEquals", "iam:PassedToService", "ec2.{domain}"),),
            case="where the template has an instance profile",
            sid="PassRoles",
        ),
        # Service Authorization Reference, Amazon EC2, CreateTags: only tags that come with a launch; what is there keeps its own.
        Grant(
            ("ec2:CreateTags",),
            tuple(f"ec2:*:*:{each}/*" for each in _LAUNCHED),
            when=(("StringEquals", "ec2:CreateAction", "RunInstances"),),
            case="where the template has tags",
            sid="TagWhatIsLaunched",
        ),
        # AWS's own parameters only, whose ARNs have no account: with a right to all, one could read secrets.
        Grant(
            ("ssm:GetParameters",),
            ("ssm:*::parameter/aws/service/*",),
            case="where the template has its image from a parameter",
            sid="ReadImageParameters",
        ),
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
