"""What is planned for groups, and what happened to databases: records that a test puts in."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

_BAD_TOKEN = (400, "InvalidNextToken", "The next token is not valid")
_BAD_MARKER = (400, "InvalidParameterValue", "The marker is not valid")


class Planned:
    """Scheduled actions of the groups of a region, and events of its databases."""

    def __init__(self) -> None:
        self._actions: list[Json] = []
        self._events: list[Json] = []

    def minimum(self, group: str, min_size: int | None, name: str = "weekday") -> None:
        """A group's minimum from some time on; None: the action leaves it alone."""
        bounds = {"DesiredCapacity": 5} if min_size is None else {"MinSize": min_size}
        self._actions.append({"AutoScalingGroupName": group, "ScheduledActionName": f"{group}-{name}", **bounds})

    def happened(self, database: str, at: datetime, category: str = "configuration change") -> None:
        """Something that happened to a database."""
        told = {"SourceIdentifier": database, "SourceType": "db-instance", "Date": at, "EventCategories": [category]}
        self._events.append({**told, "Message": f"{category} of {database}"})

    def actions(self) -> list[Json]:
        return self._actions

    def events(self, since: datetime, until: datetime, categories: list[str]) -> list[Json]:
        return [each for each in self._events if since <= each["Date"] <= until and {*each["EventCategories"]} & {*categories}]


@handles("autoscaling", "DescribeScheduledActions")
def describe_scheduled_actions(call: Call) -> Json:
    call.takes("MaxRecords", "NextToken")
    size = size_of(call, "MaxRecords", 1, 100, 50, "ValidationError")
    found = call.place.of(Planned).actions()
    taken, rest = page(call, found, lambda each: str(each["ScheduledActionName"]), size, _BAD_TOKEN)
    return {"ScheduledUpdateGroupActions": taken, **rest}


@handles("rds", "DescribeEvents")
def describe_events(call: Call) -> Json:
    call.takes("SourceType", "EventCategories", "StartTime", "EndTime", "MaxRecords", "Marker")
    asked = call.parameters
    if "StartTime" not in asked:
        return {"Events": []}
    since, until = (asked[name].replace(tzinfo=UTC) for name in ("StartTime", "EndTime"))
    if (call.hub.dials.now - since).total_seconds() > 14 * 86400:
        raise Refusal(400, "InvalidParameterValue", "StartTime must be within the last 14 days")
    size = size_of(call, "MaxRecords", 20, 100, 100)
    found = call.place.of(Planned).events(since, until, asked.get("EventCategories", []))
    taken, rest = page(
        call, found, lambda each: f"{each['Date'].isoformat()} {each['SourceIdentifier']}", size, _BAD_MARKER, "Marker"
    )
    return {"Events": taken, **rest}
