"""What the state store remembers of proposals: pull requests, what people answered, and how far each repository was read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from dagster_project.domain.proposals.memory import Answer
from dagster_project.domain.proposals.model import Evidence
from dagster_project.domain.proposals.payload import Payload, from_json, to_json
from dagster_project.domain.proposals.pulls import PullRecord
from dagster_project.errors import StateError

Answers = dict[str, tuple[Answer, ...]]
_ANSWERED_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a repository was read, and its dashboard issue. None before the first time."""

    pulls_read_until: datetime | None = None
    comments_read_until: datetime | None = None
    dashboard: int | None = None


async def records(connection: asyncpg.Connection, repository: str, numbers: Iterable[int] = ()) -> list[PullRecord]:
    """Records that something may still become of (pending, or merged and not live), and those of ``numbers``."""
    rows = await connection.fetch(
        "select * from nightshift.pull_requests where repository = $1 "
        "and (state in ('opening', 'open', 'closing', 'merged') or number = any($2::integer[])) order by id",
        repository.lower(),
        sorted(set(numbers)),
    )
    return [_record(row) for row in rows]


async def of_day(connection: asyncpg.Connection, repository: str, day: date) -> list[PullRecord]:
    """What stands after a night: records that are pending or merged and not live, and those that ended with it."""
    rows = await connection.fetch(
        "select * from nightshift.pull_requests where repository = $1 "
        "and (state in ('opening', 'open', 'closing', 'merged') or ended_on = $2) order by id",
        repository.lower(),
        day,
    )
    return [_record(row) for row in rows]


async def merged_since(connection: asyncpg.Connection, day: date) -> list[PullRecord]:
    """Records of all repositories that were merged and are not live as a whole, and those that became live since ``day``."""
    rows = await connection.fetch(
        "select * from nightshift.pull_requests where state = 'merged' or (state = 'applied' and ended_on >= $1) order by id", day
    )
    return [_record(row) for row in rows]


async def of_resource(connection: asyncpg.Connection, resource_id: str) -> list[PullRecord]:
    """Every pull request that a resource was ever part of, the last one first."""
    rows = await connection.fetch(
        "select * from nightshift.pull_requests where payload @> $1 order by id desc",
        json.dumps({"resources": [{"resource_id": resource_id}]}),
    )
    return [_record(row) for row in rows]


async def known_commits(connection: asyncpg.Connection, repository: str, digest: str) -> set[str]:
    """Every commit that was ever pushed to a group's branch: one of them on a leftover branch is ours."""
    rows = await connection.fetch(
        "select head_sha, pending_sha from nightshift.pull_requests where repository = $1 and digest = $2",
        repository.lower(),
        digest,
    )
    return {sha for row in rows for sha in row if sha}


async def insert(
    connection: asyncpg.Connection,
    payload: Payload,
    branch: str,
    state: str,
    day: date,
    *,
    number: int | None = None,
    head_sha: str | None = None,
    url: str | None = None,
    merged_at: datetime | None = None,
    merge_sha: str | None = None,
    ended_on: date | None = None,
) -> PullRecord:
    """Writes down that a pull request is about to be opened, or was found. One that another run wrote down meanwhile is returned
    instead."""
    row = await connection.fetchrow(
        "insert into nightshift.pull_requests (repository, digest, branch, state, payload, opened_on, confirmed_on, number, "
        "head_sha, url, merged_at, ended_on, merge_sha) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12) "
        "on conflict do nothing returning *",
        payload.key.repository.lower(),
        payload.key.digest,
        branch,
        state,
        to_json(payload),
        day,
        number,
        head_sha,
        url,
        merged_at,
        ended_on,
        merge_sha,
    )
    if row is None:
        row = await connection.fetchrow(
            "select * from nightshift.pull_requests where repository = $1 and (number = $2 or (digest = $3 and state in "
            "('opening', 'open', 'closing'))) order by number = $2 desc nulls last, id desc",
            payload.key.repository.lower(),
            number,
            payload.key.digest,
        )
    return _record(row)


async def update(connection: asyncpg.Connection, record: PullRecord, **changes: Any) -> PullRecord:
    """Changes columns of a record; returns it as it is then."""
    values = {name: to_json(value) if isinstance(value, Payload) else value for name, value in changes.items()}
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=2))
    row = await connection.fetchrow(
        f"update nightshift.pull_requests set {columns}, changed_at = now() where id = $1 returning *",
        record.id,
        *values.values(),
    )
    return _record(row)


async def make_way(connection: asyncpg.Connection, record: PullRecord, day: date) -> bool:
    """Ends what was begun for the group of a pull request that was opened again; whether it may take the group's place, which it
    may not where another pull request has it."""
    await connection.execute(
        "update nightshift.pull_requests set state = 'closed', reason = 'an earlier one was opened again', ended_on = $4, "
        "changed_at = now() where repository = $1 and digest = $2 and id <> $3 and state = 'opening' and number is null",
        record.repository.lower(),
        record.digest,
        record.id,
        day,
    )
    is_taken = await connection.fetchval(
        "select exists (select from nightshift.pull_requests where repository = $1 and digest = $2 and id <> $3 "
        "and state in ('opening', 'open', 'closing'))",
        record.repository.lower(),
        record.digest,
        record.id,
    )
    return not is_taken


