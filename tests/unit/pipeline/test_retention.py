"""Retention counts back from the home's own partitions, and deletes nothing that is not this home's."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.lake.aws_tables import AWS_RESOURCES, AWS_SAMPLES, SAMPLE_SOURCES
from dagster_project.lake.tables import LOAD_LEDGER, RIGHTSIZING_VERDICTS, UTILIZATION_SAMPLES, Table
from dagster_project.pipeline.retention import Pruned, prune
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RetentionSettings, Settings

NEWEST = date(2025, 3, 9)
REPORTS_DAYS = 10
OLD = NEWEST - timedelta(days=REPORTS_DAYS)
YOUNG = OLD + timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Runtime:
    """A home whose newest verdicts are of ``NEWEST``, and that keeps reports for ``REPORTS_DAYS``."""
    retention = RetentionSettings(samples_days=28, tables_days=35, reports_days=REPORTS_DAYS)
    runtime = Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports", retention=retention))
    partition(runtime, RIGHTSIZING_VERDICTS, NEWEST)
    return runtime


def partition(runtime: Runtime, table: Table, day: date) -> Path:
    path = runtime.lake.path(table, day)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"1234")
    return path


def report(runtime: Runtime, day: date) -> Path:
    folder = runtime.settings.reports / day.isoformat()
    folder.mkdir(parents=True)
    (folder / "index.html").write_bytes(b"123456")
    (folder / "report.md").write_bytes(b"1234")
    return folder


def test_a_report_goes_when_it_is_older_than_its_retention(home: Runtime) -> None:
    for day in (OLD, YOUNG):
        partition(home, RIGHTSIZING_VERDICTS, day)
    old, young = report(home, OLD), report(home, YOUNG)
    assert prune(home) == [Pruned("reports", (OLD,), 10)]
    assert not old.exists()
    assert len(list(young.iterdir())) == 2
    assert prune(home) == []


def test_the_table_of_opinions_goes_with_its_report(home: Runtime) -> None:
    partition(home, RIGHTSIZING_VERDICTS, OLD)
    folder = report(home, OLD)
    (folder / "second_opinions.csv").write_bytes(b"12345")
    assert prune(home) == [Pruned("reports", (OLD,), 15)]
    assert not folder.exists()


def test_samples_out_of_cloudwatch_are_kept_as_long_as_samples_are(home: Runtime) -> None:
    for table in (AWS_SAMPLES, AWS_RESOURCES, SAMPLE_SOURCES):
        partition(home, table, NEWEST - timedelta(days=30))
        partition(home, table, NEWEST)
    assert [each.name for each in prune(home)] == [AWS_SAMPLES.name]


def test_a_dry_run_says_the_same_and_deletes_nothing(home: Runtime) -> None:
    partition(home, RIGHTSIZING_VERDICTS, OLD)
    folder = report(home, OLD)
    assert prune(home, dry_run=True) == [Pruned("reports", (OLD,), 10)]
    assert len(list(folder.iterdir())) == 2


def test_the_report_of_a_day_that_this_home_never_judged_stays(home: Runtime) -> None:
    partition(home, LOAD_LEDGER, OLD)
    folder = report(home, OLD)
    assert prune(home) == []
    assert len(list(folder.iterdir())) == 2


def test_a_newer_report_of_another_home_ages_nothing_here(home: Runtime) -> None:
    kept = partition(home, UTILIZATION_SAMPLES, NEWEST - timedelta(days=1))
    report(home, NEWEST + timedelta(days=300))
    assert prune(home) == []
    assert kept.exists()


def test_a_home_without_partitions_deletes_no_report(tmp_path: Path) -> None:
    runtime = Runtime(Settings(home=tmp_path / "home", reports=tmp_path / "reports"))
    folder = report(runtime, date(2015, 1, 1))
    assert prune(runtime) == []
    assert folder.exists()


def test_an_outbox_goes_by_its_own_retention_and_only_what_is_named_by_a_day(home: Runtime) -> None:
    outbox, keep = home.settings.outbox, home.settings.retention.outbox_days
    old, young = (NEWEST - timedelta(days=days) for days in (keep, keep - 1))
    for name in (old.isoformat(), young.isoformat(), "my-own-notes", "2001-02-31"):
        (outbox / name / "payments").mkdir(parents=True)
        (outbox / name / "payments" / "pull-request.json").write_bytes(b"12345")
    assert prune(home, dry_run=True) == [Pruned("outbox", (old,), 5)]
    assert (outbox / old.isoformat()).is_dir()
    assert prune(home) == [Pruned("outbox", (old,), 5)]
    assert {each.name for each in outbox.iterdir()} == {young.isoformat(), "my-own-notes", "2001-02-31"}
    assert prune(home) == []


def test_what_somebody_else_put_among_the_pages_stays(home: Runtime) -> None:
    partition(home, RIGHTSIZING_VERDICTS, OLD)
    folder = report(home, OLD)
    (folder / "notes.txt").write_text("mine")
    (folder / "charts").mkdir()
    for name in ("keep", "2025-13-45"):
        (home.settings.reports / name).mkdir()
    assert prune(home) == [Pruned("reports", (OLD,), 10)]
    assert sorted(path.name for path in folder.iterdir()) == ["charts", "notes.txt"]
    assert {path.name for path in home.settings.reports.iterdir()} == {OLD.isoformat(), "keep", "2025-13-45"}
    assert prune(home) == []


def test_the_verdicts_and_the_report_of_a_day_go_in_one_run(home: Runtime) -> None:
    ancient = NEWEST - timedelta(days=35)
    partition(home, RIGHTSIZING_VERDICTS, ancient)
    folder = report(home, ancient)
    assert [(item.name, item.days) for item in prune(home)] == [("rightsizing_verdicts", (ancient,)), ("reports", (ancient,))]
    assert not folder.exists()
