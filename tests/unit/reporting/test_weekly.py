"""The weekly digest in its three forms: data stays data, and nothing is longer than what shows it takes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from dagster_project.reporting.slack import MAX_BLOCKS
from dagster_project.reporting.weekly import MAX_MAIL, address_of, render_html, render_markdown, render_slack
from dagster_project.reporting.weekly_views import Chapter, Headline, Item, WeeklyDigest
from tests.golden.sample_report import HOSTILE_NAMES

URL = "https://reports.example.com"
DIGEST = WeeklyDigest(
    week="2025-W10",
    first=date(2025, 3, 3),
    day=date(2025, 3, 9),
    since=date(2025, 3, 2),
    nights=6,
    headline="$14,960 a month is safe to save",
    headlines=(Headline("Safe to save now", "<$0.01", "a month", "−$2,098"), Headline("Overdue", "6", is_alert=True)),
    chapters=(
        Chapter(
            "What broke",
            ("Incidents that began: 3. Open now: 1.",),
            (Item("INC-7", ("Payments stopped", "payment-api"), "$1,200", "2025-03-09/postmortems/INC-7.html"),),
            2,
        ),
    ),
    report="2025-03-09/index.html",
    version="1.0",
)
HOSTILE = replace(
    DIGEST,
    chapters=tuple(
        Chapter(
            f"Question {number}",
            HOSTILE_NAMES[:10],
            tuple(Item(name, (name, name), "$1", f"https://example.com/{name}") for name in HOSTILE_NAMES),
        )
        for number in range(7)
    ),
    version=HOSTILE_NAMES[0],
)
LONG = "&" * 5_000
LONGEST = replace(
    DIGEST,
    chapters=tuple(
        Chapter(f"Question {number}", (LONG,) * 10, tuple(Item(f"{n}{LONG}", (LONG,) * 6, "$1", f"{URL}/{n}") for n in range(10)))
        for number in range(7)
    ),
)


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_markdown_says_all_of_it() -> None:
    assert render_markdown(DIGEST, "..") == (
        "# Nightshift, the week to Sunday, 9 March 2025\n\n"
        "**$14,960 a month is safe to save.** 6 of 7 nights, 2025-03-03 to 2025-03-09; changes are those since 2025-03-02.\n\n"
        "[The report of 2025-03-09](../2025-03-09/index.html)\n\n"
        "| What | Now | Change |\n|:--|--:|--:|\n"
        "| Safe to save now | &lt;$0.01 a month | −$2,098 |\n| Overdue | 6 | – |\n\n"
        "## What broke\n\nIncidents that began: 3. Open now: 1.\n\n"
        "- [`INC-7`](../2025-03-09/postmortems/INC-7.html) · Payments stopped · payment-api · **$1,200**\n"
        "- and 2 more, in the report\n\n"
        "Nightshift 1.0. Money is USD per month of 730 hours; times are UTC.\n"
    )


@pytest.mark.parametrize("render", [render_markdown, render_html, render_slack])
def test_links_need_a_place_that_the_reader_knows(render) -> None:
    assert f"{URL}/2025-03-09/postmortems/INC-7.html" in render(DIGEST, URL)
    assert "INC-7.html" not in render(DIGEST, None)
    assert render(DIGEST, URL) == render(DIGEST, URL)


def test_hostile_names_are_shown_as_they_are_in_markdown() -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render_markdown(HOSTILE, ".."))
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {child.type for child in inline} <= {
        "text", "code_inline", "softbreak", "strong_open", "strong_close", "link_open", "link_close",
    }  # fmt: skip
    assert {str(child.attrs["href"]) for child in inline if child.type == "link_open"} == {"../2025-03-09/index.html"}
    assert len([token for token in tokens if token.type == "heading_open"]) == 8


def test_hostile_names_are_no_markup_in_mail() -> None:
    page = Page(render_html(HOSTILE, ".."))
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "p", "h1", "h2", "span", "a", "bdi",
    }  # fmt: skip
    assert {attributes["href"] for tag, attributes in page.elements if tag == "a"} == {"../2025-03-09/index.html"}
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text


def test_mail_needs_no_style_sheet_and_loads_nothing() -> None:
    html = render_html(DIGEST, URL)
    # A client that drops the sheet shows the light page: every text has its own colour.
    page = Page(re.sub(r"(?s)<style>.*?</style>", "", html))
    assert all("color:" in (attributes.get("style") or "") for tag, attributes in page.elements if tag in ("p", "h1", "h2", "a"))
    assert {name for _, attributes in page.elements for name in attributes} & {"src", "srcset", "background"} == set()
    assert "url(" not in html
    assert "@import" not in html
    assert "width:100%;max-width:600px" in html
    assert "Incidents that began: 3. Open now: 1." in page.text


def test_mail_stays_below_what_clients_cut_and_counts_what_is_left_out() -> None:
    html = render_html(LONGEST, URL)
    assert 20_000 < len(html.encode()) < MAX_MAIL
    assert re.search(r"and \d+ more, in the report", html)


@pytest.mark.parametrize("digest", [DIGEST, HOSTILE, LONGEST], ids=["ordinary", "hostile", "longest"])
def test_slack_takes_the_message(digest: WeeklyDigest) -> None:
    message = json.loads(render_slack(digest, URL))
    assert set(message) == {"text", "blocks"}
    assert 0 < len(message["text"]) <= 3_000
    assert len(message["blocks"]) <= 50
    header, *rest = message["blocks"]
    assert header["type"] == "header"
    assert len(header["text"]["text"]) <= 150
    assert len(json.dumps(message["blocks"], ensure_ascii=False)) <= MAX_BLOCKS
    for block in rest:
        texts = [block["text"]] if "text" in block else block.get("fields") or block["elements"]
        assert 1 <= len(texts) <= 10
        for each in texts:
            assert each["type"] == "mrkdwn"
            assert 1 <= len(each["text"]) <= (2_000 if "fields" in block else 3_000)
            # The only brackets are those of links; ampersands are written out.
            bare = re.sub(r"<https?://[^<>|]+\|[^<>]*>", "", each["text"])
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", bare)


def test_what_slack_has_no_room_for_is_counted() -> None:
    chapter = Chapter("What broke", (), tuple(Item(f"INC-{number}", ("x" * 90,) * 3) for number in range(10)), 5)
    message = json.loads(render_slack(replace(DIGEST, chapters=(chapter,) * 7), None))
    text = message["blocks"][3]["text"]["text"]
    shown = text.count("• ")
    assert 0 < shown < 10
    assert text.endswith(f"and {15 - shown} more, in the report")


@pytest.mark.parametrize(
    ("address", "base", "found"),
    [
        ("2025-03-09/index.html", "..", "../2025-03-09/index.html"),
        ("2025-03-09/index.html", 'https://e.com/a b|c>d)`"', "https://e.com/a%20b%7Cc%3Ed%29%60%22/2025-03-09/index.html"),
        ("2025-03-09/index.html", None, None),
        ("../../etc/passwd?x", "..", None),
        ("https://github.com/acme/infra/pull/7", None, "https://github.com/acme/infra/pull/7"),
        ("https://example.com/|x>", URL, None),
        ("javascript:alert(1)", URL, None),
        ("https://example.com/" + "x" * 500, URL, None),
        (None, URL, None),
    ],
)
def test_only_plain_addresses_are_led_to(address: str | None, base: str | None, found: str | None) -> None:
    assert address_of(address, base) == found
