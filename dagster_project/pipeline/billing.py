"""Billing files in the FOCUS format → ``billed_costs`` and ``billed_totals``, and a line ``focus`` of the load ledger.

A bill only stands beside what is judged: what of it cannot be read is said in the ledger, and keeps no night from its report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.billing.identity import EC2, GROUP, Directory, Listed, named
from dagster_project.domain.billing.reconcile import month
from dagster_project.errors import NightshiftError, told
from dagster_project.lake.billing_tables import BILLED_COSTS, BILLED_TOTALS, BILLING_TABLES
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER, REJECTED_ROWS, RESOURCE_INVENTORY
from dagster_project.pipeline.ledger import Load, RejectedGroup, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import focus, focus_exports
from dagster_project.sources.focus import AMOUNTS, NANO, Window
from dagster_project.sources.focus_exports import Part, Replaced

SOURCE = "focus"
TOLD_AGAIN = "told_again_by_a_later_file"
RESOURCES, OTHER_RESOURCES, NO_RESOURCE = "resources", "other_resources", "no_resource"
_KINDS = {
    focus.UNUSED: "unused_commitments",
    focus.COMMITMENT_PURCHASE: "commitment_purchases",
    focus.CREDIT: "credits",
    focus.TAX: "taxes",
}
_COSTS = (focus.USAGE, focus.CHARGE)
_TOLD_PROBLEMS = 5
_KEY = ("resource_id", "account", "region", "asg_name")
Row = Mapping[str, Any]


def window_of(day: date, days: int) -> Window:
    """The ``days`` whole days that end with ``day``."""
    ends = datetime.combine(day + timedelta(days=1), time())
    return Window(ends - timedelta(days=days), ends)


def read_bills(runtime: Runtime, day: date) -> list[Load]:
    """Writes what the bills charge in the window that ends with ``day``; returns the line of the load ledger, none where no file
    is named: the partitions are empty then."""
    lake, settings = runtime.lake, runtime.settings.billing
    if not settings.focus:
        _write(lake, day, pl.DataFrame(), pl.DataFrame())
        for table in (LOAD_LEDGER, REJECTED_ROWS):
            lake.path(table, day, SOURCE).unlink(missing_ok=True)  # of a run before it was switched off
        return []
    paths, problems = focus_exports.files(settings.focus)
    listed = _inventory(lake, day)
    with lake.scratch() as scratch:
        parts = []
        for number, path in enumerate(paths):
            part = Part(path, scratch / f"{number}.parquet")
            try:
                focus.narrow(path, window_of(day, settings.window_days), part.narrowed)
                parts.append(part)
            except NightshiftError as problem:
                problems.append(told(problem, "reading a bill"))
            runtime.progress.update("Reading bills", number + 1, len(paths))
        load, rejected, costs, totals = Load(SOURCE, "failed"), [], pl.DataFrame(), pl.DataFrame()
        if parts:
            try:
                load, rejected, costs, totals = _summed(parts, listed)
            except Exception as problem:  # what only stands beside the verdicts must not cost the night its report
                problems.append(told(problem, "adding up a bill"))
    written = _write(lake, day, costs, totals)
    status = "partial" if problems and load.status != "failed" else load.status
    done = Load(
        SOURCE,
        status,
        rows_read=load.rows_read,
        rows_written=written,
        rows_rejected=sum(group.rejected_rows for group in rejected),
        watermark_at=load.watermark_at,
        error=_told_problems(problems),
    )
    record(lake, day, done, rejected)
    return [done]


def _told_problems(problems: Sequence[str]) -> str:
    rest = len(problems) - _TOLD_PROBLEMS
    return " ".join(problems[:_TOLD_PROBLEMS]) + (f" {rest:,} more could not be read." if rest > 0 else "")


def _inventory(lake: Lake, day: date) -> dict[str, tuple[Listed, int]]:
    """The resources of the day with the number of their machines."""
    if not lake.has(RESOURCE_INVENTORY, day):
        return {}
    columns = ("resource_id", "resource_type", "native_id", "account_id", "region", "units")
    rows = pl.read_parquet(lake.path(RESOURCE_INVENTORY, day), columns=list(columns), hive_partitioning=False).iter_rows()
    return {
        name: (Listed(name, kind or "", native or name, account, region), units if kind == GROUP and units else 1)
        for name, kind, native, account, region, units in rows
    }


def _summed(
    parts: Sequence[Part], listed: Mapping[str, tuple[Listed, int]]
) -> tuple[Load, list[RejectedGroup], pl.DataFrame, pl.DataFrame]:
    again = focus_exports.replaced(parts)
    aside = focus_exports.set_aside(parts)
    charged = focus_exports.charges(parts, again, [each.native for each, _ in listed.values()])
    rejected = [RejectedGroup(source=SOURCE, resource_id="", **row) for row in aside.iter_rows(named=True)]
    if again:
        rejected.append(_told_again(again))
    owned = charged.join(_owners(charged, listed), on=_KEY, how="left", nulls_equal=True)
    rows = int(charged["rows"].sum()) + sum(group.rejected_rows for group in rejected)
    newest = charged.filter(pl.col("bucket").is_in(_COSTS))["charged_to"].max()
    load = Load(SOURCE, "complete" if charged.height else "empty", rows_read=rows, watermark_at=newest)
    return load, rejected, _costs(owned, listed), _totals(owned)


def _told_again(again: Sequence[Replaced]) -> RejectedGroup:
    first, more = again[0], f", and {len(again) - 1:,} more" if len(again) > 1 else ""
    example = f"{first.path.name}: {first.period_start[:7]} of {first.billing_account} is in {first.by.name} too{more}"
    return RejectedGroup(SOURCE, TOLD_AGAIN, "", "BillingPeriodStart", sum(each.rows for each in again), None, example)


def _owners(charged: pl.DataFrame, listed: Mapping[str, tuple[Listed, int]]) -> pl.DataFrame:
    """Whose charges are, by what the bill says of them: our id, and whether the inventory lists it."""
    directory = Directory(each for each, _ in listed.values())
    running = set(charged.filter("is_running").select(_KEY).iter_rows())
    found = []
    for key in charged.select(_KEY).unique().iter_rows():
        provider_id, account, region, group = key
        owner, is_listed = None, False
        if provider_id:  # neither without a resource, nor of those that are told together
            tag = _unescaped(group) if named(provider_id).kind == EC2 else None
            resource = directory.find(provider_id, account, region, tag)
            owner, is_listed = (resource.resource_id, True) if resource else (provider_id if key in running else None, False)
        found.append((*key, owner, is_listed))
    names = {**{name: charged.schema[name] for name in _KEY}, "owner": pl.String, "is_listed": pl.Boolean}
    return pl.DataFrame(found, schema=names, orient="row")


def _unescaped(group: str | None) -> str | None:
    """A tag's value as it stands in a JSON text."""
    try:
        return None if group is None else str(json.loads(f'"{group}"', strict=False))
    except ValueError:
        return group


