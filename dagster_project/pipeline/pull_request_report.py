"""What the report and the summary of a night say of pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from dagster_project.lake.engine import Engine
from dagster_project.pipeline.approval_report import applied_count
from dagster_project.pipeline.report_place import plain_address, proposal_page
from dagster_project.reporting.views import ApprovalLine, NightReport, PullRequestLine, Uneditable
from dagster_project.reporting.words import counted
from dagster_project.statements import statement


def pull_requests_of(engine: Engine, day: date) -> tuple[PullRequestLine, ...]:
    """What stands of pull requests after the night."""
    return tuple(
        PullRequestLine(
            state=row["state"],
            repository=row["repository"],
            number=row["number"],
            url=plain_address(row["url"]),
            root=row["root"],
            owner=row["owner"],
            risk=row["risk"],
            resources=row["resource_count"],
            usd_month=row["savings_usd_month"],
            detail=row["detail"],
            is_new=row["state"] == "open" and row["opened_on"] == day,
            page=proposal_page(row["digest"]) if row["digest"] else None,
        )
        for row in engine.rows(statement("reports/pull_requests_of_day"))
    )


def acted(lines: Sequence[PullRequestLine], approvals: tuple[ApprovalLine, ...] = ()) -> str:
    """What the night, and the day before it, did outside, in one sentence."""
    states = [line.state for line in lines]
    asked = sum(line.state == "pending" for line in approvals)
    applied = applied_count(approvals)
    is_open = sum(state in ("open", "frozen", "opening", "closing") for state in states)
    ended = sum(state in ("applied", "closed", "rejected", "reverted") for state in states)
    if not is_open and not ended and "merged" not in states and not asked and not applied:
        return "Report only: nothing was changed."
    new = sum(line.is_new for line in lines)
    parts = [
        f"{counted(is_open, 'pull request')} open" if is_open or ended or not asked else "",
        f"{new} of them new" if new else "",
        f"{ended} ended" if ended else "",
        f"{counted(asked, 'request')} for an approval" if asked else "",
    ]
    what = ", ".join(part for part in parts if part)
    done = f"applied, or began to apply, {counted(applied, 'approved request')}" if applied else "applied nothing"
    return f"{what[:1].upper()}{what[1:]}. Nightshift {done}."


_STATES = {
    "open": "pull requests open",
    "frozen": "pull requests left alone",
    "outbox": "pull requests in the outbox",
    "waiting": "groups waiting",
}


def pull_request_lines(report: NightReport, outbox: Path) -> list[str]:
    """What was opened, what would be, what waits and what failed, for a terminal. ``outbox`` is the day's folder."""
    groups: dict[str, list[PullRequestLine]] = {}
    for line in report.pull_requests:
        groups.setdefault(line.state, []).append(line)
    told = []
    for state, lines in groups.items():
        if state not in ("failed", "planned"):
            label = _STATES.get(state, f"pull requests {state}")
            money = f"${sum(line.usd_month for line in lines):>11,.0f} a month"
            told.append(f"  {len(lines):>7,} {label:<28}{money} in {counted(sum(line.resources for line in lines), 'resource')}")
    for line in groups.get("planned", []):
        where = f"#{line.number}" if line.number else f"{line.root or ''} {line.owner or ''}".strip()
        told.append(
            f"  {line.detail:<24}{line.repository} {where}: {counted(line.resources, 'resource')}, ${line.usd_month:,.0f} a month"
        )
    needing = sum(reason.resources for reason in report.uneditable)
    if needing:
        told.append(f"  {needing:>7,} resources must be changed by hand: code sets them, and no edit of it can make the change")
    if "outbox" in groups or "planned" in groups:
        told.append(f"Outbox: {outbox / 'pull_requests'}")
    return told + [f"Problem: {line.repository}: {line.detail}" for line in groups.get("failed", [])]


def uneditable_of(engine: Engine) -> tuple[Uneditable, ...]:
    """Proposals that no edit of code can make, by reason."""
    return tuple(
        Uneditable(
            reason_code=row["edit_code"],
            resources=row["resources"],
            usd_month=row["savings_usd_month"],
            example_resource_id=row["example_resource_id"],
            example_sentence=row["example_sentence"],
        )
        for row in engine.rows(statement("reports/uneditable"))
    )
