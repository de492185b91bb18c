"""CloudWatch's GetMetricData: up to 500 queries, up to 100,800 points a page, over all that was asked for."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.aws.metrics import Key, Metrics
from tests.aws.pages import make_token, read_token
from tests.aws.routing import Call, handles
from tests.aws.series import STATISTICS, Floats, Moments, Series, points
from tests.aws.wire import Json, Refusal

_MOST_QUERIES = 500
_MOST_POINTS = 100_800
_MOST_DIMENSIONS = 30
_STATISTICS_OF_ONE_PRICE = 5
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_CONSTANT = re.compile(r"TIME_SERIES\((\d+)\)")
_FINE_PERIODS = (1, 5, 10, 20, 30)
_KEPT = ((timedelta(days=455), math.inf), (timedelta(days=63), 3600), (timedelta(days=15), 300))
"""Points that are older than that can be read with periods that are multiples of so many seconds only."""
_INVALID_TOKEN = (400, "InvalidNextToken", "The next token is not valid.")


@dataclass(frozen=True)
class Query:
    """One metric, one statistic. ``status`` is what is wrong with it, if anything is."""

    query_id: str
    label: str
    key: Key
    series: Sequence[Series]
    period: int
    stat: str
    status: str | None

    def points(self, begin: int, end: int, now: datetime, *, is_descending: bool) -> tuple[Moments, Floats]:
        if self.status not in (None, "PartialData"):
            return np.empty(0, np.int64), np.empty(0)
        for age, unit in _KEPT:
            if self.period % unit:
                begin = max(begin, int((now - age).timestamp()))
        moments, values = points(self.series, begin, end, self.period, self.stat)
        return (moments[::-1], values[::-1]) if is_descending else (moments, values)


@dataclass
class Page:
    """What is answered, as far as there is room."""

    room: int
    results: list[Json] = field(default_factory=list)
    following: str | None = None

    def take(self, query: Query, moments: Moments, values: Floats, *, is_all: bool) -> int:
        """Takes as many points as there is room for; how many."""
        count = min(self.room, len(moments))
        self.room -= count
        status = query.status or "Complete"
        if status in ("Complete", "PartialData"):
            status = "Complete" if is_all and count == len(moments) else "PartialData"
        told: Json = {"Id": query.query_id, "Label": query.label, "StatusCode": status}
        if query.status == "InternalError":
            told["Messages"] = [{"Code": "InternalError", "Value": "An internal error occurred."}]
        self.results.append({**told, "Timestamps": moments[:count], "Values": values[:count]})
        return count


@handles("cloudwatch", "GetMetricData", is_parallel=True)
def get_metric_data(call: Call) -> Json:
    """Queries come one after the other; one that does not fit on a page goes on at the beginning of the next. Metrics of which a
    test says that they are partial come in halves: the second ones come after all else."""
    call.takes("MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints", "NextToken")
    asked = call.parameters
    begin, end = _stretch(asked)
    room = asked.get("MaxDatapoints", _MOST_POINTS)
    if not 1 <= room <= _MOST_POINTS:
        raise _invalid(f"The value {room} for parameter MaxDatapoints must be between 1 and {_MOST_POINTS}.")
    if (listed := asked["MetricDataQueries"]) and all(_CONSTANT.fullmatch(each.get("Expression", "")) for each in listed):
        return {"MetricDataResults": [_constant(each, begin, end) for each in listed], "Messages": []}
    with call.hub.lock:
        queries = _queries(call, begin)
        now = call.hub.dials.now
    half, first, done = 0, 0, 0
    if token := asked.get("NextToken"):
        half, first, done = (int(each) for each in read_token(call, token, _INVALID_TOKEN, "NextToken").split("."))
    page = Page(room)
    is_descending = asked.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    for phase, number, query in _order(queries, half, first):
        moments, values = query.points(begin, end, now, is_descending=is_descending)
        is_partial = query.status == "PartialData"
        middle = len(moments) // 2 if is_partial else len(moments)
        chosen = slice(0, middle) if phase == 0 else slice(middle, None)
        skipped = done if (phase, number) == (half, first) else 0
        moments, values = moments[chosen][skipped:], values[chosen][skipped:]
        is_break = phase == 1 and half == 0
        if is_break or (page.room == 0 and len(moments)):
            page.following = f"{phase}.{number}.{skipped}"
            break
        taken = page.take(query, moments, values, is_all=not is_partial or phase == 1)
        if taken < len(moments):
            page.following = f"{phase}.{number}.{skipped + taken}"
            break
    with call.hub.lock:
        call.place.of(Metrics).served.points += room - page.room
    rest = {"NextToken": make_token(call, page.following, "NextToken")} if page.following else {}
    return {"MetricDataResults": page.results, "Messages": [], **rest}


def _constant(query: Json, begin: int, end: int) -> Json:
    """The result of an expression that names no metric, and is not billed."""
    moments = [datetime.fromtimestamp(each, UTC) for each in range(begin, end, query["Period"])][::-1]
    values = [float(_CONSTANT.fullmatch(query["Expression"])[1])] * len(moments)
    result = {"Id": query["Id"], "Label": query.get("Label", query["Id"]), "StatusCode": "Complete"}
    return {**result, "Timestamps": moments, "Values": values}


def _order(queries: list[Query], half: int, first: int) -> Iterator[tuple[int, int, Query]]:
    """What is answered from a place on: whether it is a second half, the number of the query, and the query."""
    for phase in range(half, 2):
        for number, query in enumerate(queries):
            is_before = phase == half and number < first
            if not is_before and (phase == 0 or query.status == "PartialData"):
                yield phase, number, query


def _stretch(asked: Json) -> tuple[int, int]:
    """The seconds since 1970 from which on, and before which, points are asked for."""
    if asked["StartTime"] >= asked["EndTime"]:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    begin = int(asked["StartTime"].timestamp()) // 60 * 60
    return begin, math.ceil(asked["EndTime"].timestamp())


def _queries(call: Call, begin: int) -> list[Query]:
    """What is asked for, and is noted as asked. Raises ``Refusal`` for what CloudWatch does not take."""
    listed = call.parameters["MetricDataQueries"]
    if not 1 <= len(listed) <= _MOST_QUERIES:
        raise _invalid(f"The collection MetricDataQueries must not be empty, nor have a size greater than {_MOST_QUERIES}.")
    problems = [problem for number, each in enumerate(listed, start=1) for problem in _problems(call, each, number)]
    ids = [each["Id"] for each in listed]
    if len({*ids}) < len(ids):
        problems.append("The values for parameter Id in MetricDataQueries are not unique.")
    if not any(each.get("ReturnData", True) for each in listed):
        problems.append("At least one query must return data.")
    if problems:
        raise _invalid("\n".join(problems))
    metrics = call.place.of(Metrics)
    made = [_query(metrics, each, begin) for each in listed if each.get("ReturnData", True)]
    _note(metrics, made, is_first="NextToken" not in call.parameters)
    return made


def _problems(call: Call, query: Json, number: int) -> Iterator[str]:
    """What is wrong with a query. Raises ``NotImplementedError`` for what this server cannot do."""
    path = f"MetricDataQueries.member.{number}"
    if not _ID.fullmatch(query["Id"]):
        yield f"The value {query['Id']} for parameter {path}.Id is not matching the expected pattern."
    if {"Expression", "Period"} & {*query} or query.get("AccountId", call.place.account) != call.place.account:
        raise NotImplementedError(f"{path}: expressions, and metrics of other accounts")
    stat = query["MetricStat"]
    if not {"Namespace", "MetricName"} <= {*stat["Metric"]}:
        yield f"The parameter {path}.MetricStat.Metric needs a Namespace and a MetricName."
    if stat["Stat"] not in STATISTICS:
        yield f"The value {stat['Stat']} for parameter {path}.MetricStat.Stat is not a valid statistic."
    if stat["Period"] not in _FINE_PERIODS and (stat["Period"] < 60 or stat["Period"] % 60):
        yield f"The value {stat['Period']} for parameter {path}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60."
    if len(stat["Metric"].get("Dimensions", [])) > _MOST_DIMENSIONS:
        yield f"The collection {path}.MetricStat.Metric.Dimensions must not have a size greater than {_MOST_DIMENSIONS}."


def _query(metrics: Metrics, query: Json, begin: int) -> Query:
    stat = query["MetricStat"]
    metric, period = stat["Metric"], stat["Period"]
    if begin % period:
        raise NotImplementedError(f"a StartTime that is no multiple of {period} seconds: AWS does not say what comes then")
    dimensions = tuple(sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions", [])))
    key = ((metric["Namespace"], metric["MetricName"]), dimensions)
    there = [each for each in metrics.series(key, metrics.asked) if stat.get("Unit", each.unit) == each.unit]
    trouble = metrics.trouble(key)
    if trouble:
        trouble.left -= 1
    label = query.get("Label", metric["MetricName"])
    return Query(query["Id"], label, key, there, period, stat["Stat"], trouble.status if trouble else None)


def _note(metrics: Metrics, queries: list[Query], *, is_first: bool) -> None:
    served = metrics.served
    metrics.asked += 1
    served.requests += 1
    served.queries += len(queries)
    if not is_first:
        served.followed += len(queries)
        return
    statistics: dict[Any, set[str]] = defaultdict(set)
    for each in queries:
        statistics[each.key].add(each.stat)
    served.billed += sum(math.ceil(len(each) / _STATISTICS_OF_ONE_PRICE) for each in statistics.values())


def _invalid(message: str) -> Refusal:
    return Refusal(400, "ValidationError", message)
