"""The timeline of an incident as inline SVG: lanes below each other, impact shaded, phases as labelled lines.

As in ``charts``, positions are in percent, so that text keeps its size however wide the chart is, and colours are CSS variables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from dagster_project.reporting.charts import ACCENT, INK, LINE, MUTED, SURFACE, svg
from dagster_project.reporting.postmortem_mermaid import LANE_TITLES
from dagster_project.reporting.postmortem_views import Postmortem, TimelineEntry
from dagster_project.reporting.words import clean

MINIMUM_WIDTH = 760
"""Pixels below which labels would be printed over each other; the page scrolls the chart sideways on narrower screens."""

_IMPACT = "var(--impact,#b3403a)"
# Keeps text legible over lines and shades.
_HALO = f"paint-order:stroke;stroke:{SURFACE};stroke-width:3px;stroke-linejoin:round"
_LANE_COLOURS = {"engine": ACCENT, "alarms": _IMPACT}
_PHASE_ROW, _LABEL_ROW, _LANE_HEAD, _AXIS = 17, 17, 22, 26
_MOST_LABEL_ROWS = 3
# A lane with more dots shows how much happened and when; what it was is read in the table.
_MOST_LABELLED = 45
_CHARACTER = 6.6 * 100 / MINIMUM_WIDTH
"""Width of a character in percent of the smallest chart."""
_LONGEST_LABEL = 26
# Dots of a lane nearer than this share of the span become one.
_BUCKETS = 90
_PADDING = 0.02
_STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160, 40_320, 87_600, 175_200, 525_600)
)
_MOST_TICKS = 8


@dataclass(frozen=True)
class _Scale:
    """The time that the chart's width stands for."""

    start: datetime
    span: timedelta

    def x(self, at: datetime) -> float:
        """Percent of the width, 0..100."""
        return min(max(100 * ((at - self.start) / self.span), 0.0), 100.0)


@dataclass(frozen=True)
class _Dot:
    """Neighbouring entries of a lane as one mark; ``row`` is where its label stands, None where it has no room."""

    x: float
    until: float
    entries: tuple[TimelineEntry, ...]
    label: str = ""
    row: int | None = None


def timeline_chart(view: Postmortem) -> Markup:
    """The chart, or nothing where no time is known."""
    scale = _scale(view)
    if scale is None:
        return Markup("")
    phases = _phase_labels(view, scale)
    top = 8 + _PHASE_ROW * (1 + max((row for *_, row in phases), default=-1)) + 6
    body, bottom = [], top
    for lane, title in LANE_TITLES.items():
        entries = [entry for entry in view.timeline if entry.lane == lane]
        if entries:
            markup, height = _lane(lane, title, entries, scale, bottom)
            body.append(markup)
            bottom += height
    bottom = max(bottom, top + 24)
    parts = [*_shades(view, scale, top, bottom), *_ticks(scale, top, bottom), *_phase_lines(phases, bottom), *body]
    return svg(
        f'<svg class="incident" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{bottom + _AXIS}"'
        f' style="font:12px system-ui,sans-serif;min-width:{MINIMUM_WIDTH}px">'
        f"<title>{escape(chart_title(view))}</title><desc>{escape(chart_description(view))}</desc>{''.join(parts)}</svg>"
    )


def chart_title(view: Postmortem) -> str:
    """The chart in one line."""
    return f"Timeline of {clean(view.header.incident_id)}: {len(view.timeline):,} entries"


def chart_description(view: Postmortem) -> str:
    """The chart in sentences, for readers who do not see it."""
    windows = [
        f"Customers felt it from {w.started_at:%Y-%m-%d %H:%M} to "
        + (f"{w.ended_at:%Y-%m-%d %H:%M}." if w.ended_at else "an unknown time.")
        for w in view.impact.windows[:12]
    ]
    phases = [f"{clean(p.title)}: {p.at:%Y-%m-%d %H:%M}." for p in view.phases if p.at is not None]
    counts = {title: sum(e.count for e in view.timeline if e.lane == lane) for lane, title in LANE_TITLES.items()}
    lanes = ", ".join(f"{title} {count:,}" for title, count in counts.items() if count)
    return " ".join([*windows, *phases, f"Events by lane: {lanes}." if lanes else "No events.", "Times are UTC."])


