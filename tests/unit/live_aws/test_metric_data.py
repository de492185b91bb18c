"""Metrics out of CloudWatch as AWS documents its operations: what is asked, how it is put together, and where its points go."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.connections.aws.failures import Throttled
from dagster_project.domain.metrics import METRICS
from dagster_project.errors import CloudError
from dagster_project.sources.cloudwatch_metrics import Answered, Batch, batches, memory_series, read_batch
from dagster_project.sources.cloudwatch_series import Dimensions, Series, Wanted, series_of
from tests.unit.live_aws.documented import documented, scope

Json = dict[str, Any]
START, END = datetime(2025, 3, 9), datetime(2025, 3, 10)
HOUR = START + timedelta(hours=1)
INDEX = {metric.name: number for number, metric in enumerate(METRICS)}


def machine(number: int, size: str = "m5.large") -> Wanted:
    return Wanted(f"i-{number}", "ec2_instance", f"i-{number}", size)


def agent(name: str) -> dict[str, tuple[str, str, Dimensions]]:
    return {name: ("CWAgent", "mem_used_percent", (("InstanceId", name),))}


# Which series the agent sends.


def metric(*dimensions: tuple[str, str], name: str = "mem_used_percent", namespace: str = "CWAgent") -> Json:
    """A metric as ListMetrics tells of it."""
    listed = [{"Name": key, "Value": value} for key, value in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": listed}


def listed(
    *linux: Json, windows: tuple[Json, ...] = (), types: dict[str, str | None] | None = None
) -> dict[str, tuple[str, str, Dimensions]]:
    there = scope(ListMetrics=[{"Metrics": [*linux]}, {"Metrics": [*windows]}])
    return memory_series(there, "CWAgent", types or {})


PLAIN, WITH_TYPE = ("InstanceId", "i-1"), ("InstanceType", "m5.large")


def test_both_names_of_memory_are_listed_page_by_page() -> None:
    windows = metric(("InstanceId", "i-2"), ("objectname", "Memory"), name="Memory % Committed Bytes In Use")
    pages: list[Json] = [{"Metrics": [], "NextToken": "more"}, {"Metrics": [metric(PLAIN)]}, {"Metrics": [windows]}]
    there = scope(ListMetrics=pages)
    assert memory_series(there, "Own/Agent", {"i-1": "m5.large", "i-2": "m5.large"}) == {
        "i-1": ("Own/Agent", "mem_used_percent", (PLAIN,)),
        "i-2": ("Own/Agent", "Memory % Committed Bytes In Use", (("InstanceId", "i-2"), ("objectname", "Memory"))),
    }
    assert documented(there).of("ListMetrics") == [
        {"Namespace": "Own/Agent", "MetricName": "mem_used_percent"},
        {"Namespace": "Own/Agent", "MetricName": "mem_used_percent", "NextToken": "more"},
        {"Namespace": "Own/Agent", "MetricName": "Memory % Committed Bytes In Use"},
    ]


def test_a_series_is_an_instances_or_that_of_a_whole_group() -> None:
    found = listed(
        metric(("AutoScalingGroupName", "web"), ("InstanceId", "i-9")),
        metric(("AutoScalingGroupName", "web")),
        metric(("AutoScalingGroupName", "api"), ("InstanceType", "m5.large")),
        metric(("host", "web-1")),
        metric(),
        {"Namespace": "CWAgent", "MetricName": "mem_used_percent"},
    )
    assert found == {
        "i-9": ("CWAgent", "mem_used_percent", (("AutoScalingGroupName", "web"), ("InstanceId", "i-9"))),
        "web": ("CWAgent", "mem_used_percent", (("AutoScalingGroupName", "web"),)),
    }


OLD = (("InstanceId", "i-1"), ("InstanceType", "m5.xlarge"))
NEW = (("InstanceId", "i-1"), ("InstanceType", "m5.large"))
LONG = (("ImageId", "ami-1"), ("InstanceId", "i-1"), ("InstanceType", "m5.large"))


@pytest.mark.parametrize(
    ("dimensions", "chosen"),
    [
        ([OLD, NEW], NEW),
        ([OLD, LONG], LONG),
        ([LONG, NEW], NEW),
        # The plainest one counts where it may be of any type.
        ([NEW, (PLAIN,)], (PLAIN,)),
        ([OLD, (PLAIN, ("ImageId", "ami-1"))], (PLAIN, ("ImageId", "ami-1"))),
        # One of another type is better than none.
        ([OLD], OLD),
        ([(PLAIN, ("ImageId", "ami-2")), (PLAIN, ("ImageId", "ami-1"))], (PLAIN, ("ImageId", "ami-1"))),
    ],
)
def test_of_several_series_the_one_of_the_present_type_counts(dimensions: list[Dimensions], chosen: Dimensions) -> None:
    for order in (dimensions, [*reversed(dimensions)]):
        found = listed(*(metric(*each) for each in order), types={"i-1": "m5.large"})
        assert found == {"i-1": ("CWAgent", "mem_used_percent", chosen)}


def test_of_the_names_of_linux_and_windows_that_of_linux_counts() -> None:
    windows = metric(PLAIN, name="Memory % Committed Bytes In Use")
    assert listed(metric(PLAIN), windows=(windows,))["i-1"][1] == "mem_used_percent"
    assert listed(windows=(windows,))["i-1"][1] == "Memory % Committed Bytes In Use"


def test_resources_come_in_the_order_of_their_names() -> None:
    assert [*listed(*(metric(("InstanceId", name)) for name in ("i-3", "i-1", "i-2")))] == ["i-1", "i-2", "i-3"]


# How resources are put together.


def sizes(wanted: list[Wanted], slots: int = 288, **known: frozenset[int]) -> list[tuple[int, int]]:
    """Resources and series of each batch."""
    return [(len(each.resources), len(each.series)) for each in batches(wanted, {}, known, slots)]


@pytest.mark.parametrize(
    ("slots", "most"),
    [(288, 350), (201, 500), (202, 499), (1, 500), (324, 311), (100_800, 1), (200_000, 1)],
)
def test_a_request_has_as_many_series_as_its_queries_and_points_allow(slots: int, most: int) -> None:
    # Burstable machines have nine series, others eight: what is left over of a request is less than one has.
    found = sizes([machine(number) for number in range(130)], slots)
    assert all(series <= max(most, 8) for _, series in found)
    assert found[0] == (max(1, most // 8), 8 * max(1, most // 8))
    assert sum(resources for resources, _ in found) == 130


def test_a_request_that_is_full_to_the_last_series_is_one() -> None:
    # 10 × 35 = 350 series of a day.
    whole = [Wanted("d", "rds_instance", f"d-{number}", "db.m5.large", 1.0) for number in range(36)]
    assert sizes(whole[:35]) == [(35, 350)]
    assert sizes(whole) == [(35, 350), (1, 10)]


def test_five_hundred_queries_are_one_request_and_one_more_is_not() -> None:
    # Fifty databases have ten series each; a burstable machine with memory has eleven.
    whole = [Wanted(f"d-{number}", "rds_instance", f"d-{number}", "db.m5.large", 1.0) for number in range(50)]
    assert sizes(whole, slots=1) == [(50, 500)]
    burstable = machine(1, "t3.large")
    found = batches([*whole[:49], burstable], agent("i-1"), {}, 1)
    assert [len(each.series) for each in found] == [490, 11]


def test_what_is_known_is_not_asked_for_and_what_is_known_whole_takes_no_place() -> None:
    everything = frozenset(range(len(METRICS)))
    cpu = frozenset({INDEX["cpu_avg_pct"], INDEX["cpu_max_pct"]})
    wanted = [machine(1), machine(2), machine(3)]
    (found,) = batches(wanted, {}, {"i-1": cpu, "i-2": everything}, 288)
    assert found.resources == (machine(1), machine(3))
    assert [(place, METRICS[one.metric].name) for place, one in found.series] == [
        *((0, name) for name in ("net_in_bytes", "net_out_bytes")),
        *((0, name) for name in ("disk_read_bytes", "disk_write_bytes", "disk_read_ops", "disk_write_ops")),
        *((1, name) for name in ("cpu_avg_pct", "cpu_max_pct", "net_in_bytes", "net_out_bytes")),
        *((1, name) for name in ("disk_read_bytes", "disk_write_bytes", "disk_read_ops", "disk_write_ops")),
    ]
    assert list(batches(wanted, {}, dict.fromkeys(("i-1", "i-2", "i-3"), everything), 288)) == []
    assert list(batches([], {}, {}, 288)) == []


def test_what_is_known_is_known_by_the_lakes_name_of_a_resource() -> None:
    web = Wanted("1/eu-west-1/autoscaling_group/web", "autoscaling_group", "web", "m5.large")
    assert sizes([web], **{"1/eu-west-1/autoscaling_group/web": frozenset({0})}) == [(1, 8)]
    assert sizes([web], web=frozenset({0})) == [(1, 9)]


KINDS = ("ec2_instance", "autoscaling_group", "rds_instance")


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["m5.large", "t3.large", "db.t3.large"]), st.booleans())),
    st.sampled_from([288, 324, 2016, 12000]),
)
def test_every_series_is_asked_for_once_in_the_order_of_its_resource(kinds: list[tuple[str, str, bool]], slots: int) -> None:
    wanted = [
        Wanted(f"r-{n:03}", kind, f"r-{n:03}", size, 8e9 if has else None, has) for n, (kind, size, has) in enumerate(kinds)
    ]
    memory = {name: series for each in wanted[::2] for name, series in agent(each.name).items()}
    found = list(batches(wanted, memory, {}, slots))
    most = min(500, 100_800 // slots)
    asked = [(batch.resources[place].resource_id, one) for batch in found for place, one in batch.series]
    assert asked == [(each.resource_id, one) for each in wanted for one in series_of(each, memory)]
    assert all(len(batch.series) <= most or len(batch.resources) == 1 for batch in found)
    # None could have taken the first resource of the next one.
    for one, following in pairwise(found):
        assert len(one.series) + len(series_of(following.resources[0], memory)) > most


# What is asked and where its points go.

READ_OPS = Series(INDEX["disk_read_ops"], "AWS/EC2", "EBSReadOps", (("InstanceId", "i-abcdef"),), "Sum")
FREE = Series(INDEX["mem_max_pct"], "AWS/RDS", "FreeableMemory", (("DBInstanceIdentifier", "orders"),), "Minimum", -25.0, 100.0)
BATCH = Batch(
    (Wanted("i-abcdef", "ec2_instance", "i-abcdef", "m5.large"), Wanted("eu/orders", "rds_instance", "orders", "db.m5.large")),
    ((0, READ_OPS), (1, FREE)),
)


def result(name: str, points: dict[str, float], status: str = "Complete") -> Json:
    """A result as ``aws cloudwatch get-metric-data`` shows it."""
    return {"Id": name, "Label": "any", "Timestamps": [*points], "Values": [*points.values()], "StatusCode": status}


def page(*results: Json, **more: str) -> Json:
    return {"MetricDataResults": [*results], "Messages": [], **more}


def answered(*pages: Json, start: datetime = START, end: datetime = HOUR) -> tuple[Answered, list[Json]]:
    there = scope(GetMetricData=[*pages])
    found = read_batch(there, BATCH, start, end)
    return found, documented(there).of("GetMetricData")


def cells(found: Answered) -> dict[tuple[int, int, str], float]:
    """The values that are known, by resource, slot and metric."""
    return {
        (place, slot, METRICS[number].name): float(found.values[place, slot, number])
        for place, slot, number in np.argwhere(np.isfinite(found.values)).tolist()
    }


QUERIES = [
    {
        "Id": "q0",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/EC2",
                "MetricName": "EBSReadOps",
                "Dimensions": [{"Name": "InstanceId", "Value": "i-abcdef"}],
            },
            "Period": 300,
            "Stat": "Sum",
        },
    },
    {
        "Id": "q1",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": "FreeableMemory",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders"}],
            },
            "Period": 300,
            "Stat": "Minimum",
        },
    },
]


def test_a_request_and_its_answer() -> None:
    found, asked = answered(
        page(
            result("q1", {"2025-03-09T00:05:00+00:00": 1.0, "2025-03-09T01:10:00+01:00": 3.0}),
            result("q0", {"2025-03-09T00:00:00+00:00": 96.85, "2025-03-09T00:55:00+00:00": 7.0}),
        )
    )
    assert asked == [
        {
            "MetricDataQueries": QUERIES,
            "StartTime": datetime(2025, 3, 9, tzinfo=UTC),
            "EndTime": datetime(2025, 3, 9, 1, tzinfo=UTC),
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": 100_800,
        }
    ]
    assert found.values.shape == (2, 12, len(METRICS))
    assert found.values.dtype == np.float32
    assert cells(found) == {
        (0, 0, "disk_read_ops"): pytest.approx(96.85),
        (0, 11, "disk_read_ops"): 7.0,
        (1, 1, "mem_max_pct"): 75.0,
        (1, 2, "mem_max_pct"): 25.0,
    }
    assert (found.points, found.incomplete) == (4, [])


def test_a_day_has_288_places_and_a_late_one_more() -> None:
    whole = page(result("q0", {}), result("q1", {}))
    assert answered(whole, end=END)[0].values.shape == (2, 288, len(METRICS))
    found, (asked,) = answered(
        page(result("q0", {"2025-03-08T21:00:00Z": 1, "2025-03-09T23:55:00Z": 2}), result("q1", {})),
        start=START - timedelta(hours=3),
        end=END,
    )
    assert found.values.shape == (2, 324, len(METRICS))
    assert cells(found) == {(0, 0, "disk_read_ops"): 1.0, (0, 323, "disk_read_ops"): 2.0}
    assert (asked["StartTime"], asked["EndTime"]) == (datetime(2025, 3, 8, 21, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC))


def test_points_beyond_what_was_asked_are_not_put_elsewhere() -> None:
    outside = {"2025-03-08T23:55:00Z": 1.0, "2025-03-09T01:00:00Z": 2.0, "2025-03-09T00:04:59Z": 3.0}
    found, _ = answered(page(result("q0", outside), result("q1", {})))
    assert cells(found) == {(0, 0, "disk_read_ops"): 3.0}


def test_points_come_in_pages_and_halves() -> None:
    found, asked = answered(
        page(result("q0", {"2025-03-09T00:00:00Z": 1.0}, "PartialData"), NextToken="more"),
        page(result("q0", {"2025-03-09T00:05:00Z": 2.0}, "Complete"), result("q1", {"2025-03-09T00:00:00Z": 4.0})),
    )
    assert cells(found) == {(0, 0, "disk_read_ops"): 1.0, (0, 1, "disk_read_ops"): 2.0, (1, 0, "mem_max_pct"): 0.0}
    assert [each.get("NextToken") for each in asked] == [None, "more"]
    assert found.incomplete == []


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_what_is_not_whole_is_asked_for_again_alone_and_keeps_its_number(status: str) -> None:
    found, asked = answered(
        page(result("q0", {"2025-03-09T00:00:00Z": 1.0}), result("q1", {"2025-03-09T00:00:00Z": 2.0}, status)),
        page(result("q1", {"2025-03-09T00:00:00Z": 3.0, "2025-03-09T00:05:00Z": 2.0})),
    )
    assert [each["MetricDataQueries"] for each in asked] == [QUERIES, QUERIES[1:]]
    # What came last counts.
    assert cells(found) == {(0, 0, "disk_read_ops"): 1.0, (1, 0, "mem_max_pct"): 25.0, (1, 1, "mem_max_pct"): 50.0}
    assert (found.points, found.incomplete) == (3, [])


def test_after_three_attempts_it_is_said_by_the_lakes_name_and_keeps_what_came() -> None:
    half = page(result("q1", {"2025-03-09T00:00:00Z": 2.0}, "PartialData"))
    first = page(result("q0", {}), *half["MetricDataResults"])
    found, asked = answered(first, half, half)
    assert len(asked) == 3
    assert found.incomplete == ["FreeableMemory (Minimum) of eu/orders"]
    assert cells(found) == {(1, 0, "mem_max_pct"): 50.0}
    assert found.points == 1


def test_an_answer_that_is_not_as_aws_describes_it_is_a_failure_of_its_place() -> None:
    there = scope(GetMetricData=[page({"Id": "q0", "Label": "any", "Timestamps": [], "Values": [1.0]})])
    with pytest.raises(CloudError, match=r"^AWS's answer about metrics of 111111111111/us-east-2 is not as it describes it"):
        read_batch(there, BATCH, START, HOUR)


def test_a_failure_in_the_middle_reaches_who_asked() -> None:
    there = scope(GetMetricData=[page(result("q0", {}), NextToken="more"), Throttled("It asks to wait.")])
    with pytest.raises(Throttled, match="It asks to wait"):
        read_batch(there, BATCH, START, HOUR)
