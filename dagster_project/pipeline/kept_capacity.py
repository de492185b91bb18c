"""What incidents and right-sizing leave to each other: capacity that an incident bought and nobody took away, and links."""

from __future__ import annotations

from datetime import date

from dagster_project.lake.engine import open_engine
from dagster_project.lake.incident_tables import (
    CAPTURED_EVENTS,
    INCIDENT_LINKS,
    INCIDENT_RECORDS,
    KEPT_CAPACITY,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    PROPOSAL_OUTCOMES,
    PROTECTED_WINDOWS,
    RESOURCE_INVENTORY,
    Table,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

SUSPECT_DAYS = 14
"""A change that became live so long before an incident may have to do with it."""


def find_kept_capacity(runtime: Runtime, day: date) -> int:
    """Writes ``kept_capacity`` of the day from all decisions and inventories up to it; returns its rows."""
    lake = runtime.lake
    for table in (INCIDENT_RECORDS, DECISION_AUDIT, RESOURCE_INVENTORY):
        lake.require(table, day)
    with open_engine(lake) as engine:
        engine.view(INCIDENT_RECORDS, [day])
        for table in (DECISION_AUDIT, CAPTURED_EVENTS, RESOURCE_INVENTORY):
            engine.view(table, _up_to(lake, table, day))
        return engine.write(KEPT_CAPACITY, day, statement("marts/kept_capacity"), {"day": day})


def link_incidents(runtime: Runtime, day: date) -> int:
    """Writes ``incident_links`` of the day; returns its rows."""
    lake = runtime.lake
    for table in (INCIDENT_RECORDS, PROTECTED_WINDOWS):
        lake.require(table, day)
    with open_engine(lake) as engine:
        for table in (INCIDENT_RECORDS, PROTECTED_WINDOWS):
            engine.view(table, [day])
        engine.view(PROPOSAL_OUTCOMES, _up_to(lake, PROPOSAL_OUTCOMES, day))
        return engine.write(INCIDENT_LINKS, day, statement("marts/incident_links"), {"day": day, "suspect_days": SUSPECT_DAYS})


def _up_to(lake: Lake, table: Table, day: date) -> list[date]:
    return [each for each in lake.days(table) if each <= day]