async def standing_answers(connection: asyncpg.Connection, before: datetime | None = None) -> Answers:
    """The answers to each resource that were not withdrawn: rejections before snoozes, the last one first. Of those given
    before a moment, where one is named."""
    rows = await connection.fetch(
        "select * from nightshift.proposal_answers where ($1::timestamptz is null or answered_at < $1) "
        "and (withdrawn_at is null or withdrawn_at >= $1) "
        "order by resource_id, kind = 'rejected' desc, answered_at desc, id desc",
        before,
    )
    found: dict[str, tuple[Answer, ...]] = {}
    for row in rows:
        found[row["resource_id"]] = (*found.get(row["resource_id"], ()), _answer(row))
    return found


async def note_answers(connection: asyncpg.Connection, answers: Iterable[Answer]) -> None:
    """Keeps answers; one that is known already (by resource and source) stays as it is."""
    await connection.executemany(
        "insert into nightshift.proposal_answers (resource_id, kind, actor, reason, source, answered_at, until, after, evidence) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (resource_id, source) do nothing",
        [
            (
                answer.resource_id,
                answer.kind,
                answer.actor,
                answer.reason,
                answer.source,
                answer.answered_at,
                answer.until,
                answer.after,
                json.dumps(asdict(answer.evidence)) if answer.evidence else None,
            )
            for answer in answers
        ],
    )


async def withdraw(connection: asyncpg.Connection, withdrawn: Iterable[tuple[str, str]], by: str, at: datetime) -> int:
    """Takes back answers, given by resource and what their sources begin with; returns how many stood."""
    taken = 0
    for resource_id, source in withdrawn:
        status = await connection.execute(
            "update nightshift.proposal_answers set withdrawn_at = $3, withdrawn_by = $4 "
            "where resource_id = $1 and starts_with(source, $2) and withdrawn_at is null",
            resource_id,
            source,
            at,
            by,
        )
        taken += int(status.rpartition(" ")[2])
    return taken


async def marks(connection: asyncpg.Connection, repository: str) -> Marks:
    """How far a repository was read."""
    row = await connection.fetchrow(
        "select pulls_read_until, comments_read_until, dashboard from nightshift.repository_marks where repository = $1",
        repository.lower(),
    )
    return Marks(**row) if row else Marks()


async def note_marks(connection: asyncpg.Connection, repository: str, marks: Marks) -> None:
    """Notes how far a repository was read, and forgets comments that cannot be read again."""
    await connection.execute(
        "insert into nightshift.repository_marks (repository, pulls_read_until, comments_read_until, dashboard) "
        "values ($1, $2, $3, $4) on conflict (repository) do update set pulls_read_until = excluded.pulls_read_until, "
        "comments_read_until = excluded.comments_read_until, dashboard = excluded.dashboard",
        repository.lower(),
        marks.pulls_read_until,
        marks.comments_read_until,
        marks.dashboard,
    )
    if marks.comments_read_until is not None:
        await connection.execute(
            "delete from nightshift.answered_comments where repository = $1 and commented_at < $2",
            repository.lower(),
            marks.comments_read_until - _ANSWERED_KEPT,
        )


async def answered(connection: asyncpg.Connection, repository: str, comment_ids: Sequence[int]) -> dict[int, datetime]:
    """Of some comments those that were answered, with the moment at which they had been written or edited last."""
    rows = await connection.fetch(
        "select comment_id, commented_at from nightshift.answered_comments where repository = $1 "
        "and comment_id = any($2::bigint[])",
        repository.lower(),
        list(comment_ids),
    )
    return {row["comment_id"]: row["commented_at"] for row in rows}


async def note_answered(connection: asyncpg.Connection, repository: str, comment_id: int, at: datetime) -> None:
    """Notes that a comment was answered."""
    await connection.execute(
        "insert into nightshift.answered_comments (repository, comment_id, commented_at) values ($1, $2, $3) "
        "on conflict (repository, comment_id) do update set commented_at = excluded.commented_at",
        repository.lower(),
        comment_id,
        at,
    )


def _record(row: asyncpg.Record) -> PullRecord:
    payload = from_json(row["payload"])
    if payload is None:
        raise StateError(
            f"The record {row['id']} of nightshift.pull_requests holds no proposal of this version; upgrade Nightshift."
        )
    names = PullRecord.__dataclass_fields__.keys() - {"payload", "repository"}
    return PullRecord(repository=payload.key.repository, payload=payload, **{name: row[name] for name in names})


def _answer(row: asyncpg.Record) -> Answer:
    evidence = json.loads(row["evidence"]) if row["evidence"] else None
    names = Answer.__dataclass_fields__.keys() - {"evidence"}
    return Answer(
        **{name: row[name] for name in names},
        evidence=Evidence(**{**evidence, "demand": tuple(evidence["demand"])}) if evidence else None,
    )
