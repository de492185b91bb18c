"""Verdicts as proposals: what people answered, what would change, how risky that is, and its line of code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
import polars as pl

from dagster_project.actions import proposal_store
from dagster_project.domain.proposals.grouping import Place
from dagster_project.domain.proposals.memory import first_forbidding, first_holding, is_about_rollback, told
from dagster_project.domain.proposals.model import APPLY, REPORT_ONLY, Change, Evidence
from dagster_project.domain.proposals.pulls import Merged, not_live, waits_for
from dagster_project.domain.proposals.risk import risk_of
from dagster_project.domain.rightsizing.groups import PROPOSE_MINIMUM
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import PROPOSAL_ANSWERS, PROPOSALS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.clouds import closed_by_settings
from dagster_project.pipeline.infrastructure_code import NO_REPOSITORY, NOT_MANAGED, Located
from dagster_project.pipeline.repositories import open_code
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.pipeline.ways_back import FORBIDDING, ways_back
from dagster_project.settings import Mode, ProposalSettings, Settings
from dagster_project.statements import statement

PULL_REQUEST, APPROVAL, BY_HAND = "pull_request", "approval", "by_hand"
_UNMANAGED = (NO_REPOSITORY, NOT_MANAGED, "ignore_changes")
"""Why a change has no line of code that sets it: nothing takes it back when it is made in the cloud."""
_REQUIRED = ("required_vcpu", "required_memory_gib", "required_network_gbps", "required_disk_mbps", "required_disk_iops")

_MONEY = ("list_savings_usd_month", "cash_savings_usd_month", "covered_pct", "cash_from", "cash_basis")


def snapshot_answers(runtime: Runtime, day: date) -> int:
    """Writes ``proposal_answers`` of the day: what had been answered by its end and still held; returns its rows."""
    answers = _answers(runtime, _end_of(day))
    days = runtime.settings.proposals.rejection_days
    rows = [
        {
            "resource_id": answer.resource_id,
            "kind": answer.kind,
            "actor": answer.actor,
            "reason": answer.reason,
            "source": answer.source,
            "answered_at": answer.answered_at.astimezone(UTC).replace(tzinfo=None),
            "until": answer.until,
            "said": told(answer),
        }
        for each in answers.values()
        # Who does not want to go back has said nothing about the next smaller size.
        if (answer := first_holding([one for one in each if not is_about_rollback(one)], day, days)) is not None
    ]
    return write_frame(runtime.lake, PROPOSAL_ANSWERS, day, pl.DataFrame(rows, schema=schema(PROPOSAL_ANSWERS)))


def _answers(runtime: Runtime, before: datetime | None) -> proposal_store.Answers:
    return in_state(runtime, lambda connection: proposal_store.standing_answers(connection, before), is_new=True)


async def _merged(connection: asyncpg.Connection, repositories: Sequence[str]) -> Merged:
    """Merged changes that are not live yet."""
    return not_live([record for name in repositories for record in await proposal_store.records(connection, name)])


def propose(runtime: Runtime, day: date) -> tuple[int, list[str]]:
    """Writes ``proposals`` of the day, one row for each resource whose verdict is propose, or that is to go back.

    Returns its rows, and sentences about repositories or states that could not be read: what they may manage is proposed nowhere.
    """
    lake = runtime.lake
    lake.require(RIGHTSIZING_VERDICTS, day)
    with open_engine(lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        engine.view(RESOURCE_INVENTORY, [day])
        verdicts = engine.rows(statement("reports/proposed"))
        members = engine.rows(statement("reports/fleet_members"))
        forbidden = {row["resource_id"] for row in engine.rows(statement("reports/refused_for"), {"reason_codes": FORBIDDING})}
    changes = [change for row in verdicts if (change := change_of(row)) is not None]
    code = open_code(runtime, day)
    back = ways_back(lake, code, forbidden, day)
    going_back = {change.resource_id for change, _ in back}
    changes = [change for change in changes if change.resource_id not in going_back]
    located = code.locate(changes)
    wanted = [*back, *((change, located[change.resource_id]) for change in changes)]
    answers = _answers(runtime, None if runtime.is_newest(day) else _end_of(day))
    names = [settings.name for settings in runtime.settings.repositories]
    merged = in_state(runtime, lambda connection: _merged(connection, names))
    money = {row["resource_id"]: {name: row[name] for name in _MONEY} for row in verdicts if row["resource_id"] not in going_back}
    closed = {row["resource_id"]: closed_by_settings(runtime, row["account_id"]) for row in members}
    rows = [
        {
            **_row(change, place, answers, merged, day, runtime.settings, closed.get(change.resource_id)),
            **money.get(change.resource_id, {}),
        }
        for change, place in wanted
    ]
    return write_frame(lake, PROPOSALS, day, pl.DataFrame(rows, schema=schema(PROPOSALS))), code.problems


def change_of(row: Mapping[str, Any]) -> Change | None:
    """The change that a proposed verdict asks for; None where the inventory does not say what is there now."""
    if row["reason_code"] == PROPOSE_MINIMUM:
        attribute, before, after = "min_size", row["minimum_size"], row["target_minimum_size"]
    else:
        attribute = "instance_class" if row["resource_type"] == "rds_instance" else "instance_type"
        before, after = row["current_type"], row["target_type"]
    if before is None or after is None:
        return None
    risk, reasons = risk_of(row["resource_type"], attribute, row["environment"], row["exceedance_pct"], row["closest_event_pct"])
    return Change(
        resource_id=row["resource_id"],
        resource_type=row["resource_type"],
        service=row["service"],
        team=row["team"],
        environment=row["environment"],
        region=row["region"],
        attribute=attribute,
        before=str(before),
        after=str(after),
        savings_usd_month=row["savings_usd_month"],
        expected_usd_month=row["expected_usd_month"],
        risk=risk,
        risk_reasons=reasons,
        evidence=Evidence(
            fingerprint=row["fingerprint"],
            reason_code=row["reason_code"],
            demand=tuple(row[name] for name in _REQUIRED),
            emergencies=row["emergencies"] or 0,
            replayed_events=row["replayed_events"] or 0,
        ),
    )


def mode_of_service(service: str | None, environment: str | None, settings: ProposalSettings) -> Mode:
    """What may be done to resources of a service and environment, whatever the case of their names. A resource without the tag
    that a rule names may be one of the rule's: it is where the rule forbids, and is not where it allows."""
    for rule in settings.modes:
        pairs = ((rule.service, service), (rule.environment, environment))
        is_unknown = rule.mode == REPORT_ONLY
        if all(said is None or (is_unknown if has is None else said.lower() == has.lower()) for said, has in pairs):
            return rule.mode
    return settings.mode


