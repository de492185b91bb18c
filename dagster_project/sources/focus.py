"""One file of a bill in the FOCUS format (1.0 to 1.2): checked, parsed, and written down to what is asked of it.

A file is streamed: what stays of it is a Parquet file of the charges of a window, and of the rows that cannot be right. Amounts
are whole billionths there, because sums of whole numbers do not depend on the order in which threads add them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from dagster_project.errors import InputError

CURRENCY = "USD"
NANO = 1_000_000_000
AMOUNTS = {
    "list_usd": "ListCost",
    "contracted_usd": "ContractedCost",
    "billed_usd": "BilledCost",
    "effective_usd": "EffectiveCost",
}
"""Our columns of money and FOCUS's."""
MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "ChargeCategory", "ChargeDescription",
    "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity", "PricingUnit",
    "ResourceId", "ServiceName",
)  # fmt: skip
"""Columns without which a bill cannot be read; FOCUS 1.0 has them all, and ResourceId where charges are told by resource."""
_TELLING = ("BilledCost", "EffectiveCost", "ChargePeriodStart")
"""A file with none of these is no FOCUS file at all."""

USAGE, CHARGE, COMMITMENT_PURCHASE, UNUSED, CREDIT, TAX = "usage", "charge", "commitment_purchase", "unused", "credit", "tax"
"""What a row is: a use of something, another charge (a purchase that is no commitment, an adjustment), the price of a commitment,
what of a commitment nothing used, a credit, a tax."""

UNREADABLE_TIME, UNREADABLE_NUMBER, BACKWARDS = "unreadable_time", "unreadable_number", "ends_before_it_begins"
OTHER_CURRENCY, BEYOND = "other_currency", "reaches_beyond_the_day"

_NULLS = ("", "NULL", "null", "Null")
# NULL, Z or an offset at the end; a date alone has none.
_ZONE = r"\s*(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$"
_OFFSET = r":\d{2}(?:\.\d+)?\s*([+-])(\d{2}):?(\d{2})$"
_GROUP = r'(?i)"aws[:_]autoscaling[:_]group_?name"\s*:\s*"((?:[^"\\]|\\.)*)"'
_GROUP_KEY = r"(?i)^aws[:_]autoscaling[:_]group_?name$"
_SEED = 20240901


@dataclass(frozen=True, slots=True)
class Window:
    """The charges that are asked for: those that begin at or after ``begins``, and end by ``ends``. Naive UTC."""

    begins: datetime
    ends: datetime


def narrow(path: Path, window: Window, target: Path) -> None:
    """Writes those charges of a file that begin in the window, and rows whose time cannot be read, to a Parquet file.

    Raises ``InputError`` with one sentence where the file cannot be read or is no FOCUS file.
    """
    try:
        frame = _scan(path)
        names = _columns(path, frame)
        _Reader(frame, names).narrowed(window).sink_parquet(target, compression="lz4")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(_unreadable(path, error)) from None


def check(path: Path) -> tuple[str, ...]:
    """The columns of a FOCUS file, after the same checks; nothing but its beginning is read."""
    try:
        frame = _scan(path)
        names = _columns(path, frame)
        frame.head(1).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(_unreadable(path, error)) from None
    return tuple(names.values())


def _scan(path: Path) -> pl.LazyFrame:
    if path.name.lower().endswith(".parquet"):
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return pl.scan_csv(path, glob=False, infer_schema=False)


def _columns(path: Path, frame: pl.LazyFrame) -> dict[str, str]:
    """FOCUS's names of columns in small letters → the file's own; engines differ in how they write them."""
    found: dict[str, str] = {}
    for name in frame.collect_schema().names():
        found.setdefault(name.lstrip("\ufeff").strip().lower(), name)
    if not any(name.lower() in found for name in _TELLING):
        raise InputError(
            f"The billing file {path} has no column of a FOCUS bill; take it out of billing.focus, or export FOCUS 1.0 to 1.2."
        )
    absent = [name for name in MANDATORY if name.lower() not in found]
    if absent:
        raise InputError(
            f"The billing file {path} lacks {', '.join(absent)}; export FOCUS 1.0 to 1.2, with ResourceId and what is mandatory."
        )
    return found


def _unreadable(path: Path, error: Exception) -> str:
    # What Polars says may quote a row.
    why = error.strerror if isinstance(error, OSError) and error.strerror else "it is empty, damaged, or not what its name says"
    return f"The billing file {path} cannot be read ({why}); export it again, or take it out of billing.focus."


