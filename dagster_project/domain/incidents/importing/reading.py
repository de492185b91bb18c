"""Reads a file about past incidents, by its content and its name: JSON lines, a JSON document, or a postmortem in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from dagster_project.domain.incidents.importing.model import ImportedIncident, ImportResult, Problem
from dagster_project.domain.incidents.importing.postmortems import read_postmortem
from dagster_project.domain.incidents.importing.records import is_record, read_record
from dagster_project.domain.incidents.importing.statuspage import is_status_page, read_status_page
from dagster_project.domain.incidents.importing.zones import Zone, zone_named

MOST_CHARACTERS = 200_000_000
"""Characters of one file that are read; JSON lines of 100,000 incidents have about as many."""

MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mdx"})
"""Ends of names that are read as Markdown whatever is in the file."""
_JSON = frozenset({".json", ".jsonl", ".ndjson"})
# Half of a pair, and the character of nothing: no text that is stored may hold them.
_NO_TEXT = re.compile("[\ud800-\udfff\x00]")


def read_text(text: str, name: str, *, zone: str = "UTC", identity: str | None = None) -> ImportResult:
    """The incidents of a file, and what could not be understood of it.

    ``name`` is the file's, with folders or without; ``zone`` (such as Europe/London) is that of times that say none; ``identity``
    is the id of a postmortem that gives none itself, without it the words of its name. Nothing is raised for bad content: what is
    not understood is a ``Problem`` with its line.
    """
    known = zone_named(zone)
    if known is None:
        return _nothing(name, f"{zone[:60]!r} is no time zone that this machine knows; write it like Europe/London")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return _nothing(name, "The file is empty")
    if len(text) > MOST_CHARACTERS:
        return _nothing(name, f"The file has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    suffix = PurePath(name).suffix.lower()
    if suffix in _JSON or (suffix not in MARKDOWN and text.lstrip()[:1] in ("{", "[")):
        return _read_json(text, name, known)
    if "\x00" in text[:10_000]:
        return _nothing(name, "The file is not text; give JSON lines or Markdown")
    return read_postmortem(_NO_TEXT.sub("\ufffd", text), name, known, identity)


def _nothing(name: str, reason: str) -> ImportResult:
    return ImportResult((), (Problem(name, 0, f"{reason}; nothing was imported."),))


def _read_json(text: str, name: str, zone: Zone) -> ImportResult:
    incidents: list[ImportedIncident] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, record in _records(text):
        found, noted = _read_record(record, name, line, zone)
        problems += noted
        if found is None:
            continue
        first = seen.setdefault(found.incident.incident_id, line)
        if first != line or any(one.incident.incident_id == found.incident.incident_id for one in incidents[-1:]):
            problems.append(
                Problem(name, line, f"{found.incident.incident_id} is in line {first} already; this one was left out.")
            )
            continue
        incidents.append(found)
    return ImportResult(tuple(incidents), tuple(problems))


def _records(text: str) -> Iterator[tuple[int, Any]]:
    """(line, record) of JSON lines, or of one document that holds a list of incidents. What is no JSON is its error."""
    first = _parsed(text.strip().split("\n", 1)[0])
    is_lines = isinstance(first, dict) and "incidents" not in first
    whole = None if is_lines else _parsed(text)
    if isinstance(whole, dict):
        whole = whole.get("incidents", [whole])
    if isinstance(whole, list):
        yield from ((1, record) for record in whole)
        return
    yield from ((number, _parsed(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text)
        return _as_text(value) if "\\u" in text else value
    except (ValueError, RecursionError) as error:
        return ValueError(str(error)[:80])


def _as_text(value: Any) -> Any:
    """A value whose texts, keys as well, hold nothing that an escape may stand for and no text may hold."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return {_as_text(key): _as_text(one) for key, one in value.items()} if isinstance(value, dict) else value


def _read_record(record: Any, name: str, line: int, zone: Zone) -> tuple[ImportedIncident | None, list[Problem]]:
    if isinstance(record, ValueError):
        return None, [Problem(name, line, "The line is no JSON; it was left out.")]
    if not isinstance(record, dict):
        return None, [Problem(name, line, "The line is no JSON object; it was left out.")]
    if is_record(record):
        return read_record(record, name, line, zone)
    if is_status_page(record):
        return read_status_page(record, name, line)
    return None, [Problem(name, line, "The record has neither incident_id nor updates; it was left out.")]
