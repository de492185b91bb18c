"""Where a day's report and a proposal's page lie, and their addresses where the folder of reports is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster_project.domain.incidents.naming import page_name
from dagster_project.settings import Settings

PROPOSALS = "proposals"
"""The folder of proposals' pages, of a day and of all days."""
_PAGE = "index.html"


def report_path(settings: Settings, day: date) -> Path:
    """The page of the day, whether it was written or not."""
    return settings.reports / day.isoformat() / _PAGE


def report_url(settings: Settings, day: date) -> str | None:
    """Its address on the web; None where nobody said where the folder is published."""
    base = settings.report_url
    return f"{base}/{day.isoformat()}/{_PAGE}" if base is not None else None


def proposal_page(ident: str) -> str:
    """The page of a pull request (by its group's digest) or of a request (by its id), relative to the folder of a day. Relative
    to the folder of all reports it leads to the newest night that tells of it."""
    return f"{PROPOSALS}/{page_name(ident)}.html"


def proposal_url(settings: Settings, ident: str) -> str | None:
    """Its address that stays the same from night to night; None where nobody said where the folder is published."""
    base = settings.report_url
    return f"{base}/{proposal_page(ident)}" if base is not None else None
