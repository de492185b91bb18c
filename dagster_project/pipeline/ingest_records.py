"""Inventory and decisions: PostgreSQL → Parquet partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import asyncpg
import polars as pl

from dagster_project.errors import EmptySource
from dagster_project.lake.aws_tables import AWS_RESOURCES
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import DECISION_AUDIT, RESOURCE_INVENTORY
from dagster_project.pipeline.ingest_aws_resources import CARRIED_DAYS
from dagster_project.pipeline.inventory import CONTRADICTIONS, DATABASE, merged
from dagster_project.pipeline.ledger import Load, keeps, kept_snapshot, load_of, record
from dagster_project.pipeline.record_rules import split
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.sources import records
from dagster_project.sources.contract import Contract
from dagster_project.sources.utilization import day_bounds

INVENTORY = "resources"
_OF_AWS = ("origin", "native_id", "read_on")
_NAMED = ("account_id", "region", "resource_type", "native_id", "resource_id", "read_on")
DECISIONS = "decision_audit"


def ingest_inventory(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Takes the inventory of ``days`` out of the database and of what AWS listed.

    The database knows only the present. A snapshot that was taken when its day was the newest is therefore kept when the
    day is run again later: what the day looked like cannot be had a second time.
    """
    return asyncio.run(_inventory(runtime, days))


