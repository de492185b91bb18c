"""The nightly job on a small fleet in a real PostgreSQL: one day, a range of days, checks that block, and what is noted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from dagster_project.defs.build import build_defs
from dagster_project.defs.instance import open_instance
from dagster_project.defs.launch import run_nightly
from dagster_project.domain.reasons import VERDICTS
from dagster_project.errors import CheckFailed, EmptySource
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    INCIDENT_DEMAND,
    PROTECTED_WINDOWS,
    RESOURCE_INVENTORY,
    RESOURCE_RISKS,
    RIGHTSIZING_VERDICTS,
    SLI_DAILY,
    SNAPSHOTS,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
)
from dagster_project.pipeline.ingest_records import ingest_decisions
from dagster_project.pipeline.report import build_report
from dagster_project.pipeline.runtime import Runtime
from tests.conftest import FirstNight, dagster_in_memory, query

DAY = date(2025, 3, 9)
RANGE_DAYS = int(os.environ.get("NIGHTSHIFT_SOAK_DAYS", "3"))
GoOn = Callable[[FirstNight], Runtime]


@pytest.fixture(autouse=True)
def _dagster_in_memory() -> Iterator[None]:
    with dagster_in_memory():
        yield


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".parquet", ".html", ".md")
    }


def verdicts(runtime: Runtime, day: date = DAY) -> dict[str, str]:
    frame = pl.read_parquet(runtime.lake.path(RIGHTSIZING_VERDICTS, day))
    return dict(zip(frame["resource_id"], frame["reason_code"], strict=True))


def test_a_night_judges_every_resource_and_finds_what_each_shape_hides(night_of_the_9th: FirstNight) -> None:
    from dagster_project.demo.fleet import build_fleet

    fleet = build_fleet(scale=0.1)
    found = verdicts(night_of_the_9th.runtime)
    assert set(found) == set(fleet.tables["resources"]["resource_id"])
    members = set(fleet.tables["resources"].filter(pl.col("current_config").str.contains("asg_name"))["resource_id"])
    # The console has spent its error budget: nothing of it is touched, whatever its shape.
    console = set(fleet.tables["resources"].filter(service="admin-console")["resource_id"])
    ec2 = set(fleet.tables["resources"].filter(pl.col("type") == "ec2_instance")["resource_id"]) - members
    assert {found[name] for name in console & ec2} == {"refuse_slo_budget_low"}
    ec2 -= console
    expected = {
        "idle_oversized": "propose_smaller_size",
        "weekly_peak": "keep_busy_cpu",
        "month_end_peak": "keep_busy_cpu",
        "memory_bound": "keep_busy_memory",
        "short_spikes": "keep_busy_cpu",
        "resize_mid_window": "refuse_recently_changed",
        "off_at_night": "insufficient_coverage",
        "batch_farm": "keep_busy_cpu",
        "brand_new": "insufficient_history",
        "burst_credits": "keep_busy_cpu",
        "service_emergency": "refuse_recent_emergency_scaleup",
        "sparse": "insufficient_coverage",
        "spot": "refuse_spot",
        "eks_managed": "refuse_managed_by_orchestrator",
        "excluded": "refuse_excluded_by_tag",
        "network_bound": "keep_busy_network",
    }
    seen = {shape: {found[name] for name in ec2 if fleet.shape_of.get(name) == shape} for shape in expected}
    assert seen == {shape: {code} for shape, code in expected.items()}


def test_the_same_day_twice_gives_the_same_bytes(night_of_the_9th: FirstNight, go_on: GoOn) -> None:
    runtime = go_on(night_of_the_9th)
    first = digests(runtime.settings.home), digests(runtime.settings.reports)
    run_nightly(runtime, DAY)
    assert (digests(runtime.settings.home), digests(runtime.settings.reports)) == first


def test_the_first_night_reads_the_look_back_and_the_second_only_its_day(night_of_the_8th: FirstNight, go_on: GoOn) -> None:
    runtime = go_on(night_of_the_8th)
    lake = runtime.lake
    assert lake.days(UTILIZATION_SAMPLES) == [DAY - timedelta(days=back) for back in range(28, 0, -1)]
    before = {day: lake.path(UTILIZATION_SAMPLES, day).stat().st_mtime_ns for day in lake.days(UTILIZATION_SAMPLES)}
    run_nightly(runtime, DAY)
    after = {day: lake.path(UTILIZATION_SAMPLES, day).stat().st_mtime_ns for day in lake.days(UTILIZATION_SAMPLES)}
    assert {day for day in after if after[day] != before.get(day)} == {DAY}


def test_a_range_of_days_is_back_filled_in_one_run(fleet_runtime: Runtime) -> None:
    days = [DAY - timedelta(days=back) for back in range(RANGE_DAYS - 1, -1, -1)]
    definitions = build_defs(fleet_runtime.settings, overrides={"runtime": fleet_runtime})
    with open_instance(fleet_runtime.settings) as instance:
        result = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": days[0].isoformat(),
                "dagster/asset_partition_range_end": days[-1].isoformat(),
            },
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert result.success
        shown = instance.get_materialized_partitions(dg.AssetKey("nightly_report"))
        assert shown == {day.isoformat() for day in days}
        caught_up = instance.get_materialized_partitions(dg.AssetKey("utilization_samples"))
        assert caught_up == {day.isoformat() for day in fleet_runtime.lake.days(UTILIZATION_SAMPLES)}
        for day in days:
            _each_day_shows_itself(instance, fleet_runtime, day)
    assert fleet_runtime.lake.days(RIGHTSIZING_VERDICTS) == days
    reports = fleet_runtime.settings.reports
    assert sorted(path.name for path in reports.glob("*-*-*")) == [day.isoformat() for day in days]
    listed = (reports / "index.html").read_text(encoding="utf-8")
    assert [day for day in days if f'<th scope="row"><a href="{day}/index.html">' not in listed] == []


def _each_day_shows_itself(instance: dg.DagsterInstance, runtime: Runtime, day: date) -> None:
    """What the UI shows of a day is that day's own, although one run wrote them all."""
    frame = pl.read_parquet(runtime.lake.path(RIGHTSIZING_VERDICTS, day))
    seen = _shown(instance, "rightsizing_verdicts", day)
    assert seen["dagster/row_count"] == frame.height
    assert seen["propose"] == frame.filter(verdict="propose").height
    counted = {row.data["verdict"]: row.data["resources"] for row in seen["verdicts"].records}
    assert counted == {verdict: frame.filter(verdict=verdict).height for verdict in VERDICTS}
    assert seen["report"] == str(runtime.settings.reports / day.isoformat() / "index.html")
    for asset, chart in (
        ("rightsizing_verdicts", "resources_by_verdict"),
        ("rightsizing_verdicts", "money_by_verdict"),
        ("utilization_samples", "samples_by_hour"),
        ("utilization_window", "coverage_of_7_days"),
        ("proposals", "savings_by_route"),
        ("incident_metrics", "median_minutes"),
        ("action_item_metrics", "states"),
        ("nightly_report", "longest_steps"),
    ):
        picture = _shown(instance, asset, day)[chart]
        assert picture.startswith("![") and len(picture) < 1000, f"{asset} would show a link instead of {chart}"


