"""A night without its ingest: rollup, windows, emergencies, verdicts and report; and how exact its percentiles are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date

import duckdb
import polars as pl

from benchmarks.measured.history import runtime_of
from dagster_project.domain.metrics import METRICS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import PROPOSALS, UTILIZATION_SAMPLES, UTILIZATION_WINDOW
from dagster_project.pipeline.incident_evidence import (
    find_protected_windows,
    find_resource_risks,
    measure_incident_demand,
)
from dagster_project.pipeline.night_numbers import number_night
from dagster_project.pipeline.report import write_report
from dagster_project.pipeline.rollup import PROBABILITIES, RECENT_DAYS, roll_up_days, roll_up_windows
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.pipeline.savings import follow_savings
from dagster_project.pipeline.verdicts import find_emergencies, gather_evidence, judge

_LAYOUTS = {metric.name: metric.layout for metric in METRICS}


def night(home: str, day: str) -> dict[str, float]:
    """All steps after the ingest, for one day; returns their seconds."""
    on = date.fromisoformat(day)
    runtime = runtime_of(home, on)
    steps = {
        "daily rollup": lambda: roll_up_days(runtime, [on]),
        "windows": lambda: roll_up_windows(runtime, on),
        "emergencies": lambda: find_emergencies(runtime, on),
        "incidents": lambda: _incidents(runtime, on),
        "evidence": lambda: gather_evidence(runtime, on),
        "verdicts": lambda: judge(runtime, on),
        "savings and numbers": lambda: _numbers(runtime, on),
        "report": lambda: write_report(runtime, on),
    }
    return _timed(steps)


def verdicts(home: str, day: str) -> dict[str, float]:
    """From rollups to verdicts, for one day; returns the seconds of each step."""
    on = date.fromisoformat(day)
    runtime = runtime_of(home, on)
    steps = {
        "windows": lambda: roll_up_windows(runtime, on),
        "emergencies": lambda: find_emergencies(runtime, on),
        "incidents": lambda: _incidents(runtime, on),
        "evidence": lambda: gather_evidence(runtime, on),
        "verdicts": lambda: judge(runtime, on),
    }
    return _timed(steps)


def _numbers(runtime: Runtime, day: date) -> None:
    # Proposals would ask the database what people answered; here there are none.
    write_frame(runtime.lake, PROPOSALS, day, pl.DataFrame(schema=schema(PROPOSALS)))
    follow_savings(runtime, day)
    number_night(runtime, day)


def _incidents(runtime: Runtime, day: date) -> None:
    find_protected_windows(runtime, day)
    measure_incident_demand(runtime, day)
    find_resource_risks(runtime, day)


def _timed(steps: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    seconds = {}
    for name, step in steps.items():
        started = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - started
    return seconds


def accuracy(home: str, day: str, metrics: list[str]) -> dict[str, float]:
    """Largest relative difference between the seven-day percentiles and the exact ones, by metric.

    Exact = ``quantile_disc`` over the raw samples. Values at or below the floor of the metric's bins are left out: the
    bound there is absolute.
    """
    on = date.fromisoformat(day)
    lake = runtime_of(home, on).lake
    samples = [str(file) for file in lake.files(UTILIZATION_SAMPLES, days_up_to(on, RECENT_DAYS))]
    files = {"samples": samples, "window": str(lake.require(UTILIZATION_WINDOW, on))}
    found = {}
    with duckdb.connect() as connection:
        for metric in metrics:
            rows = connection.execute(
                f"""with exact as (
                    select resource_id, quantile_disc({metric}, {list(PROBABILITIES)})::double[] as of_window
                    from read_parquet($samples) group by resource_id
                ),
                pairs as (
                    select unnest(of_window) as exact, unnest([p50, p95, p99, p995]) as ours
                    from exact join read_parquet($window) using (resource_id)
                    where metric = $metric and window_days = $days
                )
                select count(*), max(abs(ours - exact) / exact) from pairs where exact > $floor""",
                {**files, "metric": metric, "days": RECENT_DAYS, "floor": _LAYOUTS[metric].floor},
            ).fetchall()
            assert rows[0][0] > 0, f"no percentile of {metric} to compare"
            found[metric] = rows[0][1]
    return found
