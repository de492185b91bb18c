"""The morning report: the day's tables into the view model, and its pages into the reports folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from dagster_project import __version__
from dagster_project.domain.evidence import missing_evidence
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.reasons import REASONS, VERDICTS, sentence
from dagster_project.lake.engine import Engine, open_engine, publish_views
from dagster_project.lake.partitions import replace_file
from dagster_project.lake.tables import (
    LOAD_LEDGER,
    REJECTED_ROWS,
    RESOURCE_INVENTORY,
    RIGHTSIZING_VERDICTS,
    TABLES,
    UTILIZATION_SAMPLES,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.incident_evidence import decisions_set_aside
from dagster_project.pipeline.ingest_records import DECISIONS
from dagster_project.pipeline.rollup import RECENT_DAYS
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.reporting.render import counted, render_html, render_markdown
from dagster_project.reporting.views import (
    DemandChart,
    EvidenceLine,
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

_HOURS = RECENT_DAYS * 24


@dataclass(frozen=True)
class Written:
    """The pages of a night, and the numbers that its summary prints."""

    report: NightReport
    html: Path
    markdown: Path


def write_report(runtime: Runtime, day: date) -> Written:
    """Renders the day's report and puts it in place; the same tables give the same bytes.

    Also republishes ``nightshift.duckdb``, so that what the report says can be queried.
    """
    report = build_report(runtime, day)
    folder = runtime.settings.reports / day.isoformat()
    html, markdown = folder / "index.html", folder / "report.md"
    replace_file(html, render_html(report).encode())
    replace_file(markdown, render_markdown(report).encode())
    publish_views(runtime.lake, TABLES.values())
    return Written(report, html, markdown)


def build_report(runtime: Runtime, day: date) -> NightReport:
    """The view model of a day. Raises ``MissingPartition`` where the day has no verdicts."""
    rules = runtime.settings.rightsizing
    runtime.lake.require(RIGHTSIZING_VERDICTS, day)
    with open_engine(runtime.lake) as engine:
        for table in (RIGHTSIZING_VERDICTS, RESOURCE_INVENTORY, UTILIZATION_WINDOW, LOAD_LEDGER, REJECTED_ROWS):
            engine.view(table, [day])
        engine.view(UTILIZATION_SAMPLES, days_up_to(day, RECENT_DAYS))
        fleet = engine.rows(statement("reports/fleet"))[0]
        base = engine.rows(statement("reports/samples"), {"lookback_days": rules.lookback_days})[0]
        loads = engine.rows(statement("reports/loads"))
        chosen = engine.rows(statement("reports/top_proposals"), {"top": runtime.settings.report.top_proposals})
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
            proposals=_proposals(engine, chosen, day, rules),
            reasons=_reason_counts(engine),
            coverage=_coverage(engine),
            missing_evidence=_missing(loads, base, day, rules),
            loads=tuple(SourceLoad(**{key: row[key] for key in _LOAD_FIELDS}) for row in loads),
            rejected=tuple(RejectedRows(**row) for row in engine.rows(statement("reports/rejected"))),
            price_provenance=_provenance(fleet),
            rules=_rule_sentences(rules),
            version=__version__,
            stability=_stability(fleet),
            decisions=_decisions(decisions_set_aside(runtime, day), rules),
        )


_LOAD_FIELDS = ("source", "status", "rows_read", "rows_written", "rows_rejected", "watermark_at")


def _verdict_counts(engine: Engine) -> tuple[VerdictCount, ...]:
    found = {row["verdict"]: VerdictCount(**row) for row in engine.rows(statement("reports/verdict_counts"))}
    return tuple(found.get(verdict, VerdictCount(verdict, 0, 0.0)) for verdict in VERDICTS)


def _reason_counts(engine: Engine) -> tuple[ReasonCount, ...]:
    return tuple(
        ReasonCount(
            verdict=row["verdict"],
            reason_code=row["reason_code"],
            title=REASONS[row["reason_code"]].title,
            resources=row["resources"],
            usd_month_at_stake=row["usd_month_at_stake"],
            example_resource_id=row["example_resource_id"],
            example_sentence=said(row),
        )
        for row in engine.rows(statement("reports/reason_counts"))
    )


def said(verdict: Mapping[str, Any]) -> str:
    """The reason of a row of ``rightsizing_verdicts`` as a sentence."""
    return sentence(verdict["reason_code"], verdict["deciding_value"], verdict["deciding_limit"], verdict["deciding_text"])


def _proposals(engine: Engine, rows: Sequence[Mapping[str, Any]], day: date, rules: RightsizingSettings) -> tuple[Proposal, ...]:
    starts_at = datetime.combine(day - timedelta(days=RECENT_DAYS - 1), time())
    charts = _hourly(engine, [row["resource_id"] for row in rows], starts_at)
    return tuple(
        Proposal(
            resource_id=row["resource_id"],
            resource_type=row["resource_type"],
            service=row["service"],
            team=row["team"],
            environment=row["environment"],
            region=row["region"],
            current_type=row["current_type"],
            target_type=row["target_type"] or f"minimum {row['target_minimum_size']}",
            units=row["units"],
            current_usd_month=row["current_usd_month"],
            target_usd_month=row["candidate_usd_month"],
            savings_usd_month=row["savings_usd_month"],
            price_note=f"On-demand {'database' if row['resource_type'] == 'rds_instance' else 'Linux'} list price, "
            f"{row['region']}: {row['price_source']} of {row['price_as_of']}"
            + (", derived from the family's price per size" if row["price_quality"] == "imputed_linear" else ""),
            sentence=said(row),
            evidence=evidence_lines(row, rules),
            chart=DemandChart(
                starts_at=starts_at,
                hours=_HOURS,
                cpu_pct=charts[row["resource_id"]][0],
                memory_pct=charts[row["resource_id"]][1],
                target_cpu_limit_pct=100 / (row["cpu_ratio"] or 1),
                target_memory_limit_pct=100 / (row["memory_ratio"] or 1) if row["memory_peak_pct"] is not None else None,
            ),
        )
        for row in rows
    )


def evidence_lines(verdict: Mapping[str, Any], rules: RightsizingSettings) -> tuple[EvidenceLine, ...]:
    """The numbers that a verdict stands on: now, on the smaller size, and the limit there."""
    span = f"{verdict['lookback_days'] or 0} days"
    basis = {"maximum": "highest in each interval", "average": "interval averages", None: "not measured"}

    def share(label: str, value: float | None, ratio: float | None, limit: float) -> EvidenceLine:
        if value is None:
            return EvidenceLine(label, "not measured", "unknown", f"{limit:.0f} %")
        projected = "unknown" if ratio is None else f"{value * ratio:.1f} %"
        return EvidenceLine(label, f"{value:.1f} %", projected, f"{limit:.0f} %")

    def volume(label: str, name: str, unit: str, digits: int) -> EvidenceLine | None:
        value, sustained = verdict[f"{name[0]}_peak_{name[1]}"], verdict[f"candidate_{name[0]}_{name[1]}"]
        if value is None or sustained is None:
            return None
        return EvidenceLine(
            label, f"{value:,.{digits}f} {unit}", f"{100 * value / sustained:.1f} %", f"{sustained:,.{digits}f} {unit}"
        )

    event, is_group = verdict["closest_event"], verdict["resource_type"] == "autoscaling_group"
    lines = (
        _members_line(verdict) if is_group else None,
        share(
            f"CPU P99.5, {span}, {basis[verdict['cpu_basis']]}",
            verdict["cpu_p995_pct"],
            verdict["cpu_ratio"],
            rules.max_cpu_p995_pct,
        ),
        share(
            f"CPU peak, {span}, " + ("busiest member" if is_group else "interval averages"),
            verdict["cpu_peak_pct" if is_group else "cpu_average_peak_pct"],
            verdict["cpu_ratio"],
            rules.max_single_vcpu_peak_pct if (verdict["candidate_vcpu"] or 2) < 2 else rules.max_cpu_peak_pct,
        ),
        share(
            f"Memory peak, {span}, {basis[verdict['memory_basis']]}",
            verdict["memory_peak_pct"],
            verdict["memory_ratio"],
            rules.max_memory_peak_pct,
        ),
        share(f"Memory peak, {rules.memory_record_days} days", verdict["memory_ever_pct"], verdict["memory_ratio"], 100),
        volume(f"Network peak, {span}", ("network", "gbps"), "Gbit/s", 2),
        volume(f"Disk peak, {span}", ("disk", "mbps"), "Mbit/s", 0),
        volume(f"Disk operations peak, {span}", ("disk", "iops"), "IOPS", 0),
        EvidenceLine(
            f"Incident replay: {event}" if event else "Incident replay",
            counted(verdict["replayed_events"], "event"),
            "–" if verdict["closest_event_pct"] is None else f"{verdict['closest_event_pct']:.1f} %",
            "100 %",
        ),
        EvidenceLine(f"Emergency scale-ups, {rules.emergency_veto_days} days", str(verdict["emergencies"]), "–", "0"),
        EvidenceLine(
            "Samples present since the first of the look-back",
            f"{verdict['coverage_pct'] or 0:.1f} %",
            "–",
            f"at least {rules.min_coverage_pct:.0f} %",
        ),
        _forecast_line(verdict["forecast"]),
    )
    return tuple(line for line in lines if line is not None)


_FORECASTS = {
    "level": ("Forecast guard: last week's daily peaks are no higher than before", "level"),
    "rising": ("Forecast guard: daily peaks are rising", "rising"),
    "history too short": ("Forecast guard: daily peaks are rising, history is too short for a forecast", "rising"),
    "not installed": ("Forecast guard: daily peaks are rising, the extra 'forecast' is not installed", "rising"),
}


def _members_line(verdict: Mapping[str, Any]) -> EvidenceLine | None:
    """What a scaled-out group showed was the load of more members than it has."""
    peak, units = verdict["in_service_peak"], verdict["units"]
    if peak is None or not units or peak <= units:
        return None
    return EvidenceLine(f"Members in service at most; their load on {units}", f"{peak:.0f}", f"× {peak / units:.2f}", "–")


def _forecast_line(guard: str | None) -> EvidenceLine | None:
    return None if guard is None else EvidenceLine(*_FORECASTS[guard], "–", "100 %")


def _hourly(
    engine: Engine, resources: list[str], starts_at: datetime
) -> dict[str, tuple[tuple[float | None, ...], tuple[float | None, ...]]]:
    cpu: dict[str, list[float | None]] = {name: [None] * _HOURS for name in resources}
    memory: dict[str, list[float | None]] = {name: [None] * _HOURS for name in resources}
    for row in engine.rows(statement("reports/demand_by_hour"), {"resource_ids": resources, "starts_at": starts_at}):
        cpu[row["resource_id"]][row["hour"]] = row["cpu_pct"]
        memory[row["resource_id"]][row["hour"]] = row["memory_pct"]
    return {
        name: (tuple(cpu[name]), tuple(memory[name]) if any(value is not None for value in memory[name]) else ())
        for name in resources
    }


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
        "On-demand Linux list prices before any discount, for 730 hours a month.",
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
        f"At least {rules.min_history_hours:.0f} h of samples, {rules.min_coverage_pct:.0f} % of the look-back and "
        f"{rules.min_recent_coverage_pct:.0f} % of the last seven days, and {rules.change_veto_days} days since the last change.",
        f"Savings of at least ${rules.min_savings_usd_month:.2f} a month, and of more than the risk costs on average "
        f"(${rules.incident_cost_usd:,.0f} for a week in which demand exceeds the size, "
        f"${rules.restart_cost_usd:,.0f} for the restart).",
        f"At most {rules.max_service_share_pct:.0f} % of a service, or {rules.min_service_changes} resources of it, a night.",
    )
