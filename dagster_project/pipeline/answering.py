"""Proposals on the command line: what there is, and answers to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import asyncpg

from dagster_project.actions import proposal_store as store
from dagster_project.domain.proposals.memory import REJECTED, SNOOZED, Answer, told
from dagster_project.errors import InputError, NightshiftError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import PROPOSALS
from dagster_project.pipeline.approval_answers import requests_by_resource, say_no, told_of
from dagster_project.pipeline.approvers import at_machine
from dagster_project.pipeline.cash_report import cash_told
from dagster_project.pipeline.proposals import read_proposals
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state

SOURCE = "command line"


@dataclass(frozen=True, slots=True)
class Listed:
    """One proposal of a day. ``where`` is its line of code, or why it has none; ``held_back`` what speaks against it;
    ``request_id`` the approval request that it is part of now, with its state."""

    resource_id: str
    change: str
    savings_usd_month: float
    risk: str
    route: str
    where: str
    held_back: str | None
    request_id: str | None = None
    request_state: str | None = None
    list_savings_usd_month: float | None = None
    cash_savings_usd_month: float | None = None
    covered_pct: float | None = None
    cash_from: str | None = None
    cash_basis: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def listed(runtime: Runtime, day: date | None) -> tuple[date, list[Listed]]:
    """The proposals of a day, by default the newest that has any: what is to go back first, then what saves most."""
    chosen = _day(runtime, day)
    asked = in_state(runtime, requests_by_resource, is_new=True)
    rows = [replace(_listed(row), **asked.get(row["resource_id"], {})) for _, _, row in _rows(runtime, chosen)]
    return chosen, sorted(rows, key=lambda row: (row.savings_usd_month >= 0, -row.savings_usd_month, row.resource_id))


def shown(runtime: Runtime, resource_id: str, day: date | None) -> list[tuple[str, str]]:
    """One proposal as labels and values. Raises ``InputError`` where nothing is known of the resource."""
    chosen = _day(runtime, day)
    row = next((row for change, _, row in _rows(runtime, chosen) if change.resource_id == resource_id), None)
    answers, pulls, asked = in_state(runtime, lambda connection: _known(runtime, connection, resource_id), is_new=True)
    if row is None and not answers and not pulls and not asked:
        raise InputError(f"Nothing is proposed for {resource_id} on {chosen}, and nothing was; 'nightshift explain' says why.")
    lines = [("Resource", resource_id)]
    if row is not None:
        listed = _listed(row)
        lines += [
            ("Proposed on", str(chosen)),
            ("Change", f"{row['attribute']} {listed.change}"),
            ("Saves" if listed.savings_usd_month >= 0 else "Costs", f"${abs(listed.savings_usd_month):,.2f} a month"),
            *([("Cash now", cash_told(row))] if row["cash_basis"] is not None else []),
            ("Mode", row["mode"]),
            ("Goes to", listed.route),
            ("Where", listed.where),
            ("Risk", " ".join([f"{row['risk']}.", *json.loads(row["risk_reasons"])])),
        ]
        if listed.held_back:
            lines.append(("Held back", listed.held_back))
    lines += [("Answer", told(answer)) for answer in answers]
    lines += [("Pull request", text) for text in pulls]
    lines += [(label, text) for label, text in asked]
    return lines


async def _known(
    runtime: Runtime, connection: asyncpg.Connection, resource_id: str
) -> tuple[list[Answer], list[str], list[tuple[str, str]]]:
    answers = (await store.standing_answers(connection)).get(resource_id, ())
    records = await store.of_resource(connection, resource_id)
    pulls = [
        f"{record.repository}#{record.number or '?'} {record.state}, opened {record.opened_on}"
        + (f", {record.url}" if record.url else "")
        for record in records
    ]
    return list(answers), pulls, await told_of(runtime, connection, resource_id)


def reject(runtime: Runtime, resource_id: str, reason: str, actor: str) -> str:
    """Notes a rejection; returns what to say. Raises ``InputError`` for a resource that was never proposed."""
    return _answer(runtime, resource_id, REJECTED, None, reason, actor)


def snooze(runtime: Runtime, resource_id: str, until: date, reason: str, actor: str) -> str:
    """Notes that a resource is put off; returns what to say."""
    if until <= runtime.now.date():
        raise InputError(f"{until} is over; name a day to come with --until.")
    return _answer(runtime, resource_id, SNOOZED, until, reason, actor)


def unreject(runtime: Runtime, resource_id: str, actor: str) -> str:
    """Takes answers back; returns what to say. Raises ``InputError`` where none stands."""
    taken = in_state(runtime, lambda connection: store.withdraw(connection, [(resource_id, "")], actor, runtime.now), is_new=True)
    if not taken:
        raise InputError(f"Nothing stands against {resource_id}; 'nightshift proposals show {resource_id}' says what is known.")
    return f"{resource_id} may be proposed again."


def _answer(runtime: Runtime, resource_id: str, kind: str, until: date | None, reason: str, actor: str) -> str:
    days = runtime.lake.days(PROPOSALS)
    rows = _rows(runtime, days[-1]) if days else []
    change = next((change for change, _, _ in rows if change.resource_id == resource_id), None)
    answer = Answer(
        resource_id=resource_id,
        kind=kind,
        actor=actor,
        reason=reason,
        source=f"{SOURCE} {runtime.now:%Y-%m-%dT%H:%M:%S.%f}",
        answered_at=runtime.now,
        until=until,
        after=change.after if change else None,
        evidence=change.evidence if change else None,
    )

    async def note(connection: asyncpg.Connection) -> str | None:
        asked = await say_no(runtime, connection, resource_id, at_machine(runtime.settings, actor), reason or "-", until)
        if asked is None and change is None and not await store.of_resource(connection, resource_id):
            raise InputError(f"{resource_id} was never proposed; 'nightshift proposals list' has the names.")
        await store.note_answers(connection, [answer])
        return asked

    asked = in_state(runtime, note, is_new=True)
    return "\n".join([*([asked] if asked else []), f"{resource_id}: {told(answer)}."])


def _day(runtime: Runtime, day: date | None) -> date:
    days = runtime.lake.days(PROPOSALS)
    if day is None:
        if not days:
            raise NightshiftError("No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first.")
        return days[-1]
    runtime.lake.require(PROPOSALS, day)
    return day


def _rows(runtime: Runtime, day: date) -> list[tuple[Any, Any, dict[str, Any]]]:
    with open_engine(runtime.lake) as engine:
        engine.view(PROPOSALS, [day])
        return read_proposals(engine)


def _listed(row: Mapping[str, Any]) -> Listed:
    where = f"{row['repository']} {row['file']}:{row['line']}" if row["file"] else row["edit_sentence"]
    return Listed(
        resource_id=row["resource_id"],
        change=f"{row['value_before']} -> {row['value_after']}",
        savings_usd_month=round(row["savings_usd_month"], 2),
        risk=row["risk"],
        route=row["route"],
        where=where,
        held_back=row["held_back"],
        list_savings_usd_month=_cents(row["list_savings_usd_month"]),
        cash_savings_usd_month=_cents(row["cash_savings_usd_month"]),
        covered_pct=_cents(row["covered_pct"]),
        cash_from=None if row["cash_from"] is None else str(row["cash_from"]),
        cash_basis=row["cash_basis"],
    )


def _cents(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
