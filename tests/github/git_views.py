"""JSON of git's objects and of pulls, which are made of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

from tests.github.acts import merged_tree
from tests.github.diffs import FileChange, changes
from tests.github.models import Issue, Pull, Repository, User
from tests.github.objects import FOLDER, SUBMODULE, Commit, Entry, Signature
from tests.github.views import Json, Views, moment, node


class GitViews(Views):
    """Views with git's objects; ``users`` finds the person of an e-mail address."""

    def __init__(self, api: str, web: str, users: Callable[[str], User | None]) -> None:
        super().__init__(api, web)
        self._users = users
        self._merges: dict[tuple[int, str, str], str | None] = {}

    def ref(self, repository: Repository, name: str, sha: str) -> Json:
        root = self.repository_url(repository)
        return {
            "ref": name,
            "node_id": node("REF", name),
            "url": f"{root}/git/{quote(name)}",
            "object": {"sha": sha, "type": "commit", "url": f"{root}/git/commits/{sha}"},
        }

    def signature(self, signature: Signature) -> Json:
        return {"name": signature.name, "email": signature.email, "date": moment(signature.at)}

    def verification(self, commit: Commit) -> Json:
        if not commit.is_signed:
            return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
        return {
            "verified": True,
            "reason": "valid",
            "signature": "-----BEGIN PGP SIGNATURE-----",
            "payload": f"tree {commit.tree}",
            "verified_at": moment(commit.committer.at),
        }

    def git_commit(self, repository: Repository, commit: Commit) -> Json:
        root, page = self.repository_url(repository), self.page_url(repository)
        return {
            "sha": commit.sha,
            "node_id": node("C", commit.sha),
            "url": f"{root}/git/commits/{commit.sha}",
            "html_url": f"{page}/commit/{commit.sha}",
            "author": self.signature(commit.author),
            "committer": self.signature(commit.committer),
            "tree": {"sha": commit.tree, "url": f"{root}/git/trees/{commit.tree}"},
            "message": commit.message,
            "parents": [
                {"sha": sha, "url": f"{root}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in commit.parents
            ],
            "verification": self.verification(commit),
        }

    def commit(self, repository: Repository, commit: Commit) -> Json:
        """A commit as the API for repositories shows it, which knows people."""
        root, page = self.repository_url(repository), self.page_url(repository)
        return {
            "sha": commit.sha,
            "node_id": node("C", commit.sha),
            "commit": {
                "author": self.signature(commit.author),
                "committer": self.signature(commit.committer),
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{root}/git/trees/{commit.tree}"},
                "url": f"{root}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": self.verification(commit),
            },
            "url": f"{root}/commits/{commit.sha}",
            "html_url": f"{page}/commit/{commit.sha}",
            "comments_url": f"{root}/commits/{commit.sha}/comments",
            "author": self.user(self._users(commit.author.email)),
            "committer": self.user(self._users(commit.committer.email)),
            "parents": [
                {"sha": sha, "url": f"{root}/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in commit.parents
            ],
        }

    def tree_entry(self, repository: Repository, path: str, entry: Entry) -> Json:
        seen = {"path": path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.type == "blob":
            seen["size"] = len(repository.store.blobs[entry.sha])
        if entry.mode != SUBMODULE:
            seen["url"] = f"{self.repository_url(repository)}/git/{entry.type}s/{entry.sha}"
        return seen

    def blob(self, repository: Repository, sha: str) -> Json:
        data = repository.store.blobs[sha]
        return {
            "sha": sha,
            "node_id": node("B", sha),
            "size": len(data),
            "url": f"{self.repository_url(repository)}/git/blobs/{sha}",
            "content": base64_lines(data),
            "encoding": "base64",
        }

    def content(self, repository: Repository, path: str, entry: Entry, ref: str, *, is_whole: bool) -> Json:
        root, page = self.repository_url(repository), self.page_url(repository)
        kind = "dir" if entry.mode == FOLDER else "file"
        url = f"{root}/contents/{quote(path)}?ref={quote(ref, safe='')}"
        git_url = f"{root}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}"
        html_url = f"{page}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{quote(path)}"
        data = repository.store.blobs.get(entry.sha, b"")
        seen = {
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": entry.sha,
            "size": len(data),
            "url": url,
            "html_url": html_url,
            "git_url": git_url,
            "download_url": None if kind == "dir" else f"{page}/raw/{quote(ref)}/{quote(path)}",
            "type": kind,
            "_links": {"self": url, "git": git_url, "html": html_url},
        }
        if is_whole:
            # Files over a megabyte come without their content.
            is_large = len(data) > 1024 * 1024
            seen |= {"content": "" if is_large else base64_lines(data), "encoding": "none" if is_large else "base64"}
        return seen

    def file_change(self, repository: Repository, sha: str, change: FileChange) -> Json:
        root, page, path = self.repository_url(repository), self.page_url(repository), quote(change.path)
        seen = {
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{page}/blob/{sha}/{path}",
            "raw_url": f"{page}/raw/{sha}/{path}",
            "contents_url": f"{root}/contents/{path}?ref={sha}",
        }
        if change.patch is not None:
            seen["patch"] = change.patch
        if change.previous_path is not None:
            seen["previous_filename"] = change.previous_path
        return seen

    def pull_files(self, repository: Repository, pull: Pull) -> list[FileChange]:
        store = repository.store
        base = store.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
        return changes(store, store.commits[base].tree, store.commits[pull.head_sha].tree)

    def pull(self, repository: Repository, issue: Issue, *, is_whole: bool = True) -> Json:
        """A pull; one of a list (not ``is_whole``) lacks what GitHub must work out."""
        pull = issue.pull
        assert pull
        root, page = self.repository_url(repository), f"{self.page_url(repository)}/pull/{issue.number}"
        url, issue_url = f"{root}/pulls/{issue.number}", f"{root}/issues/{issue.number}"
        whole = self.issue(repository, issue)
        shared = (
            "number", "state", "locked", "title", "user", "body", "created_at", "updated_at", "closed_at", "labels", "assignee",
            "assignees", "milestone", "author_association", "active_lock_reason", "html_url", "node_id",
        )  # fmt: skip
        merge = self._test_merge(repository, issue, pull)
        seen = {
            **{name: whole[name] for name in shared},
            "url": url,
            "id": pull.id,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": issue_url,
            "merged_at": moment(pull.merged_at),
            "merge_commit_sha": pull.merge_commit_sha if pull.merged_at else merge,
            "requested_reviewers": [self.user(each) for each in pull.requested_reviewers],
            "requested_teams": [self.team(each, repository.owner.login) for each in pull.requested_teams],
            "draft": pull.draft,
            "commits_url": f"{url}/commits",
            "review_comments_url": f"{url}/comments",
            "comments_url": f"{issue_url}/comments",
            "statuses_url": f"{root}/statuses/{pull.head_sha}",
            "head": self._side(repository, pull.head, pull.head_sha),
            "base": self._side(repository, pull.base, pull.base_sha),
            "_links": {"self": {"href": url}, "html": {"href": page}, "issue": {"href": issue_url}},
            "auto_merge": None,
        }
        if is_whole:
            files = self.pull_files(repository, pull)
            is_mergeable = None if issue.state == "closed" else merge is not None
            seen |= {
                "merged": pull.merged_at is not None,
                "mergeable": is_mergeable,
                "rebaseable": is_mergeable,
                "mergeable_state": {None: "unknown", True: "draft" if pull.draft else "clean", False: "dirty"}[is_mergeable],
                "merged_by": self.user(pull.merged_by),
                "comments": whole["comments"],
                "review_comments": 0,
                "maintainer_can_modify": pull.maintainer_can_modify,
                "commits": len(repository.store.between(pull.base_sha, pull.head_sha)),
                "additions": sum(each.additions for each in files),
                "deletions": sum(each.deletions for each in files),
                "changed_files": len(files),
            }
        return seen

    def _side(self, repository: Repository, ref: str, sha: str) -> Json:
        owner = repository.owner
        return {
            "label": f"{owner.login}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user(owner),
            "repo": self.repository(repository),
        }

    def _test_merge(self, repository: Repository, issue: Issue, pull: Pull) -> str | None:
        """The commit that GitHub makes to see whether a pull can be merged; a closed pull keeps the last one."""
        base = repository.branch(pull.base)
        if issue.state == "open" and base:
            sides = repository.id, base, pull.head_sha
            if sides not in self._merges:
                tree = merged_tree(repository, *sides[1:])
                at = repository.store.commits[pull.head_sha].committer
                message = f"Merge {pull.head_sha} into {base}"
                self._merges[sides] = tree and repository.store.put_commit(tree, sides[1:], message, at).sha
            pull.merge_commit_sha = self._merges[sides]
        return pull.merge_commit_sha


def base64_lines(data: bytes) -> str:
    """Base64 in the lines of 60 characters that GitHub writes."""
    packed = base64.b64encode(data).decode()
    return "".join(packed[start : start + 60] + "\n" for start in range(0, len(packed), 60))
