"""The reason codes of right-sizing verdicts, as data: what each means to a reader, and how its number is said.

``sentence`` is filled with ``value`` and ``limit`` (the numbers that decided) and ``text`` (a name or time, where a number
is not enough). The order of this table is the order in which reports list reasons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERDICTS = ("propose", "refuse", "insufficient", "keep")


@dataclass(frozen=True)
class Reason:
    """One reason code. Its verdict is the part before the first underscore."""

    code: str
    title: str
    sentence: str

    @property
    def verdict(self) -> str:
        return self.code.partition("_")[0]


_ALL = (
    Reason(
        "propose_smaller_size",
        "Safe to shrink",
        "{text} holds it: CPU P99.5 would be {value:.0f} % of it (limit {limit:.0f} %), "
        "and no emergency or incident on record would have exceeded it.",
    ),
    Reason(
        "propose_lower_minimum",
        "Fewer members",
        "The group ran at its minimum of {limit:.0f} members; {value:.0f} are enough ({text} asks for that many).",
    ),
    Reason("refuse_kill_switch", "Kill switch on", "{text} Nothing is proposed while it is."),
    Reason("refuse_open_incident", "Incident open", "Its service has an open incident: {text}."),
    Reason(
        "refuse_incident_replay",
        "Would not have held in an incident",
        "Past demand would have been {value:.0f} % ({limit:.0f} % is the limit). {text}.",
    ),
    Reason(
        "refuse_open_capacity_action_item",
        "Capacity is being asked for",
        "An open action item asks for more capacity: {text}.",
    ),
    Reason(
        "refuse_slo_budget_low",
        "Error budget low",
        "The objective {text} of its service has {value:.0f} % of its error budget left; {limit:.0f} % are needed.",
    ),
    Reason(
        "refuse_recent_emergency_scaleup",
        "Scaled up in an emergency",
        "The decision engine scaled it up in an emergency {text}; {value:.0f} in the last {limit:.0f} days.",
    ),
    Reason(
        "refuse_recently_changed",
        "Changed recently",
        "Its configuration changed {value:.0f} days ago; the evidence starts again for {limit:.0f} days.",
    ),
    Reason(
        "refuse_dependency_tier_same_night",
        "Neighbour changes tonight",
        "The service {text}, which depends on it or which it depends on, already changes tonight ({value:.0f} proposed).",
    ),
    Reason(
        "refuse_blast_radius",
        "Enough for one night",
        "{value:.0f} resources of the service {text} are already proposed tonight; {limit:.0f} is the limit.",
    ),
    Reason("refuse_rejected", "Rejected", "Somebody decided against it: {text}."),
    Reason("refuse_snoozed", "Snoozed", "Somebody put it off: {text}."),
    Reason("refuse_spot", "Spot capacity", "It runs on spot capacity ({text}), whose size the bid decides."),
    Reason(
        "refuse_managed_by_orchestrator",
        "Managed by an orchestrator",
        "It belongs to {text}, which would replace it at its own size.",
    ),
    Reason("refuse_group_member", "Member of a group", "It is a member of {text}; the group is sized, never one member."),
    Reason("refuse_excluded_by_tag", "Excluded by tag", "Its tag {text} excludes it."),
    Reason(
        "refuse_instance_store",
        "Local disk",
        "Its type has {value:.0f} GB of local disk, which would be lost with the smaller size.",
    ),
    Reason(
        "insufficient_history",
        "Too little history",
        "There are {value:.1f} h of samples at the present size; {limit:.0f} h are needed.",
    ),
    Reason(
        "insufficient_coverage",
        "Too many samples missing",
        "{value:.0f} % of {text} samples are there; {limit:.0f} % are needed.",
    ),
    Reason(
        "insufficient_clean_data",
        "Readings set aside",
        "{value:.0f} of its samples were set aside because they cannot be right; any of them may have been the peak.",
    ),
    Reason(
        "insufficient_memory_data",
        "Memory not measured",
        "Memory is measured for {value:.0f} % of the last seven days; {text} has less of it, so {limit:.0f} % are needed.",
    ),
    Reason(
        "insufficient_inventory",
        "AWS could not be asked",
        "What it is now is not known: AWS could be asked about it last for {text}.",
    ),
    Reason("insufficient_catalog", "Type not in the catalog", "{text}"),
    Reason("insufficient_price", "No price", "The catalog has no price for {text}."),
    Reason("keep_busy_cpu", "CPU in use", "CPU {text}; {limit:.0f} % is the limit."),
    Reason("keep_busy_memory", "Memory in use", "Memory would peak at {value:.0f} % of {text}; {limit:.0f} % is the limit."),
    Reason(
        "keep_busy_network",
        "Network in use",
        "Network peaked at {value:.2f} Gbit/s; {text} sustains {limit:.2f}.",
    ),
    Reason("keep_busy_ebs", "Disk in use", "Disk peaked at {value:,.0f} {text} at most; {limit:,.0f} are sustained."),
    Reason(
        "keep_forecast_growth",
        "On its way up",
        "Demand is rising: next week's upper bound is {value:.0f} % ({text}); {limit:.0f} % is the limit.",
    ),
    Reason("keep_no_cheaper_fit", "No smaller size", "{text}"),
    Reason(
        "keep_savings_too_small",
        "Savings too small",
        "A smaller size would save ${value:.2f} a month; ${limit:.2f} is the least that is proposed.",
    ),
    Reason("keep_not_enough_gain_vs_risk", "Not worth the risk", "{text}"),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}


_TEXT = "\0"
_ONE = re.compile(r"(?<![\d.,])1 days\b")


def sentence(code: str, value: float | None, limit: float | None, text: str | None) -> str:
    """The reason as a sentence with its numbers; one day is a day. ``text`` is data, and stays as it is."""
    told = REASONS[code].sentence.format(value=value or 0.0, limit=limit or 0.0, text=_TEXT)
    return _ONE.sub("1 day", told).replace(_TEXT, text or "")
