"""Alarm history, scaling activities and CloudTrail, over HTTP against an AWS that answers in the documented shapes."""

# ruff: noqa: DTZ001 - events are naive UTC
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from dagster_project.connections.aws.connection import Connection
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import AccessDenied, CloudError
from dagster_project.pipeline.capture_sources import AWS_SOURCES, PERMISSIONS
from dagster_project.sources import cloudtrail, cloudwatch_alarms, scaling_activities
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudtrail import Cloudtrail
from dagster_project.sources.cloudwatch_alarms import CloudwatchAlarms, breach_started_at
from dagster_project.sources.history import Incomplete
from dagster_project.sources.scaling_activities import ScalingActivities
from tests.aws.faults import Fault
from tests.aws.fixtures import Waits, aws, waits
from tests.aws.server import AwsServer

__all__ = ["aws", "waits"]
SINCE, UNTIL = datetime(2025, 3, 8), datetime(2025, 3, 10)
SERVICES = {"web": "shop", "shop": "shop", "i-1": "search"}
ACCOUNT = "123456789012"


@pytest.fixture
def scope(aws: AwsServer, waits: Waits) -> Iterator[Scope]:
    connection = Connection(region=aws.region, endpoint_url=aws.url, at=waits)
    yield Scope(ACCOUNT, aws.region, connection)
    connection.close()


def alarms_of(scope: Scope) -> list[Event]:
    return list(CloudwatchAlarms([scope], SERVICES).read(SINCE, UNTIL))


def data(*points: tuple[str, float], threshold: float = 80.0, start: str = "2025-03-09T09:50:00.000+0000") -> dict[str, Any]:
    evaluated = [{"timestamp": f"{at}.000+0000", "sampleCount": 5.0, "value": value} for at, value in points]
    return {
        "version": "1.0", "queryDate": "2025-03-09T10:00:20.000+0000", "startDate": start, "statistic": "Average", "period": 60,
        "recentDatapoints": [value for _, value in points], "threshold": threshold, "evaluatedDatapoints": evaluated,
    }  # fmt: skip


ABOVE = "Threshold Crossed: 3 datapoints [97.0, 91.0, 85.0] were greater than the threshold (80.0)."


def test_an_alarm_says_when_the_breach_began_and_whose_it_is(aws: AwsServer, scope: Scope) -> None:
    aws.history.alarm("shop-cpu", AutoScalingGroupName="web")
    points = (("2025-03-09T09:59:00", 97.0), ("2025-03-09T09:58:00", 91.0), ("2025-03-09T09:50:00", 12.0))
    aws.history.change("shop-cpu", "2025-03-09 10:00:21.5", "OK", "ALARM", ABOVE, data(*points))
    (event,) = alarms_of(scope)
    assert event.occurred_at == datetime(2025, 3, 9, 10, 0, 21, 500_000)
    assert (event.lane, event.kind, event.service, event.target) == ("alarms", "alarm", "shop", "web")
    assert event.text == f"Alarm shop-cpu went to ALARM: {ABOVE}"
    assert event.payload["breach_started_at"] == "2025-03-09T09:58:00"
    assert (event.payload["old_state"], event.payload["new_state"]) == ("OK", "ALARM")
    assert event.source_event_id == f"{ACCOUNT}/{aws.region}/shop-cpu/2025-03-09T10:00:21.500"


def test_back_to_normal_is_no_breach_and_unknown_is_a_note(aws: AwsServer, scope: Scope) -> None:
    aws.history.change("shop-cpu", "2025-03-09 10:10:00", "ALARM", "OK", "Threshold Crossed: not greater than", data())
    aws.history.change("shop-cpu", "2025-03-09 10:20:00", "OK", "INSUFFICIENT_DATA", "Unchecked")
    assert [(event.kind, event.payload["breach_started_at"]) for event in alarms_of(scope)] == [
        ("alarm_ok", None),
        ("note", None),
    ]


@pytest.mark.parametrize(
    ("reason", "points", "began"),
    [
        ("3 datapoints were greater than the threshold (80.0)", (("2025-03-09T09:58:00", 80.1),), datetime(2025, 3, 9, 9, 58)),
        ("2 datapoints were less than the threshold (80.0)", (("2025-03-09T09:58:00", 99.0), ("2025-03-09T09:57:00", 3.0)),
         datetime(2025, 3, 9, 9, 57)),
        ("no datapoints were received", (("2025-03-09T09:58:00", 99.0),), datetime(2025, 3, 9, 9, 50)),
        ("3 datapoints were greater than the threshold (80.0)", (), datetime(2025, 3, 9, 9, 50)),
    ],
)  # fmt: skip
def test_a_breach_begins_at_its_first_point_beyond_the_threshold_or_with_the_data(
    reason: str, points: tuple[tuple[str, float], ...], began: datetime
) -> None:
    assert breach_started_at({"stateReason": reason, "stateReasonData": data(*points)}) == began


