"""What an applied change saves is told in prices of the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.catalog.store import next_folder
from tests.catalog_builders import catalog, kind, sold
from tests.outcome_builders import Days, change
from tests.proposal_builders import machines


def test_a_later_catalog_changes_what_later_days_save_and_no_day_before(tmp_path: Path, dsn: str) -> None:
    days = Days(tmp_path, dsn, machines("i-1"))
    days.machines["i-1"].live, days.machines["i-1"].target = "m5.xlarge", None
    days.night()
    days.note(change(applied_on=days.day, decided_at=datetime.combine(days.day, time(), UTC)))
    saved: dict[date, float] = {}
    for _ in range(2):
        saved[days.day] = days.nights(1)["i-1"]["realized_usd_month"]
    assert list(saved.values()) == [pytest.approx(0.192 * 730)] * 2
    last, refreshed_on = days.day, days.day + timedelta(days=1)
    sizes = {"m5.xlarge": 0.25, "m5.2xlarge": 0.5}
    types = (kind("m5.xlarge", vcpu=4, memory_gib=16.0), kind("m5.2xlarge", vcpu=8, memory_gib=32.0))
    folder = next_folder(days.settings.home, refreshed_on)
    catalog(folder, SHIPPED, sold(sizes, region="us-east-1", types=types), day=refreshed_on)
    assert days.night()["i-1"]["realized_usd_month"] == saved[last], "that day is over"
    assert days.nights(1)["i-1"]["realized_usd_month"] == pytest.approx(0.25 * 730)
