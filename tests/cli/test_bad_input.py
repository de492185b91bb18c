"""Bad input and configuration: one sentence that says what, where and what to do; the exit code; no traceback; no secret."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Nightshift


def told(outcome) -> str:
    """The one sentence on stderr; fails where there is more than that."""
    lines = [line for line in outcome.stderr.splitlines() if not line.endswith(" %")]
    assert len(lines) == 1, outcome.stderr
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in outcome.stderr
    return lines[0].removeprefix("Error: ")


def exports(folder: Path, **columns: pl.Series) -> tuple[str, ...]:
    """The options of a load of one sample of one machine; ``columns`` take the place of those of the sample."""
    moment = datetime(2025, 3, 9, 12)  # noqa: DTZ001 - exports may have naive UTC
    samples = pl.DataFrame({"resource_id": ["i-1"], "ts": [moment], "cpu_pct": [40.0]})
    samples.with_columns(**columns).write_parquet(folder / "u.parquet")
    machine = {"resource_id": "i-1", "instance_type": "m5.large", "region": "us-east-1", "vcpu": 2, "mem_gib": 8.0}
    pl.DataFrame([{**machine, "memory_known": True, "tags": "{}"}]).write_parquet(folder / "r.parquet")
    return "--utilization", str(folder / "u.parquet"), "--resources", str(folder / "r.parquet")


def test_a_malformed_day(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "yesterday")
    assert outcome.returncode == 2
    assert told(outcome) == "yesterday is no day; write it as YYYY-MM-DD, such as 2025-03-09."


def test_a_day_that_is_not_over(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "2999-01-01")
    assert outcome.returncode == 2
    assert told(outcome).startswith("2999-01-01 is not over yet in UTC; the newest day is 20")


def test_a_day_before_the_first(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "2001-01-01")
    assert outcome.returncode == 2
    assert told(outcome) == "2001-01-01 lies before first_day (2013-01-01); lower that setting to work on it."


def test_an_unreachable_database(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "2025-03-09", NIGHTSHIFT_DSN="postgresql://reader:hunter2@127.0.0.1:1/engine")
    assert outcome.returncode == 1
    sentence = told(outcome)
    assert sentence.startswith("PostgreSQL at 127.0.0.1:1/engine did not answer after 3 attempts")
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_a_dsn_that_is_none(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "2025-03-09", NIGHTSHIFT_DSN="mysql://root:hunter2@db/engine")
    assert outcome.returncode == 2
    assert told(outcome).startswith("NIGHTSHIFT_DSN cannot be read as a DSN")
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_an_empty_embedded_database(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--day", "2025-03-09")
    assert outcome.returncode == 2
    assert told(outcome).startswith("The database has no table public.resources")


def test_a_missing_column(nightshift: Nightshift, dsn: str, execute) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamptz)")
    execute("create table decision_audit (decision_time timestamptz, target text)")
    outcome = nightshift("nightly", "--day", "2025-03-09", NIGHTSHIFT_DSN=dsn)
    assert outcome.returncode == 2
    assert told(outcome) == (
        "Column cpu_avg is missing in public.utilization; add it, or map the contract's utilization.cpu_avg to its name with "
        "source.columns.utilization.cpu_avg."
    )


def test_a_column_of_another_type(nightshift: Nightshift, dsn: str, execute) -> None:
    execute("create table resources (resource_id text, type text, current_config jsonb)")
    execute("create table utilization (resource_id text, timestamp timestamp, cpu_avg float8)")
    execute("create table decision_audit (decision_time timestamptz, target text)")
    outcome = nightshift("nightly", "--day", "2025-03-09", NIGHTSHIFT_DSN=dsn)
    assert outcome.returncode == 2
    assert "Column timestamp of public.utilization is timestamp, and timestamptz is needed" in told(outcome)


def test_an_empty_day(nightshift: Nightshift, fleet_dsn: str) -> None:
    outcome = nightshift("nightly", "--day", "2025-01-09", NIGHTSHIFT_DSN=fleet_dsn)
    assert outcome.returncode == 1
    assert told(outcome).startswith("The table utilization has no samples on 2025-01-09; it holds 2025-02-03 to 2025-03-09")


@pytest.mark.parametrize("variable", ["NIGHTSHIFT_HOME", "NIGHTSHIFT_REPORTS"])
def test_a_folder_that_cannot_be_written(nightshift: Nightshift, fleet_dsn: str, tmp_path: Path, variable: str) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = nightshift(
        "nightly", "--day", "2025-03-09", NIGHTSHIFT_DSN=fleet_dsn, **{variable: str(tmp_path / "file" / "folder")}
    )
    assert outcome.returncode == 2
    assert told(outcome).startswith(f"Cannot write to {tmp_path / 'file'}")


def test_a_setting_out_of_bounds(nightshift: Nightshift, tmp_path: Path) -> None:
    config = tmp_path / "nightshift.toml"
    config.write_text("[rightsizing]\nmax_cpu_p995_pct = 180\ncolour = 'red'\n")
    outcome = nightshift("doctor", NIGHTSHIFT_CONFIG=str(config))
    assert outcome.returncode == 2
    sentence = told(outcome)
    assert "rightsizing.max_cpu_p995_pct: input should be less than or equal to 100" in sentence
    assert "rightsizing.colour: extra inputs are not permitted" in sentence
    assert str(config) in sentence


def test_a_settings_file_that_is_missing_or_no_toml(nightshift: Nightshift, tmp_path: Path) -> None:
    assert "cannot be read" in told(nightshift("doctor", NIGHTSHIFT_CONFIG=str(tmp_path / "none.toml")))
    (tmp_path / "bad.toml").write_text("[rightsizing\n")
    assert "is not valid TOML" in told(nightshift("doctor", NIGHTSHIFT_CONFIG=str(tmp_path / "bad.toml")))


def test_an_unknown_resource_and_a_home_without_nights(nightshift: Nightshift) -> None:
    outcome = nightshift("explain", "i-0")
    assert outcome.returncode == 1
    assert told(outcome) == "No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first."


def test_the_demo_never_writes_into_somebodys_database(nightshift: Nightshift, dsn: str) -> None:
    outcome = nightshift("demo", NIGHTSHIFT_DSN=dsn)
    assert outcome.returncode == 2
    assert told(outcome) == "The demo works on the embedded PostgreSQL only; unset NIGHTSHIFT_DSN for it."


def test_a_load_never_writes_into_somebodys_database(nightshift: Nightshift, tmp_path: Path, fleet_dsn: str) -> None:
    outcome = nightshift("load", *exports(tmp_path), NIGHTSHIFT_DSN=fleet_dsn)
    assert outcome.returncode == 2
    assert told(outcome) == (
        "The database of NIGHTSHIFT_DSN holds resources that nightshift load did not put there; load into an empty database, "
        "or unset NIGHTSHIFT_DSN for the embedded one."
    )


def test_an_export_with_a_column_of_another_type(nightshift: Nightshift, tmp_path: Path, dsn: str) -> None:
    outcome = nightshift("load", *exports(tmp_path, ts=pl.Series(["noon"])), NIGHTSHIFT_DSN=dsn)
    assert outcome.returncode == 2
    assert told(outcome) == f"Column ts of {tmp_path / 'u.parquet'} is String; export it as a timestamp."


def test_doctor_fails_where_a_night_could_not_succeed(nightshift: Nightshift) -> None:
    outcome = nightshift("doctor", NIGHTSHIFT_DSN="postgresql://reader:hunter2@127.0.0.1:1/engine")
    assert outcome.returncode == 1
    assert "FAILED   database" in outcome.stdout
    assert "hunter2" not in outcome.stdout


def test_debug_shows_the_traceback(nightshift: Nightshift) -> None:
    outcome = nightshift("explain", "i-0", "--debug")
    assert "Traceback" in outcome.stderr
    assert outcome.stderr.splitlines()[-1].startswith("Error: No night has run")


def test_an_unknown_option_is_bad_input(nightshift: Nightshift) -> None:
    outcome = nightshift("nightly", "--dey", "2025-03-09")
    assert outcome.returncode == 2
    assert "No such option" in outcome.stderr
