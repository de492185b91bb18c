"""Tables of text out of PostgreSQL: inventory, decisions, and what else a database has of the contract.

Their columns have no fixed width, so COPY BINARY cannot be decoded in vectors; they come as COPY CSV and are parsed by
Polars, a batch at a time.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import polars as pl

from dagster_project.sources.contract import Contract
from dagster_project.statements import statement

_BATCH_BYTES = 32 * 1024 * 1024
_NULL = "\x1anull\x1a"
"""What stands for NULL in the transfer. The usual \\N would also be read as NULL where somebody wrote it as a text."""
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S%.6f"


async def inventory(connection: asyncpg.Connection, contract: Contract, day_end: datetime, schema: pl.Schema) -> pl.DataFrame:
    """Resources that existed before ``day_end``, in the columns of ``schema``, unsorted."""
    query = contract.query(statement("extract/resource_inventory"), "resources")
    return await _copy_frame(connection, query, (day_end,), schema)


async def decisions(
    connection: asyncpg.Connection, contract: Contract, start: datetime, end: datetime, schema: pl.Schema
) -> pl.DataFrame:
    """Decisions with start ≤ time < end, in the columns of ``schema``, unsorted."""
    query = contract.query(statement("extract/decision_audit"), "decision_audit")
    return await _copy_frame(connection, query, (start, end), schema)


async def first_decision(connection: asyncpg.Connection, contract: Contract) -> datetime | None:
    """The time of the first decision, or None where there is none."""
    found: datetime | None = await connection.fetchval(contract.query(statement("extract/decision_span"), "decision_audit"))
    return found


async def snapshot(
    connection: asyncpg.Connection, contract: Contract, table: str, day_end: datetime, schema: pl.Schema
) -> pl.DataFrame:
    """An optional table as it was at ``day_end``, as far as its rows say, in the columns of ``schema``, unsorted."""
    extract = statement(f"extract/{table}")
    return await _copy_frame(connection, contract.query(extract, table), (day_end,) if extract.params else (), schema)


async def service_levels(
    connection: asyncpg.Connection, contract: Contract, start: datetime, end: datetime, schema: pl.Schema
) -> pl.DataFrame:
    """Good and total events with start ≤ time < end by day, service, objective and what is wrong with them."""
    query = contract.query(statement("extract/sli_events"), "sli_events")
    return await _copy_frame(connection, query, (start, end), schema)


async def longest_objective(connection: asyncpg.Connection, contract: Contract) -> int | None:
    """Days of the longest window of any objective, or None where there is none."""
    found: int | None = await connection.fetchval(contract.query(statement("extract/slo_reach"), "slos"))
    return found


async def _copy_frame(connection: asyncpg.Connection, query: str, arguments: Sequence[object], schema: pl.Schema) -> pl.DataFrame:
    frames = [schema.to_frame()]
    pending = bytearray()

    def parse() -> None:
        # PostgreSQL writes booleans as t and f, and Polars parses times best from text: both are cast from text here.
        text = pl.read_csv(
            io.BytesIO(bytes(pending)),
            has_header=False,
            schema={name: pl.String() for name in schema},
            null_values=[_NULL],
            empty_string_is_null=False,
        )
        frames.append(text.select(_from_text(name, kind) for name, kind in schema.items()))
        pending.clear()

    async def receive(chunk: bytes) -> None:
        pending.extend(chunk)  # whole rows: PostgreSQL sends one message a row, and asyncpg never cuts a message
        if len(pending) >= _BATCH_BYTES:
            parse()

    await connection.copy_from_query(query, *arguments, output=receive, format="csv", null=_NULL)
    if pending:
        parse()
    return pl.concat(frames)


def _from_text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        return column.str.to_datetime(_TIME_FORMAT, time_unit="us")
    if kind == pl.Date:
        return column.str.to_date("%Y-%m-%d")
    if kind == pl.Boolean:
        return column == "t"
    return column.cast(kind)
