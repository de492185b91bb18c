"""Which days are measured, and what stays: late incidents, samples that came late, samples that were pruned."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import MissingPartition
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    INCIDENT_DEMAND,
    INCIDENTS,
    PROTECTED_WINDOWS,
    RESOURCE_INVENTORY,
    RESOURCE_RISKS,
    SERVICE_DEPENDENCIES,
    SERVICES,
    SLI_DAILY,
    SLOS,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.incident_evidence import (
    decisions_set_aside,
    find_protected_windows,
    find_resource_risks,
    measure_incident_demand,
)
from dagster_project.pipeline.retention import prune
from dagster_project.pipeline.rollup import roll_up_days
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RetentionSettings, Settings

DAY = date(2025, 3, 9)
OLD = date(2025, 3, 3)
OUTAGE = {
    "incident_id": "INC-1", "title": "Payments stopped", "service": "payment", "kind": "normal",
    "impact_started_at": datetime(2025, 3, 3, 8), "impact_ended_at": datetime(2025, 3, 3, 12),
}  # fmt: skip
SCALE_UP = {
    "decision_id": "d-1", "decision_at": datetime(2025, 3, 9, 10), "target": "i-1", "action_type": "scale_up",
    "is_dry_run": False,
}  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A lake with a machine that reads 10 % at night, and 10 % more for every hour of the day's first nine."""
    retention = RetentionSettings(samples_days=28, tables_days=400)
    runtime = Runtime(Settings(home=tmp_path, reports=tmp_path / "reports", retention=retention))
    for day in (OLD, DAY):
        samples(runtime, day)
        put(runtime, DECISION_AUDIT, day)
    known(runtime, DAY)
    return runtime


def put(runtime: Runtime, table: Table, day: date, *rows: dict[str, Any]) -> None:
    write_frame(runtime.lake, table, day, pl.DataFrame(list(rows), schema=schema(table)))


