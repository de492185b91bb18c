"""The list of nights and the weekly digest in a browser: quiet, accessible, as wide as the window, and the look that was kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.reporting.night_list import render_index
from dagster_project.reporting.weekly import render_html
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.pictures import assert_looks_like
from tests.golden.sample_nights import DIGEST, NIGHTS

VIEWS = {"light": {}, "dark": {"scheme": "dark"}, "phone": {"width": PHONE}, "phone-dark": {"width": PHONE, "scheme": "dark"}}
PAGES = {"nights": render_index(NIGHTS), "digest": render_html(DIGEST, "https://reports.example.com")}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_accessible_and_looks_as_it_did(open_page: OpenPage, pages: Path, name: str, view: str) -> None:
    page = open_page(pages / f"{name}.html", **VIEWS[view])
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    assert_looks_like(page, f"{name}-{view}", height=3000)
    for details in page.locator("details").all():
        details.evaluate("each => each.open = true")
    assert_accessible(page)


def test_paper_has_every_month(open_page: OpenPage, pages: Path) -> None:
    page = open_page(pages / "nights.html", media="print")
    rows = page.locator("tbody tr")
    assert rows.count() == len(NIGHTS.nights)
    assert all(box and box["height"] > 0 for box in (rows.nth(number).bounding_box() for number in (0, 40, 113)))


def test_mail_is_no_wider_than_mail_may_be(open_page: OpenPage, pages: Path) -> None:
    page = open_page(pages / "digest.html")
    assert page.locator(".d-card").bounding_box()["width"] == 600
