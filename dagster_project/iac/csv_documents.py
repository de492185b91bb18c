"""CSV with the place of every value, as Terraform's csvdecode reads it: a header, then rows of strings."""

from __future__ import annotations

import re

from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Span, Value

_FIELD = re.compile(rb'"((?:[^"]|"")*)"|([^",\r\n]*)')
_END = re.compile(rb",|\r?\n|\Z")


def decode_csv(file: str, data: bytes) -> Value:
    """A list of one object for each row. Raises ``CodeError`` where the bytes are no CSV."""
    rows = _rows(file, data)
    if not rows:
        raise CodeError("it has no header")
    header = [cell.value for cell in rows[0]]
    if len(set(header)) < len(header):
        raise CodeError("two columns have the same name")
    if any(len(row) != len(header) for row in rows):
        raise CodeError("a row has another number of fields than the header")
    return Sequence(items=tuple(Mapping(entries=dict(zip(header, row, strict=True)), keys={}) for row in rows[1:]))


def _rows(file: str, data: bytes) -> list[list[Scalar]]:
    rows: list[list[Scalar]] = []
    row: list[Scalar] = []
    at = 0
    while at < len(data):
        field = _FIELD.match(data, at)
        end = _END.match(data, field.end()) if field else None
        if field is None or end is None:
            raise CodeError("a field has a quote where none may be")
        group = 1 if field.group(1) is not None else 2
        try:
            text = field.group(group).decode("utf-8")
        except UnicodeDecodeError:
            raise CodeError("it is not UTF-8") from None
        place = Span(file, field.start(group), field.end(group))
        row.append(Scalar(value=text.replace('""', '"') if group == 1 else text, origin=place))
        at = end.end()
        if end.group() != b"," or at == len(data):
            if end.group() == b",":
                row.append(Scalar(value="", origin=Span(file, at, at)))
            is_blank = len(row) == 1 and field.group() == b""
            rows += [] if is_blank else [row]
            row = []
    return rows
