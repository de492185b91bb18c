"""What a verdict misses when evidence is absent: a sentence for every optional column that changes what can be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Absence:
    """Columns of a contract table that belong together, and what it means to a reader when they are missing.

    ``is_pair``: one is worth nothing without the other, so that one missing is as bad as both.
    """

    table: str
    columns: frozenset[str]
    sentence: str
    is_pair: bool = False


def _absence(table: str, columns: str, *sentence: str, is_pair: bool = False) -> Absence:
    return Absence(table, frozenset(columns.split()), " ".join(sentence), is_pair)


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
)


def missing_evidence(missing: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sentences for what is missing. ``missing`` holds pairs of contract table and column."""
    left = set(missing)
    sentences = []
    for absence in _ABSENCES:
        pairs = {(absence.table, column) for column in absence.columns}
        if pairs <= left or (absence.is_pair and pairs & left):
            left -= pairs
            sentences.append(absence.sentence)
    return tuple(sentences)
