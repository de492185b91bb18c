"""Versions of EC2 launch templates."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.failures import Refused
from dagster_project.connections.aws.operations import permissions, read, write
from dagster_project.errors import CloudRefused

DESCRIBE_VERSIONS = read("ec2", "DescribeLaunchTemplateVersions", purpose=purposes.LOOKING)
# EC2 User Guide, permissions for launch templates: what a version holds cannot be restricted, so that whoever may add one to a
# template decides what is launched from it. Hence the tag on templates, too.
CREATE_VERSION = write(
    "ec2", "CreateLaunchTemplateVersion", "ec2:*:*:launch-template/*", purpose=purposes.GROUPS, sid="AddTemplateVersions"
)
READS, WRITES = (DESCRIBE_VERSIONS,), (CREATE_VERSION,)
PERMISSIONS = permissions(*READS, *WRITES)

DEFAULT = "$Default"
_PAGE = 200
_ABSENT = frozenset(
    {"InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateId.Malformed"}
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version by its number, with its instance type; None where it leaves the type to attributes."""

    number: str
    instance_type: str | None


def version(connection: Connection, template_id: str, name: str) -> Version | None:
    """The version that a number, ``$Default`` or ``$Latest`` stands for now; None where it was deleted."""
    try:
        found = connection.ask(
            DESCRIBE_VERSIONS, f"the launch template {template_id}", LaunchTemplateId=template_id, Versions=[name]
        )
    except Refused as refusal:
        if refusal.code in _ABSENT:
            return None
        raise
    for each in found["LaunchTemplateVersions"]:
        return Version(str(each["VersionNumber"]), each["LaunchTemplateData"].get("InstanceType"))
    return None


def add_version(connection: Connection, template_id: str, source_version: str, instance_type: str, token: str) -> str:
    """A version like ``source_version`` with another type; returns its number. The same ``token`` gives the same version.

    AWS forgets tokens after a while, so that the token is written into the version too, and looked for there.
    """
    description = f"nightshift {token}"
    thing = f"the launch template {template_id}"
    for page in connection.pages(DESCRIBE_VERSIONS, thing, LaunchTemplateId=template_id, MaxResults=_PAGE):
        for each in page["LaunchTemplateVersions"]:
            if each.get("VersionDescription") != description:
                continue
            number, found = each["VersionNumber"], each["LaunchTemplateData"].get("InstanceType")
            if found != instance_type:
                raise CloudRefused(
                    f"Version {number} of {thing} was made for {found}, not for {instance_type}; use another token."
                )
            return str(number)
    made = connection.ask(
        CREATE_VERSION,
        thing,
        LaunchTemplateId=template_id,
        SourceVersion=source_version,
        VersionDescription=description,
        LaunchTemplateData={"InstanceType": instance_type},
        ClientToken=token,
    )
    return str(made["LaunchTemplateVersion"]["VersionNumber"])
