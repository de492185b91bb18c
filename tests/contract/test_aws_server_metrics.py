"""The strict AWS: CloudWatch's metrics, as the real client reads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.aws import AwsServer, Fault, fixtures
from tests.aws.fixtures import Ask, refused, signed_in

aws, clients, ask = fixtures.aws, fixtures.clients, fixtures.ask
DAY, STEP = datetime(2025, 3, 9, tzinfo=UTC), timedelta(minutes=5)
HOUR = {"StartTime": DAY, "EndTime": DAY + timedelta(hours=1), "ScanBy": "TimestampAscending"}
Read = Callable[..., list[dict[str, Any]]]


def query(name: str = "CPUUtilization", stat: str = "Average", period: int = 300, number: int = 1, **more: Any) -> dict[str, Any]:
    """A query for a metric of the instance ``i-1``."""
    dimensions = [{"Name": "InstanceId", "Value": more.pop("instance", "i-1")}]
    metric = {"Namespace": "AWS/EC2", "MetricName": name, "Dimensions": dimensions}
    unit = {"Unit": more.pop("unit")} if "unit" in more else {}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat, **unit}, **more}


def publish(aws: AwsServer, values: Any, name: str = "CPUUtilization", instance: str = "i-1", **more: Any) -> None:
    aws.metrics.publish("AWS/EC2", name, {"InstanceId": instance}, more.pop("start", DAY), values, **more)


@pytest.fixture
def read(ask: Ask) -> Read:
    """The pages of an answer."""

    def pages(*queries: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: dict[str, Any] = {}
        while len(found) < 50:
            found.append(ask("cloudwatch", "GetMetricData", MetricDataQueries=[*queries], **{**HOUR, **more}, **token))
            if "NextToken" not in found[-1]:
                return found
            token = {"NextToken": found[-1]["NextToken"]}
        raise AssertionError("it does not end")

    return pages


def seen(page: dict[str, Any]) -> list[tuple[str, str, list[float]]]:
    """What a page says of each query."""
    return [(each["Id"], each["StatusCode"], each["Values"]) for each in page["MetricDataResults"]]


# Points.


def test_the_start_is_included_and_the_end_is_not_and_the_newest_come_first(aws: AwsServer, ask: Ask) -> None:
    publish(aws, np.arange(12.0))
    window = {"StartTime": DAY + STEP, "EndTime": DAY + 4 * STEP}
    found = ask("cloudwatch", "GetMetricData", MetricDataQueries=[query()], **window)
    (result,) = found["MetricDataResults"]
    assert result["Values"] == [3.0, 2.0, 1.0]
    assert result["Timestamps"] == [DAY + 3 * STEP, DAY + 2 * STEP, DAY + STEP]
    assert (result["Label"], result["StatusCode"], "NextToken" in found) == ("CPUUtilization", "Complete", False)


@pytest.mark.parametrize(
    ("stat", "values"),
    [
        ("Average", [2.0, 5.0]),
        ("Minimum", [0.0, 3.0]),
        ("Maximum", [40.0, 70.0]),
        ("Sum", [30.0, 75.0]),
        ("SampleCount", [15, 15]),
    ],
)
def test_a_statistic_over_a_longer_period_is_that_of_all_samples(
    aws: AwsServer, read: Read, stat: str, values: list[float]
) -> None:
    averages = np.array([1.0, 2, 3, 4, 5, 6])
    publish(aws, averages, minimum=averages - 1, maximum=averages * 10 + 10, samples=5)
    (page,) = read(query(stat=stat, period=900))
    assert seen(page) == [("q1", "Complete", values)]
    assert [each - DAY for each in page["MetricDataResults"][0]["Timestamps"]] == [timedelta(0), 3 * STEP]


def test_an_average_counts_samples_and_not_points(aws: AwsServer, read: Read) -> None:
    publish(aws, np.array([10.0]), samples=1)
    publish(aws, np.array([40.0]), start=DAY + STEP, samples=5)
    publish(aws, np.array([70.0]), start=DAY, samples=2)
    (page,) = read(query(), query(period=3600, number=2), query(stat="Sum", period=3600, number=3))
    assert seen(page) == [("q1", "Complete", [50.0, 40.0]), ("q2", "Complete", [43.75]), ("q3", "Complete", [350.0])]


def test_gaps_are_no_points_and_what_is_not_there_is_no_mistake(aws: AwsServer, read: Read) -> None:
    publish(aws, np.array([np.nan, 1.0, np.nan, np.nan, 5.0, np.nan]))
    publish(aws, np.array([7.0]), name="NetworkIn", unit="Bytes")
    queries = (query(), query(period=1800, number=2), query("Nothing", number=3), query("NetworkIn", number=4, unit="Percent"))
    (page,) = read(*queries, query("NetworkIn", number=5, unit="Bytes"), query(instance="i-2", number=6))
    assert seen(page) == [
        ("q1", "Complete", [1.0, 5.0]),
        ("q2", "Complete", [3.0]),
        ("q3", "Complete", []),
        ("q4", "Complete", []),
        ("q5", "Complete", [7.0]),
        ("q6", "Complete", []),
    ]


def test_values_may_be_a_function_of_time_until_the_instance_is_gone(aws: AwsServer, read: Read) -> None:
    publish(aws, lambda moments: (moments % 3600) / 60, until=DAY + 3 * STEP)
    publish(aws, lambda moments: np.where(moments % 600 == 0, 1.0, np.nan), name="endless")
    (page,) = read(query(), query("endless", number=2))
    assert seen(page) == [("q1", "Complete", [0.0, 5.0, 10.0]), ("q2", "Complete", [1.0] * 6)]


def test_old_points_are_kept_at_longer_periods_only(aws: AwsServer, read: Read) -> None:
    aws.dials.now = DAY + timedelta(days=16)
    publish(aws, np.arange(60.0), period=60)
    (page,) = read(query(period=60), query(period=300, number=2))
    assert [len(values) for _, _, values in seen(page)] == [0, 12]
    aws.dials.now = DAY + timedelta(days=64)
    assert [len(values) for _, _, values in seen(read(query(), query(period=3600, number=2))[0])] == [0, 1]
    aws.dials.now = DAY + timedelta(days=456)
    assert seen(read(query(period=3600))[0]) == [("q1", "Complete", [])]


def test_each_region_of_each_account_has_its_own_metrics(aws: AwsServer, ask: Ask) -> None:
    other = aws.account("222222222222")
    publish(aws, np.array([1.0]))
    other.world("us-east-1").metrics.publish("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1"}, DAY, np.array([2.0]))
    asked = {"MetricDataQueries": [query()], **HOUR}
    key = signed_in(ask, other)
    assert seen(ask("cloudwatch", "GetMetricData", **asked))[0][2] == [1.0]
    assert seen(ask("cloudwatch", "GetMetricData", **asked, key=key, region="us-east-1"))[0][2] == [2.0]
    assert seen(ask("cloudwatch", "GetMetricData", **asked, key=key))[0][2] == []


# Pages.


def test_pages_go_over_the_whole_request(aws: AwsServer, read: Read) -> None:
    publish(aws, np.arange(4.0))
    publish(aws, np.arange(10.0, 13.0), name="NetworkIn")
    queries = (query(), query("Nothing", number=2), query("NetworkIn", number=3), query("Nothing", number=4))
    pages = read(*queries, MaxDatapoints=3)
    assert [seen(page) for page in pages] == [
        [("q1", "PartialData", [0.0, 1.0, 2.0])],
        [("q1", "Complete", [3.0]), ("q2", "Complete", []), ("q3", "PartialData", [10.0, 11.0])],
        [("q3", "Complete", [12.0]), ("q4", "Complete", [])],
    ]
    assert [seen(page)[0][1] for page in read(*queries, MaxDatapoints=7)] == ["Complete"]
    assert [seen(page) for page in read(query(), MaxDatapoints=3, ScanBy="TimestampDescending")] == [
        [("q1", "PartialData", [3.0, 2.0, 1.0])],
        [("q1", "Complete", [0.0])],
    ]
    served = aws.metrics.served
    assert (served.requests, served.queries, served.followed, served.points) == (6, 18, 9, 18)


def test_a_page_has_a_hundred_thousand_eight_hundred_points(aws: AwsServer, ask: Ask) -> None:
    publish(aws, np.zeros(1440), period=60)
    queries = [query(period=60, number=number) for number in range(71)]
    window = {"StartTime": DAY, "EndTime": DAY + timedelta(days=1)}
    first = ask("cloudwatch", "GetMetricData", MetricDataQueries=queries, **window)
    assert sum(len(each["Values"]) for each in first["MetricDataResults"]) == 100_800
    rest = ask("cloudwatch", "GetMetricData", MetricDataQueries=queries, **window, NextToken=first["NextToken"])
    assert ([len(each["Values"]) for each in rest["MetricDataResults"]], "NextToken" in rest) == ([1440], False)
    assert aws.metrics.served.points == 71 * 1440


def test_a_token_is_good_for_the_same_parameters_only(aws: AwsServer, ask: Ask) -> None:
    publish(aws, np.arange(4.0))
    asked = {"MetricDataQueries": [query()], **HOUR, "MaxDatapoints": 2}
    token = ask("cloudwatch", "GetMetricData", **asked)["NextToken"]
    others: list[dict[str, Any]] = [
        {"MetricDataQueries": [query(stat="Sum")]}, {"EndTime": DAY + timedelta(hours=2)}, {"MaxDatapoints": 3},
        {"ScanBy": "TimestampDescending"}, {"NextToken": "made-up"}, {"region": "us-east-1"},
    ]  # fmt: skip
    for other in others:
        assert refused(ask, "cloudwatch", "GetMetricData", **{**asked, "NextToken": token, **other}) == (400, "InvalidNextToken")
    assert seen(ask("cloudwatch", "GetMetricData", **asked, NextToken=token)) == [("q1", "Complete", [2.0, 3.0])]


# What CloudWatch refuses.


@pytest.mark.parametrize(
    ("queries", "more"),
    [
        ([], {}),
        ([query(number=number) for number in range(501)], {}),
        ([query(), query()], {}),
        ([query(ReturnData=False)], {}),
        ([{**query(), "Id": "Q1"}], {}),
        ([{**query(), "Id": "q-1"}], {}),
        ([query(stat="p99")], {}),
        ([query(stat="Mean")], {}),
        ([query(period=90)], {}),
        ([query(period=7)], {}),
        ([query()], {"MaxDatapoints": 0}),
        ([query()], {"MaxDatapoints": 100_801}),
        ([query()], {"EndTime": DAY}),
    ],
)
def test_what_cloudwatch_does_not_take_is_refused(
    aws: AwsServer, ask: Ask, queries: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    assert refused(ask, "cloudwatch", "GetMetricData", MetricDataQueries=queries, **{**HOUR, **more}) == (400, "ValidationError")
    assert aws.metrics.served.queries == 0


@pytest.mark.parametrize(
    "change",
    [
        {"MetricDataQueries": [{"Id": "q1", "Expression": 'SELECT AVG(CPUUtilization) FROM "AWS/EC2"', "Period": 300}]},
        {"MetricDataQueries": [query(AccountId="222222222222")]},
        {"StartTime": DAY + timedelta(minutes=2)},
        {"LabelOptions": {"Timezone": "+0000"}},
    ],
)
def test_what_this_server_cannot_do_is_told(aws: AwsServer, ask: Ask, change: dict[str, Any]) -> None:
    asked = {"MetricDataQueries": [query()], **HOUR, **change}
    assert refused(ask, "cloudwatch", "GetMetricData", **asked) == (400, "Unexpected")
    assert len(aws.unexpected) == 1 and "NotImplementedError" in aws.unexpected[0]
    aws.unexpected.clear()


# How metrics misbehave.


def test_partial_data_is_complete_by_the_next_token(aws: AwsServer, read: Read) -> None:
    for name in ("CPUUtilization", "NetworkIn"):
        publish(aws, np.arange(4.0), name=name)
    aws.metrics.partial(name="CPUUtilization", value="i-1")
    pages = read(query(), query("NetworkIn", number=2))
    assert [seen(page) for page in pages] == [
        [("q1", "PartialData", [0.0, 1.0]), ("q2", "Complete", [0.0, 1.0, 2.0, 3.0])],
        [("q1", "Complete", [2.0, 3.0])],
    ]


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_query_may_fail_alone(aws: AwsServer, read: Read, status: str) -> None:
    publish(aws, np.arange(2.0))
    publish(aws, np.arange(2.0), instance="i-2")
    aws.metrics.fail(status, times=2, value="i-2")
    answers = [seen(read(query(), query(instance="i-2", number=2))[0]) for _ in range(3)]
    good, bad = ("q1", "Complete", [0.0, 1.0]), ("q2", status, [])
    assert answers == [[good, bad], [good, bad], [good, ("q2", "Complete", [0.0, 1.0])]]


def test_metrics_and_points_may_come_late(aws: AwsServer, ask: Ask, read: Read) -> None:
    publish(aws, np.arange(2.0))
    publish(aws, np.array([2.0]), start=DAY + 2 * STEP, visible_after=1)
    publish(aws, np.array([9.0]), name="mem_used_percent", visible_after=2)
    both = (query(), query("mem_used_percent", number=2))
    answers = [[values for _, _, values in seen(read(*both)[0])] for _ in range(3)]
    assert answers == [[[0.0, 1.0], []], [[0.0, 1.0, 2.0], []], [[0.0, 1.0, 2.0], [9.0]]]
    publish(aws, np.array([3.0]), start=DAY + 3 * STEP)
    assert seen(read(query())[0]) == [("q1", "Complete", [0.0, 1.0, 2.0, 3.0])]


def test_faults_strike_one_account_only(aws: AwsServer, ask: Ask) -> None:
    other = aws.account("222222222222")
    key = signed_in(ask, other)
    aws.faults.add(Fault("GetMetricData", "denied", account="222222222222"), Fault("GetMetricData", "throttled"))
    asked = {"MetricDataQueries": [query()], **HOUR}
    assert refused(ask, "cloudwatch", "GetMetricData", **asked, key=key) == (403, "AccessDenied")
    assert refused(ask, "cloudwatch", "GetMetricData", **asked, key=key) == (400, "Throttling")
    assert seen(ask("cloudwatch", "GetMetricData", **asked)) == [("q1", "Complete", [])]


def test_five_statistics_of_a_metric_have_one_price(aws: AwsServer, read: Read) -> None:
    statistics = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")
    read(*(query(stat=stat, number=number) for number, stat in enumerate(statistics)))
    assert (aws.metrics.served.billed, aws.metrics.served.queries) == (1, 5)
    read(query(), query("NetworkIn", number=2), query(instance="i-2", number=3), query(number=4, ReturnData=False))
    assert (aws.metrics.served.billed, aws.metrics.served.queries) == (4, 8)


def test_others_are_answered_while_points_are_worked_on(aws: AwsServer, ask: Ask, read: Read) -> None:
    meanwhile: list[str] = []

    def values(moments: Any) -> Any:
        meanwhile.append(ask("sts", "GetCallerIdentity")["Account"])
        return np.zeros(len(moments))

    publish(aws, values)
    assert len(seen(read(query())[0])[0][2]) == 12
    assert meanwhile == ["123456789012"]


# Which metrics there are.


def names(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["MetricName"], each["Dimensions"][0]["Value"]) for each in page["Metrics"]]


def test_metrics_are_listed_by_namespace_name_and_dimensions(aws: AwsServer, ask: Ask) -> None:
    for instance in ("i-1", "i-2"):
        publish(aws, np.zeros(288), instance=instance)
    dimensions = {"InstanceId": "i-1", "ImageId": "ami-1"}
    aws.metrics.publish("CWAgent", "mem_used_percent", dimensions, DAY, np.zeros(288))
    assert len(ask("cloudwatch", "ListMetrics")["Metrics"]) == 3
    assert names(ask("cloudwatch", "ListMetrics", Namespace="AWS/EC2", MetricName="CPUUtilization")) == [
        ("CPUUtilization", "i-1"),
        ("CPUUtilization", "i-2"),
    ]
    (found,) = ask("cloudwatch", "ListMetrics", MetricName="mem_used_percent")["Metrics"]
    assert (found["Namespace"], {each["Name"]: each["Value"] for each in found["Dimensions"]}) == ("CWAgent", dimensions)
    assert len(ask("cloudwatch", "ListMetrics", Dimensions=[{"Name": "InstanceId"}])["Metrics"]) == 3
    one = [{"Name": "InstanceId", "Value": "i-1"}]
    assert len(ask("cloudwatch", "ListMetrics", Dimensions=one)["Metrics"]) == 2
    assert ask("cloudwatch", "ListMetrics", Namespace="AWS/RDS")["Metrics"] == []


def test_metrics_are_listed_five_hundred_at_a_time(aws: AwsServer, ask: Ask) -> None:
    for number in range(501):
        publish(aws, np.zeros(288), instance=f"i-{number:03d}")
    first = ask("cloudwatch", "ListMetrics", Namespace="AWS/EC2")
    rest = ask("cloudwatch", "ListMetrics", Namespace="AWS/EC2", NextToken=first["NextToken"])
    assert (len(first["Metrics"]), names(rest), "NextToken" in rest) == (500, [("CPUUtilization", "i-500")], False)
    other = {"Namespace": "AWS/RDS", "NextToken": first["NextToken"]}
    assert refused(ask, "cloudwatch", "ListMetrics", **other) == (400, "InvalidParameterValue")


def test_metrics_without_recent_points_are_not_listed(aws: AwsServer, ask: Ask) -> None:
    now = aws.dials.now
    for instance, age in (("i-1", timedelta(hours=2)), ("i-2", timedelta(hours=4)), ("i-3", timedelta(days=15))):
        publish(aws, np.zeros(1), instance=instance, start=now - age)
    publish(aws, lambda moments: moments * 0.0, instance="i-4")
    publish(aws, np.zeros(1), instance="i-5", start=now, visible_after=2)
    recent = [("CPUUtilization", "i-1"), ("CPUUtilization", "i-4")]
    assert names(ask("cloudwatch", "ListMetrics", RecentlyActive="PT3H")) == recent
    assert names(ask("cloudwatch", "ListMetrics")) == sorted([*recent, ("CPUUtilization", "i-2")])
    assert names(ask("cloudwatch", "ListMetrics", RecentlyActive="PT3H")) == [*recent, ("CPUUtilization", "i-5")]
