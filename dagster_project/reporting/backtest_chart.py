"""The chart of a backtest: how much each rule saves against how often it starves, as one SVG.

To the right is more captured, further down is less starved. Starving reaches from one in a thousand to one in five, and none
at all is what a rule should be able to reach, so its axis is logarithmic with a real zero. The SVG stands alone (an image in
a README) and inside of the page: colours are the page's CSS variables, with the light theme's values as fallback and the
dark theme's in its own style. Kinds of points differ in shape and weight, not in colour only.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from dagster_project.reporting import charts
from dagster_project.reporting.backtest_views import BacktestReport, RuleScore, Variant
from dagster_project.reporting.words import clean, counted, percent

STARVED_TICKS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
# Below it the axis is nearly linear, above it nearly logarithmic.
_LINEAR_BELOW_PCT = 0.1
_LEAST_TOP_PCT = 1.0
_LEAST_ACROSS_PCT = 20.0

_TEXT_PX = 13
_ROW_PX = 17
# What a character takes of the text's size in the widest of the usual system fonts, so that a label is not wider than thought.
_CHARACTER_EM, _BOLD_CHARACTER_EM = 0.58, 0.63
_OWN_RADIUS, _PEER_RADIUS, _SETTING_RADIUS = 8.0, 5.0, 3.0
_LABEL_GAP_PX = 4.0
_STEP_PX, _STEPS = 8.0, 40
_ASIDES_PX = (0.0, 30.0, 60.0, 120.0)
_CROSSING_PX = 16.0
"""How much further away a label may stand if that spares it one line to cross."""

Point = tuple[float, float]
Segment = tuple[Point, Point]

_DARK = (
    "@media screen and (prefers-color-scheme:dark){.tradeoff"
    "{--surface:#1a1d20;--ink:#eceded;--muted:#a4abb3;--line:#30353a;--accent:#6ccdb2}}"
)


@dataclass(frozen=True)
class Frame:
    """The size of a chart, and where in it the points are; all in px of its viewBox.

    ``is_numbered``: peers are called by their place in the table, where there is no room for names.
    """

    name: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    longest_label: float
    is_numbered: bool


WIDE = Frame("wide", 900, 560, left=56, right=880, top=84, bottom=500, longest_label=300, is_numbered=False)
NARROW = Frame("narrow", 420, 580, left=48, right=410, top=112, bottom=520, longest_label=168, is_numbered=True)


@dataclass(frozen=True)
class Box:
    """A rectangle: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def holds(self, other: Box) -> bool:
        return self.x0 <= other.x0 and self.y0 <= other.y0 and self.x1 >= other.x1 and self.y1 >= other.y1

    def is_crossed_by(self, segment: Segment) -> bool:
        """Whether some of the segment is inside (Liang and Barsky 1984)."""
        (x, y), (x_end, y_end) = segment
        enters, leaves = 0.0, 1.0
        for start, step, low, high in ((x, x_end - x, self.x0, self.x1), (y, y_end - y, self.y0, self.y1)):
            if step == 0:
                if not low < start < high:
                    return False
                continue
            first, last = sorted(((low - start) / step, (high - start) / step))
            enters, leaves = max(enters, first), min(leaves, last)
        return enters < leaves


@dataclass(frozen=True)
class Label:
    """Where the name of a point stands. ``leader`` leads to the point from a label that is not beside it."""

    text: str
    box: Box
    anchor: str
    leader: Segment | None


def in_reading_order(rules: Iterable[RuleScore]) -> list[RuleScore]:
    """Nightshift first, then the rules that starve least; of equals, the one that captures more. Rules without downsizes last."""

    def place(rule: RuleScore) -> tuple[bool, bool, float, float, str]:
        shrank_nothing = rule.starved_pct is None
        return (not rule.is_own, shrank_nothing, rule.starved_pct or 0.0, -(rule.captured_pct or 0.0), rule.rule)

    return sorted(rules, key=place)


