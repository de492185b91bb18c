"""What could be read wrong, twice or not at all, over real HTTP: each of these was once so, or nearly."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from dagster_project.lake.aws_tables import AWS_RESOURCES
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.planned import Planned
from tests.aws.sessions import ACCOUNT
from tests.live_builders import DAY, audit_only, inventory, listed, live, seen

aws = fixtures.aws
NEXT, AFTER = DAY + timedelta(days=1), DAY + timedelta(days=2)
STOPPED, RUNNING = {"Name": "stopped", "Code": 80}, {"Name": "running", "Code": 16}
RESOURCES = f"aws_resources.{ACCOUNT}.eu-west-1"


@pytest.fixture(autouse=True)
def _audit(execute: Callable[..., None]) -> None:
    audit_only(execute)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


# Since when a size is what it is: never earlier than it was given.


def test_a_machine_that_is_stopped_may_have_been_given_its_type_since_its_last_start(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1, "m5.large", launched_at=at(date(2025, 2, 1)), State=STOPPED)
    inventory(live(runtime, aws))
    assert listed(runtime)[name]["config_changed_at"] == datetime(2025, 3, 10, 2)
    # Its next start says nothing of the time before the first reading.
    aws.world.describe(name, State=RUNNING, LaunchTime=at(NEXT, 9))
    inventory(live(runtime, aws, day=NEXT), NEXT)
    row = listed(runtime, NEXT)[name]
    assert (row["instance_type"], row["config_changed_at"]) == ("m5.large", datetime(2025, 3, 10, 2))


def test_a_machine_that_was_changed_and_not_started_has_its_type_since_the_reading(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1, "m5.2xlarge")
    inventory(live(runtime, aws))
    # After the day it was started as what it was, and then stopped and changed.
    aws.world.describe(name, InstanceType="m5.large", LaunchTime=at(AFTER, 1), State=STOPPED)
    inventory(live(runtime, aws, day=NEXT), NEXT)
    row = listed(runtime, NEXT)[name]
    assert (row["instance_type"], row["config_changed_at"]) == (None, datetime(2025, 3, 11, 2))


def test_a_class_that_was_given_between_two_readings_holds_since_the_second_one(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.2xlarge")
    inventory(live(runtime, aws))
    aws.world.describe_database("orders", DBInstanceClass="db.r6g.large")
    inventory(live(runtime, aws, day=NEXT), NEXT)
    row = listed(runtime, NEXT)["orders"]
    # It may have been given after the day, which then ended with the other one.
    assert (row["instance_type"], row["config_changed_at"]) == (None, datetime(2025, 3, 11, 2))
    inventory(live(runtime, aws, day=AFTER), AFTER)
    row = listed(runtime, AFTER)["orders"]
    assert (row["instance_type"], row["config_changed_at"]) == ("db.r6g.large", datetime(2025, 3, 11, 2))


def test_a_class_that_is_given_while_databases_are_listed_is_as_young_as_that(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.large")
    changed = lambda: aws.world.of(Planned).happened("orders", at(NEXT, 2))  # noqa: E731 - right before they are listed
    aws.faults.add(Fault("DescribeDBInstances", "moved", callback=changed))
    inventory(live(runtime, aws))
    assert listed(runtime)["orders"]["config_changed_at"] == datetime(2025, 3, 10, 2)


def test_a_database_that_is_being_changed_may_have_its_class_since_now_only(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.large", DBInstanceStatus="modifying")
    inventory(live(runtime, aws))
    assert listed(runtime)["orders"]["config_changed_at"] == datetime(2025, 3, 10, 2)


def test_a_database_of_a_name_that_another_one_had_is_as_old_as_itself(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.large")
    inventory(live(runtime, aws))
    aws.world.describe_database("orders", InstanceCreateTime=at(NEXT, 15))
    inventory(live(runtime, aws, day=NEXT), NEXT)
    row = listed(runtime, NEXT)["orders"]
    assert (row["created_at"], row["config_changed_at"]) == (datetime(2025, 3, 10, 15), datetime(2025, 3, 10, 15))


def test_a_group_whose_members_are_yet_to_be_replaced_has_no_size_until_they_are(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.group("web", "m5.2xlarge", size=2, version=None)
    inventory(live(runtime, aws))
    template = aws.world.template_of("web")
    aws.world.make_default(template, aws.world.template_version(template, "m5.large"))
    for day in (NEXT, AFTER):
        inventory(live(runtime, aws, day=day), day)
        row = listed(runtime, day)["web"]
        assert json.loads(row["config"])["other_types"] == ["m5.2xlarge"]
        # The readings of these days are of the large ones.
        assert (row["instance_type"], row["config_changed_at"]) == (None, datetime(2025, 3, day.day + 1, 2))
    aws.world.start_refresh("web")
    while aws.world.go_on("web") != "Successful":
        pass
    day = AFTER + timedelta(days=1)
    inventory(live(runtime, aws, day=day), day)
    assert listed(runtime, day)["web"]["config_changed_at"] == datetime(2025, 3, 13, 2)
    assert json.loads(seen(runtime, day)["web"]["changes"] or "{}") == {"other_types": [["m5.2xlarge"], None]}
    inventory(live(runtime, aws, day=day + timedelta(days=1)), day + timedelta(days=1))
    row = listed(runtime, day + timedelta(days=1))["web"]
    assert (row["instance_type"], row["config_changed_at"]) == ("m5.large", datetime(2025, 3, 13, 2))


def test_members_that_came_after_the_machines_were_listed_are_members(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.group("web", "m5.large", size=1)
    (member,) = aws.world.seen_group("web")["Instances"]
    newcomer = {**member, "InstanceId": "i-0fffffffffffffff0", "InstanceType": "m5.2xlarge"}
    aws.world.describe_group("web", Instances=[member, newcomer])
    inventory(live(runtime, aws))
    row = listed(runtime)["web"]
    assert (row["instance_type"], row["config_changed_at"]) == (None, datetime(2025, 3, 10, 2))


def test_a_group_without_members_has_its_size_since_now(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.group("idle", "m5.large", size=0, min_size=0)
    inventory(live(runtime, aws))
    row = listed(runtime)["idle"]
    assert (row["units"], row["instance_type"], row["config_changed_at"]) == (0, None, datetime(2025, 3, 10, 2))
    # It is no member of Linux either: nothing said would count as that.
    assert row["platform"] == "unknown"


def test_a_platform_that_is_not_known_is_not_taken_for_linux(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1, PlatformDetails="SolarOS Enterprise")
    inventory(live(runtime, aws))
    assert listed(runtime)[name]["platform"] == "solaros enterprise"


def test_a_run_of_the_evening_says_so(aws: AwsServer, runtime: Runtime) -> None:
    aws.world.database("orders", "db.r6g.2xlarge")
    inventory(live(runtime, aws))
    aws.world.describe_database("orders", DBInstanceClass="db.r6g.large")
    there = live(runtime, aws, day=NEXT)
    late = replace(there, now=there.now.replace(hour=23))
    inventory(late, NEXT)
    assert listed(runtime, NEXT)["orders"]["config_changed_at"] == datetime(2025, 3, 11, 23)


# What cannot be read is neither judged nor lost.


def test_a_second_run_of_the_day_that_cannot_sign_in_keeps_what_the_first_one_read(aws: AwsServer, runtime: Runtime) -> None:
    name = aws.world.instance()
    account = AwsAccount(id=ACCOUNT, regions="all")
    aws.enable("us-east-1", "eu-west-1")
    inventory(live(runtime, aws, account))
    inventory(live(runtime, aws, account, day=NEXT), NEXT)
    before = {file: file.read_bytes() for file in runtime.lake.files(AWS_RESOURCES, [NEXT])}
    aws.faults.add(Fault("DescribeRegions", "denied"))
    inventory(live(runtime, aws, account, day=NEXT), NEXT)
    assert {file: file.read_bytes() for file in before} == before
    assert listed(runtime, NEXT)[name]["read_on"] == NEXT


def test_a_second_run_of_the_day_for_which_the_region_is_not_enabled_keeps_what_the_first_one_read(
    aws: AwsServer, runtime: Runtime
) -> None:
    name = aws.world.instance()
    aws.enable("us-east-1", "eu-west-1")
    inventory(live(runtime, aws))
    aws.enable("us-east-1")
    (load,) = inventory(live(runtime, aws))
    assert (load.status, load_of(runtime.lake, RESOURCES, DAY)) == ("complete", load)
    assert listed(runtime)[name]["read_on"] == DAY


def test_a_second_run_of_the_day_that_reads_other_kinds_loses_none_that_the_first_one_read(
    aws: AwsServer, runtime: Runtime
) -> None:
    machine, volume = aws.world.instance(), aws.world.volume()
    aws.faults.add(Fault("DescribeVolumes", "denied"))
    inventory(live(runtime, aws))
    assert volume not in listed(runtime)
    aws.faults.add(Fault("DescribeInstances", "denied", times=9))
    (load,) = inventory(live(runtime, aws))
    found = listed(runtime)
    assert (load.status, found[machine]["read_on"], found[volume]["read_on"]) == ("partial", DAY, DAY)


def test_an_answer_that_is_not_as_aws_describes_it_stops_nothing_else(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    database, elsewhere = aws.world.database(), aws.in_account(ACCOUNT, "eu-west-2").instance()
    del aws.world._place.machines.read_only[name]["InstanceType"]
    loads = inventory(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-west-1", "eu-west-2"))))
    assert [(load.status, load.error) for load in loads] == [
        ("partial", f"AWS's answer about ec2_instance of {ACCOUNT}/eu-west-1 is not as it describes it (KeyError)."),
        ("complete", ""),
    ]
    assert {database, elsewhere} <= {*listed(runtime)}


# One inventory out of two.


def test_a_database_that_has_not_noticed_a_change_does_not_make_a_size_older(
    aws: AwsServer, runtime: Runtime, execute: Callable[..., None]
) -> None:
    aws.world.database("orders", "db.r6g.2xlarge")
    aws.world.database("ledger", "db.r6g.2xlarge")
    execute("create table resources (resource_id text, type text, current_config jsonb, config_changed_at timestamptz)")
    for name in ("orders", "ledger"):
        execute(
            "insert into resources values ($1, 'rds_instance', '{\"instance_class\": \"db.r6g.2xlarge\"}', '2024-06-01')", name
        )
    inventory(live(runtime, aws))
    # What AWS does not remember the database does.
    assert listed(runtime)["orders"]["config_changed_at"] == datetime(2024, 6, 1)
    aws.world.describe_database("orders", DBInstanceClass="db.r6g.large")
    aws.world.describe_database("ledger", DBInstanceClass="db.r6g.large")
    execute('update resources set current_config = \'{"instance_class": "db.r6g.large"}\'')
    execute("update resources set config_changed_at = '2025-03-10 11:00+00' where resource_id = 'ledger'")
    for day in (NEXT, AFTER):
        inventory(live(runtime, aws, day=day), day)
        found = listed(runtime, day)
        assert found["orders"]["config_changed_at"] == datetime(2025, 3, 11, 2)
        # One that says when it was is believed.
        assert found["ledger"]["config_changed_at"] == datetime(2025, 3, 10, 11)


def test_a_configuration_that_is_no_object_says_nothing(aws: AwsServer, runtime: Runtime, execute: Callable[..., None]) -> None:
    aws.world.database("orders", "db.r6g.large", multi_az=True)
    aws.world.database("ledger", "db.r6g.large", multi_az=True)
    execute("create table resources (resource_id text, type text, current_config jsonb, tags jsonb)")
    execute("insert into resources values ('orders', 'rds_instance', 'null', null), ('ledger', 'rds_instance', '[1]', '[]')")
    inventory(live(runtime, aws))
    found = listed(runtime)
    assert [json.loads(found[name]["config"])["multi_az"] for name in ("orders", "ledger")] == [True, True]


def test_a_name_whose_readings_are_remembered_is_not_given_to_another_region(aws: AwsServer, runtime: Runtime) -> None:
    for region in ("eu-west-1", "eu-west-2"):
        aws.in_account(ACCOUNT, region).group("web", "m5.large", size=1)
    first, second = (AwsAccount(id=ACCOUNT, regions=(region,)) for region in ("eu-west-1", "eu-west-2"))
    inventory(live(runtime, aws, first))
    inventory(live(runtime, aws, second, day=NEXT), NEXT)
    inventory(live(runtime, aws, second, day=AFTER), AFTER)
    moved = f"{ACCOUNT}/eu-west-2/autoscaling_group/web"
    assert [moved in listed(runtime, day) and "web" not in listed(runtime, day) for day in (NEXT, AFTER)] == [True, True]
    # Where it was, it is called what it was called.
    day = AFTER + timedelta(days=1)
    both = AwsAccount(id=ACCOUNT, regions=("eu-west-1", "eu-west-2"))
    inventory(live(runtime, aws, both, day=day), day)
    found = listed(runtime, day)
    assert (found["web"]["region"], found[moved]["region"]) == ("eu-west-1", "eu-west-2")


def test_accounts_that_are_no_longer_read_are_forgotten_after_a_week(
    aws: AwsServer, runtime: Runtime, execute: Callable[..., None]
) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8)")
    execute("insert into resources values ('own', 'ec2_instance', '{}')")
    name = aws.world.instance()
    inventory(live(runtime, aws))
    for days, is_there in ((7, True), (8, False)):
        day = DAY + timedelta(days=days)
        inventory(live(runtime, aws, AwsAccount(id=ACCOUNT), day=day), day)
        assert (name in listed(runtime, day)) == is_there
        assert "own" in listed(runtime, day)


def test_an_earlier_day_does_not_take_the_databases_present_size_for_its_own(
    aws: AwsServer, runtime: Runtime, execute: Callable[..., None]
) -> None:
    aws.world.database("orders", "db.r6g.2xlarge")
    inventory(live(runtime, aws))
    aws.world.describe_database("orders", DBInstanceClass="db.r6g.large")
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("insert into resources values ('orders', 'rds_instance', '{\"instance_class\": \"db.r6g.large\"}')")
    inventory(live(runtime, aws, day=AFTER), AFTER)
    # The day in between was never read: on it the other class may still have been there.
    inventory(live(runtime, aws, day=AFTER), NEXT)
    assert listed(runtime, NEXT)["orders"]["config_changed_at"] == datetime(2025, 3, 12, 2)


def test_a_part_of_an_earlier_version_lacks_a_column_and_is_read(aws: AwsServer, runtime: Runtime) -> None:
    name = aws.world.instance()
    inventory(live(runtime, aws))
    file = runtime.lake.path(AWS_RESOURCES, DAY, RESOURCES)
    pl.read_parquet(file, hive_partitioning=False).drop("differed_on").write_parquet(file)
    inventory(live(runtime, aws))
    assert name in listed(runtime)
    inventory(live(runtime, aws, day=NEXT), NEXT)
    assert listed(runtime, NEXT)[name]["read_on"] == NEXT
