"""The charts of the morning report as specifications: what is drawn, and what is told to those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import Any

from dagster_project.reporting import vega
from dagster_project.reporting.action_item_curve import curve_description, curve_title
from dagster_project.reporting.action_item_views import Curve
from dagster_project.reporting.incident_views import Durations
from dagster_project.reporting.savings_views import GroupSavings, Stage
from dagster_project.reporting.vega import Chart
from dagster_project.reporting.views import ReasonCount
from dagster_project.reporting.words import UNKNOWN, clean, duration, money, money_short, shorten

_ROW = 26
"""Pixels of a row of bars."""
_STAGE_TITLES = {
    "identified": "Identified",
    "proposed": "Proposed",
    "approved": "Approved",
    "applied": "Applied",
    "realized": "Realized",
}
_VERDICTS = (
    ("Safe now", "--verdict-propose"),
    ("Not dared", "--verdict-refuse"),
    ("Waiting for evidence", "--verdict-insufficient"),
)
_COLOURS = {"domain": [title for title, _ in _VERDICTS], "range": [f"var({name})" for _, name in _VERDICTS]}
_MONEY_AXIS = {"format": "$,.0f", "grid": True, "tickCount": 4, "title": None}
_LONGEST_NAME = 40
_JAVASCRIPT = frozenset(
    ("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor", "hasOwnProperty",
     "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf")
)  # fmt: skip
"""What every object has in the renderer's language: it takes a bar of such a name for the property, and draws nothing at all."""


def waterfall(stages: Sequence[Stage]) -> Chart:
    """From what was identified to what is realized, with what is lost in between."""
    rows: list[dict[str, Any]] = []
    for number, stage in enumerate(stages):
        if number and abs(stage.lost_usd_month) >= 0.005:
            before = stages[number - 1].usd_month
            rows.append(
                {
                    "what": stage.lost_because,
                    "from": min(stage.usd_month, before),
                    "to": max(stage.usd_month, before),
                    "kind": "lost",
                    "label": money(-stage.lost_usd_month),
                }
            )
        title = _STAGE_TITLES[stage.name]
        low, high = sorted((0, stage.usd_month))
        rows.append({"what": title, "from": low, "to": high, "kind": "stage", "label": _of_stage(stage)})
    told = "; ".join(f"{_STAGE_TITLES[stage.name].lower()} {_of_stage(stage, ' a month')}" for stage in stages)

    def spec(width: int) -> vega.Spec:
        y = {"field": "what", "type": "nominal", "sort": None, "title": None}
        return {
            "height": {"step": _ROW},
            "data": {"values": rows},
            "encoding": {"y": y},
            "layer": [
                {
                    "mark": {"type": "bar", "height": {"band": 0.72}, "cornerRadius": 2},
                    "encoding": {
                        "x": {"field": "from", "type": "quantitative", "axis": _MONEY_AXIS, "scale": {"nice": True}},
                        "x2": {"field": "to"},
                        "color": {
                            "field": "kind",
                            "type": "nominal",
                            "legend": None,
                            "scale": {"domain": ["stage", "lost"], "range": [vega.ACCENT, vega.SOFT]},
                        },
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 6},
                    "encoding": {"x": {"field": "to", "type": "quantitative"}, "text": {"field": "label"}},
                },
            ],
            # Room for the label of the longest bar.
            "padding": {"left": 2, "top": 2, "bottom": 2, "right": 64},
        }

    first, last = stages[0], stages[-1]
    realized = f"{money(last.usd_month)} are realized" if last.is_known else "it is unknown how much is realized"
    title = f"Of {money(first.usd_month)} a month that were identified, {realized}"
    return Chart("waterfall", title, f"{told[:1].upper()}{told[1:]}.", spec)


def _of_stage(stage: Stage, unit: str = "") -> str:
    return f"{money(stage.usd_month)}{unit}" if stage.is_known else UNKNOWN


