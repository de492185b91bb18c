"""The night's pull requests: what should be open is compared with what is, done as far as it is allowed, and put into the outbox
where it is not.

A repository that fails does not stop the others, and none of them stops the report.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

import asyncpg
import polars as pl

from dagster_project.actions import proposal_store as store
from dagster_project.actions.github.publisher import Code, NotNow, Publisher, Words
from dagster_project.actions.outbox import Parcel, write_outbox
from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.memory import Answer
from dagster_project.domain.proposals.model import APPLY, REPORT_ONLY, Change
from dagster_project.domain.proposals.pulls import PullRecord
from dagster_project.domain.proposals.reconcile import (
    Abandon,
    Action,
    Create,
    Hold,
    Limits,
    OpenPull,
    Standing,
    Tonight,
    Update,
    Wait,
    reconcile,
)
from dagster_project.domain.proposals.settle import merged_outcome
from dagster_project.errors import GithubError, GithubLimit, NightshiftError, told
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import PROPOSALS, PULL_REQUESTS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.dashboard import keep_dashboard
from dagster_project.pipeline.evening import Evening, sorted_out
from dagster_project.pipeline.infrastructure_code import UNREADABLE
from dagster_project.pipeline.proposal_views import said
from dagster_project.pipeline.proposals import APPROVAL, BY_HAND, mode_of_service, read_proposals
from dagster_project.pipeline.pull_request_outbox import in_outbox, parcels_of
from dagster_project.pipeline.pull_request_rows import FAILED, GOES_BACK, Row, planned, row_of, together, waiting
from dagster_project.pipeline.pull_request_sync import Synced, keep_fate, sync
from dagster_project.pipeline.pull_request_texts import words_of
from dagster_project.pipeline.repositories import Remote, open_code, remote_of, require_writable
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.pull_request import FROZEN_MARK, closing_of, freezing_of
from dagster_project.settings import RepositorySettings
from dagster_project.statements import statement

LATER = "it waits for what could not be done tonight"
_DOING = "its pull requests were looked at"
_MOST_PROBLEMS = 10
"""Failures after which a repository's night is over."""


def may_write(runtime: Runtime, day: date) -> bool:
    """Whether anything outside may be written for a day: of the newest day, by no dry run, with no kill switch thrown, and only
    where some mode allows it."""
    settings = runtime.settings
    modes = {settings.proposals.mode, *(rule.mode for rule in settings.proposals.modes)}
    return runtime.is_newest(day) and not runtime.is_dry_run and not settings.is_stopped and modes != {REPORT_ONLY}


def read_answers(runtime: Runtime, day: date) -> list[str]:
    """Reads what happened on GitHub since the last night, before the verdicts are made; returns sentences about what failed."""
    if not runtime.settings.github.has_credentials or not runtime.is_newest(day):
        return []
    return in_state(runtime, lambda connection: _read_answers(runtime, connection, day), is_new=True)


async def _read_answers(runtime: Runtime, connection: asyncpg.Connection, day: date) -> list[str]:
    problems = []
    for settings in runtime.settings.repositories:
        try:
            async with _alone(connection, settings.name):
                await _synced(runtime, connection, remote_of(runtime, settings), day)
        except Exception as error:
            problems.append(f"{settings.name}: {told(error, _DOING)}")
    return problems


@asynccontextmanager
async def _alone(connection: asyncpg.Connection, repository: str) -> AsyncIterator[None]:
    """Keeps other runs from a repository meanwhile; raises ``GithubError`` where one of them is at it."""
    key = f"nightshift {repository.lower()}"
    if not await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", key):
        raise GithubError("another run is working on it; nothing was done.")
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", key)


async def _synced(runtime: Runtime, connection: asyncpg.Connection, remote: Remote, day: date) -> Synced:
    """The repository as it stands; read once in a run."""
    key = f"{remote.settings.name} synced"
    if key not in runtime.remotes:
        runtime.remotes[key] = await sync(runtime, connection, remote, day, may_write=may_write(runtime, day))
    found: Synced = runtime.remotes[key]
    return found


def publish(runtime: Runtime, day: date) -> tuple[int, list[str]]:
    """Writes ``pull_requests`` of the day after having done what it says; returns its rows, and sentences about what failed."""
    runtime.lake.require(PROPOSALS, day)
    with open_engine(runtime.lake) as engine:
        engine.view(PROPOSALS, [day])
        rows = read_proposals(engine)
    evening = Evening(day, rows, open_code(runtime, day))
    found = in_state(runtime, lambda connection: _publish(runtime, connection, evening), is_new=True)
    table = [
        {name: json.dumps(value) if isinstance(value := getattr(row, name), tuple) else value for name in PULL_REQUESTS.columns}
        for row in found
    ]
    written = write_frame(runtime.lake, PULL_REQUESTS, day, pl.DataFrame(table, schema=schema(PULL_REQUESTS), orient="row"))
    problems = [f"{row.repository}: {row.detail}" for row in found if row.state == FAILED]
    return written, [*evening.code.problems, *(each for each in problems if each not in evening.code.problems)]


