"""The demo's postmortems in a browser: quiet, accessible, every link leading somewhere, and the look that was kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.links import assert_links_resolve
from tests.browser.pictures import assert_looks_like

PICTURED = "INC-2025-0342"
VIEWS = {
    "light": {},
    "dark": {"scheme": "dark"},
    "phone": {"width": PHONE},
    "phone-dark": {"width": PHONE, "scheme": "dark"},
    "print": {"media": "print"},
}


@pytest.fixture(scope="module")
def folder(demo_home) -> Path:
    return demo_home[0] / "reports" / "2025-03-09" / "postmortems"


def test_every_link_of_a_postmortem_leads_somewhere(folder: Path, tmp_path: Path) -> None:
    alone = shutil.copytree(folder, tmp_path / "postmortems")
    assert_links_resolve(alone)


def test_every_postmortem_is_quiet_and_accessible(open_page: OpenPage, folder: Path) -> None:
    documents = sorted(folder.glob("*.html"))
    assert len(documents) > 5
    for document in documents:
        assert_accessible(open_page(document))


@pytest.mark.parametrize(("scheme", "width"), [("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)])
def test_a_postmortem_is_accessible_and_fits_however_it_is_read(
    open_page: OpenPage, folder: Path, scheme: str, width: int
) -> None:
    page = open_page(folder / f"{PICTURED}.html", scheme=scheme, width=width)
    if width == PHONE:
        page.locator("nav summary").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_contents_lead_to_their_sections_by_keyboard(open_page: OpenPage, folder: Path) -> None:
    page = open_page(folder / f"{PICTURED}.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the postmortem"
    last = page.locator("nav a").last
    last.focus()
    page.keyboard.press("Enter")
    place = page.evaluate("document.querySelector(':target').getBoundingClientRect().top")
    assert 0 <= place < 900, "the heading is in view at once, for who wants no motion"


def test_what_is_folded_is_printed(open_page: OpenPage, folder: Path) -> None:
    page = open_page(folder / f"{PICTURED}.html", media="print")
    folded = page.locator("article details").first
    assert folded.evaluate("details => details.open") is False
    assert folded.locator("table, ul, pre").first.evaluate("element => element.getBoundingClientRect().height") > 0
    assert page.locator("nav").evaluate("nav => getComputedStyle(nav).display") == "none"


@pytest.mark.parametrize("view", VIEWS)
def test_a_postmortem_looks_as_it_did(open_page: OpenPage, folder: Path, view: str) -> None:
    page = open_page(folder / f"{PICTURED}.html", **{"width": DESKTOP, **VIEWS[view]})
    assert_looks_like(page, f"postmortem-{view}", height=4500)
