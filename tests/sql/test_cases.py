"""SQL specified as data: the statements of ``sql/marts``, ``sql/views`` and ``sql/reports``: given rows, rows to expect.

A file ``cases/<stem>.json`` holds, for one statement, its ``parameters``, the rows that are ``given`` unless a case
says otherwise, ``defaults`` of those rows by table, and ``cases``. A case may replace whole tables (``given``), change
or drop rows of the file's own (``change``), or override parameters; ``expect`` lists the rows that must come back, with
as many of their columns as matter. Columns that are not named are null. Two shorthands keep the rows few:

- a list stands for one row for each of its values: ``"window_days": [7, 28]``
- ``{"from": time, "every_minutes": n, "count": m}`` stands for m rows, n minutes apart
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project.catalog import INSTANCE_TYPES, RDS_CLASSES
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import (
    EMERGENCY_SCALEUPS,
    PROTECTED_WINDOWS,
    RESOURCE_INVENTORY,
    RESOURCE_RISKS,
    RIGHTSIZING_VERDICTS,
    TABLES,
    UTILIZATION_SAMPLES,
)
from dagster_project.pipeline.rollup import roll_up_days, roll_up_windows
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.verdicts import gather_evidence, judge
from dagster_project.settings import Settings
from dagster_project.statements import Statement, statements_in

DAY = date(2025, 3, 9)
CASES = Path(__file__).parent / "cases"

_PERCENTILES = {"resource_id": pl.String(), "window_days": pl.Int32(), "metric": pl.String()}
_TIME = pl.Datetime("us")
_SPANS = {"incident_id": pl.String(), "services": pl.List(pl.String()), "from_at": _TIME, "to_at": _TIME}
_FILES: dict[str, dict[str, pl.DataType]] = {
    "window_starts": {"resource_id": pl.String(), "changed_on": pl.Date()},
    "window_percentiles": {**_PERCENTILES, **dict.fromkeys(("p50", "p95", "p99", "p995"), pl.Float64())},
    "instance_types": dict(pl.read_parquet_schema(INSTANCE_TYPES)),
    "rds_classes": dict(pl.read_parquet_schema(RDS_CLASSES)),
    "incident_work": _SPANS,
    "incident_spans": _SPANS,
    "fresh_events": {name: kind for name, kind in schema(TABLES["captured_events"]).items() if name != "version"},
    "fresh_places": {"source": pl.String(), "place": pl.String(), "since": pl.Datetime("us"), "until": pl.Datetime("us")},
    "fresh_ids": {"source": pl.String(), "source_event_id": pl.String()},
    "fresh_service_levels": schema(TABLES["captured_service_levels"]),
}
"""Relations that are no lake tables: their columns."""


def _statements() -> tuple[Statement, ...]:
    return (*statements_in("marts"), *statements_in("views"), *statements_in("reports"))


def _reads(query: Statement) -> list[str]:
    """The relations under a statement: those of the views that it reads, and no views."""
    views = {view.name.removeprefix("views/"): view for view in statements_in("views")}
    return list(dict.fromkeys(base for name in query.reads for base in (_reads(views[name]) if name in views else [name])))


@cache
def _specification(stem: str) -> dict[str, Any]:
    return json.loads((CASES / f"{stem}.json").read_text(encoding="utf-8"))


def _parameters() -> Iterator[Any]:
    for query in _statements():
        stem = query.name.partition("/")[2]
        if not (CASES / f"{stem}.json").is_file():
            continue  # a test of its own says so
        for case in _specification(stem)["cases"]:
            yield pytest.param(query, case, id=f"{stem}: {case['name']}")


@pytest.mark.parametrize(("query", "case"), list(_parameters()))
def test_a_statement_returns_the_rows_that_its_case_expects(query: Statement, case: dict[str, Any], tmp_path: Path) -> None:
    specification = _specification(query.name.partition("/")[2])
    parameters = {**specification.get("parameters", {}), **case.get("parameters", {})}
    found = _run(tmp_path, query, _given(specification, case, query), parameters)
    expected = case["expect"]
    is_ordered = "order by" in query.text.rpartition(")")[2] or len(query.grain) == 0
    if not is_ordered:
        found = sorted(found, key=lambda row: [str(row[name]) for name in query.grain])
        expected = sorted(expected, key=lambda row: [str(row[name]) for name in query.grain])
    shown = [{name: row[name] for name in like} for row, like in zip(found, expected, strict=False)]
    assert len(found) == len(expected), f"{len(found)} rows came back: {found}"
    assert shown == [{name: _near(value) for name, value in row.items()} for row in expected]


@pytest.mark.parametrize("query", (*statements_in("marts"), *statements_in("views")), ids=lambda query: query.name)
def test_every_mart_has_a_case(query: Statement) -> None:
    stem = query.name.partition("/")[2]
    assert (CASES / f"{stem}.json").is_file(), f"write tests/sql/cases/{stem}.json"
    assert _specification(stem)["cases"]


@pytest.mark.parametrize("file", sorted(CASES.glob("*.json")), ids=lambda file: file.stem)
def test_every_case_file_speaks_of_a_statement_and_says_each_thing_once(file: Path) -> None:
    names = [case["name"] for case in _specification(file.stem)["cases"]]
    assert file.stem in {query.name.partition("/")[2] for query in _statements()}
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "query",
    [query for query in statements_in("marts") if query.name.partition("/")[2] in TABLES],
    ids=lambda query: query.name,
)
def test_without_input_rows_a_mart_is_an_empty_partition_of_the_right_shape(query: Statement, tmp_path: Path) -> None:
    specification = _specification(query.name.partition("/")[2])
    given = {name: [] for name in _reads(query)}
    if "utilization_daily" in query.name:  # its histograms are added by another step
        assert _run(tmp_path, query, given, {}) == []
        return
    lake = Lake(tmp_path)
    table = TABLES[query.name.partition("/")[2]]
    with _engine(lake, given) as engine:
        # Numbers of a night are there for any night: what there is none of is nothing.
        assert engine.write(table, DAY, query, _typed(specification["parameters"])) == specification.get("rows_of_nothing", 0)
    with duckdb.connect() as connection:
        file = str(lake.path(table, DAY))
        found = connection.execute(
            "describe select * from read_parquet($file, hive_partitioning = false)", {"file": file}
        ).fetchall()
    assert {name: kind for name, kind, *_ in found} == table.columns


def test_the_bytes_of_a_minute_are_a_rate_per_minute(tmp_path: Path) -> None:
    """Through the marts as a night runs them: 8 GB in every minute are 1.07 Gbit/s, more than an m5.large sustains."""
    runtime = Runtime(Settings(home=tmp_path), now=datetime(2025, 3, 10, 2, tzinfo=UTC))
    days = [DAY - timedelta(days=back) for back in range(6, -1, -1)]
    readings = {
        "cpu_avg_pct": 10,
        "mem_avg_pct": 10,
        "net_in_bytes": 8e9,
        "net_out_bytes": 0,
        "disk_read_bytes": 0,
        "disk_write_bytes": 0,
    }
    for day in days:
        minutes = {"from": f"{day} 00:00", "every_minutes": 1, "count": 1440}
        rows = _spelled_out({"resource_id": "i-1", "sampled_at": minutes, **readings})
        write_frame(runtime.lake, UTILIZATION_SAMPLES, day, _frame(list(rows), schema(UTILIZATION_SAMPLES)))
    machine = {
        "resource_id": "i-1",
        "resource_type": "ec2_instance",
        "instance_type": "m5.xlarge",
        "region": "us-east-1",
        "units": 1,
    }
    write_frame(runtime.lake, RESOURCE_INVENTORY, DAY, _frame([{**machine, "tags": "{}"}], schema(RESOURCE_INVENTORY)))
    for table in (EMERGENCY_SCALEUPS, PROTECTED_WINDOWS, RESOURCE_RISKS):
        write_frame(runtime.lake, table, DAY, _frame([], schema(table)))
    roll_up_days(runtime, days)
    roll_up_windows(runtime, DAY)
    gather_evidence(runtime, DAY)
    judge(runtime, DAY)
    (verdict,) = pl.read_parquet(runtime.lake.path(RIGHTSIZING_VERDICTS, DAY)).to_dicts()
    assert verdict["coverage_pct"] == 100
    assert verdict["reason_code"] == "keep_busy_network"
    assert verdict["deciding_value"] == pytest.approx(1.0667, abs=0.001)


def test_a_first_day_whose_rows_were_all_set_aside_leaves_an_empty_window(tmp_path: Path) -> None:
    runtime = Runtime(Settings(home=tmp_path), now=datetime(2025, 3, 10, 2, tzinfo=UTC))
    for table in (UTILIZATION_SAMPLES, RESOURCE_INVENTORY):
        write_frame(runtime.lake, table, DAY, _frame([], schema(table)))
    roll_up_days(runtime, [DAY])
    assert roll_up_windows(runtime, DAY) == 0


def _run(
    folder: Path, query: Statement, given: dict[str, list[dict[str, Any]]], parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    """The statement's rows; those of a lake table take the way through its partition and its contract."""
    lake = Lake(folder)
    stem = query.name.partition("/")[2]
    with _engine(lake, given) as engine:
        if stem not in TABLES or stem == "utilization_daily":
            return [_plain(row) for row in engine.rows(query, _typed(parameters))]
        engine.write(TABLES[stem], DAY, query, _typed(parameters))
    return [_plain(row) for row in pl.read_parquet(lake.path(TABLES[stem], DAY)).iter_rows(named=True)]


