"""Which sources a run has: by its credentials, its inventory and its incidents; and a whole night over real HTTP."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project.pipeline.aws_opened import Opened
from dagster_project.pipeline.capture import capture_events
from dagster_project.pipeline.capture_sources import Absent, event_sources, known_services
from dagster_project.pipeline.ledger import Load, record
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import GithubSettings, RepositorySettings, RootSettings
from dagster_project.settings_acting import SlackSettings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from dagster_project.sources.cloudtrail import Cloudtrail
from dagster_project.sources.slack_history import SlackHistory, Talk
from tests.aws.fixtures import Waits, aws
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.github import GitHubServer
from tests.incidents.capture.night import DAY, after, captured, digests, fill, incident, night, put, put_incidents
from tests.slack.clock import Clock
from tests.slack.server import SlackServer

__all__ = ["aws"]
TEN, END = datetime(2025, 3, 9, 10), datetime(2025, 3, 10)


def having(runtime: Runtime, **sections: Any) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update=sections), at=Waits())


def talks_of(runtime: Runtime, **slack: Any) -> list[Talk]:
    settings = SlackSettings(token=SecretStr("xoxb-1"), **slack)
    source = event_sources(having(runtime, slack=settings))[0]
    assert isinstance(source, SlackHistory)
    return list(source.talks)


def test_channels_are_those_of_incidents_that_are_captured_and_of_the_teams(runtime: Runtime) -> None:
    put_incidents(
        runtime,
        incident("a", slack_channel="#inc-a"),
        incident("b", slack_channel="#ops", detected_at=TEN - timedelta(days=1)),
        incident("c", slack_channel="#ops", resolved_at=TEN + timedelta(hours=3)),
        incident("none"),
    )
    talks = {each.channel: each for each in talks_of(runtime, channel="C0TEAMS01", channels={"search": "C0SEARCH1"})}
    assert {*talks} == {"#inc-a", "#ops", "C0TEAMS01", "C0SEARCH1"}
    assert (talks["#inc-a"].since, talks["#inc-a"].until) == (TEN - timedelta(minutes=90), TEN + timedelta(hours=2))
    assert (talks["#ops"].since, talks["#ops"].until) == (TEN - timedelta(days=1, minutes=90), TEN + timedelta(hours=4))
    assert [topic.incident_id for topic in talks["#ops"].topics] == ["b", "c"]
    assert [each.is_whole for each in talks.values()] == [True, True, False, False]


def test_an_old_incident_is_talked_about_no_more_but_still_tells_messages_apart(runtime: Runtime) -> None:
    old = incident("old", slack_channel="#ops", detected_at=TEN - timedelta(days=30), resolved_at=TEN - timedelta(days=29))
    rows = (old, incident("new", slack_channel="#ops"))
    for day in (DAY, after(1)):
        put_incidents(runtime, *rows, day=day)
    record(runtime.lake, DAY, Load("slack", "complete", watermark_at=END))
    tomorrow = replace(runtime, now=runtime.now + timedelta(days=1))
    (talk,) = talks_of(tomorrow)
    assert talk.since == TEN - timedelta(minutes=90)
    assert [topic.incident_id for topic in talk.topics] == ["new", "old"]


def test_services_are_known_by_their_resources_and_by_themselves(runtime: Runtime) -> None:
    put(runtime, "resource_inventory", {"resource_id": "web", "service": "shop"}, {"resource_id": "lost"})
    put(runtime, "services", {"service": "billing"})
    put(runtime, "service_dependencies", {"service": "billing", "depends_on": "ledger"})
    put_incidents(runtime, incident(), incident("INC-2", service=None))
    named = {name: name for name in ("shop", "billing", "ledger", "payment")}
    assert known_services(runtime.lake, DAY) == {"web": "shop", **named}


def test_regions_are_those_of_the_inventory_in_the_accounts_of_the_settings(runtime: Runtime) -> None:
    rows = [(ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1"), ("210987654321", "ap-south-1"), (None, "eu-north-1"), (ACCOUNT, None)]
    put(runtime, "resource_inventory", *({"resource_id": str(n), "account_id": a, "region": r} for n, (a, r) in enumerate(rows)))
    sources = event_sources(having(runtime, aws=AwsSettings(accounts=(AwsAccount(id=ACCOUNT),))))
    cloudtrail = next(each for each in sources if isinstance(each, Cloudtrail))
    regions = ("eu-north-1", "eu-west-1", "us-east-1")
    assert [scope.place for scope in cloudtrail.scopes] == [f"{ACCOUNT}/{region}" for region in regions]


def test_without_regions_or_repositories_sources_are_absent_with_what_to_fill(runtime: Runtime) -> None:
    there = having(runtime, aws=AwsSettings(accounts=(AwsAccount(id=ACCOUNT),)), github=GithubSettings(token=SecretStr("x")))
    reasons = {each.name: each.reason for each in event_sources(there) if isinstance(each, Absent)}
    assert reasons["github"] == "There are no repositories in the settings; add repositories."
    assert reasons["cloudtrail"].startswith("The inventory names no region of the accounts in the settings")


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(Clock(TEN.replace(tzinfo=UTC))) as server:
        server.set_scopes(add=["pins:read"])
        yield server
        assert server.unexpected == []


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(lambda: TEN.replace(tzinfo=UTC)) as server:
        server.add_token("t0ken", login="nightshift-bot")
        server.create_repository("acme/shop", {"main.tf": b"x"}).add_collaborator("nightshift-bot", "write")
        yield server
        assert server.unexpected == []


@pytest.fixture
def connected(runtime: Runtime, aws: AwsServer, slack: SlackServer, github: GitHubServer) -> Runtime:
    """A run that reaches Slack, GitHub and AWS."""
    fill(runtime, "decision_audit")
    web = {"resource_id": "web", "service": "shop", "region": aws.region, "account_id": ACCOUNT}
    for day in (DAY, after(1)):
        put(runtime, "resource_inventory", web, day=day)
    return having(
        runtime,
        slack=SlackSettings(base_url=slack.url, token=SecretStr(slack.bot_token)),
        github=GithubSettings(base_url=github.url, token=SecretStr("t0ken")),
        repositories=(RepositorySettings(name="acme/shop", roots=(RootSettings(path=".", state="state.json"),)),),
        aws=AwsSettings(accounts=(AwsAccount(id=ACCOUNT),), endpoint_url=aws.url),
    )


def test_a_night_over_http_edits_and_deletions_of_the_next_and_the_same_bytes_again(
    connected: Runtime, aws: AwsServer, slack: SlackServer, github: GitHubServer
) -> None:
    mary = slack.add_user("mary", real_name="Mary Jones")
    channel = slack.add_channel("inc-1", [mary])
    for day in (DAY, after(1)):
        put_incidents(connected, incident(slack_channel=channel), day=day)
    first = slack.people.say(mary, channel, "payment is down")
    second = slack.people.say(mary, channel, "the key is AKIAIOSFODNN7EXAMPLE")
    github.people("acme/shop").deploy("nightshift-bot")
    aws.history.activity("act-1", "2025-03-09 10:02:00", status="InProgress")
    aws.history.call("call-1", "2025-03-09 10:03:00", "UpdateAutoScalingGroup", "autoscaling.amazonaws.com", "web")
    aws.history.change("shop-cpu", "2025-03-09 10:00:00", "OK", "ALARM")

    loads = night(connected)
    assert {name: load.status for name, load in loads.items()} == dict.fromkeys(loads, "complete")
    # Who is asked first asks for the account, too. Activities of six weeks come by the week, calls of ninety days by six hours.
    asked = {name: (load.calls, load.throttles) for name, load in loads.items()}
    assert asked == dict.fromkeys(asked, (None, None)) | {
        "cloudwatch_alarms": (3, 0), "scaling_activities": (6, 0), "cloudtrail": (360, 0),
    }  # fmt: skip
    found = {row["source_event_id"]: row for row in captured(connected)}
    assert sorted(row["source"] for row in found.values()) == [
        "cloudtrail", "cloudwatch_alarms", "github", "scaling_activities", "slack", "slack",
    ]  # fmt: skip
    assert found[f"{channel}/{second}"]["text"] == "the key is [access key removed]"
    before = digests(connected)
    night(replace(connected, aws=Opened()))
    assert digests(connected) == before

    slack.people.edit(channel, first, "payment is slow")
    slack.people.delete(channel, second)
    aws.history.activities.clear()
    aws.history.activity("act-1", "2025-03-09 23:30:00")
    night(connected, after(1))
    versions = [(row["source_event_id"], row["version"], row["is_deleted"], row["text"]) for row in captured(connected, after(1))]
    assert versions == [
        ("act-1", 2, False, "web: Launching a new EC2 instance: i-act-1 succeeded"),
        (f"{channel}/{first}", 2, False, "payment is slow"),
        (f"{channel}/{second}", 2, True, "the key is [access key removed]"),
    ]
    assert json.loads(found["call-1"]["payload"])["api_call"] == "UpdateAutoScalingGroup"


def test_a_back_fill_calls_nobody(connected: Runtime, aws: AwsServer, slack: SlackServer, github: GitHubServer) -> None:
    put_incidents(connected, incident(slack_channel="#inc-1"))
    capture_events(replace(connected, now=connected.now + timedelta(days=9)), DAY)
    assert (aws.log, slack.log, github.log) == ([], [], [])
