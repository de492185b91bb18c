"""Durations that documents state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.importing.durations import metric_of, minutes_of, stated_in


@pytest.mark.parametrize(
    ("line", "metric", "minutes", "clock", "hours"),
    [
        ("Time to repair: 0h 16m", "ttrep", 16, "unknown", None),
        ("- **Time to resolve**: 5h 09m (during support hours 10:00-17:00)", "ttres", 309, "support_hours", "10:00-17:00"),
        ("Time to detection: 19 hours 43 minutes.", "ttd", 1183, "unknown", None),
        ("Time to recovery:  10 minutes", "ttrst", 10, "unknown", None),
        ("Time to resolve: 2d 1h 29m", "ttres", 2969, "unknown", None),
        ("MTTR: 5 min (wall clock)", None, 5, "wall", None),
        ("Customer impact duration: 1:30", "cid", 90, "unknown", None),
        ("Time to mitigate: 1.5 hours", "ttm", 90, "unknown", None),
        ("TTD: 3m", "ttd", 3, "unknown", None),
        ("Time to acknowledge | 45 s", "tta", 0.75, "unknown", None),
    ],
)
def test_a_line_that_states_a_duration(line: str, metric: str | None, minutes: float, clock: str, hours: str | None) -> None:
    stated = stated_in(line, "a.md:3")
    assert (stated.metric_id, stated.minutes, stated.clock, stated.hours, stated.place) == (
        metric,
        minutes,
        clock,
        hours,
        "a.md:3",
    )


@pytest.mark.parametrize(
    "line", ["Time to detection: ?", "Time to recovery: N/A", "Time to repair: TBD", "It took time to repair it"]
)
def test_a_line_that_states_none(line: str) -> None:
    assert stated_in(line, "a.md:3") is None


@pytest.mark.parametrize("value", ["about a coffee", "45 + 30 minutes", "between 10 and 20 minutes", "60"])
def test_a_duration_that_cannot_be_read_is_said_and_not_guessed(value: str) -> None:
    said = stated_in(f"Time to repair: {value}", "a.md:3")
    assert isinstance(said, str)
    assert value in said


@given(st.integers(0, 30), st.integers(0, 23), st.integers(0, 59))
def test_rendered_minutes_are_read_back(days: int, hours: int, minutes: int) -> None:
    total = days * 1440 + hours * 60 + minutes
    assert minutes_of(f"{days}d {hours}h {minutes}m") == total
    assert minutes_of(f"{days} days, {hours} hours and {minutes} minutes") == total
    assert minutes_of(f"{days * 24 + hours}h {minutes:02}m") == total


def test_mttr_names_no_definition() -> None:
    assert metric_of("MTTR") is None