def test_a_state_that_was_set_by_hand_has_no_breach(aws: AwsServer, scope: Scope) -> None:
    aws.history.change("shop-cpu", "2025-03-09 10:00:00", "OK", "ALARM", "testing purposes")
    (event,) = alarms_of(scope)
    assert event.payload["breach_started_at"] is None


def test_tags_name_the_service_where_dimensions_do_not_and_deleted_alarms_are_nobodys(aws: AwsServer, scope: Scope) -> None:
    aws.history.alarm("queue-depth", tags={"Service": "billing"}, QueueName="jobs")
    for name in ("queue-depth", "gone"):
        aws.history.change(name, "2025-03-09 10:00:00", "OK", "ALARM")
    assert {event.payload["alarm_name"]: event.service for event in alarms_of(scope)} == {"queue-depth": "billing", "gone": None}


def test_a_thousand_changes_are_read_page_by_page_and_each_alarm_is_looked_up_once(aws: AwsServer, scope: Scope) -> None:
    aws.history.alarm("shop-cpu", InstanceId="i-1")
    for minute in range(1_001):
        at = datetime(2025, 3, 8) + timedelta(minutes=minute)
        aws.history.change("shop-cpu", str(at), "OK", "ALARM")
    events = alarms_of(scope)
    assert len({event.source_event_id for event in events}) == 1_001
    assert [len(aws.asked(name)) for name in ("DescribeAlarmHistory", "DescribeAlarms", "ListTagsForResource")] == [11, 1, 0]
    assert {event.service for event in events} == {"search"}


def test_only_what_lies_in_the_stretch_is_read(aws: AwsServer, scope: Scope) -> None:
    for at in ("2025-03-07 23:59:59", "2025-03-08 00:00:00", "2025-03-09 23:59:59", "2025-03-10 00:00:00"):
        aws.history.change("a", at, "OK", "ALARM")
        aws.history.activity(at, at)
        aws.history.call(at, at, "UpdateService", "ecs.amazonaws.com")
    sources = (CloudwatchAlarms([scope], {}), ScalingActivities([scope], {}), Cloudtrail([scope], {}, Waits()))
    for source in sources:
        found = sorted(event.occurred_at for event in source.read(SINCE, UNTIL))
        assert found == [datetime(2025, 3, 8), datetime(2025, 3, 9, 23, 59, 59)], source.name


def test_alarms_that_change_too_often_say_how_far_they_were_read(
    aws: AwsServer, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudwatch_alarms, "_PAGES", 2)
    for minute in range(300):
        aws.history.change("a", str(datetime(2025, 3, 8) + timedelta(minutes=minute)), "OK", "ALARM")
    events = CloudwatchAlarms([scope], {}).read(SINCE, UNTIL)
    found = [next(events) for _ in range(200)]
    with pytest.raises(Incomplete, match="changes after 2025-03-08 03:19 UTC are not read yet") as cut:
        next(events)
    assert cut.value.read_until == found[-1].occurred_at == datetime(2025, 3, 8, 3, 19)


def test_an_activity_tells_its_group_its_outcome_and_why(aws: AwsServer, scope: Scope) -> None:
    aws.history.activity("1", "2025-03-09 10:00:00")
    aws.history.activity("2", "2025-03-09 10:01:00", "other", "Failed", StatusMessage="No capacity.")
    aws.history.activity("3", "2025-03-09 10:02:00", status="InProgress", Progress=30)
    events = {event.source_event_id: event for event in ScalingActivities([scope], SERVICES).read(SINCE, UNTIL)}
    assert events["1"].text == "web: Launching a new EC2 instance: i-1 succeeded"
    assert (events["1"].service, events["1"].target, events["1"].lane) == ("shop", "web", "scaling")
    assert events["2"].text == "other: Launching a new EC2 instance: i-2 failed: No capacity."
    assert (events["3"].text, events["3"].recorded_at) == ("web: Launching a new EC2 instance: i-3 goes on", None)


