"""Pages of resources: those that were proposed, changed, or refused because they would not have held in an incident."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from dagster_project.domain.file_names import page_name
from dagster_project.lake.engine import Engine
from dagster_project.lake.tables import (
    APPROVAL_REQUESTS,
    EMERGENCY_SCALEUPS,
    PULL_REQUESTS,
    UTILIZATION_DAILY,
)
from dagster_project.pipeline.explain import emergency_told, money_told
from dagster_project.pipeline.proposal_views import evidence_lines, said
from dagster_project.pipeline.report_place import group_page, plain_address
from dagster_project.pipeline.runtime import days_up_to
from dagster_project.reporting.page_views import CarriedOut, Peaks, ResourcePage
from dagster_project.reporting.views import DemandChart
from dagster_project.settings import RightsizingSettings
from dagster_project.statements import statement

REFUSED_BY_REPLAY = ("refuse_incident_replay",)
PEAK_DAYS = 28
_SHOWN_EMERGENCIES = 5
_BATCH = 1000
_KINDS = {"ec2_instance": "EC2 instance", "autoscaling_group": "Auto Scaling group", "rds_instance": "RDS instance"}
Row = Mapping[str, Any]


def paged_resources(engine: Engine, top: int) -> tuple[list[dict[str, Any]], int]:
    """The verdicts of the resources that get a page, those worth most first, and how many get none because there are too many."""
    codes = {"reason_codes": list(REFUSED_BY_REPLAY)}
    rows = engine.rows(statement("reports/paged_resources"), {"top": top, **codes})
    return rows, engine.rows(statement("reports/paged_total"), codes)[0]["resources"] - len(rows)


def resource_pages(
    engine: Engine,
    rows: Sequence[Row],
    day: date,
    rules: RightsizingSettings,
    weeks: Mapping[str, DemandChart],
    proposals: Mapping[str, str],
) -> Iterator[ResourcePage]:
    """The pages of some verdicts, all of them with the days of four weeks. By resource, ``weeks`` are those that are drawn by the
    hour too, and ``proposals`` the pages of pull requests and approval requests."""
    for table in (EMERGENCY_SCALEUPS, PULL_REQUESTS, APPROVAL_REQUESTS):
        engine.view(table, [day])
    engine.view(UTILIZATION_DAILY, days_up_to(day, PEAK_DAYS))
    # By the thousand: what is drawn needs not be held for all of them at a time.
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        names = {"resource_ids": [row["resource_id"] for row in batch]}
        peaks = _by_resource(engine.rows(statement("reports/daily_peaks"), names))
        found = engine.rows(statement("reports/emergencies_by_resource"), {**names, "top": _SHOWN_EMERGENCIES})
        emergencies = {row["resource_id"]: row["emergencies"] for row in found}
        for row in batch:
            name = row["resource_id"]
            yield ResourcePage(
                slug=page_name(name),
                resource_id=name,
                kind=_KINDS.get(row["resource_type"], row["resource_type"]),
                place=" · ".join(str(row[part]) for part in ("service", "team", "environment", "region") if row[part]),
                verdict=row["verdict"],
                reason_code=row["reason_code"],
                sentence=said(row),
                change=_change(row),
                savings_usd_month=row["savings_usd_month"] or 0.0,
                stage=row["stage"],
                stage_note=row["stage_note"] or "",
                reference=row["reference"],
                reference_url=plain_address(row["reference_url"]),
                links=tuple(_links(row, proposals)),
                money=money_told(row),
                evidence=evidence_lines(row, rules),
                demand=weeks.get(name),
                peaks=_peaks(peaks.get(name, ()), row, day),
                emergencies=tuple(map(emergency_told, emergencies.get(name, ()))),
                carried_out=tuple(map(_carried_out, row["carried_out"] or ())),
            )


def proposal_by_resource(engine: Engine, pages: Mapping[str, str]) -> dict[str, str]:
    """Resource → the page of the request or pull request that speaks of it; ``pages`` are addresses by digest or request."""
    found: dict[str, str] = {}
    for row in engine.rows(statement("reports/pull_requests_of_day")):
        if row["digest"] in pages:
            found |= dict.fromkeys(json.loads(row["resources"] or "[]"), pages[row["digest"]])
    for row in engine.rows(statement("reports/approvals_of_day")):
        if row["request_id"] in pages:
            found |= {change["resource_id"]: pages[row["request_id"]] for change in json.loads(row["changes"] or "[]")}
    return found


def _change(row: Row) -> str:
    if row["verdict"] != "propose":
        return ""
    units = f"{row['units']:,} × " if row["units"] and row["units"] > 1 else ""
    if row["target_minimum_size"] is not None:
        return f"at least {row['target_minimum_size']:,} members"
    return f"{units}{row['current_type']} → {row['target_type']}"


def _links(row: Row, proposals: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for kind in ("service", "team"):
        if row[kind]:
            yield f"{kind.capitalize()} {row[kind]}", group_page(kind, row[kind])
    if row["resource_id"] in proposals:
        yield "Its proposal", proposals[row["resource_id"]]


def _carried_out(change: Row) -> CarriedOut:
    return CarriedOut(
        f"{change['value_before']} → {change['value_after']}",
        change["source"],
        change["stage"],
        change["stage_note"] or "",
        change["applied_on"],
        change["savings_usd_month"],
        change["realized_usd_month"],
    )


def _by_resource(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["resource_id"], []).append(row)
    return found


def _peaks(found: Sequence[Row], verdict: Row, day: date) -> Peaks | None:
    """The days of four weeks in order; None where none of them was measured at the present size."""
    if not found:
        return None
    days = [day - timedelta(days=back) for back in range(PEAK_DAYS - 1, -1, -1)]
    cpu = {row["day"]: row["cpu_peak_pct"] for row in found}
    memory = {row["day"]: row["memory_peak_pct"] for row in found}
    cpu_ratio = verdict["cpu_ratio"]
    return Peaks(
        days[0],
        tuple(cpu.get(each) for each in days),
        tuple(memory.get(each) for each in days),
        100 / cpu_ratio if cpu_ratio else None,
    )
