"""The git database: refs, commits, trees and blobs."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from tests.github.acts import RefError
from tests.github.answers import Answer, Refusal, invalid, not_found
from tests.github.checks import check_fields, flag, is_ref_name, list_of, mapping, maybe, moment, one_of, sha, text
from tests.github.objects import FOLDER, SUBMODULE, TYPES, BadTree, Entry, Signature, utc
from tests.github.routing import PAGES, Call, route

GIT = "/repos/{owner}/{repo}/git"


@route("GET", GIT + "/refs?/(?P<ref>(?:heads|tags)/.+)", "contents")
def get_ref(call: Call) -> Answer:
    name = f"refs/{call.names['ref']}"
    found = call.repository.refs.get(name)
    if found is None:
        raise not_found()
    return Answer(200, call.hub.views.ref(call.repository, name, found))


@route("GET", GIT + "/matching-refs/{ref*}", "contents", query=PAGES)
def list_refs(call: Call) -> Answer:
    prefix = f"refs/{call.names['ref']}"
    found = sorted(item for item in call.repository.refs.items() if item[0].startswith(prefix))
    return call.pages(found, lambda item: call.hub.views.ref(call.repository, *item))


@route("POST", GIT + "/refs", "contents")
def create_ref(call: Call) -> Answer:
    given = check_fields("Reference", call.body, {"ref": text, "sha": sha})
    name = given["ref"]
    if not is_ref_name(name):
        raise RefError(f"{name} is not a valid ref name.")
    if name in call.repository.refs:
        raise RefError("Reference already exists")
    call.acts.check_ref(name, None, given["sha"], force=False)
    call.acts.move_ref(name, given["sha"])
    return Answer(201, call.hub.views.ref(call.repository, name, given["sha"]))


@route("PATCH", GIT + "/refs/{ref*}", "contents")
def update_ref(call: Call) -> Answer:
    given = check_fields("Reference", call.body, {"sha": sha}, {"force": flag})
    name = f"refs/{call.names['ref']}"
    old = call.repository.refs.get(name)
    if old is None:
        raise RefError("Reference does not exist")
    call.acts.check_ref(name, old, given["sha"], force=given.get("force", False))
    call.acts.move_ref(name, given["sha"])
    return Answer(200, call.hub.views.ref(call.repository, name, given["sha"]))


@route("DELETE", GIT + "/refs/{ref*}", "contents")
def delete_ref(call: Call) -> Answer:
    name = f"refs/{call.names['ref']}"
    old = call.repository.refs.get(name)
    if old is None:
        raise RefError("Reference does not exist")
    call.acts.check_ref(name, old, None, force=True)
    call.acts.move_ref(name, None)
    return Answer(204)


@route("GET", GIT + "/commits/{sha}", "contents")
def get_git_commit(call: Call) -> Answer:
    commit = call.repository.store.commits.get(call.names["sha"])
    if commit is None:
        raise not_found()
    return Answer(200, call.hub.views.git_commit(call.repository, commit))


@route("POST", GIT + "/commits", "contents")
def create_git_commit(call: Call) -> Answer:
    given = check_fields(
        "Commit",
        call.body,
        {"message": text, "tree": sha},
        {"parents": list_of(sha), "author": mapping, "committer": mapping},
    )
    store = call.repository.store
    if given["tree"] not in store.trees:
        raise Refusal(422, "Tree SHA does not exist")
    parents = given.get("parents", [])
    if any(parent not in store.commits for parent in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    author = _signature(call, given["author"]) if "author" in given else call.acts.signature
    committer = _signature(call, given["committer"]) if "committer" in given else author
    # GitHub signs what an app writes in its own name, and nothing else that comes this way.
    is_signed = call.actor.app is not None and not {"author", "committer"} & given.keys()
    commit = store.put_commit(given["tree"], parents, given["message"], author, committer, is_signed=is_signed)
    return Answer(201, call.hub.views.git_commit(call.repository, commit))


def _signature(call: Call, given: Any) -> Signature:
    check_fields("Commit", given, {"name": text, "email": text}, {"date": moment})
    at = datetime.fromisoformat(given["date"]).replace(microsecond=0) if "date" in given else utc(call.now)
    return Signature(given["name"], given["email"], at)


@route("GET", GIT + "/trees/{sha*}", "contents", query={"recursive": one_of("1", "true", "0", "false")})
def get_tree(call: Call) -> Answer:
    """A tree by its SHA, or that of a commit or of a branch. Any value of ``recursive`` goes into folders."""
    repository, name = call.repository, call.names["sha"]
    store = repository.store
    tree = name
    if name not in store.trees:
        commit = repository.resolve(name)
        if commit is None:
            raise not_found()
        tree = store.commits[commit].tree
    found = [*store.walk(tree)] if "recursive" in call.query else [*store.trees[tree].items()]
    shown = found[: len(found) // 2] if repository.truncates_trees else found
    seen = {
        "sha": tree,
        "url": f"{call.hub.views.repository_url(repository)}/git/trees/{tree}",
        "tree": [call.hub.views.tree_entry(repository, path, entry) for path, entry in shown],
        "truncated": repository.truncates_trees,
    }
    return Answer(200, seen)


@route("POST", GIT + "/trees", "contents")
def create_tree(call: Call) -> Answer:
    store = call.repository.store
    given = check_fields("Tree", call.body, {"tree": list_of(mapping)}, {"base_tree": sha})
    base = given.get("base_tree")
    if base is not None and base not in store.trees:
        raise Refusal(422, "base_tree is not a valid tree oid")
    if not given["tree"]:
        raise Refusal(422, "Invalid tree info")
    entries = [_entry(call, each) for each in given["tree"]]
    if len({path for path, _ in entries}) < len(entries):
        raise Refusal(422, "tree.path contains the same path twice")
    try:
        tree = store.change_tree(base, entries)
    except BadTree as problem:
        raise Refusal(422, f"GitRPC::BadObjectState: {problem}") from None
    seen = {
        "sha": tree,
        "url": f"{call.hub.views.repository_url(call.repository)}/git/trees/{tree}",
        "tree": [call.hub.views.tree_entry(call.repository, path, entry) for path, entry in store.trees[tree].items()],
        "truncated": False,
    }
    return Answer(201, seen)


def _entry(call: Call, given: dict[str, Any]) -> tuple[str, Entry | None]:
    optional = {"type": one_of("blob", "tree", "commit"), "sha": maybe(sha), "content": text}
    check_fields("Tree", given, {"path": text, "mode": one_of(*TYPES)}, optional)
    store, path, mode = call.repository.store, given["path"], given["mode"]
    if re.search(r"(^|/)(\.{0,2}|\.[Gg][Ii][Tt])(/|$)", path):
        raise Refusal(422, "tree.path contains a malformed path component")
    if ("sha" in given) == ("content" in given):
        raise Refusal(422, "Must supply either tree.sha or tree.content" + (", not both" if "sha" in given else ""))
    kind = TYPES[mode]
    if given.get("type", kind) != kind:
        raise Refusal(422, f"tree.mode {mode} does not go with tree.type {given['type']}")
    if "content" in given:
        if kind != "blob":
            raise Refusal(422, "tree.content is only for blobs")
        return path, Entry(mode, store.put_blob(given["content"].encode()))
    if given["sha"] is None:
        return path, None
    if mode != SUBMODULE and store.type_of(given["sha"]) != kind:
        raise Refusal(422, f"tree.sha {given['sha']} is not a valid {'tree' if mode == FOLDER else 'blob'}")
    return path, Entry(mode, given["sha"])


@route("GET", GIT + "/blobs/{sha}", "contents")
def get_blob(call: Call) -> Answer:
    if call.names["sha"] not in call.repository.store.blobs:
        raise not_found()
    return Answer(200, call.hub.views.blob(call.repository, call.names["sha"]))


@route("POST", GIT + "/blobs", "contents")
def create_blob(call: Call) -> Answer:
    given = check_fields("Blob", call.body, {"content": text}, {"encoding": one_of("utf-8", "base64")})
    data = given["content"].encode()
    if given.get("encoding") == "base64":
        try:
            data = base64.b64decode(re.sub(rb"\s", b"", data), validate=True)
        except binascii.Error:
            message = "content is not valid Base64"
            raise invalid({"resource": "Blob", "code": "invalid", "field": "content", "message": message}) from None
    stored = call.repository.store.put_blob(data)
    return Answer(201, {"sha": stored, "url": f"{call.hub.views.repository_url(call.repository)}/git/blobs/{stored}"})
