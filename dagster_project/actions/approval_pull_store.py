"""Which pull request asks for which approval, and in which commit."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True, slots=True)
class Question:
    """A request as a pull request. ``number`` and ``head_sha`` are None until it is opened; ``revision`` and ``plan_digest``
    are what its commit holds."""

    request_id: str
    repository: str
    number: int | None
    head_sha: str | None
    revision: int
    plan_digest: str
    is_over: bool = False


async def pending(connection: asyncpg.Connection, repository: str) -> dict[str, Question]:
    """Questions of a repository that are not over, or whose request is not, by request."""
    rows = await connection.fetch(
        "select question.request_id, repository, number, head_sha, question.revision, question.plan_digest, is_over "
        "from nightshift.approval_pulls as question join nightshift.approval_requests as request using (request_id) "
        "where repository = $1 and (not is_over or request.state in ('pending', 'approved', 'executing')) order by request_id",
        repository.lower(),
    )
    return {row["request_id"]: Question(**row) for row in rows}


async def note(connection: asyncpg.Connection, question: Question) -> None:
    """Writes down what a question is about to be, or is."""
    await connection.execute(
        "insert into nightshift.approval_pulls (request_id, repository, number, head_sha, revision, plan_digest) "
        "values ($1, $2, $3, $4, $5, $6) on conflict (request_id) do update set number = excluded.number, "
        "head_sha = excluded.head_sha, revision = excluded.revision, plan_digest = excluded.plan_digest",
        question.request_id,
        question.repository.lower(),
        question.number,
        question.head_sha,
        question.revision,
        question.plan_digest,
    )


async def end(connection: asyncpg.Connection, request_id: str) -> None:
    """Notes that a question is over."""
    await connection.execute("update nightshift.approval_pulls set is_over = true where request_id = $1", request_id)