class _engine:  # noqa: N801 - used like the function that it wraps
    """An engine over the given rows: lake tables as partitions, other relations as files."""

    def __init__(self, lake: Lake, given: dict[str, list[dict[str, Any]]]) -> None:
        self._lake, self._given = lake, given
        self._context = open_engine(lake)

    def __enter__(self) -> Engine:
        engine = self._context.__enter__()
        for name, rows in self._given.items():
            if name in _FILES:
                file = self._lake.root / f"{name}.parquet"
                _frame(rows, _FILES[name]).write_parquet(file)
                engine.view_file(name, file)
                continue
            days = sorted({_day_of(row) for row in rows})
            for day in days:
                mine = [{key: value for key, value in row.items() if key != "day"} for row in rows if _day_of(row) == day]
                write_frame(self._lake, TABLES[name], day, _frame(mine, schema(TABLES[name])))
            engine.view(TABLES[name], days)
        return engine

    def __exit__(self, *details: Any) -> None:
        self._context.__exit__(*details)


def _day_of(row: dict[str, Any]) -> date:
    return date.fromisoformat(row["day"]) if "day" in row else DAY


def _given(specification: dict[str, Any], case: dict[str, Any], query: Statement) -> dict[str, list[dict[str, Any]]]:
    """The rows of every relation that the statement reads, spelled out."""
    tables = {**specification.get("given", {}), **case.get("given", {})}
    unknown = set(tables) - set(_reads(query))
    assert not unknown, f"the statement does not read {unknown}"
    defaults = specification.get("defaults", {})
    spelled = {
        name: [plain for row in tables.get(name, []) for plain in _spelled_out({**defaults.get(name, {}), **row})]
        for name in _reads(query)
    }
    for change in case.get("change", []):
        rows, where = spelled[change["table"]], change.get("where", {})
        hits = [row for row in rows if all(row.get(key) == value for key, value in where.items())]
        assert hits, f"no row to change: {change}"
        for row in hits:
            if change.get("drop"):
                rows.remove(row)
            else:
                row.update(change["set"])
    return spelled


