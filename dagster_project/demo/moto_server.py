"""moto's server for the demo on AWS: instances, groups, databases and metrics over real HTTP, in memory.

moto's own GetMetricData walks all points again for each period of each series, which takes minutes for a week; here it looks them
up. Times of things that are made are set back, as moto knows only the present.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_project.errors import SettingsError

PERIOD = 300
_SEED = 20250303
"""Of the ids that moto makes up."""
Json = dict[str, Any]
Dimensions = frozenset[tuple[str, str]]
Series = dict[tuple[str, str, str, str, Dimensions], Mapping[str, NDArray[np.float64]]]
"""By account, region, namespace, name and dimensions: each statistic, a value for each period."""


class MotoServer:
    """The server while it runs. ``first`` is when the metrics begin."""

    def __init__(self, url: str, first: datetime) -> None:
        self.url = url
        self._first = first
        self._series: Series = {}

    def measure(
        self, account: str, region: str, namespace: str, dimensions: Mapping[str, str], curves: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Puts in the metrics of a resource, by name and statistic."""
        from moto.cloudwatch.models import cloudwatch_backends

        listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        for name, statistics in curves.items():
            self._series[account, region, namespace, name, frozenset(dimensions.items())] = statistics
            # What moto lists is what has a point.
            point = {"MetricName": name, "Dimensions": listed, "Value": 0.0, "Timestamp": self._first}
            cloudwatch_backends[account][region].put_metric_data(namespace, [point])

    def set_back(self, account: str, region: str, to: datetime) -> None:
        """Lets everything that is there have been made at a moment."""
        from moto.autoscaling.models import autoscaling_backends
        from moto.ec2.models import ec2_backends
        from moto.rds.models import rds_backends

        naive = to.astimezone(UTC).replace(tzinfo=None)
        ec2 = ec2_backends[account][region]
        for reservation in ec2.all_reservations():
            for instance in reservation.instances:
                instance.launch_time = naive
        for template in ec2.launch_templates.values():
            for version in template.versions:
                version.create_time = naive
        for group in autoscaling_backends[account][region].autoscaling_groups.values():
            group.created_time = naive.isoformat()
        for database in rds_backends[account][region].databases.values():
            database.instance_create_time = naive

    def told(
        self, account: str, region: str, queries: list[dict[str, Any]], start: datetime, end: datetime
    ) -> list[dict[str, Any]]:
        """The answers to queries, as moto's backend gives them."""
        return [self._one(account, region, query, start, end) for query in queries]

    def _one(self, account: str, region: str, query: Json, start: datetime, end: datetime) -> Json:
        asked, statistic = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
        dimensions = frozenset((each["Name"], each["Value"]) for each in asked.get("Dimensions", ()))
        known = self._series.get((account, region, asked["Namespace"], asked["MetricName"], dimensions), {})
        values = known.get(statistic, np.empty(0))
        begin = self._first if start.tzinfo is not None else self._first.replace(tzinfo=None)
        first, last = (max(0, -(-int((at - begin).total_seconds()) // PERIOD)) for at in (start, end))
        inside = range(min(first, len(values)), min(last, len(values)))
        return {
            "id": query["Id"],
            "label": f"{asked['MetricName']} {statistic}",
            "values": [float(values[number]) for number in inside],
            "timestamps": [begin + timedelta(seconds=PERIOD * number) for number in inside],
            "status_code": "Complete",
        }


@contextmanager
def moto_server(first: datetime) -> Iterator[MotoServer]:
    """Runs moto's server on a free port of this machine. Raises ``SettingsError`` where moto is not installed."""
    # Thousands of images would be read, and none is asked for.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    try:
        from moto.cloudwatch.models import CloudWatchBackend
        from moto.moto_api._internal import mock_random
        from moto.server import ThreadedMotoServer
    except ImportError:
        raise SettingsError(
            "The demo on AWS needs moto's server; install nightshift[aws-demo], or run 'make demo-aws'."
        ) from None
    mock_random.seed(_SEED)
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # it would print every request, and what moto does not have
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    running = MotoServer(f"http://{host}:{port}", first)
    own = CloudWatchBackend.get_metric_data

    def looked_up(
        backend: Any, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, scan_by: str = ""
    ) -> list[dict[str, Any]]:
        return running.told(backend.account_id, backend.region_name, queries, start_time, end_time)

    CloudWatchBackend.get_metric_data = looked_up  # type: ignore[method-assign]
    try:
        yield running
    finally:
        CloudWatchBackend.get_metric_data = own  # type: ignore[method-assign]
        server.stop()
