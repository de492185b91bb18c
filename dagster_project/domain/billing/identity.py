"""Whose a charge is: from what a provider calls a resource to the one that the inventory lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dagster_project.domain.inventory import native_name

EC2, RDS, GROUP, VOLUME = "ec2_instance", "rds_instance", "autoscaling_group", "ebs_volume"
OURS = r"(?:^|[:/])(?:i|vol)-[0-9A-Za-z]+$|:db:[^:]+$"
"""What ids of resources look like that an inventory may list; those of buckets and balancers do not."""
_UNIQUE = frozenset({EC2, VOLUME})
"""Kinds whose ids no two accounts or regions share."""

_ARN = re.compile(r"arn:[^:]+:([^:]+):([^:]*):([^:]*):(.+)", re.DOTALL)
_INSTANCE, _VOLUME = re.compile(r"i-[0-9A-Za-z]+"), re.compile(r"vol-[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Named:
    """A provider's id taken apart. ``kind`` is None for what no inventory lists; account and region are those in the id."""

    kind: str | None
    name: str
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A resource of the inventory; ``native`` is what AWS calls it. Account and region are None where nobody says them."""

    resource_id: str
    kind: str
    native: str
    account: str | None
    region: str | None


def named(provider_id: str) -> Named:
    """Takes a provider's id apart: an ARN or a plain id."""
    text = provider_id.strip()
    found = _ARN.fullmatch(text)
    if found is None:
        return Named(_kind_of(text), text)
    service, region, account, rest = found.groups()
    if service == "autoscaling" and "autoScalingGroupName/" in rest:
        kind, name = GROUP, rest.rpartition("autoScalingGroupName/")[2]
    elif rest.startswith("db:"):
        kind, name = RDS, rest.removeprefix("db:")
    else:
        name = rest.rpartition("/")[2]
        kind = _kind_of(name)
        name = name if kind else text
    return Named(kind, name, account or None, region or None)


def _kind_of(name: str) -> str | None:
    if _INSTANCE.fullmatch(name):
        return EC2
    return VOLUME if _VOLUME.fullmatch(name) else None


class Directory:
    """The inventory by what AWS calls its resources."""

    def __init__(self, resources: Iterable[Listed]) -> None:
        self._known: dict[str, list[Listed]] = {}
        for each in resources:
            called = {each.resource_id, each.native, native_name(each.resource_id), named(each.resource_id).name}
            for name in sorted(called):
                self._known.setdefault(name, []).append(each)

    def find(self, provider_id: str | None, account: str | None, region: str | None, group: str | None = None) -> Listed | None:
        """The resource of a charge: the one that its id names, or the Auto Scaling group of its tag. None where none fits, or
        more than one does: a name is one resource's only within an account and a region."""
        if provider_id is not None:
            it = named(provider_id)
            found = self._one(it.name, it.kind, it.account or account, it.region or region)
            if found is not None:
                return found
        return self._one(group, GROUP, account, region) if group else None

    def _one(self, name: str, kind: str | None, account: str | None, region: str | None) -> Listed | None:
        fitting = [
            each
            for each in self._known.get(name, ())
            if (kind is None or each.kind == kind)
            and (kind in _UNIQUE or account is None or each.account is None or each.account == account)
            and (kind in _UNIQUE or region is None or each.region is None or each.region == region)
        ]
        return fitting[0] if len(fitting) == 1 else None