def drawn(rules: Sequence[RuleScore]) -> list[RuleScore]:
    """The rules that have a place on the chart: a rule that shrank nothing has no share of starved downsizes."""
    return [rule for rule in rules if rule.captured_pct is not None and rule.starved_pct is not None]


def _label_text(rule: RuleScore, axes: Axes, places: Mapping[str, int]) -> str:
    name = short_name(rule) if rule.is_own or not places else str(places[rule.rule])
    return f"← {name}, {percent(rule.captured_pct or 0.0)}" if axes.is_cut_off(rule) else name


def short_name(rule: RuleScore) -> str:
    """What a rule is called where there is little room: a peer's title is a sentence."""
    return clean(rule.title if rule.is_own else rule.rule)


def _drawn_settings(report: BacktestReport) -> list[Variant]:
    return [setting for setting in report.frontier if setting.captured_pct is not None and setting.starved_pct is not None]


def cut_off(report: BacktestReport) -> list[RuleScore]:
    """The rules that stand at the left edge with an arrow, because they capture much less than Nightshift."""
    rules = drawn(in_reading_order(report.rules))
    axes = Axes.around(WIDE, rules, _drawn_settings(report))
    return [rule for rule in rules if axes.is_cut_off(rule)]


def tradeoff_chart(report: BacktestReport, frame: Frame) -> Markup:
    """Captured (across) against starved (up): every rule as a point with its intervals, Nightshift's settings as a line."""
    ordered = in_reading_order(report.rules)
    rules = drawn(ordered)
    settings = _drawn_settings(report)
    axes = Axes.around(frame, rules, settings)
    own, peers = [rule for rule in rules if rule.is_own], [rule for rule in rules if not rule.is_own]
    line = [axes.of(setting) for setting in settings]
    crosses = [segment for rule in rules for segment in _cross(axes, rule)]
    # Nightshift's name is placed first: where it is crowded, the others give way.
    named = [*own, *reversed(peers)]
    places = {rule.rule: place for place, rule in enumerate(ordered, start=1)} if frame.is_numbered else {}
    labels = place_labels(axes, {rule: _label_text(rule, axes, places) for rule in named}, settings, [*crosses, *pairwise(line)])
    parts = [_grid(axes), _legend(frame, own, peers, settings, crosses)]
    faint = f"stroke:{charts.MUTED};stroke-width:1;stroke-opacity:.5"
    parts += [_segment(one, faint) for rule in peers for one in _cross(axes, rule)]
    parts += [_leader(label) for label in labels]
    parts += [_segment(one, f"stroke:{charts.ACCENT};stroke-width:2;stroke-opacity:.45") for one in pairwise(line)]
    parts += [_segment(one, f"stroke:{charts.ACCENT};stroke-width:1.5") for rule in own for one in _cross(axes, rule)]
    parts += [_setting_mark(*axes.of(setting), clean(_said(setting.name, setting))) for setting in settings]
    parts += [_peer_mark(*axes.of(rule), _said(short_name(rule), rule)) for rule in peers]
    parts += [_own_mark(*axes.of(rule), _said(short_name(rule), rule)) for rule in own]
    parts += [_label(label, is_own=place < len(own)) for place, label in enumerate(labels)]
    if not rules:
        middle = (frame.left + frame.right) / 2
        parts.append(
            charts.text("No rule shrank anything.", x=f"{middle:.1f}", y=(frame.top + frame.bottom) / 2, anchor="middle")
        )
    return charts.svg(
        f'<svg class="tradeoff {frame.name}" xmlns="http://www.w3.org/2000/svg" role="img" width="{frame.width:.0f}"'
        f' height="{frame.height:.0f}" viewBox="0 0 {frame.width:.0f} {frame.height:.0f}"'
        f' style="max-width:100%;height:auto;font:{_TEXT_PX}px system-ui,sans-serif">'
        f"<title>{escape(chart_title(report))}</title><desc>{escape(chart_description(report))}</desc>"
        f"<style>{_DARK}</style>"
        f'<rect x="0" y="0" width="{frame.width:.0f}" height="{frame.height:.0f}" rx="10" style="fill:{charts.SURFACE}"/>'
        f"{''.join(parts)}</svg>"
    )


