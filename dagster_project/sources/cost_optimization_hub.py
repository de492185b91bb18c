"""What the Cost Optimization Hub recommends for the instances, groups and databases of an account. It is asked in one region for
all of them, and says only where money could be saved."""

from __future__ import annotations

import itertools

from dagster_project.connections.aws.operations import permissions, read
from dagster_project.connections.aws.purposes import OPINIONS
from dagster_project.domain.second_opinion import HUB, Opinion
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.recommendations import Found, Json, moment, type_in, word

LIST = read(
    "cost-optimization-hub",
    "ListRecommendations",
    "cost-optimization-hub:GetRecommendation",
    purpose=OPINIONS,
    probe={"maxResults": 1},
    is_account_wide=True,
)
PREFERENCES = read("cost-optimization-hub", "GetPreferences", purpose=OPINIONS, probe={}, is_account_wide=True)
"""Tell whether savings are before or after discounts."""
READS = (LIST, PREFERENCES)
PERMISSIONS = permissions(*READS)

REGION = "us-east-1"
"""Where the hub is. AWS has none in the partitions of China and GovCloud."""
_TYPES = ("Ec2Instance", "Ec2AutoScalingGroup", "RdsDbInstance")
_PAGE = 1000
_PAGES = 200
_DOLLARS = "USD"
_AFTER_DISCOUNTS = "AfterDiscounts"


def recommendations(scope: Scope) -> Found:
    """All that the hub recommends for an account, for each resource what saves most; ``scope`` is of its region.

    Raises ``NotEnrolled`` where the account has not opted in, ``AccessDenied`` and ``CloudError``.
    """
    found = Found()
    place = f"the account {scope.account_id}"
    mode = scope.connection.ask(PREFERENCES, place).get("savingsEstimationMode")
    asked = {"accountIds": [scope.account_id], "resourceTypes": [*_TYPES]}
    pages = scope.connection.pages(LIST, place, "nextToken", filter=asked, maxResults=_PAGE)
    more = False
    for page in itertools.islice(pages, _PAGES):
        for each in page.get("items", ()):
            found.take(each.get("resourceArn"), scope.account_id, None, _opinion(each, mode == _AFTER_DISCOUNTS))
        more = bool(page.get("nextToken"))
    if more:
        found.problems.append(
            f"The Cost Optimization Hub has more than {_PAGES * _PAGE:,} lines for {place}; the rest was not read."
        )
    found.recommendations.sort(key=lambda each: (each.of.arn, -(each.opinion.usd_month or 0.0), each.opinion.finding))
    return found


def _opinion(seen: Json, is_after_discounts: bool) -> Opinion:
    usd = seen.get("estimatedMonthlySavings") if seen.get("currencyCode", _DOLLARS) == _DOLLARS else None
    lookback = seen.get("recommendationLookbackPeriodInDays")
    return Opinion(
        source=HUB,
        finding=word(seen.get("actionType")) or "unknown",
        current_type=type_in(seen.get("currentResourceSummary")),
        recommended_type=type_in(seen.get("recommendedResourceSummary")),
        savings_usd_month=None if is_after_discounts else usd,
        savings_after_discounts_usd_month=usd if is_after_discounts else None,
        lookback_days=None if lookback is None else float(lookback),
        as_of=moment(seen.get("lastRefreshTimestamp")),
    )