def _route(change: Change, located: Located, teams: Sequence[str]) -> str:
    """Which way a change goes: a pull request where a line of code sets it, unless its team wants to be asked; an approval where
    no code does; else a person must make it."""
    if located.code in _UNMANAGED:
        return APPROVAL
    if located.place is None:
        return BY_HAND
    return APPROVAL if (change.team or "").lower() in {team.lower() for team in teams} else PULL_REQUEST


def _row(
    change: Change,
    located: Located,
    answers: proposal_store.Answers,
    merged: Merged,
    day: date,
    settings: Settings,
    closed: str | None,
) -> dict[str, Any]:
    """``closed`` is why nothing may be changed in its account."""
    rules = settings.proposals
    answer = first_forbidding(answers.get(change.resource_id, ()), change, day, rules.rejection_days)
    record, held_back = waits_for(change, merged), None
    if record is not None:
        held_back = f"Its change was merged with {record.repository}#{record.number} and is not live yet."
    if answer is not None:
        held_back = f"It was {told(answer)}."
    place, snapshot = located.place, located.snapshot
    mode = mode_of_service(change.service, change.environment, rules)
    route = _route(change, located, settings.approvals.teams)
    if held_back is None and route == APPROVAL and mode == APPLY:
        held_back = closed
    return {
        "resource_id": change.resource_id,
        "resource_type": change.resource_type,
        "service": change.service,
        "team": change.team,
        "environment": change.environment,
        "region": change.region,
        "attribute": change.attribute,
        "value_before": change.before,
        "value_after": change.after,
        "savings_usd_month": change.savings_usd_month,
        "expected_usd_month": change.expected_usd_month,
        "verdict_code": change.evidence.reason_code,
        "fingerprint": change.evidence.fingerprint,
        "demand": json.dumps(change.evidence.demand),
        "emergencies": change.evidence.emergencies,
        "replayed_events": change.evidence.replayed_events,
        "risk": change.risk,
        "risk_reasons": json.dumps(change.risk_reasons),
        "mode": mode,
        "route": route,
        "held_back": held_back,
        "repository": snapshot.settings.name if snapshot else None,
        "base": snapshot.base if snapshot else None,
        "base_sha": snapshot.sha if snapshot else None,
        "root": place.root if place else None,
        "workspace": place.workspace if place else None,
        "file": place.file if place else None,
        "start_byte": place.start_byte if place else None,
        "line": place.line if place else None,
        "address": place.address if place else None,
        "edit_code": located.code,
        "edit_sentence": located.sentence,
        "notes": json.dumps(place.notes if place else []),
        "other_plans": json.dumps(place.other_plans if place else []),
    }


def read_proposals(engine: Engine) -> list[tuple[Change, Place | None, dict[str, Any]]]:
    """The rows of ``proposals`` that an engine has in view, as values; the row itself for what is only told."""
    return [(_change(row), _place(row), row) for row in engine.rows(statement("reports/all_proposals"))]


def _change(row: Mapping[str, Any]) -> Change:
    names = ("resource_id", "resource_type", "service", "team", "environment", "region", "attribute", "risk")
    return Change(
        **{name: row[name] for name in names},
        before=row["value_before"],
        after=row["value_after"],
        savings_usd_month=row["savings_usd_month"],
        expected_usd_month=row["expected_usd_month"],
        risk_reasons=tuple(json.loads(row["risk_reasons"])),
        evidence=Evidence(
            row["fingerprint"], row["verdict_code"], tuple(json.loads(row["demand"])), row["emergencies"], row["replayed_events"]
        ),
    )


def _place(row: Mapping[str, Any]) -> Place | None:
    if row["route"] != PULL_REQUEST:
        return None
    names = ("repository", "base", "root", "workspace", "file", "start_byte", "line", "address")
    lists = {name: tuple(json.loads(row[name])) for name in ("notes", "other_plans")}
    return Place(**{name: row[name] for name in names}, **lists)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
