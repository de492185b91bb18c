"""A document that is made anew beside what people have written into it.

Each generated section stands between two comments; the first carries the section's name and a digest of what was generated. A
section whose text still has its digest is replaced, one that somebody edited stays, and whatever stands outside stays too. A
comment at the end lists the sections that the document has had, so that one that was taken out does not come back.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace

_MARKER = re.compile(
    r"^[ \t]*<!-- nightshift:(?P<kind>begin|end|sections)(?P<names>(?: [\w-]+)*) -->[ \t]*(?=\r?$)", re.MULTILINE | re.ASCII
)
_TRACE = re.compile(r"<!--\s*nightshift:(?:begin|end)\s+([\w-]+)", re.ASCII)
"""What is left of a marker where somebody has quoted it, or written beside it."""
_BYTE_ORDER = "\ufeff"
"""With which some editors begin a file; it stays, and is no part of the first line."""
_DIGEST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Merged:
    """The document; the sections that somebody had edited (or whose comments are damaged) and that were left as they are; and
    those whose generated text is another now."""

    text: str
    kept: tuple[str, ...]
    updated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a document: free text (``name`` is None), or a section with its comments."""

    text: str
    name: str | None = None
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class _Document:
    pieces: tuple[_Piece, ...]
    damaged: frozenset[str]
    listed: frozenset[str]

    @property
    def sections(self) -> dict[str, _Piece]:
        return {piece.name: piece for piece in self.pieces if piece.name is not None}


def marked(name: str, content: str) -> str:
    """``content`` between the comments of the section ``name`` (letters, digits, ``_``, ``-``). Ends with a new line."""
    # What looks like a comment of ours inside would end the section early.
    content = content.replace("<!-- nightshift:", "&lt;!-- nightshift:").strip("\n") + "\n"
    return f"<!-- nightshift:begin {name} {_digest(content)} -->\n{content}<!-- nightshift:end {name} -->\n"


def without_markers(text: str) -> str:
    """``text`` without the comments that mark sections."""
    return _MARKER.sub("", text)


def written_by_people(text: str, section: str) -> tuple[str, str]:
    """What people wrote into a document, without comments of ours: the section of that name, empty where they did not edit it;
    and all that stands outside of generated sections."""
    pieces = _parsed(_plain(text)[0]).pieces
    edited = "".join(each.text for each in pieces if each.name == section and each.is_edited)
    return without_markers(edited), without_markers("".join(each.text for each in pieces if each.name is None))


def merge(generated: str, existing: str | None) -> Merged:
    """Brings ``existing`` up to date with ``generated``: sections that nobody edited are replaced, all else stays byte for byte.

    New sections come after the one that they follow in ``generated``. A section with damaged comments (no begin, no end, quoted,
    nested, twice) counts as edited. Line ends are those of ``existing``. Merging again changes nothing.

    ``generated`` may be a document that people have edited: what they took out of it is taken out here, and does not come back.
    """
    if existing is None or not existing.strip():
        fresh = _parsed(generated)
        gone = sorted(fresh.listed - set(fresh.sections))
        return Merged(_with_list(generated, [*fresh.sections, *gone]), (), tuple(fresh.sections))
    lines, style = _plain(existing)
    merged = _merged(_parsed(_plain(generated)[0]), _parsed(lines))
    return replace(merged, text=style.of(merged.text))


@dataclass(frozen=True, slots=True)
class _Style:
    """How a file is written: with a byte order mark, with CRLF as its only line end."""

    is_marked: bool
    is_crlf: bool

    def of(self, text: str) -> str:
        """``text`` in this style."""
        return (_BYTE_ORDER if self.is_marked else "") + (text.replace("\n", "\r\n") if self.is_crlf else text)


def _plain(text: str) -> tuple[str, _Style]:
    """``text`` without what is of its style; where line ends differ, they stay as they are."""
    lines = text.removeprefix(_BYTE_ORDER)
    is_crlf = 0 < lines.count("\n") == lines.count("\r\n")
    return (lines.replace("\r\n", "\n") if is_crlf else lines), _Style(lines != text, is_crlf)


def _merged(fresh: _Document, present: _Document) -> Merged:
    new = fresh.sections
    kept = {name for name, piece in present.sections.items() if piece.is_edited} | present.damaged | fresh.damaged
    pieces = [piece if piece.name in kept else _renewed(piece, new) for piece in present.pieces]
    updated = {old.name for old, piece in zip(present.pieces, pieces, strict=True) if old.name and piece.text != old.text}
    withdrawn = {name for name in present.sections if name not in new and name not in kept}
    missing = [name for name in new if name not in present.sections and name not in present.damaged | present.listed]
    pieces = _with_new(pieces, list(new), {name: new[name].text for name in missing})
    names = [*new, *sorted((present.listed - withdrawn | kept | fresh.listed) - set(new))]
    text = _with_list("".join(piece.text for piece in pieces), names)
    return Merged(text, tuple(sorted(kept)), tuple(name for name in [*new, *sorted(withdrawn)] if name in updated | set(missing)))


