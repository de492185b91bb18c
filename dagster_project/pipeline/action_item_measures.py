"""Figures of action items on a day: completion, age, slips, reopenings, recurrence, and the curve of what is not done yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any

import polars as pl

from dagster_project.domain.action_items.measures import Grouped, came_back_on, curve_of, groups_of, measures_of, steps_of
from dagster_project.domain.action_items.model import Item
from dagster_project.lake.action_item_tables import ACTION_ITEM_METRICS, ACTION_ITEM_SURVIVAL, ACTION_ITEMS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_RECORDS, SIMILAR_INCIDENTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement


def measure_action_items(runtime: Runtime, day: date) -> tuple[int, int]:
    """Writes ``action_item_metrics`` and ``action_item_survival`` of the day; returns their rows."""
    lake = runtime.lake
    grouped = _grouped(runtime, day)
    metrics, steps = [], []
    for (scope, name), those in groups_of(grouped).items():
        metrics.append({"scope": scope, "group_name": name, **asdict(measures_of(those, day))})
        curve = steps_of(curve_of((each.item for each in those), day))
        steps += [{"scope": scope, "group_name": name, "age_days": days, "not_done_share": share} for days, share in curve]
    return (
        write_frame(lake, ACTION_ITEM_METRICS, day, pl.DataFrame(metrics, schema=schema(ACTION_ITEM_METRICS))),
        write_frame(lake, ACTION_ITEM_SURVIVAL, day, pl.DataFrame(steps, schema=schema(ACTION_ITEM_SURVIVAL))),
    )


def items_on(runtime: Runtime, day: date) -> list[tuple[Item, Mapping[str, Any]]]:
    """The items of a day, each with its row of the table."""
    frame = pl.read_parquet(runtime.lake.require(ACTION_ITEMS, day), hive_partitioning=False)
    names = [field.name for field in fields(Item)]
    # When a state was entered is not in the table: an end and a change are.
    return [
        (Item(**{name: row["ended_at"] or row["changed_at"] if name == "state_at" else row[name] for name in names}), row)
        for row in frame.iter_rows(named=True)
    ]


def _grouped(runtime: Runtime, day: date) -> list[Grouped]:
    similar = _similar(runtime, day)
    return [Grouped(item, row["team"], came_back_on(item, similar)) for item, row in items_on(runtime, day)]


def _similar(runtime: Runtime, day: date) -> dict[str, Sequence[date]]:
    """Incident → days on which later ones began that are similar to it, in words and by a service or an alarm."""
    lake = runtime.lake
    if not lake.has(INCIDENT_RECORDS, day):
        return {}
    with open_engine(lake) as engine:
        engine.view(INCIDENT_RECORDS, [day])
        engine.view(SIMILAR_INCIDENTS, [each for each in lake.days(SIMILAR_INCIDENTS) if each <= day])
        found: dict[str, list[date]] = {}
        for row in engine.rows(statement("reports/came_back")):
            found.setdefault(row["incident_id"], []).append(row["began_on"])
    return dict(found)
