"""Metrics that could be lost, counted twice or paid for twice, over real HTTP; and answers that are not as AWS describes them."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import read
from dagster_project.connections.aws.sign_in import SignIn
from dagster_project.errors import CloudError
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.tables import REJECTED_ROWS
from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.retention import prune
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudwatch_metrics import Answered, Batch, read_batch
from dagster_project.sources.cloudwatch_series import Series, Wanted
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.sessions import ACCOUNT
from tests.live_builders import DAY, audit_only, begin, busy, inventory, live, metrics, rows, samples, told

aws = fixtures.aws
NEXT = DAY + timedelta(days=1)
PART = f"aws_samples.{ACCOUNT}.eu-west-1"
Execute = Callable[..., None]


@pytest.fixture(autouse=True)
def _audit(execute: Execute) -> None:
    audit_only(execute)


def night(runtime: Runtime, day: Any = DAY) -> dict[str, str]:
    """A night up to its samples; the status of each line of CloudWatch of the day."""
    inventory(runtime, day)
    return {load.source: load.status for on, load in metrics(runtime, day) if on == day}


# A day that is read again.


def test_what_fails_when_a_day_is_read_again_keeps_what_it_had(aws: AwsServer, runtime: Runtime) -> None:
    stays, goes = aws.world.fleet(2)
    busy(aws.metrics, [goes])
    for name, count in (("CPUUtilization", 576), ("NetworkIn", 100), ("NetworkOut", 576)):
        aws.metrics.publish("AWS/EC2", name, {"InstanceId": stays}, begin(), np.full(count, 20.0))
    aws.metrics.fail("InternalError", times=3, name="NetworkOut", value=stays)
    assert night(live(runtime, aws)) == {PART: "partial"}
    # The next night one machine is gone, and another series of the other one fails in its turn, on that day only.
    aws.world.terminate(goes)
    aws.metrics.fail("InternalError", times=3, name="NetworkIn", value=stays)
    assert night(live(runtime, aws, day=NEXT, history_days=2), NEXT) == {PART: "complete"}
    assert load_of(runtime.lake, PART, DAY).status == "partial"  # type: ignore[union-attr]
    frame = samples(runtime)
    assert {name: frame.filter(pl.col("resource_id") == name).height for name in (stays, goes)} == {stays: 288, goes: 288}
    mine = frame.filter(pl.col("resource_id") == stays)
    assert (mine["net_out_bytes"].count(), mine["net_in_bytes"].count()) == (288, 100)
    assert told(runtime).select("resource_id", "sampled_at").is_unique().all()


def test_a_day_that_is_read_again_has_what_came_late_in_it(aws: AwsServer, runtime: Runtime) -> None:
    one, two = aws.world.fleet(2)
    busy(aws.metrics, [two], days=3, day=NEXT + timedelta(days=1))
    level = np.full(288, 20.0)
    level[-4:] = np.nan
    aws.metrics.publish("AWS/EC2", "CPUUtilization", {"InstanceId": one}, begin(), level)
    aws.metrics.fail("InternalError", times=3, name="NetworkOut", value=two)
    night(live(runtime, aws))
    aws.metrics.publish("AWS/EC2", "CPUUtilization", {"InstanceId": one}, begin(NEXT) - timedelta(minutes=20), np.full(4, 60.0))
    # It is not read again in the next night, which brings what is late; in the one after that it is, without that machine.
    night(live(runtime, aws, day=NEXT), NEXT)
    assert runtime.lake.has(AWS_SAMPLES, DAY, PART + ".late")
    aws.world.terminate(one)
    after = NEXT + timedelta(days=1)
    night(live(runtime, aws, day=after, history_days=3), after)
    assert not runtime.lake.has(AWS_SAMPLES, DAY, PART + ".late")
    assert samples(runtime).filter(pl.col("resource_id") == one)["cpu_avg_pct"].to_list()[-4:] == [60.0] * 4
    assert load_of(runtime.lake, PART, DAY).status == "complete"  # type: ignore[union-attr]


def test_a_failure_leaves_what_was_set_aside_before_it(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name], days=2, day=NEXT)
    aws.metrics.publish("AWS/EC2", "EBSReadOps", {"InstanceId": name}, begin(), np.full(1, 1e20))
    aws.metrics.fail("InternalError", times=3, name="NetworkOut")
    night(live(runtime, aws))
    before = rows(runtime, REJECTED_ROWS, DAY, PART)
    assert [row["column_name"] for row in before] == ["disk_read_ops"]
    aws.faults.add(Fault("GetMetricData", "denied", times=9))
    there = live(runtime, aws, day=NEXT, history_days=2)
    inventory(there, NEXT)
    assert [(on, load.status) for on, load in ingest_aws_samples(there, [NEXT])] == [(DAY, "failed"), (NEXT, "failed")]
    # That reading may have been the peak: nobody may forget it.
    assert rows(runtime, REJECTED_ROWS, DAY, PART) == before
    assert load_of(runtime.lake, PART, DAY).status == "partial"  # type: ignore[union-attr]


def test_a_second_run_that_cannot_ask_pays_for_nothing_again(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    aws.enable("us-east-1", "eu-west-1")
    night(live(runtime, aws))
    asked = aws.metrics.served.requests
    aws.enable("us-east-1")
    night(live(runtime, aws))
    assert load_of(runtime.lake, PART, DAY).status == "complete"  # type: ignore[union-attr]
    aws.enable("us-east-1", "eu-west-1")
    night(live(runtime, aws))
    assert aws.metrics.served.requests == asked


def test_a_finer_feed_of_some_hours_is_not_taken_for_a_whole_day(aws: AwsServer, runtime: Runtime, execute: Execute) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8)")
    execute(
        "insert into utilization select $1, '2025-03-09'::timestamptz + make_interval(mins => n), 77 "
        "from generate_series(0, 299) as n",
        name,
    )
    night(live(runtime, aws))
    by_time = dict(samples(runtime).select("sampled_at", "cpu_avg_pct").iter_rows())
    assert (by_time[datetime(2025, 3, 9, 4, 59)], by_time[datetime(2025, 3, 9, 6)]) == (77, pytest.approx(25))


def test_raw_metrics_are_kept_no_longer_than_raw_samples(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    night(live(runtime, aws))
    later = DAY + timedelta(days=36)
    inventory(live(runtime, aws, day=later), later)
    prune(runtime)
    assert [table for table in ("aws_samples", "utilization_samples") if list(runtime.lake.root.glob(f"{table}/day=*"))] == []
    assert runtime.lake.has(REJECTED_ROWS, DAY, PART)


# Connections.


def test_no_region_keeps_its_connections_when_it_was_read(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name])
    there = live(runtime, aws)
    for read_it in (lambda: inventory(there), lambda: ingest_aws_samples(there, [DAY])):
        read_it()
        assert there.aws.scopes is not None
        assert [each.connection._opened for each in there.aws.scopes.live] == [[]]


def test_a_list_that_comes_back_to_a_page_that_it_had_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(region="eu-west-1")
    answers = iter([{"NextToken": "a"}, {"NextToken": "b"}, *[{"NextToken": "a"}] * 9])
    monkeypatch.setattr(connection, "ask", lambda *_, **__: next(answers))
    with pytest.raises(CloudError, match="again and again"):
        list(connection.pages(read("ec2", "DescribeVolumes"), "volumes"))


def test_clients_of_a_session_are_made_one_at_a_time() -> None:
    sign_in = SignIn(region="eu-west-1", endpoint_url=None, timeout_seconds=1, assume=None)
    could: list[bool] = []

    class Session:
        """Where threads make clients side by side, botocore's session may put its parts together twice, and fail."""

        def create_client(self, *_: Any, **__: Any) -> None:
            other = threading.Thread(target=lambda: could.append(sign_in._guard.acquire(blocking=False)))
            other.start()
            other.join()

    sign_in.client(Session(), "ec2", "eu-west-1")
    assert could == [False]


