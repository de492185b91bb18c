"""A day of samples out of PostgreSQL: what is written, what is set aside, and what is still to be read."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project.bundle import bundled
from dagster_project.domain.metrics import METRICS
from dagster_project.errors import AccessDenied, ContractError, EmptySource
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import REJECTED_ROWS, UTILIZATION_SAMPLES
from dagster_project.pipeline import ledger
from dagster_project.pipeline.ingest_samples import SOURCE, ingest_samples
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings, SourceSettings

DAY = date(2025, 3, 9)
TODAY = date(2025, 3, 10)

Insert = Callable[..., None]
Execute = Callable[..., None]


@pytest.fixture
def insert(execute: Execute) -> Insert:
    """Creates the contract's tables, without the keys that would refuse what is tested, and fills ``utilization``.

    A row is (resource, time, columns); values may be texts such as ``"NaN"``.
    """
    execute(
        (bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8")
        + "alter table utilization drop constraint utilization_pkey;"
        "alter table utilization alter resource_id drop not null, alter cpu_avg drop not null"
    )

    def put(*rows: tuple[str | None, str, dict[str, object]]) -> None:
        objects = [{"resource_id": name, "timestamp": f"{at}+00", **columns} for name, at, columns in rows]
        execute("insert into utilization select * from jsonb_populate_recordset(null::utilization, $1)", json.dumps(objects))

    return put


@pytest.fixture
def listed(execute: Execute, insert: Insert) -> Insert:
    """As ``insert``, with i-1 and i-3 in the table ``resources``."""
    execute("insert into resources (resource_id, type, current_config) select unnest(array['i-3', 'i-1']), 'ec2_instance', '{}'")
    return insert


def at(runtime: Runtime, moment: datetime) -> Runtime:
    """The same home at another present moment."""
    return Runtime(runtime.settings, now=moment)


def samples(runtime: Runtime, day: date = DAY) -> pl.DataFrame:
    return pl.read_parquet(runtime.lake.path(UTILIZATION_SAMPLES, day), hive_partitioning=False)


def rejected(runtime: Runtime, day: date = DAY) -> list[tuple[object, ...]]:
    """(reason, resource, column, rows, first time, example), sorted."""
    frame = pl.read_parquet(runtime.lake.path(REJECTED_ROWS, day, SOURCE), hive_partitioning=False)
    assert set(frame["source"]) <= {SOURCE}
    return sorted(frame.select("reason", "resource_id", "column_name", "rejected_rows", "first_at", "example_value").rows())


def one(runtime: Runtime, day: date = DAY) -> Load:
    """Loads one day and returns its line."""
    return dict(ingest_samples(runtime, [day]))[day]


def test_rows_become_a_partition_with_exactly_their_content(runtime: Runtime, listed: Insert) -> None:
    everything = {metric.contract_column: number + 1.5 for number, metric in enumerate(METRICS) if metric.name != "in_service"}
    listed(
        ("i-3", "2025-03-09 23:59:59.999999", {"cpu_avg": 0}),
        ("i-1", "2025-03-09 00:05", {"cpu_avg": 20.25, "net_in_bytes": 1e12}),
        ("i-1", "2025-03-09 00:00", {**everything, "in_service": 3}),
        ("i-1", "2025-03-08 23:59:59.999999", {"cpu_avg": 99}),
        ("i-1", "2025-03-10 00:00", {"cpu_avg": 99}),
    )
    load = one(runtime)
    found = samples(runtime)
    assert found.schema == schema(UTILIZATION_SAMPLES)
    assert found.select("resource_id", "sampled_at").rows() == [
        ("i-1", datetime(2025, 3, 9, 0, 0)),
        ("i-1", datetime(2025, 3, 9, 0, 5)),
        ("i-3", datetime(2025, 3, 9, 23, 59, 59, 999999)),
    ]
    assert found.row(0)[2:] == (*(number + 1.5 for number in range(len(METRICS) - 1)), 3.0)
    assert found.row(1)[2:] == (20.25, *[None] * 3, 999999995904.0, *[None] * 7)
    assert found.row(2)[2:] == (0.0, *[None] * (len(METRICS) - 1))
    assert load == Load(SOURCE, "complete", 3, 3, 0, datetime(2025, 3, 9, 23, 59, 59, 999999))
    assert ledger.load_of(runtime.lake, SOURCE, DAY) == load
    assert rejected(runtime) == []


def test_a_null_is_unknown_and_everything_that_cannot_be_right_is_set_aside_with_its_reason(
    runtime: Runtime, listed: Insert
) -> None:
    listed(
        ("i-1", "2025-03-09 01:00", {"mem_avg": 10}),
        ("i-1", "2025-03-09 02:00", {"cpu_avg": "NaN"}),
        ("i-1", "2025-03-09 02:05", {"cpu_avg": "NaN"}),
        ("i-3", "2025-03-09 03:00", {"cpu_avg": 1, "disk_read_ops": -0.25}),
        ("i-3", "2025-03-09 04:00", {"cpu_avg": 1000.5}),
        ("i-3", "2025-03-09 05:00", {"net_out_bytes": 1e15}),
        ("i-1", "2025-03-09 06:00", {"cpu_avg": 30}),
        ("i-1", "2025-03-09 06:00", {"cpu_avg": 70}),
        ("i-1", "2025-03-09 06:00", {"cpu_avg": 50}),
        (None, "2025-03-09 07:05", {"cpu_avg": 50}),
        ("", "2025-03-09 07:00", {"cpu_avg": 50}),
        ("i-3", "2025-03-10 02:00:00.000001", {"cpu_avg": 50}),
        ("i-3", "2025-03-10 02:00", {"cpu_avg": 50}),
    )
    load = one(runtime)
    assert rejected(runtime) == [
        ("duplicate_key", "i-1", "", 2, datetime(2025, 3, 9, 6), ""),
        ("impossible_value", "i-3", "cpu_avg_pct", 1, datetime(2025, 3, 9, 4), "1000.5"),
        ("impossible_value", "i-3", "net_out_bytes", 1, datetime(2025, 3, 9, 5), "1e+15"),
        ("missing_resource_id", "", "", 2, datetime(2025, 3, 9, 7), ""),
        ("nan", "i-1", "cpu_avg_pct", 2, datetime(2025, 3, 9, 2), "nan"),
        ("negative", "i-3", "disk_read_ops", 1, datetime(2025, 3, 9, 3), "-0.25"),
    ]
    assert samples(runtime).select("resource_id", "sampled_at", "cpu_avg_pct", "mem_avg_pct").rows() == [
        ("i-1", datetime(2025, 3, 9, 1), None, 10.0),
        ("i-1", datetime(2025, 3, 9, 6), 70.0, None),
    ]
    assert (load.rows_read, load.rows_written, load.rows_rejected) == (11, 2, 9)


def test_an_infinite_reading_is_impossible_and_not_unknown(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 20, "mem_avg": "Infinity"}))
    assert one(runtime).rows_written == 0
    assert rejected(runtime) == [("impossible_value", "i-1", "mem_avg_pct", 1, datetime(2025, 3, 9, 1), "inf")]


def test_the_bound_of_what_is_possible_is_a_setting(settings: Settings, runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 150}), ("i-1", "2025-03-09 01:05", {"cpu_avg": 100}))
    strict = settings.model_copy(update={"source": SourceSettings(max_utilization_pct=100)})
    assert one(Runtime(strict, now=runtime.now)).rows_rejected == 1
    assert one(runtime).rows_rejected == 0


def test_resources_that_are_in_no_list_are_kept_and_sorted_among_the_listed(runtime: Runtime, listed: Insert) -> None:
    names = ["i-2", "zz", "i-3", "A", "i-1", "ünlisted", "i-10", "i-2"]
    listed(*((name, f"2025-03-09 01:{minute:02}", {"cpu_avg": minute}) for minute, name in enumerate(names)))
    load = one(runtime)
    assert (
        samples(runtime)["resource_id"].to_list() == sorted(names) == ["A", "i-1", "i-10", "i-2", "i-2", "i-3", "zz", "ünlisted"]
    )
    assert (load.rows_read, load.rows_written) == (8, 8)


def test_without_any_listed_resource_everything_is_kept(runtime: Runtime, insert: Insert) -> None:
    insert(("b", "2025-03-09 01:00", {"cpu_avg": 2}), ("a", "2025-03-09 02:00", {"cpu_avg": 1}))
    assert one(runtime).rows_written == 2
    assert samples(runtime).select("resource_id", "cpu_avg_pct").rows() == [("a", 1.0), ("b", 2.0)]


def test_columns_that_the_database_lacks_are_unknown_and_noted(runtime: Runtime, execute: Execute) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table decision_audit (decision_time timestamptz, target text)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg real, mem_max numeric)")
    execute("insert into utilization values ('i-1', '2025-03-09 01:00+00', 20, 30)")
    load = one(runtime)
    assert load.missing_columns.split(", ") == [
        "cpu_max",
        "mem_avg",
        "net_in_bytes",
        "net_out_bytes",
        "disk_read_bytes",
        "disk_write_bytes",
        "disk_read_ops",
        "disk_write_ops",
        "cpu_credit_balance",
        "in_service",
    ]
    assert samples(runtime).row(0)[2:6] == (20.0, None, None, 30.0)


def test_a_day_that_is_run_again_gives_the_same_bytes(runtime: Runtime, listed: Insert, execute: Execute) -> None:
    rows = [(f"i-{n % 7}", f"2025-03-09 {n % 24:02}:00", {"cpu_avg": n % 11}) for n in range(200)]
    listed(*rows)
    one(runtime)
    before = runtime.lake.path(UTILIZATION_SAMPLES, DAY).read_bytes()
    execute("truncate utilization")
    listed(*reversed(rows))
    one(runtime)
    assert runtime.lake.path(UTILIZATION_SAMPLES, DAY).read_bytes() == before


def test_a_day_without_samples_is_an_error_that_names_the_days_that_have_some(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-01 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-08 01:00", {"cpu_avg": 1}))
    with pytest.raises(EmptySource) as caught:
        one(runtime)
    assert str(caught.value) == (
        "The table utilization has no samples on 2025-03-09; it holds 2025-03-01 to 2025-03-08: "
        "choose a day in between, or find out why that day is missing."
    )
    assert caught.value.exit_code == 1


def test_an_empty_table_is_an_error(runtime: Runtime, insert: Insert) -> None:
    with pytest.raises(EmptySource, match="The table utilization holds no samples at all"):
        one(runtime)
    assert ledger.load_of(runtime.lake, SOURCE, DAY) == Load(
        SOURCE, "failed", error="The table utilization holds no samples at all; load some, or correct NIGHTSHIFT_DSN."
    )


def test_a_day_that_vanished_from_the_database_keeps_its_partition(runtime: Runtime, listed: Insert, execute: Execute) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-10 01:00", {"cpu_avg": 1}))
    load = one(runtime)
    execute("delete from utilization where timestamp < '2025-03-10 00:00+00'")
    with pytest.raises(EmptySource):
        one(runtime)
    assert samples(runtime).height == 1
    assert ledger.load_of(runtime.lake, SOURCE, DAY) == load


def test_a_day_that_is_not_over_is_partial_and_read_again_the_next_night(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-10 01:00", {"cpu_avg": 1}))
    assert one(runtime, TODAY).status == "partial"
    listed(("i-1", "2025-03-10 12:00", {"cpu_avg": 1}), ("i-1", "2025-03-11 12:00", {"cpu_avg": 1}))
    done = ingest_samples(at(runtime, datetime(2025, 3, 12, 2, tzinfo=UTC)), [date(2025, 3, 11)])
    assert [(day, load.status, load.rows_written) for day, load in done] == [
        (TODAY, "complete", 2),
        (date(2025, 3, 11), "complete", 1),
    ]
    again = ingest_samples(at(runtime, datetime(2025, 3, 12, 2, tzinfo=UTC)), [date(2025, 3, 11)])
    assert [day for day, _ in again] == [date(2025, 3, 11)]


def test_a_day_that_is_not_over_and_has_no_sample_yet_is_read_again(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    with pytest.raises(EmptySource):
        one(runtime, TODAY)
    listed(("i-1", "2025-03-10 12:00", {"cpu_avg": 1}), ("i-1", "2025-03-11 12:00", {"cpu_avg": 1}))
    done = ingest_samples(at(runtime, datetime(2025, 3, 12, 2, tzinfo=UTC)), [date(2025, 3, 11)])
    assert TODAY in dict(done)


def test_the_future_of_a_day_that_is_not_over_is_set_aside(runtime: Runtime, listed: Insert) -> None:
    listed(
        ("i-1", "2025-03-10 01:00", {"cpu_avg": 1}),
        ("i-1", "2025-03-10 03:00", {"cpu_avg": 1}),
        ("i-9", "2025-03-12 03:00", {"cpu_avg": 1}),
    )
    load = one(runtime, TODAY)
    assert rejected(runtime, TODAY) == [
        ("future_timestamp", "i-1", "", 1, datetime(2025, 3, 10, 3), ""),
    ]
    assert (load.rows_read, load.rows_written, load.rows_rejected) == (2, 1, 1)
    assert load.watermark_at == datetime(2025, 3, 10, 1)


def test_what_lies_after_the_day_does_not_change_what_is_said_of_it(runtime: Runtime, listed: Insert) -> None:
    """Rows of later days belong to those days; the same day must say the same whenever it is run."""
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    load = one(runtime)
    listed(("i-1", "2025-03-10 00:00", {"cpu_avg": 1}), ("i-1", "2099-03-11 00:00", {"cpu_avg": 1}))
    assert one(runtime) == load
    assert rejected(runtime) == []


def test_days_that_were_never_read_are_read_first_from_the_first_sample_on(runtime: Runtime, listed: Insert) -> None:
    listed(*(("i-1", f"2025-03-0{day} 01:00", {"cpu_avg": day}) for day in (4, 5, 7, 9)))
    done = ingest_samples(runtime, [DAY])
    assert [(day.day, load.status, load.rows_written) for day, load in done] == [
        (4, "complete", 1),
        (5, "complete", 1),
        (6, "empty", 0),
        (7, "complete", 1),
        (8, "empty", 0),
        (9, "complete", 1),
    ]
    again = [day.day for day, _ in ingest_samples(runtime, [DAY])]
    assert again == [6, 8, 9], "a feed may come late: empty days are asked for again"


def test_no_more_days_are_caught_up_than_the_look_back_needs(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2024-12-01 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    done = [day for day, _ in ingest_samples(runtime, [DAY])]
    assert done == [DAY - timedelta(days=back) for back in range(27, -1, -1)]


def test_a_day_that_failed_is_read_again(runtime: Runtime, listed: Insert, execute: Execute) -> None:
    listed(("i-1", "2025-03-08 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    execute("alter table utilization rename cpu_avg to cpu")
    with pytest.raises(ContractError):
        one(runtime, date(2025, 3, 8))
    execute("alter table utilization rename cpu to cpu_avg")
    assert [day.day for day, _ in ingest_samples(runtime, [DAY])] == [8, 9]


def test_a_load_that_fails_leaves_the_old_partition_and_its_line(runtime: Runtime, listed: Insert, execute: Execute) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-09 01:00", {"cpu_avg": -1}))
    load = one(runtime)
    bytes_before = runtime.lake.path(UTILIZATION_SAMPLES, DAY).read_bytes()
    rejected_before = rejected(runtime)
    execute("alter table utilization drop column cpu_avg")
    with pytest.raises(ContractError, match=r"Column cpu_avg is missing in public\.utilization"):
        one(runtime)
    assert runtime.lake.path(UTILIZATION_SAMPLES, DAY).read_bytes() == bytes_before
    assert ledger.load_of(runtime.lake, SOURCE, DAY) == load
    assert rejected(runtime) == rejected_before


def test_a_first_load_that_fails_is_in_the_ledger_with_its_sentence(runtime: Runtime, execute: Execute) -> None:
    with pytest.raises(ContractError) as caught:
        one(runtime)
    assert ledger.load_of(runtime.lake, SOURCE, DAY) == Load(SOURCE, "failed", error=str(caught.value))
    assert not runtime.lake.has(UTILIZATION_SAMPLES, DAY)


def test_where_the_warehouse_is_the_problem_the_first_error_is_told(settings: Settings, listed: Insert, tmp_path: Path) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    (tmp_path / "a-file").write_bytes(b"")
    blocked = settings.model_copy(update={"home": tmp_path / "a-file" / "home"})
    with pytest.raises(AccessDenied, match=r"Cannot write to .*a-file/home/warehouse"):
        one(Runtime(blocked, now=datetime(2025, 3, 10, 2, tzinfo=UTC)))


def test_nothing_but_partitions_is_left_in_the_warehouse(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 1}), ("i-2", "2025-03-09 01:00", {"cpu_avg": 1}))
    one(runtime)
    files = [file.relative_to(runtime.lake.root).as_posix() for file in runtime.lake.root.rglob("*") if file.is_file()]
    assert sorted(files) == [
        "load_ledger/day=2025-03-09/utilization.parquet",
        "rejected_rows/day=2025-03-09/utilization.parquet",
        "utilization_samples/day=2025-03-09/part-0.parquet",
    ]


def test_rows_that_come_late_are_read_by_the_next_night(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-08 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    ingest_samples(runtime, [date(2025, 3, 8)])
    listed(("i-1", "2025-03-08 02:00", {"cpu_avg": 99}))
    done = dict(ingest_samples(runtime, [DAY]))
    assert {day.day: load.rows_written for day, load in done.items()} == {8: 2, 9: 1}


def test_a_day_that_the_source_has_partly_forgotten_keeps_what_was_read(
    runtime: Runtime, listed: Insert, execute: Execute
) -> None:
    listed(("i-1", "2025-03-09 01:00", {"cpu_avg": 90}), ("i-1", "2025-03-09 02:00", {"cpu_avg": 1}))
    load = one(runtime)
    execute("delete from utilization where cpu_avg = 90")
    assert one(runtime) == load
    assert samples(runtime)["cpu_avg_pct"].to_list() == [90.0, 1.0]


def test_a_range_goes_on_over_a_day_without_samples(runtime: Runtime, listed: Insert) -> None:
    listed(("i-1", "2025-03-07 01:00", {"cpu_avg": 1}), ("i-1", "2025-03-09 01:00", {"cpu_avg": 1}))
    done = ingest_samples(runtime, [date(2025, 3, 7), date(2025, 3, 8), DAY])
    assert [load.status for _, load in done] == ["complete", "empty", "complete"]