def chart_title(report: BacktestReport) -> str:
    """The chart in one line."""
    return f"Savings captured against downsizes starved, {counted(len(drawn(report.rules)), 'rule')}"


def chart_description(report: BacktestReport) -> str:
    """The chart in sentences, for readers who do not see it."""
    sentences = [
        "Across: captured savings in percent of what foresight would have saved, more is better.",
        "Up: starved downsizes in percent, on a logarithmic scale with a zero, fewer is better.",
    ]
    return clean(" ".join([*sentences, *(f"{_said(short_name(rule), rule)}." for rule in drawn(report.rules))]))


@dataclass(frozen=True)
class Axes:
    """From percent to px of the viewBox. What is outside of the scales is at their edge."""

    frame: Frame
    left_pct: float
    right_pct: float
    top_pct: float

    @classmethod
    def around(cls, frame: Frame, rules: Sequence[RuleScore], settings: Sequence[Variant]) -> Axes:
        """Scales that hold the points, so that those near Nightshift can be told apart. A rule that captures less than half
        as much is at the left edge, and a long interval is cut.
        """
        points = [*settings, *rules]
        captured = [point.captured_pct or 0.0 for point in points]
        half = max((rule.captured_pct or 0.0 for rule in rules if rule.is_own), default=0.0) / 2
        right = max(10.0 * math.ceil(max(captured, default=0.0) / 10), _LEAST_ACROSS_PCT)
        kept = [*captured[: len(settings)], *(value for value in captured[len(settings) :] if value >= half)]
        left = 10.0 * math.floor(min(kept, default=0.0) / 10)
        highest = max([point.starved_pct or 0.0 for point in points], default=0.0)
        top = next((tick for tick in STARVED_TICKS if highest <= tick <= 1.6 * highest), min(1.25 * highest, 100.0))
        # Cutting off a little would only hide where nothing is.
        return cls(frame, min(left, right - _LEAST_ACROSS_PCT) if left > 20 else 0.0, right, max(top, _LEAST_TOP_PCT))

    def x(self, captured_pct: float) -> float:
        share = min(max((captured_pct - self.left_pct) / (self.right_pct - self.left_pct), 0.0), 1.0)
        return self.frame.left + (self.frame.right - self.frame.left) * share

    def y(self, starved_pct: float) -> float:
        share = math.log1p(max(starved_pct, 0.0) / _LINEAR_BELOW_PCT) / math.log1p(self.top_pct / _LINEAR_BELOW_PCT)
        return self.frame.bottom - (self.frame.bottom - self.frame.top) * min(share, 1.0)

    def is_cut_off(self, rule: RuleScore) -> bool:
        return (rule.captured_pct or 0.0) < self.left_pct

    def of(self, point: RuleScore | Variant) -> Point:
        return self.x(point.captured_pct or 0.0), self.y(point.starved_pct or 0.0)


def place_labels(
    axes: Axes, names: Mapping[RuleScore, str], settings: Sequence[Variant], lines: Sequence[Segment]
) -> list[Label]:
    """A place for each name, in their order: the nearest one that covers no other name or point.

    Places are tried beside the point, then further and further above and below it; crossing a line counts as a detour.
    """
    frame = axes.frame
    room = Box(frame.left + 2, frame.top - 8, frame.width - 6, frame.bottom - 2)
    marks = [_around(*axes.of(rule), _radius(rule) + 1) for rule in names]
    marks += [_around(*axes.of(setting), _SETTING_RADIUS) for setting in settings]
    labels: list[Label] = []
    for place, (rule, name) in enumerate(names.items()):
        point = axes.of(rule)
        text = _fitted(name, frame.longest_label, is_bold=rule.is_own)
        others = [*marks[:place], *marks[place + 1 :], *(label.box for label in labels)]
        leaders = [label.leader for label in labels if label.leader]
        best, least = None, (math.inf, math.inf)
        for label in _places(text, point, rule):
            away = _distance(label, point)
            if not room.holds(label.box) or (least[0] == 0 and away > least[1]):
                continue
            covered = round(sum(label.box.shared(other) for other in others), 3)
            crossed = sum(label.box.is_crossed_by(line) for line in (*lines, *leaders))
            if label.leader:
                crossed += sum(other.is_crossed_by(label.leader) for other in others)
            cost = (covered, away + _CROSSING_PX * crossed)
            if cost < least:
                best, least = label, cost
        if best:
            labels.append(best)
    return labels


