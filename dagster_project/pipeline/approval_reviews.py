"""Approval requests as pull requests: a review answers one as a click in Slack does.

The commit holds the plan, so that a review is of one revision: a new one is a new commit, and what was said of the old one does
not count. Nothing is ever merged; when a request is over its pull request is closed and its branch deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import asyncpg

from dagster_project.actions import approval_pull_store as pulls
from dagster_project.actions import approval_store as store
from dagster_project.actions.approval_pull_store import Question
from dagster_project.actions.github.repository import NOTHING, About, BranchMoved, GithubRepository
from dagster_project.connections.github import Connection
from dagster_project.domain.approvals.machine import Approve, Reject
from dagster_project.domain.approvals.model import LIVE, PENDING, Request, plan_to_json
from dagster_project.errors import AccessDenied, told
from dagster_project.pipeline.approval_answers import answer
from dagster_project.pipeline.approvers import on_github
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.approval_pull import question_body, question_title

APPROVED, CHANGES_REQUESTED = "APPROVED", "CHANGES_REQUESTED"
BRANCHES = "nightshift-approvals/"
_MODE = "100644"
_DOING = "its reviews were looked at"


@dataclass(slots=True)
class _Place:
    github: GithubRepository
    about: About


async def keep_reviews(runtime: Runtime, connection: asyncpg.Connection) -> list[str]:
    """Reads the reviews of the questions that are open, then brings their pull requests up to date; returns what failed, as
    sentences. Without credentials, or a repository in the settings, nothing is done."""
    settings = runtime.settings
    name = settings.approvals.repository
    if name is None or not settings.github.has_credentials or runtime.is_dry_run or settings.is_stopped:
        return []
    try:
        place = _opened(runtime, name)
    except Exception as error:
        return [f"{name}: {told(error, _DOING)}"]
    known = await pulls.pending(connection, name)
    problems = [f"{request_id}: {why}" for request_id, why in (await _read_all(runtime, connection, place.github, known)).items()]
    live = {each.request.request_id: each.request for each in await store.live(connection)}
    for request_id in sorted(live.keys() | known.keys()):
        try:
            await _keep(connection, place, name, live.get(request_id), known.get(request_id), request_id)
        except Exception as error:
            problems.append(f"{request_id}: {told(error, _DOING)}")
    return problems


async def read_reviews(runtime: Runtime, connection: asyncpg.Connection) -> dict[str, str]:
    """Gives what reviewers said to the state machine, and writes nothing on GitHub: asked before anything is applied. Returns the
    requests whose reviews could not be read, with the reason."""
    name = runtime.settings.approvals.repository
    if name is None or not runtime.settings.github.has_credentials:
        return {}
    known = await pulls.pending(connection, name)
    if not known:
        return {}
    try:
        github = GithubRepository(Connection(runtime.settings.github, name, pace_of(runtime)))
        return await _read_all(runtime, connection, github, known)
    except Exception as error:
        return dict.fromkeys(known, told(error, _DOING))


async def _read_all(
    runtime: Runtime, connection: asyncpg.Connection, github: GithubRepository, known: Mapping[str, Question]
) -> dict[str, str]:
    failed = {}
    for question in known.values():
        if question.is_over:
            continue
        try:
            await _read(runtime, connection, github, question)
        except Exception as error:
            failed[question.request_id] = told(error, _DOING)
    return failed


def _opened(runtime: Runtime, name: str) -> _Place:
    github = GithubRepository(Connection(runtime.settings.github, name, pace_of(runtime)))
    about = github.about()
    if about.is_archived or not about.may_write:
        raise AccessDenied(f"{github.login} may not write to it; give it that right, or leave approvals.repository out.")
    return _Place(github, about)


async def _read(runtime: Runtime, connection: asyncpg.Connection, github: GithubRepository, question: Question) -> None:
    """Gives what reviewers said of the present commit to the state machine, everybody's last word."""
    if question.number is None:
        return
    last = {
        review.login: review
        for review in github.reviews(question.number)
        if review.sha == question.head_sha and review.state in (APPROVED, CHANGES_REQUESTED, "DISMISSED")
    }
    for login, review in sorted(last.items()):
        actor = on_github(runtime.settings, login)
        if not actor.may_approve:
            continue  # the pull request says who is heard
        if review.state == APPROVED:
            command: Approve | Reject = Approve(actor, question.revision, question.plan_digest)
        elif review.state == CHANGES_REQUESTED:
            command = Reject(actor, review.body.strip() or "changes were requested in a review")
        else:
            continue
        await answer(runtime, connection, question.request_id, command)


async def _keep(
    connection: asyncpg.Connection,
    place: _Place,
    name: str,
    request: Request | None,
    question: Question | None,
    request_id: str,
) -> None:
    if question is not None and question.is_over:
        return
    if request is None or request.state != PENDING:
        if question is not None and (request is None or request.state not in LIVE):
            await _close(connection, place, question)
        return
    if question is not None and question.number is not None:
        seen = place.github.question(question.number)
        if seen is None or not seen.is_open:
            await _close(connection, place, question)  # somebody closed it: that is no answer, and it is not asked again there
            return
        is_same = (question.revision, question.plan_digest) == (request.revision, request.plan.digest)
        texts = (question_title(request), question_body(request))
        if is_same and seen.head_sha == question.head_sha and (seen.title, seen.body.replace("\r\n", "\n")) == texts:
            return
    await _write(connection, place, name, request, question)


async def _write(connection: asyncpg.Connection, place: _Place, name: str, request: Request, question: Question | None) -> None:
    github, branch = place.github, f"{BRANCHES}{request.request_id}"
    data = (json.dumps(plan_to_json(request.plan), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    path = f"requests/{request.request_id}.json"
    base = github.commit(github.head(place.about.default_branch) or NOTHING)
    commit = github.commit_files(base, {path: data}, {path: _MODE}, f"{question_title(request)}, revision {request.revision}")
    found = Question(
        request.request_id, name, question.number if question else None, commit.sha, request.revision, request.plan.digest
    )
    # The commit is noted before the branch has it: no review can be of it earlier.
    await pulls.note(connection, found)
    github.move_branch(place.about.node_id, branch, github.head(branch) or NOTHING, commit.sha)
    title, body = question_title(request), question_body(request)
    if found.number is None:
        made = github.open_pull(branch, place.about.default_branch, title, body, is_draft=False)
        await pulls.note(connection, replace(found, number=made.number))
    else:
        github.edit_pull(found.number, title, body)


async def _close(connection: asyncpg.Connection, place: _Place, question: Question) -> None:
    github, branch = place.github, f"{BRANCHES}{question.request_id}"
    stored = await store.find(connection, question.request_id)
    if question.number is not None:
        seen = github.question(question.number)
        if seen is not None and seen.is_open:
            state = stored.request.state.replace("_", " ") if stored else "over"
            reason = f": {stored.request.reason}" if stored and stored.request.reason else ""
            github.comment(question.number, "<!-- nightshift:approval over -->", f"This request is {state}{reason}")
            github.close_pull(question.number)
    is_at = github.head(branch)
    if is_at is not None and is_at == question.head_sha:
        with suppress(BranchMoved):  # what somebody pushed to is left to them
            github.move_branch(place.about.node_id, branch, is_at, NOTHING)
    await pulls.end(connection, question.request_id)
