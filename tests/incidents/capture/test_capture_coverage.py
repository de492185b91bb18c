"""What was captured of the past, by the load ledger."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.domain.incidents.completeness import Stretch
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.capture_coverage import captured_stretches
from dagster_project.pipeline.ledger import Load, record
from tests.incidents.capture.night import DAY, after

END = datetime(2025, 3, 10)
ALWAYS = datetime.min  # noqa: DTZ901 - naive UTC


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def read(lake: Lake, days: int, since: datetime | None, until: datetime | None, **more: str) -> None:
    record(lake, after(days), Load("cloudtrail", more.pop("status", "complete"), history_from=since, watermark_at=until, **more))


def test_nights_that_follow_each_other_are_one_stretch(lake: Lake) -> None:
    for days in range(5):
        end = END + timedelta(days=days)
        read(lake, days, end - timedelta(days=1, hours=6), end)
    assert captured_stretches(lake, after(4)) == [
        Stretch("cloudtrail", "complete", END - timedelta(days=1, hours=6), END + timedelta(days=4))
    ]


def test_a_hole_stays_a_hole_and_a_later_night_can_fill_it(lake: Lake) -> None:
    read(lake, 0, END - timedelta(days=1), END)
    read(lake, 30, END + timedelta(days=16), END + timedelta(days=30))
    assert [(each.since, each.until) for each in captured_stretches(lake, after(30))] == [
        (END - timedelta(days=1), END),
        (END + timedelta(days=16), END + timedelta(days=30)),
    ]
    read(lake, 31, END - timedelta(days=2), END + timedelta(days=20))
    assert [(each.since, each.until) for each in captured_stretches(lake, after(31))] == [
        (END - timedelta(days=2), END + timedelta(days=30))
    ]


def test_why_the_last_night_read_nothing_is_told_and_what_earlier_ones_said_is_not(lake: Lake) -> None:
    read(lake, 0, None, END)
    read(lake, 1, None, None, status="failed", error="AWS failed.")
    read(lake, 2, None, None, status="absent", error="No accounts.")
    assert captured_stretches(lake, after(2)) == [
        Stretch("cloudtrail", "complete", ALWAYS, END),
        Stretch("cloudtrail", "absent", reason="No accounts."),
    ]
    assert captured_stretches(lake, after(1), since=after(1)) == [Stretch("cloudtrail", "failed", reason="AWS failed.")]


def test_before_anything_was_captured_there_is_nothing(lake: Lake) -> None:
    assert captured_stretches(lake, DAY) == []
