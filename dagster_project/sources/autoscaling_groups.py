"""Auto Scaling groups of a region, with the type that their template or configuration gives to new members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.failures import Refused
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.inventory import managed_by
from dagster_project.sources.aws_resources import AwsResource, known, tags_of
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.history import utc

GROUPS = read("autoscaling", "DescribeAutoScalingGroups", purpose=purposes.INVENTORY, probe={"MaxRecords": 1})
CONFIGURATIONS = read("autoscaling", "DescribeLaunchConfigurations", purpose=purposes.INVENTORY, probe={"MaxRecords": 1})
SCHEDULES = read("autoscaling", "DescribeScheduledActions", purpose=purposes.INVENTORY, probe={"MaxRecords": 1})
"""A minimum that is planned for later."""
TEMPLATE_VERSIONS = read(
    "ec2",
    "DescribeLaunchTemplateVersions",
    purpose=purposes.INVENTORY,
    probe={"Versions": ["$Default"], "MaxResults": 1},
)
READS = (GROUPS, CONFIGURATIONS, SCHEDULES, TEMPLATE_VERSIONS)
PERMISSIONS = permissions(*READS)

KIND = "autoscaling_group"
_PAGE = 100
_NAMES_AT_A_TIME = 50
_UNKNOWN = "unknown"
"""The platform of a group whose members do not tell one: nothing said would count as Linux."""
_GONE = frozenset(
    {
        "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound",
        "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.Malformed",
    }
)  # fmt: skip
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Launch:
    """What new members are launched with. ``types`` are those that a policy may choose from; empty = not known."""

    types: tuple[str, ...] = ()
    is_spot: bool = False
    tenancy: str | None = None
    template_id: str | None = None
    template_version: str | None = None
    made_at: datetime | None = None


@dataclass(slots=True)
class _Sources:
    """What groups launch from, read once each."""

    scope: Scope
    configurations: Mapping[str, _Launch]
    versions: dict[tuple[str, str], _Launch] = field(default_factory=dict)

    def of(self, group: Json) -> _Launch:
        """What a group launches its members from."""
        policy = group.get("MixedInstancesPolicy")
        if policy is not None:
            return self._mixed(policy)
        if "LaunchTemplate" in group:
            return self._version(group["LaunchTemplate"])
        return self.configurations.get(group.get("LaunchConfigurationName", ""), _Launch())

    def _mixed(self, policy: Json) -> _Launch:
        template = policy.get("LaunchTemplate", {})
        base = self._version(template.get("LaunchTemplateSpecification", {}))
        overrides = template.get("Overrides", [])
        # Attributes stand for types that AWS chooses; an override with a template of its own may be any.
        is_open = any("InstanceRequirements" in each or "LaunchTemplateSpecification" in each for each in overrides)
        named = tuple(sorted({each["InstanceType"] for each in overrides if "InstanceType" in each}))
        types = () if is_open else named or base.types
        share = policy.get("InstancesDistribution", {}).get("OnDemandPercentageAboveBaseCapacity", 100)
        return _Launch(types, base.is_spot or share < 100, base.tenancy, base.template_id, base.template_version, base.made_at)

    def _version(self, named: Json) -> _Launch:
        template_id, version = named.get("LaunchTemplateId"), named.get("Version") or "$Default"
        if template_id is None:
            return _Launch()
        if (template_id, version) not in self.versions:
            self.versions[template_id, version] = self._asked(template_id, version)
        return self.versions[template_id, version]

    def _asked(self, template_id: str, version: str) -> _Launch:
        thing = f"the launch template {template_id} of {self.scope.place}"
        try:
            found = self.scope.connection.ask(TEMPLATE_VERSIONS, thing, LaunchTemplateId=template_id, Versions=[version])
        except Refused as refusal:
            if refusal.code in _GONE:
                return _Launch(template_id=template_id)
            raise
        for each in found["LaunchTemplateVersions"]:
            data = each["LaunchTemplateData"]
            kind, market = data.get("InstanceType"), data.get("InstanceMarketOptions", {}).get("MarketType")
            return _Launch(
                types=(kind,) if kind else (),
                is_spot=market == "spot",
                tenancy=data.get("Placement", {}).get("Tenancy"),
                template_id=template_id,
                template_version=str(each["VersionNumber"]),
                made_at=utc(each["CreateTime"]) if each.get("CreateTime") else None,
            )
        return _Launch(template_id=template_id)


def groups(scope: Scope, members: Mapping[str, AwsResource]) -> Iterator[AwsResource]:
    """The groups of a region; ``members`` are its instances by id, which say what a group's platform is and since when its
    members run."""
    listed = [
        each
        for page in scope.connection.pages(GROUPS, f"groups of {scope.place}", MaxRecords=_PAGE)
        for each in page["AutoScalingGroups"]
    ]
    names = sorted({each["LaunchConfigurationName"] for each in listed if "LaunchConfigurationName" in each})
    sources = _Sources(scope, dict(_configurations(scope, names)))
    planned = _planned_minimums(scope) if listed else {}
    for each in listed:
        yield _group(scope, each, sources.of(each), members, planned.get(each["AutoScalingGroupName"]))


def _configurations(scope: Scope, names: list[str]) -> Iterator[tuple[str, _Launch]]:
    for first in range(0, len(names), _NAMES_AT_A_TIME):
        asked = names[first : first + _NAMES_AT_A_TIME]
        pages = scope.connection.pages(CONFIGURATIONS, f"groups of {scope.place}", LaunchConfigurationNames=asked)
        for page in pages:
            for each in page["LaunchConfigurations"]:
                launch = _Launch(
                    types=(each["InstanceType"],),
                    is_spot="SpotPrice" in each,
                    tenancy=each.get("PlacementTenancy"),
                    made_at=utc(each["CreatedTime"]),
                )
                yield each["LaunchConfigurationName"], launch


def _planned_minimums(scope: Scope) -> dict[str, int]:
    """The highest minimum that is planned for each group."""
    found: dict[str, int] = {}
    for page in scope.connection.pages(SCHEDULES, f"groups of {scope.place}", MaxRecords=_PAGE):
        for each in page["ScheduledUpdateGroupActions"]:
            if each.get("MinSize") is not None:
                name = each["AutoScalingGroupName"]
                found[name] = max(found.get(name, 0), each["MinSize"])
    return found


def _group(
    scope: Scope, seen: Json, launch: _Launch, members: Mapping[str, AwsResource], planned_minimum: int | None
) -> AwsResource:
    tags = tags_of(seen.get("Tags"))
    is_counted = _counts_members(seen)
    # Only one type is a size; of several nobody knows which ones the next members will have, nor how many where they weigh.
    instance_type = launch.types[0] if len(launch.types) == 1 and is_counted else None
    listed = seen.get("Instances", [])
    running = [members[each["InstanceId"]] for each in listed if each["InstanceId"] in members]
    # The group tells the types of its members itself, of those too that came since the instances were listed.
    types = {each["InstanceType"] for each in listed if each.get("InstanceType")} | {each.instance_type for each in running}
    others = sorted(types - {instance_type, None}) if instance_type else []
    platforms = {each.platform for each in running}
    created_at = utc(seen["CreatedTime"])
    told: Json = {
        "instance_type": instance_type,
        "platform": platforms.pop() if len(platforms) == 1 else _UNKNOWN,
        "tenancy": launch.tenancy or "default",
        "lifecycle": "spot" if launch.is_spot or any(each.lifecycle == "spot" for each in running) else "on-demand",
        "managed_by": managed_by(tags),
    }
    return AwsResource(
        resource_type=KIND,
        native_id=seen["AutoScalingGroupName"],
        **told,
        units=seen["DesiredCapacity"] if is_counted else None,
        tags=tags,
        config=known({**told, **_config(scope, seen, launch, planned_minimum), "other_types": others or None}),
        created_at=created_at,
        held_since=None if others or instance_type is None else _held_since(created_at, launch, running),
    )


def _counts_members(seen: Json) -> bool:
    """Whether the capacity of a group is its number of members, and not of vCPUs, memory or what types are weighed with."""
    overrides = seen.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", [])
    is_weighted = any(each.get("WeightedCapacity", "1") != "1" for each in overrides)
    return seen.get("DesiredCapacityType", "units") == "units" and not is_weighted


def _config(scope: Scope, seen: Json, launch: _Launch, planned_minimum: int | None) -> Json:
    return {
        "instance_types": list(launch.types) if len(launch.types) > 1 else None,
        "region": scope.region,
        "availability_zones": sorted(seen.get("AvailabilityZones", [])) or None,
        "min_size": seen["MinSize"],
        "max_size": seen["MaxSize"],
        "desired_capacity": seen["DesiredCapacity"],
        "scheduled_min_size": planned_minimum,
        "launch_template_id": launch.template_id,
        "launch_template_version": launch.template_version,
        "launch_configuration": seen.get("LaunchConfigurationName"),
        "has_mixed_instances": True if "MixedInstancesPolicy" in seen else None,
    }


def _held_since(created_at: datetime, launch: _Launch, running: list[AwsResource]) -> datetime | None:
    """AWS does not say when a group was given its template. It was before its oldest member was launched, as long as no member
    has another type; without members it is not known."""
    launched = [each.held_since for each in running if each.held_since is not None]
    return max([created_at, min(launched), *([launch.made_at] if launch.made_at else [])]) if launched else None
