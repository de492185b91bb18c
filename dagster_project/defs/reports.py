"""The asset that people read. Belongs here: reports as assets. Not here: what stands in them."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import told_of
from dagster_project.defs.metadata import report_links, shown
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def report_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """The morning report."""

    @dg.asset(
        # The last step of a night: it tells of every source, services included.
        deps=[
            "rightsizing_verdicts",
            "utilization_samples",
            "incident_demand",
            "resource_risks",
            "services",
            "pull_requests",
            "approval_requests",
            "proposal_outcomes",
            "postmortems",
            "action_item_metrics",
            "action_item_survival",
            "action_item_reminders",
            "second_opinions",
            "billed_costs",
            "savings",
            "night_numbers",
            "night_rules",
        ],
        description=told_of("nightly_report"),
        group_name="reports",
        kinds={"html", "markdown"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def nightly_report(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.report import write_report
        from dagster_project.pipeline.ui_facts import night_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "nightly_report", is_last=True) as note:
            written = {day: write_report(runtime, day) for day in days}
            note.rows = len(written)
        for day, one in written.items():
            told = {
                **report_links(runtime, day),
                "savings_usd_month": round(one.report.savings_usd_month, 2),
                "proposals": one.report.proposals_total,
                "resources": one.report.resources,
                "text": dg.MetadataValue.md(one.markdown.read_text(encoding="utf-8")),
            }
            context.add_asset_metadata(told, partition_key=day.isoformat())
        return dg.MaterializeResult(metadata=shown(night_facts(runtime, context.run_id)))

    return [nightly_report]
