"""What a resource is in the light of the last night that read it: what has changed, and since when its size is what it is.

A moment that is too early would let readings of another size count. Where AWS does not tell one, it is the one of the reading,
the latest at which the change can have come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from dagster_project.sources import ec2_instances
from dagster_project.sources.aws_resources import AwsResource

_SIZE = (
    "instance_type", "instance_types", "other_types", "min_size", "max_size", "lifecycle", "tenancy", "multi_az", "engine",
    "storage_type", "size_gib", "iops", "throughput_mibps", "launch_template_id", "launch_configuration", "has_mixed_instances",
)  # fmt: skip
"""What of a configuration is its size: a change of it is reported, and evidence begins anew where it is of the type."""
_MINIMUM = "min_size"
_OTHERS = "other_types"
"""Types of members that a group would not launch now."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """Columns of ``aws_resources``; moments are naive UTC. ``changes`` are before and after of what is not as it was.

    ``instance_type`` is the type that the day ended with, None where it may have been given after the day. ``differed_on`` is the
    last day that was read with another size.
    """

    created_at: datetime | None
    instance_type: str | None
    config_changed_at: datetime | None
    differed_on: date | None
    changes: Mapping[str, list[Any]]


def compared(each: AwsResource, before: Row | None, day: date, moment: datetime) -> Past:
    """A resource as it was read after ``day``, until ``moment``, beside its row of the last night that read it."""
    if before is None:
        return _first(each, each.created_at, day, moment)
    created_at = _created_at(each, before)
    was, now = json.loads(before["config"]), each.config
    changes = {name: [was.get(name), now.get(name)] for name in _SIZE if was.get(name) != now.get(name)}
    if None not in (created_at, before["created_at"]) and created_at > before["created_at"]:
        # Names are given again: it is another one.
        return replace(_first(each, created_at, day, moment), differed_on=before["read_on"], changes=changes)
    if "instance_type" in changes or _OTHERS in changes or _OTHERS in now:
        changed_at = _moment_of(each, before, moment)
        differed_on = day if _OTHERS in now else before["read_on"]
        return Past(created_at, _type_on(day, each, changed_at), changed_at, differed_on, changes)
    changed_at = moment if _MINIMUM in changes else before["config_changed_at"]
    return Past(created_at, each.instance_type, changed_at, before.get("differed_on"), changes)


def _first(each: AwsResource, created_at: datetime | None, day: date, moment: datetime) -> Past:
    """One reading shows no more than since when the size held for certain. Where not even that is known, evidence begins now."""
    since = each.held_since or (moment if each.instance_type else None)
    return Past(created_at, _type_on(day, each, since), since, day if _OTHERS in each.config else None, {})


def _created_at(each: AwsResource, before: Row) -> datetime | None:
    """Of a machine AWS tells its last start: what was there before was not made by it."""
    known = [at for at in (each.created_at, before["created_at"]) if at is not None]
    if each.resource_type == ec2_instances.KIND:
        return min(known, default=None)
    return known[0] if known else None


def _moment_of(each: AwsResource, before: Row, moment: datetime) -> datetime:
    """Somewhere between two nights: of a machine, a start that came in between is the moment for certain."""
    started = each.held_since if each.resource_type == ec2_instances.KIND else None
    return started if started is not None and started.date() > before["read_on"] else moment


def _type_on(day: date, each: AwsResource, since: datetime | None) -> str | None:
    return None if since is not None and since.date() > day else each.instance_type
