"""Assets of what becomes of verdicts. Belongs here: answers, proposals, pull requests as assets. Not here: how they are made.

They are not retried and nothing starts them by itself: what they do outside is done once, and taken up by the next night.
"""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.metadata import columns_of, result
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.tables import APPROVAL_REQUESTS, PROPOSAL_ANSWERS, PROPOSAL_OUTCOMES, PROPOSALS, PULL_REQUESTS
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step


def proposal_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """What people answered, what is proposed, and the pull requests of it."""
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": "proposals"}

    @dg.asset(
        deps=["resource_inventory"],
        description=PROPOSAL_ANSWERS.description,
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
        description=PROPOSAL_OUTCOMES.description,
        metadata=columns_of(PROPOSAL_OUTCOMES),
        kinds={"postgres", "parquet"},
        **common,
    )
    def proposal_outcomes(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.outcomes import settle_outcomes

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "proposal_outcomes") as note:
            note.rows = sum(settle_outcomes(runtime, day) for day in days)
        return result(note.rows)

    @dg.asset(
        deps=["rightsizing_verdicts", "resource_inventory", "proposal_answers", "proposal_outcomes"],
        description=PROPOSALS.description,
        metadata=columns_of(PROPOSALS),
        kinds={"terraform", "parquet"},
        **common,
    )
    def proposals(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.proposals import propose

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "proposals") as note:
            found = [propose(runtime, day) for day in days]
            note.rows = sum(rows for rows, _ in found)
        return result(note.rows, problems="; ".join(found[-1][1]))

    @dg.asset(
        deps=["proposals", "utilization_samples"],
        description=PULL_REQUESTS.description,
        metadata=columns_of(PULL_REQUESTS),
        kinds={"github"},
        **common,
    )
    def pull_requests(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.pull_requests import publish

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "pull_requests") as note:
            found = [publish(runtime, day) for day in days]
            note.rows = sum(rows for rows, _ in found)
        return result(note.rows, problems="; ".join(found[-1][1]))

    @dg.asset(
        deps=["proposals", "rightsizing_verdicts", "resource_inventory"],
        description=APPROVAL_REQUESTS.description,
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
