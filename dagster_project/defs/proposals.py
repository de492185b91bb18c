"""Assets of what becomes of verdicts. Belongs here: answers, proposals, pull requests as assets. Not here: how they are made.

They are not retried and nothing starts them by itself: what they do outside is done once, and taken up by the next night.
"""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, day_by_day, report_links, result, shown
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.tables import APPROVAL_REQUESTS, PROPOSAL_ANSWERS, PROPOSAL_OUTCOMES, PROPOSALS, PULL_REQUESTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def proposal_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """What people answered, what is proposed, and the pull requests of it."""
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": "proposals"}

    @dg.asset(
        deps=["resource_inventory"],
        description=described(PROPOSAL_ANSWERS),
        metadata=columns_of(PROPOSAL_ANSWERS),
        kinds={"github", "postgres"},
        **common,
    )
    def proposal_answers(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.proposals import snapshot_answers
        from dagster_project.pipeline.pull_requests import read_answers

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "proposal_answers") as note:
            problems = read_answers(runtime, days[-1])
            note.rows = sum(snapshot_answers(runtime, day) for day in days)
        return result(note.rows, problems="; ".join(problems))

    @dg.asset(
        # What is learned from it counts for the verdicts of the same night.
        deps=[
            "resource_inventory",
            "utilization_samples",
            "utilization_daily",
            "emergency_scaleups",
            "incidents",
            "proposal_answers",
        ],
        description=described(PROPOSAL_OUTCOMES),
        metadata=columns_of(PROPOSAL_OUTCOMES),
        kinds={"postgres", "parquet"},
        **common,
    )
    def proposal_outcomes(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.outcomes import settle_outcomes
        from dagster_project.pipeline.ui_facts import outcome_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "proposal_outcomes") as note:
            rows = {day: settle_outcomes(runtime, day) for day in days}
            note.rows = sum(rows.values())
        return day_by_day(context, rows, lambda day: shown(outcome_facts(runtime, day)))

    @dg.asset(
        deps=["rightsizing_verdicts", "resource_inventory", "proposal_answers", "proposal_outcomes"],
        description=described(PROPOSALS),
        metadata=columns_of(PROPOSALS),
        kinds={"terraform", "parquet"},
        **common,
    )
    def proposals(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.proposals import propose
        from dagster_project.pipeline.ui_facts import proposal_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "proposals") as note:
            found = {day: propose(runtime, day) for day in days}
            note.rows = sum(rows for rows, _ in found.values())
        return day_by_day(
            context,
            {day: rows for day, (rows, _) in found.items()},
            lambda day: {**report_links(runtime, day), **shown(proposal_facts(runtime, day))},
            problems="; ".join(found[days[-1]][1]),
        )

    @dg.asset(
        deps=["proposals", "utilization_samples"],
        description=described(PULL_REQUESTS),
        metadata=columns_of(PULL_REQUESTS),
        kinds={"github"},
        **common,
    )
    def pull_requests(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.pull_requests import publish

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "pull_requests") as note:
            found = {day: publish(runtime, day) for day in days}
            note.rows = sum(rows for rows, _ in found.values())
        rows = {day: rows for day, (rows, _) in found.items()}
        return day_by_day(context, rows, lambda day: report_links(runtime, day), problems="; ".join(found[days[-1]][1]))

    @dg.asset(
        deps=["proposals", "rightsizing_verdicts", "resource_inventory"],
        description=described(APPROVAL_REQUESTS),
        metadata=columns_of(APPROVAL_REQUESTS),
        kinds={"slack", "postgres"},
        **common,
    )
    def approval_requests(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.approvals import ask

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "approval_requests") as note:
            found = [ask(runtime, day) for day in days]
            note.rows = sum(rows for rows, _ in found)
        return result(note.rows, problems="; ".join(found[-1][1]))

    return [proposal_answers, proposal_outcomes, proposals, pull_requests, approval_requests]
