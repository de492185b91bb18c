"""Metrics out of CloudWatch over real HTTP: what is asked for, how often, what becomes of it, and what happens when it fails."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.metrics import METRICS
from dagster_project.lake.aws_tables import AWS_SAMPLES, SAMPLE_SOURCES
from dagster_project.lake.tables import REJECTED_ROWS, UTILIZATION_SAMPLES
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount
from dagster_project.sources.cloudwatch_metrics import MAX_POINTS, MAX_QUERIES
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.sessions import ACCOUNT
from tests.live_builders import (
    DAY,
    OTHER,
    VOLUMES,
    audit_only,
    begin,
    busy,
    inventory,
    listed,
    live,
    metrics,
    rows,
    samples,
    told,
)

aws = fixtures.aws
NEXT = DAY + timedelta(days=1)
PART = f"aws_samples.{ACCOUNT}.eu-west-1"
Execute = Callable[..., None]


@pytest.fixture
def audit(execute: Execute) -> None:
    audit_only(execute)


@pytest.fixture
def engine(execute: Execute) -> Execute:
    """The decision engine's database with samples of its own."""
    audit_only(execute)
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute(
        "create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8, cpu_max float8, net_in_bytes float8)"
    )
    return execute


def queries(aws: AwsServer) -> list[tuple[str, str, str]]:
    """(name, statistic, whose) of every series that was asked for."""
    return [
        (
            each["MetricStat"]["Metric"]["MetricName"],
            each["MetricStat"]["Stat"],
            each["MetricStat"]["Metric"]["Dimensions"][0]["Value"],
        )
        for asked in aws.asked("GetMetricData")
        for each in asked["MetricDataQueries"]
    ]


def night(runtime: Runtime, day: date = DAY) -> dict[str, tuple[str, int]]:
    """A night up to its samples; the status of each line of CloudWatch of the day, and its rows."""
    inventory(runtime, day)
    return {load.source: (load.status, load.rows_written) for on, load in metrics(runtime, day) if on == day}


# What is asked for, and what it becomes.


