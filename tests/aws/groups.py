"""Auto Scaling groups: bounds hold, templates must exist, new members take their time."""

from __future__ import annotations

import copy

from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.overlay import LONG_AGO, over
from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.templates import Templates
from tests.aws.wire import Json, Refusal

INVALID_TOKEN = (400, "InvalidNextToken", "The NextToken value is not valid.")


class Groups:
    """What moto does not know of its groups."""

    def __init__(self, backend: Backend, dials: Dials, templates: Templates) -> None:
        self._backend = backend
        self._dials = dials
        self._templates = templates
        self._details: dict[str, Json] = {}
        self._launching: dict[str, int] = {}
        self._versions: dict[str, str] = {}

    def note(self, name: str, details: Json) -> None:
        """What a test says of a group."""
        self._details[name] = over(self._details.get(name, {}), details)

    def seen(self, name: str) -> Json:
        """A group as it is. Raises ``Refusal`` where there is none."""
        found = self._backend.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
        if not found["AutoScalingGroups"]:
            raise Refusal(400, "ValidationError", f"AutoScalingGroup name not found - no such group: {name}")
        return self._told(found["AutoScalingGroups"][0])

    def all(self) -> list[Json]:
        """All groups as they are."""
        return [
            self._told(each) for each in self._backend.listed("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"]
        ]

    def _told(self, group: Json) -> Json:
        members = []
        for each in group["Instances"]:
            state = {"LifecycleState": "Pending"} if each["InstanceId"] in self._launching else {}
            health = {"HealthStatus": "Unhealthy"} if each["InstanceId"] in self._dials.unhealthy else {}
            members.append({**each, **state, **health})
        return over({**group, "Instances": members}, self._details.get(group["AutoScalingGroupName"], {}))

    def look(self, *names: str) -> list[Json]:
        """Groups, or all of them, after time went on; what is not there is left out, as AWS does."""
        there = [each for each in self.all() if not names or each["AutoScalingGroupName"] in names]
        for member in (each for group in there for each in group["Instances"]):
            left = self._launching.pop(member["InstanceId"], 0)
            if left:
                self._launching[member["InstanceId"]] = left - 1
        found = {each["AutoScalingGroupName"]: each for each in self.all()}
        return [found[each] for each in names if each in found] if names else [*found.values()]

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
    call.takes("AutoScalingGroupNames", "MaxRecords", "NextToken", "IncludeInstances")
    size = size_of(call, "MaxRecords", 1, 100, 50, "ValidationError")
    names = call.parameters.get("AutoScalingGroupNames", [])
    if len(names) > size:
        raise Refusal(400, "ValidationError", f"The number of group names, {len(names)}, is more than {size}.")
    found = call.place.groups.all() if "NextToken" in call.parameters else call.place.groups.look(*names)
    rest: Json = {}
    if not names:
        found, rest = page(call, found, lambda each: str(each["AutoScalingGroupName"]), size, INVALID_TOKEN)
    if not call.parameters.get("IncludeInstances", True):
        found = [{**each, "Instances": []} for each in found]
    return {"AutoScalingGroups": found, **rest}


@handles("autoscaling", "DescribeLaunchConfigurations")
def describe_configurations(call: Call) -> Json:
    call.takes("LaunchConfigurationNames", "MaxRecords", "NextToken")
    size = size_of(call, "MaxRecords", 1, 100, 50, "ValidationError")
    names = call.parameters.get("LaunchConfigurationNames")
    listed = call.place.backend.listed("autoscaling", "DescribeLaunchConfigurations")["LaunchConfigurations"]
    listed = [
        over(each, {"CreatedTime": LONG_AGO}) for each in listed if names is None or each["LaunchConfigurationName"] in names
    ]
    found, rest = page(call, listed, lambda each: str(each["LaunchConfigurationName"]), size, INVALID_TOKEN)
    return {"LaunchConfigurations": found, **rest}


@handles("autoscaling", "UpdateAutoScalingGroup")
def update(call: Call) -> Json:
    call.takes("AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity", "LaunchTemplate")
    name = call.parameters["AutoScalingGroupName"]
    before = call.place.groups.seen(name)
    _check_bounds({**before, **call.parameters})
    asked = dict(call.parameters)
    if "LaunchTemplate" in asked:
        call.needs("ec2:RunInstances")
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
