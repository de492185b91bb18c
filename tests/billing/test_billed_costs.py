"""What the bill charges for each resource: by hand on the sample, and on each kind of charge."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.lake.billing_tables import BILLED_COSTS, BILLED_TOTALS
from dagster_project.pipeline.billing import read_bills
from dagster_project.pipeline.ledger import load_of
from tests.billing.bills import ACCOUNT, DAY, SAMPLE, WITH_AWS, charge, costs, hours, read, runtime, table, write
from tests.night_builders import put

SEPTEMBER = date(2024, 9, 30)
WHOLE = Path(__file__).parents[3] / "shared" / "data" / "samples" / "focus" / "focus_1_0_sample_1000.csv.gz"
IRISH = f"{ACCOUNT}/eu-west-1/rds_instance/users"
SPOT = "$0.08 per Linux/UNIX m5.xlarge Spot Instance-hour"


def test_the_sample_by_hand(tmp_path: Path) -> None:
    given = runtime(tmp_path, SAMPLE, window_days=30)
    load, found, _, aside = read(given, SEPTEMBER)
    assert (load.status, load.rows_read, aside) == ("complete", 46, {})
    # A t2.micro with its hour, 100 kB out at $0.09 a GB, and data in for nothing.
    row = found["i-037929a54982e113l"]
    assert (row["covered_hours"], row["billed_type"], row["rows"]) == (1, "t2.micro", 3)
    assert row["list_usd"] == row["billed_usd"] == pytest.approx(0.0116089867)
    assert row["running_list_usd_month"] == pytest.approx(0.0116 * 730)
    assert (row["committed_pct"], row["sub_account_id"], row["region"]) == (0, "79982682937", "us-east-2")
    # A Savings Plan pays for a t2.medium: nothing is invoiced.
    row = found["i-0lbaaa6a98751b841"]
    assert (row["billed_usd"], row["list_usd"], row["committed_pct"]) == (0, 0.0464, 100)
    # 0.296111 hours of a g5.4xlarge for $0.480884264 are $1.624 an hour.
    row = found["i-09ba12e1l5743720b"]
    assert (row["covered_hours"], row["billed_usd"]) == (0.296111, 0.480884264)
    assert row["running_list_usd_month"] == pytest.approx(1.624 * 730)
    assert "i-0f6a624eeb76b3l21" not in found, "175 Mbps of its volumes for an hour is no hour of the machine"
    assert len(found) == 26


def test_the_totals_of_the_sample(tmp_path: Path) -> None:
    given = runtime(tmp_path, SAMPLE, window_days=30)
    read_bills(given, SEPTEMBER)
    kinds: dict[str, float] = {}
    for row in table(given, BILLED_TOTALS, SEPTEMBER):
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + row["billed_usd"]
    assert kinds["credits"] == -2.6137
    assert kinds["resources"] == pytest.approx(17.157645871, abs=1e-9)
    assert sum(kinds.values()) == pytest.approx(15.2604968818, abs=1e-8), "nothing of a bill is lost"


@pytest.mark.skipif(not WHOLE.is_file(), reason="the whole sample lies beside the project, and not in it")
def test_all_thousand_rows(tmp_path: Path) -> None:
    given = runtime(tmp_path, WHOLE, window_days=31)
    load, found, _, aside = read(given, date(2024, 9, 30))
    assert (load.rows_read, load.rows_rejected, load.error, aside) == (1000, 0, "", {})
    assert len(found) == 26
    totals = table(given, BILLED_TOTALS, date(2024, 9, 30))
    assert sum(row["rows"] for row in totals) == 1000
    assert sum(row["billed_usd"] for row in totals) == pytest.approx(20.520227, abs=1e-5)


def test_what_commitments_pay_for_is_amortised_and_their_purchase_is_not_counted_twice(tmp_path: Path) -> None:
    plan = {"CommitmentDiscountId": "arn:aws:savingsplans::1:savingsplan/a", "CommitmentDiscountStatus": "Used"}
    fee = {"ChargeCategory": "Purchase", "ChargeDescription": "No upfront plan", "PricingUnit": "Hrs"}
    rows = [
        *hours("i-0a1", 18, **costs(0.192, 0.192, 0, 0.138), **plan),
        *hours("i-0a1", 6, first="2025-03-07 18"),
        charge(
            "arn:aws:savingsplans::1:savingsplan/a",
            usd=0,
            **{**plan, "CommitmentDiscountStatus": None},
            **fee,
            **costs(5, 5, 5, 0),
        ),
        charge(None, **{**plan, "CommitmentDiscountStatus": "Unused"}, **costs(0, 0, 0, 2.5)),
        # A provider that says for which machine, and spreads no cost of it: still nobody's running.
        charge("i-0a1", **{**plan, "CommitmentDiscountStatus": "Unused"}, **costs(0, 0, 0, 9)),
        charge("i-0a1", **{**plan, "CommitmentDiscountStatus": None}, **fee, **costs(7, 7, 7, 7)),
    ]
    _, found, totals, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows)))
    row = found["i-0a1"]
    assert (row["covered_hours"], row["committed_pct"]) == (24, 75)
    effective = 18 * 0.138 + 6 * 0.192
    assert row["effective_usd"] == pytest.approx(effective)
    assert row["billed_usd"] == row["on_demand_billed_usd"] == pytest.approx(6 * 0.192)
    assert row["running_effective_usd_month"] == pytest.approx(effective / 24 * 730)
    assert row["running_list_usd_month"] == pytest.approx(0.192 * 730)
    assert totals["commitment_purchases"]["billed_usd"] == 12
    assert totals["unused_commitments"]["effective_usd"] == 11.5
    assert totals["resources"]["effective_usd"] == pytest.approx(effective)


def test_taxes_credits_and_other_charges_are_told_apart_from_running(tmp_path: Path) -> None:
    rows = [
        *hours("i-0a1", 24),
        charge("i-0a1", **costs(3, 3, 3, 3), ChargeCategory="Tax", PricingUnit=None),
        charge("i-0a1", **costs(0, 0, -2, -2), ChargeCategory="Credit"),
        charge("i-0a1", **costs(1, 1, 1, 1), ChargeCategory="Adjustment"),
        charge("i-0a1", **costs(4, 4, 4, 4), ChargeDescription="AWS Marketplace hourly software usage|us-east-1|m5.xlarge"),
        charge("i-0a1", **costs(8, 8, 8, 8), ChargeDescription="$0.05 per vCPU-Hour of T3 CPU credits", PricingUnit="vCPU-Hours"),
        charge("i-0a1", **costs(9, 9, 9, 9), ChargeDescription="$0.005 per In-use public IPv4 address per hour"),
    ]
    _, found, totals, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows)))
    row = found["i-0a1"]
    assert (row["covered_hours"], row["taxes_usd"], row["credits_usd"], row["other_usd"]) == (24, 3, -2, 22)
    assert row["effective_usd"] == pytest.approx(24 * 0.192 + 22)
    assert row["running_effective_usd_month"] == pytest.approx(0.192 * 730)
    assert (totals["taxes"]["billed_usd"], totals["credits"]["billed_usd"]) == (3, -2)


def test_corrections_take_back_hours_with_their_cost(tmp_path: Path) -> None:
    back = {"ChargeClass": "Correction", "PricingQuantity": "-1.0", **costs(-0.192, -0.192, -0.192, -0.192)}
    cheaper = {"ChargeClass": "Correction", "PricingQuantity": "0", **costs(0, -2.4, -2.4, -2.4)}
    rows = [*hours("i-0a1", 30), *hours("i-0a1", 5, **back), charge("i-0a1", **cheaper)]
    _, found, _, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows)))
    row = found["i-0a1"]
    assert row["covered_hours"] == 25
    assert row["running_list_usd_month"] == pytest.approx(0.192 * 730)
    assert row["running_effective_usd_month"] == pytest.approx((25 * 0.192 - 2.4) / 25 * 730)


def test_a_day_in_one_charge_is_24_hours(tmp_path: Path) -> None:
    day = {"ChargePeriodEnd": "2025-03-09 00:00:00", "PricingQuantity": "24", **costs(4.608, 4.608, 4.608, 4.608)}
    _, found, _, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", [charge("i-0a1", "2025-03-08 00", **day)])))
    assert (found["i-0a1"]["covered_hours"], found["i-0a1"]["running_list_usd_month"]) == (24, pytest.approx(140.16))


def test_whose_a_charge_is(tmp_path: Path) -> None:
    given = runtime(tmp_path, tmp_path / "b.csv")
    machine = {"resource_type": "ec2_instance", "region": "us-east-1", "account_id": ACCOUNT, "units": 1}
    put(
        given,
        "resource_inventory",
        DAY,
        [
            {"resource_id": "i-0a1", **machine},
            {"resource_id": "orders", **machine, "resource_type": "rds_instance"},
            {"resource_id": IRISH, "native_id": "users", **machine, "resource_type": "rds_instance", "region": "eu-west-1"},
            {"resource_id": "users", **machine, "resource_type": "rds_instance"},
            {"resource_id": "web", **machine, "resource_type": "autoscaling_group", "units": 3},
            {"resource_id": "vol-0b1", **machine, "resource_type": "ebs_volume"},
        ],
    )  # fmt: skip
    tags = {"Tags": '{"Name": "a \\"b\\"", "aws:autoscaling:groupName": "web"}'}
    database = {"ChargeDescription": "USD 0.356 per db.m5.xlarge Single-AZ instance hour (or partial hour) running MySQL"}
    rows = [
        charge("arn:aws:ec2:us-east-1:111111111111:instance/i-0a1"),
        charge("arn:aws:rds:us-east-1:111111111111:db:orders", usd=0.356, **database),
        charge("arn:aws:rds:eu-west-1:111111111111:db:users", usd=0.4, RegionId="eu-west-1", **database),
        charge("arn:aws:rds:us-east-1:111111111111:db:users", usd=0.5, **database),
        charge("arn:aws:rds:us-east-1:222222222222:db:orders", usd=0.6, SubAccountId="222222222222", **database),
        *hours("i-0e1", 24, **tags),
        *hours("i-0e2", 12, usd=0.08, ChargeDescription=SPOT, **tags),
        charge("vol-0e1", **costs(1, 1, 1, 1), PricingUnit="GB-Mo", **tags),
        charge("vol-0b1", **costs(2, 2, 2, 2), PricingUnit="GB-Mo"),
        charge("i-0f1", "2025-03-08 11"),
        charge("i-0f2", PricingUnit="GB", ChargeDescription="data transfer"),
        charge("a-bucket", **costs(5, 5, 5, 5), PricingUnit="GB-Mo"),
    ]
    write(tmp_path / "b.csv", rows)
    _, found, _, _ = read(given)
    charged = {name: (row["is_listed"], round(row["effective_usd"], 6)) for name, row in found.items()}
    assert charged == {
        "i-0a1": (True, 0.192),
        "orders": (True, 0.356),
        IRISH: (True, 0.4),
        "users": (True, 0.5),
        "arn:aws:rds:us-east-1:222222222222:db:orders": (False, 0.6),
        "web": (True, round(24 * 0.192 + 12 * 0.08, 6)),
        "vol-0b1": (True, 2.0),
        "i-0f1": (False, 0.192),
    }
    row = found["web"]
    # 36 machine hours cost $5.568; a month of three machines.
    assert (row["covered_hours"], row["units"]) == (36, 3)
    assert row["running_effective_usd_month"] == pytest.approx(5.568 / 36 * 730 * 3)
    others = [row for row in table(given, BILLED_TOTALS) if row["kind"] == "other_resources"]
    assert [(row["rows"], round(row["effective_usd"], 6)) for row in others] == [(3, 6.192)], "vol-0e1, i-0f2 and the bucket"


def test_hostile_names_are_names(tmp_path: Path) -> None:
    names = ["i-0a1\u202e'; drop table x;--", '"><script>alert(1)</script>', "=cmd|' /C calc'!A0", "../../etc/i-0b1", "ü" * 5000]
    rows = [charge(name) for name in names] + [charge("i-0a1", Tags='{"aws:autoscaling:groupName": "\\ud800\\"\n"}')]
    load, found, totals, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows)))
    assert load.rows_read == 6
    assert set(found) == {"i-0a1", "../../etc/i-0b1"}, "the rest is no machine's id"
    assert totals["other_resources"]["rows"] == 4


def test_of_aws_own_columns_the_kind_of_usage_decides(tmp_path: Path) -> None:
    rows = [
        charge("i-0a1", ChargeDescription="text", x_UsageType="EUW1-BoxUsage:m5.xlarge"),
        charge("i-0a1", "2025-03-08 11", x_UsageType="EUW1-EBSOptimized:m5.xlarge", ChargeDescription="per instance hour"),
    ]
    _, found, _, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows, WITH_AWS)))
    assert (found["i-0a1"]["covered_hours"], found["i-0a1"]["rows"]) == (1, 2)


def test_two_sizes_in_the_window_are_told(tmp_path: Path) -> None:
    other = {"ChargeDescription": "$0.096 per On Demand Linux m5.large Instance Hour"}
    rows = [*hours("i-0a1", 24), *hours("i-0a1", 24, first="2025-03-08 00", usd=0.096, **other)]
    _, found, _, _ = read(runtime(tmp_path, write(tmp_path / "b.csv", rows)))
    assert (found["i-0a1"]["billed_type"], found["i-0a1"]["billed_types"]) == ("m5.large", 2)


def test_off_there_is_an_empty_partition_and_no_line_in_the_ledger(tmp_path: Path) -> None:
    bill = write(tmp_path / "b.csv", [charge("i-0a1")])
    read(runtime(tmp_path, bill))
    off = runtime(tmp_path)
    assert read_bills(off, DAY) == []
    assert (table(off, BILLED_COSTS), table(off, BILLED_TOTALS), load_of(off.lake, "focus", DAY)) == ([], [], None)
    assert set(BILLED_COSTS.columns) >= {
        "resource_id",
        "effective_usd",
        "running_effective_usd_month",
        "is_listed",
        "charged_from",
    }
