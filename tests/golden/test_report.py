"""The morning report as a whole: the Markdown byte for byte, the page by its structure.

After an intended change, write the golden file anew: ``NIGHTSHIFT_UPDATE_GOLDEN=1 pytest tests/golden/test_report.py``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dagster_project.bundle import bundled
from dagster_project.reporting.render import render_html, render_markdown
from dagster_project.reporting.views import NightReport
from tests.golden.sample_report import EMPTY, HOSTILE_NAMES, ORDINARY, hostile

GOLDEN = Path(__file__).with_name("report.md")
VOID = {"meta", "link", "br", "img", "rect", "path", "input"}
NIGHTS = pytest.mark.parametrize("night", [ORDINARY, EMPTY, hostile()], ids=["ordinary", "empty", "hostile"])


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text outside of style; unbalanced tags are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_markdown_is_the_golden_file() -> None:
    written = render_markdown(ORDINARY)
    if os.environ.get("NIGHTSHIFT_UPDATE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8")


@NIGHTS
def test_the_same_night_gives_the_same_bytes(night: NightReport) -> None:
    assert render_html(night) == render_html(night)
    assert render_markdown(night) == render_markdown(night)


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import hashlib; from tests.golden.sample_report import ORDINARY;"
        "from dagster_project.reporting.render import render_html;"
        "print(hashlib.sha256(render_html(ORDINARY).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1


@NIGHTS
def test_the_page_is_one_file_that_asks_for_nothing(night: NightReport) -> None:
    page = Page(render_html(night))
    tags = {tag for tag, _ in page.elements}
    assert tags & {"script", "img", "iframe", "object", "form", "image", "use", "foreignobject"} == set()
    assert [link["href"] for link in page.all("link") if link["rel"] != "alternate"] == ["data:,"]
    # Links are followed by people only; a name is never one of them.
    pulls = {line.url for line in ORDINARY.pull_requests if line.url}
    documents = {line.document for line in night.incidents.lines if line.document}
    issues = {line.link for line in night.action_items.lines if line.link}
    pages = {group.page for group in (*night.savings.teams, *night.savings.services) if group.page}
    own = {"../index.html", "report.md", "savings.csv", *(name for name, _ in night.savings.files)}
    assert {a["href"] for a in page.all("a") if (a["href"] or "")[0] != "#"} <= pulls | documents | issues | pages | own
    assert all(re.fullmatch(r"https://[\w./-]+", link, re.ASCII) for link in issues)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    css = bundled("templates").joinpath("report.css.j2").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css


@NIGHTS
def test_the_page_can_be_walked_without_eyes(night: NightReport) -> None:
    page = Page(render_html(night))
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert [len(page.all(tag)) for tag in ("h1", "header", "main", "footer")] == [1, 1, 1, 1]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "").removeprefix("#") for a in page.all("a") if (a["href"] or "").startswith("#")} <= set(ids)
    assert page.all("a")[0] == {"class": "skip", "href": "#report"}
    assert all(th.get("scope") in {"col", "row", "colgroup", "rowgroup"} for th in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for svg in page.all("svg"):
        assert svg.get("role") == "img" or svg.get("aria-hidden") == "true" or "viewbox" in svg


def test_the_first_screen_answers_what_is_asked_first() -> None:
    text = Page(render_html(ORDINARY)).text
    opening = text[text.index("Safe to save now") : text.index("Savings, from found to realized")]
    assert opening.startswith(
        "Safe to save now $1,412 per month $16,942 per year, from 3 proposals : 1.8% of the $78.9k that 417 priced "
        "resources cost per month. $208 more than on 2026-03-15. "
        "What could be saved $5,867 per month safe now, not dared and waiting for evidence together, of $78,912 "
        "Not dared $2,862 per month 45 refused; the reasons "
        "What became of proposals $140 a month realized, $280 estimated; 1 live this week; 1 regretted; "
        "5 asked this week, 2 agreed to, 1 declined, 1 lapsed; 3 wait for people "
        "What broke 2 incidents this week 1 open; $18,240 in 28 days, as far as known "
        "Overdue 3 action items of 17 not done; which "
        "Evidence 97.4% of CPU samples 3 caveats ; 1 source incomplete"
    )
    assert "Proposed 3 Refused 45 Not enough evidence 44 Kept 326 418 resources in all" in opening
    assert "2 pull requests open, 1 of them new, 1 ended. Nightshift applied nothing." in text
    assert "Report only: nothing was changed." in Page(render_html(EMPTY)).text


def test_every_headline_number_says_where_it_comes_from() -> None:
    page = Page(render_html(ORDINARY))
    numbers = [a for a in page.all("a") if a.get("class") == "n"]
    assert len(numbers) >= 15
    rows = {attributes["id"] for attributes in page.all("tr") if "id" in attributes}
    for number in numbers:
        assert (number["href"] or "").removeprefix("#") in rows
        assert re.search(r"Tables? [\w, ]+, 2026-03-16\. .+\.$", number["title"] or "")
    assert "Realized $140 What those changes save as of the day" in page.text


def test_a_row_says_what_changes_where_and_what_it_saves() -> None:
    text = Page(render_html(ORDINARY)).text
    table = text[text.index("What is safe to shrink") :]
    assert (
        "6 × c6i.2xlarge → to c6i.xlarge search-indexer-asg · search-indexer · discovery · production · eu-central-1 "
        "7 days of demand: CPU peaks at 17.5%, the smaller size is full at 50% identified $1,699 $850"
    ) in table


def test_the_waterfall_adds_up_and_names_what_was_lost() -> None:
    text = Page(render_html(ORDINARY)).text
    told = text[text.index("Of $1,975 a month that were identified, $140 are realized") : text.index("Safe savings a month")]
    for label in ("$1,975", "−$90", "$1,885", "−$1,322", "$563", "−$283", "$280", "−$140", "$140", "not approved yet"):
        assert label in told


def test_refusals_come_before_missing_evidence_and_both_before_what_was_kept() -> None:
    text = Page(render_html(ORDINARY)).text
    table = text[text.index("What we did not dare, and why") :]
    assert table.index("Refused 45 $2,862") < table.index("Not enough evidence 44 $1,593") < table.index("Kept 326 $25")
    assert (
        "Scaled up in an emergency recently refuse_recent_emergency_scaleup i-07bd2201c4e9aa31f : The decision engine "
        "scaled it up on 2026-03-09 14:32 UTC (capacity_exhausted); 30 quiet days are needed. 21 $1,480"
    ) in table


@pytest.mark.parametrize("night", [EMPTY, replace(EMPTY, resources=0, verdicts=(), reasons=(), coverage=(), loads=())])
def test_a_night_without_proposals_says_why_and_calls_nothing_safe(night: NightReport) -> None:
    for text in (Page(render_html(night)).text, render_markdown(night)):
        assert "Nothing to propose" in text
        assert re.search("No price was found|The inventory holds no resources", text)
        assert not re.search(r"(is safe to save|safe to save now) \$[1-9]", text.lower())
        assert "per year" not in text


def test_a_night_without_evidence_still_fills_every_section() -> None:
    bare = replace(EMPTY, reasons=(), coverage=(), missing_evidence=(), loads=(), waiting_resources=0)
    text = Page(render_html(bare)).text
    for sentence in (
        "No resource was refused, kept or held back.",
        "No samples in 7 days; the lake holds no history yet.",
        "No known gaps.",
        "No metric was measured.",
        "No source was loaded.",
        "No source was read for this night, so nothing below says anything about the fleet.",
        "No price was loaded.",
        "No rule was applied.",
    ):
        assert sentence in text


def test_money_without_a_price_is_unknown_but_nothing_refused_is_nothing() -> None:
    text = Page(render_html(EMPTY)).text
    assert "What could be saved unknown per month" in text
    assert "Waiting for evidence unknown" in text
    assert "Not dared $0 per month 0 refused What became" in text


def test_one_of_anything_is_singular() -> None:
    one = replace(ORDINARY, priced_resources=1, proposals=ORDINARY.proposals[:1], proposals_total=1)
    text = Page(render_html(one)).text
    assert "from 1 proposal : 1.8% of the $78.9k that 1 priced resource costs per month." in text
    assert "1 proposal, 1.8% of the $78.9k that 1 priced resource costs per month." in render_markdown(one)


def test_hostile_names_are_shown_and_do_nothing_in_the_page() -> None:
    html = render_html(hostile())
    page = Page(html)
    assert "<script>alert(1)</script>" in page.text
    assert '"><img src=x onerror=alert(1)>' in page.text
    assert "<!--" not in html
    assert not set("\x00\x1b\u202e") & set(html)


def test_hostile_names_are_shown_and_do_nothing_in_markdown() -> None:
    markdown = render_markdown(hostile())
    outside_code = re.sub(r"`[^`\n]*`", "", markdown.replace("\\`", ""))
    assert "<" not in outside_code
    # An incident's name links to its own document.
    assert set(re.findall(r"(?<!\\)\[[^\n]*?(?<!\\)\]\(([^)\n]*)\)", outside_code)) == {"postmortems/INC-1.md"}
    assert len(re.findall(r"(?<!\\)\[", outside_code)) == len(HOSTILE_NAMES)
    assert not re.search(r"@(?!\u200b)", outside_code)
    assert "http://" not in outside_code
    assert "https://" not in outside_code
    assert not set("\x00\x1b\u202e") & set(markdown)


@NIGHTS
def test_a_markdown_parser_finds_only_our_own_markup(night: NightReport) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(render_markdown(night))
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in tokens} | {token.type for token in inline if token.type != "link_open"}
    pulls = {line.url for line in night.pull_requests if line.url}
    documents = {line.document.removesuffix(".html") + ".md" for line in night.incidents.lines if line.document}
    assert {token.attrs["href"] for token in inline if token.type == "link_open"} == pulls | documents
    assert kinds.isdisjoint(
        {"html_block", "html_inline", "image", "em_open", "s_open", "hr", "code_block", "fence",
         "blockquote_open", "ordered_list_open", "hardbreak", "lheading_open"}
    )  # fmt: skip
    assert sum(token.type == "table_open" for token in tokens) >= 4


@NIGHTS
def test_every_row_of_a_markdown_table_has_the_cells_of_its_head(night: NightReport) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", render_markdown(night), re.MULTILINE)
    assert len(blocks) >= 4
    for block in blocks:
        cells = {len(re.findall(r"(?<!\\)\|", row.replace(r"\\", ""))) for row in block.splitlines()}
        assert len(cells) == 1, block


def test_headings_of_the_markdown_are_the_reports_own() -> None:
    headings = [line for line in render_markdown(hostile()).splitlines() if line.startswith("#")]
    own = [line for line in headings if not line.startswith("### ")]
    assert own == [
        "# Nightshift, Monday, 16 March 2026",
        "## Savings, from found to realized",
        "## What is safe to shrink",
        "## What became of proposals",
        "## What people are asked",
        "## What became of it",
        "## Incidents",
        "## Action items",
        "## What we did not dare, and why",
        "## Can the evidence be trusted?",
        "## What was loaded",
        "## Prices and rules",
    ]
    assert len(headings) - len(own) == len(HOSTILE_NAMES)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(theme: str) -> None:
    css = bundled("templates").joinpath("report.css.j2").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[0 if theme == "light" else 1]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    for ground in ("bg", "surface"):
        for ink in ("ink", "muted", "accent", "alert"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
