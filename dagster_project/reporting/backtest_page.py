"""The page of a backtest, for an engineer who decides whether to trust the tool: HTML, Markdown, and its chart as SVG.

Templates lay out and compute nothing: order, shares and words are prepared here. Filters and escaping are the report's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from dagster_project.domain.backtest.intervals import RESAMPLES
from dagster_project.domain.backtest.score import STARVED_SHARE
from dagster_project.reporting import backtest_chart, render
from dagster_project.reporting.backtest_views import BacktestReport, Interval, ReasonLine, RuleScore, Slice
from dagster_project.reporting.words import percent

UNKNOWN = "–"
"""Where there was nothing to have a share of."""

TARGET_WORDS = {
    "cheapest": "the cheapest size of the same architecture, of any general-purpose family or its own",
    "family": "a cheaper size of its own family",
    "one-step": "the next smaller size of its own family",
}
TERMS = (
    (
        "Window",
        "One resource at one moment. A rule sees what was recorded before it, as far as the look-back reaches, and is judged "
        "on the seven days after it.",
    ),
    ("Down, up", "Decisions for a cheaper size, and for a dearer one."),
    ("Blind", "Downsizes to less memory of a machine whose memory nobody measured. They save and capture nothing."),
    (
        "Saved",
        "Price before less price after, for the hours of the seven days that the machine was on, at list price. Downsizes that "
        "starved count too.",
    ),
    (
        "Captured",
        "The savings of downsizes that were neither starved nor blind, as a share of possible savings: what foresight would have "
        "saved with the cheapest allowed size that holds the seven days to come. A window counts for no more than foresight "
        "saves in it, and without what a swap to an equally large, cheaper size gives: nothing is gained by starving.",
    ),
    (
        "Starved",
        f"Downsizes after which at least {100 * STARVED_SHARE:g}% of the samples of the seven days needed more than the chosen "
        "size has, of something that it has less of than before.",
    ),
    ("Touched", "Downsizes after which one such sample was seen, or more. Starved ones are among them."),
    ("Memory touched", "Downsizes after which one sample needed more memory than there is: one is enough for a killed process."),
    (
        "Group-weeks",
        "Services in weeks with a downsize, and the share of them with a starved one. A service counts once a week, however many "
        "of its machines starve.",
    ),
    ("Flips", "Decisions for one resource, a week apart, that name another size."),
    (
        "Interval",
        f"The middle 95% of the results when services are drawn anew {RESAMPLES:,} times: machines of one service rise and "
        "fall together, so they are drawn together. Where nothing starved, the exact bound for so many group-weeks: drawn anew, "
        "nothing is nothing again.",
    ),
)


@dataclass(frozen=True)
class ReasonShare:
    """A reason with its share of all windows."""

    reason: ReasonLine
    of_windows_pct: float


@dataclass(frozen=True)
class Part:
    """The rules on one part of the windows."""

    part: str
    slices: tuple[Slice, ...]


def render_backtest_html(report: BacktestReport) -> str:
    """The page: one self-contained file, without scripts or requests."""
    return render.html_templates().get_template("backtest.html.j2").render(_context(report))


def render_backtest_svg(report: BacktestReport) -> str:
    """The chart of the page as a file of its own."""
    return str(backtest_chart.tradeoff_chart(report, backtest_chart.WIDE)) + "\n"


def render_backtest_markdown(report: BacktestReport) -> str:
    """The tables, aligned so that they read well on a terminal too."""
    return aligned(render.markdown_templates().get_template("backtest.md.j2").render(_context(report)))


def share(value: float | None) -> str:
    """``0.4%``, or a dash where there was nothing to have a share of."""
    return UNKNOWN if value is None else percent(value)


def span(interval: Interval) -> str:
    """``0.1–0.9%``."""
    if interval is None:
        return ""
    low, high = (percent(end) for end in interval)
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def outcome(own: RuleScore) -> str:
    """What became of a rule's downsizes, in one sentence."""
    if not own.down:
        return "It shrank nothing, so nothing could starve."
    interval = f", 95% interval {span(own.starved_interval)}" if own.starved_interval else ""
    return (
        f"It starved {own.starved:,} of {render.counted(own.down, 'downsize')} ({share(own.starved_pct)}{interval}) "
        f"and touched {share(own.touched_pct)} of them, the memory of {share(own.memory_touched_pct)}."
    )


def aligned(markdown: str) -> str:
    """The same Markdown with the columns of each table as wide as their widest cell."""
    blocks = groupby(markdown.splitlines(), key=lambda line: line.startswith("|"))
    return "".join(f"{line}\n" for is_table, block in blocks for line in (_aligned([*block]) if is_table else block))


def _aligned(table: Sequence[str]) -> list[str]:
    # A bar inside of a cell is escaped, so that this parts cells only.
    head, *body = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in (table[0], *table[2:])]
    sides = [">" if cell.endswith(":") else "<" for cell in table[1].strip("|").split("|")]
    widths = [max(len(cell) for cell in ("---", *column)) for column in zip(head, *body, strict=True)]
    columns = list(zip(sides, widths, strict=True))
    rule = ["-" * (width - 1) + ":" if side == ">" else ":" + "-" * (width - 1) for side, width in columns]
    rows = [[f"{cell:{side}{width}}" for cell, (side, width) in zip(row, columns, strict=True)] for row in (head, rule, *body)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _context(report: BacktestReport) -> dict[str, Any]:
    rules = backtest_chart.in_reading_order(report.rules)
    drawn = backtest_chart.drawn(rules)
    own = next((rule for rule in rules if rule.is_own), None)
    named = [replace(one, rule=own.title) if own and one.rule == own.rule else one for one in report.slices]
    return {
        "report": report,
        "own": own,
        "rules": rules,
        "drawn": drawn,
        "left_off": [backtest_chart.short_name(rule) for rule in rules if rule not in drawn],
        "cut_off": backtest_chart.cut_off(report),
        "target_words": TARGET_WORDS.get(report.target, report.target),
        "possible_of_cost_pct": 100 * report.possible_usd / report.cost_usd if report.cost_usd > 0 else None,
        "parts": [Part(part, tuple(slices)) for part, slices in groupby(named, key=lambda one: one.part)],
        "reasons": [ReasonShare(one, 100 * one.windows / report.windows if report.windows else 0.0) for one in report.reasons],
        "terms": TERMS,
        "chart": backtest_chart.tradeoff_chart(report, backtest_chart.WIDE),
        "narrow_chart": backtest_chart.tradeoff_chart(report, backtest_chart.NARROW),
        "outcome": outcome,
        "short_name": backtest_chart.short_name,
        "share": share,
        "span": span,
    }
