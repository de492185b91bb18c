"""Builds the shipped snapshot from collected price and specification tables: ``python -m dagster_project.catalog.snapshot DIR``.

EC2 (sources Apache-2.0 each): specifications from moto's copy of DescribeInstanceTypes; prices from Karpenter's generated price
lists and, for the regions that it lacks, Apache Libcloud's, whose zero and dedicated-tenancy prices were replaced by the
family's per-size price (``price_quality = imputed_linear``). Burst baselines: the EC2 User Guide, table "CPU credits".

RDS (source MIT): prices from ec2instances.info of 2021-08-03, Single-AZ; of limits see ``classes``. Left out: Oracle and
SQL Server, of which the source has one price per class and region without saying the edition (of 2,583 comparable ones, 1,029 are
not linear in size).
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, RDS_CLASSES, RDS_PRICES
from dagster_project.catalog.classes import database_classes
from dagster_project.catalog.engines import engine_of
from dagster_project.errors import InputError

_TYPE_COLUMNS = (
    "instance_type", "family", "size", "size_units", "vcpu", "memory_gib", "arch", "cpu_manufacturer",
    "network_baseline_gbps", "network_peak_gbps", "max_enis", "ebs_baseline_mbps", "ebs_max_mbps", "ebs_baseline_iops",
    "ebs_max_iops", "ebs_max_attachments", "nvme_support", "ena_support", "instance_storage_gb", "burstable",
    "current_generation", "bare_metal", "hypervisor", "gpus", "virtualization",
)  # fmt: skip

# Percent of all vCPUs that a burstable size may use for ever.
_T3_BASELINE_PCT = {"nano": 5, "micro": 10, "small": 20, "medium": 20, "large": 30, "xlarge": 40, "2xlarge": 40}
_BURST_BASELINE_PCT = {
    **{f"{family}.{size}": float(pct) for family in ("t3", "t3a", "t4g") for size, pct in _T3_BASELINE_PCT.items()},
    "t2.nano": 5.0, "t2.micro": 10.0, "t2.small": 20.0, "t2.medium": 20.0, "t2.large": 30.0, "t2.xlarge": 22.5,
    "t2.2xlarge": 17.0,
}  # fmt: skip


def build(folder: Path) -> dict[str, int]:
    """Writes the snapshot from ``aws_{ec2_instance_types,ec2_prices,rds_prices_2021}.parquet`` in ``folder``.

    Returns the rows of each file. Raises ``InputError`` where a price is missing or not positive.
    """
    types = _instance_types(folder)
    listed = pl.read_parquet(folder / "aws_rds_prices_2021.parquet")
    tables = {
        INSTANCE_TYPES: types,
        INSTANCE_PRICES: _instance_prices(folder),
        RDS_CLASSES: database_classes(listed.unique("instance_class"), types),
        RDS_PRICES: _database_prices(listed),
    }
    for path, table in tables.items():
        table.write_parquet(path, compression="zstd", compression_level=19)
    return {path.name: table.height for path, table in tables.items()}


def _instance_types(folder: Path) -> pl.DataFrame:
    baselines = pl.DataFrame(
        {"instance_type": list(_BURST_BASELINE_PCT), "burst_baseline_pct": list(_BURST_BASELINE_PCT.values())}
    )
    return (
        pl.read_parquet(folder / "aws_ec2_instance_types.parquet")
        .select(_TYPE_COLUMNS)
        .join(baselines, on="instance_type", how="left")
        .sort("instance_type")
    )


def _instance_prices(folder: Path) -> pl.DataFrame:
    prices = (
        pl.read_parquet(folder / "aws_ec2_prices.parquet")
        .select(
            "instance_type",
            "region",
            pl.col("on_demand_linux_usd_per_hour").alias("usd_per_hour"),
            "price_quality",
            "price_source",
            "price_as_of",
        )
        .sort("instance_type", "region")
    )
    return _positive(prices, "aws_ec2_prices.parquet")


def _database_prices(listed: pl.DataFrame) -> pl.DataFrame:
    engines = {text: engine_of(text) for text in listed["engine"].unique()}
    prices = (
        listed.select(
            "instance_class",
            "region",
            pl.col("engine").replace_strict(engines, return_dtype=pl.String),
            pl.col("on_demand_usd_per_hour_single_az").alias("usd_per_hour"),
            pl.lit("listed").alias("price_quality"),
            "price_source",
            "price_as_of",
        )
        .filter(pl.col("engine").is_not_null())
        .sort("instance_class", "region", "engine")
    )
    return _positive(prices, "aws_rds_prices_2021.parquet")


def _positive(prices: pl.DataFrame, source: str) -> pl.DataFrame:
    wrong = prices.filter(pl.col("usd_per_hour").is_null() | ~(pl.col("usd_per_hour") > 0))
    if wrong.height:
        kind, region = wrong.row(0)[:2]
        raise InputError(f"The price of {kind} in {region} is missing or not positive; correct {source}.")
    return prices


if __name__ == "__main__":
    built = build(Path(sys.argv[1]))
    sys.stdout.write("".join(f"{name}: {rows} rows\n" for name, rows in built.items()))
