"""From located changes to items, and from items to the groups of pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagster_project.domain.proposals.model import Change, Group, GroupKey, Item


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change's literal is: one root of one repository, and a place in a file."""

    repository: str
    base: str
    root: str
    workspace: str
    file: str
    start_byte: int
    line: int
    address: str
    notes: tuple[str, ...] = ()
    other_plans: tuple[str, ...] = ()


def items_of(located: Iterable[tuple[Change, Place]]) -> list[tuple[GroupKey, Item]]:
    """One item for each literal, with the group that it belongs to. Resources whose size is one literal share an item: all of
    them change with it, or none does."""
    by_literal: dict[tuple[str, str, str, str, str, int, str, str], list[tuple[Change, Place]]] = {}
    for change, place in located:
        line = (place.repository, place.base, place.root, place.workspace, place.file, place.start_byte)
        literal = (*line, change.after, change.kind)
        by_literal.setdefault(literal, []).append((change, place))
    found = []
    for (repository, base, root, workspace, file, start_byte, after, kind), members in sorted(by_literal.items()):
        members.sort(key=lambda member: member[0].resource_id)
        places = [place for _, place in members]
        item = Item(
            file=file,
            start_byte=start_byte,
            line=places[0].line,
            before=members[0][0].before,
            after=after,
            changes=tuple(change for change, _ in members),
            addresses=tuple(sorted({place.address for place in places})),
            notes=tuple(sorted({note for place in places for note in place.notes})),
            other_plans=tuple(sorted({plan for place in places for plan in place.other_plans})),
        )
        found.append((GroupKey(repository, base, root, workspace, item.owner, item.risk, kind), item))
    return found


def by_worth(item: Item) -> tuple[float, str, int]:
    """Orders items: what is worth most comes first, and the order is always the same."""
    return (-item.expected_usd_month, item.file, item.start_byte)


def group_of(key: GroupKey, items: Sequence[Item], max_items: int) -> tuple[Group, tuple[Item, ...]]:
    """The group of the items that are worth most, in the order of the code, and what does not fit into it."""
    ranked = sorted(items, key=by_worth)
    chosen = sorted(ranked[:max_items], key=lambda item: (item.file, item.start_byte))
    return Group(key, tuple(chosen)), tuple(ranked[max_items:])