async def _publish(runtime: Runtime, connection: asyncpg.Connection, evening: Evening) -> list[Row]:
    found: list[Row] = []
    parcels: list[Parcel] = []
    for settings in runtime.settings.repositories:
        try:
            if runtime.settings.github.has_credentials and runtime.is_newest(evening.day):
                async with _alone(connection, settings.name):
                    rows, mine = await _on_github(runtime, connection, evening, remote_of(runtime, settings))
            else:
                rows, mine = in_outbox(runtime, evening, settings, await store.standing_answers(connection))
            found += rows
            parcels += mine
        except Exception as error:
            found.append(Row(settings.name, "", FAILED, detail=told(error, _DOING)))
    write_outbox(runtime.settings.outbox, evening.day, parcels)
    return found


# One repository on GitHub.


async def _on_github(
    runtime: Runtime, connection: asyncpg.Connection, evening: Evening, remote: Remote
) -> tuple[list[Row], list[Parcel]]:
    name = remote.settings.name
    synced = await _synced(runtime, connection, remote, evening.day)
    _look_up(runtime, evening, [record.payload.resource_ids for record in synced.records])
    records = await _follow_merged(runtime, connection, evening, remote, synced)
    tonight = _tonight(runtime, evening, remote, synced, records)
    settings = runtime.settings.proposals
    # Run again, a night has opened already what it has opened.
    opened = sum(record.opened_on == evening.day and record.number is not None for record in records)
    new = max(0, settings.max_new_per_night - opened)
    limits = Limits(settings.max_items, settings.max_open, new, settings.stale_evidence_days)
    actions = reconcile(tonight, _open_pulls(synced, records), records, limits)
    if may_write(runtime, evening.day):
        require_writable(remote)
        return await _perform(runtime, connection, evening, remote, synced, actions), []
    waits = together([action for action in actions if isinstance(action, Wait)])
    rows = [planned(name, action) for action in (*(each for each in actions if not isinstance(each, Wait)), *waits)]
    groups = [action.group for action in actions if isinstance(action, Create)]
    return rows, parcels_of(runtime, evening, remote.settings, groups)


async def _follow_merged(
    runtime: Runtime, connection: asyncpg.Connection, evening: Evening, remote: Remote, synced: Synced
) -> list[PullRecord]:
    """Notes which merged pull requests are live now, and what was taken back in the code; returns the other records."""
    in_code = {change.resource_id: change.before for change, place, _ in evening.rows if place is not None}
    kept = []
    for record in synced.records:
        if record.state != pulls.MERGED:
            kept.append(record)
            continue
        # The code was read at one moment and the merge may have come after it, or went to another branch.
        has_merge = record.merge_sha is not None and remote.github.has_commit(record.merge_sha, remote.head.sha)
        outcome = merged_outcome(record, evening.live, in_code if has_merge else {}, evening.day)
        answers = _taken_back(runtime, record, outcome.reverted)
        for answer in answers:
            synced.answers[answer.resource_id] = (answer, *synced.answers.get(answer.resource_id, ()))
        if outcome.fate is None:
            kept.append(record)
        if not runtime.is_dry_run:
            async with connection.transaction():
                await store.note_answers(connection, answers)
                if outcome.fate is not None:
                    await keep_fate(connection, outcome.fate, evening.day)
    return kept


def _taken_back(runtime: Runtime, record: PullRecord, names: Sequence[str]) -> list[Answer]:
    """A change that was merged and taken back is one that somebody does not want."""
    return [
        Answer(
            resource_id=each.resource_id,
            kind="rejected",
            actor="a revert",
            reason=f"#{record.number} was merged and taken back",
            source=f"{record.repository}#{record.number}:reverted",
            answered_at=runtime.now,
            after=each.after,
            evidence=each.evidence,
        )
        for each in record.payload.resources
        if each.resource_id in names
    ]


def _open_pulls(synced: Synced, records: Sequence[PullRecord]) -> list[OpenPull]:
    by_number = {record.number: record for record in records if record.number is not None}
    return [OpenPull(pull, by_number.get(pull.number)) for pull in synced.seen if pull.is_open]


def _look_up(runtime: Runtime, evening: Evening, held: Sequence[tuple[str, ...]]) -> None:
    """Reads tonight's verdicts and the live sizes of resources that pull requests hold."""
    names = sorted({name for each in held for name in each} - evening.standings.keys())
    if not names:
        return
    with open_engine(runtime.lake) as engine:
        _note_standings(runtime, evening, engine, names)


def _note_standings(runtime: Runtime, evening: Evening, engine: Engine, names: list[str]) -> None:
    engine.view(RIGHTSIZING_VERDICTS, [evening.day])
    engine.view(RESOURCE_INVENTORY, [evening.day])
    for row in engine.rows(statement("reports/verdicts_of"), {"resource_ids": names}):
        name = row["resource_id"]
        evening.standings[name] = Standing(row["verdict"], row["reason_code"], said(row))
        evening.modes[name] = mode_of_service(row["service"], row["environment"], runtime.settings.proposals)
    for row in engine.rows(statement("reports/live_sizes"), {"resource_ids": names}):
        name, minimum = row["resource_id"], row["minimum_size"]
        for attribute in ("instance_type", "instance_class"):
            evening.live[name, attribute] = row["instance_type"]
        evening.live[name, "min_size"] = None if minimum is None else str(minimum)


