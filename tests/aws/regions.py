"""Which regions there are, which of them an account has enabled, and where services are that are not in all of them."""

from __future__ import annotations

from tests.aws import refusals
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

WITHOUT_OPT_IN = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
)  # fmt: skip
"""Regions that every account has."""
OPT_IN = (
    "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-central-2",
    "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "ap-east-2", "mx-central-1",
)  # fmt: skip
"""Regions that an account may enable."""
_ONLY_IN = {
    "savingsplans": ("us-east-1",),
    "cost-optimization-hub": ("us-east-1",),
    "ce": ("us-east-1",),
    "pricing": ("us-east-1", "eu-central-1", "ap-south-1"),
}


def check(call: Call) -> None:
    """Raises ``Refusal`` where a request is signed for a region that the account does not have or that the service is not in."""
    asked = call.asked
    if asked.region not in call.hub.accounts.regions_of(call.place.account):
        raise refusals.stranger(asked.service)
    if asked.region not in _ONLY_IN.get(asked.service, (asked.region,)):
        raise refusals.elsewhere(asked.service, asked.region)


@handles("ec2", "DescribeRegions")
def describe(call: Call) -> Json:
    call.takes("AllRegions", "RegionNames", "Filters")
    enabled = call.hub.accounts.regions_of(call.place.account)
    found = []
    for name in sorted((*WITHOUT_OPT_IN, *OPT_IN)):
        has = "opt-in-not-required" if name in WITHOUT_OPT_IN else "opted-in"
        status = has if name in enabled else "not-opted-in"
        found.append({"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": status})
    if names := call.parameters.get("RegionNames"):
        found = [each for each in found if each["RegionName"] in names]
        if len(found) < len(names):
            raise Refusal(400, "InvalidParameterValue", f"Invalid region provided: {', '.join(names)}")
    elif not call.parameters.get("AllRegions"):
        found = [each for each in found if each["RegionName"] in enabled]
    for each in call.parameters.get("Filters", []):
        member = {"opt-in-status": "OptInStatus", "region-name": "RegionName"}[each["Name"]]
        found = [region for region in found if region[member] in each["Values"]]
    return {"Regions": found}
