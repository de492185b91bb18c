"""The asset that people read. Belongs here: reports as assets. Not here: what stands in them."""

from collections.abc import Sequence

import dagster as dg

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
        ],
        description="The morning report: what is safe to shrink, what was not dared and why, and what the evidence is worth.",
        group_name="reports",
        kinds={"html", "markdown"},
        partitions_def=partitions,
        **ASSET_KWARGS,
    )
    def nightly_report(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.report import write_report

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "nightly_report", is_last=True) as note:
            written = [write_report(runtime, day) for day in days]
            note.rows = len(written)
        report = written[-1].report
        return dg.MaterializeResult(
            metadata={
                "report": dg.MetadataValue.path(str(written[-1].html)),
                "savings_usd_month": round(report.savings_usd_month, 2),
                "proposals": report.proposals_total,
                "resources": report.resources,
                "text": dg.MetadataValue.md(written[-1].markdown.read_text(encoding="utf-8")),
            }
        )

    return [nightly_report]
