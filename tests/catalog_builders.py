"""What is sold in a region, and small catalogs, for tests of catalogs."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, RDS_CLASSES, RDS_PRICES
from dagster_project.catalog.merged import merged
from dagster_project.catalog.shapes import Catalog
from dagster_project.domain.sold import InstanceType, Listed, Sold, size_units
from dagster_project.pipeline.catalog_refresh import refresh
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount
from tests.aws import AwsServer
from tests.aws.instance_types import Offers
from tests.aws.pricing import PriceList, terms_of

DAY = date(2025, 3, 9)
REGION = "eu-west-1"
NOW = datetime(2025, 3, 10, 14, 30, tzinfo=UTC)
TODAY = date(2025, 3, 10)
NEW, OTHER = "mx-central-1", "ap-east-2"
"""Regions of which the shipped catalog knows nothing."""
OWN = "123456789012"
"""The account of the environment's credentials."""


def kind(name: str = "m5.large", **changes: Any) -> InstanceType:
    """An instance type, as m5.large is unless ``changes`` say otherwise."""
    family, size = name.split(".")
    usual = InstanceType(
        instance_type=name,
        family=family,
        size=size,
        size_units=size_units(size),
        vcpu=2,
        memory_gib=8.0,
        arch="x86_64",
        cpu_manufacturer="Intel",
        network_baseline_gbps=0.75,
        network_peak_gbps=10.0,
        max_enis=3,
        ebs_baseline_mbps=650,
        ebs_max_mbps=4750,
        ebs_baseline_iops=3600,
        ebs_max_iops=18750,
        ebs_max_attachments=27,
        nvme_support="required",
        ena_support="required",
        instance_storage_gb=None,
        burstable=False,
        current_generation=True,
        bare_metal=False,
        hypervisor="nitro",
        gpus=None,
        virtualization="hvm",
    )
    return replace(usual, **changes)


def database(name: str = "db.m5.large", engine: str = "PostgreSQL", *usd: float, **changes: Any) -> Listed:
    """A database class in the price list, with 2 vCPUs and 8 GiB unless ``changes`` say otherwise."""
    return replace(Listed(name, usd or (0.2,), engine, vcpu=2, memory_gib=8.0, is_current=True), **changes)


def sold(
    prices: Mapping[str, float | tuple[float, ...]],
    *databases: Listed,
    region: str = REGION,
    types: tuple[InstanceType, ...] | None = None,
    **changes: Any,
) -> Sold:
    """A region where some instance types can be had and have a price."""
    listed = tuple(Listed(name, usd if isinstance(usd, tuple) else (usd,)) for name, usd in prices.items())
    described = tuple(kind(name) for name in prices) if types is None else types
    return replace(Sold(region, described, frozenset(prices), listed, databases), **changes)


def catalog(folder: Path, earlier: Catalog, *regions: Sold, day: date = DAY) -> Catalog:
    """The catalog that regions make of an earlier one."""
    folder.mkdir(parents=True)
    merged(earlier, regions, day).write(folder)
    return Catalog(folder, day)


def nothing(folder: Path) -> Catalog:
    """A catalog of the right columns in which nothing is known."""
    folder.mkdir(parents=True)
    for path in (INSTANCE_TYPES, INSTANCE_PRICES, RDS_CLASSES, RDS_PRICES):
        pl.DataFrame(schema=pl.read_parquet_schema(path)).write_parquet(folder / path.name)
    return Catalog(folder)


@dataclass
class Seller:
    """AWS's shop window: what is on offer, and the price list."""

    offers: Offers
    list: PriceList

    def machines(self, region: str, prices: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Offers instance types, each with a price; the products by name."""
        self.offers.offer(region, *prices)
        return {name: self.list.machine(name, region, usd) for name, usd in prices.items()}

    def reprice(self, product: dict[str, Any], usd: str, **how: str) -> None:
        """Changes what a product costs on demand."""
        product["terms"] = terms_of(product["product"]["sku"], usd, **how)


def dying_refresh(settings: dict[str, Any], variables: Mapping[str, str], now: datetime) -> None:
    """A refresh whose process is dead when its catalog is about to get its name."""
    os.environ.update(variables)

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Path.rename = die  # type: ignore[assignment, method-assign]
    refresh(Runtime(Settings(**settings), now=now))


def another_account(aws: AwsServer, number: str, *regions: str) -> AwsAccount:
    """An account that is read in some regions by a role."""
    return AwsAccount(id=number, role_arn=aws.account(number).role_arn, regions=regions)


def own_account(*regions: str) -> AwsAccount:
    """The account of the environment, read in some regions."""
    return AwsAccount(id=OWN, regions=regions)


def usd(runtime: Runtime, name: str, region: str = NEW, day: date = TODAY) -> float:
    """What an instance type costs by the catalog of a day; NaN where that is not known."""
    shapes = runtime.catalog(day).ec2_shapes(region)
    return float(shapes.usd_per_hour[shapes.number_of(name)])