def _sum(name: str, where: pl.Expr) -> pl.Expr:
    """A sum in billionths, or null where a row of it lacks the amount."""
    unknown = pl.col(f"{name}_unknown").filter(where).sum()
    return pl.when(unknown == 0).then(pl.col(name).filter(where).sum())


def _whole(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """A row with those of its sums no more in billionths. Polars would multiply by a rounded 1e-9 instead of dividing."""
    return {name: value / NANO if name in names and value is not None else value for name, value in row.items()}


def _costs(owned: pl.DataFrame, listed: Mapping[str, tuple[Listed, int]]) -> pl.DataFrame:
    is_cost, runs, committed = pl.col("bucket").is_in(_COSTS), pl.col("is_running"), pl.col("is_committed")
    sums = (
        owned.filter(pl.col("owner").is_not_null())
        .group_by(pl.col("owner").alias("resource_id"))
        .agg(
            pl.col("billing_account").min(),
            pl.col("account").min().alias("sub_account_id"),
            pl.coalesce(pl.col("service").filter(runs).min(), pl.col("service").min()).alias("service_name"),
            pl.col("region").min(),
            pl.col("charged_from").min(),
            pl.col("charged_to").max(),
            _sum("quantity", runs).alias("covered_hours"),
            *(_sum(name, is_cost).alias(name) for name in AMOUNTS),
            *(_sum(name, runs).alias(f"running_{name}") for name in AMOUNTS),
            _sum("quantity", runs & committed).alias("committed_hours"),
            _sum("effective_usd", is_cost & ~runs).alias("other_usd"),
            _sum("billed_usd", pl.col("bucket") == focus.CREDIT).alias("credits_usd"),
            _sum("billed_usd", pl.col("bucket") == focus.TAX).alias("taxes_usd"),
            pl.col("rows").sum(),
            pl.col("is_listed").any(),
            pl.col("size").filter(runs).sort_by(pl.col("charged_to").filter(runs), pl.col("size").filter(runs)).last()
            .alias("billed_type"),
            pl.col("size").filter(runs).drop_nulls().n_unique().alias("billed_types"),
            _sum("billed_usd", runs & ~committed).alias("on_demand_billed_usd"),
            _sum("effective_usd", runs & ~committed).alias("on_demand_effective_usd"),
        )
    )  # fmt: skip
    rows = []
    in_billionths = {name for name in sums.columns if name.endswith(("_usd", "_hours"))}
    for row in (_whole(each, in_billionths) for each in sums.iter_rows(named=True)):
        hours, units = row["covered_hours"], listed[row["resource_id"]][1] if row["is_listed"] else 1
        committed_hours = row["committed_hours"]
        rows.append(
            {
                **{name: row[name] for name in BILLED_COSTS.columns if name in row},
                **{
                    f"running_{kind}_usd_month": month(row[f"running_{kind}_usd"], hours, units)
                    for kind in ("list", "contracted", "effective")
                },
                "committed_pct": 100 * committed_hours / hours if hours and hours > 0 and committed_hours is not None else None,
                "units": units,
            }
        )
    return pl.DataFrame(rows, schema=schema(BILLED_COSTS))


def _totals(owned: pl.DataFrame) -> pl.DataFrame:
    is_one = pl.col("owner").is_not_null()
    kind = (
        pl.when(pl.col("bucket").is_in(list(_KINDS)))
        .then(pl.col("bucket").replace(_KINDS))
        .when(is_one)
        .then(pl.lit(RESOURCES))
        .when(pl.col("resource_id").is_not_null())
        .then(pl.lit(OTHER_RESOURCES))
        .otherwise(pl.lit(NO_RESOURCE))
    )
    everything = pl.lit(True)
    sums = owned.group_by(pl.col("account").fill_null("").alias("sub_account_id"), kind.alias("kind")).agg(
        pl.col("charged_to").max(), pl.col("rows").sum(), *(_sum(name, everything).alias(name) for name in AMOUNTS)
    )
    return pl.DataFrame([_whole(row, AMOUNTS) for row in sums.iter_rows(named=True)], schema=schema(BILLED_TOTALS))


def _write(lake: Lake, day: date, costs: pl.DataFrame, totals: pl.DataFrame) -> int:
    written = 0
    for table, frame in zip(BILLING_TABLES, (costs, totals), strict=True):
        rows = frame if frame.width else pl.DataFrame(schema=schema(table))
        written += write_frame(lake, table, day, rows)
    return written


def readable_bills(patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that are there and are FOCUS files, and a sentence for each that is not; for ``nightshift doctor``."""
    paths, problems = focus_exports.files(patterns)
    fine = []
    for path in paths:
        try:
            focus.check(path)
            fine.append(path)
        except NightshiftError as problem:
            problems.append(str(problem))
    return fine, problems