def samples(runtime: Runtime, day: date, more: float = 0) -> None:
    start = datetime(day.year, day.month, day.day)
    rows = [
        {"resource_id": "i-1", "sampled_at": start + timedelta(minutes=5 * slot), "cpu_avg_pct": min(slot // 12, 9) * 10 + more}
        for slot in range(288)
    ]
    put(runtime, UTILIZATION_SAMPLES, day, *rows)
    roll_up_days(runtime, [day])


def known(runtime: Runtime, day: date, *incidents: dict[str, Any]) -> None:
    """What the snapshots of a day say."""
    put(runtime, RESOURCE_INVENTORY, day, {"resource_id": "i-1", "service": "payment", "instance_type": "m5.large", "units": 1})
    put(runtime, INCIDENTS, day, *incidents)
    put(runtime, SERVICE_DEPENDENCIES, day)


def night(runtime: Runtime, day: date) -> dict[date, int]:
    find_protected_windows(runtime, day)
    return dict(measure_incident_demand(runtime, day))


def demand(runtime: Runtime, day: date) -> dict[str, tuple[Any, ...]]:
    found = pl.read_parquet(runtime.lake.path(INCIDENT_DEMAND, day), hive_partitioning=False)
    return {row[0]: row[1:] for row in found.select("event_id", "samples", "cpu_peak_pct", "instance_type", "basis").rows()}


def test_a_night_measures_its_own_day(runtime: Runtime) -> None:
    put(runtime, DECISION_AUDIT, DAY, SCALE_UP)
    assert night(runtime, DAY) == {DAY: 1}
    assert demand(runtime, DAY) == {"d-1": (13, 90.0, "m5.large", "samples")}
    assert not runtime.lake.has(INCIDENT_DEMAND, OLD)


def test_a_day_without_a_window_is_an_empty_partition(runtime: Runtime) -> None:
    assert night(runtime, DAY) == {DAY: 0}
    assert demand(runtime, DAY) == {}


def test_an_incident_that_is_written_down_late_is_measured_on_its_own_day(runtime: Runtime) -> None:
    night(runtime, DAY)
    known(runtime, DAY, OUTAGE)
    assert night(runtime, DAY) == {OLD: 1, DAY: 0}
    assert demand(runtime, OLD) == {"INC-1": (49, 90.0, "m5.large", "samples")}, "a size is that of the earliest later snapshot"
    before = runtime.lake.path(INCIDENT_DEMAND, OLD).stat()
    assert night(runtime, DAY) == {DAY: 0}, "what is known is left alone"
    assert runtime.lake.path(INCIDENT_DEMAND, OLD).stat().st_mtime_ns == before.st_mtime_ns


def test_an_incident_whose_times_are_corrected_is_measured_again(runtime: Runtime) -> None:
    known(runtime, DAY, {**OUTAGE, "impact_ended_at": datetime(2025, 3, 3, 8, 30)})
    night(runtime, DAY)
    assert demand(runtime, OLD)["INC-1"][:2] == (7, 80.0)
    known(runtime, DAY, OUTAGE)
    assert night(runtime, DAY) == {OLD: 1, DAY: 0}
    assert demand(runtime, OLD)["INC-1"][:2] == (49, 90.0)


def test_a_window_over_several_days_is_measured_on_each(runtime: Runtime) -> None:
    known(runtime, DAY, {**OUTAGE, "impact_started_at": datetime(2025, 3, 3, 23, 30), "impact_ended_at": None})
    assert night(runtime, DAY) == {OLD: 1, DAY: 1}
    assert (demand(runtime, OLD)["INC-1"][0], demand(runtime, DAY)["INC-1"][0]) == (6, 288)


def test_a_window_with_nothing_measured_is_not_looked_for_every_night(runtime: Runtime) -> None:
    put(runtime, UTILIZATION_SAMPLES, OLD)
    roll_up_days(runtime, [OLD])
    known(runtime, DAY, OUTAGE)
    assert night(runtime, DAY) == {OLD: 1, DAY: 0}
    assert demand(runtime, OLD) == {"INC-1": (0, None, "m5.large", "samples")}
    assert night(runtime, DAY) == {DAY: 0}


def test_samples_that_came_late_are_measured_again(runtime: Runtime) -> None:
    known(runtime, DAY, OUTAGE)
    night(runtime, DAY)
    samples(runtime, OLD, more=5)
    assert night(runtime, DAY) == {OLD: 1, DAY: 0}
    assert demand(runtime, OLD)["INC-1"][1] == 95.0


def test_pruning_keeps_what_samples_have_said_and_later_windows_take_the_whole_day(runtime: Runtime) -> None:
    known(runtime, DAY, {**OUTAGE, "impact_ended_at": datetime(2025, 3, 3, 8, 30)})
    night(runtime, DAY)
    much_later = OLD + timedelta(days=28)
    samples(runtime, much_later)
    put(runtime, DECISION_AUDIT, much_later)
    assert [entry.days for entry in prune(runtime) if entry.name == "utilization_samples"] == [(OLD,)]
    late = {**OUTAGE, "incident_id": "INC-2", "impact_ended_at": datetime(2025, 3, 3, 8, 30)}
    known(runtime, much_later, OUTAGE, late)
    assert night(runtime, much_later) == {OLD: 2, much_later: 0}
    assert demand(runtime, OLD) == {
        "INC-1": (7, 80.0, "m5.large", "samples"),
        "INC-2": (288, 90.0, "m5.large", "day"),
    }
    assert night(runtime, much_later) == {much_later: 0}, "what cannot be bettered is not tried again"


def test_an_earlier_day_that_is_run_again_forgets_nothing_that_later_nights_have_found(runtime: Runtime) -> None:
    known(runtime, OLD)
    assert night(runtime, OLD) == {OLD: 0}
    known(runtime, DAY, OUTAGE)
    night(runtime, DAY)
    found = demand(runtime, OLD)
    assert night(runtime, OLD) == {OLD: 1}
    assert demand(runtime, OLD) == found != {}


def test_a_day_knows_nothing_of_what_was_decided_after_it(runtime: Runtime) -> None:
    put(runtime, DECISION_AUDIT, DAY, SCALE_UP)
    put(runtime, DECISION_AUDIT, OLD, {**SCALE_UP, "decision_id": "d-0", "decision_at": datetime(2025, 3, 3, 10)})
    known(runtime, OLD)
    assert (find_protected_windows(runtime, OLD), find_protected_windows(runtime, DAY)) == (1, 2)


def test_decisions_of_all_history_protect_and_not_those_of_the_veto_window_only(runtime: Runtime) -> None:
    long_ago = date(2023, 6, 1)
    put(runtime, DECISION_AUDIT, long_ago, {**SCALE_UP, "decision_at": datetime(2023, 6, 1, 10)})
    assert find_protected_windows(runtime, DAY) == 1
    assert decisions_set_aside_of(runtime)["decisions"] == 0


def decisions_set_aside_of(runtime: Runtime) -> dict[str, Any]:
    put(runtime, SERVICES, DAY, {"service": "payment"}, {"service": "tax"})
    return decisions_set_aside(runtime, DAY)


def test_what_was_set_aside_is_counted(runtime: Runtime) -> None:
    dry, unknown = ({**SCALE_UP, "decision_id": "d-2", "is_dry_run": True}, {**SCALE_UP, "decision_id": "d-3", "target": "i-9"})
    put(runtime, DECISION_AUDIT, DAY, SCALE_UP, dry, unknown)
    assert decisions_set_aside_of(runtime) == {
        "decisions": 3, "emergencies": 1, "other_action": 0, "dry_run": 1, "failed_or_skipped": 0, "duplicate_event": 0,
        "unknown_target": 1, "unknown_target_example": "i-9", "services_without_resources": 1,
        "service_without_resources_example": "tax",
    }  # fmt: skip


def test_risks_are_found_for_the_day_and_budgets_over_the_days_before_it(runtime: Runtime) -> None:
    known(runtime, DAY, {**OUTAGE, "impact_ended_at": None})
    item = {
        "item_id": "ACT-1",
        "incident_id": "INC-1",
        "title": "More replicas for payments",
        "service": "payment",
        "state": "open",
    }
    put(runtime, ACTION_ITEMS, DAY, item)
    put(runtime, SLOS, DAY, {"service": "payment", "name": "availability", "objective": 0.99, "window_days": 7})
    for day, good in ((date(2025, 3, 2), 0), (OLD, 985), (DAY, 1000)):
        put(runtime, SLI_DAILY, day, {"service": "payment", "name": "availability", "good": good, "total": 1000})
    assert find_resource_risks(runtime, DAY) == 1
    row = pl.read_parquet(runtime.lake.path(RESOURCE_RISKS, DAY), hive_partitioning=False).row(0, named=True)
    assert row.pop("slo_budget_left_pct") == pytest.approx(25)
    assert row == {
        "resource_id": "i-1", "open_incident_id": "INC-1", "open_incident_title": "Payments stopped",
        "open_capacity_item_id": "ACT-1", "open_capacity_item_title": "More replicas for payments", "slo_name": "availability",
    }  # fmt: skip


def test_what_has_to_be_there_is_named(runtime: Runtime) -> None:
    with pytest.raises(MissingPartition, match="protected_windows has no partition for 2025-03-09"):
        measure_incident_demand(runtime, DAY)
    runtime.lake.drop(INCIDENTS, DAY)
    with pytest.raises(MissingPartition, match="incidents has no partition for 2025-03-09"):
        find_protected_windows(runtime, DAY)
    assert not runtime.lake.has(PROTECTED_WINDOWS, DAY)
