"""The headline numbers of a night: what each one is, in which unit, and from which tables it comes."""

from __future__ import annotations

from dataclasses import dataclass

USD_MONTH, USD, COUNT, PERCENT, MINUTES = "USD a month", "USD", "count", "percent", "minutes"

WEEK_DAYS = 7
COST_DAYS = 28
"""Days over which incidents are counted and costs of incidents are added up, the night's own included."""


@dataclass(frozen=True, slots=True)
class NightNumber:
    """One number. ``tables`` are those of the lake that it is computed from, ``definition`` is a sentence that says how."""

    name: str
    title: str
    unit: str
    tables: tuple[str, ...]
    definition: str


_VERDICTS = ("rightsizing_verdicts",)
_SAVINGS = ("savings",)

_ALL = (
    NightNumber("resources", "Resources", COUNT, _VERDICTS, "Resources of the day's inventory; each has one verdict."),
    NightNumber("priced_resources", "Priced resources", COUNT, _VERDICTS, "Resources whose present cost is known."),
    NightNumber(
        "fleet_usd_month",
        "What the fleet costs",
        USD_MONTH,
        _VERDICTS,
        "Present cost of all priced resources, at list price less the discounts of the settings; members of a group are part of "
        "their group's cost.",
    ),
    NightNumber(
        "could_save_usd_month",
        "What could be saved",
        USD_MONTH,
        _VERDICTS,
        "What a smaller size would save of what is proposed, refused or without enough evidence, where known.",
    ),
    NightNumber("proposals", "Proposals", COUNT, _VERDICTS, "Resources whose verdict is propose."),
    NightNumber(
        "safe_usd_month", "Safe to save now", USD_MONTH, _VERDICTS, "Savings of the resources whose verdict is propose, as paid."
    ),
    NightNumber(
        "safe_list_usd_month",
        "Safe to save, at list prices",
        USD_MONTH,
        _VERDICTS,
        "Savings of the resources whose verdict is propose, before any discount.",
    ),
    NightNumber(
        "cash_usd_month",
        "Of it cash at once",
        USD_MONTH,
        _VERDICTS,
        "What leaves the bill at once; the rest goes on being paid for Reserved Instances and Savings Plans. Only of proposals "
        "of which that is known.",
    ),
    NightNumber("refused_resources", "Not dared: resources", COUNT, _VERDICTS, "Resources whose verdict is refuse."),
    NightNumber(
        "refused_usd_month",
        "Not dared",
        USD_MONTH,
        _VERDICTS,
        "What a smaller size of the refused resources would save, where prices are known.",
    ),
    NightNumber(
        "waiting_resources", "Without enough evidence: resources", COUNT, _VERDICTS, "Resources whose verdict is insufficient."
    ),
    NightNumber(
        "waiting_usd_month",
        "Waiting for evidence",
        USD_MONTH,
        _VERDICTS,
        "What a smaller size of the resources without enough evidence would save, where prices are known.",
    ),
    NightNumber("kept_resources", "Kept", COUNT, _VERDICTS, "Resources whose verdict is keep."),
    NightNumber(
        "identified_usd_month",
        "Identified",
        USD_MONTH,
        _SAVINGS,
        "Estimates of every change that was found safe: tonight's proposals, what people are still asked or have agreed to, and "
        "what was carried out in the last five weeks.",
    ),
    NightNumber(
        "proposed_usd_month",
        "Proposed",
        USD_MONTH,
        _SAVINGS,
        "Of the identified: a pull request is or was open, or an approval is or was asked for.",
    ),
    NightNumber("approved_usd_month", "Approved", USD_MONTH, _SAVINGS, "Of the proposed: merged or approved by people."),
    NightNumber("applied_usd_month", "Applied", USD_MONTH, _SAVINGS, "Of the approved: the inventory shows the new size."),
    NightNumber(
        "known_usd_month",
        "Applied, and known what it saves",
        USD_MONTH,
        _SAVINGS,
        "Estimates of the applied changes of which it is known what they save.",
    ),
    NightNumber(
        "realized_usd_month",
        "Realized",
        USD_MONTH,
        _SAVINGS,
        "What those changes save as of the day, at the prices of the day; nothing where a change was taken back.",
    ),
    NightNumber("regrets", "Regrets", COUNT, _SAVINGS, "Applied changes that turned out too small."),
    NightNumber(
        "applied_week",
        "Applied this week",
        COUNT,
        ("proposal_outcomes",),
        f"Changes that became live within the last {WEEK_DAYS} days; what went back is not counted.",
    ),
    NightNumber(
        "waiting_answers",
        "Waiting for people",
        COUNT,
        ("pull_requests", "approval_requests"),
        "Pull requests that are open, and requests that wait for an approval.",
    ),
    NightNumber(
        "asked_week",
        "Asked this week",
        COUNT,
        ("pull_requests", "approval_requests"),
        f"Pull requests that were opened and approvals that were asked for within the last {WEEK_DAYS} days.",
    ),
    NightNumber(
        "agreed_week",
        "Of these agreed to",
        COUNT,
        ("pull_requests", "approval_requests"),
        "Of these, merged or approved as of the night, whatever became of it then.",
    ),
    NightNumber(
        "declined_week",
        "Of these declined",
        COUNT,
        ("pull_requests", "approval_requests"),
        "Of these, rejected or taken back by people as of the night.",
    ),
    NightNumber(
        "lapsed_week",
        "Of these lapsed",
        COUNT,
        ("pull_requests", "approval_requests"),
        "Of these, neither agreed to nor declined, and no longer asked: expired, put off, or withdrawn as no longer proposed.",
    ),
    NightNumber(
        "cpu_coverage_pct",
        "CPU coverage",
        PERCENT,
        ("utilization_window", "resource_inventory"),
        f"Share of the last {WEEK_DAYS} days that CPU samples cover, on average over all machines, groups and databases.",
    ),
    NightNumber(
        "memory_coverage_pct",
        "Memory coverage",
        PERCENT,
        ("utilization_window", "resource_inventory"),
        f"Share of the last {WEEK_DAYS} days that memory samples cover, on average over the same.",
    ),
    NightNumber(
        "incidents_week",
        "Incidents this week",
        COUNT,
        ("incident_records",),
        f"Incidents that began within the last {WEEK_DAYS} days; drills, tests and maintenance are left out.",
    ),
    NightNumber("incidents_open", "Open incidents", COUNT, ("incident_records",), "Incidents that go on as the day ends."),
    NightNumber(
        "incidents_undeclared",
        "Undeclared",
        COUNT,
        ("incident_records",),
        f"Clusters of emergency decisions of the last {WEEK_DAYS} days that nobody declared as an incident.",
    ),
    NightNumber(
        "incident_cost_usd",
        "Incidents have cost",
        USD,
        ("postmortems", "incident_records"),
        f"Expected cost of the incidents that began within the last {COST_DAYS} days, as far as it is known.",
    ),
    NightNumber(
        "incidents_costed",
        "Incidents with a known cost",
        COUNT,
        ("postmortems", "incident_records"),
        f"How many of the incidents of the last {COST_DAYS} days that sum is of.",
    ),
    NightNumber(
        "incidents_cost_window",
        "Incidents in four weeks",
        COUNT,
        ("incident_records",),
        f"Incidents that began within the last {COST_DAYS} days; drills, tests and maintenance are left out.",
    ),
    NightNumber(
        "median_restore_minutes",
        "Median time to restore",
        MINUTES,
        ("incident_summaries",),
        "Median time from the begin of impact to its end, over the last period of the settings.",
    ),
    NightNumber("action_items_open", "Action items not done", COUNT, ("action_item_metrics",), "Items that are not done."),
    NightNumber(
        "action_items_overdue", "Overdue", COUNT, ("action_item_metrics",), "Items that are not done and whose due date is over."
    ),
)
NIGHT_NUMBERS: dict[str, NightNumber] = {number.name: number for number in _ALL}
