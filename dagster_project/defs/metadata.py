"""What the Dagster UI shows of a materialization: rows, columns, and the numbers that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.partitions import ASSET_KWARGS
from dagster_project.lake.tables import Table

if TYPE_CHECKING:
    from dagster_project.pipeline.ledger import Load
    from dagster_project.pipeline.runtime import Runtime
    from dagster_project.pipeline.ui_facts import Facts, ShownTable


def columns_of(table: Table) -> dict[str, Any]:
    """A table's columns as definition metadata."""
    columns = [dg.TableColumn(name, kind, constraints=_constraints(table, name)) for name, kind in table.columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def specs_of(
    tables: Sequence[Table],
    partitions: dg.PartitionsDefinition,
    *,
    deps: Sequence[str],
    group: str,
    kinds: set[str],
) -> list[dg.AssetSpec]:
    """The assets of tables that one step writes together."""
    return [
        dg.AssetSpec(
            table.name,
            deps=deps,
            description=described(table),
            metadata=columns_of(table),
            group_name=group,
            kinds=kinds,
            owners=ASSET_KWARGS["owners"],
            partitions_def=partitions,
        )
        for table in tables
    ]


def result(rows: int, **numbers: Any) -> dg.MaterializeResult:
    """A materialization with its row count and further numbers; None and empty ones are left out."""
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **_told(numbers)})


def _told(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in numbers.items() if value not in (None, "")}


def day_by_day(
    context: dg.AssetExecutionContext,
    rows: Mapping[date, int],
    seen: Callable[[date], Mapping[str, Any]],
    *,
    asset_key: str | None = None,
    **numbers: Any,
) -> dg.MaterializeResult:
    """A materialization in which each day of the run has its own row count, and what there is to see of it; ``numbers`` are those
    of the whole run, without None and empty ones."""
    for day, count in rows.items():
        told = {"dagster/row_count": count, **seen(day)}
        context.add_asset_metadata(told, asset_key=asset_key, partition_key=day.isoformat())
    return dg.MaterializeResult(asset_key=asset_key, metadata=_told(numbers))


def shown(facts: Facts) -> dict[str, Any]:
    """Charts first, for they are looked at first; then tables, and numbers, of which Dagster plots one over all partitions."""
    charts = {name: dg.MetadataValue.md(chart) for name, chart in facts.charts.items() if chart}
    tables = {name: _table_value(table) for name, table in facts.tables.items() if table.rows}
    return {**charts, **tables, **facts.numbers}


def report_links(runtime: Runtime, day: date) -> dict[str, Any]:
    """Where the day's report is, and its address where the folder of reports is published."""
    from dagster_project.pipeline.report_place import report_path, report_url

    url = report_url(runtime.settings, day)
    place = {"report": dg.MetadataValue.path(str(report_path(runtime.settings, day)))}
    return {**place, "report_url": dg.MetadataValue.url(url)} if url else place


def _table_value(table: ShownTable) -> dg.TableMetadataValue:
    columns = [dg.TableColumn(name, kind) for name, kind in table.columns.items()]
    return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in table.rows], dg.TableSchema(columns=columns))


def load_result(
    context: dg.AssetExecutionContext,
    loads: Sequence[tuple[date, Load]],
    days: Sequence[date],
    seen: Callable[[date], Mapping[str, Any]] = lambda day: {},
) -> dg.MaterializeResult:
    """The materialization of an ingest asset. Days that were caught up on the way are reported for their own partitions."""
    by_day: dict[date, list[Load]] = {day: [] for day in days}
    for day, load in loads:
        by_day.setdefault(day, []).append(load)
    for day, mine in by_day.items():
        if day in days:
            context.add_asset_metadata({**seen(day), **_loads(mine), **_numbers(mine)}, partition_key=day.isoformat())
        else:
            context.log_event(
                dg.AssetMaterialization(asset_key=context.asset_key, partition=day.isoformat(), metadata=_numbers(mine))
            )
    return dg.MaterializeResult()


def _loads(loads: Sequence[Load]) -> dict[str, Any]:
    """A row for each account and region that was asked, where there are several; all of them are in the load ledger."""
    from dagster_project.pipeline.ui_facts import SHOWN, ShownTable

    if len(loads) < 2:
        return {}
    kinds = {"source": "string", "status": "string", "rows_read": "int", "rows_written": "int", "rows_rejected": "int"}
    rows = [{name: getattr(load, name) for name in kinds} for load in loads[:SHOWN]]
    return {"loads": _table_value(ShownTable(kinds, rows))}


def _numbers(loads: Sequence[Load]) -> Mapping[str, Any]:
    numbers: dict[str, Any] = {
        "dagster/row_count": sum(load.rows_written for load in loads),
        "rows_read": sum(load.rows_read for load in loads),
        "rows_rejected": sum(load.rows_rejected for load in loads),
        "status": ", ".join(sorted({load.status for load in loads})),
    }
    marks = [load.watermark_at for load in loads if load.watermark_at]
    if marks:
        numbers["watermark_at"] = max(marks).isoformat()
    if loads and loads[-1].missing_columns:
        numbers["missing_columns"] = loads[-1].missing_columns
    return numbers | _asked(loads)


def _constraints(table: Table, column: str) -> dg.TableColumnConstraints:
    return dg.TableColumnConstraints(nullable=column not in table.grain)


def asked_result(loads: Sequence[Load]) -> dg.MaterializeResult:
    """What was read of AWS: rows, requests, how many of them it refused for now, and what could not be read."""
    return result(sum(load.rows_written for load in loads), **_asked(loads))


def _asked(loads: Sequence[Load]) -> dict[str, Any]:
    """How often AWS was asked and how often it refused for now, and what could not be read; nothing where there is nothing."""
    told = {
        "calls": sum(load.calls or 0 for load in loads),
        "throttles": sum(load.throttles or 0 for load in loads),
        "problems": "; ".join(dict.fromkeys(load.error for load in loads if load.error)),
    }
    return {name: value for name, value in told.items() if value}
