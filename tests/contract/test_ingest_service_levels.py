"""Service levels out of PostgreSQL: sums by day, what cannot be right, and which days are read."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from dagster_project.bundle import bundled
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import REJECTED_ROWS, SLI_DAILY
from dagster_project.pipeline.ingest_service_levels import ingest_service_levels
from dagster_project.pipeline.ledger import Load, load_of
from dagster_project.pipeline.runtime import Runtime

DAY = date(2025, 3, 9)
Execute = Callable[..., None]
Put = Callable[..., None]


@pytest.fixture
def event(execute: Execute) -> Put:
    """Inserts an SLI event; the table has no key to refuse what has to be tested."""
    execute(
        (bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8")
        + "alter table sli_events drop constraint sli_events_pkey;"
        "alter table sli_events alter service drop not null, alter name drop not null"
    )

    def insert(
        at: str, good: float | None, total: float | None, service: str | None = "pay", name: str | None = "availability"
    ) -> None:
        execute(
            "insert into sli_events values ($1::text, $2::text, $3::text::timestamptz, $4::float8, $5::float8)",
            service, name, at, good, total,
        )  # fmt: skip

    return insert


def sums(runtime: Runtime, day: date = DAY) -> list[tuple[Any, ...]]:
    return pl.read_parquet(runtime.lake.path(SLI_DAILY, day), hive_partitioning=False).rows()


def rejected(runtime: Runtime) -> list[tuple[Any, ...]]:
    found = pl.read_parquet(runtime.lake.path(REJECTED_ROWS, DAY, "sli_events"), hive_partitioning=False)
    return found.select("reason", "resource_id", "column_name", "rejected_rows", "first_at", "example_value").rows()


def test_events_are_added_up_by_day_service_and_objective(runtime: Runtime, event: Put) -> None:
    event("2025-03-08 23:59:59.999999Z", 1, 1)
    event("2025-03-09 00:00Z", 99.5, 100)
    event("2025-03-09 23:55Z", 90, 100)
    event("2025-03-09 12:00Z", 5, 5, name="latency")
    event("2025-03-09 12:00Z", 0, 0, service="tax")
    event("2025-03-10 00:00Z", 1, 1)
    done = dict(ingest_service_levels(runtime, [DAY]))
    assert sums(runtime) == [
        ("pay", "availability", 189.5, 200.0),
        ("pay", "latency", 5.0, 5.0),
        ("tax", "availability", 0.0, 0.0),
    ]
    assert done[DAY] == Load("sli_events", "complete", 4, 3, 0, datetime(2025, 3, 9, 23, 55))
    assert pl.read_parquet_schema(runtime.lake.path(SLI_DAILY, DAY)) == schema(SLI_DAILY)


def test_sums_do_not_depend_on_the_order_of_the_rows(runtime: Runtime, event: Put, execute: Execute) -> None:
    found = []
    for order in ("n", "-n"):
        execute("truncate sli_events")
        execute(f"""insert into sli_events select 'pay', 'availability', timestamptz '2025-03-09Z' + n * interval '1 second',
            0.1 * (n % 7), 1 + 1e9 * (n % 3) from generate_series(1, 20000) n order by {order}""")
        ingest_service_levels(runtime, [DAY])
        found += sums(runtime)
    assert found[0] == found[1] == ("pay", "availability", 5999.8, 20001000020000.0)


def test_what_cannot_be_right_is_set_aside_and_counted(runtime: Runtime, event: Put) -> None:
    event("2025-03-09 10:00Z", 9, 10)
    event("2025-03-09 10:05Z", -1, 10)
    event("2025-03-09 10:10Z", 11, 10)
    event("2025-03-09 10:15Z", float("nan"), 10)
    event("2025-03-09 10:20Z", 1, float("inf"))
    event("2025-03-09 10:25Z", None, 10)
    event("2025-03-09 10:30Z", 1, None)
    event("2025-03-09 10:35Z", 1, 1, service=None)
    event("2025-03-09 10:40Z", 1, 1, service="")
    event("2025-03-09 10:45Z", 1, 1, name="")
    event("2025-03-09 10:00Z", 8, 10)
    ((_, load),) = [entry for entry in ingest_service_levels(runtime, [DAY]) if entry[0] == DAY]
    assert sums(runtime) == [("pay", "availability", 8.0, 10.0)], "of two records of one moment the worse one stays"
    assert rejected(runtime) == [
        ("duplicate_key", "pay/availability", "service, name, timestamp", 1, datetime(2025, 3, 9, 10), "9 of 10"),
        ("impossible_value", "pay/availability", "good", 4, datetime(2025, 3, 9, 10, 5), "-1 of 10"),
        ("missing_name", "pay/", "name", 1, datetime(2025, 3, 9, 10, 45), "1 of 1"),
        ("missing_service", "/availability", "service", 2, datetime(2025, 3, 9, 10, 35), "1 of 1"),
        ("missing_value", "pay/availability", "good", 2, datetime(2025, 3, 9, 10, 25), ""),
    ]
    assert (load.rows_read, load.rows_written, load.rows_rejected) == (11, 1, 10)


def test_the_first_night_reads_the_longest_window_and_the_next_ones_what_is_new(
    runtime: Runtime, event: Put, execute: Execute
) -> None:
    execute("insert into slos values ('pay', 'availability', 0.99, 30), ('pay', 'latency', 0.99, 7)")
    event("2025-02-07 12:00Z", 1, 1)
    event("2025-02-08 12:00Z", 1, 1)
    done = dict(ingest_service_levels(runtime, [DAY]))
    assert list(done) == [DAY - timedelta(days=back) for back in range(29, -1, -1)]
    assert {day: load.rows_read for day, load in done.items() if load.rows_read} == {date(2025, 2, 8): 1}
    event("2025-02-08 13:00Z", 1, 1)
    event("2025-03-07 12:00Z", 1, 2)
    later = replace(runtime, now=runtime.now + timedelta(days=1))
    tomorrow = DAY + timedelta(days=1)
    assert list(dict(ingest_service_levels(later, [tomorrow]))) == [tomorrow]
    event("2025-03-09 12:00Z", 3, 4)
    assert list(dict(ingest_service_levels(later, [tomorrow]))) == [DAY, tomorrow]
    assert sums(runtime) == [("pay", "availability", 3.0, 4.0)]


def test_what_the_source_has_forgotten_is_kept(runtime: Runtime, event: Put, execute: Execute) -> None:
    event("2025-03-09 12:00Z", 3, 4)
    load = dict(ingest_service_levels(runtime, [DAY]))[DAY]
    execute("delete from sli_events")
    assert dict(ingest_service_levels(runtime, [DAY]))[DAY] == load
    execute("drop table sli_events")
    assert dict(ingest_service_levels(runtime, [DAY]))[DAY] == load
    assert sums(runtime) == [("pay", "availability", 3.0, 4.0)]


def test_a_table_that_is_absent_is_an_empty_partition_until_it_appears(runtime: Runtime, event: Put, execute: Execute) -> None:
    execute("insert into slos values ('pay', 'availability', 0.99, 2)")
    event("2025-03-09 12:00Z", 3, 4)
    execute("alter table sli_events rename to elsewhere")
    assert dict(ingest_service_levels(runtime, [DAY]))[DAY].status == "absent"
    assert sums(runtime) == []
    execute("alter table elsewhere rename to sli_events")
    later = replace(runtime, now=runtime.now + timedelta(days=1))
    ingest_service_levels(later, [DAY + timedelta(days=1)])
    assert sums(runtime) == [("pay", "availability", 3.0, 4.0)]
    assert load_of(runtime.lake, "sli_events", DAY).status == "complete"


def test_a_day_that_is_not_over_is_partial(runtime: Runtime, event: Put) -> None:
    today = DAY + timedelta(days=1)
    assert dict(ingest_service_levels(runtime, [today]))[today].status == "partial"
