"""A fleet and its commitments in round numbers: a normalised unit costs 2 cents an hour at list, so that an m5.xlarge costs 16
cents; nothing is paid below list unless a test says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from dagster_project.domain.rightsizing.cash import Cover, Shrink
from dagster_project.domain.rightsizing.commitments import (
    COMPUTE_PLAN,
    DATABASE_PLAN,
    EC2_PLAN,
    EC2_RESERVED,
    RDS_RESERVED,
    Use,
    database_use,
    machine_use,
    size_units,
)

UNIT, HOURS = 0.02, 730
FIRST, LAST = date(2025, 9, 1), date(2026, 6, 30)


def priced(use: Use | None, unit: float | None = UNIT) -> Use:
    assert use is not None
    return replace(use, list_usd_per_hour=None if unit is None else use.units * unit)


def runs(
    size: str = "m5.xlarge",
    count: float = 1,
    *,
    payer: str = "aws",
    region: str = "us-east-1",
    unit: float | None = UNIT,
    **of: Any,
) -> Use:
    """Machines that run; ``of`` has ``platform`` and ``tenancy``."""
    return priced(machine_use(payer, region, size, of.get("platform"), of.get("tenancy"), count), unit)


def database(size: str = "db.r6g.xlarge", engine: str = "postgres", *, has_standby: bool = False, unit: float = UNIT) -> Use:
    return priced(database_use("aws", "us-east-1", size, engine, 1, has_standby=has_standby), unit)


def shrink(resource_id: str, gone: Use, came: Use | None = None, savings: float | None = None, paid_pct: float = 100) -> Shrink:
    """A proposal that saves what it would at the prices of its uses, unless it is said to save something else."""
    usd = (gone.list_usd_per_hour or 0.0) - ((came.list_usd_per_hour or 0.0) if came is not None else 0.0)
    return Shrink(resource_id, usd * HOURS * paid_pct / 100 if savings is None else savings, gone, came, paid_pct)


def halved(resource_id: str, use: Use | None = None, savings: float | None = None) -> Shrink:
    """An m5.xlarge that becomes an m5.large, or whatever has half of its units."""
    use = use or runs()
    name, *standby = use.size.split(" ")
    sizes = {size_units(f"m5.{size}"): size for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge")}
    smaller = " ".join([f"{use.pool.family}.{sizes[(size_units(name) or 0) / 2]}", *standby])
    came = replace(use, size=smaller, units=use.units / 2, list_usd_per_hour=(use.list_usd_per_hour or 0.0) / 2)
    return shrink(resource_id, use, came, savings)


def reserved(use: Use, *, is_spread: bool = True, ends_on: date | None = FIRST) -> Cover:
    kind = RDS_RESERVED if use.pool.family.startswith("db.") else EC2_RESERVED
    return Cover(kind, use.pool.payer, use.pool.region, use.pool.family, is_spread, use, None, ends_on)


def family_plan(
    usd: float | None, family: str = "m5", *, region: str = "us-east-1", payer: str = "aws", ends_on: date | None = FIRST
) -> Cover:
    """An EC2 Instance Savings Plan that pays for so much an hour at list prices."""
    return Cover(EC2_PLAN, payer, region, family, False, None, usd, ends_on)


def plan(usd: float | None, *, payer: str = "aws", is_of_databases: bool = False, ends_on: date | None = FIRST) -> Cover:
    kind = DATABASE_PLAN if is_of_databases else COMPUTE_PLAN
    return Cover(kind, payer, None, None, False, None, usd, ends_on)


def fleet(*shrinks: Shrink, beside: Sequence[Use] = ()) -> list[Use]:
    """What the proposals speak of, and what else runs."""
    return [*(each.gone for each in shrinks if each.gone is not None), *beside]
