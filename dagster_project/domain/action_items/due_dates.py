"""When an action item is due where nobody said: by the severity of its incident."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_NUMBER = re.compile(r"\d{1,9}")
_WORD = re.compile(r"[a-z]+")
_WORDS: Mapping[str, int] = {
    "critical": 1, "blocker": 1, "highest": 1, "major": 2, "high": 2, "minor": 3, "medium": 3, "low": 4, "lowest": 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DuePolicy:
    """Days after which an item is due: of incidents of severity 1 and 2, and of all others."""

    sev1_days: int = 15
    sev2_days: int = 30
    other_days: int = 56

    def due(self, created_on: date, severity: str | None) -> tuple[date, str]:
        """The day by which it is due, and the rule in words."""
        level = severity_level(severity)
        days = {1: self.sev1_days, 2: self.sev2_days}.get(level or 0, self.other_days)
        whose = f"Sev-{level}" if level in (1, 2) else "other severities" if level else "severity unknown"
        return created_on + timedelta(days=days), f"{whose}: {days} days"


def severity_level(severity: str | None) -> int | None:
    """1 (worst) and up, of SEV-1, sev1, P1, S2, critical, major …; None where it says nothing. A zero counts as one."""
    text = (severity or "").casefold()
    found = _NUMBER.search(text)
    if found:
        return max(int(found[0]), 1)
    words = set(_WORD.findall(text))
    if "non" in words:
        return None  # non-critical says what it is not
    return next((level for word, level in _WORDS.items() if word in words), None)
