"""Charts as inline SVG: a view model in, markup out, the same bytes for the same values.

A chart is as wide as its box. The plot stretches to it while text and strokes keep their size, so that the labels are
as readable on a phone as on a desk; hence the nested ``<svg>`` and the positions in percent. Colours are CSS variables
with the light theme's value as fallback. Elements carry no ``id``: any number of charts can stand on one page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from dagster_project.reporting.page_views import Peaks
from dagster_project.reporting.views import DemandChart, VerdictCount
from dagster_project.reporting.words import WEEKDAYS, percent

VERDICT_ORDER = ("propose", "refuse", "insufficient", "keep")
VERDICT_WORDS = {
    "propose": "proposed",
    "refuse": "refused",
    "insufficient": "without enough evidence",
    "keep": "kept",
}

ACCENT = "var(--accent,#0b6b57)"
INK = "var(--ink,#1c1e21)"
MUTED = "var(--muted,#5a6068)"
LINE = "var(--line,#dfe0dc)"
SURFACE = "var(--surface,#fff)"
TRACK = "var(--track,#e9e9e5)"

_PLOT_TOP, _PLOT_HEIGHT, _CHART_HEIGHT = 42, 150, 216
_PEAKS_HEIGHT = 132
# Two limit labels nearer than this (in percent of the scale) would be printed over each other.
_LABEL_CLEARANCE = 11.0
# A verdict of one resource among thousands must still be seen; the share is of the bar's width.
_SMALLEST_SEGMENT_PCT = 0.8
_SEGMENT_GAP_PCT = 0.25
_SPARKS = "▁▂▃▄▅▆▇█"


def demand_chart(chart: DemandChart) -> Markup:
    """CPU (area) and memory (line) by the hour, against the dashed level at which the smaller size would be full."""
    top = _scale_top(chart)
    cpu, memory = _padded(chart.cpu_pct, chart.hours), _padded(chart.memory_pct, chart.hours)
    has_memory = any(value is not None for value in memory)
    plot = [_horizontal(level, top, chart.hours, f"stroke:{LINE};stroke-width:1") for level in (0.0, 50.0, 100.0)]
    plot += [
        f'<path d="M{hour} 0V100" style="stroke:{LINE};stroke-width:1" vector-effect="non-scaling-stroke"/>'
        for hour in _midnights(chart)
    ]
    for start, values in runs(cpu):
        plot.append(f'<path d="{_steps(start, values, top)}V100H{start}Z" style="fill:{ACCENT};fill-opacity:.16;stroke:none"/>')
    if has_memory:
        plot += [_line(start, values, top, MUTED) for start, values in runs(memory)]
    plot += [_line(start, values, top, ACCENT) for start, values in runs(cpu)]
    limits = _limits(chart, has_memory)
    plot += [
        _horizontal(limit.level, top, chart.hours, f"stroke:{limit.colour};stroke-width:1.5;stroke-dasharray:5 4")
        for limit in limits
    ]
    body = "".join(plot)
    return svg(
        f'<svg class="demand" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{_CHART_HEIGHT}"'
        ' style="font:12px system-ui,sans-serif">'
        f"<title>{escape(demand_title(chart))}</title><desc>{escape(demand_description(chart))}</desc>"
        f"{_legend(has_memory)}"
        f'<svg x="0" y="{_PLOT_TOP}" width="100%" height="{_PLOT_HEIGHT}" viewBox="0 0 {chart.hours} 100"'
        f' preserveAspectRatio="none" style="fill:none;overflow:visible">{body}</svg>'
        f"{_scale_labels(top)}{_limit_labels(limits, top)}{_day_labels(chart)}"
        "</svg>"
    )


def small_demand(chart: DemandChart) -> Markup:
    """CPU of the week in the height of a line of text, against the level at which the smaller size would be full."""
    cpu = _padded(chart.cpu_pct, chart.hours)
    top = max([100 / 0.9 * chart.target_cpu_limit_pct / 100, *(value for value in cpu if value is not None)], default=100.0)
    plot = [_line(start, values, top, ACCENT) for start, values in runs(cpu)]
    plot.append(_horizontal(chart.target_cpu_limit_pct, top, chart.hours, f"stroke:{INK};stroke-width:1;stroke-dasharray:3 3"))
    return svg(
        '<svg class="small-demand" xmlns="http://www.w3.org/2000/svg" role="img" width="120" height="32">'
        f"<title>{escape(demand_title(chart))}</title>"
        f'<svg x="0" y="1" width="120" height="30" viewBox="0 0 {chart.hours} 100" preserveAspectRatio="none"'
        f' style="fill:none;overflow:visible">{"".join(plot)}</svg></svg>'
    )


def peaks_chart(peaks: Peaks) -> Markup:
    """CPU (bars) and memory (line) of each day, against the dashed level at which the smaller size would be full."""
    values = [value for value in (*peaks.cpu_pct, *peaks.memory_pct, peaks.cpu_limit_pct) if value is not None]
    top = max([100.0, *(25.0 * -(-value // 25) for value in values)])
    days = len(peaks.cpu_pct)
    plot = [_horizontal(level, top, days, f"stroke:{LINE};stroke-width:1") for level in (0.0, 50.0, 100.0)]
    bars = "".join(
        f"M{number + 0.15:.2f} 100V{_y_pct(value, top):.1f}h0.7V100Z"
        for number, value in enumerate(peaks.cpu_pct)
        if value is not None
    )
    plot.append(f'<path d="{bars}" style="fill:{ACCENT};fill-opacity:.45;stroke:none"/>')
    plot += [_line(start, run, top, MUTED) for start, run in runs(peaks.memory_pct)]
    if peaks.cpu_limit_pct is not None:
        style = f"stroke:{INK};stroke-width:1.5;stroke-dasharray:5 4"
        plot.append(_horizontal(peaks.cpu_limit_pct, top, days, style))
    last = peaks.first + timedelta(days=days - 1)
    labels = text(f"{peaks.first:%d %b}", x="0", y=_PEAKS_HEIGHT - 6) + text(
        f"{last:%d %b}", x="100%", y=_PEAKS_HEIGHT - 6, anchor="end"
    )
    return svg(
        f'<svg class="peaks" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{_PEAKS_HEIGHT}"'
        ' style="font:12px system-ui,sans-serif">'
        f"<title>{escape(_peaks_title(peaks))}</title>"
        f'<svg x="0" y="8" width="100%" height="{_PEAKS_HEIGHT - 32}" viewBox="0 0 {days} 100" preserveAspectRatio="none"'
        f' style="fill:none;overflow:visible">{"".join(plot)}</svg>{labels}</svg>'
    )


def peaks_caption(peaks: Peaks) -> str:
    """What the marks are; what is not drawn is not named."""
    drawn = (("CPU (bars)", peaks.cpu_pct), ("memory (line)", peaks.memory_pct))
    names = [name for name, values in drawn if any(value is not None for value in values)]
    told = f"Highest {' and '.join(names)} of each day, in percent of the present size"
    return told + ("; dashed: where the CPU of the smaller size is full." if peaks.cpu_limit_pct is not None else ".")


def _peaks_title(peaks: Peaks) -> str:
    cpu = [value for value in peaks.cpu_pct if value is not None]
    memory = [value for value in peaks.memory_pct if value is not None]
    told = f"{len(peaks.cpu_pct)} days: " + (f"CPU peaks at {percent(max(cpu))}" if cpu else "no CPU data")
    told += f", memory at {percent(max(memory))}" if memory else ""
    return told + (f"; the smaller size is full at {percent(peaks.cpu_limit_pct)}" if peaks.cpu_limit_pct is not None else "")


def demand_title(chart: DemandChart) -> str:
    """The chart in one line: the span, the peak and the limit."""
    peak = _peak(chart.cpu_pct)
    days = round(chart.hours / 24)
    span = f"{days} {'day' if days == 1 else 'days'} of demand"
    if peak is None:
        return f"{span}: no CPU data"
    limit = percent(chart.target_cpu_limit_pct)
    return f"{span}: CPU peaks at {percent(peak[1])}, the smaller size is full at {limit}"


def demand_description(chart: DemandChart) -> str:
    """The chart in sentences, for readers who do not see it."""
    last = chart.starts_at + timedelta(hours=chart.hours)
    parts = [
        f"Hourly maxima in percent of the present size, {_instant(chart.starts_at)} to {_instant(last)} UTC.",
        _peak_sentence("CPU", chart, chart.cpu_pct, chart.target_cpu_limit_pct),
        _peak_sentence("Memory", chart, chart.memory_pct, chart.target_memory_limit_pct),
    ]
    return " ".join([*parts, *_missing_sentence(chart)])


def demand_caption(chart: DemandChart) -> str:
    """What the axes are, and how much of the week is a gap."""
    return " ".join(["Hourly maxima in percent of the present size, UTC.", *_missing_sentence(chart)])


def verdict_bar(verdicts: Sequence[VerdictCount]) -> Markup:
    """One stacked bar: how many resources ended in each verdict, in the order of ``VERDICT_ORDER``."""
    counted = [verdict for verdict in ordered_verdicts(verdicts) if verdict.resources > 0]
    total = sum(verdict.resources for verdict in counted)
    words = ", ".join(f"{v.resources:,} {VERDICT_WORDS.get(v.verdict, v.verdict)}" for v in counted)
    title = f"{total:,} {'resource' if total == 1 else 'resources'}: {words}" if counted else "No resources"
    floored = [max(100 * verdict.resources / total, _SMALLEST_SEGMENT_PCT) for verdict in counted]
    room = 100 - _SEGMENT_GAP_PCT * max(len(counted) - 1, 0)
    rects, x = [], 0.0
    for verdict, share in zip(counted, floored, strict=True):
        width = room * share / sum(floored)
        name = verdict.verdict if verdict.verdict in VERDICT_ORDER else "keep"
        rects.append(f'<rect x="{x:.2f}" y="0" width="{width:.2f}" height="10" style="fill:var(--verdict-{name},{MUTED})"/>')
        x += width + _SEGMENT_GAP_PCT
    empty = f'<rect x="0" y="0" width="100" height="10" style="fill:{TRACK}"/>'
    return svg(
        '<svg class="verdict-bar" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="14"'
        f' viewBox="0 0 100 10" preserveAspectRatio="none"><title>{escape(title)}</title>'
        f"{''.join(rects) or empty}</svg>"
    )


def ordered_verdicts(verdicts: Iterable[VerdictCount]) -> list[VerdictCount]:
    """The verdicts in reading order; one that this version does not know comes last."""
    rank = {name: position for position, name in enumerate(VERDICT_ORDER)}
    return sorted(verdicts, key=lambda verdict: rank.get(verdict.verdict, len(rank)))


def share_bar(share_pct: float) -> Markup:
    """A bar of ``share_pct`` (0..100) on its track; assistive technology reads the number beside it instead."""
    width = min(max(share_pct, 0.0), 100.0)
    return svg(
        '<svg class="share-bar" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" width="100%" height="8"'
        ' viewBox="0 0 100 8" preserveAspectRatio="none">'
        f'<rect x="0" y="0" width="100" height="8" style="fill:{TRACK}"/>'
        f'<rect x="0" y="0" width="{width:.2f}" height="8" style="fill:{ACCENT}"/></svg>'
    )


def sparkline(chart: DemandChart, *, hours_per_mark: int = 6) -> str:
    """CPU as block characters, days set apart by a space: ``█`` is full on the smaller size, ``·`` is a gap."""
    marks: dict[int, list[str]] = {}
    cpu = _padded(chart.cpu_pct, chart.hours)
    for start in range(0, chart.hours, hours_per_mark):
        seen = [value for value in cpu[start : start + hours_per_mark] if value is not None]
        marks.setdefault((chart.starts_at.hour + start) // 24, []).append(
            _spark(max(seen), chart.target_cpu_limit_pct) if seen else "·"
        )
    return " ".join("".join(day) for day in marks.values())


def svg(markup: str) -> Markup:
    """Marks a chart as markup that needs no escaping."""
    return Markup(markup)  # noqa: S704 - numbers of our own; every text is escaped where it enters


@dataclass(frozen=True)
class _Limit:
    level: float
    label: str
    colour: str


def _limits(chart: DemandChart, has_memory: bool) -> list[_Limit]:
    cpu, memory = chart.target_cpu_limit_pct, chart.target_memory_limit_pct
    if memory is None or not has_memory:
        return [_Limit(cpu, f"full at {percent(cpu)}", INK)]
    if percent(cpu) == percent(memory):
        return [_Limit(cpu, f"CPU and memory full at {percent(cpu)}", INK)]
    return [
        _Limit(cpu, f"CPU full at {percent(cpu)}", INK),
        _Limit(memory, f"memory full at {percent(memory)}", MUTED),
    ]


def _limit_labels(limits: Sequence[_Limit], top: float) -> str:
    heights = [_y_pct(limit.level, top) for limit in limits]
    crowded = len(heights) == 2 and abs(heights[0] - heights[1]) < _LABEL_CLEARANCE
    labels = []
    for limit, height in zip(limits, heights, strict=True):
        below = height < 8 or (crowded and height == max(heights))
        y = _PLOT_TOP + _PLOT_HEIGHT * height / 100 + (14 if below else -6)
        labels.append(text(limit.label, x="100%", y=y, anchor="end", colour=limit.colour, weight=600))
    return "".join(labels)


def _scale_labels(top: float) -> str:
    return "".join(
        text(f"{level:.0f}%", x="0", y=_PLOT_TOP + _PLOT_HEIGHT * _y_pct(level, top) / 100 - 4) for level in (50.0, 100.0)
    )


def _day_labels(chart: DemandChart) -> str:
    edges = [0, *_midnights(chart), chart.hours]
    every = -(-(len(edges) - 1) // 8)
    labels = []
    for position, (start, end) in enumerate(pairwise(edges)):
        # A part of a day is narrower than its label.
        if end - start < 12 or position % every:
            continue
        day = chart.starts_at + timedelta(hours=start)
        x = f"{100 * (start + end) / 2 / chart.hours:.2f}%"
        labels.append(text(f"{_weekday(day)} {day.day}", x=x, y=_CHART_HEIGHT - 7, anchor="middle"))
    return "".join(labels)


def _legend(has_memory: bool) -> str:
    items = [("CPU", f"stroke:{ACCENT};stroke-width:3", 52)]
    if has_memory:
        items.append(("Memory", f"stroke:{MUTED};stroke-width:1.5", 78))
    items.append(("Smaller size is full", f"stroke:{INK};stroke-width:1.5;stroke-dasharray:5 4", 0))
    marks, x = [], 0
    for label, style, advance in items:
        marks.append(f'<path d="M{x} 8H{x + 16}" style="fill:none;{style}"/>' + text(label, x=str(x + 22), y=12))
        x += advance + 12
    return "".join(marks)


def text(label: str, *, x: str, y: float, anchor: str = "start", colour: str = MUTED, weight: int = 400) -> str:
    # The halo keeps a label readable where it crosses a line.
    return (
        f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{colour};font-weight:{weight};'
        f'paint-order:stroke;stroke:{SURFACE};stroke-width:3px;stroke-linejoin:round">{escape(label)}</text>'
    )


def _horizontal(level: float, top: float, hours: int, style: str) -> str:
    return f'<path d="M0 {_y_pct(level, top):.2f}H{hours}" style="{style}" vector-effect="non-scaling-stroke"/>'


def _line(start: int, values: Sequence[float], top: float, colour: str) -> str:
    style = f"stroke:{colour};stroke-width:1.5;stroke-linejoin:round"
    return f'<path d="{_steps(start, values, top)}" style="{style}" vector-effect="non-scaling-stroke"/>'


def _steps(start: int, values: Sequence[float], top: float) -> str:
    """A maximum holds for its whole hour: steps claim nothing in between, and an hour between two gaps is visible."""
    steps = [f"{_y_pct(value, top):.2f}H{hour + 1}" for hour, value in enumerate(values, start=start)]
    return f"M{start} " + "V".join(steps)


def runs(values: Sequence[float | None]) -> list[tuple[int, list[float]]]:
    """Neighbouring values that are there, each with the place of its first: ``None`` is a gap."""
    found: list[tuple[int, list[float]]] = []
    for hour, value in enumerate(values):
        if value is None:
            continue
        if found and found[-1][0] + len(found[-1][1]) == hour:
            found[-1][1].append(value)
        else:
            found.append((hour, [value]))
    return found


def _padded(values: Sequence[float | None], hours: int) -> list[float | None]:
    return [*values[:hours], *[None] * (hours - len(values))]


def _scale_top(chart: DemandChart) -> float:
    """100, so that charts compare and the empty part shows what is paid for; more only where a value is above it."""
    values = [*chart.cpu_pct, *chart.memory_pct, chart.target_cpu_limit_pct, chart.target_memory_limit_pct]
    highest = max((value for value in values if value is not None), default=100.0)
    return 100.0 if highest <= 100 else 25.0 * -(-highest // 25)


def _y_pct(value: float, top: float) -> float:
    return 100 - 100 * value / top


def _midnights(chart: DemandChart) -> list[int]:
    first = (24 - chart.starts_at.hour) % 24 or 24
    return list(range(first, chart.hours, 24))


def _peak(values: Sequence[float | None]) -> tuple[int, float] | None:
    present = [(hour, value) for hour, value in enumerate(values) if value is not None]
    return max(present, key=lambda pair: (pair[1], -pair[0]), default=None)


def _peak_sentence(name: str, chart: DemandChart, values: Sequence[float | None], limit: float | None) -> str:
    peak = _peak(values)
    if peak is None:
        return f"{name} is not measured."
    at = _instant(chart.starts_at + timedelta(hours=peak[0]))
    where = "the smaller size's limit is unknown" if limit is None else f"the smaller size is full at {percent(limit)}"
    return f"{name} peaks at {percent(peak[1])} on {at}; {where}."


def _missing_sentence(chart: DemandChart) -> list[str]:
    missing = sum(value is None for value in _padded(chart.cpu_pct, chart.hours))
    return [f"{missing} {'hour' if missing == 1 else 'hours'} without data."] if missing else []


def _spark(value: float, full: float) -> str:
    level = -(-value * len(_SPARKS) // full) if full > 0 else len(_SPARKS)
    return _SPARKS[int(min(max(level, 1), len(_SPARKS))) - 1]


def _weekday(moment: datetime) -> str:
    return WEEKDAYS[moment.weekday()][:3]


def _instant(moment: datetime) -> str:
    return f"{_weekday(moment)} {moment:%Y-%m-%d %H:%M}"
