"""Polars frames into partitions, whole or as a stream of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import polars as pl
from polars.io.plugins import register_io_source

from dagster_project.lake.partitions import PART, Lake
from dagster_project.lake.tables import Table

_DTYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "TIMESTAMP": pl.Datetime("us"),
    "DATE": pl.Date(),
    "FLOAT": pl.Float32(),
    "DOUBLE": pl.Float64(),
    "SMALLINT": pl.Int16(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "USMALLINT": pl.UInt16(),
    "BOOLEAN": pl.Boolean(),
    "UINTEGER[]": pl.List(pl.UInt32()),
}

ROW_GROUP_ROWS = 122_880


def schema(table: Table) -> dict[str, pl.DataType]:
    """The table's columns as Polars types."""
    return {column: _DTYPES[kind] for column, kind in table.columns.items()}


def write_frame(lake: Lake, table: Table, day: date, frame: pl.DataFrame, part: str = PART) -> int:
    """Replaces a partition with ``frame``, sorted by the grain; returns the row count."""
    ordered = frame.select(pl.col(name).cast(kind) for name, kind in schema(table).items()).sort(table.grain)
    with lake.replacing(table, day, part) as draft:
        ordered.write_parquet(draft, compression="zstd", row_group_size=ROW_GROUP_ROWS)
    return ordered.height


def write_stream(
    lake: Lake,
    table: Table,
    day: date,
    frames: Callable[[], Iterator[pl.DataFrame]],
    row_group_rows: int = ROW_GROUP_ROWS,
    part: str = PART,
) -> int:
    """Replaces a partition with frames that come already sorted, holding a few of them at a time; returns the row count.

    An error of ``frames`` reaches the caller as it was raised, and the old partition stays.
    """
    written = 0
    failure: list[BaseException] = []

    def batches(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        nonlocal written
        try:
            for frame in frames():
                written += frame.height
                yield frame
        except GeneratorExit:  # Polars stopped reading; its own error says why
            raise
        except BaseException as error:  # Polars would turn it into a ComputeError with a text
            failure.append(error)
            raise

    with lake.replacing(table, day, part) as draft:
        try:
            register_io_source(batches, schema=schema(table), validate_schema=True).sink_parquet(
                draft, compression="zstd", compression_level=3, row_group_size=row_group_rows, maintain_order=True
            )
        except Exception:
            if failure:
                raise failure[0] from None
            raise
    return written
