"""EC2 instances that take their time: states between states, and status checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.overlay import over
from tests.aws.pages import page, size_of
from tests.aws.refusals import no_capacity
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
INVALID_TOKEN = (400, "InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
_ALL = 1_000_000
_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")


@dataclass
class Change:
    """A state that passes: it is seen ``left`` more times, and lasts until somebody looks and sees the next one."""

    state: str
    left: int


class Machines:
    """What moto does not know of its instances."""

    def __init__(self, backend: Backend, dials: Dials) -> None:
        self._backend = backend
        self._dials = dials
        self._changes: dict[str, Change] = {}
        self._unchecked: dict[str, int] = {}
        self._launched: dict[str, datetime] = {}
        self._details: dict[str, Json] = {}
        self._mappings: dict[str, list[Json]] = {}
        self.read_only: dict[str, Json] = {}
        """Instances that moto does not know."""
        self.added = 0

    def note(self, instance_id: str, details: Json, launched_at: datetime | None = None) -> None:
        """What a test says of an instance."""
        if launched_at is not None:
            self._launched[instance_id] = launched_at
        self._details[instance_id] = over(self._details.get(instance_id, {}), details)

    def add(self, instance: Json) -> None:
        """An instance that is there to be read only."""
        self.added += 1
        self.read_only[instance["InstanceId"]] = instance

    def attach(self, instance_id: str, mapping: Json) -> None:
        """A volume that moto does not know is among those of an instance."""
        self._mappings.setdefault(instance_id, []).append(mapping)

    def seen(self, *ids: str) -> list[Json]:
        """Instances, or all of them, with the state that they are in. Raises ``Refusal``."""
        for each in ids:
            if not _ID.fullmatch(each):
                raise Refusal(400, "InvalidInstanceID.Malformed", f'Invalid id: "{each}"')
        asked = [each for each in ids if each not in self.read_only]
        if asked:
            found = self._backend.call("ec2", "DescribeInstances", InstanceIds=asked)
        else:
            found = {"Reservations": []} if ids else self._backend.listed("ec2", "DescribeInstances")
        instances = [self._told(each) for reservation in found["Reservations"] for each in reservation["Instances"]]
        return instances + [self._told(each) for key, each in self.read_only.items() if not ids or key in ids]

    def _told(self, instance: Json) -> Json:
        instance_id = instance["InstanceId"]
        made_at = instance["LaunchTime"] if instance_id in self.read_only else self._dials.now
        known: Json = {"LaunchTime": self._launched.setdefault(instance_id, made_at)}
        if change := self._changes.get(instance_id):
            known["State"] = {"Name": change.state, "Code": CODES[change.state]}
        return self._mapped(over(over(instance, self._details.get(instance_id, {})), known))

    def _mapped(self, instance: Json) -> Json:
        more = self._mappings.get(instance["InstanceId"])
        if not more:
            return instance
        return {**instance, "BlockDeviceMappings": [*instance.get("BlockDeviceMappings", []), *more]}

    def look(self, *ids: str) -> list[Json]:
        """As ``seen``, after time went on."""
        for each in ids or [*self._changes]:
            change = self._changes.get(each)
            if change and change.left:
                change.left -= 1
            elif change:
                del self._changes[each]
        return self.seen(*ids)

    def change(self, instance_id: str, state: str) -> None:
        """Begins a change that moto has made already."""
        left = {"stopping": self._dials.stopping, "pending": self._dials.pending}[state]
        self._changes.pop(instance_id, None)
        if left:
            self._changes[instance_id] = Change(state, left)
        if state == "pending":
            self._unchecked[instance_id] = self._dials.initializing
            self._launched[instance_id] = self._dials.now

    def checked(self, instance: Json) -> str:
        """What its status checks say, and time goes on."""
        if instance["State"]["Name"] != "running":
            return "not-applicable"
        left = self._unchecked.get(instance["InstanceId"], 0)
        if left:
            self._unchecked[instance["InstanceId"]] = left - 1
            return "initializing"
        return "impaired" if {instance["InstanceId"], instance["InstanceType"]} & self._dials.impaired else "ok"


@handles("ec2", "DescribeInstances")
def describe(call: Call) -> Json:
    call.takes("InstanceIds", "Filters", "MaxResults", "NextToken")
    ids, machines = call.parameters.get("InstanceIds", []), call.place.machines
    if ids and "MaxResults" in call.parameters:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise Refusal(400, "InvalidParameterCombination", message)
    size = size_of(call, "MaxResults", 5, 1000, len(ids) or _ALL)
    # Time goes on with each look at the list, not with each page of it.
    found = machines.seen() if "NextToken" in call.parameters else machines.look(*ids)
    states = _states(call)
    found = [each for each in found if states is None or each["State"]["Name"] in states]
    if ids:
        rest: Json = {}
    else:
        found, rest = page(call, found, lambda each: str(each["InstanceId"]), size, INVALID_TOKEN)
    reservations = [
        {"ReservationId": f"r-{each['InstanceId'][2:]}", "OwnerId": call.place.account, "Instances": [each]} for each in found
    ]
    return {"Reservations": reservations, **rest}


def _states(call: Call) -> set[str] | None:
    """The states that are asked for; None = any."""
    states: set[str] | None = None
    for each in call.parameters.get("Filters", []):
        if each["Name"] != "instance-state-name":
            raise NotImplementedError(f"the filter {each['Name']}")
        assert {*each["Values"]} <= {*CODES}, each
        states = {*each["Values"]}
    return states


@handles("ec2", "DescribeInstanceStatus")
def describe_status(call: Call) -> Json:
    call.takes("InstanceIds", "IncludeAllInstances")
    statuses = []
    for each in call.place.machines.seen(*call.parameters.get("InstanceIds", [])):
        if each["State"]["Name"] != "running" and not call.parameters.get("IncludeAllInstances"):
            continue
        found = call.place.machines.checked(each)
        # A type that does not work fails the check of the instance, not the one of the host.
        statuses.append(
            {
                "InstanceId": each["InstanceId"],
                "InstanceState": each["State"],
                "SystemStatus": {"Status": "ok" if found == "impaired" else found},
                "InstanceStatus": {"Status": found},
                "AttachedEbsStatus": {"Status": "impaired" if each["InstanceId"] in call.hub.dials.impaired_volumes else found},
            }
        )
    return {"InstanceStatuses": statuses}


@handles("ec2", "StopInstances")
def stop(call: Call) -> Json:
    call.takes("InstanceIds", "Force", "Hibernate")
    machines = call.place.machines
    stopping = []
    instances = machines.seen(*call.parameters["InstanceIds"])
    for each in instances:
        if each["State"]["Name"] not in ("running", "stopping", "stopped"):
            raise _incorrect(each, "it can be stopped")
    for each in instances:
        if each["State"]["Name"] == "running":
            call.place.backend.call("ec2", "StopInstances", InstanceIds=[each["InstanceId"]])
            machines.change(each["InstanceId"], "stopping")
            call.is_change = True
        stopping.append(_moved(call, each))
    return {"StoppingInstances": stopping}


@handles("ec2", "StartInstances")
def start(call: Call) -> Json:
    call.takes("InstanceIds")
    machines = call.place.machines
    starting = []
    instances = machines.seen(*call.parameters["InstanceIds"])
    for each in instances:
        if each["State"]["Name"] not in ("stopped", "pending", "running"):
            raise _incorrect(each, "it can be started")
        if each["State"]["Name"] == "stopped" and each["InstanceType"] in call.hub.dials.exhausted:
            raise no_capacity("ec2", each["InstanceType"])
    for each in instances:
        if each["State"]["Name"] == "stopped":
            call.place.backend.call("ec2", "StartInstances", InstanceIds=[each["InstanceId"]])
            machines.change(each["InstanceId"], "pending")
            call.is_change = True
        starting.append(_moved(call, each))
    return {"StartingInstances": starting}


@handles("ec2", "ModifyInstanceAttribute")
def modify(call: Call) -> Json:
    call.takes("InstanceId", "InstanceType")
    (instance,) = call.place.machines.seen(call.parameters["InstanceId"])
    wanted = call.parameters["InstanceType"]["Value"]
    if instance["State"]["Name"] != "stopped":
        raise Refusal(400, "IncorrectInstanceState", f"The instance '{instance['InstanceId']}' is not in the 'stopped' state.")
    if wanted not in INSTANCE_TYPES:
        raise Refusal(400, "InvalidInstanceAttributeValue", f"Invalid value '{wanted}' for instanceType.")
    call.place.backend.call("ec2", "ModifyInstanceAttribute", **call.parameters)
    call.is_change = instance["InstanceType"] != wanted
    return {}


def _moved(call: Call, before: Json) -> Json:
    (now,) = call.place.machines.seen(before["InstanceId"])
    return {"InstanceId": before["InstanceId"], "PreviousState": before["State"], "CurrentState": now["State"]}


def _incorrect(instance: Json, what: str) -> Refusal:
    return Refusal(400, "IncorrectInstanceState", f"The instance '{instance['InstanceId']}' is not in a state from which {what}.")
