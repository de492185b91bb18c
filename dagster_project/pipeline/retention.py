"""Retention: partitions and reports that are older than the settings keep."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dagster_project.lake.tables import TABLES, UTILIZATION_SAMPLES
from dagster_project.pipeline.runtime import Runtime

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Pruned:
    """What was (or would be) deleted of one table or of the reports."""

    name: str
    days: tuple[date, ...]
    freed_bytes: int


def prune(runtime: Runtime, *, dry_run: bool = False) -> list[Pruned]:
    """Deletes what is older than its retention, counted back from the newest partition of any table.

    Counting from the data and not from today keeps a home of historic data whole. Deleting is by whole days.
    """
    lake, keep = runtime.lake, runtime.settings.retention
    days = {name: lake.days(table) for name, table in TABLES.items()}
    reports = sorted(
        date.fromisoformat(folder.name)
        for folder in runtime.settings.reports.glob("*")
        if folder.is_dir() and _DAY.fullmatch(folder.name)
    )
    newest = max((day for listed in (*days.values(), reports) for day in listed), default=None)
    if newest is None:
        return []
    pruned = []
    for name, table in TABLES.items():
        kept = keep.samples_days if table is UTILIZATION_SAMPLES else keep.tables_days
        old = tuple(day for day in days[name] if day <= newest - timedelta(days=kept))
        freed = sum(_size(lake.path(table, day).parent) for day in old)
        for day in old if not dry_run else ():
            lake.drop(table, day)
        if old:
            pruned.append(Pruned(name, old, freed))
    old = tuple(day for day in reports if day <= newest - timedelta(days=keep.reports_days))
    if old:
        folders = [runtime.settings.reports / day.isoformat() for day in old]
        freed = sum(_size(folder) for folder in folders)
        for folder in folders if not dry_run else ():
            shutil.rmtree(folder)
        pruned.append(Pruned("reports", old, freed))
    return pruned


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
