"""Two nights at once, of different days, in the same home: both succeed, and each is what it would be in a row."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.defs.launch import run_nightly
from dagster_project.lake.engine import publish_views
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.runtime import Runtime

DAYS = (date(2025, 3, 8), date(2025, 3, 9))


def test_two_days_at_once_both_succeed(fleet_runtime: Runtime, tmp_path: Path) -> None:
    settings = fleet_runtime.settings
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "NIGHTSHIFT_HOME": str(settings.home),
        "NIGHTSHIFT_REPORTS": str(settings.reports),
        "NIGHTSHIFT_DSN": fleet_runtime.dsn(),
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "dagster_project", "nightly", "--day", day.isoformat()],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for day in DAYS
    ]
    for child in children:
        output, errors = child.communicate(timeout=180)
        assert child.returncode == 0, errors
        assert "safe to shrink" in output
    together = {day: (settings.reports / day.isoformat() / "index.html").read_bytes() for day in DAYS}

    # At the present moment, like the two children: an inventory that is taken late says so.
    alone = Runtime(settings.model_copy(update={"home": tmp_path / "alone", "reports": tmp_path / "reports"}))

    def page(day: date) -> bytes:
        run_nightly(alone, day)
        return (alone.settings.reports / day.isoformat() / "index.html").read_bytes()

    # The later night remembers the verdicts of the earlier one where it found them, which is a matter of seconds here.
    earlier, later = DAYS
    without_memory = page(later)
    assert together[earlier] == page(earlier)
    assert together[later] in (without_memory, page(later))


def test_a_reader_keeps_its_database_while_a_night_publishes_a_new_one(fleet_runtime: Runtime) -> None:
    run_nightly(fleet_runtime, DAYS[1])
    file = fleet_runtime.settings.warehouse / "nightshift.duckdb"
    with duckdb.connect(str(file), read_only=True) as reader:
        count = "select count(*) from rightsizing_verdicts where day = date '2025-03-09'"
        before = reader.execute(count).fetchall()
        publish_views(fleet_runtime.lake, TABLES.values())
        assert reader.execute(count).fetchall() == before
        assert before[0][0] > 50
