"""``nightshift catalog show``, and how old the prices are that a day is judged by."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date
from pathlib import Path

import polars as pl

from dagster_project.catalog.prices import PriceList
from dagster_project.domain.catalog_changes import EC2, RDS
from dagster_project.pipeline.runtime import Runtime


@dataclass(frozen=True)
class PriceAge:
    """The prices of a region. ``prices`` can be trusted, ``set_aside`` cannot; ``oldest`` and ``newest`` are the days that the
    former are of, ``age_days`` is counted from the oldest to today (UTC) and never below zero."""

    region: str
    service: str
    prices: int
    set_aside: int
    oldest: date | None
    newest: date | None
    age_days: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A catalog. ``made_on`` is None of the shipped one; ``findings`` are the prices that are set aside, a sentence each."""

    day: date
    made_on: date | None
    folder: Path
    instance_types: int
    rds_classes: int
    regions: tuple[PriceAge, ...]
    findings: tuple[str, ...]

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, default=str, ensure_ascii=False)


def shown(runtime: Runtime, day: date) -> Shown:
    """The catalog that a day is judged by. Raises ``InputError`` where it cannot be read."""
    catalog = runtime.catalog(day)
    lists = (catalog.ec2_prices(), catalog.database_prices())
    return Shown(
        day=day,
        made_on=catalog.day,
        folder=catalog.folder,
        instance_types=pl.read_parquet(catalog.instance_types).height,
        rds_classes=pl.read_parquet(catalog.rds_classes).height,
        regions=tuple(price_ages(runtime, day)),
        findings=tuple(each.sentence for prices in lists for each in prices.findings),
    )


def price_ages(runtime: Runtime, day: date) -> list[PriceAge]:
    """How old the prices are that a day is judged by, of EC2 and RDS in each region that has any, by region and service."""
    catalog, today = runtime.catalog(day), runtime.now.astimezone(UTC).date()
    found = [*_ages(EC2, catalog.ec2_prices(), today), *_ages(RDS, catalog.database_prices(), today)]
    return sorted(found, key=lambda each: (each.region, each.service))


def _ages(service: str, prices: PriceList, today: date) -> list[PriceAge]:
    is_known = pl.col("usd_per_hour").is_not_null()
    table = prices.prices.group_by("region").agg(
        is_known.sum().alias("prices"),
        (~is_known).sum().alias("set_aside"),
        pl.col("price_as_of").filter(is_known).min().alias("oldest"),
        pl.col("price_as_of").filter(is_known).max().alias("newest"),
        pl.col("price_source").filter(is_known).unique().sort().alias("sources"),
    )
    ages = []
    for row in table.to_dicts():
        oldest, newest = (None if row[name] is None else date.fromisoformat(row[name]) for name in ("oldest", "newest"))
        age_days = None if oldest is None else max(0, (today - oldest).days)
        sources = tuple(row["sources"])
        ages.append(PriceAge(row["region"], service, row["prices"], row["set_aside"], oldest, newest, age_days, sources))
    return ages
