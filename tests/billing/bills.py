"""Bills for tests: rows of FOCUS with what a charge of an instance usually says, as files of each version and format."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lake.billing_tables import BILLED_COSTS, BILLED_TOTALS
from dagster_project.pipeline.billing import read_bills
from dagster_project.pipeline.ledger import Load, rejected_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_billing import BillingSettings

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "focus_1_0_sample.csv"
DAY = date(2025, 3, 9)
ACCOUNT = "111111111111"
Row = dict[str, Any]

V1_0 = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName",
    "ResourceType", "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
V1_1 = (
    *V1_0, "CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountQuantity", "CommitmentDiscountUnit",
    "ServiceSubcategory", "SkuMeter", "SkuPriceDetails",
)  # fmt: skip
V1_2 = (
    *V1_1, "BillingAccountType", "InvoiceId", "PricingCurrency", "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "SubAccountType",
)  # fmt: skip
WITH_AWS = (*V1_0, "x_CostCategories", "x_Discounts", "x_Operation", "x_ServiceCode", "x_UsageType")


def charge(resource_id: str | None = "i-0a1", hour: str = "2025-03-08 10", usd: float = 0.192, **changes: Any) -> Row:
    """An hour of an m5.xlarge on demand, by default: list, contracted, billed and effective cost are the same."""
    begins = datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
    price = f"{usd:.11f}"
    return {
        "BillingAccountId": "999999999999", "SubAccountId": ACCOUNT, "BillingCurrency": "USD",
        "BillingPeriodStart": f"{begins:%Y-%m-01 00:00:00}", "BillingPeriodEnd": "2025-04-01 00:00:00",
        "ChargeCategory": "Usage", "ChargeDescription": "$0.192 per On Demand Linux m5.xlarge Instance Hour",
        "ChargePeriodStart": f"{begins:%Y-%m-%d %H:%M:%S}", "ChargePeriodEnd": f"{begins + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
        "ListCost": price, "ContractedCost": price, "BilledCost": price, "EffectiveCost": price,
        "PricingQuantity": "1.0", "PricingUnit": "Hours", "ConsumedQuantity": "1.0", "ConsumedUnit": "Hours",
        "ProviderName": "AWS", "ServiceName": "Amazon Elastic Compute Cloud", "RegionId": "us-east-1",
        "ResourceId": resource_id, **changes,
    }  # fmt: skip


def costs(listed: float, contracted: float, billed: float, effective: float) -> Row:
    """The four costs of a charge (USD)."""
    return {"ListCost": listed, "ContractedCost": contracted, "BilledCost": billed, "EffectiveCost": effective}


def hours(resource_id: str, count: int, *, first: str = "2025-03-07 00", **changes: Any) -> list[Row]:
    """So many hours of it, one charge each."""
    begins = datetime.strptime(first, "%Y-%m-%d %H").replace(tzinfo=UTC)
    return [charge(resource_id, f"{begins + timedelta(hours=n):%Y-%m-%d %H}", **changes) for n in range(count)]


def write(path: Path, rows: Iterable[Row], columns: Sequence[str] = V1_0, null: str = "NULL") -> Path:
    """A bill as CSV, gzipped where its name says so: numbers bare, everything else quoted, as AWS and the sample have it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([null if row.get(name) is None else row[name] for name in columns])
    return path


def runtime(home: Path, *files: Path | str, **settings: Any) -> Runtime:
    """A night that has these files."""
    billing = BillingSettings(focus=tuple(map(str, files)), **settings)
    return Runtime(Settings(home=home / "home", billing=billing), now=datetime(2025, 3, 10, 2, tzinfo=UTC))


def read(given: Runtime, day: date = DAY) -> tuple[Load, dict[str, Row], dict[str, Row], dict[str, tuple[int, str]]]:
    """The ledger's line of a night, its ``billed_costs`` by resource, its ``billed_totals`` by kind (of one account), and what
    was set aside: rows and the example by reason."""
    (load,) = read_bills(given, day)
    rows = {row["resource_id"]: row for row in table(given, BILLED_COSTS, day)}
    totals = {row["kind"]: row for row in table(given, BILLED_TOTALS, day)}
    aside = {group.reason: (group.rejected_rows, group.example_value) for group in rejected_of(given.lake, "focus", day)}
    return load, rows, totals, aside


def table(given: Runtime, which: Any, day: date = DAY) -> list[Row]:
    return pl.read_parquet(given.lake.path(which, day), hive_partitioning=False).to_dicts()
