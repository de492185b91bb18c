"""The rows of a postmortem's timeline and its key times, from tables, lists, paragraphs and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dagster_project.domain.incidents.importing.blocks import Block, plain
from dagster_project.domain.incidents.importing.durations import is_label
from dagster_project.domain.incidents.importing.moments import Written, leading, moments_in
from dagster_project.domain.incidents.importing.phase_words import phase_of_label
from dagster_project.domain.incidents.importing.sections import Placed, is_moment
from dagster_project.domain.incidents.importing.zones import zone_declared

TIMELINES = frozenset({"timeline", "key_events", "context"})
_ELSEWHERE = frozenset(
    {"action_items", "attendees", "links", "lessons", "went_well", "went_wrong", "lucky", "contributing_factors"}
)
_TIME_HEADER = re.compile(r"\b(?:date|time|when|timestamp|day|hour|utc|cet|at)\b", re.IGNORECASE)
_ACTOR_HEADER = re.compile(r"\b(?:who|actor|person|owner|by|author|reporter|source)\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"^[\s:–—|,;.)\]>*_~-]+")
_TEMPLATE = re.compile(
    r"^\W*(?:short )?(?:event )?(?:description|what happened|lorem ipsum.*|event|text)\W*$|^<[^>]*>$", re.IGNORECASE
)
_LAST_AT = re.compile(r"\b(?:at|around|from|until)\s+(?=[~≈]?\d{1,2}[:.]\d{2}|\d{1,2}\s?[ap]m)", re.IGNORECASE)
_STATUS_PREFIX = re.compile(r"^\W*status\W{1,6}", re.IGNORECASE)


@dataclass(slots=True)
class Row:
    """Something with a time, as written. ``phase`` is the one that its label names; ``raw`` keeps the Markdown. ``is_day``: it
    only tells the day of what follows. ``problem``: why it cannot be read, as a sentence."""

    line: int
    written: Written | None
    text: str
    raw: str
    section: str
    phase: str | None = None
    actor: str | None = None
    is_day: bool = False
    problem: str | None = None
    level: int = 0
    more: list[str] = field(default_factory=list)


def rows_of(placed: Sequence[Placed]) -> Iterator[Row | Placed]:
    """The rows in the document's order. Headings and lines that may name a zone come between them as they are."""
    pending: Row | None = None
    for one in placed:
        block = one.block
        if pending is not None and _continues(pending, one):
            pending.more.append(one.text)
            continue
        if pending is not None:
            yield pending
            pending = None
        yield one
        row = _row(one)
        if row is None:
            continue
        if block.kind in ("heading", "item") and not row.is_day:
            pending = row
        else:
            yield row
    if pending is not None:
        yield pending


def _continues(row: Row, one: Placed) -> bool:
    """Whether a line belongs to the row above: what stands below a heading that is a time, or deeper in a list."""
    if one.block.kind == "heading":
        return False
    kind, words = one.block.kind, plain(one.text)
    if is_label(one.text):
        return False
    if row.level < 0:
        dated = _full_moment(words) if kind in ("text", "item") else None
        return (
            one.section == row.section
            and kind in ("text", "item", "quote", "code")
            and (dated is None or dated.fault is not None)
        )
    return kind == "item" and one.block.level > row.level and _first_moment(words) is None


def _row(one: Placed) -> Row | None:
    kind, text = one.block.kind, one.text
    if kind in ("header", "code", "quote") or not text or one.section == "stats" or is_label(text):
        return None
    if kind == "row":
        return _of_table(one)
    if kind == "heading":
        return _of_heading(one) if is_moment(text) else _of_dated_heading(one)
    return _of_line(one, text)


def _of_heading(one: Placed) -> Row:
    text = plain(one.text)
    written = leading(text)
    is_day = written is not None and written.clock is None and written.fault is None
    rest = _SEPARATOR.sub("", text[written.end :]) if written else ""
    return Row(one.block.line, written, rest, one.text, one.section, is_day=is_day, level=-1)


def _of_dated_heading(one: Placed) -> Row | None:
    """A heading inside of a timeline that has a day and other words: "2024-05-02 - First update" is a row of that day, and
    "Day 2 (2024-05-02)" dates what follows."""
    if one.section not in TIMELINES or one.block.level < 3:
        return None
    words = plain(one.text)[:300]
    written = leading(words)
    if written is not None and written.day is not None:
        return Row(one.block.line, written, _SEPARATOR.sub("", words[written.end :]), one.text, one.section, level=-1)
    days = [found for found in moments_in(words) if found.day is not None]
    is_day = len(days) == 1 and days[0].clock is None and days[0].fault is None
    return Row(one.block.line, days[0], "", one.text, one.section, is_day=True, level=-1) if is_day else None


def _of_table(one: Placed) -> Row | None:
    block = one.block
    times = [number for number, name in enumerate(block.header) if _TIME_HEADER.search(plain(name))][:2]
    first = plain(block.cells[0]) if block.cells else ""
    if len(times) == 2 and (times[1] != times[0] + 1 or _looks_long(block, times[1])):
        times = times[:1]
    if not times and _full_moment(first) is not None:
        times = [0]
    if not times or not any(block.cells):
        return _of_pair(one)
    if len(block.header) == 2 and phase_of_label(first):
        return _of_pair(one)
    cell = " ".join(plain(block.cells[number]) for number in times if number < len(block.cells))
    if one.section in _ELSEWHERE and _full_moment(cell) is None:
        return None
    return _dated(one, cell, times)


