"""Proposals as pages and pull requests show them: a verdict with its sentence, its numbers and its week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from dagster_project.domain.reasons import sentence
from dagster_project.lake.engine import Engine
from dagster_project.pipeline.cash_report import cash_note
from dagster_project.pipeline.rollup import RECENT_DAYS
from dagster_project.reporting.views import DemandChart, EvidenceLine, Proposal
from dagster_project.reporting.words import counted
from dagster_project.settings import RightsizingSettings
from dagster_project.statements import statement

_HOURS = RECENT_DAYS * 24


def said(verdict: Mapping[str, Any]) -> str:
    """The reason of a row of ``rightsizing_verdicts`` as a sentence."""
    return sentence(verdict["reason_code"], verdict["deciding_value"], verdict["deciding_limit"], verdict["deciding_text"])


def proposal_views(
    engine: Engine, rows: Sequence[Mapping[str, Any]], day: date, rules: RightsizingSettings
) -> tuple[Proposal, ...]:
    """Rows of ``rightsizing_verdicts`` that propose something, in their order. ``engine`` has the week's samples in view."""
    charts = _demand_charts(engine, rows, day)
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
            + (", derived from the family's price per size" if row["price_quality"] == "imputed_linear" else "")
            + (f", less {row['discount_pct']:g} %" if row["discount_pct"] else ""),
            sentence=said(row),
            evidence=evidence_lines(row, rules),
            cash_note=cash_note(row),
            chart=charts[row["resource_id"]],
        )
        for row in rows
    )


def _demand_charts(engine: Engine, rows: Sequence[Mapping[str, Any]], day: date) -> dict[str, DemandChart]:
    """The week of each of some verdicts by the hour, by resource. ``engine`` has the week's samples in view."""
    starts_at = datetime.combine(day - timedelta(days=RECENT_DAYS - 1), time())
    hourly = _hourly(engine, [row["resource_id"] for row in rows], starts_at)
    return {
        row["resource_id"]: DemandChart(
            starts_at=starts_at,
            hours=_HOURS,
            cpu_pct=hourly[row["resource_id"]][0],
            memory_pct=hourly[row["resource_id"]][1],
            target_cpu_limit_pct=100 / (row["cpu_ratio"] or 1),
            target_memory_limit_pct=100 / (row["memory_ratio"] or 1) if row["memory_peak_pct"] is not None else None,
        )
        for row in rows
    }


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
        _headroom_line(verdict),
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


def _headroom_line(verdict: Mapping[str, Any]) -> EvidenceLine | None:
    """What became of the service's changes has taught to keep: its demand counts for more than it was."""
    headroom = verdict["headroom_pct"]
    if not headroom:
        return None
    label = "Headroom that is kept" + (f" for {verdict['service']}" if verdict["service"] else "")
    return EvidenceLine(label, f"{headroom:g} %", f"demand × {1 + headroom / 100:.2f}", "–")


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
