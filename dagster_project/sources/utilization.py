"""Utilization samples out of the decision engine's PostgreSQL, one UTC day at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import SampleRules
from dagster_project.sources.contract import Contract
from dagster_project.sources.copy_binary import NULL_NUMBER, POSTGRES_EPOCH_US, FixedWidthRow, copy_rows
from dagster_project.statements import statement


@dataclass(frozen=True)
class SampleBlock:
    """Some samples as they came: keys (n,), times in µs since 1970 (n,), values (n, metrics) with NaN for unknown.

    ``suspects`` are the numbers of the rows that break a rule, ``suspect_values`` (len(suspects), metrics) what they say, in
    full precision, with +inf for unknown.
    """

    keys: NDArray[np.int64]
    at_us: NDArray[np.int64]
    values: NDArray[np.float32]
    suspects: NDArray[np.int64]
    suspect_values: NDArray[np.float64]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a UTC day and of the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


async def resource_keys(connection: asyncpg.Connection, contract: Contract, also: Sequence[str] = ()) -> dict[int, str]:
    """Hash → resource id, for every row of ``resources`` and every id of ``also``; the empty id stands for a missing one."""
    rows = await connection.fetch(statement("extract/keys_of").text.replace("$ids", "$1"), ["", *also])
    if contract.has("resources"):
        rows += await connection.fetch(contract.query(statement("extract/resource_keys"), "resources"))
    return {row["resource_key"]: row["resource_id"] for row in rows}


async def copy_samples(
    connection: asyncpg.Connection,
    contract: Contract,
    day: date,
    rules: SampleRules,
    consume: Callable[[SampleBlock], None],
) -> int:
    """Streams the day's samples through ``consume`` in blocks, in the order in which they are stored; returns the rows.

    Only metrics that the database has are sent; the others are unknown.
    """
    there = [metric.name for metric in METRICS if metric.contract_column in contract.tables["utilization"]]
    columns = ["resource_key", "sampled_at", *there]
    query = contract.query(statement("extract/utilization_samples"), "utilization")
    layout = FixedWidthRow([(name, ">f8" if name in there else ">i8") for name in columns])
    narrowed = f"select {', '.join(columns)} from ({query}) as samples"
    return await copy_rows(
        connection, narrowed, day_bounds(day), layout, lambda rows: consume(_unpack(rows, frozenset(there), rules))
    )


def _unpack(rows: NDArray[np.void], there: frozenset[str], rules: SampleRules) -> SampleBlock:
    """Big-endian rows into native columns. One column at a time, so that what is worked on stays in the cache."""
    values = np.full((len(rows), len(METRICS)), np.nan, dtype=np.float32)
    at_us = rows["sampled_at"].astype(np.int64) + POSTGRES_EPOCH_US
    fine = at_us <= rules.now_us
    upper_bounds = rules.upper_bounds()
    for index, metric in enumerate(METRICS):
        if metric.name not in there:
            continue
        column = rows[metric.name].astype(np.float64)
        unknown = column == NULL_NUMBER
        # A comparison with NaN is false, so NaN, negative, infinite and too large readings all fail here.
        fine &= unknown | ((column >= 0) & (column <= upper_bounds[index]))
        column[unknown] = np.nan
        with np.errstate(over="ignore"):  # what overflows here was found too large above
            values[:, index] = column
    suspects = np.flatnonzero(~fine)
    exact = np.full((len(suspects), len(METRICS)), NULL_NUMBER)
    for index, metric in enumerate(METRICS):
        if metric.name in there:
            exact[:, index] = rows[metric.name][suspects]
    exact[exact == np.inf] = np.finfo(np.float64).max  # a reading that says infinity is impossible, not unknown
    exact[exact == NULL_NUMBER] = np.inf
    return SampleBlock(rows["resource_key"].astype(np.int64), at_us, values, suspects, exact)


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


async def sample_counts(connection: asyncpg.Connection, contract: Contract, first: date, last: date) -> dict[date, int]:
    """Rows of each UTC day from ``first`` to ``last``; a day without rows is not in it."""
    query = contract.query(statement("extract/sample_counts"), "utilization")
    rows = await connection.fetch(query, day_bounds(first)[0], day_bounds(last)[1])
    return {row["day"]: row["rows_of_day"] for row in rows}


async def future_samples(
    connection: asyncpg.Connection, contract: Contract, now: datetime, day_end: datetime
) -> list[tuple[str, int, datetime]]:
    """Resource id, rows and first time of samples later than ``now`` and not of the day that ends at ``day_end``."""
    rows = await connection.fetch(contract.query(statement("extract/future_samples"), "utilization"), now, day_end)
    return [(row["resource_id"], row["rejected_rows"], row["first_at"]) for row in rows]


async def readings(connection: asyncpg.Connection, contract: Contract, day: date) -> dict[str, tuple[int, ...]]:
    """In how many five minutes of a day each metric of a resource was read, in the order of ``METRICS``."""
    query = contract.query(statement("extract/readings_of_day"), "utilization")
    rows = await connection.fetch(query, *day_bounds(day))
    return {row["resource_id"]: tuple(row[metric.name] for metric in METRICS) for row in rows}
