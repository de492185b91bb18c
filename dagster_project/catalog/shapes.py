"""A catalog as the rules want it: the sizes of one region with their prices, loaded once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from dagster_project.catalog import FOLDER, INSTANCE_PRICES, INSTANCE_TYPES, OFFERINGS, RDS_CLASSES, RDS_PRICES
from dagster_project.catalog.prices import PriceList, load_prices, load_rds_prices
from dagster_project.domain.rightsizing.shapes import Shapes

# Families with accelerators: their sizes differ in what is not measured. (By name: the specifications leave some blank.)
_ACCELERATED = r"^(inf|trn|vt|dl|f[0-9]|gr?[0-9]|p[0-9])"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Instance types, database classes and their on-demand prices, as the files of one folder, which never change.

    ``day`` is the UTC day on which it was refreshed; None: it is the shipped snapshot.
    """

    folder: Path
    day: date | None = None

    @property
    def instance_types(self) -> Path:
        """As ``catalog.INSTANCE_TYPES``."""
        return self.folder / INSTANCE_TYPES.name

    @property
    def instance_prices(self) -> Path:
        """As ``catalog.INSTANCE_PRICES``."""
        return self.folder / INSTANCE_PRICES.name

    @property
    def rds_classes(self) -> Path:
        """As ``catalog.RDS_CLASSES``."""
        return self.folder / RDS_CLASSES.name

    @property
    def rds_prices(self) -> Path:
        """As ``catalog.RDS_PRICES``."""
        return self.folder / RDS_PRICES.name

    @property
    def offerings(self) -> Path:
        """As ``catalog.OFFERINGS``; the shipped snapshot has none."""
        return self.folder / OFFERINGS

    def ec2_prices(self) -> PriceList:
        """The checked prices of instance types. Raises ``InputError`` for a file that cannot be used."""
        return _ec2_prices(self.folder)

    def database_prices(self) -> PriceList:
        """The checked prices of database classes. Raises ``InputError`` for a file that cannot be used."""
        return _database_prices(self.folder)

    def ec2_shapes(self, region: str | None) -> Shapes:
        """Every instance type that is known, with the on-demand Linux prices of ``region``: unknown where it is not sold."""
        return _ec2_shapes(self.folder, region)

    def rds_shapes(self, region: str | None, engine: str | None) -> Shapes:
        """Every database class that is known, with the Single-AZ prices of ``region`` and ``engine``."""
        return _rds_shapes(self.folder, region, engine)


SHIPPED = Catalog(FOLDER)
"""The snapshot that every installation has."""


def ec2_shapes(region: str | None) -> Shapes:
    """As ``Catalog.ec2_shapes`` of the shipped snapshot."""
    return SHIPPED.ec2_shapes(region)


def rds_shapes(region: str | None, engine: str | None) -> Shapes:
    """As ``Catalog.rds_shapes`` of the shipped snapshot."""
    return SHIPPED.rds_shapes(region, engine)


# A night has one catalog; a run over many days goes from one to the next.
@lru_cache(maxsize=4)
def _ec2_prices(folder: Path) -> PriceList:
    catalog = Catalog(folder)
    return load_prices(catalog.instance_prices, catalog.instance_types)


@lru_cache(maxsize=4)
def _database_prices(folder: Path) -> PriceList:
    catalog = Catalog(folder)
    return load_rds_prices(catalog.rds_prices, catalog.rds_classes)


@lru_cache(maxsize=128)
def _ec2_shapes(folder: Path, region: str | None) -> Shapes:
    prices = _ec2_prices(folder).prices.filter(pl.col("region") == region if region is not None else pl.lit(False))
    return _shapes(pl.read_parquet(Catalog(folder).instance_types), prices, "instance_type")


@lru_cache(maxsize=256)
def _rds_shapes(folder: Path, region: str | None, engine: str | None) -> Shapes:
    here = (pl.col("region") == (region or "")) & (pl.col("engine") == (engine or ""))
    prices = _database_prices(folder).prices.filter(here)
    return _shapes(pl.read_parquet(Catalog(folder).rds_classes), prices, "instance_class")


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
