"""Headline numbers of the demo's report, found again in the Parquet files by statements that share nothing with the product's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.golden.test_report import Page

DAY = "2025-03-09"

STATEMENTS = {
    "resources": "select count(*) from {resource_inventory}",
    "fleet_usd_month": """
        select sum(current_usd_month) from {rightsizing_verdicts}
        where resource_id not in (
            select resource_id from {resource_inventory} where asg_name is not null and resource_type = 'ec2_instance'
        )
    """,
    "proposals": "select count(*) from {proposals} where savings_usd_month > 0",
    "safe_usd_month": "select sum(savings_usd_month) from {proposals} where savings_usd_month > 0",
    "could_save_usd_month": """
        select sum(stake_usd_month) from {rightsizing_verdicts} where verdict in ('propose', 'refuse', 'insufficient')
    """,
    "refused_usd_month": "select sum(stake_usd_month) from {rightsizing_verdicts} where reason_code like 'refuse%'",
    "waiting_resources": "select count(*) from {rightsizing_verdicts} where reason_code like 'insufficient%'",
    "identified_usd_month": "select sum(candidate_delta) from (select current_usd_month - candidate_usd_month as candidate_delta "
    "from {rightsizing_verdicts} where verdict = 'propose')",
    # Of what may be proposed at all: patches in the outbox, and requests that wait for people.
    "proposed_usd_month": """
        select sum(savings_usd_month) from {proposals}
        where mode <> 'report_only' and resource_id in (
            select unnest(regexp_extract_all(resources, '"([^"]+)"', 1)) from {pull_requests} where state = 'outbox'
            union
            select unnest(regexp_extract_all(changes, '"resource_id": "([^"]+)"', 1))
            from {approval_requests}
            where state = 'pending'
        )
    """,
    "waiting_answers": "select count(*) from {approval_requests} where state = 'pending'",
    "cpu_coverage_pct": """
        select 100 * sum(minutes) / (7 * 1440 * count(*)) from (
            select coalesce(max(covered_minutes), 0) as minutes
            from {resource_inventory} left join (
                select * from {utilization_window} where window_days = 7 and metric like 'cpu_%_pct'
            ) using (resource_id)
            where resource_type <> 'ebs_volume'
            group by resource_id
        )
    """,
    "incidents_week": """
        select count(*) from {incidents} where impact_started_at >= '2025-03-03' and kind not in ('drill', 'test', 'maintenance')
    """,
    "incidents_open": "select count(*) from {incidents} where impact_ended_at is null and resolved_at is null",
    "action_items_open": "select count(*) from {action_items} where state in ('proposed', 'open', 'in_progress', 'lost')",
    "action_items_overdue": """
        select count(*) from {action_items} where state in ('proposed', 'open', 'in_progress', 'lost') and due_on < '2025-03-09'
    """,
}


@pytest.fixture(scope="module")
def ask(demo_home) -> Callable[[str], float]:
    warehouse = demo_home[0] / "warehouse"

    def ask(statement: str) -> float:
        text = re.sub(r"\{(\w+)\}", lambda name: f"read_parquet('{warehouse / name[1]}/day={DAY}/*.parquet')", statement)
        with duckdb.connect() as connection:
            found = connection.execute(text).fetchone()
        assert found is not None
        return float(found[0])

    return ask


@pytest.fixture(scope="module")
def printed(demo_home) -> dict[str, str]:
    """The numbers of the report as they stand in its last table, by name."""
    html = (demo_home[0] / "reports" / DAY / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr id="n-(\w+)">.*?<td class="right">(.*?)</td>', html, re.DOTALL)
    assert len(rows) == html.count('<tr id="n-') == 37
    return dict(rows)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_headline_number_is_what_other_statements_find(name: str, ask: Callable[[str], float], printed: dict[str, str]) -> None:
    found = ask(STATEMENTS[name])
    shown = float(re.sub(r"[$,%]", "", printed[name]))
    # Money is printed in whole dollars, coverage with one decimal.
    assert shown == pytest.approx(found, abs=0.5 if "usd" in name else 0.05)
    assert found > 0, "a number that is nothing would prove nothing"


def test_the_files_for_finance_add_up_to_the_report(demo_home, printed: dict[str, str]) -> None:
    folder = demo_home[0] / "reports" / DAY
    with duckdb.connect() as connection:
        sums = {
            kind: connection.execute(
                f"select count(*), sum(savings_usd_month), min(day)::varchar from '{folder / file}'"
            ).fetchone()
            for kind, file in (("csv", "savings.csv"), ("parquet", "savings.parquet"))
        }
        columns = {
            kind: [row[0] for row in connection.execute(f"describe select * from '{folder / file}'").fetchall()]
            for kind, file in (("csv", "savings.csv"), ("parquet", "savings.parquet"))
        }
    assert columns["csv"] == columns["parquet"]
    for rows, usd, day in sums.values():
        assert (rows, day) == (59, DAY)
        assert f"${usd:,.0f}" == printed["identified_usd_month"]
    documented = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in documented for name in columns["csv"])


def test_the_page_is_small_and_says_what_it_says_in_few_words(demo_home) -> None:
    page = demo_home[0] / "reports" / DAY / "index.html"
    assert page.stat().st_size < 400_000
    opening = Page(page.read_text(encoding="utf-8")).text
    opening = opening[opening.index("Safe to save now") : opening.index("Savings, from found")]
    assert len(opening.split()) < 140
