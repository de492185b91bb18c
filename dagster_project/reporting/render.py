"""The morning report as HTML (the page that people open) and as Markdown (for GitHub and Slack canvases).

Templates lay out and compute nothing: shares, groups and words are prepared here. Names, tags and sentences are data.
HTML escapes them; Markdown escapes whatever a template prints unless a filter of this module wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.reporting import charts, report_charts
from dagster_project.reporting.figures import Figures
from dagster_project.reporting.first_screen import finance_of, in_words, notices_of, sections_of, tiles_of
from dagster_project.reporting.markdown import written
from dagster_project.reporting.night_charts import money_over_nights
from dagster_project.reporting.savings_views import GroupSavings
from dagster_project.reporting.templates import html_templates, markdown_templates
from dagster_project.reporting.vega import Chart
from dagster_project.reporting.views import NightReport, ReasonCount, VerdictCount
from dagster_project.reporting.words import counted, money, percent

_DRAWN_REASONS = 8
_SHOWN_PULLS, _FOLDED_PULLS = 12, 100
_SHOWN_OUTCOMES = 100


@dataclass(frozen=True)
class ReasonGroup:
    """The reasons of one verdict, with its totals."""

    verdict: str
    resources: int
    usd_month: float
    reasons: tuple[ReasonCount, ...]


def render_html(report: NightReport) -> str:
    """The page of one night: one self-contained file, without scripts or requests."""
    return html_templates().get_template("report.html.j2").render(_context(report, money))


def render_markdown(report: NightReport) -> str:
    """The same content in tables of GitHub-flavoured Markdown."""
    return markdown_templates().get_template("report.md.j2").render(_context(report, written(money)))


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
    verdicts = charts.ordered_verdicts(report.verdicts)
    by_name = {verdict.verdict: verdict for verdict in verdicts}
    fleet = report.fleet_usd_month
    shown = [line for line in report.pull_requests if line.state not in ("waiting", "planned")][:_SHOWN_PULLS]
    figures = Figures(report.answers, report.day, money)
    return {
        "report": report,
        "verdicts": verdicts,
        "savings_usd_year": report.savings_usd_month * 12,
        "savings_share_pct": 100 * report.savings_usd_month / fleet if fleet > 0 else None,
        # Without a price, what is at stake is not known; that is not the same as nothing.
        "at_stake": lambda usd, resources: (
            "unknown" if usd is None or (resources and not report.priced_resources) else money(usd)
        ),
        "nothing_because": nothing_because(report),
        "figure": figures,
        "figures": figures.all(),
        "delta": figures.delta,
        "told": written(lambda parts: in_words(parts, figures)),
        "tiles": tiles_of(report, figures),
        "notices": notices_of(report),
        "finance": finance_of(report, figures),
        "sections": sections_of(report),
        "charts": _charts(report),
        "reason_groups": _reason_groups(report.reasons, by_name),
        "rejected_rows": sum(rejected.rows for rejected in report.rejected),
        "pulls_shown": shown,
        "pulls_waiting": [line for line in report.pull_requests if line not in shown][:_FOLDED_PULLS],
        "approvals_shown": report.approvals[:_FOLDED_PULLS],
        "incidents": report.incidents,
        "actions": report.action_items,
        "outcomes_shown": report.outcomes.lines[:_SHOWN_OUTCOMES],
        # Null is not nothing: what is not known, and what is not due, is said.
        "known_money": lambda usd: "unknown" if usd is None else money(usd),
        "dashed_money": lambda usd: "–" if usd is None else money(usd),
        "checked": lambda check: check or "–",
        "known_percent": lambda share: "–" if share is None else percent(share),
    }


def _charts(report: NightReport) -> dict[str, Chart | None]:
    """The charts that there is something to draw in; a picture of nothing says nothing."""
    money, curve = report.savings, report.action_items.curve
    nights = [numbers for _, numbers in money.nights if numbers.get("safe_usd_month") is not None]
    refused = [each for each in report.reasons if each.verdict == "refuse" and each.usd_month_at_stake][:_DRAWN_REASONS]
    timed = [each for each in report.incidents.durations if each.minutes]
    return {
        "waterfall": report_charts.waterfall(money.stages) if money.stages and money.stages[0].usd_month > 0 else None,
        "trend": money_over_nights(money.nights) if len(nights) > 1 else None,
        "teams": report_charts.by_group("teams", "team", money.teams) if _has_money(money.teams) else None,
        "services": report_charts.by_group("services", "service", money.services) if _has_money(money.services) else None,
        "refusals": report_charts.refusals(refused) if refused else None,
        "durations": report_charts.durations(timed) if timed else None,
        "survival": report_charts.survival(curve) if curve is not None else None,
    }


def _has_money(groups: Sequence[GroupSavings]) -> bool:
    return len(groups) > 1 and any(group.safe_usd_month or group.refused_usd_month or group.waiting_usd_month for group in groups)


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
