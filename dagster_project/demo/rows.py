"""How the demo writes rows: the contract's columns, times on its own calendar, JSON as PostgreSQL would be given it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

Row = dict[str, Any]

moment = datetime.fromisoformat

LAST_INSTANT = moment("2025-03-10 00:00")
HISTORY_DAYS = 180


def clock_times(day: str, times: Iterable[str]) -> list[datetime | None]:
    """Moments of a day; "-" is unknown."""
    return [None if text == "-" else moment(f"{day} {text}") for text in times]


def compact(value: object) -> str:
    """JSON as PostgreSQL would be given it: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
