"""The contracts of what reports and finance read: savings by change, the numbers of a night, and the rules that it had."""

from __future__ import annotations

from dagster_project.lake.table import Table

SAVINGS_COLUMNS: dict[str, tuple[str, str]] = {
    "resource_id": ("VARCHAR", "The resource, by the inventory's id."),
    "source": (
        "VARCHAR",
        "Which decision carried the change out (`owner/name#12`, `request:apr-…`, `seen 2025-03-09`); empty: not yet.",
    ),
    "resource_type": ("VARCHAR", "`ec2_instance`, `autoscaling_group` or `rds_instance`."),
    "service": ("VARCHAR", "The service that it belongs to; null: no tag says so."),
    "team": ("VARCHAR", "The team that owns it; null: no tag says so."),
    "environment": ("VARCHAR", "`prod`, `staging`, …"),
    "account_id": ("VARCHAR", "The AWS account, where the inventory knows it."),
    "region": ("VARCHAR", "The AWS region."),
    "units": ("INTEGER", "Machines: of a group its members, else 1. Money is of all of them."),
    "attribute": ("VARCHAR", "What changes: `instance_type`, `instance_class` or `min_size`."),
    "value_before": ("VARCHAR", "Its value before the change."),
    "value_after": ("VARCHAR", "Its value after the change."),
    "stage": ("VARCHAR", "How far the change has come: `identified`, `proposed`, `approved`, `applied` or `realized`."),
    "stage_note": ("VARCHAR", "Why it has come no further, or what is special about it, as a sentence or a few words."),
    "route": ("VARCHAR", "`pull_request`, `approval` or `by_hand`; null of changes that are live."),
    "risk": ("VARCHAR", "`low`, `medium` or `high`."),
    "reference": ("VARCHAR", "The pull request (`owner/name#12`) or the approval request (`apr-…`); null: there is none."),
    "reference_url": ("VARCHAR", "The address of that pull request."),
    "proposed_on": ("DATE", "When the pull request was opened or the approval asked for."),
    "applied_on": ("DATE", "The first day on which the inventory showed the new value."),
    "current_usd_month": ("DOUBLE", "What it costs now, USD per month of 730 h, as paid; null of changes that are live."),
    "target_usd_month": ("DOUBLE", "What it would cost after the change, in the same terms."),
    "billed_usd_month": ("DOUBLE", "What its running costs by the bill, amortised, a month; null: no bill, or not on it."),
    "list_savings_usd_month": ("DOUBLE", "The estimate at list prices, before any discount; null of changes that are live."),
    "discount_pct": ("DOUBLE", "The discount of the settings that is taken off list prices, in percent."),
    "savings_usd_month": ("DOUBLE", "The estimate as paid: list prices less discounts; of a live change, that of then."),
    "cash_savings_usd_month": ("DOUBLE", "How much of the estimate leaves the bill at once; null: not asked or not known."),
    "covered_pct": ("DOUBLE", "Percent of the estimate that commitments go on being paid for."),
    "cash_from": ("DATE", "When the last of these commitments ends; null: none, or no end is known."),
    "realized_usd_month": ("DOUBLE", "What a live change saves as of the day; null: not live yet, or not known."),
    "regret": ("BOOLEAN", "Whether a live change turned out too small; null: not known yet."),
}
"""Column of ``savings``, of ``savings.csv`` and of ``savings.parquet`` → type and meaning."""

SAVINGS = Table(
    "savings",
    ("resource_id", "source"),
    {name: kind for name, (kind, _) in SAVINGS_COLUMNS.items()},
    "Every change that was found safe and that is on the table: tonight's proposals, what people are still asked or have agreed "
    "to, and what was carried out in the last five weeks, each with how far it has come and its money. A change that waits to "
    "become live is one row; where people are asked for another size than tonight's, it is theirs. What goes "
    "back after an emergency is not in it. The files savings.csv and savings.parquet of a report hold the same rows.",
)
NIGHT_NUMBERS = Table(
    "night_numbers",
    ("name",),
    {"name": "VARCHAR", "value": "DOUBLE"},
    "The headline numbers of a night, one a row; null = not known. What each is, in which unit and from which tables is in "
    "docs/numbers.md; trends compare them over nights.",
)
NIGHT_RULES = Table(
    "night_rules",
    ("name",),
    {"name": "VARCHAR", "value": "VARCHAR"},
    "The settings by which a night judged, as texts, so that the next report can say which of them changed. No secret is in it.",
)
REPORT_TABLES = (SAVINGS, NIGHT_NUMBERS, NIGHT_RULES)