def by_group(name: str, what: str, groups: Sequence[GroupSavings]) -> Chart:
    """Money by team or service: safe, not dared and waiting, stacked."""
    labels = _labels([group.name for group in groups])
    values = [
        {"group": label, "verdict": title, "usd": usd or 0, "place": place}
        for label, group in zip(labels, groups, strict=True)
        for place, ((title, _), usd) in enumerate(
            zip(_VERDICTS, (group.safe_usd_month, group.refused_usd_month, group.waiting_usd_month), strict=True)
        )
    ]

    def spec(width: int) -> vega.Spec:
        return {
            "height": {"step": _ROW},
            "data": {"values": values},
            "mark": {"type": "bar", "height": {"band": 0.72}},
            "encoding": {
                "y": {"field": "group", "type": "nominal", "sort": None, "title": None},
                "x": {"field": "usd", "type": "quantitative", "axis": _MONEY_AXIS, "stack": "zero"},
                "color": {"field": "verdict", "type": "nominal", "scale": _COLOURS, "sort": None},
                "order": {"field": "place"},
            },
        }

    best = max(groups, key=lambda group: group.safe_usd_month)
    told = "; ".join(
        f"{label}: {money(group.safe_usd_month)} safe, {_known(group.refused_usd_month)} not dared, "
        f"{_known(group.waiting_usd_month)} waiting"
        for label, group in zip(labels, groups, strict=True)
    )
    title = f"Savings by {what}: most is safe in {shorten(clean(best.name))}, {money(best.safe_usd_month)} a month"
    return Chart(name, title, f"A month, by {what}. {told}.", spec)


def _known(usd: float | None) -> str:
    return UNKNOWN if usd is None else money(usd)


def refusals(reasons: Sequence[ReasonCount]) -> Chart:
    """What was not dared, by reason: the money that a smaller size would save."""
    labels = _labels([reason.title for reason in reasons])
    values = [
        {"reason": label, "usd": reason.usd_month_at_stake or 0, "label": f"{money_short(reason.usd_month_at_stake or 0)}"}
        for label, reason in zip(labels, reasons, strict=True)
    ]
    return _bars("refusals", values, "reason", _refusals_title(reasons), _refusals_told(reasons))


def _refusals_title(reasons: Sequence[ReasonCount]) -> str:
    first = reasons[0]
    return f"Not dared, by reason: {money(first.usd_month_at_stake or 0)} a month because of “{first.title}”"


def _refusals_told(reasons: Sequence[ReasonCount]) -> str:
    told = "; ".join(f"{each.title}: {each.resources:,} resources, {money(each.usd_month_at_stake or 0)}" for each in reasons)
    return f"A month, by reason. {told}."


def _bars(name: str, values: Sequence[dict[str, Any]], field: str, title: str, description: str) -> Chart:
    def spec(width: int) -> vega.Spec:
        return {
            "height": {"step": _ROW},
            "data": {"values": list(values)},
            "encoding": {
                "y": {"field": field, "type": "nominal", "sort": None, "title": None},
                "x": {"field": "usd", "type": "quantitative", "axis": _MONEY_AXIS},
            },
            "layer": [
                {"mark": {"type": "bar", "height": {"band": 0.72}, "cornerRadius": 2, "color": vega.STRONG}},
                {"mark": {"type": "text", "align": "left", "dx": 6}, "encoding": {"text": {"field": "label"}}},
            ],
            "padding": {"left": 2, "top": 2, "bottom": 2, "right": 52},
        }

    return Chart(name, title, description, spec)


