"""Deployments and merged pull requests, over HTTP against the strict GitHub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from dagster_project.connections.github import Connection, Pace
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import AccessDenied, GithubError
from dagster_project.settings import GithubSettings
from dagster_project.sources import github_history
from dagster_project.sources.github_history import GithubHistory
from dagster_project.sources.history import Incomplete
from tests.aws.fixtures import Waits
from tests.github import Fault, GitHubServer
from tests.github.people import People

NOW = datetime(2025, 3, 9, 10, 0, tzinfo=UTC)
SINCE = datetime(2025, 3, 9, tzinfo=UTC).replace(tzinfo=None)
UNTIL = SINCE + timedelta(days=1)


class Time:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def github(time: Time) -> Iterator[GitHubServer]:
    with GitHubServer(time) as server:
        server.add_token("t0ken", login="nightshift-bot")
        yield server
    assert server.unexpected == []


def repository(github: GitHubServer, name: str) -> People:
    found = github.create_repository(name, {"main.tf": b"x"})
    found.add_collaborator("nightshift-bot", "write")
    found.add_collaborator("alice", "write")
    return found


@pytest.fixture
def people(github: GitHubServer) -> People:
    return repository(github, "acme/shop")


@pytest.fixture
def connect(github: GitHubServer) -> Callable[[str], Connection]:
    settings = GithubSettings(base_url=github.url, token=SecretStr("t0ken"), timeout_seconds=5, attempts=2)
    return lambda name: Connection(settings, name, Pace(Waits()))


def history(connect: Callable[[str], Connection], *repositories: str) -> GithubHistory:
    return GithubHistory(repositories or ("acme/shop",), connect, {"shop": "shop"})


def read(source: GithubHistory) -> list[Event]:
    return list(source.read(SINCE, UNTIL))


def merged(people: People, number: int, title: str = "Raise the limit") -> int:
    people.push("alice", f"change-{number}", {f"{number}.tf": b"y"})
    opened = people.open_pull("alice", f"change-{number}", title=title)
    people.merge("alice", opened)
    return opened


def test_a_deployment_is_told_with_every_status(people: People, connect: Callable[[str], Connection]) -> None:
    number = people.deploy("alice")
    for state, words in (("in_progress", ""), ("failure", "health check")):
        people.report_deployment("alice", number, state, words)
    events = sorted(read(history(connect)), key=lambda event: int(event.source_event_id.rpartition("/")[2]))
    assert [event.text for event in events] == [
        "Deployment of main of acme/shop to production was asked for",
        "Deployment of main of acme/shop to production began",
        "Deployment of main of acme/shop to production failed: health check",
    ]
    assert {(event.lane, event.kind, event.service, event.actor) for event in events} == {
        ("changes", "deployment", "shop", "alice")
    }
    assert events[2].payload["outcome"] == "failed"
    assert events[0].payload["ref"] == people.head("main")


def test_only_what_happened_in_the_stretch_is_told(people: People, connect: Callable[[str], Connection], time: Time) -> None:
    time.at = NOW - timedelta(days=1)
    number = people.deploy("alice")
    merged(people, 1)
    time.at = NOW
    people.report_deployment("alice", number, "success")
    second = merged(people, 2)
    people.comment("alice", 1, "looks fine")  # which makes it younger
    time.at = NOW + timedelta(days=1)
    merged(people, 3)
    people.report_deployment("alice", number, "inactive")
    assert sorted(event.text for event in read(history(connect))) == [
        "Deployment of main of acme/shop to production succeeded",
        f"Pull request #{second} of acme/shop was merged: Raise the limit",
    ]


def test_reverts_and_rollbacks_are_told_apart_and_closed_pulls_are_no_change(
    people: People, connect: Callable[[str], Connection]
) -> None:
    people.push("alice", "idea", {"i.tf": b"y"})
    people.close("alice", people.open_pull("alice", "idea", title="Idea"))
    merged(people, 1, 'Revert "Raise the limit"')
    people.deploy("alice", task="rollback")
    assert [event.kind for event in read(history(connect))] == ["rollback", "rollback"]


def test_hundreds_are_read_page_by_page_up_to_the_stretch(
    people: People, github: GitHubServer, connect: Callable[[str], Connection], time: Time
) -> None:
    time.at = NOW - timedelta(days=40)
    for _ in range(150):
        people.deploy("alice")
    time.at = NOW
    for _ in range(120):
        people.deploy("alice")
    assert len(read(history(connect))) == 120
    asked = [each for each in github.log if each.path.split("?")[0].endswith("/deployments")]
    assert len(asked) == 2


def test_too_many_are_said_not_to_be_all(
    people: People, connect: Callable[[str], Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_history, "_ENTRIES", 3)
    for _ in range(5):
        people.deploy("alice")
    events = history(connect).read(SINCE, UNTIL)
    assert len([next(events) for _ in range(3)]) == 3
    with pytest.raises(Incomplete, match="acme/shop has too many deployments since 2025-03-09 for one night") as cut:
        next(events)
    assert cut.value.read_until == SINCE


def test_a_repository_that_is_refused_does_not_keep_the_others_from_being_read(
    people: People, github: GitHubServer, connect: Callable[[str], Connection]
) -> None:
    github.create_repository("acme/secret", {"main.tf": b"x"})
    merged(people, 1)
    events = history(connect, "acme/secret", "acme/shop").read(SINCE, UNTIL)
    assert next(events).target == "acme/shop"
    with pytest.raises(Incomplete, match="404"):
        next(events)


def test_a_failure_in_the_middle_keeps_what_was_read(
    people: People, github: GitHubServer, connect: Callable[[str], Connection]
) -> None:
    people.deploy("alice")
    github.faults.add(Fault("GET", "/pulls$", "bad_gateway_before", times=5))
    events = history(connect).read(SINCE, UNTIL)
    assert next(events).kind == "deployment"
    with pytest.raises(GithubError, match="GitHub failed with 502"):
        next(events)


def test_a_token_that_is_refused_says_so(people: People, github: GitHubServer, connect: Callable[[str], Connection]) -> None:
    github.revoke_token("t0ken")
    with pytest.raises(AccessDenied, match="GitHub refused to sign in for acme/shop"):
        read(history(connect))
