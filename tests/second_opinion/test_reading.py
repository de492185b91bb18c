"""Asking AWS's advisers over real HTTP: what comes of their answers, of what they refuse, and who is not asked."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lake.tables import LOAD_LEDGER, REJECTED_ROWS
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.second_opinion import PERMISSIONS
from dagster_project.settings_aws import AwsAccount
from tests.aws.faults import Fault
from tests.aws.fixtures import aws
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.aws.wire import Refusal
from tests.second_opinion.asked import (
    DAY,
    IRELAND,
    NOW,
    OTHER,
    VIRGINIA,
    asked,
    columns,
    database,
    group,
    heard,
    hub,
    instance,
    lists,
    night,
    optimizer,
    other,
    own,
)

__all__ = ["aws"]
OPTIMIZER, HUB = f"second_opinion.{ACCOUNT}.{IRELAND}", f"second_opinion_hub.{ACCOUNT}.{VIRGINIA}"
ASKING = ("GetEC2InstanceRecommendations", "GetAutoScalingGroupRecommendations", "GetRDSDatabaseRecommendations")


def requests(aws: AwsServer) -> list[str]:
    """What was asked of advisers."""
    return [each.operation for each in aws.log if each.service in ("compute-optimizer", "cost-optimization-hub")]


def test_every_kind_of_resource_is_read_as_its_best_option(tmp_path: Path, aws: AwsServer) -> None:
    said = optimizer(aws)
    codes = ["CPUOverprovisioned", "MemoryOverprovisioned"]
    said.instance(instance("i-0a1"), "Overprovisioned", "m5.xlarge", "m5.large", "t3.large", usd=70.08, findingReasonCodes=codes)
    said.instance(instance("i-0a2"), "Optimized", "m5.large", "m6i.large", idle="True")
    said.group(group("web"), "NotOptimized", "c5.xlarge", "c5.large", usd=62.05)
    said.group(group("mixed"), "Optimized", None)
    said.database(database("orders"), "Underprovisioned", "db.r6g.large", "db.r6g.xlarge", usd=-30.0)
    runtime = night(tmp_path, aws)
    lists(runtime, {"resource_id": "i-0a1"}, {"resource_id": "web", "resource_type": "autoscaling_group"})
    loads = asked(runtime)
    rows = {row["arn"].rpartition("/")[2].rpartition(":")[2]: row for row in heard(runtime)}
    assert rows["i-0a1"] == {
        "resource_id": "i-0a1",
        "source": "compute_optimizer",
        "is_known": True,
        "account_id": ACCOUNT,
        "region": IRELAND,
        "resource_type": "ec2_instance",
        "arn": instance("i-0a1"),
        "finding": "over_provisioned",
        "reason_codes": json.dumps(codes),
        "current_type": "m5.xlarge",
        "recommended_type": "m5.large",
        "performance_risk": 1.0,
        "is_idle": False,
        "savings_usd_month": 70.08,
        "savings_after_discounts_usd_month": pytest.approx(63.072),
        "lookback_days": 14.0,
        "as_of": datetime(2025, 3, 9, 4),
    }
    names = ("finding", "current_type", "recommended_type", "savings_usd_month", "is_idle", "lookback_days")
    found = {name: columns([row], *names)[0] for name, row in rows.items()}
    assert found["i-0a2"] == ("optimized", "m5.large", "m6i.large", None, True, 14.0)
    assert found["web"] == ("not_optimized", "c5.xlarge", "c5.large", 62.05, False, 14.0)
    assert found["mixed"] == ("optimized", None, None, None, False, 14.0)
    assert found["orders"] == ("under_provisioned", "db.r6g.large", "db.r6g.xlarge", -30.0, False, 14.0)
    load = loads[OPTIMIZER]
    assert (load.status, load.rows_read, load.rows_written, load.calls, load.throttles) == ("complete", 5, 5, 3, 0)
    assert load.watermark_at == datetime(2025, 3, 9, 4)
    assert load_of(runtime.lake, OPTIMIZER, DAY) == load


def test_what_the_inventory_does_not_list_keeps_aws_s_name_and_says_so(tmp_path: Path, aws: AwsServer) -> None:
    said = optimizer(aws)
    said.instance(instance("i-0a1"), "Optimized", "m5.large")
    said.database(database("web"), "Optimized", "db.m5.large")
    runtime = night(tmp_path, aws)
    # A group of the same name is no database.
    lists(runtime, {"resource_id": "i-0a1"}, {"resource_id": "web", "resource_type": "autoscaling_group"})
    asked(runtime)
    assert columns(heard(runtime), "resource_id", "is_known") == [(database("web"), False), ("i-0a1", True)]


def test_groups_of_one_name_are_told_apart_by_region_and_account(tmp_path: Path, aws: AwsServer) -> None:
    away = other(aws)
    for account, region, finding in ((ACCOUNT, IRELAND, "Optimized"), (ACCOUNT, VIRGINIA, "NotOptimized")):
        optimizer(aws, region, account).group(group("web/blue", region, account), finding, "m5.large")
    optimizer(aws, IRELAND, OTHER).group(group("web/blue", IRELAND, OTHER), "Optimized", "m5.large")
    runtime = night(tmp_path, aws, own(IRELAND, VIRGINIA), away)
    usual = {"resource_type": "autoscaling_group"}
    lists(
        runtime,
        {"resource_id": "web/blue", **usual},
        {"resource_id": "web/blue@us-east-1", "native_id": "web/blue", "region": VIRGINIA, **usual},
        # Its account is not known, and there are two.
        {"resource_id": "web/blue@other", "native_id": "web/blue", "account_id": None, **usual},
    )
    asked(runtime)
    assert columns(heard(runtime), "resource_id", "is_known", "region", "finding") == [
        (group("web/blue", IRELAND, OTHER), False, IRELAND, "optimized"),
        ("web/blue", True, IRELAND, "optimized"),
        ("web/blue@us-east-1", True, VIRGINIA, "not_optimized"),
    ]


def test_of_one_account_resources_without_an_account_are_known_and_instances_without_a_region(
    tmp_path: Path, aws: AwsServer
) -> None:
    said = optimizer(aws)
    said.instance(instance("i-0a1"), "Optimized", "m5.large")
    said.database(database("orders"), "Optimized", "db.m5.large")
    said.database(database("lost"), "Optimized", "db.m5.large")
    said.database(database("twice"), "Optimized", "db.m5.large")
    runtime = night(tmp_path, aws)
    lists(
        runtime,
        {"resource_id": "i-0a1", "account_id": None, "region": None},
        {"resource_id": "orders", "resource_type": "rds_instance", "account_id": None},
        {"resource_id": "lost", "resource_type": "rds_instance", "account_id": None, "region": None},
        {"resource_id": "a", "native_id": "twice", "resource_type": "rds_instance"},
        {"resource_id": "b", "native_id": "twice", "resource_type": "rds_instance"},
    )
    asked(runtime)
    known = {row["arn"] for row in heard(runtime) if row["is_known"]}
    assert known == {instance("i-0a1"), database("orders")}


def test_all_pages_are_read(tmp_path: Path, aws: AwsServer) -> None:
    said, items = optimizer(aws), hub(aws)
    for number in range(5):
        said.instance(instance(f"i-0a{number}"), "Optimized", "m5.large")
        items.item(instance(f"i-0a{number}"), "Stop", "m5.large", "", 10.0 + number)
    aws.dials.most_per_page = 2
    aws.dials.is_first_page_empty = True
    runtime = night(tmp_path, aws)
    lists(runtime)
    loads = asked(runtime)
    assert columns(heard(runtime), "arn") == [(instance(f"i-0a{number}"),) for number in range(5) for _ in range(2)]
    # An empty page and three, and one each for what there is none of; the hub's preferences before its pages.
    assert {name: (load.rows_read, load.calls) for name, load in loads.items()} == {OPTIMIZER: (5, 6), HUB: (5, 5)}
    assert [each["maxResults"] for each in aws.asked("ListRecommendations")] == [1000] * 4


def test_the_hub_is_asked_in_its_region_once_for_an_account_and_for_that_account_alone(tmp_path: Path, aws: AwsServer) -> None:
    away, items = other(aws, IRELAND, VIRGINIA), hub(aws)
    items.item(instance("i-0a1"), "Rightsize", "m5.xlarge", "m5.large", 70.08)
    items.item(group("web", VIRGINIA), "MigrateToGraviton", "m5.large", "m6g.large", 20.0, "Ec2AutoScalingGroup")
    items.item(database("orders"), "Rightsize", "db.r6g.xlarge, PostgreSQL", "db.r6g.large", 90.0, "RdsDbInstance")
    # Of a member of the organization, and of things that are not looked at here.
    items.item(instance("i-0b1", IRELAND, OTHER), "Stop", "m5.large", "", 40.0)
    items.item(f"arn:aws:ec2:{IRELAND}:{ACCOUNT}:volume/vol-1", "Delete", "100 GB", "", 5.0, "EbsVolume")
    runtime = night(tmp_path, aws, own(IRELAND, VIRGINIA), away)
    lists(runtime, {"resource_id": "i-0a1"})
    loads = asked(runtime)
    assert {(each.account, each.region) for each in aws.log if each.service == "cost-optimization-hub"} == {
        (ACCOUNT, VIRGINIA),
        (OTHER, VIRGINIA),
    }
    assert [each["filter"]["accountIds"] for each in aws.asked("ListRecommendations")] in (
        [[ACCOUNT], [OTHER]],
        [[OTHER], [ACCOUNT]],
    )
    assert columns(
        heard(runtime), "resource_id", "source", "finding", "current_type", "recommended_type", "savings_usd_month"
    ) == [
        (group("web", VIRGINIA), "cost_optimization_hub", "migrate_to_graviton", "m5.large", "m6g.large", 20.0),
        (database("orders"), "cost_optimization_hub", "rightsize", "db.r6g.xlarge", "db.r6g.large", 90.0),
        ("i-0a1", "cost_optimization_hub", "rightsize", "m5.xlarge", "m5.large", 70.08),
    ]
    assert sorted(loads) == [
        f"second_opinion.{ACCOUNT}.{IRELAND}",
        f"second_opinion.{ACCOUNT}.{VIRGINIA}",
        f"second_opinion.{OTHER}.{IRELAND}",
        f"second_opinion.{OTHER}.{VIRGINIA}",
        f"second_opinion_hub.{ACCOUNT}.{VIRGINIA}",
        f"second_opinion_hub.{OTHER}.{VIRGINIA}",
    ]


def test_of_several_recommendations_for_a_resource_the_one_that_saves_most_is_kept(tmp_path: Path, aws: AwsServer) -> None:
    items = hub(aws)
    items.item(instance("i-0a1"), "Rightsize", "m5.xlarge", "m5.large", 70.0)
    items.item(instance("i-0a1"), "Stop", "m5.xlarge", "", 140.0)
    runtime = night(tmp_path, aws)
    lists(runtime, {"resource_id": "i-0a1"})
    load = asked(runtime)[HUB]
    assert columns(heard(runtime), "resource_id", "finding", "savings_usd_month") == [("i-0a1", "stop", 140.0)]
    assert (load.rows_read, load.rows_written) == (2, 1)


def test_savings_after_discounts_are_not_taken_for_those_before(tmp_path: Path, aws: AwsServer) -> None:
    hub(aws).mode = "AfterDiscounts"
    hub(aws).item(instance("i-0a1"), "Stop", "m5.large", "", 40.0)
    hub(aws).item(instance("i-0a2"), "Stop", "m5.large", "", 40.0, currencyCode="CNY")
    runtime = night(tmp_path, aws)
    lists(runtime)
    asked(runtime)
    names = ("savings_usd_month", "savings_after_discounts_usd_month")
    assert columns(heard(runtime), *names) == [(None, 40.0), (None, None)]


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(400, "OptInRequiredException", "Aws account is not registered for recommendations."),
        Refusal(403, "OptInRequiredException", "Account is not enrolled in the service"),
        Refusal(400, "ValidationException", "The account is not enrolled for recommendations."),
    ],
    ids=["opt_in", "opt_in_forbidden", "validation"],
)
def test_an_account_that_has_not_opted_in_is_absent_and_no_failure(tmp_path: Path, aws: AwsServer, refusal: Refusal) -> None:
    optimizer(aws).is_enrolled, optimizer(aws).refusal = False, refusal
    hub(aws).is_enrolled = False
    runtime = night(tmp_path, aws)
    lists(runtime)
    loads = asked(runtime)
    assert {name: (load.status, load.error, load.rows_written) for name, load in loads.items()} == {
        OPTIMIZER: (
            "absent",
            f"Compute Optimizer was not asked: the account {ACCOUNT} has not opted in to it; opt in there, or set "
            "aws.second_opinion = false.",
            0,
        ),
        HUB: (
            "absent",
            f"The Cost Optimization Hub was not asked: the account {ACCOUNT} is not enrolled in it; enroll it there, or set "
            "aws.second_opinion = false.",
            0,
        ),
    }
    # Who has not opted in is not asked for the other kinds.
    assert sorted(requests(aws)) == [ASKING[0], "GetPreferences"]
    assert heard(runtime) == []


def test_an_account_that_is_denied_does_not_cost_the_other_one(tmp_path: Path, aws: AwsServer) -> None:
    away = aws.account(OTHER)
    away.allow(["ec2:DescribeRegions"])
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    runtime = night(tmp_path, aws, own(), AwsAccount(id=OTHER, role_arn=away.role_arn, regions=(IRELAND,)))
    lists(runtime, {"resource_id": "i-0a1"})
    loads = asked(runtime)
    denied, denied_hub = loads[f"second_opinion.{OTHER}.{IRELAND}"], loads[f"second_opinion_hub.{OTHER}.{VIRGINIA}"]
    assert (denied.status, denied_hub.status, loads[OPTIMIZER].status, loads[HUB].status) == (
        "failed",
        "failed",
        *["complete"] * 2,
    )
    assert "compute-optimizer:GetEC2InstanceRecommendations" in denied.error
    assert "cost-optimization-hub:GetPreferences" in denied_hub.error
    assert columns(heard(runtime), "resource_id") == [("i-0a1",)]


def test_a_kind_that_is_denied_is_said_and_the_others_are_there(tmp_path: Path, aws: AwsServer) -> None:
    aws.allow([each for each in PERMISSIONS if "RDS" not in each] + ["ec2:DescribeRegions"])
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    optimizer(aws).group(group("web"), "Optimized", "m5.large")
    runtime = night(tmp_path, aws)
    lists(runtime)
    load = asked(runtime)[OPTIMIZER]
    assert (load.status, load.rows_written) == ("partial", 2)
    assert "GetRDSDatabaseRecommendations" in load.error
    assert "rds:DescribeDBClusters" in load.error


def test_the_declared_permissions_are_enough_and_all_are_needed(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path, aws)
    lists(runtime)
    for missing in (None, *PERMISSIONS):
        aws.allow([each for each in PERMISSIONS if each != missing] + ["ec2:DescribeRegions"])
        # Read whole is not read again.
        for file in runtime.lake.files(LOAD_LEDGER, [DAY]):
            file.unlink()
        loads = asked(night(tmp_path, aws))
        refused = " ".join(load.error for load in loads.values() if load.error)
        assert bool(refused) is (missing is not None), missing
        assert missing is None or missing in refused


def test_a_throttled_account_is_asked_again_and_the_ledger_counts_it(tmp_path: Path, aws: AwsServer) -> None:
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    aws.faults.add(Fault("GetEC2InstanceRecommendations", "throttled", times=2))
    runtime = night(tmp_path, aws)
    lists(runtime)
    load = asked(runtime)[OPTIMIZER]
    assert (load.status, load.rows_read, load.calls, load.throttles) == ("complete", 1, 5, 2)


def test_throttled_to_the_end_is_a_failure_of_that_account_and_region_only(tmp_path: Path, aws: AwsServer) -> None:
    for region in (IRELAND, VIRGINIA):
        optimizer(aws, region).instance(instance("i-0a1" if region == IRELAND else "i-0a2", region), "Optimized", "m5.large")
    for operation in ASKING:
        aws.faults.add(Fault(operation, "throttled", times=9, region=IRELAND))
    runtime = night(tmp_path, aws, own(IRELAND, VIRGINIA))
    lists(runtime)
    loads = asked(runtime)
    assert (loads[OPTIMIZER].status, loads[OPTIMIZER].rows_read, loads[OPTIMIZER].throttles) == ("failed", 0, 9)
    assert loads[f"second_opinion.{ACCOUNT}.{VIRGINIA}"].status == loads[HUB].status == "complete"
    assert columns(heard(runtime), "arn") == [(instance("i-0a2", VIRGINIA),)]


def test_a_page_that_fails_leaves_what_came_before_it(tmp_path: Path, aws: AwsServer) -> None:
    for number in range(4):
        optimizer(aws).instance(instance(f"i-0a{number}"), "Optimized", "m5.large")
    aws.dials.most_per_page = 2
    aws.faults.add(Fault("GetEC2InstanceRecommendations", "unavailable_before", times=9, after_skipping=1))
    runtime = night(tmp_path, aws)
    lists(runtime)
    load = asked(runtime)[OPTIMIZER]
    assert (load.status, load.rows_written) == ("partial", 2)
    assert "ServiceUnavailable" in load.error


def test_an_answer_that_is_none_is_a_failure_that_tells_no_more_than_its_kind(tmp_path: Path, aws: AwsServer) -> None:
    aws.faults.add(Fault("ListRecommendations", "garbled", times=9))
    runtime = night(tmp_path, aws)
    lists(runtime)
    loads = asked(runtime)
    assert loads[HUB].status == "failed"
    assert "Sign in to the network" not in loads[HUB].error
    assert loads[OPTIMIZER].status == "complete"
    assert not any(secret in load.error for load in loads.values() for secret in aws.secrets)


def test_what_cannot_be_of_the_account_and_region_is_set_aside_and_counted(tmp_path: Path, aws: AwsServer) -> None:
    said = optimizer(aws)
    said.instance(instance("i-0a1"), "Optimized", "m5.large")
    said.instance(instance("i-0a2", IRELAND, OTHER), "Optimized", "m5.large")
    said.instance(instance("i-0a3", VIRGINIA), "Optimized", "m5.large")
    said.database(f"arn:aws:rds:{IRELAND}:{ACCOUNT}:cluster:orders", "Optimized", "db.r6g.large")
    runtime = night(tmp_path, aws)
    lists(runtime)
    load = asked(runtime)[OPTIMIZER]
    assert (load.rows_read, load.rows_written, load.rows_rejected) == (4, 1, 3)
    rejected = pl.read_parquet(runtime.lake.path(REJECTED_ROWS, DAY, OPTIMIZER)).sort("reason").to_dicts()
    assert columns(rejected, "reason", "example_value", "rejected_rows") == [
        ("another_account", instance("i-0a2", IRELAND, OTHER), 1),
        ("another_region", instance("i-0a3", VIRGINIA), 1),
        ("unreadable_name", f"arn:aws:rds:{IRELAND}:{ACCOUNT}:cluster:orders", 1),
    ]


def test_resources_that_compute_optimizer_cannot_judge_are_said(tmp_path: Path, aws: AwsServer) -> None:
    optimizer(aws).errors = [{"identifier": instance("i-0a9"), "code": "InvalidParameterValue", "message": "no such family"}]
    runtime = night(tmp_path, aws)
    lists(runtime)
    load = asked(runtime)[OPTIMIZER]
    assert load.status == "partial"
    assert load.error == (f"Compute Optimizer could not judge one resource of {ACCOUNT}/{IRELAND}, such as {instance('i-0a9')}.")


@pytest.mark.parametrize("day", [DAY - timedelta(days=1), date(2025, 1, 1)])
def test_a_back_fill_asks_nobody_and_says_nothing(tmp_path: Path, aws: AwsServer, day: date) -> None:
    runtime = night(tmp_path, aws)
    lists(runtime, day=day)
    assert asked(runtime, day) == {}
    assert aws.log == []
    assert heard(runtime, day) == []


def test_a_day_that_is_run_again_later_keeps_what_was_heard(tmp_path: Path, aws: AwsServer) -> None:
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    runtime = night(tmp_path, aws)
    lists(runtime, {"resource_id": "i-0a1"})
    asked(runtime)
    rows, count = heard(runtime), len(aws.log)
    later = night(tmp_path, aws, now=NOW + timedelta(days=3))
    assert asked(later) == {}
    assert (heard(later), len(aws.log)) == (rows, count)
    assert len(rows) == 1


def test_the_newest_day_run_again_asks_only_for_what_is_missing_and_gives_the_same_bytes(tmp_path: Path, aws: AwsServer) -> None:
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    aws.faults.add(Fault("GetPreferences", "unavailable_before", times=3))
    runtime = night(tmp_path, aws)
    lists(runtime)
    first = asked(runtime)
    assert (first[OPTIMIZER].status, first[HUB].status) == ("complete", "failed")
    kept = runtime.lake.root / "second_opinions" / f"day={DAY}" / f"{OPTIMIZER}.parquet"
    before = kept.read_bytes()
    hub(aws).item(instance("i-0a1"), "Stop", "m5.large", "", 40.0)
    optimizer(aws).instance(instance("i-0a2"), "Optimized", "m5.large")
    count = len(requests(aws))
    second = asked(night(tmp_path, aws))
    assert requests(aws)[count:] == ["GetPreferences", "ListRecommendations"]
    assert second[OPTIMIZER] == first[OPTIMIZER]
    assert second[HUB].status == "complete"
    assert kept.read_bytes() == before
    assert len(heard(runtime)) == 2


def test_without_a_live_region_or_with_the_setting_off_nobody_is_asked_and_nothing_stays(tmp_path: Path, aws: AwsServer) -> None:
    optimizer(aws).instance(instance("i-0a1"), "Optimized", "m5.large")
    runtime = night(tmp_path, aws)
    lists(runtime)
    asked(runtime)
    count = len(aws.log)
    for off in (night(tmp_path, aws, second_opinion=False), night(tmp_path, aws, AwsAccount(id=ACCOUNT))):
        assert asked(off) == {}
        assert heard(off) == []
        assert load_of(off.lake, OPTIMIZER, DAY) is None
    assert len(aws.log) == count


def test_regions_that_are_not_read_any_more_leave_nothing_behind(tmp_path: Path, aws: AwsServer) -> None:
    for region in (IRELAND, VIRGINIA):
        optimizer(aws, region).database(database("orders", region), "Optimized", "db.m5.large")
    runtime = night(tmp_path, aws, own(IRELAND, VIRGINIA))
    lists(runtime)
    asked(runtime)
    assert len(heard(runtime)) == 2
    asked(night(tmp_path, aws))
    assert columns(heard(runtime), "region") == [(IRELAND,)]
    assert load_of(runtime.lake, f"second_opinion.{ACCOUNT}.{VIRGINIA}", DAY) is None


def test_regions_and_accounts_that_cannot_be_asked_have_their_line(tmp_path: Path, aws: AwsServer) -> None:
    aws.enable(VIRGINIA, IRELAND)
    away = aws.account(OTHER)
    away.allow([])
    everywhere = AwsAccount(id=OTHER, role_arn=away.role_arn, regions="all")
    runtime = night(tmp_path, aws, own(IRELAND, "eu-south-1"), everywhere)
    lists(runtime)
    loads = asked(runtime)
    assert {name: load.status for name, load in loads.items()} == {
        OPTIMIZER: "complete",
        f"second_opinion.{ACCOUNT}.eu-south-1": "failed",
        HUB: "complete",
        f"second_opinion.{OTHER}.regions": "failed",
    }
    assert "has not enabled eu-south-1" in loads[f"second_opinion.{ACCOUNT}.eu-south-1"].error


def test_where_aws_has_no_hub_that_is_said_and_it_is_not_asked(tmp_path: Path, aws: AwsServer) -> None:
    aws.enable("cn-north-1")
    aws.allow(PERMISSIONS)
    away = AwsAccount(id=ACCOUNT, regions=("cn-north-1",))
    runtime = night(tmp_path, aws, away)
    lists(runtime)
    loads = asked(runtime)
    line = loads[f"second_opinion_hub.{ACCOUNT}.cn-north-1"]
    assert (line.status, line.error) == (
        "absent",
        f"AWS has no Cost Optimization Hub for the partition of the account {ACCOUNT}.",
    )
    assert [each for each in requests(aws) if each not in ASKING] == []
