"""A pull request review answers an approval request: of the revision that its commit holds, and of no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve
from dagster_project.settings import GithubSettings, Settings
from tests.approval_builders import Approvals, actor
from tests.approvals.conftest import NewWorld
from tests.conftest import query
from tests.github import GitHubServer, People
from tests.github.faults import Fault
from tests.proposal_builders import BOT, TOKEN

REPOSITORY = "acme/approvals"
BRANCH = "nightshift-approvals/"


@dataclass
class Reviewed(Approvals):
    """A world whose requests are pull requests too."""

    url: str = ""

    @property
    def settings(self) -> Settings:
        github = GithubSettings(base_url=self.url, token=TOKEN, timeout_seconds=1)
        return super().settings.model_copy(update={"github": github})


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.add_token(TOKEN, login=BOT)
        yield server
    assert server.unexpected == []


@pytest.fixture
def people(github: GitHubServer) -> People:
    found = github.create_repository(REPOSITORY, {"README.md": b"What Nightshift asks.\n"})
    found.add_collaborator(BOT, "write")
    for login, right in (("ana", "write"), ("ben", "read"), ("mallory", "admin")):
        found.add_collaborator(login, right)
    return found


@pytest.fixture
def world(new_world: NewWorld, github: GitHubServer, people: People) -> Reviewed:
    plain = new_world("i-1", machine={"environment": "prod", "exceedance": 20.0}, approvals={"repository": REPOSITORY})
    return Reviewed(**{**{name: getattr(plain, name) for name in plain.__dataclass_fields__}, "url": github.url})


def open_pulls(people: People) -> list[int]:
    return [issue.number for issue in people.pulls("open")]


def test_a_request_is_a_pull_request_whose_commit_holds_the_plan(world: Reviewed, people: People) -> None:
    (row,) = world.night()
    (number,) = open_pulls(people)
    issue = people.issue(number)
    assert issue.title == "Approve: shrink 1 resource of payment-api in prod"
    assert "**Nothing is to be merged here**" in issue.body
    assert "i-1" in issue.body
    assert "$140" in issue.body
    branch = f"{BRANCH}{row['request_id']}"
    plan = json.loads(people.file(branch, f"requests/{row['request_id']}.json"))
    assert [(change["resource_id"], change["after"]) for change in plan["changes"]] == [("i-1", "m5.xlarge")]


def test_a_quiet_night_writes_nothing(world: Reviewed, github: GitHubServer) -> None:
    world.night()
    before = len(github.writes())
    world.night()
    assert len(github.writes()) == before


def test_two_reviews_approve_high_risk_and_it_is_applied_and_closed(world: Reviewed, people: People) -> None:
    (row,) = world.night()
    (number,) = open_pulls(people)
    people.review("ana", number, "APPROVED")
    (again,) = world.night()
    assert (again["state"], again["missing"]) == ("pending", "1 more person must approve (2 for high risk)")
    people.review("ben", number, "APPROVED", "fine with me")
    (again,) = world.night()
    assert again["state"] == "approved"
    events = query(world.dsn, "select actor, source from nightshift.approval_events where kind = 'approval' order by position")
    assert [tuple(event) for event in events] == [("ana@example.com", "github"), ("ben@example.com", "github")]
    assert apply_approved(world.runtime()).is_fine
    world.machines["i-1"].target = None
    world.night()
    assert open_pulls(people) == []
    assert "This request is executed: 1 applied" in people.comments(number)[-1].body
    assert people.repository.branch(f"{BRANCH}{row['request_id']}") is None


def test_one_person_on_github_and_on_the_command_line_is_one_person(world: Reviewed, people: People) -> None:
    world.night()
    (number,) = open_pulls(people)
    people.review("ana", number, "APPROVED")
    approve(world.runtime(), "i-1", actor())
    (row,) = world.night()
    assert (row["state"], row["missing"]) == ("pending", "1 more person must approve (2 for high risk)")


def test_who_is_no_approver_is_not_heard_whatever_their_rights(world: Reviewed, people: People) -> None:
    world.night()
    (number,) = open_pulls(people)
    people.review("mallory", number, "APPROVED")
    people.review("mallory", number, "CHANGES_REQUESTED", "no")
    (row,) = world.night()
    assert (row["state"], row["approvals"]) == ("pending", "[]")


def test_the_last_word_counts(world: Reviewed, people: People) -> None:
    world.night()
    (number,) = open_pulls(people)
    people.review("ana", number, "APPROVED")
    people.review("ana", number, "COMMENTED", "thinking about it")
    people.review("ben", number, "APPROVED")
    people.review("ben", number, "CHANGES_REQUESTED", "the load test is next week")
    (row,) = world.night()
    assert (row["state"], row["detail"]) == ("rejected", "the load test is next week")
    (answer,) = query(world.dsn, "select actor, reason, kind from nightshift.proposal_answers")
    assert tuple(answer) == ("ben@example.com", "the load test is next week", "rejected")
    assert open_pulls(people) == []


def test_a_review_of_an_earlier_revision_does_not_count(world: Reviewed, people: People) -> None:
    world.night()
    (number,) = open_pulls(people)
    world.machines["i-1"].target = "m5.large"
    people.review("ana", number, "APPROVED")
    (row,) = world.night()
    assert (row["revision"], row["state"], row["approvals"]) == (2, "pending", "[]")
    (row,) = world.night()
    assert (row["revision"], row["approvals"]) == (2, "[]")
    assert open_pulls(people) == [number]
    plan = json.loads(people.file(f"{BRANCH}{row['request_id']}", f"requests/{row['request_id']}.json"))
    assert plan["changes"][0]["after"] == "m5.large"
    people.review("ana", number, "APPROVED")
    (row,) = world.night()
    assert json.loads(row["approvals"]) == [{"by": "ana@example.com", "source": "github"}]


@pytest.mark.parametrize("path", ["/git/commits", "/graphql", "/pulls$"])
def test_an_answer_that_is_lost_leaves_one_pull_request(world: Reviewed, github: GitHubServer, people: People, path: str) -> None:
    github.faults.add(Fault("POST", path, "drop_after"))
    world.night()
    world.night()
    assert len(open_pulls(people)) == 1
    people.review("ana", open_pulls(people)[0], "APPROVED")
    (row,) = world.night()
    assert json.loads(row["approvals"]) == [{"by": "ana@example.com", "source": "github"}]


def test_without_github_the_night_goes_on_and_says_so(world: Reviewed, github: GitHubServer) -> None:
    github.faults.add(Fault("*", ".", "server_error", times=100))
    (row,) = world.night()
    assert row["state"] == "pending"


def test_a_pull_request_that_somebody_closed_is_no_answer(world: Reviewed, people: People) -> None:
    world.night()
    (number,) = open_pulls(people)
    people.close("mallory", number)
    (row,) = world.night()
    assert row["state"] == "pending"
    world.night()
    assert open_pulls(people) == []
