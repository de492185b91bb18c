"""What people do without the API: they push, merge, comment and review, and a test looks at what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.github.acts import BRANCHES
from tests.github.issue_people import IssuePeople
from tests.github.models import ROLES, Deployment, DeploymentStatus, Issue, Review, Team
from tests.github.objects import ZERO, Commit

Files = Mapping[str, bytes | None]


class People(IssuePeople):
    """The people around one repository. Every act happens at the server's ``now``."""

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

    def ready(self, login: str, number: int) -> None:
        """Makes a draft an ordinary pull."""
        with self._hub.lock:
            acts, issue = self._acts(login), self.issue(number)
            assert issue.pull
            issue.pull.draft, issue.updated_at = False, acts.now

    def review(self, login: str, number: int, state: str, body: str = "") -> Review:
        """Reviews a pull: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""
        assert state in ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"), state
        with self._hub.lock:
            return self._acts(login).review(self.issue(number), state, body)

    def pulls(self, state: str = "open") -> list[Issue]:
        """The pulls of a state (open, closed or all), the oldest first."""
        with self._hub.lock:
            return self.repository.pulls(state)

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