def _places(text: str, point: Point, rule: RuleScore) -> Iterator[Label]:
    """Where a name could stand, from near to far."""
    x, y = point
    width, off, half = text_width(text, is_bold=rule.is_own), _radius(rule) + _LABEL_GAP_PX, _ROW_PX / 2
    for away in (0.0, *(sign * _STEP_PX * step for step in range(1, _STEPS + 1) for sign in (-1, 1))):
        # Beside its point a name needs no leader, nor just above or below.
        has_leader, middle = abs(away) > _ROW_PX, y + away
        for aside in _ASIDES_PX if has_leader else (0.0,):
            right, left = x + off + aside, x - off - aside
            to_right, to_left = (point, (right - 2, middle)), (point, (left + 2, middle))
            yield Label(text, Box(right, middle - half, right + width, middle + half), "start", to_right if has_leader else None)
            yield Label(text, Box(left - width, middle - half, left, middle + half), "end", to_left if has_leader else None)


def _distance(label: Label, point: Point) -> float:
    near = label.box.x0 if label.anchor == "start" else label.box.x1
    return round(math.dist(point, (near, (label.box.y0 + label.box.y1) / 2)), 3)


def text_width(text: str, *, is_bold: bool) -> float:
    """An upper estimate, in px: the font is not known here."""
    cells = sum(1.75 if unicodedata.east_asian_width(character) in "WF" else 1.0 for character in text)
    return cells * _TEXT_PX * (_BOLD_CHARACTER_EM if is_bold else _CHARACTER_EM)


def _fitted(text: str, longest: float, *, is_bold: bool) -> str:
    if text_width(text, is_bold=is_bold) <= longest:
        return text
    while text and text_width(f"{text}…", is_bold=is_bold) > longest:
        text = text[:-1].rstrip()
    return f"{text}…"


def _cross(axes: Axes, rule: RuleScore) -> list[Segment]:
    x, y = axes.of(rule)
    segments: list[Segment] = []
    if rule.captured_interval:
        low, high = rule.captured_interval
        segments.append(((axes.x(low), y), (axes.x(high), y)))
    if rule.starved_interval:
        low, high = rule.starved_interval
        segments.append(((x, axes.y(low)), (x, axes.y(high))))
    return segments


def _radius(rule: RuleScore) -> float:
    return _OWN_RADIUS if rule.is_own else _PEER_RADIUS


def _around(x: float, y: float, radius: float) -> Box:
    return Box(x - radius, y - radius, x + radius, y + radius)


def _grid(axes: Axes) -> str:
    frame, parts = axes.frame, []
    step = 10 if axes.right_pct - axes.left_pct <= 70 else 20
    for captured in range(int(axes.left_pct), int(axes.right_pct) + 1, step):
        x = axes.x(captured)
        parts.append(_segment(((x, frame.top), (x, frame.bottom)), f"stroke:{charts.LINE};stroke-width:1"))
        # The last number ends with the plot, so that it is not cut off.
        anchor = "end" if captured == axes.right_pct else "middle"
        parts.append(charts.text(f"{captured}%", x=f"{x:.1f}", y=frame.bottom + 20, anchor=anchor))
    for starved in (tick for tick in STARVED_TICKS if tick <= axes.top_pct):
        y = axes.y(starved)
        colour, width = (charts.MUTED, 1.5) if starved == 0 else (charts.LINE, 1.0)
        parts.append(_segment(((frame.left, y), (frame.right, y)), f"stroke:{colour};stroke-width:{width:.1f}"))
        parts.append(charts.text(f"{starved:g}%", x=f"{frame.left - 8:.1f}", y=y + 4, anchor="end"))
    up, across = "↑ Starved, % of downsizes: lower is better", "Captured, % of possible savings: more is better →"
    parts.append(charts.text(up, x="12", y=frame.top - 20, colour=charts.INK))
    parts.append(charts.text(across, x=f"{frame.right:.1f}", y=frame.bottom + 46, anchor="end", colour=charts.INK))
    return "".join(parts)


