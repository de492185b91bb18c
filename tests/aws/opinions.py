"""What AWS's own advisers recommend: Compute Optimizer in each region, the Cost Optimization Hub for a whole account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

REFRESHED = datetime(2025, 3, 9, 4, tzinfo=UTC)
_MOST = 1000


class Opinions:
    """What Compute Optimizer says of a region; a test puts it in."""

    def __init__(self) -> None:
        self.is_enrolled = True
        self.refusal = Refusal(400, "OptInRequiredException", "Aws account is not registered for recommendations.")
        """What an account is told that has not opted in."""
        self.said: dict[str, list[Json]] = {"instances": [], "groups": [], "databases": []}
        self.errors: list[Json] = []

    def instance(self, arn: str, finding: str, now: str, *then: str, usd: float | None = None, **more: Any) -> None:
        options = [{"instanceType": each, **_option(rank, usd)} for rank, each in enumerate(then, start=1)]
        self.said["instances"].append(
            {
                "instanceArn": arn,
                "accountId": arn.split(":")[4],
                "finding": finding,
                "currentInstanceType": now,
                # AWS does not say in which order they come; the rank does.
                "recommendationOptions": options[::-1],
                "lookBackPeriodInDays": 14.0,
                "lastRefreshTimestamp": REFRESHED,
                **more,
            }
        )

    def group(self, arn: str, finding: str, now: str | None, *then: str, usd: float | None = None, **more: Any) -> None:
        options = [{"configuration": {"instanceType": each}, **_option(rank, usd)} for rank, each in enumerate(then, start=1)]
        self.said["groups"].append(
            {
                "autoScalingGroupArn": arn,
                "accountId": arn.split(":")[4],
                "finding": finding,
                "currentConfiguration": {} if now is None else {"instanceType": now},
                "recommendationOptions": options,
                "lookBackPeriodInDays": 14.0,
                "lastRefreshTimestamp": REFRESHED,
                **more,
            }
        )

    def database(self, arn: str, finding: str, now: str, *then: str, usd: float | None = None, **more: Any) -> None:
        options = [{"dbInstanceClass": each, **_option(rank, usd)} for rank, each in enumerate(then, start=1)]
        self.said["databases"].append(
            {
                "resourceArn": arn,
                "accountId": arn.split(":")[4],
                "instanceFinding": finding,
                "currentDBInstanceClass": now,
                "instanceRecommendationOptions": options,
                "lookbackPeriodInDays": 14.0,
                "lastRefreshTimestamp": REFRESHED,
                **more,
            }
        )


class HubItems:
    """What the hub says of an account; a test puts it in."""

    def __init__(self) -> None:
        self.is_enrolled = True
        self.mode = "BeforeDiscounts"
        self.items: list[Json] = []

    def item(self, arn: str, action: str, now: str, then: str, usd: float, kind: str = "Ec2Instance", **more: Any) -> None:
        parts = arn.split(":")
        self.items.append(
            {
                "recommendationId": f"r{len(self.items):04d}",
                "accountId": parts[4],
                "region": parts[3],
                "resourceId": arn.rpartition("/")[2],
                "resourceArn": arn,
                "currentResourceType": kind,
                "recommendedResourceType": kind,
                "estimatedMonthlySavings": usd,
                "currencyCode": "USD",
                "actionType": action,
                "currentResourceSummary": now,
                "recommendedResourceSummary": then,
                "lastRefreshTimestamp": REFRESHED,
                "recommendationLookbackPeriodInDays": 14,
                "source": "ComputeOptimizer",
                **more,
            }
        )


def _option(rank: int, usd: float | None) -> Json:
    """An option; what it saves after discounts is a tenth less."""
    if usd is None:
        return {"rank": rank, "performanceRisk": float(rank)}
    return {
        "rank": rank,
        "performanceRisk": float(rank),
        "savingsOpportunity": _savings(usd / rank),
        "savingsOpportunityAfterDiscounts": _savings(usd / rank * 0.9),
    }


def _savings(usd: float) -> Json:
    return {"savingsOpportunityPercentage": 50.0, "estimatedMonthlySavings": {"currency": "USD", "value": usd}}


def _said(call: Call, kind: str, key: str, listed: str) -> Json:
    call.takes("maxResults", "nextToken")
    opinions = call.place.of(Opinions)
    if not opinions.is_enrolled:
        raise opinions.refusal
    size = size_of(call, "maxResults", 0, _MOST, 100, "InvalidParameterValueException")
    wrong = Refusal(400, "InvalidParameterValueException", "The token is not valid.")
    found, rest = page(call, opinions.said[kind], lambda each: each[key], size, wrong, "nextToken")
    return {listed: found, "errors": opinions.errors if kind == "instances" else [], **rest}


@handles("compute-optimizer", "GetEC2InstanceRecommendations", "ec2:DescribeInstances")
def instances(call: Call) -> Json:
    return _said(call, "instances", "instanceArn", "instanceRecommendations")


@handles(
    "compute-optimizer",
    "GetAutoScalingGroupRecommendations",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
)
def groups(call: Call) -> Json:
    return _said(call, "groups", "autoScalingGroupArn", "autoScalingGroupRecommendations")


@handles("compute-optimizer", "GetRDSDatabaseRecommendations", "rds:DescribeDBInstances", "rds:DescribeDBClusters")
def databases(call: Call) -> Json:
    return _said(call, "databases", "resourceArn", "rdsDBRecommendations")


@handles("cost-optimization-hub", "GetPreferences")
def preferences(call: Call) -> Json:
    call.takes()
    hub = _hub(call)
    return {"savingsEstimationMode": hub.mode, "memberAccountDiscountVisibility": "All"}


@handles("cost-optimization-hub", "ListRecommendations", "cost-optimization-hub:GetRecommendation")
def recommendations(call: Call) -> Json:
    """One for each resource unless all are asked for. A management account is told of its members too, unless it asks for one."""
    call.takes("filter", "maxResults", "nextToken")
    asked = call.parameters.get("filter", {})
    if unknown := {*asked} - {"accountIds", "resourceTypes"}:
        raise NotImplementedError(f"{unknown}")
    found = [
        each
        for each in _hub(call).items
        if each["accountId"] in asked.get("accountIds", [each["accountId"]])
        and each["currentResourceType"] in asked.get("resourceTypes", [each["currentResourceType"]])
    ]
    size = size_of(call, "maxResults", 0, _MOST, 100, "ValidationException")
    wrong = Refusal(400, "ValidationException", "The token is not valid.")
    taken, rest = page(call, found, lambda each: each["recommendationId"], size, wrong, "nextToken")
    return {"items": taken, **rest}


def _hub(call: Call) -> HubItems:
    hub = call.place.of(HubItems)
    if not hub.is_enrolled:
        raise Refusal(400, "AccessDeniedException", "AWS account is not enrolled for recommendations")
    return hub
