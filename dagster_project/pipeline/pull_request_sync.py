"""What happened on GitHub since the last night: what became of pull requests, and what people said in comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import asyncpg
import polars as pl

from dagster_project.actions import proposal_store as store
from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.memory import Answer
from dagster_project.domain.proposals.payload import Payload, from_body
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull
from dagster_project.domain.proposals.settle import CLOSING_MARK, Fate, Settled, settle_comments, settle_pulls
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.repositories import Remote
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.pull_request import MARKS, reply_of

_OVERLAP = timedelta(hours=1)
"""Read again each time: clocks differ, and a change may show late."""
_FIRST_READ = timedelta(days=30)
"""How far back comments are read where none were read yet."""
_CLOSED_READ = 1000
"""Closed pull requests that are looked through where nothing is known of a repository yet."""


@dataclass(slots=True)
class Synced:
    """A repository as it stands. ``records`` are those that something may become of; ``tidy`` are branches, with their last
    commits, of pull requests that we were closing."""

    seen: list[SeenPull]
    records: list[PullRecord]
    answers: dict[str, Answer]
    marks: store.Marks
    tidy: list[tuple[str, str]] = field(default_factory=list)


async def sync(runtime: Runtime, connection: asyncpg.Connection, remote: Remote, day: date, *, may_write: bool) -> Synced:
    """Reads what is new, keeps it, and answers comments where writing is allowed. A dry run keeps nothing."""
    github, name = remote.github, remote.settings.name
    marks = await store.marks(connection, name)
    since = marks.pulls_read_until - _OVERLAP if marks.pulls_read_until else None
    seen = github.open_pulls() + github.closed_pulls(since, _CLOSED_READ)
    records = await store.records(connection, name, [pull.number for pull in seen])
    there = {pull.number for pull in seen}
    for record in records:
        if record.state in pulls.PENDING and record.number is not None and record.number not in there:
            pull = github.pull(record.number)
            if pull is not None:
                seen.append(pull)
    settled = settle_pulls(records, seen, github.login, lambda pull: github.has_comment(pull.number, CLOSING_MARK))
    if runtime.is_dry_run:
        answers = _with(await store.standing_answers(connection), settled)
        changed = {
            fate.record.id: replace(fate.record, state=fate.state, number=fate.number or fate.record.number)
            for fate in settled.fates
        }
        return Synced(seen, [changed.get(record.id, record) for record in records], answers, marks)
    tidy = await _keep(runtime, connection, settled, seen, day)
    await _adopt(connection, remote, settled, day)
    if may_write:
        await _answer_comments(runtime, connection, remote, seen, await store.records(connection, name), marks)
        marks = replace(marks, comments_read_until=runtime.now)
    marks = replace(marks, pulls_read_until=runtime.now)
    await store.note_marks(connection, name, marks)
    return Synced(seen, await store.records(connection, name), await store.standing_answers(connection), marks, tidy)


def _with(answers: dict[str, Answer], settled: Settled) -> dict[str, Answer]:
    """The answers that would stand; of a resource with several, the next one is not looked for."""
    standing = {
        name: answer
        for name, answer in answers.items()
        if not any(name == taken and answer.source.startswith(source) for taken, source in settled.withdrawn)
    }
    return standing | {answer.resource_id: answer for answer in settled.answers}


async def _keep(
    runtime: Runtime, connection: asyncpg.Connection, settled: Settled, seen: list[SeenPull], day: date
) -> list[tuple[str, str]]:
    """Writes what became of records and what it answers, in one transaction; returns branches that are to be deleted."""
    by_number = {pull.number: pull for pull in seen}
    tidy = []
    async with connection.transaction():
        await store.withdraw(connection, settled.withdrawn, "reopened", runtime.now)
        await store.note_answers(connection, settled.answers)
        for fate in settled.fates:
            if fate.state in pulls.PENDING and fate.record.state not in pulls.PENDING:
                await store.make_way(connection, fate.record, day)
            await keep_fate(connection, fate, day)
            pull = by_number.get(fate.number or 0)
            if fate.state == pulls.CLOSED and fate.record.state == pulls.CLOSING and pull is not None:
                tidy.append((pull.branch, pull.head_sha))
    return tidy


async def keep_fate(connection: asyncpg.Connection, fate: Fate, day: date) -> None:
    """Writes what became of a record."""
    is_over = fate.state not in pulls.PENDING
    known = {"number": fate.number, "url": fate.url, "merged_at": fate.merged_at, "reason": fate.reason}
    changes = {name: value for name, value in known.items() if value is not None}
    await store.update(connection, fate.record, state=fate.state, ended_on=day if is_over else None, **changes)


async def _adopt(connection: asyncpg.Connection, remote: Remote, settled: Settled, day: date) -> None:
    """Takes up pull requests of ours that no record knows, because it was lost."""
    for pull, state in settled.unknown:
        payload = from_body(pull.body)
        if payload is None:
            continue
        # A person's amendment of our commit would not name its own tree.
        is_ours = pull.is_open and remote.github.commit(pull.head_sha).is_ours
        await store.insert(
            connection,
            payload,
            pull.branch,
            state,
            day,
            number=pull.number,
            head_sha=pull.head_sha if is_ours or not pull.is_open else None,
            url=pull.url,
            merged_at=pull.merged_at,
            ended_on=None if state in pulls.PENDING else day,
        )


async def _answer_comments(
    runtime: Runtime,
    connection: asyncpg.Connection,
    remote: Remote,
    seen: list[SeenPull],
    records: list[PullRecord],
    marks: store.Marks,
) -> None:
    """Follows what comments ask for and answers each once."""
    github, name = remote.github, remote.settings.name
    about = _payloads(seen, records)
    if not about and marks.dashboard is None:
        return
    since = marks.comments_read_until - _OVERLAP if marks.comments_read_until else runtime.now - _FIRST_READ
    read = [each for each in github.comments(since) if MARKS not in each.body]
    mine = [each for each in read if each.number in about or each.number == marks.dashboard]
    fresh = await store.unanswered(connection, name, [each.id for each in mine])
    standing = await store.standing_answers(connection)
    fresh_ones = [each for each in mine if each.id in fresh]
    settled = settle_comments(
        fresh_ones, about, marks.dashboard, standing, github.may_write, name, is_resource=_inventory(runtime).__contains__
    )
    async with connection.transaction():
        await store.withdraw(connection, settled.withdrawn, "a comment", runtime.now)
        await store.note_answers(connection, settled.answers)
        for rebuild in settled.rebuilds:
            for record in records:
                if record.number == rebuild.number:
                    await store.update(connection, record, rebuild=rebuild.sha)
    for reply in settled.replies:
        text, mark = reply_of(reply.comment_id, reply.text)
        github.comment(reply.number, mark, text)
    # Only now: a comment that is not noted is read again, and its answer found.
    for each in mine:
        await store.note_answered(connection, name, each.id, each.created_at)


def _inventory(runtime: Runtime) -> frozenset[str]:
    """The resources of the newest inventory."""
    days = runtime.lake.days(RESOURCE_INVENTORY)
    if not days:
        return frozenset()
    frame = pl.read_parquet(runtime.lake.require(RESOURCE_INVENTORY, days[-1]), columns=["resource_id"], hive_partitioning=False)
    return frozenset(frame["resource_id"])


def _payloads(seen: list[SeenPull], records: list[PullRecord]) -> Mapping[int, Payload]:
    remembered = {record.number: record.payload for record in records if record.number is not None}
    from_bodies = {pull.number: payload for pull in seen if (payload := from_body(pull.body)) is not None}
    return {**from_bodies, **remembered}
