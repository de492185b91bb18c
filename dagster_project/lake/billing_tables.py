"""The contracts of the tables of bills: what resources were charged, and what was charged beside them."""

from __future__ import annotations

from dagster_project.lake.table import Table

_AMOUNTS = {"list_usd": "DOUBLE", "contracted_usd": "DOUBLE", "billed_usd": "DOUBLE", "effective_usd": "DOUBLE"}

BILLED_COSTS = Table(
    "billed_costs",
    ("resource_id",),
    {
        "resource_id": "VARCHAR",
        "billing_account": "VARCHAR",
        "sub_account_id": "VARCHAR",
        "service_name": "VARCHAR",
        "region": "VARCHAR",
        "charged_from": "TIMESTAMP",
        "charged_to": "TIMESTAMP",
        "covered_hours": "DOUBLE",
        **_AMOUNTS,
        "running_list_usd_month": "DOUBLE",
        "running_contracted_usd_month": "DOUBLE",
        "running_effective_usd_month": "DOUBLE",
        "committed_pct": "DOUBLE",
        "other_usd": "DOUBLE",
        "credits_usd": "DOUBLE",
        "taxes_usd": "DOUBLE",
        "rows": "BIGINT",
        "is_listed": "BOOLEAN",
        "billed_type": "VARCHAR",
        "billed_types": "INTEGER",
        "units": "INTEGER",
        "on_demand_billed_usd": "DOUBLE",
        "on_demand_effective_usd": "DOUBLE",
    },
    "What FOCUS billing files charge for each machine and database in the days up to the day (billing.window_days): every "
    "resource of the inventory that is charged anything, and every machine that is charged hours and that no inventory lists. "
    "list, contracted, billed and effective (amortised) are sums of the window, without taxes, credits and the price of "
    "commitments. running_…_usd_month is the machine's running alone, a month of 730 hours; of a group, of as many machines as "
    "units says. other_usd is what of effective_usd is not its running. covered_hours are the machine hours that were charged, "
    "committed_pct is the share of them that a commitment pays for. Null = not known, and what has no row is not free of charge: "
    "bills come late.",
)
BILLED_TOTALS = Table(
    "billed_totals",
    ("sub_account_id", "kind"),
    {"sub_account_id": "VARCHAR", "kind": "VARCHAR", "charged_to": "TIMESTAMP", "rows": "BIGINT", **_AMOUNTS},
    "All charges of the same window by account and kind: resources (those of billed_costs), other_resources, no_resource, "
    "unused_commitments, commitment_purchases, credits and taxes. charged_to is the end of the newest. Null = not known.",
)
BILLING_TABLES = (BILLED_COSTS, BILLED_TOTALS)
