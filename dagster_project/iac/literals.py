"""Replaces the bytes of literals, in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dagster_project.iac.roots import Root
from dagster_project.iac.values import Span

_BEFORE_COMMENT = re.compile(rb"""["']?[\])},;]*(?P<gap> +)(?:#|//)""")
_COMMENT = re.compile(rb"(?:#|//)")


def replaced(data: bytes, literals: Iterable[tuple[Span, str]]) -> bytes:
    """The bytes with other texts in their literals. A trailing comment that is aligned with a neighbour's keeps its column."""
    for span, text in sorted(literals, reverse=True):
        new = text.encode("utf-8")
        after = data[span.end :]
        gap = _aligned_gap(data, span)
        if gap:
            start, length = gap
            kept = max(1, length - (len(new) - (span.end - span.start)))
            after = data[span.end : start] + b" " * kept + data[start + length :]
        data = data[: span.start] + new + after
    return data


def _aligned_gap(data: bytes, span: Span) -> tuple[int, int] | None:
    """Where the blanks before the line's comment are, and how many, if a line above or below has its comment in that column."""
    line_start = data.rfind(b"\n", 0, span.start) + 1
    line_end = _end_of_line(data, span.end)
    found = _BEFORE_COMMENT.match(data, span.end, line_end)
    if not found:
        return None
    column = found.end("gap") - line_start
    neighbours = []
    if line_start:
        neighbours.append(data[data.rfind(b"\n", 0, line_start - 1) + 1 : line_start - 1])
    if line_end < len(data):
        neighbours.append(data[line_end + 1 : _end_of_line(data, line_end + 1)])
    if not data[line_start : found.end()].isascii():
        return None
    for line in neighbours:
        if line.isascii() and _COMMENT.match(line, column) and line[column - 1 : column] == b" ":
            return found.start("gap"), len(found.group("gap"))
    return None


def _end_of_line(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end


def changed_files(root: Root, literals: Iterable[tuple[Span, str]]) -> dict[str, bytes]:
    """New contents by path. Nothing is written."""
    by_file: dict[str, list[tuple[Span, str]]] = {}
    for span, text in literals:
        by_file.setdefault(span.file, []).append((span, text))
    found = {}
    for path, changes in sorted(by_file.items()):
        file = root.files.read(path)
        if file is not None:
            found[path] = replaced(file.data, changes)
    return found


def with_changes(root: Root, contents: Mapping[str, bytes]) -> Root:
    """The root as it would be with other contents."""
    return Root(root.files.with_changes(contents), root.plan, root.state)
