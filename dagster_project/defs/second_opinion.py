"""The asset of what AWS's own advisers say. Belongs here: that they are asked. Not here: what is asked, and how it compares."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import asked_result, columns_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.opinion_tables import SECOND_OPINIONS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def second_opinion_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """What Compute Optimizer and the Cost Optimization Hub recommend."""

    @dg.asset(
        # After the verdicts, which it is shown beside and never changes.
        deps=["rightsizing_verdicts", "resource_inventory"],
        description=described(SECOND_OPINIONS),
        metadata=columns_of(SECOND_OPINIONS),
        group_name="rightsizing",
        kinds={"aws", "parquet"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def second_opinions(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.second_opinion import ask_advisers

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "second_opinions") as note:
            loads = [load for day in days for load in ask_advisers(runtime, day)]
            note.rows = sum(load.rows_written for load in loads)
        return asked_result(loads)

    return [second_opinions]
