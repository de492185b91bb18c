"""Charts small enough to stand in a line of Markdown: what the Dagster UI shows of an asset without a click.

That UI shows Markdown in place while it has fewer than 1,000 characters, and behind a link otherwise. So a chart is an SVG of a
few rectangles in a data address, without styles of its own and without a library: PNG, or what Vega draws, is ten times as long.
Rows that would not fit are left out and counted. It brings a white ground, because the UI has light and dark colours and no way
to say which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import escape

MARKDOWN_LIMIT = 999
"""Characters that the UI shows in place."""

ACCENT = "#0b6b57"
_INK = "#1c1e21"
_WIDTH, _ROW = 300, 20
"""Pixels: what the UI has room for at a window of 1,280, and the height of a row."""

_CHARACTER = 6.4  # of a sans-serif of 12 pixels, with room to spare
_LONGEST = 26
_COLUMNS_HIGH = 60
# What an address needs no escape for; spaces and angle brackets it does.
_PLAIN = "/:=',.;"


@dataclass(frozen=True)
class Bar:
    """A row: its label, its length (not negative), and its number as it is to be read."""

    label: str
    value: float
    text: str
    colour: str = ACCENT


def bars(title: str, rows: Sequence[Bar]) -> str | None:
    """Markdown of horizontal bars, as many of the first rows as fit; None where there is nothing to compare."""
    if not any(row.value > 0 for row in rows):
        return None
    for shown in range(len(rows), 0, -1):
        left = len(rows) - shown
        markdown = _image(f"{title}; {left} more" if left else title, _bars(rows[:shown]))
        if len(markdown) <= MARKDOWN_LIMIT:
            return markdown
    return None


def columns(title: str, values: Sequence[float], first: str, last: str) -> str | None:
    """Markdown of upright columns over an even axis, at most some fifty of them; None where there is nothing to compare."""
    highest = max(values, default=0)
    if highest <= 0:
        return None
    step = _WIDTH // len(values)
    heights = [round(value / highest * _COLUMNS_HIGH) for value in values]
    path = "".join(
        f"M{place * step},{_COLUMNS_HIGH}v-{height}h{step - 2}v{height}" for place, height in enumerate(heights) if height
    )
    base = _COLUMNS_HIGH + 14
    drawn = (
        f"<path fill='{ACCENT}' d='{path}'/><text y='{base}'>{escape(first)}</text>"
        f"<text y='{base}' x='{step * len(values) - 2}' text-anchor='end'>{escape(last)}</text>"
    )
    markdown = _image(title, _svg(base + 4, drawn))
    return markdown if len(markdown) <= MARKDOWN_LIMIT else None


def _bars(rows: Sequence[Bar]) -> str:
    labels = [row.label if len(row.label) <= _LONGEST else f"{row.label[: _LONGEST - 1]}…" for row in rows]
    texts = [f"{label} {row.text}" for label, row in zip(labels, rows, strict=True)]
    start = round(max(map(len, texts)) * _CHARACTER)
    highest = max(row.value for row in rows)
    lengths = [max(1, round(row.value / highest * (_WIDTH - start))) if row.value > 0 else 0 for row in rows]
    drawn = ""
    for colour in dict.fromkeys(row.colour for row in rows):
        path = "".join(
            f"M{start},{place * _ROW + 3}h{length}v14H{start}"
            for place, (row, length) in enumerate(zip(rows, lengths, strict=True))
            if row.colour == colour and length
        )
        drawn += f"<path fill='{colour}' d='{path}'/>" if path else ""
    drawn += "".join(f"<text y='{place * _ROW + 14}'>{escape(text)}</text>" for place, text in enumerate(texts))
    return _svg(len(rows) * _ROW, drawn)


def _svg(height: int, drawn: str) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height}' fill='{_INK}' "
        f"style='font:12px sans-serif'><path fill='#fff' d='M0,0h999v999H0'/>{drawn}</svg>"
    )


def _image(title: str, svg: str) -> str:
    told = title.replace("[", "(").replace("]", ")")
    return f"![{told}](data:image/svg+xml,{quote(svg, safe=_PLAIN)})"
