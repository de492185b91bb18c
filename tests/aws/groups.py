"""Auto Scaling groups: bounds hold, templates must exist, new members take their time."""

from __future__ import annotations

import copy

from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.routing import Call, handles
from tests.aws.templates import Templates
from tests.aws.wire import Json, Refusal


class Groups:
    """What moto does not know of its groups."""

    def __init__(self, backend: Backend, dials: Dials, templates: Templates) -> None:
        self._backend = backend
        self._dials = dials
        self._templates = templates
        self._launching: dict[str, int] = {}
        self._versions: dict[str, str] = {}

    def seen(self, name: str) -> Json:
        """A group as it is. Raises ``Refusal`` where there is none."""
        found = self._backend.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
        if not found["AutoScalingGroups"]:
            raise Refusal(400, "ValidationError", f"AutoScalingGroup name not found - no such group: {name}")
        group: Json = found["AutoScalingGroups"][0]
        for each in group["Instances"]:
            if each["InstanceId"] in self._launching:
                each["LifecycleState"] = "Pending"
            if each["InstanceId"] in self._dials.unhealthy:
                each["HealthStatus"] = "Unhealthy"
        return group

    def look(self, name: str) -> Json:
        """As ``seen``, after time went on."""
        for each in self.seen(name)["Instances"]:
            left = self._launching.pop(each["InstanceId"], 0)
            if left:
                self._launching[each["InstanceId"]] = left - 1
        return self.seen(name)

    def note_launched(self, name: str, *, is_slow: bool) -> None:
        """Notes which version members were launched from that came since."""
        group = self.seen(name)
        version = self.version(group)
        for each in group["Instances"]:
            if each["InstanceId"] not in self._versions:
                self._versions[each["InstanceId"]] = version
                if is_slow and self._dials.launching:
                    self._launching[each["InstanceId"]] = self._dials.launching

    def version(self, group: Json) -> str:
        """The version of a template that a group launches from now; empty where it has no template of its own."""
        template = group.get("LaunchTemplate")
        if not template:
            return ""
        found = self._templates.version(template["LaunchTemplateId"], template.get("Version") or "$Default")
        return f"{template['LaunchTemplateId']}:{found['VersionNumber']}"

    def outdated(self, name: str) -> list[str]:
        """Members that were not launched from the present version."""
        group = self.seen(name)
        version = self.version(group)
        return [each["InstanceId"] for each in group["Instances"] if self._versions[each["InstanceId"]] != version]

    def replace(self, name: str, instance_id: str) -> None:
        """Replaces a member; the new one is in service at once."""
        self._backend.call(
            "autoscaling",
            "TerminateInstanceInAutoScalingGroup",
            InstanceId=instance_id,
            ShouldDecrementDesiredCapacity=False,
        )
        self.note_launched(name, is_slow=False)


@handles("autoscaling", "DescribeAutoScalingGroups")
def describe(call: Call) -> Json:
    call.takes("AutoScalingGroupNames")
    found = []
    for each in call.parameters["AutoScalingGroupNames"]:
        try:
            found.append(call.place.groups.look(each))
        except Refusal:
            continue  # AWS leaves out what is not there.
    return {"AutoScalingGroups": found}


@handles("autoscaling", "UpdateAutoScalingGroup")
def update(call: Call) -> Json:
    call.takes("AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity", "LaunchTemplate")
    name = call.parameters["AutoScalingGroupName"]
    before = call.place.groups.seen(name)
    _check_bounds({**before, **call.parameters})
    asked = dict(call.parameters)
    if "LaunchTemplate" in asked:
        _check_template(call, asked["LaunchTemplate"])
    elif "MixedInstancesPolicy" in before:
        policy = copy.deepcopy(before["MixedInstancesPolicy"])
        del policy["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateName"]
        asked["MixedInstancesPolicy"] = policy  # moto forgets it otherwise.
    call.place.backend.call("autoscaling", "UpdateAutoScalingGroup", **asked)
    call.place.groups.note_launched(name, is_slow=True)
    call.is_change = before != call.place.groups.seen(name)
    return {}


def _check_bounds(wanted: Json) -> None:
    low, high, desired = wanted["MinSize"], wanted["MaxSize"], wanted["DesiredCapacity"]
    if low > high:
        raise Refusal(400, "ValidationError", f"Min bound, {low}, must be less than or equal to max bound, {high}")
    if not low <= desired <= high:
        message = f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        raise Refusal(400, "ValidationError", message)


def _check_template(call: Call, wanted: Json) -> None:
    incomplete = "You must use a valid fully-formed launch template."
    try:
        found = call.place.templates.version(wanted["LaunchTemplateId"], wanted.get("Version") or "$Default")
    except Refusal as refusal:
        raise Refusal(400, "ValidationError", f"{incomplete} {refusal.message}") from None
    data = found["LaunchTemplateData"]
    if not data.get("ImageId"):
        raise Refusal(400, "ValidationError", f"{incomplete} The request must contain the parameter ImageId")
    if data.get("InstanceType") not in INSTANCE_TYPES:
        raise Refusal(400, "ValidationError", f"{incomplete} The instance type '{data.get('InstanceType')}' does not exist")
