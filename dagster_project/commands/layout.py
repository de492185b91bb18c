"""Rows in columns, for a terminal: words to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[int] = (0,)) -> list[str]:
    """The lines of a table, each column as wide as its widest entry; ``words`` are the numbers of columns that hold words."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]

    def cell(text: str, place: int) -> str:
        return text.ljust(widths[place]) if place in words else text.rjust(widths[place])

    return ["  ".join(cell(text, place) for place, text in enumerate(row)).rstrip() for row in (header, *rows)]
