"""Nightshift's own ingest: PostgreSQL → checked and sorted Parquet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from dagster_project.pipeline.ingest_samples import ingest_samples
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings


def to_parquet(dsn: str, home: str, day: str) -> int:
    """Loads one day into a home; returns the rows written."""
    on = date.fromisoformat(day)
    now = datetime.combine(on + timedelta(days=1), time(2), UTC)
    runtime = Runtime(Settings(home=Path(home), reports=Path(home) / "reports", dsn=dsn), now=now)
    return sum(load.rows_written for _, load in ingest_samples(runtime, [on]))
