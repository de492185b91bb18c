"""Exports as people bring them: what is read of a file, and the sentence for each that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import InputError
from dagster_project.pipeline import exports
from tests.backtest_builders import MACHINE, decision, moment, samples, table

ONE = pl.DataFrame({"resource_id": ["i-1"], "ts": [moment(1)], "cpu_pct": [40.0]})
MEASURED = ("cpu_pct", "vcpu", "mem_gib", "mem_used_pct", "cpu_max_pct", "mem_max_pct", "net_in_bytes", "net_out_bytes")


def put(folder: Path, frame: pl.DataFrame, name: str = "u.parquet") -> Path:
    frame.write_parquet(folder / name)
    return folder / name


def read(folder: Path, *frames: pl.DataFrame, wanted: tuple[str, ...] = ("i-1",)) -> pl.DataFrame:
    for number, frame in enumerate(frames):
        put(folder, frame, f"u{number}.parquet")
    return exports.read_samples(exports.samples(str(folder / "u*.parquet")), list(wanted))


def told(call: Any, *arguments: Any) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments)
    assert error.value.exit_code == 2
    return str(error.value)


OUTSIDE = "has times outside of 1970 to 2999; export it in the unit that it states."


# What is read.


def test_files_may_differ_in_their_optional_columns_and_have_more(tmp_path: Path) -> None:
    first = ONE.with_columns(mem_used_pct=pl.lit(20), vcpu=pl.lit(8, pl.Int16), colour=pl.lit("red"))
    second = ONE.with_columns(ts=pl.lit(moment(2)), source=pl.lit("lab"), cpu_max_pct=pl.lit(50.0), weight=pl.lit(1))
    rows = read(tmp_path, first, second)
    assert rows.height == 2
    assert set(rows.columns) == {*MEASURED, "resource_id", "source", "ts", "disk_read_bytes", "disk_write_bytes", "has_nan"}
    assert rows["mem_used_pct"].to_list() == [20, None]
    assert rows["cpu_max_pct"].to_list() == [None, 50]
    assert rows["vcpu"].to_list() == [8, None]
    assert rows["source"].to_list() == ["", "lab"]
    assert rows["cpu_pct"].dtype == pl.Float32


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata", "America/New_York"])
def test_times_are_utc_whatever_unit_and_zone_they_have(tmp_path: Path, unit: str, zone: str | None) -> None:
    at = pl.Series("ts", [moment(1, 0.25)]).dt.cast_time_unit(unit)
    at = at.dt.replace_time_zone(None) if zone is None else at.dt.convert_time_zone(zone)
    rows = read(tmp_path, ONE.with_columns(at))
    assert rows["ts"].to_list() == [moment(1, 0.25).replace(tzinfo=None)]
    assert rows["ts"].dtype == pl.Datetime("us")


def test_files_of_different_units_and_zones_go_together(tmp_path: Path) -> None:
    other = ONE.with_columns(pl.col("ts").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns").dt.offset_by("1h"))
    naive = ONE.with_columns(pl.col("ts").dt.replace_time_zone(None).dt.cast_time_unit("ms").dt.offset_by("-1h"))
    assert [at.hour for at in read(tmp_path, ONE, other, naive)["ts"]] == [23, 0, 1]


def test_only_wanted_resources_in_order(tmp_path: Path) -> None:
    rows = read(tmp_path, samples("b", 1), samples("a", 1), samples("c", 1), wanted=("a", "c", "z"))
    assert rows["resource_id"].unique(maintain_order=True).to_list() == ["a", "c"]
    assert rows.height == 48
    assert read(tmp_path, wanted=("z",)).height == 0


def test_names_may_be_categories(tmp_path: Path) -> None:
    frame = ONE.with_columns(pl.col("resource_id").cast(pl.Categorical), source=pl.lit("x").cast(pl.Categorical))
    assert read(tmp_path, frame)["resource_id"].to_list() == ["i-1"]


def test_of_samples_of_one_time_the_busiest_comes_first_whatever_their_order(tmp_path: Path) -> None:
    low, high = (ONE.with_columns(cpu_pct=pl.lit(cpu), source=pl.lit(name)) for cpu, name in ((10.0, "a"), (90.0, "b")))
    none = ONE.with_columns(cpu_pct=pl.lit(None, pl.Float64), mem_used_pct=pl.lit(99.0), source=pl.lit("c"))
    orders = [(low, high, none), (none, high, low), (high, none, low)]
    for number, frames in enumerate(orders):
        (tmp_path / str(number)).mkdir()
        rows = read(tmp_path / str(number), *frames)
        assert rows["cpu_pct"].to_list() == [90, 10, None]
        assert rows["source"].to_list() == ["b", "a", "c"]


def test_a_reading_that_is_no_number_is_not_one_that_is_unknown(tmp_path: Path) -> None:
    values = pl.Series([None, float("nan"), 5.0])
    rows = read(tmp_path, samples("i-1", 3, every=86_400, mem_used_pct=None).with_columns(values.alias("mem_used_pct")))
    assert rows["has_nan"].to_list() == [False, True, False]


def test_what_a_file_of_samples_holds(tmp_path: Path) -> None:
    part = exports.samples(str(put(tmp_path, samples("i-1", 2))))[0]
    assert (part.rows, part.resources) == (48, ["i-1"])
    assert (part.first, part.last) == (moment(), moment(1, 23 * 3600))


def test_a_file_without_rows(tmp_path: Path) -> None:
    part = exports.samples(str(put(tmp_path, ONE.clear())))[0]
    assert (part.rows, part.resources) == (0, [])
    assert exports.read_samples([part], ["i-1"]).height == 0


def test_windows_come_once_each_in_order(tmp_path: Path) -> None:
    rows = [("b", moment(7)), ("a", moment(14)), ("a", moment(7)), ("b", moment(7))]
    file = put(tmp_path, table("windows", [{"resource_id": name, "decide_at": at} for name, at in rows]))
    assert exports.windows(file).rows() == [(name, at.replace(tzinfo=None)) for name, at in sorted(set(rows))]


def test_what_tells_whether_a_decision_happened_may_be_absent(tmp_path: Path) -> None:
    full = table("decisions", [decision("d-1", moment(1), dry_run=True, event_id="e"), decision("d-2", moment(2))])
    rows = exports.events(put(tmp_path, full))
    assert rows.select("decision_id", "dry_run", "event_id").rows() == [("d-1", True, "e"), ("d-2", None, None)]
    rows = exports.events(put(tmp_path, full.drop("dry_run", "event_id")))
    assert rows.select("decision_id", "dry_run", "event_id").rows() == [("d-1", None, None), ("d-2", None, None)]


def test_a_column_in_which_nothing_is_known(tmp_path: Path) -> None:
    frame = table("resources", [MACHINE]).with_columns(tags=pl.lit(None), region=pl.lit(None), mem_gib=pl.lit(None))
    row = exports.resources(put(tmp_path, frame)).row(0, named=True)
    assert (row["tags"], row["region"], row["mem_gib"], row["vcpu"]) == (None, None, None, 8.0)


# What cannot be used. Each sentence names the file and the column.


def test_a_pattern_without_files(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/u_*.parquet"
    assert told(exports.samples, pattern) == f"No file matches {pattern}; quote the pattern so that the shell does not expand it."
    assert told(exports.files, pattern).startswith("No file matches")


@pytest.mark.parametrize("read_file", [exports.resources, exports.events, exports.windows])
def test_a_file_that_is_missing_or_no_parquet(tmp_path: Path, read_file: Any) -> None:
    file = tmp_path / "x.parquet"
    assert told(read_file, file) == f"There is no file {file}; check the path."
    file.write_text("resource_id,instance_type\n")
    assert told(read_file, file) == f"{file} cannot be read as Parquet; export it again."
    file.write_bytes(b"")
    assert told(read_file, file) == f"{file} cannot be read as Parquet; export it again."


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    file = put(tmp_path, samples("i-1", 30))
    file.write_bytes(file.read_bytes()[:-20])
    assert told(exports.samples, str(file)) == f"{file} cannot be read as Parquet; export it again."


@pytest.mark.parametrize("column", ["resource_id", "ts", "cpu_pct"])
def test_samples_without_a_column(tmp_path: Path, column: str) -> None:
    file = put(tmp_path, ONE.drop(column))
    assert told(exports.samples, str(file)) == f"{file} has no column {column}; it needs resource_id, ts, cpu_pct."


@pytest.mark.parametrize(
    ("read_file", "frame"),
    [
        (exports.resources, table("resources", [MACHINE])),
        (exports.events, table("decisions", [decision("d", moment(1))]).drop("dry_run", "event_id")),
        (exports.windows, table("windows", [{"resource_id": "i-1", "decide_at": moment(1)}])),
    ],
)
def test_tables_without_a_column_or_of_another_type(tmp_path: Path, read_file: Any, frame: pl.DataFrame) -> None:
    for column, dtype in frame.schema.items():
        file = put(tmp_path, frame.drop(column))
        assert told(read_file, file).startswith(f"{file} has no column {column}; it needs ")
        other = pl.lit(3) if dtype == pl.String or isinstance(dtype, pl.Datetime) else pl.lit("many")
        sentence = told(read_file, put(tmp_path, frame.with_columns(other.alias(column))))
        assert sentence.startswith(f"Column {column} of {file} is ")
        assert "; export it as " in sentence


@pytest.mark.parametrize(
    ("column", "value", "ending"),
    [
        ("ts", pl.lit("2025-01-06"), "is String; export it as a timestamp."),
        ("ts", pl.lit(1736121600), "is Int32; export it as a timestamp."),
        ("ts", pl.lit(datetime(2025, 1, 6, tzinfo=UTC)).dt.date(), "is Date; export it as a timestamp."),
        ("cpu_pct", pl.lit("40 %"), "is String; export it as a number."),
        ("mem_max_pct", pl.lit(True), "is Boolean; export it as a number."),
        ("vcpu", pl.lit("8"), "is String; export it as a number."),
        ("resource_id", pl.lit(17), "is Int32; export it as text."),
        ("resource_id", pl.lit(None, pl.String), "is empty in 1 rows; fill it in, or leave those rows out."),
        ("ts", pl.lit(None, pl.Datetime("us")), "is empty in 1 rows; fill it in, or leave those rows out."),
        ("ts", pl.lit(moment() + timedelta(days=365_000)), OUTSIDE),
        ("ts", pl.lit(datetime(1969, 1, 1, tzinfo=UTC)), OUTSIDE),
    ],
)
def test_samples_with_a_column_that_cannot_be_used(tmp_path: Path, column: str, value: pl.Expr, ending: str) -> None:
    file = put(tmp_path, ONE.with_columns(value.alias(column)))
    assert told(exports.samples, str(file)) == f"Column {column} of {file} {ending}"


@pytest.mark.parametrize("tags", ["no json", "[1]", '"text"', "3", '{"a": NaN}', "{", "[" * 100_000])
def test_tags_that_are_no_json_object(tmp_path: Path, tags: str) -> None:
    file = put(tmp_path, table("resources", [{**MACHINE, "tags": tags}]))
    assert told(exports.resources, file) == (
        f'Column tags of {file} has texts that are no JSON objects; export them like {{"team": "core"}}.'
    )


def test_a_version_that_is_no_whole_number(tmp_path: Path) -> None:
    for version in (1.5, float("nan"), 1e12):
        rows = table("decisions", [decision("d", moment(1))]).with_columns(policy_version=pl.lit(version))
        assert "policy_version" in told(exports.events, put(tmp_path, rows))


@pytest.mark.parametrize(("column", "value"), [("dry_run", "no"), ("event_id", 7)])
def test_an_optional_column_of_another_type(tmp_path: Path, column: str, value: object) -> None:
    file = put(tmp_path, table("decisions", [decision("d", moment(1))]).with_columns(pl.lit(value).alias(column)))
    assert told(exports.events, file).startswith(f"Column {column} of {file} is ")


def test_windows_without_rows(tmp_path: Path) -> None:
    file = put(tmp_path, table("windows", []))
    assert told(exports.windows, file) == f"{file} has no windows; leave --windows out for weekly ones."


@pytest.mark.parametrize(("name", "at"), [(None, moment(1)), ("i-1", None)])
def test_windows_of_nothing_or_at_no_time(tmp_path: Path, name: str | None, at: datetime | None) -> None:
    file = put(tmp_path, table("windows", [{"resource_id": name, "decide_at": at}]))
    column = "resource_id" if name is None else "decide_at"
    assert told(exports.windows, file) == f"Column {column} of {file} is empty in 1 rows; fill it in, or leave those rows out."


def test_a_window_within_a_second_would_come_back_as_another_one(tmp_path: Path) -> None:
    file = put(tmp_path, table("windows", [{"resource_id": "i-1", "decide_at": moment(7, 0.5)}]))
    assert told(exports.windows, file) == f"Column decide_at of {file} has fractions of a second; export it in whole seconds."
