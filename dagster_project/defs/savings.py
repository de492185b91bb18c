"""Assets that reports and finance read. Belongs here: one asset per step. Not here: what a stage or a number is."""

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, result, specs_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.report_tables import NIGHT_NUMBERS, NIGHT_RULES, SAVINGS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step

GROUP = "reports"


def savings_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """Savings by change, and the numbers and rules of a night."""

    @dg.asset(
        deps=[
            "proposals",
            "pull_requests",
            "approval_requests",
            "proposal_outcomes",
            "rightsizing_verdicts",
            "resource_inventory",
        ],
        description=described(SAVINGS),
        metadata=columns_of(SAVINGS),
        group_name=GROUP,
        kinds={"duckdb", "parquet"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def savings(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.savings import follow_savings

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "savings") as note:
            note.rows = sum(follow_savings(runtime, day) for day in days)
        return result(note.rows)

    specs = specs_of(
        (NIGHT_NUMBERS, NIGHT_RULES),
        partitions,
        deps=["savings", "utilization_window", "incident_summaries", "postmortems", "action_item_metrics"],
        group=GROUP,
        kinds={"duckdb", "parquet"},
    )

    @dg.multi_asset(name=NIGHT_NUMBERS.name, specs=specs, backfill_policy=ASSET_KWARGS["backfill_policy"])
    def numbered(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.MaterializeResult]:
        from dagster_project.pipeline.night_numbers import number_night

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], NIGHT_NUMBERS.name) as note:
            found = [number_night(runtime, day) for day in days]
            note.rows = sum(sum(each) for each in found)
        for place, spec in enumerate(specs):
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"dagster/row_count": sum(each[place] for each in found)})

    return [savings, numbered]
