"""Assets that turn evidence into verdicts. Belongs here: one asset per mart. Not here: the rules, which are SQL and domain."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, day_by_day, report_links, result, shown
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.tables import (
    EMERGENCY_SCALEUPS,
    RIGHTSIZING_EVIDENCE,
    RIGHTSIZING_VERDICTS,
    UTILIZATION_DAILY,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def rightsizing_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """Daily rollups, windows, emergencies, evidence and verdicts.

    A window reads earlier days too, but its dependency is on its own day: with a time-window mapping, a back-fill of five days
    would run every later day that the window reaches. Earlier days that are missing are caught up by the steps themselves.
    """
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": "rightsizing", "kinds": {"duckdb", "parquet"}}

    @dg.asset(
        deps=["utilization_samples"], description=described(UTILIZATION_DAILY), metadata=columns_of(UTILIZATION_DAILY), **common
    )
    def utilization_daily(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.rollup import roll_up_days
        from dagster_project.pipeline.ui_facts import daily_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "utilization_daily") as note:
            rolled = roll_up_days(runtime, days)
            note.rows = sum(rows for _, rows in rolled)
        for day, rows in rolled:
            if day not in days:
                context.log_event(
                    dg.AssetMaterialization(context.asset_key, partition=day.isoformat(), metadata={"dagster/row_count": rows})
                )
        return day_by_day(
            context, {day: rows for day, rows in rolled if day in days}, lambda day: shown(daily_facts(runtime, day))
        )

    @dg.asset(
        deps=["utilization_daily", "resource_inventory"],
        description=described(UTILIZATION_WINDOW),
        metadata=columns_of(UTILIZATION_WINDOW),
        **common,
    )
    def utilization_window(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.rollup import roll_up_windows
        from dagster_project.pipeline.ui_facts import window_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "utilization_window") as note:
            rows = {day: roll_up_windows(runtime, day) for day in days}
            note.rows = sum(rows.values())
        return day_by_day(context, rows, lambda day: shown(window_facts(runtime, day)))

    @dg.asset(
        deps=["decision_audit", "resource_inventory"],
        description=described(EMERGENCY_SCALEUPS),
        metadata=columns_of(EMERGENCY_SCALEUPS),
        **common,
    )
    def emergency_scaleups(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.verdicts import find_emergencies

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "emergency_scaleups") as note:
            note.rows = sum(find_emergencies(runtime, day) for day in days)
        return result(note.rows)

    @dg.asset(
        deps=[
            "resource_inventory",
            "utilization_window",
            "emergency_scaleups",
            "protected_windows",
            "incident_demand",
            "resource_risks",
            "proposal_answers",
            "proposal_outcomes",
        ],
        description=described(RIGHTSIZING_EVIDENCE),
        metadata=columns_of(RIGHTSIZING_EVIDENCE),
        **common,
    )
    def rightsizing_evidence(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.verdicts import gather_evidence

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "rightsizing_evidence") as note:
            note.rows = sum(gather_evidence(runtime, day) for day in days)
        return result(note.rows)

    @dg.asset(
        deps=["rightsizing_evidence", "service_dependencies", "aws_commitments"],
        description=described(RIGHTSIZING_VERDICTS),
        metadata=columns_of(RIGHTSIZING_VERDICTS),
        **common,
    )
    def rightsizing_verdicts(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.ui_facts import verdict_facts
        from dagster_project.pipeline.verdicts import judge

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "rightsizing_verdicts") as note:
            rows = {day: judge(runtime, day) for day in days}
            note.rows = sum(rows.values())
        return day_by_day(context, rows, lambda day: {**report_links(runtime, day), **shown(verdict_facts(runtime, day))})

    return [utilization_daily, utilization_window, emergency_scaleups, rightsizing_evidence, rightsizing_verdicts]
