"""The fake GitHub, driven by the real client: tests may only lean on it where it does what GitHub does."""

from __future__ import annotations

import base64
import io
import os
import random
import socket
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github, GithubException, GithubIntegration, InputGitAuthor, InputGitTreeElement
from github.GithubException import BadCredentialsException, RateLimitExceededException, UnknownObjectException
from github.GithubRetry import GithubRetry
from github.PullRequest import PullRequest
from github.Repository import Repository

from tests.github import Fault, GitHubServer, People

ZERO = "0" * 40
START = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)
FILES = {"main.tf": b'instance_type = "m5.xlarge"\n', "modules/web/web.tf": b"count = 4\n", "run.sh": b"#!/bin/sh\n"}
PACE = {"seconds_between_requests": 0, "seconds_between_writes": 0}


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as running:
        yield running


@pytest.fixture
def people(server: GitHubServer) -> People:
    return furnish(server)


def furnish(server: GitHubServer) -> People:
    """A repository with the bot, two humans and a team."""
    found = server.create_repository("acme/infra", FILES, modes={"run.sh": "100755"})
    for login, permission in {"nightshift-bot": "write", "anna": "maintain", "ben": "read"}.items():
        found.add_collaborator(login, permission)
        server.add_token(f"ghp_{login}", login)
    found.add_team("platform")
    server.add_token("ghp_stranger", "stranger")
    return found


@pytest.fixture
def connect(server: GitHubServer, people: People) -> Iterator[Callable[..., Github]]:
    """Clients that do not wait and, unless a test says so, do not retry."""
    made = []

    def make(login: str = "nightshift-bot", **options: Any) -> Github:
        made.append(Github(base_url=server.url, auth=Auth.Token(f"ghp_{login}"), **{"retry": None, **PACE, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def repository(connect: Callable[..., Github]) -> Repository:
    return connect().get_repo("acme/infra")


@pytest.fixture
def call(server: GitHubServer, people: People) -> Iterator[Callable[..., requests.Response]]:
    """Sends what the client would not."""
    with requests.Session() as session:

        def send(method: str, path: str, login: str | None = "nightshift-bot", **options: Any) -> requests.Response:
            headers = {**({"Authorization": f"Bearer ghp_{login}"} if login else {}), **options.pop("headers", {})}
            return session.request(method, server.url + path, headers=headers, allow_redirects=False, timeout=10, **options)

        yield send


def refused(status: int, action: Callable[..., Any], *arguments: Any, **options: Any) -> dict[str, Any]:
    """What GitHub says to an act that it refuses."""
    with pytest.raises(GithubException) as problem:
        action(*arguments, **options)
    assert problem.value.status == status, problem.value
    return problem.value.data


def messages(data: dict[str, Any]) -> list[str | None]:
    return [each.get("message") for each in data["errors"]]


def propose(repository: Repository, branch: str = "nightshift/a", path: str = "main.tf", data: str = "smaller\n") -> PullRequest:
    """What the pipeline will do: blob, tree, commit, branch and pull."""
    base = repository.get_git_commit(repository.get_git_ref("heads/main").object.sha)
    blob = repository.create_git_blob(base64.b64encode(data.encode()).decode(), "base64")
    tree = repository.create_git_tree([InputGitTreeElement(path, "100644", "blob", sha=blob.sha)], base.tree)
    commit = repository.create_git_commit("Shrink", tree, [base])
    repository.create_git_ref(f"refs/heads/{branch}", commit.sha)
    return repository.create_pull("main", branch, title="Shrink", body="Because.")


def update_refs(repository: Repository, *updates: dict[str, Any]) -> Any:
    update = {"repositoryId": repository.node_id, "refUpdates": list(updates)}
    return repository.requester.graphql_named_mutation("updateRefs", update, "clientMutationId")[1]


def test_a_change_goes_from_blob_to_merged_pull(server: GitHubServer, people: People, repository: Repository) -> None:
    pull = propose(repository)
    assert (pull.number, pull.state, pull.draft, pull.merged, pull.mergeable) == (1, "open", False, False, True)
    assert (pull.user.login, pull.user.type, pull.head.ref, pull.base.ref) == ("nightshift-bot", "User", "nightshift/a", "main")
    assert (pull.head.label, pull.head.repo.full_name, pull.base.sha) == ("acme:nightshift/a", "acme/infra", people.head("main"))
    assert pull.head.sha == people.head("nightshift/a")
    assert (pull.changed_files, pull.additions, pull.deletions, pull.commits) == (1, 1, 1, 1)
    assert [(each.filename, each.status) for each in pull.get_files()] == [("main.tf", "modified")]
    assert [each.sha for each in pull.get_commits()] == [pull.head.sha]

    comment = pull.create_issue_comment("Measured over 28 days.")
    assert [each.body for each in pull.get_issue_comments()] == ["Measured over 28 days."]
    assert comment.issue_url == pull.issue_url
    people.merge("anna", 1)
    pull.update()
    assert (pull.state, pull.merged, pull.merged_by.login) == ("closed", True, "anna")
    assert pull.merge_commit_sha == people.head("main")
    assert people.commits("main")[0].parents == (pull.base.sha, pull.head.sha)
    assert people.file("main", "main.tf") == b"smaller\n"
    assert people.modes("main")["run.sh"] == "100755"
    assert repository.get_issue(1).closed_by.login == "anna"
    assert pull.is_merged()
    assert server.unexpected == []
    assert [each.path.rpartition("/")[2] for each in server.writes()] == [
        "blobs",
        "trees",
        "commits",
        "refs",
        "pulls",
        "comments",
    ]


def test_the_hashes_are_those_of_git(people: People, repository: Repository, tmp_path: Path) -> None:
    def git(*arguments: str, data: bytes | None = None, **environment: str) -> str:
        known = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **environment}
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=known, input=data, capture_output=True, check=True
        ).stdout.decode()

    # A folder sorts as if its name ended in a slash: after web.tf, before web0.
    names = ["web/a.tf", "web.tf", "web0", "web-1", "ü.tf", "run.sh"]
    git("init", "-q")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "run.sh").chmod(0o755)
    git("add", ".")
    expected_tree = git("write-tree").strip()
    modes = {"run.sh": "100755"}
    elements = [InputGitTreeElement(name, modes.get(name, "100644"), "blob", content=f"{name}\n") for name in names]
    tree = repository.create_git_tree(elements)
    assert tree.sha == expected_tree
    assert repository.create_git_blob("web.tf\n", "utf-8").sha == git("hash-object", "web.tf").strip()

    who = {"NAME": "Anna Ö", "EMAIL": "anna@example.com", "DATE": "1741572000 +0100"}
    environment = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in who.items()}
    first = git("commit-tree", expected_tree, data="Erster Wurf ü".encode(), **environment).strip()
    second = git("commit-tree", expected_tree, "-p", first, data=b"Second\n\nWith a body.\n", **environment).strip()
    author = InputGitAuthor("Anna Ö", "anna@example.com", "2025-03-10T03:00:00+01:00")
    made = repository.create_git_commit("Erster Wurf ü", tree, [], author, author)
    assert made.sha == first
    assert repository.create_git_commit("Second\n\nWith a body.\n", tree, [made], author, author).sha == second


