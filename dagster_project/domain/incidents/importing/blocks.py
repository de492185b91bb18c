"""A Markdown document as a flat list of blocks with their lines: headings, list items, paragraphs, table rows.

Only the block structure is parsed: the text inside stays as it was written, and what is hostile in it is never looked at twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table").disable("inline")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"^([A-Za-z_ -]{1,40}):[ \t]*(.*)$", re.MULTILINE)
_INLINE_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\((?:[^()\s]|\([^()\s]*\)){0,2000}(?:\s+\"[^\"]{0,200}\")?\)")
_REFERENCE_LINK = re.compile(r"\[([^\[\]]{1,500})\]\[[^\[\]]{0,200}\]")
_MARKS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`|<br\s*/?>|<(?=https?:)|(?<=\w)>(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Block:
    """One line of text with what it stands in.

    ``kind``: heading, item, text (of a paragraph), row, header (of a table), quote or code. ``line`` counts from 1. ``level``:
    of a heading 1..6, of an item how deep its list is nested (0 = outermost). ``cells`` are a row's; ``header`` its table's;
    ``starts`` tells whether the line begins its item or paragraph.
    """

    kind: str
    text: str
    line: int
    level: int = 0
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    starts: bool = True


def front_matter(text: str) -> dict[str, str]:
    """The keys of the document's front matter, in lower case; none where it has none."""
    found = _FRONT_MATTER.match(text)
    return {key.strip().lower(): value.strip().strip("\"'") for key, value in _KEY.findall(found[1])} if found else {}


def blocks_of(text: str) -> tuple[Block, ...]:
    """The document's blocks in order. The front matter is no block."""
    found = _FRONT_MATTER.match(text)
    skipped = text[: found.end()].count("\n") if found else 0
    tokens = _MARKDOWN.parse(text[found.end() :] if found else text)
    return tuple(_Walker(skipped + 1).walk(tokens))


def plain(text: str) -> str:
    """Text without its Markdown marks: a link is its words, bold is plain."""
    text = _REFERENCE_LINK.sub(r"\1", _INLINE_LINK.sub(r"\1", text))
    return " ".join(_MARKS.sub(" " if "<br" in text else "", text).split())


class _Walker:
    """Walks the parser's tokens and keeps where it is: in which list, quote and table."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._depth, self._quotes, self._heading = -1, 0, 0
        self._starts, self._in_head = False, False
        self._cells: list[str] | None = None
        self._header: tuple[str, ...] = ()
        self._row_line = 0

    def walk(self, tokens: list[Token]) -> Iterator[Block]:
        for token in tokens:
            self._enter(token)
            if token.type == "inline":
                yield from self._text(token)
            elif token.type == "tr_close":
                yield self._row()
            elif token.type in ("fence", "code_block", "html_block"):
                place = self._line(token)
                yield from (Block("code", line, place + number) for number, line in enumerate(token.content.split("\n")))

    def _enter(self, token: Token) -> None:
        name, step = token.type, token.nesting
        if name.startswith(("bullet_list", "ordered_list")):
            self._depth += step
        elif name.startswith("blockquote"):
            self._quotes += step
        elif name == "list_item_open":
            self._starts = True
        elif name.startswith("heading"):
            self._heading = int(token.tag[1]) if step > 0 else 0
        elif name.startswith("thead"):
            self._in_head = step > 0
        elif name == "tr_open":
            self._cells, self._row_line = [], self._line(token)
        elif name == "table_close":
            self._header = ()

    def _line(self, token: Token) -> int:
        return self._first + (token.map[0] if token.map else 0)

    def _row(self) -> Block:
        cells, self._cells = tuple(self._cells or ()), None
        if self._in_head:
            self._header = cells
        return Block("header" if self._in_head else "row", " | ".join(cells), self._row_line, cells=cells, header=self._header)

    def _text(self, token: Token) -> Iterator[Block]:
        if self._cells is not None:
            self._cells.append(token.content.strip())
            return
        is_item = not self._heading and self._depth >= 0
        kind = "heading" if self._heading else "quote" if self._quotes else "item" if is_item else "text"
        starts, self._starts = self._starts or not is_item, False
        for number, line in enumerate(token.content.split("\n")):
            level = self._heading or max(self._depth, 0)
            yield Block(kind, line.strip(), self._line(token) + number, level, starts=starts and number == 0)
