"""The Jinja environments of pages and of Markdown, with the filters that templates print with."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dagster_project.bundle import bundled
from dagster_project.reporting import charts
from dagster_project.reporting.action_item_curve import curve_description, curve_title
from dagster_project.reporting.markdown import (
    document_link,
    escape_markdown,
    link_markdown,
    name_markdown,
    pull_link,
    spark_markdown,
    written,
)
from dagster_project.reporting.vega import draw
from dagster_project.reporting.words import (
    UNKNOWN,
    clean,
    counted,
    long_day,
    moment,
    money,
    money_short,
    percent,
    shorten,
    thousands,
)

_VERDICT_NAMES = {
    "propose": "Proposed",
    "refuse": "Refused",
    "insufficient": "Not enough evidence",
    "keep": "Kept",
}
_FILTERS = {
    "money": money,
    # What is not known is not nothing.
    "known_money": lambda usd: UNKNOWN if usd is None else money(usd),
    "money_short": money_short,
    "percent": percent,
    "counted": counted,
    "thousands": thousands,
    "long_day": long_day,
    "moment": moment,
    "curve_title": curve_title,
    "curve_description": curve_description,
    "shorten": shorten,
    "verdict_name": lambda verdict: _VERDICT_NAMES.get(verdict, verdict),
}


def _environment(**options: Any) -> Environment:
    environment = Environment(  # noqa: S701 - HTML turns autoescape on; Markdown escapes in ``finalize``
        loader=FileSystemLoader(bundled("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    environment.filters.update(_FILTERS)
    return environment


@cache
def html_templates() -> Environment:
    """Templates of pages: everything is escaped that is not markup already."""
    environment = _environment(autoescape=True, finalize=clean)
    environment.filters.update(
        demand_chart=charts.demand_chart,
        demand_caption=charts.demand_caption,
        peaks_chart=charts.peaks_chart,
        peaks_caption=charts.peaks_caption,
        small_demand=charts.small_demand,
        verdict_bar=charts.verdict_bar,
        share_bar=charts.share_bar,
        draw=draw,
    )
    return environment


@cache
def markdown_templates() -> Environment:
    """Templates of Markdown: everything is escaped that is not this module's own words."""
    environment = _environment(autoescape=False, finalize=escape_markdown)
    # ``<$0.01`` and ``$1,234`` are this module's own words.
    environment.filters.update(
        {name: written(function) for name, function in _FILTERS.items() if name not in {"shorten", "verdict_name"}}
    )
    environment.filters.update(
        name=name_markdown, spark=spark_markdown, link=link_markdown, pull_link=pull_link, document_link=document_link
    )
    return environment
