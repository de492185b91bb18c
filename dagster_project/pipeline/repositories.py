"""Repositories of infrastructure code, reached on GitHub or found as a checkout, once for a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster_project.actions.github.archive import fetch
from dagster_project.actions.github.repository import About, Commit, GithubRepository
from dagster_project.connections.github import Connection, Pace
from dagster_project.errors import AccessDenied, GithubError, InputError, NightshiftError
from dagster_project.pipeline.infrastructure_code import CodeBase, Snapshot
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RepositorySettings
from dagster_project.sources import checkout

DEFAULT_BASE = "main"
_PACE = "pace"
"""What counts the writes of a run; no repository has such a name."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository on GitHub, and the head of its base branch as this run sees it."""

    settings: RepositorySettings
    github: GithubRepository
    about: About
    base: str
    head: Commit


def remote_of(runtime: Runtime, settings: RepositorySettings) -> Remote:
    """Reaches a repository. Raises ``AccessDenied`` or ``GithubError``, on a later call the same without asking again."""
    known = runtime.remotes.get(settings.name)
    if known is None:
        try:
            known = _reached(runtime, settings)
        except NightshiftError as error:
            known = error
        runtime.remotes[settings.name] = known
    if isinstance(known, NightshiftError):
        raise known
    assert isinstance(known, Remote)  # noqa: S101 - nothing else is kept
    return known


def pace_of(runtime: Runtime) -> Pace:
    """What counts and paces the writes of a run, whatever repository they go to."""
    found: Pace = runtime.remotes.setdefault(_PACE, Pace(runtime.at))
    return found


def _reached(runtime: Runtime, settings: RepositorySettings) -> Remote:
    github = GithubRepository(Connection(runtime.settings.github, settings.name, pace_of(runtime)))
    about = github.about()
    base = settings.base or about.default_branch
    sha = github.head(base)
    if sha is None:
        raise InputError(f"{settings.name} has no branch {base}; correct the setting base.")
    return Remote(settings, github, about, base, github.commit(sha))


def require_writable(remote: Remote) -> None:
    """Raises ``AccessDenied`` where writing to a repository would be refused at some point in the middle."""
    name, login = remote.settings.name, remote.github.login
    if remote.about.is_archived:
        raise AccessDenied(f"{name} is archived; take it out of the settings, or out of the archive.")
    if not remote.about.may_write:
        raise AccessDenied(f"{login} may not write to {name}; give it that right, or set the mode to report_only.")


def open_code(runtime: Runtime, day: date) -> CodeBase:
    """The code of all repositories of the settings, as far as it can be had for a day."""
    snapshots, problems = [], []
    for settings in runtime.settings.repositories:
        try:
            snapshots.append(_snapshot(runtime, settings, day))
        except NightshiftError as error:
            problems.append(f"{settings.name}: {error}")
    code = CodeBase.open(snapshots)
    for problem in problems:
        code.fail(problem)
    return code


def _snapshot(runtime: Runtime, settings: RepositorySettings, day: date) -> Snapshot:
    """The files on the base branch. A checkout must be exactly there when pull requests are made from it; without credentials, it
    is taken as it is."""
    can_ask = runtime.settings.github.has_credentials and runtime.is_newest(day)
    if settings.checkout is not None:
        folder = settings.checkout.expanduser()
        there = checkout.head_of(folder)
        if not can_ask:
            return Snapshot(settings, folder, settings.base or DEFAULT_BASE, there.sha if there else None)
        remote = remote_of(runtime, settings)
        if there is None or not there.is_clean or there.sha != remote.head.sha:
            found = (
                "has no Git history"
                if there is None
                else "has changed files"
                if not there.is_clean
                else f"is at {there.sha[:12]}"
            )
            raise InputError(
                f"the checkout {folder} {found}, and {remote.base} is at {remote.head.sha[:12]}; bring it up to date, or leave "
                "the setting checkout out to have the files fetched."
            )
        return Snapshot(settings, folder, remote.base, remote.head.sha)
    if not can_ask:
        why = (
            "GitHub is not asked for a day that is not the newest"
            if runtime.settings.github.has_credentials
            else "there are no credentials"
        )
        raise GithubError(f"its files were not fetched, because {why}; name a checkout of it.")
    remote = remote_of(runtime, settings)
    github = runtime.settings.github
    folder = fetch(
        remote.github,
        remote.head.sha,
        runtime.settings.snapshots,
        timeout_seconds=github.timeout_seconds,
        allow_http=github.base_url.startswith("http:"),
    )
    return Snapshot(settings, folder, remote.base, remote.head.sha)
