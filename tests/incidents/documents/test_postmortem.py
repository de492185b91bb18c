"""The postmortem as a whole: Markdown and page to the byte, hostile texts, and what is said where nothing is known.

After an intended change, write the golden files anew: ``NIGHTSHIFT_UPDATE_GOLDEN=1 pytest tests/incidents/documents``.
"""

from __future__ import annotations

import html
import os
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dagster_project.domain.incidents.merging import merge
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.reporting.postmortem import GUIDANCE, ORDER, document, redacted, render_markdown, when
from dagster_project.reporting.postmortem_mermaid import gantt, plain
from dagster_project.reporting.postmortem_page import render_html
from dagster_project.reporting.postmortem_views import Header, Impact, Postmortem, TimelineEntry, Window
from dagster_project.reporting.words import duration
from tests.incidents.documents.sample_postmortem import NASTY, at, crowded, filled, hostile, payment_outage
from tests.incidents.documents.test_redaction_secrets import PLANTED

GOLDEN = Path(__file__).parents[2] / "golden" / "postmortem"
EMPTY = Postmortem(Header("INC-1", "Something happened"))
VIEWS = pytest.mark.parametrize(
    "view", [payment_outage(), hostile(), crowded(2000), EMPTY], ids=["outage", "hostile", "crowded", "empty"]
)
VOID = {"meta", "link", "br"}


def markdown(view: Postmortem) -> str:
    return merge(document(render_markdown(view)), None).text