def _shown(instance: dg.DagsterInstance, asset: str, day: date) -> dict:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[day.isoformat()]), limit=1
    )
    return {name: value.value for name, value in records.records[0].asset_materialization.metadata.items()}


def test_a_back_filled_day_equals_the_day_run_alone(
    night_of_the_8th: FirstNight, night_of_the_9th: FirstNight, go_on: GoOn
) -> None:
    runtime = go_on(night_of_the_9th)
    earlier = DAY - timedelta(days=1)
    run_nightly(runtime, earlier)
    assert (runtime.settings.reports / earlier.isoformat() / "index.html").read_bytes() == night_of_the_8th.page


def test_every_step_is_noted_with_its_duration_and_the_report_holds_none(night_of_the_9th: FirstNight) -> None:
    night = night_of_the_9th.night
    assert {step.name for step in night.steps} == {
        "utilization_samples", "resource_inventory", "decision_audit", "utilization_daily", "utilization_window",
        "emergency_scaleups", "rightsizing_evidence", "rightsizing_verdicts", "nightly_report", "incidents",
        "incident_action_items", "service_dependencies", "services", "slos", "sli_daily", "protected_windows",
        "incident_demand", "resource_risks", "proposal_answers", "proposals", "pull_requests", "approval_requests",
        "proposal_outcomes", "policies", "captured_events", "incident_records", "incident_metrics", "kept_capacity",
        "postmortems", "action_items", "action_item_metrics", "action_item_reminders", "aws_resources", "aws_samples",
        "aws_commitments", "second_opinions", "billed_costs", "savings", "night_numbers",
    }  # fmt: skip
    assert night.steps[-1].name == "nightly_report", "what ends after the report would not be noted"
    assert all(step.is_ok and step.seconds >= 0 for step in night.steps)
    runs = query(night_of_the_9th.runtime.dsn(), "select day, status, error from nightshift.nightly_runs")
    assert [tuple(run) for run in runs] == [(DAY, "succeeded", None)]


