"""Charts of numbers over nights: a night that is missing is a gap, never a line that was drawn across it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup, escape

from dagster_project.reporting import vega
from dagster_project.reporting.charts import ACCENT, LINE, runs, svg
from dagster_project.reporting.vega import Chart
from dagster_project.reporting.words import counted, money

_WIDTH, _HEIGHT = 100, 40
_SERIES = (
    ("Safe now", "safe_usd_month", "var(--verdict-propose)"),
    ("Not dared", "refused_usd_month", "var(--verdict-refuse)"),
    ("Waiting for evidence", "waiting_usd_month", "var(--verdict-insufficient)"),
    ("Realized", "realized_usd_month", vega.ACCENT),
)
Nights = Sequence[tuple[date, Mapping[str, float | None]]]
"""Every day of a span with the numbers of its night, ascending; a day without a night has none."""


def sparkline(values: Sequence[float | None], title: str, top: float | None = None) -> Markup:
    """One number over days, in the height of three lines, from zero to ``top`` (without it, to its highest). A night between two
    gaps is a dot."""
    known = [value for value in values if value is not None]
    top = top or max([*known, 0.0]) or 1.0
    last = max(len(values) - 1, 1)
    lines, areas = [], []
    for start, run in runs(values):
        points = [(_WIDTH * (start + place) / last, _HEIGHT * (1 - max(value, 0.0) / top)) for place, value in enumerate(run)]
        drawn = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
        lines.append(f"M{drawn}" + ("h0" if len(points) == 1 else ""))
        if len(points) > 1:
            areas.append(f"M{points[0][0]:.2f} {_HEIGHT}L{drawn}V{_HEIGHT}Z")
    return svg(
        f'<svg class="spark" xmlns="http://www.w3.org/2000/svg" role="img" width="100%" height="{_HEIGHT}"'
        f' viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none"><title>{escape(title)}</title>'
        f'<path d="M0 {_HEIGHT}H{_WIDTH}" style="stroke:{LINE};stroke-width:1" vector-effect="non-scaling-stroke"/>'
        f'<path d="{"".join(areas)}" style="fill:{ACCENT};fill-opacity:.16"/>'
        f'<path d="{"".join(lines)}" style="fill:none;stroke:{ACCENT};stroke-width:2;stroke-linejoin:round;stroke-linecap:round"'
        ' vector-effect="non-scaling-stroke"/></svg>'
    )


def every_day(found: Mapping[date, Mapping[str, float | None]], last: date, days: int) -> Nights:
    """The days up to ``last``, at most so many, from the first night among them on."""
    span = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    first = min((day for day in span if day in found), default=last)
    return [(day, found.get(day, {})) for day in span if day >= first]


def money_over_nights(nights: Nights) -> Chart:
    """What was safe, not dared, waiting and realized in each of the nights."""
    values: list[dict[str, Any]] = [
        {"day": day.isoformat(), "what": title, "usd": numbers.get(name)} for title, name, _ in _SERIES for day, numbers in nights
    ]
    alone = [value for title, name, _ in _SERIES for value in _alone(nights, name, title)]
    known = [(day, usd) for day, numbers in nights if (usd := numbers.get("safe_usd_month")) is not None]
    missing = sum(not numbers for _, numbers in nights)

    def spec(width: int) -> vega.Spec:
        ticks = 6 if width == vega.WIDE else 4
        axis = {"format": "%-d %b", "grid": False, "tickCount": ticks, "labelFlush": True}
        money_axis = {"format": "$,.0f", "grid": True, "tickCount": 4, "title": None}
        titles = [title for title, _, _ in _SERIES]
        colours = {"domain": titles, "range": [colour for _, _, colour in _SERIES]}
        dashes = {"domain": titles, "range": [[1, 0]] * (len(titles) - 1) + [[4, 3]]}
        legend = {"symbolType": "stroke", "symbolSize": 260, "symbolStrokeWidth": 2}
        encoding = {
            "x": {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": None, "axis": axis},
            "y": {"field": "usd", "type": "quantitative", "axis": money_axis},
            "color": {"field": "what", "type": "nominal", "sort": None, "scale": colours, "legend": legend},
            "strokeDash": {"field": "what", "type": "nominal", "sort": None, "scale": dashes, "legend": legend},
        }
        # Null breaks a line; a night between two gaps has no line, and is drawn as a point.
        return {
            "height": 190,
            "data": {"values": values},
            "encoding": encoding,
            "layer": [
                {"mark": {"type": "line"}},
                {"data": {"values": alone}, "mark": {"type": "circle", "size": 20, "opacity": 1}},
            ],
        }

    (first, was), (last, now) = known[0], known[-1]
    title = f"Safe savings a month over {len(known)} nights: from {money(was)} on {first} to {money(now)} on {last}"
    told = "; ".join(f"{day}: {money(usd)}" for day, usd in known[-14:])
    gaps = f" {counted(missing, 'night').capitalize()} between them {'is' if missing == 1 else 'are'} missing." if missing else ""
    return Chart("nights", title, f"Safe in the last nights: {told}.{gaps}", spec)


def _alone(nights: Nights, name: str, title: str) -> list[dict[str, Any]]:
    """The nights of a number without one before and after them."""
    values = [numbers.get(name) for _, numbers in nights]
    return [{"day": nights[start][0].isoformat(), "what": title, "usd": run[0]} for start, run in runs(values) if len(run) == 1]
