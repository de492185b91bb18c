"""Nights that read AWS: accounts of the strict AWS as settings, and what a night does with them up to the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from dagster_project.lake.aws_tables import AWS_RESOURCES, AWS_SAMPLES
from dagster_project.lake.table import Table
from dagster_project.lake.tables import RESOURCE_INVENTORY, UTILIZATION_SAMPLES
from dagster_project.pipeline.aws_opened import Opened
from dagster_project.pipeline.ingest_aws_resources import ingest_aws_resources
from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples
from dagster_project.pipeline.ingest_records import ingest_inventory
from dagster_project.pipeline.ingest_samples import ingest_samples
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount, AwsSettings
from tests.aws import AwsServer
from tests.aws.fixtures import Waits
from tests.aws.metrics import Metrics
from tests.aws.sessions import ACCOUNT

DAY = date(2025, 3, 9)
OTHER = "222222222222"
VOLUMES = ("NetworkIn", "NetworkOut", "EBSReadBytes", "EBSWriteBytes", "EBSReadOps", "EBSWriteOps")
Row = dict[str, Any]


def audit_only(execute: Any) -> None:
    """A database with the decision audit and nothing else."""
    execute("create table decision_audit (decision_id text, decision_time timestamptz not null, target text not null)")


def live(runtime: Runtime, aws: AwsServer, *accounts: AwsAccount, day: date = DAY, **settings: Any) -> Runtime:
    """A run in the night after a day over some accounts; without any, over the server's own in one region."""
    listed = accounts or (AwsAccount(id=ACCOUNT, regions=("eu-west-1",)),)
    how = AwsSettings(accounts=listed, endpoint_url=aws.url, **{"history_days": 1, "timeout_seconds": 20, **settings})
    now = datetime.combine(day + timedelta(days=1), time(2), UTC)
    aws.dials.now = now
    there = runtime.settings.model_copy(update={"aws": how})
    return replace(runtime, settings=there, now=now, at=Waits(), aws=Opened(), failures=[])


def inventory(runtime: Runtime, day: date = DAY) -> list[Load]:
    """Reads what there is, and merges it; the lines of AWS."""
    loads = [load for _, load in ingest_aws_resources(runtime, [day])]
    ingest_inventory(runtime, [day])
    return loads


def metrics(runtime: Runtime, day: date = DAY) -> list[tuple[date, Load]]:
    """Reads the metrics and merges them; the lines of AWS."""
    loads = ingest_aws_samples(runtime, [day])
    ingest_samples(runtime, [day])
    return loads


def rows(runtime: Runtime, table: Table = RESOURCE_INVENTORY, day: date = DAY, part: str | None = None) -> list[Row]:
    """The rows of a day, in order."""
    files = [runtime.lake.path(table, day, part)] if part else runtime.lake.files(table, [day])
    return pl.read_parquet(files, hive_partitioning=False).sort(table.grain).to_dicts()


def listed(runtime: Runtime, day: date = DAY) -> dict[str, Row]:
    return {row["resource_id"]: row for row in rows(runtime, RESOURCE_INVENTORY, day)}


def seen(runtime: Runtime, day: date = DAY) -> dict[str, Row]:
    return {row["native_id"]: row for row in rows(runtime, AWS_RESOURCES, day)}


def samples(runtime: Runtime, day: date = DAY, table: Table = UTILIZATION_SAMPLES) -> pl.DataFrame:
    return pl.read_parquet(runtime.lake.files(table, [day]), hive_partitioning=False).sort(table.grain)


def told(runtime: Runtime, day: date = DAY) -> pl.DataFrame:
    return samples(runtime, day, AWS_SAMPLES)


def begin(day: date = DAY) -> datetime:
    return datetime.combine(day, time(), UTC)


def busy(place: Metrics, ids: Sequence[str], days: int = 1, day: date = DAY, memory: bool = True, cpu: float = 20.0) -> None:
    """Whole days of the ten metrics of machines, up to ``day``: CPU of about ``cpu`` percent, each machine a percent more."""
    start, count = begin(day - timedelta(days=days - 1)), 288 * days
    wave = np.sin(np.arange(count) / 288 * 2 * np.pi)
    for number, name in enumerate(ids):
        level = cpu + number % 50 + 5 * wave
        key = {"InstanceId": name}
        place.publish("AWS/EC2", "CPUUtilization", key, start, level, maximum=level + 1, samples=5)
        for volume in VOLUMES:
            place.publish("AWS/EC2", volume, key, start, level * 1000, samples=5)
        if memory:
            place.publish("CWAgent", "mem_used_percent", key, start, level + 10, maximum=level + 12, samples=5)
