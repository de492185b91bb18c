"""Columns of secrets in tables of Markdown: the heading says what they are, and stands rows above."""

from __future__ import annotations

import re

from dagster_project.domain.incidents.redaction_names import is_secret_name
from dagster_project.domain.incidents.redaction_words import is_prose, is_reference, looks_secret

_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-{1,60}:?[ \t]*(?:\|[ \t]*:?-{1,60}:?[ \t]*)*\|?[ \t\r]*")
_BAR = re.compile(r"((?<!\\)\|)")
_MARKS = " \t\r*_~`\"'"


def secret_columns_removed(text: str) -> str:
    """``text`` with words in brackets for what stands below "Password", "API key" or "Token" in a table. What is a word of a
    sentence stays."""
    lines = text.split("\n")
    columns: dict[int, str] = {}
    for number, line in enumerate(lines):
        if "|" not in line:
            columns = {}
        elif number and _RULE.fullmatch(line):
            columns = _secret_columns(lines[number - 1])
        elif columns:
            lines[number] = _without(line, columns)
    return "\n".join(lines)


def _secret_columns(heading: str) -> dict[int, str]:
    cells = [cell.strip(_MARKS) for cell in _BAR.split(heading)]
    return {place: "password" if _is_password(cell) else "secret" for place, cell in enumerate(cells) if _is_secret(cell)}


def _is_secret(heading: str) -> bool:
    words = heading.split()
    if not words:
        return False
    return is_secret_name("".join(words[-2:]) if words[-1].lower() in ("key", "string") else words[-1])


def _is_password(heading: str) -> bool:
    return re.search(r"pass|pwd", heading, re.IGNORECASE) is not None


def _without(line: str, columns: dict[int, str]) -> str:
    cells = _BAR.split(line)
    for place, what in columns.items():
        value = cells[place].strip(_MARKS) if place < len(cells) else ""
        is_word = not value or len(value.split()) > 1 or is_reference(value) or is_prose(value)
        if not is_word and (what == "password" or looks_secret(value)):
            cells[place] = cells[place].replace(value, f"[{what} removed]")
    return "".join(cells)
