"""Active Reserved Instances and reserved databases of a region, and Savings Plans of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from dagster_project.connections.aws.operations import permissions, read
from dagster_project.connections.aws.purposes import COMMITMENTS
from dagster_project.domain.rightsizing.commitments import (
    COMPUTE_PLAN,
    DATABASE_PLAN,
    DEFAULT_TENANCY,
    EC2_PLAN,
    EC2_RESERVED,
    MULTI_AZ_UNITS,
    RDS_RESERVED,
    Commitment,
    family_of,
    is_spread,
    is_spread_engine,
    platform_of,
    size_units,
)
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.history import utc

MACHINES = read(
    "ec2",
    "DescribeReservedInstances",
    purpose=COMMITMENTS,
    probe={"Filters": [{"Name": "state", "Values": ["payment-pending"]}]},
)
DATABASES = read("rds", "DescribeReservedDBInstances", purpose=COMMITMENTS, probe={"MaxRecords": 20})
PLANS = read("savingsplans", "DescribeSavingsPlans", purpose=COMMITMENTS, probe={"maxResults": 1}, is_account_wide=True)
READS = (MACHINES, DATABASES, PLANS)
PERMISSIONS = permissions(*READS)

_PAGE = 100
_ACTIVE = "active"
_REGIONAL, _HOURLY, _DOLLARS = "Region", "Hourly", "USD"
_KINDS = {"EC2Instance": EC2_PLAN, "Compute": COMPUTE_PLAN, "Database": DATABASE_PLAN}
"""Kinds of plans that pay for what is sized here; those of SageMaker do not."""
Json = Mapping[str, Any]


def reservations(scope: Scope) -> Iterator[Commitment]:
    """Active reservations of machines and databases in a region. Raises ``AccessDenied`` or ``CloudError``."""
    thing = f"reservations of {scope.place}"
    # AWS gives all of them at once.
    for each in scope.connection.ask(MACHINES, thing, Filters=[{"Name": "state", "Values": [_ACTIVE]}])["ReservedInstances"]:
        yield _machines(scope, each)
    for page in scope.connection.pages(DATABASES, thing, "Marker", MaxRecords=_PAGE):
        yield from (_databases(scope, each) for each in page["ReservedDBInstances"] if each["State"] == _ACTIVE)


def plans(scope: Scope) -> Iterator[Commitment]:
    """Active Savings Plans of the scope's account that pay for machines or databases, whatever region they are asked in.

    Raises ``AccessDenied`` or ``CloudError``.
    """
    thing = f"Savings Plans of {scope.account_id}"
    for page in scope.connection.pages(PLANS, thing, "nextToken", states=[_ACTIVE], maxResults=_PAGE):
        yield from (_plan(scope, each) for each in page["savingsPlans"] if each["savingsPlanType"] in _KINDS)


def _machines(scope: Scope, seen: Json) -> Commitment:
    name, count = seen["InstanceType"], seen["InstanceCount"]
    platform, tenancy = platform_of(seen["ProductDescription"]), seen.get("InstanceTenancy") or DEFAULT_TENANCY
    units = size_units(name)
    is_regional = seen.get("Scope") == _REGIONAL
    hourly = seen.get("UsagePrice", 0.0) + _recurring(seen, "Amount", "Frequency")
    return Commitment(
        commitment_id=seen["ReservedInstancesId"],
        account_id=scope.account_id,
        kind=EC2_RESERVED,
        region=scope.region,
        family=family_of(name),
        instance_type=name,
        platform=platform,
        tenancy=tenancy,
        is_size_flexible=is_regional and is_spread(name, platform, tenancy),
        availability_zone=None if is_regional else seen.get("AvailabilityZone"),
        offering_class=seen.get("OfferingClass"),
        reserved=count,
        units=None if units is None else units * count,
        usd_per_hour=_usd_per_hour(hourly, seen, count),
        starts_at=utc(seen["Start"]),
        ends_at=utc(seen["End"]),
    )


def _databases(scope: Scope, seen: Json) -> Commitment:
    name, count, is_multi_az = seen["DBInstanceClass"], seen["DBInstanceCount"], bool(seen.get("MultiAZ"))
    engine, _, license_words = seen["ProductDescription"].lower().partition("(")
    engine = _ENGINES.get(engine, engine)
    units, starts_at = size_units(name), utc(seen["StartTime"])
    hourly = seen.get("UsagePrice", 0.0) + _recurring(seen, "RecurringChargeAmount", "RecurringChargeFrequency")
    return Commitment(
        # The id is given by people, and is another's too in another region.
        commitment_id=seen.get("ReservedDBInstanceArn") or f"{scope.place}/{seen['ReservedDBInstanceId']}",
        account_id=scope.account_id,
        kind=RDS_RESERVED,
        region=scope.region,
        family=family_of(name),
        instance_type=name,
        engine=engine,
        is_multi_az=is_multi_az,
        is_size_flexible=is_spread_engine(engine, license_words),
        reserved=count,
        units=None if units is None else units * count * (MULTI_AZ_UNITS if is_multi_az else 1),
        usd_per_hour=_usd_per_hour(hourly, seen, count),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(seconds=seen["Duration"]),
    )


# Reservations call engines as the RDS API does, but for these two.
_ENGINES = {"postgresql": "postgres", "aurora": "aurora-mysql"}


def _plan(scope: Scope, seen: Json) -> Commitment:
    kind = _KINDS[seen["savingsPlanType"]]
    is_of_family = kind == EC2_PLAN
    return Commitment(
        commitment_id=seen["savingsPlanId"],
        account_id=scope.account_id,
        kind=kind,
        region=seen.get("region") if is_of_family else None,
        family=seen.get("ec2InstanceFamily") if is_of_family else None,
        usd_per_hour=float(seen["commitment"]) if seen.get("currency") == _DOLLARS else None,
        starts_at=_moment(seen.get("start")),
        ends_at=_moment(seen.get("end")),
    )


def _moment(text: str | None) -> datetime | None:
    return utc(datetime.fromisoformat(text)) if text else None


def _recurring(seen: Json, amount: str, frequency: str) -> float:
    return sum(each[amount] for each in seen.get("RecurringCharges", ()) if each.get(frequency) == _HOURLY)


def _usd_per_hour(hourly: float, seen: Json, count: int) -> float | None:
    """What all of it costs an hour: by the hour, and what was paid up front spread over the term."""
    if seen.get("CurrencyCode", _DOLLARS) != _DOLLARS:
        return None
    return count * (hourly + seen.get("FixedPrice", 0.0) * 3600 / seen["Duration"])
