"""What a verdict misses when evidence is absent: a sentence for every optional table or column that changes what can be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Absence:
    """Columns of a contract table that belong together, and what it means to a reader when they are missing.

    ``is_pair``: one is worth nothing without the other, so that one missing is as bad as both. ``is_table``: the column is one
    that is missing only where the whole table is, and the sentence speaks for all of its columns.
    """

    table: str
    columns: frozenset[str]
    sentence: str
    is_pair: bool = False
    is_table: bool = False


def _absence(table: str, columns: str, *sentence: str, is_pair: bool = False, is_table: bool = False) -> Absence:
    return Absence(table, frozenset(columns.split()), " ".join(sentence), is_pair, is_table)


# Of absences that overlap, the larger one comes first and speaks for its columns.
_ABSENCES = (
    _absence(
        "utilization",
        "cpu_max",
        "CPU peaks inside an interval are not recorded;",
        "interval averages stand in, and short spikes stay unseen.",
    ),
    _absence(
        "utilization",
        "mem_avg mem_max",
        "Memory is not recorded; nothing whose smaller size has less memory is proposed.",
    ),
    _absence(
        "utilization",
        "mem_max",
        "Memory peaks inside an interval are not recorded; interval averages stand in.",
    ),
    _absence(
        "utilization",
        "net_in_bytes net_out_bytes",
        "Network traffic is not recorded in both directions; nothing whose smaller size has less network is proposed.",
        is_pair=True,
    ),
    _absence(
        "utilization",
        "disk_read_bytes disk_write_bytes",
        "Disk traffic is not recorded in both directions; nothing whose smaller size has less disk bandwidth is proposed.",
        is_pair=True,
    ),
    _absence(
        "utilization",
        "disk_read_ops disk_write_ops",
        "Disk operations are not recorded in both directions; disk bandwidth alone is compared.",
        is_pair=True,
    ),
    _absence(
        "decision_audit",
        "action_type",
        "Decisions do not say what they did; every one counts as an emergency scale-up.",
    ),
    _absence(
        "decision_audit",
        "outcome",
        "Decisions do not say whether they succeeded; every one counts as if it had.",
    ),
    _absence(
        "decision_audit",
        "dry_run",
        "Decisions do not say whether they were dry runs; every one counts as real.",
    ),
    _absence(
        "decision_audit",
        "event_id",
        "Decisions do not name their event; repeated records of one event count one by one.",
    ),
    _absence(
        "resources",
        "service",
        "Resources do not name their service; an emergency that is recorded for a service cannot be matched,",
        "unless a tag 'service' names it.",
    ),
    _absence("resources", "tags", "Resources carry no tags; none can be excluded by one."),
    _absence(
        "resources",
        "config_changed_at",
        "Changes of size are not dated; samples from before a resize may count for the present size.",
    ),
    _absence(
        "incidents",
        "incident_id",
        "Incidents are not recorded; no past one can speak against a smaller size, and none that is going on.",
        is_table=True,
    ),
    _absence("incidents", "service", "Incidents do not name their service; none can be matched to a resource."),
    _absence(
        "incidents",
        "impact_started_at",
        "Incidents do not say when their impact began; what was noticed first stands in, and the load before it stays unseen.",
    ),
    _absence("incidents", "kind", "Incidents do not say what kind they are; tests and drills count as real ones."),
    _absence(
        "incident_action_items",
        "item_id",
        "Action items of incidents are not recorded; an open one that asks for capacity cannot speak against a smaller size.",
        is_table=True,
    ),
    _absence(
        "incident_action_items",
        "incident_id",
        "Action items do not name their incident; none can be matched to a resource.",
    ),
    _absence("incident_action_items", "state", "Action items do not say whether they are done; every one counts as open."),
    _absence(
        "service_dependencies",
        "service",
        "Dependencies between services are not recorded; an incident speaks for the resources of its own service only.",
        is_table=True,
    ),
    _absence("service_dependencies", "kind", "Dependencies do not say whether they are hard; every one counts as hard."),
    _absence(
        "services", "service", "Services are not listed; their tiers, and which have no resources, are unknown.", is_table=True
    ),
    _absence(
        "slos", "service", "Objectives of services are not recorded; what is left of an error budget is unknown.", is_table=True
    ),
    _absence("slos", "window_days", "Objectives do not name their window; it is taken as 30 days."),
    _absence(
        "sli_events",
        "service",
        "Measurements of service levels are not recorded; what is left of an error budget is unknown.",
        is_table=True,
    ),
    _absence(
        "change_events",
        "change_id",
        "Deployments and changes of configuration are not recorded; timelines of incidents have none but GitHub's.",
        is_table=True,
    ),
    _absence(
        "policies",
        "policy_id",
        "The policies of the decision engine are not recorded; timelines of incidents give their names alone.",
        is_table=True,
    ),
)


def missing_evidence(missing: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sentences for what is missing. ``missing`` holds pairs of contract table and column."""
    left = set(missing)
    sentences = []
    for absence in _ABSENCES:
        pairs = {(absence.table, column) for column in absence.columns}
        if pairs <= left or (absence.is_pair and pairs & left):
            left -= {pair for pair in left if pair[0] == absence.table} if absence.is_table else pairs
            sentences.append(absence.sentence)
    return tuple(sentences)
