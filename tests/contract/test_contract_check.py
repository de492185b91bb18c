"""What a database has of the contract, and the sentence for what it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from dagster_project.bundle import bundled
from dagster_project.errors import ContractError, NightshiftError
from dagster_project.settings import SourceSettings
from dagster_project.sources.contract import CONTRACT, OPTIONAL_TABLES, Contract, check_contract
from dagster_project.statements import statement

Execute = Callable[..., None]

MINIMAL = """
create table resources (resource_id text, type text, current_config jsonb);
create table utilization (resource_id text, timestamp timestamptz, cpu_avg double precision);
create table decision_audit (decision_time timestamptz, target text);
"""
OPTIONAL = """
create table incidents (incident_id text);
create table incident_action_items (item_id text);
create table service_dependencies (service text, depends_on text);
create table services (service text);
create table slos (service text, name text, objective double precision);
create table sli_events (service text, name text, timestamp timestamptz, good double precision, total double precision);
create table policies (policy_id text, version integer);
create table change_events (change_id text, occurred_at timestamptz);
"""
START, END = datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC)


def check(dsn: str, **settings: object) -> Contract:
    async def run() -> Contract:
        connection = await asyncpg.connect(dsn)
        try:
            return await check_contract(connection, SourceSettings(**settings))
        finally:
            await connection.close()

    return asyncio.run(run())


def fetch(dsn: str, contract: Contract, extract: str, table: str, *arguments: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn, server_settings={"TimeZone": "UTC"})
        try:
            return await connection.fetch(contract.query(statement(f"extract/{extract}"), table), *arguments)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.fixture
def minimal(dsn: str, execute: Execute) -> str:
    """A database with the required columns and no others."""
    execute(MINIMAL)
    return dsn


def test_the_shipped_tables_have_the_whole_contract(dsn: str, execute: Execute) -> None:
    execute((bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8"))
    contract = check(dsn)
    assert {table: contract.missing(table) for table in CONTRACT} == dict.fromkeys(CONTRACT, ())


@pytest.fixture
def whole(minimal: str, execute: Execute) -> str:
    """A database with the required columns of every table, optional ones included."""
    execute(OPTIONAL)
    return minimal


@pytest.mark.parametrize("table", [table for table in CONTRACT if table not in OPTIONAL_TABLES])
def test_a_table_that_is_missing_is_named_with_both_ways_out(minimal: str, execute: Execute, table: str) -> None:
    execute(f"drop table {table}")
    with pytest.raises(ContractError) as caught:
        check(minimal)
    assert str(caught.value) == (
        f"The database has no table public.{table}, which the decision engine's {table} is read from; "
        f"create it, or set source.schema_name or source.tables.{table}."
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column.name) for table, columns in CONTRACT.items() for column in columns if column.required],
)
def test_a_required_column_that_is_missing_is_named(whole: str, execute: Execute, table: str, column: str) -> None:
    execute(f'alter table {table} drop column "{column}"')
    with pytest.raises(ContractError) as caught:
        check(whole)
    do_without = f', or set source.tables.{table} = "" to do without' if table in OPTIONAL_TABLES else ""
    assert str(caught.value) == (
        f"Column {column} is missing in public.{table}; add it, or map the contract's {table}.{column} to its name "
        f"with source.columns.{table}.{column}{do_without}."
    )


def test_the_smallest_schema_is_enough_and_everything_else_is_said_to_be_missing(minimal: str) -> None:
    contract = check(minimal)
    for table, columns in CONTRACT.items():
        is_absent = table in OPTIONAL_TABLES
        assert contract.has(table) is not is_absent
        assert contract.missing(table) == tuple(column.name for column in columns if is_absent or not column.required)


def test_of_an_optional_table_that_is_there_only_the_optional_columns_are_missing(whole: str) -> None:
    contract = check(whole)
    for table, columns in CONTRACT.items():
        assert contract.has(table)
        assert contract.missing(table) == tuple(column.name for column in columns if not column.required)


def test_some_of_the_optional_tables_are_enough(minimal: str, execute: Execute) -> None:
    execute("create table slos (service text, name text, objective real, colour text)")
    contract = check(minimal)
    assert {table for table in OPTIONAL_TABLES if contract.has(table)} == {"slos"}
    assert contract.missing("slos") == ("window_days",)


@pytest.mark.parametrize("settings", [{"tables": {"services": "apps"}}, {"columns": {"services": {"team": "squad"}}}])
def test_an_optional_table_that_the_settings_map_must_be_there(minimal: str, settings: dict[str, object]) -> None:
    name = settings.get("tables", {}).get("services", "services")
    with pytest.raises(ContractError) as caught:
        check(minimal, **settings)
    assert str(caught.value) == (
        f"The database has no table public.{name}, which the settings map services to; create it, or correct "
        'source.tables.services ("" = there is none).'
    )


def test_somebody_else_s_table_of_an_optional_name_can_be_left_alone(minimal: str, execute: Execute) -> None:
    execute("create table services (id integer)")
    with pytest.raises(
        ContractError, match=r'Column service is missing in public\.services; .*, or set source\.tables\.services = ""'
    ):
        check(minimal)
    assert not check(minimal, tables={"services": ""}).has("services")


def test_missing_columns_are_read_as_unknown(minimal: str, execute: Execute) -> None:
    execute("insert into utilization values ('i-1', '2025-03-09 10:00+00', 20)")
    execute("insert into resources values ('i-1', 'ec2_instance', '{\"instance_type\": \"m5.large\"}')")
    execute("insert into decision_audit values ('2025-03-09 10:00+00', 'i-1')")
    contract = check(minimal)
    (sample,) = fetch(minimal, contract, "utilization_samples", "utilization", START, END)
    (resource,) = fetch(minimal, contract, "resource_inventory", "resources", END)
    (decision,) = fetch(minimal, contract, "decision_audit", "decision_audit", START, END)
    assert (sample["cpu_avg_pct"], sample["mem_max_pct"]) == (20, -1.7976931348623157e308)
    assert (resource["instance_type"], resource["service"], resource["tags"]) == ("m5.large", None, "{}")
    assert (decision["action_type"], decision["outcome"], decision["is_dry_run"]) == (None, None, False)
    assert len(decision["decision_id"]) == 32


CAST = "alter it, or map the table to a view that casts it."
OR_WITHOUT = 'alter it, or map the table to a view that casts it, or set source.tables.{} = "" to do without.'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "alter table utilization alter timestamp type timestamp",
            "Column timestamp of public.utilization is timestamp, and timestamptz is needed; a time without a zone is "
            "ambiguous: alter it to timestamptz, or map the table to a view that says its zone.",
        ),
        (
            "alter table decision_audit alter decision_time type date",
            f"Column decision_time of public.decision_audit is date, and timestamptz is needed; {CAST}",
        ),
        (
            "alter table utilization alter cpu_avg type text",
            f"Column cpu_avg of public.utilization is text, and double precision is needed; {CAST}",
        ),
        (
            "alter table resources alter current_config type text",
            f"Column current_config of public.resources is text, and jsonb is needed; {CAST}",
        ),
        (
            "alter table decision_audit add dry_run text",
            f"Column dry_run of public.decision_audit is text, and boolean is needed; {CAST}",
        ),
        (
            "alter table decision_audit add policy_version numeric",
            f"Column policy_version of public.decision_audit is numeric, and integer is needed; {CAST}",
        ),
        (
            "alter table incidents alter incident_id type integer using 1",
            f"Column incident_id of public.incidents is int4, and text is needed; {OR_WITHOUT.format('incidents')}",
        ),
        (
            "alter table incidents add impact_started_at timestamp",
            "Column impact_started_at of public.incidents is timestamp, and timestamptz is needed; a time without a zone is "
            "ambiguous: alter it to timestamptz, or map the table to a view that says its zone, "
            'or set source.tables.incidents = "" to do without.',
        ),
        (
            "alter table incident_action_items add due_on timestamptz",
            "Column due_on of public.incident_action_items is timestamptz, and date is needed; "
            + OR_WITHOUT.format("incident_action_items"),
        ),
        (
            "alter table slos alter objective type text",
            f"Column objective of public.slos is text, and double precision is needed; {OR_WITHOUT.format('slos')}",
        ),
        (
            "alter table sli_events alter timestamp type date",
            f"Column timestamp of public.sli_events is date, and timestamptz is needed; {OR_WITHOUT.format('sli_events')}",
        ),
    ],
)
def test_a_column_of_another_type_is_named_with_both_types(whole: str, execute: Execute, change: str, said: str) -> None:
    execute(change)
    with pytest.raises(ContractError) as caught:
        check(whole)
    assert str(caught.value) == said


@pytest.mark.parametrize("kind", ["float4", "numeric(6,3)", "integer", "smallint", "bigint"])
def test_any_number_is_taken_for_a_number(minimal: str, execute: Execute, kind: str) -> None:
    execute(f"alter table utilization alter cpu_avg type {kind}")
    execute("insert into utilization values ('i-1', '2025-03-09 10:00+00', 20)")
    (sample,) = fetch(minimal, check(minimal), "utilization_samples", "utilization", START, END)
    assert sample["cpu_avg_pct"] == 20.0
    assert isinstance(sample["cpu_avg_pct"], float)


def test_an_id_may_be_a_uuid_a_domain_or_a_varchar(minimal: str, execute: Execute) -> None:
    name = "8f14e45f-ceea-467f-a0e6-3b1d1a4c1a11"
    execute("create domain id as varchar(40) check (value <> '')")
    execute("alter table resources alter resource_id type uuid using resource_id::uuid")
    execute("alter table utilization alter resource_id type id")
    execute(f"insert into resources values ('{name}', 'ec2_instance', '{{}}')")
    keys = fetch(minimal, check(minimal), "resource_keys", "resources")
    assert {row["resource_id"] for row in keys} == {name}


def test_tables_and_columns_can_have_other_names_in_another_schema(dsn: str, execute: Execute) -> None:
    execute('create schema "Engine"')
    execute('create table "Engine"."metrics ""5m""" ("Resource" text, ts timestamptz, "select" real)')
    execute('create table "Engine".resources (resource_id text, type text, current_config json)')
    execute("create view \"Engine\".decisions as select now() as decision_time, 'i-1'::text as target")
    execute("""insert into "Engine"."metrics ""5m""\" values ('i-1', '2025-03-09 10:00+00', 20)""")
    contract = check(
        dsn,
        schema_name="Engine",
        tables={"utilization": 'metrics "5m"', "decision_audit": "decisions"},
        columns={"utilization": {"resource_id": "Resource", "timestamp": "ts", "cpu_avg": "select"}},
    )
    (sample,) = fetch(dsn, contract, "utilization_samples", "utilization", START, END)
    assert (sample["sampled_at"], sample["cpu_avg_pct"]) == (datetime(2025, 3, 9, 10, tzinfo=UTC), 20)


