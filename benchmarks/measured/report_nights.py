"""The report of a large fleet: its verdicts are there, and everything else that a report tells of is made up here."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from typing import Any

import polars as pl

from benchmarks.measured.history import runtime_of
from dagster_project.domain.night_numbers import NIGHT_NUMBERS as NUMBERS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.report_tables import NIGHT_NUMBERS
from dagster_project.lake.tables import PROPOSAL_OUTCOMES, PROPOSALS, PULL_REQUESTS, RIGHTSIZING_VERDICTS, Table
from dagster_project.pipeline.night_numbers import number_night
from dagster_project.pipeline.report import write_report
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.savings import follow_savings
from dagster_project.settings import ReportSettings

_GROUP = 5
"""Changes of a pull request."""
_OUTCOMES = 2000
_NIGHTS = 90


def follow(home: str, day: str) -> dict[str, int]:
    """What follows the verdicts: proposals, pull requests of five, live changes, numbers of earlier nights; returns how many."""
    on = date.fromisoformat(day)
    lake = runtime_of(home, on).lake
    verdicts = pl.read_parquet(lake.require(RIGHTSIZING_VERDICTS, on), hive_partitioning=False)
    proposed = verdicts.filter(pl.col("verdict") == "propose")
    _write(
        lake, PROPOSALS, on,
        proposed.with_columns(
            attribute=pl.lit("instance_type"), value_before="current_type", value_after="target_type", verdict_code="reason_code",
            mode=pl.lit("propose"), route=pl.lit("pull_request"), risk=pl.lit("low"),
        ),
    )  # fmt: skip
    ids = proposed["resource_id"].to_list()
    groups = [ids[start : start + _GROUP] for start in range(0, len(ids), _GROUP)]
    pulls = [
        {"repository": "o/r", "digest": f"{number:012x}", "state": "open" if number < 200 else "waiting", "detail": "",
         "number": number + 1 if number < 200 else 0, "owner": "team", "risk": "low", "root": "envs/prod",
         "resources": json.dumps(group), "savings_usd_month": 100.0}
        for number, group in enumerate(groups)
    ]  # fmt: skip
    _write(lake, PULL_REQUESTS, on, pl.DataFrame(pulls, infer_schema_length=None))
    live = verdicts.filter(pl.col("verdict") == "keep").head(_OUTCOMES)
    _write(
        lake, PROPOSAL_OUTCOMES, on,
        live.with_columns(
            source=pl.lit("o/r#1"), attribute=pl.lit("instance_type"),
            value_before=pl.lit("m5.2xlarge"), value_after="current_type",
            applied_on=pl.lit(on - timedelta(days=10)), estimated_usd_month=pl.lit(70.0), realized_usd_month=pl.lit(66.0),
        ),
    )  # fmt: skip
    for back in range(1, _NIGHTS):
        earlier = [{"name": name, "value": 1000.0 + back} for name in NUMBERS]
        _write(lake, NIGHT_NUMBERS, on - timedelta(days=back), pl.DataFrame(earlier))
    return {"proposals": len(ids), "pull_requests": len(pulls), "live": live.height}


def report(home: str, day: str, pages: int) -> dict[str, Any]:
    """The last steps of a night, with so many pages of resources at most; returns seconds, files and bytes."""
    on = date.fromisoformat(day)
    surroundings = runtime_of(home, on)
    settings = surroundings.settings.model_copy(update={"report": ReportSettings(max_resource_pages=pages)})
    runtime = Runtime(settings, now=surroundings.now)
    started = time.perf_counter()
    follow_savings(runtime, on)
    number_night(runtime, on)
    before = time.perf_counter()
    written = write_report(runtime, on)
    done = time.perf_counter()
    files = [each for each in written.html.parent.rglob("*") if each.is_file()]
    return {
        "savings and numbers": before - started,
        "report": done - before,
        "pages": sum(each.suffix == ".html" for each in files),
        "page_bytes": written.html.stat().st_size,
        "folder_bytes": sum(each.stat().st_size for each in files),
        "resource_pages": len(list((written.html.parent / "resources").iterdir())),
    }


def _write(lake: Lake, table: Table, day: date, frame: pl.DataFrame) -> None:
    absent = {name: kind for name, kind in schema(table).items() if name not in frame.columns}
    write_frame(lake, table, day, frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in absent.items()))
