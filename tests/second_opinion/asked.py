"""Nights that ask AWS's advisers, over real HTTP: two accounts, of which one is read with a role, and two regions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lake.opinion_tables import SECOND_OPINIONS
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion import ask_advisers
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from tests.aws.fixtures import Waits
from tests.aws.opinions import HubItems, Opinions
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.night_builders import put

DAY = date(2025, 3, 9)
NOW = datetime(2025, 3, 10, 2, tzinfo=UTC)
OTHER = "222222222222"
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"
Row = dict[str, Any]


def instance(name: str, region: str = IRELAND, account: str = ACCOUNT) -> str:
    """The ARN of an instance."""
    return f"arn:aws:ec2:{region}:{account}:instance/{name}"


def group(name: str, region: str = IRELAND, account: str = ACCOUNT) -> str:
    return f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:2e9e1f53-80f6-4a59-ae3a:autoScalingGroupName/{name}"


def database(name: str, region: str = IRELAND, account: str = ACCOUNT) -> str:
    return f"arn:aws:rds:{region}:{account}:db:{name}"


def own(*regions: str) -> AwsAccount:
    """The account of the key."""
    return AwsAccount(id=ACCOUNT, regions=regions or (IRELAND,))


def other(aws: AwsServer, *regions: str) -> AwsAccount:
    """Another one, read with a role of its own."""
    return AwsAccount(id=OTHER, role_arn=aws.account(OTHER).role_arn, regions=regions or (IRELAND,))


def night(home: Path, aws: AwsServer, *accounts: AwsAccount, now: datetime = NOW, **settings: Any) -> Runtime:
    """A run on a clock on which waiting takes no time."""
    section = AwsSettings(accounts=accounts or (own(),), endpoint_url=aws.url, attempts=3, **settings)
    return Runtime(Settings(home=home, reports=home / "reports", aws=section), now=now, at=Waits())


def lists(runtime: Runtime, *resources: Row, day: date = DAY) -> None:
    """The inventory of a day."""
    usual = {"resource_type": "ec2_instance", "account_id": ACCOUNT, "region": IRELAND, "units": 1}
    put(runtime, "resource_inventory", day, [{**usual, **each} for each in resources])


def asked(runtime: Runtime, day: date = DAY) -> dict[str, Load]:
    """The lines of the ledger of a night that asks."""
    return {load.source: load for load in ask_advisers(runtime, day)}


def heard(runtime: Runtime, day: date = DAY) -> list[Row]:
    """What is in the lake of a day, in order."""
    files = runtime.lake.files(SECOND_OPINIONS, [day])
    return pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]).sort("resource_id", "source").to_dicts()


def optimizer(aws: AwsServer, region: str = IRELAND, account: str = ACCOUNT) -> Opinions:
    """What Compute Optimizer says there."""
    return aws.in_account(account, region).of(Opinions)


def hub(aws: AwsServer, account: str = ACCOUNT) -> HubItems:
    """What the hub says of an account."""
    return aws.in_account(account, VIRGINIA).of(HubItems)


def columns(rows: Sequence[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]
