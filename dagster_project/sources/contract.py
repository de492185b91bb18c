"""The contract with the decision engine's database: which tables and columns are read, and what is there of them.

Required columns are all that the decision engine promises. Everything else is used where it exists; where it does not, the
statements of ``sql/extract`` see a typed null, and the report says which evidence is therefore missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg

from dagster_project.errors import ContractError
from dagster_project.settings import SourceSettings
from dagster_project.statements import Statement

# Kind → PostgreSQL types (pg_type.typname) that are taken for it, and the cast that makes them one.
_KINDS: dict[str, tuple[frozenset[str], str]] = {
    "text": (frozenset({"text", "varchar", "bpchar", "name", "uuid", "citext"}), "text"),
    "timestamptz": (frozenset({"timestamptz"}), "timestamptz"),
    "number": (frozenset({"float8", "float4", "numeric", "int2", "int4", "int8"}), "double precision"),
    "integer": (frozenset({"int2", "int4", "int8"}), "integer"),
    "json": (frozenset({"jsonb", "json"}), "jsonb"),
    "boolean": (frozenset({"bool"}), "boolean"),
}
_TYPE_NAMES = {"number": "double precision", "json": "jsonb", "boolean": "boolean"}


@dataclass(frozen=True)
class Column:
    """One column of the contract. ``kind`` is text, timestamptz, number, integer, json or boolean."""

    name: str
    kind: str
    required: bool = False


def _columns(required: str, optional: str) -> tuple[Column, ...]:
    def parse(text: str, is_required: bool) -> list[Column]:
        return [Column(*item.split(":"), required=is_required) for item in text.split()]

    return (*parse(required, True), *parse(optional, False))


CONTRACT: dict[str, tuple[Column, ...]] = {
    "resources": _columns(
        "resource_id:text type:text current_config:json",
        "account_id:text service:text team:text environment:text tags:json created_at:timestamptz config_changed_at:timestamptz",
    ),
    "utilization": _columns(
        "resource_id:text timestamp:timestamptz cpu_avg:number",
        "cpu_max:number mem_avg:number mem_max:number net_in_bytes:number net_out_bytes:number disk_read_bytes:number "
        "disk_write_bytes:number disk_read_ops:number disk_write_ops:number cpu_credit_balance:number in_service:number",
    ),
    "decision_audit": _columns(
        "decision_time:timestamptz target:text",
        "decision_id:text action_type:text policy_id:text policy_version:integer policy_name:text event_id:text "
        "event_time:timestamptz metrics:json payload:json outcome:text outcome_reason:text dry_run:boolean "
        "duration_ms:number incident_id:text",
    ),
}


@dataclass(frozen=True)
class Contract:
    """What a database has of the contract: contract table → contract column → its quoted name there."""

    tables: Mapping[str, Mapping[str, str]]
    relations: Mapping[str, str]

    def missing(self, table: str) -> tuple[str, ...]:
        """Optional columns that the database does not have, in the contract's order."""
        return tuple(column.name for column in CONTRACT[table] if column.name not in self.tables[table])

    def query(self, extract: Statement, table: str) -> str:
        """The text of an extract statement that reads ``table`` in the contract's full shape.

        The shape is a common table expression (a view would need the right to create one, which read replicas lack);
        PostgreSQL inlines it. ``$names`` become the positions in which ``extract.params`` lists them.
        """
        selected = ", ".join(
            f"{self.tables[table][column.name]}::{_KINDS[column.kind][1]} as {_quoted(column.name)}"
            if column.name in self.tables[table]
            else f"null::{_KINDS[column.kind][1]} as {_quoted(column.name)}"
            for column in CONTRACT[table]
        )
        text = extract.text
        for position, name in enumerate(extract.params, start=1):
            text = text.replace(f"${name}", f"${position}")
        return f"with {_quoted(table)} as (select {selected} from {self.relations[table]}) {text}"


async def check_contract(connection: asyncpg.Connection, settings: SourceSettings) -> Contract:
    """Compares the database with the contract.

    Raises ``ContractError`` that names the first table or column that is required and missing, or of another type.
    """
    for setting, named in (("tables", settings.tables), ("columns", settings.columns)):
        for table in sorted(set(named) - set(CONTRACT)):
            raise ContractError(f"source.{setting} maps {table}, which is no table of the contract; correct its name.")
    tables: dict[str, dict[str, str]] = {}
    relations: dict[str, str] = {}
    for table, columns in CONTRACT.items():
        name = settings.tables.get(table, table)
        found = await _found_columns(connection, settings.schema_name, name)
        if found is None:
            raise ContractError(
                f"The database has no table {settings.schema_name}.{name}, which the decision engine's {table} is read from; "
                f"create it, or set source.schema_name or source.tables.{table}."
            )
        relations[table] = f"{_quoted(settings.schema_name)}.{_quoted(name)}"
        mapping = settings.columns.get(table, {})
        _check_mapping(table, mapping)
        tables[table] = {}
        for column in columns:
            there = mapping.get(column.name, column.name)
            kind = found.get(there)
            if kind is None:
                if column.required or column.name in mapping:
                    raise ContractError(
                        f"Column {there} is missing in {settings.schema_name}.{name}; add it, or map the contract's "
                        f"{table}.{column.name} to its name with source.columns.{table}.{column.name}."
                    )
                continue
            if kind not in _KINDS[column.kind][0]:
                raise ContractError(
                    f"Column {there} of {settings.schema_name}.{name} is {kind}, and {_TYPE_NAMES.get(column.kind, column.kind)} "
                    f"is needed{_remedy(column.kind, kind)}."
                )
            tables[table][column.name] = _quoted(there)
    return Contract(tables, relations)


def _check_mapping(table: str, mapping: Mapping[str, str]) -> None:
    unknown = sorted(set(mapping) - {column.name for column in CONTRACT[table]})
    if unknown:
        raise ContractError(f"source.columns.{table} maps {unknown[0]}, which is no column of the contract; correct its name.")


def _remedy(wanted: str, found: str) -> str:
    if wanted == "timestamptz" and found == "timestamp":
        return "; a time without a zone is ambiguous: alter it to timestamptz, or map the table to a view that says its zone"
    return "; alter it, or map the table to a view that casts it"


async def _found_columns(connection: asyncpg.Connection, schema: str, table: str) -> dict[str, str] | None:
    relation: Any = await connection.fetchval(
        "select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')",
        schema,
        table,
    )
    if relation is None:
        return None
    rows = await connection.fetch(
        "select a.attname, coalesce(b.typname, t.typname) as type from pg_attribute a join pg_type t on t.oid = a.atttypid "
        "left join pg_type b on b.oid = nullif(t.typbasetype, 0) where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped",
        relation,
    )
    return {row["attname"]: row["type"] for row in rows}


@cache
def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
