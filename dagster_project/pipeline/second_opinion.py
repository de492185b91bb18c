"""What AWS's own advisers recommend → ``second_opinions``, a part for each account and region that was asked.

They know only the present: only the night of the newest day asks them, and a part that was read whole is not asked for again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from dagster_project.connections.aws.failures import NotEnrolled
from dagster_project.connections.aws.operations import permissions
from dagster_project.errors import told
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.opinion_tables import SECOND_OPINIONS
from dagster_project.lake.partitions import PART, Lake
from dagster_project.lake.tables import LOAD_LEDGER, REJECTED_ROWS, RESOURCE_INVENTORY
from dagster_project.pipeline.aws_scopes import live_scopes, scope_of
from dagster_project.pipeline.ledger import Load, RejectedGroup, load_of, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount
from dagster_project.sources import compute_optimizer, cost_optimization_hub
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.recommendations import Found, Named, Recommendation

ADVISERS = (compute_optimizer, cost_optimization_hub)
READS = tuple(operation for adviser in ADVISERS for operation in adviser.READS)
PERMISSIONS = permissions(*READS)
"""What asking for a second opinion needs."""

SOURCE, HUB_SOURCE = "second_opinion", "second_opinion_hub"
"""How the load ledger's names of a region's and of an account's reading begin."""
_NOT_ENROLLED = {
    SOURCE: "Compute Optimizer was not asked: the account {account} has not opted in to it; opt in there, or set "
    "aws.second_opinion = false.",
    HUB_SOURCE: "The Cost Optimization Hub was not asked: the account {account} is not enrolled in it; enroll it there, or set "
    "aws.second_opinion = false.",
}
_NO_HUB = "AWS has no Cost Optimization Hub for the partition of the account {account}."
_DOING = "reading what AWS recommends"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is asked: ``read`` of ``scope``, and the ledger's name of it."""

    kind: str
    scope: Scope
    read: Callable[[Scope], Found]

    @property
    def source(self) -> str:
        return self.scope.source(self.kind)


def ask_advisers(runtime: Runtime, day: date) -> list[Load]:
    """Writes ``second_opinions`` of the day; returns the lines of the load ledger, none where nobody was to be asked.

    What cannot be read of one account or region is said in its line, and keeps nothing else from being read.
    """
    lake, settings = runtime.lake, runtime.settings.aws
    if not runtime.is_newest(day):
        if not lake.files(SECOND_OPINIONS, [day]):
            _write(lake, day, PART, [])
        return []
    if not settings.is_live or not settings.second_opinion:
        _write(lake, day, PART, [])
        _sweep(lake, day, {PART})
        return []
    scopes = live_scopes(runtime)
    loads = [Load(unread.source(SOURCE), "failed", error=unread.reason) for unread in scopes.unread]
    readings = [_Reading(SOURCE, scope, compute_optimizer.recommendations) for scope in scopes.live]
    for account in _accounts(runtime, scopes.live):
        if account.home_region != cost_optimization_hub.REGION:
            source = f"{HUB_SOURCE}.{account.id}.{account.home_region}"
            loads.append(Load(source, "absent", error=_NO_HUB.format(account=account.id)))
        else:
            scope = scope_of(runtime, account, cost_optimization_hub.REGION)
            readings.append(_Reading(HUB_SOURCE, scope, cost_optimization_hub.recommendations))
    inventory = Inventory(lake, day, [account.id for account in _accounts(runtime, scopes.live)])
    for load in loads:
        _write(lake, day, load.source, [])
        record(lake, day, load)
    with ThreadPoolExecutor(settings.scopes_at_once, "second-opinion") as pool:
        for done, load in enumerate(pool.map(lambda each: _read(runtime, day, each, inventory), readings), start=1):
            loads.append(load)
            runtime.progress.update("Asking AWS's advisers", done, len(readings))
    _sweep(lake, day, {load.source for load in loads})
    return sorted(loads, key=lambda load: load.source)


def _accounts(runtime: Runtime, scopes: Iterable[Scope]) -> list[AwsAccount]:
    """The accounts of which a region is read."""
    live = {scope.account_id for scope in scopes}
    return [account for account in runtime.settings.aws.accounts if account.id in live]


