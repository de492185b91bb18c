"""``nightshift demo --aws``: two accounts on moto's server, from what there is to a change that was made, over real HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from dagster_project.demo.aws_fleet import FLEET, OTHER, OWN
from tests.cli.conftest import Nightshift, run


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The demo's home, and the lines that it printed."""
    home = tmp_path_factory.mktemp("aws") / "home"
    # Credentials of the user are not sent to it.
    outcome = run("demo", "--aws", home=home, AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_PROFILE="nobody")
    assert outcome.returncode == 0, outcome.stderr
    return home / "aws-demo", outcome.stdout.splitlines()


def test_it_ends_with_an_approved_change_that_aws_has(ended: tuple[Path, list[str]]) -> None:
    _, lines = ended
    changed, done, has = lines[-3:]
    told = re.fullmatch(r"(i-[0-9a-f]{17}) m5.2xlarge -> m5.xlarge: applied. It is well.", changed)
    assert told, lines
    assert done.endswith(": executed (1 applied).")
    assert has == f"AWS has {told[1]} as m5.xlarge, running now."


def test_every_machine_of_both_accounts_has_the_verdict_that_it_was_made_for(ended: tuple[Path, list[str]]) -> None:
    home, _ = ended
    (file,) = home.glob("warehouse/rightsizing_verdicts/*/*.parquet")
    (listed,) = home.glob("warehouse/resource_inventory/*/*.parquet")
    names = pl.read_parquet(listed, columns=["resource_id", "tags", "account_id", "asg_name"]).filter(
        pl.col("asg_name").is_null()
    )
    named = names.with_columns(pl.col("tags").str.json_path_match("$.Name").alias("name"))
    found = named.join(pl.read_parquet(file, columns=["resource_id", "reason_code"]), on="resource_id")
    assert dict(found.select("name", "reason_code").iter_rows()) == {
        "admin-1": "propose_smaller_size",
        "report-1": "propose_smaller_size",
        "orders": "propose_smaller_size",
        "catalog-1": "keep_busy_cpu",
        "checkout-web": "keep_busy_cpu",
        "media-1": "keep_busy_cpu",
        "coupon-1": "insufficient_memory_data",
        "search-1": "refuse_recent_emergency_scaleup",
        "batch-1": "refuse_spot",
        "node-1": "refuse_managed_by_orchestrator",
    }
    accounts = dict(found.select("name", "account_id").iter_rows())
    assert accounts == {machine.name: machine.account for machine in FLEET}
    assert {*accounts.values()} == {OWN, OTHER}


def test_nobody_is_asked_about_an_account_that_is_only_read(ended: tuple[Path, list[str]]) -> None:
    home, lines = ended
    (file,) = home.glob("warehouse/proposals/*/*.parquet")
    machines = pl.read_parquet(file).filter(pl.col("resource_type") == "ec2_instance")
    held = dict(machines.select("service", "held_back").iter_rows())
    assert held == {
        "admin-console": None,
        "report-builder": f"The settings do not let Nightshift change the account {OTHER}; set may_change of it.",
    }
    assert not [line for line in lines if "Asked: " in line and "report-builder" in line]


def test_the_report_says_that_all_of_it_was_read_and_from_where(ended: tuple[Path, list[str]]) -> None:
    home, _ = ended
    (page,) = home.glob("reports/*/report.md")
    text = page.read_text(encoding="utf-8")
    assert "2 regions of 2 accounts were read whole." in text
    assert re.search(r"CloudWatch filled in 100 % of the day's [\d,]+ readings", text)


def test_a_verdict_is_explained_with_what_came_out_of_cloudwatch(ended: tuple[Path, list[str]]) -> None:
    home, _ = ended
    told = run("explain", "orders", home=home).stdout.splitlines()
    begin = next(number for number, line in enumerate(told) if line.startswith("  Out of CloudWatch on "))
    assert "    Memory, highest in the interval: 288 of 288 readings" in told[begin:]


def test_it_refuses_a_database_of_somebody(nightshift: Nightshift) -> None:
    outcome = nightshift("demo", "--aws", NIGHTSHIFT_DSN="postgresql://db.invalid/x")
    assert outcome.returncode == 2
    assert outcome.stderr == "Error: The demo works on the embedded PostgreSQL only; unset NIGHTSHIFT_DSN for it.\n"
