"""What the state store remembers of changes that were applied, and of what services have taught."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import asyncpg

from dagster_project.domain.outcomes.model import KEPT_DAYS, WATCHED_DAYS, AppliedChange, HeadroomChange

_COLUMNS = tuple(AppliedChange.__dataclass_fields__)
_SAME_WITHIN = timedelta(days=7)
"""The same change of a resource that is noted again within this time, from elsewhere, is the one that is noted already."""
_LIVE = timedelta(days=2 * WATCHED_DAYS)
"""Nothing is told of a change that became live longer ago: a way back from it is open for as long again as it is watched."""
_NOTED = _LIVE + timedelta(days=KEPT_DAYS)
"""Nor of one that was noted longer ago: so long it may have taken to become live."""


async def note_applied(connection: asyncpg.Connection, changes: Sequence[AppliedChange]) -> int:
    """Notes changes that were carried out; returns how many of them are new.

    One that is known, by resource and source, stays as it is. So does one that was noted from elsewhere within a week: a night
    may see a change in the inventory before it hears of the pull request or the request that made it.
    """
    values = ", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))
    place = {name: f"${number}" for number, name in enumerate(_COLUMNS, start=1)}
    same = " and ".join(f"known.{name} = {place[name]}" for name in ("resource_id", "attribute", "value_before", "value_after"))
    statement = (
        f"insert into nightshift.applied_changes ({', '.join(_COLUMNS)}) select {values} "
        f"where not exists (select from nightshift.applied_changes as known where {same} "
        f"and abs(known.noted_on - {place['noted_on']}) <= {_SAME_WITHIN.days}) "
        "on conflict (resource_id, source) do nothing"
    )
    noted = 0
    async with connection.transaction():
        for change in changes:
            status = await connection.execute(statement, *(getattr(change, name) for name in _COLUMNS))
            noted += int(status.rpartition(" ")[2])
    return noted


async def watched(connection: asyncpg.Connection, day: date) -> list[AppliedChange]:
    """Changes that were noted by a day and of which something is still to be told then, or that are not live yet; what became
    live after the day counts as not live. Bounded by time, whatever the history."""
    rows = await connection.fetch(
        f"select {', '.join(_COLUMNS)} from nightshift.applied_changes where noted_on between $2 and $1 "
        "and (applied_on is null or applied_on >= $3) order by resource_id, source",
        day,
        day - _NOTED,
        day - _LIVE,
    )
    found = [AppliedChange(**dict(row)) for row in rows]
    return [replace(each, applied_on=None) if each.applied_on is not None and each.applied_on > day else each for each in found]


async def note_live(connection: asyncpg.Connection, live: Iterable[tuple[str, str, date]]) -> None:
    """Notes on which day an inventory showed changes first, given by resource and source; a day that is known stays."""
    await connection.executemany(
        "update nightshift.applied_changes set applied_on = $3 where resource_id = $1 and source = $2 and applied_on is null",
        list(live),
    )


async def counted(connection: asyncpg.Connection, day: date) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Changes, by resource and source, whose regret was learned from by a day, and those whose success was."""
    rows = await connection.fetch(
        "select resource_id, source, regret_counted_on <= $1 as regret, success_counted_on <= $1 as success "
        "from nightshift.applied_changes where noted_on between $2 and $1 "
        "and (regret_counted_on is not null or success_counted_on is not null)",
        day,
        day - _NOTED,
    )
    regrets = {(row["resource_id"], row["source"]) for row in rows if row["regret"]}
    return regrets, {(row["resource_id"], row["source"]) for row in rows if row["success"]}


async def last_regrets(connection: asyncpg.Connection, day: date) -> dict[str, date]:
    """The last day by which a regret of each service was learned from; services that had none in the time watched are left
    out."""
    rows = await connection.fetch(
        "select service, max(regret_counted_on) as counted_on from nightshift.applied_changes "
        "where service is not null and regret_counted_on between $2 and $1 group by service",
        day,
        day - timedelta(days=WATCHED_DAYS),
    )
    return {row["service"]: row["counted_on"] for row in rows}


async def headrooms(connection: asyncpg.Connection, day: date) -> list[HeadroomChange]:
    """The headroom of each service that ever had one, as it is on a day: its last change by then. In the order of services."""
    rows = await connection.fetch(
        "select distinct on (service) service, changed_on, headroom_pct, previous_pct, reason from nightshift.headroom_changes "
        "where changed_on <= $1 order by service, changed_on desc",
        day,
    )
    return [HeadroomChange(**dict(row)) for row in rows]


async def note_lessons(
    connection: asyncpg.Connection,
    day: date,
    changes: Sequence[HeadroomChange],
    regrets: Iterable[tuple[str, str]],
    successes: Iterable[tuple[str, str]],
) -> None:
    """Keeps what a day taught, in one transaction: changes of headroom, and the regrets and successes that count no more. A
    service changes once a day: a second change is left out."""
    async with connection.transaction():
        await connection.executemany(
            "insert into nightshift.headroom_changes (service, changed_on, headroom_pct, previous_pct, reason) "
            "values ($1, $2, $3, $4, $5) on conflict (service, changed_on) do nothing",
            [(each.service, each.changed_on, each.headroom_pct, each.previous_pct, each.reason) for each in changes],
        )
        for column, keys in (("regret_counted_on", regrets), ("success_counted_on", successes)):
            await connection.executemany(
                f"update nightshift.applied_changes set {column} = $3 "
                f"where resource_id = $1 and source = $2 and {column} is null",
                [(*key, day) for key in keys],
            )