def test_a_tree_takes_over_its_base_and_drops_what_is_null(repository: Repository) -> None:
    base = repository.get_git_tree("main", recursive=True)
    assert [(each.path, each.mode, each.type) for each in base.tree] == [
        ("main.tf", "100644", "blob"),
        ("modules", "040000", "tree"),
        ("modules/web", "040000", "tree"),
        ("modules/web/web.tf", "100644", "blob"),
        ("run.sh", "100755", "blob"),
    ]
    assert base.tree[0].size == len(FILES["main.tf"])
    assert base.raw_data["truncated"] is False
    gone = InputGitTreeElement("modules/web/web.tf", "100644", "blob", sha=None)
    new = InputGitTreeElement("modules/db/db.tf", "100644", "blob", content="x")
    changed = repository.get_git_tree(repository.create_git_tree([gone, new], base).sha, recursive=True)
    assert [each.path for each in changed.tree] == ["main.tf", "modules", "modules/db", "modules/db/db.tf", "run.sh"]
    assert base64.b64decode(repository.get_git_blob(changed.tree[0].sha).content) == FILES["main.tf"]


def test_a_truncated_tree_says_so(people: People, repository: Repository) -> None:
    people.repository.truncates_trees = True
    tree = repository.get_git_tree("main", recursive=True)
    assert (tree.raw_data["truncated"], len(tree.tree)) == (True, 2)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"tree": []}, "Invalid tree info"),
        (
            {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": "1" * 40}]},
            f"tree.sha {'1' * 40} is not a valid blob",
        ),
        ({"base_tree": "1" * 40, "tree": [{"path": "a", "mode": "100644", "content": ""}]}, "base_tree is not a valid tree oid"),
        ({"tree": [{"path": "/a", "mode": "100644", "content": ""}]}, "tree.path contains a malformed path component"),
        ({"tree": [{"path": "a/../b", "mode": "100644", "content": ""}]}, "tree.path contains a malformed path component"),
        ({"tree": [{"path": "a", "mode": "100644"}]}, "Must supply either tree.sha or tree.content"),
        (
            {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": None}]},
            "GitRPC::BadObjectState: a is not in the base tree",
        ),
        (
            {"tree": [{"path": "a", "mode": "100755", "type": "tree", "content": ""}]},
            "tree.mode 100755 does not go with tree.type tree",
        ),
    ],
)
def test_a_wrong_tree_is_refused(call: Callable[..., requests.Response], what: dict[str, Any], message: str) -> None:
    answer = call("POST", "/repos/acme/infra/git/trees", json=what)
    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_refs_are_created_moved_and_deleted_as_git_would(people: People, repository: Repository) -> None:
    main = people.head("main")
    assert main
    forward = people.push("anna", "side", {"a": b"1"})
    ref = repository.create_git_ref("refs/heads/nightshift/a", main)
    assert refused(422, repository.create_git_ref, "refs/heads/nightshift/a", main)["message"] == "Reference already exists"
    assert "is not a valid ref name" in refused(422, repository.create_git_ref, "refs/heads/a..b", main)["message"]
    assert refused(422, repository.create_git_ref, "refs/heads/b", "1" * 40)["message"] == "Object does not exist"
    assert "cannot be created" in refused(422, repository.create_git_ref, "refs/heads/nightshift", main)["message"]
    ref.edit(forward)
    assert refused(422, ref.edit, main)["message"] == "Update is not a fast forward"
    assert people.head("nightshift/a") == forward
    ref.edit(main, force=True)
    assert people.head("nightshift/a") == main
    assert [each.ref for each in repository.get_git_matching_refs("heads/night")] == ["refs/heads/nightshift/a"]
    ref.delete()
    assert people.head("nightshift/a") is None
    assert refused(422, ref.delete)["message"] == "Reference does not exist"
    refused(404, repository.get_git_ref, "heads/nightshift/a")
    refused(404, repository.get_branch, "nightshift/a")
    assert repository.get_branch("side").commit.sha == forward


