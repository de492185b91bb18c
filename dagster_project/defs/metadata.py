"""What the Dagster UI shows of a materialization: rows, columns, and the numbers that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.lake.tables import Table

if TYPE_CHECKING:
    from dagster_project.pipeline.ledger import Load


def columns_of(table: Table) -> dict[str, Any]:
    """A table's columns as definition metadata."""
    columns = [dg.TableColumn(name, kind, constraints=_constraints(table, name)) for name, kind in table.columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def result(rows: int, **numbers: Any) -> dg.MaterializeResult:
    """A materialization with its row count and further numbers; None and empty ones are left out."""
    shown = {name: value for name, value in numbers.items() if value not in (None, "")}
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **shown})


def load_result(
    context: dg.AssetExecutionContext, loads: Sequence[tuple[date, Load]], days: Sequence[date]
) -> dg.MaterializeResult:
    """The materialization of an ingest asset. Days that were caught up on the way are reported for their own partitions."""
    caught_up: dict[date, list[Load]] = {}
    for day, load in loads:
        if day not in days:
            caught_up.setdefault(day, []).append(load)
    for day, mine in caught_up.items():
        context.log_event(
            dg.AssetMaterialization(asset_key=context.asset_key, partition=day.isoformat(), metadata=_numbers(mine))
        )
    return dg.MaterializeResult(metadata=_numbers([load for day, load in loads if day in days]))


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
