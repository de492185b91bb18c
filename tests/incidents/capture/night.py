"""A night of capture: a lake with incidents, a database with what the engine decided, and sources that a test fills."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import polars as pl

from dagster_project.domain.incidents.events import Event
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS
from dagster_project.lake.tables import INCIDENTS, TABLES
from dagster_project.pipeline.capture import capture_events
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import contract_tables
from dagster_project.sources.history import Listed

DAY = date(2025, 3, 9)
Row = dict[str, Any]


@dataclass
class Outside:
    """A source whose history is what a test says; ``failure`` is raised after all of it was given."""

    name: str = "cloudtrail"
    keeps_days: int = 90
    events: list[Event] = field(default_factory=list)
    failure: Exception | None = None
    listed: list[Listed] = field(default_factory=list)
    tells_all: bool = False
    """Whether it tells again what lies before the stretch, as Slack does."""
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        self.asked.append((since, until))
        yield from (event for event in self.events if self.tells_all or since <= event.occurred_at < until)
        if self.failure is not None:
            raise self.failure


def event(number: object, at: datetime = datetime(2025, 3, 9, 10), text: str = "UpdateService of shop", **more: Any) -> Event:
    usual = {"source": "cloudtrail", "lane": "changes", "kind": "api_call"}
    return Event(source_event_id=str(number), occurred_at=at, text=text, **{**usual, **more})


def incident(incident_id: str = "INC-1", **more: Any) -> Row:
    usual = {
        "title": "Payment is down", "service": "payment", "status": "resolved", "kind": "normal",
        "detected_at": datetime(2025, 3, 9, 10), "resolved_at": datetime(2025, 3, 9, 11),
    }  # fmt: skip
    return {"incident_id": incident_id, **usual, **more}


def put_incidents(runtime: Runtime, *rows: Row, day: date = DAY) -> None:
    write_frame(runtime.lake, INCIDENTS, day, pl.DataFrame(list(rows), schema=schema(INCIDENTS)))


def put(runtime: Runtime, table: str, *rows: Row, day: date = DAY) -> None:
    write_frame(runtime.lake, TABLES[table], day, pl.DataFrame(list(rows), schema=schema(TABLES[table])))


def fill(runtime: Runtime, table: str, *rows: Row) -> None:
    """Puts rows into the decision engine's database."""

    async def run() -> None:
        connection = await asyncpg.connect(runtime.dsn())
        try:
            await contract_tables.create_tables(connection)
            if rows:
                await contract_tables.append(connection, table, pl.DataFrame(list(rows), infer_schema_length=None))
        finally:
            await connection.close()

    asyncio.run(run())


def decision(decision_id: str, at: datetime, **more: Any) -> Row:
    usual = {
        "target": "payment-api", "action_type": "scale_up", "policy_name": "CPU Emergency Scale-Up", "outcome": "succeeded",
        "dry_run": False,
    }  # fmt: skip
    return {"decision_id": decision_id, "decision_time": at, **usual, **more}


def on(runtime: Runtime, day: date) -> Runtime:
    """The run two hours after the end of a day."""
    return replace(runtime, now=runtime.now + (day - DAY))


def with_sources(runtime: Runtime, *sources: Any) -> Runtime:
    return replace(runtime, event_sources=lambda _: sources)


def night(runtime: Runtime, day: date = DAY, **options: Any) -> dict[str, Load]:
    """Captures a day when it is the newest; the ledger's lines by source. Without a word on incidents there are none."""
    if not runtime.lake.has(INCIDENTS, day):
        put_incidents(runtime, day=day)
    done = capture_events(on(runtime, day), day, **options)
    assert {each for each, _ in done} == {day}
    return {load.source: load for _, load in done}


def captured(runtime: Runtime, day: date = DAY) -> list[Row]:
    return pl.read_parquet(runtime.lake.path(CAPTURED_EVENTS, day), hive_partitioning=False).to_dicts()


def levels(runtime: Runtime, day: date = DAY) -> list[Row]:
    return pl.read_parquet(runtime.lake.path(CAPTURED_SERVICE_LEVELS, day), hive_partitioning=False).to_dicts()


def digests(runtime: Runtime, day: date = DAY) -> list[str]:
    """What the partitions of a day are, byte by byte."""
    tables = (CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS, TABLES["load_ledger"])
    files: Sequence[Path] = [file for table in tables for file in runtime.lake.files(table, [day])]
    return [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]


def after(days: int) -> date:
    return DAY + timedelta(days=days)