def test_refs_are_updated_together_or_not_at_all(server: GitHubServer, people: People, repository: Repository) -> None:
    main = people.head("main")
    one, other = people.push("anna", "one", {"a": b"1"}), people.push("anna", "other", {"a": b"2"})
    created = update_refs(repository, {"name": "refs/heads/new", "beforeOid": ZERO, "afterOid": one, "force": False})
    assert created == {"clientMutationId": None}
    assert people.head("new") == one
    refs = dict(people.repository.refs)
    stale = {"name": "refs/heads/one", "beforeOid": main, "afterOid": one}
    there = {"name": "refs/heads/new", "beforeOid": ZERO, "afterOid": one}
    backward = {"name": "refs/heads/new", "beforeOid": one, "afterOid": other}
    fine = {"name": "refs/heads/fine", "afterOid": one}
    for wrong in (stale, there, backward, {"name": "main", "afterOid": one}, {"name": "refs/heads/x", "afterOid": "1" * 40}):
        data = refused(400, update_refs, repository, fine, wrong)
        assert data["data"] == {"updateRefs": None}
        assert list(data["errors"][0]) == ["message"]
        assert data["errors"][0]["message"].startswith("Something went wrong while executing your query")
        assert people.repository.refs == refs
    update_refs(repository, {**backward, "force": True}, {"name": "refs/heads/one", "beforeOid": one, "afterOid": ZERO})
    assert (people.head("new"), people.head("one")) == (other, None)
    assert server.unexpected == []


def test_the_mutation_may_be_written_in_other_ways(server: GitHubServer, people: People, repository: Repository) -> None:
    main = people.head("main")
    literal = f'''# a comment
    mutation {{ done: updateRefs(input: {{repositoryId: "{repository.node_id}",
      refUpdates: [{{name: "refs/heads/one", afterOid: "{main}", force: true}}], clientMutationId: "m"}})
      {{ clientMutationId }} }}'''
    assert repository.requester.graphql_query(literal, {})[1] == {"data": {"done": {"clientMutationId": "m"}}}
    parts = """mutation M($id: ID!, $updates: [RefUpdate!]!, $unset: String) {
      updateRefs(input: {repositoryId: $id, refUpdates: $updates, clientMutationId: $unset}) { __typename }
    }"""
    updates = [{"name": "refs/heads/two", "afterOid": main}]
    answered = repository.requester.graphql_query(parts, {"id": repository.node_id, "updates": updates})[1]
    assert answered == {"data": {"updateRefs": {"__typename": "UpdateRefsPayload"}}}
    assert (people.head("one"), people.head("two")) == (main, main)
    assert [each.is_write for each in server.log][-2:] == [True, True]
    refused(404, update_refs, repository.__class__(repository.requester, {}, {"node_id": "R_none"}), *updates)
    assert server.unexpected == []
    refused(400, repository.requester.graphql_query, "query { viewer { login } }", {})
    refused(400, update_refs, repository, {**updates[0], "sha": main})
    assert len(server.unexpected) == 2
    assert not server.log[-2].is_write


def test_a_pull_that_cannot_be_is_refused(people: People, repository: Repository) -> None:
    pull = propose(repository)
    exists = refused(422, repository.create_pull, "main", "nightshift/a", title="Again")
    assert messages(exists) == ["A pull request already exists for acme:nightshift/a."]
    repository.create_git_ref("refs/heads/same", pull.base.sha)
    assert messages(refused(422, repository.create_pull, "main", "same", title="None")) == ["No commits between main and same"]
    missing = refused(422, repository.create_pull, "main", "gone", title="Gone")
    assert missing["errors"] == [{"resource": "PullRequest", "field": "head", "code": "invalid"}]
    people.repository.supports_drafts = False
    people.push("anna", "other", {"a": b"1"})
    draft = refused(422, repository.create_pull, "main", "other", title="Draft", draft=True)
    assert draft["message"] == "Draft pull requests are not supported in this repository."
    assert [each.number for each in people.pulls("all")] == [1]


def test_a_closed_pull_is_reopened_only_while_its_branch_stays(people: People, repository: Repository) -> None:
    pull = propose(repository)
    pull.edit(state="closed")
    assert (pull.state, repository.get_issue(1).closed_by.login) == ("closed", "nightshift-bot")
    pull.edit(state="open", title="Better", body="New")
    assert (pull.state, pull.title, pull.body, pull.closed_at) == ("open", "Better", "New", None)
    repository.get_git_ref("heads/nightshift/a").delete()
    pull.update()
    assert (pull.state, pull.merged, pull.closed_at is None) == ("closed", False, False)
    deleted = refused(422, pull.edit, state="open")
    assert messages(deleted) == ["state cannot be changed. The nightshift/a branch has been deleted."]
    people.push("anna", "nightshift/a", {"a": b"1"})
    recreated = refused(422, pull.edit, state="open")
    assert messages(recreated) == ["state cannot be changed. The nightshift/a branch was force-pushed or recreated."]


def test_a_push_moves_a_pull_and_a_base_that_has_it_merges_it(people: People, repository: Repository) -> None:
    pull = propose(repository)
    before = pull.updated_at
    sha = people.push("ben", "nightshift/a", {"b.tf": b"1"})
    pull.update()
    assert (pull.head.sha, pull.commits, pull.updated_at > before) == (sha, 2, True)
    people.set_branch("anna", "main", sha)
    pull.update()
    assert (pull.merged, pull.merged_by.login) == (True, "anna")
    other = propose(repository, "nightshift/b", data="smallest\n")
    people.set_branch("anna", "nightshift/b", sha)
    other.update()
    assert (other.state, other.merged) == ("closed", False)


