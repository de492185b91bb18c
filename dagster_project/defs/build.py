"""Wires settings, assets, checks, job, schedule and sensor into one set of definitions."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from dagster_project.defs.action_items import action_item_assets, remind_job, remind_schedule
from dagster_project.defs.applying import apply_job, apply_sensors
from dagster_project.defs.automation import failure_sensor, nightly_job, nightly_schedule
from dagster_project.defs.billing import billing_assets
from dagster_project.defs.checks import data_checks
from dagster_project.defs.commitments import commitment_assets
from dagster_project.defs.incident_evidence import incident_evidence_assets
from dagster_project.defs.ingest import ingest_assets
from dagster_project.defs.partitions import daily
from dagster_project.defs.postmortems import postmortem_assets
from dagster_project.defs.proposals import proposal_assets
from dagster_project.defs.reports import report_assets
from dagster_project.defs.rightsizing import rightsizing_assets
from dagster_project.defs.savings import savings_assets
from dagster_project.defs.second_opinion import second_opinion_assets
from dagster_project.pipeline.runtime import Runtime, runtime_of
from dagster_project.pipeline.steps import mark_failed
from dagster_project.settings import Settings


def build_defs(
    settings: Settings, *, overrides: Mapping[str, Any] | None = None, reload: Callable[[], Settings] | None = None
) -> dg.Definitions:
    """Everything that Dagster knows of Nightshift. ``overrides`` replaces resources by name (``runtime``); ``reload`` gives
    sensors the settings of the moment."""
    with warnings.catch_warnings():
        # Range back-fills in one run and partitioned checks are what this product is built on; their API is pinned by the
        # version bounds, and a warning for each asset would bury what a person must read.
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        return _build(settings, overrides or {}, reload)


def _build(settings: Settings, overrides: Mapping[str, Any], reload: Callable[[], Settings] | None) -> dg.Definitions:
    partitions = daily(settings.first_day)
    job, reminders = nightly_job(partitions), remind_job()

    def surroundings() -> Runtime:
        """What a sensor works with: the settings of now, because a code server lives for days."""
        given = overrides.get("runtime")
        return given if isinstance(given, Runtime) else runtime_of(reload() if reload is not None else settings)

    resources = {"runtime": dg.ResourceDefinition(lambda _: runtime_of(settings), description="Settings, lake and connections.")}
    return dg.Definitions(
        assets=[
            *ingest_assets(partitions),
            *commitment_assets(partitions),
            *billing_assets(partitions),
            *action_item_assets(partitions),
            *rightsizing_assets(partitions),
            *incident_evidence_assets(partitions),
            *second_opinion_assets(partitions),
            *proposal_assets(partitions),
            *postmortem_assets(partitions),
            *savings_assets(partitions),
            *report_assets(partitions),
        ],
        asset_checks=data_checks(partitions),
        jobs=[job, apply_job(), reminders],
        schedules=[nightly_schedule(job), remind_schedule(reminders)],
        sensors=[
            failure_sensor(job, lambda run_id, message: mark_failed(runtime_of(settings), run_id, message)),
            *apply_sensors(surroundings),
        ],
        resources={**resources, **overrides},
        executor=dg.in_process_executor,
    )
