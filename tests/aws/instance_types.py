"""EC2 instance types: what a region offers, described as AWS describes it. A test says which."""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

_WRONG = Refusal(400, "InvalidParameterValue", "Value for parameter nextToken is invalid.")


class Offers:
    """What is offered by region: descriptions of types, and the names of those that can be had. The same for all accounts."""

    def __init__(self) -> None:
        self.described: dict[str, dict[str, Json]] = {}
        self.offered: dict[str, set[str]] = {}

    def offer(self, region: str, *names: str, like: str | None = None, **changes: Any) -> None:
        """Offers types as AWS has them, or as it has another one, with some members of their descriptions changed; None takes a
        member away."""
        for name in names:
            told = {**copy.deepcopy(INSTANCE_TYPES[like or name]), "InstanceType": name, **changes}
            told = {member: value for member, value in told.items() if value is not None}
            # The copy that the descriptions are taken from is newer than the models of the client.
            told.pop("SupportedInRegion", None)
            told.get("ProcessorInfo", {}).pop("SupportedFeatures", None)
            self.described.setdefault(region, {})[name] = told
            self.offered.setdefault(region, set()).add(name)

    def end(self, region: str, *names: str) -> None:
        """Types that can no longer be had."""
        for name in names:
            del self.described[region][name]
            self.offered[region].discard(name)


@handles("ec2", "DescribeInstanceTypes")
def describe(call: Call) -> Json:
    call.takes("MaxResults", "NextToken")
    size = size_of(call, "MaxResults", 5, 100, 100)
    found = list(call.hub.kept.of(Offers).described.get(call.place.region, {}).values())
    taken, rest = page(call, found, lambda each: each["InstanceType"], size, _WRONG)
    return {"InstanceTypes": taken, **rest}


@handles("ec2", "DescribeInstanceTypeOfferings")
def offerings(call: Call) -> Json:
    call.takes("LocationType", "MaxResults", "NextToken")
    if call.parameters.get("LocationType", "region") != "region":
        raise NotImplementedError(call.parameters["LocationType"])
    size = size_of(call, "MaxResults", 5, 1000, 1000)
    names = call.hub.kept.of(Offers).offered.get(call.place.region, set())
    found = [{"InstanceType": name, "LocationType": "region", "Location": call.place.region} for name in names]
    taken, rest = page(call, found, lambda each: each["InstanceType"], size, _WRONG)
    return {"InstanceTypeOfferings": taken, **rest}