def test_changes_of_both_sides_are_merged_unless_they_touch(people: People, repository: Repository) -> None:
    lines = [f"line {number}\n".encode() for number in range(9)]
    people.push("anna", "main", {"main.tf": b"".join(lines)})
    pull = propose(repository, data="first\n" + b"".join(lines[1:]).decode())
    people.push("anna", "main", {"main.tf": b"".join([*lines[:-1], b"last\n"])})
    pull.update()
    assert (pull.mergeable, pull.mergeable_state) == (True, "clean")
    squashed = pull.merge(merge_method="squash")
    assert squashed.merged
    assert people.file("main", "main.tf") == b"".join([b"first\n", *lines[1:-1], b"last\n"])
    assert (squashed.sha, len(people.commits("main")[0].parents)) == (people.head("main"), 1)
    conflicting = propose(repository, "nightshift/b", data="mine\n")
    people.push("anna", "main", {"main.tf": b"theirs\n"})
    conflicting.update()
    assert (conflicting.mergeable, conflicting.mergeable_state) == (False, "dirty")
    assert refused(405, conflicting.merge)["message"] == "Pull Request is not mergeable"
    assert refused(409, conflicting.merge, sha="1" * 40)["message"].startswith("Head branch was modified")


def test_reviews_are_requested_of_collaborators(server: GitHubServer, people: People, repository: Repository) -> None:
    pull = propose(repository)
    pull.create_review_request(["anna"], ["platform"])
    pull.update()
    assert [each.login for each in pull.requested_reviewers] == ["anna"]
    assert [each.slug for each in pull.requested_teams] == ["platform"]
    outsider = refused(422, pull.create_review_request, ["stranger"])
    assert outsider["message"].startswith("Reviews may only be requested from collaborators.")
    assert refused(422, pull.create_review_request, [], ["nobody"])["message"] == outsider["message"]
    own = refused(422, pull.create_review_request, ["nightshift-bot"])
    assert own["message"] == "Review cannot be requested from pull request author."
    people.review("anna", 1, "APPROVED", "Good.")
    assert [(each.user.login, each.state, each.commit_id) for each in pull.get_reviews()] == [("anna", "APPROVED", pull.head.sha)]
    pull.update()
    assert pull.requested_reviewers == []
    pull.delete_review_request([], ["platform"])
    pull.update()
    assert pull.requested_teams == []
    assert server.unexpected == []


def test_issues_comments_labels_and_reactions(server: GitHubServer, people: People, repository: Repository) -> None:
    repository.create_label("nightshift", "0E8A16", "By night")
    already = refused(422, repository.create_label, "NightShift", "000000")
    assert already["errors"] == [{"resource": "Label", "code": "already_exists", "field": "name"}]
    issue = repository.create_issue("Report", body="Body", labels=["Nightshift", "cost"], assignees=["anna"])
    assert [each.name for each in issue.labels] == ["nightshift", "cost"]
    assert (repository.get_label("NIGHTSHIFT").color, repository.get_label("cost").color) == ("0e8a16", "ededed")
    assert [each.login for each in issue.assignees] == ["anna"]
    issue.add_to_labels("two words", "cost")
    issue.remove_from_labels("two words")
    assert refused(404, issue.remove_from_labels, "two words")["message"] == "Label does not exist"
    issue.set_labels("nightshift")
    assert people.labels(1) == ["nightshift"]
    issue.edit(state="closed", state_reason="not_planned")
    assert (issue.state, issue.state_reason, issue.closed_by.login) == ("closed", "not_planned", "nightshift-bot")

    comment_id = people.comment("anna", 1, "/nightshift why")
    comment = issue.get_comment(comment_id)
    assert (comment.body, comment.user.login, comment.raw_data["author_association"]) == (
        "/nightshift why",
        "anna",
        "COLLABORATOR",
    )
    first, again = comment.create_reaction("eyes"), comment.create_reaction("eyes")
    assert (first.id == again.id, [each.content for each in comment.get_reactions()]) == (True, ["eyes"])
    assert [each.status for each in server.log if each.path.endswith("/reactions") and each.is_write] == [201, 200]
    comment.edit("Changed")
    assert people.comments(1)[0].body == "Changed"
    newest = issue.create_comment("Newest")
    people.edit_comment("anna", comment_id, "Changed again")
    updated = repository.get_issues_comments(sort="updated", direction="desc")
    assert [each.id for each in updated] == [comment_id, newest.id]
    assert [each.id for each in repository.get_issues_comments(since=updated[0].updated_at)] == [comment_id]
    newest.delete()
    assert [each.id for each in issue.get_comments()] == [comment_id]
    assert server.unexpected == []


def test_pulls_are_issues_too(people: People, repository: Repository) -> None:
    propose(repository)
    people.open_issue("anna", "Question")
    people.add_label("anna", 2, "nightshift")
    issues = {each.number: each for each in repository.get_issues(state="all")}
    assert {number: "pull_request" in each.raw_data for number, each in issues.items()} == {1: True, 2: False}
    assert "closed_by" not in repository.get_issues()[0]._rawData
    assert [each.number for each in repository.get_issues(labels=["NIGHTSHIFT"])] == [2]
    assert [each.number for each in repository.get_issues(creator="nightshift-bot")] == [1]
    assert [each.number for each in repository.get_issues(sort="updated", direction="asc")] == [1, 2]
    assert [each.number for each in repository.get_issues(since=people.issue(2).updated_at)] == [2]


@pytest.mark.parametrize("length", [65_536, 65_537])
def test_texts_have_their_limits(repository: Repository, length: int) -> None:
    issue = repository.create_issue("t" * 256)
    acts: list[Callable[[str], Any]] = [
        lambda body: issue.edit(body=body),
        issue.create_comment,
        lambda body: repository.create_issue("Title", body=body),
    ]
    for act in acts:
        if length == 65_536:
            act("ä" * length)
        else:
            assert messages(refused(422, act, "ä" * length)) == ["body is too long (maximum is 65536 characters)"]
    assert messages(refused(422, issue.edit, title="t" * 257)) == ["title is too long (maximum is 256 characters)"]
    assert messages(refused(422, issue.add_to_labels, "l" * 51)) == ["name is too long (maximum is 50 characters)"]
    issue.set_labels(*(f"label {number}" for number in range(100)))
    assert messages(refused(422, issue.add_to_labels, "another")) == ["labels are too many (maximum is 100)"]


