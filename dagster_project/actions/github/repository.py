"""A repository on GitHub, as values: what is read of it, and what is changed in it. One method is one or few requests."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from dagster_project.connections.github import PAGE, Connection
from dagster_project.domain.proposals.model import digest_of_branch
from dagster_project.domain.proposals.pulls import SeenPull
from dagster_project.domain.proposals.settle import Comment
from dagster_project.errors import GithubError, InputError

NOTHING = "0" * 40
"""Stands for no commit where a branch shall not be there."""
_WRITERS = frozenset(("admin", "maintain", "write"))
_FILES = frozenset(("100644", "100755"))
_TREE_TRAILER = re.compile(r"^Nightshift-Tree: ([0-9a-f]{40})$", re.MULTILINE)


class BranchMoved(GithubError):
    """A branch is not where it was when it was looked at: somebody else has pushed."""


@dataclass(frozen=True, slots=True)
class About:
    """What must be known of a repository before it is written to."""

    node_id: str
    default_branch: str
    has_issues: bool
    may_write: bool
    is_archived: bool
    url: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. ``is_ours`` says that its message names its own tree, which a person's amendment would not."""

    sha: str
    tree_sha: str
    parents: tuple[str, ...]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Review:
    """A review of a pull request: ``state`` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED; ``sha`` is the commit that
    was looked at."""

    login: str
    state: str
    body: str
    sha: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a tree: its Git id, its mode, and of a file its bytes."""

    sha: str
    mode: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue's number, state and body."""

    number: int
    is_open: bool
    body: str


