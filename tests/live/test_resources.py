"""What AWS lists, over real HTTP: what is read of each kind, what has changed, and what happens to what cannot be read."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from dagster_project.lake.aws_tables import AWS_RESOURCES
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.overlay import LONG_AGO
from tests.aws.planned import Planned
from tests.aws.sessions import ACCOUNT
from tests.live_builders import DAY, OTHER, audit_only, inventory, listed, live, rows, seen

aws = fixtures.aws
NEXT = DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _audit(execute: Callable[..., None]) -> None:
    audit_only(execute)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def config(row: dict[str, str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(row["config"])
    return found


# What is read.


def test_a_machine_with_all_that_a_verdict_asks_of_it(aws: AwsServer, runtime: Runtime) -> None:
    tags = {"Service": "checkout", "team": "shop", "env": "prod", "Name": "web"}
    name = aws.world.instance("m5.xlarge", tags=tags, launched_at=at(date(2025, 2, 1)), platform="Windows", tenancy="dedicated")
    (load,) = inventory(live(runtime, aws))
    row = listed(runtime)[name]
    assert (row["resource_type"], row["instance_type"], row["region"], row["account_id"]) == (
        "ec2_instance", "m5.xlarge", "eu-west-1", ACCOUNT,
    )  # fmt: skip
    assert (row["service"], row["team"], row["environment"]) == ("checkout", "shop", "prod")
    assert (row["platform"], row["tenancy"], row["lifecycle"], row["units"]) == ("windows", "dedicated", "on-demand", 1)
    assert json.loads(row["tags"]) == tags
    # A type changes only while a machine is stopped.
    assert row["config_changed_at"] == datetime(2025, 2, 1, 12)
    assert (row["origin"], row["native_id"], row["read_on"]) == ("aws", None, DAY)
    assert config(row)["state"] == "running"
    # Its root volume is listed too.
    assert (load.source, load.status, load.rows_read, load.rows_written) == (
        f"aws_resources.{ACCOUNT}.eu-west-1",
        "complete",
        2,
        2,
    )
    assert (load.calls, load.throttles) == (5, 0)


@pytest.mark.parametrize(
    ("made", "column", "value"),
    [
        ({"is_spot": True}, "lifecycle", "spot"),
        ({"tags": {"eks:nodegroup-name": "main"}}, "managed_by", "eks"),
        ({"tags": {"AmazonECSManaged": ""}}, "managed_by", "ecs"),
        ({"tags": {"kubernetes.io/cluster/main": "owned"}}, "managed_by", "kubernetes"),
        ({"platform": "Red Hat Enterprise Linux"}, "platform", "rhel"),
        ({"platform": "Windows with SQL Server Standard"}, "platform", "windows"),
    ],
)  # fmt: skip
def test_what_keeps_a_machine_out_of_reach(
    aws: AwsServer, runtime: Runtime, made: dict[str, object], column: str, value: str
) -> None:
    name = aws.world.instance(**made)  # type: ignore[arg-type]
    inventory(live(runtime, aws))
    assert listed(runtime)[name][column] == value


def test_a_group_its_members_and_what_its_template_says(aws: AwsServer, runtime: Runtime) -> None:
    group = aws.world.group(
        "web", "m5.xlarge", size=3, min_size=2, max_size=9, tags={"service": "shop"}, created_at=at(date(2025, 2, 3))
    )
    aws.world.of(Planned).minimum("web", 4)
    aws.world.of(Planned).minimum("web", None, "other")
    members = aws.world.members(group)
    inventory(live(runtime, aws))
    row = listed(runtime)["web"]
    assert (row["resource_type"], row["instance_type"], row["units"], row["service"]) == (
        "autoscaling_group",
        "m5.xlarge",
        3,
        "shop",
    )
    told = config(row)
    assert (told["min_size"], told["max_size"], told["desired_capacity"], told["scheduled_min_size"]) == (2, 9, 3, 4)
    assert (told["launch_template_version"], told["availability_zones"]) == ("1", ["eu-west-1a"])
    assert {name for name, each in listed(runtime).items() if each["asg_name"] == "web"} == {*members}


def test_only_one_type_is_a_size(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.group("one", "m5.large", kind="mixed", overrides=["m5.large"])
    aws.world.group("two", "m5.large", kind="mixed", overrides=["m5.large", "m6i.large"])
    aws.world.group("some", "m5.large", kind="mixed", distribution={"OnDemandPercentageAboveBaseCapacity": 50})
    aws.world.group("old", "c5.large", kind="configuration")
    inventory(live(runtime, aws))
    found = listed(runtime)
    assert {name: found[name]["instance_type"] for name in ("one", "two", "some", "old")} == {
        "one": "m5.large", "two": None, "some": "m5.large", "old": "c5.large",
    }  # fmt: skip
    assert config(found["two"])["instance_types"] == ["m5.large", "m6i.large"]
    assert {name: found[name]["lifecycle"] for name in ("one", "some")} == {"one": "on-demand", "some": "spot"}


def test_a_group_whose_members_are_of_another_type_has_it_only_since_now(aws: AwsServer, runtime: Runtime) -> None:
    group = aws.world.group("web", "m5.xlarge", size=2)
    template = aws.world.template_of(group)
    aws.world.template_version(template, "m5.large")
    aws.world.make_default(template, "2")
    aws.world.group("following", "m5.xlarge", size=2, version=None)
    inventory(live(runtime, aws))
    assert listed(runtime)["web"]["config_changed_at"] == LONG_AGO.replace(tzinfo=None)
    aws.world.make_default(
        aws.world.template_of("following"), aws.world.template_version(aws.world.template_of("following"), "m5.large")
    )
    inventory(live(runtime, aws, day=NEXT), NEXT)
    row = listed(runtime, NEXT)["following"]
    # Up to the reading it may have been the other one: the type of the day is not known either.
    assert (row["instance_type"], row["config_changed_at"]) == (None, datetime(2025, 3, 11, 2))


def test_a_database_with_when_its_class_was_given(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.xlarge", multi_az=True, storage_gib=200, tags={"service": "orders"})
    aws.world.database("ledger", "db.r6g.large")
    aws.world.of(Planned).happened("ledger", at(date(2025, 3, 4)))
    aws.world.of(Planned).happened("orders", at(date(2025, 3, 5)), "backup")
    inventory(live(runtime, aws))
    found = listed(runtime)
    told = config(found["orders"])
    assert (found["orders"]["instance_type"], told["engine"], told["multi_az"], told["size_gib"]) == (
        "db.r6g.xlarge",
        "postgres",
        True,
        200,
    )
    # RDS remembers a fortnight.
    assert found["orders"]["config_changed_at"] == datetime(2025, 2, 24, 2, 1)
    assert found["ledger"]["config_changed_at"] == datetime(2025, 3, 4, 12)


def test_volumes_are_listed_with_whose_they_are(aws: AwsServer, runtime: Runtime) -> None:
    (machine,) = aws.world.fleet(1, volume_gib=50)
    volume = aws.world.volume(500, iops=6000, throughput=250)
    inventory(live(runtime, aws))
    told = {name: config(row) for name, row in listed(runtime).items() if row["resource_type"] == "ebs_volume"}
    assert (told[volume]["size_gib"], told[volume]["iops"], told[volume]["throughput_mibps"]) == (500, 6000, 250)
    assert [each["size_gib"] for each in told.values() if each.get("attached_to") == [machine]] == [50]


def test_what_came_after_the_day_is_not_of_it_and_what_was_started_after_it_has_no_size_of_it(
    aws: AwsServer, runtime: Runtime
) -> None:
    late = aws.world.instance(launched_at=at(NEXT, 1))
    restarted = aws.world.instance("m5.xlarge", launched_at=at(date(2025, 1, 5)))
    aws.world.describe(restarted, LaunchTime=at(NEXT, 1))
    volumes = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-0a", "AttachTime": at(date(2025, 1, 5))}}]
    aws.world.describe(restarted, BlockDeviceMappings=volumes)
    inventory(live(runtime, aws))
    found = listed(runtime)
    assert late not in found
    assert (found[restarted]["created_at"], found[restarted]["instance_type"]) == (datetime(2025, 1, 5, 12), None)


# Day to day.


def test_a_changed_size_is_told_and_holds_since_the_start_that_came_with_it(aws: AwsServer, runtime: Runtime) -> None:
    name, same = aws.world.instance("m5.xlarge"), aws.world.instance("m5.xlarge")
    inventory(live(runtime, aws))
    aws.world.describe(name, InstanceType="m5.large", LaunchTime=at(NEXT, 9))
    aws.world.describe(same, LaunchTime=at(NEXT, 9))
    inventory(live(runtime, aws, day=NEXT), NEXT)
    found = listed(runtime, NEXT)
    assert (found[name]["instance_type"], found[name]["config_changed_at"]) == ("m5.large", datetime(2025, 3, 10, 9))
    assert json.loads(seen(runtime, NEXT)[name]["changes"]) == {"instance_type": ["m5.xlarge", "m5.large"]}
    # A restart changes nothing.
    assert found[same]["config_changed_at"] == LONG_AGO.replace(tzinfo=None)
    assert seen(runtime, NEXT)[same]["changes"] is None


def test_a_size_that_is_given_after_the_day_is_not_the_days_and_still_known_as_a_change_a_night_later(
    aws: AwsServer, runtime: Runtime
) -> None:
    name = aws.world.instance("m5.xlarge")
    inventory(live(runtime, aws))
    after = NEXT + timedelta(days=1)
    aws.world.describe(name, InstanceType="m5.large", LaunchTime=at(after, 1))
    inventory(live(runtime, aws, day=NEXT), NEXT)
    assert listed(runtime, NEXT)[name]["instance_type"] is None
    inventory(live(runtime, aws, day=after), after)
    row = listed(runtime, after)[name]
    assert (row["instance_type"], row["config_changed_at"]) == ("m5.large", datetime(2025, 3, 11, 1))


def test_a_day_that_was_read_whole_is_not_asked_again_and_has_the_same_bytes(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.instance()
    inventory(live(runtime, aws))
    before = {
        file: file.read_bytes()
        for file in runtime.lake.files(AWS_RESOURCES, [DAY]) + runtime.lake.files(RESOURCE_INVENTORY, [DAY])
    }
    aws.world.instance()
    asked = len(aws.asked("DescribeInstances"))
    inventory(live(runtime, aws))
    assert len(aws.asked("DescribeInstances")) == asked
    assert {file: file.read_bytes() for file in before} == before


def test_a_day_that_is_not_the_newest_asks_nobody(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.instance()
    inventory(live(runtime, aws, day=NEXT), NEXT)
    asked = len(aws.log)
    inventory(live(runtime, aws, day=NEXT), DAY)
    assert len(aws.log) == asked
    # The database lists nothing: what AWS listed next stands for the day.
    assert [row["resource_type"] for row in rows(runtime, RESOURCE_INVENTORY, DAY)] == ["ec2_instance", "ebs_volume"]


# Accounts and regions.


def test_accounts_are_read_by_their_roles_in_all_regions_that_they_have(aws: AwsServer, runtime: Runtime) -> None:
    account = aws.account(OTHER, external_id="acme")
    account.enable("us-east-1", "eu-west-1", "eu-central-1")
    own = aws.world.instance()
    theirs = [account.world(region).instance() for region in ("eu-west-1", "eu-central-1")]
    accounts = (
        AwsAccount(id=ACCOUNT, regions=("eu-west-1",)),
        AwsAccount(id=OTHER, regions="all", role_arn=account.role_arn, external_id="acme"),
    )
    loads = inventory(live(runtime, aws, *accounts))
    assert [(load.source, load.status) for load in loads] == [
        (f"aws_resources.{ACCOUNT}.eu-west-1", "complete"),
        (f"aws_resources.{OTHER}.eu-central-1", "complete"),
        (f"aws_resources.{OTHER}.eu-west-1", "complete"),
        (f"aws_resources.{OTHER}.us-east-1", "complete"),
    ]
    found = listed(runtime)
    assert {name: found[name]["account_id"] for name in (own, *theirs)} == {own: ACCOUNT, theirs[0]: OTHER, theirs[1]: OTHER}
    # One sign-in of a role serves its regions.
    assert len(aws.asked("AssumeRole")) == 1


def test_a_region_that_is_not_enabled_is_said_and_asked_nothing(aws: AwsServer, runtime: Runtime) -> None:
    aws.enable("us-east-1", "eu-west-1")
    aws.world.instance()
    loads = inventory(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-west-1", "eu-south-1"))))
    assert [(load.source, load.status, load.error) for load in loads] == [
        (
            f"aws_resources.{ACCOUNT}.eu-south-1", "failed",
            f"The account {ACCOUNT} has not enabled eu-south-1; enable it, or take it out of aws.accounts.regions.",
        ),
        (f"aws_resources.{ACCOUNT}.eu-west-1", "complete", ""),
    ]  # fmt: skip
    assert {each.region for each in aws.log} <= {"eu-west-1", "us-east-1"}


def test_an_account_that_lets_nobody_in_stops_no_other(aws: AwsServer, runtime: Runtime) -> None:
    name = aws.world.instance()
    stranger = AwsAccount(id=OTHER, regions="all", role_arn=f"arn:aws:iam::{OTHER}:role/nobody")
    loads = inventory(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-west-1",)), stranger))
    assert [(load.source, load.status) for load in loads] == [
        (f"aws_resources.{ACCOUNT}.eu-west-1", "complete"),
        (f"aws_resources.{OTHER}.regions", "failed"),
    ]
    assert "sts:AssumeRole" in loads[1].error
    assert name in listed(runtime)


def test_what_cannot_be_read_tonight_is_carried_on_for_a_week(aws: AwsServer, runtime: Runtime) -> None:
    name = aws.world.instance("m5.xlarge")
    database = aws.world.database()
    inventory(live(runtime, aws))
    for days in range(1, 9):
        day = DAY + timedelta(days=days)
        aws.faults.add(Fault("DescribeInstances", "denied", times=9))
        fresh = aws.world.instance()
        (load,) = inventory(live(runtime, aws, day=day), day)
        aws.faults.clear()
        found = listed(runtime, day)
        assert (load.status, "ec2:DescribeInstances" in load.error) == ("partial", True)
        assert found[database]["read_on"] == day
        assert (name in found) == (days <= 7)
        assert fresh not in found
        if name in found:
            assert (found[name]["read_on"], found[name]["instance_type"]) == (DAY, "m5.xlarge")
    day = DAY + timedelta(days=9)
    inventory(live(runtime, aws, day=day), day)
    assert listed(runtime, day)[name]["read_on"] == day


def test_an_account_that_cannot_be_asked_which_regions_it_has_carries_all_of_them_on(aws: AwsServer, runtime: Runtime) -> None:
    aws.enable("us-east-1", "eu-west-1", "eu-west-2")
    ids = {aws.world.instance(), aws.in_account(ACCOUNT, "eu-west-2").instance()}
    account = AwsAccount(id=ACCOUNT, regions="all")
    inventory(live(runtime, aws, account))
    aws.faults.add(Fault("DescribeRegions", "denied"))
    (load,) = inventory(live(runtime, aws, account, day=NEXT), NEXT)
    assert (load.source, load.status) == (f"aws_resources.{ACCOUNT}.regions", "failed")
    assert {row["read_on"] for name, row in listed(runtime, NEXT).items() if name in ids} == {DAY}


def test_what_is_gone_is_gone(aws: AwsServer, runtime: Runtime) -> None:
    stays, goes = aws.world.instance(), aws.world.instance()
    inventory(live(runtime, aws))
    aws.world.terminate(goes)
    inventory(live(runtime, aws, day=NEXT), NEXT)
    assert {stays, goes} & {*listed(runtime, NEXT)} == {stays}


@pytest.mark.parametrize("kind", ["throttled", "drop_before", "internal_error_before", "unavailable_before", "garbled"])
def test_a_read_that_fails_is_sent_again(aws: AwsServer, runtime: Runtime, kind: str) -> None:
    name = aws.world.instance()
    aws.faults.add(Fault("DescribeInstances", kind, times=3))
    (load,) = inventory(live(runtime, aws))
    assert (load.status, load.calls, load.throttles) == ("complete", 8, 3 if kind == "throttled" else 0)
    assert name in listed(runtime)


def test_a_session_that_expired_early_is_renewed_once(aws: AwsServer, runtime: Runtime) -> None:
    account = aws.account(OTHER)
    name = account.world().instance()
    aws.faults.add(Fault("DescribeDBInstances", "expired"))
    (load,) = inventory(live(runtime, aws, AwsAccount(id=OTHER, regions=("eu-west-1",), role_arn=account.role_arn)))
    assert load.status == "complete"
    assert len(aws.asked("AssumeRole")) == 2
    assert name in listed(runtime)


def test_pages_of_any_size_lose_nothing(aws: AwsServer, runtime: Runtime) -> None:
    ids = {*aws.world.fleet(23, volume_gib=8)}
    for number in range(7):
        aws.world.group(f"web-{number}", size=1)
        aws.world.database(f"db-{number}")
    aws.dials.most_per_page, aws.dials.is_first_page_empty = 3, True
    (load,) = inventory(live(runtime, aws))
    found = listed(runtime)
    assert ids <= {*found}
    kinds = [row["resource_type"] for row in found.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "ec2_instance": 30, "autoscaling_group": 7, "rds_instance": 7, "ebs_volume": 30,
    }  # fmt: skip
    assert load.rows_read == load.rows_written == 74


def test_the_line_of_a_night_stays_when_it_is_read_again_with_less(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.instance()
    inventory(live(runtime, aws))
    aws.faults.add(Fault("DescribeRegions", "denied"), Fault("DescribeInstances", "denied", times=99))
    (load,) = inventory(live(runtime, aws))
    assert load == load_of(runtime.lake, f"aws_resources.{ACCOUNT}.eu-west-1", DAY)
    assert load.status == "complete"


def test_only_regions_that_are_read_need_be_reachable(aws: AwsServer, runtime: Runtime) -> None:
    name = aws.world.instance()
    inventory(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-west-1", "eu-west-2"))))
    assert {each.region for each in aws.log} == {"eu-west-1", "eu-west-2"}
    assert name in listed(runtime)


def test_which_regions_an_account_has_is_told_by_the_first_that_lets_it_be_asked(aws: AwsServer, runtime: Runtime) -> None:
    aws.enable("us-east-1", "eu-west-1")
    aws.world.instance()
    loads = inventory(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-south-1", "eu-west-1"))))
    assert [(load.source.rpartition(".")[2], load.status) for load in loads] == [
        ("eu-south-1", "failed"),
        ("eu-west-1", "complete"),
    ]
    assert loads[0].error.startswith(f"The account {ACCOUNT} has not enabled eu-south-1")
