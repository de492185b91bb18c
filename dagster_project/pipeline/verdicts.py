"""Emergency scale-ups, evidence and verdicts of a day: the lake's tables and the catalog, through the rules of the domain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.catalog import MULTI_AZ_PRICE_FACTOR
from dagster_project.catalog.engines import engine_of
from dagster_project.catalog.shapes import SHIPPED, Catalog
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, IOPS, MEMORY
from dagster_project.domain.rightsizing.discounts import LIST_PRICES, Discounts, list_savings
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.fingerprint import fingerprint
from dagster_project.domain.rightsizing.groups import PROPOSE_MINIMUM, with_lower_minimum
from dagster_project.domain.rightsizing.growth import is_rising
from dagster_project.domain.rightsizing.portfolio import Limits, one_night
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict, decide
from dagster_project.forecasting import structural
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import (
    DECISION_AUDIT,
    EMERGENCY_SCALEUPS,
    INCIDENT_DEMAND,
    PROPOSAL_ANSWERS,
    PROTECTED_WINDOWS,
    REJECTED_ROWS,
    RESOURCE_INVENTORY,
    RESOURCE_RISKS,
    RIGHTSIZING_EVIDENCE,
    RIGHTSIZING_VERDICTS,
    SERVICE_DEPENDENCIES,
    SERVICE_HEADROOM,
    UTILIZATION_DAILY,
    UTILIZATION_SAMPLES,
    UTILIZATION_WINDOW,
)
from dagster_project.pipeline.cash_savings import discounts_of, with_cash
from dagster_project.pipeline.rollup import RECENT_DAYS
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.settings import RightsizingSettings
from dagster_project.statements import statement

MEMORY_OF_VERDICTS_DAYS = 7
"""How far back the last verdict of a resource is looked for."""

_FORECAST_DAYS = 90
_PEAKS = ("cpu_peak_pct", "memory_peak_pct")


def find_emergencies(runtime: Runtime, day: date) -> int:
    """Writes ``emergency_scaleups`` of the day; returns its rows."""
    veto_days = runtime.settings.rightsizing.emergency_veto_days
    runtime.lake.require(RESOURCE_INVENTORY, day)
    runtime.lake.require(DECISION_AUDIT, day)
    with open_engine(runtime.lake) as engine:
        engine.view(RESOURCE_INVENTORY, [day])
        engine.view(DECISION_AUDIT, days_up_to(day, veto_days))
        parameters = {"day_end": _end_of(day), "veto_days": veto_days}
        return engine.write(EMERGENCY_SCALEUPS, day, statement("marts/emergency_scaleups"), parameters)


def gather_evidence(runtime: Runtime, day: date) -> int:
    """Writes ``rightsizing_evidence`` of the day, one row for every resource of its inventory; returns its rows."""
    settings, lake = runtime.settings.rightsizing, runtime.lake
    for table in (RESOURCE_INVENTORY, UTILIZATION_WINDOW, EMERGENCY_SCALEUPS, PROTECTED_WINDOWS, RESOURCE_RISKS):
        lake.require(table, day)
    with open_engine(lake) as engine:
        for table in (RESOURCE_INVENTORY, UTILIZATION_WINDOW, EMERGENCY_SCALEUPS, PROTECTED_WINDOWS, RESOURCE_RISKS):
            engine.view(table, [day])
        # Absent before the first answer or outcome could be known: then nobody has spoken against anything.
        engine.view(PROPOSAL_ANSWERS, [day])
        engine.view(SERVICE_HEADROOM, [day])
        engine.view(REJECTED_ROWS, days_up_to(day, settings.lookback_days))
        engine.view(UTILIZATION_DAILY, days_up_to(day, settings.memory_record_days))
        engine.view(DECISION_AUDIT, days_up_to(day, 2))
        engine.view(INCIDENT_DEMAND, [known for known in lake.days(INCIDENT_DEMAND) if known <= day])
        catalog = runtime.catalog(day)
        engine.view_file("instance_types", catalog.instance_types)
        engine.view_file("rds_classes", catalog.rds_classes)
        parameters = {
            "day_end": _end_of(day),
            "lookback_days": settings.lookback_days,
            "excluded_tags": list(settings.excluded_tags),
            "min_headroom_pct": settings.min_headroom_pct,
        }
        return engine.write(RIGHTSIZING_EVIDENCE, day, statement("marts/rightsizing_evidence"), parameters)


def judge(runtime: Runtime, day: date) -> int:
    """Writes ``rightsizing_verdicts`` of the day, one row for every row of its evidence; returns its rows."""
    lake, settings, catalog = runtime.lake, runtime.settings.rightsizing, runtime.catalog(day)
    facts = pl.read_parquet(lake.require(RIGHTSIZING_EVIDENCE, day), hive_partitioning=False)
    before = [known for known in lake.days(RIGHTSIZING_VERDICTS) if known < day and (day - known).days <= MEMORY_OF_VERDICTS_DAYS]
    with open_engine(lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, before[-1:])
        previous = {row["resource_id"]: row for row in engine.rows(statement("reports/previous_verdicts"))}
        engine.view(RESOURCE_INVENTORY, [day])
        engine.view(SERVICE_DEPENDENCIES, [day])
        dependencies = [(row["service"], row["depends_on"]) for row in engine.rows(statement("reports/hard_dependencies"))]
        engine.view(UTILIZATION_DAILY, days_up_to(day, _FORECAST_DAYS))
        loads = _burst_loads(facts, engine, catalog, day, settings.lookback_days)
        discounts = discounts_of(runtime.settings.prices)
        judged = judge_facts(facts, previous, settings, {}, loads, catalog, discounts)
        said: dict[str, str] = {}
        if settings.forecast:
            bounds, said = _forecasts(judged, engine, day)
            if bounds:
                judged = judge_facts(facts, previous, settings, bounds, loads, catalog, discounts)
        rows = _after_the_night(judged, facts, dependencies, settings, previous, said, discounts)
        rows = with_cash(runtime, engine, day, rows)
    return write_frame(lake, RIGHTSIZING_VERDICTS, day, rows)


def rules_of(settings: RightsizingSettings) -> Rules:
    """The thresholds of the settings, as the domain wants them."""
    names = set(Rules.__dataclass_fields__) & set(RightsizingSettings.model_fields)
    return Rules(**{name: getattr(settings, name) for name in sorted(names)})


@dataclass(frozen=True)
class Judged:
    """The verdict of one row of evidence, with the catalog that it was made with. ``minimum_size`` is a group's new one,
    ``spread`` as in ``Evidence``."""

    verdict: Verdict
    shapes: Shapes
    present: int
    minimum_size: int | None
    spread: float


Previous = Mapping[str, Mapping[str, Any]]
Loads = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def judge_facts(
    facts: pl.DataFrame,
    previous: Previous,
    settings: RightsizingSettings,
    forecasts: Mapping[str, NDArray[np.float64]] | None = None,
    loads: Loads | None = None,
    catalog: Catalog = SHIPPED,
    discounts: Discounts = LIST_PRICES,
) -> list[Judged]:
    """The verdict of every row of ``rightsizing_evidence``, in its order, by the sizes and prices of ``catalog``.

    ``discounts`` are taken off the prices. ``previous`` holds the last verdicts by resource, ``forecasts`` upper bounds of demand
    (5,), ``loads`` the cores in use and the minutes of the samples of machines that live on burst credits.
    """
    rules = rules_of(settings)
    found: list[Judged | None] = [None] * facts.height
    places: dict[tuple[bool, str | None, str | None, str | None], list[int]] = {}
    where = facts.select("resource_type", "region", "engine", "account_id")
    for place, (kind, region, engine, account) in enumerate(where.iter_rows()):
        is_database = kind == "rds_instance"
        key = (is_database, region, engine if is_database else None, discounts.payer(account))
        places.setdefault(key, []).append(place)
    for (is_database, region, engine, payer), mine in places.items():
        shapes = catalog.rds_shapes(region, engine_of(engine) if engine else None) if is_database else catalog.ec2_shapes(region)
        shapes = discounts.paid(shapes, payer)
        evidence = evidence_of(facts[mine], shapes, settings, previous, forecasts or {}, loads or {})
        for i, verdict in enumerate(decide(evidence, shapes, rules)):
            lowered, minimum = with_lower_minimum(verdict, evidence, i, shapes, rules)
            found[mine[i]] = Judged(lowered, shapes, int(evidence.present[i]), minimum, float(evidence.spread[i]))
    return [judged for judged in found if judged is not None]


def evidence_of(
    facts: pl.DataFrame,
    shapes: Shapes,
    settings: RightsizingSettings,
    previous: Previous,
    forecasts: Mapping[str, NDArray[np.float64]],
    loads: Loads,
) -> Evidence:
    """Rows of ``rightsizing_evidence`` as the columns of the rules: percentages become physical units of the present size."""
    ids = facts["resource_id"].to_list()
    present = np.array([shapes.number_of(name) for name in facts["instance_type"]], dtype=np.int64)
    size = np.where((present >= 0)[:, None], shapes.capacity[np.maximum(present, 0)], np.nan)
    services = {name: number for number, name in enumerate(sorted(set(facts["service"].drop_nulls())))}
    is_group = (facts["resource_type"] == "autoscaling_group").to_numpy()

    def numbers(name: str) -> NDArray[np.float64]:
        return facts[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()

    # A group that was scaled out shows the load of more members than it has.
    spread = np.where(is_group, np.fmax(1.0, numbers("in_service_peak") / np.maximum(numbers("units"), 1)), 1.0)

    def matrix(*columns: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(columns, axis=1)

    memory_covered = np.where(is_group, numbers("memory_max_coverage_pct"), numbers("memory_coverage_pct"))
    judged = np.ones((len(ids), len(DIMENSIONS)), dtype=bool)
    judged[:, IOPS] = facts["has_operations"].to_numpy()
    replayed = ("replay_vcpu", "replay_memory_gib", "replay_network_gbps", "replay_disk_mbps", "replay_disk_iops")
    told = ("replay_vcpu_event", "replay_memory_event", "replay_network_event", "replay_disk_event", "replay_iops_event")
    return Evidence(
        resource_id=ids,
        spread=spread,
        headroom_pct=numbers("headroom_pct"),
        present=present,
        present_name=facts["instance_type"].to_list(),
        kind=facts["resource_type"].to_list(),
        # A standby costs as much again.
        units=numbers("units") * np.where(_has_standby(facts).to_numpy(), MULTI_AZ_PRICE_FACTOR, 1),
        pool=np.array([services.get(name, -1) for name in facts["service"]], dtype=np.int64),
        history_hours=numbers("history_hours"),
        coverage_pct=numbers("coverage_pct"),
        recent_coverage_pct=numbers("recent_coverage_pct"),
        covered_pct=matrix(
            numbers("recent_coverage_pct"),
            memory_covered,
            numbers("network_coverage_pct"),
            numbers("disk_coverage_pct"),
            numbers("operations_coverage_pct"),
        ),
        is_judged=judged,
        peak=matrix(
            # A group's average hides its busiest member.
            np.where(is_group, numbers("cpu_peak_pct"), numbers("cpu_average_peak_pct")) / 100 * size[:, CPU],
            numbers("memory_peak_pct") / 100 * size[:, MEMORY],
            numbers("network_peak_gbps"),
            numbers("disk_peak_mbps"),
            numbers("disk_peak_iops"),
        ),
        cpu_p995=numbers("cpu_p995_pct") / 100 * size[:, CPU],
        memory_ever=numbers("memory_ever_pct") / 100 * size[:, MEMORY],
        replay=matrix(*(numbers(name) for name in replayed)),
        replay_event=list(facts.select(told).iter_rows()),
        forecast=np.stack([forecasts.get(name, np.full(len(DIMENSIONS), np.nan)) for name in ids]),
        cpu_load=[loads.get(name) for name in ids],
        interfaces=numbers("interfaces"),
        volumes=numbers("volumes"),
        is_member_hidden=is_group & (_or_zero(numbers("cpu_max_coverage_pct")) < settings.min_recent_coverage_pct),
        rejected_readings=numbers("rejected_readings"),
        unread_since=[None if on is None else on.isoformat() for on in facts["unread_since"]],
        excluding_tag=facts["excluding_tag"].to_list(),
        lifecycle=facts["lifecycle"].to_list(),
        managed_by=facts["managed_by"].to_list(),
        group_name=facts["asg_name"].to_list(),
        tenancy=facts["tenancy"].to_list(),
        platform=facts["platform"].to_list(),
        emergencies=numbers("emergencies"),
        last_emergency=[
            None if at is None else f"on {at:%Y-%m-%d %H:%M} UTC (recorded for {target})"
            for at, target in facts.select("last_emergency_at", "last_emergency_target").iter_rows()
        ],
        days_since_change=numbers("days_since_change"),
        open_incident=_named(facts, "open_incident_id", "open_incident_title"),
        open_capacity_item=_named(facts, "open_capacity_item_id", "open_capacity_item_title"),
        slo_name=facts["slo_name"].to_list(),
        slo_budget_left_pct=numbers("slo_budget_left_pct"),
        kill_switch=[
            "The setting kill_switch is on."
            if settings.kill_switch
            else f"The decision engine's kill switch was used at {at:%Y-%m-%d %H:%M} UTC."
            if at is not None
            else None
            for at in facts["kill_switch_at"]
        ],
        rejected=facts["rejected"].to_list(),
        snoozed=facts["snoozed"].to_list(),
        previous_target=np.array(
            [_before(previous.get(name), kind, shapes) for name, kind in zip(ids, facts["instance_type"], strict=True)]
        ),
        minimum_size=numbers("minimum_size"),
        zones=numbers("zones"),
        in_service_peak=numbers("in_service_peak"),
        incident_in_service=numbers("incident_in_service"),
        unsized_event=facts["unsized_event"].to_list(),
        scheduled_minimum=numbers("scheduled_minimum"),
    )


def _burst_loads(facts: pl.DataFrame, engine: Engine, catalog: Catalog, day: date, lookback_days: int) -> Loads:
    """The cores in use and the minutes of each sample, of machines that live on burst credits. Their order in time decides,
    which a histogram does not keep: they are few, and their samples are read."""
    bursting, measured = {}, {}
    known = facts.select("resource_id", "resource_type", "region", "instance_type", "history_hours")
    for name, kind, region, size, hours in known.iter_rows():
        shapes = catalog.ec2_shapes(region)
        # Of a group there is only the average of its members, and credits are each member's own.
        number = shapes.number_of(size) if kind == "ec2_instance" else -1
        if number >= 0 and not np.isnan(shapes.burst_baseline_pct[number]):
            bursting[name] = float(shapes.capacity[number, CPU])
            measured[name] = min(hours or 0.0, 24 * RECENT_DAYS) * 60
    engine.view(UTILIZATION_SAMPLES, days_up_to(day, lookback_days) if bursting else [])
    rows = engine.rows(statement("reports/cpu_samples"), {"resource_ids": sorted(bursting)}) if bursting else []
    return {
        row["resource_id"]: (
            np.array(row["cpu_pct"], dtype=np.float64) / 100 * bursting[row["resource_id"]],
            np.array(row["minutes"], dtype=np.float64),
        )
        for row in rows
        # Samples that are gone may have been the busy ones: a week of them must be there, or all that ever was.
        if sum(row["minutes"]) >= 0.9 * measured[row["resource_id"]]
    }


def _forecasts(judged: list[Judged], engine: Engine, day: date) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Upper bounds of demand for those that would be proposed while on their way up, and what the guard did for each."""
    proposed = [one.verdict.resource_id for one in judged if one.verdict.verdict == "propose"]
    rows = engine.rows(statement("reports/daily_peaks"), {"resource_ids": proposed})
    peaks = {metric: np.full((len(proposed), _FORECAST_DAYS), np.nan) for metric in _PEAKS}
    place = {name: number for number, name in enumerate(proposed)}
    for row in rows:
        for metric in _PEAKS:
            if row[metric] is not None:
                peaks[metric][place[row["resource_id"]], _FORECAST_DAYS - 1 - (day - row["day"]).days] = row[metric]
    sizes = {one.verdict.resource_id: one for one in judged}
    said: dict[str, str] = dict.fromkeys(proposed, "level")
    bounds: dict[str, NDArray[np.float64]] = {}
    for metric, dimension in zip(_PEAKS, (CPU, MEMORY), strict=True):
        for number in np.flatnonzero(is_rising(peaks[metric])):
            name = proposed[number]
            if not structural.is_available():
                said[name] = "not installed"
                continue
            measured = peaks[metric][number]
            bound = structural.upper_bound(measured[np.flatnonzero(np.isfinite(measured))[0] :])
            if bound is None:
                said[name] = "history too short"
                continue
            one = sizes[name]
            bounds.setdefault(name, np.full(len(DIMENSIONS), np.nan))[dimension] = (
                bound / 100 * one.shapes.capacity[one.present, dimension]
            )
            said[name] = "rising"
    return bounds, said


