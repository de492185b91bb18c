"""A whole catalog out of an earlier one and what is sold now in some regions.

Regions that were not asked keep what the earlier catalog says. A type or class that is sold nowhere any more keeps its row, as
history speaks of it; without a price it is no target. Burst baselines are those of the earlier catalog: AWS does not tell them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, OFFERINGS, RDS_CLASSES, RDS_PRICES
from dagster_project.catalog.classes import database_classes
from dagster_project.catalog.engines import engine_of
from dagster_project.catalog.shapes import Catalog
from dagster_project.domain.sold import Listed, Sold

SOURCE = "AWS Price List"
_OFFERINGS = {"instance_type": pl.String, "region": pl.String}
_LIMITS = (
    "network_baseline_gbps", "network_peak_gbps", "ebs_baseline_mbps", "ebs_max_mbps", "ebs_baseline_iops", "ebs_max_iops",
)  # fmt: skip
"""What AWS does not say of some old types: what was known of them stays known."""
_CLASS_SIZE = ("vcpu", "memory_gib", "current_generation")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Tables:
    """The files of a catalog by name, and ``notes``: what AWS told and is not taken over, a sentence each."""

    files: dict[str, pl.DataFrame]
    notes: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Writes the files into a folder. The same tables give the same bytes."""
        for name, table in self.files.items():
            table.write_parquet(folder / name, compression="zstd", compression_level=19)


def merged(earlier: Catalog, sold: Sequence[Sold], day: date) -> Tables:
    """The catalog of a day. ``sold`` has each region once; what two of them say differently of a type, the first by name says."""
    regions = sorted(sold, key=lambda each: each.region)
    notes: list[str] = []
    types = _types(pl.read_parquet(earlier.instance_types), regions, notes)
    classes = _classes(pl.read_parquet(earlier.rds_classes), types, regions, notes)
    files = {
        INSTANCE_TYPES.name: types,
        INSTANCE_PRICES.name: _prices(pl.read_parquet(earlier.instance_prices), _instance_rows(regions, types, day, notes)),
        OFFERINGS: _offerings(earlier, regions),
        RDS_CLASSES.name: classes,
        RDS_PRICES.name: _prices(pl.read_parquet(earlier.rds_prices), _database_rows(regions, classes, day, notes)),
    }
    left_out = (f"{region.region}: {count:,} × {why}." for region in regions for why, count in sorted(region.left_out.items()))
    return Tables(files, (*(note for region in regions for note in region.notes), *notes, *left_out))


def _types(before: pl.DataFrame, regions: Sequence[Sold], notes: list[str]) -> pl.DataFrame:
    first: dict[str, Any] = {}
    for region in regions:
        for each in region.types:
            if first.setdefault(each.instance_type, each) != each:
                notes.append(f"{each.instance_type} is described otherwise in {region.region} than in another region.")
    columns = [name for name in before.columns if name != "burst_baseline_pct"]
    told = pl.DataFrame([asdict(each) for each in first.values()], schema={name: before.schema[name] for name in columns})
    known = before.select("instance_type", "burst_baseline_pct", *(pl.col(name).alias(f"known_{name}") for name in _LIMITS))
    now = (
        told.join(known, on="instance_type", how="left")
        .with_columns(pl.coalesce(name, f"known_{name}").alias(name) for name in _LIMITS)
        .select(before.columns)
    )
    return pl.concat([now, before.join(now, on="instance_type", how="anti")]).sort("instance_type")


def _classes(before: pl.DataFrame, types: pl.DataFrame, regions: Sequence[Sold], notes: list[str]) -> pl.DataFrame:
    """Of a class whose size is told differently, or not at all, what was known of it stays known."""
    told: dict[str, set[tuple[Any, ...]]] = {}
    for region in regions:
        for each in region.databases:
            if each.engine is not None and engine_of(each.engine) is not None:
                told.setdefault(each.name, set()).add((each.vcpu, each.memory_gib, each.is_current))
    sizes = {row[0]: row[1:] for row in before.select("instance_class", *_CLASS_SIZE).iter_rows()}
    for name in sorted(told):
        one = next(iter(told[name])) if len(told[name]) == 1 else (None,)
        if None not in one:
            sizes[name] = one
        elif name not in sizes:
            notes.append(f"The price list does not say what size {name} is, or says several; it is left out.")
    rows = [(name, *sizes[name]) for name in sorted(sizes)]
    schema = {name: before.schema[name] for name in ("instance_class", *_CLASS_SIZE)}
    return database_classes(pl.DataFrame(rows, schema=schema, orient="row"), types).select(before.columns)


