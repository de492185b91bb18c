"""Data checks: the statements of ``sql/checks``, which return the rows that violate them. The first table read is checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import Statement


@dataclass(frozen=True)
class CheckOutcome:
    """What a check found: how many rows violate it, and which some of them are."""

    violations: int
    examples: tuple[dict[str, Any], ...]


def run_check(runtime: Runtime, check: Statement, day: date) -> CheckOutcome:
    """Runs a check on the partitions of one day."""
    with open_engine(runtime.lake) as engine:
        for name in check.reads:
            engine.view(TABLES[name], [day])
        rows = engine.rows(check, {"day": day} if "day" in check.params else {})
    # Only what identifies a row is shown: its values may be nobody's business.
    return CheckOutcome(len(rows), tuple({name: row[name] for name in check.grain} for row in rows[:5]))