def _after_the_night(
    judged: Sequence[Judged],
    facts: pl.DataFrame,
    dependencies: Iterable[tuple[str, str]],
    settings: RightsizingSettings,
    previous: Previous,
    forecasts: Mapping[str, str],
    discounts: Discounts,
) -> pl.DataFrame:
    """The rows of ``rightsizing_verdicts``: what one night allows, with the numbers behind each verdict."""
    limits = Limits(settings.max_service_share_pct, settings.min_service_changes)
    final = one_night([one.verdict for one in judged], facts["service"].to_list(), dependencies, limits)
    rows = []
    for one, verdict, fact in zip(judged, final, facts.iter_rows(named=True), strict=True):
        row = _row(one, verdict, fact, previous.get(verdict.resource_id), forecasts.get(verdict.resource_id))
        rows.append({**row, **_discounted(one, verdict, discounts, fact["account_id"])})
    return pl.DataFrame(rows, schema=schema(RIGHTSIZING_VERDICTS), orient="row")


_COPIED = (
    "resource_id", "resource_type", "service", "team", "environment", "region", "units", "coverage_pct", "history_hours",
    "lookback_days", "cpu_basis", "cpu_mean_pct", "cpu_p95_pct", "cpu_p995_pct", "cpu_peak_pct",
    "cpu_average_peak_pct", "memory_basis",
    "memory_p995_pct", "memory_peak_pct", "memory_ever_pct", "network_peak_gbps", "disk_peak_mbps", "disk_peak_iops",
    "replayed_events", "in_service_peak", "emergencies", "last_emergency_at", "last_emergency_target", "headroom_pct",
)  # fmt: skip
_REQUIRED = ("vcpu", "memory_gib", "network_gbps", "disk_mbps", "disk_iops")


