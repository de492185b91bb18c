"""Nights with commitments in the lake, without asking AWS: an account that is read, and what it has reserved."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dagster_project.domain.rightsizing.commitments import COMPUTE_PLAN, EC2_RESERVED, Commitment, size_units
from dagster_project.pipeline.cash_savings import COMMITMENTS, PLANS
from dagster_project.pipeline.ledger import Load, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RightsizingSettings, Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from dagster_project.settings_prices import PriceSettings
from tests.night_builders import DAY, NO_COSTS, Machine, Row, machine

ONE, OTHER = "111111111111", "222222222222"
# An m5.xlarge is $0.192 an hour, an m5.large half of it.
NOW, SAVES = 140.16, 70.08
ENDS = datetime(2025, 9, 1, 12)


def at(folder: Path, rules: Row | None = None, dsn: str | None = None, **prices: Any) -> Runtime:
    accounts = tuple(AwsAccount(id=each, regions=("us-east-1",)) for each in (ONE, OTHER))
    settings = Settings(
        home=folder,
        dsn=None if dsn is None else SecretStr(dsn),
        rightsizing=RightsizingSettings(**{**NO_COSTS, **(rules or {})}),
        prices=PriceSettings(**prices),
        aws=AwsSettings(accounts=accounts),
    )
    return Runtime(settings)


def in_account(account_id: str | None = ONE, resource_id: str = "i-1", **resource: Any) -> Machine:
    return machine(resource_id, account_id=account_id, **resource)


def was_read(runtime: Runtime, *failed: str, accounts: Sequence[str] = (ONE,), day: date = DAY) -> None:
    """The ledger of a night that asked every account for its commitments."""
    for source in (f"{COMMITMENTS}.{account}.{place}" for account in accounts for place in ("us-east-1", PLANS)):
        is_failed = source.removeprefix(f"{COMMITMENTS}.") in failed
        record(runtime.lake, day, Load(source, "failed" if is_failed else "complete", error="refused" if is_failed else ""))


def reserved(size: str, count: int = 1, **of: Any) -> Row:
    """A reservation as the lake has it."""
    units = size_units(size)
    known = {
        "commitment_id": f"ri-{size}-{count}", "account_id": ONE, "kind": EC2_RESERVED, "region": "us-east-1",
        "instance_type": size, "family": size.split(".")[0], "platform": "linux", "tenancy": "default",
        "is_size_flexible": True, "reserved": count, "units": None if units is None else units * count, "ends_at": ENDS,
    }  # fmt: skip
    return asdict(Commitment(**{**known, **of}))


def compute_plan(usd: float | None, **of: Any) -> Row:
    known = {"commitment_id": "sp-1", "account_id": ONE, "kind": COMPUTE_PLAN, "usd_per_hour": usd, "ends_at": ENDS}
    return asdict(Commitment(**{**known, **of}))
