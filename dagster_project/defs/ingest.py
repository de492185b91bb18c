"""Assets that bring evidence in. Belongs here: one asset per source table. Not here: how a source is read."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, load_result, shown
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.aws_tables import AWS_RESOURCES, AWS_SAMPLES
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    RESOURCE_INVENTORY,
    SLI_DAILY,
    SNAPSHOTS,
    UTILIZATION_SAMPLES,
    Table,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step

if TYPE_CHECKING:
    from dagster_project.pipeline.ledger import Load
    from dagster_project.pipeline.ui_facts import Facts


def ingest_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """What AWS lists and measures, and the tables of the decision engine's contract."""
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": "ingest", "kinds": {"postgres", "parquet"}}
    live = {**common, "kinds": {"aws", "parquet"}}

    @dg.asset(description=described(AWS_RESOURCES), metadata=columns_of(AWS_RESOURCES), **live)
    def aws_resources(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_aws_resources import ingest_aws_resources

        return _ingest(context, runtime, ingest_aws_resources)

    @dg.asset(deps=["resource_inventory"], description=described(AWS_SAMPLES), metadata=columns_of(AWS_SAMPLES), **live)
    def aws_samples(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_aws_samples import ingest_aws_samples

        return _ingest(context, runtime, ingest_aws_samples)

    @dg.asset(
        deps=["aws_samples"], description=described(UTILIZATION_SAMPLES), metadata=columns_of(UTILIZATION_SAMPLES), **common
    )
    def utilization_samples(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_samples import ingest_samples
        from dagster_project.pipeline.ui_facts import sample_facts

        return _ingest(context, runtime, ingest_samples, sample_facts)

    @dg.asset(
        deps=["aws_resources"], description=described(RESOURCE_INVENTORY), metadata=columns_of(RESOURCE_INVENTORY), **common
    )
    def resource_inventory(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_records import ingest_inventory

        return _ingest(context, runtime, ingest_inventory)

    @dg.asset(description=described(DECISION_AUDIT), metadata=columns_of(DECISION_AUDIT), **common)
    def decision_audit(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_records import ingest_decisions

        return _ingest(context, runtime, ingest_decisions)

    @dg.asset(description=described(SLI_DAILY), metadata=columns_of(SLI_DAILY), **common)
    def sli_daily(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ingest_service_levels import ingest_service_levels

        return _ingest(context, runtime, ingest_service_levels)

    def snapshot(table: Table) -> dg.AssetsDefinition:
        @dg.asset(name=table.name, description=described(table), metadata=columns_of(table), **common)
        def snapshot_of(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
            from dagster_project.pipeline.ingest_snapshots import ingest_snapshot

            return _ingest(context, runtime, lambda runtime, days: ingest_snapshot(runtime, table, days))

        return snapshot_of

    return [
        aws_resources,
        resource_inventory,
        aws_samples,
        utilization_samples,
        decision_audit,
        sli_daily,
        *map(snapshot, SNAPSHOTS),
    ]


def _ingest(
    context: dg.AssetExecutionContext,
    runtime: Runtime,
    ingest: Callable[[Runtime, Sequence[date]], list[tuple[date, "Load"]]],
    facts: Callable[[Runtime, date], "Facts"] | None = None,
) -> dg.MaterializeResult:
    days = days_of(context)
    with step(runtime, context.run_id, days[-1], context.asset_key.to_user_string()) as note:
        loads = ingest(runtime, days)
        note.rows = sum(load.rows_written for _, load in loads)
    return load_result(context, loads, days, lambda day: shown(facts(runtime, day)) if facts else {})
