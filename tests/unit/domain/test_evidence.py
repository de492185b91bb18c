"""What a reader is told of columns that are not there."""

from __future__ import annotations

import pytest

from dagster_project.domain.evidence import _ABSENCES, missing_evidence
from dagster_project.sources.contract import CONTRACT

OPTIONAL = {(table, column.name) for table, columns in CONTRACT.items() for column in columns if not column.required}


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert missing_evidence([]) == ()


def test_every_sentence_speaks_of_optional_columns_of_the_contract() -> None:
    assert {(absence.table, column) for absence in _ABSENCES for column in absence.columns} <= OPTIONAL


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
    """One sentence for each entry of the table, except that absent memory speaks for its peaks."""
    assert len(missing_evidence(OPTIONAL)) == len(_ABSENCES) - 1


@pytest.mark.parametrize("column", ["net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes"])
def test_one_direction_alone_is_missed_too(column: str) -> None:
    assert len(missing_evidence([("utilization", column)])) == 1