def durations(found: Sequence[Durations]) -> Chart:
    """Every incident of the period as a mark, by metric, on a logarithmic scale; the median as a line with its interval."""
    named = list(zip(_labels([each.name for each in found]), found, strict=True))
    values = [{"metric": label, "minutes": max(minutes, 1.0)} for label, each in named for minutes in each.minutes]
    medians = [
        {
            "metric": label,
            "minutes": max(each.median, 1.0),
            "low": max(each.low if each.low is not None else each.median, 1.0),
            "high": max(each.high if each.high is not None else each.median, 1.0),
            "label": duration(each.median),
        }
        for label, each in named
        if each.median is not None
    ]
    ticks = [1, 5, 15, 60, 240, 1440, 10_080]

    def spec(width: int) -> vega.Spec:
        shown = ticks if width == vega.WIDE else ticks[::2]
        axis = {
            "grid": True,
            "title": None,
            "values": shown,
            "labelExpr": "datum.value < 60 ? datum.value + ' min' : datum.value < 1440 ? datum.value / 60 + ' h' "
            ": datum.value / 1440 + ' d'",
        }
        x = {"field": "minutes", "type": "quantitative", "scale": {"type": "log", "domainMin": 1}, "axis": axis}
        return {
            "height": {"step": 44},
            "encoding": {"y": {"field": "metric", "type": "nominal", "sort": None, "title": None}},
            "layer": [
                {
                    "data": {"values": medians},
                    "mark": {"type": "bar", "height": 22, "opacity": 0.16, "color": vega.ACCENT},
                    "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "circle", "size": 70, "color": vega.STRONG, "opacity": 0.55},
                    "encoding": {"x": x},
                },
                {
                    "data": {"values": medians},
                    "mark": {"type": "tick", "thickness": 3, "size": 26, "color": vega.ACCENT},
                    "encoding": {"x": x},
                },
                {
                    "data": {"values": medians},
                    "mark": {"type": "text", "dy": -20, "fontWeight": 600},
                    "encoding": {"x": x, "text": {"field": "label"}},
                },
            ],
        }

    told = "; ".join(
        f"{each.name}: {len(each.minutes)} incidents"
        + ("" if each.median is None else f", median {duration(each.median)}")
        + (f", from {duration(min(each.minutes))} to {duration(max(each.minutes))}" if each.minutes else "")
        for each in found
    )
    return Chart("durations", "How long incidents take: each mark is an incident, the line is the median", f"{told}.", spec)


def survival(curve: Curve) -> Chart:
    """The share of action items that is not done yet, by age."""
    last = max(curve.days, 1)
    steps = [(0, 1.0), *curve.steps]
    values = [{"age": min(age, last), "share": share} for age, share in steps]
    values.append({"age": last, "share": steps[-1][1]})
    median: list[dict[str, Any]] = []
    if curve.median_days is not None and curve.median_days <= last:
        text = f"half done after {curve.median_days:.0f} days"
        median = [{"age": curve.median_days, "share": 0.5, "label": text}]

    def spec(width: int) -> vega.Spec:
        x = {
            "field": "age",
            "type": "quantitative",
            "title": "days since it was written down",
            "axis": {"grid": False, "tickCount": 6 if width == vega.WIDE else 4},
            "scale": {"domain": [0, last]},
        }
        y = {
            "field": "share",
            "type": "quantitative",
            "title": None,
            "scale": {"domain": [0, 1]},
            "axis": {"format": ".0%", "values": [0, 0.25, 0.5, 0.75, 1]},
        }
        layers: list[dict[str, Any]] = [
            {
                "mark": {"type": "area", "interpolate": "step-after", "color": vega.ACCENT, "opacity": 0.16},
                "encoding": {"x": x, "y": y},
            },
            {"mark": {"type": "line", "interpolate": "step-after"}, "encoding": {"x": x, "y": y}},
        ]
        if median:
            align, shift = ("left", 6) if median[0]["age"] < last / 2 else ("right", -6)
            layers += [
                {"data": {"values": median}, "mark": {"type": "rule", "strokeDash": [5, 4]}, "encoding": {"x": x}},
                {
                    "data": {"values": median},
                    "mark": {"type": "text", "align": align, "dx": shift, "fontWeight": 600},
                    "encoding": {"x": x, "y": {"value": 12}, "text": {"field": "label"}},
                },
            ]
        return {"height": 170, "data": {"values": values}, "layer": layers}

    return Chart("survival", curve_title(curve), curve_description(curve), spec)


def _labels(names: Sequence[str]) -> list[str]:
    """Names that fit beside a bar, and differ from each other: equal ones would share a row."""
    found: list[str] = []
    for name in names:
        label = clean(name)
        label = label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 1]}…"
        if label in _JAVASCRIPT:
            label = f"\N{NO-BREAK SPACE}{label}"
        others = (f"{label} ({number})" for number in count(2))
        found.append(next(each for each in chain([label], others) if each not in found))
    return found
