"""What changes a repository, whoever does it: each act keeps the consequences that it has on GitHub."""

from __future__ import annotations

from collections.abc import Mapping

from tests.github.answers import Refusal, custom, invalid
from tests.github.checks import is_ref_name
from tests.github.diffs import Conflict, merge_trees
from tests.github.issue_acts import IssueActs
from tests.github.models import Issue, Pull, Repository, Review
from tests.github.objects import Commit, Entry, Signature, utc

BRANCHES = "refs/heads/"


class RefError(Refusal):
    """A ref that cannot be moved so."""

    def __init__(self, message: str) -> None:
        super().__init__(422, message)


class Acts(IssueActs):
    """The acts of one user on one repository at one moment."""

    @property
    def signature(self) -> Signature:
        return Signature(self.user.login, self.user.email, utc(self.now))

    def check_ref(self, name: str, old: str | None, new: str | None, *, force: bool) -> None:
        """Refuses what git or GitHub would not do with a ref; None is a ref that is not there."""
        store = self.repository.store
        if not is_ref_name(name):
            raise RefError(f"{name} is not a valid ref name.")
        if new is not None and new not in store.commits:
            raise RefError("Object does not exist" if store.type_of(new) is None else "Object is not a commit")
        if new is None and name == BRANCHES + self.repository.default_branch:
            raise RefError("Cannot delete the default branch")
        clashes = [each for each in self.repository.refs if each.startswith(f"{name}/") or name.startswith(f"{each}/")]
        if old is None and clashes:
            raise RefError(f"Reference cannot be created: '{clashes[0]}' exists")
        if old and new and not force and not store.is_ancestor(old, new):
            raise RefError("Update is not a fast forward")

    def move_ref(self, name: str, new: str | None) -> None:
        """Moves, creates or deletes a ref, and tends to the pulls of the branch."""
        repository = self.repository
        old = repository.refs.pop(name, None)
        if new is not None:
            repository.refs[name] = new
        if old == new or not name.startswith(BRANCHES):
            return
        branch = name.removeprefix(BRANCHES)
        for issue in repository.pulls():
            if issue.pull and issue.pull.head == branch:
                self._follow_head(issue, issue.pull, new)
            elif issue.pull and issue.pull.base == branch:
                self._follow_base(issue, issue.pull, new)

    def _follow_head(self, issue: Issue, pull: Pull, new: str | None) -> None:
        if new is None:
            self.set_state(issue, "closed")
            return
        base = self.repository.branch(pull.base)
        pull.head_sha, issue.updated_at = new, self.now
        if base is None or not self.repository.store.between(base, new):
            # A pull with nothing left to merge is closed by GitHub itself.
            self.set_state(issue, "closed")
            return
        pull.base_sha = base

    def _follow_base(self, issue: Issue, pull: Pull, new: str | None) -> None:
        if new is None:
            self.set_state(issue, "closed")
        elif self.repository.store.is_ancestor(pull.head_sha, new):
            self._mark_merged(issue, pull, pull.head_sha)

    def commit_files(
        self, parent: str | None, files: Mapping[str, bytes | None], message: str, modes: Mapping[str, str] | None = None
    ) -> Commit:
        """A commit with other files; None deletes one. A file keeps its mode unless ``modes`` says another."""
        store, modes = self.repository.store, modes or {}
        base = store.commits[parent].tree if parent else None
        before = store.files(base) if base else {}
        changes = []
        for path, data in files.items():
            mode = modes.get(path, before[path].mode if path in before else "100644")
            changes.append((path, None if data is None else Entry(mode, store.put_blob(data))))
        return store.put_commit(store.change_tree(base, changes), [parent] if parent else [], message, self.signature)

    def open_pull(
        self, title: str, body: str | None, head: str, base: str, *, draft: bool = False, modifiable: bool = False
    ) -> Issue:
        repository = self.repository
        head_sha, base_sha = repository.branch(head), repository.branch(base)
        for name, found in (("head", head_sha), ("base", base_sha)):
            if found is None:
                raise invalid({"resource": "PullRequest", "field": name, "code": "invalid"})
        assert head_sha and base_sha
        if any(each.pull and (each.pull.head, each.pull.base) == (head, base) for each in repository.pulls()):
            message = f"A pull request already exists for {repository.owner.login}:{head}."
            raise invalid({"resource": "PullRequest", "code": "custom", "message": message})
        if not repository.store.between(base_sha, head_sha):
            raise invalid({"resource": "PullRequest", "code": "custom", "message": f"No commits between {base} and {head}"})
        if draft and not repository.supports_drafts:
            raise Refusal(422, "Draft pull requests are not supported in this repository.")
        issue = self.open_issue(title, body)
        issue.pull = Pull(self.numbers.next(), head, base, head_sha, base_sha, draft, modifiable)
        return issue

    def check_reopening(self, issue: Issue, pull: Pull) -> None:
        def refuse(why: str) -> Refusal:
            return custom("PullRequest", "state", f"state cannot be changed. {why}")

        repository = self.repository
        head = repository.branch(pull.head)
        if pull.merged_at:
            raise refuse("The pull request has already been merged.")
        for name in (pull.head, pull.base):
            if repository.branch(name) is None:
                raise refuse(f"The {name} branch has been deleted.")
        assert head
        if not repository.store.is_ancestor(pull.head_sha, head):
            raise refuse(f"The {pull.head} branch was force-pushed or recreated.")
        others = [each for each in repository.pulls() if each.pull and (each.pull.head, each.pull.base) == (pull.head, pull.base)]
        if others:
            raise refuse(f"There is already an open pull request (#{others[0].number}) of the branch.")
        base = repository.branch(pull.base)
        assert base
        if not repository.store.between(base, head):
            raise refuse(f"There are no new commits on the {pull.head} branch.")
        pull.head_sha = head

    def merge(self, issue: Issue, method: str = "merge", title: str | None = None, message: str | None = None) -> str:
        """Merges a pull, and says the SHA of the commit that did it."""
        repository, pull = self.repository, issue.pull
        base = pull and repository.branch(pull.base)
        if not pull or not base or issue.state != "open" or pull.draft or repository.branch(pull.head) is None:
            raise Refusal(405, "Pull Request is not mergeable")
        if method not in ("merge", "squash"):
            raise Refusal(405, "Rebase merges are not allowed on this repository.")
        tree = merged_tree(repository, base, pull.head_sha)
        if tree is None:
            raise Refusal(405, "Pull Request is not mergeable")
        if method == "merge":
            parents = [base, pull.head_sha]
            subject = f"Merge pull request #{issue.number} from {repository.owner.login}/{pull.head}"
        else:
            parents = [base]
            subject = f"{issue.title} (#{issue.number})"
        body = message if message is not None else issue.title if method == "merge" else ""
        text = f"{title or subject}\n\n{body}".rstrip()
        commit = repository.store.put_commit(tree, parents, text, self.signature)
        pull.base_sha = base
        self._mark_merged(issue, pull, commit.sha)
        self.move_ref(BRANCHES + pull.base, commit.sha)
        if repository.deletes_merged_branches:
            self.move_ref(BRANCHES + pull.head, None)
        return commit.sha

    def _mark_merged(self, issue: Issue, pull: Pull, sha: str) -> None:
        self.record(issue, "merged", commit_sha=sha)
        self.set_state(issue, "closed")
        pull.merged_at, pull.merged_by, pull.merge_commit_sha = self.now, self.user, sha

    def review(self, issue: Issue, state: str, body: str) -> Review:
        assert issue.pull
        pull = issue.pull
        review = Review(self.numbers.next(), self.user, state, body, pull.head_sha, self.now)
        pull.reviews.append(review)
        pull.requested_reviewers = [each for each in pull.requested_reviewers if each != self.user]
        issue.updated_at = self.now
        return review


def merged_tree(repository: Repository, base: str, head: str) -> str | None:
    """The tree of a merge, or None where the two conflict."""
    store = repository.store
    ancestor = store.merge_base(base, head)
    if ancestor is None:
        return None
    try:
        return merge_trees(store, *(store.commits[sha].tree for sha in (ancestor, base, head)))
    except Conflict:
        return None
