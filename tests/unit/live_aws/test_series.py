"""Which CloudWatch series are asked for, kind by kind, to the last of them: each is paid for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from dagster_project.domain.metrics import METRICS
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS, SLOTS_OF_DAY, Dimensions, Series, Wanted, series_of

GIB = 1024**3
I1: Dimensions = (("InstanceId", "i-1"),)
WEB: Dimensions = (("AutoScalingGroupName", "web"),)
ORDERS: Dimensions = (("DBInstanceIdentifier", "orders"),)
Memory = dict[str, tuple[str, str, Dimensions]]
Line = tuple[str, str, str, Dimensions, str, float, float]
MACHINE = Wanted("i-1", "ec2_instance", "i-1", "m5.large")
GROUP = Wanted("web", "autoscaling_group", "web", "m5.large")
DATABASE = Wanted("orders", "rds_instance", "orders", "db.m5.large")


def lines(wanted: Wanted, memory: Memory | None = None) -> list[Line]:
    """The series of a resource, each with the lake's name of its metric."""
    return [
        (METRICS[one.metric].name, one.namespace, one.name, one.dimensions, one.statistic, one.scale, one.offset)
        for one in series_of(wanted, memory or {})
    ]


def cpu(namespace: str, key: Dimensions) -> list[Line]:
    return [
        ("cpu_avg_pct", namespace, "CPUUtilization", key, "Average", 1.0, 0.0),
        ("cpu_max_pct", namespace, "CPUUtilization", key, "Maximum", 1.0, 0.0),
    ]


def network(key: Dimensions, statistic: str, scale: float) -> list[Line]:
    return [
        ("net_in_bytes", "AWS/EC2", "NetworkIn", key, statistic, scale, 0.0),
        ("net_out_bytes", "AWS/EC2", "NetworkOut", key, statistic, scale, 0.0),
    ]


def volumes(key: Dimensions, statistic: str, scale: float) -> list[Line]:
    return [
        ("disk_read_bytes", "AWS/EC2", "EBSReadBytes", key, statistic, scale, 0.0),
        ("disk_write_bytes", "AWS/EC2", "EBSWriteBytes", key, statistic, scale, 0.0),
        ("disk_read_ops", "AWS/EC2", "EBSReadOps", key, statistic, scale, 0.0),
        ("disk_write_ops", "AWS/EC2", "EBSWriteOps", key, statistic, scale, 0.0),
    ]


RATES: list[Line] = [
    ("net_in_bytes", "AWS/RDS", "NetworkReceiveThroughput", ORDERS, "Average", 300.0, 0.0),
    ("net_out_bytes", "AWS/RDS", "NetworkTransmitThroughput", ORDERS, "Average", 300.0, 0.0),
    ("disk_read_bytes", "AWS/RDS", "ReadThroughput", ORDERS, "Average", 300.0, 0.0),
    ("disk_write_bytes", "AWS/RDS", "WriteThroughput", ORDERS, "Average", 300.0, 0.0),
    ("disk_read_ops", "AWS/RDS", "ReadIOPS", ORDERS, "Average", 300.0, 0.0),
    ("disk_write_ops", "AWS/RDS", "WriteIOPS", ORDERS, "Average", 300.0, 0.0),
]


def test_a_machine_has_eight_series() -> None:
    assert lines(MACHINE) == [*cpu("AWS/EC2", I1), *network(I1, "Sum", 1.0), *volumes(I1, "Sum", 1.0)]


@pytest.mark.parametrize("size", ["t2.nano", "t3.large", "t3a.medium", "t4g.small", "t1.micro"])
def test_a_burstable_machine_has_its_least_credits_too(size: str) -> None:
    credits = ("cpu_credit_balance", "AWS/EC2", "CPUCreditBalance", I1, "Minimum", 1.0, 0.0)
    assert lines(replace(MACHINE, instance_type=size)) == [*lines(MACHINE), credits]


@pytest.mark.parametrize("size", ["m5.large", "trn1.2xlarge", "trn2.48xlarge", "mt3.large", "hpc7a.12xlarge", "", None])
def test_no_credits_are_asked_of_what_has_none(size: str | None) -> None:
    assert lines(replace(MACHINE, instance_type=size)) == lines(MACHINE)


def test_of_a_machine_on_xen_volumes_are_not_asked_for() -> None:
    credits = ("cpu_credit_balance", "AWS/EC2", "CPUCreditBalance", I1, "Minimum", 1.0, 0.0)
    xen = replace(MACHINE, instance_type="m4.large", has_ebs_metrics=False)
    assert lines(xen) == [*cpu("AWS/EC2", I1), *network(I1, "Sum", 1.0)]
    assert lines(replace(xen, instance_type="t2.large")) == [*lines(xen), credits]


@pytest.mark.parametrize(
    ("namespace", "name", "dimensions"),
    [
        ("CWAgent", "mem_used_percent", (("InstanceId", "i-1"),)),
        ("CWAgent", "mem_used_percent", (("ImageId", "ami-1"), ("InstanceId", "i-1"), ("InstanceType", "m5.large"))),
        ("Windows/Default", "Memory % Committed Bytes In Use", (("InstanceId", "i-1"), ("objectname", "Memory"))),
    ],
)
def test_memory_is_asked_for_as_the_agent_sends_it(namespace: str, name: str, dimensions: Dimensions) -> None:
    memory = {"i-1": (namespace, name, dimensions), "i-2": ("CWAgent", "mem_used_percent", (("InstanceId", "i-2"),))}
    assert lines(MACHINE, memory) == [
        *lines(MACHINE),
        ("mem_avg_pct", namespace, name, dimensions, "Average", 1.0, 0.0),
        ("mem_max_pct", namespace, name, dimensions, "Maximum", 1.0, 0.0),
    ]


