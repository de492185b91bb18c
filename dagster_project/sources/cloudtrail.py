"""Calls that changed something in an AWS account, out of CloudTrail's event history. AWS keeps it for 90 days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster_project import clock
from dagster_project.clock import Clock
from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.redaction_secrets import is_secret_name
from dagster_project.sources.aws_scopes import Scope, known_of, read_pages, read_scopes
from dagster_project.sources.history import aware, utc

LOOKUP = read("cloudtrail", "LookupEvents", purpose=purposes.CALLS, probe={"MaxResults": 1})
READS = (LOOKUP,)
PERMISSIONS = permissions(*READS)

KEEPS_DAYS = 90
SECONDS_BETWEEN = 0.5
"""AWS takes two requests a second of an account and region."""
_PAGE = 50
_PAGES = 600
"""Five minutes of requests, and 30,000 calls."""
_SLICE = timedelta(hours=6)
_NOISE = frozenset(
    {
        "ec2messages.amazonaws.com", "kms.amazonaws.com", "logs.amazonaws.com", "signin.amazonaws.com",
        "ssmmessages.amazonaws.com", "sts.amazonaws.com",
    }
)  # fmt: skip
"""What is called for every session, log stream and key, and changes no service."""
_LONGEST_VALUE = 100
Json = dict[str, Any]


@dataclass(slots=True)
class Cloudtrail:
    """The calls of some scopes. ``services`` maps resources to their service; ``at`` waits between requests."""

    scopes: Sequence[Scope]
    services: Mapping[str, str]
    at: Clock = clock
    name: str = "cloudtrail"
    keeps_days: int = KEEPS_DAYS

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Calls with since ≤ time < until (naive UTC), six hours at a time, the oldest first.

        Raises ``AccessDenied``, ``CloudError``, or ``Incomplete`` where there are too many for one night.
        """
        return read_scopes(self.scopes, lambda scope: self._read(scope, since, until))

    def _read(self, scope: Scope, since: datetime, until: datetime) -> Iterator[Event]:
        unread = f"{scope.place} has too many calls for one night: not all"
        for page, start, end in read_pages(
            (since, until), _SLICE, lambda start, end: self._pages(scope, start, end), _PAGES, unread
        ):
            yield from self._events(scope, page, start, end)

    def _pages(self, scope: Scope, start: datetime, end: datetime) -> Iterator[Json]:
        pages = scope.connection.pages(
            LOOKUP,
            f"calls of {scope.place}",
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            StartTime=aware(start),
            EndTime=aware(end),
            MaxResults=_PAGE,
        )
        for page in pages:
            yield page
            self.at.sleep(SECONDS_BETWEEN)

    def _events(self, scope: Scope, page: Json, start: datetime, end: datetime) -> Iterator[Event]:
        for call in page["Events"]:
            # Both bounds are AWS's to include; a call on one would come twice.
            if start <= utc(call["EventTime"]) < end and call.get("EventSource") not in _NOISE:
                yield self._event(scope, call)

    def _event(self, scope: Scope, call: Json) -> Event:
        resources = [each["ResourceName"] for each in call.get("Resources", ()) if each.get("ResourceName")]
        details = _document(call.get("CloudTrailEvent"))
        named = _named(details.get("requestParameters"))
        target, service = known_of((*resources, *named.values()), self.services)
        error = details.get("errorCode")
        return Event(
            source=self.name,
            source_event_id=call["EventId"],
            occurred_at=utc(call["EventTime"]),
            lane="changes",
            kind="api_call",
            text=_told(call["EventName"], target or next(iter(resources), None), error),
            service=service,
            target=target or next(iter(resources), None),
            actor=call.get("Username"),
            payload={
                "api_call": call["EventName"],
                "event_source": call.get("EventSource"),
                "error_code": error,
                "outcome": "failed" if error else "succeeded",
                "resources": resources,
                "parameters": named,
                "account_id": scope.account_id,
                "region": scope.region,
            },
        )


def _told(name: str, target: str | None, error: str | None) -> str:
    return name + (f" of {target}" if target else "") + (f" was refused ({error})" if error else "")


def _named(parameters: Any) -> dict[str, str]:
    """The short parameters of a call by name. What may hold a secret or a script is left out."""
    found = parameters if isinstance(parameters, dict) else {}
    return {
        str(name): str(value)
        for name, value in sorted(found.items())
        if isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE and not is_secret_name(str(name))
    }


def _document(text: Any) -> Json:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
