"""The morning report as HTML (the page that people open) and as Markdown (for GitHub and Slack canvases).

Templates lay out and compute nothing: shares, groups and words are prepared here. Names, tags and sentences are data.
HTML escapes them; Markdown escapes whatever a template prints unless a filter of this module wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dagster_project.bundle import bundled
from dagster_project.reporting import action_item_chart, charts
from dagster_project.reporting.incident_views import IncidentLine
from dagster_project.reporting.views import NightReport, Proposal, PullRequestLine, ReasonCount, VerdictCount

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# Further cards are folded, so that what was not dared stays within reach of the headline.
_UNFOLDED_PROPOSALS = 5
_SHOWN_PULLS = 100
_SHOWN_OUTCOMES = 100
_LONGEST_NAME = 96
_MINUS = "\N{MINUS SIGN}"
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNITS = ((1, "k"), (2, "M"), (3, "B"))


@dataclass(frozen=True)
class ReasonGroup:
    """The reasons of one verdict, with its totals."""

    verdict: str
    resources: int
    usd_month: float
    reasons: tuple[ReasonCount, ...]


@dataclass(frozen=True)
class RankedProposal:
    """A proposal with its place in the list, and its savings over twelve months."""

    rank: int
    proposal: Proposal
    savings_usd_year: float


@dataclass(frozen=True)
class TeamSavings:
    """What one team's proposals save, and its share of the largest team's savings (the length of its bar)."""

    team: str
    proposals: int
    usd_month: float
    of_largest_pct: float


def render_html(report: NightReport) -> str:
    """The page of one night: one self-contained file, without scripts or requests."""
    return html_templates().get_template("report.html.j2").render(_context(report, money))


def render_markdown(report: NightReport) -> str:
    """The same content in tables of GitHub-flavoured Markdown."""
    return markdown_templates().get_template("report.md.j2").render(_context(report, _written(money)))


def money(usd: float) -> str:
    """``$1,234``; cents below ten dollars, ``<$0.01`` below a cent: only nothing is ``$0``."""
    sign, amount = (_MINUS, -usd) if usd < 0 else ("", usd)
    exact = Decimal(str(amount))
    if exact == 0:
        return "$0"
    cents = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if cents == 0:
        return f"{sign}<$0.01"
    if cents < 10:
        return f"{sign}${cents}"
    return f"{sign}${exact.quantize(Decimal(1), ROUND_HALF_UP):,}"


def money_short(usd: float) -> str:
    """``$1.2k``, ``$12.3k``, ``$1.2M``; below a thousand as ``money``."""
    amount = Decimal(str(abs(usd)))
    if amount.quantize(Decimal(1), ROUND_HALF_UP) < 1_000:
        return money(usd)
    units = [(unit, (amount / 1_000**power).quantize(Decimal("0.1"), ROUND_HALF_UP)) for power, unit in _UNITS]
    # Rounded before it is chosen: 999.96k would print as $1000.0k, so the next unit takes it.
    unit, scaled = next((found for found in units if found[1] < 1_000), units[-1])
    return f"{_MINUS if usd < 0 else ''}${scaled}{unit}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 resource``, ``1,204 resources``, ``no resources``."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"no {noun}" if number == 0 else f"{number:,} {noun}"


def thousands(number: int) -> str:
    """``1,204``."""
    return f"{number:,}"


def long_day(day: date) -> str:
    """``Monday, 16 March 2026``, in English whatever the machine's locale is."""
    return f"{charts.WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment(at: datetime | None) -> str:
    """``2026-03-16 23:55 UTC``, or ``never``."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def clean(value: Any) -> Any:
    """Text without what could break a line (controls) or reorder its neighbours (bidirectional formatting)."""
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value)
    return "".join("\N{REPLACEMENT CHARACTER}" if c in _BIDI_CONTROLS else c for c in text)


def shorten(value: str) -> str:
    """At most ``_LONGEST_NAME`` characters: the middle gives way, for names differ at their ends."""
    if len(value) <= _LONGEST_NAME:
        return value
    head = _LONGEST_NAME * 2 // 3
    return f"{value[:head]}…{value[head + 1 - _LONGEST_NAME :]}"


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


_ADDRESS = re.compile(r"https?://[\w.:/-]+", re.ASCII)


def pull_link(line: PullRequestLine) -> str:
    """The number of a pull request as a link, where its address is a plain one."""
    return _Written(f"[#{line.number}]({line.url})") if line.url and _ADDRESS.fullmatch(line.url) else ""


def document_link(line: IncidentLine) -> str:
    """An incident's id as a link to its postmortem, where it has one."""
    name = name_markdown(line.incident_id)
    return name if line.document is None else _Written(f"[{name}]({line.document.removesuffix('.html')}.md)")


def spark_markdown(chart: Any) -> str:
    """The week's CPU as a sparkline in a code span."""
    return _Written(f"`{charts.sparkline(chart)}`")


