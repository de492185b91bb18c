"""Activities of Auto Scaling groups: machines that came and went, and why. AWS keeps them for six weeks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.incidents.events import Event
from dagster_project.sources.aws_scopes import Scope, read_pages, read_scopes
from dagster_project.sources.history import utc

ACTIVITIES = read("autoscaling", "DescribeScalingActivities", purpose=purposes.SCALING, probe={"MaxRecords": 1})
READS = (ACTIVITIES,)
PERMISSIONS = permissions(*READS)

KEEPS_DAYS = 42
_PAGE = 100
_PAGES = 500
_SLICE = timedelta(days=7)
_OUTCOMES = {"Successful": "succeeded", "Failed": "failed", "Cancelled": "was cancelled"}


@dataclass(slots=True)
class ScalingActivities:
    """The activities of all groups of some scopes. ``services`` maps groups to their service."""

    scopes: Sequence[Scope]
    services: Mapping[str, str]
    name: str = "scaling_activities"
    keeps_days: int = KEEPS_DAYS

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Activities that began with since ≤ time < until (naive UTC). One that goes on is another version when it ends.

        Raises ``AccessDenied``, ``CloudError``, or ``Incomplete`` where there are too many for one night.
        """
        return read_scopes(self.scopes, lambda scope: self._read(scope, since, until))

    def _read(self, scope: Scope, since: datetime, until: datetime) -> Iterator[Event]:
        def pages(start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
            return scope.connection.pages(ACTIVITIES, f"groups of {scope.place}", **_asked(start, end))

        unread = f"Not all scaling activities of {scope.place}"
        for page, start, end in read_pages((since, until), _SLICE, pages, _PAGES, unread):
            yield from (self._event(scope, each) for each in page["Activities"] if start <= utc(each["StartTime"]) < end)

    def _event(self, scope: Scope, activity: dict[str, Any]) -> Event:
        group, status = activity["AutoScalingGroupName"], activity["StatusCode"]
        ended = activity.get("EndTime")
        return Event(
            source=self.name,
            source_event_id=activity["ActivityId"],
            occurred_at=utc(activity["StartTime"]),
            recorded_at=utc(ended) if ended else None,
            lane="scaling",
            kind="scaling_activity",
            text=_told(activity),
            service=self.services.get(group),
            target=group,
            payload={
                "status": status,
                "outcome": _OUTCOMES.get(status),
                "cause": activity.get("Cause"),
                "ended_at": utc(ended).isoformat() if ended else None,
                "account_id": scope.account_id,
                "region": scope.region,
            },
        )


def _asked(start: datetime, end: datetime) -> dict[str, Any]:
    bounds = {"StartTimeLowerBound": start, "StartTimeUpperBound": end}
    filters = [{"Name": name, "Values": [f"{at.isoformat()}Z"]} for name, at in bounds.items()]
    return {"IncludeDeletedGroups": True, "MaxRecords": _PAGE, "Filters": filters}


def _told(activity: dict[str, Any]) -> str:
    what = activity.get("Description") or "A scaling activity"
    outcome = _OUTCOMES.get(activity["StatusCode"], "goes on")
    why = activity.get("StatusMessage")
    return f"{activity['AutoScalingGroupName']}: {what} {outcome}" + (f": {why}" if why else "")
