"""Five-minute metrics out of CloudWatch, with as few requests as its limits allow.

A request takes 500 queries and answers 100,800 points: 350 series of a day fit into one. More queries would be answered in more
pages, which are requests too. Resources are kept whole, so that a request gives rows and not cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.metrics import METRICS
from dagster_project.sources.aws_scopes import Scope, understood
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS, Dimensions, Series, Wanted, series_of
from dagster_project.sources.history import aware

_MOMENT = datetime(2025, 1, 1, tzinfo=UTC)
# AWS bills each metric that is asked for. An expression that names none is answered, and costs nothing.
DATA = read(
    "cloudwatch",
    "GetMetricData",
    purpose=purposes.METRICS,
    probe={
        "MetricDataQueries": [{"Id": "probe", "Expression": "TIME_SERIES(0)", "Period": 3600}],
        "StartTime": _MOMENT,
        "EndTime": _MOMENT + timedelta(hours=1),
    },
)
LIST = read("cloudwatch", "ListMetrics", purpose=purposes.METRICS, probe={"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"})
READS = (DATA, LIST)
PERMISSIONS = permissions(*READS)

MAX_QUERIES = 500
MAX_POINTS = 100_800
_ATTEMPTS = 3
"""Times that a series is asked for which AWS could not tell whole."""
_MEMORY = ("mem_used_percent", "Memory % Committed Bytes In Use")
"""What the CloudWatch agent calls the share of memory in use, on Linux and on Windows."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Resources that are asked for together, each with its series."""

    resources: tuple[Wanted, ...]
    series: tuple[tuple[int, Series], ...]
    """The position of a resource among ``resources``, and one of its series."""


@dataclass(slots=True)
class Answered:
    """The values of a batch, (resources, slots, metrics), NaN = no point; ``points`` that came; ``incomplete`` are series that
    AWS could not tell whole."""

    values: NDArray[np.float32]
    points: int = 0
    incomplete: list[str] = field(default_factory=list)


def memory_series(scope: Scope, namespace: str, types: Mapping[str, str | None]) -> dict[str, tuple[str, str, Dimensions]]:
    """The series of memory that the CloudWatch agent sends, by instance or group. ``types`` are the present types of instances.

    An agent may add dimensions, and then there is another series for each type that an instance had: the one of the present type
    counts, and the plainest one where there are still several.
    """
    found: dict[str, tuple[tuple[bool, int, Dimensions], str, Dimensions]] = {}
    for name in _MEMORY:
        for page in scope.connection.pages(LIST, f"memory metrics of {scope.place}", Namespace=namespace, MetricName=name):
            for each in page["Metrics"]:
                dimensions = tuple((one["Name"], one["Value"]) for one in each.get("Dimensions", ()))
                owner = _owner(dict(dimensions))
                if owner is None:
                    continue
                told = dict(dimensions).get("InstanceType")
                rank = (told is not None and told != types.get(owner), len(dimensions), tuple(sorted(dimensions)))
                if owner not in found or rank < found[owner][0]:
                    found[owner] = rank, name, dimensions
    return {owner: (namespace, name, dimensions) for owner, (_, name, dimensions) in sorted(found.items())}


def _owner(dimensions: Mapping[str, str]) -> str | None:
    """Whose series it is: an instance's, or a group's where it is all that the series is of."""
    if "InstanceId" in dimensions:
        return dimensions["InstanceId"]
    return dimensions.get("AutoScalingGroupName") if len(dimensions) == 1 else None


def batches(
    wanted: Iterable[Wanted],
    memory: Mapping[str, tuple[str, str, Dimensions]],
    known: Mapping[str, frozenset[int]],
    slots: int,
) -> Iterator[Batch]:
    """Resources in their order, as many as one request can ask for over ``slots`` periods. ``known`` are the metrics of a
    resource that need not be asked for."""
    most = max(1, min(MAX_QUERIES, MAX_POINTS // slots))
    resources: list[Wanted] = []
    series: list[tuple[int, Series]] = []
    for each in wanted:
        mine = [one for one in series_of(each, memory) if one.metric not in known.get(each.resource_id, frozenset())]
        if not mine:
            continue
        if resources and len(series) + len(mine) > most:
            yield Batch(tuple(resources), tuple(series))
            resources, series = [], []
        series += [(len(resources), one) for one in mine]
        resources.append(each)
    if resources:
        yield Batch(tuple(resources), tuple(series))


def read_batch(scope: Scope, batch: Batch, start: datetime, end: datetime) -> Answered:
    """The points of a batch from ``start`` to ``end`` (naive UTC, on whole periods; the second excluded).

    Raises ``AccessDenied``, ``CloudError`` or ``CloudRefused``.
    """
    slots = int((end - start).total_seconds()) // PERIOD_SECONDS
    answered = Answered(np.full((len(batch.resources), slots, len(METRICS)), np.nan, np.float32))
    left = dict(enumerate(batch.series))
    for _ in range(_ATTEMPTS):
        left = _asked(scope, batch, left, start, end, answered)
        if not left:
            break
    answered.points = int(np.isfinite(answered.values).sum())
    answered.incomplete = [_told(batch, number, one) for number, one in left.values()]
    return answered


def _asked(
    scope: Scope, batch: Batch, asked: Mapping[int, tuple[int, Series]], start: datetime, end: datetime, answered: Answered
) -> dict[int, tuple[int, Series]]:
    """Asks for series by their number and puts in their points; returns those that AWS did not tell whole."""
    first = int(aware(start).timestamp())
    status: dict[int, str] = {}
    pages = scope.connection.pages(
        DATA,
        f"metrics of {scope.place}",
        MetricDataQueries=[_query(number, one) for number, (_, one) in asked.items()],
        StartTime=aware(start),
        EndTime=aware(end),
        ScanBy="TimestampAscending",
        MaxDatapoints=MAX_POINTS,
    )
    with understood(f"metrics of {scope.place}"):
        for page in pages:
            for result in page["MetricDataResults"]:
                number = int(result["Id"][1:])
                status[number] = result["StatusCode"]
                place, one = asked[number]
                _put(answered, place, one, result, first)
    return {number: asked[number] for number in asked if status.get(number) != "Complete"}


def _put(answered: Answered, place: int, one: Series, result: Json, first: int) -> None:
    values = np.asarray(result.get("Values", ()), dtype=np.float64)
    if not len(values):
        return
    at = np.fromiter((moment.timestamp() for moment in result["Timestamps"]), np.float64, len(values))
    slot = ((at - first) // PERIOD_SECONDS).astype(np.int64)
    inside = (slot >= 0) & (slot < answered.values.shape[1])
    answered.values[place, slot[inside], one.metric] = values[inside] * one.scale + one.offset


def _query(number: int, one: Series) -> Json:
    dimensions = [{"Name": name, "Value": value} for name, value in one.dimensions]
    metric = {"Namespace": one.namespace, "MetricName": one.name, "Dimensions": dimensions}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": one.statistic}}


def _told(batch: Batch, number: int, one: Series) -> str:
    return f"{one.name} ({one.statistic}) of {batch.resources[number].resource_id}"
