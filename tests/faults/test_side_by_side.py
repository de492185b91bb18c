"""Two nights at once, of different days, in the same home: both succeed, and each is what it would be in a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from dagster_project.defs.launch import run_nightly
from dagster_project.lake.engine import publish_views
from dagster_project.lake.incident_tables import INCIDENT_RECORDS, POSTMORTEMS
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.conftest import FirstNight
from tests.forking import FORKS

EARLIER, LATER = date(2025, 3, 8), date(2025, 3, 9)
GoOn = Callable[[FirstNight], Runtime]


def night(settings: dict[str, Any], now: datetime, day: date) -> None:
    """A night in a process of its own."""
    run_nightly(Runtime(Settings(**settings), now=now), day)


def test_two_days_at_once_both_succeed(
    fleet_runtime: Runtime, night_of_the_8th: FirstNight, night_of_the_9th: FirstNight, go_on: GoOn
) -> None:
    arguments = (fleet_runtime.settings.model_dump(), fleet_runtime.now)
    children = [FORKS.Process(target=night, args=(*arguments, day)) for day in (EARLIER, LATER)]
    for child in children:
        child.start()
    for child in children:
        child.join(180)
    assert [child.exitcode for child in children] == [0, 0]

    listed = (fleet_runtime.settings.reports / "index.html").read_text(encoding="utf-8")
    assert [day for day in (EARLIER, LATER) if f'<a href="{day}/index.html">' not in listed] == []

    def page(runtime: Runtime, day: date) -> str:
        return (runtime.settings.reports / day.isoformat() / "index.html").read_text(encoding="utf-8")

    assert page(fleet_runtime, EARLIER) == night_of_the_8th.page.decode()
    # The later night remembers the verdicts of the earlier one where it found them, which is a matter of seconds here.
    together = page(fleet_runtime, LATER)
    if together != night_of_the_9th.page.decode():
        in_a_row = go_on(night_of_the_8th)
        run_nightly(in_a_row, LATER)
        alone, after = night_of_the_9th.page.decode(), page(in_a_row, LATER)
        # So it is with incidents, numbers and rules of the night before, and of these it may have found one and not the other:
        # each piece of the page is one or the other.
        both, found = (pieces_of(alone), pieces_of(after)), pieces_of(together)
        assert found.keys() == both[0].keys() == both[1].keys()
        assert [name for name, piece in found.items() if piece not in {each[name] for each in both}] == []
        # Whoever read the action items first decides which documents are written anew, and those are shown besides recent ones.
        shown = [incidents_of(page) for page in (alone, after, together)]
        assert lately(in_a_row) <= shown[2] <= shown[0] | shown[1]
        assert documented(fleet_runtime) == documented(in_a_row)


def test_a_reader_keeps_its_database_while_a_night_publishes_a_new_one(night_of_the_9th: FirstNight, go_on: GoOn) -> None:
    runtime = go_on(night_of_the_9th)
    publish_views(runtime.lake, TABLES.values())
    with duckdb.connect(str(runtime.settings.warehouse / "nightshift.duckdb"), read_only=True) as reader:
        count = "select count(*) from rightsizing_verdicts where day = date '2025-03-09'"
        before = reader.execute(count).fetchall()
        publish_views(runtime.lake, TABLES.values())
        assert reader.execute(count).fetchall() == before
        assert before[0][0] > 50


APART = {
    "trend": r"<figure class=\"chart-box\">\s*<figcaption>(?:Trend over nights|Safe savings a month over).*?</figure>",
    "since": r" [^ ]+ (?:more|less) than on \d{4}-\d\d-\d\d\.",
    "changes": r"<h3>What changed since the night before</h3>.*?</div>",
    "flips": r"<li>[\d,]+ of [\d,]+ resources \([^)]*\) that had a verdict at the same size.*?</li>",
    "broke": r"<dt>What broke</dt>.*?</div>",
    "cost": r"<tr><th scope=\"row\">Incidents have cost</th>.*?</tr>",
    "numbers": r'<tr id="n-(?:incident\w+|median_restore_minutes)">.*?</tr>',
}
"""What a page remembers of the night before, beside its sections."""


def pieces_of(page: str) -> dict[str, str]:
    """A page by what depends on each other; without its incidents, which are compared by name, and how many were captured."""
    page = re.sub(r'<section id="incidents".*?</section>|<tr><th scope="row">captured_.*?</tr>', "", page, flags=re.DOTALL)
    pieces = {}
    for name, part in APART.items():
        pieces[name] = "".join(re.findall(part, page, flags=re.DOTALL))
        page = re.sub(part, "", page, flags=re.DOTALL)
    for part in page.split("<section "):
        name = re.match(r'(?:id="([^"]+)"|class="hero")', part)
        pieces[f"section {name[1]}" if name else "head"] = part
    return pieces


def lately(runtime: Runtime) -> set[str]:
    """The incidents of the later night that go on or ended within its week."""
    rows = pl.read_parquet(runtime.lake.path(INCIDENT_RECORDS, LATER), hive_partitioning=False)
    recent = pl.col("is_open") | (pl.col("ended_at") >= datetime(2025, 3, 3))  # noqa: DTZ001 - naive UTC
    return set(rows.filter(recent)["incident_id"])


def documented(runtime: Runtime) -> set[str]:
    """The incidents of which the later night knows a document, each where it says that it lies."""
    rows = pl.read_parquet(runtime.lake.path(POSTMORTEMS, LATER), hive_partitioning=False)
    for incident_id, day in rows.select("incident_id", "written_on").iter_rows():
        assert (runtime.settings.reports / f"{day}" / "postmortems" / f"{incident_id}.html").is_file()
    return set(rows["incident_id"])


def incidents_of(page: str) -> set[str]:
    """The incidents that a page tells of and links to."""
    return set(re.findall(r"postmortems/(INC-[\w-]+|UND-[\w-]+)\.html", page))
