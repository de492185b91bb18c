"""The contract with the decision engine's database: which tables and columns are read, and what is there of them.

Required columns are all that the decision engine promises. Everything else is used where it exists; where it does not, the
statements of ``sql/extract`` see a typed null, and the report says which evidence is therefore missing. A table of
``OPTIONAL_TABLES`` may be absent as a whole; where it is there, its required columns are what it is known by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import asyncpg

from dagster_project.errors import ContractError
from dagster_project.settings import SourceSettings
from dagster_project.statements import Statement

# Kind → PostgreSQL types (pg_type.typname) that are taken for it, and the cast that makes them one.
_KINDS: dict[str, tuple[frozenset[str], str]] = {
    "text": (frozenset({"text", "varchar", "bpchar", "name", "uuid", "citext"}), "text"),
    "timestamptz": (frozenset({"timestamptz"}), "timestamptz"),
    "date": (frozenset({"date"}), "date"),
    "number": (frozenset({"float8", "float4", "numeric", "int2", "int4", "int8"}), "double precision"),
    "integer": (frozenset({"int2", "int4", "int8"}), "integer"),
    "json": (frozenset({"jsonb", "json"}), "jsonb"),
    "boolean": (frozenset({"bool"}), "boolean"),
}
_TYPE_NAMES = {"number": "double precision", "json": "jsonb", "boolean": "boolean"}


@dataclass(frozen=True)
class Column:
    """One column of the contract. ``kind`` is text, timestamptz, date, number, integer, json or boolean."""

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
    "incidents": _columns(
        "incident_id:text",
        "title:text severity:text service:text status:text kind:text impact_started_at:timestamptz detected_at:timestamptz "
        "acknowledged_at:timestamptz declared_at:timestamptz identified_at:timestamptz mitigated_at:timestamptz "
        "impact_ended_at:timestamptz resolved_at:timestamptz slack_channel:text commander:text summary:text",
    ),
    "incident_action_items": _columns(
        "item_id:text",
        "incident_id:text title:text type:text priority:text owner:text due_on:date tracker:text tracker_key:text state:text "
        "created_at:timestamptz",
    ),
    "service_dependencies": _columns("service:text depends_on:text", "kind:text"),
    "services": _columns("service:text", "team:text tier:text requests_per_day:number value_per_request_usd:number"),
    "slos": _columns("service:text name:text objective:number", "window_days:integer"),
    "sli_events": _columns("service:text name:text timestamp:timestamptz good:number total:number", ""),
    "policies": _columns("policy_id:text version:integer", "name:text definition:json created_at:timestamptz"),
    "change_events": _columns(
        "change_id:text occurred_at:timestamptz", "service:text kind:text actor:text ref:text summary:text"
    ),
}
OPTIONAL_TABLES = frozenset(CONTRACT) - {"resources", "utilization", "decision_audit"}
"""Tables that a database may do without."""
BESIDE_AWS = frozenset({"resources", "utilization"})
"""Tables that it may do without, too, where AWS is read: it lists resources and has their metrics."""


@dataclass(frozen=True)
class Contract:
    """What a database has of the contract: contract table → contract column → its quoted name there."""

    tables: Mapping[str, Mapping[str, str]]
    relations: Mapping[str, str]

    def has(self, table: str) -> bool:
        """Whether the database has the table; one that does not may not be queried."""
        return table in self.relations

    def missing(self, table: str) -> tuple[str, ...]:
        """Columns that the database does not have, in the contract's order: all of an absent table, else optional ones."""
        return tuple(column.name for column in CONTRACT[table] if column.name not in self.tables.get(table, {}))

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


async def check_contract(
    connection: asyncpg.Connection, settings: SourceSettings, optional: frozenset[str] = OPTIONAL_TABLES
) -> Contract:
    """Compares the database with the contract; tables of ``optional`` may be absent.

    Raises ``ContractError`` that names the first table or column that is required and missing, or of another type.
    """
    for setting, named in (("tables", settings.tables), ("columns", settings.columns)):
        for table in sorted(set(named) - set(CONTRACT)):
            raise ContractError(f"source.{setting} maps {table}, which is no table of the contract; correct its name.")
    names = {table: settings.tables.get(table, table) for table in CONTRACT}
    there = await _found_columns(connection, settings.schema_name, list(names.values()))
    tables: dict[str, dict[str, str]] = {}
    relations: dict[str, str] = {}
    for table, name in names.items():
        mapping = settings.columns.get(table, {})
        _check_mapping(table, mapping)
        if name in there:
            relations[table] = f"{_quoted(settings.schema_name)}.{_quoted(name)}"
            tables[table] = _check_columns(table, f"{settings.schema_name}.{name}", there[name], mapping)
        elif table not in optional:
            raise ContractError(
                f"The database has no table {settings.schema_name}.{name}, which the decision engine's {table} is read from; "
                f"create it, or set source.schema_name or source.tables.{table}."
            )
        elif name and (table in settings.tables or mapping):
            raise ContractError(
                f"The database has no table {settings.schema_name}.{name}, which the settings map {table} to; create it, or "
                f'correct source.tables.{table} ("" = there is none).'
            )
    return Contract(tables, relations)


def _check_columns(table: str, name: str, found: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    columns = {}
    for column in CONTRACT[table]:
        there = mapping.get(column.name, column.name)
        kind = found.get(there)
        if kind is None:
            if column.required or column.name in mapping:
                raise ContractError(
                    f"Column {there} is missing in {name}; add it, or map the contract's {table}.{column.name} to its name "
                    f"with source.columns.{table}.{column.name}{_unread(table)}."
                )
            continue
        if kind not in _KINDS[column.kind][0]:
            raise ContractError(
                f"Column {there} of {name} is {kind}, and {_TYPE_NAMES.get(column.kind, column.kind)} "
                f"is needed{_remedy(column.kind, kind)}{_unread(table)}."
            )
        columns[column.name] = _quoted(there)
    return columns


def _check_mapping(table: str, mapping: Mapping[str, str]) -> None:
    unknown = sorted(set(mapping) - {column.name for column in CONTRACT[table]})
    if unknown:
        raise ContractError(f"source.columns.{table} maps {unknown[0]}, which is no column of the contract; correct its name.")


def _remedy(wanted: str, found: str) -> str:
    if wanted == "timestamptz" and found == "timestamp":
        return "; a time without a zone is ambiguous: alter it to timestamptz, or map the table to a view that says its zone"
    return "; alter it, or map the table to a view that casts it"


def _unread(table: str) -> str:
    """The way out where a table of that name is somebody else's."""
    return f', or set source.tables.{table} = "" to do without' if table in OPTIONAL_TABLES else ""


async def _found_columns(connection: asyncpg.Connection, schema: str, names: list[str]) -> dict[str, dict[str, str]]:
    """Relation → column → type, of those of ``names`` that exist."""
    rows = await connection.fetch(
        "select c.relname, a.attname, coalesce(b.typname, t.typname) as type from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace "
        "left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "left join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = nullif(t.typbasetype, 0) "
        "where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f')",
        schema,
        names,
    )
    found: dict[str, dict[str, str]] = {row["relname"]: {} for row in rows}
    for row in rows:
        found[row["relname"]][row["attname"]] = row["type"]
    return found


@cache
def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
