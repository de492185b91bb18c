"""The page of a backtest: its order and words, what it leaves out, and that names are only text."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dagster_project.reporting import backtest_chart, backtest_page
from dagster_project.reporting.backtest_page import render_backtest_html, render_backtest_markdown, render_backtest_svg
from dagster_project.reporting.backtest_views import BacktestReport
from tests.golden.sample_backtest import BACKTEST, BARE, NOTHING, OWN, PERSISTENCE, hostile
from tests.golden.test_report import Page

GOLDEN = Path(__file__).parents[2] / "golden"
REPORTS = pytest.mark.parametrize("report", [BACKTEST, BARE, hostile()], ids=["ordinary", "bare", "hostile"])


@pytest.mark.parametrize(("name", "render"), [("backtest.md", render_backtest_markdown), ("backtest.svg", render_backtest_svg)])
def test_it_is_the_golden_file(name: str, render: object) -> None:
    """After an intended change: ``NIGHTSHIFT_UPDATE_GOLDEN=1 pytest tests/unit/reporting/test_backtest_page.py``."""
    written = render(BACKTEST)  # type: ignore[operator]
    if os.environ.get("NIGHTSHIFT_UPDATE_GOLDEN"):
        GOLDEN.joinpath(name).write_text(written, encoding="utf-8")
    assert written == GOLDEN.joinpath(name).read_text(encoding="utf-8")


@REPORTS
def test_the_same_backtest_gives_the_same_bytes(report: BacktestReport) -> None:
    assert render_backtest_html(report) == render_backtest_html(report)


@REPORTS
def test_the_page_is_one_file_that_asks_for_nothing(report: BacktestReport) -> None:
    page = Page(render_backtest_html(report))
    tags = {tag for tag, _ in page.elements}
    assert tags & {"script", "img", "iframe", "object", "form", "image", "use", "foreignobject"} == set()
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@REPORTS
def test_the_page_can_be_walked_without_eyes(report: BacktestReport) -> None:
    page = Page(render_backtest_html(report))
    assert [len(page.all(tag)) for tag in ("h1", "header", "main", "footer")] == [1, 1, 1, 1]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "").removeprefix("#") for a in page.all("a")} <= set(ids)
    assert all(th.get("scope") in {"col", "row", "colgroup", "rowgroup"} for th in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(svg.get("role") == "img" or svg.get("aria-hidden") == "true" for svg in page.all("svg"))


def test_it_opens_with_the_result_and_what_was_judged() -> None:
    text = Page(render_backtest_html(BACKTEST)).text
    opening = text[text.index("Nightshift on recorded") : text.index("Savings against starvation")]
    assert opening == (
        "Nightshift on recorded history captured 61.2% of possible savings It starved 3 of 1,204 downsizes (0.2%, 95% interval "
        "0–0.6%) and touched 2.1% of them, the memory of 0.2%. What the words mean "
        "Judged 4,012 of 4,120 windows 1,030 resources from 3 sources, 2013-08-19 to 2013-09-09 "
        "Decided from 28 days at most judged on the seven days after "
        "Foresight would have saved $30,066 31.2% of $96,310 that the judged weeks cost "
    )


def test_nightshift_is_first_then_the_rule_that_starves_least() -> None:
    ordered = backtest_chart.in_reading_order(reversed(BACKTEST.rules))
    assert [rule.rule for rule in ordered] == [
        "nightshift", "idle-only", "persistence-28d", "aws-compute-optimizer", "kubecost-28d", "average-30",
        "flexera-cross-family", "keep",
    ]  # fmt: skip
    bolder = replace(PERSISTENCE, rule="bolder", captured_pct=70.0)
    assert [rule.rule for rule in backtest_chart.in_reading_order([PERSISTENCE, bolder])] == ["bolder", "persistence-28d"]


def test_a_rule_without_downsizes_stays_in_the_table_with_dashes() -> None:
    text = Page(render_backtest_html(BACKTEST)).text
    assert "8 keep Keep everything 0 (0) 0 $0 0% 0% 0 – – – – 0%" in text
    assert "Not drawn, because it has no downsizes or nothing to capture: keep ." in text


def test_only_nightshifts_line_is_marked() -> None:
    page = Page(render_backtest_html(BACKTEST))
    assert [row for row in page.all("tr") if row.get("class") == "own"] == [{"class": "own"}]


def test_sections_without_content_are_hidden() -> None:
    titles = ("What each guard is worth", "More careful, or bolder", "Does it hold everywhere?", "Why Nightshift decided so",
              "What was read and set aside", "What went in", "Thresholds")  # fmt: skip
    for render in (render_backtest_html, render_backtest_markdown):
        assert not any(title in render(BARE) for title in titles)
        assert all(title in render(BACKTEST) for title in titles[:4])


def test_a_backtest_without_savings_or_rules_still_reads() -> None:
    text = Page(render_backtest_html(BARE)).text
    assert "captured Nothing: there was nothing to save It shrank nothing, so nothing could starve." in text
    assert "No rule shrank anything, so there is nothing to draw." in text
    text = Page(render_backtest_html(replace(BARE, rules=()))).text
    assert "Backtest No rules compared" in text
    assert "No rule was tried." in text
    assert "No rule was tried." in render_backtest_markdown(replace(BARE, rules=()))


def test_the_outcome_is_one_sentence() -> None:
    assert backtest_page.outcome(NOTHING) == "It shrank nothing, so nothing could starve."
    one = replace(OWN, down=1, starved=0, starved_pct=0.0, starved_interval=None, touched_pct=0.0, memory_touched_pct=0.0)
    assert backtest_page.outcome(one) == "It starved 0 of 1 downsize (0%) and touched 0% of them, the memory of 0%."


@pytest.mark.parametrize(
    ("interval", "text"),
    [(None, ""), ((0.0, 0.0), "0%"), ((0.1, 0.9), "0.1–0.9%"), ((0.01, 4.0), "<0.1–4%"), ((99.0, 100.0), "99–100%")],
)
def test_an_interval_says_its_ends_once(interval: tuple[float, float] | None, text: str) -> None:
    assert backtest_page.span(interval) == text


def test_a_rule_is_called_by_its_id_and_explained_beneath() -> None:
    text = Page(render_backtest_html(BACKTEST)).text
    assert "1 Nightshift (cheapest) 1,204 (0)" in text
    assert "3 persistence-28d The limits of perfect foresight, on the last 28 days (cheapest) 1,611 (0)" in text


def test_the_page_says_what_an_arrow_means_only_where_one_is() -> None:
    sentence = "An arrow stands where less is captured than the scale shows."
    assert sentence in render_backtest_html(BACKTEST)
    assert sentence not in render_backtest_html(replace(BACKTEST, rules=(OWN, PERSISTENCE)))


def test_a_target_is_told_in_words_and_an_unknown_one_as_it_is() -> None:
    assert (
        "from: the next smaller size of its own family." in Page(render_backtest_html(replace(BACKTEST, target="one-step"))).text
    )
    assert "from: half." in Page(render_backtest_html(replace(BACKTEST, target="half"))).text


def test_parts_name_the_rules_as_the_table_does() -> None:
    text = Page(render_backtest_html(BACKTEST)).text
    assert "source bitbrains Nightshift 1,840 702 70.4% 1 0.1% 1.4% aws-compute-optimizer 1,840 990 65% 40 4% 16.1%" in text
    assert "services, part 1 of 5 Nightshift 802 0 – 0 – –" in text


def test_hostile_names_are_shown_and_do_nothing_in_the_page() -> None:
    html = render_backtest_html(hostile())
    assert "<script" not in html
    assert "<img" not in html
    assert "<!--" not in html
    assert "<script>alert(1)</script>" in Page(html).text
    assert not set("\x00\x1b\u202e") & set(html)


@REPORTS
def test_a_markdown_parser_finds_only_our_own_markup(report: BacktestReport) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(render_backtest_markdown(report))
    kinds = {token.type for token in tokens}
    kinds |= {child.type for token in tokens for child in token.children or ()}
    assert kinds.isdisjoint(
        {"html_block", "html_inline", "link_open", "image", "em_open", "s_open", "hr", "code_block", "fence",
         "blockquote_open", "ordered_list_open", "hardbreak", "lheading_open"}
    )  # fmt: skip
    assert sum(token.type == "table_open" for token in tokens) == (1 if report is BARE else 7)


@REPORTS
def test_columns_of_a_markdown_table_are_aligned(report: BacktestReport) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", render_backtest_markdown(report), re.MULTILINE):
        rows = block.splitlines()
        assert len({len(row) for row in rows}) == 1
        bars = [[match.start() for match in re.finditer(r"(?<!\\)\|", row.replace(r"\\", "××"))] for row in rows]
        assert all(row == bars[0] for row in bars)


@given(st.lists(st.tuples(st.from_regex(r"[a-z\\]{0,8}", fullmatch=True), st.integers(0, 10**6)), min_size=1))
def test_aligning_keeps_every_cell(rows: list[tuple[str, int]]) -> None:
    table = "| a | b |\n|:--|--:|\n" + "".join(f"| {text} | {number} |\n" for text, number in rows)
    lines = backtest_page.aligned(table).splitlines()[2:]
    assert [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in lines] == [(text, str(n)) for text, n in rows]
