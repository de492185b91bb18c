"""Where refreshed catalogs lie, and which of them a day uses.

``<home>/catalog/day=YYYY-MM-DD/refresh-N/`` holds a whole catalog and ``diff.json``, how it differs from the one before. A folder
is renamed into place once it is complete and never changes: a second refresh on the same day is another folder.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from dagster_project.catalog.shapes import SHIPPED, Catalog

ROOT = "catalog"
"""The folder of refreshed catalogs in a home."""
DIFF = "diff.json"
"""What a refresh changed, beside the catalog that it made."""

_REFRESH = re.compile(r"refresh-(\d+)")


def catalog_of(home: Path, day: date) -> Catalog:
    """The newest catalog that was refreshed by the end of ``day``, else the shipped one: a day that is run again has the same."""
    for found in refreshed(home)[::-1]:
        if found.day is not None and found.day <= day:
            return found
    return SHIPPED


def refreshed(home: Path) -> list[Catalog]:
    """Every catalog of a home, in the order in which they were made."""
    found = []
    for folder in (home / ROOT).glob("day=*/refresh-*"):
        number = _REFRESH.fullmatch(folder.name)
        try:
            day = date.fromisoformat(folder.parent.name.removeprefix("day="))
        except ValueError:
            continue
        if number and folder.is_dir():
            found.append((day, int(number[1]), folder))
    return [Catalog(folder, day) for day, _, folder in sorted(found)]


def next_folder(home: Path, day: date) -> Path:
    """Where the next refresh of a day goes."""
    parent = home / ROOT / f"day={day.isoformat()}"
    numbers = [int(number[1]) for each in parent.glob("refresh-*") if (number := _REFRESH.fullmatch(each.name))]
    return parent / f"refresh-{max(numbers, default=0) + 1}"
