"""The rows of the table ``pull_requests``: what stands after a night, what waits, and what a dry run would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.model import Change, Group, GroupKey, Item
from dagster_project.domain.proposals.payload import Remembered
from dagster_project.domain.proposals.pulls import PullRecord
from dagster_project.domain.proposals.reconcile import Abandon, Action, Close, Confirm, Create, Freeze, Hold, Update, Wait

OUTBOX, PLANNED, WAITING, FAILED, FROZEN = "outbox", "planned", "waiting", "failed", "frozen"
GOES_BACK = "goes back to the old size, after an emergency scale-up"


@dataclass(slots=True)
class Row:
    """One row of the table ``pull_requests``."""

    repository: str
    digest: str
    state: str
    number: int = 0
    detail: str = ""
    branch: str | None = None
    root: str | None = None
    owner: str | None = None
    risk: str | None = None
    url: str | None = None
    opened_on: date | None = None
    ended_on: date | None = None
    resources: tuple[str, ...] = ()
    savings_usd_month: float = 0.0
    changes: tuple[dict[str, Any], ...] = ()


def changes_of(asked: Iterable[Remembered | Change]) -> tuple[dict[str, Any], ...]:
    """What is asked for each resource, so that it can be told apart from what is proposed for it by then."""
    return tuple(
        {
            "resource_id": each.resource_id,
            "attribute": each.attribute,
            "before": each.before,
            "after": each.after,
            "savings_usd_month": round(each.savings_usd_month, 2),
            "is_rollback": each.evidence.is_rollback,
        }
        for each in asked
    )


def together(waits: Sequence[Wait]) -> list[Wait]:
    """One wait for each group and reason."""
    found: dict[tuple[GroupKey, str], list[Item]] = {}
    for wait in waits:
        found.setdefault((wait.key, wait.why), []).extend(wait.items)
    return [Wait(key, tuple(items), why) for (key, why), items in found.items()]


def row_of(record: PullRecord, actions: Sequence[Action]) -> Row:
    """What a record is after the night's actions."""
    frozen = {action.pull.seen.number for action in actions if isinstance(action, Freeze)}
    key = record.payload.key
    return Row(
        repository=key.repository,
        digest=record.digest,
        state=FROZEN if record.number in frozen and record.state == pulls.OPEN else record.state,
        number=record.number or 0,
        detail=record.reason or (GOES_BACK if key.is_rollback else ""),
        branch=record.branch,
        root=key.root,
        owner=key.owner,
        risk=key.risk,
        url=record.url,
        opened_on=record.opened_on,
        ended_on=record.ended_on,
        resources=record.payload.resource_ids,
        savings_usd_month=record.payload.savings_usd_month,
        changes=changes_of(record.payload.resources),
    )


def waiting(repository: str, wait: Wait, state: str = WAITING) -> Row:
    """A group that has no pull request, and why."""
    group = Group(wait.key, wait.items)
    return Row(
        repository=repository,
        digest=wait.key.digest,
        state=state,
        detail=wait.why,
        branch=wait.key.branch,
        root=wait.key.root,
        owner=wait.key.owner,
        risk=wait.key.risk,
        resources=group.resource_ids,
        savings_usd_month=group.savings_usd_month,
        changes=changes_of(change for item in group.items for change in item.changes),
    )


def planned(repository: str, action: Action) -> Row:
    """What would be done, as a row."""
    match action:
        case Wait():
            return waiting(repository, action)
        case Create(group, _):
            return waiting(repository, Wait(group.key, group.items, "would be opened"), PLANNED)
        case Abandon(record):
            return Row(repository, record.digest, PLANNED, detail="its branch would be deleted", branch=record.branch)
    words = {
        Close: "would be closed",
        Update: "would be updated",
        Freeze: "would be left alone",
        Confirm: "would stay as it is",
        Hold: "would stay as it is",
    }
    seen = action.pull.seen
    payload = action.pull.payload
    return Row(
        repository=repository,
        digest=seen.digest,
        state=PLANNED,
        number=seen.number,
        detail=words[type(action)],
        branch=seen.branch,
        url=seen.url,
        resources=payload.resource_ids if payload else (),
        savings_usd_month=payload.savings_usd_month if payload else 0.0,
        changes=changes_of(payload.resources) if payload else (),
    )