def _scale(view: Postmortem) -> _Scale | None:
    times = [at for window in view.impact.windows for at in (window.started_at, window.ended_at) if at is not None]
    times += [phase.at for phase in view.phases if phase.at is not None]
    times += [at for entry in view.timeline for at in (entry.at, entry.until) if at is not None]
    if not times:
        return None
    first, last = min(times), max(times)
    span = max(last - first, timedelta(minutes=5))
    return _Scale(first - _PADDING * span, span * (1 + 2 * _PADDING))


def _shades(view: Postmortem, scale: _Scale, top: float, bottom: float) -> Iterator[str]:
    for window in view.impact.windows:
        x = scale.x(window.started_at)
        width = (100.0 if window.ended_at is None else scale.x(window.ended_at)) - x
        yield (
            f'<rect x="{x:.2f}%" y="{top}" width="{max(width, 0.3):.2f}%" height="{bottom - top}"'
            f' style="fill:{_IMPACT};fill-opacity:.1"/>'
            f'<rect x="{x:.2f}%" y="{top}" width="{max(width, 0.3):.2f}%" height="3" style="fill:{_IMPACT}"/>'
        )


def _ticks(scale: _Scale, top: float, bottom: float) -> Iterator[str]:
    step = next((step for step in _STEPS if scale.span / step <= _MOST_TICKS), scale.span / _MOST_TICKS)
    midnight = scale.start.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + math.ceil((scale.start - midnight) / step) * step
    end, day = scale.start + scale.span, None
    while at <= end:
        x = scale.x(at)
        label = (
            f"{at.day} {at:%b}"
            if step >= timedelta(days=1)
            else f"{at.day} {at:%b} {at:%H:%M}"
            if at.date() != day
            else f"{at:%H:%M}"
        )
        day = at.date()
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        yield f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="{top}" y2="{bottom}" style="stroke:{LINE};stroke-width:1"/>'
        yield f'<text x="{x:.2f}%" y="{bottom + 17}" text-anchor="{anchor}" style="fill:{MUTED}">{label}</text>'
        at += step


def _phase_labels(view: Postmortem, scale: _Scale) -> list[tuple[float, str, bool, int]]:
    """Position, label, whether the label ends at its line (near the right edge), and the row in which it is free."""
    titles: dict[datetime, list[str]] = {}
    for phase in view.phases:
        if phase.at is not None:
            titles.setdefault(phase.at, []).append(clean(phase.title))
    rows: list[float] = []
    labels = []
    for at in sorted(titles):
        text = _cut(", ".join(titles[at]), 44)
        x, width = scale.x(at), _CHARACTER * len(text) + 1.2
        is_left = x + width > 100
        start = x - width if is_left else x
        row = next((place for place, free_from in enumerate(rows) if free_from <= start), len(rows))
        rows[row : row + 1] = [max(x, start + width)]
        labels.append((x, text, is_left, row))
    return labels


def _phase_lines(labels: Iterable[tuple[float, str, bool, int]], bottom: float) -> Iterator[str]:
    for x, text, is_left, row in labels:
        y = 8 + row * _PHASE_ROW
        dx, anchor = (-5, "end") if is_left else (5, "start")
        yield (
            f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="{y}" y2="{bottom}" style="stroke:{INK};stroke-width:1;stroke-dasharray:3 3"/>'
            f'<text x="{x:.2f}%" dx="{dx}" y="{y + 9}" text-anchor="{anchor}"'
            f' style="fill:{INK};font-weight:600;{_HALO}">{escape(text)}</text>'
        )


