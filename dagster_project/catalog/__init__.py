"""Instance types, database classes and on-demand prices, with where each number comes from: the shipped snapshot, and the names
of the files that every catalog has."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""The shipped snapshot."""

INSTANCE_TYPES = FOLDER / "ec2_instance_types.parquet"
"""One row per instance type: size, architecture, network and EBS limits, burst baseline."""

INSTANCE_PRICES = FOLDER / "ec2_prices.parquet"
"""One row per type and region: on-demand Linux USD per hour, quality, source and date. Read it with ``prices.load_prices``."""

RDS_CLASSES = FOLDER / "rds_classes.parquet"
"""One row per database class: size, and the limits of the EC2 type that it runs on; unknown where EC2 has none."""

RDS_PRICES = FOLDER / "rds_prices.parquet"
"""One row per class, region and engine: on-demand Single-AZ USD per hour. Read it with ``prices.load_rds_prices``."""

OFFERINGS = "ec2_offerings.parquet"
"""Of refreshed catalogs: one row per instance type and region that has it. The shipped snapshot does not say."""

HOURS_PER_MONTH = 730
"""What a month is wherever money is given per month (8,760 h / 12)."""

MULTI_AZ_PRICE_FACTOR = 2
"""A Multi-AZ DB instance (one standby) is listed at twice Single-AZ, to the last digit's rounding: the standby is an instance of
the same class. Aurora has no such price: each of its replicas is an instance of its own."""
