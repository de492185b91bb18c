"""The contract of the table of second opinions, a part for each account and region that was asked."""

from __future__ import annotations

from dagster_project.lake.table import Table

SECOND_OPINIONS = Table(
    "second_opinions",
    ("resource_id", "source"),
    {
        "resource_id": "VARCHAR",
        "source": "VARCHAR",
        "is_known": "BOOLEAN",
        "account_id": "VARCHAR",
        "region": "VARCHAR",
        "resource_type": "VARCHAR",
        "arn": "VARCHAR",
        "finding": "VARCHAR",
        "reason_codes": "VARCHAR",
        "current_type": "VARCHAR",
        "recommended_type": "VARCHAR",
        "performance_risk": "DOUBLE",
        "is_idle": "BOOLEAN",
        "savings_usd_month": "DOUBLE",
        "savings_after_discounts_usd_month": "DOUBLE",
        "lookback_days": "DOUBLE",
        "as_of": "TIMESTAMP",
    },
    "What AWS's own advisers said of each resource in the night after the day: Compute Optimizer its best option, the Cost "
    "Optimization Hub what saves most. reason_codes is a JSON list, performance_risk goes from 0 to 4, savings are before "
    "discounts unless the name says otherwise; null = not told. Where is_known is false, the inventory of the day does not list "
    "the resource, and resource_id is its ARN.",
)
OPINION_TABLES = (SECOND_OPINIONS,)