def test_a_mapped_column_that_is_missing_is_an_error_even_where_it_is_optional(minimal: str) -> None:
    with pytest.raises(
        ContractError, match=r"Column memory is missing in public\.utilization; add it, or map .* utilization\.mem_avg"
    ):
        check(minimal, columns={"utilization": {"mem_avg": "memory"}})


def test_a_mapping_of_no_column_of_the_contract_is_named(minimal: str) -> None:
    with pytest.raises(ContractError, match=r"source\.columns\.utilization maps cpu, which is no column of the contract"):
        check(minimal, columns={"utilization": {"cpu": "cpu_avg"}})


@pytest.mark.parametrize("setting", ["tables", "columns"])
def test_a_mapping_of_no_table_of_the_contract_is_named(minimal: str, setting: str) -> None:
    value = "metrics" if setting == "tables" else {"cpu_avg": "cpu"}
    with pytest.raises(ContractError, match="utilisation"):
        check(minimal, **{setting: {"utilisation": value}})


def test_a_column_that_was_dropped_is_missing_and_one_that_the_contract_lacks_is_ignored(minimal: str, execute: Execute) -> None:
    execute("alter table utilization add mem_avg real, add colour text")
    execute("alter table utilization drop mem_avg")
    assert "mem_avg" in check(minimal).missing("utilization")


def test_a_number_that_does_not_fit_is_a_sentence(minimal: str, execute: Execute, runtime: object) -> None:
    from datetime import date

    from dagster_project.pipeline.ingest_records import ingest_decisions

    execute("alter table decision_audit add policy_version bigint")
    execute("insert into decision_audit values ('2025-03-09 10:00+00', 'i-1', 5000000000)")
    with pytest.raises(NightshiftError):
        ingest_decisions(runtime, [date(2025, 3, 9)])
