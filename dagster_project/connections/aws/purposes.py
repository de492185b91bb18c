"""What AWS is asked for: each purpose is a statement of the policy, and what a night lacks where it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Purpose:
    """``sid`` names the statement of a policy; ``without`` says, as the end of a sentence, what a night lacks without it."""

    sid: str
    without: str


REGIONS = Purpose("ListRegions", 'regions = "all" cannot be read, and a region that is not enabled is noticed late')
INVENTORY = Purpose("ReadInventory", "what runs there is not seen, and gets no verdict or only one on what the database lists")
METRICS = Purpose("ReadMetrics", "utilization is known from the database only, and without any there no verdict is possible")
COMMITMENTS = Purpose("ReadCommitments", "reservations and savings plans are not seen, and a saving may be one on paper only")
TYPES = Purpose("ReadTypes", "types that are newer than the catalog at hand are not known, and never proposed")
PRICES = Purpose("ReadPrices", "prices are those of the catalog at hand")
OPINIONS = Purpose("ReadSecondOpinions", "what AWS itself recommends is not shown beside the verdicts")
ALARMS = Purpose("ReadAlarms", "alarms are missing from timelines of incidents")
SCALING = Purpose("ReadScalingActivities", "machines that came and went are missing from timelines of incidents")
CALLS = Purpose("ReadCalls", "calls that changed something are missing from timelines of incidents")
LOOKING = Purpose("LookBeforeChanges", "nothing is applied")
INSTANCES = Purpose("ChangeInstances", "no size of an instance is applied")
GROUPS = Purpose("ChangeGroups", "no size of a group is applied")
DATABASES = Purpose("ChangeDatabases", "no class of a database is applied")

PURPOSES = (
    REGIONS, INVENTORY, METRICS, COMMITMENTS, TYPES, PRICES, OPINIONS, ALARMS, SCALING, CALLS, LOOKING, INSTANCES, GROUPS,
    DATABASES,
)  # fmt: skip
"""In the order of the statements of a policy."""
