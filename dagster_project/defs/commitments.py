"""The asset of commitments. Belongs here: that they are read. Not here: how, and what they pay for."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import asked_result, columns_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.commitment_tables import AWS_COMMITMENTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def commitment_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """Reserved Instances and Savings Plans."""

    @dg.asset(
        description=described(AWS_COMMITMENTS),
        metadata=columns_of(AWS_COMMITMENTS),
        group_name="ingest",
        kinds={"aws", "parquet"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def aws_commitments(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.commitments import read_commitments

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "aws_commitments") as note:
            loads = [load for _, load in read_commitments(runtime, days)]
            note.rows = sum(load.rows_written for load in loads)
        return asked_result(loads)

    return [aws_commitments]
