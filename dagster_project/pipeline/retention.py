"""Retention: partitions, reports and outboxes that are older than the settings keep."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.incident_tables import CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS, INCIDENT_TIMELINE, POSTMORTEMS
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, TABLES, UTILIZATION_SAMPLES, Table
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion_report import FILE as OPINIONS
from dagster_project.settings import RetentionSettings

_PAGES = ("index.html", "report.md", OPINIONS)
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
    share the folder of reports: a report goes only where this home has the verdicts that it tells of, and only its own pages.
    Postmortems stay: people have written into them.
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
    judged = (day for day in days[RIGHTSIZING_VERDICTS.name] if day <= newest - timedelta(days=keep.reports_days))
    reports = {day: pages for day in judged if (pages := _pages(runtime.settings.reports / day.isoformat()))}
    if reports:
        freed = sum(page.stat().st_size for pages in reports.values() for page in pages)
        for pages in reports.values() if not dry_run else ():
            _remove(pages)
        pruned.append(Pruned("reports", tuple(reports), freed))
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


def _pages(folder: Path) -> list[Path]:
    return [page for page in (folder / name for name in _PAGES) if page.is_file()]


def _remove(pages: list[Path]) -> None:
    """Deletes the pages of a report, and their folder where nothing else is in it."""
    for page in pages:
        page.unlink()
    folder = pages[0].parent
    if not any(folder.iterdir()):
        folder.rmdir()


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