def test_pulls_are_filtered_sorted_and_paged(people: People, connect: Callable[..., Github]) -> None:
    for number in range(5):
        people.push("anna", f"change-{number}", {f"{number}.tf": b"1"})
        people.open_pull("anna", f"change-{number}")
    people.close("anna", 2)
    people.comment("ben", 1, "Hm")
    repository = connect(per_page=2).get_repo("acme/infra")

    def numbers(**query: str) -> list[int]:
        return [each.number for each in repository.get_pulls(**query)]

    assert numbers() == [5, 4, 3, 1]
    assert numbers(state="closed") == [2]
    assert numbers(state="all", sort="updated", direction="desc") == [1, 2, 5, 4, 3]
    assert numbers(sort="updated") == [3, 4, 5, 1]
    assert numbers(head="acme:change-3") == [4]
    assert numbers(base="other") == []
    assert repository.get_pulls(state="all").totalCount == 5
    assert [each.number for each in reversed(repository.get_pulls())] == [1, 3, 4, 5]


def test_links_lead_through_the_pages(people: People, server: GitHubServer, call: Callable[..., requests.Response]) -> None:
    for number in range(5):
        people.open_issue("anna", f"Issue {number}")
    answer = call("GET", "/repos/acme/infra/issues", params={"per_page": "2", "page": "2"})
    assert [each["number"] for each in answer.json()] == [3, 2]
    root = f"{server.url}/repositories/{people.repository.id}/issues?per_page=2&page="
    assert {name: link["url"] for name, link in answer.links.items()} == {
        "prev": f"{root}1",
        "first": f"{root}1",
        "next": f"{root}3",
        "last": f"{root}3",
    }
    last = call("GET", answer.links["next"]["url"].removeprefix(server.url))
    assert [each["number"] for each in last.json()] == [1]
    assert "next" not in last.links


def test_comparisons_commits_and_contents(people: People, repository: Repository) -> None:
    first = people.head("main")
    people.push("anna", "side/one", {"main.tf": b"changed\n", "run.sh": None, "new.tf": b"1\n2\n"}, "Side")
    people.push("anna", "main", {"modules/web/web.tf": b"count = 5\n"}, "Main")
    comparison = repository.compare("main", "side/one")
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("diverged", 1, 1)
    assert comparison.merge_base_commit.sha == first
    assert [(each.filename, each.status, each.additions, each.deletions) for each in comparison.files] == [
        ("main.tf", "modified", 1, 1),
        ("new.tf", "added", 2, 0),
        ("run.sh", "removed", 0, 1),
    ]
    assert comparison.files[0].patch == '@@ -1 +1 @@\n-instance_type = "m5.xlarge"\n+changed'
    assert [each.commit.message for each in repository.get_commits()] == ["Main", "Initial commit"]
    assert [each.commit.message for each in repository.get_commits(path="main.tf")] == ["Initial commit"]
    assert [each.commit.message for each in repository.get_commits(sha="side/one")] == ["Side", "Initial commit"]
    commit = repository.get_commit("side/one")
    assert (commit.author.login, commit.stats.total, len(commit.parents)) == ("anna", 5, 1)
    assert refused(422, repository.get_commit, "1" * 40)["message"] == f"No commit found for SHA: {'1' * 40}"
    content = repository.get_contents("modules/web/web.tf", ref="main")
    assert not isinstance(content, list)
    assert content.decoded_content == b"count = 5\n"
    listed = repository.get_contents("", ref="side/one")
    assert isinstance(listed, list)
    assert [each.path for each in listed] == ["main.tf", "modules", "new.tf"]
    refused(404, repository.get_contents, "gone.tf")


def test_an_archive_is_downloaded_once(server: GitHubServer, people: People, repository: Repository) -> None:
    link = repository.get_archive_link("tarball", "main")
    answer = requests.get(link, timeout=10)
    assert answer.headers["Content-Type"] == "application/x-gzip"
    sha = people.head("main")
    assert sha
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert tar.pax_headers["comment"] == sha
        members = {each.name: each for each in tar.getmembers()}
        top = f"acme-infra-{sha[:7]}"
        assert sorted(name for name in members if members[name].isfile()) == [f"{top}/{path}" for path in sorted(FILES)]
        assert (members[f"{top}/run.sh"].mode, members[f"{top}/main.tf"].mode) == (0o775, 0o664)
        extracted = tar.extractfile(f"{top}/main.tf")
        assert extracted
        assert extracted.read() == FILES["main.tf"]
    assert requests.get(link, timeout=10).status_code == 404
    assert server.log[-1].query == ""
    streamed = repository.requester.getStream(f"{repository.url}/tarball/main", chunk_size=None)[2]
    assert b"".join(streamed)[:2] == b"\x1f\x8b"
    assert server.unexpected == []


def test_permissions_decide_what_is_seen_and_done(people: People, connect: Callable[..., Github]) -> None:
    repository = connect().get_repo("acme/infra")
    people.add_collaborator("carl", "triage")
    roles = {login: repository.get_collaborator_role_name(login) for login in ("anna", "ben", "carl", "stranger", "acme")}
    assert roles == {"anna": "maintain", "ben": "read", "carl": "triage", "stranger": "none", "acme": "admin"}
    seen = {login: repository.get_collaborator_permission(login) for login in roles}
    assert seen == {"anna": "write", "ben": "read", "carl": "read", "stranger": "none", "acme": "admin"}
    assert refused(404, repository.get_collaborator_permission, "nobody")["message"] == "nobody is not a user"
    refused(404, connect("stranger").get_repo, "acme/infra")
    reader = connect("ben").get_repo("acme/infra")
    assert (reader.permissions.pull, reader.permissions.push) == (True, False)
    message = "Resource not accessible by personal access token"
    assert refused(403, reader.create_git_blob, "a", "utf-8")["message"] == message
    assert refused(400, update_refs, reader, {"name": "refs/heads/x", "afterOid": ZERO})["errors"][0]["type"] == "FORBIDDEN"
    people.repository.is_archived = True
    assert refused(403, repository.create_issue, "Late")["message"] == "Repository was archived so is read-only."


