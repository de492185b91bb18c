"""What Compute Optimizer recommends in a region of an account: for instances, groups and databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from dagster_project.connections.aws.failures import NotEnrolled
from dagster_project.connections.aws.operations import Operation, permissions, read
from dagster_project.connections.aws.purposes import OPINIONS
from dagster_project.domain.second_opinion import COMPUTE_OPTIMIZER, Opinion
from dagster_project.errors import NightshiftError
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.recommendations import Found, Json, moment, word

# A recommendation of a resource is not given without the right to describe it.
INSTANCES = read(
    "compute-optimizer", "GetEC2InstanceRecommendations", "ec2:DescribeInstances", purpose=OPINIONS, probe={"maxResults": 1}
)
GROUPS = read(
    "compute-optimizer",
    "GetAutoScalingGroupRecommendations",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    purpose=OPINIONS,
    probe={"maxResults": 1},
)
DATABASES = read(
    "compute-optimizer",
    "GetRDSDatabaseRecommendations",
    "rds:DescribeDBInstances",
    "rds:DescribeDBClusters",
    purpose=OPINIONS,
    probe={"maxResults": 1},
)
READS = (INSTANCES, GROUPS, DATABASES)
PERMISSIONS = permissions(*READS)

_PAGE = 1000
_PAGES = 200
_DOLLARS = "USD"
Reader = Callable[[Json], tuple[str | None, Opinion]]


def recommendations(scope: Scope) -> Found:
    """All that Compute Optimizer says of a region. A kind that cannot be read is said in ``problems``; the others are there.

    Raises ``NotEnrolled`` where the account has not opted in, and the first failure where nothing could be read.
    """
    found = Found()
    failures: list[NightshiftError] = []
    for operation, listed, reader in _KINDS:
        try:
            _read(scope, operation, listed, reader, found)
        except NotEnrolled:
            raise
        except NightshiftError as error:
            failures.append(error)
    if len(failures) == len(_KINDS):
        raise failures[0]
    found.problems += dict.fromkeys(str(each) for each in failures)
    return found


def _read(scope: Scope, operation: Operation, listed: str, reader: Reader, found: Found) -> None:
    pages = scope.connection.pages(operation, f"resources of {scope.place}", "nextToken", maxResults=_PAGE)
    more = False
    for page in itertools.islice(pages, _PAGES):
        for each in page.get(listed, ()):
            arn, opinion = reader(each)
            found.take(arn, scope.account_id, scope.region, opinion)
        if errors := page.get("errors"):
            count = "one resource" if len(errors) == 1 else f"{len(errors):,} resources"
            first = errors[0].get("identifier") or "an unnamed one"
            found.problems.append(f"Compute Optimizer could not judge {count} of {scope.place}, such as {first}.")
        more = bool(page.get("nextToken"))
    if more:
        found.problems.append(f"{operation.name} of {scope.place} has more than {_PAGES * _PAGE:,} lines; the rest was not read.")


def _instance(seen: Json) -> tuple[str | None, Opinion]:
    options = seen.get("recommendationOptions") or ()
    best = _best(options)
    return seen.get("instanceArn"), _opinion(
        seen, best, seen.get("finding"), seen.get("findingReasonCodes"), seen.get("currentInstanceType"), best.get("instanceType")
    )


def _group(seen: Json) -> tuple[str | None, Opinion]:
    best = _best(seen.get("recommendationOptions") or ())
    now, then = seen.get("currentConfiguration") or {}, best.get("configuration") or {}
    return seen.get("autoScalingGroupArn"), _opinion(
        seen, best, seen.get("finding"), (), now.get("instanceType"), then.get("instanceType")
    )


def _database(seen: Json) -> tuple[str | None, Opinion]:
    best = _best(seen.get("instanceRecommendationOptions") or ())
    return seen.get("resourceArn"), _opinion(
        seen,
        best,
        seen.get("instanceFinding"),
        seen.get("instanceFindingReasonCodes"),
        seen.get("currentDBInstanceClass"),
        best.get("dbInstanceClass"),
    )


_KINDS: tuple[tuple[Operation, str, Reader], ...] = (
    (INSTANCES, "instanceRecommendations", _instance),
    (GROUPS, "autoScalingGroupRecommendations", _group),
    (DATABASES, "rdsDBRecommendations", _database),
)


def _best(options: Sequence[Json]) -> Json:
    """The option that is ranked first."""
    return min(options, key=lambda each: each.get("rank") or len(options), default={})


def _opinion(
    seen: Json, best: Json, finding: str | None, codes: Any, current_type: str | None, recommended_type: str | None
) -> Opinion:
    return Opinion(
        source=COMPUTE_OPTIMIZER,
        finding=word(finding) or "unknown",
        reason_codes=tuple(codes or ()),
        current_type=current_type or None,
        recommended_type=recommended_type or None,
        performance_risk=best.get("performanceRisk"),
        # RDS spells the look-back in its own way.
        lookback_days=seen.get("lookBackPeriodInDays", seen.get("lookbackPeriodInDays")),
        is_idle=seen.get("idle") == "True",
        savings_usd_month=_dollars(best.get("savingsOpportunity")),
        savings_after_discounts_usd_month=_dollars(best.get("savingsOpportunityAfterDiscounts")),
        as_of=moment(seen.get("lastRefreshTimestamp")),
    )


def _dollars(opportunity: Json | None) -> float | None:
    """A month's savings; None where they are not told, or in another currency."""
    told = (opportunity or {}).get("estimatedMonthlySavings") or {}
    return told.get("value") if told.get("currency") == _DOLLARS else None
