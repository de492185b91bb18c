"""The night's approval requests: what no pull request changes is asked for, kept true, and withdrawn when its evidence is gone.

Only the newest day asks, and no dry run does, nor while a kill switch is on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

import asyncpg
import polars as pl

from dagster_project.actions import approval_store as store
from dagster_project.actions import proposal_store
from dagster_project.domain.applying.saga import KINDS
from dagster_project.domain.approvals.machine import Expire, Revise, Withdraw, missing
from dagster_project.domain.approvals.model import LIVE, AskedChange, Plan, PlanKey, key_of
from dagster_project.domain.approvals.night import Action, Bounds, Drop, Keep, Later, Open, ReviseTo, Standing, reconcile
from dagster_project.domain.proposals.memory import first_forbidding, told
from dagster_project.domain.proposals.model import APPLY, Change
from dagster_project.errors import told as told_error
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import APPROVAL_REQUESTS, PROPOSALS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.approval_reviews import keep_reviews
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.proposal_views import said
from dagster_project.pipeline.proposals import APPROVAL, read_proposals
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.slack_messages import deliver
from dagster_project.pipeline.state import in_state
from dagster_project.statements import statement

PLANNED, WAITING = "planned", "waiting"
_NO_CODE = "No code that Nightshift knows sets this."
_IN_CODE = "The code sets it ({where}): change it there too, or its next apply takes this back."


@dataclass(slots=True)
class Wanted:
    """What a night would ask for: changes by key and resource. ``against`` are verdicts that speak against a resource."""

    changes: dict[PlanKey, dict[str, AskedChange]] = field(default_factory=dict)
    against: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    proposed: list[Change] = field(default_factory=list)

    def said_against(self, resource_id: str) -> str | None:
        """What speaks against a resource; None where there was not enough evidence to say anything."""
        if resource_id in self.unsure:
            return None
        return self.against.get(resource_id, "it is not proposed any more")


def may_ask(runtime: Runtime, day: date) -> bool:
    """Whether anybody may be asked on account of a day."""
    return runtime.is_newest(day) and not runtime.is_dry_run and not runtime.settings.is_stopped


def ask(runtime: Runtime, day: date) -> tuple[int, list[str]]:
    """Writes ``approval_requests`` of the day after having done what it says, and tells Slack; returns its rows, and sentences
    about what Slack could not be told."""
    runtime.lake.require(PROPOSALS, day)
    wanted = _wanted(runtime, day)
    problems: list[str] = []
    rows = in_state(runtime, lambda connection: _ask(runtime, connection, wanted, day, problems), is_new=True)
    frame = pl.DataFrame(rows, schema=schema(APPROVAL_REQUESTS), orient="row")
    written = write_frame(runtime.lake, APPROVAL_REQUESTS, day, frame)
    if not may_ask(runtime, day):
        return written, []
    problems += in_state(runtime, lambda connection: keep_reviews(runtime, connection))
    try:
        problems += deliver(runtime, day)
    except Exception as error:  # the report must not wait for Slack
        problems.append(f"Slack: {told_error(error, 'it was brought up to date')}")
    return written, list(dict.fromkeys(problems))


async def _ask(
    runtime: Runtime, connection: asyncpg.Connection, wanted: Wanted, day: date, problems: list[str]
) -> list[dict[str, Any]]:
    rules, policy = runtime.settings.approvals, policy_of(runtime.settings)
    stale = runtime.settings.proposals.stale_evidence_days
    if not may_ask(runtime, day):
        bounds = Bounds(rules.max_changes, rules.max_open, rules.max_new_per_night, stale)
        live = await store.live(connection) if runtime.is_newest(day) else []
        standing = [Standing(each.request, each.confirmed_on) for each in live]
        return [_planned(action) for action in reconcile(wanted.changes, standing, wanted.said_against, day, bounds)]
    # What reviewers said is heard before the plan may change under them.
    problems.extend(await keep_reviews(runtime, connection))
    for each in await store.live(connection):
        await store.advance(connection, each.request.request_id, Expire(), runtime.now, policy)
    await _drop_answered(runtime, connection, wanted, day)
    live = await store.live(connection)
    opened = sum(each.opened_on == day for each in await store.of_day(connection, day))
    bounds = Bounds(rules.max_changes, rules.max_open, max(0, rules.max_new_per_night - opened), stale)
    standing = [Standing(each.request, each.confirmed_on) for each in live]
    later: list[Later] = []
    confirmed: list[str] = []
    for action in reconcile(wanted.changes, standing, wanted.said_against, day, bounds):
        match action:
            case Open(plan):
                if await store.open_request(connection, _request_id(plan, day), plan, runtime.now, day, policy) is None:
                    later.append(Later(plan, "it was asked for tonight already"))
            case ReviseTo(request, plan, why):
                await store.advance(connection, request.request_id, Revise(plan, _sentence(why)), runtime.now, policy)
                confirmed.append(request.request_id)
            case Drop(request, why):
                await store.advance(connection, request.request_id, Withdraw(_sentence(why)), runtime.now, policy)
            case Keep(request, is_confirmed):
                confirmed += [request.request_id] if is_confirmed else []
            case Later():
                later.append(action)
    await store.confirm(connection, confirmed, day)
    rows = [_row(each, runtime) for each in await store.of_day(connection, day)]
    return rows + [_unasked(each.plan, WAITING, each.why) for each in later]


async def _drop_answered(runtime: Runtime, connection: asyncpg.Connection, wanted: Wanted, day: date) -> None:
    """Somebody said no since the proposals were written, in a review just now say: nobody is asked for it."""
    answers = await proposal_store.standing_answers(connection)
    for change in wanted.proposed:
        answer = first_forbidding(answers.get(change.resource_id, ()), change, day, runtime.settings.proposals.rejection_days)
        if answer is not None:
            wanted.against[change.resource_id] = f"it was {told(answer)}"
            del wanted.changes[key_of(change)][change.resource_id]


def _wanted(runtime: Runtime, day: date) -> Wanted:
    found = Wanted()
    with open_engine(runtime.lake) as engine:
        for table in (PROPOSALS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS):
            engine.view(table, [day])
        proposals = read_proposals(engine)
        inventory = {row["resource_id"]: row for row in engine.rows(statement("reports/fleet_members"))}
        verdicts = {row["resource_id"]: row for row in engine.rows(statement("reports/verdict_reasons"))}
    for name, verdict in verdicts.items():
        if verdict["verdict"] == "insufficient":
            found.unsure.add(name)
        elif verdict["verdict"] != "propose":
            found.against[name] = said(verdict)
    for change, _, row in proposals:
        if row["route"] != APPROVAL or row["mode"] != APPLY:
            continue
        if row["held_back"]:
            found.against[change.resource_id] = row["held_back"]
            continue
        if (change.resource_type, change.attribute) not in KINDS or change.before == change.after:
            continue
        asked = _asked(change, row, inventory.get(change.resource_id, {}), verdicts.get(change.resource_id))
        found.proposed.append(change)
        found.changes.setdefault(key_of(change), {})[change.resource_id] = asked
    return found


def _asked(change: Change, row: Mapping[str, Any], resource: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> AskedChange:
    is_in_code = row["file"] is not None
    is_proposed = verdict is not None and verdict["verdict"] == "propose"
    return AskedChange(
        resource_id=change.resource_id,
        resource_type=change.resource_type,
        account_id=resource.get("account_id"),
        region=change.region,
        attribute=change.attribute,
        before=change.before,
        after=change.after,
        savings_usd_month=round(change.savings_usd_month, 2),
        exceedance_pct=verdict["exceedance_pct"] if verdict is not None and is_proposed else None,
        risk=change.risk,
        risk_reasons=change.risk_reasons,
        why=said(verdict) if verdict is not None and is_proposed else " ".join(change.risk_reasons),
        evidence=change.evidence,
        note=_IN_CODE.format(where=f"{row['repository']} {row['file']}:{row['line']}") if is_in_code else _NO_CODE,
    )


def _request_id(plan: Plan, day: date) -> str:
    """The same for the same question on the same day, so that a night that was cut off asks it once."""
    text = f"{day} {plan.key.digest} {' '.join(plan.resource_ids)}"
    return f"apr-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _sentence(text: str) -> str:
    """What changed, with its full stop. It may begin with the id of a resource, which stays as it is."""
    return text if text.endswith(".") else f"{text}."


def _row(stored: store.Stored, runtime: Runtime) -> dict[str, Any]:
    request = stored.request
    approvals = [{"by": each.email, "source": each.source} for each in request.approvals]
    return {
        **_unasked(request.plan, request.state, request.reason or ""),
        "request_id": request.request_id,
        "revision": request.revision,
        "approvals": json.dumps(approvals),
        "missing": missing(request, policy_of(runtime.settings)) if request.state in LIVE else None,
        "opened_on": stored.opened_on,
        "expires_at": request.expires_at.astimezone(UTC).replace(tzinfo=None),
        "ended_on": stored.ended_on,
    }


def _planned(action: Action) -> dict[str, Any]:
    match action:
        case Open(plan):
            return _unasked(plan, PLANNED, "would be asked for")
        case Later(plan, why):
            return _unasked(plan, WAITING, why)
        case ReviseTo(request, plan, why):
            return {**_unasked(plan, PLANNED, f"would be asked anew: {why}"), "request_id": request.request_id}
        case Drop(request, why):
            return {**_unasked(request.plan, PLANNED, f"would be withdrawn: {why}"), "request_id": request.request_id}
        case Keep(request):
            return {**_unasked(request.plan, PLANNED, "would stay as it is"), "request_id": request.request_id}


def _unasked(plan: Plan, state: str, why: str) -> dict[str, Any]:
    changes = [
        {
            "resource_id": each.resource_id,
            "attribute": each.attribute,
            "before": each.before,
            "after": each.after,
            "savings_usd_month": each.savings_usd_month,
        }
        for each in plan.changes
    ]
    return {
        "digest": plan.key.digest,
        "request_id": "",
        "state": state,
        "detail": why,
        "revision": None,
        "service": plan.key.service,
        "environment": plan.key.environment,
        "owner": plan.key.owner,
        "risk": plan.key.risk,
        "is_rollback": plan.key.is_rollback,
        "changes": json.dumps(changes),
        "savings_usd_month": plan.savings_usd_month,
        "approvals": "[]",
        "missing": None,
        "opened_on": None,
        "expires_at": None,
        "ended_on": None,
    }
