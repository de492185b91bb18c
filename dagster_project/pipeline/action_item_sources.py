"""What sources say of action items: the decision engine's table, imported postmortems, and what people wrote into ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import asyncpg

from dagster_project.actions import action_item_store, incident_store
from dagster_project.domain.action_items.due_dates import DuePolicy
from dagster_project.domain.action_items.model import CONTRACT, DOCUMENT, GITHUB, IMPORT
from dagster_project.domain.action_items.observing import Told, heard_in
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.domain.incidents.merging import written_by_people
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.errors import NightshiftError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import INCIDENT_ACTION_ITEMS, INCIDENTS, SERVICES
from dagster_project.pipeline.merged_documents import MergedDocument, merged_documents
from dagster_project.pipeline.postmortems import documented_incidents, edited_documents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.statements import statement

ACTIONS_SECTION = "actions"
_SAYS_NOTHING = re.compile(r"^\W*(?:nobody|none|no date|unknown|owner-[0-9a-f]{4}|tb[cd])?\W*$", re.IGNORECASE)
"""Cells of a generated table that stand for nothing, pseudonyms among them."""
_LONGEST_NAME = 300
_SHORT_KEY = re.compile(r"(?:(?P<owner>[\w.-]+)/)?(?P<name>[\w.-]+)?#(?P<number>\d{1,9})")


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What of an incident matters to its action items."""

    severity: str | None = None
    service: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What is said on a day. ``read``: sources that were read whole; ``incidents``: facts by incident; ``teams``: all that are
    known; ``documents``: files of the repository of postmortems that were read, by incident; ``problems``: sentences."""

    told: tuple[Told, ...]
    read: frozenset[str]
    incidents: Mapping[str, IncidentFacts]
    teams: frozenset[str]
    documents: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def policy_of(settings: Settings) -> DuePolicy:
    """The due-date policy of the settings."""
    return DuePolicy(settings.actions.sev1_days, settings.actions.sev2_days, settings.actions.other_days)


async def read_sources(runtime: Runtime, connection: asyncpg.Connection, day: date) -> Sources:
    """All that is said. Documents that people edit are read for the newest day alone: no other one has them."""
    rows, facts, teams = _of_lake(runtime, day)
    imported = await incident_store.imported_items(connection)
    facts |= _of_imports(imported, facts, teams)
    told = [_of_table(row, facts) for row in rows]
    read = {CONTRACT}
    for each in imported:
        source = heard_in(IMPORT, each.incident_id)
        read.add(source)
        told += [_of_import(item, each, source, facts) for item in each.items]
    documents: dict[str, str] = {}
    problems: list[str] = []
    if runtime.is_newest(day):
        for incident_id, text in edited_documents(runtime, day):
            source = heard_in(DOCUMENT, incident_id)
            read.add(source)
            told += _of_document(runtime, incident_id, text, source, facts)
        for merged in await _merged(runtime, connection, day, problems):
            source = heard_in(DOCUMENT, f"{merged.incident_id} in {runtime.settings.incidents.repository}")
            read.add(source)
            told += _of_document(runtime, merged.incident_id, merged.text, source, facts)
            documents[merged.incident_id] = merged.sha
    settings = runtime.settings
    clean = tuple(replace(_clean(each), tracker_key=key_of(settings, each)) for each in told)
    return Sources(clean, frozenset(read), facts, frozenset(teams.values()), documents, tuple(problems))


async def _merged(runtime: Runtime, connection: asyncpg.Connection, day: date, problems: list[str]) -> list[MergedDocument]:
    """Postmortems in their repository that people have changed since they were read; what cannot be read is a problem."""
    repository = runtime.settings.incidents.repository
    if repository is None or not runtime.settings.github.has_credentials:
        return []
    read = await action_item_store.documents_read(connection, repository)
    found: list[MergedDocument] = []
    try:
        for document in merged_documents(runtime, repository, documented_incidents(runtime, day), read):
            found.append(document)
    except NightshiftError as error:
        problems.append(f"{repository}: {error}")
    return found


def _clean(told: Told) -> Told:
    """Without secrets, and with names that are no longer than an index takes."""
    return replace(
        told,
        source_id=_name(told.source_id),
        title=secrets_removed(told.title),
        item_type=told.item_type and _clean_word(told.item_type),
        priority=told.priority and _clean_word(told.priority),
        owner=told.owner and _name(_clean_word(told.owner)),
    )


@lru_cache(maxsize=4096)
def _clean_word(text: str) -> str:
    # Owners, types and priorities are few, and come again in every item.
    return secrets_removed(text)


def _name(text: str) -> str:
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:_LONGEST_NAME]}…{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def key_of(settings: Settings, told: Told) -> str | None:
    """The key of an issue as its tracker writes it: "ops#12" is of the owner of the repository in the settings."""
    found = _SHORT_KEY.fullmatch(told.tracker_key or "") if told.tracker == GITHUB else None
    home = settings.actions.repository
    if found is None or home is None or found["owner"] or not found["name"]:
        return told.tracker_key
    return f"{home.partition('/')[0]}/{told.tracker_key}"


async def incident_facts(
    runtime: Runtime, connection: asyncpg.Connection, day: date | None
) -> tuple[dict[str, IncidentFacts], frozenset[str]]:
    """Facts of the decision engine's incidents as of a day, if there is one, and of imported ones; and all known teams."""
    facts: dict[str, IncidentFacts] = {}
    teams: dict[str, str] = {}
    if day is not None:
        _, facts, teams = _of_lake(runtime, day)
    facts |= _of_imports(await incident_store.imported_items(connection), facts, teams)
    return facts, frozenset(teams.values())


