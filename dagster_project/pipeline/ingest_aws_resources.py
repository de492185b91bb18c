"""What AWS lists in the accounts of the settings → ``aws_resources``, a part for each account and region.

What cannot be read tonight is carried on from the last night that read it, with the day on which that was: a resource that
nobody could look at is not gone, and nothing may be decided about it either.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import polars as pl

from dagster_project.domain.inventory import first_tag
from dagster_project.errors import NightshiftError
from dagster_project.lake.aws_tables import AWS_RESOURCES
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.aws_changes import Past, compared
from dagster_project.pipeline.aws_opened import Unread
from dagster_project.pipeline.aws_scopes import live_scopes
from dagster_project.pipeline.ledger import Load, load_of, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import autoscaling_groups, ebs_volumes, ec2_instances, rds_instances
from dagster_project.sources.aws_resources import AwsResource
from dagster_project.sources.aws_scopes import Scope, understood
from dagster_project.sources.utilization import day_bounds

SOURCE = "aws_resources"
CARRIED_DAYS = 7
"""So long a resource that could not be looked at is carried on."""
Row = dict[str, Any]
Key = tuple[str, str]
"""Kind and name of a resource within its account and region."""


def ingest_aws_resources(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Reads what there is in every live account and region, side by side. AWS knows only the present: it is asked for the newest
    day only, and a region that was read whole for it is not asked again.

    Returns the lines of the load ledger: a region that fails says so there, and does not stop the others.
    """
    newest = [day for day in days if runtime.is_newest(day)]
    if not newest or not runtime.settings.aws.is_live:
        return []
    return [(day, load) for day in newest for load in asyncio.run(_read_all(runtime, day))]


async def _read_all(runtime: Runtime, day: date) -> list[Load]:
    scopes = await asyncio.to_thread(live_scopes, runtime)
    loads = [_unread(runtime, day, unread) for unread in scopes.unread]
    loop, done = asyncio.get_running_loop(), 0
    with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once, "aws-inventory") as pool:
        reading = [loop.run_in_executor(pool, _read_scope, runtime, day, scope) for scope in scopes.live]
        for each in asyncio.as_completed(reading):
            loads.append(await each)
            done += 1
            runtime.progress.update("Reading AWS inventory", done, len(reading))
    return sorted(loads, key=lambda load: load.source)


def _unread(runtime: Runtime, day: date, unread: Unread) -> Load:
    """The line of what is not asked; its resources are carried on. What was read whole in an earlier run of the day stays."""
    lake, source = runtime.lake, unread.source(SOURCE)
    known = _whole(lake, day, source)
    if known is not None:
        return known
    parts = [part for part in _parts(lake, day, unread) if _whole(lake, day, part) is None]
    carried = sum(_write(lake, day, part, [*_carried(lake, day, part, _before(lake, day, part)).values()]) for part in parts)
    load = Load(source, "failed", rows_written=carried, error=unread.reason)
    record(lake, day, load)
    return load


def _parts(lake: Lake, day: date, unread: Unread) -> list[str]:
    """The parts that hold what is not read now: of an account whose regions nobody knows, those of the last days."""
    if unread.region is not None:
        return [unread.source(SOURCE)]
    start = f"{SOURCE}.{unread.account_id}."
    days = [each for each in lake.days(AWS_RESOURCES) if each < day and (day - each).days <= CARRIED_DAYS]
    return sorted({file.stem for file in lake.files(AWS_RESOURCES, days) if file.stem.startswith(start)})


def _read_scope(runtime: Runtime, day: date, scope: Scope) -> Load:
    source = scope.source(SOURCE)
    known = _whole(runtime.lake, day, source)
    if known is not None:
        return known
    try:
        load = _read(runtime, day, scope)
    finally:
        scope.connection.close()  # what is open takes memory and sockets, and there may be hundreds of regions
    record(runtime.lake, day, load)
    return load


def _read(runtime: Runtime, day: date, scope: Scope) -> Load:
    lake, source = runtime.lake, scope.source(SOURCE)
    end = day_bounds(day)[1].replace(tzinfo=None)
    before = _before(lake, day, source)
    tally = replace(scope.connection.tally)
    found, problems = _kinds(scope, lambda: _moment(runtime))
    # A change may have come until everything was read.
    moment = _moment(runtime)
    rows = []
    for each in (each for resources in found.values() for each in resources):
        past = compared(each, before.get((each.resource_type, each.native_id)), day, moment)
        # What came after the day is not of it.
        if past.created_at is None or past.created_at < end:
            rows.append(_row(scope, each, day, past, runtime))
    read = sum(len(resources) for resources in found.values())
    # Of a kind that was not read nobody knows whether it is gone.
    rows += [row for (kind, _), row in _carried(lake, day, source, before).items() if kind not in found]
    written = _write(lake, day, source, rows)
    return Load(
        source,
        "complete" if not problems else "partial" if found else "failed",
        rows_read=read,
        rows_written=written,
        watermark_at=end if not problems else None,
        error=" ".join(dict.fromkeys(problems)),
        calls=scope.connection.tally.calls - tally.calls,
        throttles=scope.connection.tally.throttles - tally.throttles,
    )


