"""The shipped snapshot of instance types and on-demand prices, with where each number comes from."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent

INSTANCE_TYPES = _FOLDER / "ec2_instance_types.parquet"
"""One row per instance type: size, architecture, network and EBS limits, burst baseline."""

INSTANCE_PRICES = _FOLDER / "ec2_prices.parquet"
"""One row per type and region: on-demand Linux USD per hour, quality, source and date."""

HOURS_PER_MONTH = 730
"""What a month is wherever money is given per month (8,760 h / 12)."""
