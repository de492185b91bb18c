"""What the demo's code hosting would tell of the changes of its story: deployments, merged pull requests.

A deployment or a merged change of configuration is the same fact as the row of ``change_events`` with its ``ref``, some seconds
later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID
from dagster_project.demo.rows import moment
from dagster_project.demo.story import CHANGES
from dagster_project.domain.incidents.events import Event

_LATE = timedelta(seconds=19)


@dataclass(frozen=True, slots=True)
class _Release:
    """``lead``: minutes from the merge to the deployment; None where nothing was merged."""

    incident_id: str
    author: str
    number: int
    lead: int | None


# By ref. Flags are switched elsewhere.
_RELEASES = {
    "cfg-1188": _Release(BLACK_FRIDAY_ID, "omar-siddiqui", 871, 0),
    "cfg-1189": _Release(BLACK_FRIDAY_ID, "decision-engine", 872, 0),
    "v3.41.0": _Release("INC-2025-0041", "maya-okafor", 1530, 34),
    "v9.12.0": _Release("INC-2025-0246", "beatriz-molina", 1198, 21),
    "v9.11.3": _Release("INC-2025-0246", "decision-engine", 1203, None),
    "v7.20.0": _Release(OUTAGE_ID, "dave-lindqvist", 2044, 27),
}


def releases(seed: int) -> Iterator[Event]:
    """Deployments, rollbacks and merged pull requests of the services that had incidents, in the order of the story."""
    for when, service, kind, _, ref, summary in CHANGES:
        release = _RELEASES.get(ref)
        if release is None:
            continue
        at = moment(when) + _LATE
        sha = blake2b(f"{seed}/{service}/{ref}".encode(), digest_size=20).hexdigest()
        if release.lead is not None:
            # What is deployed later is another fact than its merge, which knows the commit only.
            merge = {"number": release.number, "ref": sha if release.lead else ref, "base": "main"}
            yield _merged(release, at - timedelta(minutes=release.lead), service, summary, merge)
        if kind != "config":
            deployed = {"deployment_id": 90_000 + release.number, "ref": ref, "sha": sha, "environment": "production"}
            yield _deployed(release, at, service, kind, {**deployed, "state": "success", "outcome": "succeeded"})


def _merged(release: _Release, at: datetime, service: str, title: str, payload: dict[str, Any]) -> Event:
    repository = f"example/{service}"
    return Event(
        "github", f"{repository}/pull/{release.number}", at, "changes", "pull_request",
        f"Pull request #{release.number} of {repository} was merged: {title}", recorded_at=at, service=service,
        target=repository, actor=release.author, url=f"https://github.com/{repository}/pull/{release.number}",
        incident_id=release.incident_id, payload=payload,
    )  # fmt: skip


def _deployed(release: _Release, at: datetime, service: str, kind: str, payload: dict[str, Any]) -> Event:
    repository = f"example/{service}"
    return Event(
        "github", f"{repository}/deployment_status/{payload['deployment_id']}", at, "changes", kind,
        f"Deployment of {payload['ref']} of {repository} to production succeeded", recorded_at=at, service=service,
        target=repository, actor="github-actions[bot]", url=f"https://github.com/{repository}/deployments",
        incident_id=release.incident_id, payload=payload,
    )  # fmt: skip
