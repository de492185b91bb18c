"""What the report and the summary of a night say of approval requests."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from dagster_project.domain.applying.gates import rollout_rank
from dagster_project.domain.proposals.model import RISKS
from dagster_project.lake.engine import Engine
from dagster_project.pipeline.apply_facts import limits_of
from dagster_project.pipeline.report_place import proposal_page
from dagster_project.reporting.views import ApprovalLine, NightReport
from dagster_project.reporting.words import counted
from dagster_project.settings import Settings
from dagster_project.statements import statement

_SHOWN = 5
_APPLIED = ("executing", "executed", "rolled_back", "failed")


def approvals_of(engine: Engine, day: date) -> tuple[ApprovalLine, ...]:
    """What stands of approval requests after the night."""
    return tuple(
        ApprovalLine(
            request_id=row["request_id"] or None,
            state=row["state"].replace("_", " "),
            service=row["service"],
            environment=row["environment"],
            owner=row["owner"],
            risk=row["risk"],
            resources=row["resource_count"],
            usd_month=row["savings_usd_month"],
            detail=row["missing"] if row["state"] == "pending" else row["detail"],
            approved_by=", ".join(f"{each['by']} ({each['source']})" for each in json.loads(row["approvals"])),
            is_new=row["state"] == "pending" and row["opened_on"] == day,
            page=proposal_page(row["request_id"]) if row["request_id"] else None,
        )
        for row in engine.rows(statement("reports/approvals_of_day"))
    )


def applied_count(lines: tuple[ApprovalLine, ...]) -> int:
    """Requests that are being applied, or were applied, taken back or stuck since the night before."""
    return sum(line.state.replace(" ", "_") in _APPLIED for line in lines)


def approval_lines(report: NightReport, outbox: Path, settings: Settings) -> list[str]:
    """What people are asked, what was applied, and how to answer, for a terminal. ``outbox`` is the day's folder."""
    limits = limits_of(settings)
    groups: dict[str, list[ApprovalLine]] = {}
    for line in report.approvals:
        groups.setdefault(line.state, []).append(line)
    told = []
    for state, lines in groups.items():
        label = {"waiting": "groups not asked for yet", "planned": "requests would be made"}.get(state, f"requests {state}")
        money = f"${sum(line.usd_month for line in lines):>11,.0f} a month"
        told.append(f"  {len(lines):>7,} {label:<28}{money} in {counted(sum(line.resources for line in lines), 'resource')}")
    # What may be applied first is told first.
    pending = sorted(groups.get("pending", []), key=lambda line: (RISKS.index(line.risk), rollout_rank(line.environment, limits)))
    for line in pending[:_SHOWN]:
        told.append(
            f"  Asked: nightshift proposals approve {line.request_id}  ({line.service} in {line.environment}, {line.risk} risk)"
        )
    if any(line.request_id for line in report.approvals) and settings.slack.token is None:
        told.append(f"Outbox: {outbox / 'slack'}")
    return told
