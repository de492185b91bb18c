"""Assets of incidents: evidence, records, metrics, neighbours, documents. Belongs here: one step per piece of work; a step that
writes several tables is one multi-asset, for a night pays for each step. Not here: how they are made."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from dagster_project.defs.metadata import day_by_day, shown, specs_of
from dagster_project.defs.partitions import ASSET_KWARGS, days_of
from dagster_project.lake.incident_tables import (
    CAPTURED_EVENTS,
    CAPTURED_SERVICE_LEVELS,
    INCIDENT_LINKS,
    INCIDENT_METRICS,
    INCIDENT_PHASES,
    INCIDENT_RECORDS,
    INCIDENT_SUMMARIES,
    INCIDENT_TIMELINE,
    KEPT_CAPACITY,
    POSTMORTEMS,
    SIMILAR_INCIDENTS,
)
from dagster_project.lake.table import Table
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.steps import step

if TYPE_CHECKING:
    from dagster_project.pipeline.ui_facts import Facts

Rows = dict[str, int]


def postmortem_assets(partitions: dg.PartitionsDefinition) -> Sequence[dg.AssetsDefinition]:
    """From evidence to documents."""

    def capture(runtime: Runtime, day: date) -> Rows:
        from dagster_project.pipeline.capture import capture_events
        from dagster_project.pipeline.incident_records import windows_to_capture

        loads = [load for _, load in capture_events(runtime, day, windows_to_capture(runtime, day))]
        levels = sum(load.rows_written for load in loads if load.source == "captured_service_levels")
        return {"captured_events": sum(load.rows_written for load in loads) - levels, "captured_service_levels": levels}

    def records(runtime: Runtime, day: date) -> Rows:
        from dagster_project.pipeline.incident_records import build_incidents

        worked = build_incidents(runtime, day)
        return {"incident_records": worked.records, "incident_phases": worked.phases, "incident_timeline": worked.entries}

    def metrics(runtime: Runtime, day: date) -> Rows:
        from dagster_project.pipeline.incident_metrics import measure_incidents, summarize_incidents
        from dagster_project.pipeline.incident_records import mitigated_by_engine

        measured = measure_incidents(runtime, day)
        return {
            "incident_metrics": measured,
            "incident_summaries": summarize_incidents(runtime, day, mitigated_by_engine(runtime, day)),
        }

    def medians(runtime: Runtime, day: date) -> "Facts":
        from dagster_project.pipeline.ui_facts import incident_facts

        return incident_facts(runtime, day)

    def neighbours(runtime: Runtime, day: date) -> Rows:
        from dagster_project.pipeline.kept_capacity import find_kept_capacity, link_incidents
        from dagster_project.pipeline.postmortems import due_incidents
        from dagster_project.pipeline.similar_incidents import find_similar

        return {
            "kept_capacity": find_kept_capacity(runtime, day),
            "incident_links": link_incidents(runtime, day),
            "similar_incidents": find_similar(runtime, day, due_incidents(runtime, day)),
        }

    def documents(runtime: Runtime, day: date) -> Rows:
        from dagster_project.pipeline.postmortems import write_postmortems

        return {"postmortems": write_postmortems(runtime, day)}

    return [
        _asset(
            partitions,
            capture,
            (CAPTURED_EVENTS, CAPTURED_SERVICE_LEVELS),
            {"postgres", "slack", "aws", "github"},
            ["incidents", "decision_audit", "resource_inventory", "services"],
        ),
        _asset(
            partitions,
            records,
            (INCIDENT_RECORDS, INCIDENT_PHASES, INCIDENT_TIMELINE),
            {"duckdb", "parquet"},
            ["captured_events", "captured_service_levels", "service_dependencies", "slos", "utilization_samples"],
        ),
        _asset(
            partitions,
            metrics,
            (INCIDENT_METRICS, INCIDENT_SUMMARIES),
            {"duckdb", "parquet"},
            ["incident_records", "incident_phases", "incident_timeline"],
            medians,
        ),
        _asset(
            partitions,
            neighbours,
            (KEPT_CAPACITY, INCIDENT_LINKS, SIMILAR_INCIDENTS),
            {"duckdb", "parquet"},
            ["incident_records", "incident_timeline", "action_items", "protected_windows", "proposal_outcomes"],
        ),
        _asset(
            partitions,
            documents,
            (POSTMORTEMS,),
            {"html", "markdown"},
            [
                "incident_metrics", "incident_summaries", "kept_capacity", "incident_links", "similar_incidents",
                "action_items", "policies", "sli_daily", "rightsizing_verdicts",
            ],
        ),
    ]  # fmt: skip


def _asset(
    partitions: dg.PartitionsDefinition,
    work: Callable[[Runtime, date], Rows],
    tables: Sequence[Table],
    kinds: set[str],
    deps: Sequence[str],
    facts: Callable[[Runtime, date], "Facts"] | None = None,
) -> dg.AssetsDefinition:
    """A step that writes ``tables`` for each day of its run; ``facts`` of a day are shown beside each of them."""
    specs = specs_of(tables, partitions, deps=deps, group="postmortems", kinds=kinds)

    @dg.multi_asset(name=tables[0].name, specs=specs, backfill_policy=ASSET_KWARGS["backfill_policy"])
    def worked(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.MaterializeResult]:
        days = days_of(context)
        with step(runtime, context.run_id, days[-1], tables[0].name) as note:
            found = {day: work(runtime, day) for day in days}
            note.rows = sum(rows for each in found.values() for rows in each.values())
        seen = {day: shown(facts(runtime, day)) if facts else {} for day in days}
        for table in tables:
            rows = {day: each[table.name] for day, each in found.items()}
            yield day_by_day(context, rows, seen.__getitem__, asset_key=table.name)

    return worked