# Answers that are not as they should be.

START = datetime(2025, 3, 9)
CPU = Series(0, "AWS/EC2", "CPUUtilization", (("InstanceId", "i-1"),), "Average")


class Scripted:
    """A connection whose answers are given."""

    def __init__(self, *answers: Sequence[dict[str, Any]]) -> None:
        self._answers = iter(answers)
        self.asked: list[list[str]] = []

    def pages(self, _: Any, __: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self.asked.append([each["Id"] for each in parameters["MetricDataQueries"]])
        yield from next(self._answers)


def answered(*answers: Sequence[dict[str, Any]]) -> Answered:
    batch = Batch((Wanted("i-1", "ec2_instance", "i-1", "m5.large"),), ((0, CPU),))
    connection: Any = Scripted(*answers)
    return read_batch(Scope(ACCOUNT, "eu-west-1", connection), batch, START, START + timedelta(hours=1))


def result(values: Sequence[Any], minutes: Sequence[float], status: str | None = "Complete", name: str = "q0") -> dict[str, Any]:
    moments = [datetime(2025, 3, 9, tzinfo=UTC) + timedelta(minutes=minute) for minute in minutes]
    told = {"Id": name, "Timestamps": moments, "Values": list(values)}
    return told if status is None else {**told, "StatusCode": status}


def test_points_count_where_they_are_whatever_their_order_and_their_number() -> None:
    page = {
        "MetricDataResults": [
            result([3, 1, 9, 9], [10, 0.5, -5, 60], "PartialData"),
            result([3, "NaN", float("inf")], [10, 15, 20]),
        ]
    }
    found = answered([page])
    assert found.values[0, :3, 0].tolist() == pytest.approx([1, np.nan, 3], nan_ok=True)
    assert np.isnan(found.values[0, 5:, 0]).all()
    assert (found.points, found.incomplete) == (2, [])


@pytest.mark.parametrize(
    "wrong",
    [
        result([1], [0], name="q7"),
        result([1], [0], name="average"),
        result([1], [0], status=None),
        result([1, 2], [0]),
        result(["many"], [0]),
        {"Id": "q0"},
    ],
)
def test_an_answer_that_cannot_be_read_is_a_failure_of_its_region(wrong: dict[str, Any]) -> None:
    with pytest.raises(CloudError, match=f"metrics of {ACCOUNT}/eu-west-1 is not as it describes it"):
        answered([{"MetricDataResults": [wrong]}])


def test_a_series_without_an_answer_is_not_one_without_points() -> None:
    found = answered(*[[{"MetricDataResults": []}]] * 3)
    assert found.incomplete == ["CPUUtilization (Average) of i-1"]


def test_a_day_that_is_read_again_is_asked_for_what_it_lacks_only(aws: AwsServer, runtime: Runtime) -> None:
    ids = aws.world.fleet(40)
    busy(aws.metrics, ids, days=3, day=NEXT + timedelta(days=1))
    aws.metrics.fail("InternalError", times=99, name="NetworkOut", value=ids[7])
    night(live(runtime, aws))
    for days in (1, 2):
        day = DAY + timedelta(days=days)
        before = aws.metrics.served.queries
        night(live(runtime, aws, day=day, history_days=1 + days), day)
        # Its own day, and of the days before only what is missing: three times each.
        assert aws.metrics.served.queries - before == 400 + 2 + 3 * days
    assert load_of(runtime.lake, PART, DAY).status == "partial"  # type: ignore[union-attr]
    assert told(runtime).height == 288 * 40


def test_what_was_set_aside_stays_so_when_only_other_series_are_asked_again(aws: AwsServer, runtime: Runtime) -> None:
    (name,) = aws.world.fleet(1)
    busy(aws.metrics, [name], days=2, day=NEXT)
    aws.metrics.publish("AWS/EC2", "EBSReadOps", {"InstanceId": name}, begin(), np.full(1, 1e20))
    aws.metrics.fail("InternalError", times=3, name="NetworkOut")
    night(live(runtime, aws))
    night(live(runtime, aws, day=NEXT, history_days=2), NEXT)
    load = load_of(runtime.lake, PART, DAY)
    assert load is not None
    assert (load.status, load.rows_rejected) == ("complete", 1)
    assert [row["column_name"] for row in rows(runtime, REJECTED_ROWS, DAY, PART)] == ["disk_read_ops"]


# What nobody could list before.


def databases_and_machines(aws: AwsServer) -> str:
    (machine,) = aws.world.fleet(1)
    busy(aws.metrics, [machine], days=7, day=NEXT + timedelta(days=1))
    database = aws.world.database("orders", "db.r6g.xlarge")
    start = begin(DAY - timedelta(days=4))
    aws.metrics.publish("AWS/RDS", "CPUUtilization", {"DBInstanceIdentifier": database}, start, np.full(288 * 7, 12.0))
    return database


def test_the_days_before_are_read_of_what_a_right_that_was_missing_lets_be_seen(aws: AwsServer, runtime: Runtime) -> None:
    database = databases_and_machines(aws)
    aws.faults.add(Fault("DescribeDBInstances", "denied"))
    assert night(live(runtime, aws, history_days=5)) == {PART: "complete"}
    before, queries = told(runtime, DAY - timedelta(days=2)), aws.metrics.served.queries
    assert database not in {*before["resource_id"]}
    assert night(live(runtime, aws, day=NEXT, history_days=5), NEXT) == {PART: "complete"}
    # Ten series of each for the day, and those of the database for the four days before it that are looked back on.
    assert aws.metrics.served.queries - queries == 20 + 4 * 10
    for days in range(-3, 1):
        day = DAY + timedelta(days=days)
        frame = samples(runtime, day)
        assert frame.filter(pl.col("resource_id") == database)["cpu_avg_pct"].to_list() == [12.0] * 288
        assert frame.height == 576
    assert told(runtime, DAY - timedelta(days=2)).filter(pl.col("resource_id") != database).equals(before)
    # They are read once.
    queries = aws.metrics.served.queries
    night(live(runtime, aws, day=NEXT, history_days=5), NEXT)
    assert aws.metrics.served.queries == queries


def test_days_that_could_not_be_read_of_what_was_found_are_read_in_the_next_night(aws: AwsServer, runtime: Runtime) -> None:
    database = databases_and_machines(aws)
    aws.faults.add(Fault("DescribeDBInstances", "denied"))
    night(live(runtime, aws, history_days=3))
    aws.faults.add(Fault("GetMetricData", "denied", times=9))
    there = live(runtime, aws, day=NEXT, history_days=3)
    inventory(there, NEXT)
    ingest_aws_samples(there, [NEXT])
    aws.faults.clear()
    lines = [load_of(runtime.lake, PART, DAY + timedelta(days=days)) for days in (-1, 0, 1)]
    assert [line and (line.status, line.rows_written) for line in lines] == [("partial", 288), ("partial", 288), ("failed", 0)]
    after = NEXT + timedelta(days=1)
    night(live(runtime, aws, day=after, history_days=4), after)
    for days in range(-1, 2):
        day = DAY + timedelta(days=days)
        assert samples(runtime, day).filter(pl.col("resource_id") == database).height == 288
