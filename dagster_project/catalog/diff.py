"""The differences between two catalogs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from dagster_project.catalog.prices import PriceList, load_prices, load_rds_prices
from dagster_project.catalog.shapes import Catalog
from dagster_project.domain.catalog_changes import EC2, RDS, Changed, Diff, Market, Move

Key = tuple[str, ...]


def diff(earlier: Catalog, now: Catalog, regions: Sequence[str], day: date, notes: Sequence[str] = ()) -> Diff:
    """What changed in some regions. Raises ``InputError`` for a catalog that cannot be read."""
    markets = []
    lists = (
        (EC2, earlier.ec2_prices(), load_prices(now.instance_prices, now.instance_types)),
        (RDS, earlier.database_prices(), load_rds_prices(now.rds_prices, now.rds_classes)),
    )
    offered = (_offered(earlier), _offered(now))
    for region in sorted(regions):
        for service, old, new in lists:
            had, has = (_sizes(service, each, of.get(region), region) for each, of in zip((old, new), offered, strict=True))
            markets.append(_market(region, service, had, has, old, new))
    new_types, changed_types = _changed(earlier.instance_types, now.instance_types, "instance_type")
    new_classes, changed_classes = _changed(earlier.rds_classes, now.rds_classes, "instance_class")
    return Diff(day, earlier.day, tuple(markets), new_types, changed_types, new_classes, changed_classes, tuple(notes))


def _offered(catalog: Catalog) -> Mapping[str, frozenset[str]]:
    if not catalog.offerings.is_file():
        return {}
    found: dict[str, set[str]] = {}
    for name, region in pl.read_parquet(catalog.offerings).iter_rows():
        found.setdefault(region, set()).add(name)
    return {region: frozenset(names) for region, names in found.items()}


def _sizes(service: str, prices: PriceList, offered: frozenset[str] | None, region: str) -> frozenset[str]:
    """The sizes on offer in a region; where that is not known, those that are listed there."""
    if service == EC2 and offered is not None:
        return offered
    return frozenset(prices.prices.filter(pl.col("region") == region).to_series(0))


def _market(region: str, service: str, had: frozenset[str], has: frozenset[str], old: PriceList, new: PriceList) -> Market:
    before, now = _known(old, region), _known(new, region)
    both = sorted(before.keys() & now.keys())
    moved = tuple(
        Move(key[0], key[1] if len(key) > 1 else None, before[key], now[key]) for key in both if before[key] != now[key]
    )
    return Market(
        region=region,
        service=service,
        sizes_before=len(had),
        sizes=len(has),
        new_sizes=tuple(sorted(has - had)),
        gone_sizes=tuple(sorted(had - has)),
        prices_before=len(before),
        prices=len(now),
        new_prices=tuple(" ".join(key) for key in sorted(now.keys() - before.keys())),
        gone_prices=tuple(" ".join(key) for key in sorted(before.keys() - now.keys())),
        moved=moved,
        compared=len(both),
        findings=tuple(each.sentence for each in new.findings if each.region == region),
    )


def _known(prices: PriceList, region: str) -> dict[Key, float]:
    """The prices of a region that can be trusted, by name and, for databases, engine."""
    names = [name for name in ("instance_type", "instance_class", "engine") if name in prices.prices.columns]
    rows = prices.prices.filter(pl.col("region") == region, pl.col("usd_per_hour").is_not_null()).select(*names, "usd_per_hour")
    return {row[:-1]: row[-1] for row in rows.iter_rows()}


def _changed(before: Path, now: Path, key: str) -> tuple[tuple[str, ...], tuple[Changed, ...]]:
    """The names that are new, and what changed of the others."""
    old, new = ({row[key]: row for row in pl.read_parquet(path).iter_rows(named=True)} for path in (before, now))
    changed = [
        Changed(name, column, old[name][column], value)
        for name in sorted(old.keys() & new.keys())
        for column, value in new[name].items()
        if value != old[name][column]
    ]
    return tuple(sorted(new.keys() - old.keys())), tuple(changed)
