"""The demo's morning report in a browser: quiet, accessible, and every link leading somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.links import assert_links_resolve


@pytest.fixture(scope="module")
def folder(demo_home) -> Path:
    return demo_home[0] / "reports" / "2025-03-09"


def test_every_link_of_the_report_leads_somewhere(folder: Path) -> None:
    assert_links_resolve(folder)


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_quiet_accessible_and_fits(open_page: OpenPage, folder: Path, scheme: str, width: int) -> None:
    page = open_page(folder / "index.html", scheme=scheme, width=width)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