def test_a_failed_step_says_why_in_the_run_log_and_reaches_the_caller_as_it_was_raised(fleet_runtime: Runtime) -> None:
    with pytest.raises(EmptySource, match="no samples on 2025-01-01; it holds 2025-02-03 to 2025-03-09"):
        run_nightly(fleet_runtime, date(2025, 1, 1))
    runs = query(fleet_runtime.dsn(), "select status, error from nightshift.nightly_runs")
    assert runs[0]["status"] == "failed"
    assert "no samples on 2025-01-01" in runs[0]["error"]


def test_a_check_that_does_not_hold_keeps_the_report_from_being_written(
    night_of_the_8th: FirstNight, go_on: GoOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.pipeline import ingest_records

    runtime = go_on(night_of_the_8th)
    real = ingest_records.ingest_decisions

    def broken(runtime: Runtime, days: list[date]) -> list:
        loads = real(runtime, days)
        stray = pl.DataFrame([{"decision_id": "d-1", "decision_at": None, "target": "x"}], schema=schema(DECISION_AUDIT))
        stray = stray.with_columns(pl.lit("2001-01-01").str.to_datetime(time_unit="us").alias("decision_at"))
        write_frame(runtime.lake, DECISION_AUDIT, days[-1], stray)
        return loads

    monkeypatch.setattr(ingest_records, "ingest_decisions", broken)
    with pytest.raises(CheckFailed, match="decisions_belong_to_day of decision_audit does not hold"):
        run_nightly(runtime, DAY)
    assert not runtime.lake.has(RIGHTSIZING_VERDICTS, DAY)
    assert not (runtime.settings.reports / DAY.isoformat()).exists()
    assert runtime.lake.has(UTILIZATION_DAILY, DAY), "what does not depend on the decisions was written"
    assert runtime.lake.has(RESOURCE_INVENTORY, DAY)
    runs = query(runtime.dsn(), "select day, status from nightshift.nightly_runs order by day")
    assert [tuple(run) for run in runs] == [(DAY - timedelta(days=1), "succeeded"), (DAY, "failed")]


def test_the_minimal_schema_works_and_the_report_says_what_is_missing(dsn: str, execute, runtime: Runtime) -> None:
    execute("create table resources (resource_id text primary key, type text not null, current_config jsonb not null)")
    execute("create table utilization (resource_id text not null, timestamp timestamptz not null, cpu_avg double precision)")
    execute("create table decision_audit (decision_time timestamptz not null, target text not null)")
    execute("""insert into resources values
        ('i-calm', 'ec2_instance', '{"instance_type": "m5.xlarge", "region": "us-east-1"}'),
        ('i-alarmed', 'ec2_instance', '{"instance_type": "m5.xlarge", "region": "us-east-1"}')""")
    execute("""insert into utilization select id, t, 5 from unnest(array['i-calm', 'i-alarmed']) id,
        generate_series(timestamptz '2025-03-01 00:00Z', timestamptz '2025-03-09 23:55Z', interval '5 minutes') t""")
    execute("insert into decision_audit values ('2025-03-01 12:00Z', 'i-alarmed')")
    run_nightly(runtime, DAY)
    assert verdicts(runtime) == {"i-calm": "insufficient_memory_data", "i-alarmed": "refuse_recent_emergency_scaleup"}
    text = (runtime.settings.reports / "2025-03-09" / "report.md").read_text()
    assert "every one counts as an emergency scale" in text
    assert "Memory is not recorded" in text
    assert "The lake holds 9 of the 28 days" in text
    assert "Incidents are not recorded; no past one can speak against a smaller size" in text
    loads = {load.source: (load.status, load.rows_read) for load in build_report(runtime, DAY).loads}
    absent = ("incidents", "incident_action_items", "service_dependencies", "services", "slos", "sli_events")
    assert {source: loads[source] for source in absent} == dict.fromkeys(absent, ("absent", 0))
    for table in (*SNAPSHOTS, SLI_DAILY, RESOURCE_RISKS):
        assert pl.read_parquet(runtime.lake.path(table, DAY)).height == 0, table.name
    windows = pl.read_parquet(runtime.lake.path(PROTECTED_WINDOWS, DAY))
    assert windows.select("resource_id", "event_kind", "matched_by").rows() == [("i-alarmed", "emergency_scaleup", "resource")]
    demand = pl.read_parquet(runtime.lake.path(INCIDENT_DEMAND, date(2025, 3, 1)))
    assert demand.select("samples", "cpu_peak_pct", "mem_peak_pct", "instance_type", "basis").rows() == [
        (13, 5.0, None, "m5.xlarge", "samples")
    ]


def test_an_empty_decision_history_and_measured_strangers_are_said(dsn: str, execute, runtime: Runtime) -> None:
    execute("create table resources (resource_id text primary key, type text not null, current_config jsonb not null)")
    execute("create table utilization (resource_id text not null, timestamp timestamptz not null, cpu_avg double precision)")
    execute("create table decision_audit (decision_time timestamptz not null, target text not null)")
    execute("""insert into resources values ('i-1', 'ec2_instance', '{"instance_type": "m5.xlarge"}')""")
    execute("""insert into utilization select id, t, 5 from unnest(array['i-1', 'i-stranger']) id,
        generate_series(timestamptz '2025-03-09 00:00Z', timestamptz '2025-03-09 23:55Z', interval '5 minutes') t""")
    run_nightly(runtime, DAY)
    missing = build_report(runtime, DAY).missing_evidence
    assert "The decision history is empty; no emergency could speak against anything." in missing
    stranger = "Measured resources that are not in the inventory of the day, and have no verdict: 1, such as i-stranger."
    assert stranger in missing
    execute("insert into decision_audit values ('2025-03-05 12:00Z', 'i-9')")
    ingest_decisions(runtime, [DAY])
    assert (
        "The decision history begins on 2025-03-05; emergencies before that day are unknown."
        in build_report(runtime, DAY).missing_evidence
    )


def test_an_incident_that_is_written_down_late_is_replayed_on_its_day(night_of_the_8th: FirstNight, go_on: GoOn) -> None:
    runtime = go_on(night_of_the_8th)
    lake = runtime.lake
    before = {day: lake.path(INCIDENT_DEMAND, day).stat().st_mtime_ns for day in lake.days(INCIDENT_DEMAND)}
    query(runtime.dsn(), """insert into incidents (incident_id, title, service, impact_started_at, impact_ended_at)
        values ('INC-LATE', 'Told late', 'admin-console', '2025-02-20 10:00Z', '2025-02-20 11:00Z')""")  # fmt: skip
    run_nightly(runtime, DAY)
    after = {day: lake.path(INCIDENT_DEMAND, day).stat().st_mtime_ns for day in lake.days(INCIDENT_DEMAND)}
    late = date(2025, 2, 20)
    assert {day for day in after if after[day] != before.get(day)} == {late, DAY}
    found = pl.read_parquet(lake.path(INCIDENT_DEMAND, late)).filter(pl.col("event_id") == "INC-LATE")
    mine = pl.read_parquet(lake.path(RESOURCE_INVENTORY, DAY)).filter(
        pl.col("service") == "admin-console", pl.col("resource_type") != "ebs_volume"
    )
    assert set(found["resource_id"]) == set(mine["resource_id"])
    assert set(found["basis"]) == {"samples"}
    assert found["samples"].max() == 13
