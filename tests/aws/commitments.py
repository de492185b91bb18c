"""Reserved instances, reserved databases and savings plans: moto has none that cover anything, so that they are data."""

from __future__ import annotations

from tests.aws.databases import INVALID_MARKER
from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

_INVALID_TOKEN = (400, "ValidationException", "The next token is not valid.")


class Commitments:
    """What was bought, in the order of buying. Savings plans are in one region for the whole account."""

    def __init__(self) -> None:
        self.instances: list[Json] = []
        self.databases: list[Json] = []
        self.plans: list[Json] = []


@handles("ec2", "DescribeReservedInstances")
def describe_reserved_instances(call: Call) -> Json:
    """All at once: there are no pages."""
    call.takes("ReservedInstancesIds", "Filters")
    found = call.place.of(Commitments).instances
    if ids := call.parameters.get("ReservedInstancesIds"):
        found = [each for each in found if each["ReservedInstancesId"] in ids]
        if len(found) < len({*ids}):
            raise Refusal(400, "InvalidReservedInstancesId", f"The ID '{ids[0]}' does not exist")
    for each in call.parameters.get("Filters", []):
        if each["Name"] != "state":
            raise NotImplementedError(f"the filter {each['Name']}")
        found = [bought for bought in found if bought["State"] in each["Values"]]
    return {"ReservedInstances": found}


@handles("rds", "DescribeReservedDBInstances")
def describe_reserved_databases(call: Call) -> Json:
    call.takes("MaxRecords", "Marker")
    size = size_of(call, "MaxRecords", 20, 100, 100)
    bought = call.place.of(Commitments).databases
    found, rest = page(call, bought, lambda each: str(each["ReservedDBInstanceId"]), size, INVALID_MARKER, "Marker")
    return {"ReservedDBInstances": found, **rest}


@handles("savingsplans", "DescribeSavingsPlans")
def describe_savings_plans(call: Call) -> Json:
    call.takes("savingsPlanIds", "states", "maxResults", "nextToken")
    size = size_of(call, "maxResults", 1, 1000, 1000, "ValidationException")
    found = call.place.of(Commitments).plans
    if (ids := call.parameters.get("savingsPlanIds")) is not None:
        found = [each for each in found if each["savingsPlanId"] in ids]
    if (states := call.parameters.get("states")) is not None:
        found = [each for each in found if each["state"] in states]
    taken, rest = page(call, found, lambda each: str(each["savingsPlanId"]), size, _INVALID_TOKEN, "nextToken")
    return {"savingsPlans": taken, **rest}
