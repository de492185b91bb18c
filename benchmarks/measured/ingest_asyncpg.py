"""asyncpg: COPY with nothing done to its rows, which is the limit, and records, which is what one writes first."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import asyncpg
import polars as pl

_QUERY = "select * from utilization where timestamp >= $1 and timestamp < $2"


def copy_and_drop(dsn: str, day: str) -> int:
    """COPY BINARY of a day's rows as they are stored, thrown away: what one connection delivers. Returns the bytes."""
    return asyncio.run(_copy_and_drop(dsn, date.fromisoformat(day)))


def fetch_to_parquet(dsn: str, home: str, day: str, tenths: int) -> int:
    """``tenths`` of a day as records, through Polars into a sorted Parquet file; returns the rows."""
    folder = Path(home)
    folder.mkdir(parents=True)
    records = asyncio.run(_fetch(dsn, date.fromisoformat(day), tenths))
    frame = pl.DataFrame(
        [tuple(record) for record in records], schema=list(records[0].keys()), orient="row", infer_schema_length=None
    )
    frame.sort("resource_id", "timestamp").write_parquet(folder / "samples.parquet")
    return frame.height


async def _copy_and_drop(dsn: str, day: date) -> int:
    received = 0

    async def drop(chunk: bytes) -> None:
        nonlocal received
        received += len(chunk)

    connection = await asyncpg.connect(dsn)
    try:
        await connection.copy_from_query(_QUERY, *_bounds(day, 10), output=drop, format="binary")
    finally:
        await connection.close()
    return received


async def _fetch(dsn: str, day: date, tenths: int) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(_QUERY, *_bounds(day, tenths))
    finally:
        await connection.close()


def _bounds(day: date, tenths: int) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1) * (tenths / 10)
