"""What AWS recommends of one resource, and how AWS names resources there: by ARN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagster_project.domain.second_opinion import Opinion
from dagster_project.sources.history import utc

Json = Mapping[str, Any]
OTHER_ACCOUNT, OTHER_REGION, UNREADABLE = "another_account", "another_region", "unreadable_name"
"""Why a recommendation is set aside."""
_TYPE = re.compile(r"(?<![\w.-])(?:db\.)?[a-z][a-z0-9-]*\.(?:metal(?:-\w+)?|\d*x?large|nano|micro|small|medium)(?![\w.-])")
_ARN = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]+):(\d{12}):(.+)", re.DOTALL)
# A group's name may hold slashes and colons, so that it is all that is left.
_THINGS = {
    "ec2": ("ec2_instance", re.compile(r"instance/(i-[0-9a-f]+)")),
    "autoscaling": ("autoscaling_group", re.compile(r"autoScalingGroup:[0-9A-Fa-f-]+:autoScalingGroupName/(.+)", re.DOTALL)),
    "rds": ("rds_instance", re.compile(r"db:([A-Za-z][A-Za-z0-9-]*)")),
}


@dataclass(frozen=True, slots=True)
class Named:
    """A resource as its ARN names it."""

    account_id: str
    region: str
    resource_type: str
    native_id: str
    arn: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An opinion, and of which resource it is."""

    of: Named
    opinion: Opinion


@dataclass(slots=True)
class Found:
    """What a reading gave: how many recommendations came, those that can be used, those that cannot (reason and name), and what
    could not be read, as sentences."""

    read: int = 0
    recommendations: list[Recommendation] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, arn: str | None, account_id: str, region: str | None, opinion: Opinion) -> None:
        """Adds an opinion, where it is of a resource of the account and, where one is given, of the region."""
        self.read += 1
        named = parsed(arn)
        if named is None:
            self.set_aside.append((UNREADABLE, str(arn or "")))
        elif named.account_id != account_id:
            self.set_aside.append((OTHER_ACCOUNT, named.arn))
        elif region is not None and named.region != region:
            self.set_aside.append((OTHER_REGION, named.arn))
        else:
            self.recommendations.append(Recommendation(named, opinion))


def parsed(arn: str | None) -> Named | None:
    """The instance, group or database that an ARN names; None where it names none, or is none."""
    matched = _ARN.fullmatch(arn or "")
    if matched is None or matched[1] not in _THINGS:
        return None
    resource_type, pattern = _THINGS[matched[1]]
    name = pattern.fullmatch(matched[4])
    return None if name is None else Named(matched[3], matched[2], resource_type, name[1], matched[0])


def type_in(text: str | None) -> str | None:
    """The one type that a text names; None where it names none, or several."""
    found = {*_TYPE.findall(text or "")}
    return found.pop() if len(found) == 1 else None


def word(text: Any) -> str:
    """AWS's words of a kind as we write them: ``OVER_PROVISIONED``, ``Overprovisioned`` → ``over_provisioned``."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(text or "")).lower().replace("-", "_")
    return _WORDS.get(plain, plain)


_WORDS = {
    "overprovisioned": "over_provisioned",
    "underprovisioned": "under_provisioned",
    "notoptimized": "not_optimized",
}


def moment(at: datetime | None) -> datetime | None:
    """Naive UTC."""
    return None if at is None else utc(at)
