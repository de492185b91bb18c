"""Whether a document's dates in numbers have the day or the month first: one order for the whole document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from dagster_project.domain.incidents.importing.moments import Day, leading

# Two digits of a year stand behind strokes alone: "1.24.10" is a version.
_NUMBERS = re.compile(r"(?<![\w./-])(?:\d{1,2}([/.-])\d{1,2}\1(?:19|20)\d{2}|\d{1,2}/\d{1,2}/\d{2})(?![\w/-]|\.\d)")
_MOST = 1_000
_NEAR = 10


@dataclass(frozen=True, slots=True)
class DayOrder:
    """``is_month_first`` is None where the document's dates have no common order, and each is read by itself.

    ``is_open``: both orders are possible and nothing else tells which is meant. ``first`` is the place in the text of the first
    date that another order would make another day, None where there is none.
    """

    is_month_first: bool | None = None
    is_open: bool = False
    first: int | None = None

    def settled(self, day: Day) -> Day:
        """A written day in the document's order."""
        if not day.is_swappable or self.is_month_first is None:
            return day
        month, number = (day.day, day.month) if self.is_month_first else (day.month, day.day)
        return replace(day, month=month, day=number, is_swappable=False)


def day_order(text: str, near: date | None) -> DayOrder:
    """The order that all numeric dates of a text allow.

    Where both do, it is the one that is nearer to ``near``, a day that the document gives otherwise, and without such a day the
    one whose days lie closer together. It stays open unless it is within ten days of ``near`` and the other is not.
    """
    found: list[tuple[int, Day]] = []
    for match in _NUMBERS.finditer(text):
        written = leading(match[0])
        if written is not None and written.day is not None:
            found.append((match.start(), written.day))
        if len(found) == _MOST:
            break
    swappable = [(place, day) for place, day in found if day.is_swappable]
    if not swappable:
        return DayOrder()
    sure = {_has_month_first(text[place : place + 10]) for place, day in found if not day.is_swappable and day.month != day.day}
    if len(sure) == 1:
        return DayOrder(sure.pop())
    if sure:
        return DayOrder()
    return _closest([day for _, day in swappable], near, swappable[0][0])


def _has_month_first(numbers: str) -> bool:
    """Whether a date that allows one order alone has its month first: its second number is no month."""
    return int(re.split(r"[/.-]", numbers)[1]) > 12


def _closest(days: Sequence[Day], near: date | None, place: int) -> DayOrder:
    far = []
    for is_month_first in (False, True):
        order = DayOrder(is_month_first)
        dates = [one for one in (order.settled(day).on(None) for day in days) if one is not None]
        # A document has dates that are months away, of what is to be done; one at least is of its day.
        far.append(min(abs((one - near).days) for one in dates) if near else (max(dates) - min(dates)).days)
    is_told = near is not None and min(far) <= _NEAR < max(far)
    return DayOrder(far[1] < far[0], not is_told, place)
