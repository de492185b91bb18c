"""A day's proposals, as a night sees them before it looks at a repository, and which of them may be proposed there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dagster_project.actions import proposal_store as store
from dagster_project.domain.proposals.grouping import Place, items_of
from dagster_project.domain.proposals.memory import first_forbidding, told
from dagster_project.domain.proposals.model import REPORT_ONLY, Change, GroupKey, Item
from dagster_project.domain.proposals.pulls import Merged, waits_for
from dagster_project.domain.proposals.reconcile import Standing
from dagster_project.pipeline.infrastructure_code import UNREADABLE, CodeBase
from dagster_project.pipeline.proposals import APPROVAL
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RepositorySettings


@dataclass(slots=True)
class Evening:
    """What a night knows of a day's proposals before it looks at a repository."""

    day: date
    rows: list[tuple[Change, Place | None, dict[str, Any]]]
    code: CodeBase
    standings: dict[str, Standing] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    live: dict[tuple[str, str], str | None] = field(default_factory=dict)


def sorted_out(
    runtime: Runtime,
    evening: Evening,
    settings: RepositorySettings,
    answers: store.Answers,
    merged: Merged,
    *,
    may_act: bool,
) -> tuple[list[tuple[GroupKey, Item]], dict[str, str], set[str]]:
    """Items of a repository that may be proposed, why other resources are not, and those about which nothing may be decided."""
    rules = runtime.settings.proposals
    held_back: dict[str, str] = {}
    untouchable: set[str] = set()
    located = []
    for change, place, row in evening.rows:
        name = change.resource_id
        answer = first_forbidding(answers.get(name, ()), change, evening.day, rules.rejection_days)
        if row["edit_code"] == UNREADABLE or (row["mode"] == REPORT_ONLY and may_act):
            untouchable.add(name)
        elif answer is not None:
            held_back[name] = f"It was {told(answer)}."
        elif (record := waits_for(change, merged)) is not None:
            held_back[name] = f"Its change was merged with #{record.number} and is not live yet."
        elif row["route"] == APPROVAL:
            held_back[name] = "It is asked for directly, not by a pull request."
        elif place is None:
            held_back[name] = f"It cannot be edited: {row['edit_sentence']}"
        elif place.repository == settings.name:
            located.append((change, place))
    # A literal is changed for all of its resources, or for none.
    sharing: dict[tuple[str, str, int], set[str]] = {}
    for change, place, _ in evening.rows:
        if place is not None and place.repository == settings.name:
            sharing.setdefault((place.root, place.file, place.start_byte), set()).add(change.resource_id)
    kept = []
    for change, place in located:
        others = sharing[place.root, place.file, place.start_byte]
        blocked = sorted(others & (held_back.keys() | untouchable))
        if blocked:
            held_back[change.resource_id] = f"Its size is the literal of {blocked[0]} too, which is not changed."
        else:
            kept.append((change, place))
    return items_of(kept), held_back, untouchable
