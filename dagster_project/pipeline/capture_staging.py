"""What a night read of incidents, on its way into the lake: secrets removed, in files of bounded size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.redaction_secrets import secret_fields
from dagster_project.lake.frames import schema
from dagster_project.lake.incident_tables import CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS
from dagster_project.lake.tables import Table
from dagster_project.sources.history import Listed

_ROWS = 20_000
_TEXTS = ("text", "url", "actor", "target")
"""What people and programs write. Ids stay as they are: two that became one would be one event."""
_SHORT = 300
_REMEMBERED = 100_000
_REMOVED = "[secret removed]"
_FIELDS = tuple(field.name for field in fields(Event))
_PLACES = {"source": pl.String(), "place": pl.String(), "since": pl.Datetime("us"), "until": pl.Datetime("us")}
_IDS = {"source": pl.String(), "source_event_id": pl.String()}
Clean = Callable[[str], str]
"""Takes secrets out of a text."""


class Rows:
    """Rows of a table that are gathered in files below a folder."""

    def __init__(self, folder: Path, table: Table, *, without: tuple[str, ...] = ()) -> None:
        self._folder, self._name = folder, table.name
        self._schema = {name: kind for name, kind in schema(table).items() if name not in without}
        self._waiting: list[Mapping[str, Any]] = []
        self._files: list[Path] = []

    def add(self, row: Mapping[str, Any]) -> None:
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS:
            self._flush()

    def files(self) -> list[Path]:
        """The files with all that was added; one of them where there is nothing."""
        if self._waiting or not self._files:
            self._flush()
        return self._files

    def _flush(self) -> None:
        file = self._folder / f"{self._name}-{len(self._files):05d}.parquet"
        pl.DataFrame(self._waiting, schema=self._schema).write_parquet(file, compression="zstd")
        self._files.append(file)
        self._waiting = []


class Staging:
    """The events and service levels that were read, and what sources listed to its end."""

    def __init__(self, folder: Path, clean: Clean) -> None:
        self._clean = clean
        # Names of fields, policies and people come again and again.
        self._clean_short = lru_cache(_REMEMBERED)(clean)
        self.events = Rows(folder, CAPTURED_EVENTS, without=("version",))
        self.levels = Rows(folder, CAPTURED_SERVICE_LEVELS)
        self._places: list[tuple[str, str, datetime, datetime]] = []
        self._ids: list[tuple[str, str]] = []

    def add(self, event: Event) -> None:
        """Takes an event in, without what is secret in it."""
        row = {name: getattr(event, name) for name in _FIELDS}
        row |= {name: self._cleaned(row[name]) for name in _TEXTS if row[name]}
        row["payload"] = json.dumps(self._cleaned(event.payload), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        del row["version"]
        self.events.add(row)

    def note(self, source: str, listed: Listed) -> None:
        """Takes in what a source listed to its end."""
        self._places.append((source, listed.place, listed.since, listed.until))
        self._ids += [(source, each) for each in sorted(listed.ids)]

    def places(self) -> pl.DataFrame:
        """The places that were listed to their end: source, place, since, until."""
        return pl.DataFrame(self._places, schema=_PLACES, orient="row")

    def ids(self) -> pl.DataFrame:
        """What is there of them: source, source_event_id."""
        return pl.DataFrame(self._ids, schema=_IDS, orient="row")

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._clean_short(value) if len(value) <= _SHORT else self._clean(value)
        if isinstance(value, Mapping):
            secret = secret_fields(value)
            return {
                self._clean_short(str(name)): _REMOVED if name in secret else self._cleaned(each) for name, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._cleaned(each) for each in value]
        return value
