"""What a smaller size must have survived, how much was needed then, and what speaks against touching a resource now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    INCIDENT_DEMAND,
    INCIDENTS,
    PROTECTED_WINDOWS,
    RESOURCE_INVENTORY,
    RESOURCE_RISKS,
    SERVICE_DEPENDENCIES,
    SERVICES,
    SLI_DAILY,
    SLOS,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.statements import statement

MINUTES_AROUND_SCALEUP = 30


def find_protected_windows(runtime: Runtime, day: date) -> int:
    """Writes ``protected_windows`` of the day, from every decision in the lake up to it; returns its rows."""
    lake = runtime.lake
    for table in (RESOURCE_INVENTORY, DECISION_AUDIT, INCIDENTS, SERVICE_DEPENDENCIES):
        lake.require(table, day)
    with open_engine(lake) as engine:
        for table in (RESOURCE_INVENTORY, INCIDENTS, SERVICE_DEPENDENCIES):
            engine.view(table, [day])
        engine.view(DECISION_AUDIT, _up_to(lake, DECISION_AUDIT, day))
        parameters = {
            "day_end": _end_of(day),
            "minutes_before": MINUTES_AROUND_SCALEUP,
            "minutes_after": MINUTES_AROUND_SCALEUP,
        }
        return engine.write(PROTECTED_WINDOWS, day, statement("marts/protected_windows"), parameters)


def measure_incident_demand(runtime: Runtime, day: date) -> list[tuple[date, int]]:
    """Writes ``incident_demand`` of the day, and of those days before it that lack one of the day's protected windows.

    Returns rows by day. A day is measured once: later nights come back to it when a window was written down late, or when its
    samples are newer than what was made of them.
    """
    runtime.lake.require(PROTECTED_WINDOWS, day)
    queue = sorted({*_gaps(runtime.lake, day), day})
    done = []
    for number, each in enumerate(queue, start=1):
        done.append((each, _measure(runtime.lake, each, day)))
        runtime.progress.update("Measuring incidents", number, len(queue))
    return done


def find_resource_risks(runtime: Runtime, day: date) -> int:
    """Writes ``resource_risks`` of the day; returns its rows."""
    lake = runtime.lake
    tables = (RESOURCE_INVENTORY, INCIDENTS, ACTION_ITEMS, SLOS)
    for table in (*tables, SLI_DAILY):
        lake.require(table, day)
    with open_engine(lake) as engine:
        for table in tables:
            engine.view(table, [day])
        engine.view(SLI_DAILY, _up_to(lake, SLI_DAILY, day))
        return engine.write(RESOURCE_RISKS, day, statement("marts/resource_risks"), {"day": day, "day_end": _end_of(day)})


def decisions_set_aside(runtime: Runtime, day: date) -> dict[str, int | str | None]:
    """How many decisions of the veto window are no emergencies and why: the one row of ``reports/decisions_set_aside``."""
    veto_days = runtime.settings.rightsizing.emergency_veto_days
    with open_engine(runtime.lake) as engine:
        engine.view(RESOURCE_INVENTORY, [day])
        engine.view(SERVICES, [day])
        engine.view(DECISION_AUDIT, days_up_to(day, veto_days))
        parameters = {"day_end": _end_of(day), "veto_days": veto_days}
        return engine.rows(statement("reports/decisions_set_aside"), parameters)[0]


def _gaps(lake: Lake, day: date) -> Iterator[date]:
    """Days before ``day`` whose demand is not complete."""
    sampled = [each for each in lake.days(UTILIZATION_SAMPLES) if each < day]
    days = sorted({*sampled, *(each for each in lake.days(UTILIZATION_DAILY) if each < day)})
    with open_engine(lake) as engine:
        engine.view(PROTECTED_WINDOWS, [day])
        engine.view(INCIDENT_DEMAND, days)
        rows = engine.rows(statement("marts/demand_gaps"), {"days": days, "sampled_days": sampled})
    yield from (row["day"] for row in rows)
    yield from (each for each in sampled if _is_stale(lake, each))


def _is_stale(lake: Lake, day: date) -> bool:
    samples, demand = lake.path(UTILIZATION_SAMPLES, day), lake.path(INCIDENT_DEMAND, day)
    return demand.is_file() and demand.stat().st_mtime_ns < samples.stat().st_mtime_ns


def _measure(lake: Lake, day: date, asked_on: date) -> int:
    """Writes the demand of ``day`` in the protected windows that are known on ``asked_on``."""
    with open_engine(lake) as engine:
        engine.view(PROTECTED_WINDOWS, [asked_on])
        # A size that no snapshot of the day tells is taken from the earliest later one.
        engine.view(RESOURCE_INVENTORY, [each for each in lake.days(RESOURCE_INVENTORY) if day <= each <= asked_on])
        for table in (UTILIZATION_DAILY, UTILIZATION_SAMPLES, INCIDENT_DEMAND):
            engine.view(table, [day])
        parameters = {"day": day, "has_samples": lake.has(UTILIZATION_SAMPLES, day)}
        return engine.write(INCIDENT_DEMAND, day, statement("marts/incident_demand"), parameters)


def _up_to(lake: Lake, table: Table, day: date) -> list[date]:
    return [each for each in lake.days(table) if each <= day]


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())