def page(view: Postmortem) -> Page:
    return Page(render_html(markdown(view), view))


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text; unbalanced tags are an error."""

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


@pytest.mark.parametrize("kind", ["md", "html"])
def test_the_document_is_the_golden_one(kind: str) -> None:
    view = payment_outage()
    made = markdown(view) if kind == "md" else render_html(markdown(view), view)
    golden = GOLDEN / f"INC-2025-0342.{kind}"
    if os.environ.get("NIGHTSHIFT_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")

    assert made == golden.read_text(encoding="utf-8")


@VIEWS
def test_the_same_view_gives_the_same_bytes(view: Postmortem) -> None:
    assert markdown(view) == markdown(view)
    assert render_html(markdown(view), view) == render_html(markdown(view), view)
    assert merge(document(render_markdown(view)), markdown(view)).text == markdown(view)


def test_redacting_a_view_that_is_redacted_changes_nothing() -> None:
    assert redacted(payment_outage(), Redactor()) == payment_outage()


@pytest.mark.parametrize(("text", "secret"), PLANTED.values(), ids=PLANTED)
def test_a_secret_in_any_field_reaches_no_document(text: str, secret: str) -> None:
    view = redacted(filled(f"{text} said Rosie Brigham <rosie.brigham@example.com>, +44 20 7946 0958"), Redactor())
    made = markdown(view)

    for place in (made, render_html(made, view)):
        shown = html.unescape(place).replace("\\", "").replace("\N{ZERO WIDTH SPACE}", "")
        assert secret not in shown
        assert not re.search(r"Rosie|Brigham|example\.com|7946", shown.replace("example.com/", ""))


@VIEWS
def test_sections_come_in_reading_order_and_people_have_their_own(view: Postmortem) -> None:
    sections = render_markdown(view)

    assert tuple(section.name for section in sections) == ORDER
    assert {section.name for section in sections if not section.is_generated} == set(GUIDANCE)
    assert all(section.text.endswith("\n") and section.text.strip() for section in sections)
    assert not any(f"begin {name} " in document(sections) for name in GUIDANCE)


@VIEWS
def test_every_row_of_a_table_has_as_many_cells_as_its_header(view: Postmortem) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(view))
    counts: list[int] = []
    for token in tokens:
        counts = [] if token.type == "table_open" else [*counts, 0] if token.type == "tr_open" else counts
        if token.type in ("th_open", "td_open"):
            counts[-1] += 1
        assert token.type != "table_close" or len(set(counts)) == 1
    for line in markdown(view).splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_nothing_known_is_said_in_words() -> None:
    text = markdown(EMPTY)

    assert "Customers felt it for **unknown**." in text
    assert "Failed requests: unknown. Users: unknown." in text
    assert "No phase of this incident is known." in text
    assert "No source has an event of this incident." in text
    assert "mermaid" not in text
    assert not re.search(r"\bNone\b|\b0 min\b|\$0", text)
    assert "<svg" not in render_html(text, EMPTY)


def test_an_empty_section_gives_the_reason_that_it_is_told() -> None:
    view = Postmortem(Header("INC-1", "x"), empty_because={"cost": "No prices were loaded."})

    assert "## Cost\n\nNo prices were loaded.\n" in markdown(view)


def test_hostile_text_stays_text_in_markdown() -> None:
    text = markdown(hostile())
    page_html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    comments = re.findall(r"<!--.*?-->", page_html, re.DOTALL)

    assert all(re.fullmatch(r"<!-- nightshift:[\w -]+ -->", comment) for comment in comments)
    assert not re.search(r"<(?:script|img)\b", page_html)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page_html)
    assert len(re.findall(r"<h1>", page_html)) == 1
    assert not re.search(r"(?<!\w)@(?=\w)", text)
    assert len(re.findall(r"^```", text, re.MULTILINE)) == 2
    assert merge(document(render_markdown(hostile())), text).kept == ()


def test_hostile_text_stays_text_on_the_page() -> None:
    found = page(hostile())
    plain_page = page(payment_outage())

    assert not found.all("script") and not found.all("img") and not found.all("iframe")
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in plain_page.elements} | {"strong", "em"}
    assert "<script>alert(1)</script>" in found.text
    assert all(not name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert "\u202e" not in found.text


def test_html_and_images_of_people_are_shown_and_not_obeyed() -> None:
    view = payment_outage()
    text = markdown(view) + (
        "\n<script>alert(1)</script> ![p](https://evil.example.com/p.png) [x](javascript:alert(1)) [ok](https://a.example)\n"
    )

    found = Page(render_html(text, view))

    assert not found.all("script") and not found.all("img")
    assert "<script>alert(1)</script>" in found.text
    assert {a["href"] for a in found.all("a") if not (a["href"] or "").startswith("#")} >= {"https://a.example"}
    assert not any("javascript" in (a["href"] or "") for a in found.all("a"))


def test_what_people_wrote_is_on_the_page_and_the_comments_are_not() -> None:
    view = payment_outage()
    text = markdown(view).replace(GUIDANCE["went-well"][1], "The runbook was read aloud.")

    found = Page(render_html(merge(document(render_markdown(view)), text).text, view))

    assert "The runbook was read aloud." in found.text
    assert "nightshift:" not in found.text


@VIEWS
def test_the_page_stands_alone_and_is_small(view: Postmortem) -> None:
    page_html = render_html(markdown(view), view)
    found = Page(page_html)

    assert len(page_html.encode()) < 500_000
    assert found.all("link") == [{"rel": "icon", "href": "data:,"}]
    assert "default-src 'none'" in page_html
    assert not re.search(r"url\(|@import", page_html)
    assert all((a.get("href") or "").startswith(("#", "https://")) for a in found.all("a"))


def test_the_page_can_be_used_without_sight() -> None:
    found = page(payment_outage())
    ids = [attributes["id"] for _, attributes in found.elements if attributes.get("id")]
    charts = found.all("svg")

    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for a in found.all("a") if (a["href"] or "").startswith("#")} <= set(ids)
    assert all(header.get("scope") == "col" for header in found.all("th"))
    assert [chart["role"] for chart in charts] == ["img"]
    assert "Customers felt it from 2025-03-03 08:14 to 2025-03-03 12:37." in found.text
    assert found.elements[0][1] == {"lang": "en"}
    assert found.all("a")[0] == {"class": "skip", "href": "#postmortem"}
    assert sum(tag == "h1" for tag, _ in found.elements) == 1


def test_two_thousand_entries_collapse() -> None:
    view = crowded(2000)
    text = markdown(view)
    page_html = render_html(text, view)

    assert "Shown are 200 of 2,000 entries" in text
    assert len(gantt(view)) < 10_000
    assert page_html.count("<circle") <= 6 * 91
    assert "Show the 200 rows" in page_html


@pytest.mark.parametrize("hours", [0.01, 1, 6, 30, 24 * 9, 24 * 200, 24 * 900])
def test_the_time_axis_has_few_labels_at_every_scale(hours: float) -> None:
    start = at("08:14:00")
    view = Postmortem(Header("INC-1", "x"), impact=Impact((Window(start, start + timedelta(hours=hours)),)))
    page_html = render_html(markdown(view), view)

    assert 1 <= len(re.findall(r'style="fill:var\(--muted,#5a6068\)">\d', page_html)) <= 9


def test_a_repeated_entry_shows_its_count_and_its_end() -> None:
    entry = TimelineEntry(at("08:14:40"), "retry", "engine", until=at("08:20:00"), count=7, sources=("decision audit",))

    assert "| 2025-03-03 08:14:40–08:20:00 | engine | retry ×7 | decision audit |" in markdown(
        Postmortem(EMPTY.header, timeline=(entry,))
    )


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(None, "unknown"), (0, "0 s"), (0.5, "30 s"), (1, "1 min"), (21.6, "21.6 min"), (59.99, "1 h"), (263, "4 h 23 min"),
     (60, "1 h"), (1440, "1 day"), (1570, "1 day 2 h"), (4320, "3 days")],
)  # fmt: skip
def test_durations_are_written_out(minutes: float | None, words: str) -> None:
    assert duration(minutes) == words


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        ("second", "2025-03-03 08:14:40"),
        ("minute", "2025-03-03 08:14"),
        ("hour", "2025-03-03, about 08 h"),
        ("day", "2025-03-03"),
    ],
)
def test_a_time_is_written_as_exactly_as_it_is_known(precision: str, words: str) -> None:
    assert when(at("08:14:40"), precision) == words
    assert when(None, precision) == "unknown"


TIME = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
TASK = re.compile(rf"    [^:;#{{}}\"<>\n]+ :(?:(?:crit|active|milestone), )?{TIME}, (?:{TIME}|0s)")
SECTION = re.compile(r"    section [^:;#{}\"<>\n]+")
COMMAND = re.compile(
    r"    (?:section|title|click|call|href|acc|dateFormat|axisFormat|tick|excludes|includes|todayMarker|week|vert)", re.I
)


@VIEWS
def test_the_gantt_chart_keeps_to_the_grammar(view: Postmortem) -> None:
    """The subset of Mermaid's grammar that is used: four lines of head, then sections with tasks."""
    source = gantt(view)
    if not source:
        return
    kind, title, date_format, axis, *rest = source.split("\n")

    assert kind == "gantt"
    assert re.fullmatch(r"    title [^:;#{}\"<>\n]+", title)
    assert date_format == "    dateFormat YYYY-MM-DD HH:mm:ss"
    assert re.fullmatch(r"    axisFormat (?:%H:%M|%d %b(?: %H:%M)?)", axis)
    assert SECTION.fullmatch(rest[0])
    for line in rest:
        assert SECTION.fullmatch(line) or (TASK.fullmatch(line) and not COMMAND.match(line)), line
        assert "%%" not in line and len(line) < 140
    assert len(source) < 50_000


@pytest.mark.parametrize("text", ["section x", "Title", "click me", "", "::", "end", "%%{init}%%", NASTY, "a:b;c#d", "vert"])
def test_a_label_is_never_a_command(text: str) -> None:
    label = plain(text)

    assert 0 < len(label) <= 50
    assert not re.search(r"[:;#{}\n<>\"]|%%", label)
    assert not COMMAND.match(f"    {label}")


def test_the_header_says_what_is_missing_and_what_does_not_count() -> None:
    header = Header(
        "INC-2", "Drill", date(2025, 1, 27), kind="drill", not_counted_because="a drill", absent=("No alarms: they expired.",)
    )

    text = markdown(Postmortem(header))

    assert "Not counted in metrics: a drill." in text
    assert "how complete it is, is unknown; absent:\n  - No alarms: they expired." in text
