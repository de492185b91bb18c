"""Descriptions of things, with what a test says of them laid over what moto makes up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.aws.wire import Json

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
"""When things were made of which a test says nothing else."""


def over(base: Json, details: Json) -> Json:
    """A description with details laid over it: structures and lists of tags are merged, anything else is replaced, and what is
    None is left out."""
    merged = {**base}
    for name, value in details.items():
        if value is None:
            merged.pop(name, None)
        elif name in ("Tags", "TagList"):
            merged[name] = tag_list({**tags_of(base.get(name, [])), **tags_of(value)})
        elif isinstance(value, dict) and isinstance(base.get(name), dict):
            merged[name] = over(base[name], value)
        else:
            merged[name] = value
    return merged


def tag_list(tags: Mapping[str, str] | None) -> list[Json]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tags_of(listed: list[Json]) -> dict[str, str]:
    """Listed tags by their keys."""
    return {each["Key"]: each["Value"] for each in listed}
