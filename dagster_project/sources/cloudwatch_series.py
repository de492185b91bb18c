"""Which CloudWatch series say what the lake's metrics say, for each kind of resource.

Volumes are sums over five minutes, as the contract has them. EC2 measures once a minute, with basic monitoring too (a point of
five minutes is of five samples), so that of a group the busiest member's busiest minute, times five, is the most that any member
had: a sum over all members would hide how unevenly they are loaded. RDS tells rates, and what memory is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.domain.metrics import METRICS

PERIOD_SECONDS = 300
SLOTS_OF_DAY = 86400 // PERIOD_SECONDS
_MINUTES = PERIOD_SECONDS // 60
_BURSTABLE = re.compile(r"(db\.)?t\d")
_INDEX = {metric.name: index for index, metric in enumerate(METRICS)}
Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource whose metrics are wanted: ``resource_id`` as the lake calls it, ``name`` as AWS does. ``memory_bytes`` of its
    size, None where unknown; ``has_ebs_metrics``: whether its hypervisor reports what its volumes do."""

    resource_id: str
    resource_type: str
    name: str
    instance_type: str | None
    memory_bytes: float | None = None
    has_ebs_metrics: bool = True


@dataclass(frozen=True, slots=True)
class Series:
    """One series: what to ask for, which metric of the lake it is (a position in ``METRICS``), and how it is converted:
    ``scale`` × value + ``offset``."""

    metric: int
    namespace: str
    name: str
    dimensions: Dimensions
    statistic: str
    scale: float = 1.0
    offset: float = 0.0


def series_of(wanted: Wanted, memory: Mapping[str, tuple[str, str, Dimensions]]) -> list[Series]:
    """The series of a resource. ``memory`` are the series of the CloudWatch agent by instance or group: namespace, name and
    dimensions."""
    if wanted.resource_type == "rds_instance":
        return _database(wanted)
    is_group = wanted.resource_type == "autoscaling_group"
    key: Dimensions = (("AutoScalingGroupName" if is_group else "InstanceId", wanted.name),)
    found = [
        Series(_INDEX["cpu_avg_pct"], "AWS/EC2", "CPUUtilization", key, "Average"),
        Series(_INDEX["cpu_max_pct"], "AWS/EC2", "CPUUtilization", key, "Maximum"),
    ]
    volumes = [("net_in_bytes", "NetworkIn"), ("net_out_bytes", "NetworkOut")]
    if wanted.has_ebs_metrics:
        volumes += [("disk_read_bytes", "EBSReadBytes"), ("disk_write_bytes", "EBSWriteBytes")]
        volumes += [("disk_read_ops", "EBSReadOps"), ("disk_write_ops", "EBSWriteOps")]
    statistic, scale = ("Maximum", float(_MINUTES)) if is_group else ("Sum", 1.0)
    found += [Series(_INDEX[metric], "AWS/EC2", name, key, statistic, scale) for metric, name in volumes]
    if wanted.name in memory:
        namespace, name, dimensions = memory[wanted.name]
        found += [
            Series(_INDEX["mem_avg_pct"], namespace, name, dimensions, "Average"),
            Series(_INDEX["mem_max_pct"], namespace, name, dimensions, "Maximum"),
        ]
    if is_group:
        found.append(Series(_INDEX["in_service"], "AWS/AutoScaling", "GroupInServiceInstances", key, "Maximum"))
    elif _BURSTABLE.match(wanted.instance_type or ""):
        found.append(Series(_INDEX["cpu_credit_balance"], "AWS/EC2", "CPUCreditBalance", key, "Minimum"))
    return found


def _database(wanted: Wanted) -> list[Series]:
    key: Dimensions = (("DBInstanceIdentifier", wanted.name),)

    def rate(metric: str, name: str) -> Series:
        return Series(_INDEX[metric], "AWS/RDS", name, key, "Average", float(PERIOD_SECONDS))

    found = [
        Series(_INDEX["cpu_avg_pct"], "AWS/RDS", "CPUUtilization", key, "Average"),
        Series(_INDEX["cpu_max_pct"], "AWS/RDS", "CPUUtilization", key, "Maximum"),
        rate("net_in_bytes", "NetworkReceiveThroughput"),
        rate("net_out_bytes", "NetworkTransmitThroughput"),
        rate("disk_read_bytes", "ReadThroughput"),
        rate("disk_write_bytes", "WriteThroughput"),
        rate("disk_read_ops", "ReadIOPS"),
        rate("disk_write_ops", "WriteIOPS"),
    ]
    if wanted.memory_bytes:
        share = -100.0 / wanted.memory_bytes
        found += [
            Series(_INDEX["mem_avg_pct"], "AWS/RDS", "FreeableMemory", key, "Average", share, 100.0),
            # Where the least is left, the most is used.
            Series(_INDEX["mem_max_pct"], "AWS/RDS", "FreeableMemory", key, "Minimum", share, 100.0),
        ]
    if _BURSTABLE.match(wanted.instance_type or ""):
        found.append(Series(_INDEX["cpu_credit_balance"], "AWS/RDS", "CPUCreditBalance", key, "Minimum"))
    return found
