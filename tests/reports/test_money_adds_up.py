"""Money in the report: the same on its page, in its files and in the numbers of the night; what is not known is never nothing."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.pipeline.night_numbers import numbers_of
from tests.golden.test_report import Page
from tests.night_builders import DAY, machine, night, put
from tests.report_builders import proposal, rendered, report_home, reported

CHANGE = {"attribute": "instance_type", "before": "m5.xlarge", "after": "m5.large", "savings_usd_month": 70.0}
OUTCOME = {
    "source": "o/r#3", "resource_type": "ec2_instance", "attribute": "instance_type", "value_before": "m5.2xlarge",
    "value_after": "m5.xlarge", "estimated_usd_month": 140.0, "applied_on": date(2025, 3, 4), "team": "shop",
}  # fmt: skip
STAGES = ("identified", "proposed", "approved", "applied", "realized")


def words(page: Path) -> str:
    return Page(page.read_text(encoding="utf-8")).text


def pull(number: int, state: str, *resources: str) -> dict[str, object]:
    return {
        "repository": "o/r", "digest": f"d{number}", "state": state, "number": number, "detail": "", "owner": "shop",
        "risk": "low", "root": "r", "url": None, "opened_on": DAY, "resources": json.dumps(resources),
        "savings_usd_month": 70.0 * len(resources),
        "changes": json.dumps([{"resource_id": name, **CHANGE} for name in resources]),
    }  # fmt: skip


def test_stages_are_the_same_in_the_page_the_files_and_the_numbers_and_drops_add_up(tmp_path: Path) -> None:
    runtime = report_home(tmp_path, max_service_share_pct=100)
    six = [machine(f"i-{number}", team="shop") for number in range(6)]
    written = reported(
        runtime, *six, machine("i-8", {"cpu_avg_pct": None}, team="shop"),
        pull_requests=[pull(1, "open", "i-1", "i-8"), pull(2, "merged", "i-2"), pull(3, "merged", "i-3")],
        proposal_outcomes=[
            {**OUTCOME, "resource_id": "i-3", "realized_usd_month": 150.0},
            {**OUTCOME, "resource_id": "i-4", "source": "seen 2025-03-04"},
            {**OUTCOME, "resource_id": "i-5", "source": "seen 2025-03-05", "realized_usd_month": 0.0, "is_reversed": True,
             "regret": True},
        ],
    )  # fmt: skip
    numbers = numbers_of(runtime.lake, [DAY])[DAY]
    rows = list(csv.DictReader((written.html.parent / "savings.csv").read_text().splitlines()))
    # Six proposals; i-8 has too little evidence tonight, and is asked about; three are live.
    assert len(rows) == 10
    of_csv = [
        sum(float(row["savings_usd_month"]) for row in rows if STAGES.index(row["stage"]) >= place)
        for place in range(len(STAGES))
    ]
    stages = written.report.savings.stages
    # A proposal of tonight saves $70.08, one that people are asked about what it said then.
    assert of_csv[:4] == pytest.approx([6 * 70.08 + 70 + 420, 2 * 70.08 + 70 + 420, 70.08 + 420, 420])
    assert [stage.usd_month for stage in stages] == pytest.approx([*of_csv[:4], 150.0])
    assert [numbers[f"{name}_usd_month"] for name in STAGES] == [stage.usd_month for stage in stages]
    assert sum(float(row["realized_usd_month"] or 0) for row in rows) == 150.0
    assert stages[0].usd_month - sum(stage.lost_usd_month for stage in stages) == pytest.approx(150.0)
    assert written.report.savings.held == ("4 changes, $280 a month: not asked for yet.",)
    text = words(written.html)
    assert "Of $910 a month that were identified, $150 are realized" in text
    assert "| Proposed | 6 | $630 | $280 not proposed yet |" in written.markdown.read_text()
    team = words(written.html.parent / "teams/shop.html")
    assert "Realized $150 per month 3 live changes" in team
    assert "i-8 checkout m5.xlarge → m5.large proposed waits for a review; not proposed again tonight $70 –" in team
    asked = words(written.html.parent / "proposals/d1.html")
    assert "i-8 checkout m5.xlarge → m5.large proposed waits for a review; not proposed again tonight $70" in asked


def test_what_is_live_and_of_unknown_worth_has_not_realized_nothing(tmp_path: Path) -> None:
    written = reported(report_home(tmp_path), machine("i-1", team="shop"), proposal_outcomes=[{**OUTCOME, "resource_id": "i-1"}])
    text = words(written.html)
    assert "What became of proposals unknown is what changes save that are live; 1 live this week;" in text
    assert "Realized unknown What these changes save as of the day; of none that is live is it known." in text
    assert "Of $210 a month that were identified, it is unknown how much is realized" in text
    assert "nothing is live yet" not in text
    assert "| Realized | 0 | unknown |" in written.markdown.read_text()
    assert "Realized unknown per month 1 live change" in words(written.html.parent / "teams/shop.html")


def test_a_team_without_prices_costs_an_unknown_sum(tmp_path: Path) -> None:
    unpriced = [machine(f"i-{number}", instance_type="x9.huge", team="labs") for number in (1, 2)]
    written = reported(report_home(tmp_path), machine("i-3", team="shop"), *unpriced)
    assert "Cost unknown per month 2 resources" in words(written.html.parent / "teams/labs.html")
    assert "| labs | 2 | unknown | 0 | $0 | $0 | unknown | $0 |" in written.markdown.read_text()
    assert "shop: $70 safe, $0 not dared, $0 waiting; labs: $0 safe, $0 not dared, unknown waiting" in words(written.html)


def test_a_night_that_lacks_a_table_does_not_know_its_numbers(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    text = words(reported(runtime, machine("i-1")).html)
    assert "Overdue unknown action items of unknown not done" in text
    numbers = numbers_of(runtime.lake, [DAY])[DAY]
    assert numbers["incidents_week"] is None
    assert numbers["waiting_answers"] == 0


@pytest.mark.parametrize("many", [1, 25])
def test_a_page_counts_what_it_does_not_show(tmp_path: Path, many: int) -> None:
    began = datetime(2025, 3, 1, 10)
    incidents = [
        {"incident_id": f"INC-{number}", "service": "checkout", "title": "slow", "is_open": False, "started_at": began,
         "ended_at": began + timedelta(hours=1), "origin": "database", "counts_in_metrics": True}
        for number in range(many)
    ]  # fmt: skip
    items = [{"item_id": f"A-{number}", "service": "checkout", "title": "do it", "state": "open"} for number in range(many)]
    written = reported(report_home(tmp_path), machine("i-1"), incident_records=incidents, action_items=items)
    page = words(written.html.parent / "services/checkout.html")
    assert f"Not done {many} action item{'s' if many > 1 else ''} {many} incident{'s' if many > 1 else ''} in 90 days" in page
    assert page.count(f"20 of {many}.") == (2 if many > 20 else 0)


def test_the_page_of_a_pull_request_tells_of_what_it_asked_for_and_not_of_a_further_step(tmp_path: Path) -> None:
    merged = pull(3, "merged", "i-1", "i-2")
    merged["changes"] = json.dumps([
        {**CHANGE, "resource_id": "i-1", "before": "m5.2xlarge", "after": "m5.xlarge", "savings_usd_month": 140.0},
        {**CHANGE, "resource_id": "i-2"},
    ])  # fmt: skip
    back = pull(4, "open", "i-3")
    back["changes"] = json.dumps([
        {**CHANGE, "resource_id": "i-3", "before": "m5.large", "after": "m5.xlarge", "savings_usd_month": -70.0,
         "is_rollback": True}
    ])  # fmt: skip
    written = reported(
        report_home(tmp_path), machine("i-1"), machine("i-2"), machine("i-3", {"cpu_avg_pct": None}),
        pull_requests=[merged, back], proposal_outcomes=[{**OUTCOME, "resource_id": "i-1", "realized_usd_month": 133.0}],
    )  # fmt: skip
    page = words(written.html.parent / "proposals/d3.html")
    assert "i-1 m5.2xlarge → m5.xlarge realized live $140 $133" in page
    assert "i-2 checkout m5.xlarge → m5.large approved merged, and not live yet $70 –" in page
    page = words(written.html.parent / "proposals/d4.html")
    assert "i-3 m5.large → m5.xlarge proposed goes back to what it was −$70 –" in page


@pytest.mark.parametrize(
    ("state", "number", "told"),
    [
        ("open", 4, "Merging it means yes, closing it means no"),
        ("merged", 4, "It is merged, and not live as a whole."),
        ("rejected", 4, "It is over."),
        ("outbox", 0, "Nobody is asked: it is not open."),
    ],
)
def test_the_page_of_a_pull_request_says_how_it_is_answered_where_it_can_be(
    tmp_path: Path, state: str, number: int, told: str
) -> None:
    request = {
        "digest": "a1", "request_id": "apr-1", "revision": 2, "state": "pending", "detail": "", "owner": "shop", "risk": "high",
        "savings_usd_month": 70.0, "approvals": "[]", "changes": json.dumps([{"resource_id": "i-1", **CHANGE}]),
    }  # fmt: skip
    written = reported(
        report_home(tmp_path), machine("i-1"), pull_requests=[pull(number, state, "i-1")], approval_requests=[request]
    )
    ways = ("Merging it means yes", "It is merged", "It is over", "Nobody is asked")
    page = words(written.html.parent / f"proposals/d{number}.html")
    assert told in page
    assert sum(way in page for way in ways) == 1
    assert "nightshift proposals approve apr-1.2" in words(written.html.parent / "proposals/apr-1.html")
    assert "- **Overdue:** unknown action items; of unknown not done." in written.markdown.read_text()


def test_why_something_is_not_proposed_ends_with_one_full_stop(tmp_path: Path) -> None:
    runtime = report_home(tmp_path)
    verdict = night(runtime, machine("i-1"))["i-1"]
    put(
        runtime,
        "proposals",
        DAY,
        [proposal(verdict, route="by_hand", edit_code="computed", edit_sentence="Its size is computed.")],
    )
    assert rendered(runtime).report.savings.held == ("1 change, $70 a month: Its size is computed.",)
