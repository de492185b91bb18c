"""What is to go back tonight, and which line of code sets it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from dagster_project.domain.outcomes.model import Outcome
from dagster_project.domain.outcomes.way_back import along, is_companion, is_to_go_back, way_back
from dagster_project.domain.proposals.model import Change
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.infrastructure_code import CodeBase, Located
from dagster_project.pipeline.outcome_rows import read_outcomes

FORBIDDING = ("refuse_excluded_by_tag", "refuse_kill_switch")
"""Verdicts that forbid whatever would be proposed; others speak of a smaller size only."""


def ways_back(lake: Lake, code: CodeBase, forbidden: Collection[str], day: date) -> list[tuple[Change, Located]]:
    """The changes that go back, one for each resource, with their places: those that an emergency followed, and those whose
    literal they share. Nothing is proposed for ``forbidden`` resources.

    They are located by themselves: a pull request of theirs is made apart from those that shrink, and what is to shrink must
    not get into its way.
    """
    outcomes = [each for each in read_outcomes(lake, day) if each.change.resource_id not in forbidden]
    backs: dict[str, tuple[Change, str]] = {}
    # Of two changes of one resource the last one is taken back first.
    for outcome in sorted(outcomes, key=lambda each: (each.applied_on or date.min, each.change.attribute, each.change.source)):
        if is_to_go_back(outcome, day):
            backs[outcome.change.resource_id] = way_back(outcome), outcome.change.source
    if not backs:
        return []
    changes = [change for _, (change, _) in sorted(backs.items())]
    located = code.locate(changes)
    companions = _companions(outcomes, [backs[each.resource_id] for each in changes if located[each.resource_id].place is None])
    companions = {name: change for name, change in companions.items() if name not in backs}
    if companions:
        together = code.locate([*changes, *companions.values()])
        located |= {name: together[name] for name in located if located[name].place is None and together[name].place is not None}
        literals = {_literal(each) for each in located.values()} - {None}
        changes += [change for name, change in sorted(companions.items()) if _literal(together[name]) in literals]
        located |= {change.resource_id: together[change.resource_id] for change in changes if change.resource_id not in located}
    return [(change, located[change.resource_id]) for change in changes]


def _companions(outcomes: Sequence[Outcome], unplaced: Sequence[tuple[Change, str]]) -> Mapping[str, Change]:
    """What was made together with changes that cannot go back alone."""
    return {
        outcome.change.resource_id: along(outcome, change)
        for change, source in unplaced
        for outcome in outcomes
        if is_companion(outcome, change, source)
    }


def _literal(located: Located) -> tuple[str, str, str, int] | None:
    place = located.place
    return (place.repository, place.root, place.file, place.start_byte) if place else None
