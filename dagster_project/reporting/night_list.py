"""The list of all nights as a page, and the newest of them as an Atom feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby, pairwise
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from dagster_project.domain.night_numbers import NIGHT_NUMBERS, PERCENT
from dagster_project.reporting.figures import Figures
from dagster_project.reporting.night_charts import Nights, every_day, money_over_nights, sparkline
from dagster_project.reporting.night_views import NightLine, NightList
from dagster_project.reporting.savings_views import Answers
from dagster_project.reporting.templates import html_templates
from dagster_project.reporting.words import WEEKDAYS, clean, counted, long_day, xml_text

TREND_DAYS = 90
FEED_NIGHTS = 30
AUTHORITY = "tag:nightshift.invalid,2025:reports"
"""The name of the feed, and the beginning of the names of its entries. It stays when the folder is published elsewhere: a reader
would show every night again otherwise."""
_SPARKS = (
    ("safe_usd_month", "a month"),
    ("refused_usd_month", "a month"),
    ("realized_usd_month", "a month"),
    ("incidents_week", ""),
    ("action_items_overdue", ""),
    ("cpu_coverage_pct", "of CPU samples"),
)
_COLUMNS = ("proposals", "realized_usd_month", "incidents_week", "action_items_overdue")
_TOLD = (
    "safe_usd_month", "proposals", "refused_usd_month", "realized_usd_month", "applied_week", "waiting_answers", "incidents_week",
    "incidents_open", "action_items_overdue", "cpu_coverage_pct",
)  # fmt: skip
_SHOWN_WEEKS = 8


@dataclass(frozen=True)
class Row:
    """A night in the table; texts are written out. ``href`` is empty where it has no report."""

    day: date
    weekday: str
    href: str
    safe: str
    change: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Spark:
    """A number of the newest night with its course."""

    title: str
    text: str
    unit: str
    range: str
    drawn: Markup


@dataclass(frozen=True)
class Entry:
    """A night in the feed. ``ident`` never changes; ``content`` is HTML as text."""

    ident: str
    title: str
    updated: str
    href: str
    summary: str
    content: str


def render_index(nights: NightList) -> str:
    """The page of all nights: one self-contained file, without scripts or requests."""
    figures = _figures(nights)
    rows = [_row(night, figures[night.day]) for night in nights.nights]
    months = groupby(rows, key=lambda row: row.day.replace(day=1))
    newest = nights.nights[0] if nights.nights else None
    course = _course(nights, newest) if newest else []
    priced = sum(numbers.get("safe_usd_month") is not None for _, numbers in course)
    context: dict[str, Any] = {
        "list": nights,
        "newest": rows[0] if rows else None,
        "figures": figures[newest.day] if newest else None,
        "months": [(_month(first), list(found)) for first, found in months],
        "column_titles": [NIGHT_NUMBERS[name].title for name in _COLUMNS],
        "sparks": _sparks(course, figures[newest.day]) if newest and newest.numbers else [],
        "chart": money_over_nights(course) if priced > 1 else None,
        "course_days": len(course),
        "missing": sum(not numbers for _, numbers in course),
        "shown_weeks": nights.weeks[:_SHOWN_WEEKS],
        "folded_weeks": nights.weeks[_SHOWN_WEEKS:],
        "feed": "feed.xml",
    }
    return html_templates().get_template("nights.html.j2").render(context)


def render_feed(nights: NightList, address: str | None) -> str:
    """The newest nights that have a report, as Atom 1.0. ``address`` is where the folder of reports is published; without it
    links are relative to the feed."""
    figures = _figures(nights)
    shown = [night for night in nights.nights if night.has_report][:FEED_NIGHTS]
    base = f"{address}/" if address else ""
    entries = [_entry(night, figures[night.day], base) for night in shown]
    context = {
        "ident": AUTHORITY,
        "updated": entries[0].updated if entries else _over(date(1970, 1, 1) - timedelta(days=1)),
        "base": base,
        "version": nights.version,
        "entries": entries,
    }
    return _feed_templates().get_template("feed.xml.j2").render(context)


def _figures(nights: NightList) -> dict[date, Figures]:
    """The numbers of each night beside those of the night before it."""
    pairs = [*pairwise(nights.nights), *((night, None) for night in nights.nights[-1:])]
    return {
        night.day: Figures(Answers(night.numbers, before.numbers if before else {}, before.day if before else None), night.day)
        for night, before in pairs
    }


def _row(night: NightLine, figures: Figures) -> Row:
    return Row(
        night.day,
        WEEKDAYS[night.day.weekday()],
        _page(night.day) if night.has_report else "",
        figures.text("safe_usd_month"),
        figures.change("safe_usd_month") or "–",
        tuple(figures.text(name) for name in _COLUMNS),
    )


def _page(day: date) -> str:
    return f"{day}/index.html"


def _month(day: date) -> str:
    return long_day(day).split(" ", 2)[2]


def _course(nights: NightList, newest: NightLine) -> Nights:
    return every_day({night.day: dict(night.numbers) for night in nights.nights if night.numbers}, newest.day, TREND_DAYS)


def _sparks(course: Nights, figures: Figures) -> list[Spark]:
    return [_spark(name, unit, course, figures) for name, unit in _SPARKS]


def _spark(name: str, unit: str, course: Nights, figures: Figures) -> Spark:
    values = [numbers.get(name) for _, numbers in course]
    known = sorted(value for value in values if value is not None)
    number = NIGHT_NUMBERS[name]
    told = "never known"
    if known:
        low, high = (Figures(Answers({name: value}), course[-1][0]).text(name) for value in (known[0], known[-1]))
        told = f"{low} throughout" if low == high else f"{low} to {high}"
    title = f"{number.title} over {counted(len(course), 'day')}: {told}, {figures.text(name)} on {course[-1][0]}"
    return Spark(
        number.title, figures.text(name), unit, told, sparkline(values, title, 100.0 if number.unit == PERCENT else None)
    )


def _entry(night: NightLine, figures: Figures, base: str) -> Entry:
    safe = figures.text("safe_usd_month")
    worth = f"{safe} a month is safe to save" if night.numbers.get("safe_usd_month") is not None else "the report"
    template = html_templates().get_template("feed_entry.html.j2")
    lines = [(NIGHT_NUMBERS[name].title, figures.text(name), figures.change(name) or "") for name in _TOLD]
    href = base + _page(night.day)
    content = template.render(lines=lines, href=href, delta=figures.delta("safe_usd_month"))
    known = [f"{title}: {text}" for title, text, _ in lines if night.numbers]
    return Entry(
        f"{AUTHORITY}/{night.day}",
        f"{long_day(night.day)}: {worth}",
        _over(night.day),
        href,
        ". ".join(known) + "." if known else "This night kept no numbers.",
        content,
    )


def _over(day: date) -> str:
    """The moment at which a day was over: the same whenever its night runs."""
    return f"{day + timedelta(days=1)}T00:00:00Z"


@cache
def _feed_templates() -> Environment:
    environment = html_templates().overlay()
    environment.finalize = _xml
    return environment


def _xml(value: Any) -> Any:
    text = clean(value)
    if isinstance(text, Markup):
        return text
    return xml_text(text) if isinstance(text, str) else text
