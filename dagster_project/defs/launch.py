"""Runs the nightly job for a day in this process: what ``nightshift nightly`` and ``nightshift demo`` do."""

from dataclasses import dataclass
from datetime import date

import dagster as dg

from dagster_project.actions.run_log import Step
from dagster_project.defs.build import build_defs
from dagster_project.defs.instance import open_instance
from dagster_project.errors import CheckFailed, NightshiftError
from dagster_project.lake.partitions import require_writable
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import mark_failed, steps_of


@dataclass(frozen=True)
class Night:
    """A night that ended well: its run and how its steps went."""

    run_id: str
    steps: list[Step]


def run_nightly(runtime: Runtime, day: date, *, debug: bool = False) -> Night:
    """Runs the same job as the schedule, for one partition.

    Raises the error of the step that failed, as that step raised it, or ``CheckFailed`` where a data check does not hold.
    """
    # What a night would find out at its end is told before it begins.
    for folder in (runtime.settings.home, runtime.settings.reports):
        require_writable(folder)
    runtime.dsn()  # an embedded server that cannot start is told of before Dagster is
    job = build_defs(runtime.settings, overrides={"runtime": runtime}).resolve_job_def("nightly")
    level = "DEBUG" if debug else "CRITICAL"
    with open_instance(runtime.settings) as instance:
        result = job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": level}}}},
            instance=instance,
            partition_key=day.isoformat(),
            raise_on_error=False,  # what does not depend on a failed step still runs, as it does under the schedule
        )
        if not result.success:
            failure = next(iter(runtime.failures), None) or _failed_check(instance, result.run_id)
            mark_failed(runtime, result.run_id, str(failure))
            raise failure
    return Night(result.run_id, steps_of(runtime, result.run_id))


def _failed_check(instance: dg.DagsterInstance, run_id: str) -> NightshiftError:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = entry.get_dagster_event().asset_check_evaluation_data
        if not found.passed:
            return CheckFailed(
                f"The check {found.check_name} of {found.asset_key.to_user_string()} does not hold ({found.description}); "
                "nothing that depends on that table was written."
            )
    return NightshiftError("The nightly run failed outside of its steps; run again with --debug to see why.")
