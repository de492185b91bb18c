"""Optional tables out of PostgreSQL: what a day could know of them, which rows cannot be right, which snapshot is kept."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from dagster_project.bundle import bundled
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import (
    INCIDENT_ACTION_ITEMS,
    INCIDENTS,
    POLICIES,
    REJECTED_ROWS,
    SERVICE_DEPENDENCIES,
    SERVICES,
    SLOS,
    SNAPSHOTS,
    Table,
)
from dagster_project.pipeline.ingest_snapshots import ingest_snapshot
from dagster_project.pipeline.ledger import Load, load_of
from dagster_project.pipeline.runtime import Runtime

DAY = date(2025, 3, 9)
Execute = Callable[..., None]
Put = Callable[..., None]


@pytest.fixture
def put(execute: Execute) -> Put:
    """Inserts a row into a table of the contract that has no keys to refuse what has to be tested."""
    execute((bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8"))
    for table, columns in {
        "incidents": "incident_id title kind", "incident_action_items": "item_id title", "slos": "service name window_days",
        "services": "service", "service_dependencies": "service depends_on kind", "policies": "policy_id version name definition",
    }.items():  # fmt: skip
        execute(f"alter table {table} drop constraint {table}_pkey")
        for column in columns.split():
            execute(f"alter table {table} alter {column} drop not null, alter {column} drop default")

    def insert(table: str, **columns: object) -> None:
        execute(f"insert into {table} select * from jsonb_populate_record(null::{table}, $1)", json.dumps(columns))

    return insert


def taken(runtime: Runtime, table: Table, day: date = DAY) -> list[dict[str, Any]]:
    ingest_snapshot(runtime, table, [day])
    return rows(runtime, table, day)


def rows(runtime: Runtime, table: Table, day: date = DAY) -> list[dict[str, Any]]:
    return pl.read_parquet(runtime.lake.path(table, day), hive_partitioning=False).to_dicts()


def rejected(runtime: Runtime, table: Table) -> list[tuple[Any, ...]]:
    found = pl.read_parquet(runtime.lake.path(REJECTED_ROWS, DAY, table.name), hive_partitioning=False)
    return found.select("reason", "resource_id", "column_name", "rejected_rows", "example_value").rows()


def test_an_incident_becomes_a_row(runtime: Runtime, put: Put) -> None:
    put(
        "incidents", incident_id="INC-1", title='Payments "stopped"\n', severity="SEV-1", service="payment-api",
        status="resolved", kind="normal", impact_started_at="2025-03-03 09:14:00.5+01", detected_at="2025-03-03 08:15Z",
        acknowledged_at="2025-03-03 08:17Z", declared_at="2025-03-03 09:18Z", identified_at="2025-03-03 11:45Z",
        mitigated_at="2025-03-03 12:30Z", impact_ended_at="2025-03-03 12:37Z", resolved_at="2025-03-03 12:52Z",
        slack_channel="#inc", commander="sre", summary="",
    )  # fmt: skip
    assert taken(runtime, INCIDENTS) == [
        {
            "incident_id": "INC-1",
            "title": 'Payments "stopped"\n',
            "severity": "SEV-1",
            "service": "payment-api",
            "status": "resolved",
            "kind": "normal",
            "impact_started_at": datetime(2025, 3, 3, 8, 14, 0, 500_000),
            "detected_at": datetime(2025, 3, 3, 8, 15),
            "acknowledged_at": datetime(2025, 3, 3, 8, 17),
            "declared_at": datetime(2025, 3, 3, 9, 18),
            "identified_at": datetime(2025, 3, 3, 11, 45),
            "mitigated_at": datetime(2025, 3, 3, 12, 30),
            "impact_ended_at": datetime(2025, 3, 3, 12, 37),
            "resolved_at": datetime(2025, 3, 3, 12, 52),
            "slack_channel": "#inc",
            "commander": "sre",
            "summary": "",
        }
    ]
    assert pl.read_parquet_schema(runtime.lake.path(INCIDENTS, DAY)) == schema(INCIDENTS)
    assert load_of(runtime.lake, "incidents", DAY) == Load("incidents", "complete", 1, 1)


def test_the_other_tables_become_rows(runtime: Runtime, put: Put) -> None:
    put(
        "incident_action_items", item_id="ACT-1", incident_id="INC-1", title=" ", type="capacity", priority="P1", owner="core",
        due_on="2025-03-21", tracker="jira", tracker_key="K-1", state="open", created_at="2025-03-04 10:00Z",
    )  # fmt: skip
    put("service_dependencies", service="a", depends_on="b", kind="SOFT")
    put("service_dependencies", service="a", depends_on="c")
    put("services", service="a", team="core", tier="tier-1", requests_per_day=1.5, value_per_request_usd=0.25)
    put("slos", service="a", name="availability", objective=0.999)
    assert taken(runtime, INCIDENT_ACTION_ITEMS) == [
        {
            "item_id": "ACT-1", "incident_id": "INC-1", "title": "ACT-1", "item_type": "capacity", "priority": "P1",
            "owner": "core", "due_on": date(2025, 3, 21), "tracker": "jira", "tracker_key": "K-1", "state": "open",
            "created_at": datetime(2025, 3, 4, 10),
        }
    ]  # fmt: skip
    assert [tuple(row.values()) for row in taken(runtime, SERVICE_DEPENDENCIES)] == [("a", "b", "soft"), ("a", "c", "hard")]
    assert [tuple(row.values()) for row in taken(runtime, SERVICES)] == [("a", "core", "tier-1", 1.5, 0.25)]
    assert [tuple(row.values()) for row in taken(runtime, SLOS)] == [("a", "availability", 0.999, 30)]


def test_what_happened_after_the_day_is_not_known_on_it(runtime: Runtime, put: Put) -> None:
    put(
        "incidents", incident_id="over", status="resolved", impact_started_at="2025-03-09 20:00Z", resolved_at="2025-03-09 23:59Z"
    )
    put(
        "incidents", incident_id="open", status="resolved", impact_started_at="2025-03-09 20:00Z", resolved_at="2025-03-10 00:00Z"
    )
    put("incidents", incident_id="later", status="open", detected_at="2025-03-10 00:00Z")
    put("incidents", incident_id="undated", status="open")
    put("incident_action_items", item_id="1", created_at="2025-03-09 23:59Z")
    put("incident_action_items", item_id="2", created_at="2025-03-10 00:00Z")
    put("incident_action_items", item_id="3")
    found = {row["incident_id"]: (row["status"], row["resolved_at"]) for row in taken(runtime, INCIDENTS)}
    assert found == {"over": ("resolved", datetime(2025, 3, 9, 23, 59)), "open": (None, None), "undated": ("open", None)}
    assert [row["item_id"] for row in taken(runtime, INCIDENT_ACTION_ITEMS)] == ["1", "3"]


def test_an_incident_that_ends_before_it_starts_is_set_aside(runtime: Runtime, put: Put) -> None:
    started = {"impact_started_at": "2025-03-03 08:00Z", "detected_at": "2025-03-03 08:30Z"}
    put("incidents", incident_id="year-off", impact_ended_at="2024-03-03 12:00Z", **started)
    put("incidents", incident_id="mitigated", mitigated_at="2025-03-03 07:59:59Z", **started)
    put("incidents", incident_id="instant", impact_ended_at="2025-03-03 08:00Z", **started)
    put("incidents", incident_id="declared-late", impact_ended_at="2025-03-03 08:10Z", declared_at="2025-03-03 09:00Z", **started)
    assert [row["incident_id"] for row in taken(runtime, INCIDENTS)] == ["declared-late", "instant"]
    assert rejected(runtime, INCIDENTS) == [
        ("ends_before_start", "mitigated", "impact_ended_at", 1, ""),
        ("ends_before_start", "year-off", "impact_ended_at", 1, "2024-03-03 12:00:00.000000"),
    ]
    assert load_of(runtime.lake, "incidents", DAY) == Load("incidents", "complete", 4, 2, 2)


@pytest.mark.parametrize("objective", [0, 1, 1.5, -0.1, 99.9, "NaN", None])
def test_an_objective_is_a_share_between_nothing_and_everything(
    runtime: Runtime, put: Put, execute: Execute, objective: object
) -> None:
    execute("alter table slos alter objective drop not null")
    put("slos", service="a", name="good", objective=0.9995, window_days=7)
    put("slos", service="a", name="window", objective=0.9, window_days=0)
    execute("insert into slos values ('a', 'wrong', $1::text::float8, 30)", None if objective is None else str(objective))
    assert [row["name"] for row in taken(runtime, SLOS)] == ["good"]
    assert [row[:4] for row in rejected(runtime, SLOS)] == [
        ("impossible_value", "a/window", "window_days", 1),
        ("impossible_value", "a/wrong", "objective", 1),
    ]


def test_a_version_of_a_policy_becomes_a_row_and_its_number_is_a_part_of_its_name(runtime: Runtime, put: Put) -> None:
    definition = {"cooldown_s": 300, "max_executions": 3}
    put("policies", policy_id="p-1", version=1, name="CPU", definition=definition, created_at="2025-03-01 10:00Z")
    for _ in range(2):
        put("policies", policy_id="p-1", version=2, definition={})
    put("policies", policy_id="p-1", version=3, name="of tomorrow", definition={}, created_at="2025-03-10 00:00Z")
    put("policies", policy_id="p-1", version=None, name="lost")
    put("policies", policy_id="", version=1)
    found = [(row["policy_id"], row["version"], row["name"], row["created_at"]) for row in taken(runtime, POLICIES)]
    assert found == [("p-1", 1, "CPU", datetime(2025, 3, 1, 10)), ("p-1", 2, "p-1", None)]
    assert json.loads(rows(runtime, POLICIES)[0]["definition"]) == definition
    assert rejected(runtime, POLICIES) == [
        ("duplicate_key", "p-1/2", "policy_id, version", 1, "p-1/2"),
        ("missing_policy_id", "", "policy_id", 1, ""),
        ("missing_version", "", "version", 1, ""),
    ]


def test_rows_without_an_id_and_repeated_ones_are_set_aside(runtime: Runtime, put: Put) -> None:
    for kind in ("hard", "soft", "soft"):
        put("service_dependencies", service="a", depends_on="b", kind=kind)
    put("service_dependencies", service="", depends_on="b")
    put("service_dependencies", service="a", depends_on=None)
    put("incidents", incident_id=None, detected_at="2025-03-01 10:00Z")
    assert [tuple(row.values()) for row in taken(runtime, SERVICE_DEPENDENCIES)] == [("a", "b", "hard")]
    assert rejected(runtime, SERVICE_DEPENDENCIES) == [
        ("duplicate_key", "a/b", "service, depends_on", 2, "a/b"),
        ("missing_depends_on", "", "depends_on", 1, ""),
        ("missing_service", "", "service", 1, ""),
    ]
    assert taken(runtime, INCIDENTS) == []
    assert rejected(runtime, INCIDENTS) == [("missing_incident_id", "", "incident_id", 1, "")]


@pytest.mark.parametrize("table", SNAPSHOTS, ids=lambda table: table.name)
def test_a_table_that_is_absent_is_an_empty_partition_and_a_line_of_the_ledger(
    runtime: Runtime, execute: Execute, table: Table
) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8)")
    execute("create table decision_audit (decision_time timestamptz, target text)")
    assert taken(runtime, table) == []
    load = load_of(runtime.lake, table.name, DAY)
    assert (load.status, load.rows_read, load.missing_columns.split(", ")[0]) == ("absent", 0, table.grain[0])


def test_a_snapshot_of_a_past_day_is_kept_when_the_day_is_run_again(runtime: Runtime, put: Put, execute: Execute) -> None:
    put("slos", service="a", name="availability", objective=0.99)
    taken(runtime, SLOS)
    execute("update slos set objective = 0.999")
    later = replace(runtime, now=runtime.now + timedelta(days=1))
    assert taken(later, SLOS)[0]["objective"] == 0.99
    assert dict(ingest_snapshot(later, SLOS, [DAY]))[DAY].status == "complete"
    execute("drop table slos")
    assert taken(later, SLOS)[0]["objective"] == 0.99


def test_a_snapshot_that_is_taken_late_says_so_and_is_taken_again(runtime: Runtime, put: Put, execute: Execute) -> None:
    past = DAY - timedelta(days=20)
    put("slos", service="a", name="availability", objective=0.99)
    assert dict(ingest_snapshot(runtime, SLOS, [past]))[past].status == "late"
    execute("update slos set objective = 0.999")
    assert taken(runtime, SLOS, past)[0]["objective"] == 0.999


def test_a_table_that_appears_is_read_where_it_was_absent(runtime: Runtime, put: Put, execute: Execute) -> None:
    execute("alter table services rename to elsewhere")
    assert taken(runtime, SERVICES) == []
    execute("alter table elsewhere rename to services")
    put("services", service="a")
    later = replace(runtime, now=runtime.now + timedelta(days=1))
    assert [row["service"] for row in taken(later, SERVICES)] == ["a"]
    assert load_of(runtime.lake, "services", DAY).status == "late"
