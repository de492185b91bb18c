"""The sizes of one region, from the shipped snapshot, as the rules want them."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from dagster_project.catalog import INSTANCE_TYPES, RDS_CLASSES
from dagster_project.catalog.prices import load_prices, load_rds_prices
from dagster_project.domain.rightsizing.shapes import Shapes

# Families with accelerators: their sizes differ in what is not measured. (By name: the specifications leave some blank.)
_ACCELERATED = r"^(inf|trn|vt|dl|f[0-9]|gr?[0-9]|p[0-9])"


@cache
def ec2_shapes(region: str | None) -> Shapes:
    """Every instance type that is known, with the on-demand Linux prices of ``region`` (unknown where it is not sold there)."""
    types = pl.read_parquet(INSTANCE_TYPES)
    prices = load_prices().prices.filter(pl.col("region") == region if region is not None else pl.lit(False))
    return _shapes(types, prices, "instance_type")


@cache
def rds_shapes(region: str | None, engine: str | None) -> Shapes:
    """Every database class that is known, with the Single-AZ prices of ``region`` and ``engine``."""
    classes = pl.read_parquet(RDS_CLASSES)
    prices = load_rds_prices().prices.filter((pl.col("region") == (region or "")) & (pl.col("engine") == (engine or "")))
    return _shapes(classes, prices, "instance_class")


def _shapes(types: pl.DataFrame, prices: pl.DataFrame, key: str) -> Shapes:
    wanted = [name for name in ("usd_per_hour", "price_quality", "price_source", "price_as_of") if name in prices.columns]
    table = types.join(prices.select(key, *wanted), on=key, how="left").sort(key)

    def numbers(name: str, missing: float = float("nan")) -> np.ndarray:
        if name not in table.columns:
            return np.full(table.height, missing)
        return table[name].cast(pl.Float64).fill_null(missing).to_numpy().copy()

    def texts(name: str) -> list[str | None]:
        return table[name].to_list() if name in table.columns else [None] * table.height

    def flags(name: str) -> np.ndarray:
        return table[name].fill_null(False).to_numpy().copy() if name in table.columns else np.zeros(table.height, dtype=bool)

    drivers = [
        f"{hypervisor or 'none'}/{ena or 'none'}/{nvme or 'none'}"
        for hypervisor, ena, nvme in zip(texts("hypervisor"), texts("ena_support"), texts("nvme_support"), strict=True)
    ]
    accelerated = table["family"].str.contains(_ACCELERATED).to_numpy()
    if "gpus" in table.columns:
        accelerated = accelerated | (table["gpus"].fill_null(0) > 0).to_numpy()
    return Shapes(
        names=table[key].to_list(),
        families=table["family"].to_list(),
        architectures=[_architecture(arch) for arch in texts("arch")],
        drivers=drivers,
        capacity=np.stack(
            [
                numbers("vcpu"),
                numbers("memory_gib"),
                numbers("network_baseline_gbps"),
                numbers("ebs_baseline_mbps"),
                numbers("ebs_baseline_iops"),
            ],
            axis=1,
        ),
        usd_per_hour=numbers("usd_per_hour"),
        # A database has neither to count.
        interfaces=numbers("max_enis", float("inf")),
        volumes=numbers("ebs_max_attachments", float("inf")),
        local_disk_gb=numbers("instance_storage_gb", 0.0),
        burst_baseline_pct=numbers("burst_baseline_pct"),
        is_current_generation=flags("current_generation"),
        is_bare_metal=flags("bare_metal"),
        is_accelerated=accelerated,
        price_quality=texts("price_quality"),
        price_source=texts("price_source"),
        price_as_of=texts("price_as_of"),
    )


def _architecture(arch: str | None) -> str:
    return "x86_64" if arch is not None and "x86_64" in arch.split(",") else arch or "unknown"