class _Reader:
    """The expressions that make our columns out of a file's."""

    def __init__(self, frame: pl.LazyFrame, names: dict[str, str]) -> None:
        self._frame, self._names, self._types = frame, names, frame.collect_schema()

    def narrowed(self, window: Window) -> pl.LazyFrame:
        amounts = {ours: self._number(theirs) for ours, theirs in AMOUNTS.items()}
        priced = self._number("PricingQuantity")
        has_price = self._text("PricingQuantity").is_not_null()
        columns = {
            "billing_account": self._text("BillingAccountId"),
            "period_start": self._moment("BillingPeriodStart").dt.to_string("%Y-%m-%d"),
            "sub_account": self._text("SubAccountId"),
            "currency": self._text("BillingCurrency"),
            "bucket": self._bucket(),
            "is_committed": self._is_committed(),
            "resource_id": self._text("ResourceId"),
            "asg_name": self._group(),
            "region": self._text("RegionId"),
            "service": self._text("ServiceName"),
            "description": self._text("ChargeDescription"),
            "usage_type": self._text("x_UsageType"),
            "sku_meter": self._text("SkuMeter"),
            "sku_details": self._text("SkuPriceDetails"),
            "unit": pl.when(has_price).then(self._text("PricingUnit")).otherwise(self._text("ConsumedUnit")),
            "quantity": pl.when(has_price).then(priced).otherwise(self._number("ConsumedQuantity")),
            "charged_from": self._moment("ChargePeriodStart"),
            "charged_to": self._moment("ChargePeriodEnd"),
            **amounts,
        }
        begins = pl.col("charged_from").fill_null(pl.col("charged_to"))
        reason, column, example = self._problem(window)
        return (
            self._near(window)
            .select(*(value.alias(name) for name, value in columns.items()), *self._raw())
            .filter(begins.is_null() | begins.is_between(window.begins, window.ends, closed="left"))
            .with_columns(reason.alias("reason"), column.alias("column_name"), example.alias("example_value"))
            .drop(f"raw_{name}" for name in (*AMOUNTS, "quantity", "charged_from", "charged_to"))
            .with_columns(
                _hash("description", "usage_type", "sku_meter", "sku_details", "unit").alias("meter_id"),
                _hash("resource_id", "description", "unit", "charged_from", "charged_to", "quantity", *AMOUNTS, "bucket").alias(
                    "row_key"
                ),
            )
        )

    def _near(self, window: Window) -> pl.LazyFrame:
        """Leaves out rows that a glance shows to be outside of the window: most of a bill is."""
        column, kind = pl.col(self._names["chargeperiodstart"]), self._types[self._names["chargeperiodstart"]]
        first, last = window.begins - timedelta(days=1), window.ends + timedelta(days=1)
        if isinstance(kind, pl.Datetime):  # whole row groups of a Parquet file are passed over by it
            bounds = [pl.lit(at).dt.replace_time_zone(kind.time_zone).cast(kind) for at in (first, last)]
            return self._frame.filter(column.is_null() | column.is_between(*bounds))
        if kind != pl.String:
            return self._frame
        day = column.str.slice(0, 10)
        is_outside = (day < first.date().isoformat()) | (day > last.date().isoformat())
        return self._frame.filter(~(day.str.contains(r"^\d{4}-\d{2}-\d{2}$") & is_outside).fill_null(False))

    def _column(self, name: str) -> pl.Expr | None:
        known = self._names.get(name.lower())
        return None if known is None else pl.col(known)

    def _text(self, name: str) -> pl.Expr:
        column = self._column(name)
        if column is None:
            return pl.lit(None, pl.String)
        kind = self._types[self._names[name.lower()]]
        if kind.is_nested():  # a map, as some Parquet exports write details and tags
            return pl.lit(None, pl.String)
        text = column.cast(pl.String).str.strip_chars()
        return pl.when(~text.is_in(_NULLS)).then(text)

    def _number(self, name: str) -> pl.Expr:
        """Billionths as whole numbers; null where there is none, or none that can be one."""
        column = self._column(name)
        if column is None:
            return pl.lit(None, pl.Int64)
        kind = self._types[self._names[name.lower()]]
        value = (column if kind.is_numeric() else self._text(name)).cast(pl.Float64, strict=False)
        return pl.when(value.is_finite()).then((value * NANO).round()).cast(pl.Int64, strict=False)

    def _moment(self, name: str) -> pl.Expr:
        column = self._column(name)
        if column is None:
            return pl.lit(None, pl.Datetime("us"))
        kind = self._types[self._names[name.lower()]]
        if isinstance(kind, pl.Datetime):
            known = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else column
            return known.cast(pl.Datetime("us"))
        if kind == pl.Date:
            return column.cast(pl.Datetime("us"))
        text = self._text(name)
        plain = text.str.replace("T", " ", literal=True).str.replace(_ZONE, "")
        length = plain.str.len_bytes()
        whole = pl.when(length == 10).then(plain + " 00:00:00").when(length == 16).then(plain + ":00").otherwise(plain)
        sign = pl.when(text.str.extract(_OFFSET, 1) == "-").then(-1).otherwise(1)
        minutes = sign * (text.str.extract(_OFFSET, 2).cast(pl.Int64) * 60 + text.str.extract(_OFFSET, 3).cast(pl.Int64))
        at = whole.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        return at - pl.duration(minutes=minutes.fill_null(0))

    def _bucket(self) -> pl.Expr:
        category = self._text("ChargeCategory").str.to_lowercase()
        status = self._text("CommitmentDiscountStatus").str.to_lowercase()
        is_commitment = self._text("CommitmentDiscountId").is_not_null()
        return (
            pl.when(category == "tax")
            .then(pl.lit(TAX))
            .when(category == "credit")
            .then(pl.lit(CREDIT))
            .when((category == "purchase") & is_commitment)
            .then(pl.lit(COMMITMENT_PURCHASE))
            .when(status == "unused")
            .then(pl.lit(UNUSED))
            .when(category == "usage")
            .then(pl.lit(USAGE))
            .otherwise(pl.lit(CHARGE))
        )

    def _is_committed(self) -> pl.Expr:
        status = self._text("CommitmentDiscountStatus").str.to_lowercase()
        return self._text("CommitmentDiscountId").is_not_null() & (status.fill_null("used") == "used")

    def _group(self) -> pl.Expr:
        """The Auto Scaling group of a member, out of its tags: a JSON text, or a map."""
        column = self._column("Tags")
        if column is None:
            return pl.lit(None, pl.String)
        kind = self._types[self._names["tags"]]
        if not kind.is_nested():
            return self._text("Tags").str.extract(_GROUP, 1)
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct) and len(kind.inner.fields) == 2:
            key, value = (field.name for field in kind.inner.fields)
            tag, text = pl.element().struct.field(key), pl.element().struct.field(value)
            mine = pl.when(tag.cast(pl.String).str.contains(_GROUP_KEY)).then(text.cast(pl.String))
            return column.list.eval(mine.drop_nulls()).list.first()
        return pl.lit(None, pl.String)

    def _raw(self) -> list[pl.Expr]:
        """What numbers and times were before they were parsed, to tell what is absent from what cannot be read."""
        return [self._text(theirs).alias(f"raw_{ours}") for ours, theirs in self._parsed().items()]

    def _parsed(self) -> dict[str, str]:
        return {**AMOUNTS, "quantity": "PricingQuantity", "charged_from": "ChargePeriodStart", "charged_to": "ChargePeriodEnd"}

    def _problem(self, window: Window) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Why a row is set aside, by which column, and an example; null where it is fine."""
        begins, ends, currency = pl.col("charged_from"), pl.col("charged_to"), pl.col("currency")
        cases: list[tuple[pl.Expr, str, str, pl.Expr]] = []
        for ours in ("charged_from", "charged_to"):
            cases.append((pl.col(ours).is_null(), UNREADABLE_TIME, self._parsed()[ours], pl.col(f"raw_{ours}")))
        cases.append((ends < begins, BACKWARDS, "ChargePeriodEnd", pl.col("raw_charged_to")))
        wrong = (currency.str.to_uppercase() != CURRENCY).fill_null(True)
        cases.append((wrong, OTHER_CURRENCY, "BillingCurrency", currency))
        for ours in (*AMOUNTS, "quantity"):
            is_wrong = pl.col(ours).is_null() & pl.col(f"raw_{ours}").is_not_null()
            cases.append((is_wrong, UNREADABLE_NUMBER, self._parsed()[ours], pl.col(f"raw_{ours}")))
        cases.append((ends > window.ends, BEYOND, "ChargePeriodEnd", pl.col("raw_charged_to")))
        found = [pl.lit(None, pl.String)] * 3
        for when, reason, column, example in reversed(cases):
            shown = (pl.lit(reason), pl.lit(column), example)
            found = [pl.when(when).then(value).otherwise(rest) for value, rest in zip(shown, found, strict=True)]
        return found[0], found[1], found[2]


def _hash(*names: str) -> pl.Expr:
    """One number for several columns, equal for equal values whatever the file."""
    whole = pl.lit(0, pl.UInt64)
    for number, name in enumerate(names):
        whole = whole ^ pl.col(name).hash(_SEED + number)
    return whole
