"""The fake GitHub's issues: milestones, events, what was deleted, moved or locked, and lists of many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github, GithubException, GithubIntegration
from github.GithubObject import NotSet
from github.Repository import Repository

from tests.github import GitHubServer, People, Seed

PACE = {"seconds_between_requests": 0, "seconds_between_writes": 0}
INFRA = "/repos/acme/infra"
ROLES = {"nightshift-bot": "write", "anna": "maintain", "ben": "read", "tia": "triage"}
Call = Callable[..., requests.Response]


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as running:
        yield running
    assert running.unexpected == []


@pytest.fixture
def people(server: GitHubServer) -> People:
    for login in (*ROLES, "stranger"):
        server.add_token(f"ghp_{login}", login)
    return give_roles(server.create_repository("acme/infra"))


def give_roles(people: People) -> People:
    for login, role in ROLES.items():
        people.add_collaborator(login, role)
    return people


@pytest.fixture
def other(server: GitHubServer, people: People) -> People:
    return give_roles(server.create_repository("acme/web"))


@pytest.fixture
def call(server: GitHubServer, people: People) -> Iterator[Call]:
    with requests.Session() as session:

        def send(method: str, path: str, login: str = "nightshift-bot", **options: Any) -> requests.Response:
            url = path if path.startswith("http") else server.url + path
            headers = {"Authorization": f"Bearer ghp_{login}"}
            return session.request(method, url, headers=headers, allow_redirects=False, timeout=10, **options)

        yield send


@pytest.fixture
def repository(server: GitHubServer, people: People) -> Iterator[Repository]:
    with Github(base_url=server.url, auth=Auth.Token("ghp_nightshift-bot"), retry=None, **PACE) as github:
        yield github.get_repo("acme/infra")


def numbers(answer: requests.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [each["number"] for each in answer.json()]


def told(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_milestones_are_made_changed_and_deleted(people: People, repository: Repository, call: Call) -> None:
    made = repository.create_milestone("Q2", description="Spring", due_on=datetime(2025, 6, 30, 12, tzinfo=UTC))
    assert (made.number, made.title, made.description, made.state, made.open_issues) == (1, "Q2", "Spring", "open", 0)
    assert made.creator.login == "nightshift-bot"
    assert made.raw_data["html_url"].endswith("/acme/infra/milestone/1")
    assert made.raw_data["url"].endswith("/repos/acme/infra/milestones/1")
    with pytest.raises(GithubException) as problem:
        repository.create_milestone("Q2")
    assert problem.value.data["errors"] == [{"resource": "Milestone", "code": "already_exists", "field": "title"}]
    other = people.create_milestone("anna", "Q3")
    assert told(call("PATCH", f"{INFRA}/milestones/{other}", json={"title": "Q2"})) == (422, "Validation Failed")
    changed = call("PATCH", f"{INFRA}/milestones/1", json={"title": "Q2 2025", "state": "closed", "due_on": None}).json()
    assert (changed["title"], changed["state"], changed["due_on"]) == ("Q2 2025", "closed", None)
    assert changed["closed_at"] == changed["updated_at"]
    assert call("PATCH", f"{INFRA}/milestones/1", json={"state": "open"}).json()["closed_at"] is None
    assert call("GET", f"{INFRA}/milestones/9").status_code == 404
    number = people.open_issue("anna", "Task")
    people.set_milestone("anna", number, 1)
    assert call("DELETE", f"{INFRA}/milestones/1").status_code == 204
    assert people.issue(number).milestone is None
    assert people.create_milestone("anna", "Q2") == 3


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2025-06-30T12:00:00Z", "2025-06-30T07:00:00Z"),
        ("2025-06-30T00:00:00Z", "2025-06-29T07:00:00Z"),
        ("2025-01-15T09:00:00+01:00", "2025-01-15T08:00:00Z"),
        ("2025-01-15T07:59:59Z", "2025-01-14T08:00:00Z"),
    ],
)
def test_a_milestone_is_due_at_a_midnight_in_california(call: Call, given: str, kept: str) -> None:
    assert call("POST", f"{INFRA}/milestones", json={"title": "M", "due_on": given}).json()["due_on"] == kept


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "title", "missing_field"),
        ({"title": " "}, "title", "missing_field"),
        ({"title": "M", "due_on": "2025-06-30"}, "due_on", "invalid"),
        ({"title": "M", "due_on": "soon"}, "due_on", "invalid"),
        ({"title": "M", "state": "done"}, "state", "invalid"),
        ({"title": "M", "number": 4}, "number", "invalid"),
    ],
)
def test_a_wrong_milestone_is_refused(call: Call, body: dict[str, Any], field: str, code: str) -> None:
    answer = call("POST", f"{INFRA}/milestones", json=body)
    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]


def test_milestones_are_listed_in_order(people: People, call: Call) -> None:
    late = people.create_milestone("anna", "Late", datetime(2025, 9, 1, 12, tzinfo=UTC))
    never = people.create_milestone("anna", "Never")
    early = people.create_milestone("anna", "Early", datetime(2025, 4, 1, 12, tzinfo=UTC))
    closed = people.create_milestone("anna", "Closed")
    people.close_milestone("anna", closed)
    for milestone, state in ((late, "closed"), (early, "closed"), (early, "open")):
        people.seed_issues("anna", [Seed("T", milestone=milestone, state=state)])
    path = f"{INFRA}/milestones"
    assert numbers(call("GET", path)) == [never, early, late]
    assert numbers(call("GET", path, params={"direction": "desc"})) == [late, early, never]
    assert numbers(call("GET", path, params={"sort": "completeness", "direction": "desc"})) == [late, early, never]
    assert numbers(call("GET", path, params={"state": "closed"})) == [closed]
    page = call("GET", path, params={"state": "all", "per_page": 3, "page": 2})
    assert (numbers(page), [*page.links]) == ([late], ["prev", "first"])
    assert call("GET", path, params={"sort": "title"}).status_code == 422
    assert {each["title"]: (each["open_issues"], each["closed_issues"]) for each in call("GET", path).json()} == {
        "Never": (0, 0),
        "Early": (1, 1),
        "Late": (0, 1),
    }


def test_an_issue_is_put_into_a_milestone(people: People, repository: Repository, call: Call) -> None:
    milestone = repository.create_milestone("Q2", due_on=datetime(2025, 6, 30, 12, tzinfo=UTC))
    issue = repository.create_issue("Task", milestone=milestone)
    assert issue.milestone is not None
    assert (issue.milestone.number, issue.milestone.open_issues, issue.milestone.state) == (1, 1, "open")
    issue.edit(state="closed")
    assert (issue.milestone.open_issues, issue.milestone.closed_issues) == (0, 1)
    issue.edit(milestone=None)
    assert issue.milestone is None
    assert call("PATCH", f"{INFRA}/issues/1", json={"milestone": 1}).json()["milestone"]["title"] == "Q2"
    assert call("PATCH", f"{INFRA}/issues/1", json={"milestone": None}).json()["milestone"] is None
    for method, path, body in (("PATCH", f"{INFRA}/issues/1", {}), ("POST", f"{INFRA}/issues", {"title": "T"})):
        answer = call(method, path, json={**body, "milestone": 7})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"value": 7, "resource": "Issue", "field": "milestone", "code": "invalid"}]
        assert call(method, path, json={**body, "milestone": "Q2"}).status_code == 422
    assert [each.number for each in people.issues("all")] == [1]


def app_key() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public.decode()


@pytest.mark.parametrize(
    ("permissions", "reads", "writes", "opens"),
    [
        ({"issues": "write"}, True, True, True),
        ({"issues": "read"}, True, False, False),
        ({"pull_requests": "write"}, True, True, False),
        ({"contents": "write"}, False, False, False),
    ],
)
def test_an_app_needs_the_permission(
    server: GitHubServer, people: People, permissions: dict[str, str], reads: bool, writes: bool, opens: bool
) -> None:
    private, public = app_key()
    people.create_milestone("anna", "Q2")
    server.add_app(77, "nightshift", public, 4711, permissions=permissions)
    with GithubIntegration(auth=Auth.AppAuth(77, private), base_url=server.url, retry=None, **PACE) as integration:
        headers = {"Authorization": f"Bearer {integration.get_access_token(4711).token}"}

    def status(method: str, path: str, **body: Any) -> int:
        return requests.request(method, f"{server.url}{INFRA}{path}", headers=headers, json=body or None, timeout=10).status_code

    number = people.open_issue("anna", "Task")
    assert status("GET", "/milestones") == (200 if reads else 403)
    assert status("GET", f"/issues/{number}/events") == (200 if reads else 403)
    assert status("POST", "/milestones", title="Q3") == (201 if writes else 403)
    assert status("PATCH", f"/issues/{number}", labels=["a"], milestone=1, assignees=["anna"]) == (200 if writes else 403)
    assert (people.labels(number), people.assignees(number)) == ((["a"], ["anna"]) if writes else ([], []))
    assert status("POST", "/issues", title="Mine", labels=["b"]) == (201 if opens else 403)
    if opens:
        mine = people.issue(number + 1)
        assert (people.labels(number + 1), mine.user.type, mine.events[0].actor.login) == (["b"], "Bot", "nightshift[bot]")


@pytest.mark.parametrize("login", ["ben", "tia"])
def test_without_push_access_some_fields_are_dropped(people: People, call: Call, login: str) -> None:
    people.create_milestone("anna", "Q2")
    body = {"title": "Mine", "labels": ["bug"], "assignees": ["anna"], "milestone": 1}
    made = call("POST", f"{INFRA}/issues", login, json=body)
    assert made.status_code == 201
    seen = call(
        "PATCH", f"{INFRA}/issues/1", login, json={**body, "title": "Still mine", "milestone": 9, "state": "closed"}
    ).json()
    for each in (made.json(), seen):
        assert (each["labels"], each["assignees"], each["milestone"]) == ([], [], None)
    assert (seen["title"], seen["state"]) == ("Still mine", "closed")
    assert people.repository_labels() == []
    theirs = people.open_issue("anna", "Hers")
    message = "Resource not accessible by personal access token"
    assert told(call("PATCH", f"{INFRA}/issues/{theirs}", login, json={"title": "Mine"})) == (403, message)
    assert told(call("POST", f"{INFRA}/issues/{theirs}/labels", login, json=["bug"])) == (403, message)
    assert told(call("POST", f"{INFRA}/milestones", login, json={"title": "M"})) == (403, message)
    comment = call("POST", f"{INFRA}/issues/{theirs}/comments", login, json={"body": "Hm"}).json()["id"]
    assert call("PATCH", f"{INFRA}/issues/comments/{comment}", login, json={"body": "Oh"}).status_code == 200
    hers = people.comment("anna", theirs, "No")
    assert call("DELETE", f"{INFRA}/issues/comments/{hers}", login).status_code == 403
    assert call("DELETE", f"{INFRA}/issues/comments/{comment}", "anna").status_code == 204


def test_access_is_taken_away(people: People, call: Call) -> None:
    number = people.open_issue("anna", "Task")
    assert call("GET", f"{INFRA}/issues/{number}").status_code == 200
    people.add_collaborator("nightshift-bot", "none")
    for method, path in (("GET", ""), ("GET", "/issues"), ("GET", f"/issues/{number}"), ("POST", f"/issues/{number}/comments")):
        assert told(call(method, INFRA + path, json={"body": "x"} if method == "POST" else None)) == (404, "Not Found")


def test_a_deleted_issue_is_gone_for_good(people: People, call: Call) -> None:
    for title in ("One", "Two", "Three"):
        people.open_issue("anna", title)
    comment = people.comment("anna", 3, "Soon gone")
    people.delete_issue("anna", 3)
    gone = (410, "This issue was deleted")
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "T"}),
        ("GET", "/comments", None),
        ("POST", "/comments", {"body": "T"}),
        ("GET", "/events", None),
        ("GET", "/labels", None),
        ("POST", "/labels", ["a"]),
    ):
        assert told(call(method, f"{INFRA}/issues/3{path}", json=body)) == gone
    assert call("GET", f"{INFRA}/issues/comments/{comment}").status_code == 404
    assert call("GET", f"{INFRA}/issues/comments").json() == []
    assert call("GET", f"{INFRA}/pulls/3").status_code == 404
    assert numbers(call("GET", f"{INFRA}/issues", params={"state": "all"})) == [2, 1]
    assert people.open_issue("anna", "Four") == 4
    assert call("GET", f"{INFRA}/issues/9").status_code == 404
    assert call("GET", f"{INFRA}/issues/3", "stranger").status_code == 404


def test_numbers_are_shared_with_pulls_and_never_given_again(people: People) -> None:
    people.open_issue("anna", "One")
    people.delete_issue("anna", 1)
    people.push("anna", "side", {"a": b"1"})
    assert people.open_pull("anna", "side") == 2
    assert people.seed_issues("anna", [Seed("Three"), Seed("Four")]) == [3, 4]
    with pytest.raises(AssertionError, match="pull"):
        people.delete_issue("anna", 2)


def test_an_issue_moves_with_what_the_other_repository_knows(people: People, other: People, call: Call) -> None:
    due = datetime(2025, 6, 30, 12, tzinfo=UTC)
    people.create_milestone("anna", "Q2", due)
    other.create_milestone("anna", "Q1")
    other.create_milestone("anna", "Q2", due)
    other.add_collaborator("tia", "none")
    other.open_issue("anna", "First there")
    other.add_label("anna", 1, "bug")
    number = people.open_issue("ben", "Task", "Body")
    people.add_label("anna", number, "Bug")
    people.add_label("anna", number, "only-here")
    people.assign("anna", number, "anna", "tia")
    people.set_milestone("anna", number, 1)
    people.comment("ben", number, "One")
    people.comment("anna", number, "Two")
    people.close("anna", number, "not_planned")
    before, comments = people.issue(number), people.comments(number)
    new = people.transfer_issue("anna", number, "acme/web")
    assert (new, other.issue(new).id != before.id) == (2, True)
    seen = call("GET", f"/repos/acme/web/issues/{new}").json()
    assert (seen["title"], seen["body"], seen["user"]["login"], seen["comments"]) == ("Task", "Body", "ben", 2)
    assert (seen["state"], seen["state_reason"]) == ("closed", "not_planned")
    assert ([each["name"] for each in seen["labels"]], other.assignees(new)) == (["bug"], ["anna"])
    assert (seen["milestone"]["number"], seen["milestone"]["title"]) == (2, "Q2")
    assert [(each.user.login, each.body) for each in other.comments(new)] == [("ben", "One"), ("anna", "Two")]
    assert {each.id for each in other.comments(new)}.isdisjoint({each.id for each in comments})
    events = [each["event"] for each in call("GET", f"/repos/acme/web/issues/{new}/events").json()]
    assert (events[0], events[-2:]) == ("labeled", ["closed", "transferred"])
    assert numbers(call("GET", f"{INFRA}/issues", params={"state": "all"})) == []
    assert people.comments(number) == []
    assert people.open_issue("anna", "Next") == number + 1


def test_a_milestone_is_kept_only_with_its_due_date(people: People, other: People) -> None:
    people.create_milestone("anna", "Q2", datetime(2025, 6, 30, 12, tzinfo=UTC))
    other.create_milestone("anna", "Q2")
    [number] = people.seed_issues("anna", [Seed("Task", milestone=1)])
    assert other.issue(people.transfer_issue("anna", number, "acme/web")).milestone is None


def test_the_old_address_leads_to_the_new_one(server: GitHubServer, people: People, other: People, call: Call) -> None:
    number = people.open_issue("anna", "Task")
    people.comment("anna", number, "Hm")
    new = people.transfer_issue("anna", number, "acme/web")
    location = f"{server.url}/repositories/{other.repository.id}/issues/{new}"
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "T"}),
        ("GET", "/labels", None),
        ("POST", "/labels", ["a"]),
    ):
        answer = call(method, f"{INFRA}/issues/{number}{below}", json=body)
        assert told(answer) == (301, "Moved Permanently")
        assert answer.headers["Location"] == answer.json()["url"] == location + below
    assert other.issue(new).title == "Task"
    assert call("GET", location).json()["number"] == new
    # What is below an issue does not move with it.
    for method, below, body in (("GET", "/comments", None), ("GET", "/events", None), ("POST", "/comments", {"body": "T"})):
        assert told(call(method, f"{INFRA}/issues/{number}{below}", json=body)) == (404, "Not Found")
    other.add_collaborator("nightshift-bot", "none")
    assert told(call("GET", f"{INFRA}/issues/{number}")) == (404, "Not Found")
    assert told(call("GET", location)) == (404, "Not Found")
    other.delete_issue("anna", new)
    assert call("GET", f"{INFRA}/issues/{number}", "anna").status_code == 301
    assert told(call("GET", location, "anna")) == (410, "This issue was deleted")


def test_the_client_follows_without_a_word(people: People, other: People, repository: Repository) -> None:
    number = people.open_issue("anna", "Task")
    old = repository.get_issue(number)
    new = people.transfer_issue("anna", number, "acme/web")
    moved = repository.get_issue(number)
    assert (moved.number, moved.raw_data["repository_url"].endswith("/acme/web")) == (new, True)
    old.edit(title="Written elsewhere")
    assert other.issue(new).title == "Written elsewhere"


def test_events_tell_what_happened(people: People, call: Call) -> None:
    people.create_milestone("anna", "Q2")
    number = people.open_issue("anna", "Task")
    people.add_label("anna", number, "bug")
    people.remove_label("anna", number, "bug")
    people.assign("anna", number, "ben")
    people.unassign("anna", number, "ben")
    people.set_milestone("anna", number, 1)
    people.set_milestone("anna", number, None)
    people.edit_title("anna", number, "Chore")
    people.edit_body("anna", number, "No event")
    sha = people.push("anna", "main", {"a": b"1"}, f"Fixes #{number}")
    people.close("anna", number, commit_sha=sha)
    people.reopen("stale[bot]", number)
    people.close("stale[bot]", number, "not_planned")
    people.close("anna", number, "duplicate")
    people.lock("anna", number, "resolved")
    people.unlock("anna", number)
    found = call("GET", f"{INFRA}/issues/{number}/events", params={"per_page": 100}).json()
    assert [each["event"] for each in found] == [
        "labeled", "unlabeled", "assigned", "unassigned", "milestoned", "demilestoned", "renamed", "closed", "reopened", "closed",
        "closed", "locked", "unlocked",
    ]  # fmt: skip
    by_name = {each["event"]: each for each in found}
    assert by_name["labeled"]["label"] == {"name": "bug", "color": "ededed"}
    for name in ("assigned", "unassigned"):
        assert {key: by_name[name][key]["login"] for key in ("actor", "assignee", "assigner")} == {
            "actor": "ben",
            "assignee": "ben",
            "assigner": "anna",
        }
    assert by_name["milestoned"]["milestone"] == by_name["demilestoned"]["milestone"] == {"title": "Q2"}
    assert by_name["renamed"]["rename"] == {"from": "Task", "to": "Chore"}
    assert [(each["commit_id"], each["state_reason"]) for each in found if each["event"] == "closed"] == [
        (sha, None),
        (None, "not_planned"),
        (None, "duplicate"),
    ]
    assert found[7]["commit_url"].endswith(f"/commits/{sha}")
    assert by_name["locked"]["lock_reason"] == "resolved"
    assert [found[at]["actor"]["type"] for at in (7, 8, 9)] == ["User", "Bot", "Bot"]
    assert len({each["id"] for each in found}) == len(found)
    assert [each["created_at"] for each in found] == sorted(each["created_at"] for each in found)
    page = call("GET", f"{INFRA}/issues/{number}/events", params={"per_page": 4, "page": 4})
    assert ([each["event"] for each in page.json()], "next" in page.links) == (["unlocked"], False)
    assert people.events(number)[0].actor.login == "anna"


def test_the_api_leaves_events_too(people: People, repository: Repository) -> None:
    milestone = repository.create_milestone("Q2")
    issue = repository.create_issue("Task", labels=["bug"], assignees=["anna"], milestone=milestone)
    issue.edit(title="Chore", state="closed", state_reason="not_planned", labels=[], assignees=[], milestone=None)
    issue.edit(body="No event", title="Chore", state="closed")
    assert [each.event for each in issue.get_events()] == [
        "labeled", "assigned", "milestoned", "unlabeled", "closed", "renamed", "unassigned", "demilestoned",
    ]  # fmt: skip
    people.push("anna", "side", {"a": b"1"})
    pull = people.open_pull("anna", "side")
    sha = people.merge("anna", pull)
    assert [(each.event, each.commit_id) for each in repository.get_issue(pull).get_events()] == [
        ("merged", sha),
        ("closed", None),
    ]


@pytest.mark.parametrize("reason", [None, "completed", "not_planned", "duplicate"])
def test_an_issue_is_closed_for_a_reason(people: People, repository: Repository, reason: str | None) -> None:
    number = people.open_issue("anna", "Task")
    people.close("anna", number, reason)
    issue = repository.get_issue(number)
    assert (issue.state, issue.state_reason, issue.closed_by.login) == ("closed", reason or "completed", "anna")
    issue.edit(state="closed", state_reason="not_planned")
    assert issue.state_reason == "not_planned"
    issue.edit(state="open")
    assert (issue.state, issue.state_reason, issue.closed_at) == ("open", "reopened", None)
    issue.edit(state="closed", state_reason=reason or NotSet)
    assert issue.state_reason == (reason or "completed")


def test_an_old_server_knows_no_reasons(server: GitHubServer, people: People, call: Call) -> None:
    server.knows_state_reason = False
    number = people.open_issue("anna", "Task")
    seen = call("PATCH", f"{INFRA}/issues/{number}", json={"state": "closed", "state_reason": "not_planned"}).json()
    assert (seen["state"], "state_reason" in seen) == ("closed", False)
    assert "state_reason" not in call("GET", f"{INFRA}/issues", params={"state": "all"}).json()[0]
    assert ["state_reason" in each for each in call("GET", f"{INFRA}/issues/{number}/events").json()] == [False]
    server.knows_state_reason = True
    assert call("GET", f"{INFRA}/issues/{number}").json()["state_reason"] == "completed"


def test_issues_can_be_switched_off(people: People, call: Call) -> None:
    number = people.open_issue("anna", "Task")
    people.push("anna", "side", {"a": b"1"})
    pull = people.open_pull("anna", "side")
    assert call("GET", INFRA).json()["has_issues"] is True
    people.repository.has_issues = False
    assert call("GET", INFRA).json()["has_issues"] is False
    for method, path, body in (
        ("GET", "", None),
        ("POST", "", {"title": "T"}),
        ("GET", f"/{number}", None),
        ("PATCH", f"/{number}", {"title": "T"}),
        ("POST", f"/{number}/comments", {"body": "T"}),
        ("GET", f"/{number}/events", None),
        ("GET", "/99", None),
    ):
        assert told(call(method, f"{INFRA}/issues{path}", json=body)) == (410, "Issues are disabled for this repo")
    assert call("POST", f"{INFRA}/issues/{pull}/comments", json={"body": "Pulls go on"}).status_code == 201
    assert call("GET", f"{INFRA}/pulls/{number}").status_code == 404
    people.repository.has_issues = True
    assert call("GET", f"{INFRA}/issues/{number}").status_code == 200


def test_bots_are_told_from_people(people: People, call: Call) -> None:
    number = people.open_issue("dependabot[bot]", "Bump")
    people.comment("stale[bot]", number, "Stale")
    people.close("stale[bot]", number)
    seen = call("GET", f"{INFRA}/issues/{number}").json()
    assert (seen["user"]["type"], seen["closed_by"]["type"]) == ("Bot", "Bot")
    assert seen["user"]["html_url"].endswith("/apps/dependabot")
    assert call("GET", f"{INFRA}/issues/{number}/comments").json()[0]["user"]["type"] == "Bot"
    assert call("GET", f"{INFRA}/issues/{number}/events").json()[0]["actor"]["type"] == "Bot"
    assert people.issue(people.open_issue("robot", "Human")).user.type == "User"


def test_assignees_have_access(people: People, call: Call) -> None:
    number = people.open_issue("anna", "Task")
    people.assign("anna", number, "ben")
    people.assign("anna", number, "anna", "ben")
    assert people.assignees(number) == ["ben", "anna"]
    with pytest.raises(AssertionError, match="stranger has no access"):
        people.assign("anna", number, "stranger")
    people.unassign("anna", number, "ben")
    with pytest.raises(AssertionError, match="not assigned to ben"):
        people.unassign("anna", number, "ben")
    refused = call("PATCH", f"{INFRA}/issues/{number}", json={"assignees": ["anna", "stranger"]})
    assert refused.json()["errors"] == [{"value": "stranger", "resource": "Issue", "field": "assignees", "code": "invalid"}]
    assert people.assignees(number) == ["anna"]


def test_a_locked_conversation_is_for_collaborators(server: GitHubServer, people: People, call: Call) -> None:
    number = people.open_issue("ben", "Task")
    comment = people.comment("ben", number, "Before")
    people.lock("anna", number, "too heated")
    seen = call("GET", f"{INFRA}/issues/{number}").json()
    assert (seen["locked"], seen["active_lock_reason"]) == (True, "too heated")
    path = f"{INFRA}/issues/{number}/comments"
    assert told(call("POST", path, "ben", json={"body": "T"})) == (403, "Unable to create comment because issue is locked.")
    assert call("PATCH", f"{INFRA}/issues/comments/{comment}", "ben", json={"body": "T"}).status_code == 403
    assert call("POST", path, json={"body": "Allowed"}).status_code == 201
    assert call("PATCH", f"{INFRA}/issues/comments/{comment}", json={"body": "Moderated"}).status_code == 200
    assert call("PATCH", f"{INFRA}/issues/{number}", json={"title": "Edited", "state": "closed"}).status_code == 200
    private, public = app_key()
    server.add_app(77, "nightshift", public, 4711)
    with GithubIntegration(auth=Auth.AppAuth(77, private), base_url=server.url, retry=None, **PACE) as integration:
        issue = integration.get_github_for_installation(4711).get_repo("acme/infra").get_issue(number)
        with pytest.raises(GithubException, match="issue is locked"):
            issue.create_comment("Not even with the right to write issues")
        issue.edit(body="But this")
    people.unlock("anna", number)
    assert call("POST", path, "ben", json={"body": "T"}).status_code == 201
    assert call("GET", f"{INFRA}/issues/{number}").json()["active_lock_reason"] is None


def test_lists_are_filtered_by_assignee_and_milestone(people: People, call: Call) -> None:
    for title in ("Q1", "Q2"):
        people.create_milestone("anna", title)
    people.seed_issues(
        "anna",
        [Seed("A", assignees=("anna",), milestone=1), Seed("B", assignees=("anna", "ben"), milestone=2), Seed("C")],
    )

    def listed(**query: str) -> list[int]:
        return sorted(numbers(call("GET", f"{INFRA}/issues", params=query)))

    assert (listed(assignee="*"), listed(assignee="none"), listed(assignee="ben")) == ([1, 2], [3], [2])
    assert (listed(milestone="*"), listed(milestone="none"), listed(milestone="1")) == ([1, 2], [3], [1])
    assert listed(milestone="2", assignee="anna", state="all") == [2]
    for query in ({"milestone": "9"}, {"milestone": "Q1"}, {"assignee": "nobody"}, {"assignee": ""}):
        assert call("GET", f"{INFRA}/issues", params=query).status_code == 422
    wrong = call("GET", f"{INFRA}/issues", params={"milestone": "9"}).json()["errors"]
    assert wrong == [{"value": "9", "resource": "Issue", "field": "milestone", "code": "invalid"}]


def test_a_list_is_found_anew_after_every_change(people: People, other: People, call: Call) -> None:
    people.create_milestone("anna", "Q2")
    for title in ("A", "B"):
        people.open_issue("anna", title)
    acts: list[tuple[Callable[[], object], list[int]]] = [
        (lambda: people.open_issue("anna", "C"), [3, 2, 1]),
        (lambda: people.close("anna", 2), [3, 1]),
        (lambda: people.comment("anna", 1, "Hm"), [1, 3]),
        (lambda: call("POST", f"{INFRA}/issues/3/comments", json={"body": "T"}), [3, 1]),
        (lambda: call("PATCH", f"{INFRA}/issues/1", json={"state": "closed"}), [3]),
        (lambda: people.transfer_issue("anna", 3, "acme/web"), []),
        (lambda: people.reopen("anna", 1), [1]),
        (lambda: people.delete_issue("anna", 1), []),
        (lambda: other.transfer_issue("anna", 1, "acme/infra"), [4]),
        (lambda: setattr(people.issue(4), "state", "closed"), []),
    ]
    for act, expected in acts:
        query = {"sort": "updated"}
        call("GET", f"{INFRA}/issues", params=query)
        act()
        assert numbers(call("GET", f"{INFRA}/issues", params=query)) == expected


def test_many_issues_are_listed_fast(people: People, call: Call) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    people.create_milestone("anna", "Q2")
    made = people.seed_issues(
        "anna",
        (
            Seed(
                f"Issue {number}",
                "Body",
                labels=("nightshift", f"label-{number % 7}"),
                assignees=("ben",) if number % 2 else (),
                milestone=1,
                state="closed" if number % 3 == 0 else "open",
                created_at=start + timedelta(minutes=number),
            )
            for number in range(50_000)
        ),
    )
    for number in made[:500]:
        people.comment("ben", number, "Hm")
    # What is counted is the work of this process, the server's and the client's, not how busy the machine is.
    began, found, pages, url = time.process_time(), [], 0, f"{INFRA}/issues?state=all&per_page=100&sort=created&direction=asc"
    while url:
        answer = call("GET", url)
        found += numbers(answer)
        pages, url = pages + 1, answer.links.get("next", {}).get("url", "")
    assert (pages, found) == (500, made)
    assert time.process_time() - began < 20
    assert answer.json()[0]["milestone"]["open_issues"] == 33_333
