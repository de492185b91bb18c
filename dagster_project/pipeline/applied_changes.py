"""Which proposals were carried out since the last night: merged pull requests that became live, and changes made by hand to
exactly what was proposed. What Nightshift applies itself is noted when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dagster_project.domain.outcomes.model import INSTANCE_CLASS, INSTANCE_TYPE, KEPT_DAYS, MIN_SIZE, SEEN, AppliedChange
from dagster_project.domain.proposals.payload import Remembered
from dagster_project.domain.proposals.pulls import PullRecord
from dagster_project.lake.engine import Engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import PROPOSALS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.proposals import read_proposals
from dagster_project.statements import statement

PROPOSED_WITHIN_DAYS = 7
"""How old the last proposals may be that a change made by hand is compared with."""
_MERGED_BY = "merged by "

Sizes = Mapping[str, Mapping[date, Mapping[str, Any]]]
"""Rows of ``reports/sizes_by_day`` by resource and day."""


def sizes_by_day(engine: Engine, lake: Lake, resource_ids: Sequence[str], first: date, day: date) -> Sizes:
    """What the inventories from ``first`` to ``day`` say of some resources."""
    found: dict[str, dict[date, Mapping[str, Any]]] = {name: {} for name in resource_ids}
    if not found:
        return found
    engine.view(RESOURCE_INVENTORY, [each for each in lake.days(RESOURCE_INVENTORY) if first <= each <= day])
    for row in engine.rows(statement("reports/sizes_by_day"), {"resource_ids": sorted(resource_ids)}):
        found[row["resource_id"]][row["day"]] = row
    return found


def value_of(row: Mapping[str, Any], attribute: str) -> str | None:
    """The value that an inventory's row has of an attribute; None where it is not known."""
    if attribute == MIN_SIZE:
        return None if row["minimum_size"] is None else str(row["minimum_size"])
    return row["instance_type"] if attribute in (INSTANCE_TYPE, INSTANCE_CLASS) else None


@dataclass(frozen=True, slots=True)
class _Merged:
    """One resource of a merged pull request, and when it became live."""

    record: PullRecord
    each: Remembered
    live_on: date


def merged_and_live(
    engine: Engine, lake: Lake, records: Sequence[PullRecord], known: Sequence[AppliedChange], day: date
) -> list[AppliedChange]:
    """Resources of merged pull requests whose change the inventory shows by ``day``, one by one: others of the same pull request
    may not be live yet. ``known`` are the changes that were noted already, from wherever.

    A resource that was given yet another size is left out: what became of that says nothing about what was proposed.
    """
    keys = {change.key for change in known}
    wanted = [
        (record, each)
        for record in records
        for each in record.payload.resources
        if (each.resource_id, _source(record)) not in keys
    ]
    if not wanted:
        return []
    names = sorted({each.resource_id for _, each in wanted})
    sizes = sizes_by_day(engine, lake, names, day - timedelta(days=KEPT_DAYS), day)
    live = []
    for record, each in wanted:
        merged_on = record.merged_at.date() if record.merged_at else record.opened_on
        since = {on: row for on, row in sizes[each.resource_id].items() if on >= merged_on}
        live_on = _live_on(since, each.attribute, each.after)
        if live_on is not None:
            live.append(_Merged(record, each, live_on))
    stated = _Stated(engine)
    return _new([_of_merged(merged, sizes, stated, day) for merged in live], known)


def _live_on(days: Mapping[date, Mapping[str, Any]], attribute: str, value: str) -> date | None:
    return min((on for on, row in days.items() if value_of(row, attribute) == value), default=None)


def _new(changes: Sequence[AppliedChange], known: Sequence[AppliedChange]) -> list[AppliedChange]:
    """Those of some changes that nobody noted from elsewhere: the same values, not live yet or since the same day."""
    noted = {(*_values(each), each.applied_on) for each in known}
    return [each for each in changes if not noted & {(*_values(each), each.applied_on), (*_values(each), None)}]


def _values(change: AppliedChange) -> tuple[str, str, str, str]:
    return change.resource_id, change.attribute, change.value_before, change.value_after


def _source(record: PullRecord) -> str:
    return f"{record.repository}#{record.number}"


def _of_merged(merged: _Merged, sizes: Sizes, stated: _Stated, day: date) -> AppliedChange:
    record, each = merged.record, merged.each
    row = sizes[each.resource_id][merged.live_on]
    reason = record.reason or ""
    return AppliedChange(
        resource_id=each.resource_id,
        resource_type=row["resource_type"],
        service=row["service"],
        team=row["team"],
        environment=row["environment"],
        attribute=each.attribute,
        value_before=each.before,
        value_after=each.after,
        source=_source(record),
        decided_by=reason.removeprefix(_MERGED_BY) if reason.startswith(_MERGED_BY) else None,
        decided_at=record.merged_at,
        estimated_usd_month=each.savings_usd_month,
        stated_exceedance_pct=stated.chance(record.confirmed_on, each.resource_id, each.after),
        risk=record.payload.key.risk,
        noted_on=day,
        is_rollback=each.evidence.is_rollback,
        applied_on=merged.live_on,
    )


def made_by_hand(engine: Engine, lake: Lake, known: Sequence[AppliedChange], day: date) -> list[AppliedChange]:
    """Changes that the inventory of ``day`` shows exactly as the last night before it had proposed them, whoever made them, and
    that nobody noted: ``known`` are those that were."""
    before = [each for each in lake.days(PROPOSALS) if 0 < (day - each).days <= PROPOSED_WITHIN_DAYS]
    if not before:
        return []
    asked_on = before[-1]
    engine.view(PROPOSALS, [asked_on])
    changes = [change for change, _, _ in read_proposals(engine)]
    sizes = sizes_by_day(engine, lake, [change.resource_id for change in changes], asked_on + timedelta(days=1), day)
    stated = _Stated(engine)
    found = []
    for change in changes:
        days = sizes[change.resource_id]
        live_on = _live_on(days, change.attribute, change.after)
        if live_on is None or day not in days or value_of(days[day], change.attribute) != change.after:
            continue
        found.append(
            AppliedChange(
                resource_id=change.resource_id,
                resource_type=change.resource_type,
                service=change.service,
                team=change.team,
                environment=change.environment,
                attribute=change.attribute,
                value_before=change.before,
                value_after=change.after,
                source=f"{SEEN} {day}",
                decided_by=None,
                decided_at=None,
                estimated_usd_month=change.savings_usd_month,
                stated_exceedance_pct=stated.chance(asked_on, change.resource_id, change.after),
                risk=change.risk,
                noted_on=day,
                is_rollback=change.is_rollback,
                applied_on=live_on,
            )
        )
    return _new(found, known)


class _Stated:
    """The chances that verdicts of the lake state, read once for each day."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[date, dict[str, Mapping[str, Any]]] = {}

    def chance(self, day: date, resource_id: str, value: str) -> float | None:
        """The chance (percent) that some sample of a week exceeds ``value``, as the verdict of a day says; None where it proposed
        something else or says nothing."""
        if day not in self._known:
            self._engine.view(RIGHTSIZING_VERDICTS, [day])
            rows = self._engine.rows(statement("reports/stated_by_verdicts"))
            self._known[day] = {row["resource_id"]: row for row in rows}
        row = self._known[day].get(resource_id)
        return row["exceedance_pct"] if row is not None and row["target_type"] == value else None
