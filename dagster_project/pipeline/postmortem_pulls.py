"""Postmortem documents proposed to a repository: one branch and at most one open pull request for each incident.

What a night finds on GitHub decides, so that one that was cut off is gone on from. Branches are moved by compare-and-swap, on top
of what people pushed. What people closed unmerged is not proposed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import asyncpg

from dagster_project.actions import postmortem_store as store
from dagster_project.actions.github.repository import NOTHING, GithubRepository
from dagster_project.actions.outbox import Parcel, write_outbox
from dagster_project.actions.postmortem_store import PostmortemPull
from dagster_project.connections.github import Connection
from dagster_project.domain.file_names import file_name
from dagster_project.domain.incidents.merging import merge
from dagster_project.domain.proposals.pulls import SeenPull
from dagster_project.errors import AccessDenied, GithubLimit, InputError, told
from dagster_project.pipeline.postmortem_drafts import Draft, Place, draft
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.reporting.postmortem_pull import address_of, commit_message, pull_body, pull_title, words_of
from dagster_project.settings import Settings

OPEN, MERGED, CLOSED, UNCHANGED, OUTBOX, WAITING, FAILED = (
    "open", "merged", "closed", "unchanged", "outbox", "waiting", "failed",
)  # fmt: skip
BRANCHES = "nightshift-postmortems/"
_DOING = "its postmortem was proposed"
_MOST_PROBLEMS = 10
"""Failures after which a night asks GitHub no more."""
_OVER = "It was closed unmerged and is not proposed again; reopen it to have it brought up to date."
_HAS_ALL = "The repository has all of it."
_STOPPED = "A kill switch is on; nothing more is written."


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of a document: ``state`` is open, merged, closed, unchanged (the repository has all of it), outbox, waiting or
    failed, ``detail`` says why as a sentence."""

    state: str
    detail: str
    number: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Incident:
    """An incident's generated document, and where it goes."""

    incident_id: str
    generated: str
    path: str

    @property
    def branch(self) -> str:
        return f"{BRANCHES}{file_name(self.incident_id)}"

    @property
    def title(self) -> str:
        return pull_title(self.incident_id, self.generated)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.generated.encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Night:
    """One night's work. ``left``: pull requests that it may still open; ``halted``: why it does nothing more, if so."""

    connection: asyncpg.Connection
    place: Place
    day: date
    left: int
    failures: int = 0
    halted: str | None = None


def propose_postmortems(runtime: Runtime, day: date, generated: Mapping[str, str]) -> dict[str, Proposed]:
    """Proposes generated documents (incident → Markdown that was not merged with anything), and says what became of each.

    Nothing is done, and nothing returned, without a repository in the settings, for a day that is not the newest, by a dry run or
    while a kill switch is on. It never raises: what fails is told.
    """
    settings = runtime.settings
    name = settings.incidents.repository
    if name is None or not generated or not runtime.is_newest(day) or runtime.is_dry_run or settings.is_stopped:
        return {}
    folder = settings.incidents.folder
    incidents = [_Incident(each, generated[each], f"{folder}/{file_name(each)}.md") for each in sorted(generated)]
    try:
        _require_no_code(settings, name)
        if not settings.github.has_credentials:
            return _in_outbox(runtime, day, name, incidents)
        return in_state(runtime, lambda connection: _propose(runtime, connection, day, name, incidents), is_new=True)
    except Exception as error:
        return {each.incident_id: Proposed(FAILED, told(error, _DOING)) for each in incidents}


def _require_no_code(settings: Settings, name: str) -> None:
    if name.lower() in {each.name.lower() for each in settings.repositories}:
        raise InputError(f"{name} is a repository of infrastructure code; set incidents.repository to another one.")


async def _propose(
    runtime: Runtime, connection: asyncpg.Connection, day: date, name: str, incidents: Sequence[_Incident]
) -> dict[str, Proposed]:
    known = await store.known(connection, name)
    # Run again, a night has opened already what it has opened.
    begun = sum(each.begun_on == day for each in known.values())
    night = _Night(connection, _opened(runtime, name), day, runtime.settings.proposals.max_new_per_night - begun)
    found = {}
    for each in incidents:
        if runtime.settings.is_stopped:
            night.halted = _STOPPED
        found[each.incident_id] = await _tried(night, each, known.get(each.incident_id))
    return found


def _opened(runtime: Runtime, name: str) -> Place:
    github = GithubRepository(Connection(runtime.settings.github, name, pace_of(runtime)))
    about = github.about()
    if about.is_archived or not about.may_write:
        raise AccessDenied(f"{github.login} may not write to {name}; give it that right, or leave incidents.repository out.")
    head = github.head(about.default_branch)
    if head is None:
        raise InputError(f"{name} has no branch {about.default_branch}; push a first commit to it.")
    return Place(github, about, github.commit(head))


async def _tried(night: _Night, incident: _Incident, record: PostmortemPull | None) -> Proposed:
    """What became of one incident; its failure does not stop the others."""
    if night.halted is not None:
        return _as_noted(record, WAITING, night.halted)
    try:
        return await _keep(night, incident, record)
    except GithubLimit as error:
        night.halted = str(error)
        return _as_noted(record, WAITING, night.halted)
    except Exception as error:
        night.failures += 1
        if night.failures >= _MOST_PROBLEMS:
            night.halted = f"After {_MOST_PROBLEMS} failures nothing more is tried; it waits for the next night."
        return _as_noted(record, FAILED, told(error, _DOING))


def _as_noted(record: PostmortemPull | None, state: str, detail: str) -> Proposed:
    return Proposed(state, detail, record and record.number, record and record.url)


