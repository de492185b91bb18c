"""The postmortem as a page: the merged Markdown, with what people wrote in it, as one self-contained HTML file.

Raw HTML in the Markdown is shown, never obeyed. The generated chart stands where the Markdown has its Mermaid source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from dagster_project.domain.incidents.merging import without_markers
from dagster_project.reporting.postmortem_charts import timeline_chart
from dagster_project.reporting.postmortem_views import Postmortem
from dagster_project.reporting.templates import html_templates
from dagster_project.reporting.words import UNKNOWN, duration, money_short, percent

# Longer tables are folded, so that what follows stays within reach.
_UNFOLDED_ROWS = 40


@dataclass(frozen=True)
class Fact:
    """A headline number: what it is, its value, and what must be known beside it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class _Heading:
    anchor: str
    text: str


def render_html(text: str, view: Postmortem) -> str:
    """The page of the Markdown ``text`` (merged, markers and all); chart and headline numbers are those of ``view``."""
    parser = _parser(view)
    tokens = parser.parse(without_markers(text))
    headings = _with_anchors(tokens)
    body = parser.renderer.render(tokens, parser.options, {})
    title, body = _without_title(body)
    return (
        html_templates()
        .get_template("postmortem.html.j2")
        .render(view=view, title=Markup(title), facts=_facts(view), headings=headings, body=Markup(body))  # noqa: S704 - rendered here
    )


def _parser(view: Postmortem) -> MarkdownIt:
    # Images would be fetched from elsewhere.
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"]).disable("image")
    parser.renderer.chart = timeline_chart(view)  # type: ignore[attr-defined]
    return parser


class _Renderer(RendererHTML):
    """HTML with scrollable tables, headers with scope, and the chart in place of the first gantt diagram."""

    chart: Markup = Markup("")

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        is_gantt = tokens[idx].info.strip() == "mermaid" and tokens[idx].content.lstrip().startswith("gantt")
        if not is_gantt or env.get("is_drawn") or not self.chart:
            return super().fence(tokens, idx, options, env)
        env["is_drawn"] = True
        return (
            f'<figure class="chart"><div class="scroll" role="group" aria-label="Timeline, drawn" tabindex="0">{self.chart}</div>'
            "<figcaption>Shaded: customers felt it. Hollow marks: kept back or failed. Times are UTC.</figcaption></figure>\n"
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        rows = _rows_of(tokens, idx)
        env["is_folded"] = rows > _UNFOLDED_ROWS
        fold = f"<details><summary>Show the {rows:,} rows</summary>" if env["is_folded"] else ""
        columns = len(_header_of(tokens, idx))
        return f'{fold}<div class="scroll" role="group" aria-label="Table" tabindex="0"><table class="columns-{columns}">\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>" + ("</details>\n" if env.get("is_folded") else "\n")

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("scope", "col")
        return self.renderToken(tokens, idx, options, env)

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, idx, options, env)


def _rows_of(tokens: Sequence[Token], start: int) -> int:
    rows = 0
    for token in tokens[start:]:
        if token.type == "table_close":
            break
        rows += token.type == "tr_open"
    return max(rows - 1, 0)


def _header_of(tokens: Sequence[Token], start: int) -> list[Token]:
    header = []
    for token in tokens[start:]:
        if token.type == "thead_close":
            break
        header += [token] if token.type == "th_open" else []
    return header


def _with_anchors(tokens: Sequence[Token]) -> list[_Heading]:
    """Gives the second-level headings ids of their own, and lists them."""
    found: list[_Heading] = []
    taken: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            inline = tokens[place + 1]
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
            anchor = next(a for a in chain([slug], (f"{slug}-{n}" for n in count(2))) if a not in taken)
            taken.add(anchor)
            token.attrSet("id", anchor)
            found.append(_Heading(anchor, text))
    return found


def _without_title(body: str) -> tuple[str, str]:
    """The first heading of the first level apart from the rest, for it stands above the headline numbers."""
    found = re.match(r"\s*<h1>(.*?)</h1>\n?", body, re.DOTALL)
    return (found[1], body[found.end() :]) if found else ("", body)


def _facts(view: Postmortem) -> list[Fact]:
    windows = len(view.impact.windows)
    facts = [
        Fact("Customers felt it", duration(view.impact.minutes), "in one stretch" if windows == 1 else f"in {windows} windows")
    ]
    metric = next((m for m in view.metrics if m.metric_id == "ttd"), None)
    if metric is not None:
        facts.append(Fact(metric.name, metric.value or metric.status, metric.definition))
    spent = [(b.spent_pct, b) for b in view.error_budgets if b.spent_pct is not None]
    if spent:
        share, budget = max(spent, key=lambda pair: pair[0])
        facts.append(Fact("Error budget spent", percent(share), f"{budget.service}, {budget.window_days} days"))
    if view.cost_total is not None:
        facts.append(_cost_fact(view))
    return facts


def _cost_fact(view: Postmortem) -> Fact:
    total = view.cost_total
    if total is None or total.expected is None:
        return Fact("Cost", UNKNOWN, "")
    is_range = total.low is not None and total.high is not None
    note = f"{money_short(total.low or 0)} to {money_short(total.high or 0)}" if is_range else "the range is unknown"
    # A sum with parts that nobody knows is no expectation of the whole.
    is_whole = all(line.expected is not None for line in view.cost) and not view.blast_radius
    return Fact("Expected cost" if is_whole else "Known part of the cost", money_short(total.expected), note)
