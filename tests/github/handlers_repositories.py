"""Repositories, branches, commits, comparisons, contents and archives."""

from __future__ import annotations

import secrets
from datetime import datetime
from urllib.parse import quote

from tests.github.answers import Answer, Refusal, not_found
from tests.github.archive import tarball
from tests.github.checks import moment, text
from tests.github.diffs import changes
from tests.github.models import ROLES
from tests.github.objects import FOLDER, Commit
from tests.github.routing import PAGES, Call, route

HOME = "/repos/{owner}/{repo}"
BASIC_ROLES = {"maintain": "write", "triage": "read"}


@route("GET", HOME)
def get_repository(call: Call) -> Answer:
    token = call.actor.token
    assert token
    by_app = "write" if token.permissions.get("contents") == "write" else "read"
    role = by_app if token.app else call.repository.role(token.user.login)
    return Answer(200, call.hub.views.repository(call.repository, role))


@route("GET", HOME + "/collaborators", query=PAGES)
def list_collaborators(call: Call) -> Answer:
    logins = {call.repository.owner.login: "admin", **call.repository.collaborators}
    return call.pages([call.hub.users[login] for login in logins if logins[login] != "none"], call.hub.views.user)


@route("GET", HOME + "/collaborators/{login}")
def is_collaborator(call: Call) -> Answer:
    if not call.repository.allows(call.names["login"], "read"):
        raise not_found()
    return Answer(204)


@route("GET", HOME + "/collaborators/{login}/permission")
def get_permission(call: Call) -> Answer:
    user = call.hub.users.get(call.names["login"])
    if user is None or user.type == "Bot":
        raise Refusal(404, f"{call.names['login']} is not a user")
    role = call.repository.role(user.login)
    assert role in ROLES
    seen = {"permission": BASIC_ROLES.get(role, role), "role_name": role, "user": call.hub.views.user(user)}
    return Answer(200, seen)


@route("GET", HOME + "/teams", query=PAGES)
def list_teams(call: Call) -> Answer:
    owner = call.repository.owner.login
    return call.pages([*call.repository.teams.values()], lambda team: call.hub.views.team(team, owner))


@route("GET", HOME + "/branches", "contents", query=PAGES)
def list_branches(call: Call) -> Answer:
    names = sorted(ref.removeprefix("refs/heads/") for ref in call.repository.refs if ref.startswith("refs/heads/"))
    root = call.hub.views.repository_url(call.repository)

    def render(name: str) -> dict[str, object]:
        sha = call.repository.branch(name)
        return {"name": name, "commit": {"sha": sha, "url": f"{root}/commits/{sha}"}, "protected": False}

    return call.pages(names, render)


