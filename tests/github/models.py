"""What GitHub keeps: people, repositories, issues, pulls and what is said about them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.github.objects import ObjectStore

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
GITHUB_EMAIL = "users.noreply.github.com"


class Numbers:
    """Identifiers that are never given twice, as GitHub's are not."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1_000_001)

    def next(self) -> int:
        return next(self._numbers)


@dataclass(frozen=True)
class User:
    """A person, an organization or a bot."""

    id: int
    login: str
    type: str = "User"

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@{GITHUB_EMAIL}"


@dataclass(frozen=True)
class App:
    """A GitHub App with its one installation."""

    app_id: int
    slug: str
    public_key_pem: str
    installation_id: int
    owner: str
    permissions: dict[str, str]
    repositories: tuple[str, ...] | None

    @property
    def client_id(self) -> str:
        return f"Iv1.{self.app_id:016x}"

    def covers(self, full_name: str) -> bool:
        if self.repositories is None:
            return full_name.split("/")[0] == self.owner
        return full_name in self.repositories


@dataclass(frozen=True)
class Token:
    """A personal token, or with ``app`` one of an installation."""

    user: User
    expires_at: datetime | None
    app: App | None = None
    permissions: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Whose requests it spends, in the words of a refusal."""
        return f"installation ID {self.app.installation_id}" if self.app else f"user ID {self.user.id}"


@dataclass
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Milestone:
    """What issues of a repository are to be done by."""

    id: int
    number: int
    title: str
    creator: User
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    due_on: datetime | None = None
    state: str = "open"
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Event:
    """What happened to an issue. ``label`` is a name with a color, ``milestone`` a title, ``rename`` the titles before and after;
    ``reason`` is why it was closed or locked."""

    id: int
    event: str
    actor: User
    created_at: datetime
    app: App | None = None
    commit_sha: str | None = None
    reason: str | None = None
    label: tuple[str, str] | None = None
    assignee: User | None = None
    milestone: str | None = None
    rename: tuple[str, str] | None = None


@dataclass(frozen=True)
class Seed:
    """An issue that is there from the beginning; without a moment it was made at the time of the seeding."""

    title: str
    body: str | None = None
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: int | None = None
    state: str = "open"
    state_reason: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Moved:
    """Where an issue went that was transferred."""

    repository_id: int
    number: int


@dataclass(frozen=True)
class Team:
    """A team with access to a repository."""

    id: int
    slug: str


@dataclass
class Comment:
    """A comment on an issue or a pull."""

    id: int
    number: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(frozen=True)
class Reaction:
    """An emoji that somebody left."""

    id: int
    user: User
    content: str
    created_at: datetime


@dataclass(frozen=True)
class Review:
    """A review of a pull."""

    id: int
    user: User
    state: str
    body: str
    commit_sha: str
    submitted_at: datetime


@dataclass
class Issue:
    """An issue, or with ``pull`` the half of a pull that it shares with issues."""

    id: int
    number: int
    user: User
    title: str
    body: str | None
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    pull: Pull | None = None
    milestone: Milestone | None = None
    is_locked: bool = False
    lock_reason: str | None = None
    events: list[Event] = field(default_factory=list)


@dataclass
class Pull:
    """What a pull has beyond an issue."""

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    requested_reviewers: list[User] = field(default_factory=list)
    requested_teams: list[Team] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass(frozen=True)
class DeploymentStatus:
    """What became of a deployment at a moment."""

    id: int
    state: str
    creator: User
    description: str
    created_at: datetime


@dataclass
class Deployment:
    """A deployment of a commit to an environment."""

    id: int
    ref: str
    sha: str
    environment: str
    task: str
    creator: User
    created_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Repository:
    """A repository with all that is in it. The last five are switches for tests.

    ``gone`` has the numbers of issues that are no longer here: with where they went, or None where they were deleted.
    """

    id: int
    owner: User
    name: str
    default_branch: str
    created_at: datetime
    store: ObjectStore = field(default_factory=ObjectStore)
    refs: dict[str, str] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    collaborators: dict[str, str] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    gone: dict[int, Moved | None] = field(default_factory=dict)
    truncates_trees: bool = False
    supports_drafts: bool = True
    deletes_merged_branches: bool = False
    is_archived: bool = False
    has_issues: bool = True

    def __post_init__(self) -> None:
        self.last_number = self.last_milestone = 0
        self._found: dict[Hashable, Any] = {}
        self._threads: dict[int, list[Comment]] = {}
        self._threads_of: tuple[int, int] = (0, 0)

    def touch(self) -> None:
        """Forgets what was found before, as something may change now."""
        self._found.clear()

    def remember(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What ``find`` gives, looked for again only after something may have changed."""
        if key not in self._found:
            self._found[key] = find()
        return self._found[key]

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def node_id(self) -> str:
        return f"R_kgDO{self.id:08d}"

    def role(self, login: str) -> str:
        return "admin" if login == self.owner.login else self.collaborators.get(login, "none")

    def allows(self, login: str, role: str) -> bool:
        return ROLES.index(self.role(login)) >= ROLES.index(role)

    def branch(self, name: str) -> str | None:
        return self.refs.get(f"refs/heads/{name}")

    def pulls(self, state: str = "open") -> list[Issue]:
        return [each for each in self.issues.values() if each.pull and state in (each.state, "all")]

    def thread(self, number: int) -> list[Comment]:
        # Identifiers only grow, so other comments have another count or another last one.
        mark = (len(self.comments), next(reversed(self.comments), 0))
        if mark != self._threads_of:
            self._threads, self._threads_of = {}, mark
            for each in self.comments.values():
                self._threads.setdefault(each.number, []).append(each)
        return [*self._threads.get(number, ())]

    @property
    def open_issues(self) -> int:
        """How many issues and pulls are open."""
        return self.remember("open", lambda: sum(each.state == "open" for each in self.issues.values()))

    def count(self, milestone: Milestone) -> dict[str, int]:
        """How many issues and pulls of a milestone are open, and how many are closed."""

        def count_all() -> dict[int, dict[str, int]]:
            counts = {number: {"open": 0, "closed": 0} for number in self.milestones}
            for each in self.issues.values():
                if each.milestone:
                    counts[each.milestone.number][each.state] += 1
            return counts

        return self.remember("milestones", count_all)[milestone.number]

    def resolve(self, name: str) -> str | None:
        """The commit of a branch, a full ref, a tag, HEAD or a SHA that may be cut short."""
        if name == "HEAD":
            name = self.default_branch
        for ref in (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}", name):
            if ref in self.refs:
                return self.refs[ref]
        if len(name) < 7:
            return None
        found = [sha for sha in self.store.commits if sha.startswith(name)]
        return found[0] if len(found) == 1 else None
