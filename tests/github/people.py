"""What people do without the API: they push, merge, comment and review, and a test looks at what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.github.acts import BRANCHES, Acts
from tests.github.models import ROLES, Comment, Deployment, DeploymentStatus, Issue, Label, Repository, Review, Team
from tests.github.objects import ZERO, Commit

if TYPE_CHECKING:
    from tests.github.hub import Hub

Files = Mapping[str, bytes | None]


class People:
    """The people around one repository. Every act happens at the server's ``now``."""

    def __init__(self, hub: Hub, full_name: str) -> None:
        self._hub, self._full_name = hub, full_name

    @property
    def repository(self) -> Repository:
        """All that is in the repository; its switches may be set."""
        return self._hub.repositories[self._full_name]

    def _acts(self, login: str) -> Acts:
        return Acts(self.repository, self._hub.user(login), self._hub.tick(), self._hub.numbers)

    def add_collaborator(self, login: str, permission: str = "write") -> None:
        """Gives a role; ``none`` takes it away."""
        assert permission in ROLES, permission
        with self._hub.lock:
            self._hub.user(login)
            self.repository.collaborators.pop(login, None)
            if permission != "none":
                self.repository.collaborators[login] = permission

    def add_team(self, slug: str) -> None:
        with self._hub.lock:
            self.repository.teams[slug] = Team(self._hub.numbers.next(), slug)

    def push(
        self,
        login: str,
        branch: str,
        files: Files,
        message: str = "Change files",
        *,
        onto: str | None = None,
        modes: Mapping[str, str] | None = None,
    ) -> str:
        """A commit on top of a branch, which begins at ``onto`` (usually the default branch) where it is new."""
        with self._hub.lock:
            acts, repository = self._acts(login), self.repository
            parent = repository.branch(branch) or repository.resolve(onto or repository.default_branch)
            commit = acts.commit_files(parent, files, message, modes)
            acts.check_ref(BRANCHES + branch, repository.branch(branch), commit.sha, force=False)
            acts.move_ref(BRANCHES + branch, commit.sha)
            return commit.sha

    def force_push(self, login: str, branch: str, files: Files, message: str = "Rewrite", *, onto: str | None = None) -> str:
        """A commit on top of ``onto`` (usually the default branch), in place of what the branch was."""
        with self._hub.lock:
            acts, repository = self._acts(login), self.repository
            commit = acts.commit_files(repository.resolve(onto or repository.default_branch), files, message)
            acts.move_ref(BRANCHES + branch, commit.sha)
            return commit.sha

    def set_branch(self, login: str, branch: str, sha: str) -> None:
        """Points a branch, which may be new, at a commit."""
        with self._hub.lock:
            acts = self._acts(login)
            acts.check_ref(BRANCHES + branch, self.repository.branch(branch), sha, force=True)
            acts.move_ref(BRANCHES + branch, sha)

    def delete_branch(self, login: str, branch: str) -> None:
        with self._hub.lock:
            acts = self._acts(login)
            assert self.repository.branch(branch), f"There is no branch {branch}"
            acts.check_ref(BRANCHES + branch, ZERO, None, force=True)
            acts.move_ref(BRANCHES + branch, None)

    def open_pull(
        self,
        login: str,
        head: str,
        base: str | None = None,
        title: str = "Change",
        body: str | None = None,
        *,
        draft: bool = False,
    ) -> int:
        with self._hub.lock:
            base = base or self.repository.default_branch
            return self._acts(login).open_pull(title, body, head, base, draft=draft).number

    def open_issue(self, login: str, title: str, body: str | None = None) -> int:
        with self._hub.lock:
            return self._acts(login).open_issue(title, body).number

    def merge(self, login: str, number: int, method: str = "merge") -> str:
        """Merges a pull, and says the SHA of the commit that did it."""
        with self._hub.lock:
            return self._acts(login).merge(self.issue(number), method)

    def deploy(self, login: str, ref: str = "main", environment: str = "production", task: str = "deploy") -> int:
        """Asks for a deployment of a branch; its number."""
        with self._hub.lock:
            acts, sha = self._acts(login), self._resolve(ref)
            number = self._hub.numbers.next()
            self.repository.deployments[number] = Deployment(number, ref, sha, environment, task, acts.user, acts.now)
            return number

    def report_deployment(self, login: str, number: int, state: str, description: str = "") -> None:
        """Says what became of a deployment."""
        with self._hub.lock:
            acts = self._acts(login)
            status = DeploymentStatus(self._hub.numbers.next(), state, acts.user, description, acts.now)
            self.repository.deployments[number].statuses.append(status)

    def close(self, login: str, number: int, reason: str | None = None) -> None:
        with self._hub.lock:
            self._acts(login).set_state(self.issue(number), "closed", reason)

    def reopen(self, login: str, number: int) -> None:
        with self._hub.lock:
            self._acts(login).set_state(self.issue(number), "open")

    def ready(self, login: str, number: int) -> None:
        """Makes a draft an ordinary pull."""
        with self._hub.lock:
            acts, issue = self._acts(login), self.issue(number)
            assert issue.pull
            issue.pull.draft, issue.updated_at = False, acts.now

    def comment(self, login: str, number: int, body: str) -> int:
        """Comments on an issue or a pull, and says the comment's identifier."""
        with self._hub.lock:
            return self._acts(login).comment(self.issue(number), body).id

    def edit_comment(self, login: str, comment_id: int, body: str) -> None:
        with self._hub.lock:
            self._acts(login).edit_comment(self.repository.comments[comment_id], body)

    def delete_comment(self, login: str, comment_id: int) -> None:
        with self._hub.lock:
            self._acts(login).delete_comment(self.repository.comments[comment_id])

    def edit_body(self, login: str, number: int, body: str | None) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            issue.body, issue.updated_at = body, self._acts(login).now

    def edit_title(self, login: str, number: int, title: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            issue.title, issue.updated_at = title, self._acts(login).now

    def review(self, login: str, number: int, state: str, body: str = "") -> Review:
        """Reviews a pull: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""
        assert state in ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"), state
        with self._hub.lock:
            return self._acts(login).review(self.issue(number), state, body)

    def add_label(self, login: str, number: int, name: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            self._acts(login).set_labels(issue, [*(each.name for each in issue.labels), name])

    def remove_label(self, login: str, number: int, name: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            left = [each.name for each in issue.labels if each.name.lower() != name.lower()]
            assert len(left) < len(issue.labels), f"#{number} has no label {name}"
            self._acts(login).set_labels(issue, left)

    def issue(self, number: int) -> Issue:
        """An issue, or a pull with what it shares with issues."""
        return self.repository.issues[number]

    def pulls(self, state: str = "open") -> list[Issue]:
        """The pulls of a state (open, closed or all), the oldest first."""
        with self._hub.lock:
            return self.repository.pulls(state)

    def issues(self, state: str = "open") -> list[Issue]:
        """The issues that are no pulls, the oldest first."""
        with self._hub.lock:
            return [each for each in self.repository.issues.values() if not each.pull and state in (each.state, "all")]

    def comments(self, number: int) -> list[Comment]:
        with self._hub.lock:
            return self.repository.thread(number)

    def labels(self, number: int) -> list[str]:
        return [each.name for each in self.issue(number).labels]

    def repository_labels(self) -> list[Label]:
        return [*self.repository.labels.values()]

    def branches(self) -> list[str]:
        return sorted(ref.removeprefix(BRANCHES) for ref in self.repository.refs if ref.startswith(BRANCHES))

    def head(self, branch: str) -> str | None:
        """The SHA of a branch, or None where there is none."""
        return self.repository.branch(branch)

    def commits(self, branch: str) -> list[Commit]:
        """A branch's commits, the youngest first."""
        with self._hub.lock:
            store = self.repository.store
            return [store.commits[sha] for sha in store.ancestors(self._resolve(branch))]

    def files(self, ref: str) -> dict[str, bytes]:
        with self._hub.lock:
            store = self.repository.store
            found = store.files(store.commits[self._resolve(ref)].tree)
            return {path: store.blobs.get(entry.sha, b"") for path, entry in found.items()}

    def modes(self, ref: str) -> dict[str, str]:
        with self._hub.lock:
            store = self.repository.store
            return {path: entry.mode for path, entry in store.files(store.commits[self._resolve(ref)].tree).items()}

    def file(self, ref: str, path: str) -> bytes:
        """What a file holds on a branch or in a commit; KeyError where it is not there."""
        return self.files(ref)[path]

    def _resolve(self, ref: str) -> str:
        found = self.repository.resolve(ref)
        assert found, f"There is no {ref}"
        return found