@route("GET", HOME + "/branches/{branch*}", "contents")
def get_branch(call: Call) -> Answer:
    name = call.names["branch"]
    sha = call.repository.branch(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    url = f"{call.hub.views.repository_url(call.repository)}/branches/{quote(name)}"
    html = f"{call.hub.views.page_url(call.repository)}/tree/{quote(name)}"
    seen = {
        "name": name,
        "commit": call.hub.views.commit(call.repository, call.repository.store.commits[sha]),
        "_links": {"self": url, "html": html},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }
    return Answer(200, seen)


COMMIT_QUERY = {**PAGES, "sha": text, "path": text, "since": moment, "until": moment, "author": text}


@route("GET", HOME + "/commits", "contents", query=COMMIT_QUERY)
def list_commits(call: Call) -> Answer:
    store = call.repository.store
    start = call.repository.resolve(call.query.get("sha", "HEAD"))
    if start is None:
        raise not_found()
    found = [store.commits[sha] for sha in store.ancestors(start)]
    if "path" in call.query:
        found = [each for each in found if _touches(call, each, call.query["path"].strip("/"))]
    if "since" in call.query:
        found = [each for each in found if each.committer.at >= datetime.fromisoformat(call.query["since"])]
    if "until" in call.query:
        found = [each for each in found if each.committer.at <= datetime.fromisoformat(call.query["until"])]
    if "author" in call.query:
        user = call.hub.users.get(call.query["author"])
        found = [each for each in found if user and call.hub.user_of_email(each.author.email) == user]
    return call.pages(found, lambda commit: call.hub.views.commit(call.repository, commit))


def _touches(call: Call, commit: Commit, path: str) -> bool:
    """Whether a commit changed a path against all of its parents, which is what git's log of a path shows."""
    store = call.repository.store
    mine = store.find(commit.tree, path)
    theirs = [store.find(store.commits[parent].tree, path) for parent in commit.parents]
    return all(each != mine for each in theirs) if theirs else mine is not None


@route("GET", HOME + "/commits/{ref*}", "contents", query=PAGES)
def get_commit(call: Call) -> Answer:
    store = call.repository.store
    sha = call.repository.resolve(call.names["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.names['ref']}")
    commit = store.commits[sha]
    before = store.commits[commit.parents[0]].tree if commit.parents else store.put_tree({})
    files = changes(store, before, commit.tree)
    added, deleted = sum(each.additions for each in files), sum(each.deletions for each in files)
    shown, headers = call.page(files, 300)
    seen = {
        **call.hub.views.commit(call.repository, commit),
        "stats": {"total": added + deleted, "additions": added, "deletions": deleted},
        "files": [call.hub.views.file_change(call.repository, sha, each) for each in shown],
    }
    return Answer(200, seen, headers)


@route("GET", HOME + "/compare/{base*}\\.\\.\\.{head*}", "contents", query=PAGES)
def compare(call: Call) -> Answer:
    repository, store, views = call.repository, call.repository.store, call.hub.views
    shas = []
    for side in ("base", "head"):
        owner, colon, name = call.names[side].rpartition(":")
        sha = repository.resolve(name) if not colon or owner == repository.owner.login else None
        if sha is None:
            raise not_found()
        shas.append(sha)
    base, head = shas
    common = store.merge_base(base, head)
    if common is None:
        raise Refusal(404, f"No common ancestor between {call.names['base']} and {call.names['head']}.")
    ahead, behind = store.between(base, head), store.between(head, base)
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind", (False, False): "identical"}
    shown, headers = call.page(ahead, 100)
    url = f"{views.repository_url(repository)}/compare/{call.names['base']}...{call.names['head']}"
    page = f"{views.page_url(repository)}/compare/{call.names['base']}...{call.names['head']}"
    files = changes(store, store.commits[common].tree, store.commits[head].tree)[:300]
    seen = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": views.commit(repository, store.commits[base]),
        "merge_base_commit": views.commit(repository, store.commits[common]),
        "status": status[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [views.commit(repository, store.commits[sha]) for sha in shown],
    }
    # Only the first page shows files.
    if call.query.get("page", "1") == "1":
        seen["files"] = [views.file_change(repository, head, each) for each in files]
    return Answer(200, seen, headers)


@route("GET", HOME + "/contents/{path*}", "contents", query={"ref": text})
def get_contents(call: Call) -> Answer:
    store, path = call.repository.store, call.names["path"].strip("/")
    ref = call.query.get("ref", call.repository.default_branch)
    sha = call.repository.resolve(ref)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {ref}")
    entry = store.find(store.commits[sha].tree, path)
    if entry is None:
        raise not_found()
    if entry.mode != FOLDER:
        return Answer(200, call.hub.views.content(call.repository, path, entry, ref, is_whole=True))
    inside = store.trees[entry.sha].items()
    seen = [
        call.hub.views.content(call.repository, f"{path}/{name}".lstrip("/"), each, ref, is_whole=False) for name, each in inside
    ]
    return Answer(200, seen)


@route("GET", HOME + "/tarball(?:/{ref*})?", "contents")
def get_tarball(call: Call) -> Answer:
    """Says where the archive is, for one download."""
    ref = call.names.get("ref", call.repository.default_branch)
    if call.repository.resolve(ref) is None:
        raise not_found()
    token = secrets.token_hex(16)
    call.hub.downloads[token] = (call.repository.full_name, ref)
    # What is shown under a name changes, so the answer is not to be kept; an enterprise server serves it itself.
    root = call.hub.views.api.removesuffix("/v3")
    location = f"{root}/_codeload/{call.repository.full_name}/legacy.tar.gz/{quote(ref)}?token={token}"
    return Answer(302, headers={"Location": location})


@route("GET", "/_codeload/{owner}/{repo}/legacy\\.tar\\.gz/{ref*}", auth="none", query={"token": text})
def download(call: Call) -> Answer:
    name = f"{call.names['owner']}/{call.names['repo']}"
    if call.hub.downloads.pop(call.query.get("token", ""), None) != (name, call.names["ref"]):
        raise not_found()
    repository = call.hub.repositories[name]
    sha = repository.resolve(call.names["ref"])
    if sha is None:
        raise not_found()
    data = tarball(repository.store, repository.store.commits[sha], repository.owner.login, repository.name)
    filename = f"{repository.owner.login}-{repository.name}-{sha[:7]}.tar.gz"
    headers = {"Content-Type": "application/x-gzip", "Content-Disposition": f"attachment; filename={filename}"}
    return Answer(200, headers=headers, raw=data)