def test_tokens_must_be_known_and_valid(
    server: GitHubServer, connect: Callable[..., Github], call: Callable[..., requests.Response]
) -> None:
    assert connect().get_user().login == "nightshift-bot"
    with pytest.raises(BadCredentialsException):
        connect("unknown").get_repo("acme/infra")
    server.add_token("ghp_fresh", "anna", expires_at=START + timedelta(days=9))
    expiry = connect("fresh").get_repo("acme/infra").raw_headers["github-authentication-token-expiration"]
    assert expiry == "2025-03-19 02:00:00 UTC"
    server.add_token("ghp_old", "anna", expires_at=server.now())
    with pytest.raises(BadCredentialsException):
        connect("old").get_repo("acme/infra")
    anonymous = call("GET", "/repos/acme/infra", login=None)
    assert (anonymous.status_code, anonymous.json()["message"]) == (401, "Requires authentication")
    assert call("GET", "/repos/acme/infra", headers={"User-Agent": ""}).status_code == 403
    server.revoke_token("ghp_nightshift-bot")
    assert call("GET", "/user").status_code == 401
    assert not any("ghp_" in repr(each) for each in server.log)


def test_an_app_acts_as_its_bot(server: GitHubServer, people: People) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    server.add_app(
        77, "nightshift", public, 4711, permissions={"contents": "write", "pull_requests": "write", "metadata": "read"}
    )
    with GithubIntegration(auth=Auth.AppAuth(77, private), base_url=server.url, retry=None, **PACE) as integration:
        assert integration.get_app().slug == "nightshift"
        assert integration.get_repo_installation("acme", "infra").id == 4711
        refused(404, integration.get_repo_installation, "acme", "other")
        assert [each.id for each in integration.get_installations()] == [4711]
        with integration.get_github_for_installation(4711) as github:
            repository = github.get_repo("acme/infra")
            assert refused(403, lambda: github.get_user().login)["message"] == "Resource not accessible by integration"
            pull = propose(repository)
            assert (pull.user.login, pull.user.type) == ("nightshift[bot]", "Bot")
            commit = repository.get_git_commit(pull.head.sha)
            assert (commit.author.name, commit.verification.verified) == ("nightshift[bot]", True)
            assert repository.get_commit(pull.head.sha).author.login == "nightshift[bot]"
            pull.create_issue_comment("Commenting on a pull needs no right to issues.")
            assert refused(403, repository.create_issue, "No")["message"] == "Resource not accessible by integration"
            secret = integration.get_access_token(4711).token
            narrow = integration.get_access_token(4711, {"contents": "read"}).token
            refused(422, integration.get_access_token, 4711, {"administration": "write"})
    with Github(base_url=server.url, auth=Auth.Token(narrow), retry=None, **PACE) as github:
        refused(403, github.get_repo("acme/infra").create_git_blob, "a", "utf-8")
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with GithubIntegration(auth=Auth.AppAuth(77, forged.decode()), base_url=server.url, retry=None, **PACE) as integration:
        assert refused(401, integration.get_app)["message"] == "A JSON web token could not be decoded"
    assert secret.startswith("ghs_")
    assert not any(secret in repr(each) for each in server.log)
    assert server.unexpected == []


def test_an_installation_token_ends_after_an_hour(call: Callable[..., requests.Response]) -> None:
    now = Now()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = (
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
    )
    with GitHubServer(now) as server:
        furnish(server)
        server.add_app(77, "nightshift", public, 4711)
        with GithubIntegration(auth=Auth.AppAuth(77, private), base_url=server.url, retry=None, **PACE) as integration:
            token = integration.get_access_token(4711)
        assert token.expires_at > datetime.now(UTC)
        with Github(base_url=server.url, auth=Auth.Token(token.token), retry=None, **PACE) as github:
            now.at += timedelta(minutes=59)
            assert github.get_repo("acme/infra").name == "infra"
            now.at += timedelta(minutes=1)
            with pytest.raises(BadCredentialsException):
                github.get_repo("acme/infra")


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "code"),
    [
        ("POST", "/pulls", {"head": "a", "base": "main"}, "title", "missing_field"),
        ("POST", "/pulls", {"title": "T", "head": "a", "base": "main", "labels": []}, "labels", "invalid"),
        ("POST", "/pulls", {"title": "T", "head": "a", "base": "main", "draft": "yes"}, "draft", "invalid"),
        ("POST", "/issues", {"title": 1}, "title", "invalid"),
        ("POST", "/issues", {"title": " "}, "title", "missing_field"),
        ("POST", "/issues", {"title": "T", "assignees": ["stranger"]}, "assignees", "invalid"),
        ("POST", "/labels", {"name": "n", "color": "#123456"}, "color", "invalid"),
        ("POST", "/git/blobs", {"content": "%%%", "encoding": "base64"}, "content", "invalid"),
        ("POST", "/git/refs", {"ref": "refs/heads/a", "sha": "abc"}, "sha", "invalid"),
        ("POST", "/git/commits", {"message": "M"}, "tree", "missing_field"),
        ("GET", "/pulls?sort=name", None, "sort", "invalid"),
        ("GET", "/pulls?head=nightshift/a", None, "head", "invalid"),
        ("GET", "/issues?stat=open", None, "stat", "invalid"),
        ("GET", "/issues?page=0", None, "page", "invalid"),
        ("GET", "/issues?since=2025-03-10", None, "since", "invalid"),
    ],
)
def test_what_is_not_known_or_wrong_is_refused(
    call: Callable[..., requests.Response], method: str, path: str, body: Any, field: str, code: str
) -> None:
    answer = call(method, f"/repos/acme/infra{path}", json=body)
    assert (answer.status_code, answer.json()["message"]) == (422, "Validation Failed")
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]
    assert answer.json()["documentation_url"].startswith("https://docs.github.com/")


