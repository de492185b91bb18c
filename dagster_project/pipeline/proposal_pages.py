"""Pages of proposals: one for each pull request or group of one, and for each approval request."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.domain.file_names import page_name
from dagster_project.lake.engine import Engine
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import APPROVAL_REQUESTS, PULL_REQUESTS
from dagster_project.pipeline.report_place import plain_address, resource_page
from dagster_project.reporting.page_views import ChangeLine, ProposalPage
from dagster_project.reporting.words import counted
from dagster_project.statements import statement

_ENDED = {"applied", "closed", "rejected", "reverted"}
_STAGES = {
    **dict.fromkeys(("open", "frozen", "opening", "closing", "outbox", "pending"), "proposed"),
    **dict.fromkeys(("merged", "applied", "approved", "executing", "executed"), "approved"),
}
"""How far a change has come by what asks for it, where it is not among the savings."""
_PULL_STATES = {"outbox": "in the outbox", "planned": "dry run", "waiting": "waiting for its turn"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Money:
    """Rows of ``savings``: of a resource and what decides about it, and of a resource tonight."""

    decided: Mapping[tuple[str, str], Row]
    tonight: Mapping[str, Row]


def proposal_pages(engine: Engine, day: date, paged: Collection[str]) -> Iterator[ProposalPage]:
    """The pages of a day. ``paged`` are the resources that have a page."""
    for table in (PULL_REQUESTS, APPROVAL_REQUESTS, SAVINGS):
        engine.view(table, [day])
    money = _Money(
        {(row["resource_id"], row["decision"]): row for row in engine.rows(statement("reports/changes_by_decision"))},
        {row["resource_id"]: row for row in engine.rows(statement("reports/changes_of_day")) if not row["source"]},
    )
    groups: dict[str, list[Row]] = {}
    for row in engine.rows(statement("reports/pull_requests_of_day")):
        if row["digest"]:
            groups.setdefault(row["digest"], []).append(row)
    for rows in groups.values():
        yield _pull(rows, money, paged)
    for row in engine.rows(statement("reports/approvals_of_day")):
        if row["request_id"]:
            yield _request(row, money, paged)


def _pull(rows: Sequence[Row], money: _Money, paged: Collection[str]) -> ProposalPage:
    """The page of a group. Its first row is what stands of it; what was merged before, or waits until it is over, is beside."""
    row, *others = rows
    asked = _asked(row)
    number = f" #{row['number']}" if row["number"] else ""
    return ProposalPage(
        ident=row["digest"],
        slug=page_name(row["digest"]),
        title=f"Pull request{number}: {counted(len(asked), 'resource')} of {row['owner'] or 'nobody'}",
        kind="Pull request",
        state=_PULL_STATES.get(row["state"], row["state"]),
        url=plain_address(row["url"]),
        repository=row["repository"],
        root=row["root"],
        owner=row["owner"] or "nobody",
        risk=row["risk"],
        opened_on=row["opened_on"],
        detail=row["detail"] or "",
        answer_by=_answer_to_pull(row),
        usd_month=row["savings_usd_month"],
        changes=_pulled(row, money, paged),
        beside=tuple((_stands(each), _pulled(each, money, paged)) for each in others),
    )


def _asked(row: Row) -> list[dict[str, Any]]:
    # An earlier version's nights say which resources, but not what for.
    return json.loads(row["changes"] or "null") or [{"resource_id": name} for name in json.loads(row["resources"] or "[]")]


def _pulled(row: Row, money: _Money, paged: Collection[str]) -> tuple[ChangeLine, ...]:
    decision = f"{row['repository']}#{row['number']}"
    return tuple(_line(each, row["state"], decision, money, paged) for each in _asked(row))


def _stands(row: Row) -> str:
    """What another row of a group is, for a heading."""
    state = _PULL_STATES.get(row["state"], row["state"])
    return f"Pull request #{row['number']}, {state}" if row["number"] else f"{state[:1].upper()}{state[1:]}"


def _answer_to_pull(row: Row) -> str:
    if row["state"] in _ENDED:
        return "It is over."
    if row["state"] == "merged":
        return "It is merged, and not live as a whole."
    if not row["number"]:
        return "Nobody is asked: it is not open."
    return "Merging it means yes, closing it means no, for each resource in it."


def _request(row: Row, money: _Money, paged: Collection[str]) -> ProposalPage:
    asked = list({change["resource_id"]: change for change in json.loads(row["changes"] or "[]")}.values())
    decision = f"request:{row['request_id']}"
    place = f"{row['service'] or 'unknown service'} in {row['environment'] or 'unknown environment'}"
    is_pending = row["state"] == "pending"
    # Nobody approves what they have not seen: one that was asked anew takes no answer to what it was before.
    revision = row["request_id"] if row["revision"] is None else f"{row['request_id']}.{row['revision']}"
    return ProposalPage(
        ident=row["request_id"],
        slug=page_name(row["request_id"]),
        title=f"Approval request: {counted(len(asked), 'resource')} of {place}",
        kind="Approval request",
        state=row["state"].replace("_", " "),
        url=None,
        repository=None,
        root=None,
        owner=row["owner"],
        risk=row["risk"],
        opened_on=row["opened_on"],
        detail=(row["missing"] if is_pending else row["detail"]) or "",
        answer_by=f"Answer in Slack, or with: nightshift proposals approve {revision}" if is_pending else "",
        usd_month=row["savings_usd_month"],
        changes=tuple(_line({**each, "is_rollback": row["is_rollback"]}, row["state"], decision, money, paged) for each in asked),
    )


def _line(asked: Mapping[str, Any], state: str, decision: str, money: _Money, paged: Collection[str]) -> ChangeLine:
    """What is asked for a resource, as it stands. What is proposed tonight is another thing where it is another size."""
    name, after = asked["resource_id"], asked.get("after")
    page = resource_page(name) if name in paged else None
    row, tonight = money.decided.get((name, decision)), money.tonight.get(name)
    if row is None and tonight is not None and tonight["reference"] is None and after in (None, tonight["value_after"]):
        row = tonight
    if row is not None:
        return change_line(row, page)
    change = f"{asked['before']} → {after}" if after is not None else ""
    note = "goes back to what it was" if asked.get("is_rollback") else "not proposed tonight"
    return ChangeLine(name, page, change, "", _STAGES.get(state, "identified"), note, asked.get("savings_usd_month"))


def change_line(row: Row, page: str | None) -> ChangeLine:
    """A row of ``savings`` as a line of a list."""
    members = " members at least" if row["attribute"] == "min_size" else ""
    units = f"{row['units']:,} × " if row["units"] and row["units"] > 1 and not members else ""
    return ChangeLine(
        row["resource_id"],
        page,
        f"{units}{row['value_before']} → {row['value_after']}{members}",
        " · ".join(str(row[part]) for part in ("service", "environment") if row[part]),
        row["stage"],
        row["stage_note"] or "",
        row["savings_usd_month"],
        row["realized_usd_month"],
    )
