"""A night that is killed at any moment: earlier partitions stay readable, and the next night repairs what is missing.

The child kills itself (SIGKILL) at the n-th of the calls that change the disk, before or after the call, for one n after another
until it survives. Nothing is left to chance or to the clock.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import duckdb

from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, SNAPSHOTS, TABLES, UTILIZATION_SAMPLES
from dagster_project.pipeline import (
    action_item_measures,
    action_item_reminders,
    action_items,
    incident_evidence,
    ingest_records,
    ingest_samples,
    ingest_service_levels,
    ingest_snapshots,
    night_numbers,
    proposals,
    report,
    rollup,
    savings,
    verdicts,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.conftest import FirstNight
from tests.forking import FORKS

EARLIER, DAY = date(2025, 3, 8), date(2025, 3, 9)
EVERY = int(os.environ.get("NIGHTSHIFT_SOAK_SEAMS", "22"))
"""Of so many calls one is fatal, another one for each moment; 1 takes them all (make soak)."""
MOMENTS = (("before", 1), ("after", 1 + EVERY // 2))
"""When the child dies, and the first call at which it does."""


def killed_night(settings: dict[str, Any], now: datetime, fatal: int, moment: str) -> None:
    """A night whose process is dead at the ``fatal``-th call."""
    calls = itertools.count(1)

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            is_fatal = next(calls) == fatal
            if is_fatal and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if is_fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    os.replace, os.fsync = deadly(os.replace), deadly(os.fsync)
    night(Runtime(Settings(**settings), now=now), DAY)


def night(runtime: Runtime, day: date) -> None:
    ingest_samples.ingest_samples(runtime, [day])
    ingest_records.ingest_inventory(runtime, [day])
    ingest_records.ingest_decisions(runtime, [day])
    for table in SNAPSHOTS:
        ingest_snapshots.ingest_snapshot(runtime, table, [day])
    ingest_service_levels.ingest_service_levels(runtime, [day])
    action_items.keep_action_items(runtime, day)
    rollup.roll_up_days(runtime, [day])
    rollup.roll_up_windows(runtime, day)
    verdicts.find_emergencies(runtime, day)
    incident_evidence.find_protected_windows(runtime, day)
    incident_evidence.measure_incident_demand(runtime, day)
    incident_evidence.find_resource_risks(runtime, day)
    verdicts.gather_evidence(runtime, day)
    verdicts.judge(runtime, day)
    action_item_measures.measure_action_items(runtime, day)
    action_item_reminders.remind_night(runtime, day)
    proposals.snapshot_answers(runtime, day)
    proposals.propose(runtime, day)
    savings.follow_savings(runtime, day)
    night_numbers.number_night(runtime, day)
    report.write_report(runtime, day)


def fingerprint(runtime: Runtime, *days: date) -> dict[str, str]:
    lake = runtime.lake
    files = [file for table in TABLES.values() for file in lake.files(table, days)]
    files += [path for day in days for path in sorted((runtime.settings.reports / day.isoformat()).rglob("*"))]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def test_a_killed_night_leaves_whole_partitions_and_the_next_one_repairs(
    night_of_the_8th: FirstNight, go_on: Callable[[FirstNight], Runtime]
) -> None:
    runtime = go_on(night_of_the_8th)
    night(runtime, DAY)
    expected = fingerprint(runtime, EARLIER, DAY)
    lake = Lake(runtime.settings.warehouse)
    for deaths in itertools.count():
        for table in TABLES.values():
            if lake.days(table) and DAY in lake.days(table):
                lake.drop(table, DAY)
        moment, first = MOMENTS[deaths % len(MOMENTS)]
        fatal = first + deaths // len(MOMENTS) * EVERY
        arguments = (runtime.settings.model_dump(), runtime.now, fatal, moment)
        child = FORKS.Process(target=killed_night, args=arguments)
        child.start()
        child.join(120)
        files = [file for table in TABLES.values() for file in lake.files(table, [EARLIER, DAY])]
        with duckdb.connect() as reader:
            for file in files:
                # Every partition that is there can be read to its end.
                reader.execute(f"select count(columns(*)) from read_parquet('{file}')").fetchall()
        assert fingerprint(runtime, EARLIER).items() <= expected.items(), "the night before is as it was"
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
    assert deaths >= 6, "the child must have died on the way several times"
    night(runtime, DAY)
    assert fingerprint(runtime, EARLIER, DAY) == expected
    assert list((lake.root / ".scratch").iterdir()) == [], "what killed runs left behind is gone"
    assert lake.has(RIGHTSIZING_VERDICTS, DAY) and lake.has(UTILIZATION_SAMPLES, DAY)