def nothing_because(report: NightReport) -> str:
    """Why a night has no proposal, in one sentence."""
    if report.resources == 0:
        return "The inventory holds no resources for this day."
    everything = counted(report.resources, "resource")
    if report.priced_resources == 0:
        return f"No price was found for the {everything} of the inventory, so no saving can be stated."
    ends = ", ".join(
        f"{verdict.resources:,} {charts.VERDICT_WORDS.get(verdict.verdict, verdict.verdict)}"
        for verdict in charts.ordered_verdicts(report.verdicts)
        if verdict.resources
    )
    looked = f"{everything} {'was' if report.resources == 1 else 'were'} examined and none passed every check"
    return f"{looked}: {ends}." if ends else f"{looked}."


def _context(report: NightReport, money: Callable[[float], str]) -> dict[str, Any]:
    ranked = [RankedProposal(i, p, p.savings_usd_month * 12) for i, p in enumerate(report.proposals, start=1)]
    verdicts = charts.ordered_verdicts(report.verdicts)
    by_name = {verdict.verdict: verdict for verdict in verdicts}
    fleet = report.fleet_usd_month
    return {
        "report": report,
        "verdicts": verdicts,
        "refused": by_name.get("refuse", VerdictCount("refuse", 0, 0.0)),
        "savings_usd_year": report.savings_usd_month * 12,
        "savings_share_pct": 100 * report.savings_usd_month / fleet if fleet > 0 else None,
        # Without a price, what is at stake is not known; that is not the same as nothing.
        "at_stake": lambda usd, resources: (
            "unknown" if usd is None or (resources and not report.priced_resources) else money(usd)
        ),
        "nothing_because": nothing_because(report),
        "ranked": ranked,
        "leading": ranked[:_UNFOLDED_PROPOSALS],
        "further": ranked[_UNFOLDED_PROPOSALS:],
        "teams": _by_team(report),
        "reason_groups": _reason_groups(report.reasons, by_name),
        "incomplete": [load for load in report.loads if load.status in {"partial", "failed"}],
        "rejected_rows": sum(rejected.rows for rejected in report.rejected),
        "pulls_shown": report.pull_requests[:_SHOWN_PULLS],
        "approvals_shown": report.approvals[:_SHOWN_PULLS],
        "incidents": report.incidents,
        "actions": report.action_items,
        "outcomes_shown": report.outcomes.lines[:_SHOWN_OUTCOMES],
        # Null is not nothing: what is not known, and what is not due, is said.
        "known_money": lambda usd: "unknown" if usd is None else money(usd),
        "dashed_money": lambda usd: "–" if usd is None else money(usd),
        "checked": lambda check: check or "–",
        "known_percent": lambda share: "–" if share is None else charts.percent(share),
    }


def _by_team(report: NightReport) -> list[TeamSavings]:
    """Savings by team, largest first; empty where it would say nothing (one team) or not all (a shortened list)."""
    found: dict[str, list[float]] = {}
    for proposal in report.proposals:
        found.setdefault(proposal.team or "no team tag", []).append(proposal.savings_usd_month)
    if len(found) < 2 or len(report.proposals) != report.proposals_total:
        return []
    totals = sorted(((team, len(usd), sum(usd)) for team, usd in found.items()), key=lambda row: (-row[2], row[0]))
    largest = totals[0][2]
    return [TeamSavings(team, n, usd, 100 * usd / largest if largest > 0 else 0.0) for team, n, usd in totals]


def _reason_groups(reasons: Iterable[ReasonCount], verdicts: dict[str, VerdictCount]) -> list[ReasonGroup]:
    """Refusals first, for they are what the reader asks about; within a verdict the order of the view model."""
    found: dict[str, list[ReasonCount]] = {}
    for reason in reasons:
        found.setdefault(reason.verdict, []).append(reason)
    groups = []
    for name in sorted(found, key=lambda name: (*charts.VERDICT_ORDER, name).index(name)):
        rows = found[name]
        total = verdicts.get(
            name, VerdictCount(name, sum(r.resources for r in rows), sum(r.usd_month_at_stake or 0 for r in rows))
        )
        groups.append(ReasonGroup(name, total.resources, total.usd_month, tuple(rows)))
    return groups


_VERDICT_NAMES = {
    "propose": "Proposed",
    "refuse": "Refused",
    "insufficient": "Not enough evidence",
    "keep": "Kept",
}
_FILTERS = {
    "money": money,
    "money_short": money_short,
    "percent": charts.percent,
    "counted": counted,
    "thousands": thousands,
    "long_day": long_day,
    "moment": moment,
    "curve_title": action_item_chart.curve_title,
    "curve_description": action_item_chart.curve_description,
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
        verdict_bar=charts.verdict_bar,
        share_bar=charts.share_bar,
        survival_chart=action_item_chart.survival_chart,
    )
    return environment


@cache
def markdown_templates() -> Environment:
    """Templates of Markdown: everything is escaped that is not this module's own words."""
    environment = _environment(autoescape=False, finalize=escape_markdown)
    # ``<$0.01`` and ``$1,234`` are this module's own words.
    environment.filters.update(
        {name: _written(function) for name, function in _FILTERS.items() if name not in {"shorten", "verdict_name"}}
    )
    environment.filters.update(name=name_markdown, spark=spark_markdown, pull_link=pull_link, document_link=document_link)
    return environment


def _written(function: Any) -> Any:
    return lambda *arguments: _Written(function(*arguments).replace("<", "&lt;").replace(">", "&gt;"))
