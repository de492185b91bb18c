"""Instance refreshes of Auto Scaling groups, which moto does not have: one at a time, a share of the members at each look."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from tests.aws.dials import Dials
from tests.aws.groups import Groups
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

UNDER_WAY = ("Pending", "InProgress", "Cancelling")


@dataclass
class Refresh:
    """One refresh of a group. ``waiting`` are the members that it has yet to replace, in ``steps`` more looks."""

    group: str
    preferences: Json
    steps: int
    begun_at: datetime
    refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Pending"
    reason: str | None = None
    waiting: list[str] = field(default_factory=list)
    replaced: int = 0

    def told(self) -> Json:
        total = self.replaced + len(self.waiting)
        known = {
            "InstanceRefreshId": self.refresh_id,
            "AutoScalingGroupName": self.group,
            "Status": self.status,
            "StatusReason": self.reason,
            "StartTime": None if self.status == "Pending" else self.begun_at,
            "PercentageComplete": 100 * self.replaced // total if total else 0,
            "InstancesToUpdate": len(self.waiting),
            "Preferences": self.preferences,
        }
        return {name: value for name, value in known.items() if value is not None}


class Refreshes:
    """The refreshes of all groups, the newest first."""

    def __init__(self, groups: Groups, dials: Dials) -> None:
        self._groups = groups
        self._dials = dials
        self.of: dict[str, list[Refresh]] = {}

    def under_way(self, name: str) -> Refresh | None:
        newest = next(iter(self.of.get(name, [])), None)
        return newest if newest and newest.status in UNDER_WAY else None

    def start(self, name: str, preferences: Json) -> Refresh:
        made = Refresh(name, preferences, self._dials.refreshing, self._dials.now)
        self.of.setdefault(name, []).insert(0, made)
        return made

    def go_on(self, refresh: Refresh) -> None:
        """Time goes on: one step."""
        if refresh.status == "Cancelling":
            refresh.status = "Cancelled"
        elif refresh.status == "Pending":
            refresh.status = "InProgress"
            is_skipping = refresh.preferences.get("SkipMatching")
            members = [each["InstanceId"] for each in self._groups.seen(refresh.group)["Instances"]]
            refresh.waiting = self._groups.outdated(refresh.group) if is_skipping else members
        elif refresh.status == "InProgress" and self._dials.refresh_failure:
            refresh.status, refresh.reason = "Failed", self._dials.refresh_failure
        elif refresh.status == "InProgress":
            share = math.ceil(len(refresh.waiting) / max(refresh.steps, 1))
            for each in refresh.waiting[:share]:
                self._groups.replace(refresh.group, each)
            refresh.replaced += share
            del refresh.waiting[:share]
            refresh.steps -= 1
            if refresh.steps <= 0:
                refresh.status = "Successful"


@handles("autoscaling", "DescribeInstanceRefreshes")
def describe(call: Call) -> Json:
    call.takes("AutoScalingGroupName", "MaxRecords")
    name = call.parameters["AutoScalingGroupName"]
    call.place.groups.seen(name)
    refreshes = call.place.refreshes
    told = [each.told() for each in refreshes.of.get(name, [])]
    if under_way := refreshes.under_way(name):
        refreshes.go_on(under_way)
    return {"InstanceRefreshes": told[: call.parameters.get("MaxRecords", 50)]}


@handles("autoscaling", "StartInstanceRefresh")
def start(call: Call) -> Json:
    call.takes("AutoScalingGroupName", "Strategy", "Preferences")
    name = call.parameters["AutoScalingGroupName"]
    call.place.groups.seen(name)
    preferences = call.parameters.get("Preferences", {})
    if call.parameters.get("Strategy", "Rolling") != "Rolling":
        raise Refusal(400, "ValidationError", "The strategy is not valid.")
    if not 0 <= preferences.get("MinHealthyPercentage", 90) <= 100:
        raise Refusal(400, "ValidationError", "The minimum healthy percentage must be between 0 and 100.")
    if call.place.refreshes.under_way(name):
        message = f"An Instance Refresh is already in progress and blocks the execution of this Instance Refresh for {name}."
        raise Refusal(400, "InstanceRefreshInProgress", message)
    call.is_change = True
    return {"InstanceRefreshId": call.place.refreshes.start(name, preferences).refresh_id}


@handles("autoscaling", "CancelInstanceRefresh")
def cancel(call: Call) -> Json:
    call.takes("AutoScalingGroupName")
    name = call.parameters["AutoScalingGroupName"]
    call.place.groups.seen(name)
    under_way = call.place.refreshes.under_way(name)
    if under_way is None or under_way.status == "Cancelling":
        raise Refusal(400, "ActiveInstanceRefreshNotFound", f"No in progress or pending Instance Refresh found for {name}")
    under_way.status = "Cancelling"
    call.is_change = True
    return {"InstanceRefreshId": under_way.refresh_id}