async def _keep(night: _Night, incident: _Incident, record: PostmortemPull | None) -> Proposed:
    github = night.place.github
    seen = _pull_of(github, incident, record)
    if seen is None and record is not None and record.is_over:
        return _as_noted(record, CLOSED, _OVER)
    if seen is not None and not seen.is_open and seen.merged_at is None:
        return await _leave(night, incident, record, seen)
    merged = seen if seen is not None and seen.merged_at is not None else None
    made = draft(night.place, incident.branch, incident.path, incident.generated, merged and merged.head_sha)
    if seen is not None and merged is None:
        return await _update(night, incident, record, seen, made)
    if made.has_all:
        return Proposed(UNCHANGED, _HAS_ALL) if merged is None else _of(merged, MERGED, _HAS_ALL)
    is_counted = record is not None and record.begun_on == night.day
    if not is_counted and night.left <= 0:
        return _as_noted(record, WAITING, "The night has opened as many as it may; it waits for the next one.")
    night.left -= not is_counted
    return await _open(night, incident, made)


def _pull_of(github: GithubRepository, incident: _Incident, record: PostmortemPull | None) -> SeenPull | None:
    """The incident's latest pull request: also the one of which a night that was cut off has no number."""
    if record is not None and record.number is not None:
        return github.question(record.number)
    return github.newest_pull_of(incident.branch)


async def _leave(night: _Night, incident: _Incident, record: PostmortemPull | None, seen: SeenPull) -> Proposed:
    """Notes that people closed a pull request unmerged. Reopened, it is kept up to date again."""
    over = _entry(night, incident, record, seen, seen.head_sha)
    if record is not None:
        over = replace(over, digest=record.digest)
    await _note(night, replace(over, is_over=True), record)
    return _of(seen, CLOSED, _OVER if over.digest == incident.digest else f"{_OVER} There is news that it does not hold.")


async def _open(night: _Night, incident: _Incident, made: Draft) -> Proposed:
    place = night.place
    # Without the number of an earlier one that was merged: cut off, the next night looks for the latest.
    entry = await _commit(night, incident, None, _entry(night, incident, None, None, ""), made)
    body = _body(incident, made, place.about.url, None)
    pull = place.github.open_pull(incident.branch, place.about.default_branch, incident.title, body, is_draft=False)
    await store.note(night.connection, replace(entry, number=pull.number, url=pull.url))
    return _of(pull, OPEN, "It is new." if made.is_new else "There is news of it.")


async def _update(night: _Night, incident: _Incident, record: PostmortemPull | None, seen: SeenPull, made: Draft) -> Proposed:
    """Brings an open pull request up to date. Its title is people's once it is open."""
    if made.is_at is None or made.before is None:
        return _of(seen, OPEN, f"Its branch has no {incident.path} any more; it is left alone.")
    await _commit(night, incident, record, _entry(night, incident, record, seen, made.is_at), made)
    body = _body(incident, made, night.place.about.url, seen.body)
    if body != seen.body:
        night.place.github.edit_pull(seen.number, seen.title, body)
    return _of(seen, OPEN, "Nothing is new." if made.text == made.before else "It was brought up to date.")


async def _commit(
    night: _Night, incident: _Incident, record: PostmortemPull | None, entry: PostmortemPull, made: Draft
) -> PostmortemPull:
    """Puts the document on its branch, from where the draft found that: on top of it, or where all of it was merged, anew."""
    place, commit = night.place, made.parent
    if made.text != made.before:
        message = commit_message(incident.title, made.sections)
        commit = place.github.commit_files(commit, {incident.path: made.text.encode()}, {incident.path: made.mode}, message)
    entry = replace(entry, head_sha=commit.sha)
    await _note(night, entry, record)
    if commit.sha != made.is_at:
        place.github.move_branch(place.about.node_id, incident.branch, made.is_at or NOTHING, commit.sha)
    return entry


def _entry(
    night: _Night, incident: _Incident, record: PostmortemPull | None, seen: SeenPull | None, head_sha: str
) -> PostmortemPull:
    repository = night.place.github.name.lower()
    begun_on = record.begun_on if record else night.day
    number, url = (seen.number, seen.url) if seen else (None, None)
    return PostmortemPull(incident.incident_id, repository, number, url, head_sha, incident.digest, begun_on)


async def _note(night: _Night, entry: PostmortemPull, record: PostmortemPull | None) -> None:
    if entry != record:
        await store.note(night.connection, entry)


def _of(seen: SeenPull, state: str, detail: str) -> Proposed:
    return Proposed(state, detail, seen.number, seen.url)


def _body(incident: _Incident, made: Draft, repository_url: str | None, existing: str | None) -> str:
    address = address_of(repository_url, incident.branch, incident.path) if repository_url else None
    words = words_of(
        incident.incident_id, incident.generated, address, incident.path, made.updated, made.kept, is_new=made.is_new
    )
    return pull_body(words, existing)


# Without GitHub.


def _in_outbox(runtime: Runtime, day: date, name: str, incidents: Sequence[_Incident]) -> dict[str, Proposed]:
    """What would be opened, as files."""
    write_outbox(runtime.settings.outbox, day, [_parcel(name, each) for each in incidents], "postmortems")
    return {each.incident_id: Proposed(OUTBOX, "There are no credentials of GitHub; it is in the outbox.") for each in incidents}


def _parcel(name: str, incident: _Incident) -> Parcel:
    words = words_of(incident.incident_id, incident.generated, None, incident.path, (), (), is_new=True)
    request = {"repository": name, "title": incident.title, "head": incident.branch, "path": incident.path}
    files = {
        "document.md": merge(incident.generated, None).text.encode(),
        "body.md": pull_body(words, None).encode(),
        "payload.json": (json.dumps(request, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(),
    }
    return Parcel(f"{name.replace('/', '__')}--{file_name(incident.incident_id)}", files)
