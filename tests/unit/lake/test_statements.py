"""A statement's header is a promise, and it is checked against the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project import statements
from dagster_project.errors import LakeError
from dagster_project.lake.tables import TABLES
from dagster_project.statements import Statement, statement, statements_in

HEADER = "-- purpose: Something.\n-- grain: a, b\n-- reads: one, two\n-- params: day_end, top\n"
FOLDERS = ("extract", "marts", "reports", "views")
NOT_PARTITIONS = {"marts/window_starts", "marts/utilization_daily", "marts/demand_gaps"}
"""Marts that feed a table and are not the table itself."""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Statement]:
    """Puts a text into ``sql/marts/thing.sql`` of an installation of the test's own, and loads it."""
    monkeypatch.setattr(statements, "bundled", lambda name: tmp_path / name)

    def load(text: str) -> Statement:
        file = tmp_path / "sql" / "marts" / "thing.sql"
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
        return statement.__wrapped__("marts/thing")

    return load


def test_the_header_becomes_the_statement_and_leaves_its_text(write: Callable[[str], Statement]) -> None:
    found = write(HEADER + "select $day_end::date as a -- inside\nlimit $top;\n")
    assert found == Statement(
        "marts/thing",
        "Something.",
        ("a", "b"),
        ("one", "two"),
        ("day_end", "top"),
        "select $day_end::date as a -- inside\nlimit $top",
    )


def test_a_dash_stands_for_nothing(write: Callable[[str], Statement]) -> None:
    found = write("-- purpose: Something.\n-- grain: -\n-- reads: -\n-- params: -\nselect 1")
    assert (found.grain, found.reads, found.params) == ((), (), ())


@pytest.mark.parametrize("line", ["purpose", "grain", "reads", "params"])
def test_each_header_line_is_needed(write: Callable[[str], Statement], line: str) -> None:
    text = "".join(part for part in HEADER.splitlines(keepends=True) if not part.startswith(f"-- {line}"))
    with pytest.raises(LakeError, match=r"sql/marts/thing\.sql needs the header lines purpose, grain, reads and params"):
        write(text + "select $day_end, $top")


def test_a_parameter_that_the_header_does_not_declare_is_refused(write: Callable[[str], Statement]) -> None:
    with pytest.raises(LakeError, match=r"declares the parameters \['day_end', 'top'\] and uses \['day_end', 'other', 'top'\]"):
        write(HEADER + "select $day_end, $top, $other")


def test_a_parameter_that_the_text_does_not_use_is_refused(write: Callable[[str], Statement]) -> None:
    with pytest.raises(LakeError, match=r"declares the parameters \['day_end', 'top'\] and uses \['day_end'\]"):
        write(HEADER + "select $day_end")


def test_a_path_into_json_is_no_parameter(write: Callable[[str], Statement]) -> None:
    assert write(HEADER + "select $day_end, $top, tags ->> '$.service' as a").params == ("day_end", "top")


def test_a_statement_that_is_not_there_says_so() -> None:
    with pytest.raises(LakeError, match="The statement marts/nothing is not part of this installation"):
        statement("marts/nothing")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_statement_that_ships_keeps_its_header(folder: str) -> None:
    found = statements_in(folder)
    assert len(found) >= 2
    assert [query.name for query in found] == sorted(query.name for query in found)
    assert [query.name for query in found if not query.purpose.endswith(".")] == []


@pytest.mark.parametrize("query", [query for folder in FOLDERS for query in statements_in(folder)], ids=lambda query: query.name)
def test_every_relation_of_the_header_is_read_by_the_text(query: Statement) -> None:
    assert [name for name in query.reads if name not in query.text] == []


@pytest.mark.parametrize(
    "query",
    [query for query in statements_in("marts") if query.name not in NOT_PARTITIONS],
    ids=lambda query: query.name,
)
def test_a_mart_has_the_name_and_the_grain_of_its_table(query: Statement) -> None:
    table = TABLES[query.name.removeprefix("marts/")]
    assert query.grain == table.grain
