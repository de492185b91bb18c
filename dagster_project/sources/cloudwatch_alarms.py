"""State changes of CloudWatch alarms. AWS keeps them for 14 days, also those of alarms that were deleted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.incidents.events import Event
from dagster_project.sources.aws_scopes import Scope, known_of, read_scopes
from dagster_project.sources.history import Incomplete, aware, utc

HISTORY = read("cloudwatch", "DescribeAlarmHistory", purpose=purposes.ALARMS, probe={"MaxRecords": 1})
ALARMS = read("cloudwatch", "DescribeAlarms", purpose=purposes.ALARMS, probe={"MaxRecords": 1})
"""Dimensions and tags tell whose alarm it is."""
TAGS = read("cloudwatch", "ListTagsForResource", purpose=purposes.ALARMS)
"""Asked only of alarms whose dimensions name nothing that is known."""
READS = (HISTORY, ALARMS, TAGS)
PERMISSIONS = permissions(*READS)

KEEPS_DAYS = 14
_TYPES = ["MetricAlarm", "CompositeAlarm"]
_PAGE = 100
_PAGES = 500
_KINDS = {"ALARM": "alarm", "OK": "alarm_ok"}
_TAG = "service"
Json = dict[str, Any]


@dataclass(slots=True)
class CloudwatchAlarms:
    """The alarms of some scopes. ``services`` maps resources to their service, and services to themselves."""

    scopes: Sequence[Scope]
    services: Mapping[str, str]
    name: str = "cloudwatch_alarms"
    keeps_days: int = KEEPS_DAYS
    _owners: dict[tuple[str, str], tuple[str | None, str | None]] = field(default_factory=dict)

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """State changes with since ≤ time < until (naive UTC), the oldest first in each scope.

        Raises ``AccessDenied``, ``CloudError``, or ``Incomplete`` where there are too many for one night.
        """
        return read_scopes(self.scopes, lambda scope: self._read(scope, since, until))

    def _read(self, scope: Scope, since: datetime, until: datetime) -> Iterator[Event]:
        pages = scope.connection.pages(
            HISTORY,
            f"alarms of {scope.place}",
            AlarmTypes=_TYPES,
            HistoryItemType="StateUpdate",
            StartDate=aware(since),
            EndDate=aware(until),
            ScanBy="TimestampAscending",
            MaxRecords=_PAGE,
        )
        last = since
        for page in itertools.islice(pages, _PAGES):
            items = [item for item in page["AlarmHistoryItems"] if since <= utc(item["Timestamp"]) < until]
            self._look_up(scope, sorted({item["AlarmName"] for item in items}))
            for item in items:
                last = max(last, utc(item["Timestamp"]))
                yield self._event(scope, item)
            if not page.get("NextToken"):
                return
        unread = f"changes after {last:%Y-%m-%d %H:%M} UTC are not read yet"
        raise Incomplete(f"The alarms of {scope.place} changed too often for one night: {unread}.", last)

    def _event(self, scope: Scope, item: Json) -> Event:
        name, at = item["AlarmName"], utc(item["Timestamp"])
        data = _document(item.get("HistoryData"))
        old, new = _document(data.get("oldState")), _document(data.get("newState"))
        state = str(new.get("stateValue") or "an unknown state")
        target, service = self._owners.get((scope.place, name), (None, None))
        breach = breach_started_at(new) if state == "ALARM" else None
        return Event(
            source=self.name,
            source_event_id=f"{scope.place}/{name}/{at.isoformat(timespec='milliseconds')}",
            occurred_at=at,
            recorded_at=at,
            lane="alarms",
            kind=_KINDS.get(state, "note"),
            text=f"Alarm {name} went to {state}: {new.get('stateReason') or item.get('HistorySummary') or 'no reason given'}",
            service=service,
            target=target,
            url=f"https://{scope.region}.console.aws.amazon.com/cloudwatch/home?region={scope.region}#alarmsV2:alarm/{name}",
            payload={
                "alarm_name": name,
                "old_state": old.get("stateValue"),
                "new_state": new.get("stateValue"),
                "breach_started_at": breach.isoformat() if breach else None,
                "account_id": scope.account_id,
                "region": scope.region,
            },
        )

    def _look_up(self, scope: Scope, names: Sequence[str]) -> None:
        """Finds out whose alarms these are. One that was deleted is nobody's."""
        unknown = [name for name in names if (scope.place, name) not in self._owners]
        for first in range(0, len(unknown), _PAGE):
            asked = unknown[first : first + _PAGE]
            pages = scope.connection.pages(ALARMS, f"alarms of {scope.place}", AlarmNames=asked, AlarmTypes=_TYPES)
            for page in pages:
                for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                    self._owners[scope.place, alarm["AlarmName"]] = self._owner(scope, alarm)

    def _owner(self, scope: Scope, alarm: Json) -> tuple[str | None, str | None]:
        target, service = known_of(_dimensions(alarm), self.services)
        if service is None and "AlarmArn" in alarm:
            answer = scope.connection.ask(TAGS, f"the alarm {alarm['AlarmName']}", ResourceARN=alarm["AlarmArn"])
            service = next((tag["Value"] for tag in answer.get("Tags", ()) if tag["Key"].lower() == _TAG), None)
        return target, service


def breach_started_at(state: Mapping[str, Any]) -> datetime | None:
    """When what an alarm watches was first beyond its threshold, by the data of its new state; None where that is not said.

    The data holds the points that were evaluated, the newest first, and the moment of the oldest. Not all of them need be
    beyond the threshold (an alarm may ask for 3 of 5); on which side that is, only the reason's text says.
    """
    data = _document(state.get("stateReasonData"))
    beyond = [_moment(point.get("timestamp")) for point in _breaching(data, str(state.get("stateReason") or ""))]
    return min((at for at in beyond if at is not None), default=None) or _moment(data.get("startDate"))


def _breaching(data: Json, reason: str) -> Iterator[Json]:
    is_above, is_below = "greater than" in reason, "less than" in reason
    for point in data.get("evaluatedDatapoints") or ():
        value, threshold = point.get("value"), point.get("threshold", data.get("threshold"))
        if value is None or threshold is None or is_above == is_below:
            continue
        if (value >= threshold) if is_above else (value <= threshold):
            yield point


def _dimensions(alarm: Json) -> Iterable[str]:
    metrics = [alarm, *(each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each)]
    return (each["Value"] for metric in metrics for each in metric.get("Dimensions", ()))


def _moment(text: Any) -> datetime | None:
    """AWS writes 2014-04-09T18:44:00.000+0000."""
    try:
        return utc(datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%f%z"))
    except ValueError:
        return None


def _document(value: Any) -> Json:
    """An object, or the object in a text; an empty one where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
