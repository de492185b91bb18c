"""ADBC and DuckDB: the best that a user can put together from PostgreSQL to a table without writing a decoder."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
from adbc_driver_postgresql import dbapi


def to_duckdb(dsn: str, home: str, day: str) -> int:
    """A day's Arrow stream into a table of a DuckDB file, as it comes: unchecked and unsorted. Returns the rows."""
    folder = Path(home)
    folder.mkdir(parents=True)
    return _load(dsn, day, str(folder / "samples.duckdb"))


def to_memory(dsn: str, day: str) -> int:
    """The same into a table in memory, which is gone with the process. Returns the rows."""
    return _load(dsn, day, ":memory:")


def _load(dsn: str, day: str, database: str) -> int:
    following = date.fromisoformat(day) + timedelta(days=1)
    with duckdb.connect(database) as target, dbapi.connect(dsn) as source, source.cursor() as cursor:
        cursor.execute(f"select * from utilization where timestamp >= '{day} 00:00Z' and timestamp < '{following} 00:00Z'")
        stream = cursor.fetch_arrow()
        assert stream is not None  # DuckDB finds it by its name
        target.execute("create table samples as select * from stream")
        return target.sql("select count(*) from samples").fetchall()[0][0]