def test_six_weeks_of_activities_are_read_week_by_week(aws: AwsServer, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(42):
        aws.history.activity(str(day), str(UNTIL - timedelta(days=day + 1)))
    assert len(list(ScalingActivities([scope], {}).read(UNTIL - timedelta(days=42), UNTIL))) == 42
    assert len(aws.asked("DescribeScalingActivities")) == 6
    monkeypatch.setattr(scaling_activities, "_PAGES", 2)
    monkeypatch.setattr(scaling_activities, "_PAGE", 2)
    with pytest.raises(Incomplete) as cut:
        list(ScalingActivities([scope], {}).read(UNTIL - timedelta(days=42), UNTIL))
    assert cut.value.read_until == UNTIL - timedelta(days=42)


def test_a_call_tells_who_did_what_to_what(aws: AwsServer, scope: Scope, waits: Waits) -> None:
    asked = {"autoScalingGroupName": "web", "desiredCapacity": 6, "userData": "IyEvYmlu", "masterPassword": "hunter2"}
    aws.history.call("1", "2025-03-09 10:00:00", "UpdateAutoScalingGroup", "autoscaling.amazonaws.com", "web",
                     requestParameters=asked)  # fmt: skip
    aws.history.call("2", "2025-03-09 10:01:00", "DeleteDBInstance", "rds.amazonaws.com", errorCode="AccessDenied",
                     requestParameters={"dBInstanceIdentifier": "orders"})  # fmt: skip
    aws.history.call("3", "2025-03-09 10:02:00", "AssumeRole", "sts.amazonaws.com")
    events = {event.source_event_id: event for event in Cloudtrail([scope], SERVICES, waits).read(SINCE, UNTIL)}
    assert {*events} == {"1", "2"}
    first, second = events["1"], events["2"]
    assert (first.text, first.actor, first.service, first.kind) == ("UpdateAutoScalingGroup of web", "mary", "shop", "api_call")
    assert first.payload["parameters"] == {"autoScalingGroupName": "web", "desiredCapacity": "6"}
    assert (second.text, second.payload["outcome"]) == ("DeleteDBInstance was refused (AccessDenied)", "failed")


def test_cloudtrail_is_asked_twice_a_second_at_most(aws: AwsServer, scope: Scope) -> None:
    waits = Waits()
    for number in range(120):
        aws.history.call(str(number), "2025-03-09 10:00:00", "UpdateService", "ecs.amazonaws.com")
    events = list(Cloudtrail([scope], {}, waits).read(SINCE, UNTIL))
    assert len({event.source_event_id for event in events}) == 120
    # Eight slices of six hours, and two further pages.
    assert len(aws.asked("LookupEvents")) == 10
    assert waits.slept == [0.5] * 10


def test_too_many_calls_for_a_night_go_on_where_they_were_cut(
    aws: AwsServer, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudtrail, "_PAGES", 4)
    for hour in range(48):
        for number in range(20):
            at = SINCE + timedelta(hours=hour)
            aws.history.call(f"{hour}-{number}", str(at), "UpdateService", "ecs.amazonaws.com")
    source, found, since = Cloudtrail([scope], {}, Waits()), set(), SINCE
    cuts = []
    while not cuts or cuts[-1] is not None:
        try:
            for event in source.read(since, UNTIL):
                found.add(event.source_event_id)
            cuts.append(None)
        except Incomplete as cut:
            assert cut.read_until > since
            since = cut.read_until
            cuts.append(cut.read_until)
    assert len(found) == 48 * 20
    assert cuts[0] == SINCE + timedelta(hours=6)


def test_throttling_is_waited_for_and_a_failure_in_the_middle_keeps_what_was_read(aws: AwsServer, scope: Scope) -> None:
    for minute in range(250):
        aws.history.change("a", str(datetime(2025, 3, 8) + timedelta(minutes=minute)), "OK", "ALARM")
    aws.faults.add(Fault("DescribeAlarmHistory", "throttled", times=2, after_skipping=1))
    assert len(alarms_of(scope)) == 250
    aws.faults.add(Fault("DescribeAlarmHistory", "internal_error_before", times=9, after_skipping=2))
    events = CloudwatchAlarms([scope], {}).read(SINCE, UNTIL)
    assert len([next(events) for _ in range(200)]) == 200
    with pytest.raises(CloudError, match="AWS failed with InternalFailure at DescribeAlarmHistory of alarms of 123456789012"):
        next(events)


def test_a_region_that_refuses_does_not_keep_the_others_from_being_read(aws: AwsServer, scope: Scope) -> None:
    aws.history.activity("1", "2025-03-09 10:00:00")
    aws.faults.add(Fault("DescribeScalingActivities", "denied"))
    events = ScalingActivities([scope, scope], {}).read(SINCE, UNTIL)
    assert next(events).source_event_id == "1"
    with pytest.raises(Incomplete, match="the account needs autoscaling:DescribeScalingActivities"):
        next(events)
    aws.faults.add(Fault("DescribeScalingActivities", "denied", times=2))
    with pytest.raises(AccessDenied, match="the account needs autoscaling:DescribeScalingActivities"):
        list(ScalingActivities([scope, scope], {}).read(SINCE, UNTIL))


def test_every_request_is_among_the_declared_permissions(aws: AwsServer, scope: Scope) -> None:
    aws.history.alarm("queue-depth")
    aws.history.change("queue-depth", "2025-03-09 10:00:00", "OK", "ALARM")
    for source in (CloudwatchAlarms([scope], {}), ScalingActivities([scope], {}), Cloudtrail([scope], {}, Waits())):
        list(source.read(SINCE, UNTIL))
    asked = {f"{each.service}:{each.operation}" for each in aws.log}
    assert asked == {each for module in AWS_SOURCES for each in module.PERMISSIONS}
    assert asked | {"sts:AssumeRole", "sts:GetCallerIdentity"} == {*PERMISSIONS}
    assert not any(each.is_write for module in AWS_SOURCES for each in module.READS)
