"""Does what a night decided about pull requests, step by step.

Each step is written down in the state store before it is made, and looked up before it is repeated: whatever is cut off, the next
night finds where it stopped and goes on from there. Branches are moved by compare-and-swap, so that nothing of other people is
ever written over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import asyncpg

from dagster_project.actions import proposal_store as store
from dagster_project.actions.github.repository import NOTHING, About, BranchMoved, Commit, GithubRepository, blob_id
from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.model import Group
from dagster_project.domain.proposals.payload import Payload, payload_of
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull
from dagster_project.domain.proposals.reconcile import (
    FOREIGN_BRANCH,
    Abandon,
    Action,
    Close,
    Confirm,
    Create,
    Freeze,
    OpenPull,
    Update,
)
from dagster_project.errors import AccessDenied, GithubError, InputError

_FILES = frozenset(("100644", "100755"))


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a pull request."""

    title: str
    body: str
    commit_message: str
    is_draft: bool
    labels: tuple[str, ...]
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What the publisher is given to say. ``text`` is None where a body would be too long for GitHub; the others give a comment
    and the mark by which it is found again; ``freezing_mark`` begins each of theirs."""

    text: Callable[[Group, Payload, tuple[str, ...]], Text | None]
    closing: Callable[[tuple[str, ...]], tuple[str, str]]
    freezing: Callable[[str, str | None, tuple[str, ...]], tuple[str, str]]
    freezing_mark: str


@dataclass(frozen=True, slots=True)
class Code:
    """A group's files: bytes on the base, and with the new values. Both raise ``InputError``, the first also ``OSError``."""

    before: Callable[[Group, str], bytes]
    after: Callable[[Group], Mapping[str, bytes]]


