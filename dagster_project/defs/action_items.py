"""Assets of action items, and the job that reminds people in their working hours. Belongs here: one asset per step. Not here:
what an item is, and when somebody is reminded."""

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_project.defs.descriptions import described
from dagster_project.defs.metadata import columns_of, day_by_day, result, shown, specs_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.action_item_tables import (
    ACTION_ITEM_METRICS,
    ACTION_ITEM_REMINDERS,
    ACTION_ITEM_SURVIVAL,
    ACTION_ITEMS,
)
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step

REMIND_JOB = "remind_owners"
GROUP = "action_items"


def action_item_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """The items of a day, their figures, and who is reminded."""
    common = {**ASSET_KWARGS, "partitions_def": partitions, "group_name": GROUP}

    @dg.asset(
        # Before any verdict: an open item that asks for capacity speaks against a smaller size.
        deps=["incidents", "incident_action_items", "services"],
        description=described(ACTION_ITEMS),
        metadata=columns_of(ACTION_ITEMS),
        kinds={"postgres", "github"},
        **common,
    )
    def action_items(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.action_items import keep_action_items

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "action_items") as note:
            kept = [keep_action_items(runtime, day) for day in days]
            note.rows = sum(each.rows for each in kept)
        synced = kept[-1].synced
        return result(
            note.rows,
            issues_looked_at=synced.looked or None,
            issues_opened=len(synced.opened) or None,
            issues_changed=len(synced.changed) or None,
            issues_lost=len(synced.lost) or None,
            problems="; ".join(synced.problems),
        )

    specs = specs_of(
        (ACTION_ITEM_METRICS, ACTION_ITEM_SURVIVAL),
        partitions,
        deps=["action_items", "incident_records", "similar_incidents"],
        group=GROUP,
        kinds={"duckdb", "parquet"},
    )

    @dg.multi_asset(name=ACTION_ITEM_METRICS.name, specs=specs, backfill_policy=ASSET_KWARGS["backfill_policy"])
    def measured(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.MaterializeResult]:
        from dagster_project.pipeline.action_item_measures import measure_action_items
        from dagster_project.pipeline.ui_facts import action_item_facts

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], ACTION_ITEM_METRICS.name) as note:
            found = {day: measure_action_items(runtime, day) for day in days}
            note.rows = sum(sum(each) for each in found.values())
        seen = {day: shown(action_item_facts(runtime, day)) for day in days}
        for place, spec in enumerate(specs):
            rows = {day: each[place] for day, each in found.items()}
            yield day_by_day(context, rows, seen.__getitem__, asset_key=spec.key.to_user_string())

    @dg.asset(
        deps=["action_items"],
        description=described(ACTION_ITEM_REMINDERS),
        metadata=columns_of(ACTION_ITEM_REMINDERS),
        kinds={"slack"},
        **common,
    )
    def action_item_reminders(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
        from dagster_project.pipeline.action_item_reminders import FAILED, remind_night

        days = days_of(context)
        with step(runtime, context.run_id, days[-1], "action_item_reminders") as note:
            done = [remind_night(runtime, day) for day in days]
            note.rows = sum(map(len, done))
        failed = [f"{each.recipient}: {each.detail}" for each in done[-1] if each.state == FAILED]
        return result(note.rows, problems="; ".join(failed))

    return [action_items, measured, action_item_reminders]


def remind_job() -> dg.JobDefinition:
    """Sends the digests that are due; not part of a night, which runs while people sleep."""

    @dg.op(description="One digest for each owner who is at work now and has something to be reminded of.")
    def send_digests(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
        from dagster_project.pipeline.action_item_reminders import remind

        for each in remind(runtime):
            context.log.info(f"{each.recipient}: {each.items} items, {each.state}. {each.detail or ''}".rstrip())

    @dg.job(
        name=REMIND_JOB,
        description="Reminds owners of action items in their working hours. Not part of a night.",
        executor_def=dg.in_process_executor,
    )
    def remind_owners() -> None:
        send_digests()

    return remind_owners


def remind_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every hour: somewhere the working day begins."""
    return dg.ScheduleDefinition(
        name="remind_hourly",
        job=job,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every hour, five minutes past: digests of action items for whoever is at work then.",
    )
