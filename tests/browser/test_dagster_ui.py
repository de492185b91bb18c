"""The Dagster UI as somebody uses it who comes to it for the first time: back-fill five days, see them green, look at one."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Chromium
from tests.browser.conftest import OpenPage
from tests.browser.dagster_servers import dagster_ui

DAYS = [date(2025, 3, day) for day in range(5, 10)]
PUBLISHED = "https://reports.example.com/nightshift"
# Five nights on two cores that others use too take half a minute; a machine that is slower by far is waited for.
A_BACK_FILL = 240_000


@pytest.fixture
def home(chromium: Chromium) -> Iterator[Path]:
    """In memory where that is possible: Dagster's SQLite waits for the disk at each of a thousand events."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="nightshift-") as folder:
        yield Path(folder)


@pytest.fixture
def ui(home: Path, fleet_dsn: str) -> Iterator[str]:
    (home / "nightshift.toml").write_text(f'[report]\nurl = "{PUBLISHED}"\n', encoding="utf-8")
    environment = {
        "NIGHTSHIFT_HOME": str(home),
        "NIGHTSHIFT_REPORTS": str(home / "reports"),
        "NIGHTSHIFT_DSN": fleet_dsn,
        "NIGHTSHIFT_CONFIG": str(home / "nightshift.toml"),
    }
    with dagster_ui(environment) as address:
        yield address


def test_five_days_are_back_filled_from_the_ui_and_each_shows_what_came_of_it(open_page: OpenPage, ui: str, home: Path) -> None:
    page = open_page(f"{ui}/locations/nightshift/jobs/nightly", origins=(ui,), width=1440)
    _not_now(page)
    _launch(page)
    _see_it_end_green(page)
    assert all((home / "reports" / day.isoformat() / "index.html").is_file() for day in DAYS)
    _look_at_a_day_of_verdicts(page, ui, home)
    _look_at_the_report(page, ui)


def _not_now(page: Page) -> None:
    """In a new home, Dagster first invites to its community."""
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def _launch(page: Page) -> None:
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog").filter(has_text="Partition selection")
    dialog.get_by_text("Show all partitions").click()  # at first the last 90 days are offered
    days = dialog.get_by_role("textbox").first
    days.fill(f"[{DAYS[0]}...{DAYS[-1]}]")
    days.press("Enter")
    expect(dialog.get_by_text("5 partitions")).to_be_visible()
    dialog.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("View", exact=True).click()


def _see_it_end_green(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/runs/b/\w+"))
    row = page.get_by_role("row").filter(has_text="nightly")
    expect(row).to_contain_text("100% completed", timeout=A_BACK_FILL)
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible(timeout=A_BACK_FILL)
    targeted, running, succeeded, failed = re.findall(r"\d+", row.inner_text().partition("completed")[2])
    assert (targeted, running, succeeded, failed) == ("5", "0", "5", "0")


def _look_at_a_day_of_verdicts(page: Page, ui: str, home: Path) -> None:
    page.goto(f"{ui}/assets/rightsizing_verdicts")
    expect(page.get_by_text("The answer for every single resource")).to_be_visible()
    page.goto(f"{ui}/assets/rightsizing_verdicts?view=partitions&partition={DAYS[2]}")
    expect(page.get_by_text(str(home / "reports" / DAYS[2].isoformat() / "index.html"))).to_be_visible()
    expect(page.get_by_role("link", name=f"{PUBLISHED}/{DAYS[2]}/index.html").first).to_be_visible()
    chart = page.get_by_role("img", name="Resources by verdict")
    expect(chart).to_be_visible()
    assert chart.evaluate("image => [image.complete, image.naturalWidth]") == [True, 300], "the picture can be read"
    for verdict in ("propose", "refuse", "insufficient", "keep"):
        expect(page.get_by_role("row", name=re.compile(rf"^{verdict} \d+ [\d.]+$"))).to_be_visible()


def _look_at_the_report(page: Page, ui: str) -> None:
    page.goto(f"{ui}/assets/nightly_report?view=partitions&partition={DAYS[-1]}")
    expect(page.get_by_role("link", name=f"{PUBLISHED}/{DAYS[-1]}/index.html").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Longest steps"))).to_be_visible()
