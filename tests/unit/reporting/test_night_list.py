"""The list of nights and its feed: whatever nights there are, and whatever they do not know."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from dagster_project.reporting.night_charts import every_day, money_over_nights, sparkline
from dagster_project.reporting.night_list import FEED_NIGHTS, render_feed, render_index
from dagster_project.reporting.night_views import NightLine, NightList, WeekLine
from dagster_project.reporting.vega import draw
from tests.golden.sample_report import HOSTILE_NAMES

SUNDAY = date(2025, 3, 9)
ATOM = "{http://www.w3.org/2005/Atom}"


def nights(count: int, *, without: tuple[int, ...] = (), older: int = 0, version: str = "1.0") -> NightList:
    """So many days up to a Sunday, the newest first; of ``without`` there are none."""
    lines = tuple(
        NightLine(
            SUNDAY - timedelta(days=back),
            has_report=back % 7 != 3,
            numbers={"safe_usd_month": 1000.0 + back, "proposals": 59.0, "cpu_coverage_pct": 97.0, "realized_usd_month": None},
        )
        for back in range(count)
        if back not in without
    )
    return NightList(lines, older, (WeekLine("2025-W10", date(2025, 3, 3), SUNDAY),), version)


class Page(HTMLParser):
    """Links, rows of tables, and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_home_without_a_night_says_what_to_do() -> None:
    page = Page(render_index(NightList()))
    assert "No night has run yet" in page.text
    assert "nightshift nightly" in page.text
    assert page.tags.count("table") == 0


def test_one_night_has_no_course_yet() -> None:
    page = Page(render_index(nights(1)))
    assert "Sunday, 9 March 2025: safe to save" in page.text
    assert "$1,000 per month" in page.text
    assert "with 59 proposals" in page.text
    assert page.tags.count("svg") == 6
    assert "Money over nights" not in page.text


def test_numbers_that_a_night_did_not_know_are_unknown_and_those_of_no_night_are_not_drawn() -> None:
    page = Page(render_index(NightList((NightLine(SUNDAY, has_report=True),))))
    assert "unknown" in page.text
    assert "$0" not in page.text
    assert page.tags.count("svg") == 0


def test_four_hundred_nights_are_a_table_by_month_and_the_older_ones_are_counted() -> None:
    html = render_index(nights(400, older=35))
    page = Page(html)
    assert html.count('<tr><th scope="row">') == 400
    assert page.tags.count("details") == 13
    assert "35 older nights are not listed" in page.text
    assert [link for link in page.links if link.startswith("20")] == ["2025-03-09/index.html"] + [
        f"{SUNDAY - timedelta(days=back)}/index.html" for back in range(400) if back % 7 != 3
    ]
    assert set(page.tags) & {"script", "img", "iframe", "object"} == set()
    assert len(html.encode()) < 400_000
    assert html == render_index(nights(400, older=35))


def test_a_night_is_compared_with_the_night_before_it_even_across_a_gap() -> None:
    page = Page(render_index(nights(4, without=(1,))))
    assert "2025-03-09 Sunday $1,000 −$2.00 59" in page.text
    assert "1 night is missing and left open" in page.text


def test_a_missing_night_is_a_gap_and_a_night_between_two_gaps_a_dot() -> None:
    drawn = sparkline([1.0, 2.0, None, 1.0, None, None, 0.0, 2.0], "told")
    line = re.findall(r'<path d="([^"]*)"', drawn)[2]
    assert line == "M0.00 20.00L14.29 0.00M42.86 20.00h0M85.71 40.00L100.00 0.00"
    assert "NaN" not in sparkline([None, 0.0], "nothing but zero")


def test_the_chart_has_nothing_where_a_night_is_missing() -> None:
    days = every_day({SUNDAY: {"safe_usd_month": 2.0}, SUNDAY - timedelta(days=2): {"safe_usd_month": 1.0}}, SUNDAY, 90)
    assert [numbers.get("safe_usd_month") for _, numbers in days] == [1.0, None, 2.0]
    chart = money_over_nights(days)
    assert chart.description.endswith("1 night between them is missing.")
    # Both nights stand alone: no line between them, and a point for each, in both sizes of the chart.
    lines = re.findall(r'd="([^"]*)" stroke="var\(--verdict-propose\)"', draw(chart))
    assert len(lines) == 2
    assert not any("L" in line for line in lines)
    assert draw(chart).count('fill="var(--verdict-propose)" stroke-width') == 4


@pytest.mark.parametrize("address", [None, "https://reports.example.com/a?b=1&c=<d>\"'\x01\ufffe"])
def test_the_feed_is_atom(address: str | None) -> None:
    text = render_feed(nights(40, version=HOSTILE_NAMES[0]), address)
    feed = ET.fromstring(text.encode())  # noqa: S314 - it is our own
    base = f"{address}/" if address else ""
    assert feed.tag == f"{ATOM}feed"
    assert [len(feed.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated", "author")] == [1, 1, 1, 1]
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == FEED_NIGHTS
    for entry in (feed, *entries):
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated", "")).tzinfo == UTC
        assert re.fullmatch(r"tag:[\w.-]+,\d{4}:\S+", entry.findtext(f"{ATOM}id", ""))
        kinds = [(link.get("rel"), link.get("type")) for link in entry.findall(f"{ATOM}link")]
        assert len(set(kinds)) == len(kinds)
        assert ("alternate", "text/html") in kinds
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert ids[0] == "tag:nightshift.invalid,2025:reports/2025-03-09"
    assert len(set(ids)) == len(ids)
    assert entries[0].findtext(f"{ATOM}updated") == feed.findtext(f"{ATOM}updated") == "2025-03-10T00:00:00Z"
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    href = link.get("href", "")
    assert href.endswith("2025-03-09/index.html")
    assert href.startswith("https://reports.example.com/a?b=1&c=<d>\"'" if base else "2025")
    content = entries[0].find(f"{ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    assert Page(content.text or "").links == [href]
    assert "Safe to save now $1,000 −$1.00" in Page(content.text or "").text


def test_a_feed_keeps_its_names_when_the_folder_is_published() -> None:
    def names(address: str | None) -> list[str]:
        return re.findall(r"<id>(.*)</id>", render_feed(nights(3), address))

    assert names(None) == names("https://reports.example.com")


def test_a_feed_of_nothing_is_still_a_feed() -> None:
    feed = ET.fromstring(render_feed(NightList(), None).encode())  # noqa: S314 - it is our own
    assert feed.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"
    assert feed.findall(f"{ATOM}entry") == []


def test_hostile_words_stay_words() -> None:
    for name in HOSTILE_NAMES:
        page = Page(render_index(nights(2, version=name)))
        assert set(page.tags) & {"script", "img", "b><"} == set()
        ET.fromstring(render_feed(nights(2, version=name), f"https://example.com/{name}").encode())  # noqa: S314 - it is our own