def _spelled_out(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    choices = []
    for name, value in row.items():
        if isinstance(value, dict) and "from" in value:
            start = datetime.fromisoformat(value["from"])
            choices.append([(name, str(start + timedelta(minutes=value["every_minutes"] * n))) for n in range(value["count"])])
        elif isinstance(value, dict):
            choices.append([(name, json.dumps(value))])
        elif isinstance(value, list) and name != "counts":
            choices.append([(name, item) for item in value])
        else:
            choices.append([(name, value)])
    yield from (dict(combination) for combination in itertools.product(*choices))


def _frame(rows: list[dict[str, Any]], columns: dict[str, pl.DataType]) -> pl.DataFrame:
    unknown = {name for row in rows for name in row} - set(columns)
    assert not unknown, f"no such columns: {unknown}"
    series = []
    for name, kind in columns.items():
        values = [row.get(name) for row in rows]
        if isinstance(kind, pl.Datetime):
            series.append(pl.Series(name, [value and datetime.fromisoformat(value) for value in values], kind))
        elif kind == pl.Date:
            series.append(pl.Series(name, [value and date.fromisoformat(value) for value in values], kind))
        else:
            series.append(pl.Series(name, values, kind, strict=False))
    return pl.DataFrame(series)


def _typed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the pipeline gives them: moments and days are no texts."""
    kinds = {"day_end": datetime.fromisoformat, "starts_at": datetime.fromisoformat, "day": date.fromisoformat}
    return {name: kinds[name](value) if name in kinds else value for name, value in parameters.items()}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, date) else value for name, value in row.items()}


def _near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