def test_an_unknown_way_is_noted(server: GitHubServer, call: Callable[..., requests.Response]) -> None:
    assert call("GET", "/repos/acme/infra/hooks").status_code == 404
    # The client's ref that was never fetched has this address, to which GitHub takes no writes.
    assert call("PATCH", "/repos/acme/infra/git/ref/heads/main", json={}).status_code == 404
    assert server.unexpected == ["GET /repos/acme/infra/hooks", "PATCH /repos/acme/infra/git/ref/heads/main"]
    assert call("GET", "/repos/acme/infra/issues/9").status_code == 404
    assert call("POST", "/repos/acme/infra/issues", data=b"{").json()["message"] == "Problems parsing JSON"
    assert len(server.unexpected) == 2


def test_what_did_not_change_costs_nothing(people: People, call: Callable[..., requests.Response]) -> None:
    people.open_issue("anna", "Question")
    path = "/repos/acme/infra/issues/1"
    first = call("GET", path)
    assert first.headers["ETag"].startswith('W/"')
    again = call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"] == "1"
    people.comment("ben", 1, "Yes")
    changed = call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["x-ratelimit-used"]) == (200, "2")
    assert changed.headers["x-ratelimit-remaining"] == "4998"
    assert changed.headers["x-github-request-id"] != first.headers["x-github-request-id"]


def test_the_hour_has_its_limit() -> None:
    now = Now()
    with GitHubServer(now) as server:
        furnish(server)
        with Github(base_url=server.url, auth=Auth.Token("ghp_anna"), retry=None, **PACE) as github:
            repository = github.get_repo("acme/infra")
            server.spend("ghp_anna", 4999)
            with pytest.raises(RateLimitExceededException) as problem:
                repository.get_pull(1)
            assert problem.value.headers["x-ratelimit-remaining"] == "0"
            assert int(problem.value.headers["x-ratelimit-reset"]) == int((START + timedelta(hours=1)).timestamp())
            assert github.rate_limiting == (0, 5000)
            now.at += timedelta(hours=1)
            with pytest.raises(UnknownObjectException):
                repository.get_pull(1)


def test_writes_have_their_limits() -> None:
    now = Now()
    with GitHubServer(now) as server:
        furnish(server)
        with Github(base_url=server.url, auth=Auth.Token("ghp_anna"), retry=None, **PACE) as github:
            repository = github.get_repo("acme/infra")
            for _ in range(80):
                repository.create_git_blob("a", "utf-8")
            with pytest.raises(RateLimitExceededException) as problem:
                repository.create_git_blob("a", "utf-8")
            assert problem.value.data["message"].startswith("You have exceeded a secondary rate limit")
            assert problem.value.data["documentation_url"].endswith("#about-secondary-rate-limits")
            assert repository.get_branch("main").name == "main"
            assert len(server.writes()) == 80
            for _ in range(6):
                now.at += timedelta(minutes=1)
                for _ in range(70):
                    repository.create_git_blob("a", "utf-8")
            now.at += timedelta(minutes=1)
            with pytest.raises(RateLimitExceededException):
                repository.create_git_blob("a", "utf-8")
            assert len(server.writes()) == 500


@pytest.mark.parametrize(
    ("kind", "status", "is_done"),
    [
        ("bad_gateway_before", 502, False),
        ("bad_gateway_after", 502, True),
        ("server_error", 500, False),
        ("unauthorized", 401, False),
        ("forbidden", 403, False),
        ("secondary_limit", 403, False),
        ("primary_limit", 403, False),
        ("too_quickly", 422, False),
    ],
)
def test_a_fault_answers_once(
    server: GitHubServer, people: People, repository: Repository, kind: str, status: int, is_done: bool
) -> None:
    people.open_issue("anna", "Question")
    issue = repository.get_issue(1)
    server.faults.add(Fault("POST", r"/issues/1/comments$", kind, after_skipping=1, retry_after=7))
    issue.create_comment("Passes")
    data = refused(status, issue.create_comment, "Struck")
    if kind == "too_quickly":
        assert messages(data) == ["was submitted too quickly"]
    assert [each.body for each in people.comments(1)] == ["Passes"] + ["Struck"] * is_done
    issue.create_comment("Passes again")
    assert [(each.kind, each.method, each.path) for each in server.faults.fired] == [
        (kind, "POST", "/repos/acme/infra/issues/1/comments")
    ]
    assert [each.status for each in server.log[-3:]] == [201, status, 201]
    assert len(server.writes()) == 2 + is_done


def test_a_limit_says_when_to_come_back(server: GitHubServer, call: Callable[..., requests.Response]) -> None:
    server.faults.add(
        Fault("GET", "^/user$", "secondary_limit", retry_after=7),
        Fault("GET", "^/user$", "secondary_limit"),
        Fault("GET", "^/user$", "primary_limit", seconds=90),
    )
    with_wait, without, primary = (call("GET", "/user") for _ in range(3))
    assert with_wait.headers["Retry-After"] == "7"
    assert "Retry-After" not in without.headers
    assert (primary.headers["x-ratelimit-remaining"], primary.json()["message"][:23]) == ("0", "API rate limit exceeded")
    assert int(primary.headers["x-ratelimit-reset"]) == int((server.log[-1].at + timedelta(seconds=90)).timestamp())


