"""What is made of more than one night: made of the lake and the folder each time, whichever night it is that makes it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dagster_project.errors import NightshiftError
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS
from dagster_project.pipeline import night_list, overview
from dagster_project.pipeline.overview import write_overview
from dagster_project.pipeline.retention import Pruned, prune
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.weekly_report import newest_night, weekly_digest
from dagster_project.reporting.pages import moved_page
from dagster_project.reporting.views import NightReport
from dagster_project.settings import ReportSettings, RetentionSettings, Settings
from tests.golden.sample_report import ORDINARY
from tests.night_builders import put

SUNDAY = date(2025, 3, 9)
MONDAY, FRIDAY, SATURDAY = date(2025, 3, 3), date(2025, 3, 7), date(2025, 3, 8)


class Links(HTMLParser):
    """Where a page leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports"))


def build(runtime: Runtime, day: date) -> NightReport:
    return replace(ORDINARY, day=day)


def has_run(runtime: Runtime, day: date, safe: float = 1000.0, *, is_shown: bool = True) -> None:
    """A night as its steps leave it, before it tells of more than itself."""
    put(runtime, "night_numbers", day, [{"name": "safe_usd_month", "value": safe}, {"name": "proposals", "value": 3.0}])
    for table in (RIGHTSIZING_VERDICTS, SAVINGS):
        put(runtime, table.name, day, [])
    if is_shown:
        page = runtime.settings.reports / day.isoformat() / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("<!doctype html>")


def night(runtime: Runtime, day: date, safe: float = 1000.0) -> None:
    has_run(runtime, day, safe)
    write_overview(runtime, build(runtime, day), build)


def listed(runtime: Runtime) -> list[str]:
    """The nights that the list leads to, without what leads to the newest from its head."""
    found = [link for link in Links(runtime.settings.reports / "index.html").found if link.endswith("/index.html")]
    return [link.split("/")[0] for link in found[1:]]


def content(runtime: Runtime) -> dict[str, bytes]:
    reports = runtime.settings.reports
    return {str(path.relative_to(reports)): path.read_bytes() for path in sorted(reports.rglob("*")) if path.is_file()}


def test_a_night_is_listed_where_this_home_knows_it_and_linked_to_where_its_report_lies(runtime: Runtime) -> None:
    has_run(runtime, FRIDAY, is_shown=False)
    (runtime.settings.reports / "2025-03-01").mkdir(parents=True)
    (runtime.settings.reports / "2025-03-01" / "index.html").write_text("another home's")
    night(runtime, SUNDAY)
    assert listed(runtime) == ["2025-03-09"]
    page = (runtime.settings.reports / "index.html").read_text(encoding="utf-8")
    assert "2025-03-07" in page
    assert "2025-03-01" not in page
    assert {"weekly/2025-W10.html", "weekly/2025-W10.md", "feed.xml"} <= set(Links(runtime.settings.reports / "index.html").found)


def test_whichever_night_runs_last_the_bytes_are_the_same(tmp_path: Path) -> None:
    found = []
    for order in ((MONDAY, FRIDAY, SUNDAY), (SUNDAY, MONDAY, FRIDAY)):
        runtime = Runtime(Settings(home=tmp_path / str(order[0]) / "home", reports=tmp_path / str(order[0]) / "reports"))
        for day in order:
            night(runtime, day, 1000.0 + day.day)
        found.append(content(runtime))
    assert found[0] == found[1]


def test_a_back_filled_night_takes_no_later_ones_place_and_is_no_longer_missing(runtime: Runtime) -> None:
    week = runtime.settings.reports / "weekly" / "2025-W10.md"
    night(runtime, SATURDAY, 1500.0)
    assert "2025-03-07" in week.read_text(encoding="utf-8").partition("kept no numbers:")[2]
    night(runtime, FRIDAY, 900.0)
    told = week.read_text(encoding="utf-8")
    assert told.startswith("# Nightshift, the week to Saturday, 8 March 2025")
    assert "| Safe to save now | $1,500 a month | +$600 |" in told
    assert "2025-03-07" not in told.partition("kept no numbers:")[2]


