"""Database classes, each with the limits of the EC2 type that it runs on.

A class runs on the EC2 type of its name: the RDS User Guide, "DB instance classes", refers to EC2's DescribeInstanceTypes for the
processor and to EC2's EBS-optimized table for the baseline bandwidth of a class. So network, EBS and burst limits are those of
that type; where the guide's table "Hardware specifications" lists less EBS bandwidth (17 of the 93 shipped classes that both
have), the less holds.
"""

from __future__ import annotations

import polars as pl

_RUNS_ON_COLUMNS = (
    "size_units", "arch", "network_baseline_gbps", "network_peak_gbps", "ebs_baseline_mbps", "ebs_max_mbps",
    "ebs_baseline_iops", "ebs_max_iops", "instance_storage_gb", "burstable", "burst_baseline_pct",
)  # fmt: skip

# Mbps, of the classes for which the RDS User Guide lists less than EC2 does.
_RDS_EBS_MAX_MBPS = {
    "db.m1.large": 450, "db.m1.xlarge": 450, "db.m6g.12xlarge": 13_500, "db.r6g.8xlarge": 9_000, "db.r6g.12xlarge": 13_500,
    "db.t3.micro": 1_536, "db.t3.small": 1_536, "db.t3.medium": 1_536, "db.t3.large": 2_048, "db.t3.xlarge": 2_048,
    "db.t3.2xlarge": 2_048, "db.z1d.large": 2_333, "db.z1d.xlarge": 2_333, "db.z1d.2xlarge": 2_333, "db.z1d.3xlarge": 3_500,
    "db.z1d.6xlarge": 7_000, "db.z1d.12xlarge": 14_000,
}  # fmt: skip


def database_classes(listed: pl.DataFrame, types: pl.DataFrame) -> pl.DataFrame:
    """The columns of ``catalog.RDS_CLASSES``, by class. ``listed`` has one row for each (``instance_class, vcpu, memory_gib,
    current_generation``), ``types`` the columns of ``catalog.INSTANCE_TYPES``."""
    name = pl.col("instance_class").str.strip_prefix("db.")
    listed_mbps = pl.col("instance_class").replace_strict(_RDS_EBS_MAX_MBPS, default=None, return_dtype=pl.Int64)
    runs_on = types.select("instance_type", *_RUNS_ON_COLUMNS, pl.col("instance_type").alias("ec2_instance_type"))
    return (
        listed.select(
            "instance_class",
            # "db.r5.2xlarge.tpc2.mem4x" is a size of its own in the family db.r5.
            pl.concat_str(pl.lit("db."), name.str.split(".").list.first()).alias("family"),
            name.str.split(".").list.slice(1).list.join(".").alias("size"),
            "vcpu",
            "memory_gib",
            "current_generation",
            name.alias("instance_type"),
        )
        .join(runs_on, on="instance_type", how="left")
        .select(
            "instance_class", "ec2_instance_type", "family", "size", "vcpu", "memory_gib", *_RUNS_ON_COLUMNS, "current_generation"
        )
        .with_columns(pl.min_horizontal(name, listed_mbps).alias(name) for name in ("ebs_baseline_mbps", "ebs_max_mbps"))
        .sort("instance_class")
    )
