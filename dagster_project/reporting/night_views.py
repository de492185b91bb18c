"""What the list of nights and its feed are rendered from. Numbers are of ``domain/night_numbers.py``, None where not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class NightLine:
    """One night. ``has_report``: its pages lie in the folder of reports; ``numbers`` is empty where the night kept none."""

    day: date
    has_report: bool
    numbers: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class WeekLine:
    """A weekly digest that lies in the folder of reports. ``name`` is its ISO week, as ``2025-W10``; the days are its Monday and
    its Sunday."""

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class NightList:
    """The nights of a home, the newest first; ``older`` counts those that are left out. ``weeks``, too, begin with the newest."""

    nights: tuple[NightLine, ...] = ()
    older: int = 0
    weeks: tuple[WeekLine, ...] = ()
    version: str = ""
