"""A resource as AWS lists it, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AwsResource:
    """One resource as AWS lists it.

    ``native_id`` is AWS's name of it in its account and region. ``config`` has the keys of the contract's ``current_config``.
    ``held_since`` (naive UTC) is a moment from which on its present size held for certain, as far as one reading shows; None
    where it shows nothing. ``created_at`` is naive UTC.
    """

    resource_type: str
    native_id: str
    instance_type: str | None = None
    platform: str | None = None
    tenancy: str | None = None
    lifecycle: str | None = None
    asg_name: str | None = None
    managed_by: str | None = None
    units: int | None = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    held_since: datetime | None = None


def tags_of(listed: Any) -> dict[str, str]:
    """Tags as AWS lists them, by name."""
    return {each["Key"]: each.get("Value") or "" for each in listed or ()}


def known(config: Mapping[str, Any]) -> Json:
    """A configuration without what is not known."""
    return {key: value for key, value in config.items() if value is not None}
