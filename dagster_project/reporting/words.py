"""Numbers, names and times as words: money, counts, durations, days; names without what breaks or reorders a line."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from markupsafe import Markup

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNKNOWN = "unknown"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONGEST_NAME = 96
_MINUS = "\N{MINUS SIGN}"
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNITS = ((1, "k"), (2, "M"), (3, "B"))


def money(usd: float) -> str:
    """``$1,234``; cents below ten dollars, ``<$0.01`` below a cent: only nothing is ``$0``."""
    sign, amount = (_MINUS, -usd) if usd < 0 else ("", usd)
    exact = Decimal(str(amount))
    if exact == 0:
        return "$0"
    cents = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if cents == 0:
        return f"{sign}<$0.01"
    if cents < 10:
        return f"{sign}${cents}"
    return f"{sign}${exact.quantize(Decimal(1), ROUND_HALF_UP):,}"


def money_short(usd: float) -> str:
    """``$1.2k``, ``$12.3k``, ``$1.2M``; below a thousand as ``money``."""
    amount = Decimal(str(abs(usd)))
    if amount.quantize(Decimal(1), ROUND_HALF_UP) < 1_000:
        return money(usd)
    units = [(unit, (amount / 1_000**power).quantize(Decimal("0.1"), ROUND_HALF_UP)) for power, unit in _UNITS]
    # Rounded before it is chosen: 999.96k would print as $1000.0k, so the next unit takes it.
    unit, scaled = next((found for found in units if found[1] < 1_000), units[-1])
    return f"{_MINUS if usd < 0 else ''}${scaled}{unit}"


def percent(value: float) -> str:
    """``value`` (0..100) with one decimal at most; what is not quite none or not quite all never reads 0% or 100%."""
    if 0 < value < 0.05:
        return "<0.1%"
    if 99.95 <= value < 100:
        return ">99.9%"
    return f"{value:.1f}".removesuffix(".0").replace("-", "\N{MINUS SIGN}") + "%"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 resource``, ``1,204 resources``, ``no resources``."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"no {noun}" if number == 0 else f"{number:,} {noun}"


def thousands(number: int) -> str:
    """``1,204``."""
    return f"{number:,}"


def long_day(day: date) -> str:
    """``Monday, 16 March 2026``, in English whatever the machine's locale is."""
    return f"{WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment(at: datetime | None) -> str:
    """``2026-03-16 23:55 UTC``, or ``never``."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def clean(value: Any) -> Any:
    """Text without what could break a line (controls) or reorder its neighbours (bidirectional formatting)."""
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value)
    return "".join("\N{REPLACEMENT CHARACTER}" if c in _BIDI_CONTROLS else c for c in text)


def xml_text(text: str) -> str:
    """Text without the characters that no XML 1.0 document may hold, not even escaped."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten(value: str) -> str:
    """At most ``_LONGEST_NAME`` characters: the middle gives way, for names differ at their ends."""
    if len(value) <= _LONGEST_NAME:
        return value
    head = _LONGEST_NAME * 2 // 3
    return f"{value[:head]}…{value[head + 1 - _LONGEST_NAME :]}"


def duration(minutes: float | None) -> str:
    """``4 h 23 min``, ``3 days 2 h``, ``21.6 min``, ``40 s``; ``unknown`` for None."""
    if minutes is None:
        return UNKNOWN
    seconds = round(minutes * 60)
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 59.95:
        return f"{minutes:.1f}".removesuffix(".0") + " min"
    whole = round(minutes)
    days, hours, rest = whole // 1440, whole // 60 % 24, whole % 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'}" + (f" {hours} h" if hours else "")
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
