"""What ``nightshift doctor`` says of prices: of each region where something runs, how old they are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.demo_world import note_day
from dagster_project.pipeline.doctor_catalog import prices
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.conftest import NOW


@pytest.fixture
def night(tmp_path: Path) -> Runtime:
    """After a night with something in three regions."""
    runtime = Runtime(Settings(home=tmp_path), now=NOW)
    rows = [{"resource_id": f"i-{region}", "region": region} for region in ("eu-west-1", "us-east-1", "xx-nowhere-1")]
    frame = pl.DataFrame(rows, schema=schema(RESOURCE_INVENTORY))
    write_frame(runtime.lake, RESOURCE_INVENTORY, (NOW - timedelta(days=1)).date(), frame)
    return runtime


def test_old_prices_of_a_region_in_use_are_said_with_what_to_do(night: Runtime) -> None:
    found = {subject: (is_fine, told) for subject, is_fine, told in prices(night)}
    assert set(found) == {"prices eu-west-1", "prices us-east-1", "prices xx-nowhere-1"}
    # The shipped ones of RDS are of 2021.
    ages = "EC2 of 2025-03-02 (8 days old), RDS of 2021-08-03 (1,315 days old)"
    refresh = "run 'nightshift catalog refresh'."
    assert found["prices eu-west-1"] == (False, f"{ages}; {refresh}")
    none = "The catalog has none, and what a change saves there is not known"
    assert found["prices xx-nowhere-1"] == (False, f"{none}; {refresh}")


@pytest.mark.parametrize(("most", "is_fine"), [(1316, True), (1315, False)])
def test_prices_are_fine_as_long_as_none_is_old(
    night: Runtime, monkeypatch: pytest.MonkeyPatch, most: int, is_fine: bool
) -> None:
    monkeypatch.setattr("dagster_project.pipeline.doctor_catalog.OLD_DAYS", most)
    found = {subject: (is_fine, told) for subject, is_fine, told in prices(night)}
    assert found["prices eu-west-1"][0] is is_fine
    assert ("refresh" in found["prices eu-west-1"][1]) is not is_fine


def test_where_nothing_runs_nothing_is_said(tmp_path: Path) -> None:
    assert list(prices(Runtime(Settings(home=tmp_path), now=NOW))) == []


def test_the_demo_has_the_shipped_catalog(night: Runtime) -> None:
    note_day(night.settings, (NOW - timedelta(days=1)).date())
    assert list(prices(night)) == []