def _tonight(runtime: Runtime, evening: Evening, remote: Remote, synced: Synced, records: Sequence[PullRecord]) -> Tonight:
    merged = pulls.not_live(records)
    items, held_back, untouchable = sorted_out(runtime, evening, remote.settings, synced.answers, merged, may_act=True)
    untouchable |= {name for name, mode in evening.modes.items() if mode == REPORT_ONLY}
    paths = {path for record in records if record.state in pulls.PENDING for path, _ in record.payload.base_blobs}
    blobs = {path: entry.sha for path, entry in remote.github.entries(remote.head.tree_sha, paths).items()}
    rebuilds = {record.number: record.rebuild for record in records if record.number is not None and record.rebuild is not None}
    nights = runtime.lake.days(RIGHTSIZING_VERDICTS)
    return Tonight(
        evening.day,
        remote.base,
        items,
        evening.standings,
        held_back,
        blobs,
        rebuilds,
        frozenset(untouchable),
        nights,
        evening.live,
    )


async def _perform(
    runtime: Runtime,
    connection: asyncpg.Connection,
    evening: Evening,
    remote: Remote,
    synced: Synced,
    actions: Sequence[Action],
) -> list[Row]:
    settings, day = remote.settings, evening.day
    folder = next((root.snapshot.folder for root in evening.code.roots if root.snapshot.settings.name == settings.name), None)
    publisher = Publisher(
        remote.github,
        remote.about,
        remote.head,
        connection,
        day,
        Words(
            lambda group, payload, dropped: words_of(runtime, day, settings, folder, group, payload, dropped) if folder else None,
            closing_of,
            freezing_of,
            FROZEN_MARK,
        ),
        Code(evening.code.original, evening.code.contents),
    )
    for branch, sha in synced.tidy:
        if remote.github.head(branch) == sha:
            publisher.delete_branch(branch, sha)
    waits = [action for action in actions if isinstance(action, Wait)]
    problems: list[NightshiftError] = []
    # What comes after may lean on what was not done: a pull request is opened only when the one that it replaces is closed.
    blocked: set[str] = set()
    is_over = False
    label = f"Pull requests of {settings.name}"
    for number, action in enumerate(actions):
        runtime.progress.update(label, number, len(actions))
        if isinstance(action, Wait | Hold):
            continue
        # Asked before each: a switch that is thrown stops a night that runs.
        is_over = is_over or not may_write(runtime, day)
        if is_over or (isinstance(action, Create) and blocked & set(action.group.resource_ids)):
            if isinstance(action, Create):
                waits.append(Wait(action.group.key, action.group.items, LATER))
            continue
        try:
            await publisher.perform(action)
        except NotNow as later:
            blocked |= _concerned(action)
            if isinstance(action, Create):
                waits.append(Wait(action.group.key, action.group.items, later.why))
        except NightshiftError as error:
            problems.append(error)
            blocked |= _concerned(action)
            is_over = isinstance(error, GithubLimit) or len(problems) >= _MOST_PROBLEMS
    runtime.progress.update(label, len(actions), len(actions))
    records = await store.of_day(connection, settings.name, day)
    rows = [row_of(record, actions) for record in records]
    rows += [waiting(settings.name, wait) for wait in together(waits)]
    if not is_over and settings.has_dashboard and remote.about.has_issues:
        ours = {change.resource_id for change, _, row in evening.rows if row["repository"] == settings.name}
        ours |= {name for record in records for name in record.payload.resource_ids}
        try:
            await keep_dashboard(runtime, connection, remote, synced, records, waits, _refused(evening, settings), ours, day)
        except NightshiftError as error:
            problems.append(error)
    return rows + [Row(settings.name, "", FAILED, detail=str(problem)) for problem in problems]


def _concerned(action: Action) -> set[str]:
    """Resources that an action is about, which another one must not take while it is not done."""
    if isinstance(action, Create):
        return set(action.group.resource_ids)
    payload = action.record.payload if isinstance(action, Abandon) else action.pull.payload
    held = set(payload.resource_ids) if payload else set()
    return held | set(action.group.resource_ids) if isinstance(action, Update) else held


def _refused(evening: Evening, settings: RepositorySettings) -> list[tuple[Change, str]]:
    """Changes that no edit of this repository can make, and why; those that no repository manages are told in each."""
    return [
        (change, f"{GOES_BACK}: {row['edit_sentence']}" if change.is_rollback else row["edit_sentence"])
        for change, _, row in evening.rows
        if (row["route"] == BY_HAND or (row["route"] == APPROVAL and row["mode"] != APPLY))
        and row["mode"] != REPORT_ONLY
        and row["repository"] in (None, settings.name)
        and row["edit_code"] != UNREADABLE
    ]
