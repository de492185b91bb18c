"""Charts by Vega-Lite, drawn to inline SVG while a page is written: one visual language for all of them.

A specification names the data and what stands for what; ``draw`` adds the look: CSS variables as colours, so that a chart follows
the page into dark mode and onto paper, one font, no background. Every chart is drawn twice, for a desk and for a
phone, because text in a scaled picture would not be legible; the stylesheet shows one of them. Screen readers get a title and a
description instead of marks. Nothing is fetched: the renderer may not open any address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import vl_convert
from markupsafe import Markup, escape

from dagster_project.reporting.charts import svg
from dagster_project.reporting.words import clean, xml_text

ACCENT, INK, MUTED, LINE = "var(--accent)", "var(--ink)", "var(--muted)", "var(--line)"
SURFACE, ALERT, SOFT = "var(--surface)", "var(--alert)", "var(--verdict-insufficient)"
STRONG = "var(--verdict-refuse)"

WIDE, NARROW = 500, 330
"""Pixels of the drawing area with its axes, for a desk and for a phone."""

# Its widths are built into the renderer, so that labels are laid out alike on every machine.
_MEASURED_FONT = "Liberation Sans"
_VERSION = "v6.1"
_LONGEST_LABEL = {WIDE: 190, NARROW: 120}
_OPENING = re.compile(r"<svg\b[^>]*?width=\"(?P<width>[\d.]+)\" height=\"(?P<height>[\d.]+)\"[^>]*>")
_REFERENCES = re.compile(r'(?<=\sid=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))')
# What the picture as a whole says is said by its title and description.
_ROLES = re.compile(r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*"|aria-hidden="true"|class="[^"]*")')
_TAG = re.compile(r"<[^>]*>")
_NUMBERS = re.compile(r"-?\d+\.\d{3,}")

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart as data. ``spec(width)`` is Vega-Lite without width, look and schema; ``name`` is unique on a page and plain;
    ``title`` says in one line what is to be seen, ``description`` the same with numbers, for readers who do not see it."""

    name: str
    title: str
    description: str
    spec: Callable[[int], Spec]


def draw(chart: Chart) -> Markup:
    """The chart as two inline pictures, of which the stylesheet shows the one that fits."""
    return svg("".join(_drawn(chart, width, kind) for width, kind in ((WIDE, "wide"), (NARROW, "narrow"))))


def _drawn(chart: Chart, width: int, kind: str) -> str:
    text = _rendered({**_look(width), **chart.spec(width)})
    opening = _OPENING.match(text)
    if opening is None:
        raise ValueError(f"the renderer gave no SVG for {chart.name}")
    prefix = f"{chart.name}-{kind}-"
    names: dict[str, str] = {}

    def own(tag: re.Match[str]) -> str:
        # The renderer counts on from chart to chart: the same chart would have other names each time.
        text = _REFERENCES.sub(lambda match: names.setdefault(match[0], f"{prefix}{len(names)}"), tag[0])
        text = _NUMBERS.sub(lambda match: f"{float(match[0]):.2f}", _ROLES.sub("", text))
        # The stylesheet names fonts of the same widths.
        return text.replace(f' font-family="{_MEASURED_FONT}"', "")

    # Words between tags are data, and stay as they are.
    body = _TAG.sub(own, text[opening.end() :])
    w, h = opening["width"], opening["height"]
    return (
        f'<svg class="chart chart-{kind}" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}"'
        f' width="{w}" height="{h}" aria-labelledby="{prefix}title {prefix}desc">'
        f'<title id="{prefix}title">{escape(xml_text(clean(chart.title)))}</title>'
        f'<desc id="{prefix}desc">{escape(xml_text(clean(chart.description)))}</desc>{body}'
    )


def _rendered(spec: Spec) -> str:
    return vl_convert.vegalite_to_svg(_harmless(spec), vl_version=_VERSION, allowed_base_urls=[])


def _harmless(value: Any) -> Any:
    """The specification without characters that XML cannot hold: the renderer measures text by way of XML, and such a character
    ends its whole process."""
    if isinstance(value, str):
        return xml_text(clean(value))
    if isinstance(value, Mapping):
        return {name: _harmless(each) for name, each in value.items()}
    return [_harmless(each) for each in value] if isinstance(value, (list, tuple)) else value


def _look(width: int) -> dict[str, Any]:
    text = {"labelColor": MUTED, "titleColor": MUTED, "labelFont": _MEASURED_FONT, "titleFont": _MEASURED_FONT}
    return {
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": None,
        "padding": 2,
        "config": {
            "aria": False,
            "font": _MEASURED_FONT,
            "view": {"stroke": None},
            "axis": {
                **text,
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "labelLimit": _LONGEST_LABEL[width],
                "domain": False,
                "ticks": False,
                "gridColor": LINE,
                "labelPadding": 6,
            },
            "legend": {**text, "labelFontSize": 12, "title": None, "orient": "top", "symbolSize": 90, "labelLimit": 200,
                       "offset": 4, "columns": 2 if width == NARROW else 0},
            "text": {"font": _MEASURED_FONT, "fontSize": 12, "fill": INK},
            "bar": {"fill": ACCENT},
            "line": {"stroke": ACCENT, "strokeWidth": 2},
            "rule": {"stroke": INK},
        },
    }  # fmt: skip
