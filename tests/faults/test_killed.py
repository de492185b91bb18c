"""A night that is killed at any moment: earlier partitions stay readable, and the next night repairs what is missing.

The child kills itself (SIGKILL) at the n-th of the calls that change the disk, before or after the call, for n = 1, 2, 3 …
until it survives. Nothing is left to chance or to the clock.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, SNAPSHOTS, TABLES, UTILIZATION_SAMPLES
from dagster_project.pipeline import (
    incident_evidence,
    ingest_records,
    ingest_samples,
    ingest_service_levels,
    ingest_snapshots,
    report,
    rollup,
    verdicts,
)
from dagster_project.pipeline.runtime import Runtime

EARLIER, DAY = date(2025, 3, 8), date(2025, 3, 9)

CHILD = """
import os, signal, sys
from datetime import datetime, UTC
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.faults.test_killed import DAY, night

dsn, home, reports, fatal, moment = sys.argv[1:]
calls = 0

def deadly(real):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == int(fatal) and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if calls == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

os.replace, os.fsync = deadly(os.replace), deadly(os.fsync)
runtime = Runtime(Settings(home=home, reports=reports, dsn=dsn), now=datetime(2025, 3, 10, 2, tzinfo=UTC))
night(runtime, DAY)
"""


def night(runtime: Runtime, day: date) -> None:
    ingest_samples.ingest_samples(runtime, [day])
    ingest_records.ingest_inventory(runtime, [day])
    ingest_records.ingest_decisions(runtime, [day])
    for table in SNAPSHOTS:
        ingest_snapshots.ingest_snapshot(runtime, table, [day])
    ingest_service_levels.ingest_service_levels(runtime, [day])
    rollup.roll_up_days(runtime, [day])
    rollup.roll_up_windows(runtime, day)
    verdicts.find_emergencies(runtime, day)
    incident_evidence.find_protected_windows(runtime, day)
    incident_evidence.measure_incident_demand(runtime, day)
    incident_evidence.find_resource_risks(runtime, day)
    verdicts.gather_evidence(runtime, day)
    verdicts.judge(runtime, day)
    report.write_report(runtime, day)


def fingerprint(runtime: Runtime, *days: date) -> dict[str, str]:
    lake = runtime.lake
    files = [file for table in TABLES.values() for file in lake.files(table, days)]
    files += [path for day in days for path in sorted((runtime.settings.reports / day.isoformat()).glob("*"))]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_night_leaves_whole_partitions_and_the_next_one_repairs(
    fleet_runtime: Runtime, tmp_path: Path, moment: str
) -> None:
    night(fleet_runtime, EARLIER)
    night(fleet_runtime, DAY)
    expected = fingerprint(fleet_runtime, EARLIER, DAY)
    lake = Lake(fleet_runtime.settings.warehouse)
    fatal, deaths = 1, 0
    while True:
        for table in TABLES.values():
            if lake.days(table) and DAY in lake.days(table):
                lake.drop(table, DAY)
        command = [sys.executable, "-c", CHILD, fleet_runtime.dsn(), str(fleet_runtime.settings.home)]
        outcome = subprocess.run(
            [*command, str(fleet_runtime.settings.reports), str(fatal), moment],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=120,
        )
        for table in TABLES.values():
            for file in lake.files(table, [EARLIER, DAY]):
                # Every partition that is there can be read to its end.
                duckdb.sql(f"select count(columns(*)) from read_parquet('{file}')").fetchall()
        assert fingerprint(fleet_runtime, EARLIER).items() <= expected.items(), "the night before is as it was"
        if outcome.returncode == 0:
            break
        assert outcome.returncode == -signal.SIGKILL, outcome.stderr
        deaths += 1
        fatal += 7  # every seventh call: all kinds of calls are met, in a fraction of the time
    assert deaths >= 8, "the child must have died on the way several times"
    night(fleet_runtime, DAY)
    assert fingerprint(fleet_runtime, EARLIER, DAY) == expected
    assert list((lake.root / ".scratch").iterdir()) == [], "what killed runs left behind is gone"
    assert lake.has(RIGHTSIZING_VERDICTS, DAY) and lake.has(UTILIZATION_SAMPLES, DAY)