def _digest(content: str) -> str:
    """Of the text with plain line ends: an editor that writes others has edited nothing."""
    return hashlib.sha256(content.replace("\r\n", "\n").encode()).hexdigest()[:_DIGEST_DIGITS]


def _parsed(text: str) -> _Document:
    markers = [marker for marker in _MARKER.finditer(text) if marker["kind"] == "sections" or _first(marker)]
    begun = Counter(_first(marker) for marker in markers if marker["kind"] == "begin")
    whole: list[tuple[re.Match[str], re.Match[str]]] = []
    opened: re.Match[str] | None = None
    for marker in markers:
        if marker["kind"] == "begin":
            opened = marker
        elif marker["kind"] == "end" and opened is not None and _first(marker) == _first(opened):
            whole.append((opened, marker))
            opened = None
    sections = [(begin, end) for begin, end in whole if begun[_first(begin)] == 1]
    names = {_first(begin) for begin, _ in sections}
    pieces = _pieces(text, sections)
    listed = {name for piece in pieces for marker in _lists(piece) for name in marker["names"].split()}
    traces = {name for piece in pieces if piece.name is None for name in _TRACE.findall(piece.text)}
    # A section with a marker more than it should have is damaged as well.
    pieces = tuple(replace(piece, is_edited=piece.is_edited or piece.name in traces) for piece in pieces)
    return _Document(pieces, frozenset((set(begun) | traces) - names), frozenset(listed))


def _first(marker: re.Match[str]) -> str:
    return marker["names"].split()[0] if marker["names"].split() else ""


def _pieces(text: str, sections: list[tuple[re.Match[str], re.Match[str]]]) -> tuple[_Piece, ...]:
    pieces: list[_Piece] = []
    position = 0
    for begin, end in sections:
        content = text[begin.end() : end.start()].removeprefix("\r").removeprefix("\n")
        stop = _line_end(text, end.end())
        names = begin["names"].split()
        is_edited = len(names) != 2 or names[1] != _digest(content)
        pieces += [_Piece(text[position : begin.start()]), _Piece(text[begin.start() : stop], names[0], is_edited)]
        position = stop
    return (*pieces, _Piece(text[position:]))


def _line_end(text: str, position: int) -> int:
    for ending in ("\r\n", "\n"):
        if text.startswith(ending, position):
            return position + len(ending)
    return position


def _renewed(piece: _Piece, new: dict[str, _Piece]) -> _Piece:
    if piece.name is None or piece.is_edited:
        return piece
    if piece.name not in new:
        return replace(piece, text="")
    text = new[piece.name].text
    text = text.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in piece.text else text
    return replace(piece, text=text if piece.text.endswith("\n") else text.rstrip("\r\n"))


def _with_new(pieces: list[_Piece], order: list[str], missing: dict[str, str]) -> list[_Piece]:
    for name, text in missing.items():
        places = {piece.name: place for place, piece in enumerate(pieces) if piece.name is not None}
        before = [places[other] for other in order[: order.index(name)] if other in places]
        after = [places[other] for other in order[order.index(name) :] if other in places]
        if before:
            start = "\n" if pieces[before[-1]].text.endswith("\n") else "\n\n"
            pieces[before[-1] + 1 : before[-1] + 1] = [_Piece(start), _Piece(text, name)]
        elif after:
            pieces[after[0] : after[0]] = [_Piece(text, name), _Piece("\n")]
        else:
            pieces += [_Piece(_gap_after("".join(piece.text for piece in pieces))), _Piece(text, name)]
    return pieces


def _gap_after(text: str) -> str:
    return "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"


def _with_list(text: str, names: list[str]) -> str:
    """``text`` with the names of its sections in the last comment that lists them, or in a new one at the end."""
    line = f"<!-- nightshift:sections {' '.join(names)} -->" if names else "<!-- nightshift:sections -->"
    pieces = list(_parsed(text).pieces)
    is_listed = False
    for place in range(len(pieces) - 1, -1, -1):
        for marker in reversed(_lists(pieces[place])):
            free = pieces[place].text
            pieces[place] = _Piece(free[: marker.start()] + ("" if is_listed else line) + free[marker.end() :])
            is_listed = True
    whole = "".join(piece.text for piece in pieces)
    return whole if is_listed else f"{whole}{_gap_after(whole)}{line}\n"


def _lists(piece: _Piece) -> list[re.Match[str]]:
    """The comments that list sections, outside of sections."""
    return [] if piece.name is not None else [m for m in _MARKER.finditer(piece.text) if m["kind"] == "sections"]
