"""CloudWatch's metrics: what a test publishes, and how they misbehave."""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tests.aws.pages import make_token, read_token
from tests.aws.routing import Call, handles
from tests.aws.series import ENDLESS, Series, Values
from tests.aws.wire import Json

Name = tuple[str, str]
"""A namespace and the name of a metric."""
Dimensions = tuple[tuple[str, str], ...]
Key = tuple[Name, Dimensions]
_MOST_LISTED = 500
_LISTED_FOR = timedelta(days=14)
_RECENTLY = timedelta(hours=3)
_INVALID_TOKEN = (400, "InvalidParameterValue", "The next token is not valid.")


@dataclass
class Served:
    """What was answered: ``queries`` and ``points`` of all requests. ``followed`` are the queries among them that asked for a
    further page; ``billed`` are the metrics that AWS charges for: up to five statistics of one in a request count once."""

    requests: int = 0
    followed: int = 0
    queries: int = 0
    points: int = 0
    billed: int = 0


@dataclass
class Trouble:
    """What is wrong with metrics: ``status`` is what CloudWatch says of them, ``left`` how often. What is None is any."""

    status: str
    left: float
    namespace: str | None
    name: str | None
    value: str | None

    def is_of(self, key: Key) -> bool:
        (namespace, name), dimensions = key
        is_named = self.namespace in (None, namespace) and self.name in (None, name)
        return is_named and (self.value is None or any(self.value == value for _, value in dimensions))


class Metrics:
    """The metrics of a region of an account."""

    def __init__(self) -> None:
        self.served = Served()
        self.troubles: list[Trouble] = []
        self.asked = 0
        """Requests for points and for lists that came."""
        self._series: dict[Key, list[Series]] = {}
        self._listed: dict[tuple[str | None, str | None], list[Key]] = {}

    def publish(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        start: datetime,
        values: Values,
        *,
        period: int = 300,
        minimum: Values | None = None,
        maximum: Values | None = None,
        samples: float = 1,
        unit: str = "None",
        until: datetime | None = None,
        visible_after: int = 0,
    ) -> None:
        """Points of a metric every ``period`` seconds from ``start``. ``values`` are averages, with NaN where there is no point:
        an array, or a function of moments in seconds since 1970, for points before ``until`` or without end. What is published
        more for the same metric comes on top. It is seen once ``visible_after`` requests have come for points and lists."""
        begin = int(start.timestamp())
        if callable(values):
            count = ENDLESS if until is None else math.ceil((until.timestamp() - begin) / period)
        else:
            values = np.asarray(values, dtype=np.float64)
            count = len(values)
        key = ((namespace, name), tuple(sorted(dimensions.items())))
        made = Series(begin, period, count, values, minimum, maximum, samples, unit, visible_after)
        if key not in self._series:
            self._listed.clear()
        self._series.setdefault(key, []).append(made)

    def partial(self, *, namespace: str | None = None, name: str | None = None, value: str | None = None) -> None:
        """Points of such metrics, ``value`` being that of a dimension, come in two halves: the second one by the next token."""
        self.troubles.append(Trouble("PartialData", math.inf, namespace, name, value))

    def fail(
        self,
        status: str = "InternalError",
        times: int = 1,
        *,
        namespace: str | None = None,
        name: str | None = None,
        value: str | None = None,
    ) -> None:
        """The next ``times`` queries for such metrics are answered without points: ``InternalError`` or ``Forbidden``."""
        self.troubles.append(Trouble(status, times, namespace, name, value))

    def trouble(self, key: Key) -> Trouble | None:
        """What is wrong with a metric."""
        return next((each for each in self.troubles if each.left and each.is_of(key)), None)

    def series(self, key: Key, asked: int) -> list[Series]:
        """What there is of a metric when so many requests have come."""
        return [each for each in self._series.get(key, []) if each.visible_after <= asked]

    def keys(self, namespace: str | None, name: str | None) -> list[Key]:
        """The metrics that there are, in order."""
        if (namespace, name) not in self._listed:
            found = [key for key in self._series if namespace in (None, key[0][0]) and name in (None, key[0][1])]
            self._listed[namespace, name] = sorted(found)
        return self._listed[namespace, name]


@handles("cloudwatch", "ListMetrics")
def list_metrics(call: Call) -> Json:
    """In the order of their names; without those that have had no points for two weeks."""
    call.takes("Namespace", "MetricName", "Dimensions", "RecentlyActive", "NextToken")
    asked, metrics, now = call.parameters, call.place.of(Metrics), call.hub.dials.now
    since = (now - (_RECENTLY if asked.get("RecentlyActive") else _LISTED_FOR)).timestamp()
    keys = metrics.keys(asked.get("Namespace"), asked.get("MetricName"))
    first = 0
    if token := asked.get("NextToken"):
        first = bisect.bisect_right(keys, _key(read_token(call, token, _INVALID_TOKEN, "NextToken")))
    found: list[Key] = []
    for key in keys[first:]:
        there = metrics.series(key, metrics.asked)
        if any(each.last >= since for each in there) and _has(dict(key[1]), asked.get("Dimensions", [])):
            found.append(key)
        if len(found) > _MOST_LISTED:
            break
    metrics.asked += 1
    rest = {"NextToken": make_token(call, _text(found[_MOST_LISTED - 1]), "NextToken")} if len(found) > _MOST_LISTED else {}
    return {"Metrics": [_told(key) for key in found[:_MOST_LISTED]], **rest}


def _has(dimensions: dict[str, str], wanted: list[Json]) -> bool:
    def fits(name: str, value: str | None) -> bool:
        return name in dimensions and value in (None, dimensions[name])

    return all(fits(each["Name"], each.get("Value")) for each in wanted)


def _told(key: Key) -> Json:
    (namespace, name), dimensions = key
    return {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions]}


def _text(key: Key) -> str:
    return json.dumps(key)


def _key(text: str) -> Key:
    (namespace, name), dimensions = json.loads(text)
    return (namespace, name), tuple((each, value) for each, value in dimensions)
