"""DuckDB over partitions: the contract of what is written, views that are empty or published, limits of a run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.errors import LakeError
from dagster_project.lake.engine import open_engine, publish_views, quoted
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import EMERGENCY_SCALEUPS, REJECTED_ROWS, RESOURCE_INVENTORY, Table
from dagster_project.statements import Statement

DAY = date(2025, 3, 9)
EARLIER = date(2025, 3, 8)
THING = Table("thing", ("name",), {"name": "VARCHAR", "size": "INTEGER"}, "A thing.")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "warehouse")


def query(text: str, *params: str) -> Statement:
    return Statement("marts/thing", "A thing.", ("name",), (), params, text)


def put(lake: Lake, day: date, **sizes: int) -> None:
    write_frame(lake, THING, day, pl.DataFrame({"name": list(sizes), "size": list(sizes.values())}))


def test_a_written_partition_is_sorted_by_its_grain_and_counted(lake: Lake) -> None:
    with open_engine(lake) as engine:
        rows = engine.write(THING, DAY, query("select * from (values ('b', 1), ('a', 2), ('é', 3), ('Z', 4)) as t(name, size)"))
    assert rows == 4
    assert pl.read_parquet(lake.path(THING, DAY)).rows() == [("Z", 4), ("a", 2), ("b", 1), ("é", 3)]


def test_a_parameter_is_a_value_and_never_text(lake: Lake) -> None:
    with open_engine(lake) as engine:
        engine.write(THING, DAY, query("select $name as name, 1 as size", "name"), {"name": "'; drop table x --"})
    assert pl.read_parquet(lake.path(THING, DAY)).rows() == [("'; drop table x --", 1)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("select 'a' as name", r"\('size', 'INTEGER'\)"),
        ("select 'a' as name, 1 as size, 2 as more", r"\('more', 'INTEGER'\)"),
        ("select 'a' as name, 1::bigint as size", r"\('size', 'BIGINT'\), \('size', 'INTEGER'\)"),
    ],
)
def test_other_columns_than_the_contract_s_are_named_and_not_written(lake: Lake, text: str, named: str) -> None:
    put(lake, DAY, old=1)
    with open_engine(lake) as engine, pytest.raises(LakeError, match=rf"sql/marts/thing\.sql .* differ in \[{named}\]"):
        engine.write(THING, DAY, query(text))
    assert pl.read_parquet(lake.path(THING, DAY)).rows() == [("old", 1)]


def test_a_statement_that_fails_names_its_file_in_one_line(lake: Lake) -> None:
    with open_engine(lake) as engine:
        with pytest.raises(LakeError, match=r"^sql/marts/thing\.sql failed: Catalog Error: .*nothing.*$") as caught:
            engine.rows(query("select * from nothing"))
        assert "\n" not in str(caught.value)
        with pytest.raises(LakeError, match="Conversion Error"):
            engine.write(THING, DAY, query("select 'a' as name, 'b'::integer as size"))
    assert not lake.has(THING, DAY)


def test_a_view_over_no_partition_is_empty_with_the_table_s_columns_and_day(lake: Lake) -> None:
    with open_engine(lake) as engine:
        assert engine.view(EMERGENCY_SCALEUPS, [DAY, EARLIER]) == 0
        found = engine.rows(query("select column_name as name, column_type as kind from (describe emergency_scaleups)"))
        assert {row["name"]: row["kind"] for row in found} == {**EMERGENCY_SCALEUPS.columns, "day": "DATE"}
        assert engine.rows(query("select * from emergency_scaleups")) == []


def test_a_view_holds_the_days_that_were_asked_for_and_says_which(lake: Lake) -> None:
    for number, day in enumerate((date(2025, 3, 7), EARLIER, DAY)):
        put(lake, day, a=number)
    with open_engine(lake) as engine:
        assert engine.view(THING, [EARLIER, DAY, date(2025, 3, 10)]) == 2
        assert engine.rows(query("select day, size from thing order by day")) == [
            {"day": EARLIER, "size": 1},
            {"day": DAY, "size": 2},
        ]


def test_a_view_holds_the_parts_of_all_sources(lake: Lake) -> None:
    for source in ("utilization", "resources"):
        row = pl.DataFrame(
            {name: [source if name == "source" else None] for name in REJECTED_ROWS.columns},
            schema=schema(REJECTED_ROWS),
        )
        write_frame(lake, REJECTED_ROWS, DAY, row, part=source)
    with open_engine(lake) as engine:
        assert engine.view(REJECTED_ROWS, [DAY]) == 2
        assert [row["source"] for row in engine.rows(query("select source from rejected_rows order by source"))] == [
            "resources",
            "utilization",
        ]


@pytest.mark.parametrize("name", ["o'brien", "white space", "data[1]", "ünï"])
def test_the_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    lake = Lake(tmp_path / name)
    put(lake, DAY, a=1)
    with open_engine(lake) as engine:
        engine.view(THING, [DAY])
        engine.view_file("other", lake.path(THING, DAY))
        assert engine.rows(query("select thing.day, size from thing join other using (name, size)")) == [{"day": DAY, "size": 1}]


def test_a_run_spills_into_scratch_beyond_its_memory_and_never_loads_extensions(lake: Lake) -> None:
    names = ("memory_limit", "temp_directory", "TimeZone", "autoinstall_known_extensions", "autoload_known_extensions")
    with open_engine(lake, memory_limit="200MB") as engine:
        (found,) = engine.rows(query("select " + ", ".join(f"current_setting('{name}') as {name}" for name in names)))
        spill = Path(found["temp_directory"])
        assert spill.is_relative_to(lake.root / ".scratch")
        assert found["memory_limit"] == "190.7 MiB"
        assert found["TimeZone"] == "UTC"
        assert (found["autoinstall_known_extensions"], found["autoload_known_extensions"]) == (False, False)
    assert not spill.parent.exists()


def test_a_statement_beyond_the_memory_limit_is_finished_on_disk(lake: Lake) -> None:
    with open_engine(lake, memory_limit="64MB") as engine:
        rows = engine.write(THING, DAY, query("select md5(i::varchar) as name, i::integer as size from range(600000) as t(i)"))
    found = pl.scan_parquet(lake.path(THING, DAY))
    assert rows == 600_000
    assert found.select(pl.col("name").is_sorted()).collect().item()


def test_an_engine_sees_nothing_of_those_before_it_and_beside_it(lake: Lake) -> None:
    put(lake, DAY, old=1)
    with open_engine(lake) as first:
        first.view(THING, [DAY])
        with open_engine(lake) as beside, pytest.raises(LakeError, match="Table with name thing does not exist"):
            beside.rows(query("select * from thing"))
    put(lake, DAY, new=2)
    with open_engine(lake) as engine:
        with pytest.raises(LakeError, match="Table with name thing does not exist"):
            engine.rows(query("select * from thing"))
        engine.view(THING, [DAY])
        assert engine.rows(query("select name, size from thing")) == [{"name": "new", "size": 2}]


def test_an_engine_after_one_that_spilled_spills_into_a_folder_of_its_own(lake: Lake) -> None:
    folders = set()
    sorted_rows = query("select count(*) as n from (select i from range(4000000) t(i) order by hash(i)) where i >= 0")
    for _ in range(2):
        with open_engine(lake, memory_limit="48MB") as engine:
            assert engine.rows(sorted_rows) == [{"n": 4_000_000}]
            (row,) = engine.rows(query("select current_setting('temp_directory') as folder"))
            assert Path(row["folder"]).is_dir()
            folders.add(row["folder"])
    assert len(folders) == 2


def test_published_views_follow_a_day_that_is_replaced_under_a_reader(lake: Lake) -> None:
    put(lake, EARLIER, a=1)
    put(lake, DAY, a=2)
    file = publish_views(lake, [THING, EMERGENCY_SCALEUPS])
    with duckdb.connect(str(file), read_only=True) as reader:
        count = "select day, sum(size) from thing group by day order by day"
        assert reader.execute(count).fetchall() == [(EARLIER, 1), (DAY, 2)]
        with lake.replacing(THING, DAY) as draft:
            draft.write_bytes(b"half a file")
            assert reader.execute(count).fetchall() == [(EARLIER, 1), (DAY, 2)]
            pl.DataFrame({"name": ["a", "b"], "size": [20, 30]}, schema=schema(THING)).write_parquet(draft)
        assert reader.execute(count).fetchall() == [(EARLIER, 1), (DAY, 50)]
        publish_views(lake, [THING])
        assert reader.execute(count).fetchall() == [(EARLIER, 1), (DAY, 50)]


def test_a_table_without_partitions_has_no_view(lake: Lake) -> None:
    put(lake, DAY, a=1)
    with duckdb.connect(str(publish_views(lake, [THING, EMERGENCY_SCALEUPS])), read_only=True) as reader:
        assert reader.execute("select view_name from duckdb_views() where not internal").fetchall() == [("thing",)]


def test_publishing_again_is_the_only_file_that_is_left(lake: Lake) -> None:
    put(lake, DAY, a=1)
    publish_views(lake, [THING])
    publish_views(lake, [THING])
    assert sorted(path.name for path in lake.root.iterdir() if path.is_file()) == ["nightshift.duckdb"]


def test_a_quote_in_a_name_cannot_end_it() -> None:
    assert quoted('a"; drop table x; --') == '"a""; drop table x; --"'


def test_a_relation_that_statements_share_is_there_for_those_that_read_it(lake: Lake) -> None:
    member = pl.DataFrame([{"resource_id": "i-1", "asg_name": "web"}], schema=schema(RESOURCE_INVENTORY))
    write_frame(lake, RESOURCE_INVENTORY, DAY, member)
    reading = Statement(
        "marts/thing", "A thing.", ("name",), ("resource_names",), (), "select name, 1 as size from resource_names"
    )
    with open_engine(lake) as engine:
        engine.view(RESOURCE_INVENTORY, [EARLIER])
        assert engine.rows(reading) == []
        engine.view(RESOURCE_INVENTORY, [DAY])
        assert engine.write(THING, DAY, reading) == 2
    assert pl.read_parquet(lake.path(THING, DAY)).rows() == [("i-1", 1), ("web", 1)]


def test_a_shared_relation_whose_tables_are_not_there_names_its_file(lake: Lake) -> None:
    reading = Statement("marts/thing", "A thing.", ("name",), ("resource_names",), (), "select name from resource_names")
    said = r"^sql/views/resource_names\.sql failed: .*resource_inventory"
    with open_engine(lake) as engine, pytest.raises(LakeError, match=said):
        engine.rows(reading)
