"""Where reports and their pages lie, and their addresses where the folder of reports is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster_project.domain.file_names import page_name
from dagster_project.settings import Settings

RESOURCES, PROPOSALS = "resources", "proposals"
GROUPS = {"team": "teams", "service": "services"}
FOLDERS = (RESOURCES, PROPOSALS, *GROUPS.values())
"""Folders of pages below the folder of a day; that of proposals also stands below the folder of all days."""
_PAGE = "index.html"


def report_path(settings: Settings, day: date) -> Path:
    """The page of the day, whether it was written or not."""
    return settings.reports / day.isoformat() / _PAGE


def report_url(settings: Settings, day: date) -> str | None:
    """Its address on the web; None where nobody said where the folder is published."""
    base = settings.report_url
    return f"{base}/{day.isoformat()}/{_PAGE}" if base is not None else None


def resource_page(resource_id: str) -> str:
    """The page of a resource, relative to the folder of a day."""
    return f"{RESOURCES}/{page_name(resource_id)}.html"


def group_page(kind: str, name: str) -> str:
    """The page of a team or a service, relative to the folder of a day."""
    return f"{GROUPS[kind]}/{page_name(name)}.html"


def proposal_page(ident: str) -> str:
    """The page of a pull request (by its group's digest) or of a request (by its id), relative to the folder of a day. Relative
    to the folder of all reports it leads to the newest night that tells of it."""
    return f"{PROPOSALS}/{page_name(ident)}.html"


def proposal_url(settings: Settings, ident: str) -> str | None:
    """Its address that stays the same from night to night; None where nobody said where the folder is published."""
    base = settings.report_url
    return f"{base}/{proposal_page(ident)}" if base is not None else None


def plain_address(url: str | None) -> str | None:
    """An address of the web as it was given, which may be linked to; None for anything else."""
    return url if url is not None and url.startswith(("https://", "http://")) else None