class GithubRepository:
    """Reads and writes one repository through one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.name = connection.repository
        self._path = f"/repos/{connection.repository}"
        self._folders: dict[str, dict[str, Entry]] = {}
        self._may_write: dict[str, bool] = {}
        self._comments: dict[int, list[Mapping[str, Any]]] = {}

    @property
    def login(self) -> str:
        """The account that we are."""
        return self.connection.login

    def about(self) -> About:
        """Raises ``AccessDenied`` or ``GithubError`` (404) where the account does not see it."""
        found = self.connection.get(self._path)
        if found["full_name"].lower() != self.name.lower():
            raise InputError(f"{self.name} is called {found['full_name']} now; correct its name in the settings.")
        permissions = found.get("permissions") or {}
        # Of an App all of them are false; what it may not do is refused when it is tried.
        may_write = self.connection.is_app or bool(permissions.get("push") or permissions.get("admin"))
        return About(
            found["node_id"], found["default_branch"], found["has_issues"], may_write, found["archived"], found["html_url"]
        )

    # Git.

    def head(self, branch: str) -> str | None:
        """The last commit of a branch; None where there is no such branch."""
        found = self.connection.find(f"{self._path}/git/ref/heads/{quote(branch)}")
        return found["object"]["sha"] if found else None

    def commit(self, sha: str) -> Commit:
        found = self.connection.get(f"{self._path}/git/commits/{sha}")
        tree = found["tree"]["sha"]
        named = _TREE_TRAILER.findall(found["message"])
        return Commit(found["sha"], tree, tuple(each["sha"] for each in found["parents"]), named[-1:] == [tree])

    def entries(self, tree_sha: str, paths: Iterable[str]) -> dict[str, Entry]:
        """Those of ``paths`` that a tree has. Folder by folder: a recursive listing is cut off for large repositories."""
        found = {}
        for path in sorted(set(paths)):
            entry: Entry | None = Entry(tree_sha, "040000")
            for name in path.split("/"):
                entry = self._folder(entry.sha).get(name) if entry and entry.mode == "040000" else None
            if entry is not None:
                found[path] = entry
        return found

    def _folder(self, sha: str) -> dict[str, Entry]:
        if sha not in self._folders:
            listed = self.connection.get(f"{self._path}/git/trees/{sha}")
            self._folders[sha] = {each["path"]: Entry(each["sha"], each["mode"], each.get("size")) for each in listed["tree"]}
        return self._folders[sha]

    def content(self, path: str, entry: Entry, at_most: int) -> bytes:
        """What a file of a tree holds. Raises ``InputError`` where it is no file, or has more bytes than ``at_most``."""
        if entry.mode not in _FILES:
            raise InputError(f"{path} in {self.name} is no file; give it another name.")
        if (entry.size or 0) > at_most:
            raise InputError(f"{path} in {self.name} has more than {at_most:,} bytes; make it shorter.")
        found = self.connection.get(f"{self._path}/git/blobs/{entry.sha}")
        data = base64.b64decode(found["content"])
        if blob_id(data) != entry.sha:
            raise GithubError(f"GitHub gave other bytes of {path} in {self.name} than it has; they were not used.")
        return data

    def common_commit(self, one: str, other: str) -> str | None:
        """The last commit that two have in common; None where they have none."""
        found = self.connection.find(f"{self._path}/compare/{one}...{other}")
        return found["merge_base_commit"]["sha"] if found else None

    def has_commit(self, sha: str, head: str) -> bool:
        """Whether a commit is ``head``, or one of those before it."""
        found = self.connection.find(f"{self._path}/compare/{sha}...{head}")
        return found is not None and found["status"] in ("ahead", "identical")

    def changed_files(self, parent: str, sha: str) -> set[str]:
        """Paths that differ between a commit and its parent."""
        return {each["filename"] for each in self.connection.get(f"{self._path}/compare/{parent}...{sha}")["files"]}

    def archive_address(self, sha: str) -> str:
        """Where a commit can be fetched as a tar archive, for a short time. It holds a token."""
        return self.connection.location_of(f"{self._path}/tarball/{sha}")

    def commit_files(self, parent: Commit, contents: Mapping[str, bytes], modes: Mapping[str, str], message: str) -> Commit:
        """A commit on ``parent`` in which these files have other bytes; no branch has it yet. Author and committer are left to
        GitHub, which signs for an App."""
        entries = [
            {"path": path, "mode": modes[path], "type": "blob", "sha": self._make_blob(data)}
            for path, data in sorted(contents.items())
        ]
        tree = self.connection.write("POST", f"{self._path}/git/trees", {"base_tree": parent.tree_sha, "tree": entries})["sha"]
        body = {"message": f"{message}\n\nNightshift-Tree: {tree}", "tree": tree, "parents": [parent.sha]}
        made = self.connection.write("POST", f"{self._path}/git/commits", body)
        return Commit(made["sha"], tree, (parent.sha,), True)

    def _make_blob(self, data: bytes) -> str:
        body = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
        sha: str = self.connection.write("POST", f"{self._path}/git/blobs", body)["sha"]
        if sha != blob_id(data):
            raise GithubError(f"GitHub stored other bytes for {self.name} than were sent; nothing was committed.")
        return sha

    def move_branch(self, node_id: str, branch: str, before: str, after: str) -> None:
        """Moves a branch from one commit to another; ``NOTHING`` makes or deletes it.

        Compares and swaps: it raises ``BranchMoved``, and changes nothing, where the branch is not at ``before`` any more. The
        REST API cannot do that, and a forced update would throw away what somebody pushed a second ago.
        """
        update = {"name": f"refs/heads/{branch}", "beforeOid": before, "afterOid": after, "force": True}

        def made() -> bool | None:
            is_at = self.head(branch) or NOTHING
            if is_at == after:
                return True
            if is_at != before:
                raise BranchMoved(f"The branch {branch} of {self.name} was moved by somebody else; it is left alone.")
            return None

        self.connection.mutate("updateRefs", {"repositoryId": node_id, "refUpdates": [update]}, made)

    # Pull requests.

    def open_pulls(self) -> list[SeenPull]:
        """Our pull requests that are open."""
        return list(self._ours(self.connection.pages(f"{self._path}/pulls", state="open", sort="created", direction="asc")))

    def closed_pulls(self, since: datetime | None, at_most: int) -> list[SeenPull]:
        """Our pull requests that are closed and changed since a moment, of the last ``at_most`` of all."""
        found = []
        listed = self.connection.pages(f"{self._path}/pulls", state="closed", sort="updated", direction="desc")
        for number, entry in enumerate(listed):
            if number >= at_most or (since is not None and _moment(entry["updated_at"]) < since):
                break
            found.append(entry)
        return [self._with_closer(pull) for pull in self._ours(found)]

    def pull(self, number: int) -> SeenPull | None:
        """One of our pull requests by number."""
        found = self.connection.find(f"{self._path}/pulls/{number}")
        return next((self._with_closer(pull) for pull in self._ours([found])), None) if found else None

    def _ours(self, entries: Iterable[Mapping[str, Any]]) -> Iterator[SeenPull]:
        for entry in entries:
            head = entry["head"]
            digest = digest_of_branch(head["ref"])
            # A branch of a fork may be called like one of ours.
            is_here = head["repo"] is not None and head["repo"]["full_name"].lower() == self.name.lower()
            if digest is not None and is_here:
                yield _seen(entry, digest)

    def _with_closer(self, pull: SeenPull) -> SeenPull:
        if pull.is_open:
            return pull
        if pull.merged_at is not None:
            found = self.connection.get(f"{self._path}/pulls/{pull.number}")
            merged_by = found.get("merged_by")
            return replace(pull, merged_by=merged_by["login"] if merged_by else None, merge_sha=found.get("merge_commit_sha"))
        closed_by = self.connection.get(f"{self._path}/issues/{pull.number}").get("closed_by")
        return replace(pull, closed_by=closed_by["login"] if closed_by else None)

    def open_pull(self, branch: str, base: str, title: str, body: str, *, is_draft: bool) -> SeenPull:
        """Opens a pull request, or finds the one that is open for the branch. Where the repository has no drafts, it is none."""
        fields = {"title": title, "head": branch, "base": base, "body": body, "draft": is_draft, "maintainer_can_modify": True}

        def opened() -> Mapping[str, Any]:
            found: Mapping[str, Any] = self.connection.write(
                "POST", f"{self._path}/pulls", fields, lambda: self._open_pull_of(branch)
            )
            return found

        try:
            made = opened()
        except GithubError as error:
            if not is_draft or error.status != 422 or "draft pull requests are not supported" not in str(error).lower():
                raise
            fields["draft"] = False
            made = opened()
        return _seen(made, digest_of_branch(branch) or "")

    def question(self, number: int) -> SeenPull | None:
        """A pull request that proposes no size, by number; None where it is gone."""
        found = self.connection.find(f"{self._path}/pulls/{number}")
        return _seen(found, "") if found else None

    def newest_pull_of(self, branch: str) -> SeenPull | None:
        """The pull request that was opened last for a branch of the repository itself, open or not."""
        owner = self.name.partition("/")[0]
        wanted = {"state": "all", "head": f"{owner}:{branch}", "sort": "created", "direction": "desc"}
        for entry in self.connection.pages(f"{self._path}/pulls", **wanted):
            head = entry["head"]
            if head["ref"] == branch and head["repo"] is not None and head["repo"]["full_name"].lower() == self.name.lower():
                return _seen(entry, "")
        return None

    def reviews(self, number: int) -> list[Review]:
        """The reviews of a pull request, the earliest first."""
        return [
            Review(each["user"]["login"], each["state"], each["body"] or "", each["commit_id"])
            for each in self.connection.pages(f"{self._path}/pulls/{number}/reviews")
            if each["user"] is not None
        ]

    def _open_pull_of(self, branch: str) -> Mapping[str, Any] | None:
        owner = self.name.partition("/")[0]
        found = self.connection.get(f"{self._path}/pulls", state="open", head=f"{owner}:{branch}")
        return found[0] if found else None

    def edit_pull(self, number: int, title: str, body: str) -> None:
        self.connection.write("PATCH", f"{self._path}/pulls/{number}", {"title": title, "body": body})

    def close_pull(self, number: int) -> None:
        self.connection.write("PATCH", f"{self._path}/pulls/{number}", {"state": "closed"})

    def request_review(self, number: int, people: Iterable[str], teams: Iterable[str]) -> None:
        """Raises ``GithubError`` (422) where one of them cannot be asked."""
        body = {"reviewers": sorted(people), "team_reviewers": sorted(teams)}
        self.connection.write("POST", f"{self._path}/pulls/{number}/requested_reviewers", body)

    # Issues, and what pull requests have in common with them.

    def add_labels(self, number: int, labels: Iterable[str]) -> None:
        self.connection.write("POST", f"{self._path}/issues/{number}/labels", {"labels": sorted(labels)})

    def comments(self, since: datetime) -> list[Comment]:
        """Comments of all issues and pull requests, changed since a moment.

        Read on from the last moment seen and not by page numbers: pages shift when an earlier comment is edited meanwhile.
        """
        found: dict[int, Comment] = {}
        number = 1
        while True:
            asked = since.strftime("%Y-%m-%dT%H:%M:%SZ")
            entries = self.connection.get(
                f"{self._path}/issues/comments", since=asked, sort="updated", direction="asc", per_page=PAGE, page=number
            )
            for entry in entries:
                about = int(entry["issue_url"].rpartition("/")[2])
                author = entry["user"]["login"] if entry["user"] else "ghost"
                times = (_moment(entry["created_at"]), _moment(entry["updated_at"]))
                found[entry["id"]] = Comment(entry["id"], about, author, entry["body"] or "", *times)
            if len(entries) < PAGE:
                return list(found.values())
            last = _moment(entries[-1]["updated_at"])
            # More of one second than a page holds cannot be told apart by time.
            since, number = (last, 1) if last > since else (since, number + 1)

    def comment(self, number: int, mark: str, text: str, *, replaces: str | None = None) -> None:
        """Says something once: a comment of ours that holds ``mark`` is looked for first. ``replaces`` begins the marks of
        earlier ones, of which the first is rewritten."""
        body = f"{text}\n\n{mark}"
        ours = self._our_comments(number)
        if any(mark in each["body"] for each in ours):
            return
        earlier = next((each for each in ours if replaces and replaces in each["body"]), None)
        self._comments.pop(number, None)
        if earlier is not None:
            self.connection.write("PATCH", f"{self._path}/issues/comments/{earlier['id']}", {"body": body})
            return

        def made() -> Mapping[str, Any] | None:
            self._comments.pop(number, None)
            return next((each for each in self._our_comments(number) if mark in each["body"]), None)

        self.connection.write("POST", f"{self._path}/issues/{number}/comments", {"body": body}, made)
        self._comments.pop(number, None)

    def has_comment(self, number: int, mark: str) -> bool:
        """Whether we said something that holds ``mark``."""
        return any(mark in each["body"] for each in self._our_comments(number))

    def _our_comments(self, number: int) -> list[Mapping[str, Any]]:
        """What we said under an issue or pull request; read once, until we say more."""
        if number not in self._comments:
            listed = self.connection.pages(f"{self._path}/issues/{number}/comments")
            self._comments[number] = [
                each for each in listed if each["user"] and each["user"]["login"] == self.login and each["body"]
            ]
        return self._comments[number]

    def may_write(self, login: str) -> bool:
        """Whether a person may write to the repository."""
        if login not in self._may_write:
            found = self.connection.find(f"{self._path}/collaborators/{quote(login)}/permission")
            words = {found.get("permission"), found.get("role_name")} if found else set()
            self._may_write[login] = bool(words & _WRITERS)
        return self._may_write[login]

    def issue(self, number: int, mark: str) -> Issue | None:
        """Our issue that holds ``mark``, by its number. None where it is not there any more: GitHub answers for one that was
        moved to another repository, whose number means something else here."""
        found = self.connection.find(f"{self._path}/issues/{number}")
        is_here = found is not None and found["number"] == number and self._is_of_ours(found, mark)
        return _issue(found) if found is not None and is_here else None

    def find_issue(self, mark: str) -> Issue | None:
        """Our issue that holds ``mark``, open or closed; looks through all that we ever opened."""
        found = self._marked_issue(mark)
        return _issue(found) if found else None

    def _is_of_ours(self, entry: Mapping[str, Any], mark: str) -> bool:
        is_here = entry["url"].lower().endswith(f"{self._path.lower()}/issues/{entry['number']}")
        is_mine = bool(entry["user"]) and entry["user"]["login"] == self.login
        return is_here and is_mine and "pull_request" not in entry and mark in (entry["body"] or "")

    def open_issue(self, title: str, body: str, labels: Iterable[str], mark: str) -> Issue:
        """Opens an issue, or finds ours that holds ``mark``, open or closed."""
        there = self._marked_issue(mark)
        if there is None:
            fields = {"title": title, "body": body, "labels": sorted(labels)}
            there = self.connection.write("POST", f"{self._path}/issues", fields, lambda: self._marked_issue(mark))
        return _issue(there)

    def _marked_issue(self, mark: str) -> Mapping[str, Any] | None:
        listed = self.connection.pages(f"{self._path}/issues", state="all", creator=self.login, sort="created", direction="asc")
        return next((each for each in listed if self._is_of_ours(each, mark)), None)

    def edit_issue(self, number: int, body: str) -> None:
        self.connection.write("PATCH", f"{self._path}/issues/{number}", {"body": body})


def blob_id(data: bytes) -> str:
    """The id that Git gives to a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _seen(entry: Mapping[str, Any], digest: str) -> SeenPull:
    return SeenPull(
        number=entry["number"],
        digest=digest,
        branch=entry["head"]["ref"],
        base=entry["base"]["ref"],
        head_sha=entry["head"]["sha"],
        is_open=entry["state"] == "open",
        title=entry["title"],
        body=entry["body"] or "",
        url=entry["html_url"],
        closed_at=_moment_or_none(entry["closed_at"]),
        merged_at=_moment_or_none(entry["merged_at"]),
    )


def _issue(entry: Mapping[str, Any]) -> Issue:
    return Issue(entry["number"], entry["state"] == "open", entry["body"] or "")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
