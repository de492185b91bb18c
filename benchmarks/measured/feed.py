"""A real PostgreSQL with one day of a synthetic fleet, stored in the order in which a feed delivers it: by time."""

from __future__ import annotations

import asyncio
from datetime import date

import asyncpg
import numpy as np
import polars as pl

from benchmarks.measured.synthetic import SyntheticFleet, times
from dagster_project.domain.metrics import METRICS
from dagster_project.sources import contract_tables

_ROWS_AT_A_TIME = 500_000


def fill(dsn: str, database: str, resources: int, samples_per_day: int, day: str) -> int:
    """Creates a database of that name in the contract's shape and fills it; returns the samples."""
    return asyncio.run(_fill(dsn, database, SyntheticFleet(resources), samples_per_day, date.fromisoformat(day)))


async def _fill(dsn: str, database: str, fleet: SyntheticFleet, samples_per_day: int, day: date) -> int:
    server = await asyncpg.connect(dsn)
    await server.execute(f'create database "{database}"')
    await server.close()
    connection = await asyncpg.connect(dsn.replace("/postgres?", f"/{database}?"))
    try:
        await contract_tables.create_tables(connection)
        # Key and index are built at the end, which is faster; the order of the rows in the table is the same.
        await connection.execute("alter table utilization drop constraint utilization_pkey")
        await connection.execute("drop index utilization_timestamp")
        inventory = fleet.inventory()
        await contract_tables.append(connection, "resources", _resources(inventory))
        ids = inventory["resource_id"]
        written = 0
        step = max(1, _ROWS_AT_A_TIME // fleet.resources)
        for first in range(0, samples_per_day, step):
            minutes = np.arange(first, min(first + step, samples_per_day)) * (1440 / samples_per_day)
            written += await contract_tables.append(connection, "utilization", _samples(fleet, ids, day, minutes))
        await connection.execute("alter table utilization add primary key (resource_id, timestamp)")
        await connection.execute("create index utilization_timestamp on utilization (timestamp)")
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return written


def _samples(fleet: SyntheticFleet, ids: pl.Series, day: date, minutes: np.ndarray) -> pl.DataFrame:
    values = fleet.values(day, minutes, slice(0, fleet.resources))
    return (
        pl.DataFrame(
            {
                "resource_id": ids.gather(np.tile(np.arange(fleet.resources), len(minutes))),
                "timestamp": times(day, minutes).repeat(fleet.resources),
                **{metric.contract_column: values[metric.name].T.ravel() for metric in METRICS},
            }
        )
        .with_columns(pl.col(pl.Float64).fill_nan(None))
        .with_columns(pl.col("in_service").cast(pl.Int32))
    )


def _resources(inventory: pl.DataFrame) -> pl.DataFrame:
    return inventory.select(
        "resource_id",
        pl.col("resource_type").alias("type"),
        pl.struct("instance_type", "region").struct.json_encode().alias("current_config"),
        "service",
        "team",
        "environment",
    )
