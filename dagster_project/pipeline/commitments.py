"""Reserved Instances and Savings Plans of the accounts that are read → ``aws_commitments``, a part for each account and region,
and one for the plans of an account.

AWS knows only the present: it is asked for the newest day only, and what was read whole for it is not asked again. What cannot be
read is not known, and its cash savings are not either: the load ledger says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import date

import polars as pl

from dagster_project.domain.rightsizing.commitments import Commitment
from dagster_project.errors import told
from dagster_project.lake.commitment_tables import AWS_COMMITMENTS
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.aws_scopes import live_scopes, scope_of
from dagster_project.pipeline.cash_savings import COMMITMENTS, PLANS
from dagster_project.pipeline.ledger import Load, load_of, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import aws_commitments
from dagster_project.sources.aws_scopes import Scope

READS, PERMISSIONS = aws_commitments.READS, aws_commitments.PERMISSIONS
"""What reading commitments needs."""

_DOING = "reading commitments"


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is asked: ``read`` of ``scope``, and the ledger's name of it."""

    source: str
    scope: Scope
    read: Callable[[Scope], Iterator[Commitment]]


def read_commitments(runtime: Runtime, days: Sequence[date]) -> list[tuple[date, Load]]:
    """Reads the commitments of every live account for the newest of ``days``; returns the lines of the load ledger, none where
    nobody was to be asked.

    A region or account that cannot be read says so in its line, and keeps no other from being read.
    """
    if not runtime.settings.aws.is_live:
        return []
    return [(day, load) for day in days if runtime.is_newest(day) for load in _read_all(runtime, day)]


def _read_all(runtime: Runtime, day: date) -> list[Load]:
    lake, settings = runtime.lake, runtime.settings.aws
    scopes = live_scopes(runtime)
    loads = [Load(unread.source(COMMITMENTS), "failed", error=unread.reason) for unread in scopes.unread]
    for load in loads:
        _note(lake, day, load, [])
    readings = [_Reading(scope.source(COMMITMENTS), scope, aws_commitments.reservations) for scope in scopes.live]
    live = {scope.account_id for scope in scopes.live}
    for account in settings.accounts:
        if account.id in live:
            scope = scope_of(runtime, account, account.home_region)
            readings.append(_Reading(f"{COMMITMENTS}.{account.id}.{PLANS}", scope, aws_commitments.plans))
    with ThreadPoolExecutor(settings.scopes_at_once, "aws-commitments") as pool:
        for done, load in enumerate(pool.map(lambda each: _read(runtime, day, each), readings), start=1):
            loads.append(load)
            runtime.progress.update("Reading AWS commitments", done, len(readings))
    _sweep(lake, day, {load.source for load in loads})
    return sorted(loads, key=lambda load: load.source)


def _read(runtime: Runtime, day: date, reading: _Reading) -> Load:
    lake, scope = runtime.lake, reading.scope
    known = load_of(lake, reading.source, day)
    if known is not None and known.status == "complete" and lake.has(AWS_COMMITMENTS, day, reading.source):
        return known
    before, error = replace(scope.connection.tally), ""
    found: list[Commitment] = []
    try:
        found = list(reading.read(scope))
    except Exception as problem:  # one account's answer must not cost the others
        # Half of what is committed to is no better than none: what it pays for would look like cash.
        error = told(problem, _DOING)
    finally:
        scope.connection.close()
    load = Load(
        reading.source,
        "failed" if error else "complete",
        rows_read=len(found),
        rows_written=len(found),
        error=error,
        calls=scope.connection.tally.calls - before.calls,
        throttles=scope.connection.tally.throttles - before.throttles,
    )
    return _note(lake, day, load, found)


def _note(lake: Lake, day: date, load: Load, found: Sequence[Commitment]) -> Load:
    """Writes a part, then its line: a part without one is not believed."""
    frame = pl.DataFrame([asdict(each) for each in found], schema=schema(AWS_COMMITMENTS))
    written = write_frame(lake, AWS_COMMITMENTS, day, frame.unique(AWS_COMMITMENTS.grain, keep="first"), load.source)
    load = replace(load, rows_written=written)
    record(lake, day, load)
    return load


def _sweep(lake: Lake, day: date, sources: set[str]) -> None:
    """Removes what an earlier run of the day wrote of places that are not read any more."""
    for table in (AWS_COMMITMENTS, LOAD_LEDGER):
        for file in lake.files(table, [day]):
            if file.stem.startswith(f"{COMMITMENTS}.") and file.stem not in sources:
                file.unlink(missing_ok=True)
