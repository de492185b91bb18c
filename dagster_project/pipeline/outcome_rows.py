"""Rows of the table ``proposal_outcomes`` as values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from dagster_project.domain.outcomes.model import AppliedChange, Outcome
from dagster_project.lake.engine import open_engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import PROPOSAL_OUTCOMES
from dagster_project.statements import statement

_OF_CHANGE = tuple(AppliedChange.__dataclass_fields__.keys() - {"applied_on"})
_OF_OUTCOME = tuple(Outcome.__dataclass_fields__.keys() - {"change"})


def row_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the row of its day. Times are naive UTC."""
    values = {name: getattr(outcome.change, name) for name in _OF_CHANGE}
    decided_at = outcome.change.decided_at
    if decided_at is not None:
        values["decided_at"] = decided_at.astimezone(UTC).replace(tzinfo=None)
    values |= {name: getattr(outcome, name) for name in _OF_OUTCOME}
    return {**values, "exceedance_pct": outcome.exceedance_pct}


def outcome_from(row: Mapping[str, Any]) -> Outcome:
    """The outcome of a row."""
    decided_at = row["decided_at"].replace(tzinfo=UTC) if row["decided_at"] else None
    values = {name: row[name] for name in _OF_CHANGE}
    change = AppliedChange(**{**values, "decided_at": decided_at, "applied_on": row["applied_on"]})
    return Outcome(change=change, **{name: row[name] for name in _OF_OUTCOME})


def read_outcomes(lake: Lake, day: date) -> list[Outcome]:
    """The outcomes of a day in the order in which they are told; none where its night did not write them."""
    with open_engine(lake) as engine:
        engine.view(PROPOSAL_OUTCOMES, [day])
        return [outcome_from(row) for row in engine.rows(statement("reports/outcomes_of_day"))]
