"""The demo's morning report and its pages in a browser: quiet, accessible, every link leading somewhere, and the look that was
kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.links import assert_links_resolve
from tests.browser.pictures import assert_looks_like

VIEWS = {
    "light": {},
    "dark": {"scheme": "dark"},
    "phone": {"width": PHONE},
    "phone-dark": {"width": PHONE, "scheme": "dark"},
    "print": {"media": "print"},
}
PAGES = ("resources/i-0d3048f2baf02349b.html", "teams/checkout.html", "services/coupon-api.html")


@pytest.fixture(scope="module")
def folder(demo_home) -> Path:
    return demo_home[0] / "reports" / "2025-03-09"


def test_every_link_of_every_page_leads_somewhere(folder: Path) -> None:
    pages = list(folder.parent.rglob("*.html"))
    assert len(pages) > 120
    assert_links_resolve(folder.parent)


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_quiet_accessible_and_fits(open_page: OpenPage, folder: Path, scheme: str, width: int) -> None:
    page = open_page(folder / "index.html", scheme=scheme, width=width)
    for details in page.locator("details").all():
        details.evaluate("each => each.open = true")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("name", [*PAGES, "proposal"])
@pytest.mark.parametrize(("scheme", "width"), [("light", DESKTOP), ("dark", PHONE)])
def test_pages_beside_it_are_quiet_accessible_and_fit(
    open_page: OpenPage, folder: Path, name: str, scheme: str, width: int
) -> None:
    file = folder / name if name != "proposal" else next(iter(sorted((folder / "proposals").glob("apr-*.html"))))
    page = open_page(file, scheme=scheme, width=width)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # The style sheet that pages share was read.
    assert page.locator("body").evaluate("body => getComputedStyle(body).marginTop") == "0px"


def test_the_first_screen_of_a_desk_holds_every_answer(open_page: OpenPage, folder: Path) -> None:
    page = open_page(folder / "index.html")
    for title in ("What could be saved", "Not dared", "What became of proposals", "What broke", "Overdue", "Evidence"):
        box = page.locator("dt", has_text=title).first.bounding_box()
        assert box is not None
        assert box["y"] < 900, title


def test_one_of_the_two_pictures_of_a_chart_is_shown(open_page: OpenPage, folder: Path) -> None:
    for width, shown, hidden in ((DESKTOP, "wide", "narrow"), (PHONE, "narrow", "wide")):
        page = open_page(folder / "index.html", width=width)
        charts = page.locator(f"svg.chart-{shown}")
        assert charts.count() >= 5
        assert all(chart.is_visible() for chart in charts.all())
        assert not any(chart.is_visible() for chart in page.locator(f"svg.chart-{hidden}").all())
        sizes = charts.evaluate_all(
            "all => all.flatMap(svg => [...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect().height))"
        )
        assert min(sizes) >= 10, "letters that are smaller cannot be read"


def test_labels_of_a_chart_stay_within_it(open_page: OpenPage, folder: Path) -> None:
    for width, kind in ((DESKTOP, "wide"), (PHONE, "narrow")):
        page = open_page(folder / "index.html", width=width)
        beyond = page.locator(f"svg.chart-{kind}").evaluate_all(
            """all => all.flatMap(svg => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll('text')]
                    .filter(text => { const own = text.getBoundingClientRect();
                                      return own.left < box.left - 1 || own.right > box.right + 1; })
                    .map(text => text.textContent);
            })"""
        )
        assert beyond == []


def test_a_number_leads_by_keyboard_to_what_it_is(open_page: OpenPage, folder: Path) -> None:
    page = open_page(folder / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    number = page.locator("a.n").first
    number.focus()
    told = number.get_attribute("title") or ""
    page.keyboard.press("Enter")
    row = page.locator("tr:target")
    assert row.locator("td").nth(1).inner_text() in told
    assert row.bounding_box()["y"] < 900


def test_what_is_folded_is_printed_and_the_contents_are_not(open_page: OpenPage, folder: Path) -> None:
    page = open_page(folder / "index.html", media="print")
    folded = page.locator("details.more").first
    assert folded.evaluate("details => details.open") is False
    assert folded.locator("table").first.evaluate("element => element.getBoundingClientRect().height") > 0
    assert page.locator("nav").evaluate("nav => getComputedStyle(nav).display") == "none"


@pytest.mark.parametrize("view", VIEWS)
def test_the_report_looks_as_it_did(open_page: OpenPage, folder: Path, view: str) -> None:
    assert_looks_like(open_page(folder / "index.html", **VIEWS[view]), f"report-{view}")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_did(open_page: OpenPage, folder: Path, name: str) -> None:
    assert_looks_like(open_page(folder / name), f"page-{name.partition('/')[0]}")