def _offerings(earlier: Catalog, regions: Sequence[Sold]) -> pl.DataFrame:
    kept = pl.read_parquet(earlier.offerings) if earlier.offerings.is_file() else pl.DataFrame(schema=_OFFERINGS)
    told = [(name, region.region) for region in regions for name in region.offered]
    now = pl.DataFrame(told, schema=_OFFERINGS, orient="row")
    others = kept.filter(~pl.col("region").is_in([each.region for each in regions]))
    return pl.concat([others, now]).sort("instance_type", "region")


@dataclass(frozen=True)
class _Rows:
    """New prices: ``keys`` are the columns that tell them apart, ``regions`` those whose earlier prices they replace."""

    keys: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    regions: list[str]


def _prices(before: pl.DataFrame, now: _Rows) -> pl.DataFrame:
    told = pl.DataFrame(now.rows, schema={name: before.schema[name] for name in before.columns}, orient="row")
    return pl.concat([before.filter(~pl.col("region").is_in(now.regions)), told]).sort(now.keys)


def _instance_rows(regions: Sequence[Sold], types: pl.DataFrame, day: date, notes: list[str]) -> _Rows:
    usable = _usable(types, "instance_type")
    rows = []
    for region in regions:
        reasons: Counter[str] = Counter()
        for each in region.instances:
            why = "are listed and not on offer" if each.name not in region.offered else usable.get(each.name, _UNKNOWN)
            if why:
                reasons[why] += 1
            else:
                rows.append((each.name, region.region, *_price(each.usd_per_hour, day)))
        notes += _counted(region.region, "instance types", reasons)
        priced = {each.name for each in region.instances}
        unpriced = sum(name not in priced for name in region.offered)
        notes += _counted(region.region, "instance types", Counter({"are on offer and not listed": unpriced}))
    return _Rows(("instance_type", "region"), rows, [each.region for each in regions])


def _database_rows(regions: Sequence[Sold], classes: pl.DataFrame, day: date, notes: list[str]) -> _Rows:
    usable = _usable(classes, "instance_class")
    rows = []
    for region in regions:
        reasons: Counter[str] = Counter()
        found: dict[Key, set[float]] = {}
        for each, engine in _of_known_engines(region.databases, reasons):
            why = usable.get(each.name, _UNKNOWN)
            if why:
                reasons[why] += 1
            else:
                found.setdefault((each.name, region.region, engine), set()).update(each.usd_per_hour)
        rows += [(*key, *_price(sorted(prices), day)) for key, prices in sorted(found.items())]
        notes += _counted(region.region, "prices of database classes", reasons)
    return _Rows(("instance_class", "region", "engine"), rows, [each.region for each in regions])


def _of_known_engines(listed: Iterable[Listed], reasons: Counter[str]) -> Iterator[tuple[Listed, str]]:
    for each in listed:
        engine = engine_of(each.engine)
        if engine is None:
            reasons[f"are of the engine {each.engine}, of which editions are not told apart"] += 1
        else:
            yield each, engine


_UNKNOWN = "are of a size that is not described"
_ENDLESS = "are of a burstable size whose baseline is not known"
"""Without its baseline it would look as if it could be used in full for ever."""


def _usable(sizes: pl.DataFrame, key: str) -> dict[str, str]:
    """Why the price of a size is not taken over: an empty text where it is."""
    is_endless = pl.col("burstable").fill_null(False) & pl.col("burst_baseline_pct").is_null()
    return {name: _ENDLESS if endless else "" for name, endless in sizes.select(key, is_endless).iter_rows()}


def _price(prices: Sequence[float], day: date) -> tuple[float | None, str, str, str]:
    """``usd_per_hour, price_quality, price_source, price_as_of``."""
    price, quality = (prices[0], "listed") if len(prices) == 1 else (None, "doubtful")
    return price, quality, SOURCE, day.isoformat()


def _counted(region: str, what: str, reasons: Counter[str]) -> list[str]:
    return [f"{region}: {count:,} {what} {why}." for why, count in sorted(reasons.items()) if count]
