"""Writes tables in the contract's shape: for the demo fleet, and for files that a user loads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import asyncpg
import polars as pl

from dagster_project.bundle import bundled
from dagster_project.sources.contract import CONTRACT

_CSV_ROWS = 65_536


async def create_tables(connection: asyncpg.Connection) -> None:
    """Creates what is missing of the contract's tables, in the connection's default schema."""
    await connection.execute((bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8"))


async def append(connection: asyncpg.Connection, table: str, frame: pl.DataFrame) -> int:
    """Copies the rows of ``frame`` (naive times are UTC) into ``table``; its columns name the table's. Returns the rows."""
    text = frame.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00"))

    async def csv() -> AsyncIterator[bytes]:
        for part in text.iter_slices(_CSV_ROWS):
            yield part.write_csv(include_header=False, null_value="\\N", quote_style="necessary").encode()

    await connection.copy_to_table(table, source=csv(), columns=frame.columns, format="csv", null="\\N")
    return frame.height


async def delete_samples(connection: asyncpg.Connection, resources: Sequence[str], first: datetime, last: datetime) -> None:
    """Removes the samples of ``resources`` from ``first`` to ``last``, both included."""
    await connection.execute(
        "delete from utilization where resource_id = any($1::text[]) and timestamp between $2 and $3",
        list(resources),
        first,
        last,
    )


async def replace_rows(connection: asyncpg.Connection, table: str, key: str, frame: pl.DataFrame) -> int:
    """Puts the rows of ``frame`` in place of those with the same ``key``; returns the rows."""
    await connection.execute(f'delete from "{table}" where "{key}" = any($1::text[])', frame[key].to_list())
    return await append(connection, table, frame)


async def origin(connection: asyncpg.Connection) -> str | None:
    """Who filled the tables, as noted by ``note_origin``: None where nobody did or the tables are someone else's."""
    found: str | None = await connection.fetchval("select obj_description(to_regclass('resources'), 'pg_class')")
    return found


async def note_origin(connection: asyncpg.Connection, text: str) -> None:
    """Notes on the table ``resources`` who filled it. ``text`` is a constant of the program."""
    await connection.execute(f"comment on table resources is '{text}'")


async def hold_rows(connection: asyncpg.Connection) -> bool:
    """Whether any table that a run reads has a row; a table that does not exist has none."""
    for table in CONTRACT:
        if await connection.fetchval("select to_regclass($1)", table) is None:
            continue
        if await connection.fetchval(f'select exists (select from "{table}")'):
            return True
    return False


async def count(connection: asyncpg.Connection, table: str) -> int:
    """Rows of a table, 0 where it does not exist."""
    if await connection.fetchval("select to_regclass($1)", table) is None:
        return 0
    found: int = await connection.fetchval(f'select count(*) from "{table}"')
    return found
