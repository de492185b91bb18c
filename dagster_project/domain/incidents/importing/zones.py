"""Time zones as people write them: "CET", "BST", "UTC+1", "Europe/London"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# The name of a summer time is a decision of its writer, so it is an exact offset (hours).
_OFFSETS: Mapping[str, float] = MappingProxyType(
    {
        "UTC": 0, "GMT": 0, "Z": 0, "BST": 1, "WEST": 1, "CEST": 2, "EEST": 3, "MSK": 3, "GST": 4, "IST": 5.5, "SGT": 8, "HKT": 8,
        "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7, "BRT": -3,
    }
)  # fmt: skip
# The name of a standard time is what people write the whole year round ("All times in CET" stands above timelines of October 6th
# whose alarms are in summer time), so it means the local time of its countries. In summer the literal offset is the other
# reading: ``Zone.other_reading`` gives it, and the importer lists it.
_LOCAL: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "CET": ("Europe/Copenhagen", 1), "EET": ("Europe/Athens", 2), "WET": ("Europe/Lisbon", 0),
        "EST": ("America/New_York", -5),
        "CST": ("America/Chicago", -6), "MST": ("America/Denver", -7), "PST": ("America/Los_Angeles", -8),
    }
)  # fmt: skip
_REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
        "Eastern": "America/New_York", "Mountain": "America/Denver", "Pacific": "America/Los_Angeles",
        "Central": "America/Chicago",
        "Central European": "Europe/Copenhagen", "UK": "Europe/London", "British": "Europe/London", "London": "Europe/London",
    }
)  # fmt: skip
_SPOKEN = (
    r"(?:Central European|Eastern|Mountain|Pacific|Central|UK|British|London)(?: (?:Standard|Daylight|Summer|local))? [Tt]ime\b"
)
_BY_LENGTH = sorted(_REGIONS.items(), key=lambda one: -len(one[0]))
_CONTINENTS = "Africa|America|Antarctica|Asia|Atlantic|Australia|Canada|Etc|Europe|Indian|Pacific|US"
_NAMES = "|".join(
    sorted([*_OFFSETS, *_LOCAL, *(name for name in _REGIONS if name.isupper() and len(name) == 2)], key=len, reverse=True)
)
# A minus with spaces around it is a range: "12:00 UTC - 14:00 UTC".
_SIGNED = r"\s?\+\s?\d{1,2}(?::?\d{2})?|[\-−]\d{1,2}(?::?\d{2})?|\s[\-−]\d{1,2}(?![\d:/.-])"
ZONE_PATTERN = (
    rf"(?:(?:UTC|GMT)(?:{_SIGNED})|(?:{_CONTINENTS})/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?|{_SPOKEN}|(?:{_NAMES})(?![A-Za-z/]))"
)
"""What a zone looks like. It is case-sensitive: "et" and "est" are words."""

_OFFSET = re.compile(r"(?:UTC|GMT)?\s?([+\-−])\s?(\d{1,2}):?(\d{2})?$")
_DECLARED = re.compile(
    r"(?:\b[Tt]ime(?:s|stamps?|zone| zone|lines?)?\b(?:[^\n|.;]{0,40}?[\s(:\[])?"
    r"|\b(?:[Dd]ate|[Ww]hen|TZ)\b[^\n|.;]{0,20}?[\s(:\[])"
    rf"({ZONE_PATTERN})"
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone by the name that stood in the text. ``literal`` is the fixed offset (hours) that the name means word by word."""

    name: str
    rules: tzinfo
    literal: float | None = None

    def utc(self, local: datetime) -> datetime:
        """A wall clock's time in this zone as naive UTC. Of an hour that comes twice the first is meant."""
        return local.replace(tzinfo=self.rules).astimezone(UTC).replace(tzinfo=None)

    def second_reading(self, local: datetime) -> datetime | None:
        """The same wall clock's time (naive UTC) after the clocks went back, or None where it comes once."""
        second = local.replace(tzinfo=self.rules, fold=1).astimezone(UTC).replace(tzinfo=None)
        return second if second > self.utc(local) else None

    def local(self, at: datetime) -> datetime:
        """Naive UTC as this zone's wall clock shows it."""
        return at.replace(tzinfo=UTC).astimezone(self.rules).replace(tzinfo=None)

    def other_reading(self, local: datetime) -> datetime | None:
        """What the same text means (UTC) by the letter of the zone's name, or None where that is the same."""
        if self.literal is None:
            return None
        literal = local - timedelta(hours=self.literal)
        return None if literal == self.utc(local) else literal


def zone_named(name: str) -> Zone | None:
    """The zone of a name, an abbreviation or an offset; None where it is not known."""
    text = name.strip().strip("()[]")
    if text in _OFFSETS:
        return Zone(text, timezone(timedelta(hours=_OFFSETS[text])))
    if text in _LOCAL:
        region, hours = _LOCAL[text]
        return Zone(text, ZoneInfo(region), hours)
    if spoken := re.match(_SPOKEN, text):
        return _region(text, next(region for name, region in _BY_LENGTH if spoken[0].startswith(name)))
    offset = _OFFSET.match(text)
    return _fixed(text, offset) if offset else _region(text, _REGIONS.get(text, text))


def zone_declared(text: str) -> Zone | None:
    """The zone that a text says its times are in: "All times in CET", "Date and Time in UTC", "Timeline (times in BST)"."""
    found = _DECLARED.search(text)
    return zone_named(found[1]) if found else None


def _fixed(text: str, match: re.Match[str]) -> Zone | None:
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if minutes > 14 * 60:
        return None
    return Zone(text, timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes)))


def _region(text: str, region: str) -> Zone | None:
    try:
        return Zone(text, ZoneInfo(region))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
