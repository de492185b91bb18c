"""The pages beside the report of a day: written as whole folders, so that none of an earlier run stays among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from dagster_project.lake.engine import Engine
from dagster_project.lake.folders import put_files, replace_folder
from dagster_project.lake.partitions import replace_file
from dagster_project.pipeline import proposal_pages, resource_pages
from dagster_project.pipeline.group_pages import group_pages
from dagster_project.pipeline.paging import Paged
from dagster_project.pipeline.report_place import GROUPS, PROPOSALS, RESOURCES, proposal_page
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting import pages
from dagster_project.reporting.page_views import ProposalPage
from dagster_project.reporting.views import NightReport

_LEADS_TO = re.compile(r'content="0; url=\.\./(\d{4}-\d{2}-\d{2})/')


def write_pages(runtime: Runtime, engine: Engine, report: NightReport, folder: Path, paged: Paged) -> int:
    """Writes the pages beside a report and brings the addresses that never change up to date; returns how many pages there are.
    ``engine`` has the day's verdicts and savings in view."""
    day = report.day
    settings = runtime.settings
    replace_file(folder / pages.STYLE, pages.style_sheet().encode())
    proposals = list(proposal_pages.proposal_pages(engine, day, paged.resources))
    places = {page.ident: proposal_page(page.ident) for page in proposals}
    links = resource_pages.proposal_by_resource(engine, places)
    weeks = {proposal.resource_id: proposal.chart for proposal in report.proposals}
    found = resource_pages.resource_pages(engine, paged.rows, day, settings.rightsizing, weeks, links)
    written = replace_folder(folder / RESOURCES, _told(runtime, pages.resource_pages(found, day), len(paged.rows)))
    written += replace_folder(folder / PROPOSALS, pages.proposal_pages(proposals, day))
    groups = list(group_pages(engine, day, settings, paged.resources))
    for kind, name in GROUPS.items():
        mine = [group for group in groups if group.kind == kind]
        written += replace_folder(folder / name, pages.group_pages(mine, day))
    put_files(settings.reports / PROPOSALS, _leading_on(settings.reports, day, proposals))
    return written


def _told(runtime: Runtime, found: Iterable[tuple[str, str]], total: int) -> Iterator[tuple[str, str]]:
    for number, page in enumerate(found, start=1):
        yield page
        if number % 500 == 0 or number == total:
            runtime.progress.update("Pages of resources", number, total)


def _leading_on(reports: Path, day: date, proposals: Iterable[ProposalPage]) -> Iterator[tuple[str, str]]:
    """The addresses of proposals that are to lead to this day: all but those that lead to a later one already."""
    for page in proposals:
        stable = reports / proposal_page(page.ident)
        known = leads_to(stable)
        if known is None or known <= day:
            yield stable.name, pages.moved_page(page.title, f"../{day}/{proposal_page(page.ident)}")


def leads_to(page: Path) -> date | None:
    """The day that an address leads to; None where it is not there, or not ours."""
    try:
        found = _LEADS_TO.search(page.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return date.fromisoformat(found[1]) if found else None
