"""The pages beside a report: what has one, what stands on it, where it leads, and what no name can do to it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.domain.file_names import page_name
from dagster_project.pipeline.report_pages import leads_to
from dagster_project.pipeline.retention import prune
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RetentionSettings
from tests.browser.links import assert_links_resolve
from tests.golden.sample_report import HOSTILE_NAMES
from tests.golden.test_report import Page
from tests.night_builders import DAY, machine, night, put
from tests.report_builders import proposal, rendered, report_home, reported, samples

PULL = {
    "repository": "o/r", "digest": "d1", "state": "open", "number": 7, "detail": "", "owner": "shop", "risk": "low",
    "root": "envs/prod", "url": "https://github.com/o/r/pull/7", "opened_on": DAY, "resources": '["i-1"]',
    "savings_usd_month": 70.0,
}  # fmt: skip
REQUEST = {
    "digest": "a1", "request_id": "apr-1", "state": "pending", "detail": "", "service": "checkout", "environment": "prod",
    "owner": "shop", "risk": "high", "is_rollback": False, "savings_usd_month": 70.0, "approvals": "[]",
    "missing": "2 more people must approve", "opened_on": DAY,
    "changes": json.dumps([{"resource_id": "i-2", "attribute": "instance_type", "before": "m5.xlarge", "after": "m5.large"}]),
}  # fmt: skip
REPLAYED = {
    "protected_windows": [{"resource_id": "i-3", "event_kind": "incident", "event_id": "INC-1", "event_title": "outage"}],
    "incident_demand": [
        {"resource_id": "i-3", "event_kind": "incident", "event_id": "INC-1", "samples": 3, "cpu_peak_pct": 95.0,
         "mem_peak_pct": 20.0, "instance_type": "m5.xlarge", "units": 1, "basis": "samples"}
    ],
}  # fmt: skip


def words(page: Path) -> str:
    return Page(page.read_text(encoding="utf-8")).text


def test_proposed_changed_and_refused_by_replay_have_pages_and_nothing_else(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    busy = machine("i-4", {"cpu_avg_pct": {"p995": 90, "maximum": 95}, "cpu_max_pct": {"p995": 92, "maximum": 97}})
    moved = machine("i-5", {"cpu_avg_pct": {"p995": 90, "maximum": 95}})
    outcome = {
        "resource_id": "i-5", "source": "o/r#3", "attribute": "instance_type", "value_before": "m5.4xlarge",
        "value_after": "m5.xlarge", "estimated_usd_month": 140.0, "realized_usd_month": 133.0, "applied_on": date(2025, 3, 1),
    }  # fmt: skip
    written = reported(
        runtime,
        machine("i-1", team="shop"), machine("i-2", team="shop"), machine("i-3"), busy, moved,
        **REPLAYED, pull_requests=[PULL], approval_requests=[REQUEST], proposal_outcomes=[outcome],
        utilization_samples=samples("i-1", 10.0),
        utilization_daily=[{"resource_id": "i-1", "metric": "cpu_avg_pct", "maximum": 41.0, "day": DAY}],
    )  # fmt: skip
    folder = written.html.parent
    assert {each.stem for each in (folder / "resources").iterdir()} == {"i-1", "i-2", "i-3", "i-5"}
    assert {each.stem for each in (folder / "proposals").iterdir()} == {"d1", "apr-1"}
    assert [each.stem for each in (folder / "teams").iterdir()] == ["shop"]
    assert [each.stem for each in (folder / "services").iterdir()] == ["checkout"]
    assert_links_resolve(runtime.settings.reports)

    first = words(folder / "resources/i-1.html")
    assert "Proposed: m5.xlarge → m5.large , $70 a month" in first
    assert "proposed waits for a review · o/r#7" in first
    assert "CPU peaks at 33%, the smaller size is full at 50%" in first
    assert "28 days: CPU peaks at 41%; the smaller size is full at 50%" in first
    refused = words(folder / "resources/i-3.html")
    assert "Refused Past demand would have been 202 % (100 % is the limit)." in refused
    changed = words(folder / "resources/i-5.html")
    assert "m5.4xlarge → m5.xlarge realized live o/r#3 2025-03-01 $140 $133" in changed
    asked = words(folder / "proposals/apr-1.html")
    assert "Approval request: 1 resource of checkout in prod" in asked
    assert "2 more people must approve" in asked
    assert "nightshift proposals approve apr-1" in asked
    team = words(folder / "teams/shop.html")
    assert "Safe to save now $140 per month 2 proposals" in team


def test_the_report_leads_to_pages_and_says_how_far_each_proposal_has_come(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    page = Page(
        reported(runtime, machine("i-1"), machine("i-2"), pull_requests=[PULL], approval_requests=[REQUEST]).html.read_text()
    )
    links = {a["href"] for a in page.all("a")}
    assert {"resources/i-1.html", "resources/i-2.html", "proposals/d1.html", "proposals/apr-1.html"} <= links
    assert "m5.xlarge → to m5.large i-1 · checkout · us-east-1" in page.text
    assert "Of $140 a month that were identified, $0 are realized" in page.text
    assert "−$140" in page.text


def test_no_more_pages_than_the_settings_allow_and_the_report_does_not_lead_to_the_others(tmp_path: Path) -> None:
    runtime = report_home(tmp_path, report={"max_resource_pages": 1})
    written = reported(runtime, machine("i-1", instance_type="m5.2xlarge"), machine("i-2"))
    assert [each.stem for each in (written.html.parent / "resources").iterdir()] == ["i-1"]
    assert written.report.pages_left_out == 1
    assert_links_resolve(runtime.settings.reports)
    assert "1 resource has no page of its own" in words(written.html)


def test_what_else_stands_of_a_group_is_on_its_page(tmp_path: Path) -> None:
    waiting = {**PULL, "state": "waiting", "number": 0, "url": None, "detail": "its group is full", "resources": '["i-2"]'}
    merged = {**PULL, "state": "merged", "number": 6, "resources": '["i-3"]'}
    written = reported(report_home(tmp_path), *map(machine, ("i-1", "i-2", "i-3")), pull_requests=[PULL, waiting, merged])
    text = words(written.html.parent / "proposals/d1.html")
    assert "Pull request #7: 1 resource of shop" in text
    first, second, third = re.split(r"Of the same group: (?:Pull request #6, merged|Waiting for its turn)", text)
    assert [name for part in (first, second, third) for name in re.findall(r"\bi-\d\b", part)] == ["i-1", "i-3", "i-2"]
    assert_links_resolve(written.html.parents[1])


def test_a_page_of_an_earlier_run_does_not_stay(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    reported(runtime, machine("i-1"), machine("i-2"), pull_requests=[PULL])
    folder = reported(runtime, machine("i-2")).html.parent
    assert [each.stem for each in (folder / "resources").iterdir()] == ["i-2"]
    assert list((folder / "proposals").iterdir()) == []
    assert not list(folder.glob(".*"))


def test_the_address_of_a_proposal_leads_to_the_newest_night_whatever_is_run_again(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    reports, later = runtime.settings.reports, DAY + timedelta(days=1)
    stable = reports / "proposals/d1.html"
    reported(runtime, machine("i-1"), pull_requests=[PULL])
    assert leads_to(stable) == DAY
    reported(runtime, machine("i-1"), day=later, pull_requests=[{**PULL, "state": "merged"}])
    assert leads_to(stable) == later
    before = stable.read_bytes()
    reported(runtime, machine("i-1"), pull_requests=[PULL])
    assert stable.read_bytes() == before
    target = (stable.parent / re.findall(r'url=([^"]+)"', stable.read_text())[0]).resolve()
    assert "merged" in words(target)


def test_a_report_that_is_pruned_goes_with_what_killed_writers_left_of_it(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    for back in (60, 0):
        reported(
            runtime, machine("i-1", team="shop"), day=DAY - timedelta(days=back), pull_requests=[{**PULL, "digest": f"d{back}"}]
        )
    reports = runtime.settings.reports
    left = reports / str(DAY - timedelta(days=60)) / ".teams.abc"
    left.mkdir()
    (left / "shop.html").write_text("half")
    (left.parent / ".index.html.xyz").write_text("half")
    kept = RetentionSettings(reports_days=30)
    prune(Runtime(runtime.settings.model_copy(update={"retention": kept})))
    assert [each.name for each in reports.iterdir() if each.name.startswith("20")] == [str(DAY)]
    assert [each.stem for each in (reports / "proposals").iterdir()] == ["d0"]


def test_the_same_night_gives_the_same_files(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    machines = [machine(f"i-{number}", team=f"t{number % 3}", service=f"s{number % 5}") for number in range(20)]
    reported(runtime, *machines, pull_requests=[PULL], approval_requests=[REQUEST])
    first = digests(runtime.settings.reports)
    rendered(runtime)
    assert digests(runtime.settings.reports) == first
    assert len(first) >= 37


def digests(folder: Path) -> dict[str, str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def test_names_can_neither_break_pages_nor_leave_their_folder(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    names = [*HOSTILE_NAMES, "../../escape", ".", "..", "CON", "a/b", "A/B", "ä", "%2e%2e%2f", "?x=1#y", " ", "x", "X", "nul"]
    machines = [replace(machine(name, service=name, team=name, environment=name)) for name in names]
    verdicts = night(runtime, *machines)
    put(
        runtime,
        "proposals",
        DAY,
        [proposal(row, held_back=row["resource_id"]) for row in verdicts.values() if row["verdict"] == "propose"],
    )
    pulls = [
        {**PULL, "digest": name, "repository": name, "owner": name, "root": name, "detail": name, "url": f"javascript:{name}",
         "resources": json.dumps([name]), "number": number}
        for number, name in enumerate(names, start=1)
    ]  # fmt: skip
    put(runtime, "pull_requests", DAY, pulls)
    for table in ("approval_requests", "proposal_outcomes"):
        put(runtime, table, DAY, [])
    rendered(runtime)
    reports = runtime.settings.reports
    pages = sorted(reports.rglob("*.html"))
    assert len([page for page in pages if page.parent.name == "resources"]) == len(names)
    # Also where a file system takes A and a for the same.
    assert len({str(page).lower() for page in pages}) == len(pages)
    assert not {page.stem.lower() for page in pages} & {"con", "nul"}
    assert {page.resolve().is_relative_to(reports.resolve()) for page in pages} == {True}
    for page in pages:
        html = page.read_text(encoding="utf-8")
        tags = {tag for tag, _ in Page(html).elements}
        assert tags.isdisjoint({"script", "img", "iframe", "object", "form"}), page
        assert not set("\x00\x1b\u202e") & set(html), page
        assert "javascript:" not in " ".join(str(a["href"]) for a in Page(html).all("a")), page
    assert_links_resolve(reports)
    assert "<script>alert(1)</script>" in words(reports / f"{DAY}/resources/{page_name(HOSTILE_NAMES[0])}.html")


@pytest.mark.parametrize("days", [1, 3])
def test_a_trend_begins_with_the_second_night(tmp_path: Path, days: int) -> None:
    runtime = report_home(tmp_path)
    for back in range(days - 1, -1, -1):
        written = reported(runtime, machine("i-1"), *([machine("i-2")] if back else []), day=DAY - timedelta(days=back))
    text = words(written.html)
    assert ("This is the first night of which numbers are kept." in text) == (days == 1)
    assert ("Safe savings a month over 3 nights: from $140 on 2025-03-07 to $70 on 2025-03-09" in text) == (days == 3)
    assert ("$70 less than on 2025-03-08." in text) == (days == 3)


def test_a_threshold_that_was_changed_is_told_with_both_values(tmp_path: Path) -> None:
    before = report_home(tmp_path, max_cpu_p995_pct=70)
    assert "No earlier night of the last four weeks is there to compare with." in words(
        reported(before, machine("i-1"), day=DAY - timedelta(days=1)).html
    )
    written = reported(report_home(tmp_path, max_cpu_p995_pct=75), machine("i-1"))
    assert written.report.changes == ("The setting rightsizing.max_cpu_p995_pct was 70 on 2025-03-08 and is 75 now.",)
    assert "No threshold and no policy." in words(
        reported(report_home(tmp_path, max_cpu_p995_pct=75), machine("i-1"), day=DAY + timedelta(1)).html
    )


def test_a_night_without_resources_says_so(tmp_path: Path) -> None:
    text = words(reported(report_home(tmp_path)).html)
    assert "No resource is known for this day." in text
    assert "Nothing to propose The inventory holds no resources for this day." in text
    assert "What could be saved $0 per month" in text
    assert "No change is on the table" in text


def test_a_night_that_read_nothing_says_so_first(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    for source, status in (("utilization", "empty"), ("resource_inventory", "failed")):
        put_load(runtime, source, status)
    text = words(reported(runtime).html)
    told = "No source gave anything for this night, so nothing below says anything about the fleet: "
    assert told + "resource_inventory (failed), utilization (empty)." in text
    assert text.index(told) < text.index("Nothing to propose")


def put_load(runtime, source: str, status: str) -> None:
    from dagster_project.pipeline.ledger import Load, record

    record(runtime.lake, DAY, Load(source, status))
