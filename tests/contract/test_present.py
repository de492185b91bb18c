"""What is asked of the decision engine's database right before a change: decisions that may have needed the capacity, and open
incidents of the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from dagster_project.bundle import bundled
from dagster_project.settings import SourceSettings
from dagster_project.sources.contract import Contract, check_contract
from dagster_project.sources.present import decided_since, open_incident

Execute = Callable[..., None]
Put = Callable[..., None]

SINCE = datetime(2025, 3, 10, tzinfo=UTC)
NOW = datetime(2025, 3, 10, 2, tzinfo=UTC)
NAMES = ("i-1", "workers", "payment-api")
"""A resource, its group and its service."""


@pytest.fixture
def put(execute: Execute) -> Put:
    """Inserts a row into a table of the contract that lets everything be unknown."""
    execute((bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8"))
    execute("alter table decision_audit alter dry_run drop not null; alter table incidents alter title drop not null")

    def insert(table: str, **columns: object) -> None:
        if table == "decision_audit":
            columns = {"decision_id": json.dumps(columns, sort_keys=True), "dry_run": False, **columns}
        elif "kind" not in columns:
            columns = {"kind": "normal", **columns}
        execute(f"insert into {table} select * from jsonb_populate_record(null::{table}, $1)", json.dumps(columns))

    return insert


def asked(dsn: str, question: Callable[[asyncpg.Connection, Contract], Awaitable[str | None]], **settings: Any) -> str | None:
    async def run() -> str | None:
        connection = await asyncpg.connect(dsn)
        try:
            return await question(connection, await check_contract(connection, SourceSettings(**settings)))
        finally:
            await connection.close()

    return asyncio.run(run())


def decided(dsn: str, *names: str, **settings: Any) -> str | None:
    """What was decided about some names since midnight."""
    return asked(dsn, lambda connection, contract: decided_since(connection, contract, names or NAMES, SINCE), **settings)


def incident(dsn: str, service: str = "payment-api", **settings: Any) -> str | None:
    """The incident of a service that is open at two o'clock."""
    return asked(dsn, lambda connection, contract: open_incident(connection, contract, service, NOW), **settings)


def test_without_a_decision_nothing_was_decided(dsn: str, put: Put) -> None:
    assert decided(dsn) is None


@pytest.mark.parametrize("target", NAMES)
def test_a_decision_is_about_a_resource_by_its_own_name_its_groups_or_its_services(dsn: str, put: Put, target: str) -> None:
    put("decision_audit", decision_time="2025-03-10 01:30+01", target=target, action_type="scale_up", outcome="succeeded")
    assert decided(dsn) == f"scale_up of {target} on 2025-03-10 at 00:30 UTC"
    assert decided(dsn, "i-2", "search-api") is None


@pytest.mark.parametrize(
    "columns",
    [
        {"action_type": "scale_up", "dry_run": True},
        {"action_type": "scale_up", "outcome": "failed"},
        {"action_type": "scale_up", "outcome": "skipped"},
        {"action_type": "scale_down", "outcome": "succeeded"},
        {"action_type": "notify", "outcome": "succeeded"},
        {"action_type": "no_action", "outcome": "succeeded"},
        {"action_type": "scale_up", "outcome": "succeeded", "decision_time": "2025-03-09 23:59:59.999999Z"},
    ],
    ids=str,
)
def test_what_did_not_happen_needed_no_capacity_or_is_in_the_nights_evidence_does_not_count(
    dsn: str, put: Put, columns: dict[str, Any]
) -> None:
    put("decision_audit", **{"decision_time": "2025-03-10 01:00Z", "target": "i-1", **columns})
    assert decided(dsn) is None


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"action_type": "scale_up", "outcome": "succeeded"}, "scale_up"),
        ({"action_type": "scale_up", "outcome": "rolled_back"}, "scale_up"),
        ({"action_type": "scale_up", "outcome": "who knows"}, "scale_up"),
        ({"action_type": "scale_up"}, "scale_up"),
        ({"action_type": "scale_up", "dry_run": None}, "scale_up"),
        ({"action_type": "failover"}, "failover"),
        ({"action_type": "kill_switch"}, "kill_switch"),
        ({"action_type": "double_everything"}, "double_everything"),
        ({"action_type": "SCALE_DOWN"}, "SCALE_DOWN"),
        ({"action_type": "scale_up", "decision_time": "2025-03-10 00:00Z"}, "scale_up"),
        ({}, "a decision"),
    ],
    ids=str,
)
def test_whatever_is_not_known_to_be_harmless_counts(dsn: str, put: Put, columns: dict[str, Any], told: str) -> None:
    put("decision_audit", **{"decision_time": "2025-03-10 00:00Z", "target": "i-1", **columns})
    assert decided(dsn) == f"{told} of i-1 on 2025-03-10 at 00:00 UTC"


