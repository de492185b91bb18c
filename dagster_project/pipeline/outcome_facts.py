"""What the lake says of applied changes: sizes and readings day by day, emergencies, incidents, and prices of the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from dagster_project.catalog import MULTI_AZ_PRICE_FACTOR
from dagster_project.catalog.engines import engine_of
from dagster_project.catalog.shapes import Catalog
from dagster_project.domain.outcomes.model import MIN_SIZE, WATCHED_DAYS, AppliedChange, Outcome
from dagster_project.domain.outcomes.watch import (
    FULL_MEMORY_PCT,
    MEMBERS_BEFORE_DAYS,
    Emergency,
    Facts,
    Listed,
    Measured,
    Price,
    asked_from,
    first_live_on,
    outcome_of,
)
from dagster_project.domain.rightsizing.dimensions import CPU, MEMORY
from dagster_project.domain.rightsizing.discounts import Discounts
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.lake.engine import Engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    EMERGENCY_SCALEUPS,
    INCIDENTS,
    LOAD_LEDGER,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.applied_changes import sizes_by_day, value_of
from dagster_project.pipeline.cash_savings import discounts_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

_GROUP, _DATABASE = "autoscaling_group", "rds_instance"


def outcomes_of(engine: Engine, runtime: Runtime, changes: Sequence[AppliedChange], day: date) -> list[Outcome]:
    """The changes as they stand at the end of a day, by what the lake and the catalog say up to it."""
    if not changes:
        return []
    lake, settings, catalog = runtime.lake, runtime.settings.rightsizing, runtime.catalog(day)
    names = names_of(changes)
    sizes = sizes_by_day(engine, lake, names, min(change.applied_on or asked_from(change) for change in changes), day)
    discounts = discounts_of(runtime.settings.prices)
    places = [_Place(change, sizes[change.resource_id], day, catalog, discounts) for change in changes]
    live = [place for place in places if place.applied_on is not None]
    first = min((place.applied_on for place in live if place.applied_on), default=day)
    measured = _measured(engine, lake, live, first - timedelta(days=MEMBERS_BEFORE_DAYS), day, settings.saturated_cpu_pct)
    emergencies = _emergencies(engine, lake, names, first, day)
    incidents = _incidents(engine, changes, first, day)
    return [
        outcome_of(
            place.change,
            Facts(
                listed=place.listed,
                measured=measured.get(place.change.key, {}),
                emergencies=emergencies.get(place.change.resource_id, ()),
                incidents=None if incidents is None else incidents.get(place.change.service or ""),
                price=place.price(),
                region=place.row["region"] if place.row else None,
                has_less_memory=place.has_less(MEMORY),
            ),
            place.is_no_larger,
            day,
            settings.min_recent_coverage_pct,
        )
        for place in places
    ]


def names_of(changes: Sequence[AppliedChange]) -> list[str]:
    """The resources of some changes, sorted."""
    return sorted({change.resource_id for change in changes})


def listed_values(rows: Mapping[date, Mapping[str, Any]], change: AppliedChange) -> dict[date, Listed]:
    """What the inventories say of what a change changed, by day."""
    return {on: Listed(value_of(row, change.attribute), row["config_changed_at"]) for on, row in rows.items()}


class _Place:
    """A change where it was made: what the inventories say of its resource, and the sizes on offer there."""

    def __init__(
        self,
        change: AppliedChange,
        rows: Mapping[date, Mapping[str, Any]],
        day: date,
        catalog: Catalog,
        discounts: Discounts,
    ) -> None:
        self.change = change
        self.listed = listed_values(rows, change)
        self.applied_on = first_live_on(change, self.listed, day)
        self.row = rows.get(day)
        # A resource that is gone was somewhere; prices are those of the day, and need it to be there.
        last = self.row or (rows[max(rows)] if rows else None)
        self._shapes = discounts.paid(_shapes_of(catalog, last), last["account_id"]) if last else None

    def has_less(self, dimension: int) -> bool:
        """Whether the change took something away; what is not known may have been."""
        if self.change.attribute == MIN_SIZE:
            return True
        before, after = (self._capacity(value, dimension) for value in (self.change.value_before, self.change.value_after))
        return not after >= before

    def is_no_larger(self, value: str, than: str) -> bool:
        """Whether a value is known to offer no more CPU and memory than another one."""
        if self.change.attribute == MIN_SIZE:
            return value.isdecimal() and than.isdecimal() and int(value) <= int(than)
        return all(self._capacity(value, each) <= self._capacity(than, each) for each in (CPU, MEMORY))

    def price(self) -> Price:
        """What one unit costs an hour on the day, and how many there are."""
        row = self.row
        if row is None:
            return Price()
        has_standby = row["resource_type"] == _DATABASE and row["is_multi_az"] and not (row["engine"] or "").startswith("aurora")
        units = None if row["units"] is None else row["units"] * (MULTI_AZ_PRICE_FACTOR if has_standby else 1)
        before, after = self.change.value_before, self.change.value_after
        return Price(self._usd(before), self._usd(after), self._usd(row["instance_type"]), units)

    def _usd(self, size: str | None) -> float | None:
        number = self._shapes.number_of(size) if self._shapes else -1
        usd = float(self._shapes.usd_per_hour[number]) if self._shapes and number >= 0 else float("nan")
        return None if np.isnan(usd) else usd

    def _capacity(self, size: str, dimension: int) -> float:
        number = self._shapes.number_of(size) if self._shapes else -1
        return float(self._shapes.capacity[number, dimension]) if self._shapes and number >= 0 else float("nan")


def _shapes_of(catalog: Catalog, row: Mapping[str, Any]) -> Shapes:
    if row["resource_type"] == _DATABASE:
        return catalog.rds_shapes(row["region"], engine_of(row["engine"]) if row["engine"] else None)
    return catalog.ec2_shapes(row["region"])


def _measured(
    engine: Engine, lake: Lake, places: Sequence[_Place], first: date, day: date, full_cpu_pct: float
) -> dict[tuple[str, str], dict[date, Measured]]:
    """What was measured of each change, by resource and source, and day."""
    if not places:
        return {}
    engine.view(UTILIZATION_DAILY, _days(lake, UTILIZATION_DAILY, first, day))
    rows = engine.rows(statement("reports/readings_by_day"), {"resource_ids": names_of([place.change for place in places])})
    by_resource: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_resource.setdefault(row["resource_id"], []).append(row)
    found: dict[tuple[str, str], dict[date, Measured]] = {}
    for place in places:
        mine = by_resource.get(place.change.resource_id, [])
        exceeded = _exceeded(engine, place, mine, full_cpu_pct)
        found[place.change.key] = {
            row["day"]: Measured(
                samples=row["samples"],
                cpu_minutes=row["cpu_minutes"],
                memory_minutes=row["memory_minutes"],
                exceeded=exceeded.get(row["day"], 0),
                members=row["members"],
                members_samples=row["members_samples"],
            )
            for row in mine
        }
    return found


def _exceeded(engine: Engine, place: _Place, rows: Sequence[Mapping[str, Any]], full_cpu_pct: float) -> dict[date, int]:
    """How many samples of each day were at the limit of what a change took away. Only days whose highest reading is there have
    their samples read; of one whose samples are gone, one sample is known."""
    since, name = place.applied_on or date.max, place.change.resource_id
    is_group, has_less_cpu, has_less_memory = place.change.resource_type == _GROUP, place.has_less(CPU), place.has_less(MEMORY)
    peak = "cpu_peak_pct" if is_group else "cpu_average_peak_pct"
    days = [
        row["day"]
        for row in rows
        if since < row["day"] <= since + timedelta(days=WATCHED_DAYS)
        and (
            (has_less_cpu and (row[peak] or 0.0) >= full_cpu_pct)
            or (has_less_memory and (row["memory_peak_pct"] or 0.0) >= FULL_MEMORY_PCT)
        )
    ]
    if not days:
        return {}
    engine.view(UTILIZATION_SAMPLES, days)
    parameters = {
        "average_ids": [name] if has_less_cpu and not is_group else [],
        "member_ids": [name] if has_less_cpu and is_group else [],
        "memory_ids": [name] if has_less_memory else [],
        "full_cpu_pct": full_cpu_pct,
        "full_memory_pct": FULL_MEMORY_PCT,
    }
    counted = {row["day"]: row["exceeded"] for row in engine.rows(statement("reports/full_samples"), parameters)}
    return {each: max(1, counted.get(each, 0)) for each in days}


def _emergencies(engine: Engine, lake: Lake, names: Sequence[str], first: date, day: date) -> dict[str, list[Emergency]]:
    """The emergency scale-ups since the first change, by resource. What one night counted counts, whatever later ones list."""
    found: dict[str, list[Emergency]] = {}
    engine.view(EMERGENCY_SCALEUPS, _days(lake, EMERGENCY_SCALEUPS, first, day))
    parameters = {"resource_ids": list(names), "since_at": datetime.combine(first, time())}
    for row in engine.rows(statement("reports/emergencies_since"), parameters):
        found.setdefault(row["resource_id"], []).append(Emergency(row["decision_at"], row["target"]))
    return found


def _incidents(engine: Engine, changes: Sequence[AppliedChange], first: date, day: date) -> dict[str, list[datetime]] | None:
    """When incidents of the services began since the first change; None where incidents are not recorded."""
    services = sorted({change.service for change in changes if change.service})
    found: dict[str, list[datetime]] = {name: [] for name in services}
    is_there = engine.view(INCIDENTS, [day]) > 0
    engine.view(LOAD_LEDGER, [day])
    absent = {row["source"] for row in engine.rows(statement("reports/loads")) if row["status"] == "absent"}
    if not is_there or INCIDENTS.name in absent:
        return None
    parameters = {"services": services, "since_at": datetime.combine(first, time())}
    for row in engine.rows(statement("reports/incidents_since"), parameters):
        found[row["service"]].append(row["started_at"])
    return found


def _days(lake: Lake, table: Table, first: date, day: date) -> list[date]:
    return [each for each in lake.days(table) if first <= each <= day]
