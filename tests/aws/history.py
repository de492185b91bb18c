"""What AWS remembers of an account: state changes of alarms, scaling activities, and calls that changed something."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

WRITES = [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
"""What CloudTrail is asked for; nothing that only read is kept here."""


class History:
    """The records, as the API gives them. A test puts them in."""

    def __init__(self, account: str, region: str) -> None:
        self._place = f"{region}:{account}"
        self.alarms: list[Json] = []
        """Descriptions of the alarms that there are."""
        self.tags: dict[str, dict[str, str]] = {}
        """Tags of alarms by ARN."""
        self.changes: list[Json] = []
        self.activities: list[Json] = []
        self.calls: list[Json] = []

    def alarm(self, name: str, tags: dict[str, str] | None = None, **dimensions: str) -> None:
        """An alarm on a metric with some dimensions."""
        arn = f"arn:aws:cloudwatch:{self._place}:alarm:{name}"
        listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        self.alarms.append({"AlarmName": name, "AlarmArn": arn, "Dimensions": listed})
        self.tags[arn] = tags or {}

    def change(self, name: str, at: str, old: str, new: str, reason: str = "", data: Json | None = None) -> None:
        """A change of an alarm's state, in the documented shape."""
        state = {"stateValue": new, "stateReason": reason, **({"stateReasonData": data} if data else {})}
        told = {"version": "1.0", "oldState": {"stateValue": old}, "newState": state}
        self.changes.append(
            {
                "AlarmName": name,
                "AlarmType": "MetricAlarm",
                "Timestamp": moment(at),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {old} to {new}",
                "HistoryData": json.dumps(told),
            }
        )

    def activity(self, number: str, at: str, group: str = "web", status: str = "Successful", **more: Any) -> None:
        ended = {"EndTime": moment(at)} if status in ("Successful", "Failed", "Cancelled") else {}
        told = {"Description": f"Launching a new EC2 instance: i-{number}", "Cause": "a user request", "Progress": 100}
        self.activities.append(
            {
                "ActivityId": number,
                "AutoScalingGroupName": group,
                "StartTime": moment(at),
                "StatusCode": status,
                **ended,
                **told,
                **more,
            }
        )

    def call(self, number: str, at: str, name: str, source: str, resource: str = "", user: str = "mary", **details: Any) -> None:
        resources = [{"ResourceType": "AWS::AutoScaling::AutoScalingGroup", "ResourceName": resource}] if resource else []
        self.calls.append(
            {
                "EventId": number,
                "EventName": name,
                "ReadOnly": "false",
                "EventTime": moment(at),
                "EventSource": source,
                "Username": user,
                "Resources": resources,
                "CloudTrailEvent": json.dumps({"eventVersion": "1.08", "eventName": name, **details}),
            }
        )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _page(call: Call, found: Sequence[Json], size: int) -> tuple[list[Json], Json]:
    token = call.parameters.get("NextToken", "from-0")
    if not str(token).startswith("from-"):
        raise Refusal(400, "InvalidNextToken", "The next token is not valid")
    first = int(token.removeprefix("from-"))
    rest = {"NextToken": f"from-{first + size}"} if first + size < len(found) else {}
    return list(found[first : first + size]), rest


@handles("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(call: Call) -> Json:
    asked = call.parameters
    call.takes("AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "ScanBy", "MaxRecords", "NextToken")
    found = [
        each
        for each in call.place.history.changes
        if asked.get("StartDate", each["Timestamp"]) <= each["Timestamp"] <= asked.get("EndDate", each["Timestamp"])
        and each["AlarmType"] in asked.get("AlarmTypes", ["MetricAlarm"])
    ]
    found.sort(key=lambda each: each["Timestamp"], reverse=asked.get("ScanBy") != "TimestampAscending")
    page, rest = _page(call, found, asked.get("MaxRecords", 100))
    return {"AlarmHistoryItems": page, **rest}


@handles("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call) -> Json:
    call.takes("AlarmNames", "AlarmTypes", "MaxRecords", "NextToken")
    names = call.parameters.get("AlarmNames")
    assert names is None or len(names) <= 100
    found = [each for each in call.place.history.alarms if names is None or each["AlarmName"] in names]
    page, rest = _page(call, found, call.parameters.get("MaxRecords", 50 if names is None else 100))
    return {"MetricAlarms": page, **rest}


@handles("cloudwatch", "ListTagsForResource")
def list_tags(call: Call) -> Json:
    call.takes("ResourceARN")
    tags = call.place.history.tags.get(call.parameters["ResourceARN"])
    if tags is None:
        raise Refusal(404, "ResourceNotFoundException", "Unknown alarm")
    return {"Tags": [{"Key": name, "Value": value} for name, value in tags.items()]}


@handles("autoscaling", "DescribeScalingActivities")
def describe_scaling_activities(call: Call) -> Json:
    """Those in progress first, then the newest."""
    asked = call.parameters
    call.takes("IncludeDeletedGroups", "MaxRecords", "Filters", "NextToken")
    bounds = {each["Name"]: datetime.fromisoformat(each["Values"][0]) for each in asked.get("Filters", [])}
    assert {*bounds} in (set(), {"StartTimeLowerBound", "StartTimeUpperBound"})
    found = [
        each
        for each in call.place.history.activities
        if not bounds or bounds["StartTimeLowerBound"] <= each["StartTime"] <= bounds["StartTimeUpperBound"]
    ]
    found.sort(key=lambda each: each["StartTime"], reverse=True)
    found.sort(key=lambda each: "EndTime" in each)
    page, rest = _page(call, found, asked.get("MaxRecords", 50))
    return {"Activities": page, **rest}


@handles("cloudtrail", "LookupEvents")
def lookup_events(call: Call) -> Json:
    """The newest first; both bounds are included."""
    asked = call.parameters
    call.takes("LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken")
    assert asked.get("LookupAttributes", WRITES) == WRITES
    found = [
        each
        for each in call.place.history.calls
        if asked.get("StartTime", each["EventTime"]) <= each["EventTime"] <= asked.get("EndTime", each["EventTime"])
    ]
    found.sort(key=lambda each: each["EventTime"], reverse=True)
    page, rest = _page(call, found, asked.get("MaxResults", 50))
    return {"Events": page, **rest}
