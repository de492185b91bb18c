"""The list of all nights and its feed: made of the lake and the folder of reports each time, so that no night needs another's."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from dagster_project import __version__
from dagster_project.lake.partitions import replace_file
from dagster_project.lake.report_tables import NIGHT_NUMBERS
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS
from dagster_project.pipeline.night_numbers import numbers_of
from dagster_project.pipeline.report_place import report_path
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.night_list import render_feed, render_index
from dagster_project.reporting.night_views import NightLine, NightList, WeekLine

SHOWN_NIGHTS = 400
WEEKLY = "weekly"
"""The folder of weekly digests, below the folder of reports."""
_WEEK = re.compile(r"(\d{4})-W(\d{2})\.html")


def index_path(reports: Path) -> Path:
    """The page of all nights."""
    return reports / "index.html"


def week_of(day: date) -> str:
    """The ISO week of a day, as ``2025-W10``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def weekly_paths(reports: Path, week: str) -> tuple[Path, Path, Path]:
    """Where the digest of an ISO week lies: Markdown, HTML and the Slack message."""
    folder = reports / WEEKLY
    return folder / f"{week}.md", folder / f"{week}.html", folder / f"{week}.slack.json"


def nights_of(runtime: Runtime) -> list[date]:
    """The nights of this home, ascending: those that reached verdicts, and those of which numbers are kept."""
    lake = runtime.lake
    return sorted({*lake.days(RIGHTSIZING_VERDICTS), *lake.days(NIGHT_NUMBERS)})


def night_list(runtime: Runtime) -> NightList:
    """The nights of this home. One whose report is gone, or was never written, is listed by its numbers; a report of another home
    that shares the folder is not."""
    days = nights_of(runtime)
    shown = days[-SHOWN_NIGHTS:]
    numbers = numbers_of(runtime.lake, shown)
    lines = (NightLine(day, report_path(runtime.settings, day).is_file(), numbers.get(day, {})) for day in reversed(shown))
    weeks = {week_of(day) for day in days}
    found = (week for file in (runtime.settings.reports / WEEKLY).glob("*.html") if (week := _week(file)) and week.name in weeks)
    return NightList(
        tuple(lines), len(days) - len(shown), tuple(sorted(found, key=lambda week: week.first, reverse=True)), __version__
    )


def write_list(runtime: Runtime) -> None:
    """Brings the page of all nights and the feed up to date. Where nights may run at the same time, only one may be here."""
    found = night_list(runtime)
    reports = runtime.settings.reports
    replace_file(reports / "feed.xml", render_feed(found, runtime.settings.report_url).encode())
    replace_file(index_path(reports), render_index(found).encode())


def _week(file: Path) -> WeekLine | None:
    match = _WEEK.fullmatch(file.name)
    try:
        first = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        return None
    return None if first is None else WeekLine(week_of(first), first, first + timedelta(days=6))