def _of_imports(
    imported: Iterable[incident_store.ImportedItems], facts: Mapping[str, IncidentFacts], teams: Mapping[str, str]
) -> dict[str, IncidentFacts]:
    """Facts of imported incidents that the decision engine does not have."""
    by_service = {fact.service: fact.team for fact in facts.values() if fact.service and fact.team} | dict(teams)
    return {
        each.incident_id: IncidentFacts(each.severity, each.service, by_service.get(each.service or ""))
        for each in imported
        if each.incident_id not in facts
    }


def _of_lake(runtime: Runtime, day: date) -> tuple[list[dict[str, Any]], dict[str, IncidentFacts], dict[str, str]]:
    """Rows of the decision engine's table, facts of its incidents, and team by service."""
    for table in (INCIDENT_ACTION_ITEMS, INCIDENTS, SERVICES):
        runtime.lake.require(table, day)
    with open_engine(runtime.lake) as engine:
        for table in (INCIDENT_ACTION_ITEMS, INCIDENTS, SERVICES):
            engine.view(table, [day])
        rows = engine.rows(statement("reports/told_action_items"))
        facts = {
            row["incident_id"]: IncidentFacts(row["severity"], row["service"], row["team"])
            for row in engine.rows(statement("reports/incident_facts"))
        }
        teams = {row["service"]: row["team"] for row in engine.rows(statement("reports/service_teams"))}
    return rows, facts, teams


def _of_table(row: Mapping[str, Any], facts: Mapping[str, IncidentFacts]) -> Told:
    return Told(
        source=CONTRACT,
        source_id=row["item_id"],
        title=row["title"],
        incident_id=row["incident_id"],
        item_type=row["item_type"],
        priority=row["priority"],
        owner=row["owner"],
        due_on=row["due_on"],
        state=row["state"],
        tracker=(row["tracker"] or "").strip().lower() or None,
        tracker_key=row["tracker_key"],
        created_at=row["created_at"],
        severity=facts.get(row["incident_id"] or "", IncidentFacts()).severity,
    )


def _of_import(
    item: Mapping[str, Any], document: incident_store.ImportedItems, source: str, facts: Mapping[str, IncidentFacts]
) -> Told:
    due = item.get("due_on")
    return Told(
        source=source,
        source_id=item.get("item_id") or f"{document.incident_id}:{item['title']}",
        title=item["title"],
        incident_id=document.incident_id,
        item_type=item.get("type"),
        priority=item.get("priority"),
        owner=item.get("owner"),
        due_on=date.fromisoformat(due) if due else None,
        state=item.get("state"),
        tracker=item.get("tracker"),
        tracker_key=item.get("tracker_key"),
        created_at=document.ended_at,
        severity=facts[document.incident_id].severity,
        place=item.get("place"),
        is_rewritable=True,
    )


def _of_document(
    runtime: Runtime, incident_id: str, text: str, source: str, facts: Mapping[str, IncidentFacts]
) -> Iterator[Told]:
    """Items of the list in one of our documents, where people changed it, and of what they added elsewhere."""
    name, zone = f"{incident_id}.md", runtime.settings.incidents.zone
    edited, added = written_by_people(text, ACTIONS_SECTION)
    for written, is_rendered in ((edited, True), (added, False)):
        read = read_text(written, name, zone=zone, identity=incident_id)
        for item in (item for each in read.incidents for item in each.action_items):
            yield Told(
                source=source,
                source_id=f"{source}:{item.item_id}",
                title=item.title,
                incident_id=incident_id,
                item_type=item.type,
                priority=_said(item.priority),
                owner=_said(item.owner),
                due_on=item.due_on,
                state=item.state,
                tracker=item.tracker,
                tracker_key=item.tracker_key,
                severity=facts.get(incident_id, IncidentFacts()).severity,
                place=f"the postmortem of {incident_id}",
                is_rewritable=True,
                is_rendered=is_rendered,
            )


def _said(text: str | None) -> str | None:
    return None if text is None or _SAYS_NOTHING.match(text) else text


def naive(at: datetime) -> datetime:
    """A moment as naive UTC, as everywhere in the domain."""
    return at.astimezone(UTC).replace(tzinfo=None)
