"""How complete the evidence of an incident is, and what is warned of before it is lost."""

# ruff: noqa: DTZ001 - times are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dagster_project.domain.incidents.completeness import KINDS, Stretch, completeness, expiring

START, END = datetime(2025, 3, 2, 10), datetime(2025, 3, 2, 12)
NOW = datetime(2025, 3, 3)
NAMES = [source for kind in KINDS.values() for source in kind.sources]


def whole(*sources: str) -> list[Stretch]:
    return [Stretch(source, "complete", None, NOW) for source in sources]


def test_the_weights_add_up_to_a_hundred() -> None:
    assert sum(kind.weight for kind in KINDS.values()) == 100


def test_what_was_read_whole_is_complete_whether_or_not_something_was_in_it() -> None:
    found = completeness(START, END, whole(*NAMES), NOW)
    assert (found.score, found.sentences) == (100, ())


def test_nothing_read_is_nothing_known_and_the_heaviest_is_said_first() -> None:
    found = completeness(START, END, [], NOW)
    assert found.score == 0
    assert found.sentences == (
        "What the decision engine decided is not known.",
        "The alarms are not known.",
        "What was said in Slack is not known.",
        "What was deployed and changed is not known.",
        "The calls that changed AWS are not known.",
        "The scaling activities are not known.",
        "The good and failed requests are not known.",
    )


def test_a_part_of_the_time_counts_as_that_part() -> None:
    alarms = Stretch("cloudwatch_alarms", "partial", START - timedelta(days=1), START + timedelta(minutes=30))
    found = completeness(START, END, [*whole(*(set(NAMES) - {"cloudwatch_alarms"})), alarms], NOW)
    assert (found.score, found.shares["alarms"]) == (85, 0.25)
    assert found.sentences == ("The alarms are known for 25 % of the time; the rest is not captured yet.",)


def test_stretches_that_overlap_count_once_and_a_hole_between_them_is_a_hole() -> None:
    minutes = [(0, 30), (20, 50), (80, 200)]
    parts = [
        Stretch("cloudtrail", "complete", START + timedelta(minutes=since), START + timedelta(minutes=until))
        for since, until in minutes
    ]
    assert completeness(START, END, parts, NOW).shares["API calls"] == pytest.approx(90 / 120)


@pytest.mark.parametrize("source", ["captured_changes", "github"])
def test_either_source_of_changes_is_enough(source: str) -> None:
    assert completeness(START, END, whole(source), NOW).shares["changes"] == 1


def test_why_a_source_was_not_read_is_said() -> None:
    absent = Stretch("slack", "absent", reason="There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN.")
    found = completeness(START, END, [absent], NOW)
    assert "What was said in Slack is not known (There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN)." in found.sentences


def test_why_a_part_was_not_read_is_said() -> None:
    read = Stretch("cloudwatch_alarms", "complete", START - timedelta(days=1), START + timedelta(minutes=30))
    cut = Stretch("cloudwatch_alarms", "partial", reason="Account B is closed.")
    assert (
        "The alarms are known for 25 % of the time; the rest is not captured yet (Account B is closed)."
        in completeness(START, END, [read, cut], NOW).sentences
    )


def test_what_aws_has_forgotten_is_lost() -> None:
    found = completeness(START, END, [], START + timedelta(days=14))
    assert "The alarms are not known and lost: AWS keeps them for 14 days." in found.sentences
    assert "The calls that changed AWS are not known." in found.sentences
    half = Stretch("cloudwatch_alarms", "complete", START, START + timedelta(hours=1))
    found = completeness(START, END, [half], START + timedelta(days=20))
    assert "The alarms are known for 50 % of the time; the rest is lost." in found.sentences


def test_of_an_incident_that_took_no_time_its_moment_counts() -> None:
    assert completeness(START, START, whole("slack"), NOW).shares["messages"] == 1
    assert completeness(NOW, NOW, whole("slack"), NOW).shares["messages"] == 0


@pytest.mark.parametrize(
    ("days", "kinds"),
    [(10.9, []), (11, ["alarms"]), (13.9, ["alarms"]), (14, []), (39, ["scaling"]), (42, []), (87, ["API calls"]), (90, [])],
)
def test_evidence_is_warned_of_for_three_days_before_it_is_lost(days: float, kinds: list[str]) -> None:
    assert [each.kind for each in expiring([("INC-1", START, END)], [], START + timedelta(days=days))] == kinds


def test_a_warning_says_what_is_lost_when_and_why() -> None:
    denied = Stretch("cloudwatch_alarms", "failed", reason="AWS does not allow DescribeAlarmHistory.")
    (found,) = expiring([("INC-1", START, END)], [denied], START + timedelta(days=12))
    assert found.expires_at == START + timedelta(days=14)
    assert found.sentence == (
        "The alarms of INC-1 are not captured, and AWS forgets them from 2025-03-16 10:00 UTC on "
        "(AWS does not allow DescribeAlarmHistory)."
    )


def test_captured_evidence_is_not_warned_of_and_of_the_rest_the_first_gap_counts() -> None:
    at = START + timedelta(days=12)
    assert expiring([("INC-1", START, END)], whole("cloudwatch_alarms"), at) == []
    half = Stretch("cloudwatch_alarms", "complete", None, START + timedelta(hours=1))
    (found,) = expiring([("INC-1", START, END)], [half], at)
    assert found.expires_at == START + timedelta(days=14, hours=1)
