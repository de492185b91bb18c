"""DuckDB over the lake's Parquet files: each step has an in-memory database to itself, so that none waits for another's lock."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dagster_project.errors import LakeError
from dagster_project.lake.partitions import PART, Lake
from dagster_project.lake.tables import Table
from dagster_project.statements import Statement, statements_in


class Engine:
    """One in-memory DuckDB with views over partitions. Use ``open_engine``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake, scratch: Path) -> None:
        self._connection = connection
        self._lake = lake
        self._scratch = scratch
        self._shared: set[str] = set()

    def view(self, table: Table, days: Iterable[date]) -> int:
        """Makes ``table`` readable under its name with a column ``day``, over those of ``days`` that exist.

        Returns the number of files. With no file at all the view is empty, with the table's columns.
        """
        files = self._lake.files(table, days)
        nulls = ", ".join(f"null::{kind} as {quoted(column)}" for column, kind in table.columns.items())
        query = f"select {nulls}, null::DATE as day where false"
        if files:
            # By name: a partition of an earlier version may lack a column, which is null in it.
            scan = f"{_scan(files)[:-1]}, hive_partitioning = true, hive_types = {{'day': DATE}}, union_by_name = true)"
            query = f"{query} union all by name select * from {scan}"
        self._connection.execute(f"create or replace temp view {quoted(table.name)} as {query}")
        return len(files)

    def view_file(self, name: str, *files: Path) -> None:
        """Makes Parquet files outside of the partitions readable as ``name``."""
        self._connection.execute(f"create or replace temp view {quoted(name)} as select * from {_scan([*files])}")

    def view_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Makes rows that are no partition readable as ``name``."""
        file = self._scratch / f"{name}.parquet"
        frame.write_parquet(file)
        self.view_file(name, file)

    def hold(self, table: Table, column: str, values: Iterable[str]) -> None:
        """Keeps those rows of a view in memory whose ``column`` is one of ``values``, under the view's name: for many small
        questions about a few things. Other rows are no longer readable."""
        name = quoted(table.name)
        self._connection.execute(
            f"create or replace temp table held as select * from {name} where list_contains($values, {quoted(column)})",
            {"values": sorted(values)},
        )
        self._connection.execute(f"drop view {name}")
        self._connection.execute(f"alter table held rename to {name}")

    def rows(self, query: Statement, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a statement as dictionaries. For results that a person could read, not for samples."""
        self._share(query)
        with _explained(query):
            cursor = self._connection.execute(query.text, dict(parameters or {}))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def write(
        self, table: Table, day: date, query: Statement, parameters: Mapping[str, Any] | None = None, part: str = PART
    ) -> int:
        """Replaces a partition with the rows of a statement, sorted by the table's grain; returns the row count.

        Raises ``LakeError`` where the columns are not those of the table's contract.
        """
        with self._lake.replacing(table, day, part) as draft:
            return self.write_file(draft, table.columns, table.grain, query, parameters)

    def write_file(
        self,
        target: Path,
        columns: Mapping[str, str],
        grain: tuple[str, ...],
        query: Statement,
        parameters: Mapping[str, Any] | None = None,
    ) -> int:
        """Writes a statement's rows to a Parquet file with exactly these columns, sorted; returns the row count."""
        values = dict(parameters or {})
        self._share(query)
        with _explained(query):
            found = self._connection.execute(f"describe {query.text}", values).fetchall()
            actual = {name: kind for name, kind, *_ in found}
            if actual != dict(columns):
                wrong = sorted(set(actual.items()) ^ set(columns.items()))
                raise LakeError(f"sql/{query.name}.sql does not return the table's columns; they differ in {wrong}.")
            order = ", ".join(quoted(column) for column in grain)
            copied = self._connection.execute(
                f"copy (select * from ({query.text}) order by {order}) to {_literal(str(target))} "
                "(format parquet, compression zstd, row_group_size 122880)",
                values,
            ).fetchall()
            return int(copied[0][0])

    def _share(self, query: Statement) -> None:
        """Makes those relations readable that a statement shares with others: the statements of ``sql/views``."""
        for view in statements_in("views"):
            name = view.name.removeprefix("views/")
            if name in query.reads and name not in self._shared:
                self._share(view)
                with _explained(view):
                    self._connection.execute(f"create or replace temp view {quoted(name)} as {view.text}")
                self._shared.add(name)


@contextmanager
def open_engine(lake: Lake, *, memory_limit: str = "1GB") -> Iterator[Engine]:
    """An engine that spills into the lake's scratch folder beyond ``memory_limit`` and never touches the network."""
    with lake.scratch() as scratch, _database(scratch / "spill", memory_limit) as connection:
        yield Engine(connection, lake, scratch)


_idle: dict[int, list[duckdb.DuckDBPyConnection]] = {}
"""Databases that wait for the next engine: to make one takes longer than most statements. By process, as none outlives a fork."""


@contextmanager
def _database(spill: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that is nobody else's meanwhile; what is made in it is temporary and ends with its connection."""
    idle = _idle.setdefault(os.getpid(), [])
    try:
        database = idle.pop()
    except IndexError:
        database = _new_database()
    is_reusable = False
    try:
        with database.cursor() as connection:
            connection.execute(f"set memory_limit = {_literal(memory_limit)}")
            connection.execute(f"set temp_directory = {_literal(str(spill))}")
            connection.execute("set TimeZone = 'UTC'")
            yield connection
        is_reusable = not spill.exists()  # one that has spilled keeps to its folder
    finally:
        if is_reusable:
            idle.append(database)
        else:
            database.close()


@atexit.register
def _close_idle() -> None:
    for database in _idle.pop(os.getpid(), []):
        database.close()


def _new_database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_file_cache": "false",  # partitions are replaced while it waits
            "threads": str(max(2, min(8, os.cpu_count() or 2))),
        }
    )


def publish_views(lake: Lake, tables: Iterable[Table]) -> Path:
    """Writes ``nightshift.duckdb``: nothing but views over the partitions, for people who want to open one file.

    The file is built beside the old one and renamed over it, so a reader keeps a whole database. The views name the
    folder, not the files: a new night needs no new views.
    """
    target = lake.root / "nightshift.duckdb"
    with lake.scratch() as scratch:
        draft = scratch / target.name
        with duckdb.connect(str(draft)) as connection:
            for table in tables:
                if lake.days(table):
                    pattern = _literal(_unglobbed(str(lake.root / table.name)) + "/day=*/*.parquet")
                    connection.execute(
                        f"create view {quoted(table.name)} as select * from read_parquet({pattern}, "
                        "hive_partitioning = true, hive_types = {'day': DATE}, union_by_name = true)"
                    )
        os.replace(draft, target)  # noqa: PTH105 - the one call whose atomicity matters is named as such
    return target


def quoted(identifier: str) -> str:
    """An identifier as SQL writes it; the one place where names enter a statement."""
    return '"' + identifier.replace('"', '""') + '"'


def _scan(files: list[Path]) -> str:
    return f"read_parquet([{', '.join(_literal(_unglobbed(str(file))) for file in files)}])"


def _unglobbed(path: str) -> str:
    """A path in which DuckDB sees no pattern: a home may be called ``trial [1]``."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _explained(query: Statement) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise LakeError(f"sql/{query.name}.sql failed: {first_line}") from error