def test_of_several_decisions_the_first_that_counts_is_told(dsn: str, put: Put) -> None:
    for hour, target, action in ((1, "i-1", "restart"), (3, "workers", "scale_up"), (0, "i-1", "notify"), (2, "i-9", "scale_up")):
        put("decision_audit", decision_time=f"2025-03-10 {hour:02}:00Z", target=target, action_type=action)
    assert decided(dsn) == "restart of i-1 on 2025-03-10 at 01:00 UTC"


def test_a_database_that_says_of_decisions_no_more_than_it_must_has_none_that_is_harmless(dsn: str, execute: Execute) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8)")
    execute("create table decision_audit (decision_time timestamptz, target text)")
    execute("insert into decision_audit values ('2025-03-10 01:00Z', 'i-1')")
    assert decided(dsn) == "a decision of i-1 on 2025-03-10 at 01:00 UTC"
    assert incident(dsn) is None


def test_decisions_and_incidents_are_read_under_the_names_that_the_settings_map(dsn: str, put: Put, execute: Execute) -> None:
    put("decision_audit", decision_time="2025-03-10 01:00Z", target="i-1", action_type="scale_up")
    put("incidents", incident_id="INC-1", title="Slow", service="payment-api", detected_at="2025-03-10 01:00Z")
    execute('alter table decision_audit rename to "Audit"; alter table "Audit" rename action_type to "What"')
    execute("alter table incidents rename to outages; alter table outages rename service to component")
    execute("create schema engine")
    for table in ('"Audit"', "outages", "resources", "utilization"):
        execute(f"alter table {table} set schema engine")
    names: dict[str, Any] = {
        "schema_name": "engine",
        "tables": {"decision_audit": "Audit", "incidents": "outages"},
        "columns": {"decision_audit": {"action_type": "What"}, "incidents": {"service": "component"}},
    }
    assert decided(dsn, **names) == "scale_up of i-1 on 2025-03-10 at 01:00 UTC"
    assert incident(dsn, **names) == "INC-1 (Slow)"


def test_an_incident_of_a_service_is_open_whatever_the_case_of_the_name(dsn: str, put: Put) -> None:
    put("incidents", incident_id="INC-1", title="Payments are slow", service="Payment-API", impact_started_at="2025-03-10 01:30Z")
    assert incident(dsn) == "INC-1 (Payments are slow)"
    assert incident(dsn, "PAYMENT-api") == "INC-1 (Payments are slow)"
    assert incident(dsn, "search-api") is None
    assert incident(dsn, "payment") is None


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"title": None},
        {"impact_started_at": "2025-03-10 02:00Z"},
        {"detected_at": "2025-03-10 01:00Z"},
        {"status": "open"},
        {"status": "Investigating"},
        {"status": "nobody knows this one"},
        {"kind": "scheduled"},
        {"kind": "backfilled"},
        {"impact_ended_at": "2025-03-10 02:00:01Z", "status": "open"},
        {"resolved_at": "2025-03-10 03:00Z"},
        {"impact_started_at": None, "status": "open", "declared_at": None},
    ],
    ids=str,
)
def test_an_incident_is_open_until_something_says_that_it_is_not(dsn: str, put: Put, columns: dict[str, Any]) -> None:
    put("incidents", **{"incident_id": "INC-1", "title": "Slow", "service": "payment-api", **columns})
    assert incident(dsn) == f"INC-1 ({columns.get('title', 'Slow') or 'without a title'})"


@pytest.mark.parametrize(
    "columns",
    [
        {"impact_started_at": "2025-03-10 02:00:01Z"},
        {"detected_at": "2025-03-10 05:00Z"},
        {"impact_ended_at": "2025-03-10 02:00Z"},
        {"impact_ended_at": "2025-03-10 01:00Z", "status": "open"},
        {"resolved_at": "2025-03-10 01:59Z"},
        {"kind": "drill"},
        {"kind": "Test"},
        *({"status": status} for status in ("resolved", "Closed", "postmortem", "merged", "declined", "canceled", "CANCELLED")),
    ],
    ids=str,
)
def test_an_incident_that_is_over_to_come_or_a_drill_is_not_open(dsn: str, put: Put, columns: dict[str, Any]) -> None:
    put("incidents", **{"incident_id": "INC-1", "title": "Slow", "service": "payment-api", **columns})
    assert incident(dsn) is None


def test_of_several_incidents_the_first_by_its_id_is_told(dsn: str, put: Put) -> None:
    for number, status in ((3, "open"), (1, "closed"), (2, "open")):
        put("incidents", incident_id=f"INC-{number}", title="Slow", service="payment-api", status=status)
    assert incident(dsn) == "INC-2 (Slow)"


def test_a_database_without_incidents_has_none_that_is_open(dsn: str, put: Put, execute: Execute) -> None:
    execute("drop table incidents")
    assert incident(dsn) is None


def test_incidents_that_the_settings_do_without_are_not_read(dsn: str, put: Put) -> None:
    put("incidents", incident_id="INC-1", title="Slow", service="payment-api")
    assert incident(dsn) == "INC-1 (Slow)"
    assert incident(dsn, tables={"incidents": ""}) is None
