"""Where a day's report lies, and its address where the folder of reports is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster_project.settings import Settings

_PAGE = "index.html"


def report_path(settings: Settings, day: date) -> Path:
    """The page of the day, whether it was written or not."""
    return settings.reports / day.isoformat() / _PAGE


def report_url(settings: Settings, day: date) -> str | None:
    """Its address on the web; None where nobody said where the folder is published."""
    base = settings.slack.report_url
    return f"{base}/{day.isoformat()}/{_PAGE}" if base is not None else None
