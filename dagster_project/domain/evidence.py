"""What a verdict misses when evidence is absent: a sentence for every optional column that changes what can be known."""

from __future__ import annotations

from collections.abc import Iterable

# (contract table, columns that belong together) → what their absence means to a reader.
_ABSENT: tuple[tuple[str, frozenset[str], str], ...] = (
    ("utilization", frozenset({"cpu_max"}), "CPU peaks inside an interval are not recorded; interval averages stand in, and short spikes stay unseen."),
    ("utilization", frozenset({"mem_avg", "mem_max"}), "Memory is not recorded; nothing whose smaller size has less memory is proposed."),
    ("utilization", frozenset({"mem_max"}), "Memory peaks inside an interval are not recorded; interval averages stand in."),
    ("utilization", frozenset({"net_in_bytes", "net_out_bytes"}), "Network traffic is not recorded; nothing whose smaller size has less network is proposed."),
    ("utilization", frozenset({"disk_read_bytes", "disk_write_bytes"}), "Disk traffic is not recorded; nothing whose smaller size has less disk bandwidth is proposed."),
    ("utilization", frozenset({"disk_read_ops", "disk_write_ops"}), "Disk operations are not recorded; disk bandwidth alone is compared."),
    ("decision_audit", frozenset({"action_type"}), "Decisions do not say what they did; every one counts as an emergency scale-up."),
    ("decision_audit", frozenset({"outcome"}), "Decisions do not say whether they succeeded; every one counts as if it had."),
    ("decision_audit", frozenset({"dry_run"}), "Decisions do not say whether they were dry runs; every one counts as real."),
    ("decision_audit", frozenset({"event_id"}), "Decisions do not name their event; repeated records of one event count one by one."),
    ("resources", frozenset({"service"}), "Resources do not name their service; an emergency that is recorded for a service cannot be matched, unless a tag 'service' names it."),
    ("resources", frozenset({"tags"}), "Resources carry no tags; none can be excluded by one."),
    ("resources", frozenset({"config_changed_at"}), "Changes of size are not dated; samples from before a resize may count for the present size."),
)  # fmt: skip


def missing_evidence(missing: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sentences for what is missing. ``missing`` holds pairs of contract table and column."""
    absent: dict[str, set[str]] = {}
    for table, column in missing:
        absent.setdefault(table, set()).add(column)
    told: dict[str, set[str]] = {}
    sentences = []
    for table, columns, sentence in _ABSENT:
        gone = absent.get(table, set())
        # The larger group comes first in the table and speaks for its members.
        if columns <= gone and not columns <= told.get(table, set()):
            told.setdefault(table, set()).update(columns)
            sentences.append(sentence)
    return tuple(sentences)
