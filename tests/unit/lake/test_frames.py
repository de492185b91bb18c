"""Frames into partitions: the table's order and types, and errors that come through a stream unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import LakeError, SourceUnavailable
from dagster_project.lake.frames import schema, write_frame, write_stream
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import TABLES, Table

DAY = date(2025, 3, 9)
THING = Table("thing", ("name", "size"), {"name": "VARCHAR", "size": "INTEGER"}, "A thing.")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "warehouse")


def frame(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema(THING), orient="row")


def found(lake: Lake) -> list[tuple[str, int]]:
    return pl.read_parquet(lake.path(THING, DAY)).rows()


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_of_the_lake_can_be_written_and_read_with_its_types(table: Table, lake: Lake) -> None:
    empty = pl.DataFrame(schema=schema(table))
    assert write_frame(lake, table, DAY, empty) == 0
    assert pl.read_parquet(lake.path(table, DAY), hive_partitioning=False).schema == empty.schema
    assert set(table.grain) <= set(table.columns)


def test_a_frame_is_sorted_and_brought_into_the_table_s_columns(lake: Lake) -> None:
    rows = pl.DataFrame({"more": [1, 2, 3], "size": [3, 1, 2], "name": ["b", "b", "a"]})
    assert write_frame(lake, THING, DAY, rows) == 3
    assert found(lake) == [("a", 2), ("b", 1), ("b", 3)]


def test_a_frame_without_a_column_of_the_table_is_refused_and_the_old_partition_stays(lake: Lake) -> None:
    write_frame(lake, THING, DAY, frame(("old", 1)))
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="size"):
        write_frame(lake, THING, DAY, pl.DataFrame({"name": ["a"]}))
    assert found(lake) == [("old", 1)]


def test_a_stream_is_written_in_its_order_and_counted(lake: Lake) -> None:
    frames = [frame((f"{number:03}", number), (f"{number:03}", number + 1)) for number in range(50)]
    assert write_stream(lake, THING, DAY, lambda: iter(frames), row_group_rows=7) == 100
    assert found(lake) == [row for part in frames for row in part.rows()]


def test_a_stream_of_nothing_is_an_empty_partition(lake: Lake) -> None:
    assert write_stream(lake, THING, DAY, lambda: iter([])) == 0
    assert found(lake) == []
    assert pl.read_parquet_schema(lake.path(THING, DAY)) == schema(THING)


@pytest.mark.parametrize("good_frames", [0, 1, 40])
def test_an_error_inside_the_stream_reaches_the_caller_as_it_was_raised(lake: Lake, good_frames: int) -> None:
    write_frame(lake, THING, DAY, frame(("old", 1)))
    error = SourceUnavailable("The connection broke off.")

    def frames() -> Iterator[pl.DataFrame]:
        for number in range(good_frames):
            yield frame((f"{number:03}", number))
        raise error

    with pytest.raises(SourceUnavailable) as caught:
        write_stream(lake, THING, DAY, frames)
    assert caught.value is error
    assert found(lake) == [("old", 1)]


def test_an_interruption_inside_the_stream_is_an_interruption(lake: Lake) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield frame(("a", 1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stream(lake, THING, DAY, frames)
    assert not lake.has(THING, DAY)


@pytest.mark.parametrize("wrong", [{"size": pl.Int64()}, {"name": pl.Binary()}], ids=["another width", "another kind"])
def test_a_stream_of_other_types_is_an_error_that_can_be_caught(lake: Lake, wrong: dict[str, pl.DataType]) -> None:
    with pytest.raises((LakeError, pl.exceptions.PolarsError)):
        write_stream(lake, THING, DAY, lambda: (part for part in [frame(("a", 1)).cast(wrong)]))


def test_a_stream_of_other_types_leaves_the_old_partition(lake: Lake) -> None:
    write_frame(lake, THING, DAY, frame(("old", 1)))
    with pytest.raises((LakeError, pl.exceptions.PolarsError, GeneratorExit)):
        write_stream(lake, THING, DAY, lambda: iter([frame(("a", 1)).cast({"size": pl.Int64()})]))
    assert found(lake) == [("old", 1)]
