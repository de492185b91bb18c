"""The resource kinds whose size Nightshift edits, and where Terraform's state and code keep it."""

from __future__ import annotations

from dataclasses import dataclass, field

_INTEGER = r"(?:0|[1-9][0-9]{0,8})"
_TYPE = r"[a-z][a-z0-9-]*\.[a-z0-9-]+"
_CLASS = r"db\.(?:[a-z][a-z0-9-]*\.[a-z0-9-]+|serverless)"

VALUES: dict[str, str] = {
    "instance_type": _TYPE,
    "instance_class": _CLASS,
    "type": r"[a-z][a-z0-9]*",
    "storage_type": r"[a-z][a-z0-9]*",
    **dict.fromkeys(
        (
            "min_size",
            "max_size",
            "desired_capacity",
            "size",
            "iops",
            "throughput",
            "allocated_storage",
            "max_allocated_storage",
            "storage_throughput",
        ),
        _INTEGER,
    ),
}
"""What each sizing attribute may be set to, as a pattern of the whole value."""

NUMBERS = frozenset(name for name, pattern in VALUES.items() if pattern == _INTEGER)
"""Attributes whose value is a number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type. ``names`` are further attributes of the state by which an inventory may call it."""

    type: str
    attributes: tuple[str, ...]
    names: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    kind.type: kind
    for kind in (
        Kind("aws_instance", ("instance_type",)),
        Kind("aws_spot_instance_request", ("instance_type",), names=("spot_instance_id",)),
        Kind("aws_launch_template", ("instance_type",), names=("name",)),
        Kind("aws_launch_configuration", ("instance_type",), names=("name",)),
        Kind(
            "aws_autoscaling_group",
            ("min_size", "max_size", "desired_capacity", "instance_type"),
            names=("name",),
        ),
        Kind(
            "aws_db_instance",
            ("instance_class", "allocated_storage", "max_allocated_storage", "iops", "storage_throughput", "storage_type"),
            names=("identifier", "resource_id"),
            aliases={"instance_type": "instance_class"},
        ),
        Kind(
            "aws_rds_cluster_instance",
            ("instance_class",),
            names=("identifier", "dbi_resource_id"),
            aliases={"instance_type": "instance_class"},
        ),
        Kind("aws_ebs_volume", ("size", "type", "iops", "throughput")),
    )
}

KEPT_ATTRIBUTES = frozenset(VALUES) | frozenset(name for kind in KINDS.values() for name in kind.names)
"""Plain attributes that are kept of a state, besides id, arn and tags."""
