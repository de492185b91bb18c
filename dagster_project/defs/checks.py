"""Blocking checks, one for each file of ``sql/checks``. Belongs here: how a check becomes Dagster's. Not here: its SQL."""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import Statement, statements_in


def data_checks(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetChecksDefinition]:
    """Every data check; one that finds a row keeps what depends on its table from running."""
    return [_check(statement, partitions) for statement in statements_in("checks")]


def _check(statement: Statement, partitions: dg.PartitionsDefinition) -> dg.AssetChecksDefinition:
    name = statement.name.rpartition("/")[2]

    @dg.asset_check(
        asset=statement.reads[0],
        name=name,
        description=f"No row may be found: {statement.purpose}",
        blocking=True,
        partitions_def=partitions,
    )
    def check(context: dg.AssetCheckExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        from dagster_project.pipeline.checks import run_check

        outcomes = {key: run_check(runtime, statement, date.fromisoformat(key)) for key in context.partition_keys}
        found = {key: outcome for key, outcome in outcomes.items() if outcome.violations}
        return dg.AssetCheckResult(
            passed=not found,
            description="; ".join(
                f"{key}: {outcome.violations} rows, such as {outcome.examples[0]}" for key, outcome in found.items()
            ),
            metadata={"violations": sum(outcome.violations for outcome in found.values())},
        )

    return check
