"""When things run: the nightly job, its schedule, and what happens when a run fails."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:  # Dagster has no public name for what define_asset_job returns
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

OnFailure = Callable[[str, str], None]
"""Called with the run id and one sentence about what failed."""


def nightly_job(partitions: dg.PartitionsDefinition) -> "UnresolvedAssetJobDefinition":
    """All assets and checks of a day, in one process: steps are short, and processes would cost more than the work."""
    return dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        description="From the decision engine's database to the morning report, for one day or a range of days.",
        partitions_def=partitions,
        executor_def=dg.in_process_executor,
    )


def nightly_schedule(job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    """02:00 UTC, for the day that ended two hours before; one run request."""
    return dg.build_schedule_from_partitioned_job(
        job,
        name="nightly_schedule",
        hour_of_day=2,
        minute_of_hour=0,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 02:00 UTC for the day before.",
    )


def failure_sensor(job: "UnresolvedAssetJobDefinition", on_failure: OnFailure) -> dg.SensorDefinition:
    """Tells ``on_failure`` of every failed night that the daemon started."""

    @dg.run_failure_sensor(
        name="nightly_failure",
        monitored_jobs=[job],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notes a failed night in the run log; the place to hook a notification to.",
    )
    def nightly_failure(context: dg.RunFailureSensorContext) -> None:
        on_failure(context.dagster_run.run_id, context.failure_event.message or "The nightly run failed.")

    return nightly_failure
