"""Which pull request proposes which incident's document to the repository of postmortems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import asyncpg


@dataclass(frozen=True, slots=True)
class PostmortemPull:
    """The latest pull request of an incident. ``number`` and ``url`` are None until it is opened; ``head_sha`` is the last commit
    of its branch that we know; ``digest`` is of the generated text that it holds; ``begun_on`` is the day whose night opens it;
    ``is_over``: people closed it unmerged."""

    incident_id: str
    repository: str
    number: int | None
    url: str | None
    head_sha: str
    digest: str
    begun_on: date
    is_over: bool = False


async def known(connection: asyncpg.Connection, repository: str) -> dict[str, PostmortemPull]:
    """What is known of a repository's pull requests, by incident."""
    rows = await connection.fetch(
        "select incident_id, repository, number, url, head_sha, digest, begun_on, is_over from nightshift.postmortem_pulls "
        "where repository = $1 order by incident_id",
        repository.lower(),
    )
    return {row["incident_id"]: PostmortemPull(**row) for row in rows}


async def note(connection: asyncpg.Connection, pull: PostmortemPull) -> None:
    """Writes down what the pull request of an incident is about to be, or is."""
    await connection.execute(
        "insert into nightshift.postmortem_pulls (incident_id, repository, number, url, head_sha, digest, begun_on, is_over) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (repository, incident_id) do update set number = excluded.number, "
        "url = excluded.url, head_sha = excluded.head_sha, digest = excluded.digest, begun_on = excluded.begun_on, "
        "is_over = excluded.is_over",
        pull.incident_id,
        pull.repository.lower(),
        pull.number,
        pull.url,
        pull.head_sha,
        pull.digest,
        pull.begun_on,
        pull.is_over,
    )
