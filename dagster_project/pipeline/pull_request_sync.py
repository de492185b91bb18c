"""What happened on GitHub since the last night: what became of pull requests, and what people said in comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import asyncpg
import polars as pl

from dagster_project.actions import proposal_store as store
from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.memory import Answer
from dagster_project.domain.proposals.payload import Payload, from_body
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull
from dagster_project.domain.proposals.settle import CLOSING_MARK, Fate, Reply, Settled, settle_comments, settle_pulls
from dagster_project.lake.tables import PROPOSALS
from dagster_project.pipeline.repositories import Remote
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.pull_request import DASHBOARD_MARK, MARKS, reply_of

_OVERLAP = timedelta(hours=1)
"""Read again each time: clocks differ, and a change may show late."""
_COMMENTS_OVERLAP = timedelta(days=2)
_MOST_REFUSALS = 20
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
    answers: store.Answers
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
    # Closed between the two lists, it is in both: what is closed counts.
    seen = list({pull.number: pull for pull in sorted(seen, key=lambda pull: not pull.is_open)}.values())
    settled = settle_pulls(name, records, seen, github.login, lambda pull: github.has_comment(pull.number, CLOSING_MARK))
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
        if marks.dashboard is None:
            # Without this store, or for the first time: answers stand on it that nothing else remembers.
            dashboard = github.find_issue(DASHBOARD_MARK)
            marks = replace(marks, dashboard=dashboard.number if dashboard else None)
        await _answer_comments(runtime, connection, remote, seen, marks)
        marks = replace(marks, comments_read_until=runtime.now)
    marks = replace(marks, pulls_read_until=runtime.now)
    await store.note_marks(connection, name, marks)
    return Synced(seen, await store.records(connection, name), await store.standing_answers(connection), marks, tidy)


def _with(answers: store.Answers, settled: Settled) -> store.Answers:
    """The answers that would stand."""
    standing = {
        name: tuple(
            answer
            for answer in those
            if not any(name == taken and answer.source.startswith(source) for taken, source in settled.withdrawn)
        )
        for name, those in answers.items()
    }
    for answer in settled.answers:
        standing[answer.resource_id] = (answer, *standing.get(answer.resource_id, ()))
    return standing


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
            is_reopened = fate.state in pulls.PENDING and fate.record.state not in pulls.PENDING
            if is_reopened and not await store.make_way(connection, fate.record, day):
                continue  # its group has another one by now; this one is left alone
            record = await keep_fate(connection, fate, day)
            pull = by_number.get(fate.number or 0)
            if fate.state == pulls.CLOSED and fate.record.state == pulls.CLOSING and pull is not None:
                await store.update(connection, record, closed_at=pull.closed_at)
                tidy.append((pull.branch, pull.head_sha))
    return tidy


async def keep_fate(connection: asyncpg.Connection, fate: Fate, day: date) -> PullRecord:
    """Writes what became of a record; returns it as it is then."""
    is_over = fate.state not in pulls.PENDING
    known = {
        "number": fate.number,
        "url": fate.url,
        "merged_at": fate.merged_at,
        "reason": fate.reason,
        "merge_sha": fate.merge_sha,
    }
    changes = {name: value for name, value in known.items() if value is not None}
    return await store.update(connection, fate.record, state=fate.state, ended_on=day if is_over else None, **changes)


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
            merge_sha=pull.merge_sha,
            ended_on=None if state in pulls.PENDING else day,
        )


async def _answer_comments(
    runtime: Runtime, connection: asyncpg.Connection, remote: Remote, seen: list[SeenPull], marks: store.Marks
) -> None:
    """Follows what comments ask for and answers each once."""
    github, name = remote.github, remote.settings.name
    since = marks.comments_read_until - _COMMENTS_OVERLAP if marks.comments_read_until else runtime.now - _FIRST_READ
    read = [each for each in github.comments(since) if MARKS not in each.body]
    records = await store.records(connection, name, [each.number for each in read])
    about = _payloads(name, seen, records)
    mine = [each for each in read if each.number in about or each.number == marks.dashboard]
    known = await store.answered(connection, name, [each.id for each in mine])
    fresh = [each for each in mine if each.id not in known or each.updated_at > known[each.id]]
    standing = {
        resource: those
        for resource, answers in (await store.standing_answers(connection)).items()
        if (those := tuple(answer for answer in answers if is_of(answer, name)))
    }
    ours = _resources_of(runtime, name, records).union(standing)
    settled = settle_comments(fresh, about, marks.dashboard, standing, github.may_write, name, is_resource=ours.__contains__)
    async with connection.transaction():
        await store.withdraw(connection, settled.withdrawn, "a comment", runtime.now)
        await store.note_answers(connection, settled.answers)
        for rebuild in settled.rebuilds:
            for record in records:
                if record.number == rebuild.number and record.state in pulls.PENDING:
                    await store.update(connection, record, rebuild=rebuild.sha)
    for reply in _worth_saying(settled.replies):
        text, mark = reply_of(reply.comment_ident if reply.is_heard else f"refused {reply.author}", reply.text)
        github.comment(reply.number, mark, text)
    # Only now: a comment that is not noted is read again, and its answer found.
    for each in fresh:
        await store.note_answered(connection, name, each.id, each.updated_at)


def _worth_saying(replies: Sequence[Reply]) -> list[Reply]:
    """Everybody who is heard is answered; others once in a thread, and not more of them than leave room for the night's work."""
    refused = {(reply.number, reply.author): reply for reply in replies if not reply.is_heard}
    return [*(reply for reply in replies if reply.is_heard), *list(refused.values())[:_MOST_REFUSALS]]


def is_of(answer: Answer, repository: str) -> bool:
    """Whether an answer may be told and taken back in a repository: it was given there, or on the command line."""
    return "#" not in answer.source or answer.source.lower().startswith(f"{repository.lower()}#")


def _resources_of(runtime: Runtime, repository: str, records: Sequence[PullRecord]) -> frozenset[str]:
    """Resources whose size this repository sets: those of its pull requests, and of the newest proposals."""
    days = runtime.lake.days(PROPOSALS)
    names = {name for record in records for name in record.payload.resource_ids}
    if days:
        path = runtime.lake.require(PROPOSALS, days[-1])
        frame = pl.read_parquet(path, columns=["resource_id", "repository"], hive_partitioning=False)
        names |= set(frame.filter(pl.col("repository").str.to_lowercase() == repository.lower())["resource_id"])
    return frozenset(names)


def _payloads(repository: str, seen: list[SeenPull], records: Sequence[PullRecord]) -> Mapping[int, Payload]:
    remembered = {record.number: record.payload for record in records if record.number is not None}
    from_bodies = {pull.number: payload for pull in seen if (payload := from_body(pull.body)) is not None}
    believed = {
        number: payload for number, payload in from_bodies.items() if payload.key.repository.lower() == repository.lower()
    }
    return {**believed, **remembered}
