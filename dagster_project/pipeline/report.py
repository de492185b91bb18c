"""The morning report: the day's tables into the view model, and its pages into the reports folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from dagster_project import __version__
from dagster_project.domain.evidence import missing_evidence
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.reasons import REASONS, VERDICTS
from dagster_project.lake.engine import Engine, open_engine, publish_views
from dagster_project.lake.partitions import replace_file
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import (
    APPROVAL_REQUESTS,
    LOAD_LEDGER,
    PROPOSALS,
    PULL_REQUESTS,
    REJECTED_ROWS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    TABLES,
    UTILIZATION_SAMPLES,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.action_item_report import action_items_in_report
from dagster_project.pipeline.approval_report import approvals_of
from dagster_project.pipeline.aws_report import aws_in_report
from dagster_project.pipeline.billing_report import billing_in_report
from dagster_project.pipeline.cash_report import cash_sentences, price_basis, unread_commitments
from dagster_project.pipeline.changes_report import changes_in_report
from dagster_project.pipeline.incident_evidence import decisions_set_aside
from dagster_project.pipeline.incident_report import incidents_in_report
from dagster_project.pipeline.ingest_records import DECISIONS
from dagster_project.pipeline.outcome_report import outcomes_in_report
from dagster_project.pipeline.overview import write_overview
from dagster_project.pipeline.paging import Paged
from dagster_project.pipeline.proposal_views import proposal_views, said
from dagster_project.pipeline.pull_request_report import acted, pull_requests_of, uneditable_of
from dagster_project.pipeline.report_pages import write_pages
from dagster_project.pipeline.report_place import resource_page
from dagster_project.pipeline.resource_pages import paged_resources
from dagster_project.pipeline.rollup import RECENT_DAYS
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.pipeline.savings import write_files
from dagster_project.pipeline.savings_report import answers_of, savings_in_report
from dagster_project.pipeline.second_opinion_report import second_opinion_in_report, write_table
from dagster_project.reporting.render import render_html, render_markdown
from dagster_project.reporting.views import (
    MetricCoverage,
    NightReport,
    Proposal,
    ReasonCount,
    RejectedRows,
    SourceLoad,
    VerdictCount,
)
from dagster_project.settings import RightsizingSettings
from dagster_project.statements import statement


@dataclass(frozen=True)
class Written:
    """The pages of a night, and the numbers that its summary prints."""

    report: NightReport
    html: Path
    markdown: Path


def write_report(runtime: Runtime, day: date) -> Written:
    """Renders the day's report with its pages and files and puts them in place, and brings the list of nights up to date; the
    same tables give the same bytes.

    Also republishes ``nightshift.duckdb``, so that what the report says can be queried. Raises ``MissingPartition`` where the
    day has no verdicts or no savings.
    """
    folder = runtime.settings.reports / day.isoformat()
    html, markdown = folder / "index.html", folder / "report.md"
    with open_engine(runtime.lake) as engine:
        paged = _view(engine, runtime, day)
        report = _report(engine, runtime, day, paged)
        # First what the page leads to.
        write_files(runtime, day, folder)
        write_table(runtime, day, folder, report.second_opinion)
        write_pages(runtime, engine, report, folder, paged)
    replace_file(html, render_html(report).encode())
    replace_file(markdown, render_markdown(report).encode())
    publish_views(runtime.lake, TABLES.values())
    write_overview(runtime, report, build_report)
    return Written(report, html, markdown)


def build_report(runtime: Runtime, day: date) -> NightReport:
    """The view model of a day. Raises ``MissingPartition`` where the day has no verdicts."""
    with open_engine(runtime.lake) as engine:
        return _report(engine, runtime, day, _view(engine, runtime, day))


_READ = (
    RIGHTSIZING_VERDICTS,
    RESOURCE_INVENTORY,
    UTILIZATION_WINDOW,
    LOAD_LEDGER,
    REJECTED_ROWS,
    PROPOSALS,
    PULL_REQUESTS,
    APPROVAL_REQUESTS,
    SAVINGS,
)


def _view(engine: Engine, runtime: Runtime, day: date) -> Paged:
    """Makes the day readable, and says which resources have a page."""
    runtime.lake.require(RIGHTSIZING_VERDICTS, day)
    for table in _READ:
        engine.view(table, [day])
    engine.view(UTILIZATION_SAMPLES, days_up_to(day, RECENT_DAYS))
    return Paged(*paged_resources(engine, runtime.settings.report.max_resource_pages))


def _report(engine: Engine, runtime: Runtime, day: date, paged: Paged) -> NightReport:
    rules = runtime.settings.rightsizing
    fleet = engine.rows(statement("reports/fleet"))[0]
    base = engine.rows(statement("reports/samples"), {"lookback_days": rules.lookback_days})[0]
    loads = engine.rows(statement("reports/loads"))
    chosen = engine.rows(statement("reports/top_proposals"), {"top": runtime.settings.report.top_proposals})
    pull_requests = pull_requests_of(engine, day)
    approvals = approvals_of(engine, day)
    answers = answers_of(runtime.lake, day)
    return NightReport(
        day=day,
        resources=fleet["resources"],
        priced_resources=fleet["priced_resources"],
        fleet_usd_month=fleet["fleet_usd_month"],
        samples=base["samples"],
        history_days=base["days"],
        lookback_days=rules.lookback_days,
        savings_usd_month=fleet["savings_usd_month"],
        proposals_total=fleet["proposals_total"],
        waiting_usd_month=fleet["waiting_usd_month"],
        waiting_resources=fleet["waiting_resources"],
        verdicts=_verdict_counts(engine),
        proposals=_proposals(engine, chosen, day, rules, paged),
        reasons=_reason_counts(engine, paged),
        coverage=_coverage(engine),
        missing_evidence=(*_missing(loads, base, day, rules), *unread_commitments(runtime.lake, day)),
        loads=tuple(SourceLoad(**{key: row[key] for key in _LOAD_FIELDS}) for row in loads),
        rejected=tuple(RejectedRows(**row) for row in engine.rows(statement("reports/rejected"))),
        price_provenance=_provenance(fleet),
        price_basis=price_basis(fleet),
        cash=cash_sentences(engine),
        rules=_rule_sentences(rules),
        version=__version__,
        stability=_stability(fleet),
        decisions=_decisions(decisions_set_aside(runtime, day), rules),
        acted=acted(pull_requests, approvals),
        pull_requests=pull_requests,
        uneditable=uneditable_of(engine),
        approvals=approvals,
        answers=answers,
        savings=savings_in_report(engine, runtime.lake, day, answers.numbers),
        changes=changes_in_report(engine, runtime.lake, day),
        outcomes=outcomes_in_report(runtime.lake, day),
        incidents=incidents_in_report(runtime, day),
        action_items=action_items_in_report(runtime, day),
        aws=aws_in_report(engine, day),
        pages_left_out=paged.left_out,
        billing=billing_in_report(runtime, day),
        second_opinion=second_opinion_in_report(engine, runtime.catalog(day), day, fleet["resources"]),
    )


_LOAD_FIELDS = ("source", "status", "rows_read", "rows_written", "rows_rejected", "watermark_at")


def _verdict_counts(engine: Engine) -> tuple[VerdictCount, ...]:
    found = {row["verdict"]: VerdictCount(**row) for row in engine.rows(statement("reports/verdict_counts"))}
    return tuple(found.get(verdict, VerdictCount(verdict, 0, 0.0)) for verdict in VERDICTS)


def _proposals(
    engine: Engine, rows: Sequence[Mapping[str, Any]], day: date, rules: RightsizingSettings, paged: Paged
) -> tuple[Proposal, ...]:
    """The proposals with their pages, and with how far they have come."""
    stages = {row["resource_id"]: row for row in engine.rows(statement("reports/changes_of_day"))}
    found = []
    for view in proposal_views(engine, rows, day, rules):
        stage = stages.get(view.resource_id, {"stage": "identified", "stage_note": ""})
        page = resource_page(view.resource_id) if view.resource_id in paged.resources else None
        found.append(replace(view, page=page, stage=stage["stage"], stage_note=stage["stage_note"] or ""))
    return tuple(found)


def _reason_counts(engine: Engine, paged: Paged) -> tuple[ReasonCount, ...]:
    return tuple(
        ReasonCount(
            verdict=row["verdict"],
            reason_code=row["reason_code"],
            title=REASONS[row["reason_code"]].title,
            resources=row["resources"],
            usd_month_at_stake=row["usd_month_at_stake"],
            example_resource_id=row["example_resource_id"],
            example_sentence=said(row),
            example_page=resource_page(row["example_resource_id"]) if row["example_resource_id"] in paged.resources else None,
        )
        for row in engine.rows(statement("reports/reason_counts"))
    )


def _coverage(engine: Engine) -> tuple[MetricCoverage, ...]:
    rows = {
        row["metric"]: row for row in engine.rows(statement("reports/metric_coverage"), {"metrics": [m.name for m in METRICS]})
    }
    # Credits and members exist for few kinds of resources; their absence says nothing about the evidence.
    return tuple(
        MetricCoverage(label=metric.label, **rows[metric.name])
        for metric in METRICS
        if metric.name not in ("cpu_credit_balance", "in_service")
    )


def _missing(
    loads: Sequence[Mapping[str, Any]], base: Mapping[str, Any], day: date, rules: RightsizingSettings
) -> tuple[str, ...]:
    absent = [(row["source"], column) for row in loads for column in (row["missing_columns"] or "").split(", ") if column]
    sentences = [*missing_evidence(absent)]
    if base["days"] < rules.lookback_days:
        sentences.append(
            f"The lake holds {base['days']} of the {rules.lookback_days} days that guard a verdict; "
            "rare peaks before them are unseen."
        )
    if base["unlisted"]:
        sentences.append(
            f"Measured resources that are not in the inventory of the day, and have no verdict: {base['unlisted']}, "
            f"such as {base['unlisted_example']}."
        )
    veto_from = datetime.combine(day + timedelta(days=1 - rules.emergency_veto_days), time())
    for row in loads:
        if row["source"] != DECISIONS:
            continue
        if row["history_from"] is None:
            sentences.append("The decision history is empty; no emergency could speak against anything.")
        elif row["history_from"] > veto_from:
            sentences.append(
                f"The decision history begins on {row['history_from']:%Y-%m-%d}; emergencies before that day are unknown."
            )
    return tuple(sentences)


def _provenance(fleet: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"On-demand Linux list prices {'less the discounts of the settings' if fleet['discounted'] else 'before any discount'}, "
        "for 730 hours a month.",
        f"{fleet['priced_resources']} of {fleet['resources']} resources are priced; "
        f"{fleet['imputed_prices']} of these prices are derived from the price per size of their family.",
    )


def _stability(fleet: Mapping[str, Any]) -> str | None:
    if not fleet["compared_resources"]:
        return None
    share = 100 * fleet["flips"] / fleet["compared_resources"]
    return (
        f"{fleet['flips']} of {fleet['compared_resources']} resources ({share:.1f} %) that had a verdict at the same size within "
        "the last days have another one now."
    )


_SET_ASIDE = {
    "other_action": "other actions",
    "dry_run": "dry runs",
    "failed_or_skipped": "failed or skipped",
    "duplicate_event": "repeated records of one event",
    "unknown_target": "for a target that is neither a resource, a group nor a service",
}


def _decisions(counted: Mapping[str, Any], rules: RightsizingSettings) -> str | None:
    if not counted["decisions"]:
        return None
    aside = [f"{counted[name]:,} {label}" for name, label in _SET_ASIDE.items() if counted[name]]
    example = f" (such as {counted['unknown_target_example']})" if counted["unknown_target"] else ""
    empty, empty_example = counted["services_without_resources"], counted["service_without_resources_example"]
    orphans = f" {empty:,} services have no resource in the inventory, such as {empty_example}." if empty else ""
    text = f"Of {counted['decisions']:,} decisions in {rules.emergency_veto_days} days, emergencies: {counted['emergencies']:,}"
    return text + (f"; left out: {', '.join(aside)}{example}." if aside else ".") + orphans


def _rule_sentences(rules: RightsizingSettings) -> tuple[str, ...]:
    reach = {
        "one-step": "The next smaller size of the family",
        "family": "The smallest size of the family that holds",
        "cheapest": "The cheapest general-purpose size of the same architecture that holds",
    }
    return (
        f"{reach[rules.target]}; CPU P99.5 at most {rules.max_cpu_p995_pct:.0f} % of it and its peak at most "
        f"{rules.max_cpu_peak_pct:.0f} % ({rules.max_single_vcpu_peak_pct:.0f} % with one vCPU), in {rules.lookback_days} days.",
        f"Memory peak at most {rules.max_memory_peak_pct:.0f} %, and the highest of {rules.memory_record_days} days at most "
        "100 %; unknown memory is never shrunk.",
        "Network and disk peaks within what the smaller size sustains, not within its burst.",
        "Demand of every emergency scale-up and incident on record, of the resource, its group, its service and what that "
        "depends on, within 100 %.",
        f"No emergency scale-up of the resource, its group or its service in {rules.emergency_veto_days} days, no open "
        "incident, no open action item that asks for capacity, and "
        f"{rules.min_slo_budget_left_pct:.0f} % of every error budget left.",
        f"Pools of machines that all idle keep {rules.idle_floor_pct:.0f} % of their size.",
        f"After a regret the demand of its service counts for {rules.headroom_step_pct:g} % more, at most for "
        f"{rules.max_headroom_pct:g} %; a change that was fine for 28 days takes {rules.headroom_release_pct:g} % off again.",
        f"At least {rules.min_history_hours:.0f} h of samples, {rules.min_coverage_pct:.0f} % of the look-back and "
        f"{rules.min_recent_coverage_pct:.0f} % of the last seven days, and {rules.change_veto_days} days since the last change.",
        f"Savings of at least ${rules.min_savings_usd_month:.2f} a month, and of more than the risk costs on average "
        f"(${rules.incident_cost_usd:,.0f} for a week in which demand exceeds the size, "
        f"${rules.restart_cost_usd:,.0f} for the restart).",
        f"At most {rules.max_service_share_pct:.0f} % of a service, or {rules.min_service_changes} resources of it, a night.",
    )
