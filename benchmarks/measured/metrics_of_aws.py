"""A day of metrics of many machines out of CloudWatch: as Nightshift reads it, and as a user would with boto3."""

from __future__ import annotations

import asyncio
import os
import resource
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import polars as pl

from dagster_project.pipeline.ingest_aws_resources import ingest_aws_resources
from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples
from dagster_project.pipeline.ingest_records import ingest_inventory
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings

_DAY = date(2025, 3, 9)
_ACCOUNT = "123456789012"
_REGION = "eu-west-1"
_VOLUMES = ("NetworkIn", "NetworkOut", "EBSReadBytes", "EBSWriteBytes", "EBSReadOps", "EBSWriteOps")
_MOST = 500
Json = dict[str, Any]


def database(dsn: str) -> None:
    """The decision audit and nothing else."""

    async def make() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(
                "create table decision_audit (decision_id text, decision_time timestamptz not null, target text not null)"
            )
        finally:
            await connection.close()

    asyncio.run(make())


def inventory(home: str, dsn: str, url: str, key: str, secret: str, regions: list[str]) -> int:
    """Reads what there is; the machines."""
    runtime = _runtime(home, dsn, url, key, secret, regions)
    ingest_aws_resources(runtime, [_DAY])
    return sum(load.rows_written for _, load in ingest_inventory(runtime, [_DAY]))


def nightshift(home: str, dsn: str, url: str, key: str, secret: str, regions: list[str]) -> Json:
    """Reads the day; points, requests and processor time."""
    runtime = _runtime(home, dsn, url, key, secret, regions)
    loads = [load for _, load in ingest_aws_samples(runtime, [_DAY])]
    assert {load.status for load in loads} == {"complete"}, loads
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "points": sum(load.rows_read for load in loads),
        "calls": sum(load.calls or 0 for load in loads),
        "own": usage.ru_utime + usage.ru_stime,
    }


def paginated(url: str, key: str, secret: str, count: int) -> Json:
    """The same points with boto3's own pages of 500 series, one after the other, into a frame and a file."""
    import boto3

    _signed_in(key, secret)
    client = boto3.client("cloudwatch", region_name=_REGION, endpoint_url=url)
    frames = []
    calls = 0
    for asked in _chunks(list(_queries(count)), _MOST):
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=_begin(), EndTime=_begin() + timedelta(days=1), ScanBy="TimestampAscending"
        )
        for page in pages:
            calls += 1
            frames += [
                pl.DataFrame({"id": each["Id"], "at": each["Timestamps"], "value": each["Values"]})
                for each in page["MetricDataResults"]
            ]
    whole = pl.concat(frames)
    whole.write_parquet(os.devnull)
    return {"points": whole.height, "calls": calls}


def downloaded(url: str, key: str, secret: str, count: int, at_once: int) -> int:
    """The same answers, asked for in the same way and thrown away unread: what the server can give. Returns the bytes."""
    from concurrent.futures import ThreadPoolExecutor

    import boto3

    _signed_in(key, secret)
    client = boto3.client("cloudwatch", region_name=_REGION, endpoint_url=url)
    prepared: list[Any] = []

    def keep(request: Any, **_: Any) -> None:
        prepared.append(request)
        raise _NotSent

    client.meta.events.register("before-send.cloudwatch.GetMetricData", keep)
    for asked in _chunks(list(_queries(count)), 350):
        with suppress(_NotSent):
            client.get_metric_data(
                MetricDataQueries=asked,
                StartTime=_begin(),
                EndTime=_begin() + timedelta(days=1),
                ScanBy="TimestampAscending",
                MaxDatapoints=100_800,
            )

    def send(request: Any) -> int:
        headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
        # The server of this benchmark, on this machine.
        with urllib.request.urlopen(urllib.request.Request(request.url, request.body, headers)) as answer:  # noqa: S310
            return len(answer.read())

    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(send, prepared))


class _NotSent(Exception):
    """A request was made, signed and kept."""


def _queries(count: int) -> Iterator[Json]:
    number = 0
    for machine in range(count):
        name = f"i-{0xF1EE0000000000000 + machine:017x}"
        series = [("AWS/EC2", "CPUUtilization", "Average"), ("AWS/EC2", "CPUUtilization", "Maximum")]
        series += [("AWS/EC2", volume, "Sum") for volume in _VOLUMES]
        series += [("CWAgent", "mem_used_percent", "Average"), ("CWAgent", "mem_used_percent", "Maximum")]
        for namespace, metric, statistic in series:
            dimensions = [{"Name": "InstanceId", "Value": name}]
            asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
            yield {"Id": f"q{number}", "MetricStat": {"Metric": asked, "Period": 300, "Stat": statistic}}
            number += 1


def _chunks(queries: list[Json], size: int) -> Iterator[list[Json]]:
    for first in range(0, len(queries), size):
        yield queries[first : first + size]


def _begin() -> datetime:
    return datetime(2025, 3, 9, tzinfo=UTC)


def _signed_in(key: str, secret: str) -> None:
    os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, AWS_EC2_METADATA_DISABLED="true")


def _runtime(home: str, dsn: str, url: str, key: str, secret: str, regions: list[str]) -> Runtime:
    _signed_in(key, secret)
    settings = Settings.model_validate({"home": home, "dsn": dsn})
    aws = AwsSettings(accounts=(AwsAccount(id=_ACCOUNT, regions=tuple(regions)),), endpoint_url=url, history_days=1)
    return Runtime(settings.model_copy(update={"aws": aws}), now=_begin() + timedelta(days=1, hours=2))
