"""Utilization samples out of the decision engine's PostgreSQL, one UTC day at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.sources.contract import Contract
from dagster_project.sources.copy_binary import NULL_NUMBER, POSTGRES_EPOCH_US, FixedWidthRow, copy_rows
from dagster_project.statements import statement

_ROW = FixedWidthRow([("resource_key", ">i8"), ("sampled_at", ">i8"), *((metric.name, ">f8") for metric in METRICS)])

SampleBlock = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Keys (n,), times in µs since 1970 (n,), values (n, metrics) with NaN as it came and +inf for unknown."""


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a UTC day and of the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


async def resource_keys(connection: asyncpg.Connection, contract: Contract) -> dict[int, str]:
    """Hash → resource id, for every row of ``resources``."""
    rows = await connection.fetch(contract.query(statement("extract/resource_keys"), "resources"))
    return {row["resource_key"]: row["resource_id"] for row in rows}


async def copy_samples(
    connection: asyncpg.Connection, contract: Contract, day: date, consume: Callable[[SampleBlock], None]
) -> int:
    """Streams the day's samples through ``consume`` in blocks, in the order in which they are stored; returns the rows."""

    def unpack(rows: NDArray[np.void]) -> None:
        values = np.empty((len(METRICS), len(rows)), dtype=np.float64)
        for index, metric in enumerate(METRICS):
            values[index] = rows[metric.name]
        values[values == np.inf] = np.finfo(np.float64).max  # a reading that says infinity is impossible, not unknown
        values[values == NULL_NUMBER] = np.inf
        consume((rows["resource_key"].astype(np.int64), rows["sampled_at"].astype(np.int64) + POSTGRES_EPOCH_US, values.T))

    query = contract.query(statement("extract/utilization_samples"), "utilization")
    return await copy_rows(connection, query, day_bounds(day), _ROW, unpack)


async def unlisted_resources(
    connection: asyncpg.Connection, contract: Contract, day: date, keys: Sequence[int]
) -> Mapping[int, str]:
    """Hash → resource id of samples whose resource has no row in ``resources``."""
    query = contract.query(statement("extract/unlisted_resources"), "utilization")
    rows = await connection.fetch(query, *day_bounds(day), list(keys))
    return {row["resource_key"]: row["resource_id"] for row in rows}


async def sample_span(connection: asyncpg.Connection, contract: Contract) -> tuple[datetime, datetime] | None:
    """First and last sample in the database, or None where there is none."""
    row = await connection.fetchrow(contract.query(statement("extract/utilization_span"), "utilization"))
    return (row["first_at"], row["last_at"]) if row and row["first_at"] else None


async def future_samples(
    connection: asyncpg.Connection, contract: Contract, now: datetime, day_end: datetime
) -> list[tuple[str, int, datetime]]:
    """Resource id, rows and first time of samples later than ``now`` and not of the day that ends at ``day_end``."""
    rows = await connection.fetch(contract.query(statement("extract/future_samples"), "utilization"), now, day_end)
    return [(row["resource_id"], row["rejected_rows"], row["first_at"]) for row in rows]