def _row(
    one: Judged, verdict: Verdict, fact: Mapping[str, Any], before: Mapping[str, Any] | None, forecast: str | None
) -> dict[str, Any]:
    shapes, candidate = one.shapes, one.shapes.number_of(verdict.candidate)
    now = shapes.capacity[one.present] if one.present >= 0 else np.full(len(DIMENSIONS), np.nan)
    then = shapes.capacity[candidate] if candidate >= 0 else np.full(len(DIMENSIONS), np.nan)
    saving = verdict.current_usd_month - verdict.candidate_usd_month
    # A member's money is its group's; without a smaller size nothing is at stake; without a price it is unknown, not nothing.
    is_nothing = verdict.code == "refuse_group_member" or (np.isnan(saving) and not np.isnan(verdict.current_usd_month))
    stake = 0.0 if is_nothing else float(np.maximum(saving, 0.0))
    has_same_size = before is not None and before["current_type"] == fact["instance_type"]
    minimum = one.minimum_size if verdict.verdict == "propose" else None
    # Fewer members have the present size: what is told of a smaller one would be told of something that nobody proposes.
    stays = verdict.code == PROPOSE_MINIMUM
    return {
        **{name: fact[name] for name in _COPIED},
        "verdict": verdict.verdict,
        "reason_code": verdict.code,
        "deciding_value": verdict.value,
        "deciding_limit": verdict.limit,
        "deciding_text": verdict.text,
        "current_type": fact["instance_type"],
        "candidate_type": verdict.candidate,
        "target_type": verdict.target,
        "target_minimum_size": minimum,
        "current_usd_month": _known(verdict.current_usd_month),
        "candidate_usd_month": _known(verdict.candidate_usd_month),
        "savings_usd_month": verdict.savings_usd_month,
        "stake_usd_month": _known(stake),
        "expected_usd_month": verdict.expected_usd_month,
        "exceedance_pct": None if stays else _known(100 * verdict.exceedance),
        **_provenance(shapes, one.present, candidate),
        **{f"required_{name}": _known(value) for name, value in zip(_REQUIRED, verdict.demand, strict=True)},
        "required_by": json.dumps({d.name: by for d, by in zip(DIMENSIONS, verdict.asked_by, strict=True)}, sort_keys=True),
        **{f"candidate_{name}": _known(value) for name, value in zip(_REQUIRED, then, strict=True)},
        "cpu_ratio": _known(now[CPU] / then[CPU] * one.spread),
        "memory_ratio": _known(now[MEMORY] / then[MEMORY] * one.spread),
        "closest_event": None if stays else verdict.closest_event,
        "closest_event_pct": None if stays else _known(verdict.closest_event_pct),
        "idle_pool": verdict.idle_pool,
        "forecast": forecast,
        "previous_target_type": before["target_type"] if has_same_size and before else None,
        "is_flip": (before["target_type"] != verdict.target) if has_same_size and before else None,
        "fingerprint": fingerprint(verdict, fact["instance_type"], fact["emergencies"], fact["replayed_events"]),
    }


