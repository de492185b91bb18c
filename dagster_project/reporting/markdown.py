"""Markdown that shows data as data: escaping, names, links. What a function here wrote is marked, and printed as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from dagster_project.reporting import charts
from dagster_project.reporting.incident_views import IncidentLine
from dagster_project.reporting.views import PullRequestLine
from dagster_project.reporting.words import clean, shorten


class _Written(str):
    """Markdown that a filter of this module wrote; everything else is data."""

    __slots__ = ()


# What GitHub links after it has parsed the Markdown, so that a backslash would not help: @mentions, #1 and GH-1,
# addresses (http:, www.), :emoji:. A zero-width space breaks them and stays invisible.
_LINKED_LATER = re.compile(r"@|#(?=\d)|GH-(?=\d)|(?<=\w):(?=//)|www(?=\.)|:(?=[a-z][\w+-]*:)", re.IGNORECASE)
_MARKDOWN = re.compile(r"[\\`*_{}\[\]|~#$^&]")
# List items, rules and underlines of headings.
_LINE_START = re.compile(r"^(?:[-+=](?=[-=\s]|$)|\d{1,9}(?=[.)](?:\s|$)))")
# Made of these alone, a name can neither end a code span nor a table cell.
_PLAIN_NAME = re.compile(r"[\w.:/=+,@#%() -]+", re.ASCII)


def own_markdown(text: str) -> str:
    """Marks Markdown of our own, which is printed as it is."""
    return _Written(text)


def escape_markdown(value: Any) -> Any:
    """Data as Markdown that shows the data: no markup, no link, no mention, no comment, no new line or cell."""
    if isinstance(value, _Written) or not isinstance(value, str):
        return value
    text = " ".join(clean(value).split())
    text = _LINKED_LATER.sub(lambda match: match[0] + "\N{ZERO WIDTH SPACE}", text)
    text = _MARKDOWN.sub(lambda match: "\\" + match[0], text)
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    text = _LINE_START.sub(lambda match: "\N{ZERO WIDTH SPACE}" + match[0], text)
    if any(unicodedata.bidirectional(c) in {"R", "AL"} for c in text):
        text = f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"
    return _Written(text)


def name_markdown(value: str) -> str:
    """A name as code where that is safe for every character of it; otherwise as escaped text."""
    text = shorten(" ".join(clean(value).split()))
    return _Written(f"`{text}`") if _PLAIN_NAME.fullmatch(text) else escape_markdown(text)


_ADDRESS = re.compile(r"https?://[\w.:/~%+=,-]+", re.ASCII)


def pull_link(line: PullRequestLine) -> str:
    """The number of a pull request as a link, where its address is a plain one."""
    return _Written(f"[#{line.number}]({line.url})") if line.url and _ADDRESS.fullmatch(line.url) else ""


def link_markdown(address: str, words: str) -> str:
    """Our own words as a link, where the address is a plain one; else nothing."""
    return _Written(f"[{words}]({address})") if _ADDRESS.fullmatch(address) else ""


def document_link(line: IncidentLine) -> str:
    """An incident's id as a link to its postmortem, where it has one."""
    name = name_markdown(line.incident_id)
    return name if line.document is None else _Written(f"[{name}]({line.document.removesuffix('.html')}.md)")


def spark_markdown(chart: Any) -> str:
    """The week's CPU as a sparkline in a code span."""
    return _Written(f"`{charts.sparkline(chart)}`")


def written(function: Callable[..., str]) -> Callable[..., str]:
    """The function with its words marked as Markdown of our own: ``<$0.01`` and ``$1,234`` are."""
    return lambda *arguments: _Written(function(*arguments).replace("<", "&lt;").replace(">", "&gt;"))
