"""Price lists that are checked whenever they are loaded: a price that cannot be right becomes unknown, with a finding.

Three checks. A price must be a number above zero. Its source must have one price only. And sizes of a family cost the same per
size unit: what is further than ``TOLERANCE`` from the price per unit of its family, region and engine is *doubtful*. The family's
price is its lower median, because the errors of price lists (another tenancy, another currency) are nearly always too high.

Not compared, because they are not sold by size: bare metal (which has no size units), accelerators, and sizes whose memory does
not follow their size (hpc7a, hpc7g, u-6tb1, m1.small). Those keep the price that is listed.

Measured. Of the 13,483 EC2 prices that ship, 13,015 are compared and 2 are doubtful (x8i.96xlarge, 16 % above its family);
all others are within 1 %. Of the prices in raw Apache Libcloud 3.9.1 that can be compared, all 2,055 zeros and 1,646 of 1,811
other wrong ones are found; the others stay hidden, and 97 right ones are set aside, where most of a family is wrong. Of the 4,620
RDS prices, 4,560 are compared and 17 are doubtful: m5 and r5 8xlarge and 16xlarge of eu-south-1 (17 % too low) and ap-northeast-3
(seven times too high), and five small PostgreSQL classes that are listed in steps of half a cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.catalog import INSTANCE_PRICES, INSTANCE_TYPES, RDS_CLASSES, RDS_PRICES
from dagster_project.errors import InputError

TOLERANCE = 0.05
"""How far a price may be from its family's, as a share. Rounding moves EC2 prices by up to 1 %; Dedicated Instances, the
commonest error of public price lists, cost from 5.8 % more."""

_PRICE_COLUMNS = {
    "region": pl.String, "usd_per_hour": pl.Float64, "price_quality": pl.String, "price_source": pl.String,
    "price_as_of": pl.String,
}  # fmt: skip
_SIZE_COLUMNS = {"family": pl.String, "size_units": pl.Float64, "memory_gib": pl.Float64}

_REMEDY = "build it again with 'make catalog', or remove the refreshed catalog that it belongs to"
# By name, because the column "gpus" lacks fractions of one, and every accelerator that is not a GPU.
_ACCELERATED = r"^(inf|trn|vt|dl|f[0-9]|g[0-9]|gr[0-9]|p[0-9])"
# Of sizes that are sold by size, none is 2 % off; m1.small is 9 % off, the others at least a third.
_MEMORY_TOLERANCE = 0.05


@dataclass(frozen=True)
class PriceFinding:
    """A price that was set aside. ``name`` is the instance type or database class; ``engine`` is None for EC2.

    ``quality`` is ``missing`` (null, not a number, or not above zero) or ``doubtful``; then ``expected_usd_per_hour`` is what the
    other sizes of its family say, and None where its source has several prices for it.
    """

    name: str
    region: str
    engine: str | None
    quality: str
    usd_per_hour: float | None
    expected_usd_per_hour: float | None

    @property
    def sentence(self) -> str:
        """The finding for a reader."""
        what = f"{self.name} in {self.region}" + (f" for {self.engine}" if self.engine else "")
        if self.quality == "missing":
            return f"{what} has no price above zero; its price counts as unknown."
        if self.expected_usd_per_hour is None:
            return f"{what} has several prices at its source; its price counts as unknown."
        return (
            f"{what} is listed at {self.usd_per_hour:.4f} USD per hour, where its family's sizes say "
            f"{self.expected_usd_per_hour:.4f}; its price counts as unknown."
        )


@dataclass(frozen=True)
class PriceList:
    """Checked prices.

    ``prices`` has the columns of its file, one row per price. Where a finding stands, ``usd_per_hour`` is null and
    ``price_quality`` is ``missing`` or ``doubtful``. ``findings`` are in the order of ``prices``.
    """

    prices: pl.DataFrame
    findings: tuple[PriceFinding, ...]


def load_prices(path: Path = INSTANCE_PRICES, types: Path = INSTANCE_TYPES) -> PriceList:
    """EC2 on-demand Linux prices: ``instance_type, region, usd_per_hour, price_quality, price_source, price_as_of``.

    Raises ``InputError`` for a file that cannot be read, lacks a column, or holds a type or a price twice.
    """
    prices = _read(path, {"instance_type": pl.String, **_PRICE_COLUMNS}, key=("instance_type", "region"))
    sizes = _read(types, {"instance_type": pl.String, **_SIZE_COLUMNS}, key=("instance_type",))
    return _checked(prices, sizes.filter(~pl.col("family").str.contains(_ACCELERATED)), "instance_type", ("region",))


def load_rds_prices(path: Path = RDS_PRICES, classes: Path = RDS_CLASSES) -> PriceList:
    """RDS on-demand Single-AZ prices, USD per hour; the columns of ``load_prices`` with ``instance_class`` and ``engine``.

    An engine is called as the RDS API calls it. Raises ``InputError`` as ``load_prices`` does.
    """
    columns = {"instance_class": pl.String, "engine": pl.String, **_PRICE_COLUMNS}
    prices = _read(path, columns, key=("instance_class", "region", "engine"))
    sizes = _read(classes, {"instance_class": pl.String, **_SIZE_COLUMNS}, key=("instance_class",))
    return _checked(prices, sizes, "instance_class", ("region", "engine"))


def _read(path: Path, columns: Mapping[str, type[pl.DataType]], key: tuple[str, ...]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
        missing = [name for name in columns if name not in frame.columns]
        if not missing:
            frame = frame.with_columns(pl.col(name).cast(kind) for name, kind in columns.items())
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise InputError(f"{path} cannot be read as a table of the catalog; {_REMEDY}.") from problem
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; {_REMEDY}.")
    twice = frame.filter(frame.select(key).is_duplicated())
    if twice.height:
        what = ", ".join(str(value) for value in twice.select(key).row(0))
        raise InputError(f"{path} holds {what} more than once; {_REMEDY}.")
    return frame


def _checked(prices: pl.DataFrame, sizes: pl.DataFrame, name: str, market: tuple[str, ...]) -> PriceList:
    """``sizes`` are those that are sold by size; ``market`` are the columns within which a family has one price per unit."""
    per_unit = pl.col("memory_gib") / pl.col("size_units")
    usual = per_unit.median().over("family")
    follow_their_size = sizes.filter(pl.col("size_units") > 0, (per_unit / usual - 1).abs() <= _MEMORY_TOLERANCE)

    # A null or a NaN is neither; a comparison with it must not pass for true.
    is_price = (pl.col("usd_per_hour").is_finite() & (pl.col("usd_per_hour") > 0)).fill_null(False)
    is_price &= (pl.col("price_quality") != "doubtful").fill_null(True)
    usd_per_unit = pl.when("is_price").then(pl.col("usd_per_hour") / pl.col("size_units"))
    family_usd_per_unit = usd_per_unit.quantile(0.5, interpolation="lower").over("family", *market)
    expected = pl.when(pl.col("family").is_not_null()).then(family_usd_per_unit * pl.col("size_units"))
    is_doubtful = ((pl.col("usd_per_hour") / pl.col("expected") - 1).abs() > TOLERANCE).fill_null(False)
    has_several = (pl.col("price_quality") == "doubtful").fill_null(False)
    missing, doubtful = pl.lit("missing"), pl.lit("doubtful")
    quality = pl.when(has_several).then(doubtful).when(~pl.col("is_price")).then(missing).when(is_doubtful).then(doubtful)

    judged = (
        prices.with_columns(is_price.alias("is_price"))
        .join(follow_their_size.select(name, "family", "size_units"), on=name, how="left", maintain_order="left")
        .with_columns(expected.alias("expected"))
        .with_columns(quality.alias("wrong"))
    )
    kept = judged.with_columns(
        pl.when(pl.col("wrong").is_null()).then("usd_per_hour").alias("usd_per_hour"),
        pl.coalesce("wrong", "price_quality").alias("price_quality"),
    ).select(prices.columns)
    findings = tuple(
        PriceFinding(
            name=row[name],
            region=row["region"],
            engine=row.get("engine"),
            quality=row["wrong"],
            usd_per_hour=row["usd_per_hour"],
            expected_usd_per_hour=row["expected"] if row["wrong"] == "doubtful" and row["is_price"] else None,
        )
        for row in judged.filter(pl.col("wrong").is_not_null()).with_columns(pl.col("usd_per_hour").fill_nan(None)).to_dicts()
    )
    return PriceList(kept, findings)
