"""What tells of more than one night: the digest of its week, the list of all nights, the feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dagster_project.lake.folders import one_at_a_time
from dagster_project.pipeline.night_list import write_list
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.weekly_report import write_week
from dagster_project.reporting.views import NightReport


def write_overview(runtime: Runtime, report: NightReport, build: Callable[[Runtime, date], NightReport]) -> None:
    """Brings all of it up to date once the report of a night is in its place; ``build`` makes the report of another night. Nights
    that run at the same time wait for each other here: the last one sees what the others wrote."""
    with one_at_a_time(runtime.settings.reports):
        write_week(runtime, report, build)
        write_list(runtime)
