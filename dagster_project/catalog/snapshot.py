"""Builds the shipped snapshot from collected price and specification tables: ``python -m dagster_project.catalog.snapshot DIR``.

Sources (Apache-2.0 each): specifications from moto's copy of DescribeInstanceTypes; prices from Karpenter's generated price
lists and, for the regions that it lacks, Apache Libcloud's, whose zero and dedicated-tenancy prices were replaced by the
family's per-size price (``price_quality = imputed_linear``). Burst baselines: the EC2 User Guide, table "CPU credits".
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES
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


def build(folder: Path) -> tuple[int, int]:
    """Writes the two snapshot files from ``aws_ec2_instance_types.parquet`` and ``aws_ec2_prices.parquet`` in ``folder``.

    Returns the number of types and prices. Raises ``InputError`` where a price is missing or not positive.
    """
    baselines = pl.DataFrame(
        {"instance_type": list(_BURST_BASELINE_PCT), "burst_baseline_pct": list(_BURST_BASELINE_PCT.values())}
    )
    types = (
        pl.read_parquet(folder / "aws_ec2_instance_types.parquet")
        .select(_TYPE_COLUMNS)
        .join(baselines, on="instance_type", how="left")
        .sort("instance_type")
    )
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
    wrong = prices.filter(pl.col("usd_per_hour").is_null() | (pl.col("usd_per_hour") <= 0))
    if wrong.height:
        kind, region = wrong.row(0)[:2]
        raise InputError(f"The price of {kind} in {region} is missing or not positive; correct aws_ec2_prices.parquet.")
    types.write_parquet(INSTANCE_TYPES, compression="zstd", compression_level=19)
    prices.write_parquet(INSTANCE_PRICES, compression="zstd", compression_level=19)
    return types.height, prices.height


if __name__ == "__main__":
    built = build(Path(sys.argv[1]))
    sys.stdout.write(f"{built[0]} instance types, {built[1]} prices\n")
