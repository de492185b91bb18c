"""Approved changes: the job that makes them, and the sensors that start it and let requests expire.

The job stands apart from ``nightly``: it is started by an approval, not by the clock, and never retried by Dagster, because what
it does outside is taken up by its next run. A sensor asks for a run once per revision and attempt (``run_key``).
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from dagster_project.pipeline.runtime import Runtime

Surroundings = Callable[[], Runtime]
JOB = "apply_approved"
_EVERY_SECONDS = 60


def apply_job() -> dg.JobDefinition:
    """Makes what is approved and may be made now, of one request or of all."""

    @dg.op(
        config_schema={"request_id": dg.Field(str, is_required=False, description="Request to apply; default: all.")},
        description="Takes up what was cut off, then makes approved changes as far as the gates allow.",
    )
    def apply_changes(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
        from dagster_project.pipeline.applying import apply_approved
        from dagster_project.pipeline.slack_messages import deliver

        applied = apply_approved(runtime, context.op_config.get("request_id"))
        problems = deliver(runtime)
        for line in [*applied.lines, *(f"Waits: {line}" for line in applied.waits), *(f"Slack: {each}" for each in problems)]:
            context.log.info(line)
        for request_id in sorted(applied.touched):
            context.log_event(_observation(request_id, "; ".join(applied.lines)))
        if not applied.is_fine:
            raise dg.Failure(
                "Not everything that was begun is applied: see the log.",
                metadata={"done": "\n".join(applied.lines), "waits": "\n".join(applied.waits)},
                allow_retries=False,
            )

    @dg.job(
        name=JOB,
        description="Makes approved changes in the cloud, past the safety gates. Not part of a night.",
        executor_def=dg.in_process_executor,
    )
    def apply_approved() -> None:
        apply_changes()

    return apply_approved


def apply_sensors(surroundings: Surroundings) -> list[dg.SensorDefinition]:
    """Starts the job for approved work that may be worth a try, and ends requests whose time is over."""

    @dg.sensor(
        name="approved_work",
        job_name=JOB,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="One run for each revision of a request that is approved, and for each further attempt at it.",
    )
    def approved_work(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from dagster_project.pipeline.apply_queue import to_apply

        runs = [
            dg.RunRequest(
                run_key=work.run_key,
                run_config={"ops": {"apply_changes": {"config": {"request_id": work.request_id}}}},
                tags={"nightshift/request": work.request_id},
            )
            for work in to_apply(surroundings())
        ]
        return dg.SensorResult(run_requests=runs, skip_reason=None if runs else "Nothing is approved that could be applied now.")

    @dg.sensor(
        name="approval_decisions",
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends requests whose time is over, brings Slack up to date, and shows what was decided on the asset.",
    )
    def approval_decisions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from dagster_project.pipeline.apply_queue import decided_since, expire

        runtime = surroundings()
        problems = expire(runtime)
        cursor, decisions = decided_since(runtime, context.cursor)
        for problem in problems:
            context.log.warning(f"Slack: {problem}")
        return dg.SensorResult(
            asset_events=[_observation(each.request_id, each.told) for each in decisions],
            cursor=cursor,
            skip_reason=None if decisions else "Nothing was decided since.",
        )

    return [approved_work, approval_decisions]


def _observation(request_id: str, told: str) -> dg.AssetObservation:
    metadata: dict[str, Any] = {"request": request_id, "decision": told}
    return dg.AssetObservation(asset_key="approval_requests", description=f"{request_id}: {told}", metadata=metadata)
