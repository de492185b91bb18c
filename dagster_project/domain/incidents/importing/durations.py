"""Durations that documents state: "Time to repair: 0h 16m", "Time to detection: 19 hours", "5h 09m (support hours)"."""

from __future__ import annotations

import re

from dagster_project.domain.incidents.importing.model import StatedDuration

_LABEL = re.compile(
    r"^[\s>*_`|+-]*(?P<name>(?:(?:mean\s+)?time\s+(?:to|until|before|of)\s+[a-z][a-z -]{2,30}?|TT[A-Z]|MTT[A-Z]|"
    r"(?:(?:total|customer|user|service|incident|outage|impact|overall)\s+){0,2}(?:duration|downtime)(?:\s+of\s+[a-z ]{3,20})?))"
    r"(?:\s*\((?P<note>[^)]{0,40})\))?[*_`\s]*[:|=–-][*_`|\s]*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_METRICS = (
    (re.compile(r"detect|discover|notice|^TTD$", re.I), "ttd"),
    (re.compile(r"acknowledg|respon|engage|^TTA$", re.I), "tta"),
    (re.compile(r"mitigat|^TTM$", re.I), "ttm"),
    (re.compile(r"repair|fix", re.I), "ttrep"),
    (re.compile(r"resol", re.I), "ttres"),
    (re.compile(r"restor|recover", re.I), "ttrst"),
    (re.compile(r"(?:customer|user|impact|outage|service).*(?:duration|downtime)|^downtime|impact", re.I), "cid"),
)
_UNITS = {"w": 7 * 1440.0, "d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}
_PART = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|s)(?![a-z])\.?",
    re.IGNORECASE,
)
_PARTS = re.compile(rf"{_PART.pattern}(?:[\s,]*(?:and\s+)?{_PART.pattern})*", re.IGNORECASE)
_CLOCKED = re.compile(r"^[~≈ ]*(\d{1,3}):(\d{2})(?::(\d{2}))?\s*(?:h|hrs?|hours?)?\b", re.IGNORECASE)
_SUPPORT = re.compile(r"(?:support|working|office|business|core)[ -]?(?:hours|time)", re.IGNORECASE)
_HOURS = re.compile(r"(\d{1,2})[:.]?(\d{2})?\s*(?:-|–|to)\s*(\d{1,2})[:.]?(\d{2})?")
_NOTHING = re.compile(r"^\W*(?:\?+|n/?a|none|unknown|tb[cd]|-+|not (?:known|applicable))?\W*$", re.IGNORECASE)


def metric_of(name: str) -> str | None:
    """The definition that a duration's name asks for, or None: "MTTR" alone may mean four different things."""
    return next((metric for pattern, metric in _METRICS if pattern.search(name)), None)


def minutes_of(text: str) -> float | None:
    """The minutes of "2d 1h 29m", "19 hours 43 minutes" or "1:30"; None where the text gives no duration."""
    clocked = _CLOCKED.match(text)
    if clocked:
        return int(clocked[1]) * 60 + int(clocked[2]) + int(clocked[3] or 0) / 60
    told = text.split("(")[0]
    first = _PARTS.search(told)
    # A number that is left over may be anything: "45 + 30 minutes", "between 10 and 20 minutes", another duration.
    if first is None or re.search(r"\d", told[: first.start()] + told[first.end() :]):
        return None
    parts = _PART.finditer(first[0])
    return round(sum(float(part[1]) * _UNITS[part[2][0].lower()] for part in parts), 3)


def is_label(line: str) -> bool:
    """Whether a line has the form of a stated duration, readable or not."""
    return _LABEL.match(line[:400]) is not None


def stated_in(line: str, place: str) -> StatedDuration | str | None:
    """The duration that a line states; a sentence where it cannot be read; None where the line states none ("?" included)."""
    found = _LABEL.match(line[:400])
    if found is None:
        return None
    name, value = " ".join(found["name"].split()), found["value"].strip(" |*_")
    if _NOTHING.match(value):
        return None
    minutes = minutes_of(value)
    if minutes is None:
        return f"{name} cannot be read as a duration: {value[:80]!r}. Write it like 1h 30m."
    said = f"{found['note'] or ''} {value}"
    return StatedDuration(name, metric_of(name), minutes, _clock(said), place, value, _hours(said))


def _clock(text: str) -> str:
    if _SUPPORT.search(text):
        return "support_hours"
    return "wall" if re.search(r"wall|elapsed|calendar", text, re.IGNORECASE) else "unknown"


def _hours(text: str) -> str | None:
    found = _SUPPORT.search(text)
    hours = _HOURS.search(text, found.end()) if found else None
    if hours is None:
        return None
    return f"{int(hours[1]):02}:{hours[2] or '00'}-{int(hours[3]):02}:{hours[4] or '00'}"
