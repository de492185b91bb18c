"""Assets of what past and present incidents say. Belongs here: one asset per mart. Not here: the rules, which are SQL."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, result
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.tables import INCIDENT_DEMAND, PROTECTED_WINDOWS, RESOURCE_RISKS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def incident_evidence_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """Protected windows, the demand within them, and the risks of the present."""
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": "rightsizing", "kinds": {"duckdb", "parquet"}}

    @dg.asset(
        deps=["decision_audit", "resource_inventory", "incidents", "service_dependencies"],
        description=described(PROTECTED_WINDOWS),
        metadata=columns_of(PROTECTED_WINDOWS),
        **common,
    )
    def protected_windows(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.incident_evidence import find_protected_windows

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "protected_windows") as note:
            note.rows = sum(find_protected_windows(runtime, day) for day in days)
        return result(note.rows)

    @dg.asset(
        deps=["protected_windows", "utilization_samples", "utilization_daily", "resource_inventory"],
        description=described(INCIDENT_DEMAND),
        metadata=columns_of(INCIDENT_DEMAND),
        **common,
    )
    def incident_demand(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.incident_evidence import measure_incident_demand

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "incident_demand") as note:
            measured = dict(entry for day in days for entry in measure_incident_demand(runtime, day))
            note.rows = sum(measured.values())
        for day in sorted(set(measured) - set(days)):
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key, partition=day.isoformat(), metadata={"dagster/row_count": measured[day]}
                )
            )
        return result(sum(measured[day] for day in days))

    @dg.asset(
        deps=["resource_inventory", "incidents", "action_items", "slos", "sli_daily"],
        description=described(RESOURCE_RISKS),
        metadata=columns_of(RESOURCE_RISKS),
        **common,
    )
    def resource_risks(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.incident_evidence import find_resource_risks

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "resource_risks") as note:
            note.rows = sum(find_resource_risks(runtime, day) for day in days)
        return result(note.rows)

    return [protected_windows, incident_demand, resource_risks]
