"""Retention: partitions, reports and outboxes that are older than the settings keep."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.folders import one_at_a_time
from dagster_project.lake.incident_tables import CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS, INCIDENT_TIMELINE, POSTMORTEMS
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, TABLES, UTILIZATION_SAMPLES, Table
from dagster_project.pipeline.night_list import index_path, week_of, weekly_paths, write_list
from dagster_project.pipeline.report_pages import leads_to
from dagster_project.pipeline.report_place import FOLDERS, PROPOSALS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.savings import CSV, PARQUET
from dagster_project.pipeline.second_opinion_report import FILE as OPINIONS
from dagster_project.reporting.pages import STYLE
from dagster_project.settings import RetentionSettings

_PAGES = ("index.html", "report.md", STYLE, CSV, PARQUET, OPINIONS)
_SAMPLES = (UTILIZATION_SAMPLES, AWS_SAMPLES)
_EVIDENCE = (CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS, INCIDENT_TIMELINE, POSTMORTEMS)
"""What no source can be asked for again, and what was made of it."""


@dataclass(frozen=True)
class Pruned:
    """What was (or would be) deleted of one table or of the reports."""

    name: str
    days: tuple[date, ...]
    freed_bytes: int


def prune(runtime: Runtime, *, dry_run: bool = False) -> list[Pruned]:
    """Deletes what is older than its retention, counted back from the newest partition of any table.

    Counting from the data and not from today keeps a home of historic data whole. Deleting is by whole days. Several homes may
    share the folder of reports: a report goes only where this home has the verdicts that it tells of, and only its own pages,
    with what leads to it: addresses of proposals, and the digest of a week whose newest night it was. The list of nights is
    brought up to date where there is one. Postmortems stay: people have written into them.
    """
    lake, keep = runtime.lake, runtime.settings.retention
    days = {name: lake.days(table) for name, table in TABLES.items()}
    newest = max((day for listed in days.values() for day in listed), default=None)
    if newest is None:
        return []
    pruned = []
    for name, table in TABLES.items():
        kept = _kept_days(table, keep)
        old = tuple(day for day in days[name] if day <= newest - timedelta(days=kept))
        freed = sum(_size(lake.path(table, day).parent) for day in old)
        for day in old if not dry_run else ():
            lake.drop(table, day)
        if old:
            pruned.append(Pruned(name, old, freed))
    reports = _old_reports(runtime, days[RIGHTSIZING_VERDICTS.name], newest - timedelta(days=keep.reports_days))
    if reports:
        freed = sum(page.stat().st_size for pages in reports.values() for page in pages)
        for pages in reports.values() if not dry_run else ():
            _remove(pages, runtime.settings.reports)
        pruned.append(Pruned("reports", tuple(reports), freed))
    if pruned and not dry_run and index_path(runtime.settings.reports).is_file():
        with one_at_a_time(runtime.settings.reports):
            write_list(runtime)
    oldest = newest - timedelta(days=keep.outbox_days)
    parcels = {day: folder for day, folder in _outbox(runtime.settings.outbox).items() if day <= oldest}
    if parcels:
        freed = sum(map(_size, parcels.values()))
        for folder in parcels.values() if not dry_run else ():
            shutil.rmtree(folder)
        pruned.append(Pruned("outbox", tuple(sorted(parcels)), freed))
    return pruned


def _kept_days(table: Table, keep: RetentionSettings) -> int:
    if table in _EVIDENCE:
        return keep.evidence_days
    return keep.samples_days if table in _SAMPLES else keep.tables_days


def _outbox(folder: Path) -> dict[date, Path]:
    """The outbox's folders by day; what is called otherwise is somebody's own."""
    found = {}
    for each in sorted(folder.glob("*-*-*")):
        try:
            found[date.fromisoformat(each.name)] = each
        except ValueError:
            continue
    return found


def _old_reports(runtime: Runtime, judged: Collection[date], oldest: date) -> dict[date, list[Path]]:
    """The pages of each report that goes, with what leads to it from outside of its folder; also what an interrupted run left."""
    reports = runtime.settings.reports
    found = {day: _pages(reports / day.isoformat()) for day in judged if day <= oldest}
    for address in sorted((reports / PROPOSALS).glob("*.html")):
        if (day := leads_to(address)) in found:
            found[day].append(address)
    for day, pages in found.items():
        if not any(week_of(each) == week_of(day) for each in judged if each > day):
            pages += [page for page in weekly_paths(reports, week_of(day)) if page.is_file()]
    return {day: pages for day, pages in found.items() if pages}


def _pages(folder: Path) -> list[Path]:
    # With what killed writers left of any of them.
    drafts = [draft for name in (*FOLDERS, *_PAGES) for draft in sorted(folder.glob(f".{name}.*"))]
    folders = (*(folder / name for name in FOLDERS), *(draft for draft in drafts if draft.is_dir()))
    beside = (page for each in folders for page in sorted(each.glob("*.html")))
    return [page for page in (*(folder / name for name in _PAGES), *drafts, *beside) if page.is_file()]


def _remove(pages: list[Path], reports: Path) -> None:
    """Deletes pages, and the folders that they lay in where nothing else is in them."""
    for page in pages:
        page.unlink()
        for folder in page.parents:
            if folder == reports or any(folder.iterdir()):
                break
            folder.rmdir()


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