def _read(runtime: Runtime, day: date, reading: _Reading, inventory: Inventory) -> Load:
    lake, source, scope = runtime.lake, reading.source, reading.scope
    known = load_of(lake, source, day)
    if known is not None and known.status == "complete" and lake.has(SECOND_OPINIONS, day, source):
        return known
    before = replace(scope.connection.tally)
    found, status, error = Found(), "complete", ""
    try:
        found = reading.read(scope)
        if found.problems:
            status, error = "partial", " ".join(found.problems)
    except NotEnrolled:
        status, error = "absent", _NOT_ENROLLED[reading.kind].format(account=scope.account_id)
    except Exception as problem:  # one account's answer must not cost the others
        status, error = "failed", told(problem, _DOING)
    finally:
        scope.connection.close()
    written = _write(lake, day, source, [inventory.row(each) for each in found.recommendations])
    load = Load(
        source,
        status,
        rows_read=found.read,
        rows_written=written,
        rows_rejected=len(found.set_aside),
        watermark_at=max((each.opinion.as_of for each in found.recommendations if each.opinion.as_of), default=None),
        error=error,
        calls=scope.connection.tally.calls - before.calls,
        throttles=scope.connection.tally.throttles - before.throttles,
    )
    record(lake, day, load, _rejected(source, found.set_aside))
    return load


class Inventory:
    """The resources of a day, by the name that AWS has for them."""

    def __init__(self, lake: Lake, day: date, accounts: Sequence[str]) -> None:
        """``accounts`` are those that are read: where it is one, what the inventory names no account of is in it."""
        rows = pl.read_parquet(lake.require(RESOURCE_INVENTORY, day), hive_partitioning=False).to_dicts()
        only = accounts[0] if len(accounts) == 1 else None
        self._by_place: dict[tuple[Any, ...], set[str]] = {}
        self._instances: dict[str, set[str]] = {}
        for row in rows:
            kind, name = row["resource_type"], row.get("native_id") or row["resource_id"]
            place = (kind, row["account_id"] or only, row["region"], name)
            self._by_place.setdefault(place, set()).add(row["resource_id"])
            if kind == "ec2_instance":
                self._instances.setdefault(name, set()).add(row["resource_id"])

    def id_of(self, named: Named) -> str | None:
        """As the inventory calls a resource; None where it lists none, or several. The ids of instances are the same nowhere,
        names of groups and databases are in other accounts and regions."""
        place = (named.resource_type, named.account_id, named.region, named.native_id)
        found = self._by_place.get(place, set())
        if not found and named.resource_type == "ec2_instance":
            found = self._instances.get(named.native_id, set())
        return next(iter(found)) if len(found) == 1 else None

    def row(self, each: Recommendation) -> Row:
        """A row of ``second_opinions``."""
        of, opinion = each.of, each.opinion
        known = self.id_of(of)
        return {
            "resource_id": known or of.arn,
            "source": opinion.source,
            "is_known": known is not None,
            "account_id": of.account_id,
            "region": of.region,
            "resource_type": of.resource_type,
            "arn": of.arn,
            "finding": opinion.finding,
            "reason_codes": json.dumps(opinion.reason_codes),
            "current_type": opinion.current_type,
            "recommended_type": opinion.recommended_type,
            "performance_risk": opinion.performance_risk,
            "is_idle": opinion.is_idle,
            "savings_usd_month": opinion.savings_usd_month,
            "savings_after_discounts_usd_month": opinion.savings_after_discounts_usd_month,
            "lookback_days": opinion.lookback_days,
            "as_of": opinion.as_of,
        }


def _write(lake: Lake, day: date, part: str, rows: Sequence[Row]) -> int:
    """A list that changes while it is read may hold a resource twice; the first counts."""
    frame = pl.DataFrame(rows, schema=schema(SECOND_OPINIONS))
    return write_frame(lake, SECOND_OPINIONS, day, frame.unique(SECOND_OPINIONS.grain, keep="first", maintain_order=True), part)


def _rejected(source: str, set_aside: Sequence[tuple[str, str]]) -> list[RejectedGroup]:
    counted = Counter(set_aside)
    return [RejectedGroup(source, reason, arn, "arn", rows, None, arn) for (reason, arn), rows in counted.items()]


def _sweep(lake: Lake, day: date, sources: set[str]) -> None:
    """Removes what an earlier run of the day wrote of places that are not read any more."""
    for table, prefix in ((SECOND_OPINIONS, ""), (LOAD_LEDGER, SOURCE), (REJECTED_ROWS, SOURCE)):
        for file in lake.files(table, [day]):
            if file.stem.startswith(prefix) and file.stem not in sources:
                file.unlink(missing_ok=True)
