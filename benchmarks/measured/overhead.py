"""A night of a small demo fleet with Dagster, and the same steps as plain function calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import asyncpg

from dagster_project.defs.launch import run_nightly
from dagster_project.demo.fleet import build_fleet
from dagster_project.pipeline.checks import run_check
from dagster_project.pipeline.ingest_records import ingest_decisions, ingest_inventory
from dagster_project.pipeline.ingest_samples import ingest_samples
from dagster_project.pipeline.report import write_report
from dagster_project.pipeline.rollup import roll_up_days, roll_up_windows
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.verdicts import find_emergencies, judge
from dagster_project.settings import Settings
from dagster_project.sources import contract_tables
from dagster_project.statements import statements_in


def fill(dsn: str, scale: float) -> int:
    """Writes the demo fleet, 35 days that end on 2025-03-09; returns the samples."""

    async def run() -> int:
        connection = await asyncpg.connect(dsn)
        try:
            fleet = build_fleet(scale=scale)
            await contract_tables.create_tables(connection)
            for table, frame in fleet.tables.items():
                await contract_tables.append(connection, table, frame)
            samples = 0
            for frame in fleet.utilization():
                samples += await contract_tables.append(connection, "utilization", frame)
            await connection.execute("vacuum analyze")
            return samples
        finally:
            await connection.close()

    return asyncio.run(run())


def with_dagster(dsn: str, home: str, day: str) -> float:
    """A whole night as the command runs it; returns the sum of its steps' seconds, as the run log has them."""
    night = run_nightly(_runtime(dsn, home, day), date.fromisoformat(day))
    return sum(step.seconds for step in night.steps)


def plainly(dsn: str, home: str, day: str) -> int:
    """The same steps and checks without Dagster and without the run log; returns the number of checks."""
    runtime, on = _runtime(dsn, home, day), date.fromisoformat(day)
    for ingest in (ingest_samples, ingest_inventory, ingest_decisions):
        ingest(runtime, [on])
    roll_up_days(runtime, [on])
    for step in (roll_up_windows, find_emergencies, judge, write_report):
        step(runtime, on)
    outcomes = [run_check(runtime, check, on) for check in statements_in("checks")]
    assert not any(outcome.violations for outcome in outcomes)
    return len(outcomes)


def _runtime(dsn: str, home: str, day: str) -> Runtime:
    now = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(2), UTC)
    return Runtime(Settings(home=Path(home), reports=Path(home) / "reports", dsn=dsn), now=now)