def _discounted(one: Judged, verdict: Verdict, discounts: Discounts, account_id: str | None) -> dict[str, float | None]:
    """What is off the list price of the present size, and what the change would save at list prices."""
    families, candidate = one.shapes.families, one.shapes.number_of(verdict.candidate)
    now = discounts.pct(families[one.present], account_id) if one.present >= 0 else None
    then = discounts.pct(families[candidate], account_id) if candidate >= 0 else now
    savings = verdict.savings_usd_month
    if savings and now is not None and then is not None:
        savings = list_savings(verdict.current_usd_month, savings, now, then)
    return {"list_savings_usd_month": savings, "discount_pct": now}


def _provenance(shapes: Shapes, present: int, candidate: int) -> dict[str, str | None]:
    if present < 0:
        return {"price_quality": None, "price_source": None, "price_as_of": None}
    quality = shapes.price_quality[present]
    if quality == "listed" and candidate >= 0:
        quality = shapes.price_quality[candidate]
    return {
        "price_quality": quality,
        "price_source": shapes.price_source[present],
        "price_as_of": shapes.price_as_of[present],
    }


def _has_standby(facts: pl.DataFrame) -> pl.Series:
    """Databases that are listed with their standby; in Aurora every replica is a resource of its own."""
    is_aurora = pl.col("engine").fill_null("").str.starts_with("aurora")
    return facts.select(pl.col("is_multi_az") & (pl.col("resource_type") == "rds_instance") & ~is_aurora).to_series()


def _named(facts: pl.DataFrame, key: str, title: str) -> list[str | None]:
    return [
        None if name is None else f"{name} ({words})" if words else str(name)
        for name, words in facts.select(key, title).iter_rows()
    ]


def _before(row: Mapping[str, Any] | None, present: str | None, shapes: Shapes) -> int:
    """The size that the last verdict would have had; -1 where nothing is known of it, the size has changed since, or something
    else than the demand decided: what was put off needs no change of mind."""
    if row is None or row["current_type"] != present or row["verdict"] not in ("propose", "keep"):
        return -1
    return shapes.number_of(row["target_type"] or present)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _or_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), 0.0, values)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())


def judging_rules(settings: RightsizingSettings, target: str) -> Rules:
    """The thresholds of the settings for a backtest: without what a change must be worth and without a memory of last night,
    because it judges safety and savings window by window."""
    return replace(
        rules_of(settings),
        target=target,
        min_savings_usd_month=0.0,
        incident_cost_usd=0.0,
        restart_cost_usd=0.0,
        hysteresis_pct=0.0,
    )
