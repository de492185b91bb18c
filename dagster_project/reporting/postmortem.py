"""The postmortem as Markdown: generated sections, and empty ones for what only people can write.

The template lays out and computes nothing. Names, messages and sentences are data: whatever the template prints is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.merging import marked
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.reporting.markdown import escape_markdown, own_markdown
from dagster_project.reporting.postmortem_mermaid import gantt
from dagster_project.reporting.postmortem_views import ErrorBudget, Mitigation, Postmortem, TimelineEntry, Window
from dagster_project.reporting.templates import markdown_templates
from dagster_project.reporting.words import UNKNOWN, clean, duration, money, percent

_SHOWN_ENTRIES = 200
_LINK = re.compile(r"https?://[\w.~:/?#@!$&*+,;=%-]+", re.ASCII)

GUIDANCE = {
    "contributing-factors": (
        "## Contributing factors",
        "Several conditions met. Name each, and why it made sense until that day; there is no single root cause.",
    ),
    "went-well": ("## What went well", "What kept it from being worse, so that we keep it?"),
    "went-wrong": ("## What went wrong", "What made it harder to notice, to understand or to mend?"),
    "was-lucky": ("## Where we were lucky", "What helped by chance, and would not help the next time?"),
    "lessons": ("## Lessons", "What do we know now that we did not know before?"),
    "decisions": ("## Decisions", "What was decided, by whom, on which day; also what we decided not to do."),
}
"""Sections for people: heading, and one line of guidance. They are never generated anew."""

ORDER = (
    "header", "summary", "impact", "phases", "metrics", "timeline", "engine", "contributing-factors", "factors", "went-well",
    "went-wrong", "was-lucky", "similar", "blast_radius", "error_budget", "cost", "mitigation", "capacity", "rightsizing",
    "actions", "experiments", "lessons", "decisions", "wording", "anomalies",
)  # fmt: skip
"""Sections in reading order."""


@dataclass(frozen=True)
class Section:
    """A part of the document: Markdown that ends with a new line. People's sections are not ``is_generated``."""

    name: str
    text: str
    is_generated: bool


@dataclass(frozen=True)
class _Row:
    """An entry of the timeline with its time as it is written and the lane's name."""

    time: str
    lane: str
    entry: TimelineEntry


def render_markdown(view: Postmortem) -> tuple[Section, ...]:
    """The sections in reading order."""
    template = markdown_templates().get_template("postmortem.md.j2")
    context = template.new_context(_context(view))
    generated = {name: _tidy("".join(block(context))) for name, block in template.blocks.items()}
    return tuple(
        Section(name, generated[name], True) if name in generated else Section(name, _for_people(name), False) for name in ORDER
    )


def redacted(view: Postmortem, redactor: Redactor) -> Postmortem:
    """The view with ``redactor`` over every text in it: nothing that a builder overlooked reaches a document."""
    return with_texts(view, redactor.text)


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A value with ``change`` over every text in it: in tuples, mappings and dataclasses, however deep; all else as it is."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(with_texts(item, change) for item in value)
    if isinstance(value, Mapping):
        return {key: with_texts(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: with_texts(getattr(value, field.name), change) for field in fields(value)})
    return value


def document(sections: Iterable[Section]) -> str:
    """The whole document: generated sections between their comments (``domain.incidents.merging``), the others as they are."""
    return "\n".join(marked(s.name, s.text) if s.is_generated else s.text for s in sections)


def when(at: datetime | None, precision: str = "second") -> str:
    """A time as exactly as it is known: ``2025-03-03 08:14:40``, ``… 08:14``, ``2025-03-03, about 08 h``, ``2025-03-03``."""
    if at is None:
        return UNKNOWN
    if precision == "day":
        return f"{at:%Y-%m-%d}"
    if precision == "hour":
        return f"{at:%Y-%m-%d}, about {at:%H} h"
    if precision == "minute" or not at.second:
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _context(view: Postmortem) -> dict[str, Any]:
    rows = _rows(view.timeline)
    return {
        "view": view,
        "rows": rows,
        "left_out": len(view.timeline) - len(rows),
        "mermaid": own_markdown(gantt(view)),
        "empty": lambda section, otherwise: view.empty_because.get(section, otherwise),
        "duration": duration,
        "when": when,
        "between": _between,
        "number": lambda value: UNKNOWN if value is None else f"{value:,.0f}",
        "usd": lambda value: UNKNOWN if value is None else own_markdown(money(value).replace("<", "&lt;")),
        "link": _link,
        "spent": _spent,
        "median": _median,
        "secondary": _secondary,
    }


def _tidy(text: str) -> str:
    """One empty line between blocks, one new line at the end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _for_people(name: str) -> str:
    heading, guidance = GUIDANCE[name]
    return f"{heading}\n\n*{guidance}*\n"


def _rows(timeline: Sequence[TimelineEntry]) -> list[_Row]:
    ranked = sorted(range(len(timeline)), key=lambda place: (_rank(timeline[place]), place))[:_SHOWN_ENTRIES]
    rows: list[_Row] = []
    day = None
    for entry in (timeline[place] for place in sorted(ranked)):
        rows.append(_Row(_clock(entry, is_new_day=entry.at.date() != day), "" if entry.lane == "silence" else entry.lane, entry))
        day = entry.at.date()
    return rows


def _rank(entry: TimelineEntry) -> int:
    return 0 if entry.phase or entry.lane == "silence" else 1 if entry.lane == "engine" else 2


def _clock(entry: TimelineEntry, *, is_new_day: bool) -> str:
    """The day stands with its first entry only; a stretch has its end."""
    start, end = _exact(entry.at, entry.precision), _exact(entry.until or entry.at, entry.precision)
    if not is_new_day and entry.precision in ("second", "minute"):
        start = start[11:]
    if entry.until is None or entry.until == entry.at:
        return start
    return f"{start}–{end[11:] if entry.until.date() == entry.at.date() else end}"


def _exact(at: datetime, precision: str) -> str:
    """As ``when``, with the seconds where they are known, even if they are none: times below each other stay comparable."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if precision == "second" else when(at, precision)


def _between(window: Window) -> str:
    return UNKNOWN if window.ended_at is None else duration((window.ended_at - window.started_at).total_seconds() / 60)


def _link(target: Any) -> str:
    """What has an address as a link, where the address is a plain one; its text otherwise."""
    text = getattr(target, "text", None) or getattr(target, "incident_id", "")
    if not target.url or not _LINK.fullmatch(target.url):
        return escape_markdown(text)
    return own_markdown(f"[{escape_markdown(clean(text))}](<{target.url}>)")


def _spent(budget: ErrorBudget) -> str:
    if budget.spent_pct is None:
        return UNKNOWN
    minutes = "" if budget.spent_minutes is None else f", {duration(budget.spent_minutes)}"
    return f"{percent(budget.spent_pct)} of it{minutes}"


def _median(line: Mitigation) -> str:
    if line.median_minutes is None:
        return UNKNOWN
    interval = line.median_interval
    return duration(line.median_minutes) + (f" ({duration(interval[0])} to {duration(interval[1])})" if interval else "")


def _secondary(line: Mitigation) -> str:
    if line.secondary_pct is None:
        return UNKNOWN
    interval = line.secondary_interval
    written = f" ({percent(interval[0])} to {percent(interval[1])})" if interval else ""
    return percent(line.secondary_pct) + written
