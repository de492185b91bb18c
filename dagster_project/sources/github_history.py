"""Deployments with their statuses, and merged pull requests, of repositories on GitHub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dagster_project.connections.github import Connection
from dagster_project.domain.incidents.events import Event
from dagster_project.sources.history import Incomplete, read_each, utc

LOOK_BACK_DAYS = 90
"""How far a first night goes back; GitHub keeps everything."""
_LASTS = timedelta(days=2)
"""How long a deployment may take, until its last status."""
_ENTRIES = 5_000
_STATES = {
    "success": "succeeded",
    "failure": "failed",
    "error": "failed with an error",
    "in_progress": "began",
    "queued": "was queued",
    "pending": "is pending",
    "inactive": "was superseded",
}
Json = dict[str, Any]


@dataclass(slots=True)
class GithubHistory:
    """Some repositories (owner/name); ``connect`` signs in for one. ``services`` maps services, as repositories and environments
    are often called, to themselves."""

    repositories: Sequence[str]
    connect: Callable[[str], Connection]
    services: Mapping[str, str]
    name: str = "github"
    keeps_days: int = LOOK_BACK_DAYS

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """What happened with since ≤ time < until (naive UTC).

        Raises ``AccessDenied``, ``GithubError``, or ``Incomplete`` where there is too much for one night.
        """
        return read_each(self.repositories, lambda repository: self._read(repository, since, until))

    def _read(self, repository: str, since: datetime, until: datetime) -> Iterator[Event]:
        connection = self.connect(repository)
        for number, deployment in enumerate(connection.pages(f"/repos/{repository}/deployments")):
            if _at(deployment["created_at"]) < since - _LASTS:
                break
            _refuse_more(number, repository, "deployments", since)
            yield from self._deployment(connection, repository, deployment, since, until)
        pulls = connection.pages(f"/repos/{repository}/pulls", state="closed", sort="updated", direction="desc")
        for number, pull in enumerate(pulls):
            if _at(pull["updated_at"]) < since:
                break
            _refuse_more(number, repository, "pull requests", since)
            if pull["merged_at"] and since <= _at(pull["merged_at"]) < until:
                yield self._merged(repository, pull)

    def _deployment(
        self, connection: Connection, repository: str, deployment: Json, since: datetime, until: datetime
    ) -> Iterator[Event]:
        if since <= _at(deployment["created_at"]) < until:
            yield self._deployed(repository, deployment, deployment, "was asked for")
        for status in connection.pages(f"/repos/{repository}/deployments/{deployment['id']}/statuses"):
            if since <= _at(status["created_at"]) < until:
                yield self._deployed(repository, deployment, status, _STATES.get(status["state"], status["state"]))

    def _deployed(self, repository: str, deployment: Json, told: Json, words: str) -> Event:
        """A deployment, or one of its statuses (``told``)."""
        is_status = told is not deployment
        environment = told.get("environment") or deployment["environment"]
        why = told.get("description")
        return Event(
            source=self.name,
            source_event_id=f"{repository}/{'deployment_status' if is_status else 'deployment'}/{told['id']}",
            occurred_at=_at(told["created_at"]),
            recorded_at=_at(told["created_at"]),
            lane="changes",
            kind="rollback" if deployment.get("task") == "rollback" else "deployment",
            text=f"Deployment of {deployment['ref']} of {repository} to {environment} {words}" + (f": {why}" if why else ""),
            service=self._service(repository, environment),
            target=repository,
            actor=(told.get("creator") or {}).get("login"),
            url=told.get("log_url") or told.get("target_url") or told.get("environment_url") or None,
            payload={
                "deployment_id": deployment["id"],
                "ref": deployment["sha"],
                "environment": environment,
                "state": told["state"] if is_status else "requested",
                "outcome": {"success": "succeeded", "failure": "failed", "error": "failed"}.get(told.get("state", "")),
            },
        )

    def _merged(self, repository: str, pull: Json) -> Event:
        return Event(
            source=self.name,
            source_event_id=f"{repository}/pull/{pull['number']}",
            occurred_at=_at(pull["merged_at"]),
            recorded_at=_at(pull["merged_at"]),
            lane="changes",
            kind="rollback" if pull["title"].lower().startswith("revert") else "pull_request",
            text=f"Pull request #{pull['number']} of {repository} was merged: {pull['title']}",
            service=self._service(repository),
            target=repository,
            actor=(pull["user"] or {}).get("login"),
            url=pull["html_url"],
            payload={"number": pull["number"], "ref": pull["merge_commit_sha"], "base": pull["base"]["ref"]},
        )

    def _service(self, repository: str, environment: str = "") -> str | None:
        return self.services.get(repository.partition("/")[2]) or self.services.get(environment)


def _refuse_more(number: int, repository: str, things: str, since: datetime) -> None:
    if number >= _ENTRIES:
        read = f"only the newest {_ENTRIES:,} were read"
        raise Incomplete(f"{repository} has too many {things} since {since:%Y-%m-%d} for one night: {read}.", since)


def _at(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))
