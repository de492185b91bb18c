"""What a reader is told of columns that are not there."""

from __future__ import annotations

import pytest

from dagster_project.domain.evidence import _ABSENCES, missing_evidence
from dagster_project.sources.contract import CONTRACT, OPTIONAL_TABLES

OPTIONAL = {(table, column.name) for table, columns in CONTRACT.items() for column in columns if not column.required}
ABSENT = {(table, column.name) for table in OPTIONAL_TABLES for column in CONTRACT[table]}
"""What a database lacks that has none of the optional tables."""


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert missing_evidence([]) == ()


def test_every_sentence_speaks_of_optional_columns_of_the_contract() -> None:
    whole = [absence for absence in _ABSENCES if absence.is_table]
    parts = [absence for absence in _ABSENCES if not absence.is_table]
    assert {(absence.table, column) for absence in parts for column in absence.columns} <= OPTIONAL
    assert {absence.table for absence in whole} == OPTIONAL_TABLES
    assert all((absence.table, column) not in OPTIONAL for absence in whole for column in absence.columns)


@pytest.mark.parametrize("table", sorted(OPTIONAL_TABLES))
def test_a_table_that_is_absent_is_one_sentence_and_its_columns_are_none(table: str) -> None:
    (told,) = missing_evidence([(table, column.name) for column in CONTRACT[table]])
    assert told == next(absence.sentence for absence in _ABSENCES if absence.table == table and absence.is_table)


def test_a_column_that_a_present_table_lacks_has_its_own_sentence() -> None:
    assert missing_evidence([("service_dependencies", "kind"), ("services", "tier")]) == (
        "Dependencies do not say whether they are hard; every one counts as hard.",
    )


def test_absent_peaks_are_said_to_be_replaced_by_averages() -> None:
    (told,) = missing_evidence([("utilization", "cpu_max")])
    assert told == "CPU peaks inside an interval are not recorded; interval averages stand in, and short spikes stay unseen."


def test_memory_as_a_whole_is_said_once_and_not_again_for_its_peaks() -> None:
    told = missing_evidence([("utilization", "mem_max"), ("utilization", "mem_avg")])
    assert told == ("Memory is not recorded; nothing whose smaller size has less memory is proposed.",)


def test_absent_peaks_of_memory_alone_are_said() -> None:
    assert missing_evidence([("utilization", "mem_max")]) == (
        "Memory peaks inside an interval are not recorded; interval averages stand in.",
    )


def test_averages_of_memory_are_not_missed_where_there_are_peaks() -> None:
    assert missing_evidence([("utilization", "mem_avg")]) == ()


def test_the_same_name_in_another_table_is_another_column() -> None:
    (told,) = missing_evidence([("resources", "service"), ("decision_audit", "service")])
    assert told.startswith("Resources do not name their service")


def test_the_order_is_that_of_the_table_whatever_the_order_of_what_is_missing() -> None:
    missing = sorted(OPTIONAL)
    assert missing_evidence(missing) == missing_evidence(reversed(missing))
    assert [told.split()[0] for told in missing_evidence(missing)][:3] == ["CPU", "Memory", "Network"]


def test_the_smallest_schema_is_told_everything_that_matters() -> None:
    """One sentence for each entry of the table, except that absent memory speaks for its peaks, and a table for its columns."""
    parts = {absence.sentence for absence in _ABSENCES if absence.table in OPTIONAL_TABLES and not absence.is_table}
    told = missing_evidence(OPTIONAL | ABSENT)
    assert len(told) == len(_ABSENCES) - 1 - len(parts)
    assert not parts & set(told)


@pytest.mark.parametrize("column", ["net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes"])
def test_one_direction_alone_is_missed_too(column: str) -> None:
    assert len(missing_evidence([("utilization", column)])) == 1
