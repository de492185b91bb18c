"""What was captured of the past, by the load ledger."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.domain.incidents.completeness import Stretch
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.capture_coverage import captured_stretches, first_gap
from dagster_project.pipeline.ledger import Load, record
from tests.incidents.capture.night import DAY, after

END = datetime(2025, 3, 10)
ALWAYS = datetime.min  # noqa: DTZ901 - naive UTC


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def after_days(days: int) -> datetime:
    return END + timedelta(days=days)


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


def test_a_night_that_was_not_read_whole_covers_what_it_says_and_tells_why(lake: Lake) -> None:
    read(lake, 0, END - timedelta(days=1), END - timedelta(hours=6), status="partial", error="Too many calls.")
    read(lake, 1, END + timedelta(days=1), END + timedelta(days=1), status="partial", error="B is closed.")
    assert captured_stretches(lake, after(1)) == [
        Stretch("cloudtrail", "complete", END - timedelta(days=1), END - timedelta(hours=6)),
        Stretch("cloudtrail", "partial", reason="B is closed."),
    ]


def test_the_first_gap_is_where_no_night_goes_on_from_the_ones_before() -> None:
    parts = [(0, 2), (1, 3), (4, 4), (4, 6)]
    loads = [Load("cloudtrail", "complete", history_from=after_days(a), watermark_at=after_days(b)) for a, b in parts]
    assert first_gap(loads, after_days(1)) == after_days(3)
    assert first_gap(loads, after_days(4)) == after_days(6)
    assert first_gap([], END) == END


def test_before_anything_was_captured_there_is_nothing(lake: Lake) -> None:
    assert captured_stretches(lake, DAY) == []
