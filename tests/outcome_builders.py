"""Nights of the outcome ledger: machines with what was measured of them, emergencies and incidents, day after day.

Every machine is measured in full and holds what it is given, unless a test says otherwise. A night writes what the lake would
have and runs the steps that lead to proposals; the verdicts are given.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import polars as pl

from dagster_project.actions.outcome_store import note_applied
from dagster_project.domain.outcomes.model import AppliedChange
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import (
    EMERGENCY_SCALEUPS,
    INCIDENTS,
    LOAD_LEDGER,
    PROPOSAL_OUTCOMES,
    PROPOSALS,
    PULL_REQUESTS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    SERVICE_HEADROOM,
    TABLES,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.outcomes import settle_outcomes
from dagster_project.pipeline.proposals import propose, snapshot_answers
from dagster_project.pipeline.pull_requests import publish, read_answers
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.proposal_builders import FIRST_DAY, Machine, World

T = TypeVar("T")
QUIET = (RESOURCE_INVENTORY.name, UTILIZATION_DAILY.name)
"""What later nights need of a day on which none ran."""
Row = dict[str, Any]


def change(**values: Any) -> AppliedChange:
    """A machine that was made smaller on the first day by an approved request."""
    usual = {
        "resource_id": "i-1", "resource_type": "ec2_instance", "service": "payment-api", "team": "payments",
        "environment": "staging", "attribute": "instance_type", "value_before": "m5.2xlarge", "value_after": "m5.xlarge",
        "source": "request:apr-1", "decided_by": "alice@example.com", "decided_at": datetime(2025, 3, 9, 11, tzinfo=UTC),
        "estimated_usd_month": 140.16, "stated_exceedance_pct": 1.5, "risk": "low", "noted_on": FIRST_DAY,
    }  # fmt: skip
    return AppliedChange(**{**usual, **values})


@dataclass
class Days:
    """Days without GitHub: what was applied is noted by a test, or seen in the inventory.

    ``cpu`` and ``memory`` hold the highest reading of a machine on a day (None: memory is not measured), ``unmeasured`` machines
    and days without samples.
    """

    folder: Path
    dsn: str
    machines: dict[str, Machine]
    rules: dict[str, Any] = field(default_factory=dict)
    day: date = FIRST_DAY
    cpu: dict[tuple[str, date], float] = field(default_factory=dict)
    memory: dict[tuple[str, date], float | None] = field(default_factory=dict)
    members: dict[str, float] = field(default_factory=dict)
    unmeasured: set[tuple[str, date]] = field(default_factory=set)
    emergencies: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    sources: list[Row] = field(default_factory=list)
    inventory: dict[str, Row] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder / "home", reports=self.folder / "reports", dsn=self.dsn, rightsizing=self.rules)

    def runtime(self, **changes: Any) -> Runtime:
        """A run in the night after the day."""
        night = datetime.combine(self.day + timedelta(days=1), time(2), UTC)
        return Runtime(self.settings, **{"now": night, **changes})

    def night(self, **changes: Any) -> dict[str, Row]:
        """Runs the night of the day; returns the rows of ``proposal_outcomes`` by resource."""
        runtime = self.runtime(**changes)
        self.write(runtime)
        settle_outcomes(runtime, self.day)
        propose(runtime, self.day)
        return self.outcomes()

    def nights(self, count: int) -> dict[str, Row]:
        """So many days pass, of which the last one has a night; returns what that says."""
        for number in range(count):
            self.day += timedelta(days=1)
            if number < count - 1:
                self.write(self.runtime(), QUIET)
        return self.night()

    def write(self, runtime: Runtime, tables: Sequence[str] = ()) -> None:
        """What the lake has of the day before its outcomes are looked at: all of it, or some tables."""
        write_day(runtime, self, [each for each in self.machines.values() if each.is_listed], tables)

    def outcomes(self, day: date | None = None) -> dict[str, Row]:
        return {row["resource_id"]: row for row in self.table(PROPOSAL_OUTCOMES, day)}

    def proposals(self) -> dict[str, Row]:
        return {row["resource_id"]: row for row in self.table(PROPOSALS)}

    def headrooms(self, day: date | None = None) -> dict[str, float]:
        return {row["service"]: row["headroom_pct"] for row in self.table(SERVICE_HEADROOM, day)}

    def table(self, table: Table, day: date | None = None) -> list[Row]:
        return pl.read_parquet(self.path(table, day), hive_partitioning=False).to_dicts()

    def path(self, table: Table, day: date | None = None) -> Path:
        return self.settings.warehouse / table.name / f"day={day or self.day}" / "part-0.parquet"

    def bytes_of(self, *tables: Table) -> str:
        return hashlib.sha256(b"".join(self.path(table).read_bytes() for table in tables)).hexdigest()

    def note(self, *changes: AppliedChange) -> int:
        return self.in_state(lambda connection: note_applied(connection, changes))

    def in_state(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        return in_database(self.dsn, work)

    def emergency(self, name: str, at: datetime, target: str | None = None, ident: str | None = None) -> None:
        row = {"resource_id": name, "decision_at": at, "decision_id": ident or f"d-{len(self.emergencies)}"}
        self.emergencies.append({**row, "target": target or name, "matched_by": "resource"})


@dataclass
class WatchedWorld(World):
    """Machines with their code on a GitHub, and what was measured of them; a night looks at outcomes, too."""

    cpu: dict[tuple[str, date], float] = field(default_factory=dict)
    memory: dict[tuple[str, date], float | None] = field(default_factory=dict)
    members: dict[str, float] = field(default_factory=dict)
    unmeasured: set[tuple[str, date]] = field(default_factory=set)
    emergencies: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    sources: list[Row] = field(default_factory=list)
    inventory: dict[str, Row] = field(default_factory=dict)

    def night(self, **changes: Any) -> list[dict[str, Any]]:
        runtime = self.runtime(**changes)
        write_day(runtime, self, [each for each in self.machines.values() if each.is_listed])
        self.problems = read_answers(runtime, self.day)
        snapshot_answers(runtime, self.day)
        settle_outcomes(runtime, self.day)
        propose(runtime, self.day)
        _, problems = publish(runtime, self.day)
        self.problems += problems
        return self.table(PULL_REQUESTS)

    def outcomes(self) -> dict[str, Row]:
        return {row["resource_id"]: row for row in self.table(PROPOSAL_OUTCOMES)}

    def headrooms(self) -> dict[str, float]:
        return {row["service"]: row["headroom_pct"] for row in self.table(SERVICE_HEADROOM)}

    def emergency(self, name: str, at: datetime) -> None:
        row = {"resource_id": name, "decision_at": at, "decision_id": f"d-{len(self.emergencies)}"}
        self.emergencies.append({**row, "target": name, "matched_by": "resource"})


def in_database(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


def write_day(runtime: Runtime, days: Any, listed: Sequence[Machine], tables: Sequence[str] = ()) -> None:
    """The day's partitions (of ``tables``, where some are named): inventory, verdicts, readings, emergencies of the veto window,
    incidents."""
    day = days.day
    end = datetime.combine(day + timedelta(days=1), time())
    given: dict[str, list[Row]] = {
        RESOURCE_INVENTORY.name: [{**each.inventory(), **days.inventory.get(each.name, {})} for each in listed],
        RIGHTSIZING_VERDICTS.name: [each.verdict() for each in listed],
        UTILIZATION_DAILY.name: [row for each in listed for row in _readings(days, each.name, day)],
        UTILIZATION_SAMPLES.name: [row for each in listed for row in _samples(days, each.name, day)],
        EMERGENCY_SCALEUPS.name: [row for row in days.emergencies if end - timedelta(days=28) <= row["decision_at"] < end],
        INCIDENTS.name: [row for row in days.incidents if row["impact_started_at"] < end],
        LOAD_LEDGER.name: days.sources,
    }
    for name in tables or given:
        rows = given[name]
        write_frame(runtime.lake, TABLES[name], day, pl.DataFrame(rows, schema=schema(TABLES[name])))


def _readings(days: Any, name: str, day: date) -> list[Row]:
    if (name, day) in days.unmeasured:
        return []
    peaks = {"cpu_avg_pct": days.cpu.get((name, day), 40.0), "mem_max_pct": days.memory.get((name, day), 50.0)}
    rows = [{"metric": metric, "maximum": peak, "mean": 20.0} for metric, peak in peaks.items() if peak is not None]
    if name in days.members:
        rows.append({"metric": "in_service", "maximum": days.members[name], "mean": days.members[name]})
    return [{"resource_id": name, "samples": 288, "interval_seconds": 300, "covered_slots": 288, **row} for row in rows]


def _samples(days: Any, name: str, day: date) -> list[Row]:
    """Two samples, of which the first one has the highest readings of the day."""
    if (name, day) in days.unmeasured:
        return []
    peak = {"cpu_avg_pct": days.cpu.get((name, day), 40.0), "mem_max_pct": days.memory.get((name, day), 50.0)}
    usual = {"cpu_avg_pct": 20.0, "mem_max_pct": 50.0}
    noon = datetime.combine(day, time(12))
    return [
        {"resource_id": name, "sampled_at": noon, **peak},
        {"resource_id": name, "sampled_at": noon + timedelta(minutes=5), **usual},
    ]
