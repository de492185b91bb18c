"""Which charges are the running of a machine, and of which size."""

from __future__ import annotations

import pytest

from dagster_project.domain.billing.meters import NOT_RUNNING, Meter, Running, running


@pytest.mark.parametrize(
    ("description", "size"),
    [
        ("$0.34 per On Demand Linux c5.2xlarge Instance Hour", "c5.2xlarge"),
        ("$0.19152 per On Demand Linux m7i-flex.xlarge Instance Hour", "m7i-flex.xlarge"),
        ("USD 0.023 per db.t3.micro Single-AZ instance hour (or partial hour) running SQL Server Exp (LI)", "db.t3.micro"),
        ("$4.608 per On Demand SUSE m5.metal Instance Hour", "m5.metal"),
        ("$0.0464 per Reserved Linux t2.medium Instance-Hour", "t2.medium"),
        ("Linux/UNIX (Amazon VPC), m5.large reserved instance applied", "m5.large"),
        ("Linux/UNIX (Amazon VPC) Spot Instance-hour in US East", None),
    ],
)
def test_hours_of_machines_are_told_by_the_description(description: str, size: str | None) -> None:
    assert running(Meter("Hours", description)) == Running(True, size)


@pytest.mark.parametrize(
    ("unit", "description"),
    [
        ("Hours", "$0.00 for 175 Mbps per t3a.small instance-hour (or partial hour)"),
        ("vCPU-Hours", "USD 0.10 per hour per vCPU running RDS Extended Support for MySQL 5.7 in Year 1, Year 2"),
        ("Hours", "USD 0.10 per hour per vCPU running RDS Extended Support, instance hour"),
        ("ACU-Hours", "$0.06 per Aurora Capacity Unit hour running Amazon Aurora PostgreSQL Serverless"),
        ("Hours", "AWS Marketplace hourly software usage|us-east-1|m5.xlarge instance hour"),
        ("Hours", "$0.005 per In-use public IPv4 address per hour"),
        ("Hours", "$0.0225 per Application LoadBalancer-hour (or partial hour)"),
        ("GB", "$0.34 per On Demand Linux c5.2xlarge Instance Hour"),
        (None, "$0.34 per On Demand Linux c5.2xlarge Instance Hour"),
        ("Hours", None),
    ],
)
def test_what_else_is_billed_by_the_hour_is_not_running(unit: str | None, description: str | None) -> None:
    assert running(Meter(unit, description)) == NOT_RUNNING


@pytest.mark.parametrize(
    ("usage_type", "expected"),
    [
        ("BoxUsage:m5.large", Running(True, "m5.large")),
        ("EUW1-SpotUsage:c6g.xlarge", Running(True, "c6g.xlarge")),
        ("USW2-Multi-AZUsage:db.r5.2xlarge", Running(True, "db.r5.2xlarge")),
        ("InstanceUsage:db.m5.large", Running(True, "db.m5.large")),
        ("BoxUsage", Running(True, None)),
        ("HeavyUsage:m5.large", NOT_RUNNING),
        ("EBSOptimized:m5.large", NOT_RUNNING),
        ("EUW1-ElasticIP:IdleAddress", NOT_RUNNING),
    ],
)
def test_awss_own_column_comes_first(usage_type: str, expected: Running) -> None:
    assert running(Meter("Hrs", "per instance hour", usage_type)) == expected


def test_the_size_comes_out_of_the_details_of_focus_1_1_where_they_have_one() -> None:
    meter = Meter("Hours", "$1 per On Demand Linux Instance Hour", sku_details='{"CoreCount": 2, "InstanceType": "M5.Large"}')
    assert running(meter) == Running(True, "m5.large")
    for broken in ("[]", "{", '{"InstanceType": 5}', '{"InstanceType": "very large"}'):
        assert running(Meter("Hours", "per t3.micro Instance Hour", sku_details=broken)) == Running(True, "t3.micro")
    assert running(Meter("Hours", None, sku_meter="BoxUsage:m5.large")) == Running(True, "m5.large")
