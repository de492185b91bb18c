"""Due dates that nobody gave, and what texts say of a severity."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.action_items.due_dates import DuePolicy, severity_level

CREATED = date(2025, 3, 9)
DATES = st.dates(max_value=date(9990, 1, 1))


@pytest.mark.parametrize(
    ("severity", "due", "rule"),
    [
        ("SEV1", date(2025, 3, 24), "Sev-1: 15 days"),
        ("sev-2 (major)", date(2025, 4, 8), "Sev-2: 30 days"),
        ("S3-minor", date(2025, 5, 4), "other severities: 56 days"),
        ("4", date(2025, 5, 4), "other severities: 56 days"),
        (None, date(2025, 5, 4), "severity unknown: 56 days"),
        ("", date(2025, 5, 4), "severity unknown: 56 days"),
        ("who knows", date(2025, 5, 4), "severity unknown: 56 days"),
    ],
)
def test_an_item_is_due_by_the_severity_of_its_incident(severity: str | None, due: date, rule: str) -> None:
    assert DuePolicy().due(CREATED, severity) == (due, rule)


def test_the_days_are_those_of_the_settings() -> None:
    policy = DuePolicy(sev1_days=1, sev2_days=2, other_days=365)
    assert policy.due(CREATED, "P0") == (date(2025, 3, 10), "Sev-1: 1 days")
    assert policy.due(CREATED, "P2") == (date(2025, 3, 11), "Sev-2: 2 days")
    assert policy.due(CREATED, "low") == (date(2026, 3, 9), "other severities: 365 days")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("SEV1", 1), ("sev-1", 1), ("Sev 1", 1), ("P0", 1), ("P1", 1), ("SEV-0", 1), ("sev-2 (major)", 2), ("S2", 2),
        ("S3-minor", 3), ("P5", 5), ("3 - moderate", 3), ("severity: 4", 4),
        ("Critical", 1), ("BLOCKER", 1), ("Highest", 1), ("Major", 2), ("high", 2), ("Minor", 3), ("medium", 3), ("Low", 4),
        ("Lowest", 5), ("highly critical, major", 1),
        (None, None), ("", None), ("   ", None), ("unknown", None), ("n/a", None), ("🔥", None),
    ],
)  # fmt: skip
def test_a_severity_in_many_ways(text: str | None, level: int | None) -> None:
    assert severity_level(text) == level


def test_a_number_of_two_digits_is_no_sev_1() -> None:
    assert severity_level("SEV10") == 10
    assert severity_level("P20") == 20


def test_a_word_inside_of_another_one_says_nothing() -> None:
    assert severity_level("workflow") is None
    assert severity_level("yellow") is None
    assert severity_level("majority of users") is None


def test_the_first_number_counts() -> None:
    assert severity_level("SEV2 (was P1)") == 2
    assert severity_level("minor, SEV 2") == 2


def test_a_number_of_thousands_of_digits_stops_no_night() -> None:
    assert severity_level("9" * 10_000) == 999_999_999
    assert DuePolicy().due(CREATED, "9" * 10_000)[1] == "other severities: 56 days"


@given(DATES, st.none() | st.text())
def test_every_text_gives_one_of_three_days(created_on: date, severity: str | None) -> None:
    due, rule = DuePolicy().due(created_on, severity)
    days = (due - created_on).days
    assert timedelta(days=days) + created_on == due
    assert days in (15, 30, 56)
    assert rule.endswith(f": {days} days")