def test_of_a_group_the_busiest_members_busiest_minute_stands_for_all_five() -> None:
    members = ("in_service", "AWS/AutoScaling", "GroupInServiceInstances", WEB, "Maximum", 1.0, 0.0)
    assert lines(GROUP) == [*cpu("AWS/EC2", WEB), *network(WEB, "Maximum", 5.0), *volumes(WEB, "Maximum", 5.0), members]


def test_a_group_on_xen_and_one_with_memory() -> None:
    members = ("in_service", "AWS/AutoScaling", "GroupInServiceInstances", WEB, "Maximum", 1.0, 0.0)
    xen = replace(GROUP, has_ebs_metrics=False)
    assert lines(xen) == [*cpu("AWS/EC2", WEB), *network(WEB, "Maximum", 5.0), members]
    assert lines(xen, {"web": ("CWAgent", "mem_used_percent", WEB)}) == [
        *cpu("AWS/EC2", WEB),
        *network(WEB, "Maximum", 5.0),
        ("mem_avg_pct", "CWAgent", "mem_used_percent", WEB, "Average", 1.0, 0.0),
        ("mem_max_pct", "CWAgent", "mem_used_percent", WEB, "Maximum", 1.0, 0.0),
        members,
    ]


def test_of_a_burstable_group_no_credits_are_asked_for_as_cloudwatch_has_none_of_groups() -> None:
    assert lines(replace(GROUP, instance_type="t3.large")) == lines(GROUP)


def test_a_database_tells_rates_and_what_memory_is_left() -> None:
    assert lines(DATABASE) == [*cpu("AWS/RDS", ORDERS), *RATES]
    share = -100.0 / (8 * GIB)
    assert lines(replace(DATABASE, memory_bytes=8.0 * GIB)) == [
        *cpu("AWS/RDS", ORDERS),
        *RATES,
        ("mem_avg_pct", "AWS/RDS", "FreeableMemory", ORDERS, "Average", share, 100.0),
        ("mem_max_pct", "AWS/RDS", "FreeableMemory", ORDERS, "Minimum", share, 100.0),
    ]


@pytest.mark.parametrize(("free", "used"), [(8.0, 0.0), (6.0, 25.0), (0.0, 100.0)])
def test_what_memory_is_left_is_told_as_what_is_used(free: float, used: float) -> None:
    (average,) = (
        one for one in series_of(replace(DATABASE, memory_bytes=8.0 * GIB), {}) if METRICS[one.metric].name == "mem_avg_pct"
    )
    assert free * GIB * average.scale + average.offset == pytest.approx(used, abs=1e-9)


@pytest.mark.parametrize("size", ["db.t2.micro", "db.t3.medium", "db.t4g.large"])
def test_a_burstable_database_has_its_least_credits_too(size: str) -> None:
    credits = ("cpu_credit_balance", "AWS/RDS", "CPUCreditBalance", ORDERS, "Minimum", 1.0, 0.0)
    assert lines(replace(DATABASE, instance_type=size)) == [*lines(DATABASE), credits]
    with_memory = replace(DATABASE, memory_bytes=2.0 * GIB)
    assert lines(replace(with_memory, instance_type=size)) == [*lines(with_memory), credits]


@pytest.mark.parametrize("size", ["db.m5.large", "db.serverless", "db.r6g.large", "db.x2g.large", None])
def test_no_credits_are_asked_of_a_class_that_has_none(size: str | None) -> None:
    assert lines(replace(DATABASE, instance_type=size)) == lines(DATABASE)


def test_a_database_has_no_agent_and_every_class_reports_its_volumes() -> None:
    memory = {"orders": ("CWAgent", "mem_used_percent", ORDERS)}
    assert lines(DATABASE, memory) == lines(DATABASE)
    assert lines(replace(DATABASE, has_ebs_metrics=False)) == lines(DATABASE)


def test_aws_is_asked_by_its_own_name_and_not_by_the_lakes() -> None:
    place = "111111111111/eu-west-1"
    for each, key in ((GROUP, WEB), (DATABASE, ORDERS)):
        qualified = replace(each, resource_id=f"{place}/{each.resource_type}/{each.name}")
        assert lines(qualified) == lines(each)
        assert {line[3] for line in lines(qualified)} == {key}


ALL = [
    replace(each, instance_type=size, memory_bytes=memory, has_ebs_metrics=has_ebs)
    for each, size, memory, has_ebs in itertools.product(
        (MACHINE, GROUP, DATABASE), ("m5.large", "t3.large", "db.t3.large", None), (None, 8.0 * GIB), (True, False)
    )
]


@pytest.mark.parametrize(
    "wanted", ALL, ids=lambda each: f"{each.name} {each.instance_type} {each.memory_bytes} {each.has_ebs_metrics}"
)
@pytest.mark.parametrize(
    "memory", [{}, {"i-1": ("CWAgent", "mem_used_percent", I1), "web": ("CWAgent", "mem_used_percent", WEB)}]
)
def test_nothing_is_paid_for_twice_and_no_metric_has_two_series(wanted: Wanted, memory: dict[str, Any]) -> None:
    found = series_of(wanted, memory)
    assert all(isinstance(one, Series) for one in found)
    asked = [(one.namespace, one.name, one.dimensions, one.statistic) for one in found]
    assert len(set(asked)) == len(asked)
    assert len({one.metric for one in found}) == len(found)
    assert all(0 <= one.metric < len(METRICS) for one in found)


def test_a_day_has_288_periods() -> None:
    assert (PERIOD_SECONDS, SLOTS_OF_DAY) == (300, 288)
