"""The outcome ledger: what became of each proposal that was carried out, and what its service learns from it.

Only the newest day notes and learns. The tables of any day are made from what was noted by then and from the lake up to that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import asyncpg
import polars as pl

from dagster_project.actions import outcome_store, proposal_store
from dagster_project.domain.outcomes.learning import LearningRules, learn
from dagster_project.domain.outcomes.model import KEPT_DAYS, AppliedChange, HeadroomChange, Outcome
from dagster_project.domain.outcomes.watch import asked_from, first_live_on
from dagster_project.domain.outcomes.way_back import is_listed
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import EMERGENCY_SCALEUPS, PROPOSAL_OUTCOMES, RESOURCE_INVENTORY, SERVICE_HEADROOM
from dagster_project.pipeline.applied_changes import made_by_hand, merged_and_live, sizes_by_day
from dagster_project.pipeline.outcome_facts import listed_values, names_of, outcomes_of
from dagster_project.pipeline.outcome_rows import row_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import RightsizingSettings


def settle_outcomes(runtime: Runtime, day: date) -> int:
    """Writes ``proposal_outcomes`` and ``service_headroom`` of the day; returns the rows of the first.

    Of the newest day what was carried out is noted first, and what became of it is learned from; a dry run and a day that is
    run again later only read what was noted by then.
    """
    lake, settings = runtime.lake, runtime.settings.rightsizing
    for table in (RESOURCE_INVENTORY, EMERGENCY_SCALEUPS):
        lake.require(table, day)
    may_note = runtime.is_newest(day) and not runtime.is_dry_run
    with open_engine(lake) as engine:
        changes = in_state(runtime, lambda connection: _watched(connection, engine, lake, day, may_note=may_note), is_new=True)
        outcomes = [each for each in outcomes_of(engine, runtime, changes, day) if is_listed(each, day)]
    written = write_frame(
        lake, PROPOSAL_OUTCOMES, day, pl.DataFrame([row_of(each) for each in outcomes], schema=schema(PROPOSAL_OUTCOMES))
    )
    rules = learning_rules(settings)
    headrooms = in_state(runtime, lambda connection: _learned(connection, outcomes, rules, day, may_note=may_note))
    rows = [
        {
            "service": each.service,
            "headroom_pct": rules.within(each.headroom_pct),
            "previous_pct": each.previous_pct,
            "changed_on": each.changed_on,
            "reason": each.reason,
        }
        for each in headrooms
        if each.changed_on == day or rules.within(each.headroom_pct) > rules.min_headroom_pct
    ]
    write_frame(lake, SERVICE_HEADROOM, day, pl.DataFrame(rows, schema=schema(SERVICE_HEADROOM)))
    return written


def learning_rules(settings: RightsizingSettings) -> LearningRules:
    """The bounds and steps of the settings."""
    return LearningRules(**{name: getattr(settings, name) for name in LearningRules.__dataclass_fields__})


async def _watched(
    connection: asyncpg.Connection, engine: Engine, lake: Lake, day: date, *, may_note: bool
) -> list[AppliedChange]:
    """The changes of which something is to be told on the day, after those were noted that were carried out since the last night,
    and on which day each became live, where that may be."""
    known = await outcome_store.watched(connection, day)
    if not may_note:
        return known
    records = await proposal_store.merged_since(connection, day - timedelta(days=KEPT_DAYS))
    merged = merged_and_live(engine, lake, records, known, day)
    by_hand = made_by_hand(engine, lake, [*known, *merged], day)
    await outcome_store.note_applied(connection, [*merged, *by_hand])
    waiting = [change for change in known if change.applied_on is None]
    if waiting:
        sizes = sizes_by_day(engine, lake, names_of(waiting), min(map(asked_from, waiting)), day)
        live = [(change, first_live_on(change, listed_values(sizes[change.resource_id], change), day)) for change in waiting]
        await outcome_store.note_live(connection, [(*change.key, on) for change, on in live if on is not None])
    return await outcome_store.watched(connection, day)


async def _learned(
    connection: asyncpg.Connection, outcomes: Sequence[Outcome], rules: LearningRules, day: date, *, may_note: bool
) -> list[HeadroomChange]:
    """The headroom of each service on the day, after the day was learned from where it may be."""
    headrooms = await outcome_store.headrooms(connection, day)
    if not may_note:
        return headrooms
    regrets, successes = await outcome_store.counted(connection, day)
    last = await outcome_store.last_regrets(connection, day)
    learned = learn(outcomes, {each.service: each for each in headrooms}, regrets, successes, last, day, rules)
    await outcome_store.note_lessons(connection, day, learned.changes, learned.regrets, learned.successes)
    return await outcome_store.headrooms(connection, day)