def _looks_long(block: Block, column: int) -> bool:
    return len(block.cells) > column and leading(plain(block.cells[column])) is None


def _dated(one: Placed, cell: str, times: list[int]) -> Row:
    block = one.block
    actors = [number for number, name in enumerate(block.header) if _ACTOR_HEADER.search(plain(name)) and number not in times]
    rest = [
        number for number in range(len(block.cells)) if number not in times and (number not in actors or len(block.cells) < 3)
    ]
    raw = " | ".join(block.cells[number] for number in rest if block.cells[number])
    actor = next((plain(block.cells[number]) for number in actors if number < len(block.cells) and number not in rest), None)
    row = Row(block.line, _whole(cell), plain(raw), raw, one.section, actor=actor or None)
    if row.written is None:
        row.problem = f"the time {cell[:60]!r} cannot be read" if cell else "the row has no time"
    elif _TEMPLATE.match(row.text) and row.written.fault:
        row.problem = "the row is the template's and was not filled in"
    return row


def _whole(cell: str) -> Written | None:
    """The moment of a cell that holds nothing else. Digits after a day are a time that cannot be read: "2024-05-02 07;30"."""
    written = leading(cell)
    if written is not None and written.clock is None and written.fault is None and re.search(r"\d", cell[written.end :]):
        return replace(written, fault="impossible_time", text=cell[:60])
    return written


def _of_pair(one: Placed) -> Row | None:
    """A row of a table of properties, such as "| Detected | 2024-01-01 10:00 UTC |"."""
    cells = one.block.cells
    if len(cells) < 2 or one.section in _ELSEWHERE:
        return None
    return _labelled(one, f"{plain(cells[0]).rstrip(':')}: {plain(cells[1])}")


def _of_line(one: Placed, text: str) -> Row | None:
    words = plain(text[:4_000])
    if one.section in _ELSEWHERE:
        return None
    labelled = _labelled(one, words)
    if labelled is not None:
        return labelled
    written = _first_moment(words)
    if written is not None and (one.section in TIMELINES or (written.day and written.clock)):
        return _started(one, written, words, text)
    return _with_time_inside(one, words, text) if one.section in TIMELINES else None


def _started(one: Placed, written: Written, words: str, text: str) -> Row:
    rest = _SEPARATOR.sub("", words[written.end :])
    # A day alone on its line, or with the zone of its times, dates what follows; with text it is a row of that day.
    is_alone = not rest or zone_declared(rest) is not None
    is_day = written.clock is None and written.fault is None and is_alone and one.block.kind == "text"
    return Row(one.block.line, written, rest or words, text, one.section, is_day=is_day, level=one.block.level)


def _with_time_inside(one: Placed, words: str, text: str) -> Row | None:
    """A line of a timeline that ends with its time ("Raised an issue with AWS at 10:29"), or has one somewhere."""
    line, section, level = one.block.line, one.section, one.block.level
    last = list(_LAST_AT.finditer(words))[-1:]
    written = leading(words, last[0].end()) if last else None
    if written is not None and not words[written.end :].strip(" ."):
        return Row(line, written, words, text, section, level=level)
    if section == "context":
        return None
    found = [one for one in moments_in(words) if one.clock or one.fault]
    if len(found) == 1:
        return Row(line, found[0], words, text, section, level=level)
    if one.block.kind != "item" or not one.block.starts:
        return None
    return Row(line, None, words, text, section, problem="the line of the timeline has no time, or several", level=level)


def _labelled(one: Placed, words: str) -> Row | None:
    """A key time: a label that names a phase, and its moment."""
    text = _STATUS_PREFIX.sub("", words)
    written = next(moments_in(text[:200]), None)
    if written is not None:
        phase = phase_of_label(text[: written.start])
        if phase is None:
            return None
        rest = _SEPARATOR.sub("", text[written.end :])
        return Row(
            one.block.line,
            written,
            f"{text[: written.start].strip(' :-–—*_(')}{f': {rest}' if rest else ''}",
            one.text,
            one.section,
            phase=phase,
            level=one.block.level,
        )
    if one.section != "key_events" or not one.block.starts:
        return None
    return Row(
        one.block.line,
        None,
        words,
        one.text,
        one.section,
        phase_of_label(words),
        problem="the key event has no time that can be read",
        level=one.block.level,
    )


def _first_moment(words: str) -> Written | None:
    """The moment that a line begins with, if it begins like a row: a number alone or a version is none."""
    written = leading(words)
    if written is None or (written.clock is None and written.day is None and written.fault is None):
        return None
    if written.day is None and written.fault == "placeholder" and written.clock is None and ":" not in written.text:
        return None
    return written


def _full_moment(words: str) -> Written | None:
    written = leading(words)
    return written if written is not None and written.clock is not None else None