@pytest.mark.parametrize("is_done", [False, True])
def test_a_connection_is_lost(server: GitHubServer, people: People, repository: Repository, is_done: bool) -> None:
    server.faults.add(Fault("POST", "/git/refs$", "drop_after" if is_done else "drop_before"))
    with pytest.raises(requests.ConnectionError):
        repository.create_git_ref("refs/heads/new", people.head("main"))
    assert (people.head("new") is not None) is is_done
    assert (server.log[-1].status, server.log[-1].reached, server.log[-1].fault) == (
        0,
        is_done,
        "drop_after" if is_done else "drop_before",
    )
    assert repository.get_branch("main").name == "main"


class Bell:
    """A clock that stands still and says when somebody looked at it: a request has come."""

    def __init__(self) -> None:
        self.rang = threading.Event()

    def __call__(self) -> datetime:
        self.rang.set()
        return START


@pytest.mark.parametrize("is_done", [False, True])
def test_no_answer_comes(is_done: bool) -> None:
    bell = Bell()
    with GitHubServer(bell) as server, requests.Session() as session:
        people = furnish(server)
        session.headers["Authorization"] = "Bearer ghp_anna"
        url = f"{server.url}/repos/acme/infra/issues"
        server.faults.add(Fault("POST", "/issues$", "hang_after" if is_done else "hang_before"))
        bell.rang.clear()
        with pytest.raises(requests.ReadTimeout):
            session.post(url, json={"title": "T"}, timeout=0.05)
        assert bell.rang.wait(10)
        assert [each.title for each in people.issues()] == ["T"] * is_done
        assert session.post(url, json={"title": "U"}, timeout=10).status_code == 201


def test_a_server_closes_while_a_client_waits() -> None:
    bell = Bell()
    with GitHubServer(bell) as server:
        server.faults.add(Fault("GET", "^/user$", "hang_before"))
        client = socket.create_connection(("127.0.0.1", int(server.url.split(":")[2].split("/")[0])))
        client.sendall(b"GET /api/v3/user HTTP/1.1\r\nUser-Agent: a\r\n\r\n")
        assert bell.rang.wait(10)
    with client:
        assert client.recv(1) == b""


def test_a_human_is_faster(server: GitHubServer, people: People, repository: Repository) -> None:
    before = people.head("main")
    sha = people.push("nightshift-bot", "nightshift/a", {"main.tf": b"smaller\n"})
    server.faults.add(
        Fault("POST", "^/graphql$", "moved", callback=lambda: people.push("anna", "nightshift/a", {"a.tf": b"1"})),
        Fault("PATCH", "/pulls/1$", "moved", callback=lambda: people.merge("anna", 1)),
    )
    people.open_pull("nightshift-bot", "nightshift/a")
    refused(
        400, update_refs, repository, {"name": "refs/heads/nightshift/a", "beforeOid": sha, "afterOid": before, "force": True}
    )
    assert people.file("nightshift/a", "a.tf") == b"1"
    pull = repository.get_pull(1)
    pull.edit(body="Late")
    assert (pull.merged, pull.merged_by.login) == (True, "anna")
    assert [each.kind for each in server.faults.fired] == ["moved", "moved"]


def test_random_faults_come_at_their_rate_and_as_the_seed_says(
    server: GitHubServer, call: Callable[..., requests.Response]
) -> None:
    def struck(seed: int) -> list[int]:
        server.faults.random(random.Random(seed), 0.3, ["server_error", "bad_gateway_after"])
        return [call("GET", "/user").status_code for _ in range(60)]

    first = struck(1)
    assert set(first) == {200, 500, 502}
    assert 8 <= len(first) - first.count(200) <= 28
    assert struck(1) == first != struck(2)
    server.faults.clear()
    fired = len(server.faults.fired)
    assert {call("GET", "/user").status_code for _ in range(20)} == {200}
    assert len(server.faults.fired) == fired


def test_a_broken_callback_is_told_and_not_hidden(server: GitHubServer, call: Callable[..., requests.Response]) -> None:
    server.faults.add(Fault("GET", "^/user$", "moved", callback=lambda: 1 / 0))
    assert call("GET", "/user").status_code == 500
    assert "ZeroDivisionError" in server.unexpected[0]


def test_the_client_repeats_a_write_whose_answer_was_lost(
    server: GitHubServer, people: People, connect: Callable[..., Github]
) -> None:
    people.open_issue("anna", "Question")
    issue = connect(retry=GithubRetry(total=2, backoff_factor=0)).get_repo("acme/infra").get_issue(1)
    server.faults.add(Fault("POST", "/comments$", "bad_gateway_after"))
    issue.create_comment("Twice")
    assert [each.body for each in people.comments(1)] == ["Twice", "Twice"]


def test_time_is_told_as_github_writes_it() -> None:
    now = Now()
    with GitHubServer(now) as server:
        people = furnish(server)
        people.open_issue("anna", "Question")
        now.at += timedelta(minutes=5, microseconds=123456)
        people.comment("ben", 1, "Answer")
        headers = {"Authorization": "token ghp_anna"}
        seen = requests.get(f"{server.url}/repos/acme/infra/issues/1", headers=headers, timeout=10).json()
        assert (seen["created_at"], seen["updated_at"]) == ("2025-03-10T02:00:00Z", "2025-03-10T02:05:00Z")
        assert server.log[-1].at == now.at


def test_without_a_clock_every_act_has_its_second(server: GitHubServer, people: People) -> None:
    people.open_issue("anna", "One")
    people.open_issue("anna", "Two")
    one, two = people.issues()
    assert two.created_at - one.created_at == timedelta(seconds=1)
