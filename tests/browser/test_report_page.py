"""The demo's morning report and the pages below it in a browser: quiet, accessible, and every link leading somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.links import assert_links_resolve

KINDS = ("services", "teams", "resources", "proposals")
"""Folders of pages that a report leads to; of each the longest page is looked at."""


@pytest.fixture(scope="module")
def folder(demo_home) -> Path:
    return demo_home[0] / "reports" / "2025-03-09"


def test_every_link_of_the_reports_leads_somewhere(folder: Path) -> None:
    assert_links_resolve(folder.parent)


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_quiet_accessible_and_fits(open_page: OpenPage, folder: Path, scheme: str, width: int) -> None:
    page = open_page(folder / "index.html", scheme=scheme, width=width)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "width"), [("light", DESKTOP), ("dark", PHONE)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_below_the_report_is_quiet_accessible_and_fits(
    open_page: OpenPage, folder: Path, kind: str, scheme: str, width: int
) -> None:
    longest = max((folder / kind).glob("*.html"), key=lambda path: (path.stat().st_size, path.name))
    page = open_page(longest, scheme=scheme, width=width)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
