"""Savings by change: how far each one has come, and the files of it that finance reads."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import polars as pl

from dagster_project.lake.engine import open_engine
from dagster_project.lake.partitions import replace_file
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import PROPOSALS, TABLES
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

CSV, PARQUET = "savings.csv", "savings.parquet"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the begin of a formula."""


def follow_savings(runtime: Runtime, day: date) -> int:
    """Writes ``savings`` of the day; returns its rows. Raises ``MissingPartition`` where the day has no proposals."""
    runtime.lake.require(PROPOSALS, day)
    mart = statement("marts/savings")
    with open_engine(runtime.lake) as engine:
        for name in mart.reads:
            engine.view(TABLES[name], [day])
        return engine.write(SAVINGS, day, mart)


def write_files(runtime: Runtime, day: date, folder: Path) -> int:
    """Puts ``savings.csv`` and ``savings.parquet`` into the folder of the day's report; returns their rows.

    Both have a first column ``day``. In the CSV file no text can be taken for a formula: such a text begins with an apostrophe.
    """
    frame = pl.read_parquet(runtime.lake.require(SAVINGS, day), hive_partitioning=False)
    frame = frame.select(pl.lit(day).alias("day"), pl.all())
    parquet = io.BytesIO()
    frame.write_parquet(parquet, compression="zstd")
    replace_file(folder / PARQUET, parquet.getvalue())
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    harmless = frame.with_columns(_without_formula(pl.col(name)) for name in texts)
    replace_file(folder / CSV, harmless.write_csv(float_precision=2, line_terminator="\n").encode())
    return frame.height


def _without_formula(text: pl.Expr) -> pl.Expr:
    starts = pl.any_horizontal(text.str.starts_with(start) for start in FORMULA_STARTS)
    return pl.when(starts).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).alias(text.meta.output_name())
