"""Times in ISO 8601 as machines write them: how exactly one is known follows from its form."""

from __future__ import annotations

import re
from datetime import datetime

from dagster_project.domain.incidents.importing.moments import YEARS
from dagster_project.domain.incidents.importing.zones import Zone

_ISO = re.compile(r"(?:\d{4}-?W\d{2}(?:-?\d)?|\d{4}-?\d{2}-?\d{2})(?:[^\d](?P<clock>[\d:.,]+))?")


def utc_of(text: str, zone: Zone) -> tuple[datetime, str]:
    """(naive UTC, precision) of a time in ISO 8601; ``zone`` is that of one that says none. No zone moves a day.

    Raises ValueError where the text is no time, or one of a year that is none of ``YEARS``.
    """
    read, form = datetime.fromisoformat(text), _ISO.match(text)
    digits = sum(letter.isdigit() for letter in form["clock"] or "") if form else 6
    precision = {0: "day", 2: "hour", 4: "minute"}.get(digits, "second")
    local = read.replace(tzinfo=None)
    if local.year not in YEARS:
        raise ValueError(text)
    moment = local if precision == "day" else (zone if read.tzinfo is None else Zone("", read.tzinfo)).utc(local)
    if moment.year not in YEARS:
        raise ValueError(text)
    return moment, precision