def ingest_decisions(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Loads the decisions of ``days`` and of the days before them as far as a veto reaches.

    Those earlier days are read every night: a decision that is written late must still veto, and they are few rows. A complete
    day is never replaced by fewer rows.
    """
    return asyncio.run(_decisions(runtime, days))


async def _inventory(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    lake, newest = runtime.lake, (runtime.now - timedelta(days=1)).date()
    done: list[tuple[date, Load]] = []
    async with runtime.source() as (connection, contract):
        for day in days:
            kept = kept_snapshot(lake, RESOURCE_INVENTORY, INVENTORY, day) if day < newest else None
            if kept is not None:
                done.append((day, kept))
                continue
            _, end = day_bounds(day)
            listed = await _listed(connection, contract, end)
            good, rejected = split(listed, ("resource_id",), INVENTORY)
            found = _listed_by_aws(lake, day, end.replace(tzinfo=None))
            if found is not None:
                good, contradictions = merged(good, found, _named_before(lake, day), INVENTORY)
                rejected += contradictions
            if good.is_empty():
                also = ", or give aws.accounts regions that hold something" if runtime.settings.aws.is_live else ""
                raise EmptySource(
                    f"The table resources lists nothing that existed on {day}; fill it, or correct created_at or "
                    f"NIGHTSHIFT_DSN{also}."
                )
            written = write_frame(lake, RESOURCE_INVENTORY, day, good)
            has_table = contract.has("resources")
            load = Load(
                INVENTORY,
                "absent" if not has_table else "complete" if day >= newest else "late",
                rows_read=listed.height,
                rows_written=written,
                rows_rejected=sum(group.rejected_rows for group in rejected if group.reason not in CONTRADICTIONS),
                missing_columns=", ".join(contract.missing("resources")) if has_table else "",
            )
            record(lake, day, load, rejected)
            done.append((day, load))
    return done


async def _listed(connection: asyncpg.Connection, contract: Contract, end: datetime) -> pl.DataFrame:
    """What the database lists; nothing where it has no such table, which it must have unless AWS is read."""
    columns = schema(RESOURCE_INVENTORY)
    own = {name: kind for name, kind in columns.items() if name not in _OF_AWS}
    if contract.has("resources"):
        frame = await records.inventory(connection, contract, end, pl.Schema(own))
    else:
        frame = pl.DataFrame(schema=own)
    return frame.with_columns(
        pl.lit(DATABASE).alias("origin"), *(pl.lit(None, columns[name]).alias(name) for name in _OF_AWS if name != "origin")
    ).select(list(columns))


def _listed_by_aws(lake: Lake, day: date, end: datetime) -> pl.DataFrame | None:
    """What AWS listed of the day; of a day on which it was not asked, what it listed next, or in the last days: a size that was
    given after the day is not the size of the day. None where it was never asked, or is no longer."""
    days = lake.days(AWS_RESOURCES)
    recent = [each for each in days if each <= day and (day - each).days <= CARRIED_DAYS]
    asked = day if day in days else next((each for each in days if each > day), recent[-1] if recent else None)
    if asked is None:
        return None
    parts = [pl.read_parquet(file, hive_partitioning=False) for file in lake.files(AWS_RESOURCES, [asked])]
    # A part of an earlier version may lack a column.
    frame = pl.concat([pl.DataFrame(schema=schema(AWS_RESOURCES)), *parts], how="diagonal")
    if asked == day:
        return frame
    frame = frame.filter(pl.col("read_on") >= day - timedelta(days=CARRIED_DAYS))
    # The moment stays: it says of the database's size, too, that it may be one that came after the day.
    is_later = (pl.col("config_changed_at") >= end).fill_null(False)
    size = pl.when(is_later).then(None).otherwise("instance_type").alias("instance_type")
    return frame.filter((pl.col("created_at") < end).fill_null(True)).with_columns(size)


def _named_before(lake: Lake, day: date) -> pl.DataFrame | None:
    """Resources of AWS as the inventories of earlier days call them, the last day last. Machines have names of their own: of
    them the last day says enough."""
    days = [each for each in lake.days(RESOURCE_INVENTORY) if each < day]
    frames = []
    for each in days:
        frame = pl.scan_parquet(lake.path(RESOURCE_INVENTORY, each), hive_partitioning=False)
        if not {*_NAMED} <= {*frame.collect_schema()}:
            continue  # a partition of an earlier version
        is_named = pl.col("read_on").is_not_null()
        if each != days[-1]:
            is_named &= pl.col("resource_type").is_in(["autoscaling_group", "rds_instance"])
        frames.append(frame.filter(is_named).select(_NAMED).collect())
    return pl.concat(frames) if frames else None


async def _decisions(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    lake = runtime.lake
    reach = runtime.settings.rightsizing.emergency_veto_days
    wanted = sorted({*days_up_to(min(days), reach), *days})
    done: list[tuple[date, Load]] = []
    async with runtime.source() as (connection, contract):
        first_at = await records.first_decision(connection, contract)
        frame = await records.decisions(
            connection,
            contract,
            day_bounds(wanted[0])[0],
            day_bounds(wanted[-1])[1],
            pl.Schema(schema(DECISION_AUDIT)),
        )
        by_day = frame.with_columns(pl.col("decision_at").dt.date().alias("day")).partition_by(
            "day", as_dict=True, include_key=False
        )
        for day in wanted:
            mine = by_day.get((day,), frame.clear())
            kept = keeps(lake, DECISIONS, day, mine.height)
            if kept is not None:
                done += [(day, kept)] if day in days else []
                continue
            good, rejected = split(mine, ("decision_id",), DECISIONS, at="decision_at")
            if day not in days and _is_stored(lake, day, good):
                continue
            written = write_frame(lake, DECISION_AUDIT, day, good)
            load = Load(
                DECISIONS,
                "complete" if day_bounds(day)[1] <= runtime.now else "partial",
                rows_read=mine.height,
                rows_written=written,
                rows_rejected=mine.height - written,
                watermark_at=good["decision_at"].max() if written else None,
                history_from=first_at.replace(tzinfo=None) if first_at else None,
                missing_columns=", ".join(contract.missing("decision_audit")),
            )
            record(lake, day, load, rejected)
            done.append((day, load))
    return done


def _is_stored(lake: Lake, day: date, decisions: pl.DataFrame) -> bool:
    """Whether the day's partition holds exactly these rows."""
    if not lake.has(DECISION_AUDIT, day) or load_of(lake, DECISIONS, day) is None:
        return False
    return pl.read_parquet(lake.path(DECISION_AUDIT, day), hive_partitioning=False).equals(decisions.sort(DECISION_AUDIT.grain))