def _legend(
    frame: Frame, own: Sequence[RuleScore], peers: Sequence[RuleScore], settings: Sequence[Variant], crosses: Sequence[Segment]
) -> str:
    parts, x, y = [], 20.0, 26.0
    kinds = [
        ("Nightshift", bool(own)),
        ("Nightshift, other thresholds", bool(settings)),
        ("Other rules", bool(peers)),
        ("95% interval", bool(crosses)),
    ]
    for words, is_there in kinds:
        if not is_there:
            continue
        width = 24 + text_width(words, is_bold=words == "Nightshift")
        if x + width > frame.width:
            x, y = 20.0, y + 24
        if words == "Nightshift":
            parts.append(_own_mark(x, y, words))
        elif words == "Other rules":
            parts.append(_peer_mark(x, y, words))
        elif words == "95% interval":
            parts.append(f'<path d="M{x - 8:.1f} {y:.1f}h16m-8 -8v16" style="fill:none;stroke:{charts.MUTED};stroke-width:1"/>')
        else:
            parts.append(_segment(((x - 9, y), (x + 9, y)), f"stroke:{charts.ACCENT};stroke-width:2;stroke-opacity:.45"))
            parts.append(_setting_mark(x, y, words))
        weight = 700 if words == "Nightshift" else 400
        parts.append(charts.text(words, x=f"{x + 15:.1f}", y=y + 4.5, colour=charts.INK, weight=weight))
        x += width + 22
    return "".join(parts)


def _segment(ends: Segment, style: str) -> str:
    (x0, y0), (x1, y1) = ends
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" style="fill:none;{style}"/>'


def _leader(label: Label) -> str:
    if label.leader is None:
        return ""
    return _segment(label.leader, f"stroke:{charts.MUTED};stroke-width:1;stroke-dasharray:2 3")


def _own_mark(x: float, y: float, said: str) -> str:
    r = _OWN_RADIUS
    return (
        f"<g><title>{escape(said)}</title>"
        f'<path d="M{x:.1f} {y - r:.1f}l{r:.1f} {r:.1f}l{-r:.1f} {r:.1f}l{-r:.1f} {-r:.1f}Z"'
        f' style="fill:{charts.ACCENT};stroke:{charts.SURFACE};stroke-width:2"/></g>'
    )


def _peer_mark(x: float, y: float, said: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_PEER_RADIUS:.1f}"'
        f' style="fill:{charts.SURFACE};stroke:{charts.INK};stroke-width:1.75"><title>{escape(said)}</title></circle>'
    )


def _setting_mark(x: float, y: float, said: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_SETTING_RADIUS:.1f}" style="fill:{charts.ACCENT}">'
        f"<title>{escape(said)}</title></circle>"
    )


def _label(label: Label, *, is_own: bool) -> str:
    x = label.box.x0 if label.anchor == "start" else label.box.x1
    y = (label.box.y0 + label.box.y1) / 2 + 4.5
    colour, weight = (charts.ACCENT, 700) if is_own else (charts.INK, 400)
    return charts.text(label.text, x=f"{x:.1f}", y=y, anchor=label.anchor, colour=colour, weight=weight)


def _said(name: str, point: RuleScore | Variant) -> str:
    captured, starved = percent(point.captured_pct or 0.0), percent(point.starved_pct or 0.0)
    return f"{name}: captured {captured}, starved {starved} of {counted(point.down, 'downsize')}"