class NotNow(Exception):
    """A group that cannot be published tonight; ``why`` goes to the dashboard."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Publisher:
    """One repository's actions of one night."""

    github: GithubRepository
    about: About
    base: Commit
    connection: asyncpg.Connection
    day: date
    words: Words
    code: Code

    async def perform(self, action: Action) -> None:
        """Does one action. Raises ``NotNow`` where a group has to wait, ``GithubError`` or ``AccessDenied`` where GitHub does not
        take it; what was done until then stays, and is found by the next night."""
        match action:
            case Create(group, record):
                await self._create(group, record)
            case Update(pull, group, dropped):
                await self._update(pull, group, dropped)
            case Close(pull, reasons):
                await self._close(pull, reasons)
            case Freeze(pull, gone):
                await self._freeze(pull, gone)
            case Abandon(record):
                await self._abandon(record)
            case Confirm(pull, _):
                await store.update(self.connection, _record_of(pull), confirmed_on=self.day, frozen_sha=None)

    async def _create(self, group: Group, record: PullRecord | None) -> None:
        contents, modes, payload = self._prepared(group)
        text = self._text(group, payload, ())
        branch = group.key.branch
        is_at = self.github.head(branch)
        known = await store.known_commits(self.connection, group.key.repository, group.key.digest)
        if is_at is not None and is_at not in known and not self.github.commit(is_at).is_ours:
            raise NotNow(FOREIGN_BRANCH)
        if record is None:
            record = await store.insert(self.connection, payload, branch, pulls.OPENING, self.day)
        commit = self._reusable(is_at, contents, payload) or self.github.commit_files(
            self.base, contents, modes, text.commit_message
        )
        record = await store.update(self.connection, record, pending_sha=commit.sha, payload=payload, confirmed_on=self.day)
        if is_at != commit.sha:
            self.github.move_branch(self.about.node_id, branch, is_at or NOTHING, commit.sha)
        pull = self.github.open_pull(branch, group.key.base, text.title, text.body, is_draft=text.is_draft)
        record = await store.update(self.connection, record, number=pull.number, url=pull.url, head_sha=commit.sha)
        await self._finish(record, pull.number, commit.sha, text)

    async def _finish(self, record: PullRecord, number: int, head_sha: str, text: Text) -> None:
        """Labels and reviewers; both may be repeated. Reviewers that cannot be asked do not hold a pull request up."""
        if text.labels:
            self.github.add_labels(number, text.labels)
        for people, teams in ((text.people, ()), ((), text.teams)):
            if people or teams:
                try:
                    self.github.request_review(number, people, teams)
                except AccessDenied:
                    continue
                except GithubError as error:
                    if error.status not in (404, 422):
                        raise
        await store.update(self.connection, record, state=pulls.OPEN, head_sha=head_sha, pending_sha=None, confirmed_on=self.day)

    async def _update(self, pull: OpenPull, group: Group, dropped: tuple[str, ...]) -> None:
        record, seen = _record_of(pull), self._as_it_is(pull)
        contents, modes, payload = self._prepared(group)
        text = self._text(group, payload, dropped)
        # Somebody who asks for it to be made anew wants it on the present base.
        there = None if record.rebuild is not None else self._reusable(seen.head_sha, contents, payload)
        commit = there or self.github.commit_files(self.base, contents, modes, text.commit_message)
        if commit.sha != seen.head_sha:
            record = await store.update(self.connection, record, pending_sha=commit.sha)
            self.github.move_branch(self.about.node_id, seen.branch, seen.head_sha, commit.sha)
        if (seen.title, seen.body) != (text.title, text.body):
            self.github.edit_pull(seen.number, text.title, text.body)
        record = await store.update(
            self.connection,
            record,
            payload=payload,
            head_sha=commit.sha,
            pending_sha=commit.sha if record.state == pulls.OPENING else None,
            frozen_sha=None,
            rebuild=None,
            confirmed_on=self.day,
        )
        if record.state == pulls.OPENING:
            await self._finish(record, seen.number, commit.sha, text)

    async def _close(self, pull: OpenPull, reasons: tuple[str, ...]) -> None:
        record, seen = _record_of(pull), self._as_it_is(pull)
        record = await store.update(self.connection, record, state=pulls.CLOSING, reason="; ".join(reasons))
        comment, mark = self.words.closing(reasons)
        self.github.comment(seen.number, mark, comment)
        self.github.close_pull(seen.number)
        self.delete_branch(seen.branch, seen.head_sha)
        await store.update(self.connection, record, state=pulls.CLOSED, ended_on=self.day, closed_at=self.github.connection.now())

    async def _freeze(self, pull: OpenPull, gone: tuple[str, ...]) -> None:
        seen = self._as_it_is(pull)
        base = pull.record.payload.key.base if pull.record else seen.base
        comment, mark = self.words.freezing(seen.head_sha, base if base != seen.base else None, gone)
        self.github.comment(seen.number, mark, comment, replaces=self.words.freezing_mark)
        if pull.record is not None and pull.record.frozen_sha != seen.head_sha:
            await store.update(self.connection, pull.record, frozen_sha=seen.head_sha)

    async def _abandon(self, record: PullRecord) -> None:
        is_at = self.github.head(record.branch)
        if is_at is not None and is_at in record.known_shas:
            self.delete_branch(record.branch, is_at)
        await store.update(self.connection, record, state=pulls.CLOSED, reason="no longer proposed", ended_on=self.day)

    def delete_branch(self, branch: str, is_at: str) -> None:
        """Deletes a branch of ours; one that somebody has pushed to stays."""
        try:
            self.github.move_branch(self.about.node_id, branch, is_at, NOTHING)
        except BranchMoved:
            return

    def _as_it_is(self, pull: OpenPull) -> SeenPull:
        """The pull request at this moment: it was looked at some time ago. Raises ``NotNow`` where somebody changed it since."""
        seen, now = pull.seen, self.github.pull(pull.seen.number)
        if now is None or (now.is_open, now.head_sha, now.base) != (True, seen.head_sha, seen.base):
            raise NotNow("somebody changed it just now")
        return now

    def _text(self, group: Group, payload: Payload, dropped: tuple[str, ...]) -> Text:
        text = self.words.text(group, payload, dropped)
        if text is None:
            raise NotNow("its text would be longer than GitHub takes")
        return text

    def _prepared(self, group: Group) -> tuple[Mapping[str, bytes], dict[str, str], Payload]:
        """The new bytes, the modes and the payload of a group; raises ``NotNow`` where they do not fit to the base."""
        try:
            contents = self.code.after(group)
            before = {path: self.code.before(group, path) for path in contents}
        except (InputError, OSError) as error:
            raise NotNow(str(error)) from None
        entries = self.github.entries(self.base.tree_sha, contents)
        for path, data in before.items():
            entry = entries.get(path)
            # Attributes may have changed the bytes on their way here: line ends, keywords, large files kept elsewhere.
            if entry is None or entry.mode not in _FILES or entry.sha != blob_id(data):
                raise NotNow(f"the file {path} is not on the base as it was read; its bytes would not be kept")
        blobs = {path: entries[path].sha for path in contents}
        return contents, {path: entries[path].mode for path in contents}, payload_of(group, self.base.sha, blobs)

    def _reusable(self, sha: str | None, contents: Mapping[str, bytes], payload: Payload) -> Commit | None:
        """The commit that a branch is at, where it is ours and says exactly this already, on files that have not changed."""
        if sha is None:
            return None
        commit = self.github.commit(sha)
        if not commit.is_ours or len(commit.parents) != 1:
            return None
        parent = self.github.commit(commit.parents[0])
        has = self.github.entries(commit.tree_sha, contents)
        had = self.github.entries(parent.tree_sha, contents)
        says_this = all(path in has and has[path].sha == blob_id(data) for path, data in contents.items())
        is_on_these = all(path in had and had[path].sha == blob for path, blob in payload.base_blobs)
        # Another file that it changes, of an item that is dropped, would stay.
        is_all = self.github.changed_files(parent.sha, commit.sha) == set(contents)
        return commit if says_this and is_on_these and is_all else None


def _record_of(pull: OpenPull) -> PullRecord:
    if pull.record is None:
        raise GithubError(f"The pull request #{pull.seen.number} is not on record; the next night takes it up.")
    return pull.record
