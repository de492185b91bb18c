"""Pages of proposals: one for each pull request or group of one, and for each approval request."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from dagster_project.domain.incidents.naming import file_name
from dagster_project.lake.engine import Engine
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import APPROVAL_REQUESTS, PULL_REQUESTS
from dagster_project.pipeline.resource_pages import page_of, plain_address
from dagster_project.reporting.page_views import ChangeLine, ProposalPage
from dagster_project.reporting.words import counted
from dagster_project.statements import statement

_ENDED = {"applied", "closed", "rejected", "reverted"}
_PULL_STATES = {"outbox": "in the outbox", "planned": "dry run", "waiting": "waiting for its turn"}
Row = Mapping[str, Any]


def proposal_pages(engine: Engine, day: date, paged: Collection[str]) -> Iterator[ProposalPage]:
    """The pages of a day. ``paged`` are the resources that have a page."""
    for table in (PULL_REQUESTS, APPROVAL_REQUESTS, SAVINGS):
        engine.view(table, [day])
    money = {row["resource_id"]: row for row in engine.rows(statement("reports/changes_of_day"))}
    seen = set()
    for row in engine.rows(statement("reports/pull_requests_of_day")):
        # The first of a group is what stands of it; what waits beside it comes when that is over.
        if row["digest"] and row["digest"] not in seen:
            seen.add(row["digest"])
            yield _pull(row, money, paged)
    for row in engine.rows(statement("reports/approvals_of_day")):
        if row["request_id"]:
            yield _request(row, money, paged)


def _pull(row: Row, money: Mapping[str, Row], paged: Collection[str]) -> ProposalPage:
    names = json.loads(row["resources"] or "[]")
    number = f" #{row['number']}" if row["number"] else ""
    is_over = row["state"] in _ENDED
    return ProposalPage(
        ident=row["digest"],
        slug=file_name(row["digest"]),
        title=f"Pull request{number}: {counted(len(names), 'resource')} of {row['owner'] or 'nobody'}",
        kind="Pull request",
        state=_PULL_STATES.get(row["state"], row["state"]),
        url=plain_address(row["url"]),
        repository=row["repository"],
        root=row["root"],
        owner=row["owner"] or "nobody",
        risk=row["risk"],
        opened_on=row["opened_on"],
        detail=row["detail"] or "",
        answer_by="It is over." if is_over else "Merging it means yes, closing it means no, for each resource in it.",
        usd_month=row["savings_usd_month"],
        changes=tuple(_line(name, money.get(name), paged) for name in names),
    )


def _request(row: Row, money: Mapping[str, Row], paged: Collection[str]) -> ProposalPage:
    changes = json.loads(row["changes"] or "[]")
    names = list(dict.fromkeys(change["resource_id"] for change in changes))
    told = {change["resource_id"]: f"{change['before']} → {change['after']}" for change in changes}
    place = f"{row['service'] or 'unknown service'} in {row['environment'] or 'unknown environment'}"
    is_pending = row["state"] == "pending"
    return ProposalPage(
        ident=row["request_id"],
        slug=file_name(row["request_id"]),
        title=f"Approval request: {counted(len(names), 'resource')} of {place}",
        kind="Approval request",
        state=row["state"].replace("_", " "),
        url=None,
        repository=None,
        root=None,
        owner=row["owner"],
        risk=row["risk"],
        opened_on=row["opened_on"],
        detail=(row["missing"] if is_pending else row["detail"]) or "",
        answer_by=f"Answer in Slack, or with: nightshift proposals approve {row['request_id']}" if is_pending else "",
        usd_month=row["savings_usd_month"],
        changes=tuple(_line(name, money.get(name), paged, told[name]) for name in names),
    )


def _line(name: str, row: Row | None, paged: Collection[str], change: str = "") -> ChangeLine:
    page = page_of(name) if name in paged else None
    if row is None:
        return ChangeLine(name, page, change, "", "identified", "no longer proposed tonight", 0.0)
    return change_line(row, page, change)


def change_line(row: Row, page: str | None, change: str = "") -> ChangeLine:
    """A row of ``savings`` as a line of a list."""
    members = " members at least" if row["attribute"] == "min_size" else ""
    units = f"{row['units']:,} × " if row["units"] and row["units"] > 1 and not members else ""
    return ChangeLine(
        row["resource_id"],
        page,
        change or f"{units}{row['value_before']} → {row['value_after']}{members}",
        " · ".join(str(row[part]) for part in ("service", "environment") if row[part]),
        row["stage"],
        row["stage_note"] or "",
        row["savings_usd_month"],
        row["realized_usd_month"],
    )
