"""CSV: every value with its place, as Terraform's csvdecode reads it."""

from __future__ import annotations

import pytest

from dagster_project.iac.csv_documents import decode_csv
from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence

TEXT = 'name,type,note\r\nweb,m5.large,"größe, ""m5"""\r\n\r\n"api","c5.large",\n'.encode()


def rows(data: bytes) -> list[dict[str, Scalar]]:
    value = decode_csv("fleet.csv", data)
    assert isinstance(value, Sequence)
    found = []
    for item in value.items:
        assert isinstance(item, Mapping)
        found.append({name: cell for name, cell in item.entries.items() if isinstance(cell, Scalar)})
    return found


def test_each_row_is_an_object_of_strings_and_blank_lines_are_none() -> None:
    assert [{name: cell.value for name, cell in row.items()} for row in rows(TEXT)] == [
        {"name": "web", "type": "m5.large", "note": 'größe, "m5"'},
        {"name": "api", "type": "c5.large", "note": ""},
    ]


@pytest.mark.parametrize(
    ("row", "column", "raw"), [(0, "type", "m5.large"), (1, "type", "c5.large"), (0, "note", 'größe, ""m5""')]
)
def test_a_value_stands_where_its_bytes_stand_without_quotes(row: int, column: str, raw: str) -> None:
    place = rows(TEXT)[row][column].origin
    assert place is not None
    assert (place.file, TEXT[place.start : place.end].decode()) == ("fleet.csv", raw)


def test_a_last_line_needs_no_newline_and_a_comma_at_the_end_is_an_empty_field() -> None:
    assert [{name: cell.value for name, cell in row.items()} for row in rows(b"a,b\n1,")] == [{"a": "1", "b": ""}]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it has no header"),
        (b"a,a\n1,2\n", "two columns have the same name"),
        (b"a,b\n1\n", "a row has another number of fields than the header"),
        (b'a,b\n1,x"y\n', "a field has a quote where none may be"),
        (b'a,b\n1,"x\n', "a field has a quote where none may be"),
        (b"a\n\xff\n", "it is not UTF-8"),
    ],
)
def test_what_is_no_csv_is_an_error(data: bytes, told: str) -> None:
    with pytest.raises(CodeError) as caught:
        decode_csv("fleet.csv", data)
    assert str(caught.value) == told
