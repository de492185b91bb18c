"""The asset of bills. Belongs here: that they are read. Not here: how, and how they stand to our prices."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import asked_result, columns_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.billing_tables import BILLED_COSTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def billing_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """What FOCUS billing files charge for the resources of the day."""

    @dg.asset(
        deps=["resource_inventory"],
        description=described(BILLED_COSTS),
        metadata=columns_of(BILLED_COSTS),
        group_name="ingest",
        kinds={"file", "parquet"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def billed_costs(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.billing import read_bills

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "billed_costs") as note:
            loads = [load for day in days for load in read_bills(runtime, day)]
            note.rows = sum(load.rows_written for load in loads)
        return asked_result(loads)

    return [billed_costs]