def _whole(lake: Lake, day: date, part: str) -> Load | None:
    """The line of what was read whole in an earlier run of the day."""
    known = load_of(lake, part, day)
    return known if known is not None and known.status == "complete" and lake.has(AWS_RESOURCES, day, part) else None


def _moment(runtime: Runtime) -> datetime:
    """The present moment, naive UTC."""
    return max(runtime.now, runtime.at.now()).replace(tzinfo=None)


def _kinds(scope: Scope, clock: Callable[[], datetime]) -> tuple[dict[str, list[AwsResource]], list[str]]:
    """Resources by kind, of the kinds that could be read, and what went wrong with the others."""
    found: dict[str, list[AwsResource]] = {}
    problems: list[str] = []

    def take(kind: str, read: Callable[[], Iterator[AwsResource]]) -> None:
        try:
            with understood(f"{kind} of {scope.place}"):
                found[kind] = list(read())
        except NightshiftError as error:
            problems.append(str(error))

    take(ec2_instances.KIND, lambda: ec2_instances.instances(scope))
    if ec2_instances.KIND in found:
        members = {each.native_id: each for each in found[ec2_instances.KIND]}
        take(autoscaling_groups.KIND, lambda: autoscaling_groups.groups(scope, members))
    take(rds_instances.KIND, lambda: rds_instances.databases(scope, clock))
    take(ebs_volumes.KIND, lambda: ebs_volumes.volumes(scope))
    return found, problems


def _row(scope: Scope, each: AwsResource, day: date, past: Past, runtime: Runtime) -> Row:
    settings = runtime.settings.aws
    return {
        "account_id": scope.account_id,
        "region": scope.region,
        "resource_type": each.resource_type,
        "native_id": each.native_id,
        "instance_type": past.instance_type,
        "platform": each.platform,
        "tenancy": each.tenancy,
        "lifecycle": each.lifecycle,
        "asg_name": each.asg_name,
        "managed_by": each.managed_by,
        "units": each.units,
        "service": first_tag(each.tags, settings.service_tags),
        "team": first_tag(each.tags, settings.team_tags),
        "environment": first_tag(each.tags, settings.environment_tags),
        "tags": _text(each.tags),
        "config": _text(each.config),
        "created_at": past.created_at,
        "config_changed_at": past.config_changed_at,
        "differed_on": past.differed_on,
        "changes": _text(past.changes) if past.changes else None,
        "read_on": day,
    }


def _before(lake: Lake, day: date, part: str) -> Mapping[Key, Row]:
    """What the last night that wrote the part knew of it."""
    days = [each for each in lake.days(AWS_RESOURCES) if each < day and (day - each).days <= CARRIED_DAYS]
    for each in reversed(days):
        if lake.has(AWS_RESOURCES, each, part):
            return _rows(lake, each, part)
    return {}


def _carried(lake: Lake, day: date, part: str, before: Mapping[Key, Row]) -> Mapping[Key, Row]:
    """What stands for what is not read now: what an earlier run of the day read itself, else what was read in the last days."""
    today: dict[Key, Row] = {}
    if lake.has(AWS_RESOURCES, day, part):
        today = {key: row for key, row in _rows(lake, day, part).items() if row["read_on"] == day}
    kinds = {kind for kind, _ in today}
    earlier = {key: row for key, row in before.items() if key[0] not in kinds}
    return today | {key: row for key, row in earlier.items() if (day - row["read_on"]).days <= CARRIED_DAYS}


def _rows(lake: Lake, day: date, part: str) -> dict[Key, Row]:
    rows = pl.read_parquet(lake.path(AWS_RESOURCES, day, part), hive_partitioning=False).to_dicts()
    return {(row["resource_type"], row["native_id"]): row for row in rows}


def _write(lake: Lake, day: date, part: str, rows: Sequence[Row]) -> int:
    frame = pl.DataFrame(rows, schema=schema(AWS_RESOURCES))
    return write_frame(lake, AWS_RESOURCES, day, frame.unique(AWS_RESOURCES.grain, keep="first", maintain_order=True), part=part)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))