def _lane(lane: str, title: str, entries: Sequence[TimelineEntry], scale: _Scale, top: float) -> tuple[str, float]:
    """The lane's markup, and its height in pixels."""
    dots = _with_labels(_dots(entries, scale))
    rows = 1 + max((dot.row for dot in dots if dot.row is not None), default=-1)
    height = _LANE_HEAD + 14 + rows * _LABEL_ROW + 8
    total = sum(entry.count for entry in entries)
    head = (
        f'<line x1="0" x2="100%" y1="{top}" y2="{top}" style="stroke:{LINE};stroke-width:1"/>'
        f'<text x="4" y="{top + 16}" style="fill:{MUTED};font-weight:600;{_HALO}">'
        f'{escape(title)} <tspan style="font-weight:400">{total:,}</tspan></text>'
    )
    colour = _LANE_COLOURS.get(lane, INK)
    return head + "".join(_dot_markup(dot, colour, top + _LANE_HEAD + 8) for dot in dots), height


def _dots(entries: Sequence[TimelineEntry], scale: _Scale) -> list[_Dot]:
    groups: dict[int, list[TimelineEntry]] = {}
    for entry in entries:
        groups.setdefault(int(scale.x(entry.at) / 100 * _BUCKETS), []).append(entry)
    dots = []
    for _, group in sorted(groups.items()):
        until = max(scale.x(entry.until or entry.at) for entry in group)
        dots.append(_Dot(scale.x(group[0].at), until, tuple(group), _label(group)))
    return dots


def _label(group: Sequence[TimelineEntry]) -> str:
    """What the entry that matters most says; ``×3`` where all say so, ``+2`` where others say something else."""
    first = next((entry for entry in group if entry.phase or entry.effect == "acted"), group[0])
    words = clean(first.label or first.text)
    count = sum(entry.count for entry in group)
    is_same = all(clean(entry.label or entry.text) == words for entry in group)
    return _cut(words, _LONGEST_LABEL) + ("" if count == 1 else f" ×{count:,}" if is_same else f" +{len(group) - 1}")


def _with_labels(dots: Sequence[_Dot]) -> list[_Dot]:
    """Each label in the first row in which it touches no other; those without room are read in the table."""
    if len(dots) > _MOST_LABELLED:
        return list(dots)
    rows = [0.0] * _MOST_LABEL_ROWS
    placed = []
    for dot in dots:
        width = _CHARACTER * len(dot.label) + 1
        start = min(dot.x, 100 - width)
        row = next((place for place, free_from in enumerate(rows) if free_from <= start), None)
        if row is not None:
            rows[row] = start + width
        placed.append(_Dot(dot.x, dot.until, dot.entries, dot.label, row))
    return placed


def _dot_markup(dot: _Dot, colour: str, y: float) -> str:
    blocked = all(entry.effect in ("blocked", "failed") for entry in dot.entries)
    radius = min(4 + 1.5 * math.log2(len(dot.entries)), 9)
    fill = f"fill:{SURFACE};stroke:{colour};stroke-width:2" if blocked else f"fill:{colour};stroke:{SURFACE};stroke-width:1"
    words = "; ".join(f"{entry.at:%H:%M:%S} {clean(entry.label or _cut(entry.text, 60))}" for entry in dot.entries[:4])
    more = f"; and {len(dot.entries) - 4:,} more" if len(dot.entries) > 4 else ""
    parts = []
    if dot.until - dot.x > 0.5:
        parts.append(
            f'<line x1="{dot.x:.2f}%" x2="{dot.until:.2f}%" y1="{y}" y2="{y}"'
            f' style="stroke:{colour};stroke-width:3;stroke-opacity:.35"/>'
        )
    parts.append(
        f'<circle cx="{dot.x:.2f}%" cy="{y}" r="{radius:.1f}" style="{fill}"><title>{escape(words + more)}</title></circle>'
    )
    if dot.row is not None:
        is_end = dot.x + _CHARACTER * len(dot.label) + 1 > 100
        dx, anchor = (5, "end") if is_end else (-4, "start")
        parts.append(
            f'<text x="{dot.x:.2f}%" dx="{dx}" y="{y + 20 + dot.row * _LABEL_ROW}" text-anchor="{anchor}"'
            f' style="fill:{INK};{_HALO}">{escape(dot.label)}</text>'
        )
    return "".join(parts)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