def test_a_day_of_a_machine_is_its_ten_series_in_one_request(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    assert night(live(runtime, aws)) == {PART: ("complete", 288)}
    assert sorted(queries(aws)) == sorted(
        [("CPUUtilization", "Average", name), ("CPUUtilization", "Maximum", name)]
        + [(each, "Sum", name) for each in VOLUMES]
        + [("mem_used_percent", "Average", name), ("mem_used_percent", "Maximum", name)]
    )
    (asked,) = aws.asked("GetMetricData")
    assert (asked["StartTime"], asked["EndTime"]) == (begin(DAY), begin(NEXT))
    assert {each["MetricStat"]["Period"] for each in asked["MetricDataQueries"]} == {300}
    frame = samples(runtime)
    assert frame["sampled_at"].to_list() == [datetime(2025, 3, 9) + timedelta(minutes=5 * slot) for slot in range(288)]
    at_six = frame.row(72, named=True)
    expected = {
        "cpu_avg_pct": 25, "cpu_max_pct": 26, "mem_avg_pct": 35, "mem_max_pct": 37, "net_in_bytes": 125_000,
        "net_out_bytes": 125_000, "disk_read_bytes": 125_000, "disk_write_bytes": 125_000, "disk_read_ops": 125_000,
        "disk_write_ops": 125_000, "cpu_credit_balance": None, "in_service": None,
    }  # fmt: skip
    assert {metric.name: at_six[metric.name] for metric in METRICS} == pytest.approx(expected)
    load = load_of(runtime.lake, PART, DAY)
    assert load is not None
    # The agent's metrics of Linux and of Windows are looked for; then there is one request for the points.
    assert (load.rows_read, load.watermark_at, load.calls) == (2880, datetime(2025, 3, 9, 23, 55), 3)


def fewest_requests(series: int, slots: int) -> int:
    """Requests that any client needs for so many series of so many periods: the limits of queries and of points."""
    return max(-(-series // MAX_QUERIES), -(-series * slots // MAX_POINTS))


@pytest.mark.parametrize(("machines", "requests"), [(35, 1), (36, 2), (70, 2), (105, 3)])
def test_requests_are_as_few_as_the_limits_of_cloudwatch_allow(
    aws: AwsServer, runtime: Runtime, audit: None, machines: int, requests: int
) -> None:
    busy(aws.metrics, aws.world.fleet(machines))
    night(live(runtime, aws))
    assert aws.metrics.served.requests == requests == fewest_requests(10 * machines, 288)
    assert (aws.metrics.served.queries, aws.metrics.served.followed) == (10 * machines, 0)
    assert told(runtime).height == 288 * machines


def test_burst_credits_are_asked_of_machines_that_have_them_and_volumes_not_of_those_on_xen(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    burst, xen = aws.world.instance("t3.large"), aws.world.instance("m4.large")
    aws.metrics.publish(
        "AWS/EC2", "CPUCreditBalance", {"InstanceId": burst}, begin(), np.full(288, 90.0), minimum=np.full(288, 80.0)
    )
    busy(aws.metrics, [burst, xen], memory=False)
    night(live(runtime, aws))
    assert ("CPUCreditBalance", "Minimum", burst) in queries(aws)
    assert {each for each in queries(aws) if each[2] == xen} == {
        ("CPUUtilization", "Average", xen), ("CPUUtilization", "Maximum", xen),
        ("NetworkIn", "Sum", xen), ("NetworkOut", "Sum", xen),
    }  # fmt: skip
    assert samples(runtime).filter(pl.col("resource_id") == burst)["cpu_credit_balance"].unique().to_list() == [80.0]


def test_a_group_is_told_by_its_busiest_member(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    aws.world.group("web", "m5.xlarge", size=3)
    key = {"AutoScalingGroupName": "web"}
    aws.metrics.publish("AWS/EC2", "CPUUtilization", key, begin(), np.full(288, 30.0), maximum=np.full(288, 60.0), samples=15)
    aws.metrics.publish("AWS/EC2", "NetworkIn", key, begin(), np.full(288, 100.0), maximum=np.full(288, 400.0), samples=15)
    aws.metrics.publish("AWS/AutoScaling", "GroupInServiceInstances", key, begin(), np.full(288, 3.0), maximum=np.full(288, 4.0))
    night(live(runtime, aws))
    row = samples(runtime).filter(pl.col("resource_id") == "web").row(0, named=True)
    assert (row["cpu_avg_pct"], row["cpu_max_pct"], row["net_in_bytes"], row["in_service"]) == (30, 60, 2000, 4)


def test_groups_of_one_name_in_two_regions_are_two(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    for region, level in (("eu-west-1", 10.0), ("eu-west-2", 20.0)):
        world = aws.in_account(ACCOUNT, region)
        world.group("web", size=1)
        world.metrics.publish("AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": "web"}, begin(), np.full(288, level))
    night(live(runtime, aws, AwsAccount(id=ACCOUNT, regions=("eu-west-1", "eu-west-2"))))
    found = samples(runtime).group_by("resource_id").agg(pl.col("cpu_avg_pct").unique())
    assert dict(found.iter_rows()) == {
        f"{ACCOUNT}/eu-west-1/autoscaling_group/web": [10.0],
        f"{ACCOUNT}/eu-west-2/autoscaling_group/web": [20.0],
    }


def test_a_databases_rates_become_sums_and_what_memory_is_left_what_is_used(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    aws.world.database("orders", "db.r6g.xlarge")
    key, gib = {"DBInstanceIdentifier": "orders"}, 1024**3
    aws.metrics.publish("AWS/RDS", "CPUUtilization", key, begin(), np.full(288, 12.0), maximum=np.full(288, 15.0))
    aws.metrics.publish("AWS/RDS", "FreeableMemory", key, begin(), np.full(288, 24.0 * gib), minimum=np.full(288, 16.0 * gib))
    aws.metrics.publish("AWS/RDS", "ReadIOPS", key, begin(), np.full(288, 50.0))
    aws.metrics.publish("AWS/RDS", "NetworkReceiveThroughput", key, begin(), np.full(288, 1000.0))
    night(live(runtime, aws))
    row = samples(runtime).row(0, named=True)
    told_of = (row["cpu_avg_pct"], row["cpu_max_pct"], row["mem_avg_pct"], row["mem_max_pct"])
    assert told_of == (12, 15, pytest.approx(25), pytest.approx(50))
    assert (row["disk_read_ops"], row["net_in_bytes"], row["disk_write_ops"]) == (15_000, 300_000, None)


def test_of_several_series_of_memory_the_one_of_the_present_type_counts(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1, "m5.large")
    for kind, level in (("m5.xlarge", 10.0), ("m5.large", 20.0)):
        key = {"InstanceId": name, "InstanceType": kind, "ImageId": "ami-1"}
        aws.metrics.publish("CWAgent", "mem_used_percent", key, begin(), np.full(288, level))
    night(live(runtime, aws))
    assert samples(runtime)["mem_avg_pct"].unique().to_list() == [20.0]


def test_gaps_stay_gaps_and_a_machine_that_vanished_keeps_what_it_had(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    stays, goes = aws.world.fleet(2)
    busy(aws.metrics, [stays])
    level = np.full(288, 40.0)
    level[100:] = np.nan
    aws.metrics.publish("AWS/EC2", "CPUUtilization", {"InstanceId": goes}, begin(), level)
    assert night(live(runtime, aws)) == {PART: ("complete", 388)}
    mine = samples(runtime).filter(pl.col("resource_id") == goes)
    assert (mine.height, mine["cpu_avg_pct"].unique().to_list(), mine["net_in_bytes"].null_count()) == (100, [40.0], 100)


def test_what_cannot_be_right_is_set_aside_and_counted(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    level = np.full(288, 40.0)
    level[[3, 7]] = 5000.0
    aws.metrics.publish("AWS/EC2", "CPUUtilization", {"InstanceId": name}, begin(), level)
    night(live(runtime, aws))
    assert samples(runtime)["cpu_avg_pct"].max() == 40.0
    (average, highest) = [row for row in rows(runtime, REJECTED_ROWS) if row["source"] == PART]
    assert (average["reason"], average["column_name"], average["rejected_rows"], average["example_value"]) == (
        "impossible_value", "cpu_avg_pct", 2, "5000",
    )  # fmt: skip
    assert (highest["column_name"], average["first_at"]) == ("cpu_max_pct", datetime(2025, 3, 9, 0, 15))


# Days.


def test_the_first_night_reads_the_days_before_it_and_the_next_one_only_its_own(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name], days=6, day=NEXT)
    first = live(runtime, aws, history_days=5)
    night(first)
    assert [runtime.lake.has(UTILIZATION_SAMPLES, DAY - timedelta(days=back)) for back in range(6)] == [True] * 5 + [False]
    assert aws.metrics.served.requests == 5
    night(live(runtime, aws, history_days=5, day=NEXT), NEXT)
    assert aws.metrics.served.requests == 6
    # With the day come the last three hours of the one before it, in the same request.
    asked = aws.asked("GetMetricData")[-1]
    assert (asked["StartTime"], asked["EndTime"]) == (begin(NEXT) - timedelta(hours=3), begin(NEXT + timedelta(days=1)))
    assert told(runtime, NEXT).height == 288


def test_what_came_late_is_brought_by_the_next_night_cell_by_cell(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    key = {"InstanceId": name}
    level = np.full(288, 20.0)
    level[-4:] = np.nan
    aws.metrics.publish("AWS/EC2", "CPUUtilization", key, begin(), level)
    aws.metrics.publish("AWS/EC2", "NetworkIn", key, begin(), np.full(288, 7.0))
    night(live(runtime, aws))
    assert samples(runtime)["cpu_avg_pct"].null_count() == 4
    before = {file: file.read_bytes() for file in runtime.lake.files(AWS_SAMPLES, [DAY])}
    aws.metrics.publish("AWS/EC2", "CPUUtilization", key, begin(NEXT) - timedelta(minutes=20), np.full(4, 60.0))
    busy(aws.metrics, [name], day=NEXT)
    night(live(runtime, aws, day=NEXT), NEXT)
    frame = samples(runtime)
    assert (frame["cpu_avg_pct"].null_count(), frame["cpu_avg_pct"].max(), frame["net_in_bytes"].null_count()) == (0, 60.0, 0)
    # What was read first stays as it was, and the late cells lie beside it.
    assert {file: file.read_bytes() for file in before} == before
    late = rows(runtime, AWS_SAMPLES, DAY, PART + ".late")
    assert [(row["cpu_avg_pct"], row["net_in_bytes"]) for row in late] == [(60.0, 7.0)] * 4


def test_without_anything_late_the_day_before_is_not_made_again(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name], days=2, day=NEXT)
    night(live(runtime, aws))
    made = runtime.lake.path(UTILIZATION_SAMPLES, DAY).stat().st_mtime_ns
    night(live(runtime, aws, day=NEXT), NEXT)
    assert runtime.lake.path(UTILIZATION_SAMPLES, DAY).stat().st_mtime_ns == made
    assert not runtime.lake.has(AWS_SAMPLES, DAY, PART + ".late")


def test_a_day_that_was_read_whole_is_not_read_again_and_has_the_same_bytes(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    busy(aws.metrics, aws.world.fleet(3))
    night(live(runtime, aws))
    before = {
        file: file.read_bytes() for table in (AWS_SAMPLES, UTILIZATION_SAMPLES) for file in runtime.lake.files(table, [DAY])
    }
    asked = aws.metrics.served.requests
    night(live(runtime, aws))
    assert aws.metrics.served.requests == asked
    assert {file: file.read_bytes() for file in before} == before


def test_a_back_fill_asks_nobody(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    busy(aws.metrics, aws.world.fleet(1))
    there = live(runtime, aws, day=NEXT)
    inventory(there, NEXT)
    asked = len(aws.log)
    assert metrics_only(there) == []
    assert len(aws.log) == asked


def metrics_only(runtime: Runtime) -> list[object]:
    from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples

    return list(ingest_aws_samples(runtime, [DAY]))


# Beside the database.


def test_the_database_counts_and_cloudwatch_is_asked_for_the_rest_only(aws: AwsServer, runtime: Runtime, engine: Execute) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    engine("insert into resources values ($1, 'ec2_instance', '{}')", name)
    engine(
        "insert into utilization select $1, '2025-03-09'::timestamptz + make_interval(mins => 5 * n), 77, null, "
        "case when n < 100 then 5 end from generate_series(0, 287) as n",
        name,
    )
    assert night(live(runtime, aws)) == {PART: ("complete", 288)}
    # CPU is there whole, and not paid for; the network is not.
    asked = {each[:2] for each in queries(aws)}
    assert ("CPUUtilization", "Average") not in asked
    assert {("CPUUtilization", "Maximum"), ("NetworkIn", "Sum")} <= asked
    frame = samples(runtime)
    assert frame.height == 288
    assert frame["cpu_avg_pct"].unique().to_list() == [77.0]
    assert frame["net_in_bytes"][99] == 5.0
    assert frame["net_in_bytes"][100] > 100_000
    found = {row["metric"]: (row["database_samples"], row["cloudwatch_samples"]) for row in rows(runtime, SAMPLE_SOURCES)}
    assert (found["cpu_avg_pct"], found["cpu_max_pct"], found["net_in_bytes"]) == ((288, 0), (0, 288), (100, 188))
    assert listed(runtime)[name]["origin"] == "both"


def test_samples_of_the_database_of_a_machine_that_only_aws_lists_are_its_own(
    aws: AwsServer, runtime: Runtime, engine: Execute
) -> None:
    (name,) = aws.world.fleet(1)
    aws.metrics.publish("AWS/EC2", "NetworkIn", {"InstanceId": name}, begin(), np.full(288, 9.0))
    engine("insert into utilization values ($1, '2025-03-09 10:00+00', 50, 60, null)", name)
    night(live(runtime, aws))
    frame = samples(runtime)
    assert frame.height == 288
    at_ten = frame.filter(pl.col("sampled_at") == datetime(2025, 3, 9, 10)).row(0, named=True)
    assert (at_ten["cpu_avg_pct"], at_ten["net_in_bytes"]) == (50, 9)


def test_samples_that_come_later_into_the_database_count_without_asking_again(
    aws: AwsServer, runtime: Runtime, engine: Execute
) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    engine("insert into utilization values ($1, '2025-03-09 10:00+00', 50, 60, null)", name)
    night(live(runtime, aws))
    asked = aws.metrics.served.requests
    engine("insert into utilization values ($1, '2025-03-09 11:00+00', 51, 61, null)", name)
    night(live(runtime, aws))
    by_time = dict(samples(runtime).select("sampled_at", "cpu_avg_pct").iter_rows())
    assert (by_time[datetime(2025, 3, 9, 10)], by_time[datetime(2025, 3, 9, 11)]) == (50, 51)
    assert by_time[datetime(2025, 3, 9, 12)] == pytest.approx(20)
    assert aws.metrics.served.requests == asked


# Failures.


def test_one_request_in_five_refused_for_now_loses_nothing_and_counts_nothing_twice(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    busy(aws.metrics, aws.world.fleet(200))
    there = live(runtime, aws)
    inventory(there)
    aws.faults.random(random.Random(7), 0.2, ["throttled"])
    ((_, load),) = metrics(there)
    struck = len(aws.faults.fired)
    assert (load.status, load.rows_read, load.rows_written, load.throttles) == ("complete", 576_000, 57_600, struck)
    assert struck > 0
    assert told(runtime).select("resource_id", "sampled_at").is_unique().all()
    assert samples(runtime).height == 57_600


def test_points_that_come_in_halves_are_put_together(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    aws.metrics.partial(name="NetworkIn")
    assert night(live(runtime, aws)) == {PART: ("complete", 288)}
    assert samples(runtime)["net_in_bytes"].null_count() == 0


def test_a_series_that_failed_is_asked_for_again_alone(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    aws.metrics.fail("InternalError", times=2, name="NetworkOut")
    assert night(live(runtime, aws)) == {PART: ("complete", 288)}
    assert [len(asked["MetricDataQueries"]) for asked in aws.asked("GetMetricData")] == [10, 1, 1]
    assert samples(runtime)["net_out_bytes"].null_count() == 0


def test_a_series_that_goes_on_failing_leaves_the_day_to_the_next_night(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name], days=2, day=NEXT)
    aws.metrics.fail("InternalError", times=3, name="NetworkOut")
    assert night(live(runtime, aws)) == {PART: ("partial", 288)}
    load = load_of(runtime.lake, PART, DAY)
    assert load is not None
    assert load.error == (
        f"CloudWatch did not tell 1 series whole, such as NetworkOut (Sum) of {name}; the day is read again in the next night."
    )
    # What is missing is missing, and not nothing.
    assert samples(runtime)["net_out_bytes"].null_count() == 288
    night(live(runtime, aws, day=NEXT, history_days=3), NEXT)
    assert samples(runtime)["net_out_bytes"].null_count() == 0


def test_an_account_that_is_denied_stops_no_other_and_keeps_what_it_had(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    account = aws.account(OTHER)
    (mine,) = aws.world.fleet(1)
    theirs = account.world().instance()
    busy(aws.metrics, [mine], days=3, day=NEXT + timedelta(days=1))
    busy(account.world().metrics, [theirs], days=3, day=NEXT + timedelta(days=1))
    accounts = (
        AwsAccount(id=ACCOUNT, regions=("eu-west-1",)),
        AwsAccount(id=OTHER, regions=("eu-west-1",), role_arn=account.role_arn),
    )
    assert {status for status, _ in night(live(runtime, aws, *accounts)).values()} == {"complete"}
    aws.faults.add(Fault("GetMetricData", "denied", times=99, account=OTHER))
    later = live(runtime, aws, *accounts, day=NEXT)
    assert night(later, NEXT) == {PART: ("complete", 288), f"aws_samples.{OTHER}.eu-west-1": ("failed", 0)}
    load = load_of(runtime.lake, f"aws_samples.{OTHER}.eu-west-1", NEXT)
    assert load is not None
    assert "cloudwatch:GetMetricData" in load.error
    assert {*samples(runtime, NEXT)["resource_id"]} == {mine}
    assert {*samples(runtime)["resource_id"]} == {mine, theirs}
    # Once it is let in again, the day that is missing is brought.
    aws.faults.clear()
    after = NEXT + timedelta(days=1)
    night(live(runtime, aws, *accounts, day=after, history_days=3), after)
    assert {*samples(runtime, NEXT)["resource_id"]} == {mine, theirs}


def test_a_failure_in_the_middle_writes_nothing_of_the_day(aws: AwsServer, runtime: Runtime, audit: None) -> None:
    busy(aws.metrics, aws.world.fleet(80))
    there = live(runtime, aws, requests_at_once=1)
    inventory(there)
    aws.faults.add(Fault("GetMetricData", "denied", times=99, after_skipping=2))
    from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples

    ((_, load),) = ingest_aws_samples(there, [DAY])
    assert (load.status, load.rows_written) == ("failed", 0)
    assert runtime.lake.files(AWS_SAMPLES, [DAY]) == []


def test_a_session_that_expires_in_the_middle_is_renewed_and_nothing_is_lost(
    aws: AwsServer, runtime: Runtime, audit: None
) -> None:
    account = aws.account(OTHER)
    ids = account.world().fleet(120)
    busy(account.world().metrics, ids)
    there = live(runtime, aws, AwsAccount(id=OTHER, regions=("eu-west-1",), role_arn=account.role_arn))
    inventory(there)
    aws.faults.add(Fault("GetMetricData", "expired", times=2, after_skipping=1))
    ((_, load),) = metrics(there)
    assert (load.status, load.rows_written) == ("complete", 288 * 120)
    assert len(aws.asked("AssumeRole")) == 2


@pytest.mark.parametrize("kind", ["drop_after", "internal_error_before", "garbled"])
def test_answers_that_are_lost_are_asked_for_again(aws: AwsServer, runtime: Runtime, audit: None, kind: str) -> None:
    busy(aws.metrics, aws.world.fleet(40))
    there = live(runtime, aws)
    inventory(there)
    aws.faults.add(Fault("GetMetricData", kind, times=2))
    ((_, load),) = metrics(there)
    assert (load.status, load.rows_read, load.calls) == ("complete", 115_200, 6)
