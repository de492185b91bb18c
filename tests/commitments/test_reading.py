"""Reading commitments over real HTTP: what comes of AWS's answers, what of its refusals, and who is not asked."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.lake.commitment_tables import AWS_COMMITMENTS
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.cash_report import unread_commitments
from dagster_project.pipeline.commitments import PERMISSIONS, READS, read_commitments
from dagster_project.pipeline.ledger import Load, load_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RightsizingSettings, Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from tests.aws.commitments import Commitments as Bought
from tests.aws.faults import Fault
from tests.aws.fixtures import Waits, aws
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.night_builders import DAY, NO_COSTS, machine
from tests.night_builders import night as judged

__all__ = ["aws"]

NOW = datetime(2025, 3, 10, 2, tzinfo=UTC)
OTHER, IRELAND, VIRGINIA = "222222222222", "eu-west-1", "us-east-1"
BOUGHT = datetime(2025, 1, 1, tzinfo=UTC)
MACHINES, DATABASES, PLANS = "DescribeReservedInstances", "DescribeReservedDBInstances", "DescribeSavingsPlans"
Row = dict[str, Any]


def own(*regions: str) -> AwsAccount:
    """The account of the key."""
    return AwsAccount(id=ACCOUNT, regions=regions or (IRELAND,))


def other(aws: AwsServer, *regions: str) -> AwsAccount:
    """Another one, read with a role of its own."""
    return AwsAccount(id=OTHER, role_arn=aws.account(OTHER).role_arn, regions=regions or (IRELAND,))


def night(home: Path, aws: AwsServer, *accounts: AwsAccount, now: datetime = NOW, **settings: Any) -> Runtime:
    """A run on a clock on which waiting takes no time."""
    section = AwsSettings(accounts=accounts or (own(),), endpoint_url=aws.url, attempts=3)
    rules = RightsizingSettings(**NO_COSTS)
    return Runtime(Settings(home=home, reports=home / "reports", aws=section, rightsizing=rules, **settings), now=now, at=Waits())


def asked(runtime: Runtime, day: date = DAY) -> dict[str, Load]:
    """The lines of the ledger of a night that asks, by account and place."""
    loads = read_commitments(runtime, [day])
    assert all(on == day and load_of(runtime.lake, load.source, day) == load for on, load in loads)
    return {load.source.removeprefix("aws_commitments."): load for _, load in loads}


def kept(runtime: Runtime, day: date = DAY) -> list[Row]:
    """What is in the lake of a day, in order."""
    files = runtime.lake.files(AWS_COMMITMENTS, [day])
    rows = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]).sort("commitment_id").to_dicts()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def requests(aws: AwsServer) -> list[str]:
    return [each.operation for each in aws.log if each.operation in (MACHINES, DATABASES, PLANS)]


def test_reservations_of_machines_are_read_with_what_they_pay_for_and_cost(tmp_path: Path, aws: AwsServer) -> None:
    world = aws.in_account(ACCOUNT, IRELAND)
    world.reserved_instances("m5.xlarge", 2, hourly_usd=0.05, upfront_usd=876.0, start=BOUGHT, offering_class="convertible")
    world.reserved_instances("m5.large", zone="eu-west-1a", start=BOUGHT)
    world.reserved_instances("c5.2xlarge", platform="Windows (Amazon VPC)", start=BOUGHT)
    world.reserved_instances("m5.metal", tenancy="dedicated", start=BOUGHT)
    for state in ("retired", "payment-pending", "queued"):
        world.reserved_instances("r5.large", state=state)
    runtime = night(tmp_path, aws)
    assert asked(runtime)[f"{ACCOUNT}.{IRELAND}"].rows_read == 4
    usual = {
        "account_id": ACCOUNT, "kind": "ec2_reserved", "region": IRELAND, "tenancy": "default", "platform": "linux",
        "reserved": 1, "offering_class": "standard", "usd_per_hour": 0.0, "is_size_flexible": False,
        "starts_at": datetime(2025, 1, 1), "ends_at": datetime(2026, 1, 1),
    }  # fmt: skip
    # $876 up front for 8,760 hours are 10 cents an hour, and 5 are paid by the hour: 30 for two.
    two = {"reserved": 2, "usd_per_hour": pytest.approx(0.30), "offering_class": "convertible", "is_size_flexible": True}
    told = [
        {"family": "m5", "instance_type": "m5.xlarge", "units": 16.0, **two},
        {"family": "m5", "instance_type": "m5.large", "units": 4.0, "availability_zone": "eu-west-1a"},
        {"family": "c5", "instance_type": "c5.2xlarge", "units": 16.0, "platform": "windows"},
        # The name does not say how large it is.
        {"family": "m5", "instance_type": "m5.metal", "tenancy": "dedicated"},
    ]
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in (1, 2, 3, 4)]
    assert kept(runtime) == [{**usual, **row, "commitment_id": name} for row, name in zip(told, ids, strict=True)]


def test_reserved_databases_are_read_with_their_engine_and_standby(tmp_path: Path, aws: AwsServer) -> None:
    world = aws.in_account(ACCOUNT, IRELAND)
    products = ("postgresql", "aurora-postgresql", "oracle-se2(byol)", "oracle-se2(li)", "mysql")
    for count, product in enumerate(products, start=1):
        of = {"multi_az": product == "postgresql", "hourly_usd": 0.1, "start": BOUGHT, "years": 3}
        world.reserved_databases("db.r6g.xlarge", count, product=product, **of)
    world.reserved_databases("db.r6g.xlarge", state="retired")
    runtime = night(tmp_path, aws)
    asked(runtime)
    rows = kept(runtime)
    assert [row["commitment_id"].rpartition(":")[2] for row in rows] == [f"ri-{number:05d}" for number in (1, 2, 3, 4, 5)]
    names = ("engine", "is_multi_az", "is_size_flexible", "reserved", "units")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("postgres", True, True, 1, 16), ("aurora-postgresql", False, True, 2, 16), ("oracle-se2", False, True, 3, 24),
        ("oracle-se2", False, False, 4, 32), ("mysql", False, True, 5, 40),
    ]  # fmt: skip
    assert {(row["kind"], row["family"], row["region"], row["ends_at"]) for row in rows} == {
        ("rds_reserved", "db.r6g", IRELAND, datetime(2028, 1, 1))
    }
    assert [row["usd_per_hour"] for row in rows] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_plans_of_an_account_are_read_once_whatever_regions_it_has(tmp_path: Path, aws: AwsServer) -> None:
    world = aws.in_account(ACCOUNT, IRELAND)
    world.savings_plan(2.5, start=BOUGHT)
    world.savings_plan(1.25, "EC2Instance", family="m5", start=BOUGHT)
    world.savings_plan(0.5, "Database", start=BOUGHT)
    world.savings_plan(9.0, "SageMaker")
    world.savings_plan(9.0, state="retired")
    runtime = night(tmp_path, aws, own(IRELAND, VIRGINIA))
    loads = asked(runtime)
    assert {name: (load.status, load.rows_written) for name, load in loads.items()} == {
        f"{ACCOUNT}.{IRELAND}": ("complete", 0),
        f"{ACCOUNT}.{VIRGINIA}": ("complete", 0),
        f"{ACCOUNT}.savings_plans": ("complete", 3),
    }
    usual = {"account_id": ACCOUNT, "starts_at": datetime(2025, 1, 1), "ends_at": datetime(2025, 12, 31, 23, 59, 59)}
    told = [
        {"kind": "compute_plan", "usd_per_hour": 2.5},
        {"kind": "ec2_instance_plan", "usd_per_hour": 1.25, "region": IRELAND, "family": "m5"},
        {"kind": "database_plan", "usd_per_hour": 0.5},
    ]
    ids = [f"00000000-0000-4000-9000-{number:012d}" for number in (1, 2, 3)]
    assert kept(runtime) == [{**usual, **row, "commitment_id": name} for row, name in zip(told, ids, strict=True)]
    assert sorted(requests(aws)) == [DATABASES, DATABASES, MACHINES, MACHINES, PLANS]
    assert [each.region for each in aws.log if each.operation == PLANS] == [VIRGINIA]


def test_what_is_committed_in_another_currency_is_not_taken_for_dollars(tmp_path: Path, aws: AwsServer) -> None:
    world = aws.in_account(ACCOUNT, VIRGINIA)
    world.savings_plan(2.5)
    world.reserved_databases("db.r6g.large", hourly_usd=1.0)
    bought = world.of(Bought)
    bought.plans[0]["currency"] = bought.databases[0]["CurrencyCode"] = "CNY"
    runtime = night(tmp_path, aws, own(VIRGINIA))
    asked(runtime)
    assert ["usd_per_hour" in row for row in kept(runtime)] == [False, False]


def test_long_lists_are_read_to_their_end_and_requests_are_counted(tmp_path: Path, aws: AwsServer) -> None:
    world = aws.in_account(ACCOUNT, IRELAND)
    for _ in range(205):
        world.reserved_databases("db.r6g.large")
    for _ in range(101):
        world.savings_plan(0.1)
    runtime = night(tmp_path, aws)
    aws.faults.add(Fault(PLANS, "throttled", times=1))
    loads = asked(runtime)
    databases, plans = loads[f"{ACCOUNT}.{IRELAND}"], loads[f"{ACCOUNT}.savings_plans"]
    assert (databases.rows_read, requests(aws).count(DATABASES), databases.throttles) == (205, 3, 0)
    assert (plans.rows_read, requests(aws).count(PLANS), plans.throttles) == (101, 3, 1)
    assert len(kept(runtime)) == 306
    assert databases.calls == 4
    assert plans.calls == 3


def test_a_refusal_in_one_region_keeps_no_other_from_being_read(tmp_path: Path, aws: AwsServer) -> None:
    account = other(aws, IRELAND, VIRGINIA)
    for number, region in ((ACCOUNT, IRELAND), (OTHER, IRELAND), (OTHER, VIRGINIA)):
        aws.in_account(number, region).reserved_instances("m5.xlarge", start=BOUGHT)
    aws.faults.add(Fault(DATABASES, "denied", times=9, account=OTHER, region=IRELAND))
    runtime = night(tmp_path, aws, own(), account)
    loads = asked(runtime)
    assert {name: load.status for name, load in loads.items()} == {
        f"{ACCOUNT}.{IRELAND}": "complete", f"{ACCOUNT}.savings_plans": "complete", f"{OTHER}.{IRELAND}": "failed",
        f"{OTHER}.{VIRGINIA}": "complete", f"{OTHER}.savings_plans": "complete",
    }  # fmt: skip
    failed = loads[f"{OTHER}.{IRELAND}"]
    assert "rds:DescribeReservedDBInstances" in failed.error
    # Half of what is committed to is not written as if it were all.
    assert failed.rows_read == failed.rows_written == 0
    assert {(row["account_id"], row["region"]) for row in kept(runtime)} == {(ACCOUNT, IRELAND), (OTHER, VIRGINIA)}
    assert unread_commitments(runtime.lake, DAY) == (f"Commitments of {OTHER}/{IRELAND} were not read: {failed.error}",)


@pytest.mark.parametrize("kind", ["unavailable_before", "garbled", "drop_before"])
def test_an_answer_that_does_not_come_is_said_and_asked_for_again(tmp_path: Path, aws: AwsServer, kind: str) -> None:
    aws.in_account(ACCOUNT, IRELAND).savings_plan(1.0)
    aws.faults.add(Fault(PLANS, kind, times=9))
    loads = asked(night(tmp_path, aws))
    assert {name: load.status for name, load in loads.items()} == {
        f"{ACCOUNT}.{IRELAND}": "complete",
        f"{ACCOUNT}.savings_plans": "failed",
    }
    assert loads[f"{ACCOUNT}.savings_plans"].error
    aws.faults.clear()
    before = requests(aws).count(MACHINES)
    again = night(tmp_path, aws)
    assert asked(again)[f"{ACCOUNT}.savings_plans"].rows_written == 1
    # What was read whole is not asked for a second time, and stays what it was.
    assert requests(aws).count(MACHINES) == before
    assert len(kept(again)) == 1
    count = len(aws.log)
    assert asked(night(tmp_path, aws)) == asked(again)
    assert [each.operation for each in aws.log[count:] if each.operation in (MACHINES, DATABASES, PLANS)] == []


def test_a_region_that_is_not_enabled_is_said_and_its_commitments_are_not_known(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path, aws, own(IRELAND, "ap-east-1"))
    loads = asked(runtime)
    assert loads[f"{ACCOUNT}.ap-east-1"].status == "failed"
    assert "has not enabled ap-east-1" in loads[f"{ACCOUNT}.ap-east-1"].error
    assert loads[f"{ACCOUNT}.{IRELAND}"].status == "complete"


def test_only_a_night_of_the_newest_day_asks_and_only_where_accounts_are_read(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path / "live", aws)
    days = [DAY - timedelta(days=1), DAY + timedelta(days=1)]
    assert read_commitments(runtime, days) == []
    assert read_commitments(night(tmp_path / "dead", aws, AwsAccount(id=ACCOUNT)), [DAY]) == []
    assert aws.log == []
    assert runtime.lake.days(AWS_COMMITMENTS) == runtime.lake.days(LOAD_LEDGER) == []


def test_what_is_not_read_any_more_is_taken_away(tmp_path: Path, aws: AwsServer) -> None:
    aws.in_account(ACCOUNT, VIRGINIA).reserved_instances("m5.xlarge")
    assert len(asked(night(tmp_path, aws, own(IRELAND, VIRGINIA)))) == 3
    runtime = night(tmp_path, aws)
    assert sorted(asked(runtime)) == [f"{ACCOUNT}.{IRELAND}", f"{ACCOUNT}.savings_plans"]
    assert load_of(runtime.lake, f"aws_commitments.{ACCOUNT}.{VIRGINIA}", DAY) is None
    assert kept(runtime) == []


def test_it_needs_the_rights_that_it_says(tmp_path: Path, aws: AwsServer) -> None:
    aws.allow([*PERMISSIONS, "ec2:DescribeRegions"])
    assert {load.status for load in asked(night(tmp_path, aws)).values()} == {"complete"}
    assert PERMISSIONS == (
        "ec2:DescribeReservedInstances",
        "rds:DescribeReservedDBInstances",
        "savingsplans:DescribeSavingsPlans",
    )
    assert not any(each.is_write for each in READS)
    assert [each.is_account_wide for each in READS] == [False, False, True]


def test_from_aws_to_the_verdict(tmp_path: Path, aws: AwsServer) -> None:
    """Two machines that would save $70.08 each, with reservations for one of them and a plan for half of the other."""
    world = aws.in_account(ACCOUNT, VIRGINIA)
    world.reserved_instances("m5.large", 2, start=BOUGHT)
    world.savings_plan(0.072, "EC2Instance", family="m5", start=datetime(2024, 6, 1, tzinfo=UTC))
    runtime = night(tmp_path, aws, own(VIRGINIA))
    asked(runtime)
    found = judged(runtime, *(machine(name, account_id=ACCOUNT) for name in ("i-1", "i-2")))
    # 16 units run, 8 are reserved; $0.072 pay for $0.10 of the $0.192 that are left: $0.092 are on demand.
    assert found["i-1"]["cash_savings_usd_month"] == pytest.approx(0.092 * 730)
    assert (found["i-1"]["cash_from"], found["i-1"]["cash_basis"]) == (date(2025, 5, 31), "commitments")
    assert found["i-2"]["cash_savings_usd_month"] == 0
    # Without the plan, 8 units are on demand, and as many go.
    assert (found["i-2"]["covered_pct"], found["i-2"]["cash_from"]) == (100, date(2025, 5, 31))
