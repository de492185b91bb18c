"""What ``nightshift doctor`` finds in a database: which nights could run, and whether their log could be written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dagster_project.pipeline.doctor import FAILED, MISSING, OK, Finding, examine
from dagster_project.pipeline.runtime import Runtime
from tests.conftest import NOW, query

Execute = Callable[..., None]
YESTERDAY = datetime(2025, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def samples(execute: Execute) -> Callable[..., None]:
    """Puts a sample at each of some moments into tables of the least shape."""
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz, cpu_avg float8)")
    execute("create table decision_audit (decision_time timestamptz, target text)")

    def put(*moments: datetime, resource: str = "i-1") -> None:
        for moment in moments:
            execute("insert into utilization values ($1, $2, 1)", resource, moment)

    return put


def found(runtime: Runtime) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(runtime)}


def test_samples_up_to_yesterday_are_what_a_night_needs(samples: Callable[..., None], runtime: Runtime) -> None:
    samples(YESTERDAY - timedelta(days=30), YESTERDAY)
    findings = found(runtime)
    assert findings["samples"] == Finding("samples", OK, "2025-02-07 to 2025-03-09")
    assert "future samples" not in findings


def test_samples_that_end_before_yesterday_need_a_day(samples: Callable[..., None], runtime: Runtime) -> None:
    samples(datetime(2025, 2, 3, tzinfo=UTC), datetime(2025, 3, 8, 23, 59, 59, tzinfo=UTC))
    detail = "2025-02-03 to 2025-03-08; yesterday has none, so 'nightshift nightly' needs --day."
    assert found(runtime)["samples"] == Finding("samples", FAILED, detail)


def test_no_samples_at_all_are_a_failure(samples: Callable[..., None], runtime: Runtime) -> None:
    detail = "The table utilization is empty; fill it, or correct NIGHTSHIFT_DSN."
    assert found(runtime)["samples"] == Finding("samples", FAILED, detail)


def test_samples_that_lie_in_the_future_are_counted(samples: Callable[..., None], runtime: Runtime) -> None:
    tomorrow = datetime(2025, 3, 11, 0, 5, tzinfo=UTC)
    samples(YESTERDAY, NOW, tomorrow, tomorrow + timedelta(days=400))
    samples(tomorrow + timedelta(hours=1), resource="i-2")
    detail = "3 samples of 2 resources are later than now, the first at 2025-03-11 00:05 UTC; correct the clock that wrote them."
    assert found(runtime)["future samples"] == Finding("future samples", MISSING, detail)


def test_the_run_log_cannot_be_written_to_a_read_only_server(
    samples: Callable[..., None], runtime: Runtime, execute: Execute, dsn: str
) -> None:
    samples(YESTERDAY)
    name = query(dsn, "select current_database() as name")[0]["name"]
    execute(f"alter database {name} set default_transaction_read_only = on")
    findings = found(runtime)
    assert findings["samples"].status == OK
    assert findings["state"] == Finding(
        "state",
        FAILED,
        "The database of Nightshift's own tables is read-only (a replica?); set NIGHTSHIFT_STATE_DSN to one that can be written.",
    )


def test_optional_tables_that_are_absent_are_told_with_what_that_costs(
    samples: Callable[..., None], runtime: Runtime, execute: Execute
) -> None:
    samples(YESTERDAY)
    execute("create table service_dependencies (service text, depends_on text)")
    execute("create table services (service text, team text, tier text, requests_per_day real, value_per_request_usd real)")
    findings = found(runtime)
    assert findings["table incidents"] == Finding(
        "table incidents",
        MISSING,
        "There is none. Incidents are not recorded; no past one can speak against a smaller size, and none that is going on.",
    )
    assert findings["table service_dependencies"] == Finding(
        "table service_dependencies",
        MISSING,
        "No kind. Dependencies do not say whether they are hard; every one counts as hard.",
    )
    assert findings["table services"] == Finding("table services", OK, "every column of the contract")
    assert {findings[f"table {name}"].status for name in ("incident_action_items", "slos", "sli_events")} == {MISSING}


def test_an_optional_table_of_another_shape_is_a_failure(
    samples: Callable[..., None], runtime: Runtime, execute: Execute
) -> None:
    samples(YESTERDAY)
    execute("create table incidents (id text, title text)")
    assert found(runtime)["database"] == Finding(
        "database",
        FAILED,
        "Column incident_id is missing in public.incidents; add it, or map the contract's incidents.incident_id to its name with "
        'source.columns.incidents.incident_id, or set source.tables.incidents = "" to do without.',
    )


def test_looking_changes_nothing(
    samples: Callable[..., None], runtime: Runtime, dsn: str, execute: Callable[..., None]
) -> None:
    samples(YESTERDAY)
    execute("drop schema nightshift cascade")  # no night has run yet
    relations = "select oid, relname from pg_class order by 1"
    before = query(dsn, relations)
    assert found(runtime)["state"] == Finding("state", OK, "The schema nightshift will be created by the first run.")
    assert query(dsn, relations) == before
    assert not runtime.settings.home.exists()