def test_the_digest_compares_with_the_end_of_the_week_before(runtime: Runtime) -> None:
    for day, safe in ((SUNDAY - timedelta(days=7), 1000.0), (MONDAY, 1100.0), (SUNDAY, 1250.0)):
        has_run(runtime, day, safe)
    digest = weekly_digest(runtime, build(runtime, newest_night(runtime)))
    assert (digest.week, digest.first, digest.day, digest.since, digest.nights) == (
        "2025-W10", MONDAY, SUNDAY, date(2025, 3, 2), 2,
    )  # fmt: skip
    assert (digest.headlines[0].text, digest.headlines[0].change) == ("$1,250", "+$250")
    assert "2025-03-04, 2025-03-05, 2025-03-06, 2025-03-07, 2025-03-08" in digest.chapters[-1].sentences[0]


def test_the_turn_of_the_year_belongs_to_one_week(runtime: Runtime) -> None:
    night(runtime, date(2024, 12, 30))
    assert (runtime.settings.reports / "weekly" / "2025-W01.html").is_file()


def test_a_home_without_a_night_has_no_digest(runtime: Runtime) -> None:
    with pytest.raises(NightshiftError, match="No night has run"):
        newest_night(runtime)


def test_nights_at_the_same_time_do_not_lose_each_other(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first night has read what there is, and has not written it, when the second ends."""
    second = threading.Thread(target=night, args=(runtime, SATURDAY))
    read = night_list.night_list

    def slow(runtime: Runtime) -> object:
        found = read(runtime)
        if second.ident is None:
            second.start()
            second.join(timeout=0.5)
            assert second.is_alive()  # it waits for its turn
        return found

    monkeypatch.setattr(night_list, "night_list", slow)
    night(runtime, SUNDAY)
    second.join(timeout=30)
    assert listed(runtime) == ["2025-03-09", "2025-03-08"]


def test_links_are_absolute_where_the_folder_is_published(tmp_path: Path) -> None:
    url = "https://reports.example.com/night"
    runtime = Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports", report=ReportSettings(url=url)))
    night(runtime, SUNDAY)
    weekly = runtime.settings.reports / "weekly"
    assert f"{url}/2025-03-09/index.html" in Links(weekly / "2025-W10.html").found
    message = json.loads((weekly / "2025-W10.slack.json").read_text(encoding="utf-8"))
    assert f"<{url}/2025-03-09/index.html|The report of 2025-03-09>" in message["blocks"][-1]["elements"][0]["text"]
    assert f'href="{url}/2025-03-09/index.html"' in (runtime.settings.reports / "feed.xml").read_text(encoding="utf-8")


def test_prune_takes_all_pages_of_a_night_and_what_leads_to_it(tmp_path: Path) -> None:
    retention = RetentionSettings(reports_days=7)
    runtime = Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports", retention=retention))
    reports = runtime.settings.reports
    old = date(2025, 3, 1)
    for day in (old, MONDAY, SUNDAY):
        night(runtime, day)
    pages = ["report.md", "report.css", "savings.csv", "savings.parquet", "second_opinions.csv"]
    pages += [f"{folder}/x.html" for folder in ("resources", "proposals", "teams", "services")]
    for page in (*pages, "postmortems/INC-1.html"):
        (reports / str(old) / page).parent.mkdir(exist_ok=True)
        (reports / str(old) / page).write_text("x")
    for name, day in (("apr-old", old), ("apr-new", SUNDAY)):
        (reports / "proposals").mkdir(exist_ok=True)
        (reports / "proposals" / f"{name}.html").write_text(moved_page(name, f"../{day}/proposals/{name}.html"))
    (reports / "proposals" / "mine.html").write_text("somebody's own")
    assert [each.name for each in prune(runtime, dry_run=True)] == ["reports"]
    assert listed(runtime) == ["2025-03-09", "2025-03-03", "2025-03-01"]
    (pruned,) = prune(runtime)
    assert isinstance(pruned, Pruned)
    assert pruned.days == (old,)
    left = content(runtime)
    assert [path for path in left if "2025-03-01" in path] == ["2025-03-01/postmortems/INC-1.html"]
    assert [path for path in left if path.startswith("proposals/")] == ["proposals/apr-new.html", "proposals/mine.html"]
    assert [path for path in left if path.endswith(".slack.json")] == ["weekly/2025-W10.slack.json"]
    assert listed(runtime) == ["2025-03-09", "2025-03-03"]
    assert b"2025-03-01/" not in left["feed.xml"]
    assert prune(runtime) == []


def test_what_cannot_be_written_is_said(runtime: Runtime) -> None:
    runtime.settings.reports.write_text("a file where the folder should be")
    with pytest.raises(NightshiftError, match="Cannot write to"):
        overview.write_overview(runtime, build(runtime, SUNDAY), build)
