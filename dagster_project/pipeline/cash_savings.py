"""What the proposals of a night save in cash: verdicts, inventory and the day's commitments, through the rules of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from dagster_project.catalog.engines import engine_of
from dagster_project.domain.rightsizing.cash import NOT_READ, Cash, Cover, Shrink, cash_of, cover_of
from dagster_project.domain.rightsizing.commitments import Commitment, Use, active, database_use, machine_use
from dagster_project.domain.rightsizing.discounts import Discounts, at_list
from dagster_project.domain.rightsizing.fit import HOURS_PER_MONTH
from dagster_project.lake.commitment_tables import AWS_COMMITMENTS
from dagster_project.lake.engine import Engine
from dagster_project.lake.frames import schema
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_aws import partition_of
from dagster_project.settings_prices import PriceSettings
from dagster_project.statements import statement

COMMITMENTS = "aws_commitments"
PLANS = "savings_plans"
"""What the load ledger calls the Savings Plans of an account, which are of no region."""
_REGIONS = "regions"
_DATABASE = "rds_instance"
Row = Mapping[str, Any]


def discounts_of(settings: PriceSettings) -> Discounts:
    """The discounts of the settings, as the domain wants them."""
    return Discounts(settings.discounts, {account.id: account.discounts for account in settings.accounts})


@dataclass(frozen=True, slots=True)
class Readings:
    """Which commitments were read for a day: accounts with a region, or with ``PLANS``, that were, and that were not."""

    read: frozenset[tuple[str, str]]
    unread: frozenset[tuple[str, str]]

    def knows(self, account_id: str | None, region: str | None, *, is_shared: bool) -> bool:
        """Whether all is known that may pay for something in a region of an account. Where accounts share what they committed to,
        one that could not be read may pay for the others."""
        if account_id is None or region is None or not {(account_id, region), (account_id, PLANS)} <= self.read:
            return False
        return not is_shared or not any(place in (region, PLANS, _REGIONS) for _, place in self.unread)

    @property
    def only_account(self) -> str | None:
        """The account, where it is the only one that is read: what the inventory names no account of is in it."""
        accounts = {account for account, _ in self.read | self.unread}
        return next(iter(accounts)) if len(accounts) == 1 else None


def readings(lake: Lake, day: date) -> Readings | None:
    """What the load ledger of a day says of commitments; None where nobody asked for any."""
    found: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for file in lake.files(LOAD_LEDGER, [day]):
        kind, _, place = file.stem.partition(".")
        if kind == COMMITMENTS:
            account, _, region = place.partition(".")
            found[pl.read_parquet(file)["status"][0] == "complete"].add((account, region))
    return Readings(frozenset(found[True]), frozenset(found[False])) if any(found.values()) else None


def commitments_of(lake: Lake, day: date) -> list[Commitment]:
    """The commitments that pay at the end of a day, as they were read for it."""
    files = lake.files(AWS_COMMITMENTS, [day])
    rows = pl.read_parquet(files, hive_partitioning=False).to_dicts() if files else []
    return active((Commitment(**row) for row in rows), datetime.combine(day + timedelta(days=1), time()))


def with_cash(runtime: Runtime, engine: Engine, day: date, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``rightsizing_verdicts`` with what each proposal saves in cash; as they are where nobody asked for commitments.
    ``engine`` has the inventory of the day in view."""
    known, settings = readings(runtime.lake, day), runtime.settings
    if known is None:
        return verdicts
    verdict_of = {row["resource_id"]: row for row in verdicts.to_dicts()}
    rows = engine.rows(statement("reports/running_resources"))
    placed = ({**row, "account_id": row["account_id"] or known.only_account} for row in rows)
    listed = {
        row["resource_id"]: row
        for row in placed
        if known.knows(row["account_id"], row["region"], is_shared=settings.prices.are_commitments_shared)
    }
    uses = {name: _use(row, settings, verdict_of[name]) for name, row in listed.items() if row["is_paid_hourly"]}
    shrinks = [
        _shrink(row, listed[name], uses.get(name), settings)
        for name, row in verdict_of.items()
        if row["verdict"] == "propose" and name in listed
    ]
    found = cash_of([use for use in uses.values() if use is not None], _covers(runtime, day), shrinks)
    return _with_columns(verdicts, found)


def _with_columns(verdicts: pl.DataFrame, found: Mapping[str, Cash]) -> pl.DataFrame:
    unread, nothing = Cash(None, None, None, NOT_READ), None
    cash = [
        found.get(name, unread) if verdict == "propose" else nothing
        for name, verdict in verdicts.select("resource_id", "verdict").iter_rows()
    ]
    columns = {
        "cash_savings_usd_month": [each and each.usd_month for each in cash],
        "covered_pct": [each and each.covered_pct for each in cash],
        "cash_from": [each and each.from_on for each in cash],
        "cash_basis": [each and each.basis for each in cash],
    }
    kinds = schema(RIGHTSIZING_VERDICTS)
    return verdicts.with_columns(pl.Series(name, values, kinds[name]) for name, values in columns.items())


def _covers(runtime: Runtime, day: date) -> list[Cover]:
    settings, home = runtime.settings, {each.id: each.home_region for each in runtime.settings.aws.accounts}
    return [
        cover_of(
            each,
            _payer(settings, each.account_id, each.region or home.get(each.account_id, "")),
            settings.prices.savings_plan_discount_pct,
        )
        for each in commitments_of(runtime.lake, day)
    ]


def _payer(settings: Settings, account_id: str, region: str) -> str:
    """Who pays: an account, or where they share, all of a partition."""
    return partition_of(region) if settings.prices.are_commitments_shared else account_id


def _use(row: Row, settings: Settings, verdict: Row) -> Use | None:
    """What a resource of the inventory uses, priced as its verdict prices it."""
    now = verdict["current_usd_month"]
    usd = None if now is None else at_list(now, verdict["discount_pct"] or 0.0) / HOURS_PER_MONTH
    return _use_of(row, row["instance_type"], settings, usd)


def _use_of(row: Row, size: str | None, settings: Settings, usd: float | None) -> Use | None:
    if size is None or row["units"] is None:
        return None
    payer = _payer(settings, row["account_id"], row["region"])
    if row["resource_type"] == _DATABASE:
        engine = engine_of(row["engine"]) or row["engine"] or ""
        return database_use(payer, row["region"], size, engine, row["units"], has_standby=row["has_standby"], usd=usd)
    return machine_use(payer, row["region"], size, row["platform"], row["tenancy"], row["units"], usd)


def _shrink(verdict: Row, row: Row, gone: Use | None, settings: Settings) -> Shrink:
    savings, now, came = verdict["savings_usd_month"], verdict["current_usd_month"], None
    discount = verdict["discount_pct"] or 0.0
    if gone is not None and verdict["target_type"] is None:
        # Fewer members of the same size.
        gone = replace(gone, units=gone.units * savings / now, list_usd_per_hour=None)
    elif gone is not None:
        list_usd = (at_list(now, discount) - verdict["list_savings_usd_month"]) / HOURS_PER_MONTH
        came = _use_of(row, verdict["target_type"], settings, list_usd)
        gone = gone if came is not None else None
    return Shrink(verdict["resource_id"], savings, gone, came, 100.0 - discount)
