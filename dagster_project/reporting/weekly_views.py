"""What a weekly digest is rendered from. Names, parts and sentences may hold data; its other texts are ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Headline:
    """A number of the newest night. ``change`` is its difference to ``WeeklyDigest.since``, empty where there is none."""

    title: str
    text: str
    unit: str = ""
    change: str = ""
    is_alert: bool = False


@dataclass(frozen=True)
class Item:
    """One thing: its name, what else there is to say of it, and what it is worth or costs. ``address`` is relative to the folder
    of reports, or on the web; None where there is nothing to lead to."""

    name: str
    parts: tuple[str, ...] = ()
    worth: str = ""
    address: str | None = None


@dataclass(frozen=True)
class Chapter:
    """One question with its answer. ``more`` counts items that are not shown."""

    title: str
    sentences: tuple[str, ...]
    items: tuple[Item, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class WeeklyDigest:
    """The seven days ``first`` to ``day``, of which ``nights`` have numbers. ``week`` names the ISO week of ``day``, ``since`` is
    the night that the newest is compared with, and ``report`` its page, relative to the folder of reports."""

    week: str
    first: date
    day: date
    since: date | None
    nights: int
    headline: str
    headlines: tuple[Headline, ...]
    chapters: tuple[Chapter, ...]
    report: str
    version: str
